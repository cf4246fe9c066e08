"""Signed checkpoints of the audit trail, kept outside of the database.

Who can write to the database as its superuser can make a whole new chain that fits itself. It cannot make one that fits
a digest that was signed and taken elsewhere. So the head of the chain is signed every hour with an Ed25519 key that the
database never sees, and each checkpoint names the one before it. Copies are to be kept by somebody else: the API hands
them to auditors.
"""

import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ler.domain.audit import Head
from ler.errors import RefusedError, UnavailableError
from ler.packages.files import write_whole
from ler.signing import KeyFolder, SigningKey, key_id_of

_PURPOSE: Final = "ler audit checkpoint 1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of the chain at a time, signed."""

    head: Head
    at: datetime
    previous: str | None
    """SHA-256 of the statement of the checkpoint before; None for the first."""
    key_id: str
    signature: bytes

    @property
    def statement(self) -> bytes:
        """What is signed: lines of text, the first of which says what it is."""
        lines = (
            _PURPOSE,
            str(self.head.number),
            self.head.digest.hex(),
            _moment(self.at),
            self.previous or "-",
        )
        return "".join(f"{line}\n" for line in lines).encode()

    @property
    def digest(self) -> str:
        """By which the next checkpoint names this one."""
        return sha256(self.statement).hexdigest()

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "number": self.head.number,
            "hash": self.head.digest.hex(),
            "at": _moment(self.at),
            "previous": self.previous,
            "key": self.key_id,
            "signature": b64encode(self.signature).decode(),
        }

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what `document` gave. RefusedError `checkpoint-invalid`."""
        try:
            read = json.loads(text)
            return cls(
                Head(int(read["number"]), bytes.fromhex(read["hash"])),
                datetime.fromisoformat(read["at"]),
                read["previous"],
                str(read["key"]),
                b64decode(read["signature"], validate=True),
            )
        except (ValueError, KeyError, TypeError, Base64Error):
            raise RefusedError("checkpoint-invalid", "it is not a checkpoint of ours") from None


class CheckpointFolder:
    """Checkpoints as files, one each, and the public keys by which they were signed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._keys = KeyFolder(folder)

    @property
    def signing_key(self) -> SigningKey:
        """The key of this installation. UnavailableError when it can be neither read nor made."""
        return self._keys.signing_key

    def add(self, head: Head, at: datetime) -> Checkpoint | None:
        """Sign the head and write it down; None when the last checkpoint is of it, or of a later one."""
        key = self.signing_key
        try:
            with self._keys.alone():
                last = self.last()
                if head.number == 0 or (last and last.head.number >= head.number):
                    return None
                made = _signed(key, head, at, last)
                content = json.dumps(made.document(), indent=1).encode() + b"\n"
                write_whole(self.folder / f"checkpoint-{head.number:012d}.json", content)
        except OSError as error:
            raise UnavailableError(f"{self.folder} cannot be written to: {error.strerror}.") from error
        return made

    def last(self) -> Checkpoint | None:
        """Return the newest checkpoint, unverified."""
        paths = self._paths()
        return Checkpoint.read(paths[-1].read_text(encoding="utf-8")) if paths else None

    def verified(self, keys: Sequence[Ed25519PublicKey] = ()) -> list[Checkpoint]:
        """Return all checkpoints, oldest first, after a look at each signature and at the order of them.

        `keys` are those to be trusted; those of the folder when none are given, which shows damage but no forger that
        can write there. RefusedError `checkpoint-invalid` names the first file that does not hold.
        """
        trusted = {key_id_of(key): key for key in keys or self.public_keys()}
        found: list[Checkpoint] = []
        for path in self._paths():
            try:
                read = Checkpoint.read(path.read_text(encoding="utf-8"))
                _check(read, found[-1] if found else None, trusted)
            except RefusedError as error:
                raise RefusedError("checkpoint-invalid", f"{path}: {error}") from None
            found.append(read)
        return found

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("checkpoint-*.json"))

    def public_keys(self) -> list[Ed25519PublicKey]:
        """Return the public keys by which checkpoints of this folder were signed."""
        return self._keys.public_keys()


def _signed(key: SigningKey, head: Head, at: datetime, previous: Checkpoint | None) -> Checkpoint:
    unsigned = Checkpoint(head, at, previous.digest if previous else None, key.key_id, b"")
    return replace(unsigned, signature=key.sign(unsigned.statement))


def _check(one: Checkpoint, before: Checkpoint | None, trusted: dict[str, Ed25519PublicKey]) -> None:
    key = trusted.get(one.key_id)
    if key is None:
        raise RefusedError(
            "checkpoint-invalid", f"it is signed with the key {one.key_id}, which is not trusted"
        )
    try:
        key.verify(one.signature, one.statement)
    except InvalidSignature:
        raise RefusedError("checkpoint-invalid", "its signature does not hold") from None
    if one.previous != (before.digest if before else None):
        raise RefusedError("checkpoint-invalid", "the checkpoint before it is missing or another")


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
