#!/usr/bin/env python3
"""How fast the OGC API answers beside its peers: items of 10, 100 and 1,000 features, and tiles, 1 and 8 callers.

    python benchmarks/ogc_speed.py [--lines 1000000] [--seconds 5] [--peers FOLDER]

One owner's network of a million lines in a private cluster, and the same lines in a plain table for tipg and pygeoapi,
which are installed into FOLDER. Ours with access control: every call brings a token. Needs `wrk`, which calls.
Prints median milliseconds and answers a second; the exit code is 1 when a target is missed: four times tipg, eight times
pygeoapi, at most twice the latency of a bare handler of the same statement; of tiles, one and a half times, and tipg.
"""

import argparse
import random
import re
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote
from uuid import UUID

import ogc_peers
import psycopg

from geoapi.cluster import Cluster
from geoapi.ogc.crs import CRS84, box_of, ring_ewkb, transformer
from ler.db.engine import create_engine, transaction
from ler.db.migrate import migrate
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.access import Scope
from ler.services.registry import register_owner
from ler.services.tokens import create_token
from ler.settings import Settings

SIZES: Final = (10, 100, 1000)
CALLERS: Final = (1, 8)
BOXES: Final = 60
COVERAGE: Final = Settings().coverage
LINES: Final = """
CREATE SCHEMA bench;
CREATE TABLE bench.lines AS
WITH town AS (
    SELECT n, 450000 + random() * 250000 AS x, 6060000 + random() * 320000 AS y FROM generate_series(1, 400) AS n
), line AS (
    SELECT s.n AS id, t.x + (random() + random() + random() - 1.5) * 1500 AS x,
        t.y + (random() + random() + random() - 1.5) * 1500 AS y, 2 + (random() * 8)::int AS corners, random() AS turn
    FROM generate_series(1, %(lines)s) AS s (n) JOIN town AS t ON t.n = 1 + s.n %% 400
)
SELECT l.id,
    ST_MakeLine(ARRAY(
        SELECT ST_SetSRID(ST_MakePoint(
            l.x + k * 18 * cos(l.turn * 6.28) + 4 * sin(k * l.turn * 90), l.y + k * 18 * sin(l.turn * 6.28), 1.5), 25832)
        FROM generate_series(1, l.corners) AS k ORDER BY k
    ))::geometry(LineStringZ, 25832) AS geom,
    'Vandledning'::text AS objekttype, 'vand'::text AS forsyningsart, 'i drift'::text AS driftsstatus,
    NULL::text AS ejerskabsforhold, 'ikke farlig'::text AS fareklasse, '<= 0.50 m'::text AS noejagtighedsklasse,
    NULL::text AS sikkerhedshensyn, (l.turn * 1000)::float8 AS "vejledendeDybde", NULL::text AS niveau
FROM line AS l ORDER BY ST_GeoHash(ST_Transform(ST_SetSRID(ST_MakePoint(l.x, l.y), 25832), 4326));
"""
KEYS: Final = (
    "ALTER TABLE bench.lines ADD PRIMARY KEY (id)",
    "CREATE INDEX ON bench.lines USING gist (geom)",
)
NETWORK: Final = """
INSERT INTO ler.network_feature (owner_id, dataset_id, seq, added_in, content_hash, feature_type, gml_id, utility_type,
    operational_status, danger_class, horizontal_accuracy, indicative_depth_mm, geom)
SELECT %(owner)s, %(dataset)s, row_number() OVER (), 1, gen_random_uuid(), l.objekttype, 'l' || l.id, l.forsyningsart,
    l.driftsstatus, l.fareklasse, l.noejagtighedsklasse, l."vejledendeDybde", l.geom
FROM bench.lines AS l
"""


