#!/usr/bin/env python3
"""How fast a package is made: all members of 200 and of 5,000 features, with its parts, on one core.

    PYTHONPATH=. python benchmarks/package_speed.py [--repeats 15] [--skip-memory]

Beside it, in turns with it, the fast composition that it is held against: LER GML by a template, a GeoPackage by SQLite,
a plan as vectors by cairo, light compression - and nothing else. Prints a table in ms (p50), and beside it
the processor's time, which a busy machine stretches less; the exit code is 1 when a target is missed: 250 ms and 2.0 s, or
three times the fast composition where that is more, and 1 GB for 100,000 features.
"""

import argparse
import io
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import cairocffi
import shapely

from ler.packages import members, package
from ler.packages.content import OwnerStatus, RequestInfo
from ler.packages.package import write_consolidated_package
from tests.package_samples import sample

TARGETS_MS: Final = {200: 250.0, 5_000: 2_000.0}
FAST_TIMES: Final = 3.0
MANY: Final = 100_000
MAX_MB: Final = 1_000
WARM_UPS: Final = 2
STEPS: Final = {"_write_owner": "owners' own files", "make_manifest": "manifest.json", "_zip": "zip"}
"""Of the assembler, besides its members."""

PEAK: Final = """
import sys, tempfile, time
from pathlib import Path
from ler.packages.package import write_consolidated_package
from tests.package_samples import sample
peak = lambda: next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
request, owners = sample(int(sys.argv[1]))
before = peak()
with tempfile.TemporaryDirectory() as folder:
    started = time.perf_counter()
    made = write_consolidated_package(Path(folder), request, owners)
    print(before / 1024, peak() / 1024, time.perf_counter() - started, made.size_bytes / 2**20)
"""

type Times = dict[str, Taken]


class Taken(NamedTuple):
    """Milliseconds by the clock, and of the processor."""

    wall: float = 0.0
    cpu: float = 0.0

    def plus(self, other: "Taken", sign: int = 1) -> "Taken":
        """Both together."""
        return Taken(self.wall + sign * other.wall, self.cpu + sign * other.cpu)


def now() -> Taken:
    """Both clocks."""
    return Taken(1000 * time.perf_counter(), 1000 * time.process_time())


def together(times: Times) -> Taken:
    """All parts."""
    return Taken(sum(one.wall for one in times.values()), sum(one.cpu for one in times.values()))


def main() -> int:
    """Measure, print, judge."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--repeats", type=int, default=15, help="how often each is made")
    options.add_argument("--skip-memory", action="store_true", help="leave out the package of 100,000")
    chosen = options.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    missed = [measure(count, chosen.repeats) for count in TARGETS_MS]
    if not chosen.skip_memory:
        missed.append(measure_memory())
    return int(any(missed))


def measure(count: int, repeats: int) -> bool:
    """Make packages of that many features in turns with the fast composition; whether the target was missed."""
    request, owners = sample(count)
    ours: list[Times] = []
    fast: list[Times] = []
    for _ in range(WARM_UPS + repeats):
        with tempfile.TemporaryDirectory() as folder:
            ours.append(timed_package(Path(folder), request, owners))
            fast.append(fast_composition(Path(folder), request, owners))
    parts, floor = (p50(times[WARM_UPS:]) for times in (ours, fast))
    whole, fastest = parts["whole"], floor["whole"]
    limit = max(TARGETS_MS[count], FAST_TIMES * fastest.wall)
    say(f"\n{f'{count:,} features':44}{'ms':>9}{'cpu ms':>9}", *rows(parts))
    say("the fast composition", *rows(floor))
    say(f"  {'whole / fast':42}{whole.wall / fastest.wall:9.2f}{whole.cpu / fastest.cpu:9.2f}")
    say(f"  {'target for the whole (at most)':42}{limit:9.1f}")
    return whole.wall > limit


def rows(times: Times) -> Iterator[str]:
    """A line for each part."""
    return (f"  {name:42}{taken.wall:9.1f}{taken.cpu:9.1f}" for name, taken in times.items())


def measure_memory() -> bool:
    """Make a package of very many features in a process of its own; whether the target was missed."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PEAK, str(MANY)], capture_output=True, text=True, check=True
    )
    before, peak, seconds, size = map(float, done.stdout.split())
    say(
        f"\n{MANY:,} features",
        f"  {'peak memory, MB (of it the features)':42}{peak:9.0f}   ({before:.0f}; at most {MAX_MB:,})",
        f"  {'time, s':42}{seconds:9.1f}",
        f"  {'package, MB':42}{size:9.1f}",
    )
    return peak > MAX_MB


def timed_package(folder: Path, request: RequestInfo, owners: Sequence[OwnerStatus]) -> Times:
    """Milliseconds of each part of a package, and of the whole."""
    times: Times = {}
    with _watched(times):
        _timed(times, "whole", write_consolidated_package)(folder, request, owners)
    whole = times.pop("whole")
    return {**times, "other": whole.plus(together(times), -1), "whole": whole}


