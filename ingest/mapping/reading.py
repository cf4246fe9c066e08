"""A mapping file to a `Mapping`: everything in it is checked against the LER model before a record is read.

Refused by line and key: unknown keys, feature types, attributes, codes, units, encodings; rules that contradict each
other. The keys are described in `docs/reference/mapping.md`.
"""

import codecs
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Final

from ingest.crs import find_system, transformation_from
from ingest.mapping.cells import constant_value, factor_of
from ingest.mapping.document import MAX_BYTES, Entry, MappingFaultError, read_document
from ingest.mapping.rules import (
    UNKNOWN_HEIGHTS,
    AttributeRule,
    Chosen,
    CsvDialect,
    HeightRule,
    IdRule,
    LayerMapping,
    Mapping,
    TypeRule,
    VoidRule,
)
from ler.errors import RefusedError
from ler.model import VERSIONS, Attribute, Kind, Model, Value, load_model

VERSION: Final = "1"
"""Of the language of mappings."""

_LEFT_OUT: Final = "-"
"""What a code table says of records that are left out."""

_TOP: Final = (
    "mapping",
    "model",
    "crs",
    "override_crs",
    "encoding",
    "decimal",
    "thousands",
    "strip",
    "spreadsheet",
    "csv",
    "heights",
    "layers",
)
_LAYER: Final = (
    "layer",
    "where",
    "type",
    "id",
    "owner",
    "crs",
    "heights",
    "voids",
    "areas",
    "unplaced",
    "extended",
    "ignore",
    "attributes",
)
_ATTRIBUTE: Final = (
    "column",
    "join",
    "constant",
    "codes",
    "unit",
    "date",
    "split",
    "escape",
    "json",
    "prefix",
    "unknown",
    "absent",
    "void",
    "fields",
)
_DATED: Final = frozenset({Kind.DATE, Kind.DATETIME, Kind.TIME})
_CODED: Final = frozenset(set(Kind) - {Kind.GEOMETRY, Kind.INLINE, Kind.REFERENCE})


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file. Raises RefusedError `mapping-invalid`, or `file-missing`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise MappingFaultError(path.name, f"larger than {MAX_BYTES >> 20} MiB")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RefusedError("file-missing", f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise MappingFaultError(path.name, f"not UTF-8 text at byte {error.start}") from None
    return parse_mapping(text, path.name)


def parse_mapping(text: str, file: str = "mapping.yaml") -> Mapping:
    """Return the mapping that a text states; `file` is its name in messages. Raises RefusedError `mapping-invalid`."""
    root = read_document(text, file)
    top = root.only(*_TOP)
    _required(root, "mapping").one_of(VERSION)
    model = load_model(top["model"].one_of(*VERSIONS) if "model" in top else VERSIONS[-1])
    heights = _heights(top["heights"]) if "heights" in top else HeightRule()
    layers = tuple(_layer(entry, model, heights) for entry in _required(root, "layers").items())
    decimal = top["decimal"].one_of(".", ",") if "decimal" in top else "."
    thousands = top["thousands"].text() if "thousands" in top else ""
    if thousands and (len(thousands) != 1 or thousands == decimal or thousands.isalnum()):
        raise top["thousands"].fault(
            "wanted one character that is neither the decimal sign, a letter nor a digit"
        )
    return Mapping(
        model=model,
        layers=layers,
        crs=_crs(top["crs"]) if "crs" in top else None,
        override_crs="override_crs" in top and top["override_crs"].truth(),
        encoding=_encoding(top["encoding"]) if "encoding" in top else None,
        csv=_csv(top["csv"]) if "csv" in top else None,
        decimal=decimal,
        thousands=thousands,
        strip="strip" not in top or top["strip"].truth(),
        spreadsheet="spreadsheet" in top and top["spreadsheet"].truth(),
    )


def _required(entry: Entry, key: str) -> Entry:
    found = entry.table().get(key)
    if found is None:
        raise entry.fault(f"the key {key} is missing")
    return found


def _crs(entry: Entry) -> str:
    try:
        transformation_from(find_system(entry.text()))
    except RefusedError as refused:
        raise entry.fault(str(refused)) from None
    return entry.text()


def _encoding(entry: Entry) -> str:
    try:
        return codecs.lookup(entry.text()).name
    except (LookupError, ValueError):
        raise entry.fault("unknown encoding; usual ones: utf-8, cp1252, iso8859-1") from None


def _csv(entry: Entry) -> CsvDialect:
    table = entry.only("separator", "geometry", "line_breaks")
    separator = table.get("separator")
    if separator and separator.text() == "tab":
        sign: str | None = "\t"
    elif separator and len(separator.text()) != 1:
        raise separator.fault("wanted one character, or tab")
    else:
        sign = separator.text() if separator else None
    return CsvDialect(
        separator=sign,
        geometry=table["geometry"].text() if "geometry" in table else None,
        line_breaks="line_breaks" in table and table["line_breaks"].truth(),
    )


def _heights(entry: Entry, given: HeightRule | None = None) -> HeightRule:
    table = entry.only("unknown", "column", "ignore")
    before = given or HeightRule(UNKNOWN_HEIGHTS)
    unknown = before.unknown
    if "unknown" in table:
        nothing = table["unknown"].value is None
        unknown = () if nothing else tuple(item.number() for item in table["unknown"].items())
    return HeightRule(
        unknown=unknown,
        stated=before.stated or "unknown" in table,
        column=table["column"].text() if "column" in table else before.column,
        ignore=table["ignore"].truth() if "ignore" in table else before.ignore,
    )


def _layer(entry: Entry, model: Model, heights: HeightRule) -> LayerMapping:
    table = entry.only(*_LAYER)
    rule = _type(_required(entry, "type"), model)
    layer = LayerMapping(
        layer=_required(entry, "layer").text(),
        line=entry.line,
        type=rule,
        id=_id(_required(entry, "id")),
        attributes={},
        where=_where(table["where"]) if "where" in table else (),
        crs=_crs(table["crs"]) if "crs" in table else None,
        owner=table["owner"].text() if "owner" in table else "",
        heights=_heights(table["heights"], heights) if "heights" in table else heights,
        voids=_voids(table["voids"]) if "voids" in table else None,
        areas=_chosen(table["areas"]) if "areas" in table else None,
        unplaced=_chosen(table["unplaced"]) if "unplaced" in table else None,
        extended=table["extended"].text() if "extended" in table else "",
        ignore=frozenset(table["ignore"].texts()) if "ignore" in table else frozenset(),
    )
    types = layer.type_names(model)
    attributes = table["attributes"].table() if "attributes" in table else {}
    rules = {name: _attribute(name, rule, model, types) for name, rule in attributes.items()}
    return _with_attributes(layer, rules)


def _with_attributes(layer: LayerMapping, rules: dict[str, AttributeRule]) -> LayerMapping:
    values = {name: getattr(layer, name) for name in LayerMapping.__slots__}
    return LayerMapping(**(values | {"attributes": rules}))


def _type(entry: Entry, model: Model) -> TypeRule:
    if isinstance(entry.value, str):
        return TypeRule(constant=_type_name(entry, model))
    table = entry.only("column", "codes")
    column = _required(entry, "column").text()
    if "codes" not in table:
        return TypeRule(column=column)
    codes = {
        code: None if given.value in {None, _LEFT_OUT} else _type_name(given, model)
        for code, given in table["codes"].table().items()
    }
    return TypeRule(column=column, codes=codes)


def _type_name(entry: Entry, model: Model) -> str:
    names = [t.name for t in model.concrete()]
    if entry.text() not in names:
        raise entry.fault(
            f"LER {model.version} has no feature type {entry.text()}{_meant(entry.text(), names)}"
        )
    return entry.text()


def _id(entry: Entry) -> IdRule:
    if not isinstance(entry.value, dict):
        return IdRule(entry.texts())
    table = entry.only("column", "prefix", "separator")
    return IdRule(
        _required(entry, "column").texts(),
        table["prefix"].text() if "prefix" in table else "",
        table["separator"].text() if "separator" in table else "-",
    )


def _where(entry: Entry) -> tuple[Chosen, ...]:
    return tuple(_chosen(item) for item in entry.items())


def _chosen(entry: Entry) -> Chosen:
    entry.only("column", "is")
    return Chosen(_required(entry, "column").text(), frozenset(_required(entry, "is").texts()))


def _voids(entry: Entry) -> VoidRule:
    if isinstance(entry.value, str):
        return VoidRule(entry.value)
    table = entry.only("column", "separator")
    return VoidRule(
        _required(entry, "column").text(), table["separator"].text() if "separator" in table else ","
    )


def _attribute(name: str, entry: Entry, model: Model, types: tuple[str, ...]) -> AttributeRule:
    owners = {
        type_name: attribute
        for type_name in types
        for attribute in model.types[type_name].attributes
        if attribute.name == name
    }
    if not owners:
        known = sorted({a.name for t in types for a in model.types[t].attributes})
        where = types[0] if len(types) == 1 else "any of the feature types"
        raise entry.fault(f"LER {model.version}: no attribute {name} in {where}{_meant(name, known)}")
    kinds = list(owners.values())
    if any(attribute.kind is Kind.GEOMETRY for attribute in kinds):
        raise entry.fault("the geometry of a record is taken as it is and needs no rule")
    return _rule(name, entry, kinds, model)


def _rule(name: str, entry: Entry, attributes: list[Attribute], model: Model) -> AttributeRule:
    if isinstance(entry.value, str):
        entry = Entry({"column": entry}, entry.path, entry.line, entry.file)
    table = entry.only(*_ATTRIBUTE)
    _agree(entry, table, attributes)
    rule = AttributeRule(
        name=name,
        line=entry.line,
        columns=table["column"].texts() if "column" in table else (),
        join=table["join"].text() if "join" in table else "",
        constant=_constant(table["constant"], attributes) if "constant" in table else None,
        codes=_codes(table["codes"], attributes) if "codes" in table else None,
        unit=_unit(table["unit"], attributes) if "unit" in table else "",
        dates=table["date"].texts() if "date" in table else (),
        split=table["split"].text() if "split" in table else "",
        escape=table["escape"].text() if "escape" in table else "",
        json="json" in table and table["json"].truth(),
        prefix=table["prefix"].text() if "prefix" in table else "",
        unknown=frozenset(table["unknown"].texts()) if "unknown" in table else frozenset(),
        absent=frozenset(table["absent"].texts()) if "absent" in table else frozenset(),
        void="void" in table and table["void"].truth(),
        fields=_fields(table["fields"], attributes, model) if "fields" in table else {},
    )
    if not (rule.columns or rule.fields or rule.void or "constant" in table):
        raise entry.fault("wanted a column, a constant, fields or void: true")
    return rule


def _agree(entry: Entry, table: dict[str, Entry], attributes: list[Attribute]) -> None:
    """Refuse keys that mean nothing for the kind of the attribute."""
    kinds = {attribute.kind for attribute in attributes}
    name = attributes[0].name
    checks: Iterable[tuple[str, bool, str]] = (
        ("date", bool(kinds & _DATED), "is no date"),
        ("split", any(a.many for a in attributes), "holds one value only"),
        ("codes", bool(kinds & _CODED), "has no codes"),
        ("prefix", Kind.REFERENCE in kinds, "refers to nothing"),
        ("fields", Kind.INLINE in kinds, "has no fields"),
        ("void", any(a.void for a in attributes), "may not be void in this version"),
        (
            "unknown",
            any(a.void or a.kind is Kind.LEVEL for a in attributes),
            "may not be void in this version",
        ),
    )
    for key, fits, reason in checks:
        if key in table and not fits:
            raise table[key].fault(f"{name} {reason}")
    if "escape" in table and "split" not in table:
        raise table["escape"].fault("an escape needs a split")
    if "constant" in table and ("fields" in table or "json" in table):
        raise entry.fault("a constant goes with neither fields nor json")


def _constant(entry: Entry, attributes: list[Attribute]) -> Value:
    return _first_that_works(entry, attributes, partial(constant_value, texts=entry.texts()))


def _codes(entry: Entry, attributes: list[Attribute]) -> dict[str, str | None]:
    codes: dict[str, str | None] = {}
    for code, given in entry.table().items():
        if given.value is None or given.value == _LEFT_OUT:
            codes[code] = None
            continue
        text = given.text()
        _first_that_works(given, attributes, partial(constant_value, texts=(text,)))
        codes[code] = text
    return codes


def _unit(entry: Entry, attributes: list[Attribute]) -> str:
    unit = entry.text()
    if any(a.kind is Kind.MEASURE and not a.unit for a in attributes):
        return unit
    _first_that_works(entry, attributes, partial(factor_of, unit=unit))
    return unit


def _fields(entry: Entry, attributes: list[Attribute], model: Model) -> dict[str, AttributeRule]:
    target = model.types[attributes[0].target]
    rules = {}
    for name, given in entry.table().items():
        found = [a for a in target.attributes if a.name == name]
        if not found:
            known = [a.name for a in target.attributes]
            raise given.fault(f"{target.name} has no attribute {name}{_meant(name, known)}")
        rules[name] = _rule(name, given, found, model)
    return rules


def _first_that_works[T](entry: Entry, attributes: list[Attribute], work: Callable[[Attribute], T]) -> T:
    """What the work gives for the first attribute that takes the entry; the refusal of the last where none does."""
    refusal = ""
    for attribute in attributes:
        try:
            return work(attribute)
        except ValueError as error:
            shown = entry.value if isinstance(entry.value, str) else "the value"
            refusal = f"{attribute.name} cannot be {shown!r}; wanted: {error}"
    raise entry.fault(refusal)


def _meant(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f"; did you mean {', '.join(close)}?" if close else ""
