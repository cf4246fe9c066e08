"""Stored files: whole or not there, whoever is killed, however full the disk, however many write at once."""

import hashlib
import io
import os
import resource
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ler.blobs import Blob, FolderStore, Swept
from ler.errors import BlobDamagedError, UnavailableError

BYTES = bytes(range(256)) * 9000  # more than two chunks
SHA256 = hashlib.sha256(BYTES).hexdigest()
LATER = datetime.now(UTC) + timedelta(hours=1)
LONG_AGO = datetime.now(UTC) - timedelta(hours=1)
STEPS = ("os.fdopen", "os.fsync", "os.utime", "Path.replace", "blobs._sync_folder", "Path.unlink")
"""What a writer calls, one after the other; it is killed before each of them, and after the last."""


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "home" / "blobs")


def files(store: FolderStore) -> set[str]:
    """The files of the store, without its lock."""
    found = {p.relative_to(store.folder).as_posix() for p in store.folder.rglob("*") if p.is_file()}
    return found - {"lock"}


def flip(store: FolderStore, sha256: str, at: int) -> None:
    with store.path(sha256).open("r+b") as stream:
        stream.seek(at)
        (byte,) = stream.read(1)
        stream.seek(at)
        stream.write(bytes([byte ^ 1]))


def test_what_is_put_is_found_by_its_digest(store: FolderStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(BYTES)
    assert store.put(source) == store.put(io.BytesIO(BYTES)) == Blob(SHA256, len(BYTES))
    assert files(store) == {f"{SHA256[:2]}/{SHA256}"}
    with store.open(SHA256) as stream:
        assert stream.seek(300) == 300
        assert stream.read(2) == BYTES[300:302]
    assert store.path(SHA256).read_bytes() == BYTES
    assert source.read_bytes() == BYTES


def test_an_empty_file_and_the_rest_of_a_stream_are_stored(store: FolderStore) -> None:
    assert store.put(io.BytesIO()).size_bytes == 0
    stream = io.BytesIO(b"headbody")
    stream.seek(4)
    assert store.put(stream).sha256 == hashlib.sha256(b"body").hexdigest()


def test_nobody_else_may_read_it_but_the_parent_stays_open(store: FolderStore) -> None:
    former = os.umask(0o022)
    try:
        store.put(io.BytesIO(BYTES))
    finally:
        os.umask(former)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (store.folder, *store.folder.rglob("*"))}
    assert modes == {0o700, 0o600}
    assert stat.S_IMODE(store.folder.parent.stat().st_mode) == 0o755


@pytest.mark.parametrize("name", ["../" + "0" * 61, "", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_only_a_digest_names_a_blob(store: FolderStore, name: str) -> None:
    for call in (store.open, store.path, store.delete):
        with pytest.raises(ValueError, match="SHA-256"):
            call(name)


@pytest.mark.parametrize("at", [0, 1_500_000, len(BYTES) - 1])
def test_a_flipped_bit_is_found_and_putting_the_bytes_again_mends_it(store: FolderStore, at: int) -> None:
    store.put(io.BytesIO(BYTES))
    with store.open(SHA256, verify=True) as stream:
        assert stream.read() == BYTES
    flip(store, SHA256, at)
    with pytest.raises(BlobDamagedError, match=SHA256):
        store.open(SHA256, verify=True)
    store.put(io.BytesIO(BYTES))
    store.open(SHA256, verify=True).close()


def test_a_blob_cut_short_or_gone_is_found(store: FolderStore) -> None:
    store.put(io.BytesIO(BYTES))
    os.truncate(store.path(SHA256), 100)
    with pytest.raises(BlobDamagedError):
        store.open(SHA256, verify=True)
    assert store.delete(SHA256)
    assert not store.delete(SHA256)
    for call in (store.open, store.path):
        with pytest.raises(BlobDamagedError, match="gone"):
            call(SHA256)


def test_the_sweep_removes_what_is_old_and_unknown(store: FolderStore) -> None:
    kept = store.put(io.BytesIO(b"kept"))
    left = store.put(io.BytesIO(b"left"))
    (store.folder / "tmp" / "put-killed").write_bytes(b"x")
    (store.folder / "tmp" / "work-killed").mkdir()
    (store.folder / "tmp" / "work-killed" / "file").write_bytes(b"x")
    assert store.sweep({kept.sha256}, LONG_AGO) == Swept(0, 0, 0)
    assert store.sweep({kept.sha256}, LATER) == Swept(1, 2, left.size_bytes)
    assert files(store) == {f"{kept.sha256[:2]}/{kept.sha256}"}
    assert not list((store.folder / "tmp").iterdir())


def test_putting_an_old_blob_again_makes_it_new_for_the_sweep(store: FolderStore) -> None:
    place = store.path(store.put(io.BytesIO(BYTES)).sha256)
    os.utime(place, (0, 0))
    store.put(io.BytesIO(BYTES))
    assert store.sweep(set(), LONG_AGO) == Swept(0, 0, 0)


def test_a_store_that_was_never_used_has_nothing_to_sweep(store: FolderStore) -> None:
    assert store.sweep(set(), LATER) == Swept(0, 0, 0)
    assert not store.folder.exists()


def test_the_workshop_is_gone_afterwards(store: FolderStore) -> None:
    with store.workshop() as folder:
        (folder / "x").write_bytes(b"x")
        assert folder.is_relative_to(store.folder)
    assert files(store) == set()


def test_many_writers_of_the_same_bytes_and_a_sweep_at_once(store: FolderStore) -> None:
    def write(number: int) -> Blob:
        if number % 5 == 0:
            store.sweep(set(), LONG_AGO)
        return store.put(io.BytesIO(BYTES))

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(write, range(40))) == {Blob(SHA256, len(BYTES))}
    store.open(SHA256, verify=True).close()
    assert files(store) == {f"{SHA256[:2]}/{SHA256}"}


def test_a_stream_that_breaks_leaves_nothing(store: FolderStore) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 0:
                raise ConnectionResetError("the sender is gone")
            return super().read(size)

    with pytest.raises(ConnectionResetError):
        store.put(Broken(BYTES))
    assert files(store) == set()


@pytest.fixture
def small_files() -> Callable[[int], None]:
    former = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size if size >= 0 else former[0], former[1]))

    return limit


