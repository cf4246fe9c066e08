"""ets-ogcapi-tiles10: each test of the official suite for OGC API Tiles 1, under its own name, against the running service.

The suite goes by links alone. Where it takes a place from the tester, it is one in which there is something.
"""

from typing import Any

import mapbox_vector_tile
import pytest

from tests.conformance.scene import Suite, linked
from tests.tile_places import TILE_SETS, Place, place_of

TILES = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf"
TILESETS = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
SCHEME = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
WEB_MERCATOR = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
MVT = "application/vnd.mapbox-vector-tile"
PARTS = ("tileMatrix", "tileRow", "tileCol")
SOMEWHERE = (575050.0, 6224100.0)


def resources(suite: Suite) -> list[dict[str, Any]]:
    """What has sets of tiles: the whole, and the first collections that are listed, as the suite chooses them."""
    return [suite.landing, *[one for one in suite.listed["collections"] if linked(one, TILESETS)][:2]]


def tilesets(suite: Suite, resource: dict[str, Any]) -> list[dict[str, Any]]:
    listed = suite.json(linked(resource, TILESETS)["href"])["tilesets"]
    return [suite.json(linked(one, "self")["href"]) for one in listed]


def every_tileset(suite: Suite) -> list[dict[str, Any]]:
    return [found for one in resources(suite) for found in tilesets(suite, one)]


def filled(template: str, *numbers: int | str) -> str:
    for part, number in zip(PARTS, numbers, strict=True):
        template = template.replace(f"{{{part}}}", str(number))
    return template


def somewhere(tileset: dict[str, Any]) -> Place:
    matrix = {"EPSG/0/3857": 16, "EPSG/0/25832": 10}[
        tileset["crs"].removeprefix("http://www.opengis.net/def/crs/")
    ]
    name = linked(tileset, "item")["href"].partition("/tiles/")[2].partition("/")[0]
    return place_of(name, matrix, *SOMEWHERE)


class TestApiDefinition:
    def test_api_definition_validation(self, suite: Suite) -> None:
        """apiDefinitionValidation; that the document is valid OpenAPI is seen with the features."""
        paths = suite.api["paths"]
        for start in ("", "/collections/{collectionId}"):
            for end in ("", "/{tileMatrixSetId}", "/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}"):
                assert "get" in paths[f"{start}/tiles{end}"]

    def test_api_definition_operation_id_validation(self, suite: Suite) -> None:
        """apiDefinitionOperationIdValidation"""
        operations = [each for one in suite.api["paths"].values() for each in one.values()]
        found = [one["operationId"] for one in operations if "operationId" in one]
        assert len({*found}) == len(found)
        for what in ("dataset", "collection"):
            for end in ("getTileSetsList", "getTileSet", "getTile"):
                assert f"{what}.vector.{end}" in found


class TestConformance:
    def test_validate_conformance_operation_and_response(self, suite: Suite) -> None:
        """validateConformanceOperationAndResponse"""
        wanted = (
            *("core", "tileset", "tilesets-list", "dataset-tilesets", "geodata-tilesets"),
            *("collections-selection", "mvt", "oas30"),
        )
        assert {f"{TILES}/{one}" for one in wanted} <= {*suite.conformance}


class TestTile:
    def test_validate_tiles_are_available(self, suite: Suite) -> None:
        """validateTilesAreAvailable"""
        for one in every_tileset(suite):
            assert linked(one, "item", MVT)["templated"] is True

    def test_validate_successful_tiles_execution_following_links(self, suite: Suite) -> None:
        """validateSuccessfulTilesExecutionFollowingLinks; every link of the list is called as it is, too."""
        for one in resources(suite):
            for listed in suite.json(linked(one, TILESETS)["href"])["tilesets"]:
                for link in listed["links"]:
                    assert suite.get(link["href"]).status_code == 200
        for one in every_tileset(suite):
            limits = one["tileMatrixSetLimits"][0]
            numbers = limits["tileMatrix"], limits["maxTileRow"], limits["minTileCol"]
            answer = suite.get(filled(linked(one, "item")["href"], *numbers), MVT)
            assert answer.status_code in {200, 204}
            for layer in mapbox_vector_tile.decode(answer.content).values():
                assert layer["extent"] == 4096

    def test_validate_tiles_error_conditions(self, suite: Suite) -> None:
        """validateTilesErrorConditions"""
        for one in every_tileset(suite):
            template = linked(one, "item")["href"]
            for limits in one["tileMatrixSetLimits"]:
                matrix, row, column = limits["tileMatrix"], limits["maxTileRow"], limits["minTileCol"]
                assert suite.get(filled(template, matrix, row + 1, column), MVT).status_code == 404

    @pytest.mark.parametrize("part", PARTS)
    def test_definition_is_available(self, suite: Suite, part: str) -> None:
        """validateTileMatrixDefinitionIsAvailable, ...TileRow..., ...TileCol..."""
        for one in every_tileset(suite):
            assert f"{{{part}}}" in linked(one, "item")["href"]


