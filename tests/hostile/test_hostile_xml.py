"""Files made to harm: each is refused by name within a second and 200 MB, and nothing is fetched or read besides.

Rows of the catalogue of hostile input are named in the cases; 19-44 concern other formats.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.answers import VALVE, WATER, answer
from tests.hostile.listener import Listener
from tests.hostile.xml_cases import CASES, changed, positions

LIMIT_S: Final = 1.0
LIMIT_MB: Final = 200

CHECK: Final = """
import json, sys, time
from pathlib import Path
from ingest.check import check_file
from ler.errors import RefusedError
from tests.answers import COVERAGE, answer
warm = Path(sys.argv[2])
warm.write_text(answer(), encoding="utf-8")
check_file(warm, coverage=COVERAGE)
started = time.process_time()
try:
    found = [f.code for f in check_file(Path(sys.argv[1]), coverage=COVERAGE).findings.kept]
except RefusedError as refused:
    found = [refused.code]
seconds = time.process_time() - started
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(json.dumps([found, seconds, int(peak.split()[1]) // 1024]))
"""
"""The time is the processor time of the check alone, the memory that of the whole process."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def check(folder: Path, content: str | bytes) -> tuple[list[str], float, int]:
    path = folder / "hostile.gml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", CHECK, str(path), str(folder / "warm.gml")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert path.read_bytes() == before
    found, seconds, megabytes = json.loads(done.stdout)
    return found, seconds, megabytes


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_file_is_refused_by_name_fast_and_in_little_memory(
    tmp_path: Path, listener: Listener, case: str
) -> None:
    make, code = CASES[case]
    found, seconds, megabytes = check(tmp_path, make(f"http://127.0.0.1:{listener.port}/x"))
    assert code in found
    assert seconds < LIMIT_S
    assert megabytes < LIMIT_MB
    assert listener.hits == 0


def test_a_schema_location_is_never_fetched(tmp_path: Path, listener: Listener) -> None:
    where = (
        f'xsi:schemaLocation="http://data.gov.dk/schemas/LER/2/gml http://127.0.0.1:{listener.port}/x.xsd"'
    )
    found, _, _ = check(tmp_path, changed('gml:id="svar.1"', f'gml:id="svar.1" {where}'))
    assert found == []
    assert listener.hits == 0


def test_utf_16_with_its_mark_is_read(tmp_path: Path) -> None:
    found, _, _ = check(tmp_path, answer().replace("UTF-8", "UTF-16").encode("utf-16"))
    assert found == []


def test_a_line_that_crosses_itself_is_no_fault(tmp_path: Path) -> None:
    crossing = "575000 6224000 1 575010 6224010 1 575010 6224000 1 575000 6224010 1"
    assert check(tmp_path, positions(crossing))[0] == []


def test_words_of_gdal_in_a_value_are_only_text(tmp_path: Path, listener: Listener) -> None:
    text = f"<ler:sikkerhedshensyn>/vsicurl/http://127.0.0.1:{listener.port}/</ler:sikkerhedshensyn>"
    named = WATER.replace("<ler:geometri>", f"{text}<ler:geometri>")
    assert check(tmp_path, answer(named, VALVE))[0] == []
    assert listener.hits == 0
