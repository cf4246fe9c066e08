"""Three hundred features of all kinds, in a frame and in a table: what filters are asked of in tests."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import geopandas as gpd
import pandas as pd
import psycopg
import shapely
from shapely.geometry.base import BaseGeometry

from geoapi.ogc.cql2 import Kind, Queryable
from tests.databases import SharedCluster

FEATURES = 300
NAMES = (
    *("København", "Kobenhavn", "KØBENHAVN", "Århus", "Aarhus", "århus", "Aabenraa", "Straße", "STRASSE"),
    *(
        "Kiev",
        "Berlin",
        "Bern",
        "Birmingham",
        "O'Hara",
        "100%",
        "a_b",
        "a\\b",
        "",
        " ",
        "Æblerød",
        "aeblerod",
    ),
    *("foo", "FOO", "bar", "łódź", "Lodz", "éclair", "eclair", "\t", "日本", "日本語"),
)
TAGS = ("el", "gas", "vand", "København", "a b", "it's")
NUMBERS = (0.0, 0.1, 0.2, 0.3, -1.5, 2.0, 3.14, 1e9, -1e9, 1e16, 1e-20, 123456.789)
INTEGERS = (0, 1, -1, 2, 3, 7, 10, 100, 1_038_288, -5, 2**40, 2**53 + 1, -(2**63), 2**63 - 1)
DAY = date(2022, 4, 16)
MOMENT = datetime(2022, 4, 16, 10, 13, 19, tzinfo=UTC)
WEST, SOUTH, SIDE, STEP = 580_000, 6_130_000, 8_000, 500
"""Of the square, near Odense, in which all features lie on a lattice, in metres of EPSG:25832."""

KINDS = {
    "name": Kind.STRING,
    "nameascii": Kind.STRING,
    "n": Kind.INTEGER,
    "m": Kind.INTEGER,
    "x": Kind.NUMBER,
    "y": Kind.NUMBER,
    "ok": Kind.BOOLEAN,
    "day": Kind.DATE,
    "last day": Kind.DATE,
    "start": Kind.DATETIME,
    "till": Kind.DATETIME,
    "tags": Kind.STRINGS,
    "geom": Kind.GEOMETRY,
    "spot": Kind.GEOMETRY,
}
QUERYABLES = {name: Queryable(name, kind, f't."{name}"') for name, kind in KINDS.items()}
_TYPES = {
    Kind.STRING: "text",
    Kind.INTEGER: "bigint",
    Kind.NUMBER: "double precision",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.DATETIME: "timestamptz",
    Kind.STRINGS: "text[]",
    Kind.GEOMETRY: "geometry(Geometry, 25832)",
}


def features() -> gpd.GeoDataFrame:
    """The features; every column but the geometries holds Python's own values, and None."""
    chance = random.Random(7)

    def perhaps(value: object) -> object:
        return None if chance.random() < 0.12 else value

    rows: list[dict[str, Any]] = []
    for _ in range(FEATURES):
        begin = DAY + timedelta(days=chance.randint(-3, 3))
        start = MOMENT + timedelta(seconds=chance.choice((-86400, -60, 0, 60, 86400)))
        name = chance.choice(NAMES)
        rows.append(
            {
                "name": perhaps(name),
                "nameascii": perhaps(chance.choice((name, chance.choice(NAMES)))),
                "n": perhaps(chance.choice(INTEGERS)),
                "m": perhaps(chance.randint(-3, 12)),
                "x": perhaps(chance.choice(NUMBERS)),
                "y": perhaps(round(chance.uniform(-10, 10), 2)),
                "ok": perhaps(chance.random() < 0.5),
                "day": perhaps(begin),
                "last day": perhaps(begin + timedelta(days=chance.randint(0, 3))),
                "start": perhaps(start),
                "till": perhaps(start + timedelta(seconds=chance.choice((0, 60, 120, 86400)))),
                "tags": perhaps([one for one in TAGS if chance.random() < 0.35]),
                "geom": perhaps(_geometry(chance)),
                "spot": perhaps(shapely.Point(_lattice(chance))),
            }
        )
    columns: dict[str, Any] = {
        name: gpd.GeoSeries([row[name] for row in rows], crs=25832)
        if kind is Kind.GEOMETRY
        else pd.Series([row[name] for row in rows], dtype=object)
        for name, kind in KINDS.items()
    }
    return gpd.GeoDataFrame(columns, geometry="geom")


def _lattice(chance: random.Random) -> tuple[int, int]:
    steps = SIDE // STEP
    return WEST + STEP * chance.randint(0, steps), SOUTH + STEP * chance.randint(0, steps)


def _geometry(chance: random.Random) -> BaseGeometry:
    x, y = _lattice(chance)
    wide, high = STEP * chance.randint(1, 5), STEP * chance.randint(1, 5)
    match chance.randint(0, 5):
        case 0:
            return shapely.Point(x, y)
        case 1 | 2:
            path = [(x, y), *((x + STEP * chance.randint(1, 6), y + STEP * chance.randint(-4, 4)),)]
            return shapely.LineString([*path, (path[-1][0] + STEP, path[-1][1] + STEP)])
        case 3:
            return shapely.MultiLineString([[(x, y), (x + wide, y)], [(x, y + high), (x + wide, y + high)]])
        case 4:
            hole = shapely.box(x + wide / 4, y + high / 4, x + wide / 2, y + high / 2)
            return shapely.box(x, y, x + wide, y + high).difference(hole)
    return shapely.MultiPolygon(
        [shapely.box(x, y, x + wide, y + high), shapely.box(x + wide * 2, y, x + wide * 3, y + high)]
    )


class Table:
    """The features in a table, and the ids that a condition finds there."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def ids(self, sql: str, values: dict[str, object]) -> list[int]:
        """Ids of the rows for which a condition is true; a database's error ends the test."""
        query = f"SELECT id FROM features t WHERE {sql} ORDER BY id"  # noqa: S608 - what is tested
        found = self._connection.execute(query.encode(), values).fetchall()
        return [row[0] for row in found]


@contextmanager
def features_in_table(shared: SharedCluster, template: str, frame: gpd.GeoDataFrame) -> Iterator[Table]:
    """The features in a database of their own; a statement that takes five seconds is an error."""
    columns = ", ".join(f'"{name}" {_TYPES[kind]}' for name, kind in KINDS.items())
    slots = ", ".join(
        "ST_SetSRID(%s::geometry, 25832)" if kind is Kind.GEOMETRY else "%s" for kind in KINDS.values()
    )
    with shared.database(template) as database, database.connect() as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        connection.execute("SET statement_timeout = '5s'")
        connection.execute(f"CREATE TABLE features (id int PRIMARY KEY, {columns})".encode())
        connection.execute("CREATE INDEX features_geom ON features USING gist (geom)")
        insert = f"INSERT INTO features VALUES (%s, {slots})".encode()  # noqa: S608 - our own names
        with connection.cursor() as cursor:
            cursor.executemany(insert, [(n, *_row(frame, n)) for n in range(len(frame))])
        connection.execute("ANALYZE features")
        yield Table(connection)


def _row(frame: gpd.GeoDataFrame, n: int) -> Iterator[object]:
    for name, kind in KINDS.items():
        value = frame[name].iloc[n]
        yield value.wkb_hex if kind is Kind.GEOMETRY and value is not None else value
