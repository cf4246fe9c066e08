"""Access tokens of programs: handed out once, kept as a hash, refused when anything about them is wrong.

A token is `ler_pat_<8 letters or digits>_<32 of them><6 of them>`: what finds the row, the secret, and a checksum that
lets a scanner of source code tell a token from chance without asking us.
"""

import hmac
import secrets
import string
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from re import compile as pattern
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.engine import Connection

from ler.db.functions import record_event
from ler.db.tables import PLATFORM_OPERATOR, access_token, organisation
from ler.domain.access import Scope
from ler.errors import NotFoundError, RefusedError

START: Final = "ler_pat_"
_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_TOKEN: Final = pattern(r"ler_pat_([0-9A-Za-z]{8})_([0-9A-Za-z]{32})([0-9A-Za-z]{6})")
_LONGEST_NOTE: Final = 100
_LONGEST_LIFE: Final = timedelta(days=366)
_FIND: Final = text("SELECT * FROM ler.find_token(:prefix)")
_NOBODYS: Final = "0" * 64


class TokenRefusedError(RefusedError):
    """The token is not valid: unknown, changed, expired or revoked."""

    def __init__(self) -> None:
        # One text for all: which of them it is helps nobody but who guesses.
        super().__init__("token-invalid", "The token is not valid: unknown, changed, expired or revoked.")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, and what it may do; given to every service, never guessed."""

    organisation_id: UUID
    token_id: UUID
    scopes: frozenset[Scope]


@dataclass(frozen=True, slots=True)
class Token:
    """What may be shown of a token after it was handed out."""

    id: UUID
    cvr: str | None
    prefix: str
    scopes: tuple[str, ...]
    note: str
    expires_at: datetime
    revoked_at: datetime | None


def create_token(
    connection: Connection, owner_id: UUID, *, scopes: Sequence[Scope], days: int, note: str = ""
) -> str:
    """Hand out a token of an owner, which is shown this once; the operator acts.

    RefusedError for no scope, a note that is not printable, or a life of less than a day or more than 366.
    """
    if not scopes:
        raise RefusedError("scope-missing", f"a token needs a scope: {', '.join(Scope)}")
    if not 0 < days <= _LONGEST_LIFE.days:
        raise RefusedError("expiry-invalid", f"a token lives 1 to {_LONGEST_LIFE.days} days")
    if len(note) > _LONGEST_NOTE or (note and not note.isprintable()):
        raise RefusedError("note-invalid", f"a note is at most {_LONGEST_NOTE} printable characters")
    prefix, secret = _random(8), _random(32)
    values = {
        "owner_id": owner_id,
        "prefix": prefix,
        "secret_sha256": _digest(secret),
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
    body = f"{START}{prefix}_{secret}"
    return body + _checksum(body)


def verify_token(connection: Connection, token: str) -> Principal:
    """Return whose token it is and what it may do; TokenRefusedError, the same for whatever is wrong with it.

    The transaction acts for nobody. The secret is compared in constant time.
    """
    match = _TOKEN.fullmatch(token)
    if match is None or not hmac.compare_digest(match[3], _checksum(token[:-6])):
        raise TokenRefusedError
    row = connection.execute(_FIND, {"prefix": match[1]}).one_or_none()
    right = hmac.compare_digest(_digest(match[2]), row.secret_sha256 if row else _NOBODYS)
    if row is None or not right or row.expired or row.revoked:
        raise TokenRefusedError
    known = {*Scope}
    # A scope that an older version of the program handed out and this one does not know grants nothing.
    return Principal(row.owner_id, row.id, frozenset(Scope(scope) for scope in row.scopes if scope in known))


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


def list_tokens(connection: Connection) -> list[Token]:
    """Return the tokens that the acting principal may see, the newest first."""
    columns = access_token.c
    query = (
        select(
            columns.id,
            organisation.c.cvr,
            columns.prefix,
            columns.scopes,
            columns.note,
            columns.expires_at,
            columns.revoked_at,
        )
        .join(organisation, organisation.c.id == columns.owner_id)
        .order_by(columns.created_at.desc(), columns.prefix)
    )
    return [
        Token(row.id, row.cvr, row.prefix, tuple(row.scopes), row.note, row.expires_at, row.revoked_at)
        for row in connection.execute(query)
    ]


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _checksum(body: str) -> str:
    """Six digits to base 62 of a CRC-32; no secret, so that whoever scans for tokens can compute it."""
    left, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        left, digit = divmod(left, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
