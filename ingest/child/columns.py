"""Columns of the few types that the mapping knows, from whatever types a format has; no value is lost on the way."""

import json

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from ingest.child.layers import FieldInfo, FieldType
from ler.errors import RefusedError


def plain_type(kind: pa.DataType) -> FieldType:
    """The plain type that holds every value of an Arrow type."""
    if types.is_boolean(kind):
        return "boolean"
    if types.is_integer(kind) and kind != pa.uint64():
        return "integer"
    if types.is_floating(kind):
        return "real"
    if types.is_date(kind):
        return "date"
    if types.is_dictionary(kind):
        return plain_type(kind.value_type)
    return "datetime" if types.is_timestamp(kind) and kind.tz is not None else "text"


def plain_column(column: pa.Array, field: FieldInfo) -> pa.Array:
    """The column in the plain type of its field. RefusedError for text that is no UTF-8 and for binary values."""
    kind = column.type
    if isinstance(column, pa.ExtensionArray):
        column, kind = column.storage, column.type.storage_type
    if types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    match field.type:
        case "integer":
            return column.cast(pa.int64())
        case "real":
            return column.cast(pa.float64())
        case "boolean":
            return column
        case "date":
            return column.cast(pa.date32(), safe=False)
        case "datetime":
            return column.cast(pa.timestamp("us", tz="UTC"), safe=False)
        case _:
            return _text(column, kind, field.name)


def _text(column: pa.Array, kind: pa.DataType, name: str) -> pa.Array:
    if types.is_string(kind) or types.is_large_string(kind):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            raise RefusedError(
                "encoding-invalid",
                f"the column {name!r} holds text that is not UTF-8: save the file as UTF-8, or state its encoding",
            ) from None
        return column.cast(pa.string())
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return pc.if_else(column.is_null(), None, pa.scalar("(binary)"))
    if types.is_nested(kind):
        return pa.array(
            [
                None if value is None else json.dumps(value, ensure_ascii=False, default=str)
                for value in column.to_pylist()
            ],
            pa.string(),
        )
    if types.is_timestamp(kind) or types.is_time(kind):
        return pa.array(
            [None if value is None else str(value).replace(" ", "T") for value in column.to_pylist()],
            pa.string(),
        )
    return column.cast(pa.string())
