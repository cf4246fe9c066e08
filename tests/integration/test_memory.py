"""Checking a large file takes little more memory than checking a small one."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.answers import VALVE, WATER, answer

FEW: Final = 20_000
MANY: Final = 200_000
LIMIT_MB: Final = 150
LIMIT_RATIO: Final = 1.3
LIMIT_BYTES_A_FEATURE: Final = 64
"""Three hashes of identifiers, and one and a number of each reference: 36; and what the allocator rounds up."""

CHECK: Final = """
import sys
from pathlib import Path
from ingest.check import check_file
from tests.answers import COVERAGE
result = check_file(Path(sys.argv[1]), coverage=COVERAGE)
# Not getrusage: its peak is that of the process that started this one.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(sum(result.feature_counts.values()), result.findings.errors, int(peak.split()[1]))
"""


def write(path: Path, count: int) -> None:
    """Lines that each refer to a component, which comes half a file later."""
    head, tail = answer("@").split("@")
    water = (
        WATER.replace("\n", "")
        .replace("vand.1", "vand.{0}")
        .replace("#ventil.1", "#ventil.{0}")
        .replace("g1", "g.{0}")
    )
    valve = VALVE.replace("\n", "").replace("ventil.1", "ventil.{0}").replace("g2", "h.{0}")
    with path.open("w", encoding="utf-8") as stream:
        stream.write(head)
        for member in (water, valve):
            stream.writelines(member.format(n) + "\n" for n in range(count // 2))
        stream.write(tail)


def peak_kb(path: Path, count: int) -> int:
    write(path, count)
    done = subprocess.run(
        [sys.executable, "-c", CHECK, str(path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    checked, errors, kilobytes = map(int, done.stdout.split())
    assert (checked, errors) == (count, 0)
    return kilobytes


def test_memory_hardly_grows_from_20_000_features_to_200_000(tmp_path: Path) -> None:
    path = tmp_path / "large.gml"
    few, many = peak_kb(path, FEW), peak_kb(path, MANY)
    assert many < LIMIT_MB << 10
    assert many / few < LIMIT_RATIO
    assert (many - few) * 1024 / (MANY - FEW) < LIMIT_BYTES_A_FEATURE
