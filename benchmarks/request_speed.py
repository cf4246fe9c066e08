#!/usr/bin/env python3
"""How long it takes from sending a request to its complete package: 10 central owners, 200 features, one worker.

    python benchmarks/request_speed.py [--requests 40] [--busy]

Over HTTP with processes as in production: `ler serve` and one `ler worker` on a durable cluster of their own in a
temporary folder. A request is sent, its packages are looked for every 20 ms until all owners have answered and the
consolidated package is there, and that is downloaded. `--busy` has a large network checked by the same worker meanwhile.
Prints a table with its parts; the exit code is 1 when a target is missed.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import psycopg
import shapely
from shapely import MultiPolygon, Polygon, box

from geoapi.cluster import Cluster
from ingest.load import publish_network
from ler.blobs import FolderStore
from ler.db.engine import create_engine, transaction
from ler.db.migrate import migrate
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.access import Scope
from ler.domain.roles import Role
from ler.model import ANSWER, Feature
from ler.packages.gml import Answer, write_answer
from ler.packages.package import write_consolidated_package, write_owner_package
from ler.services.deliveries import list_owner_statuses
from ler.services.grants import grant_role
from ler.services.registry import get_owner, register_interest_area, register_owner
from ler.services.requests import get_request
from ler.services.tokens import create_token
from ler.settings import Settings

OWNERS: Final = 10
FEATURES: Final = 20
"""Of each owner in each area."""
AREAS: Final = 20
MAX_P50_S: Final = 1.0
MAX_P95_S: Final = 3.0
LOOK_EVERY_S: Final = 0.02
PATIENCE_S: Final = 60.0
BUSY_FEATURES: Final = 60_000
SETTINGS: Final = Settings()
WEST, SOUTH = 575_000, 6_224_000

PIPE: Final = {
    "driftsstatus": "i drift",
    "etableringstidspunkt": "1990",
    "fareklasse": "ikke farlig",
    "noejagtighedsklasse": "<= 0.50 m",
    "noejagtighedsklasseVertikal": "<= 0.50 m",
    "tvaersnitsform": "cirkulær",
}


def main() -> int:
    """Measure, print, judge."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--requests", type=int, default=40, help="how many are sent, one after the other")
    options.add_argument("--busy", action="store_true", help="while the worker checks a large upload")
    chosen = options.parse_args()
    with platform() as bench:
        for number in range(2):  # the first calls warm plans and imports up
            measure(bench, number)
        if chosen.busy:
            bench.upload_something_large()
        asked = [measure(bench, number) for number in range(chosen.requests)]
        parts = parts_of(bench)
    return tell(asked, parts)


@dataclass(frozen=True)
class Timed:
    """Seconds from sending a request until each step was done."""

    receipt: float
    package: float
    owners: float
    downloaded: float
    features: int


