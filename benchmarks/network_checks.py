#!/usr/bin/env python3
"""How long the checks of whole networks take, and whether they find exactly the faults that were put in.

    python benchmarks/network_checks.py [--sizes 100000 1000000]

Makes a town of streets with parallel water, gas, sewer, power and telecommunication lines, components, ducts and traces
with cables in them, and service lines; stages it in a private cluster; runs `check_network` as the owner. Prints seconds
of each rule and size, and the growth; the exit code is 1 when a target is missed or a fault is.
"""

import argparse
import json
import math
import os
import struct
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import text

from geoapi.cluster import Cluster
from ingest.findings import Findings
from ingest.network_checks import check_network
from ingest.network_checks.rules import PREPARATIONS, RULES
from ingest.quality import measure_quality
from ler.db.engine import create_engine, transaction
from ler.db.migrate import migrate
from ler.model import load_model

MAX_SECONDS: Final = 300.0
MAX_GROWTH: Final = 12.0
FAULTS: Final = 50
"""How many of each kind are put in, at every size."""

STREET_M: Final = 60.0
STEP_M: Final = 15.0
"""Between two vertices of a line along a street."""
ACROSS_M: Final = 45.0
WEST, SOUTH = 560_000.0, 6_190_000.0
TURN: Final = math.radians(23.0)
"""Streets run askew, so that boxes of lines are as large as they are in towns."""

type Point = tuple[float, float]
type Row = tuple[str, str, str | None, dict[str, object], bytes | None]
"""Type, gml:id, utility type, attributes, EWKB."""


def bend(x: float) -> float:
    """How far streets swing to the side: straight between vertices, so that what lies between two lies on the line."""
    before = math.floor(x / STEP_M) * STEP_M
    share = (x - before) / STEP_M
    return 1.5 * ((1 - share) * math.sin(before / 40.0) + share * math.sin((before + STEP_M) / 40.0))


class Block:
    """One street block: gives places along and across its street, and makes its rows."""

    def __init__(self, number: int, columns: int, blocks: int) -> None:
        self.number = number
        self.column, self.row = number % columns, number // columns
        self.last = self.column == columns - 1 or number == blocks - 1
        self.rows: list[Row] = []

    def name(self, what: str, column: int = 0) -> str:
        """A gml:id of this block, or of the one `column` further along the street."""
        return f"{what}-{self.number + column}"

    def at(self, along: float, across: float) -> Point:
        """A place, metres along the street and to its side, to the millimetre."""
        x = self.column * STREET_M + along
        y = self.row * ACROSS_M + across + bend(x)
        return (
            round(WEST + x * math.cos(TURN) - y * math.sin(TURN), 3),
            round(SOUTH + x * math.sin(TURN) + y * math.cos(TURN), 3),
        )

    def line(
        self, kind: str, gml_id: str, utility: str, places: Iterable[Point] | None, **more: object
    ) -> None:
        """Add a line through the places, or one without a place."""
        geometry = None if places is None else line_ewkb([(x, y, 12.5) for x, y in places])
        self.rows.append((kind, gml_id, utility, {**more}, geometry))

    def along(
        self, across: float, start: float = 0.0, end: float = STREET_M, step: float = STEP_M
    ) -> list[Point]:
        """Places along the street at a distance to its side."""
        count = max(1, round((end - start) / step))
        return [self.at(start + (end - start) * n / count, across) for n in range(count + 1)]

    def part(self, kind: str, gml_id: str, utility: str, place: Point, **more: object) -> None:
        """Add a component at a place."""
        self.rows.append((kind, gml_id, utility, {**more}, point_ewkb((*place, 12.5))))


def line_ewkb(points: list[tuple[float, float, float]]) -> bytes:
    """EWKB of a LineString Z in EPSG:25832."""
    flat = [number for point in points for number in point]
    return struct.pack(f"<BIII{len(flat)}d", 1, 0xA0000002, 25832, len(points), *flat)


def point_ewkb(point: tuple[float, float, float]) -> bytes:
    """EWKB of a Point Z in EPSG:25832."""
    return struct.pack("<BII3d", 1, 0xA0000001, 25832, *point)


