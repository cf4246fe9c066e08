"""Real clients against the service: GDAL's driver (of pyogrio, and Debian's ogr2ogr) and OWSLib.

What they read is compared with the database itself, and what they ask for with what they were told to look for.
"""

import sqlite3
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from owslib.ogcapi.features import Features
from psycopg import Connection, sql
from shapely.geometry.base import BaseGeometry

from geoapi.ogc.collections import Collection, all_collections
from geoapi.ogc.crs import OFFERED, Crs
from tests.conformance.scene import PIPES, Suite
from tests.service import Service
from tests.world import water_pipe

EVERY = [*all_collections().values()]
NETWORK = all_collections()["network"]
NOT_CHANGED_OVER = [one for one in OFFERED if not one.flipped]
"""GDAL turns the axes of EPSG:4326 round and then calls it CRS84."""


@dataclass
class Gdal:
    """GDAL's driver with a token; `log` has what it asks for."""

    source: str
    log: Path
    seen: int = 0

    def read(self, layer: str, **options: Any) -> geopandas.GeoDataFrame:  # noqa: ANN401 - options of pyogrio and the driver
        self.seen = self.log.stat().st_size if self.log.exists() else 0
        return pyogrio.read_dataframe(self.source, layer=layer, **options)

    def asked(self) -> list[str]:
        """The pages that were asked for in the last reading, but for the first features by which it knows the columns."""
        said = self.log.read_bytes()[self.seen :].decode()
        urls = (line.partition("Fetch(")[2].rpartition(")")[0] for line in said.splitlines())
        return [url for url in urls if "/items?" in url and not url.endswith("/items?limit=20")]


@pytest.fixture(scope="module")
def gdal(platform: Service, inhabitant: UUID, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gdal]:
    log = tmp_path_factory.mktemp("gdal") / "log"
    options = {"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": platform.token(inhabitant)}
    options |= {"CPL_DEBUG": "HTTP", "CPL_LOG": str(log)}
    pyogrio.set_gdal_config_options(options)
    yield Gdal(f"OAPIF:{platform.url}/ogc", log)
    pyogrio.set_gdal_config_options(dict.fromkeys(options))


@pytest.fixture
def database(platform: Service, inhabitant: UUID) -> Iterator[Connection]:
    """The database as the inhabitant sees it, in a transaction that reads its network."""
    with platform.world.database.connect() as connection, connection.transaction():
        connection.execute(
            "SELECT set_config('ler.principal', owner_id::text, true), set_config('ler.pinned_dataset', dataset_id::text, true),"
            " set_config('ler.pinned', number::text, true) FROM ler.network_version WHERE owner_id = %s",
            [inhabitant],
        )
        connection.execute("SET LOCAL ROLE ler_app")
        yield connection


def stored(
    database: Connection, one: Collection, crs: Crs, more: str = "true"
) -> dict[str, BaseGeometry | None]:
    """The features of a collection by what names them, with their places in a system."""
    name = "f.order_number || '/' || f.gml_id" if "gml_id" in _columns(one) else one.id
    rows = database.execute(
        sql.SQL("SELECT {}, ST_AsBinary(ST_Transform(ST_Force2D(f.geom), {})) FROM {} AS f WHERE {}").format(
            sql.SQL(name), crs.srid, sql.SQL(one.source), sql.SQL(f"{one.where or 'true'} AND {more}")
        )
    ).fetchall()
    return {str(name): shapely.from_wkb(bytes(place)) if place else None for name, place in rows}


def _columns(one: Collection) -> set[str]:
    return {each.name for each in one.properties} if one.source.endswith("package_feature") else set()


