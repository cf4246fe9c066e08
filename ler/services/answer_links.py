"""Links by which an owner without a system answers: a secret for one owner request, in the owner's mail alone.

Who holds the secret acts for the owner in that one matter. It is kept as a hash and ends after a time.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.engine import Connection

from ler.db.functions import refusals
from ler.services.link_secrets import find_by_secret, new_secret

PAGE: Final = "/answer"
"""Path of the page, before the secret."""

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
    secret, digest = new_secret()
    until = connection.execute(select(func.now() + life)).scalar_one()
    with refusals({"LE404": "There is no such owner request."}):
        connection.execute(_KEEP, {"asked": owner_request_id, "digest": digest, "until": until})
    return f"{PAGE}/{secret}"


def find_answer_link(connection: Connection, secret: str) -> AnswerLink:
    """Return what a secret is for; nobody acts. RefusedError `link-invalid`, whatever is wrong with it."""
    return AnswerLink(*find_by_secret(connection, _FIND, secret))
