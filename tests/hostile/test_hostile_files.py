"""Every hostile file gets its answer: by name, at once, in little memory; nothing is fetched, nothing stays, and the
next owner is served.

The catalogue's rows stand in `xml_cases` and `file_cases`. What the gate lets through is read to its end.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from ingest.check import check_file
from ingest.gate.formats import Format, GatedFile
from ingest.gate.gate import gate_file
from ingest.readers.vector import FAULT, NOTE, open_vector
from ler.errors import RefusedError
from tests.answers import COVERAGE
from tests.hostile import samples
from tests.hostile.file_cases import ACCEPTED, CASES, Case
from tests.hostile.listener import Listener

LIMIT_MB: Final = 200

MEASURE: Final = """
import json, sys
from pathlib import Path
from ingest.gate.gate import gate_file
from ler.errors import RefusedError
try:
    gate_file(Path(sys.argv[1]))
    found = ""
except RefusedError as refused:
    found = refused.code
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(json.dumps([found, int(peak.split()[1]) // 1024]))
"""


@pytest.fixture
def no_network_hits() -> Iterator[str]:
    """The address of somebody who listens; nobody has called when the test is over, and he did hear."""
    listener = Listener()
    yield f"http://127.0.0.1:{listener.port}/x"
    assert listener.hits == 0
    listener.hear_yourself()
    assert listener.hits == 1
    listener.close()


@pytest.fixture
def nothing_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for the file; the folder for temporary files is empty when the test is over, and the file as it was."""
    temporary, place = tmp_path / "tmp", tmp_path / "in"
    temporary.mkdir()
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield place
    assert list(temporary.iterdir()) == []


class Service:
    """Reads files as an upload does, and knows whether it came to reading them."""

    def __init__(self) -> None:
        self.past_gate = False

    def read(self, path: Path) -> set[str]:
        """Read a file to its end and give every code that it gets."""
        self.past_gate = False
        try:
            gated = gate_file(path)
            self.past_gate = True
            return codes_in(gated)
        except RefusedError as refused:
            return {refused.code}


@pytest.fixture
def service_alive_after(nothing_stored: Path) -> Iterator[Service]:
    """Reads the hostile file; then a good one passes the gate in the same process, and is read if that one was."""
    service = Service()
    yield service
    path = nothing_stored / "good.csv"
    path.write_text(samples.csv_text("1,a,POINT (575000 6224000)"))
    if service.past_gate:
        assert service.read(path) == set()
    assert gate_file(path).format is Format.CSV


def codes_in(gated: GatedFile) -> set[str]:
    if gated.format is Format.LER_GML:
        return {finding.code for finding in check_file(gated.path, coverage=COVERAGE).findings.kept}
    with open_vector(gated) as vector:
        codes = {note.code for note in vector.notes}
        for layer in vector.layers():
            for batch in vector.batches(layer.name):
                codes |= {code for name in (FAULT, NOTE) for code in batch.column(name).to_pylist() if code}
    return codes


def put(case: Case, folder: Path, url: str) -> Path:
    path = folder / case.name
    content = case.make(url)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for ending in case.beside:
        path.with_name(path.name + ending).write_bytes(b"x")
    return path


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_a_hostile_file_gets_its_answer(
    case: Case, nothing_stored: Path, no_network_hits: str, service_alive_after: Service
) -> None:
    path = put(case, nothing_stored, no_network_hits)
    before = path.read_bytes()
    started = time.process_time()
    found = service_alive_after.read(path)
    took = time.process_time() - started
    assert case.code in found if case.code != ACCEPTED else found == set()
    assert took < case.limit_s
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.memory], ids=[case.id for case in CASES if case.memory]
)
def test_the_gate_takes_little_memory(case: Case, nothing_stored: Path, no_network_hits: str) -> None:
    path = put(case, nothing_stored, no_network_hits)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found, megabytes = json.loads(done.stdout)
    assert found == case.code
    assert megabytes < LIMIT_MB


def test_a_name_of_gdals_is_only_a_path(no_network_hits: str) -> None:
    for name in (
        f"/vsicurl/{no_network_hits}.gpkg",
        f"WFS:{no_network_hits}",
        "PG:host=127.0.0.1",
        "..\\..\\a.gpkg",
    ):
        with pytest.raises(RefusedError, match="No such file") as refused:
            gate_file(Path(name))
        assert refused.value.code == "file-missing"
