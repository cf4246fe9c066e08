"""Secrets of links: shown once in a path, kept as a hash, and good for nothing but what they were made for."""

import secrets
from collections.abc import Sequence
from hashlib import sha256
from re import compile as pattern
from typing import Any, Final

from sqlalchemy import TextClause
from sqlalchemy.engine import Connection

from ler.errors import RefusedError

_SECRET: Final = pattern(r"[A-Za-z0-9_-]{43}")


def new_secret() -> tuple[str, str]:
    """Make a secret and return it with its digest."""
    secret = secrets.token_urlsafe(32)
    return secret, _digest(secret)


def find_by_secret(connection: Connection, find: TextClause, secret: str) -> Sequence[Any]:
    """Return the row that `find` has for the secret's `:digest`; RefusedError `link-invalid`, whatever is wrong with it."""
    row = (
        connection.execute(find, {"digest": _digest(secret)}).one_or_none()
        if _SECRET.fullmatch(secret)
        else None
    )
    if row is None:
        raise RefusedError("link-invalid", "The link is not valid, or has expired.")
    return row


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
