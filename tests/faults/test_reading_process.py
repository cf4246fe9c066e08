"""The reading process killed, starved, silent, mad, orphaned: the parent says so at once, and nothing is left of it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from ingest.child import process
from ingest.child.limits import ChildLimits
from ingest.gate.formats import Format
from ingest.gate.gate import gate_file
from ingest.readers.vector import VectorFile, open_vector
from ingest.workshop import make_workshop, sweep_workshops
from ler.errors import RefusedError
from tests.hostile import samples

SOON_S: Final = 20.0
"""Far above what it takes, for busy machines; far below the limits of a child."""

ORPHAN: Final = """
import sys, time
from pathlib import Path
from ingest.gate.gate import gate_file
from ingest.readers.vector import open_vector
vector = open_vector(gate_file(Path(sys.argv[1])))
vector.layers()
print(vector._child.pid, flush=True)
time.sleep(600)
"""

STUB: Final = """
import os, signal, struct, sys, time
sys.stdin.readline()
def frame(kind, content=b""):
    sys.stdout.buffer.write(struct.pack(">cI", kind, len(content)) + content)
    sys.stdout.buffer.flush()
frame(b"H", b"{}")
sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files, empty when the test is over."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "net.csv"
    path.write_text(samples.csv_text(*["1,a,POINT (575000 6224000)"] * 300_000))
    return path


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def crashes(vector: VectorFile, act: Callable[[], object]) -> None:
    """The act ends soon, in a refusal of the file, and the child is gone."""
    started = time.monotonic()
    with pytest.raises(RefusedError) as refused:
        act()
    assert refused.value.code == "parser-crashed"
    assert time.monotonic() - started < SOON_S
    vector.close()


def pid_of(vector: VectorFile) -> int:
    assert vector._child is not None  # noqa: SLF001 - the test kills what the platform hides
    return vector._child.pid  # noqa: SLF001


def test_killed_in_the_middle(network: Path) -> None:
    vector = open_vector(gate_file(network), limits=ChildLimits(batch_rows=1000))
    batches = vector.batches("net")
    assert next(batches).num_rows == 1000
    pid = pid_of(vector)
    os.kill(pid, signal.SIGKILL)
    crashes(vector, lambda: [batch.num_rows for batch in batches])
    assert not is_running(pid)


def test_a_new_child_serves_after_one_was_killed(network: Path) -> None:
    with open_vector(gate_file(network)) as vector:
        vector.layers()
        os.kill(pid_of(vector), signal.SIGKILL)
        while vector._child is not None and vector._child.alive:  # noqa: SLF001 - its threads end one by one
            time.sleep(0.01)
        assert sum(batch.num_rows for batch in vector.batches("net")) == 300_000


def test_out_of_memory(tmp_path: Path) -> None:
    path = tmp_path / "net.csv"
    path.write_text(samples.csv_text(*[f"1,{'a' * 4_000_000},POINT (575000 6224000)"] * 40))
    vector = open_vector(gate_file(path), limits=ChildLimits(memory_mb=260, batch_rows=1000))
    crashes(vector, lambda: [batch.num_rows for batch in vector.batches("net")])


def test_too_little_memory_to_start(network: Path) -> None:
    vector = open_vector(gate_file(network), limits=ChildLimits(memory_mb=32))
    crashes(vector, vector.layers)


def test_out_of_processor_time(network: Path) -> None:
    vector = open_vector(gate_file(network), limits=ChildLimits(cpu_s=1, batch_rows=10))
    crashes(vector, lambda: [sum(batch.num_rows for batch in vector.batches("net")) for _ in range(20)])


def test_batches_left_unread_end_the_child(network: Path) -> None:
    with open_vector(gate_file(network), limits=ChildLimits(batch_rows=1000)) as vector:
        batches = vector.batches("net")
        next(batches)
        pid = pid_of(vector)
        del batches
        assert not is_running(pid)
        assert sum(batch.num_rows for batch in vector.batches("net")) == 300_000


def test_a_forgotten_file_leaves_nothing(network: Path, temporary: Path) -> None:
    vector = open_vector(gate_file(network))
    vector.layers()
    pid = pid_of(vector)
    assert list(temporary.iterdir())
    del vector
    assert not is_running(pid)


