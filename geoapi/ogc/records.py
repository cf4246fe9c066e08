"""OGC API Records 1: the catalogue of data sets, as records in GeoJSON.

What everybody may read is in it for everybody, one record for each public collection: who harvests catalogues needs no
token. The networks of an owner are in it for that owner alone, whose token may read them; to others there are none.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from fastapi import Request

from geoapi.ogc.collections import Collection, all_collections
from geoapi.ogc.formats import GEOJSON
from geoapi.ogc.links import STYLES, link
from geoapi.ogc.offered import formats_of_items
from geoapi.ogc.query import Query
from geoapi.ogc.site import gate_of, language, root_of
from geoapi.ogc.statement import geometry_text
from geoapi.ogc.writers import Body, Page, Writer, crs_header, json_page
from geoapi.problems import Language

CORE: Final = "http://www.opengis.net/spec/ogcapi-records-1/1.0/req/record-core"
_INSPIRE: Final = "http://inspire.ec.europa.eu/theme"
_OPEN: Final[Mapping[Language, str]] = {"da": "Åben for alle.", "en": "Open to all."}
_OWN: Final[Mapping[Language, str]] = {
    "da": "Kun for ledningsejeren selv; graveaktører får uddrag efter LER-loven.",
    "en": "For the owner alone; who digs is given extracts by the Danish act on LER.",
}
_LANGUAGES: Final = {"da": {"code": "da", "name": "Dansk"}, "en": {"code": "en", "name": "English"}}
_KEPT: Final = frozenset({"type", "title"})
"""Told in every record."""


async def as_far_as_seen(request: Request, query: Query) -> Query:
    """Return a query of records that finds what is open, and what is somebody's only where the caller may read it."""
    scope = query.collection.own
    if scope is None:
        return query
    caller = (await gate_of(request).ask(request)).caller
    if caller is not None and scope in caller.scopes:
        return query
    return replace(query, further=(*query.further, ("f.is_open", {})))


def _row(query: Query) -> str:
    """The expression that writes a row as an object: id, geometry and what the record is made of."""
    geometry = f"coalesce({geometry_text(query.crs)}, 'null')" if query.geometry else "'null'"
    columns = (
        "f.id, f.type, f.title, f.title_da, f.description_en, f.description_da, f.keywords, f.owner_cvr, f.owner_name,"
        " f.version, f.model_version, f.feature_count, f.created, f.updated, f.is_open, f.scheme, f.external_id,"
        " f.collection"
    )
    told = f"(SELECT row_to_json(p)::text FROM (SELECT {columns}) AS p)"
    return f"""'{{"geometry":' || {geometry} || ',"row":' || {told} || '}}'"""


def _page(page: Page) -> Body:
    records = [_record(page, one) for one in page.listed]
    features = json.dumps(records, ensure_ascii=False)[1:-1]
    return json_page(replace(page, features=features)), crs_header(page.query.crs)


def _item(page: Page) -> Body:
    record = _record(page, page.listed[0])
    others = [one for one in record["links"] if one["rel"] not in {"self", "collection"}]
    told = record | {"links": [*page.links, *others]}
    return json.dumps(told, ensure_ascii=False).encode(), crs_header(page.query.crs)


def _record(page: Page, found: Mapping[str, Any]) -> dict[str, Any]:
    row = found["row"]
    told_in = language(page.request)
    properties = _properties(row, told_in)
    if "properties" in page.request.query_params:
        wanted = {one.name for one in page.query.properties} | _KEPT
        properties = {name: value for name, value in properties.items() if name in wanted}
    return {
        "id": row["id"],
        "type": "Feature",
        "conformsTo": [CORE],
        "time": None if row["is_open"] else {"timestamp": _utc(row["updated"])},
        "geometry": found["geometry"],
        "properties": properties,
        "links": [*_links(page.request, page.query.collection, row, told_in)],
    }


def _properties(row: Mapping[str, Any], told_in: Language) -> dict[str, Any]:
    data = all_collections()[row["collection"]]
    found = {
        "type": row["type"],
        "title": row["title_da"] if told_in == "da" else row["title"],
        "description": row[f"description_{told_in}"],
        "keywords": row["keywords"],
        "language": _LANGUAGES[told_in],
        "languages": [*_LANGUAGES.values()],
        "created": _utc(row["created"]),
        "updated": _utc(row["updated"]),
        "contacts": [
            {"name": row["owner_name"] or "ler", "identifier": row["owner_cvr"], "roles": ["publisher"]}
        ],
        "license": "other",
        "rights": (_OPEN if row["is_open"] else _OWN)[told_in],
        "themes": [{"scheme": _INSPIRE, "concepts": [{"id": "us"}]}],
        "formats": [{"name": one.title, "mediaType": one.media_type} for one in formats_of_items(data)],
        "externalIds": [{"scheme": row["scheme"], "value": row["external_id"]}],
        **{
            name: row[name]
            for name in ("owner_cvr", "owner_name", "version", "model_version", "feature_count")
        },
    }
    found["contacts"] = [{name: one for name, one in found["contacts"][0].items() if one is not None}]
    return {name: value for name, value in found.items() if value is not None}


def _links(
    request: Request, catalogue: Collection, row: Mapping[str, Any], told_in: Language
) -> Iterable[dict[str, str]]:
    root = root_of(request)
    here = f"{root}/collections/{catalogue.name}"
    data = f"{root}/collections/{row['collection']}"
    yield link("self", f"{here}/items/{row['id']}", GEOJSON, told_in)
    yield link("collection", here, "application/json", told_in, told=True)
    yield link("items", f"{data}/items", GEOJSON, told_in, format_="GeoJSON")
    yield link("related", data, "application/json", told_in, told=True)
    yield link(STYLES, f"{data}/styles", "application/json", told_in, told=True)


def _utc(moment: str | None) -> str | None:
    return None if moment is None else moment.replace("+00:00", "Z")


RECORD_WRITER: Final = Writer(_row, _page, _item)
