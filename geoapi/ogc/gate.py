"""The one gate of the OGC API: who calls is proved, and what it reads is read, in one round trip to the database.

The transaction acts for whose token it is, or for nobody; the statements that follow see only that one's rows, and what
they gave is thrown away when the caller turns out not to be who it says. It can change nothing. A caller without a token
is nobody, and sees what everybody sees.

Calls are counted in this process, not in the database as elsewhere: a map calls for a hundred tiles at once, which would
wait for each other. That a token is used is told to the database once a minute.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import SimpleNamespace, TracebackType
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg
from anyio import from_thread, to_thread
from fastapi import Request
from sqlalchemy import Engine, text

from geoapi.auth import ACTING_FOR, LONGEST_CVR, Credential, find_credential
from geoapi.ogc.counts import Counts
from geoapi.problems import ProblemException
from ler.db.engine import transaction
from ler.db.reading import Begun, ReadPool, Statement
from ler.domain.roles import known_roles, known_scopes, permitted_by_mandate
from ler.errors import RefusedError
from ler.services.principals import Principal, TokenRefusedError, mandated, principal_of
from ler.services.token_format import digest, parse_secret

_OPEN: Final = "SELECT ler.open_reading(%(prefix)s, %(sha256)s, %(kinds)s, %(cvr)s, %(pinned)s) AS told"
_NOBODYS: Final[dict[str, Any]] = {"prefix": "", "sha256": "", "kinds": "{}", "cvr": None, "pinned": None}
_TOUCH: Final = text("SELECT ler.touch_token(:token)")
_BEGUN: Final = "ogc_begun"


class Read(NamedTuple):
    """Who read, and what the statements gave: the rows of each."""

    caller: Principal | None
    rows: list[list[Any]]


class _Call(NamedTuple):
    """A call that is counted, as far as it is known whose it is, and how it proves who calls."""

    given: Credential | None
    values: dict[str, Any]
    is_counted: bool


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets callers read; one for the application."""

    reads: ReadPool
    writes: Engine
    """For what is told of reading."""
    counts: Counts
    timeout_s: float

    def read(self, request: Request, *statements: Statement) -> Read:
        """Do the same as `ask` for an answer that is made in a thread."""
        return from_thread.run(self.ask, request, *statements)

    def begun(self, request: Request) -> "_Beginning":
        """Give a context at whose beginning the database begins to prove who calls, while what it asks for is read.

        What is asked first in it goes on from there. Nothing is begun while others wait for the database. What `ask`
        raises before it asks may be raised.
        """
        return _Beginning(self, request)

    async def ask(self, request: Request, *statements: Statement, pinned: int | None = None) -> Read:
        """Return what the statements give to who calls; `pinned`: the version of its own network that is read.

        TokenRefusedError; RefusedError `mandate-missing`; a problem `rate-limited` or `query-too-heavy`;
        UnavailableError. Whether the caller has the scope is for who asked to see.
        """
        call, begun = (pinned is None and request.scope["state"].pop(_BEGUN, None)) or (None, None)
        call = call or self.called(request)
        values = call.values
        try:
            if begun is None:
                opening = Statement(_OPEN, values if pinned is None else {**values, "pinned": pinned})
                opened, *rows = await self.reads.read(opening, *statements)
            else:
                opened, *rows = await self.reads.finish(begun, *statements)
        except psycopg.errors.QueryCanceled:
            raise ProblemException("query-too-heavy", f"it took more than {self.timeout_s:g} s") from None
        if call.given is None:
            return Read(None, rows)
        if opened[0].told is None:
            raise TokenRefusedError
        proved = _proved(opened[0].told)
        caller = proved.caller
        request.state.caller, request.state.token_id = caller, caller.token_id
        if not call.is_counted:
            self.counts.remember(values["sha256"], str(caller.calling_id))
            request.state.rate_headers = self.counts.count(str(caller.calling_id))
        if values["cvr"] is not None:
            caller = request.state.caller = _acting(proved, values["cvr"])
        if self.counts.is_news(caller.token_id):
            await to_thread.run_sync(self._tell_of_use, caller)
        return Read(caller, rows)

    def called(self, request: Request) -> _Call:
        """Count a call before the database is asked, wherever it is known whose it is."""
        given = find_credential(request)
        values = _proof(given, request)
        address = request.client.host if request.client else "nobody"
        who = address if given is None else self.counts.whose(values["sha256"])
        if who is not None:
            request.state.rate_headers = self.counts.count(who)
        return _Call(given, values, who is not None)

    def _tell_of_use(self, caller: Principal) -> None:
        with transaction(self.writes, None) as connection:
            connection.execute(_TOUCH, {"token": caller.token_id})


class _Beginning:
    """A call whose proof was begun; what nobody asked for is thrown away at its end."""

    def __init__(self, gate: Gate, request: Request) -> None:
        self._gate = gate
        self._request = request
        self._begun: Begun | None = None

    async def __aenter__(self) -> None:
        """Send the proof."""
        call = self._gate.called(self._request)
        self._begun = self._gate.reads.begin(Statement(_OPEN, call.values))
        self._request.scope["state"][_BEGUN] = call, self._begun

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the connection back when nothing was asked."""
        if self._begun is not None and self._request.scope["state"].pop(_BEGUN, None) is not None:
            self._gate.reads.drop(self._begun)


class _Proved(NamedTuple):
    """Whose token it is, and for whom it acts by which mandate."""

    caller: Principal
    acting: UUID | None
    named: tuple[str, ...]
    roles_of_giver: tuple[str, ...]


_TOLD: Final = (
    *("id", "owner_id", "account_id", "acting", "scopes", "kind", "administrator", "bounded", "roles"),
    *("expires_at", "derived", "named", "roles_of_giver"),
)


@lru_cache(maxsize=1024)
def _proved(told: str) -> _Proved:
    """What `ler.open_reading` told, which is the same for most calls."""
    row = dict(zip(_TOLD, json.loads(told), strict=True))
    for name in ("id", "owner_id", "account_id", "acting"):
        row[name] = UUID(row[name]) if row[name] else None
    row["expires_at"] = datetime.fromisoformat(row["expires_at"]) if row["expires_at"] else None
    return _Proved(
        principal_of(SimpleNamespace(**row)),
        row["acting"],
        tuple(row["named"] or ()),
        tuple(row["roles_of_giver"] or ()),
    )


def _acting(proved: _Proved, cvr: str) -> Principal:
    if proved.acting is None:
        raise RefusedError("mandate-missing", "there is no mandate by which you act for that organisation")
    named = permitted_by_mandate(known_scopes(proved.named), known_roles(proved.roles_of_giver))
    return mandated(proved.caller, proved.acting, named, cvr)


def _proof(given: Credential | None, request: Request) -> dict[str, Any]:
    secret = parse_secret(given.token) if given else None
    if given is None:
        return _NOBODYS
    if secret is None or secret.kind not in given.kinds:
        raise TokenRefusedError
    return {
        "prefix": secret.prefix,
        "sha256": digest(secret.secret),
        "kinds": _listed(given.kinds),
        "cvr": request.headers.get(ACTING_FOR, "")[:LONGEST_CVR] or None,
        "pinned": None,
    }


@lru_cache(maxsize=16)
def _listed(kinds: frozenset[str]) -> str:
    """Kinds of token as the database reads an array."""
    return f"{{{','.join(sorted(kinds))}}}"