@contextmanager
def _watched(times: Times) -> Iterator[None]:
    """The assembler with a clock at each of its steps."""
    steps = {step: getattr(package, step) for step in STEPS}
    kept = members.MEMBERS
    watched = tuple(replace(one, write=_timed(times, one.name, one.write)) for one in kept)
    for step, work in steps.items():
        setattr(package, step, _timed(times, STEPS[step], work))
    vars(members)["MEMBERS"] = watched
    try:
        yield
    finally:
        vars(package).update(steps)
        vars(members)["MEMBERS"] = kept


def _timed[**P, R](times: Times, name: str, work: Callable[P, R]) -> Callable[P, R]:
    def clocked(*given: P.args, **named: P.kwargs) -> R:
        started = now()
        try:
            return work(*given, **named)
        finally:
            times[name] = times.get(name, Taken()).plus(now().plus(started, -1))

    return clocked


def p50(times: Sequence[Times]) -> Times:
    """The median of each part."""
    return {
        name: Taken(*(statistics.median(one[name][kind] for one in times) for kind in (0, 1)))
        for name in times[0]
    }


def fast_composition(folder: Path, request: RequestInfo, owners: Sequence[OwnerStatus]) -> Times:
    """The least that may be called a package: what `performance.md` measured as fast."""
    features = [feature for owner in owners for delivery in owner.deliveries for feature in delivery.features]
    shapes = [feature.geometry for feature in features]
    times: Times = {}
    gml = _timed(times, "GML by a template", _template_gml)(features)
    database = _timed(times, "GeoPackage by SQLite", _plain_geopackage)(
        folder / "fast.gpkg", features, shapes
    )
    plan = _timed(times, "plan as vectors by cairo", _plain_plan)(request.area.bounds, shapes)
    _timed(times, "deflate 1", _light_zip)(
        folder / "fast.zip", {"a.gml": gml, "a.gpkg": database, "a.pdf": plan}
    )
    return {**times, "whole": together(times)}


def _template_gml(features: Sequence[Any]) -> bytes:
    written = []
    for number, feature in enumerate(features):
        positions = " ".join(
            map(str, shapely.get_coordinates(feature.geometry, include_z=True).ravel().tolist())
        )
        values = "".join(f"<ler:{name}>{value}</ler:{name}>" for name, value in feature.attributes.items())
        written.append(
            f'<gml:featureMember><ler:{feature.type} gml:id="{feature.gml_id}">{values}<ler:geometri>'
            f'<gml:LineString gml:id="g{number}" srsName="urn:ogc:def:crs:EPSG::7416" srsDimension="3"><gml:posList>'
            f"{positions}</gml:posList></gml:LineString></ler:geometri></ler:{feature.type}></gml:featureMember>\n"
        )
    return "".join(written).encode()


def _plain_geopackage(path: Path, features: Sequence[Any], shapes: Sequence[Any]) -> bytes:
    connection = sqlite3.connect(path)
    connection.executescript(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
        "CREATE TABLE lines (fid INTEGER PRIMARY KEY, geom BLOB, type TEXT, gml_id TEXT, status TEXT, danger TEXT,"
        " accuracy TEXT, vertical TEXT, level TEXT, established TEXT, material TEXT, diameter REAL);"
        "CREATE VIRTUAL TABLE rtree_lines_geom USING rtree(id, minx, maxx, miny, maxy);"
    )
    names = [
        *("driftsstatus", "fareklasse", "noejagtighedsklasse", "noejagtighedsklasseVertikal", "niveau"),
        *("etableringstidspunkt", "udvendigMateriale", "udvendigDiameter"),
    ]
    rows = [
        (b"GP" + wkb, one.type, one.gml_id, *map(one.attributes.get, names))
        for one, wkb in zip(features, shapely.to_wkb(shapes, flavor="iso"), strict=True)
    ]
    connection.executemany("INSERT INTO lines VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    boxes = shapely.bounds(shapes)[:, [0, 2, 1, 3]].tolist()
    connection.executemany(
        "INSERT INTO rtree_lines_geom VALUES (?, ?, ?, ?, ?)", ((n, *box) for n, box in enumerate(boxes, 1))
    )
    connection.commit()
    connection.close()
    return path.read_bytes()


def _plain_plan(bounds: Sequence[float], shapes: Sequence[Any]) -> bytes:
    west, south, east, north = bounds
    target = io.BytesIO()
    surface = cairocffi.PDFSurface(target, 842, 595)
    context = cairocffi.Context(surface)
    scale = min(842 / (east - west), 595 / (north - south))
    for shape in shapes:
        for part in getattr(shape, "geoms", (shape,)):
            (first, *rest) = ((shapely.get_coordinates(part) - (west, south)) * scale).tolist()
            context.move_to(*first)
            for step in rest or [first]:
                context.line_to(*step)
        context.stroke()
    surface.finish()
    return target.getvalue()


def _light_zip(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def say(*lines: str) -> None:
    """Print lines."""
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
