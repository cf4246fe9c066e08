"""Boxes against brute force: which features touch a box of any system, none missing and none too many.

The judge is independent of the answer: it moves the box's edges, finely, and the stored lines the other way, into the
system of the box, with PROJ and shapely. Where a line passes an edge within a millimetre, either answer is right.
"""

import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from geoapi.ogc.crs import OFFERED, Crs
from tests.conformance.scene import Suite
from tests.service import Service

SIZES_M = (20.0, 150.0, 600.0)
BOXES = 12
"""Of each size, in each system."""
EDGE_M = 0.001
HAIR_M = 0.2
"""Stored lines are followed in steps of this length, so that they lie in the other system as they do in their own."""


@pytest.fixture(scope="module")
def stored(platform: Service, inhabitant: UUID) -> dict[str, shapely.Geometry]:
    """Every feature of the network that has a place, as the database has it, in EPSG:25832."""
    with platform.world.database.connect() as connection:
        rows = connection.execute(
            "SELECT gml_id, ST_AsBinary(ST_Force2D(geom)) FROM ler.network_feature"
            " WHERE geom IS NOT NULL AND owner_id = %s",
            [inhabitant],
        ).fetchall()
    return {name: shapely.from_wkb(bytes(place)) for name, place in rows}


@pytest.mark.parametrize("crs", OFFERED, ids=lambda crs: crs.uri.rsplit("/", 1)[1])
def test_a_box_finds_what_touches_it(suite: Suite, stored: dict[str, shapely.Geometry], crs: Crs) -> None:
    moved = Transformer.from_crs(25832, crs.srid, always_xy=True)
    names, places = [*stored], [_moved(place, moved) for place in stored.values()]
    tree = shapely.STRtree(places)
    chance = random.Random(crs.srid)
    hits = 0
    for size in SIZES_M:
        for _ in range(BOXES):
            box = _box(chance, size, moved)
            edge = EDGE_M / (111_320 if crs.geographic else 1)
            surely, perhaps = (
                {names[n] for n in tree.query(shapely.box(*_grown(box, by)), predicate="intersects")}
                for by in (-edge, edge)
            )
            found = _found(suite, box, crs)
            assert surely <= found <= perhaps, (box, surely - found, found - perhaps)
            hits += len(found)
    assert hits > len(SIZES_M) * BOXES


def _found(suite: Suite, box: Sequence[float], crs: Crs) -> set[str]:
    west, south, east, north = box
    given = (south, west, north, east) if crs.flipped else box
    asked: dict[str, Any] = {"bbox": ",".join(map(repr, given)), "bbox-crs": crs.uri}
    asked |= {"filter": "geom IS NOT NULL", "properties": "", "skipGeometry": "true", "limit": 1000}
    answer = suite.http.get("/ogc/collections/network/items", params=asked)
    assert answer.status_code == 200, answer.text
    found: set[str] = {one["id"] for one in answer.json()["features"]}
    return found


def _box(chance: random.Random, size: float, moved: Transformer) -> tuple[float, float, float, float]:
    """A box of about a size in metres, somewhere in the town, in degrees or metres of the other system."""
    east, north = chance.uniform(574100, 575500), chance.uniform(6223300, 6224500)
    wide, high = size * chance.uniform(0.2, 1), size * chance.uniform(0.2, 1)
    first, second = moved.transform(east, north), moved.transform(east + wide, north + high)
    return first[0], first[1], max(second[0], first[0]), max(second[1], first[1])


def _grown(box: Sequence[float], by: float) -> tuple[float, float, float, float]:
    west, south, east, north = box
    return west - by, south - by, east + by, north + by


def _moved(place: shapely.Geometry, moved: Transformer) -> shapely.Geometry:
    fine = shapely.segmentize(place, HAIR_M)
    return shapely.transform(fine, lambda xy: np.column_stack(moved.transform(xy[:, 0], xy[:, 1])))


def test_wide_boxes_lose_nothing_in_their_bows(suite: Suite) -> None:
    """Edges of 400 km: a parallel of latitude is a bow of 2 km in UTM, in which two corners lose what lies."""
    for box, crs in (
        ("7.5,54.2,15.5,58.1", "OGC/1.3/CRS84"),
        ("54.2,7.5,58.1,15.5", "EPSG/0/4326"),
        ("0,6000000,900000,6450000", "EPSG/0/25833"),
        ("-180,-90,180,90", "OGC/1.3/CRS84"),
        ("120000,5900000,-10,1000000,6500000,100", "EPSG/0/7416"),
    ):
        given: dict[str, str | int] = {
            "bbox": box,
            "bbox-crs": f"http://www.opengis.net/def/crs/{crs}",
            "limit": 1,
        }
        answer = suite.http.get("/ogc/collections/network/items", params=given).json()
        assert answer["numberMatched"] == suite.items(suite.collection("network"))["numberMatched"], (
            box,
            crs,
        )
