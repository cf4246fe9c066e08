"""Create, replace, update and delete of features (Features 4), with optimistic locking by entity tags.

The tag of a feature begins with its version; a change must say in `If-Match` which version it is of.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote

from anyio.to_thread import run_sync
from fastapi import Request, Response
from starlette.routing import Route

from geoapi.auth import May, caller_transaction
from geoapi.kept_answers import kept_response
from geoapi.ogc.collections import Collection
from geoapi.ogc.editing.areas import AreaEditor
from geoapi.ogc.editing.body import patched_feature, whole_feature
from geoapi.ogc.editing.editor import Acting, Editor
from geoapi.ogc.editing.works import WorkEditor
from geoapi.ogc.endpoint import route
from geoapi.ogc.query import Query, check_known
from geoapi.ogc.site import check_visible, collection_of, gate_of, root_of
from geoapi.ogc.statement import feature_text, item_statement
from geoapi.platform import platform_of
from geoapi.problems import ProblemException
from ler.errors import NotFoundError, RefusedError
from ler.services.idempotency import KeptAnswer, answer_once, check_key
from ler.services.principals import Principal

EDITORS: Final[dict[str, Editor]] = {"planned-works": WorkEditor(), "interest-areas": AreaEditor()}
"""By collection."""
ITEMS: Final = "/collections/{name}/items"
ITEM: Final = "/collections/{name}/items/{item:path}"
_READING: Final = "GET, HEAD, OPTIONS"
ITEMS_METHODS: Final = f"{_READING}, POST"
ITEM_METHODS: Final = f"{_READING}, PUT, PATCH, DELETE"
"""What may be done to what may be edited."""


def _create(request: Request, body: bytes) -> Response:
    collection, editor, caller = _may(request)
    values, geometry = whole_feature(request, body, collection, editor)
    items = f"{root_of(request)}/collections/{collection.name}/items"
    with _acting(request, caller) as acting:

        def work() -> KeptAnswer:
            made = editor.create(acting, values, geometry)
            return KeptAnswer(201, {"Location": f"{items}/{quote(made, safe='')}"}, {"id": made})

        key = request.headers.get("idempotency-key")
        if key is None:
            return kept_response(work())
        answer = answer_once(
            acting.connection,
            caller.organisation_id,
            route=f"POST {request.url.path}",
            key=check_key(key),
            body=body,
            work=work,
        )
    return kept_response(answer)


def _replace(request: Request, body: bytes) -> Response:
    collection, editor, caller = _may(request)
    values, geometry = whole_feature(request, body, collection, editor)
    version = _version(request, collection)
    with _acting(request, caller) as acting:
        editor.replace(acting, request.path_params["item"], values, geometry, version)
    return Response(status_code=204)


def _change(request: Request, body: bytes) -> Response:
    collection, editor, caller = _may(request)
    values, geometry = patched_feature(request, body, collection, editor)
    version = _version(request, collection)
    with _acting(request, caller) as acting:
        editor.change(acting, request.path_params["item"], values, geometry, version)
    return Response(status_code=204)


def _end(request: Request, _: bytes) -> Response:
    collection, editor, caller = _may(request)
    version = _version(request, collection)
    with _acting(request, caller) as acting:
        editor.end(acting, request.path_params["item"], version)
    return Response(status_code=204)


@contextmanager
def _acting(request: Request, caller: Principal) -> Iterator[Acting]:
    with caller_transaction(request, caller) as connection:
        yield Acting(connection, caller, platform_of(request).settings)


def _may(request: Request) -> tuple[Collection, Editor, Principal]:
    """What is edited and who edits it; alike for a collection that is not there, or not to be edited."""
    check_known(request.query_params, frozenset())
    collection = collection_of(request, request.path_params["name"])
    editor = EDITORS.get(collection.name)
    if editor is None:
        check_visible(request, collection, gate_of(request).read(request).caller)
        raise ProblemException("method-not-allowed", headers={"Allow": "GET, HEAD"})
    caller = May(None)(request)
    check_visible(request, collection, caller)
    if editor.scope not in caller.scopes:
        raise ProblemException("scope-missing", f"the token lacks the scope {editor.scope}")
    return collection, editor, caller


def _version(request: Request, collection: Collection) -> int:
    """The version that the caller has read: by `If-Match`, of which `*` is whatever it is now."""
    given = request.headers.get("if-match")
    if given is None:
        raise ProblemException("precondition-required")
    if given.strip() == "*":
        found = gate_of(request).read(
            request, item_statement(Query(collection, item=request.path_params["item"]), feature_text)
        )
        if not found.rows[0]:
            raise NotFoundError("There is no such feature.")
        return int(found.rows[0][0].version)
    version, _, _ = given.strip().removeprefix("W/").strip('"').partition("-")
    if not version.isascii() or not version.isdigit():
        raise RefusedError("precondition-failed", "the tag is none of this feature; read it again")
    return int(version)


def _route(path: str, method: str, answer: Callable[[Request, bytes], Response]) -> Route:
    async def endpoint(request: Request) -> Response:
        return await run_sync(answer, request, await request.body())

    return route(path, endpoint, methods=[method])


def _options(path: str, methods: str) -> Route:
    async def endpoint(request: Request) -> Response:
        edited = request.path_params["name"] in EDITORS
        return Response(status_code=204, headers={"Allow": methods if edited else _READING})

    return route(path, endpoint, methods=["OPTIONS"])


ROUTES: Final = (
    _route(ITEMS, "POST", _create),
    _route(ITEM, "PUT", _replace),
    _route(ITEM, "PATCH", _change),
    _route(ITEM, "DELETE", _end),
    _options(ITEMS, ITEMS_METHODS),
    _options(ITEM, ITEM_METHODS),
)