def test_a_child_ends_with_its_parent_and_its_folder_is_swept(network: Path, temporary: Path) -> None:
    mine = make_workshop()
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHAN, str(network)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"TMPDIR": str(temporary)},
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert is_running(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + SOON_S
    while is_running(child) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_running(child)
    assert len(list(temporary.iterdir())) == 2
    assert sweep_workshops() == 1
    assert list(temporary.iterdir()) == [mine]
    mine.rmdir()


@pytest.mark.parametrize(
    "deed",
    [
        "time.sleep(600)",
        "while True: pass",
        "os.kill(os.getpid(), signal.SIGSEGV)",
        "sys.exit(0)",
        'sys.stdout.buffer.write(b"garbage" * 1000); sys.stdout.buffer.flush()',
        'frame(b"L", b"not json")',
        'frame(b"L", b"[]")',
        'frame(b"L", b"{}"); frame(b"E")',
        'frame(b"E")',
        'frame(b"?")',
        'sys.stdout.buffer.write(struct.pack(">cI", b"L", 0xFFFFFFFF)); sys.stdout.buffer.flush(); time.sleep(600)',
        'frame(b"L", b"[" * 100000)',
        'subprocess = __import__("subprocess"); subprocess.Popen(["sleep", "600"]); time.sleep(600)',
    ],
)
def test_a_child_that_does_anything_else(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    stub = tmp_path / "stub.py"
    stub.write_text(STUB + deed)
    monkeypatch.setattr(process, "CHILD", [str(stub)])
    vector = open_vector(gate_file(network), limits=ChildLimits(silence_s=1.0))
    crashes(vector, vector.layers)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff\xff\xff\xff" + b"\x7f" * 500])
@pytest.mark.parametrize("kinds", ["S", "SB"])
def test_arrow_that_is_none(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kinds: str, content: bytes
) -> None:
    layer = {"name": "in", "feature_count": 1, "crs": None, "fields": [], "geometry_type": None}
    said = json.dumps({"layers": [layer], "notes": []}).encode()
    stub = tmp_path / "stub.py"
    schema = "import pyarrow as pa; frame(b'S', bytes(pa.schema([pa.field('a', pa.string())]).serialize()))"
    answers = schema if kinds == "SB" else "pass"
    stub.write_text(
        f"{STUB}\nframe(b'L', {said!r}); frame(b'E'); sys.stdin.readline()\n{answers}\nframe(b'{kinds[-1]}', {content!r})"
    )
    monkeypatch.setattr(process, "CHILD", [str(stub)])
    vector = open_vector(gate_file(network), limits=ChildLimits(silence_s=5.0))
    assert [layer.name for layer in vector.layers()] == ["net"]
    crashes(vector, lambda: list(vector.batches("net")))


def test_a_batch_with_offsets_out_of_bounds(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = {"name": "in", "feature_count": 1, "crs": None, "fields": [], "geometry_type": None}
    said = json.dumps({"layers": [layer], "notes": []}).encode()
    stub = tmp_path / "stub.py"
    spoil = (
        "import pyarrow as pa\n"
        "batch = pa.record_batch({'a': pa.array(['abc', 'def'])})\n"
        "frame(b'S', bytes(batch.schema.serialize()))\n"
        "content = bytes(batch.serialize())\n"
        "offsets = struct.pack('<3i', 0, 3, 6)\n"
        "assert offsets in content\n"
        "frame(b'B', content.replace(offsets, struct.pack('<3i', 0, 3, 2**31 - 1)))\n"
    )
    stub.write_text(f"{STUB}\nframe(b'L', {said!r}); frame(b'E'); sys.stdin.readline()\n{spoil}")
    monkeypatch.setattr(process, "CHILD", [str(stub)])
    vector = open_vector(gate_file(network), limits=ChildLimits(silence_s=5.0))
    crashes(vector, lambda: list(vector.batches("net")))


def test_every_layer_of_the_confinement_holds_here(network: Path) -> None:
    """Linux offers all of them; where it does not, the child says so and the others hold."""
    with open_vector(gate_file(network)) as vector:
        vector.layers()
        assert vector._child is not None  # noqa: SLF001
        assert vector._child.held == {"network": True, "files": True, "calls": True}  # noqa: SLF001


def test_a_format_without_layers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    gated = gate_file(path)
    assert gated.format is Format.IMAGE
    with pytest.raises(RefusedError) as refused:
        open_vector(gated)
    assert refused.value.code == "format-not-supported"
