"""The reference of the data model as a page of Markdown: `python -m ler.model.reference > docs/reference/model.md`."""

import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from ler.model.schema import ANSWER, VERSIONS, Attribute, CodeList, FeatureType, Kind, Model, load_model

_HEAD: Final = """\
# The LER data model

Every feature type, attribute and code that the platform reads and writes, for the versions {versions}. Generated from
[`types.toml`](../../ler/model/types.toml) and [`codelists.toml`](../../ler/model/codelists.toml) by
`python -m ler.model.reference`; a test holds this page against them, and them against the official schemas.

- **Number**: how often the attribute may stand. `1*` is demanded of every feature that has a geometry by a restriction
  of the model, not by the schema.
- **Void**: whether it may be given as unknown (`xsi:nil="true"`).
- Elements stand in a file in the order of these tables, inherited ones first.
- Coordinates are ETRS89 / UTM 32N with DVR90 heights (EPSG:7416), levels DVR90 (EPSG:5799).
"""

_KINDS: Final = {
    Kind.INTEGER: "whole number",
    Kind.SHARE: "number from 0 to 1, two decimals",
    Kind.BOOLEAN: "true or false",
    Kind.DATE: "date",
    Kind.DATETIME: "date and time",
    Kind.TIME: "day, month or year",
    Kind.LEVEL: "level, m",
    Kind.URI: "path",
    Kind.FORMAT: "file format",
    Kind.LITERAL: "text",
}
_GEOMETRIES: Final = {
    "curve": "line",
    "curves": "one or more lines",
    "point": "point",
    "any": "point, line or surface, one or more",
}


def model_reference() -> str:
    """Return the whole page."""
    newest = load_model()
    lines = [_HEAD.format(versions=", ".join(VERSIONS)), "## Differences between the versions", ""]
    lines += _differences()
    lines += ["", "## Feature types", ""]
    for feature_type in sorted(newest.types.values(), key=lambda t: t.name):
        lines += _type(feature_type, newest)
    lines += ["## Code lists", "", "An open list admits `other: ` and one word besides.", ""]
    for code_list in sorted(newest.code_lists.values(), key=lambda one: one.name):
        lines += _code_list(code_list)
    return "\n".join(lines).rstrip() + "\n"


def _differences() -> Iterator[str]:
    models = [load_model(version) for version in VERSIONS]
    for older, newer in pairwise(models):
        said = list(_difference(older, newer))
        yield f"- **{older.version} to {newer.version}**: {'; '.join(said) or 'no difference in types and attributes'}."


def _difference(older: Model, newer: Model) -> Iterator[str]:
    added: dict[str, list[str]] = {}
    voidable: dict[str, list[str]] = {}
    meaning: dict[str, list[str]] = {}
    for name, feature_type in newer.types.items():
        before = {a.name: a for a in older.types[name].attributes}
        for attribute in _own(feature_type, newer):
            known = before.get(attribute.name)
            if known is None:
                added.setdefault(attribute.name, []).append(name)
            elif attribute.void and not known.void:
                voidable.setdefault(attribute.name, []).append(name)
            if known is not None and attribute.meaning_since == newer.version:
                meaning.setdefault(attribute.name, []).append(name)
    for words, found in (("new", added), ("may now be void", voidable), ("has another meaning", meaning)):
        for changed, types in found.items():
            yield f"`{changed}` of {', '.join(types)} {'is ' if words == 'new' else ''}{words}"


def _own(feature_type: FeatureType, model: Model) -> tuple[Attribute, ...]:
    """The attributes that the type does not inherit."""
    inherited = len(model.types[feature_type.ancestors[0]].attributes) if feature_type.ancestors else 0
    return feature_type.attributes[inherited:]


def _type(feature_type: FeatureType, model: Model) -> Iterator[str]:
    yield f"### {feature_type.name}"
    yield ""
    lineage = [f"[{name}](#{name.lower()})" for name in feature_type.ancestors]
    said = [f"{feature_type.label[0].upper()}{feature_type.label[1:]}"]
    if feature_type.abstract:
        said.append("abstract")
    if lineage:
        said.append(f"a kind of {lineage[0]}")
    if feature_type.name == ANSWER:
        said.append("the root of a file")
    elif feature_type.member and not feature_type.abstract:
        said.append(f"stands in `{feature_type.member}`")
    if feature_type.utility_type:
        said.append(f"serves `{feature_type.utility_type}`")
    yield "; ".join(said) + "."
    yield ""
    own = _own(feature_type, model)
    if own:
        yield "| Attribute | English | Holds | Number | Void | Since |"
        yield "|---|---|---|---|---|---|"
        yield from (_attribute(attribute, feature_type.name) for attribute in own)
        yield ""


def _attribute(attribute: Attribute, owner: str) -> str:
    since = _first(owner, attribute.name, void=False)
    void = _first(owner, attribute.name, void=True) if attribute.void else ""
    told = "yes" if void == since else f"since {void}"
    prefix = "" if attribute.namespace in {"ler", "dim", "ann"} else f"{attribute.namespace}:"
    cells = [
        f"`{prefix}{attribute.name}`",
        attribute.label,
        _holds(attribute, f"[{_named(attribute)}](#{_named(attribute).lower()})"),
        occurs(attribute),
        told if void else "",
        "" if since == VERSIONS[0] else since,
    ]
    return f"| {' | '.join(cells)} |"


def _first(owner: str, name: str, *, void: bool) -> str:
    """First version in which the type has the attribute; with `void`, in which it may be void."""
    for version in VERSIONS:
        if any(a.name == name and (a.void or not void) for a in load_model(version).types[owner].attributes):
            return version
    raise KeyError(name)


def occurs(attribute: Attribute) -> str:
    """How often the attribute may stand: 1, 0..1, 0..n; 1* of every feature that has a geometry."""
    if attribute.with_geometry:
        return "1*"
    least, most = str(attribute.min_count), str(attribute.max_count or "n")
    return least if least == most else f"{least}..{most}"


def holds(attribute: Attribute) -> str:
    """What the attribute holds, in words."""
    return _holds(attribute, _named(attribute))


def _named(attribute: Attribute) -> str:
    """The code list or the type that the attribute names; empty for others."""
    return attribute.code_list.name if attribute.code_list else attribute.target


def _holds(attribute: Attribute, named: str) -> str:
    if attribute.kind in _KINDS:
        return _KINDS[attribute.kind]
    if attribute.kind is Kind.TEXT:
        return f"text, at most {attribute.max_length}" if attribute.max_length else "text"
    if attribute.kind is Kind.MEASURE:
        return f"number, {attribute.unit}" if attribute.unit else "number with its unit"
    if attribute.kind is Kind.GEOMETRY:
        return _GEOMETRIES[attribute.geometry]
    role = {Kind.CODE: "code: ", Kind.REFERENCE: "reference to "}.get(attribute.kind, "")
    return f"{role}{named}"


def _code_list(code_list: CodeList) -> Iterator[str]:
    yield f"### {code_list.name}"
    yield ""
    if code_list.open:
        yield "Open."
        yield ""
    yield "| Code | English |"
    yield "|---|---|"
    for value, label in code_list.values.items():
        yield f"| `{value}` | {label} |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(model_reference())