class TestMandatoryCore:
    def test_verify_minimal_conformance(self, suite: Suite) -> None:
        """verifyMinimalConformance: a registered tile matrix set, whose name is in the template"""
        for one in resources(suite):
            found = next(each for each in tilesets(suite, one) if each["tileMatrixSetURI"] == WEB_MERCATOR)
            assert "/tiles/WebMercatorQuad" in linked(found, "item")["href"]

    def test_validate_successful_tiles_execution(self, suite: Suite) -> None:
        """validateSuccessfulTilesExecution"""
        for one in tilesets(suite, suite.landing):
            answer = suite.get(filled(linked(one, "item")["href"], *somewhere(one).numbers), MVT)
            assert (answer.status_code, answer.headers["Content-Type"]) == (200, MVT)
            assert "network" in mapbox_vector_tile.decode(answer.content)

    @pytest.mark.parametrize(
        "numbers", [(16, 2**31 - 1, 2**31 - 1), (99, 0, 0), (0, -1, 0), ("x", "y", "z"), (0, "0.5", "²")]
    )
    def test_verify_error_responses(self, suite: Suite, numbers: tuple[int | str, ...]) -> None:
        """verifyErrorResponses"""
        for one in tilesets(suite, suite.landing):
            answer = suite.get(filled(linked(one, "item")["href"], *numbers), MVT)
            assert answer.status_code == 404
            assert answer.headers["Content-Type"] == "application/problem+json"


class TestDatasetTilesets:
    def test_landing_page_retrieval(self, suite: Suite) -> None:
        """landingPageRetrieval"""
        assert linked(suite.landing, TILESETS, "application/json")["href"].endswith("/tiles")


class TestGeodataTilesets:
    def test_geospatial_resource_tilesets_links_check(self, suite: Suite) -> None:
        """geospatialResourceTilesetsLinksCheck: all features that have a place have tiles"""
        for one in suite.listed["collections"]:
            drawn = "spatial" in one["extent"] and one["itemType"] == "feature"
            assert bool(linked(one, TILESETS)) == drawn

    def test_geospatial_resource_tilesets_retrieval(self, suite: Suite) -> None:
        """geospatialResourceTilesetsRetrieval"""
        for one in suite.listed["collections"]:
            link = linked(one, TILESETS)
            if link:
                assert link["href"].endswith(f"/{one['id']}/tiles")
        assert suite.get("/ogc/collections/quality/tiles").status_code == 404


class TestTilesetsList:
    def test_validate_tilesets_list_response(self, suite: Suite) -> None:
        """validateTilesetsListResponse, and /conf/tileset/description"""
        for resource in resources(suite):
            link = linked(resource, TILESETS)["href"]
            listed = suite.json(link)["tilesets"]
            assert [linked(one, "self")["href"] for one in listed] == [f"{link}/{name}" for name in TILE_SETS]
            for one in listed:
                assert one["dataType"] == "vector"
                full = suite.json(linked(one, "self")["href"])
                grid = suite.json(linked(full, SCHEME)["href"])
                for document in (one, full, grid):
                    assert document["crs"] == one["crs"]
                assert {one["tileMatrixSetURI"], full["tileMatrixSetURI"], grid["uri"]} == {grid["uri"]}


def test_collections_selection(suite: Suite, stranger: Suite) -> None:
    """/conf/collections-selection: query-collections, collections-response"""
    place = place_of("WebMercatorQuad", 14, *SOMEWHERE)
    tile = f"/ogc/tiles/WebMercatorQuad/{place.path}"
    network = next(one for one in suite.listed["collections"] if one["id"] == "network")
    address = linked(network, "self")["href"]
    answer = suite.get(tile, MVT, collections=f"requests,{address}")
    assert [*mapbox_vector_tile.decode(answer.content)] == ["requests", "network"]
    described = suite.json("/ogc/tiles/View1", collections="requests")
    assert [one["id"] for one in described["layers"]] == ["requests"]
    assert "collections=requests" in linked(described, "item")["href"]
    assert suite.get(tile, MVT, collections="requests,nothing").status_code == 404
    assert suite.get(tile, MVT, collections="quality").status_code == 404
    assert suite.get(tile, MVT, collections="requests,requests").status_code == 400
    for name in ("requests", "nothing", "quality"):
        assert stranger.get(tile, MVT, collections=name).status_code == 401
    public = {one["id"] for one in stranger.listed["collections"]}
    assert {*mapbox_vector_tile.decode(stranger.get(tile, MVT).content)} <= public
