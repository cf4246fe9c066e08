"""Links by which an owner without a system answers: a secret for one owner request, in the owner's mail alone.

Who holds the secret acts for the owner in that one matter. It is kept as a hash and ends after a time.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from re import compile as pattern
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.engine import Connection

from ler.db.functions import refusals
from ler.errors import RefusedError

PAGE: Final = "/answer"
"""Path of the page, before the secret."""

_SECRET: Final = pattern(r"[A-Za-z0-9_-]{43}")
_KEEP: Final = text("SELECT ler.keep_answer_link(:asked, :digest, :until)")
_FIND: Final = text("SELECT * FROM ler.find_answer_link(:digest)")


@dataclass(frozen=True, slots=True)
class AnswerLink:
    """What a link is for."""

    owner_request_id: UUID
    owner_id: UUID


def make_answer_link(connection: Connection, owner_request_id: UUID, life: timedelta) -> str:
    """Make a link to answer by and return its path, which is shown this once; to be put behind the public address.

    For the owner itself, or a worker's job for that request; NotFoundError for anybody else. Each call makes another,
    and the ones before go on. Whoever can read the mail that it stands in may answer: as with a letter.
    """
    secret = secrets.token_urlsafe(32)
    until = connection.execute(select(func.now() + life)).scalar_one()
    with refusals({"LE404": "There is no such owner request."}):
        connection.execute(_KEEP, {"asked": owner_request_id, "digest": _digest(secret), "until": until})
    return f"{PAGE}/{secret}"


def find_answer_link(connection: Connection, secret: str) -> AnswerLink:
    """Return what a secret is for; nobody acts. RefusedError `link-invalid`, whatever is wrong with it."""
    row = (
        connection.execute(_FIND, {"digest": _digest(secret)}).one_or_none()
        if _SECRET.fullmatch(secret)
        else None
    )
    if row is None:
        raise RefusedError("link-invalid", "The link is not valid, or has expired.")
    return AnswerLink(row.owner_request_id, row.owner_id)


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