def fill(block: Block) -> None:
    """Lay what lies in every street: 21 features."""
    block.line("Vandledning", block.name("water"), "vand", block.along(2.0), udvendigDiameter=110.0)
    block.part(
        "Vandkomponent",
        block.name("valve"),
        "vand",
        block.at(0, 2.0),
        type="ventil",
        tilknyttetLedning=[block.name("water")],
    )
    block.line("Gasledning", block.name("gas"), "gas", block.along(3.0), type="distributionsledning")
    block.part(
        "Afloebskomponent",
        block.name("well"),
        "afløb",
        block.at(0, 0),
        type="brønd",
        bunddiameterbredde=1250.0,
    )
    sewer = {"startkomponent": block.name("well"), "medietype": "spildevand"}
    if not block.last:
        sewer["slutkomponent"] = block.name("well", 1)
    block.line("Afloebsledning", block.name("sewer"), "afløb", block.along(0.0, step=60.0), **sewer)
    block.part("Elkomponent", block.name("cabinet"), "el", block.at(0, 5.0), type="kabelskab")
    power = {"startkomponent": block.name("cabinet"), "type": "forsyningskabel", "liggerILedning": False}
    if not block.last:
        power["slutkomponent"] = block.name("cabinet", 1)
    block.line("Elledning", block.name("power"), "el", block.along(5.0), **power)
    cables = [block.name("fibre"), block.name("copper")]
    block.line(
        "Foeringsroer",
        block.name("duct"),
        "telekommunikation",
        block.along(-4.0),
        udvendigDiameter=50.0,
        forsyningsart=["telekommunikation"],
        indeholdtLedning=cables,
        indeholderLedninger=True,
    )
    block.line(
        "Telekommunikationsledning",
        cables[0],
        "telekommunikation",
        block.along(-3.98, 1.0, 59.0),
        type="fiberkabel",
        liggerILedning=True,
    )
    block.line(
        "Telekommunikationsledning",
        cables[1],
        "telekommunikation",
        None,
        type="kobberkabel",
        liggerILedning=True,
    )
    block.line(
        "Ledningstrace",
        block.name("trace"),
        "el",
        block.along(6.5),
        bredde=600.0,
        forsyningsart=["el"],
        indeholdtLedning=[block.name("light")],
    )
    block.line("Elledning", block.name("light"), "el", block.along(6.6, 1.0, 59.0), type="vejbelysningskabel")
    for number, house in enumerate((12.0, 28.0, 44.0)):
        block.line(
            "Vandledning",
            block.name(f"tap{number}"),
            "vand",
            [block.at(house, 2.0), block.at(house, 9.0), block.at(house + 0.4, 14.0)],
        )
        side = 4.8 - 0.3 * number
        block.line(
            "Elledning",
            block.name(f"service{number}"),
            "el",
            [block.at(0, 5.0), *block.along(side, 2.0, house + 2), block.at(house + 2, 15.0)],
            type="stikkabel",
            startkomponent=block.name("cabinet"),
        )
    block.part(
        "Elkomponent",
        block.name("lamp"),
        "el",
        block.at(30.0, 6.6),
        type="belysningsarmatur",
        tilknyttetLedning=[block.name("light")],
    )
    block.line(
        "Telekommunikationsledning",
        block.name("coax"),
        "telekommunikation",
        block.along(-6.0),
        type="coaxkabel",
    )
    block.part(
        "Telekommunikationskomponent", block.name("box"), "telekommunikation", block.at(0, -6.0), type="skab"
    )
    block.line("TermiskLedning", block.name("heat"), "fjernvarme/fjernkøling", block.along(-8.0))