@dataclass
class Bench:
    """A platform with owners, and one who asks."""

    folder: Path
    url: str
    http: httpx.Client
    owner_token: str
    databases: dict[str, Any]

    def upload_something_large(self) -> None:
        """Give the worker something to check that takes longer than all that is measured."""
        owner = httpx.Client(
            base_url=self.http.base_url, headers={"Authorization": f"Bearer {self.owner_token}"}, timeout=60
        )
        path = self.folder / "large.gml"
        write(
            path,
            "20000000",
            [pipe(f"large-{n}", WEST + n % 400, SOUTH - 5000 + n // 400) for n in range(BUSY_FEATURES)],
        )
        content = path.read_bytes()
        body = {"file_name": "large.gml", "size": len(content)}
        announced = owner.post("/api/v1/uploads", json=body, headers={"Idempotency-Key": uuid4().hex})
        address = announced.headers["Location"]
        owner.put(f"{address}/content", content=content).raise_for_status()
        while owner.get(address).json()["state"] != "checking":
            time.sleep(0.05)


def measure(bench: Bench, number: int) -> Timed:
    """Send one request and wait for its complete package."""
    day = date.today() + timedelta(days=7)  # noqa: DTZ011 - any day that lies ahead
    body = {
        "area": shapely.geometry.mapping(area(number % AREAS)),
        "period_from": day.isoformat(),
        "period_to": (day + timedelta(days=7)).isoformat(),
        "purpose": "Ny stikledning",
        "no_order_reference": True,
    }
    began = time.perf_counter()
    sent = bench.http.post("/api/v1/requests", json=body, headers={"Idempotency-Key": uuid4().hex})
    receipt = time.perf_counter() - began
    if sent.status_code != httpx.codes.CREATED:
        raise SystemExit(sent.text)
    address = sent.headers["Location"]
    package: dict[str, Any] | None = None
    made = owners = 0.0
    while not owners:
        if time.perf_counter() - began > PATIENCE_S:
            raise SystemExit("the package did not come")
        found = bench.http.get(f"{address}/packages").json()
        now = time.perf_counter() - began
        package = next((one for one in found["packages"] if one["kind"] == "consolidated"), None)
        made = made or (now if package else 0.0)
        owners = now if package and not found["being_made"] else 0.0
        time.sleep(0 if owners else LOOK_EVERY_S)
    if package is None or not package["complete"]:
        raise SystemExit("the package is not complete")
    started = time.perf_counter()
    bench.http.get(package["file"]).raise_for_status()
    return Timed(receipt, made, owners, time.perf_counter() - started, package["feature_count"])


def parts_of(bench: Bench) -> dict[str, float]:
    """Seconds that the worker's steps take by themselves, for the last request; best of five."""
    with psycopg.connect(bench.url.replace("+psycopg", "")) as connection:
        row = connection.execute(
            "SELECT id FROM ler.excavation_request ORDER BY order_number DESC LIMIT 1"
        ).fetchone()
    request_id = row[0] if row else None
    worker = bench.databases["worker"]
    store = FolderStore(bench.folder / "parts")
    best: dict[str, float] = {}

    def timed(name: str, began: float) -> float:
        now = time.perf_counter()
        best[name] = min(best.get(name, now - began), now - began)
        return now

    for _ in range(5):
        at = time.perf_counter()
        with transaction(worker, None, request=request_id) as connection:
            request = get_request(connection, request_id)
            owners = list_owner_statuses(connection, request_id, store)
        at = timed("read from the database", at)
        with store.workshop() as folder:
            package = write_consolidated_package(folder, request, owners)
            at = timed("write the consolidated package", at)
            store.put(package.path)
            at = timed("keep it", at)
            for owner in owners:
                write_owner_package(folder, request, owner)
            timed(f"write {len(owners)} owners' packages", at)
    return best


def tell(asked: list[Timed], parts: dict[str, float]) -> int:
    """Print the table; 1 when a target is missed."""
    say = sys.stdout.write
    say(
        f"{len(asked)} requests, {OWNERS} central owners, {min(one.features for one in asked)} features each\n"
    )
    rows = {
        "POST answered with the receipt": [one.receipt for one in asked],
        "consolidated package complete": [one.package for one in asked],
        "every owner's own package made too": [one.owners for one in asked],
        "download of the package": [one.downloaded for one in asked],
    }
    say(f"{'':38}{'p50':>8}{'p95':>8}{'max':>8}  s\n")
    for name, values in rows.items():
        say(f"{name:38}{p(values, 50):8.3f}{p(values, 95):8.3f}{max(values):8.3f}\n")
    for name, seconds in parts.items():
        say(f"  {name:36}{seconds:8.3f}\n")
    complete = rows["consolidated package complete"]
    missed = p(complete, 50) > MAX_P50_S or p(complete, 95) > MAX_P95_S
    say(
        f"targets: p50 at most {MAX_P50_S:g} s, p95 at most {MAX_P95_S:g} s: {'MISSED' if missed else 'met'}\n"
    )
    return int(missed)


def p(values: list[float], share: int) -> float:
    """The value that `share` percent do not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]


@contextmanager
def platform() -> Iterator[Bench]:
    """Make a cluster with owners and networks, and start the service and one worker on it."""
    outer = Path(tempfile.mkdtemp(prefix="ler-bench-"))
    outer.chmod(0o755)
    cluster = Cluster(outer / "home")
    processes: list[subprocess.Popen[bytes]] = []
    engines = {}
    try:
        cluster.start()
        cluster.ensure_database("bench")
        migrate(cluster.url("bench", "postgres"))
        engines = {name: create_engine(cluster.url("bench", f"ler_{name}")) for name in ("app", "worker")}
        tokens = register(engines["app"], outer)
        with psycopg.connect(
            cluster.url("bench", "postgres").replace("+psycopg", ""), autocommit=True
        ) as plain:
            plain.execute("VACUUM ANALYZE")
        environment = os.environ | {
            "LER_DATABASE_URL": cluster.url("bench", "postgres"),
            "LER_BLOB_DIR": str(outer / "blobs"),
            "LER_KEY_DIR": str(outer / "keys"),
            "LER_UPLOAD_DIR": str(outer / "uploads"),
        }
        for name, words in (("serve", ["serve", "--port", "0"]), ("worker", ["worker"])):
            with (outer / f"{name}.log").open("wb") as stream:
                processes.append(
                    subprocess.Popen(  # noqa: S603 - our own program
                        [sys.executable, "-m", "geoapi.cli", *words],
                        env=environment,
                        stdout=stream,
                        stderr=stream,
                    )
                )
        log = outer / "serve.log"
        while "Listening on " not in (said := log.read_text(encoding="utf-8")):
            time.sleep(0.1)
        address = said.partition("Listening on ")[2].split()[0]
        headers = {"Authorization": f"Bearer {tokens['digger']}"}
        with httpx.Client(base_url=address, headers=headers, timeout=60) as http:
            yield Bench(outer, cluster.url("bench", "postgres"), http, tokens["owner"], engines)
    finally:
        for process in processes:
            process.terminate()
            process.wait()
        for engine in engines.values():
            engine.dispose()
        cluster.stop()
        shutil.rmtree(outer)


def register(app: Any, folder: Path) -> dict[str, str]:  # noqa: ANN401 - an engine
    """Register owners with their networks, and somebody who asks; return tokens of the latter and of one owner more."""
    everywhere = MultiPolygon([box(WEST - 100, SOUTH - 100, WEST + 200 * AREAS, SOUTH + 300)])
    for number in range(OWNERS):
        cvr = f"1000{number:04}"
        with transaction(app, PLATFORM_OPERATOR) as connection:
            owner_id = register_owner(
                connection, cvr=cvr, name=f"Ejer {number}", email="e@example.dk", phone="12345678"
            )
            register_interest_area(
                connection, owner_id, utility_types=["vand"], area=everywhere, coverage=SETTINGS.coverage
            )
            owner = get_owner(connection, cvr)
        lines = [
            pipe(f"p{place}-{n}", WEST + 200 * place + 2 + 4 * n, SOUTH + 5 + number)
            for place in range(AREAS)
            for n in range(FEATURES)
        ]
        path = folder / f"{cvr}.gml"
        write(path, cvr, lines)
        with transaction(app, owner_id) as connection:
            publish_network(connection, owner, path, SETTINGS, approve=True)
    tokens = {}
    with transaction(app, PLATFORM_OPERATOR) as connection:
        for name, cvr in (("digger", "30000000"), ("owner", "20000000")):
            who = register_owner(connection, cvr=cvr, name=name, email="d@example.dk", phone="12345678")
            grant_role(connection, who, Role.EXCAVATOR)
            tokens[name] = create_token(connection, who, scopes=[*Scope], days=1)
    return tokens


def area(place: int) -> Polygon:
    """Where somebody digs."""
    west = WEST + 200 * place
    return box(west, SOUTH, west + 100, SOUTH + 100)


def pipe(name: str, east: float, north: float) -> Feature:
    """A pipe of 60 m with some bends."""
    line = shapely.LineString([(east + 0.2 * n, north + 6 * n, 1 + 0.01 * n) for n in range(11)])
    return Feature("Vandledning", name, {**PIPE}, geometry=line)


def write(path: Path, cvr: str, lines: list[Feature]) -> None:
    """Write a network as its owner's file."""
    header = Feature(ANSWER, "svar.1", {"id": str(uuid4()), "type": "ledningsoplysninger udleveret"})
    with path.open("wb") as stream:
        write_answer(stream, Answer(cvr, "x", header, lines))


if __name__ == "__main__":
    sys.exit(main())
