"""Keys of the platform, as files: made when first needed, readable for their user alone, never sent anywhere.

A folder holds one private key (Ed25519), by which is signed now, and every public key by which was ever signed: who rotates
the key moves the private one away, and the old public keys stay, so that what they signed can be verified for ever. One
more, which stays, is that by which the database keeps texts that the platform must read again and nobody else may.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from ler.errors import RefusedError, UnavailableError
from ler.packages.files import write_whole

_KEY_FILE: Final = "signing-key.pem"
_SECRET_FILE: Final = "verification-secret"  # noqa: S105 - the name of a file
_SECRET_BYTES: Final = 32
_SEALING_FILE: Final = "sealing-key"
_SEALED: Final = "sealed:"


class SigningKey:
    """A private key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key()
        """The key by which others verify."""
        self.key_id = key_id_of(self.public)

    @classmethod
    def read(cls, pem: bytes, path: Path) -> "SigningKey":
        """Read it from the content of its file. UnavailableError."""
        try:
            key = load_pem_private_key(pem, password=None)
        except ValueError:
            raise UnavailableError(f"{path} holds no private key without a password.") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise UnavailableError(f"{path} holds a key of another kind than Ed25519.")
        return cls(key)

    def sign(self, message: bytes) -> bytes:
        """Return the signature, 64 bytes; the same for the same message."""
        return self._key.sign(message)


class KeyFolder:
    """The keys of one purpose."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def signing_key(self) -> SigningKey:
        """The key by which is signed now; its public key lies beside it. UnavailableError when it cannot be made."""
        path = self.folder / _KEY_FILE
        with self.alone(), _telling(path):
            key = SigningKey.read(_read_or_make(path, _new_key), path)
            public = self.folder / f"public-key-{key.key_id}.pem"
            if not public.exists():
                write_whole(public, public_pem(key.public))
        return key

    def rotate(self) -> SigningKey:
        """Make another key to sign with from now on, and put the one before beside it, under its id."""
        old = self.signing_key
        path = self.folder / _KEY_FILE
        with self.alone(), _telling(path):
            path.rename(self.folder / f"retired-key-{old.key_id}.pem")
        return self.signing_key

    @property
    def verification_secret(self) -> bytes:
        """Of which codes are made that nobody can guess, 32 bytes; it stays when the key is rotated."""
        path = self.folder / _SECRET_FILE
        with self.alone(), _telling(path):
            read = _read_or_make(path, lambda: secrets.token_bytes(_SECRET_BYTES))
        if len(read) != _SECRET_BYTES:
            raise UnavailableError(f"{path} is damaged: it holds {len(read)} bytes.")
        return read

    def seal(self, text: str) -> str:
        """Return a text as the database may keep it: only who has this folder can read it. UnavailableError."""
        return _SEALED + self._seal.encrypt(text.encode()).decode()

    def unseal(self, kept: str) -> str:
        """Return what was sealed; what was kept before texts were sealed, as it is. UnavailableError for another key's."""
        if not kept.startswith(_SEALED):
            return kept
        try:
            return self._seal.decrypt(kept.removeprefix(_SEALED)).decode()
        except InvalidToken:
            raise UnavailableError(f"It was sealed with another key than that of {self.folder}.") from None

    @property
    def _seal(self) -> Fernet:
        path = self.folder / _SEALING_FILE
        with self.alone(), _telling(path):
            read = _read_or_make(path, Fernet.generate_key)
        try:
            return Fernet(read)
        except ValueError:
            raise UnavailableError(f"{path} is damaged.") from None

    def public_keys(self) -> list[Ed25519PublicKey]:
        """Return the public keys by which was signed, in the order of their ids."""
        return [read_public_key(path) for path in sorted(self.folder.glob("public-key-*.pem"))]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder, which is made: two at once would make two keys."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UnavailableError(f"{self.folder} cannot be made: {error.strerror}.") from error
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with _telling(self.folder):
            descriptor = os.open(self.folder / "lock", flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def read_public_key(path: Path) -> Ed25519PublicKey:
    """Read a public key from a PEM file. RefusedError `key-invalid`."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise RefusedError("key-invalid", f"{path} holds no public Ed25519 key")
    return key


def public_pem(key: Ed25519PublicKey) -> bytes:
    """Return a public key as others read it."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def key_id_of(key: Ed25519PublicKey) -> str:
    """Return by what signatures name the key: 16 hexadecimal digits of its digest."""
    return sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    """The file's content; it appears whole, for whoever looks without the lock."""
    if not path.exists():
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(make())
                stream.flush()
                os.fsync(stream.fileno())
            path.hardlink_to(aside)
        finally:
            aside.unlink()
    return path.read_bytes()


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read or made: {error.strerror}.") from error