def spoil(block: Block, code: str) -> None:  # noqa: C901, PLR0912 - one case a rule
    """Put one fault into the free ground of a block; it breaks no other rule."""
    left, right = block.at(20.0, -14.0), block.at(30.0, -14.0)
    kind, utility = "Olieledning", "olie"
    odd, other = block.name("odd"), block.name("other")
    match code:
        case "reference-unresolved":
            block.line(kind, odd, utility, [left, right], bilag=["nowhere"])
        case "reference-wrong-type":
            block.line(kind, odd, utility, [left, right], startkomponent=block.name("water"))
        case "line-zero-length":
            block.line(kind, odd, utility, [left, left])
        case "line-outside-container":
            block.line(
                "Foeringsroer", other, utility, [left, right], indeholdtLedning=[odd], udvendigDiameter=200.0
            )
            block.line(kind, odd, utility, [left, block.at(25.0, -14.5), right])
        case "line-outside-duct-height":
            block.line(
                "Foeringsroer", other, utility, [left, right], indeholdtLedning=[odd], udvendigDiameter=200.0
            )
            block.rows.append((kind, odd, utility, {}, line_ewkb([(*left, 9.0), (*right, 12.5)])))
        case "component-apart-from-line-end":
            block.line(kind, odd, utility, [left, right], startkomponent=other)
            block.part("Oliekomponent", other, utility, block.at(20.0, -15.0), type="ventil")
        case "connected-line-apart":
            block.part(
                "Oliekomponent", odd, utility, block.at(20.0, -17.0), type="ventil", tilknyttetLedning=[other]
            )
            block.line(kind, other, utility, [left, right])
        case "container-utility-differs":
            block.line(
                "Foeringsroer", odd, "el", [left, right], forsyningsart=["el"], indeholdtLedning=[other]
            )
            block.line(kind, other, utility, None)
        case "container-flag-differs":
            block.line(
                "Foeringsroer",
                odd,
                utility,
                [left, right],
                indeholdtLedning=[other],
                indeholderLedninger=False,
            )
            block.line(kind, other, utility, None)
        case "line-in-several-ducts":
            block.line("Foeringsroer", block.name("first"), utility, [left, right], indeholdtLedning=[odd])
            block.line(
                "Foeringsroer", other, utility, [block.at(20, -16), block.at(30, -16)], indeholdtLedning=[odd]
            )
            block.line(kind, odd, utility, None)
        case "line-crosses-itself":
            block.line(kind, odd, utility, [left, right, block.at(26.0, -12.0), block.at(25.0, -16.0)])
        case "line-spike":
            block.line(kind, odd, utility, [left, right, block.at(29.0, -13.99), block.at(29.0, -13.0)])
        case "duplicate-content":
            for name in (odd, other):
                block.line(kind, name, utility, [left, right])
        case "duplicate-geometry":
            block.line(kind, odd, utility, [left, right], tryk=3.0)
            block.line(kind, other, utility, [right, left], tryk=4.0)
        case "lines-overlap":
            block.line(kind, odd, utility, [left, right])
            block.line(
                kind, other, utility, [block.at(23.0, -12.0), block.at(24.0, -14.0), right, block.at(31, -13)]
            )
        case "line-end-gap":
            block.line(kind, odd, utility, [left, right])
            block.line(kind, other, utility, [block.at(24.0, -14.05), block.at(24.0, -18.0)])
        case _:
            raise ValueError(code)


def network(size: int, faults: int) -> Iterator[Row]:
    """About `size` features, with `faults` of each kind spread over the town."""
    codes = [rule.code for rule in RULES for _ in range(faults)]
    blocks = (size - 2 * len(codes)) // 21
    columns = max(1, round(math.sqrt(blocks)))
    step = blocks // len(codes)
    for number in range(blocks):
        block = Block(number, columns, blocks)
        fill(block)
        turn, rest = divmod(number, step)
        if not rest and turn < len(codes):
            spoil(block, codes[turn])
        yield from block.rows


def stage(connection: psycopg.Connection[Any], rows: Iterable[Row]) -> tuple[uuid.UUID, uuid.UUID, int]:
    """Copy the rows into `ler.staged_feature` as a version of a new owner; return owner, version and how many."""
    owner, dataset, version = (uuid.uuid4() for _ in range(3))
    connection.execute(
        "INSERT INTO ler.organisation (id, cvr, name) VALUES (%s, '12345678', 'Ejer')", [owner]
    )
    connection.execute(
        "INSERT INTO ler.network_dataset (id, owner_id, name) VALUES (%s, %s, 'network')", [dataset, owner]
    )
    connection.execute(
        "INSERT INTO ler.network_version"
        " (id, dataset_id, owner_id, number, source_name, source_sha256, model_version)"
        " VALUES (%s, %s, %s, 1, 'x.gml', repeat('0', 64), '2.2.0')",
        [version, dataset, owner],
    )
    columns = (
        *("version_id", "owner_id", "seq", "line", "content_hash", "feature_type", "gml_id", "utility_type"),
        *("attributes", "voids", "geom", "horizontal_accuracy", "vertical_accuracy", "established"),
    )
    known = ("<= 0.25 m", "<= 0.25 m", "1995")
    count = 0
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ler.staged_feature ({', '.join(columns)}) FROM STDIN") as copy,
    ):
        for count, (kind, gml_id, utility, attributes, geometry) in enumerate(rows, start=1):
            place = geometry and geometry.hex()
            told = json.dumps(attributes), "{}", place, *known
            copy.write_row((version, owner, count, count, version, kind, gml_id, utility, *told))
    return owner, version, count


