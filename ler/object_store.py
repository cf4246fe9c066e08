"""Files that are kept in an object store that speaks S3, behind a folder of this machine with those that are in use.

The object store has every file, the folder what was put or asked for here lately: whoever needs a file as a path gets it
from there. What comes over the network is taken only if its digest is the one that it is known by.
"""

from collections.abc import Container, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from ler.blobs import Blob, FolderStore, Swept, is_digest
from ler.errors import BlobDamagedError, UnavailableError

if TYPE_CHECKING:
    from obstore.store import S3Config  # only its description says what it is

_PART: Final = 16 << 20
"""Bytes that are asked for, or sent, in one call: a slow line must carry it within `_PATIENCE`."""
_PATIENCE: Final = timedelta(seconds=60)
_TRIED_FOR: Final = timedelta(seconds=20)
_LISTED: Final = 1000
_GONE: Final = (NotFoundError, FileNotFoundError)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the object store is, and who we are there."""

    url: str
    """`s3://bucket/prefix`."""
    endpoint: str | None = None
    """Of a store that is not Amazon's."""
    region: str = "us-east-1"
    access_key: str | None = None
    secret_key: str | None = None
    """Without both: what the environment or the machine's role gives (AWS_ACCESS_KEY_ID, ...)."""


class ObjectStore:
    """Blobs in a bucket; see `BlobStore`. Several machines may use one bucket, each with a folder of its own."""

    def __init__(self, bucket: Bucket, folder: Path) -> None:
        self._near = FolderStore(folder)
        self._far = _open_bucket(bucket)

    def put(self, source: Path | BinaryIO) -> Blob:
        """Store a file or stream; see `BlobStore`."""
        blob = self._near.put(source)
        with _telling():
            # Also when it is there: it may be damaged, and its time must be that of the last who put it.
            obstore.put(self._far, _key(blob.sha256), self._near.path(blob.sha256), chunk_size=_PART)
        return blob

    def open(self, sha256: str, *, verify: bool = False) -> BinaryIO:
        """Open a blob; see `BlobStore`."""
        try:
            return self._near.open(sha256, verify=verify)
        except BlobDamagedError:
            self._fetch(sha256)
            return self._near.open(sha256, verify=verify)

    def path(self, sha256: str) -> Path:
        """Return a file of this machine; see `BlobStore`. It stays for as long as the sweep lets strays stay."""
        try:
            place = self._near.path(sha256)
            place.touch()
        except (BlobDamagedError, FileNotFoundError):
            self._fetch(sha256)
            place = self._near.path(sha256)
        return place

    def has(self, sha256: str) -> bool:
        """Whether the bucket has it; see `BlobStore`."""
        try:
            with _telling(sha256):
                obstore.head(self._far, _key(sha256))
        except BlobDamagedError:
            return False
        return True

    def delete(self, sha256: str) -> bool:
        """Remove a blob; see `BlobStore`."""
        found = self.has(sha256)
        with _telling():
            obstore.delete(self._far, _key(sha256))
        self._near.delete(sha256)
        return found

    def sweep(self, known: Container[str], older_than: datetime) -> Swept:
        """Remove what nobody keeps, and from the folder all that was not used since; see `BlobStore`."""
        unfinished = self._near.sweep(frozenset(), older_than).unfinished
        blobs = size = 0
        with _telling():
            for listed in obstore.list(self._far, chunk_size=_LISTED):
                for one in listed:
                    name = one["path"].rpartition("/")[2]
                    if is_digest(name) and name not in known and self._is_older(name, older_than):
                        obstore.delete(self._far, _key(name))
                        blobs, size = blobs + 1, size + one["size"]
        return Swept(blobs, unfinished, size)

    def workshop(self) -> AbstractContextManager[Path]:
        """Give an empty folder for work on files; see `FolderStore.workshop`."""
        return self._near.workshop()

    def _is_older(self, sha256: str, moment: datetime) -> bool:
        """Asked again at the last moment: somebody may have put the same bytes since the list was made."""
        try:
            return obstore.head(self._far, _key(sha256))["last_modified"] < moment
        except _GONE:
            return False

    def _fetch(self, sha256: str) -> None:
        """Bring a blob into the folder. BlobDamagedError when it is gone, or is another than was put."""
        with _telling(sha256):
            reader = obstore.open_reader(self._far, _key(sha256), buffer_size=_PART)
            got = self._near.put(cast("BinaryIO", reader))
        if got.sha256 != sha256:
            self._near.delete(got.sha256)
            raise BlobDamagedError(f"The stored file {sha256} is damaged.")


@cache
def _open_bucket(bucket: Bucket) -> S3Store:
    """Connections are kept and used again: one client for a bucket and process."""
    parts = urlsplit(bucket.url)
    # The store refuses bytes that were damaged on the way.
    config: S3Config = {"region": bucket.region, "checksum_algorithm": "SHA256"}
    if bucket.endpoint:
        config["endpoint"] = bucket.endpoint
    if bucket.access_key and bucket.secret_key:
        config["access_key_id"], config["secret_access_key"] = bucket.access_key, bucket.secret_key
    return S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        config=config,
        client_options={
            "timeout": _PATIENCE,
            "connect_timeout": timedelta(seconds=5),
            "allow_http": bool(bucket.endpoint and bucket.endpoint.startswith("http://")),
        },
        retry_config={"max_retries": 3, "retry_timeout": _TRIED_FOR},
    )


def _key(sha256: str) -> str:
    if not is_digest(sha256):
        raise ValueError(f"not a SHA-256 in lower-case hexadecimal: {sha256!r}")
    return f"{sha256[:2]}/{sha256}"


@contextmanager
def _telling(asked_for: str | None = None) -> Iterator[None]:
    """Turn what goes wrong into our errors; the object store's own words go to no caller, since they hold addresses."""
    try:
        yield
    except (BaseError, OSError) as error:
        if asked_for and isinstance(error, _GONE):
            raise BlobDamagedError(f"The stored file {asked_for} is gone.") from error
        raise UnavailableError(
            "The object store in which files are kept does not answer as it should."
        ) from error
