"""The code by which anybody who holds a printed plan can ask the platform whether it delivered that package.

It must be known before the package is finished, since it stands in it; be the same whenever the package is made again;
and not be guessed by anybody, not even by an owner who knows the request. So it is an HMAC of the request's id and
revision with a secret of the platform, which stays the same when the signing key is changed.
"""

import hmac
from base64 import b32encode
from hashlib import sha256
from typing import Final

from ler.packages.contents import Contents

PAGE: Final = "/verify"
"""Path of the page, before the code."""

_PURPOSE: Final = "ler verification code 1"
_LENGTH: Final = 24
"""Letters: 120 bits."""


def verification_code(contents: Contents) -> str | None:
    """Return the package's code, 24 letters of A-Z and 2-7; None for an owner's own package or without a secret."""
    secret = contents.options.verification_secret
    if secret is None or not contents.consolidated:
        return None
    request = contents.request
    statement = f"{_PURPOSE}\n{request.id}\n{request.revision}\n"
    return b32encode(hmac.digest(secret, statement.encode(), sha256)).decode()[:_LENGTH]


def verification_url(contents: Contents) -> str | None:
    """Return the address of the page about this package; None without a public address or a code."""
    code = verification_code(contents)
    address = contents.options.public_url
    return f"{address}{PAGE}/{code}" if code and address else None


def grouped(code: str) -> str:
    """Return the code as it is printed to be typed: in groups of four."""
    return "-".join(code[place : place + 4] for place in range(0, len(code), 4))


def read_code(typed: str) -> str | None:
    """Return the code that somebody typed, with or without hyphens, in either case; None for what is none."""
    code = "".join(typed.split()).replace("-", "").upper()
    fits = len(code) == _LENGTH and set(code) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    return code if fits else None
