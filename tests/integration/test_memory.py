"""Reading a large file takes constant memory."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.answers import VALVE, WATER, answer

FEATURES: Final = 200_000
LIMIT_MB: Final = 300

READ: Final = """
import sys
from pathlib import Path
from tests.answers import reader
made = reader(Path(sys.argv[1]))
count = sum(1 for _ in made)
# Not getrusage: its peak is that of the process that started this one.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(count, made.findings.errors, int(peak.split()[1]) // 1024)
"""


def test_200_000_features_are_read_in_less_than_300_mb(tmp_path: Path) -> None:
    path = tmp_path / "large.gml"
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
            stream.writelines(member.format(n) + "\n" for n in range(FEATURES // 2))
        stream.write(tail)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    count, errors, megabytes = map(int, done.stdout.split())
    assert (count, errors) == (FEATURES, 0)
    assert megabytes < LIMIT_MB
