"""The one mapping of what goes wrong to what is answered: problem documents (RFC 9457) in Danish or English.

Their texts come from the files in `problem_types` and from our own refusals, whose Danish stands in `problem_details`. What a database, a parser or Python says stays in the
log; of things that are not the caller's, absent and somebody else's are told in the same words.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any, Final, Literal

from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from geoapi.danish import in_language
from geoapi.negotiation import language_of, media_type_of
from ler.db.engine import sqlstate
from ler.domain.faults import FaultsError
from ler.errors import InputError, NotFoundError, RefusedError, UnavailableError

MEDIA_TYPE: Final = "application/problem+json"
MOST_ERRORS: Final = 100
PROBLEMS_PATH: Final = "/problems"
_OGC: Final = "/ogc/"

_RETRY_AFTER_S: Final = {
    "body-too-slow": 1,
    "dataset-busy": 5,
    "idempotency-in-progress": 1,
    "request-limit": 3600,
    "storage-full": 60,
    "unavailable": 5,
    "uploads-too-many": 60,
    "upload-busy": 2,
}
_OF_TABLES: Final = {"LE403": "area-not-granted", "LE405": "role-missing", "LE429": "request-limit"}
"""What a table's own triggers refuse, whichever way the row came (`ler/db/sql/access.sql`)."""
_CHALLENGE: Final = 'Bearer realm="ler", Basic realm="ler", charset="UTF-8"'
_PASSING: Final = ("08", "40", "53", "55", "57")
"""Classes of SQLSTATE that pass by themselves: connection, deadlock, resources, locks, timeouts and shutdowns."""

type Language = Literal["da", "en"]


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of problem."""

    slug: str
    status: int
    titles: Mapping[str, str]
    remedies: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ProblemError:
    """One thing that is wrong: a code, where, and what is said of it."""

    code: str
    detail: str
    pointer: str | None = None
    """JSON pointer into the body, `header/NAME` or `query/NAME`."""


class ProblemException(Exception):  # noqa: N818 - it is the answer, and named as in RFC 9457
    """An answer of the HTTP layer's own, for what no service knows: headers, parameters, media types."""

    def __init__(
        self,
        slug: str,
        detail: str | None = None,
        *,
        errors: Sequence[ProblemError] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(slug)
        self.problem = Problem(slug, detail, tuple(errors), dict(headers or {}), dict(members or {}))


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem before it is put into a language."""

    slug: str
    detail: str | None = None
    errors: tuple[ProblemError, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    members: dict[str, Any] = field(default_factory=dict)

    def document(self, language: Language, instance: str | None = None) -> dict[str, Any]:
        """Return the members of the document."""
        kind = problem_types().get(self.slug) or problem_types()["refused"]
        errors = self.errors or (
            (ProblemError(self.slug, self.detail or kind.titles[language]),) if kind.slug == "refused" else ()
        )
        told = [
            {"code": one.code, "detail": in_language(one.detail, language)}
            | ({"pointer": one.pointer} if one.pointer else {})
            for one in errors[:MOST_ERRORS]
        ]
        return {
            "type": f"{PROBLEMS_PATH}/{kind.slug}",
            "title": kind.titles[language],
            "status": kind.status,
            **({"detail": in_language(self.detail, language)} if self.detail else {}),
            **({"instance": instance} if instance else {}),
            "mend": kind.remedies[language],
            **({"errors": told, "errors_total": len(errors)} if told else {}),
            **self.members,
        }


@cache
def problem_types() -> dict[str, ProblemType]:
    """Return every kind of problem, by slug."""
    folder = files(__package__).joinpath("problem_types")
    read: dict[str, Any] = {}
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        for slug, entry in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if slug in read:
                raise ValueError(f"{slug} stands twice in the catalogue of problems")
            read[slug] = entry
    return {
        slug: ProblemType(
            slug,
            entry["status"],
            {language: entry[language][0] for language in ("da", "en")},
            {language: entry[language][1] for language in ("da", "en")},
        )
        for slug, entry in read.items()
    }


def problem_of(error: Exception) -> Problem:
    """Return what is answered for an error; anything unknown is `internal` and tells nothing."""
    match error:
        case ProblemException():
            return error.problem
        case FaultsError():
            errors = tuple(ProblemError(one.code, one.message, one.pointer) for one in error.faults)
            return Problem("request-refused", errors=errors)
        case RefusedError():
            return Problem(error.code, str(error))
        case InputError():
            return Problem("refused", str(error))
    return Problem(_slug_without_words(error))


def _slug_without_words(error: Exception) -> str:
    """The kind of a problem of which nothing more is told."""
    if isinstance(error, NotFoundError):
        return "not-found"
    if isinstance(error, DBAPIError) and sqlstate(error) in _OF_TABLES:
        return _OF_TABLES[str(sqlstate(error))]
    passing = isinstance(error, DBAPIError) and (
        error.connection_invalidated or (sqlstate(error) or "08")[:2] in _PASSING
    )
    return "unavailable" if passing or isinstance(error, UnavailableError) else "internal"


def problem_response(request: Request, problem: Problem) -> Response:
    """Return the answer in the caller's language."""
    language = _language(request)
    document = problem.document(language, request.url.path)
    headers = {"Content-Language": language, "Cache-Control": "no-store", "Vary": "Accept-Language"}
    if problem.slug in _RETRY_AFTER_S:
        headers["Retry-After"] = str(_RETRY_AFTER_S[problem.slug])
    if document["status"] == 401:  # noqa: PLR2004 - the status that must tell how to authenticate
        headers["WWW-Authenticate"] = _CHALLENGE
    return JSONResponse(
        document, document["status"], headers=headers | problem.headers, media_type=_media_type(request)
    )


def _language(request: Request) -> Language:
    """The language of what is told: that of an answer. A wrong `lang` is told in what the caller's program prefers."""
    match request.query_params.get("lang") if request.url.path.startswith(_OGC) else None:
        case "da":
            return "da"
        case "en":
            return "en"
    return language_of(request.headers.get("accept-language"))


def _media_type(request: Request) -> str:
    """Problem documents are JSON, and called so to a client of the OGC API that takes nothing else."""
    only_json = request.headers.get("accept", "").partition(";")[0].strip().lower() == "application/json"
    return "application/json" if only_json and request.url.path.startswith(_OGC) else MEDIA_TYPE


def problem_page(request: Request, slug: str) -> Response:
    """Return what is to be known of one kind of problem, as a page or as JSON."""
    kind = problem_types().get(slug)
    if kind is None:
        raise NotFoundError
    language = language_of(request.headers.get("accept-language"))
    wanted = media_type_of(request.headers.get("accept"), ("text/html", "application/json"))
    headers = {"Content-Language": language, "Vary": "Accept, Accept-Language"}
    if wanted == "application/json":
        told = {"type": f"{PROBLEMS_PATH}/{slug}", "status": kind.status}
        return JSONResponse(told | {"title": kind.titles, "mend": kind.remedies}, headers=headers)
    return HTMLResponse(
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head><meta charset="utf-8"><title>{escape(slug)}</title></head>\n'
        f"<body>\n<main>\n<h1>{escape(kind.titles[language])}</h1>\n<p>{escape(kind.remedies[language])}</p>\n"
        f"<p><code>{escape(slug)}</code>, HTTP {kind.status}</p>\n</main>\n</body>\n</html>\n",
        headers=headers,
    )
