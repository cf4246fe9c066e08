"""What a process cannot do once it is confined; each deed is tried in a process of its own."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.hostile.listener import Listener

CONFINED: Final = """
import os, socket, subprocess, sys, ctypes
from pathlib import Path
from ingest.child.confinement import confine, limit_resources
from ingest.child.limits import ChildLimits
limit_resources(ChildLimits())
held = confine([Path(sys.argv[1])], Path(sys.argv[2]))
if held.keys() - {"network", "files", "calls"} or not all(held.values()):
    sys.exit("not confined")
"""

ALLOWED: Final = {
    "reading its file": "assert Path(sys.argv[1]).read_text() == 'content'",
    "writing in its folder": "Path(sys.argv[2], 'a').write_text('x')",
    "more memory within its limit": "bytearray(500 << 20)",
}
FORBIDDEN: Final = {
    "another file": "open('/etc/passwd')",
    "a file beside its own": "open(Path(sys.argv[1]).with_name('other'))",
    "changing its file": "open(sys.argv[1], 'a')",
    "writing elsewhere": "open('/tmp/ler-never', 'w')",
    "a socket": "socket.socket(socket.AF_INET)",
    "a local socket": "socket.socket(socket.AF_UNIX)",
    "another program": "os.execv('/bin/true', ['true'])",
    "a child with another program": "subprocess.run(['/bin/true'])",
    "more memory": "bytearray(3 << 30)",
    "new rights": "os.setns(os.open('/proc/self/ns/net', os.O_RDONLY), 0)",
    "looking into its parent": "open(f'/proc/{os.getppid()}/environ')",
}


def run(tmp_path: Path, deed: str) -> subprocess.CompletedProcess[str]:
    place = tmp_path / "work"
    place.mkdir()
    (tmp_path / "other").write_text("secret")
    mine = tmp_path / "in.txt"
    mine.write_text("content")
    return subprocess.run(
        [sys.executable, "-c", CONFINED + deed, str(mine), str(place)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("deed", ALLOWED)
def test_what_it_needs_is_left_to_it(tmp_path: Path, deed: str) -> None:
    assert run(tmp_path, ALLOWED[deed]).returncode == 0


@pytest.mark.parametrize("deed", FORBIDDEN)
def test_the_rest_is_closed(tmp_path: Path, deed: str) -> None:
    done = run(tmp_path, FORBIDDEN[deed])
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(("PermissionError", "MemoryError", "FileNotFoundError"))


def test_gdal_itself_reaches_nobody(tmp_path: Path) -> None:
    """Without any of the switches: the confinement alone holds."""
    listener = Listener()
    deed = f"""
import pyogrio
try:
    pyogrio.read_info('/vsicurl/http://127.0.0.1:{listener.port}/a.geojson')
except Exception as error:
    print(type(error).__name__)
"""
    place, mine = tmp_path / "work", tmp_path / "in.txt"
    place.mkdir()
    mine.write_text("content")
    preloaded = CONFINED.replace("import os,", "import pyogrio, os,")
    done = subprocess.run(
        [sys.executable, "-c", preloaded + deed, str(mine), str(place)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "DataSourceError"
    assert listener.hits == 0
    listener.close()
