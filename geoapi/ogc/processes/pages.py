"""The pages that describe: the list of processes, and what each takes and gives."""

import json
from typing import Any, Final

from fastapi import Request, Response
from pygeoapi.api.processes import describe_processes

from geoapi.ogc.crs import unusable
from geoapi.ogc.endpoint import route
from geoapi.ogc.engine import ask, engine_of, plain_request
from geoapi.ogc.html import words
from geoapi.ogc.links import EXECUTE, TITLES
from geoapi.ogc.processes.answers import described_answer
from geoapi.ogc.processes.described import inputs_description
from geoapi.ogc.processes.execution import process_of
from geoapi.ogc.processes.registry import visible_processes
from geoapi.ogc.query import check_known
from geoapi.ogc.site import gate_of, language, root_of
from geoapi.problems import Language

_LARGEST_LIMIT: Final = 10_000
_DESCRIBED_ELSEWHERE: Final = ("application/ld+json",)
_FORMATS: Final = {"application/json": "JSON", "text/html": "HTML"}


def _list(request: Request) -> Response:
    check_known(request.query_params, {"f", "lang", "limit"})
    caller = gate_of(request).read(request).caller
    visible = visible_processes(caller)[: _limit(request)]
    _, _, content = ask(
        engine_of(root_of(request), processes=visible), plain_request(language(request)), describe_processes
    )
    document = json.loads(content)
    document["links"] = _our_links(document["links"], language(request))
    for one in document["processes"]:
        one["links"] = _process_links(one["links"], language(request))
    return _described(request, document, words(language(request)).processes, template="processes")


def _one(request: Request) -> Response:
    check_known(request.query_params, {"f", "lang"})
    process = process_of(request, gate_of(request).read(request).caller)
    api = engine_of(root_of(request), processes=(process,))
    _, _, content = ask(api, plain_request(language(request)), describe_processes, process.id)
    document = json.loads(content)
    document["links"] = _process_links(document["links"], language(request))
    document |= inputs_description(process, language(request))
    return _described(request, document, document["title"])


def _limit(request: Request) -> int:
    given = request.query_params.get("limit", str(_LARGEST_LIMIT))
    if not (given.isascii() and given.isdecimal()) or not 1 <= int(given[:9]) <= _LARGEST_LIMIT:
        raise unusable("limit", f"a whole number from 1 to {_LARGEST_LIMIT} is wanted")
    return int(given)


def _our_links(links: list[dict[str, Any]], chosen: Language) -> list[dict[str, Any]]:
    """The links to what there is, called as our others are."""
    return [
        link | {"title": TITLES[link["rel"]][chosen].format(_FORMATS[link["type"]]), "hreflang": chosen}
        for link in links
        if link["type"] not in _DESCRIBED_ELSEWHERE
    ]


def _process_links(links: list[dict[str, Any]], chosen: Language) -> list[dict[str, Any]]:
    """The same; a process is called for by its address, without a parameter."""
    return [
        link | {"href": link["href"].partition("?")[0]} if link["rel"] == EXECUTE else link
        for link in _our_links(links, chosen)
    ]


def _described(
    request: Request, document: dict[str, Any], title: str, *, template: str = "document"
) -> Response:
    headers = {
        "Content-Language": language(request),
        "Cache-Control": "private, no-cache",
        "Vary": "Accept, Accept-Language, Authorization, Cookie, Ler-Acting-For",
    }
    return described_answer(request, document, title, headers, template=template)


ROUTES: Final = (route("/processes", _list), route("/processes/{process}", _one))
