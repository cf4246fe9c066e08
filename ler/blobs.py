"""Files that are kept: each under the SHA-256 of its bytes, so that the same bytes are kept once and damage is seen.

A file that is put is whole or not there: it is written aside, made durable, and moved. A folder of the file system is
the default; an object store can take its place behind `BlobStore`.

Who keeps a blob is said by rows of the database. Put the blob first, then commit the row; take the row away first, then
`sweep`. A blob that was put and that no row names is removed by the sweep once it is old enough.
"""

import errno
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Container, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from ler.errors import BlobDamagedError, UnavailableError

_CHUNK: Final = 1 << 20
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_WORKSHOP: Final = "tmp"
_LOCK: Final = "lock"


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored file."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed."""

    blobs: int
    unfinished: int
    """Files and folders that killed writers left."""
    size_bytes: int
    """Of the blobs."""


class BlobStore(Protocol):
    """Where files are kept. `sha256` is 64 lower-case hexadecimal digits everywhere; ValueError for anything else."""

    def put(self, source: Path | BinaryIO) -> Blob:
        """Store a file, or a stream from where it stands to its end; storing the same bytes again is harmless.

        Returns when the bytes would survive a power failure. UnavailableError when the disk is full or refuses, and
        nothing is left of the attempt.
        """

    def open(self, sha256: str, *, verify: bool = False) -> BinaryIO:
        """Open a blob for reading; it can be sought, for answers to range requests.

        BlobDamagedError when it is gone; with `verify`, which reads all of it, also when its bytes are not those
        that were put.
        """

    def path(self, sha256: str) -> Path:
        """Return a file of this machine with the blob's bytes, not to be changed. BlobDamagedError when it is gone."""

    def has(self, sha256: str) -> bool:
        """Whether the store itself has a blob of that name, whatever lies nearer by."""

    def delete(self, sha256: str) -> bool:
        """Remove a blob; False when there was none."""

    def sweep(self, known: Container[str], older_than: datetime) -> Swept:
        """Remove the blobs that are not `known` and what killed writers left, if put or begun before `older_than`.

        Choose `older_than` before `known` is read, and further back than the longest time between putting a blob and
        committing the row that names it.
        """

    def workshop(self) -> AbstractContextManager[Path]:
        """Give an empty folder for work on files; the sweep removes it if the worker is killed."""


def is_digest(name: str) -> bool:
    """Whether a text is by what a blob is known."""
    return bool(_SHA256.fullmatch(name))