SHOWN: Final = ", ".join(f'f."{name}"' for name in ogc_peers.ATTRIBUTES)
ITEMS: Final = f"""
SELECT string_agg(f.feature, ',' ORDER BY f.id) AS features, count(*) AS returned, count(*) AS matched
FROM (
    SELECT f.id, '{{"type":"Feature","id":' || to_json('l' || f.id)::text || ',"geometry":'
        || ST_AsGeoJSON(ST_Transform(ST_Force2D(f.geom), 4326), 8, 0) || ',"properties":'
        || (SELECT row_to_json(p)::text FROM (SELECT {SHOWN}) AS p) || '}}' AS feature
    FROM bench.lines AS f
    WHERE f.geom && ST_GeomFromEWKB($1) AND ST_Intersects(f.geom, ST_GeomFromEWKB($1))
    LIMIT 1000
) AS f
"""  # noqa: S608 - names of columns of ours
TILE: Final = f"""
WITH tile AS (SELECT ST_TileEnvelope($1, $2, $3) AS mercator)
SELECT ST_AsMVT(t, 'network') FROM (
    SELECT ST_AsMVTGeom(ST_Transform(ST_Force2D(f.geom), 3857), tile.mercator) AS geom, {SHOWN}
    FROM bench.lines AS f, tile WHERE f.geom && ST_Transform(tile.mercator, 25832)
) AS t
"""  # noqa: S608 - as above
ZOOM: Final = 14
LUA: Final = """
local paths = {{ {paths} }}
local n = 0
request = function()
  n = n + 1
  return wrk.format("GET", paths[1 + n % #paths], {{ {header} }})
end
"""


class Figures(NamedTuple):
    """Of one server at one task: median milliseconds, answers a second, answers that were no success."""

    ms: float
    per_second: float
    faults: int


def main() -> int:
    """Measure, print, judge."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--lines", type=int, default=1_000_000)
    options.add_argument("--seconds", type=int, default=5, help="of each measurement")
    options.add_argument("--peers", type=Path, default=Path.home() / ".cache" / "ler-ogc-peers")
    chosen = options.parse_args()
    python = ogc_peers.install(chosen.peers)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        cluster = Cluster(folder / "cluster", durable=False)
        cluster.start()
        stack.callback(cluster.stop)
        cluster.ensure_database("bench")
        migrate(cluster.url("bench"))
        dsn = f"postgresql://postgres@{quote(str(cluster.socket_dir), safe='')}/bench"
        with psycopg.connect(dsn, autocommit=True) as admin:
            owner = _fill(admin, cluster, chosen.lines)
            boxes = {size: _boxes(admin, size, chosen.lines) for size in SIZES}
            tiles = _tiles(admin, chosen.lines)
        engine = create_engine(cluster.url("bench", "ler_app"))
        with transaction(engine, PLATFORM_OPERATOR) as connection:
            token = create_token(connection, owner, scopes=[Scope.NETWORK_READ], days=1)
        engine.dispose()
        servers = {
            "ler": stack.enter_context(_ler(cluster, folder, 8101)),
            "bare": stack.enter_context(
                ogc_peers.bare(python, folder, 8102, dsn=dsn, items=ITEMS, tile=TILE)
            ),
            "tipg": stack.enter_context(ogc_peers.tipg(python, 8103, dsn)),
            "pygeoapi": stack.enter_context(ogc_peers.pygeoapi(python, folder, 8104, cluster.socket_dir)),
        }
        return _judge(_measure(folder, servers, token, boxes, tiles, seconds=chosen.seconds))


def _fill(admin: psycopg.Connection[Any], cluster: Cluster, lines: int) -> UUID:
    """Make the lines, and one owner's published network of them; return the owner."""
    admin.execute("SELECT setseed(0.5)")
    with psycopg.ClientCursor(admin) as cursor:
        cursor.execute(LINES, {"lines": lines})
    for statement in KEYS:
        admin.execute(statement)
    engine = create_engine(cluster.url("bench", "ler_app"))
    with transaction(engine, PLATFORM_OPERATOR) as connection:
        owner = register_owner(connection, cvr="10000001", name="Net", email="a@example.dk", phone="12345678")
    engine.dispose()
    dataset = _one(
        admin, "INSERT INTO ler.network_dataset (owner_id, name) VALUES (%s, 'net') RETURNING id", owner
    )
    version = _one(
        admin,
        "INSERT INTO ler.network_version (dataset_id, owner_id, number, state, source_name, source_sha256,"
        " model_version, feature_count, published_at)"
        " VALUES (%s, %s, 1, 'published', 'x', repeat('0', 64), '2.2.0', %s, now()) RETURNING id",
        *(dataset, owner, lines),
    )
    with psycopg.ClientCursor(admin) as cursor:
        cursor.execute(NETWORK, {"owner": owner, "dataset": dataset})
    admin.execute("UPDATE ler.network_dataset SET current_version_id = %s WHERE id = %s", [version, dataset])
    for table in ("bench.lines", "ler.network_feature", "ler.network_version", "ler.network_dataset"):
        admin.execute(f"VACUUM ANALYZE {table}")
    return owner


