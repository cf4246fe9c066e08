"""The further formats of items: read back by GDAL and our own reader, with the same features as GeoJSON has."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import geopandas
import pyogrio
import pytest
import shapely
from shapely.geometry import shape

from geoapi.ogc.jsonfg import CORE
from tests.answers import read
from tests.conformance.scene import CRS84, GEOJSON, Suite, linked, media_type
from tests.official import needs_schemas, schema_errors

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
JSONFG = "application/vnd.ogc.fg+json"
MANY = 1000


def items(suite: Suite, name: str, format_: str, **given: Any) -> Any:  # noqa: ANN401 - an answer
    answer = suite.get(f"/ogc/collections/{name}/items", "*/*", f=format_, limit=MANY, **given)
    assert answer.status_code == 200, answer.text
    return answer


def geojson(suite: Suite, name: str, **given: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401
    return {one["id"]: one for one in items(suite, name, "json", **given).json()["features"]}


class TestJsonFg:
    def test_core(self, suite: Suite) -> None:
        assert CORE in suite.conformance
        for one in suite.collections:
            found = suite.json(linked(one, "items", JSONFG)["href"], JSONFG)
            assert (found["conformsTo"], found["coordRefSys"]) == ([CORE], CRS84)
            plain = {each["id"]: each for each in suite.items(one)["features"]}
            assert {each["id"] for each in found["features"]} == {*plain}
            for each in found["features"]:
                assert each["featureType"]
                assert each["place"] is None
                assert each["geometry"] == plain[each["id"]]["geometry"]
                assert each["properties"] == plain[each["id"]]["properties"]

    def test_place_in_the_system_that_is_asked_for(self, suite: Suite) -> None:
        plain = geojson(suite, "network", crs=f"{EPSG}7416")
        found = items(suite, "network", "jsonfg", crs=f"{EPSG}7416").json()
        assert found["coordRefSys"] == f"{EPSG}7416"
        for each in found["features"]:
            assert each["geometry"] is None
            assert each["place"] == plain[each["id"]]["geometry"]
            if each["place"]:
                flat = not shape(each["place"]).has_z
                assert each.get("coordRefSys") == (f"{EPSG}25832" if flat else None)
        types = {each["featureType"] for each in found["features"]}
        assert {"Vandledning", "Elledning"} <= types

    def test_time(self, suite: Suite) -> None:
        for one in items(suite, "requests", "jsonfg").json()["features"]:
            told = one["properties"]
            assert one["time"] == {"interval": [told["period_from"], told["period_to"]]}
        for one in items(suite, "quality", "jsonfg").json()["features"]:
            assert one["time"]["timestamp"].endswith("Z")
        for one in items(suite, "damages", "jsonfg").json()["features"]:
            assert one["time"] == {"date": one["properties"]["happened_on"]}

    def test_one_feature(self, suite: Suite) -> None:
        for _, address in suite.with_features():
            found = suite.json(address, JSONFG)
            assert found["conformsTo"] == [CORE]
            assert found["id"] == suite.json(address, GEOJSON)["id"]
            assert linked(found, "self")["type"] == JSONFG

    def test_gdal_reads_the_same(self, suite: Suite, tmp_path: Path) -> None:
        path = tmp_path / "requests.json"
        path.write_bytes(items(suite, "requests", "jsonfg", crs=f"{EPSG}25832").content)
        frame = geopandas.read_file(f"JSONFG:{path}")
        assert frame.crs.to_epsg() == 25832
        check_same(frame, geojson(suite, "requests", crs=f"{EPSG}25832"), "order_number")


class TestTables:
    @pytest.mark.parametrize("name", ["requests", "lines-water", "network", "quality", "damages"])
    def test_flatgeobuf(self, suite: Suite, name: str) -> None:
        answer = items(suite, name, "fgb", crs=f"{EPSG}25832")
        assert media_type(answer) == "application/flatgeobuf"
        plain = geojson(suite, name, crs=f"{EPSG}25832")
        frame = pyogrio.read_dataframe(io.BytesIO(answer.content))
        assert [*frame["feature_id"]] == [*plain]
        if name == "quality":
            return
        assert frame.crs.to_epsg() == 25832
        there = [one["geometry"] for one in plain.values()]
        for mine, theirs in zip(frame.geometry, there, strict=True):
            assert (mine is None) == (theirs is None)
            assert mine is None or shapely.equals_exact(mine, shape(theirs), 0.001)

    def test_flatgeobuf_has_heights_where_all_are_known(self, suite: Suite) -> None:
        solid = items(suite, "network", "fgb", crs=f"{EPSG}7416", objekttype="Vandledning")
        flat = items(suite, "network", "fgb", crs=f"{EPSG}7416")
        assert flat.headers["Content-Crs"] == f"<{EPSG}25832>"
        assert not pyogrio.read_dataframe(io.BytesIO(flat.content)).geometry.has_z.any()
        plain = geojson(suite, "network", crs=f"{EPSG}7416", objekttype="Vandledning")
        known = all(shape(one["geometry"]).has_z for one in plain.values() if one["geometry"])
        assert solid.headers["Content-Crs"] == f"<{EPSG}{7416 if known else 25832}>"
        frame = pyogrio.read_dataframe(io.BytesIO(solid.content))
        assert bool(frame.geometry.dropna().has_z.all()) == known

    def test_csv(self, suite: Suite) -> None:
        answer = items(suite, "requests", "csv", crs=f"{EPSG}25832")
        assert media_type(answer) == "text/csv"
        rows = [*csv.DictReader(io.StringIO(answer.text))]
        plain = geojson(suite, "requests", crs=f"{EPSG}25832")
        assert [one["feature_id"] for one in rows] == [*plain]
        for row, one in zip(rows, plain.values(), strict=True):
            assert int(row["order_number"]) == one["properties"]["order_number"]
            assert json.loads(row["utility_types"] or "null") == one["properties"]["utility_types"]
            assert shapely.equals_exact(shapely.from_wkt(row["geometry"]), shape(one["geometry"]), 0.001)

    def test_pages_go_on_by_the_header(self, suite: Suite) -> None:
        answer = suite.get("/ogc/collections/network/items", "text/csv", limit=50)
        found = [one["feature_id"] for one in csv.DictReader(io.StringIO(answer.text))]
        assert answer.headers["OGC-NumberReturned"] == "50"
        while "next" in answer.links:
            answer = suite.get(answer.links["next"]["url"], "text/csv")
            found += [one["feature_id"] for one in csv.DictReader(io.StringIO(answer.text))]
        assert len(found) == len({*found}) == int(answer.headers["OGC-NumberMatched"])


class TestLerGml:
    @needs_schemas
    def test_the_network_is_officially_valid_and_reads_back(self, suite: Suite, tmp_path: Path) -> None:
        answer = items(suite, "network", "gml")
        assert answer.headers["Content-Crs"] == f"<{EPSG}7416>"
        (tmp_path / "network.gml").write_bytes(answer.content)
        assert schema_errors(tmp_path / "network.gml") == []
        found, _ = read(tmp_path / "network.gml")
        plain = geojson(suite, "network", crs=f"{EPSG}7416")
        assert sorted(one.gml_id for one in found) == sorted(plain)
        for one in found:
            told = plain[one.gml_id]["properties"]
            assert (one.type, one.attributes.get("fareklasse")) == (told["objekttype"], told["fareklasse"])
            place = plain[one.gml_id]["geometry"]
            assert (one.geometry is None) == (place is None)
            assert place is None or shapely.equals_exact(
                shapely.force_2d(one.geometry), shapely.force_2d(shape(place)), 0.001
            )

    @needs_schemas
    def test_what_several_answers_delivered_stands_in_one_valid_document(
        self, suite: Suite, tmp_path: Path
    ) -> None:
        (tmp_path / "delivered.gml").write_bytes(items(suite, "package-features", "gml").content)
        assert schema_errors(tmp_path / "delivered.gml") == []
        found, _ = read(tmp_path / "delivered.gml")
        plain = geojson(suite, "package-features").values()
        told = [one["properties"]["gml_id"] for one in plain]
        assert len({*told}) < len(told)
        assert sorted(one.gml_id.partition(".")[2] for one in found) == sorted(told)

    def test_what_it_cannot_say_is_refused(self, suite: Suite) -> None:
        address = "/ogc/collections/network/items"
        suite.refused(address, f="gml", properties="objekttype")
        suite.refused(address, f="gml", skipGeometry="true")
        suite.refused("/ogc/collections/requests/items", f="gml")


def check_same(frame: Any, plain: dict[str, Any], key: str) -> None:  # noqa: ANN401 - a frame
    theirs = {one["properties"][key]: shape(one["geometry"]) for one in plain.values()}
    mine = dict(zip(frame[key], frame.geometry, strict=True))
    assert {*mine} == {*theirs}
    for one, place in mine.items():
        assert shapely.equals_exact(place, theirs[one], 0.001)
