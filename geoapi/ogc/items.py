"""Features of a collection as GeoJSON: pages, and single ones. What PostGIS wrote is passed on as it is."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from anyio.to_thread import run_sync
from fastapi import Request, Response

from geoapi.ogc.audit import tell_of_reading
from geoapi.ogc.formats import GEOJSON, ITEMS, JSON, Format, format_of
from geoapi.ogc.links import addressed, link, own_links
from geoapi.ogc.query import PINNED, Query, cursor_of, item_query, items_query
from geoapi.ogc.site import check_visible, collection_of, gate_of, language, refused_to_who_sees, root_of
from geoapi.ogc.statement import item_statement, items_statement
from geoapi.ogc.tags import answered, content_tag, state_tag, unchanged
from geoapi.ogc.versions import pinned_version
from geoapi.platform import platform_of
from ler.errors import NotFoundError


async def items(request: Request) -> Response:
    """Answer `/collections/{name}/items`."""
    return await run_sync(_items, request, request.path_params["name"])


async def item(request: Request) -> Response:
    """Answer `/collections/{name}/items/{item}`."""
    return await run_sync(_item, request, request.path_params["name"], request.path_params["item"])


def _items(request: Request, name: str) -> Response:
    collection = collection_of(request, name)
    with refused_to_who_sees(request, collection):
        chosen = format_of(request, ITEMS)
        query = items_query(collection, request.query_params, platform_of(request).settings.coverage)
    pinned = pinned_version(request, query)
    kept = unchanged(request, (collection,), pinned, _crs_header(query), chosen.name)
    if kept is not None:
        return kept
    read = gate_of(request).read(request, items_statement(query), pinned=pinned)
    check_visible(request, collection, read.caller)
    row = read.rows[0][0]
    if pinned is None and collection.pinned and row.last_key is not None:
        pinned = int(row.tag.rpartition(".")[2])
    tell_of_reading(request, collection, read.caller, row.returned)
    features = (row.features or "").encode()
    head = _page_head(request, query, row, pinned, chosen)
    state = row.tag if collection.tag else sha256(features).hexdigest()
    tag = state_tag(request, read.caller, chosen.name, state)
    return answered(request, head + features + b"]}", tag, GEOJSON, _crs_header(query))


def _item(request: Request, name: str, item: str) -> Response:
    collection = collection_of(request, name)
    with refused_to_who_sees(request, collection):
        chosen = format_of(request, ITEMS)
        query = item_query(collection, item, request.query_params)
    read = gate_of(request).read(request, item_statement(query), pinned=pinned_version(request, query))
    check_visible(request, collection, read.caller)
    if not read.rows[0]:
        raise NotFoundError("There is no such feature.")
    tell_of_reading(request, collection, read.caller, 1)
    feature = read.rows[0][0].features
    address = f"{root_of(request)}/collections/{name}"
    here = f"{address}/items/{quote(item, safe='')}"
    links = [
        *own_links(here, request.query_params, chosen, ITEMS, language(request)),
        link("collection", address, JSON, language(request), told=True),
    ]
    content = f'{feature[:-1]},"links":{json.dumps(links)}}}'.encode()
    tag = content_tag(content, read.rows[0][0].version)
    return answered(request, content, tag, GEOJSON, _crs_header(query))


def _crs_header(query: Query) -> dict[str, str]:
    return {"Content-Crs": f"<{query.crs.uri}>"}


def _page_head(
    request: Request,
    query: Query,
    row: Any,  # noqa: ANN401 - of a statement
    pinned: int | None,
    chosen: Format,
) -> bytes:
    told = {"type": "FeatureCollection"} | ({} if row.matched is None else {"numberMatched": row.matched})
    told |= {
        "numberReturned": row.returned,
        "timeStamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "links": [*_links(request, query, row.last_key, pinned, chosen)],
    }
    return json.dumps(told, ensure_ascii=False)[:-1].encode() + b', "features": ['


def _links(
    request: Request,
    query: Query,
    last_key: Any,  # noqa: ANN401 - a key of the collection
    pinned: int | None,
    chosen: Format,
) -> Iterator[dict[str, str]]:
    told_in = language(request)
    collection = f"{root_of(request)}/collections/{query.collection.name}"
    here = f"{collection}/items"
    given = dict(request.query_params)
    yield from own_links(here, given, chosen, ITEMS, told_in)
    yield link("collection", collection, JSON, told_in, told=True)
    kept = {name: value for name, value in given.items() if name not in {"offset", "cursor"}}
    if pinned is not None:
        kept[PINNED] = str(pinned)
    if query.offset:
        before = {"offset": str(max(query.offset - query.limit, 0))}
        yield link("prev", addressed(here, kept | before), chosen.media_type, told_in)
    if last_key is not None:
        # Sorted by something else than the key, a page has no other place than its number.
        number = {"offset": str(query.offset + query.limit)}
        place = number if query.sorting else {"cursor": cursor_of(last_key)}
        yield link("next", addressed(here, kept | place), chosen.media_type, told_in)
