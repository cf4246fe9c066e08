"""The first draft of a mapping, from the names, kinds of geometry and values that stand in a file.

It decides what is plain and says in comments what it could not decide: a guess that is wrong would show lines that are
not there, a question costs its owner a minute. The draft is a mapping that `ler mapping check` understands.
"""

import json
from collections.abc import Iterator
from typing import Final

from ingest.crs import find_system, looks_like_degrees
from ingest.mapped.vector import VectorLike
from ingest.mapping.guess import ColumnGuess, guess_column
from ingest.mapping.rules import ONLY_LAYER
from ingest.mapping.samples import APPLICATION, ColumnSample, LayerSample, sample_layer
from ingest.mapping.words import DUCTS, IDS, OWNERS, TRACES, UTILITIES, alike, attribute_likeness, plain
from ler.errors import RefusedError
from ler.model import Attribute, FeatureType, Kind, Model, load_model

UNDECIDED: Final = "CHOOSE"
"""What stands where the owner must choose; no feature type is called so, and no column."""

_SHOWN: Final = 5
_NOT_OURS: Final = ("Graveomraade", "Ledningsejere")
"""Layers of a package that hold no network."""
_NOT_WANTED: Final = ("owner_name", "clipped", "fid", "shape_length", "shape_area", "shape_leng")
_LINES: Final = frozenset({"Ledning", "Ledningstrace"})
_OF_DRAWN_LINES: Final = frozenset({"noejagtighedsklasse", "noejagtighedsklasseVertikal"})
"""What restrictions of the model, not its schema, want of them: nøjagtighedsklasseBetingelse and the same, vertical."""
_OF_DRAWINGS: Final = (
    "Layer",
    "PaperSpace",
    "SubClasses",
    "RawCodeValues",
    "Linetype",
    "EntityHandle",
    "Text",
    "Color",
)


def suggest_mapping(
    vector: VectorLike, *, single: bool = False, name: str = "", model: Model | None = None
) -> str:
    """Return a draft as YAML with comments; `single` for formats of one table, where its name means nothing."""
    model = model or load_model()
    samples = [sample_layer(vector, info) for info in vector.layers() if info.name not in _NOT_OURS]
    lines = [
        f"# A draft for {name or 'the file'}: read it through; {UNDECIDED} stands where you must choose.",
        "# The keys are described in docs/reference/mapping.md.",
        "mapping: 1",
        f"model: {model.version}",
        *_crs(samples),
        "layers:",
    ]
    for sample in samples:
        lines += _layer(sample, model, single=single and len(samples) == 1)
    return "\n".join(lines) + "\n"


def _crs(samples: list[LayerSample]) -> Iterator[str]:
    if not any(sample.place and not sample.info.crs for sample in samples):
        return
    places = [sample.place for sample in samples if sample.place]
    if all(looks_like_degrees(*place) for place in places):
        yield "crs: EPSG:4326  # the file does not say; the numbers are of the size of degrees"
    else:
        yield "crs: EPSG:25832  # the file does not say; make sure: EPSG:25833 looks the same"


def _layer(sample: LayerSample, model: Model, *, single: bool) -> Iterator[str]:
    info = sample.info
    yield f"  - layer: {_text(ONLY_LAYER if single else info.name)}"
    if info.crs is not None:
        yield from _stated_crs(info.crs)
    if sample.extended:
        yield f"    extended: {APPLICATION}"
    columns = {
        name: c for name, c in sample.columns.items() if not (sample.extended and name in _OF_DRAWINGS)
    }
    type_column = _type_column(columns, model)
    feature_type = None if type_column else _guess_type(sample, model)
    taken: set[str] = set()
    if type_column:
        taken.add(type_column.name)
        yield f"    type: {{column: {_text(type_column.name)}}}"
        types = [model.types[value] for value in type_column.values]
    elif feature_type:
        yield f"    type: {feature_type.name}  # by the layer's name and its geometry; {_seen_kinds(sample)}"
        types = [feature_type]
    else:
        yield f"    type: {UNDECIDED}  # a feature type of LER, e.g. Vandledning; {_seen_kinds(sample)}"
        types = []
    identifier, prefix = _identifier(columns, taken)
    yield identifier
    yield from _extras(sample, columns, taken)
    yield from _attributes(columns, types, taken, prefix)