class FolderStore:
    """Blobs in a folder, readable for the user who runs the platform and for nobody else.

    `ab/abcdef...` holds a blob, `tmp/` what is being written. Several processes may use one folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().absolute()
        self._workshop = self.folder / _WORKSHOP

    def put(self, source: Path | BinaryIO) -> Blob:
        """Store a file or stream; see `BlobStore`."""
        if isinstance(source, Path):
            with source.open("rb") as stream:
                return self.put(stream)
        self._make_folders()
        written = self._written_aside(source)
        try:
            return self._moved(*written)
        finally:
            with suppress(FileNotFoundError):
                written[0].unlink()

    def open(self, sha256: str, *, verify: bool = False) -> BinaryIO:
        """Open a blob; see `BlobStore`."""
        try:
            stream = self._place(sha256).open("rb")
        except FileNotFoundError as error:
            raise BlobDamagedError(f"The stored file {sha256} is gone.") from error
        if verify:
            with _closed_on_error(stream):
                # The same descriptor that is given away: nobody can put other bytes between check and use.
                if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
                    raise BlobDamagedError(f"The stored file {sha256} is damaged.")
                stream.seek(0)
        return stream

    def path(self, sha256: str) -> Path:
        """Return the blob's file; see `BlobStore`."""
        place = self._place(sha256)
        if not self.has(sha256):
            raise BlobDamagedError(f"The stored file {sha256} is gone.")
        return place

    def has(self, sha256: str) -> bool:
        """Whether it is there; see `BlobStore`."""
        return self._place(sha256).is_file()

    def delete(self, sha256: str) -> bool:
        """Remove a blob; see `BlobStore`."""
        place = self._place(sha256)
        try:
            place.unlink()
        except FileNotFoundError:
            return False
        _sync_folder(place.parent)
        return True

    def sweep(self, known: Container[str], older_than: datetime) -> Swept:
        """Remove what nobody keeps; see `BlobStore`."""
        blobs = unfinished = size = 0
        if not self.folder.is_dir():
            return Swept(0, 0, 0)
        limit = older_than.timestamp()
        for place in self._blobs():
            # The lock keeps a writer of the same bytes from moving its file here between the look and the removal.
            with self._locked(fcntl.LOCK_EX), suppress(FileNotFoundError):
                found = place.stat()
                if found.st_mtime < limit and place.name not in known:
                    place.unlink()
                    blobs, size = blobs + 1, size + found.st_size
        for left in self._workshop.iterdir() if self._workshop.is_dir() else ():
            with suppress(FileNotFoundError):
                if left.lstat().st_mtime < limit:
                    _remove(left)
                    unfinished += 1
        return Swept(blobs, unfinished, size)

    @contextmanager
    def workshop(self) -> Iterator[Path]:
        """Give an empty folder on the store's disk for work on files; the sweep removes it if the worker is killed."""
        self._make_folders()
        with tempfile.TemporaryDirectory(dir=self._workshop, prefix="work-") as name:
            yield Path(name)

    def _written_aside(self, source: BinaryIO) -> tuple[Path, Blob]:
        digest = hashlib.sha256()
        size = 0
        descriptor, name = tempfile.mkstemp(dir=self._workshop, prefix="put-")  # 0600
        aside = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as target:
                while chunk := source.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    with _telling_full_disk():
                        target.write(chunk)
                with _telling_full_disk():
                    target.flush()
                    os.fsync(target.fileno())
        except BaseException:
            aside.unlink()
            raise
        return aside, Blob(digest.hexdigest(), size)

    def _moved(self, aside: Path, blob: Blob) -> Blob:
        place = self._place(blob.sha256)
        with _telling_full_disk(), self._locked(fcntl.LOCK_SH):
            if not place.parent.is_dir():
                place.parent.mkdir(mode=0o700, exist_ok=True)
                _sync_folder(self.folder)
            # Over one that is there, too: it may be damaged, and its time must be that of the last who put it.
            os.utime(aside)
            aside.replace(place)
            _sync_folder(place.parent)
        return blob

    def _place(self, sha256: str) -> Path:
        if not is_digest(sha256):
            raise ValueError(f"not a SHA-256 in lower-case hexadecimal: {sha256!r}")
        return self.folder / sha256[:2] / sha256

    def _blobs(self) -> Iterator[Path]:
        for shelf in sorted(self.folder.iterdir()):
            if re.fullmatch(r"[0-9a-f]{2}", shelf.name):
                yield from (place for place in sorted(shelf.iterdir()) if is_digest(place.name))

    def _make_folders(self) -> None:
        try:
            # Only the store is closed to others: PostgreSQL's user must pass through a home that is its parent.
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self._workshop.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise UnavailableError(
                f"The folder {self.folder} cannot be written to: {error.strerror}. Set LER_BLOB_DIR to another one."
            ) from error

    @contextmanager
    def _locked(self, operation: int) -> Iterator[None]:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.folder / _LOCK, flags, 0o600)
        try:
            fcntl.flock(descriptor, operation)
            yield
        finally:
            os.close(descriptor)


@contextmanager
def _telling_full_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise UnavailableError("The disk on which files are kept is full. Nothing was stored.") from error
        raise UnavailableError(f"The disk on which files are kept refuses: {error.strerror}.") from error


@contextmanager
def _closed_on_error(stream: BinaryIO) -> Iterator[None]:
    try:
        yield
    except BaseException:
        stream.close()
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(left: Path) -> None:
    if left.is_dir() and not left.is_symlink():
        shutil.rmtree(left)
    else:
        left.unlink()
