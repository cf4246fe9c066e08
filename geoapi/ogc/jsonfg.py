"""Features as JSON-FG 1.0 (OGC 21-045r1), core: a place in the system that is asked for, a time, and a type.

In CRS84 the place is the `geometry` of GeoJSON; in any other system it is `place`, and there is no geometry: two forms of
one line would be twice as large, and a reader that knows no `place` reads GeoJSON. In EPSG:7416 a feature of which a
height is unknown says itself that it is flat: its own `coordRefSys` is EPSG:25832.
"""

import json
from typing import Final

from geoapi.ogc.collections import Collection
from geoapi.ogc.crs import CRS84, STORAGE
from geoapi.ogc.families import feature_type_of
from geoapi.ogc.query import Query
from geoapi.ogc.statement import HEIGHTS_KNOWN, geometry_text, properties_text
from geoapi.ogc.writers import Body, Page, Writer, crs_header, json_page

CORE: Final = "http://www.opengis.net/spec/json-fg-1/1.0/conf/core"
_LER_TYPE: Final = "objekttype"
_MOMENT: Final = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


def _feature(query: Query) -> str:
    """The expression that writes a row as a feature."""
    collection = query.collection
    shown = query.geometry and collection.geometry != "none"
    place = f"coalesce({geometry_text(query.crs)}, 'null')" if shown else "'null'"
    geometry, placed = (place, "'null'") if query.crs == CRS84 else ("'null'", place)
    flat = (
        f"""CASE WHEN f.geom IS NULL OR {HEIGHTS_KNOWN} THEN '' ELSE ',"coordRefSys":"{STORAGE.uri}"' END"""
    )
    return (
        f"""'{{"type":"Feature","id":' || to_json({collection.id})::text || ',"featureType":' || {_type(collection)}"""
        f""" || {flat if query.crs.heights and shown else "''"} || ',"time":' || {_time(collection)}"""
        f""" || ',"geometry":' || {geometry} || ',"place":' || {placed}"""
        f""" || ',"properties":' || {properties_text(query.properties)} || '}}'"""
    )


def _type(collection: Collection) -> str:
    if any(one.name == _LER_TYPE for one in collection.properties):
        return "to_json(f.feature_type)::text"
    return f"""'"{feature_type_of(collection) or collection.name}"'"""


def _time(collection: Collection) -> str:
    """An instant, or an interval with an open end where there is none; null where no time is known."""
    if not collection.time:
        return "'null'"
    start, end = collection.time[0], collection.time[-1]
    if len(collection.time) == 1:
        kind = f"CASE WHEN {_is_day(start)} THEN 'date' ELSE 'timestamp' END"
        told = f"""'{{"' || {kind} || '":' || {_moment(start)} || '}}'"""
    else:
        ends = " || ',' || ".join(f"coalesce({_moment(one)}, '\"..\"')" for one in (start, end))
        told = f"""'{{"interval":[' || {ends} || ']}}'"""
    return f"CASE WHEN f.{start} IS NULL AND f.{end} IS NULL THEN 'null' ELSE {told} END"


def _moment(column: str) -> str:
    told = f"to_char(f.{column} AT TIME ZONE 'UTC', '{_MOMENT}')"
    return f"to_json(CASE WHEN {_is_day(column)} THEN f.{column}::date::text ELSE {told} END)::text"


def _is_day(column: str) -> str:
    return f"pg_typeof(f.{column}) = 'date'::regtype"


def _page(page: Page) -> Body:
    crs = page.query.crs
    return json_page(page, {"conformsTo": [CORE], "coordRefSys": crs.uri}), crs_header(crs)


def _item(page: Page) -> Body:
    feature = page.listed[0]
    told = {"conformsTo": [CORE], "coordRefSys": page.query.crs.uri, **feature, "links": page.links}
    return json.dumps(told, ensure_ascii=False).encode(), crs_header(page.query.crs)


JSONFG_WRITER: Final = Writer(_feature, _page, _item)
