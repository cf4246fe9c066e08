#!/usr/bin/env python3
"""How fast a file is checked: `check_file` against a bare parse of the same file by lxml, in one run on one machine.

    PYTHONPATH=. python benchmarks/check_speed.py [--skip-million]

Prints a table; the exit code is 1 when a target is missed. The ratio is that of the best of three runs each, taken in
turns; memory is the peak of a process that does nothing else.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import shapely
from lxml import etree

from ingest.check import check_file
from ler.model import ANSWER, Feature, load_model
from ler.packages.gml import stream_answer
from ler.settings import Settings
from tests.package_samples import LINE, PIPE

MAX_RATIO: Final = 4.0
MAX_FAULTY_RATIO: Final = 3.0
MAX_MB: Final = 150
MAX_BYTES_A_FEATURE: Final = 64
"""What the peak may grow by from one feature to the next: hashes of identifiers, and nothing else of it."""
FEATURES: Final = 100_000
RUNS: Final = 3

PEAK: Final = """
import sys
from pathlib import Path
from ingest.check import check_file
from ler.settings import Settings
check_file(Path(sys.argv[1]), coverage=Settings().coverage)
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(peak.split()[1]) / 1024)
"""

KINDS: Final[tuple[tuple[str, dict[str, object]], ...]] = (
    ("Vandledning", PIPE),
    ("Elledning", LINE | {"type": "forsyningskabel", "spaendingsniveau": 0.4, "udvendigDiameter": 40.0}),
    ("Afloebsledning", PIPE | {"medietype": "spildevand"}),
    ("Telekommunikationsledning", LINE | {"type": "fiberkabel", "udvendigDiameter": 12.0}),
    ("Vandkomponent", {"driftsstatus": "i drift", "type": "ventil"}),
    ("Elkomponent", {"driftsstatus": "i drift", "type": "muffe"}),
)


def main() -> int:
    """Measure, print, judge."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--skip-million", action="store_true", help="leave out the file of a million features"
    )
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clean, faulty = Path(folder) / "clean.gml", Path(folder) / "faulty.gml"
        write(clean, FEATURES)
        write(faulty, FEATURES, faults=10_000)
        bare_s, check_s, faulty_s = best_of(
            lambda: parse(clean), lambda: check(clean, 0), lambda: check(faulty, 10_000)
        )
        few = peak_mb(clean)
        rows = [
            ("bare parse by lxml, s", bare_s, None),
            ("check, s", check_s, None),
            ("check / bare parse", check_s / bare_s, MAX_RATIO),
            ("10,000 faults / none", faulty_s / check_s, MAX_FAULTY_RATIO),
            (f"peak at {FEATURES:,}, MB", few, MAX_MB),
        ]
        if not chosen.skip_million:
            write(clean, 10 * FEATURES)
            many = peak_mb(clean)
            rows += [
                (f"peak at {10 * FEATURES:,}, MB", many, MAX_MB),
                ("growth, bytes a feature", (many - few) * 2**20 / (9 * FEATURES), MAX_BYTES_A_FEATURE),
            ]
    for name, value, target in rows:
        sys.stdout.write(f"{name:26} {value:8.2f}" + (f"   (at most {target:g})\n" if target else "\n"))
    return int(any(target is not None and value > target for _, value, target in rows))


def write(path: Path, count: int, faults: int = 0) -> None:
    """Write an answer with that many features, every so many of them with a code that is in no list."""
    header = Feature(ANSWER, "svar", {"id": str(uuid.UUID(int=1)), "type": "ledningsoplysninger udleveret"})
    with path.open("wb") as stream:
        stream_answer(stream, header, in_order(count, faults), load_model(), owner=("12345678", "Ejer"))


def in_order(count: int, faults: int) -> Iterator[Feature]:
    """Lines first, as the schema wants them."""
    for lines in (True, False):
        yield from (f for f in features(count, faults) if f.type.endswith("ledning") is lines)


def features(count: int, faults: int) -> Iterator[Feature]:
    """Features of several types along a grid of streets."""
    known = {name: {a.name for a in load_model().types[name].attributes} for name, _ in KINDS}
    for number in range(count):
        name, values = KINDS[number % len(KINDS)]
        gml_id = f"{name}.{uuid.UUID(int=number)}"
        attributes = {key: value for key, value in values.items() if key in known[name]}
        attributes["id"] = str(uuid.UUID(int=number))
        attributes["etableringstidspunkt"] = f"{1950 + number % 70}-{1 + number % 12:02}"
        if faults and number % (count // faults) == 0:
            attributes["driftsstatus"] = "?"
        x, y = 560_000.0 + number % 1000 * 20, 6_200_000.0 + number // 1000 * 20
        steps = [(x + 3.137 * n, y + 1.713 * n, 2.25 + 0.01 * n) for n in range(4 + number % 6)]
        line = name.endswith("ledning")
        geometry = shapely.LineString(steps) if line else shapely.Point(steps[0])
        yield Feature(name, gml_id, attributes, geometry=geometry)  # type: ignore[arg-type]


def best_of(*works: Callable[[], None]) -> list[float]:
    """Seconds of the fastest of several runs of each, in turns."""
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(RUNS):
        for work, taken in zip(works, seconds, strict=True):
            started = time.perf_counter()
            work()
            taken.append(time.perf_counter() - started)
    return [min(taken) for taken in seconds]


def parse(path: Path) -> None:
    """What no reader can do without."""
    for _, element in etree.iterparse(path):
        element.clear()


def check(path: Path, faults: int) -> None:
    """Check the file; it must have exactly these faults."""
    found = check_file(path, coverage=Settings().coverage).findings
    if found.errors < faults or (not faults and found.errors):
        raise SystemExit(f"{found.errors} errors, wanted {faults}: {[str(f) for f in found.kept[:3]]}")


def peak_mb(path: Path) -> float:
    """Peak memory of a process that only checks the file."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
