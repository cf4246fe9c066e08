"""Whether a caller has an answer already: entity tags that say whose view of what they are of, and what caches may do."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from fastapi import Request, Response

from geoapi.ogc.collections import Collection
from geoapi.ogc.formats import HTML, Format
from geoapi.ogc.html import document_page
from geoapi.ogc.site import check_visible, gate_of, language
from geoapi.ogc.statement import tag_statement
from ler.services.principals import Principal

_CACHES: Final = {
    "Cache-Control": "private, no-cache",
    "Vary": "Accept, Accept-Encoding, Accept-Language, Authorization, Cookie, Ler-Acting-For",
}


def state_tag(request: Request, caller: Principal | None, format_: str, *states: str | None) -> str:
    """A weak tag: whose view, of what, as it was; equal views of two callers never share one."""
    who = str(caller.organisation_id) if caller else ""
    told = (
        who,
        request.scope["path"],
        request.scope["query_string"].decode("latin-1"),
        format_,
        language(request),
        *(one or "" for one in states),
    )
    return f'W/"{sha256("\n".join(told).encode()).hexdigest()[:32]}"'


def content_tag(content: bytes, version: int | None = None) -> str:
    """A tag of an answer that nothing but itself tells of; it begins with the version of what can be edited."""
    told = sha256(content).hexdigest()[:32]
    return f'"{told}"' if version is None else f'"{version}-{told}"'


async def unchanged(
    request: Request,
    collections: tuple[Collection, ...],
    pinned: int | None,
    headers: dict[str, str],
    format_: str,
) -> Response | None:
    """304 where the caller has the answer already, which is seen without making it; the collections must be visible."""
    statements = {one.tag: tag_statement(one) for one in collections}
    known = [one for one in statements.values() if one is not None]
    if "if-none-match" not in request.headers or not known or len(known) < len(statements):
        return None
    read = await gate_of(request).ask(request, *known, pinned=pinned)
    for one in collections:
        check_visible(request, one, read.caller)
    tag = state_tag(request, read.caller, format_, *(rows[0].tag for rows in read.rows))
    return _not_modified(tag, headers) if _has(request, tag) else None


def document_answer(request: Request, document: Mapping[str, Any], chosen: Format, title: str) -> Response:
    """Return a document as JSON or as a page, which may be kept like every answer."""
    told_in = language(request)
    if chosen.media_type == HTML:
        content, headers = document_page(request, "document", told_in, document, title)
    else:
        content = json.dumps(document, ensure_ascii=False).encode()
        headers = {"Content-Language": told_in}
    return answered(request, content, content_tag(content), chosen.media_type, headers)


def answered(
    request: Request, content: bytes, tag: str, media_type: str, headers: dict[str, str] | None = None
) -> Response:
    """Return an answer that may be kept by who got it, and asked for again: 304, 204 where it is empty, or 200."""
    if _has(request, tag):
        return _not_modified(tag, headers or {})
    kept = _kept(tag, headers or {})
    if not content:
        return Response(status_code=204, headers=kept)
    return Response(content, headers=kept, media_type=media_type)


def _has(request: Request, tag: str) -> bool:
    return tag in request.headers.get("if-none-match", "")


def _not_modified(tag: str, headers: dict[str, str]) -> Response:
    return Response(status_code=304, headers=_kept(tag, headers))


def _kept(tag: str, headers: dict[str, str]) -> dict[str, str]:
    return {"ETag": tag, **_CACHES, **headers}
