"""What the OGC API of an application works with, the addresses of its pages, and the language of its answers."""

from types import TracebackType
from typing import Final

from anyio import from_thread
from fastapi import Request

from geoapi.negotiation import language_of
from geoapi.ogc.collections import Collection, all_collections
from geoapi.ogc.crs import unusable
from geoapi.ogc.gate import Gate
from geoapi.platform import platform_of
from geoapi.problems import Language, ProblemException
from ler.errors import LerError, NotFoundError
from ler.services.principals import Principal

ROOT: Final = "/ogc"
"""Where the API begins, below our own address."""


def gate_of(request: Request) -> Gate:
    """Return the gate of the application."""
    found: Gate = request.app.state.ogc_gate
    return found


def root_of(request: Request) -> str:
    """Return the address of the landing page, without a slash at its end."""
    return platform_of(request).origin + ROOT


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


async def find_collection(request: Request, name: str) -> Collection:
    """Return the collection of that name, for who may know of it; whether it may is seen by `check_visible`.

    Who comes without a token is asked for one wherever something else than a public collection is called for: it
    never learns which there are.
    """
    found = all_collections().get(name)
    if found is None:
        await gate_of(request).ask(request)  # tells a bad token first, and counts
        raise _nothing(request)
    return found


def collection_of(request: Request, name: str) -> Collection:
    """Do the same as `find_collection` for an answer that is made in a thread."""
    return from_thread.run(find_collection, request, name)


def check_visible(request: Request, collection: Collection, caller: Principal | None) -> None:
    """Refuse who may not see a collection, as if it were not there."""
    if collection.scope is not None and (caller is None or collection.scope not in caller.scopes):
        raise _nothing(request)


class refused_to_who_sees:  # noqa: N801 - a context, which costs a fourth of what one from a generator does
    """Tells what is wrong with a call only to who may see the collections; to others they are not there."""

    def __init__(self, request: Request, *collections: Collection) -> None:
        self._request = request
        self._collections = collections

    async def __aenter__(self) -> None:
        """Begin to look at what was asked for."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ask who calls when something is wrong."""
        if isinstance(error, ProblemException | LerError):
            caller = (await gate_of(self._request).ask(self._request)).caller
            for one in self._collections:
                check_visible(self._request, one, caller)


def _nothing(request: Request) -> Exception:
    known = getattr(request.state, "caller", None)
    return NotFoundError("There is no such thing.") if known else ProblemException("token-missing")
