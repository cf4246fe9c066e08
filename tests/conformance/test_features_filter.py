"""The abstract tests of Features 3 (OGC 19-079r2), Features 5 (OGC 23-058), Sorting and property selection, by their ids."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from geoapi.ogc.crs import OFFERED
from tests.conformance.answers import check
from tests.conformance.scene import GEOJSON, Suite, corners, linked, media_type

type Node = dict[str, Any]

FEATURES = "http://www.opengis.net/spec/ogcapi-features-"
RELATION = "http://www.opengis.net/def/rel/ogc/1.0/"
SCHEMAS = ("schema", "queryables", "sortables")
SOME = ("network", "requests", "planned-works", "lines-gas")
TYPES = {"string", "integer", "number", "boolean", "array", "object"}
UNITS = {"mm", "m", "m2", "d", "deg", "kV", "bar", "Cel", "{DKK}"}
"""UCUM, case sensitive."""


def schema(suite: Suite, one: Node, name: str) -> Node:
    link = linked(one, f"{RELATION}{name}")
    assert link["href"] == f"{linked(one, 'self')['href']}/{name}"
    return suite.json(link["href"], "application/schema+json")


def every_schema(suite: Suite) -> Iterator[Node]:
    return (schema(suite, one, name) for one in suite.listed["collections"] for name in SCHEMAS)


def properties(suite: Suite, name: str) -> Iterator[tuple[Node, str, Node]]:
    """Every property of a schema of every collection."""
    for one in suite.collections:
        for each, node in schema(suite, one, name)["properties"].items():
            yield one, each, node


def url(one: Node) -> str:
    return str(linked(one, "items", GEOJSON)["href"])


def ids(answer: Node) -> list[str]:
    return [one["id"] for one in answer["features"]]


def envelope(box: tuple[float, ...]) -> str:
    return f"S_INTERSECTS(geom,BBOX({','.join(map(str, box))}))"


@pytest.mark.parametrize(
    "name",
    [
        *(f"3/1.0/conf/{one}" for one in ("queryables", "queryables-query-parameters", "filter")),
        "3/1.0/conf/features-filter",
        *(f"5/1.0/conf/{one}" for one in ("schemas", "queryables", "sortables")),
        "5/1.0/conf/advanced-property-roles",
        "5/1.0/conf/returnables-and-receivables",
        *(f"8/0.0/conf/{one}" for one in ("sorting", "features-sorting")),
        "6/0.0/conf/properties",
    ],
)
def test_conf_get_conformance(suite: Suite, name: str) -> None:
    assert f"{FEATURES}{name}" in suite.conformance


class TestConfSchemas:
    """/conf/schemas and /conf/returnables-and-receivables, /conf/queryables, /conf/sortables: link, op-and-response."""

    def test_basic_schema_inspection(self, suite: Suite) -> None:
        for found in every_schema(suite):
            assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
            assert suite.json(found["$id"], "application/schema+json") == found
            assert found["type"] == "object"
            Draft202012Validator.check_schema(found)
            for node in found["properties"].values():
                geometry = node.get("format", "").startswith("geometry-") and "type" not in node
                assert geometry or node["type"] in TYPES
                known = {"title", "type", "format", "enum", "items", "readOnly", "description"}
                assert all(name in known or name.startswith("x-ogc-") for name in node)

    def test_role_id(self, suite: Suite) -> None:
        for one in suite.listed["collections"]:
            nodes = schema(suite, one, "schema")["properties"].values()
            assert [node["type"] for node in nodes if node.get("x-ogc-role") == "id"] == ["string"]

    def test_unit(self, suite: Suite) -> None:
        found = [node for _, _, node in properties(suite, "schema") if "x-ogc-unit" in node]
        assert found
        assert all(node["type"] in {"number", "integer"} and node["x-ogc-unit"] in UNITS for node in found)

    def test_sortables_are_single_values(self, suite: Suite) -> None:
        assert all(node["type"] not in {"array", "object"} for _, _, node in properties(suite, "sortables"))

    def test_response_1(self, suite: Suite) -> None:
        """Each value of each feature is as the schema has it; what has no value is null."""
        for one in suite.collections:
            found = schema(suite, one, "schema")
            assert found["additionalProperties"] is False
            apart = {"id", "primary-geometry"}
            nodes = found["properties"].items()
            told = {name: node for name, node in nodes if node.get("x-ogc-role") not in apart}
            validators = {name: Draft202012Validator(node) for name, node in told.items()}
            for feature in suite.items(one)["features"]:
                assert feature["properties"].keys() == told.keys()
                for name, value in feature["properties"].items():
                    assert value is None or validators[name].is_valid(value), (one["id"], name, value)


class TestConfAdvancedPropertyRoles:
    def test_role_primary_geometry(self, suite: Suite) -> None:
        for one in suite.collections:
            nodes = schema(suite, one, "schema")["properties"].values()
            places = [node for node in nodes if node.get("x-ogc-role") == "primary-geometry"]
            assert len(places) == ("spatial" in one["extent"])
            assert all(node["format"].startswith("geometry-") for node in places)

    def test_role_primary_temporal(self, suite: Suite) -> None:
        roles = {
            one["id"]: sorted(
                node["x-ogc-role"]
                for node in schema(suite, one, "schema")["properties"].values()
                if node.get("x-ogc-role", "").startswith("primary-i")
            )
            for one in suite.collections
        }
        assert roles["requests"] == ["primary-interval-end", "primary-interval-start"]
        assert roles["damages"] == ["primary-instant"]
        for _, _, node in properties(suite, "schema"):
            if node.get("x-ogc-role", "").startswith("primary-i"):
                assert node["format"] in {"date", "date-time"}


class TestConfQueryables:
    def test_get_queryables_uris_and_queryables(self, suite: Suite) -> None:
        for one in suite.collections:
            assert schema(suite, one, "queryables")["properties"]

    def test_query_param(self, suite: Suite) -> None:
        """/conf/queryables-query-parameters/query-param: each queryable is a parameter, described and heard."""
        for one in map(suite.collection, (*SOME, "traces", "components-sewer", "interest-areas")):
            described = suite.parameters(f"/collections/{one['id']}/items")
            features = suite.items(one)["features"]
            for name, node in schema(suite, one, "queryables")["properties"].items():
                if name == "geom":
                    continue
                assert described[name]["schema"]["type"] in {node["type"], "string"}
                value = next((v for f in features if (v := f["properties"][name]) not in (None, [])), None)
                if value is None:
                    continue
                asked = value[0] if isinstance(value, list) else value
                text = str(asked).lower() if isinstance(asked, bool) else str(asked)
                found = suite.items(one, limit=10, **{name: text})
                assert found["features"], (one["id"], name, text)
                assert all(asked in _listed(f["properties"][name]) for f in found["features"]), name

    def test_query_param_of_the_wrong_kind(self, suite: Suite) -> None:
        for one, name, node in properties(suite, "queryables"):
            if node.get("type") in {"integer", "number", "boolean"}:
                suite.refused(url(one), **{name: "no-such-value"})


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - of a property
    return value if isinstance(value, list) else [value]


class TestConfFilter:
    """/conf/filter and /conf/features-filter, on /collections/{collectionId}/items."""

    @pytest.mark.parametrize("lang", [{}, {"filter_lang": "cql2-text"}])
    def test_filter_param_and_filter_lang_default(self, suite: Suite, lang: dict[str, str]) -> None:
        for one in suite.collections:
            name = next(each for each in schema(suite, one, "queryables")["properties"] if each != "geom")
            found = suite.items(one, filter=f"{name} IS NULL", **lang)
            check("features", found)
            assert all(feature["properties"][name] is None for feature in found["features"])
            rest = suite.items(one, filter=f"{name} IS NOT NULL", **lang)
            assert found["numberMatched"] + rest["numberMatched"] == suite.items(one)["numberMatched"]
        suite.refused(url(one), filter="THIS IS NOT A FILTER", **lang)

    def test_filter_lang(self, suite: Suite) -> None:
        one = suite.collection("network")
        asked = '{"op":"isNull","args":[{"property":"objekttype"}]}'
        assert suite.items(one, filter=asked, filter_lang="cql2-json")["numberMatched"] == 0
        suite.refused(url(one), filter=asked, filter_lang="cql2-text")
        suite.refused(url(one), filter=asked, filter_lang="sql")
        suite.refused(url(one), filter_lang="cql2-json")

    def test_expression_construction(self, suite: Suite) -> None:
        for one in suite.collections:
            suite.refused(url(one), filter="this_is_not_a_queryable IS NULL")

    def test_filter_crs_wgs84(self, suite: Suite) -> None:
        for one in suite.spatial:
            found = suite.items(one, filter=envelope(tuple(one["extent"]["spatial"]["bbox"][0])))
            assert ids(found) == placed(suite, one)
        suite.refused(url(suite.spatial[0]), filter=envelope((1000000, 1000000, 2000000, 2000000)))

    def test_filter_crs_param(self, suite: Suite) -> None:
        for one in map(suite.collection, SOME):
            for crs in OFFERED:
                found = suite.items(one, filter=envelope(corners(one, crs.uri)), filter_crs=crs.uri)
                assert ids(found) == placed(suite, one), (one["id"], crs.uri)
        unknown = "http://www.opengis.net/def/crs/OGC/0/does_not_exist"
        suite.refused(url(suite.spatial[0]), filter=envelope((9, 55, 11, 57)), filter_crs=unknown)

    def test_mixing_expression(self, suite: Suite) -> None:
        for one in map(suite.collection, SOME):
            box = one["extent"]["spatial"]["bbox"][0]
            both = suite.items(one, filter=envelope(tuple(box)), bbox=",".join(map(str, box)))
            assert ids(both) == placed(suite, one)
            apart = suite.items(one, filter=envelope(tuple(box)), bbox="1,41,2,42")
            assert apart["numberMatched"] == 0

    def test_get_collections_and_collection(self, suite: Suite) -> None:
        for one in suite.collections:
            assert linked(one, f"{RELATION}queryables")["type"] == "application/schema+json"


def placed(suite: Suite, one: Node) -> list[str]:
    """Ids of the first page without features that have no place."""
    return ids(suite.items(one, filter="geom IS NOT NULL"))


class TestConfSorting:
    """/conf/sorting and /conf/features-sorting."""

    def test_sortby_param_and_order_default(self, suite: Suite) -> None:
        for one in map(suite.collection, SOME):
            for name in schema(suite, one, "sortables")["properties"]:
                up, down = (values(suite, one, name, f"{sign}{name}") for sign in ("", "-"))
                assert up == values(suite, one, name, f"+{name}")
                assert sorted(up, key=_order) == up, (one["id"], name)
                assert [_order(value) for value in down] == sorted(
                    map(_order, down), reverse=True
                ) or None in down
        described = suite.parameters("/collections/network/items")["sortby"]["schema"]
        assert re.fullmatch(described["items"]["pattern"], "-objekttype")

    def test_expression_construction(self, suite: Suite) -> None:
        for one in suite.collections:
            suite.refused(url(one), sortby="this_is_not_a_sortable")

    def test_sorted_pages_lose_nothing(self, suite: Suite) -> None:
        network = suite.collection("network")
        page, found = suite.items(network, sortby="-objekttype,driftsstatus", limit=50), []
        while True:
            found += ids(page)
            following = linked(page, "next")
            if not following:
                break
            page = suite.json(following["href"], GEOJSON)
            assert linked(page, "prev")
        assert len(found) == len({*found}) == page["numberMatched"]


def values(suite: Suite, one: Node, name: str, sortby: str) -> list[Any]:
    found = suite.items(one, sortby=sortby, properties=name, skipGeometry="true")
    return [feature["properties"][name] for feature in found["features"]]


def _order(value: Any) -> tuple[bool, Any]:  # noqa: ANN401 - of a property
    """What has no value comes last; texts by their code points."""
    return value is None, "" if value is None else value


class TestConfProperties:
    """Property selection: /conf/properties."""

    def test_only_what_is_asked_for_is_told(self, suite: Suite) -> None:
        for one, address in suite.with_features():
            names = [*suite.items(one)["features"][0]["properties"]][:2]
            for given in (names, names[::-1], [""]):
                asked = ",".join(given)
                page = suite.items(one, properties=asked)["features"][0]
                single = suite.json(address, GEOJSON, properties=asked)
                wanted = {name for name in given if name}
                assert page["properties"].keys() == single["properties"].keys() == wanted
                assert media_type(suite.get(address, GEOJSON, properties=asked)) == GEOJSON

    def test_geometry_can_be_left_out(self, suite: Suite) -> None:
        for one in suite.spatial:
            assert {f["geometry"] is None for f in suite.items(one, skipGeometry="true")["features"]} <= {
                True
            }
        suite.refused(url(one), skipGeometry="perhaps")
