"""The official test suite of Features 2 (ets-ogcapi-features10, package crs), each test under its own name.

Boxes are brought into the other systems by two corners, as the suite does. The suite does not compare transformed
geometries; here they are, against PROJ.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape

from geoapi.ogc.crs import OFFERED
from tests.conformance import test_features_core
from tests.conformance.answers import check
from tests.conformance.scene import CRS84, GEOJSON, Suite, corners, linked, moved

type Node = dict[str, Any]

UNKNOWN = (
    "http://www.opengis.net/def/crs/OGC/0/unknown",
    "http://www.opengis.net/def/crs/EPSG/0/4258",
    "x",
    "",
)
NEAR = {"4326": 2e-8, "CRS84": 2e-8}
"""Degrees; elsewhere 2 mm: two units of the last decimal that is told."""


def each_crs(suite: Suite) -> Iterator[tuple[Node, str]]:
    return ((one, crs) for one in suite.spatial for crs in one["crs"])


def ids(answer: Node) -> list[str]:
    return [one["id"] for one in answer["features"]]


def told_crs(suite: Suite, url: str, **given: Any) -> str:  # noqa: ANN401 - values of parameters
    return suite.get(url, GEOJSON, **given).headers["Content-Crs"]


def features_url(one: Node) -> str:
    return str(linked(one, "items", GEOJSON)["href"])


def assert_moved(first: Node, second: Node, crs: str) -> None:
    """That a geometry in CRS84 and one in another system are the same place."""
    if first["geometry"] is None:
        assert second["geometry"] is None
        return
    there, here = (shapely.get_coordinates(shape(one["geometry"])) for one in (first, second))
    east, north = moved(there.T, CRS84, crs)
    # 8 decimals of a degree are 1 mm; in Mercator at 56 degrees a metre on the ground is 1.8.
    assert np.abs(here - np.column_stack([east, north])).max() < NEAR.get(crs.rsplit("/", 1)[1], 0.004)


class TestCrsRequirementClassPrecondition:
    def test_verifyConformanceClass(self, suite: Suite) -> None:
        assert "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs" in suite.conformance


class TestDiscoveryCollectionCrsUri:
    def test_verifyCollectionCrsIdentifierOfCrsProperty(self, suite: Suite) -> None:
        for one in suite.spatial:
            assert suite.json(linked(one, "self")["href"])["crs"] == [crs.uri for crs in OFFERED]

    def test_verifyCollectionCrsIdentifierOfStorageCrsProperty(self, suite: Suite) -> None:
        for one in suite.spatial:
            check("collection", suite.json(linked(one, "self")["href"]))
            assert one["storageCrs"].endswith("/EPSG/0/25832")


class TestDiscoveryCollectionDefaultCrs:
    def test_verifyCollectionCrsIdentifierOfCrsProperty(self, suite: Suite) -> None:
        for one in suite.spatial:
            assert suite.json(linked(one, "self")["href"])["crs"][0] == CRS84


class TestDiscoveryCollectionStorageCrs:
    def test_verifyCollectionCrsIdentifierOfCrsProperty(self, suite: Suite) -> None:
        for one in suite.spatial:
            found = suite.json(linked(one, "self")["href"])
            assert found["storageCrs"] in found["crs"]


class TestDiscoveryCollectionsCrsUri:
    def test_verifyCollectionsCrsIdentifierOfCrsProperty(self, suite: Suite) -> None:
        assert "crs" not in suite.listed, "each collection has its own list; nothing refers to a global one"

    def test_verifyCollectionsCrsIdentifierOfStorageCrs(self, suite: Suite) -> None:
        assert "storageCrs" not in suite.listed

    def test_verifyCollectionsCollectionCrsIdentifierOfCrsProperty(self, suite: Suite) -> None:
        check("collections", suite.listed)
        assert all(one["crs"] == [crs.uri for crs in OFFERED] for one in suite.spatial)

    def test_verifyCollectionsCollectionCrsIdentifierOfStorageCrs(self, suite: Suite) -> None:
        assert all(one["storageCrs"].startswith("http://www.opengis.net/def/crs/") for one in suite.spatial)


class TestDiscoveryCollectionsDefaultCrs:
    def test_verifyCollectionsPathCollectionCrsPropertyContainsDefaultCrs(self, suite: Suite) -> None:
        assert {one["crs"][0] for one in suite.spatial} == {CRS84}


class TestDiscoveryCollectionsStorageCrs:
    def test_verifyCollectionsPathCollectionCrsPropertyContainsStorageCrs(self, suite: Suite) -> None:
        assert all(one["storageCrs"] in one["crs"] for one in suite.spatial)


class TestBBoxCrsParameter:
    def test_verifyBboxCrsParameterWithDefaultCrs(self, suite: Suite) -> None:
        for one in suite.spatial:
            box = ",".join(map(str, corners(one, CRS84)))
            assert ids(suite.items(one, bbox=box)) == ids(suite.items(one)), "all of it is in its extent"

    def test_verifyBboxCrsParameter(self, suite: Suite) -> None:
        for one, crs in each_crs(suite):
            box = ",".join(map(str, corners(one, crs)))
            found = suite.items(one, bbox=box, bbox_crs=crs)
            assert ids(found) == ids(suite.items(one)), (one["id"], crs)


class TestBBoxCrsParameterDefault:
    def test_verifyBboxCrsParameterDefault(self, suite: Suite) -> None:
        for one in suite.spatial:
            west, south, east, north = corners(one, CRS84)
            box = f"{west},{south},{(west + east) / 2},{(south + north) / 2}"
            found = suite.items(one, bbox=box)
            assert ids(found) == ids(suite.items(one, bbox=box, bbox_crs=CRS84))


class TestBBoxCrsParameterInvalid:
    def test_verifyBboxCrsParameterInvalid(self, suite: Suite) -> None:
        for one in suite.spatial[:2]:
            for crs in UNKNOWN:
                suite.refused(features_url(one), bbox="9,55,11,57", bbox_crs=crs)


class TestFeatureCrsParameter:
    def test_verifyFeatureCrsParameter(self, suite: Suite) -> None:
        for one, address in suite.with_features():
            for crs in one.get("crs", []):
                assert told_crs(suite, address, crs=crs) == f"<{crs}>"


class TestFeatureCrsParameterDefault:
    def test_verifyFeatureCrsParameterDefault(self, suite: Suite) -> None:
        for _, address in suite.with_features():
            assert told_crs(suite, address) == f"<{CRS84}>"


class TestFeatureCrsParameterInvalid:
    def test_verifyFeatureCrsParameterInvalid(self, suite: Suite) -> None:
        for _, address in suite.with_features():
            suite.refused(address, crs=UNKNOWN[0])


class TestFeatureCrsParameterTransform:
    def test_verifyFeatureCrsParameterTransformWithCrsParameter(self, suite: Suite) -> None:
        for one, address in suite.with_features():
            default = suite.json(address, GEOJSON)
            for crs in one.get("crs", []):
                assert_moved(default, suite.json(address, GEOJSON, crs=crs), crs)

    def test_verifyFeatureCrsParameterTransformWithoutCrsParameter(self, suite: Suite) -> None:
        for _, address in suite.with_features():
            default, named = suite.json(address, GEOJSON), suite.json(address, GEOJSON, crs=CRS84)
            assert named["geometry"] == default["geometry"]


class TestFeaturesCrsParameter:
    def test_verifyFeaturesCrsParameter(self, suite: Suite) -> None:
        for one, crs in each_crs(suite):
            assert told_crs(suite, features_url(one), crs=crs) == f"<{crs}>"


class TestFeaturesCrsParameterDefault:
    def test_verifyFeaturesCrsParameterDefault(self, suite: Suite) -> None:
        for one in suite.collections:
            assert told_crs(suite, features_url(one)) == f"<{CRS84}>"


class TestFeaturesCrsParameterInvalid:
    def test_verifyFeaturesCrsParameterInvalid(self, suite: Suite) -> None:
        for one in suite.spatial[:2]:
            for crs in UNKNOWN:
                suite.refused(features_url(one), crs=crs)


class TestFeaturesCrsParameterTransform:
    def test_verifyFeaturesCrsParameterTransformWithCrsParameter(self, suite: Suite) -> None:
        for one, crs in each_crs(suite):
            default, other = suite.items(one)["features"], suite.items(one, crs=crs)["features"]
            for first, second in zip(default, other, strict=True):
                assert first["id"] == second["id"]
                assert_moved(first, second, crs)

    def test_verifyFeaturesCrsParameterTransformWithoutCrsParameter(self, suite: Suite) -> None:
        for one in suite.spatial:
            assert suite.items(one)["features"] == suite.items(one, crs=CRS84)["features"]


def test_heights_are_told_in_the_system_that_has_them(suite: Suite) -> None:
    address = f"{features_url(suite.collection('network'))}/pipe.1"
    solid = suite.json(address, GEOJSON, crs="http://www.opengis.net/def/crs/EPSG/0/7416")
    assert solid["geometry"]["coordinates"] == [[575030, 6224000, 1.5], [575021, 6224500, 2]]


def test_every_test_of_the_suite_is_here() -> None:
    listed = Path(__file__).with_name("ets_features10.txt").read_text(encoding="utf-8").split()
    assert len(listed) == 80
    here = {**vars(test_features_core), **globals()}
    missing = [
        name
        for name in listed
        for case, method in [name.split(".")[-2:]]
        if not callable(getattr(here.get(f"Test{case}"), f"test_{method}", None))
    ]
    assert not missing
