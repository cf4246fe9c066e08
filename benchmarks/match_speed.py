#!/usr/bin/env python3
"""How long it takes the database to match a request, with and without rules on sensitive lines.

    python benchmarks/match_speed.py [--owners 4] [--features 50000] [--requests 300] [--with-rules]

Makes the town of network_checks.py for several owners in a private cluster, publishes it, and matches requests of
50 m x 50 m spread over it, each in a transaction of its own. Prints milliseconds of `ler.match_request`, by the clock
and of the database's processor. `--with-rules` measures besides requests at owners that withhold their power lines.
"""

import argparse
import math
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from network_checks import Block, Clock, Row, fill, stage
from sqlalchemy import Engine, text

from conflicts.match import match_request
from geoapi.cluster import Cluster
from ler.db import functions
from ler.db.engine import create_engine, transaction
from ler.db.migrate import migrate

SIDE_M: Final = 50.0
WARM_UP: Final = 20
WEST, SOUTH, TURN = 560_000.0, 6_190_000.0, math.radians(23.0)
EVERYWHERE: Final = "SRID=25832;MULTIPOLYGON(((400000 6000000, 900000 6000000, 900000 6500000, 400000 6500000, 400000 6000000)))"


def town(features: int) -> Iterator[Row]:
    """About so many features, without faults."""
    blocks = features // 21
    columns = max(1, round(math.sqrt(blocks)))
    for number in range(blocks):
        block = Block(number, columns, blocks)
        fill(block)
        yield from block.rows


def open_town(admin: psycopg.Connection[Any], engine: Engine, owners: int, features: int) -> list[UUID]:
    """Publish the same town for each owner; return the owners."""
    admin.execute("ALTER TABLE ler.organisation DROP CONSTRAINT IF EXISTS uq_organisation_cvr")
    made = []
    for _ in range(owners):
        owner, version, _count = stage(admin, town(features))
        admin.execute("UPDATE ler.network_version SET feature_count = %s WHERE id = %s", [_count, version])
        admin.execute(
            "INSERT INTO ler.interest_area (owner_id, utility_types, geom) VALUES (%s, '{el}', %s)",
            [owner, EVERYWHERE],
        )
        with transaction(engine, owner) as connection:
            functions.publish_version(connection, version)
        made.append(owner)
    admin.execute("VACUUM ANALYZE")
    return made


def measure(engine: Engine, digger: UUID, features: int, requests: int) -> tuple[list[float], float, int]:
    """Match so many requests; return milliseconds of each, processor milliseconds of one, and features delivered."""
    chance = random.Random(7)  # noqa: S311 - the same places in every run
    columns = math.sqrt(features / 21)
    taken, delivered = [], 0
    with engine.connect() as held:
        backend = held.execute(text("SELECT pg_backend_pid()")).scalar_one()
    clock = Clock(backend)
    for number in range(WARM_UP + requests):
        x, y = chance.uniform(0, columns * 60), chance.uniform(0, columns * 45)
        east = WEST + x * math.cos(TURN) - y * math.sin(TURN)
        north = SOUTH + x * math.sin(TURN) + y * math.cos(TURN)
        area = (
            f"SRID=25832;POLYGON(({east} {north}, {east + SIDE_M} {north}, {east + SIDE_M} {north + SIDE_M},"
            f" {east} {north + SIDE_M}, {east} {north}))"
        )
        if number == WARM_UP:
            clock.turn_to("match")
        with transaction(engine, digger) as connection:
            request = connection.execute(
                text(
                    "INSERT INTO ler.excavation_request"
                    " (requester_id, area, period_from, period_to, purpose, unknown_accuracy_m)"
                    " VALUES (:digger, :area, '2026-12-01', '2026-12-14', 'x', 5) RETURNING id"
                ),
                {"digger": digger, "area": area},
            ).scalar_one()
            started = time.perf_counter()
            answers = match_request(connection, request)
            seconds = time.perf_counter() - started
        if number >= WARM_UP:
            taken.append(seconds * 1000)
            delivered += sum(answer.feature_count or 0 for answer in answers)
    clock.turn_to("")
    return taken, clock.seconds["match"][1] * 1000 / requests, delivered


def report(title: str, taken: list[float], processor: float, delivered: int) -> None:
    """Print one line of figures."""
    ninety_fifth = statistics.quantiles(taken, n=20)[-1]
    sys.stdout.write(
        f"{title:24} p50 {statistics.median(taken):7.2f} ms  p95 {ninety_fifth:7.2f} ms"
        f"  processor {processor:6.2f} ms  features {delivered / len(taken):7.1f} a request\n"
    )


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--owners", type=int, default=4)
    options.add_argument("--features", type=int, default=50_000, help="features of each owner")
    options.add_argument("--requests", type=int, default=300)
    options.add_argument("--with-rules", action="store_true", help="measure owners with rules as well")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder) / "cluster", durable=False)
        cluster.start()
        try:
            cluster.ensure_database("bench")
            migrate(cluster.url("bench"))
            engine = create_engine(cluster.url("bench", "ler_app"))
            with psycopg.connect(
                host=str(cluster.socket_dir), dbname="bench", user="postgres", autocommit=True
            ) as admin:
                open_town(admin, engine, chosen.owners, chosen.features)
                digger = admin.execute(
                    "INSERT INTO ler.organisation (name) VALUES ('Digger') RETURNING id"
                ).fetchone()
                if digger is None:
                    return 1
                report("no rules", *measure(engine, digger[0], chosen.features, chosen.requests))
                if chosen.with_rules:
                    admin.execute(
                        "INSERT INTO ler.sensitivity_rule (owner_id, class, utility_types)"
                        " SELECT DISTINCT owner_id, 'restricted', '{el}'::text[] FROM ler.network_dataset"
                    )
                    report(
                        "all owners have rules", *measure(engine, digger[0], chosen.features, chosen.requests)
                    )
            engine.dispose()
        finally:
            cluster.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
