"""Records 1 (OGC 20-004r1): the abstract tests of the declared classes by their ids, as an owner and as anybody."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from geoapi.ogc.collections import all_collections
from geoapi.ogc.records import CORE
from ler.domain.access import Scope
from tests.conformance.scene import CVR, GEOJSON, Suite, linked
from tests.service import Service

CLASSES = "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf"
CATALOGUE = "/ogc/collections/datasets"
ITEMS = f"{CATALOGUE}/items"
OPEN = {name for name, one in all_collections().items() if one.scope is None and not one.record}
TEXT = {"type": "string", "minLength": 1}
LANGUAGE = {"type": "object", "required": ["code"], "properties": {"code": TEXT, "name": TEXT}}
MOMENT = {"type": "string", "format": "date-time"}
RECORD = {
    "type": "object",
    "required": ["id", "type", "conformsTo", "time", "geometry", "properties", "links"],
    "properties": {
        "id": TEXT,
        "type": {"const": "Feature"},
        "conformsTo": {"type": "array", "contains": {"const": CORE}},
        "time": {"oneOf": [{"type": "null"}, {"type": "object", "required": ["timestamp"]}]},
        "properties": {
            "type": "object",
            "required": ["type", "title"],
            "properties": {
                **dict.fromkeys(("type", "title", "description", "license", "rights"), TEXT),
                **dict.fromkeys(("created", "updated"), MOMENT),
                "keywords": {"type": "array", "items": TEXT},
                "language": LANGUAGE,
                "languages": {"type": "array", "items": LANGUAGE},
                "contacts": {
                    "type": "array",
                    "items": {"type": "object", "required": ["name", "roles"]},
                },
                "themes": {"type": "array", "items": {"type": "object", "required": ["concepts", "scheme"]}},
                "formats": {"type": "array", "items": {"type": "object", "required": ["name", "mediaType"]}},
                "externalIds": {"type": "array", "items": {"type": "object", "required": ["value"]}},
            },
        },
        "links": {"type": "array", "items": {"type": "object", "required": ["href", "rel", "type"]}},
    },
}


def records(view: Suite, /, **given: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - values of parameters
    found: list[dict[str, Any]] = view.json(ITEMS, GEOJSON, **given)["features"]
    return found


def ids(view: Suite, /, **given: Any) -> set[str]:  # noqa: ANN401
    return {one["id"] for one in records(view, **given)}


@pytest.fixture(params=["owner", "anybody"])
def view(request: pytest.FixtureRequest, suite: Suite, stranger: Suite) -> Suite:
    return suite if request.param == "owner" else stranger


def test_conformance(view: Suite) -> None:
    """/conf/record-core, /conf/record-core-query-parameters, /conf/json, /conf/html"""
    for name in ("record-core", "record-core-query-parameters", "json", "html"):
        assert f"{CLASSES}/{name}" in view.conformance


class TestRecordCore:
    def test_mandatory_properties_record(self, view: Suite) -> None:
        """/conf/record-core/mandatory-properties-record; /conf/json/record-response, /conf/json/records-response"""
        validator = Draft202012Validator(RECORD, format_checker=Draft202012Validator.FORMAT_CHECKER)
        found = records(view)
        assert found
        for one in found:
            validator.validate(one)
            alone = view.json(linked(one, "self")["href"], GEOJSON)
            validator.validate(alone)
            assert {name: alone[name] for name in one if name != "links"} == {
                name: told for name, told in one.items() if name != "links"
            }

    def test_links(self, view: Suite) -> None:
        """/conf/record-core/links: what a record tells of can be had by its links."""
        for one in records(view):
            for link in one["links"]:
                assert view.get(link["href"], link["type"]).status_code == 200, link

    def test_catalogue(self, view: Suite) -> None:
        """/conf/record-core/record-collection: the collection says that it holds records."""
        listed = {one["id"]: one for one in view.listed["collections"]}
        assert listed["datasets"]["itemType"] == "record"


class TestQueryParameters:
    def test_q(self, view: Suite) -> None:
        """/conf/record-core-query-parameters/param-q-definition, -response"""
        everything = ids(view)
        assert ids(view, q="PLANNED works") == {"planned-works"}
        assert ids(view, q="planlagte") == {"planned-works"}
        assert ids(view, q="planned works,restrictions") == {"planned-works", "restrictions"}
        assert ids(view, q="works planned") == set()
        assert ids(view, q="buried utilities") == everything
        assert ids(view, q="%") == set()

    def test_type(self, view: Suite) -> None:
        """/conf/record-core-query-parameters/param-type-definition, -response"""
        assert ids(view, type="dataset,service") == ids(view)
        assert ids(view, type="service") == set()

    def test_ids(self, view: Suite) -> None:
        """/conf/record-core-query-parameters/param-ids-definition, -response"""
        assert ids(view, ids="restrictions,nothing") == {"restrictions"}

    def test_external_ids(self, view: Suite) -> None:
        """/conf/record-core-query-parameters/param-externalids-definition, -response"""
        for one in records(view):
            (told,) = one["properties"]["externalIds"]
            assert ids(view, externalIds=told["value"]) == {one["id"]}
            assert ids(view, externalIds=f"{told['scheme']}:{told['value']}") == {one["id"]}

    def test_bbox_datetime_limit(self, view: Suite) -> None:
        """/conf/record-core-query-parameters/param-bbox, param-datetime, param-limit"""
        assert ids(view, bbox="0,0,1,1") == OPEN
        assert ids(view, datetime="../1990-01-01") == OPEN
        assert len(records(view, limit=1)) == 1

    def test_what_cannot_be_used_is_refused(self, view: Suite) -> None:
        for given in ({"q": ""}, {"ids": "a,,b"}, {"type": ","}, {"nothing": "1"}):
            view.refused(ITEMS, **given)
        view.refused("/ogc/collections/planned-works/items", q="works")


class TestWhoSeesWhat:
    def test_open_data_are_for_everybody_and_networks_for_their_owner(
        self, suite: Suite, stranger: Suite
    ) -> None:
        assert ids(stranger) == OPEN
        (own,) = [one for one in records(suite) if one["id"] not in OPEN]
        assert own["properties"]["owner_cvr"] == CVR
        assert linked(own, "items")["href"].endswith("/collections/network/items")

    def test_a_token_that_may_not_read_the_network_sees_what_is_open(
        self,
        suite: Suite,
        platform: Service,
        inhabitant: Any,  # noqa: ANN401 - an id
    ) -> None:
        (own,) = ids(suite) - OPEN
        other = Suite(platform.client(platform.token(inhabitant, Scope("request:read"))).http)
        assert ids(other) == OPEN
        assert other.get(f"{ITEMS}/{own}", GEOJSON).status_code == 404

    def test_languages(self, suite: Suite) -> None:
        danish = {one["id"]: one["properties"]["title"] for one in records(suite, lang="da")}
        assert danish["planned-works"] == "Planlagte gravearbejder"


def test_html(view: Suite) -> None:
    """/conf/html/definition, /conf/html/content"""
    answer = view.get(ITEMS, "text/html")
    assert answer.status_code == 200
    for one in records(view):
        assert one["properties"]["title"] in answer.text
        alone = view.get(f"{ITEMS}/{one['id']}", "text/html")
        assert one["properties"]["title"] in alone.text