def test_a_full_disk_is_told_and_leaves_nothing(
    store: FolderStore, small_files: Callable[[int], None]
) -> None:
    small_files(1_500_000)
    try:
        with pytest.raises(UnavailableError, match="full"):
            store.put(io.BytesIO(BYTES))
        assert files(store) == set()
    finally:
        small_files(-1)
    assert store.put(io.BytesIO(BYTES)).sha256 == SHA256


def test_a_really_full_file_system(tmp_path: Path) -> None:
    script = """
        set -e
        mount -t tmpfs -o size=1m none "$1"
        exec "$2" -c '
        import io, sys
        from pathlib import Path
        from ler.blobs import FolderStore
        from ler.errors import UnavailableError
        store = FolderStore(Path(sys.argv[1]) / "blobs")
        store.put(io.BytesIO(b"a" * 600_000))
        try:
            store.put(io.BytesIO(b"b" * 600_000))
        except UnavailableError as error:
            print(error)
        print(len(list(store.folder.glob("??/*"))), len(list(store.folder.glob("tmp/*"))))
        print(store.put(io.BytesIO(b"c" * 300_000)).size_bytes)
        ' "$1"
    """
    command = [
        "unshare",
        "--mount",
        "--map-root-user",
        "sh",
        "-c",
        textwrap.dedent(script).replace("\n        ", "\n"),
    ]
    done = subprocess.run(
        [*command, "sh", str(tmp_path), sys.executable], capture_output=True, text=True, check=False
    )
    if done.returncode and ("unshare" in done.stderr or "mount:" in done.stderr):
        pytest.skip("no file system may be mounted here")
    assert done.stdout.splitlines() == [
        "The disk on which files are kept is full. Nothing was stored.",
        "1 0",
        "300000",
    ], done.stderr


WRITER = """
import io, os, signal, sys
from pathlib import Path
from ler import blobs

def deadly(real):
    def call(*arguments, **options):
        os.kill(os.getpid(), signal.SIGKILL)
    return call

store = blobs.FolderStore(Path(sys.argv[1]))
store._make_folders()
step = sys.argv[2]
if step:
    name, attribute = step.split(".")
    module = {"os": os, "Path": Path, "blobs": blobs}[name]
    if step == "blobs._sync_folder":  # the second call, after the move
        real = blobs._sync_folder
        calls = []
        def second(folder):
            calls.append(folder)
            os.kill(os.getpid(), signal.SIGKILL) if len(calls) == 2 else real(folder)
        blobs._sync_folder = second
    else:
        setattr(module, attribute, deadly(getattr(module, attribute)))
store.put(io.BytesIO(bytes(range(256)) * 9000))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("step", [*STEPS, ""])
def test_a_writer_killed_at_any_step_leaves_a_whole_blob_or_none(store: FolderStore, step: str) -> None:
    done = subprocess.run([sys.executable, "-c", WRITER, str(store.folder), step], check=False)
    assert done.returncode == -signal.SIGKILL
    whole = step in {"blobs._sync_folder", "Path.unlink", ""}
    assert (f"{SHA256[:2]}/{SHA256}" in files(store)) == whole
    if whole:
        store.open(SHA256, verify=True).close()
    left = len(list((store.folder / "tmp").iterdir()))
    assert left == (0 if whole else 1)
    assert store.sweep({SHA256}, LATER).unfinished == left
    assert files(store) == ({f"{SHA256[:2]}/{SHA256}"} if whole else set())
    assert store.put(io.BytesIO(BYTES)).sha256 == SHA256
