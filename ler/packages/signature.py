"""The signature of a package's manifest, in the format of minisign, so that others verify it with a program of their own.

Ed25519 over the BLAKE2b-512 digest of the manifest ("ED"), and a second one over the first and the trusted comment. The
comment's time is that of the content, never the clock's: the same package signed by the same key has the same bytes.
Format: https://jedisct1.github.io/minisign/#signature-format. Only what we write ourselves is read: one byte of another
form, even in the comment that minisign does not protect, makes it another signature.
"""

import hashlib
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ler.errors import RefusedError
from ler.signing import SigningKey, key_id_of, read_public_key

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.json.minisig"

_ALGORITHM: Final = b"ED"
_KEY_ALGORITHM: Final = b"Ed"
_ID_BYTES: Final = 8
_KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64
_UNTRUSTED: Final = "untrusted comment: "
_TRUSTED: Final = "trusted comment: "


@dataclass(frozen=True, slots=True)
class Signature:
    """What stands in a signature's file."""

    key_id: str
    """16 hexadecimal digits, as `ler.signing.key_id_of` gives them."""
    signature: bytes
    """Over the digest of what is signed."""
    comment: str
    """Trusted: it is signed, too."""
    over_both: bytes
    """Over the signature and the comment."""

    @classmethod
    def make(cls, key: SigningKey, message: bytes, at: datetime, name: str) -> Self:
        """Sign the content of the file of that name, which is of that time."""
        comment = f"timestamp:{int(at.timestamp())}\tfile:{name}\thashed"
        signature = key.sign(_digest(message))
        return cls(key.key_id, signature, comment, key.sign(signature + comment.encode()))

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read a signature's file. RefusedError `signature-unreadable` for anything that we would not have written."""
        try:
            untrusted, line, comment, over_both, last = content.decode("ascii").split("\n")
            packed = b64decode(line, validate=True)
            found = cls(
                packed[len(_ALGORITHM) : -_SIGNATURE_BYTES][::-1].hex(),
                packed[-_SIGNATURE_BYTES:],
                comment.removeprefix(_TRUSTED),
                b64decode(over_both, validate=True),
            )
        except (ValueError, Base64Error):
            raise _unreadable() from None
        if last or not untrusted.startswith(_UNTRUSTED) or found.content != content:
            raise _unreadable()
        return found

    @property
    def content(self) -> bytes:
        """The signature's file."""
        packed = _ALGORITHM + _minisign_id(self.key_id) + self.signature
        lines = (
            f"{_UNTRUSTED}signature of a package of ler, key {self.key_id.upper()}",
            b64encode(packed).decode(),
            f"{_TRUSTED}{self.comment}",
            b64encode(self.over_both).decode(),
        )
        return "".join(f"{line}\n" for line in lines).encode()

    def holds(self, key: Ed25519PublicKey, message: bytes) -> bool:
        """Whether that key signed that message."""
        return _verifies(key, self.signature, _digest(message))

    def is_whole(self, key: Ed25519PublicKey) -> bool:
        """Whether that key signed this signature together with its comment."""
        return _verifies(key, self.over_both, self.signature + self.comment.encode())


def public_line(key: Ed25519PublicKey) -> str:
    """Return a public key as minisign takes it (`minisign -P`), 56 letters."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return b64encode(_KEY_ALGORITHM + _minisign_id(key_id_of(key)) + raw).decode()


def read_public(given: str) -> Ed25519PublicKey:
    """Return the public key of a line as minisign has it, of its file, or of a PEM file. RefusedError `key-invalid`."""
    path = Path(given)
    try:
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            return read_public_key(path) if "BEGIN PUBLIC KEY" in text else public_of(text.split("\n")[1])
    except (OSError, ValueError, IndexError):
        raise RefusedError("key-invalid", f"{given[:80]!r} holds no public key") from None
    return public_of(given)


def public_of(line: str) -> Ed25519PublicKey:
    """Return the public key of a line as minisign has it. RefusedError `key-invalid`.

    Whatever id the line gives, we go by the one that is made of the key, so that no key can take another's name.
    """
    try:
        packed = b64decode(line.strip(), validate=True)
    except (ValueError, Base64Error):
        packed = b""
    if len(packed) != len(_KEY_ALGORITHM) + _ID_BYTES + _KEY_BYTES or not packed.startswith(_KEY_ALGORITHM):
        raise RefusedError("key-invalid", f"{line[:80]!r} is neither a public key nor the file of one")
    return Ed25519PublicKey.from_public_bytes(packed[-_KEY_BYTES:])


def public_file(key: Ed25519PublicKey) -> str:
    """Return a public key as a file that minisign takes (`minisign -p`)."""
    return f"{_UNTRUSTED}public key of packages of ler {key_id_of(key).upper()}\n{public_line(key)}\n"


def _minisign_id(key_id: str) -> bytes:
    """Our id as minisign keeps it: the low byte first, so that it prints the digits that we print."""
    return bytes.fromhex(key_id)[::-1]


def _digest(message: bytes) -> bytes:
    return hashlib.blake2b(message).digest()


def _verifies(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _unreadable() -> RefusedError:
    return RefusedError("signature-unreadable", f"{SIGNATURE} is not a signature as we write it")
