"""What describes: landing page, conformance, collections, their schemas and queryables, and the API itself."""

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final

from fastapi import Request, Response
from shapely import wkb

from geoapi.ogc import mended, schemas
from geoapi.ogc.collections import Collection, visible_collections
from geoapi.ogc.conformance import CLASSES
from geoapi.ogc.crs import STORAGE_SRID, transformer
from geoapi.ogc.endpoint import PAGE, route
from geoapi.ogc.engine import Box
from geoapi.ogc.formats import API, HTML, PAGES, SCHEMAS, Format, format_of
from geoapi.ogc.html import document_page, words
from geoapi.ogc.mended import Extent
from geoapi.ogc.openapi import document
from geoapi.ogc.processes.registry import visible_processes
from geoapi.ogc.site import check_visible, collection_of, gate_of, language, root_of
from geoapi.ogc.tags import answered
from geoapi.platform import platform_of
from ler.db.reading import Statement
from ler.services.principals import Principal

_MARGIN: Final = 0.13
_LEAST_MARGIN_M: Final = 10.0
"""Extents are told larger by this share of their longer side, at least by this length: a program that brings two of
their corners into another system, as many do, still has everything in its box. Zones 32 and 33 are turned against the
degrees by 0.1 in Denmark: a side loses 0.1 of the other, and of what it grew."""


def landing(request: Request) -> Response:
    """Answer the root."""
    caller = gate_of(request).read(request).caller
    chosen = format_of(request, PAGES)
    page = mended.landing(root_of(request), chosen, language(request))
    return _answer(request, caller, page, chosen=chosen, template="landing", title=page["title"])


def _conformance(request: Request) -> Response:
    caller = gate_of(request).read(request).caller
    chosen = format_of(request, PAGES)
    title = words(language(request)).conformance_title
    return _answer(
        request, caller, {"conformsTo": [*CLASSES]}, chosen=chosen, template="conformance", title=title
    )


def _collections(request: Request) -> Response:
    caller = gate_of(request).read(request).caller
    visible = _visible_to(caller)
    extents = _extents(request, visible)
    chosen = format_of(request, PAGES)
    page = mended.collections(root_of(request), visible, extents, chosen, language(request))
    return _answer(
        request,
        caller,
        page,
        chosen=chosen,
        template="collections",
        title=words(language(request)).collections,
    )


def _collection(request: Request) -> Response:
    one, caller = _visible(request)
    extent = _extents(request, (one,))[one.name]
    chosen = format_of(request, PAGES)
    page = mended.collection(root_of(request), one, extent, chosen, language(request))
    return _answer(request, caller, page, chosen=chosen, template="collection", title=page["title"])


def _schema(schema: Callable[..., dict[str, Any]], title: str) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        one, caller = _visible(request)
        chosen, told_in = format_of(request, SCHEMAS), language(request)
        address = f"{root_of(request)}/collections/{one.name}"
        called = getattr(words(told_in), title).format(one.titles[told_in])
        return _answer(
            request, caller, schema(one, address, told_in), chosen=chosen, template="schema", title=called
        )

    return answer


def _openapi(request: Request) -> Response:
    caller = gate_of(request).read(request).caller
    chosen = format_of(request, API)
    content = document(root_of(request), _visible_to(caller), visible_processes(caller), language(request))
    return _answer(request, caller, content, chosen=chosen, template="api", title="API")


def _visible_to(caller: Principal | None) -> tuple[Collection, ...]:
    return visible_collections(caller.scopes if caller else frozenset())


def _visible(request: Request) -> tuple[Collection, Principal | None]:
    collection = collection_of(request, request.path_params["name"])
    caller = gate_of(request).read(request).caller
    check_visible(request, collection, caller)
    return collection, caller


def _extents(request: Request, visible: tuple[Collection, ...]) -> Mapping[str, Extent]:
    """Where and when what the caller sees is, so that a map opens where its lines are; without any, the coverage."""
    asked = dict.fromkeys([one.extent for one in visible] + [one.interval for one in visible])
    asked.pop(None, None)
    statements = {query: Statement(f"SELECT * FROM ({query}) AS found", {}) for query in asked if query}
    read = gate_of(request).read(request, *statements.values()) if statements else None
    found = {} if read is None else dict(zip(statements, (rows[0] for rows in read.rows), strict=True))
    coverage = _degrees(platform_of(request).settings.coverage)
    return {
        one.name: Extent(
            None if one.geometry == "none" else _box(found.get(one.extent or "")) or coverage,
            _interval(found.get(one.interval or "")),
        )
        for one in visible
    }


def _box(row: Any) -> Box | None:  # noqa: ANN401 - of a statement
    if row is None or row[0] is None:
        return None
    west, south, east, north = wkb.loads(row[0], hex=True).bounds
    margin = max(_LEAST_MARGIN_M, _MARGIN * max(east - west, north - south))
    return _degrees((west - margin, south - margin, east + margin, north + margin))


def _interval(row: Any) -> Any:  # noqa: ANN401 - of a statement
    return None if row is None or row[0] is None else (row[0], row[1])


def _degrees(bounds: Box) -> Box:
    west, south, east, north = transformer(STORAGE_SRID, 4326).transform_bounds(*bounds)
    return west, south, east, north


def _answer(
    request: Request,
    caller: Principal | None,
    page: Mapping[str, Any] | bytes,
    *,
    chosen: Format,
    template: str,
    title: str,
) -> Response:
    """An answer with a tag by which it is not sent twice; equal answers to two callers never share one."""
    headers: dict[str, str] = {"Content-Language": language(request)}
    if chosen.media_type == HTML:
        told = json.loads(page) if isinstance(page, bytes) else page
        content, more = document_page(request, template, language(request), told, title)
        headers |= more
    else:
        content = page if isinstance(page, bytes) else json.dumps(page, ensure_ascii=False).encode()
    who = str(caller.organisation_id) if caller else ""
    tag = f'W/"{sha256(who.encode() + content).hexdigest()[:32]}"'
    return answered(request, content, tag, chosen.media_type, headers)


ROUTES: Final = (
    route("/", landing, known=PAGE),
    route("/conformance", _conformance, known=PAGE),
    route("/openapi", _openapi, known=PAGE),
    route("/collections", _collections, known=PAGE),
    route("/collections/{name}", _collection, known=PAGE),
    route(
        "/collections/{name}/queryables", _schema(schemas.queryables_schema, "queryables_title"), known=PAGE
    ),
    route("/collections/{name}/schema", _schema(schemas.feature_schema, "schema_title"), known=PAGE),
    route("/collections/{name}/sortables", _schema(schemas.sortables_schema, "sortables_title"), known=PAGE),
)
