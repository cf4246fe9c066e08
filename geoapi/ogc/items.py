"""Features of a collection as GeoJSON: pages, and single ones. What PostGIS wrote is passed on as it is."""

import json
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from anyio.to_thread import run_sync
from fastapi import Request, Response

from geoapi.ogc.audit import tell_of_reading
from geoapi.ogc.links import link
from geoapi.ogc.query import PINNED, Query, cursor_of, item_query, items_query
from geoapi.ogc.site import check_visible, collection_of, gate_of, root_of
from geoapi.ogc.statement import item_statement, items_statement
from geoapi.ogc.tags import answered, content_tag, state_tag, unchanged
from geoapi.ogc.versions import pinned_version
from geoapi.platform import platform_of
from ler.errors import NotFoundError

GEOJSON: Final = "application/geo+json"


async def items(request: Request) -> Response:
    """Answer `/collections/{name}/items`."""
    return await run_sync(_items, request, request.path_params["name"])


async def item(request: Request) -> Response:
    """Answer `/collections/{name}/items/{item}`."""
    return await run_sync(_item, request, request.path_params["name"], request.path_params["item"])


def _items(request: Request, name: str) -> Response:
    collection = collection_of(request, name)
    query = items_query(collection, request.query_params, platform_of(request).settings.coverage)
    pinned = pinned_version(request, query)
    kept = unchanged(request, (collection,), pinned, _crs_header(query))
    if kept is not None:
        return kept
    read = gate_of(request).read(request, items_statement(query), pinned=pinned)
    check_visible(request, collection, read.caller)
    row = read.rows[0][0]
    if pinned is None and collection.pinned and row.last_key is not None:
        pinned = int(row.tag.rpartition(".")[2])
    tell_of_reading(request, collection, read.caller, row.returned)
    features = (row.features or "").encode()
    head = _page_head(request, query, row, pinned)
    tag = state_tag(request, read.caller, row.tag) if collection.tag else content_tag(features)
    return answered(request, head + features + b"]}", tag, GEOJSON, _crs_header(query))


def _item(request: Request, name: str, item: str) -> Response:
    collection = collection_of(request, name)
    query = item_query(collection, item, request.query_params)
    read = gate_of(request).read(request, item_statement(query), pinned=pinned_version(request, query))
    check_visible(request, collection, read.caller)
    if not read.rows[0]:
        raise NotFoundError("There is no such feature.")
    tell_of_reading(request, collection, read.caller, 1)
    feature = read.rows[0][0].features
    address = f"{root_of(request)}/collections/{name}"
    links = [
        link("self", f"{address}/items/{item}?{request.url.query}".rstrip("?"), GEOJSON),
        link("collection", address),
    ]
    content = f'{feature[:-1]},"links":{json.dumps(links)}}}'.encode()
    tag = content_tag(feature.encode(), weak=False)
    return answered(request, content, tag, GEOJSON, _crs_header(query))


def _crs_header(query: Query) -> dict[str, str]:
    return {"Content-Crs": f"<{query.crs.uri}>"}


def _page_head(request: Request, query: Query, row: Any, pinned: int | None) -> bytes:  # noqa: ANN401 - of a statement
    told = {"type": "FeatureCollection"} | ({} if row.matched is None else {"numberMatched": row.matched})
    told |= {
        "numberReturned": row.returned,
        "timeStamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "links": _links(request, query, row.last_key, pinned),
    }
    return json.dumps(told, ensure_ascii=False)[:-1].encode() + b', "features": ['


def _links(request: Request, query: Query, last_key: Any, pinned: int | None) -> list[dict[str, str]]:  # noqa: ANN401
    collection = f"{root_of(request)}/collections/{query.collection.name}"
    given = dict(request.query_params)
    here = f"{collection}/items"
    links = [
        link("self", _address(here, given), GEOJSON),
        link("alternate", _address(here, given | {"f": "html"}), "text/html"),
        link("collection", collection),
    ]
    if last_key is not None:
        place = (
            {"offset": str(query.offset + query.limit)} if query.sorting else {"cursor": cursor_of(last_key)}
        )
        pin = {PINNED: str(pinned)} if pinned is not None else {}
        kept = {name: value for name, value in given.items() if name not in {"offset", "cursor"}}
        links.append(link("next", _address(here, kept | pin | place), GEOJSON))
    return links


def _address(path: str, given: dict[str, str]) -> str:
    return f"{path}?{urlencode(given, safe=':,/')}" if given else path
