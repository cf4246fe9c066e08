"""What describes: landing page, conformance, collections, their schemas and queryables, and the API itself."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from anyio.to_thread import run_sync
from fastapi import Request, Response
from pygeoapi.api import describe_collections, landing_page
from shapely import wkb
from starlette.routing import Route

from geoapi.negotiation import language_of
from geoapi.ogc.collections import Collection, visible_collections
from geoapi.ogc.conformance import CLASSES
from geoapi.ogc.crs import STORAGE_SRID, transformer, unusable
from geoapi.ogc.engine import Box, ask, described, engine_of
from geoapi.ogc.processes.openapi import process_paths
from geoapi.ogc.processes.registry import visible_processes
from geoapi.ogc.query import check_known
from geoapi.ogc.schemas import feature_schema, queryables_schema
from geoapi.ogc.site import check_visible, collection_of, gate_of, root_of
from geoapi.ogc.statement import Statement
from geoapi.platform import platform_of
from geoapi.problems import Language
from ler.services.principals import Principal

OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"
SCHEMA: Final = "application/schema+json"
_HEADERS: Final = {
    "Cache-Control": "private, no-cache",
    "Vary": "Accept, Accept-Encoding, Accept-Language, Authorization, Cookie, Ler-Acting-For",
}
_ONLY: Final = frozenset({"f", "lang"})


def language(request: Request) -> Language:
    """Return the language of an answer: `lang`, or what the caller's program prefers."""
    match request.query_params.get("lang"):
        case None:
            return language_of(request.headers.get("accept-language"))
        case "da":
            return "da"
        case "en":
            return "en"
    raise unusable("lang", "it is da or en")


def _landing(request: Request) -> Response:
    caller = gate_of(request).read(request).caller
    _, _, content = ask(_engine(request, caller, ()), request, landing_page)
    return _json(request, json.loads(content))


def _conformance(request: Request) -> Response:
    gate_of(request).read(request)
    return _json(request, {"conformsTo": [*CLASSES]})


def _collections(request: Request) -> Response:
    caller = gate_of(request).read(request).caller
    visible = visible_collections(caller.scopes if caller else frozenset())
    _, _, content = ask(_engine(request, caller, visible), request, describe_collections)
    document = json.loads(content)
    return _json(request, document)


def _collection(request: Request) -> Response:
    collection, caller = _visible(request)
    _, _, content = ask(
        _engine(request, caller, (collection,)), request, describe_collections, collection.name
    )
    return _json(request, json.loads(content))


def _queryables(request: Request) -> Response:
    collection, _ = _visible(request)
    address = f"{root_of(request)}/collections/{collection.name}"
    return _json(request, queryables_schema(collection, address, language(request)), SCHEMA)


def _schema(request: Request) -> Response:
    collection, _ = _visible(request)
    address = f"{root_of(request)}/collections/{collection.name}"
    return _json(request, feature_schema(collection, address, language(request)), SCHEMA)


def _openapi(request: Request) -> Response:
    caller = gate_of(request).read(request).caller
    visible = visible_collections(caller.scopes if caller else frozenset())
    coverage = _degrees(platform_of(request).settings.coverage)
    document = _described(root_of(request), visible, coverage)
    paths = document["paths"] | process_paths(visible_processes(caller))
    return _json(request, document | {"paths": paths}, OPENAPI)


@cache
def _described(root: str, visible: tuple[Collection, ...], coverage: Box) -> dict[str, Any]:
    return described(root, visible, coverage)


def _visible(request: Request) -> tuple[Collection, Principal | None]:
    collection = collection_of(request, request.path_params["name"])
    caller = gate_of(request).read(request).caller
    check_visible(request, collection, caller)
    return collection, caller


def _engine(request: Request, caller: Principal | None, visible: tuple[Collection, ...]) -> Any:  # noqa: ANN401 - pygeoapi has no types
    coverage = _degrees(platform_of(request).settings.coverage)
    return engine_of(root_of(request), visible, _boxes(request, caller, visible), coverage)


def _boxes(request: Request, caller: Principal | None, visible: tuple[Collection, ...]) -> dict[str, Box]:
    """The extents of what the caller sees, so that a map opens where its lines are."""
    asked = [one for one in visible if one.extent]
    if caller is None or not asked:
        return {}
    once = {one.extent: Statement(f"SELECT ST_AsBinary(({one.extent})) AS box", {}) for one in asked}
    read = gate_of(request).read(request, *once.values())
    found = {extent: rows[0].box for extent, rows in zip(once, read.rows, strict=True)}
    return {
        one.name: _degrees(wkb.loads(bytes(found[one.extent])).bounds)
        for one in asked
        if found[one.extent] is not None
    }


def _degrees(bounds: tuple[float, float, float, float]) -> Box:
    west, south, east, north = transformer(STORAGE_SRID, 4326).transform_bounds(*bounds)
    return west, south, east, north


def _json(request: Request, document: dict[str, Any], media_type: str = "application/json") -> Response:
    headers = _HEADERS | {"Content-Language": language(request)}
    return Response(json.dumps(document, ensure_ascii=False).encode(), headers=headers, media_type=media_type)


def _route(path: str, answer: Callable[[Request], Response]) -> Route:
    async def endpoint(request: Request) -> Response:
        check_known(request.query_params, _ONLY)
        return await run_sync(answer, request)

    return Route(path, endpoint, methods=["GET", "HEAD"])


ROUTES: Final = (
    _route("/", _landing),
    _route("/conformance", _conformance),
    _route("/openapi", _openapi),
    _route("/collections", _collections),
    _route("/collections/{name}", _collection),
    _route("/collections/{name}/queryables", _queryables),
    _route("/collections/{name}/schema", _schema),
)