class Clock:
    """Seconds of each step of a run, by the clock and of the database's processor, which others' work disturbs less."""

    def __init__(self, backend: int) -> None:
        self.seconds: dict[str, tuple[float, float]] = {}
        self._stat = Path(f"/proc/{backend}/stat")
        self._step, self._since = "", (0.0, 0.0)

    def turn_to(self, step: str) -> None:
        """End one step and begin another."""
        ticks = self._stat.read_text().rpartition(")")[2].split()[11:13]
        now = time.perf_counter(), sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
        if self._step:
            self.seconds[self._step] = now[0] - self._since[0], now[1] - self._since[1]
        self._step, self._since = step, now

    @property
    def total(self) -> tuple[float, float]:
        """Seconds of all steps."""
        clock, processor = zip(*self.seconds.values(), strict=True)
        return sum(clock), sum(processor)


def measure(cluster: Cluster, size: int) -> tuple[int, Clock, bool]:
    """Stage a network of that size and check it; return its size, the clock, and whether all faults were found."""
    name = f"bench_{size}"
    cluster.drop_database(name)
    cluster.ensure_database(name)
    migrate(cluster.url(name))
    with psycopg.connect(
        host=str(cluster.socket_dir), dbname=name, user="postgres", autocommit=True
    ) as admin:
        owner, version, count = stage(admin, network(size, FAULTS))
    findings = Findings()
    engine = create_engine(cluster.url(name, "ler_app"))
    with transaction(engine, owner) as connection:
        clock = Clock(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
        check_network(connection, version, findings, load_model(), watch=clock.turn_to)
        clock.turn_to("quality")
        measure_quality(connection, version)
        clock.turn_to("")
    engine.dispose()
    cluster.drop_database(name)
    found = {code: number for (_, code), number in findings.counts.items()}
    wanted = {rule.code: FAULTS for rule in RULES}
    for code in sorted(found.keys() | wanted.keys()):
        if found.get(code) != wanted.get(code):
            sys.stdout.write(f"{count:,}: {code}: {found.get(code, 0)} found, {wanted.get(code, 0)} put in\n")
    return count, clock, found == wanted


def report(runs: Mapping[int, Clock]) -> None:
    """Print the seconds of each step at each size, by the clock and of the processor, and how much the latter grew."""
    titles = "".join(f"{f'{size:,}':>12}{'cpu':>9}" for size in runs)
    sys.stdout.write(f"{'step':32}{titles}{'growth':>9}\n")
    steps = (*PREPARATIONS, *(rule.code for rule in RULES), "quality")
    rows = {step: [clock.seconds[step] for clock in runs.values()] for step in steps}
    for step, taken in {**rows, "all": [clock.total for clock in runs.values()]}.items():
        first, last = taken[0][1], taken[-1][1]
        growth = f"{last / first:9.1f}" if first else f"{'-':>9}"
        figures = "".join(f"{clock:12.2f}{processor:9.2f}" for clock, processor in taken)
        sys.stdout.write(f"{step:32}{figures}{growth}\n")


def main() -> int:
    """Measure, print, judge."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--sizes", type=int, nargs="+", default=[100_000, 1_000_000], help="numbers of features"
    )
    chosen = options.parse_args()
    runs: dict[int, Clock] = {}
    complete = True
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder) / "cluster", durable=False)
        cluster.start()
        try:
            for size in chosen.sizes:
                count, clock, all_found = measure(cluster, size)
                runs[count] = clock
                complete &= all_found
        finally:
            cluster.stop()
    report(runs)
    sizes, totals = list(runs), [clock.total for clock in runs.values()]
    growth = totals[-1][1] / totals[0][1] / (sizes[-1] / sizes[0] / 10)
    found = "all found, no others" if complete else "MISSED"
    sys.stdout.write(
        f"{totals[-1][0]:.0f} s for {sizes[-1]:,} (at most {MAX_SECONDS:g}); growth for ten times as many {growth:.1f}"
        f" (at most {MAX_GROWTH:g}); faults: {found}\n"
    )
    return int(totals[-1][0] > MAX_SECONDS or growth > MAX_GROWTH or not complete)


if __name__ == "__main__":
    sys.exit(main())
