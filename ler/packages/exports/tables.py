r"""Features as columns of a table: named as in the LER model, lists as one text, everything fit to be read again.

A list is one text with the values parted by `; `, with `\` before a semicolon or backslash of a value; a contact is a
JSON object; a measure without a unit of its own is `1.5 m`. The column `void` names what was void with the reason
(`fareklasse=unknown`), and levels that were said to be unknown.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ler.model import UNKNOWN_HEIGHT, Attribute, Feature, Kind, Model, Value
from ler.model.values import format_value

CRS: Final = "EPSG:7416"
TYPE_COLUMN: Final = "objekttype"
ID_COLUMN: Final = "gml_id"
VOID_COLUMN: Final = "void"
ONLY_LAYER: Final = "*"
"""What a mapping calls the layer of a file that has only one."""
SEPARATOR: Final = "; "
ESCAPE: Final = "\\"
SHEET_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""

PANDAS_TYPES: Final[Mapping[Kind, str]] = {
    Kind.INTEGER: "Int64",
    Kind.SHARE: "float64",
    Kind.BOOLEAN: "boolean",
    Kind.MEASURE: "float64",
    Kind.LEVEL: "float64",
}

type Rule = dict[str, Any]
"""How one attribute is read again, as a mapping has it."""


@dataclass(frozen=True, slots=True)
class WrittenLayer:
    """One layer of a finished file, as its mapping must know it."""

    name: str
    type_name: str
    """Empty where a column holds the type."""
    rules: Mapping[str, Rule]
    columns: Mapping[str, str] = field(default_factory=dict)
    """Columns whose names had to be changed: ours -> the file's."""
    keys: Mapping[str, Any] = field(default_factory=dict)
    """Further keys of the mapping of the layer."""


@dataclass(frozen=True, slots=True)
class Cells:
    """One column of a table."""

    name: str
    values: Sequence[Any]
    """None where there is nothing."""
    kind: str = "object"
    """The name by which pandas knows its type: `object` for text, `Int64`, `float64` or `boolean`."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a writer wrote."""

    layers: Sequence[WrittenLayer]
    feature_count: int
    keys: Mapping[str, Any] = field(default_factory=dict)
    """Further keys of the mapping."""


def used_attributes(features: Iterable[Feature], model: Model) -> dict[str, list[Attribute]]:
    """Return the attributes that any feature has, in the model's order; of each what the feature types make of it."""
    used: dict[str, set[str]] = {}
    for feature in features:
        used.setdefault(feature.type, set()).update(feature.attributes)
    found: dict[str, list[Attribute]] = {}
    for feature_type in model.types.values():
        for attribute in feature_type.attributes:
            if attribute.kind is not Kind.GEOMETRY and attribute.name in used.get(feature_type.name, ()):
                found.setdefault(attribute.name, []).append(attribute)
    return found


def attribute_cells(
    features: Sequence[Feature], attributes: Mapping[str, Sequence[Attribute]], model: Model
) -> Iterator[Cells]:
    """Yield each attribute as a column: numbers and truth values where all types have them, text otherwise."""
    kinds = {name: _column_kind(variants) for name, variants in attributes.items()}
    types = {t.name: {a.name: a for a in t.attributes if a.name in attributes} for t in model.types.values()}
    cells: dict[str, list[Value]] = {name: [None] * len(features) for name in attributes}
    for at, feature in enumerate(features):
        own = types[feature.type]
        for name, value in feature.attributes.items():
            if name in own:
                cells[name][at] = _cell(own[name], value, as_text=kinds[name] == "object")
    for name in attributes:
        yield Cells(name, cells[name], kinds[name])
    yield Cells(VOID_COLUMN, [_voids(feature) for feature in features])


def attribute_columns(
    features: Sequence[Feature], attributes: Mapping[str, Sequence[Attribute]], model: Model
) -> Iterator[tuple[str, Any]]:
    """Yield the same as columns of pandas."""
    for column in attribute_cells(features, attributes, model):
        yield column.name, _array(column.values, column.kind)


def _column_kind(variants: Sequence[Attribute]) -> str:
    types = {_column_type(variant) for variant in variants}
    return _column_type(variants[0]) if len(types) == 1 else "object"


def _column_type(attribute: Attribute) -> str:
    """The name by which pandas knows the type of the column that holds an attribute."""
    scalar = not attribute.many and (attribute.kind is not Kind.MEASURE or bool(attribute.unit))
    return PANDAS_TYPES.get(attribute.kind, "object") if scalar else "object"


def _array(cells: Any, kind: Any) -> Any:  # noqa: ANN401 - types that pandas knows by name
    return pd.array(cells, dtype=kind)


def rules_of(attributes: Mapping[str, Sequence[Attribute]]) -> dict[str, Rule]:
    """Return how each attribute is read again."""
    return {name: _rule(name, variants) for name, variants in attributes.items()}


def geometries_of(features: Sequence[Feature], *, unknown: float | None = None) -> NDArray[np.object_]:
    """Return the geometries; unknown heights are `unknown` where a number is given, since a format may have no NaN."""
    found = np.array([feature.geometry for feature in features], dtype=object)
    if unknown is None or not len(found):
        return found
    return np.asarray(
        shapely.transform(found, lambda xyz: np.nan_to_num(xyz, nan=unknown), include_z=True), dtype=object
    )


def list_text(values: Iterable[str]) -> str:
    """Return a list as one text, from which the values can be told again."""
    return SEPARATOR.join(
        value.replace(ESCAPE, ESCAPE * 2).replace(SEPARATOR[0], ESCAPE + SEPARATOR[0]) for value in values
    )


def sheet_safe(text: str) -> str:
    """Return a text that no spreadsheet runs: with ' before what looks like a formula, and before such a '."""
    return f"'{text}" if text.startswith((*SHEET_SIGNS, "'")) else text


def unknown_heights() -> dict[str, Any]:
    """The key of a mapping that says how unknown heights were written."""
    return {"heights": {"unknown": [int(UNKNOWN_HEIGHT)]}}


def _rule(name: str, variants: Sequence[Attribute]) -> Rule:
    rule: Rule = {"column": name}
    if any(variant.many for variant in variants):
        rule |= {"split": SEPARATOR, "escape": ESCAPE}
    if any(variant.kind is Kind.INLINE for variant in variants):
        rule["json"] = True
    return rule


def _cell(attribute: Attribute, value: Value, *, as_text: bool) -> Value:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return list_text(str(_cell(attribute, one, as_text=True)) for one in value)
    if isinstance(value, dict):
        if attribute.kind is Kind.MEASURE:
            return f"{format_value(attribute, value['value'])} {value['uom']}"
        return json.dumps(value, ensure_ascii=False)
    return format_value(attribute, value) if as_text else value


def _voids(feature: Feature) -> str | None:
    voids = [name if reason is None else f"{name}={reason}" for name, reason in feature.voids.items()]
    levels = [name for name, value in feature.attributes.items() if value is None]
    return ", ".join(voids + levels) or None
