"""The switches of the reading process are those of the GDAL that is there, and they work."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pyogrio
import pytest

from ingest.child.environment import DRIVERS, SWITCHES, child_environment
from ingest.gate.formats import Format

OF_PROJ: Final = {"PROJ_NETWORK"}

ASK: Final = "import pyogrio; print(','.join(sorted(pyogrio.list_drivers())))"


def test_gdal_knows_every_switch() -> None:
    (library,) = {
        line.split()[-1]
        for line in Path("/proc/self/maps").read_text().splitlines()
        if "libgdal" in line and "pyogrio" in line
    }
    content = Path(library).read_bytes()
    assert pyogrio.__gdal_version__ >= (3, 12)
    assert {
        name for name in (*SWITCHES, "GDAL_SKIP", "CPL_TMPDIR") if name.encode() not in content
    } <= OF_PROJ


@pytest.mark.parametrize("format_", DRIVERS)
def test_a_process_has_the_one_driver_that_it_needs(format_: Format, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", ASK],
        env=child_environment(format_, tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.strip().split(",")) - {"MEM"} == {DRIVERS[format_]}


def test_nothing_of_the_parents_environment_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LER_DATABASE_URL", "postgresql+psycopg://ler:secret@host/ler")
    environment = child_environment(Format.GEOJSON, tmp_path)
    assert not any("secret" in value for value in environment.values())
    assert "LER_DATABASE_URL" not in environment
