"""Problems as pages, for a browser that calls the OGC API or logs in: what is wrong, what to do, and how one gets to one's own.

Status and headers stay those of the problem document: by them a browser asks for a token (RFC 9110, 11.6.1).
"""

import json
from typing import Final

from fastapi import Request, Response

from geoapi.cookies import LOGIN_PATH
from geoapi.negotiation import language_of, media_type_of
from geoapi.ogc.formats import HTML, JSON
from geoapi.ogc.html import html_page
from geoapi.ogc.site import ROOT

_NOT_KEPT: Final = frozenset({"content-type", "content-length", "content-language", "vary"})
_CHALLENGE: Final = 'Basic realm="ler", charset="UTF-8"'
"""Alone: Chromium takes a header for one challenge, and of the first, which is Bearer, it knows nothing to ask for."""


def as_page(request: Request, answer: Response) -> Response:
    """Return a problem document as a page where a browser asked the OGC API or the login for one; else as it is."""
    path = request.url.path
    if path not in {ROOT, LOGIN_PATH} and not path.startswith((f"{ROOT}/", f"{LOGIN_PATH}/")):
        return answer
    if not _wants_page(request):
        return answer
    document = json.loads(bytes(answer.body))
    values = {"document": document, "title": document["title"]}
    content, headers = html_page(
        request, "problem", language_of(answer.headers["content-language"]), values, offered=()
    )
    kept = {name: value for name, value in answer.headers.items() if name not in _NOT_KEPT}
    told = kept | headers | {"Vary": "Accept, Accept-Language"}
    if "www-authenticate" in kept:
        told["www-authenticate"] = _CHALLENGE
    return Response(content, answer.status_code, headers=told, media_type=HTML)


def _wants_page(request: Request) -> bool:
    if request.method not in {"GET", "HEAD"}:
        return False
    match request.query_params.get("f"):
        case None:
            return media_type_of(request.headers.get("accept"), (JSON, HTML)) == HTML
        case chosen:
            return chosen == "html"