def _one(admin: psycopg.Connection[Any], statement: str, *values: object) -> Any:  # noqa: ANN401 - as stored
    row = admin.execute(statement, values).fetchone()
    if row is None:
        raise RuntimeError(statement)
    return row[0]


def _boxes(admin: psycopg.Connection[Any], hits: int, lines: int) -> list[tuple[float, ...]]:
    """Boxes around lines, in CRS84, each of about so many of them."""
    chance = random.Random(hits)  # noqa: S311 - the same places in every run
    to_degrees = transformer(25832, 4326)
    found = []
    for _ in range(BOXES):
        x, y = admin.execute(
            "SELECT ST_X(ST_StartPoint(geom)), ST_Y(ST_StartPoint(geom)) FROM bench.lines WHERE id = %s",
            [chance.randint(1, lines)],
        ).fetchone() or (0.0, 0.0)
        side = _one(
            admin,
            "SELECT ST_Distance(geom, p) FROM bench.lines, ST_SetSRID(ST_MakePoint(%s, %s), 25832) AS p"
            " ORDER BY geom <-> p OFFSET %s LIMIT 1",
            *(x, y, int(hits * 0.7)),
        )
        found.append(
            tuple(
                round(number, 7)
                for number in to_degrees.transform_bounds(x - side, y - side, x + side, y + side)
            )
        )
    return found


def _tiles(admin: psycopg.Connection[Any], lines: int) -> list[tuple[int, int]]:
    """Columns and rows of tiles that have lines."""
    chance = random.Random(14)  # noqa: S311
    found = []
    for _ in range(BOXES):
        row = admin.execute(
            "SELECT floor((ST_X(p) + 20037508.342789) / s)::int, floor((20037508.342789 - ST_Y(p)) / s)::int"
            " FROM (SELECT ST_Transform(ST_StartPoint(geom), 3857) AS p, 40075016.685578 / 2 ^ %s AS s"
            " FROM bench.lines WHERE id = %s) AS f",
            [ZOOM, chance.randint(1, lines)],
        ).fetchone()
        found.append(row or (0, 0))
    return found


def _ler(cluster: Cluster, folder: Path, port: int) -> Any:  # noqa: ANN401 - a context
    command = (sys.executable, "-m", "geoapi.cli", "serve", "--port", str(port))
    return ogc_peers.served(
        *command,
        port=port,
        path="/healthz",
        LER_DATABASE_URL=cluster.url("bench"),
        LER_UPLOAD_DIR=str(folder / "uploads"),
        LER_BLOB_DIR=str(folder / "blobs"),
        LER_KEY_DIR=str(folder / "keys"),
        LER_OGC_READS_PER_MINUTE="1000000",
    )


def _paths(server: str, boxes: list[tuple[float, ...]]) -> list[str]:
    texts = [",".join(map(str, box)) for box in boxes]
    match server:
        case "ler":
            shown = ",".join(ogc_peers.ATTRIBUTES)
            return [
                f"/ogc/collections/network/items?bbox={text}&limit=1000&properties={shown}" for text in texts
            ]
        case "bare":
            rings = [box_of(text, CRS84, COVERAGE) for text in texts]
            return [f"/items?box={ring_ewkb(ring)}" for ring in rings]
        case "tipg":
            return [f"/collections/bench.lines/items?bbox={text}&limit=1000&f=geojson" for text in texts]
    return [f"/collections/lines/items?bbox={text}&limit=1000&f=json" for text in texts]