def named(one: Collection, frame: geopandas.GeoDataFrame) -> dict[str, Any]:
    """What was read, by what names it; of nothing, GDAL knows no columns."""
    if frame.empty:
        return {}
    if "gml_id" in _columns(one):
        names = [
            f"{order}/{name}" for order, name in zip(frame["order_number"], frame["gml_id"], strict=True)
        ]
    else:
        names = [str(name) for name in frame["id"]]
    places = frame.geometry if isinstance(frame, geopandas.GeoDataFrame) else [None] * len(frame)
    assert len(names) == len({*names}), "one was read twice"
    return dict(zip(names, places, strict=True))


def assert_same(read: dict[str, Any], wanted: dict[str, Any], crs: Crs) -> None:
    assert read.keys() == wanted.keys()
    for name, place in wanted.items():
        if place is None:
            assert read[name] is None
            continue
        there, here = shapely.get_coordinates(place), shapely.get_coordinates(read[name])
        assert np.abs(there - here).max() < (2e-8 if crs.geographic else 0.002), name


class TestGdal:
    def test_every_collection_is_read_completely(self, gdal: Gdal, database: Connection) -> None:
        """Each in one of the systems, in turn; pages of 100, so that some have several."""
        for number, one in enumerate(EVERY):
            crs = NOT_CHANGED_OVER[number % len(NOT_CHANGED_OVER)]
            self.compare(gdal, database, one, crs)

    @pytest.mark.parametrize("crs", NOT_CHANGED_OVER, ids=lambda crs: crs.uri.rsplit("/", 1)[1])
    def test_the_network_is_read_in_each_system(self, gdal: Gdal, database: Connection, crs: Crs) -> None:
        self.compare(gdal, database, NETWORK, crs)

    @pytest.mark.nightly
    def test_every_collection_is_read_in_each_system(self, gdal: Gdal, database: Connection) -> None:
        for one in EVERY:
            for crs in NOT_CHANGED_OVER:
                self.compare(gdal, database, one, crs)

    @staticmethod
    def compare(gdal: Gdal, database: Connection, one: Collection, crs: Crs) -> None:
        options = {} if one.geometry == "none" else {"CRS": ":".join(crs.uri.split("/")[-3::2])}
        frame = gdal.read(one.name, PAGE_SIZE="100", **options)
        assert_same(named(one, frame), stored(database, one, crs), crs)

    def test_filters_by_attributes_are_sent(self, gdal: Gdal, database: Connection) -> None:
        for where, condition, sent in (
            ("objekttype = 'Elledning'", "f.feature_type = 'Elledning'", "Elledning"),
            (
                "objekttype = 'Elledning' OR (forsyningsart = 'gas' AND fareklasse <> 'ikke farlig')",
                "(f.feature_type = 'Elledning' OR f.utility_type = 'gas' AND f.danger_class <> 'ikke farlig')",
                "filter=",
            ),
            ("objekttype LIKE 'El%'", "f.feature_type LIKE 'El%'", "filter="),
        ):
            frame = gdal.read("network", where=where, CRS="EPSG:25832")
            assert any(sent in url for url in gdal.asked()), gdal.asked()
            wanted = stored(database, NETWORK, OFFERED[1], condition)
            assert wanted
            assert_same(named(NETWORK, frame), wanted, OFFERED[1])

    def test_filters_by_place_are_sent(self, gdal: Gdal, database: Connection) -> None:
        box = (575000.0, 6224000.0, 575100.0, 6224100.0)
        frame = gdal.read("network", bbox=box, CRS="EPSG:25832")
        assert all("bbox=575000,6224000,575100,6224100" in url for url in gdal.asked()), gdal.asked()
        inside = f"ST_Intersects(f.geom, ST_MakeEnvelope({','.join(map(str, box))}, 25832))"
        assert_same(named(NETWORK, frame), stored(database, NETWORK, OFFERED[1], inside), OFFERED[1])


