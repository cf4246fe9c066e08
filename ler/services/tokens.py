"""Access tokens of programs: handed out once, kept as a hash, ended at once.

The operator hands them out for whom it likes. Whoever has a token may make others of it, with no more than it has
itself; they end with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import shapely
from shapely import MultiPolygon
from sqlalchemy import func, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from ler.db.functions import record_event, refusals
from ler.db.tables import PLATFORM_OPERATOR, SRID, access_token, organisation
from ler.domain.access import Scope
from ler.errors import NotFoundError, RefusedError
from ler.services.principals import Principal, TokenRefusedError, verify_token
from ler.services.token_format import START_OF, Kind, new_secret

__all__ = [
    "START",
    "Principal",
    "Token",
    "TokenRefusedError",
    "create_token",
    "end_token",
    "get_token",
    "list_tokens",
    "make_token",
    "revoke_token",
    "verify_token",
]

START: Final = START_OF[Kind.PERSONAL]
_LONGEST_NOTE: Final = 100
_LONGEST_LIFE: Final = timedelta(days=366)
_MAKE: Final = text(
    "SELECT ler.make_token(:maker, :prefix, :sha256, :scopes, :note, :life, CAST(:area AS geometry))"
)
_MAKING: Final[Mapping[str, str | tuple[str, str]]] = {
    "LE403": ("scope-exceeded", "a token cannot have scopes or an area that the one that makes it has not"),
    "LE404": "The token that makes it has ended.",
    "LE410": ("expiry-invalid", "a token cannot live longer than the one that makes it"),
}


@dataclass(frozen=True, slots=True)
class Token:
    """What may be shown of a token after it was handed out. Moments are aware UTC."""

    id: UUID
    cvr: str | None
    kind: Kind
    prefix: str
    scopes: tuple[str, ...]
    note: str
    account_id: UUID | None
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    """To the minute; None: never."""
    revoked_at: datetime | None
    bounded: bool
    """Whether it may ask only within an area."""

    @property
    def start(self) -> str:
        """What it begins with."""
        return START_OF[self.kind] + self.prefix


def create_token(
    connection: Connection, owner_id: UUID, *, scopes: Sequence[Scope], days: int, note: str = ""
) -> str:
    """Hand out a token of an owner, which is shown this once; the operator acts.

    RefusedError for no scope, a note that is not printable, or a life of less than a day or more than 366.
    """
    _check(scopes, timedelta(days=days), note)
    made = new_secret(Kind.PERSONAL)
    values = {
        "owner_id": owner_id,
        "prefix": made.prefix,
        "secret_sha256": made.sha256,
        "scopes": sorted({str(scope) for scope in scopes}),
        "note": note,
        "expires_at": func.now() + timedelta(days=days),
    }
    columns = access_token.c
    token_id = connection.execute(access_token.insert().values(values).returning(columns.id)).scalar_one()
    record_event(
        connection,
        "operator:access_token:add",
        actor=PLATFORM_OPERATOR,
        object_id=token_id,
        details={"owner_id": str(owner_id), "scopes": values["scopes"]},
    )
    return made.token


def make_token(
    connection: Connection,
    caller: Principal,
    *,
    scopes: Sequence[Scope],
    life: timedelta | None = None,
    note: str = "",
    area: MultiPolygon | None = None,
) -> tuple[UUID, str]:
    """Make a token by the caller's own; return its id and itself, which is shown this once. The caller acts.

    `life`: None for a day, or as long as the caller's token lives if that is less. `area`: in EPSG:25832, where it may
    ask; None: where the caller may. RefusedError `scope-exceeded` for more than the
    caller has, `expiry-invalid`, `note-invalid`, and `mandate-not-enough` for who acts for another, whose tokens would
    outlive the mandate.
    """
    if caller.provider_id is not None:
        raise RefusedError("mandate-not-enough", "a mandate does not reach so far as to make tokens")
    _check(scopes, life, note)
    wanted = frozenset(scopes)
    if not wanted <= caller.carried:
        lacking = ", ".join(sorted(wanted - caller.carried))
        raise RefusedError("scope-exceeded", f"you cannot hand out what you do not have: {lacking}")
    if area is not None and (area.is_empty or not area.is_valid):
        raise RefusedError("geometry-invalid", "the area is not a valid polygon")
    made = new_secret(Kind.PERSONAL)
    values = {
        "maker": caller.token_id,
        "prefix": made.prefix,
        "sha256": made.sha256,
        "scopes": sorted(str(scope) for scope in wanted),
        "note": note,
        "life": life,
        "area": _ewkb(area),
    }
    with refusals(_MAKING):
        token_id: UUID = connection.execute(_MAKE, values).scalar_one()
    record_event(
        connection,
        "auth:access_token:add",
        actor=caller.organisation_id,
        object_id=token_id,
        details={"scopes": values["scopes"], "made_by": str(caller.token_id)},
    )
    return token_id, made.token


def revoke_token(connection: Connection, prefix: str) -> None:
    """End a token at once, for good; NotFoundError when the acting principal sees none of that prefix."""
    columns = access_token.c
    found = connection.execute(
        update(access_token)
        .where(columns.prefix == prefix)
        .values(revoked_at=func.coalesce(columns.revoked_at, func.now()))
        .returning(columns.id, columns.owner_id)
    ).one_or_none()
    if found is None:
        raise NotFoundError(f"no token begins with {START}{prefix}")
    record_event(
        connection, "operator:access_token:revoke", actor=PLATFORM_OPERATOR, object_id=found.id
    )  # fmt: skip


def end_token(connection: Connection, organisation_id: UUID, token_id: UUID) -> None:
    """End one of the acting organisation's tokens, and those that it made, at once; ended before is done.

    NotFoundError for one that is not there or another's.
    """
    columns = access_token.c
    mine = (columns.id == token_id, columns.owner_id == organisation_id)
    ended = connection.execute(
        update(access_token).where(*mine, columns.revoked_at.is_(None)).values(revoked_at=func.now())
    )
    if ended.rowcount:
        record_event(connection, "auth:access_token:revoke", actor=organisation_id, object_id=token_id)
    elif connection.execute(select(columns.id).where(*mine)).one_or_none() is None:
        raise NotFoundError("no such token")


def get_token(connection: Connection, token_id: UUID) -> Token:
    """Return a token that the acting principal may see; NotFoundError for any other."""
    found = _tokens(connection, access_token.c.id == token_id)
    if not found:
        raise NotFoundError("no such token")
    return found[0]


def list_tokens(connection: Connection, organisation_id: UUID | None = None) -> list[Token]:
    """Return the tokens that the acting principal may see, of one organisation or of all, the newest first."""
    return _tokens(connection, *([access_token.c.owner_id == organisation_id] if organisation_id else []))


def _tokens(connection: Connection, *conditions: ColumnElement[bool]) -> list[Token]:
    columns = access_token.c
    query = (
        select(
            columns.id,
            organisation.c.cvr,
            columns.kind,
            columns.prefix,
            columns.scopes,
            columns.note,
            columns.account_id,
            columns.created_at,
            columns.expires_at,
            columns.last_used_at,
            columns.revoked_at,
            columns.area.is_not(None).label("bounded"),
        )
        .join(organisation, organisation.c.id == columns.owner_id)
        .where(*conditions)
        .order_by(columns.created_at.desc(), columns.prefix)
    )
    return [
        Token(**{**row._asdict(), "kind": Kind(row.kind), "scopes": tuple(row.scopes)})
        for row in connection.execute(query)
    ]


def _check(scopes: Sequence[Scope], life: timedelta | None, note: str) -> None:
    if not scopes:
        raise RefusedError("scope-missing", f"a token needs a scope: {', '.join(Scope)}")
    if life is not None and not timedelta(0) < life <= _LONGEST_LIFE:
        raise RefusedError("expiry-invalid", f"a token lives at most {_LONGEST_LIFE.days} days")
    if len(note) > _LONGEST_NOTE or (note and not note.isprintable()):
        raise RefusedError("note-invalid", f"a note is at most {_LONGEST_NOTE} printable characters")


def _ewkb(area: MultiPolygon | None) -> str | None:
    return shapely.to_wkb(shapely.set_srid(area, SRID), hex=True, include_srid=True) if area else None
