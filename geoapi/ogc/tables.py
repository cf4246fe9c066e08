"""Features as tables: CSV with the geometry as WKT, and FlatGeobuf, which map programs read without a parser.

A page of them as of every format, with the next one in the header `Link`. FlatGeobuf has one kind of coordinates for
all: heights are told where all that is in it has them and is of one kind; else it is flat, and `Content-Crs` says so. In
it east stands first in every system, as map programs want it of files.
"""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geoapi.ogc.collections import Property
from geoapi.ogc.cql2 import Kind
from geoapi.ogc.crs import CRS84, STORAGE, Crs
from geoapi.ogc.query import Query
from geoapi.ogc.statement import HEIGHTS_KNOWN, moved, properties_text
from geoapi.ogc.writers import Body, Page, Writer, crs_header, paging_headers

_GEOMETRY: Final = "geometry"
_ID: Final = "feature_id"
"""Not `id`, which is an attribute of LER."""
_HEIGHTS: Final = 7416
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would take for a formula."""
_ARROW: Final[dict[Kind | None, pa.DataType]] = {
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.DATETIME: pa.timestamp("ms", tz="UTC"),
}
"""Other kinds are texts; lists and objects as JSON."""
_DATES: Final[dict[Kind | None, Callable[[str], date]]] = {
    Kind.DATE: date.fromisoformat,
    Kind.DATETIME: datetime.fromisoformat,
}


def _row(query: Query) -> str:
    """The expression that writes a row as a list: id, geometry as WKB, properties."""
    flat = moved("ST_Force2D(f.geom)", query.crs)
    place = f"CASE WHEN {HEIGHTS_KNOWN} THEN f.geom ELSE {flat} END" if query.crs.heights else flat
    shown = query.geometry and query.collection.geometry != "none"
    geometry = (
        f"""coalesce('"' || encode(ST_AsBinary({place}), 'hex') || '"', 'null')""" if shown else "'null'"
    )
    return (
        f"""'[' || to_json({query.collection.id})::text || ',' || {geometry} || ',' ||"""
        f""" {properties_text(query.properties)} || ']'"""
    )


def _shapes(rows: list[Any]) -> NDArray[np.object_]:
    found: NDArray[np.object_] = shapely.from_wkb(
        np.array([*(row[1] for row in rows), None], dtype=object)[:-1]
    )
    return found


def _csv(page: Page) -> Body:
    rows = page.listed
    places = shapely.to_wkt(_shapes(rows), rounding_precision=page.query.crs.decimals)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_ID, *(one.name for one in page.query.properties), _GEOMETRY])
    for (identifier, _, told), place in zip(rows, places, strict=True):
        cells = (_cell(told[one.name], one) for one in page.query.properties)
        writer.writerow([_harmless(identifier), *cells, place])
    return text.getvalue().encode(), crs_header(page.query.crs) | paging_headers(page)


def _cell(value: Any, one: Property) -> Any:  # noqa: ANN401 - as JSON has it
    if value is None or isinstance(value, (int, float)):
        return json.dumps(value) if isinstance(value, bool) else value
    return _harmless(_value(value, one))


def _harmless(text: Any) -> str:  # noqa: ANN401 - of a cell
    told = str(text)
    return f"'{told}" if told.startswith(_FORMULA) else told


def _value(value: Any, one: Property) -> Any:  # noqa: ANN401 - as JSON has it
    if one.kind in {Kind.STRINGS, None}:
        return json.dumps(value, ensure_ascii=False)
    return value


def _flatgeobuf(page: Page) -> Body:
    rows = page.listed
    shapes = _shapes(rows)
    there = shapes[~shapely.is_missing(shapes)]
    kinds = {*shapely.get_type_id(there).tolist()}
    solid = page.query.crs.heights and len(kinds) == 1 and bool(shapely.has_z(there).all())
    kind = there[0].geom_type if len(kinds) == 1 else "Unknown"
    columns: dict[str, pa.Array] = {_ID: pa.array([row[0] for row in rows], pa.string())}
    for one in page.query.properties:
        columns[one.name] = _column([row[2][one.name] for row in rows], one)
    written = shapely.to_wkb(shapes if solid else shapely.force_2d(shapes), flavor="iso")
    table = pa.table({**columns, _GEOMETRY: pa.array(written, pa.binary())})
    place = table.schema.get_field_index(_GEOMETRY)
    named = pa.field(_GEOMETRY, pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"})
    crs = STORAGE if page.query.crs.heights and not solid else page.query.crs
    import pyogrio  # noqa: PLC0415 - it brings pandas, half a second at the start of the service

    content = io.BytesIO()
    pyogrio.write_arrow(
        table.cast(table.schema.set(place, named)),
        content,
        driver="FlatGeobuf",
        geometry_name=_GEOMETRY,
        geometry_type=f"{kind} Z" if solid else kind,
        crs=_authority(crs),
        layer=page.query.collection.name,
        layer_options={"SPATIAL_INDEX": "NO"},
    )
    return content.getvalue(), crs_header(crs) | paging_headers(page)


def _column(values: list[Any], one: Property) -> pa.Array:
    read = _DATES.get(one.kind)
    told = [None if value is None else read(value) if read else _value(value, one) for value in values]
    return pa.array(told, _ARROW.get(one.kind, pa.string()))


def _authority(crs: Crs) -> str:
    return "OGC:CRS84" if crs == CRS84 else f"EPSG:{_HEIGHTS if crs.heights else crs.srid}"


def _east_first(query: Query) -> Query:
    return replace(query, crs=replace(query.crs, flipped=False))


CSV_WRITER: Final = Writer(_row, _csv)
FGB_WRITER: Final = Writer(_row, _flatgeobuf, prepared=_east_first)