def _stated_crs(crs: str) -> Iterator[str]:
    try:
        yield f"    # coordinates: {find_system(crs).name}"
    except RefusedError:
        shown = " ".join(crs[:60].split())
        yield f"    # coordinates: {shown}, which is not supported; say crs and override_crs if that is wrong"


def _type_column(columns: dict[str, ColumnSample], model: Model) -> ColumnSample | None:
    names = {feature_type.name for feature_type in model.concrete()}
    found = [column for column in columns.values() if column.values and column.values.keys() <= names]
    return found[0] if found else None


def _guess_type(sample: LayerSample, model: Model) -> FeatureType | None:
    name = plain(sample.info.name)
    for feature_type in model.concrete():
        if alike(sample.info.name, feature_type.name) == 1:
            return feature_type
    points = bool(sample.kinds) and "LineString" not in sample.kinds
    if not points and any(word in name for word in DUCTS):
        return model.types["Foeringsroer"]
    if not points and any(word in name for word in TRACES):
        return model.types["Ledningstrace"]
    for beginning, words in UTILITIES.items():
        if any(word in name if len(word) > 2 else name.startswith(word) for word in words):  # noqa: PLR2004 - "el"
            guessed = f"{beginning}{'k' if beginning.endswith('k') else ''}"
            return model.types[_type_name(guessed, points=points, model=model)]
    return None


def _type_name(beginning: str, *, points: bool, model: Model) -> str:
    ending = "komponent" if points else "ledning"
    return next(name for name in model.types if name.casefold() == f"{beginning}{ending}".casefold())


def _seen_kinds(sample: LayerSample) -> str:
    kinds = ", ".join(sorted(sample.kinds)) or "no geometry"
    return f"{sample.records:,} records seen: {kinds}"


def _identifier(columns: dict[str, ColumnSample], taken: set[str]) -> tuple[str, str]:
    """The key `id`, and the prefix that identifiers get."""
    words = [plain(word) for word in IDS]
    found = [column for column in columns.values() if plain(column.name) in words and column.unique]
    if not found:
        why = "a column that tells every record apart, and stays the same from year to year"
        return f"    id: {UNDECIDED}  # {why}", ""
    best = min(found, key=lambda column: words.index(plain(column.name)))
    taken.add(best.name)
    if all(value[0].isalpha() or value[0] == "_" for value in best.values):
        return f"    id: {_text(best.name)}", ""
    why = "a gml:id begins with a letter"
    return f"    id: {{column: {_text(best.name)}, prefix: id-}}  # {why}", "id-"


def _extras(sample: LayerSample, columns: dict[str, ColumnSample], taken: set[str]) -> Iterator[str]:
    for column in columns.values():
        if plain(column.name) in {plain(word) for word in OWNERS} and column.name not in taken:
            taken.add(column.name)
            yield f"    owner: {_text(column.name)}"
            if column.different > 1:
                values = ", ".join(_text(value) for value in list(column.values)[:_SHOWN])
                yield f"    # several owners: choose one, where: {{column: {_text(column.name)}, is: [{values}]}}"
            break
    if "void" in columns:
        taken.add("void")
        yield "    voids: void"
    if "geometri" in columns and sample.extended:
        taken.add("geometri")
        yield "    areas: {column: geometri, is: [flade]}"
        yield "    unplaced: {column: geometri, is: [ingen]}"
    codes = sorted(sample.heights - {0.0})
    if codes or 0.0 in sample.heights:
        shown = ", ".join(f"{code:g}" for code in codes)
        zero = "  # 0 stands often too: add it if it means unknown" if 0.0 in sample.heights else ""
        yield f"    heights: {{unknown: [{shown}]}}{zero}"