def _tile_paths(server: str, tiles: list[tuple[int, int]]) -> list[str]:
    match server:
        case "ler":
            base = "/ogc/collections/network/tiles/WebMercatorQuad"
            return [f"{base}/{ZOOM}/{y}/{x}?f=mvt" for x, y in tiles]
        case "bare":
            return [f"/tiles/{ZOOM}/{x}/{y}" for x, y in tiles]
        case "tipg":
            return [f"/collections/bench.lines/tiles/WebMercatorQuad/{ZOOM}/{x}/{y}" for x, y in tiles]
    return []


def _measure(
    folder: Path,
    servers: dict[str, str],
    token: str,
    boxes: dict[int, list[tuple[float, ...]]],
    tiles: list[tuple[int, int]],
    *,
    seconds: int,
) -> dict[tuple[str, str, int], Figures]:
    found: dict[tuple[str, str, int], Figures] = {}
    tasks = {f"{size} items": {one: _paths(one, boxes[size]) for one in servers} for size in SIZES}
    tasks["tile z14"] = {one: _tile_paths(one, tiles) for one in servers}
    for task, paths in tasks.items():
        for callers in CALLERS:
            for server, address in servers.items():
                if paths[server]:
                    found[task, server, callers] = _call(
                        folder, address, paths[server], token, callers, seconds=seconds
                    )
                    one = found[task, server, callers]
                    told = f"{task:10} {server:9} {callers} callers {one.ms:9.1f} ms {one.per_second:9.1f} /s"
                    sys.stdout.write(told + (f"  {one.faults} FAULTS" if one.faults else "") + "\n")
                    sys.stdout.flush()
    return found


def _call(folder: Path, address: str, paths: list[str], token: str, callers: int, *, seconds: int) -> Figures:
    script = folder / "call.lua"
    listed = ", ".join(f'"{path}"' for path in paths)
    script.write_text(LUA.format(paths=listed, header=f'Authorization = "Bearer {token}"'))
    command = ["wrk", "-t1", f"-c{callers}", "--latency", "--timeout", "30s", "-s", str(script)]
    subprocess.run([*command, "-d1s", address], check=True, capture_output=True)  # noqa: S603 - wrk, with paths of ours
    said = subprocess.run(  # noqa: S603 - as above
        [*command, f"-d{seconds}s", address], check=True, capture_output=True, text=True
    ).stdout
    half = re.search(r"50%\s+([0-9.]+)(us|ms|s)", said)
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    faults = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    if half is None or rate is None:
        raise RuntimeError(said)
    ms = float(half[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[half[2]]
    return Figures(ms, float(rate[1]), int(faults[1]) if faults else 0)


def _judge(found: dict[tuple[str, str, int], Figures]) -> int:
    missed = 0
    for (task, server, callers), ours in found.items():
        if server != "ler":
            continue
        others = {name: found.get((task, name, callers)) for name in ("bare", "tipg", "pygeoapi")}
        most = 1.5 if task.startswith("tile") else 2.0
        checks: dict[str, bool] = {}
        if tipg := others["tipg"]:
            least = 1.0 if task.startswith("tile") else 4.0
            checks[f"{ours.per_second / tipg.per_second:.1f} x tipg, {least} wanted"] = (
                ours.per_second >= least * tipg.per_second
            )
        if stock := others["pygeoapi"]:
            checks[f"{ours.per_second / stock.per_second:.1f} x pygeoapi, 8 wanted"] = (
                ours.per_second >= 8 * stock.per_second
            )
        if bare := others["bare"]:
            checks[f"{ours.ms / bare.ms:.2f} x the latency of bare, {most} allowed"] = (
                ours.ms <= most * bare.ms
            )
        for told, held in checks.items():
            missed += not held
            sys.stdout.write(f"{task:10} {callers} callers: {told}: {'holds' if held else 'MISSED'}\n")
    return 1 if missed or any(one.faults for one in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
