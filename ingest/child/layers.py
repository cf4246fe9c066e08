"""What a file's layers are, as both processes speak of it."""

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

type FieldType = Literal["text", "integer", "real", "boolean", "date", "datetime"]

RECORD: Final = "_record"
WKB: Final = "_wkb"
FAULT: Final = "_geometry_fault"
NOTE: Final = "_geometry_note"
OWN_COLUMNS: Final = (RECORD, WKB, FAULT, NOTE)
"""Columns that the child adds behind a layer's own."""

_FIELD_TYPES: Final = frozenset(get_args(FieldType.__value__))


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One column of a layer."""

    name: str
    type: FieldType


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """One layer of a file."""

    name: str
    feature_count: int
    crs: str | None
    """"EPSG:25832", the WKT of a system without a number, or None where the file does not say."""
    fields: tuple[FieldInfo, ...]
    geometry_type: str | None
    """As the file states it, in words like "LineString Z"; None for a table without geometry."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something about a layer that an owner should know and that keeps nothing out."""

    code: str
    layer: str
    found: str = ""
    field: str = ""


def layers_to_document(layers: list[LayerInfo], notes: list[Note]) -> dict[str, Any]:
    """Both as a JSON document."""
    return {"layers": [asdict(layer) for layer in layers], "notes": [asdict(note) for note in notes]}


def layers_from_document(document: dict[str, Any]) -> tuple[tuple[LayerInfo, ...], tuple[Note, ...]]:
    """Both from what the child sent. ValueError, TypeError or KeyError for anything but that."""
    return (
        tuple(_layer(entry) for entry in document["layers"]),
        tuple(Note(*(str(entry[key]) for key in Note.__slots__)) for entry in document["notes"]),
    )


def _layer(entry: dict[str, Any]) -> LayerInfo:
    fields = tuple(_field(field) for field in entry["fields"])
    return LayerInfo(
        name=str(entry["name"]),
        feature_count=int(entry["feature_count"]),
        crs=None if entry["crs"] is None else str(entry["crs"]),
        fields=fields,
        geometry_type=None if entry["geometry_type"] is None else str(entry["geometry_type"]),
    )


def _field(entry: dict[str, Any]) -> FieldInfo:
    if entry["type"] not in _FIELD_TYPES:
        raise ValueError(entry["type"])
    return FieldInfo(str(entry["name"]), entry["type"])