def _attributes(
    columns: dict[str, ColumnSample], types: list[FeatureType], taken: set[str], prefix: str
) -> Iterator[str]:
    attributes = _by_name(types)
    pairs = _pairs(columns, attributes, taken)
    ignored = [
        name for name in columns if plain(name) in {plain(word) for word in _NOT_WANTED} and name not in taken
    ]
    ignored = [name for name in ignored if name not in pairs.values()]
    if ignored:
        yield f"    ignore: [{', '.join(map(_text, ignored))}]"
    yield "    attributes:" if pairs else "    attributes: {}"
    for name, column in pairs.items():
        guess = guess_column(attributes[name], columns[column], prefix)
        yield from _rule(name, column, guess)
    required = {a.name for t in types for a in t.attributes if a.min_count and a.kind is not Kind.GEOMETRY}
    for name in sorted(required - pairs.keys()):
        may = ", constant: … or void: true" if attributes[name][0].void else " or constant: …"
        yield f"      # {name}: required, and no column was found; column: …{may}"
    if any(_LINES & {t.name, *t.ancestors} for t in types):
        for name in sorted(_OF_DRAWN_LINES - pairs.keys()):
            yield (
                f"      # {name}: required of lines with a geometry, and no column was found;"
                " column: …, constant: … or void: true"
            )
    left = columns.keys() - taken - set(pairs.values()) - set(ignored)
    for name in (name for name in columns if name in left):
        values = ", ".join(map(_text, list(columns[name].values)[:_SHOWN]))
        yield f"      # not used: column {_text(name)} ({values or 'empty'})"


def _by_name(types: list[FeatureType]) -> dict[str, list[Attribute]]:
    """Every attribute of some types, with what each of them makes of it."""
    found: dict[str, list[Attribute]] = {}
    for feature_type in types:
        for attribute in feature_type.attributes:
            if attribute.kind is not Kind.GEOMETRY:
                found.setdefault(attribute.name, []).append(attribute)
    return found


def _pairs(
    columns: dict[str, ColumnSample], attributes: dict[str, list[Attribute]], taken: set[str]
) -> dict[str, str]:
    """Attribute -> column, the most alike first, each once, in the order of the model."""
    likely = sorted(
        (
            (-attribute_likeness(column, name, variants[0].label), column, name)
            for column in columns
            if column not in taken
            for name, variants in attributes.items()
        ),
    )
    found: dict[str, str] = {}
    for likeness, column, name in likely:
        if likeness < 0 and name not in found and column not in found.values():
            found[name] = column
    return {name: found[name] for name in attributes if name in found}


def _rule(name: str, column: str, guess: ColumnGuess) -> Iterator[str]:
    comment = f"  # {guess.comment}" if guess.comment else ""
    if not guess.keys and not guess.codes and not guess.questions:
        yield f"      {name}: {_text(column)}{comment}"
        return
    keys = ", ".join([f"column: {_text(column)}", *(f"{key}: {value}" for key, value in guess.keys.items())])
    if not guess.codes and not guess.questions:
        yield f"      {name}: {{{keys}}}{comment}"
        return
    yield f"      {name}:{comment}"
    for key, value in {"column": _text(column), **guess.keys}.items():
        yield f"        {key}: {value}"
    yield "        codes:" if guess.codes else "        codes: {}"
    for code, value in guess.codes.items():
        yield f"          {_text(code)}: {_text(value)}"
    for code in guess.questions:
        yield f"          # {_text(code)}: which of: {guess.choices}"


def _text(text: str) -> str:
    """A text as YAML takes it for one, whatever it looks like."""
    plain_text = text.replace("_", "").replace("-", "").isalnum() and text.isascii() and text[:1].isalpha()
    if plain_text and text.casefold() not in {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}:
        return text
    return json.dumps(text, ensure_ascii=False)
