"""Files that owners are sending, one folder an upload: written part by part, and only told of when they are safe.

How much has come is written in the database after the bytes have been forced to disk. What lies behind that in the
file, because the process died between the two, is cut off by the next part. A folder belongs to one writer at a time:
the system's own lock, which a killed process gives up, so nothing has to be cleaned up before going on.
"""

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest, sha256
from io import FileIO
from pathlib import Path
from typing import Final
from uuid import UUID

from ler.errors import RefusedError
from ler.faults import point

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_ENDING: Final = re.compile(r"\.[a-z0-9]{1,10}")


class PartWriter:
    """Appends to an upload's file from an offset on; at the end `keep` or `drop`."""

    def __init__(self, stream: FileIO, folder: Path, offset: int) -> None:
        self._stream = stream
        self._folder = folder
        self._start = offset
        self._digest = sha256()
        self.offset = offset
        """Bytes of the file that have been written, safe or not."""

    def write(self, content: bytes) -> None:
        """Append bytes; RefusedError `storage-full` when there is no room, and what was written before stays."""
        left = memoryview(content)
        while left:
            try:
                left = left[self._stream.write(left) :]
            except OSError as error:
                if error.errno in _NO_ROOM:
                    raise RefusedError("storage-full", "there is no room for more just now") from error
                raise
        self._digest.update(content)
        self.offset += len(content)

    def sha256(self) -> bytes:
        """Return the digest of what this writer has written."""
        return self._digest.digest()

    def keep(self) -> int:
        """Force what was written to disk, and the file's name too; return the offset that may be told."""
        point("upload.append.written")
        os.fsync(self._stream.fileno())
        _sync_folder(self._folder)
        _sync_folder(self._folder.parent)
        point("upload.append.synced")
        return self.offset

    def drop(self) -> None:
        """Take back what this writer has written."""
        self._stream.truncate(self._start)
        self.offset = self._start


class UploadFiles:
    """The folder in which files of uploads lie; it is made when the first one comes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, upload_id: UUID, file_name: str) -> Path:
        """Return where the file of an upload lies: named by us, of the owner's name only a plain ending is kept."""
        ending = Path(file_name.lower()).suffix
        return self._folder(upload_id) / f"content{ending if _ENDING.fullmatch(ending) else ''}"

    @contextmanager
    def writer(self, upload_id: UUID, file_name: str) -> Iterator["OpenFile"]:
        """Keep an upload's file to this caller; RefusedError `upload-busy` when another one writes it."""
        folder = self._folder(upload_id)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / "lock").open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RefusedError(
                    "upload-busy", "another call is sending a part of this upload; one at a time"
                ) from None
            yield OpenFile(self.path(upload_id, file_name))

    def remove(self, upload_id: UUID) -> bool:
        """Remove all that lies there of an upload; False when there was nothing."""
        folder = self._folder(upload_id)
        if not folder.exists():
            return False
        shutil.rmtree(folder, ignore_errors=True)
        return True

    def ids(self) -> list[UUID]:
        """Return the uploads of which something lies there."""
        if not self.root.is_dir():
            return []
        found = []
        for folder in self.root.iterdir():
            try:
                found.append(UUID(folder.name))
            except ValueError:
                continue  # not ours
        return found

    def _folder(self, upload_id: UUID) -> Path:
        return self.root / str(upload_id)


class OpenFile:
    """One upload's file, held by one writer."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def append(self, offset: int) -> Iterator[PartWriter]:
        """Open the file for more, from `offset` on; RefusedError when what was told to be there is not."""
        # Unbuffered: what was not written because the disk is full must not be tried again when the file is closed.
        with self.path.open("r+b" if self.path.exists() else "w+b", buffering=0) as stream:
            if stream.seek(0, os.SEEK_END) < offset:
                raise RefusedError(
                    "upload-content-lost", "parts of this upload were lost on our side; begin a new one"
                )
            stream.truncate(offset)
            stream.seek(offset)
            yield PartWriter(stream, self.path.parent, offset)

    def sha256(self) -> str:
        """Return the digest of the whole file, in hexadecimal."""
        with self.path.open("rb") as stream:
            return file_digest(stream, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
