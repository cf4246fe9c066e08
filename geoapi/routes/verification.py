"""Whether a package is genuine: for anybody who holds one, or a printed plan of one; the public keys that sign them.

What is told is no more than whoever holds the package knows of it, but for whether there is a newer one: nothing of the
place, the owners or who asked.
"""

import re
from datetime import UTC
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import FastAPI, Query, Request, Response
from starlette.responses import JSONResponse

from geoapi.negotiation import language_of, media_type_of
from geoapi.pages.shared import html_page, words_of
from geoapi.platform import platform_of
from geoapi.problems import ProblemException
from ler.db.engine import transaction
from ler.domain.legal_time import local
from ler.packages.signature import public_line
from ler.packages.verification import PAGE, grouped, read_code
from ler.services.packages import DeliveredPackage, find_delivered
from ler.signing import KeyFolder, key_id_of, public_pem

KEYS: Final = "/.well-known/ler-keys.json"
PATH: Final = PAGE
CODE: Final = f"{PATH}/{{code}}"

_FORMS: Final = ("text/html", "application/json")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_LONGEST: Final = 100
_UNKNOWN: Final[dict[int | str, dict[str, Any]]] = {
    404: {
        "description": "It was not delivered by this platform.",
        "content": {
            "text/html": {"schema": {}},
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
        },
    }
}

type Chosen = Annotated[Literal["da", "en"] | None, Query()]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    app.add_api_route(KEYS, keys, methods=["GET"], summary="The public keys that sign packages")
    app.add_api_route(
        PATH,
        page,
        methods=["GET"],
        summary="The page that tells whether a package is genuine",
        responses=_UNKNOWN,
    )
    app.add_api_route(
        CODE,
        verify,
        methods=["GET"],
        summary="Whether a package was delivered by this platform",
        responses=_UNKNOWN,
    )


def keys(request: Request) -> Response:
    """Give every key by which packages were ever signed, as PEM and as minisign takes it."""
    found = KeyFolder(platform_of(request).settings.key_folder).public_keys()
    told = [
        {"key_id": key_id_of(key), "minisign": public_line(key), "pem": public_pem(key).decode()}
        for key in found
    ]
    return JSONResponse({"keys": told}, headers={"Cache-Control": "public, max-age=300"})


def page(
    request: Request,
    code: Annotated[str | None, Query(max_length=_LONGEST)] = None,
    language: Chosen = None,
) -> Response:
    """Show a form for the code, and what was found."""
    return _answer(request, code or "", language)


def verify(request: Request, code: str, language: Chosen = None) -> Response:
    """Tell of a package, by the code that is printed in it or by the SHA-256 of its file, as a page or as JSON."""
    return _answer(request, code[:_LONGEST], language)


def _answer(request: Request, asked: str, chosen: Chosen) -> Response:
    found = _find(request, asked) if asked else None
    form = media_type_of(request.headers.get("accept"), _FORMS)
    if form != "text/html":
        if found is None:
            raise ProblemException("package-unknown")
        return JSONResponse(_view(found), headers={"Vary": "Accept"})
    language = chosen or language_of(request.headers.get("accept-language"))
    words = words_of("verify")[language]
    values: dict[str, Any] = {
        "asked": grouped(code) if (code := read_code(asked)) else asked,
        "found": found,
        "by": words.by_code if read_code(asked) else words.by_digest,
        "made": local(found.made_at).strftime("%Y-%m-%d %H:%M %Z") if found else "",
        "path": PATH,
        "words": words,
    }
    status = HTTPStatus.OK if found or not asked else HTTPStatus.NOT_FOUND
    return html_page("verify.html.j2", language, values, status=status, vary="Accept, Accept-Language")


def _find(request: Request, asked: str) -> DeliveredPackage | None:
    code, digest = read_code(asked), asked.strip().lower()
    if code is None and not _DIGEST.fullmatch(digest):
        return None
    with transaction(platform_of(request).databases.app, None) as connection:
        return find_delivered(connection, code=code) if code else find_delivered(connection, sha256=digest)


def _view(found: DeliveredPackage) -> dict[str, Any]:
    return {
        "delivered": True,
        "kind": "consolidated" if found.consolidated else "owner",
        "revision": found.revision,
        "made_at": found.made_at.astimezone(UTC).isoformat(timespec="seconds"),
        "complete": found.complete,
        "newest": found.newest,
    }