class TestOwslib:
    @pytest.fixture
    def client(self, platform: Service, inhabitant: UUID) -> Features:
        token = platform.token(inhabitant)
        return Features(f"{platform.url}/ogc/", headers={"Authorization": f"Bearer {token}"})

    def test_it_finds_its_way(self, client: Features) -> None:
        assert client.api()["openapi"] == "3.0.3"
        assert (
            "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"
            in client.conformance()["conformsTo"]
        )
        assert client.feature_collections() == [one.name for one in EVERY if not one.record]
        assert client.collection_queryables("network")["properties"].keys() == NETWORK.queryables.keys()

    def test_it_reads_and_filters(self, client: Features, suite: Suite) -> None:
        pipes = client.collection_items(
            "network", limit=500, objekttype="Vandledning", filter="id_ler IS NULL"
        )
        assert pipes["numberMatched"] >= PIPES - 1
        near = client.collection_items("network", bbox=[10.2, 56.1, 10.21, 56.2], limit=3)
        assert near["numberReturned"] == 3
        one = client.collection_item("network", "pipe.3")
        assert (
            one["geometry"]
            == suite.json("/ogc/collections/network/items/pipe.3", "application/geo+json")["geometry"]
        )


class TestOgr2ogr:
    """While one version takes the other's place again and again, what is read is one of them, whole."""

    @pytest.mark.parametrize("count", [20_000, pytest.param(200_000, marks=pytest.mark.nightly)])
    def test_no_feature_is_lost_or_doubled(self, platform: Service, tmp_path: Path, count: int) -> None:
        cvr = f"3000{count // 10_000:04}"
        owner = replaced_network(platform, cvr, tmp_path, count)
        target = tmp_path / "network.gpkg"
        command = ["ogr2ogr", "-f", "GPKG", str(target), f"OAPIF:{platform.url}/ogc", "network"]
        command += ["-oo", "PAGE_SIZE=500", "--config", "GDAL_HTTP_HEADERS"]
        command += [f"Authorization: Bearer {platform.token(owner)}"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
            swaps = 0
            while running.poll() is None:
                put_in_place(platform, owner, 1 + swaps % 2)
                swaps += 1
                time.sleep(0.05)
            assert running.returncode == 0, running.stderr.read() if running.stderr else ""
        assert swaps > 3
        with sqlite3.connect(target) as package:
            found = [name for (name,) in package.execute("SELECT id FROM network")]
        package.close()
        assert len(found) == len({*found})
        versions = [{f"n{n}" for n in range(count) if n % 3 != out} for out in (2, 0)]
        first = {name for name in found if name.startswith("n")}
        assert first in versions


def replaced_network(platform: Service, cvr: str, folder: Path, count: int) -> UUID:
    """An owner with two versions of a network: a third of its features is in the first only, a third in the second."""
    owner = platform.world.owner(cvr)
    for number in (1, 2):
        platform.world.network(
            cvr, folder, water_pipe(f"v{number}", (575000, 6224000, 1), (575010, 6224000, 1))
        )
    with platform.world.database.connect() as connection:
        connection.execute(
            """
            INSERT INTO ler.network_feature
            SELECT (jsonb_populate_record(f, jsonb_build_object(
                'seq', 10000000 + n, 'gml_id', 'n' || n, 'added_in', CASE n %% 3 WHEN 2 THEN 2 ELSE 1 END,
                'removed_in', CASE n %% 3 WHEN 0 THEN 2 END
            ))).* FROM ler.network_feature AS f, generate_series(0, %s - 1) AS n
            WHERE f.gml_id = 'v2' AND f.owner_id = %s
            """,
            [count, owner],
        )
        connection.execute("ANALYZE ler.network_feature")
    return owner


def put_in_place(platform: Service, owner: UUID, number: int) -> None:
    """Let a version be the present one, as publishing does."""
    with platform.world.database.connect() as connection:
        connection.execute(
            "UPDATE ler.network_dataset AS d SET current_version_id = v.id FROM ler.network_version AS v"
            " WHERE v.dataset_id = d.id AND d.owner_id = %s AND v.number = %s",
            [owner, number],
        )
