"""Tokens as they are handed out: what finds the row, a secret of 190 random bits, and a checksum.

A token is `ler_KIND_<8 letters or digits>_<32 of them><6 of them>`. The checksum lets a scanner of source code tell a
token from chance without asking us.
"""

import hmac
import secrets
import string
import zlib
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from re import compile as pattern
from typing import Final

_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_TOKEN: Final = pattern(r"ler_(pat|cat|ses)_([0-9A-Za-z]{8})_([0-9A-Za-z]{32})([0-9A-Za-z]{6})")


class Kind(StrEnum):
    """What a token was made for."""

    PERSONAL = "personal"
    """Made by a person or the operator, for a program or a person's own use."""
    CLIENT = "client"
    """Given for an hour to a program that proved who it is by its key."""
    SESSION = "session"
    """Kept by the browser of a person that logged in; taken as a cookie only."""


START_OF: Final = {Kind.PERSONAL: "ler_pat_", Kind.CLIENT: "ler_cat_", Kind.SESSION: "ler_ses_"}
_KIND_OF: Final = {start[4:7]: kind for kind, start in START_OF.items()}


@dataclass(frozen=True, slots=True)
class Secret:
    """A token in its parts."""

    kind: Kind
    prefix: str
    secret: str

    @property
    def token(self) -> str:
        """The token as it is handed out, this once."""
        body = f"{START_OF[self.kind]}{self.prefix}_{self.secret}"
        return body + _checksum(body)

    @property
    def sha256(self) -> str:
        """What is kept of the secret."""
        return digest(self.secret)


def new_secret(kind: Kind) -> Secret:
    """Draw a token at random."""
    return Secret(kind, _random(8), _random(32))


def parse_secret(token: str) -> Secret | None:
    """Return the parts of what may be a token of ours; None for what is none."""
    match = _TOKEN.fullmatch(token)
    if match is None or not hmac.compare_digest(match[4], _checksum(token[:-6])):
        return None
    return Secret(_KIND_OF[match[1]], match[2], match[3])


def digest(secret: str) -> str:
    """Return what is kept of a secret: its SHA-256. Of 190 random bits nobody can try out, no slow hash is needed."""
    return sha256(secret.encode()).hexdigest()


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    """Six digits to base 62 of a CRC-32; no secret, so that whoever scans for tokens can compute it."""
    left, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        left, digit = divmod(left, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
