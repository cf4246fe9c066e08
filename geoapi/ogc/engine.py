"""pygeoapi, the engine that describes: the service, its collections and its processes.

It is built from our own list of collections for what a caller sees, never from a file or the environment, and is asked
by its functions; its web application is not used. Features, tiles and jobs are ours (`docs/decisions/0034`). What it
says of the same collections in the same language is kept: only where they lie is asked for anew.
"""

import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from fastapi import Request
from pygeoapi.api import API, APIRequest, describe_collections, landing_page

from geoapi.ogc.collections import Collection
from geoapi.ogc.crs import CRS84, OFFERED, STORAGE
from geoapi.ogc.processes.described import MANAGER, process_resources
from geoapi.ogc.processes.process import Process
from geoapi.ogc.query import DEFAULT_LIMIT, LARGEST_LIMIT
from geoapi.problems import Language

type Box = tuple[float, float, float, float]

LANGUAGES: Final[tuple[Language, ...]] = ("en", "da")
TITLE: Final = {
    "en": "ler: data about what lies buried",
    "da": "ler: oplysninger om det, der ligger i jorden",
}
TEXT: Final = {
    "en": "Requests, packages and networks of buried cables and pipes; each sees what is its own.",
    "da": "Forespørgsler, pakker og net af nedgravede ledninger; enhver ser sit eget.",
}
_WORLD: Final[Box] = (-180.0, -90.0, 180.0, 90.0)
"""Where everything is said to lie: where it does differs by who asks, and is told by `mended`."""
_KEPT: Final = 256
"""Sets of collections, and languages, of which it is kept what pygeoapi says: there are about ten and two."""

type Handler = Callable[..., tuple[Mapping[str, str], int, str]]


def engine_of(
    root: str, collections: tuple[Collection, ...] = (), processes: tuple[Process, ...] = ()
) -> API:
    """Return pygeoapi for a caller that sees these collections and processes, in order to describe them."""
    return API(_config(root, collections, processes), {})


def ask(api: API, request: Request, handler: Handler, *values: Any) -> tuple[dict[str, str], int, str]:  # noqa: ANN401
    """Return what a function of pygeoapi answers: headers, status and text."""
    headers, status, content = handler(api, APIRequest(request, api.locales), *values)
    return dict(headers), int(status), content


@lru_cache(maxsize=_KEPT)
def said_of_service(root: str, language: Language) -> str:
    """Return what pygeoapi says on the landing page, as JSON."""
    return ask(engine_of(root), plain_request(language), landing_page)[2]


@lru_cache(maxsize=_KEPT)
def said_of_collections(root: str, visible: tuple[Collection, ...], language: Language) -> str:
    """Return what pygeoapi says of collections, as JSON; where they lie is not in it."""
    return ask(engine_of(root, visible), plain_request(language), describe_collections)[2]


def plain_request(language: Language) -> Request:
    """Return a call of nobody, for pygeoapi to read the language and the format from."""
    query = f"f=json&lang={language}".encode()
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": query, "headers": []})


def _config(root: str, collections: tuple[Collection, ...], processes: tuple[Process, ...]) -> dict[str, Any]:
    logging.getLogger("pygeoapi").setLevel(logging.CRITICAL)
    return {
        "server": {
            "bind": {"host": "localhost", "port": 0},
            "url": root,
            "mimetype": "application/json",
            "encoding": "utf-8",
            "languages": [*LANGUAGES],
            "gzip": False,
            "pretty_print": False,
            "limits": {"default_items": DEFAULT_LIMIT, "max_items": LARGEST_LIMIT, "on_exceed": "throttle"},
            "map": {"url": "", "attribution": ""},
            "admin": False,
            "manager": MANAGER,
        },
        "logging": {"level": "CRITICAL"},
        "metadata": _metadata(root),
        "resources": {one.name: _resource(one) for one in collections} | process_resources(processes),
    }


def _metadata(root: str) -> dict[str, Any]:
    provider = {"name": "ler", "url": root}
    return {
        "identification": {
            "title": TITLE,
            "description": TEXT,
            "keywords": {"en": ["buried utilities"], "da": ["ledninger"]},
            "keywords_type": "theme",
            "terms_of_service": root,
            "url": root,
        },
        "license": {"name": "MIT", "url": root},
        "provider": provider,
        "contact": provider | {"email": "ler@localhost", "role": "pointOfContact"},
    }


def _resource(one: Collection) -> dict[str, Any]:
    return {
        "type": "collection",
        "title": dict(one.titles),
        "description": dict(one.descriptions),
        "keywords": {"en": [one.name], "da": [one.name]},
        "links": [],
        "extents": {"spatial": {"bbox": [*_WORLD], "crs": CRS84.uri}}
        | ({"temporal": {"begin": None, "end": None}} if one.time else {}),
        "providers": [
            {
                "type": "record" if one.record else "feature",
                # Loaded by nobody: features are read by `geoapi.ogc.statement`, through the gate.
                "name": one.name,
                "data": one.name,
                "id_field": "id",
                "crs": [crs.uri for crs in OFFERED],
                "storage_crs": STORAGE.uri,
            }
        ],
    }
