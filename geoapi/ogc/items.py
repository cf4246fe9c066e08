"""Features of a collection: pages, and single ones, in each format that there is (`geoapi.ogc.writers`)."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

from anyio.to_thread import run_sync
from fastapi import Request, Response
from starlette.datastructures import QueryParams

from geoapi.ogc.audit import tell_of_reading
from geoapi.ogc.collections import Collection
from geoapi.ogc.formats import GEOJSON, HTML, JSON, Format, format_of
from geoapi.ogc.html import page_headers
from geoapi.ogc.html_items import HTML_WRITER
from geoapi.ogc.jsonfg import JSONFG_WRITER
from geoapi.ogc.ler_gml import GML_WRITER
from geoapi.ogc.links import link, own_links
from geoapi.ogc.offered import formats_of_item, formats_of_items
from geoapi.ogc.paging import page_links
from geoapi.ogc.query import Query, item_query, items_query
from geoapi.ogc.records import RECORD_WRITER, as_far_as_seen
from geoapi.ogc.site import check_visible, find_collection, gate_of, language, refused_to_who_sees, root_of
from geoapi.ogc.statement import Written, is_counted, item_statement, items_statement
from geoapi.ogc.tables import CSV_WRITER, FGB_WRITER
from geoapi.ogc.tags import answered, content_tag, state_tag, unchanged
from geoapi.ogc.versions import pinned_version
from geoapi.ogc.writers import GEOJSON_WRITER, Body, Page, Writer, crs_header
from geoapi.platform import platform_of
from ler.errors import NotFoundError
from ler.services.principals import Principal

_WRITERS: Final[Mapping[str, Writer]] = {
    "json": GEOJSON_WRITER,
    "jsonfg": JSONFG_WRITER,
    "gml": GML_WRITER,
    "fgb": FGB_WRITER,
    "csv": CSV_WRITER,
    "html": HTML_WRITER,
}


async def items(request: Request) -> Response:
    """Answer `/collections/{name}/items`."""
    async with gate_of(request).begun(request):
        return await _items(request)


async def _items(request: Request) -> Response:
    collection = await find_collection(request, request.path_params["name"])
    async with refused_to_who_sees(request, collection):
        offered = formats_of_items(collection)
        chosen = format_of(request, offered)
        writer = _writer(collection, chosen)
        coverage = platform_of(request).settings.coverage
        query = writer.prepared(items_query(collection, _given(request, chosen), coverage))
    query = await as_far_as_seen(request, query)
    pinned = await pinned_version(request, query)
    told = crs_header(query.crs) | (page_headers() if chosen.media_type == HTML else {})
    kept = await unchanged(request, (collection,), pinned, told, chosen.name)
    if kept is not None:
        return kept
    caller, row = await _found(request, query, writer.written, pinned)
    if pinned is None and collection.pinned and row.last_key is not None:
        pinned = int(row.tag.rpartition(".")[2])
    await tell_of_reading(request, collection, caller, row.returned)
    features = row.features or ""
    links = [*page_links(request, query, row.last_key, pinned, chosen=chosen, offered=offered)]
    page = Page(request, query, chosen, features, row.returned, row.matched, links)
    content, headers = await _written(writer.page, page)
    state = row.tag if collection.tag else sha256(features.encode()).hexdigest()
    tag = state_tag(request, caller, chosen.name, state)
    return answered(request, content, tag, chosen.media_type, headers)


async def item(request: Request) -> Response:
    """Answer `/collections/{name}/items/{item}`."""
    name, item = request.path_params["name"], request.path_params["item"]
    collection = await find_collection(request, name)
    async with refused_to_who_sees(request, collection):
        offered = formats_of_item(collection)
        chosen = format_of(request, offered)
        writer = _writer(collection, chosen)
        query = writer.prepared(item_query(collection, item, request.query_params))
    query = await as_far_as_seen(request, query)
    statement = item_statement(query, writer.written)
    pinned = await pinned_version(request, query)
    read = await gate_of(request).ask(request, statement, pinned=pinned)
    check_visible(request, collection, read.caller)
    if not read.rows[0]:
        raise NotFoundError("There is no such feature.")
    await tell_of_reading(request, collection, read.caller, 1)
    address = f"{root_of(request)}/collections/{name}"
    here = f"{address}/items/{quote(item, safe='')}"
    links = [
        *own_links(here, request.query_params, chosen, offered, language(request)),
        link("collection", address, JSON, language(request), told=True),
    ]
    page = Page(request, query, chosen, read.rows[0][0].features, 1, 1, links)
    content, headers = await _written(writer.item, page)
    tag = content_tag(content, read.rows[0][0].version)
    return answered(request, content, tag, chosen.media_type, headers)


async def _found(
    request: Request, query: Query, written: Written, pinned: int | None
) -> tuple[Principal | None, Any]:
    """Who calls, and the row of its page; asked for again, the order leading, where too many match to look at all."""
    gate = gate_of(request)
    read = await gate.ask(request, items_statement(query, written), pinned=pinned)
    check_visible(request, query.collection, read.caller)
    row = read.rows[0][0]
    if is_counted(query) and row.matched is None:
        read = await gate.ask(request, items_statement(query, written, of_many=True), pinned=pinned)
        row = read.rows[0][0]
    return read.caller, row


async def _written(write: Callable[[Page], Body], page: Page) -> Body:
    """What a writer makes of a page; what the database wrote already is passed on, the rest takes its time in a thread."""
    return write(page) if page.chosen.media_type == GEOJSON else await run_sync(write, page)


def _writer(collection: Collection, chosen: Format) -> Writer:
    is_record = collection.record and chosen.media_type == GEOJSON
    return RECORD_WRITER if is_record else _WRITERS[chosen.name]


def _given(request: Request, chosen: Format) -> QueryParams:
    """The parameters of a call; of a form, which sends its empty fields too, those that are filled in."""
    if chosen.media_type != HTML:
        return request.query_params
    return QueryParams([(name, value) for name, value in request.query_params.multi_items() if value])
