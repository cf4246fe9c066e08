"""Packages fetched from a service: gone on with after an interruption, checked against their digest and their signature.

No half file gets the package's name: what has come of it lies beside until it is whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import file_digest
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import Any, Final

from ler.client.connection import TRIES, Connection
from ler.errors import RefusedError, UnavailableError

KEYS: Final = "/.well-known/ler-keys.json"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A package that was written."""

    path: Path
    revision: int
    complete: bool
    """Whether nobody that was asked owes an answer; else: do not dig."""
    being_made: bool
    """Whether a newer one is under way."""
    notices: list[dict[str, Any]]
    """What it says in words: `code`, `da`, `en`, and owner by owner."""


def newest_of(listed: dict[str, Any]) -> dict[str, Any] | None:
    """Return the newest package of all owners in a service's list (`GET .../packages`); None while none is made."""
    return next((one for one in listed["packages"] if one["kind"] == "consolidated"), None)


def fetch_package(connection: Connection, listed: dict[str, Any], target: Path) -> Fetched:
    """Fetch the newest package of a list into a folder, or under a name that ends with `.zip`.

    RefusedError when none is made yet, UnavailableError when what came is not what the service has.
    """
    newest = newest_of(listed)
    if newest is None:
        raise RefusedError("package-not-made", "there is no package yet; try again in a moment")
    # A name comes from elsewhere: it may lead to no other folder.
    path = target if target.suffix == ".zip" else target / PurePosixPath(newest["file_name"]).name
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{newest['sha256']}.part")
    _fill(connection, newest["file"], part)
    with part.open("rb") as stream:
        digest = file_digest(stream, "sha256").hexdigest()
    if digest != newest["sha256"]:
        part.unlink()
        raise UnavailableError("The package did not arrive whole. Fetch it again.")
    part.replace(path)
    return Fetched(
        path, newest["revision"], bool(newest["complete"]), listed["being_made"], newest["notices"]
    )


def check_signature(connection: Connection, path: Path, keys: Sequence[str] = ()) -> None:
    """Refuse a package that none of the keys signed as it is; RefusedError with the first flaw.

    `keys` are lines of minisign. Without any, those that the service publishes: that proves as much as the connection does.
    """
    from ler.packages.signature import public_of  # noqa: PLC0415 - a second, for who fetches no package
    from ler.packages.verify import Trust, TrustedKeys, verify_package  # noqa: PLC0415 - as above

    lines = keys or [one["minisign"] for one in connection.call("GET", KEYS).json()["keys"]]
    verdict = verify_package(path, TrustedKeys([public_of(line) for line in lines], Trust.GIVEN))
    if verdict.flaws:
        flaw = verdict.flaws[0]
        raise RefusedError(flaw.code, f"{path}: {flaw.member}: {flaw.message}")


def _fill(connection: Connection, address: str, part: Path) -> None:
    """Write what is at an address, after what is there already; as often as the line breaks while something comes."""
    without_progress = 0
    while True:
        have = part.stat().st_size if part.exists() else 0
        try:
            return _go_on(connection, address, part, have)
        except UnavailableError:
            grown = part.exists() and part.stat().st_size > have
            without_progress = 0 if grown else without_progress + 1
            if without_progress >= TRIES:
                raise
            connection.pause(min(2.0**without_progress * 0.25, 30.0))


def _go_on(connection: Connection, address: str, part: Path, have: int) -> None:
    # The last byte is asked for again: of a file that is all there, nothing would be left to ask for.
    start = max(have - 1, 0)
    headers = {"Range": f"bytes={start}-"} if start else {}
    # As it is on disk: a range is of those bytes, not of what travels compressed.
    with connection.stream(address, **headers, **{"Accept-Encoding": "identity"}) as answer:
        whole = answer.status_code != HTTPStatus.PARTIAL_CONTENT
        with part.open("wb" if whole else "r+b") as stream:
            stream.seek(0 if whole else start)
            stream.writelines(answer.iter_bytes())
