"""The official test suite of Features 1 (ets-ogcapi-features10, package core), each test under its own name.

The suite is run with a token and without one. It leaves out which features a box or a time selects; here that is looked
at too, and wider in `test_bbox_exact.py`.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
import shapely
from openapi_spec_validator import validate
from shapely.geometry import shape

from geoapi.ogc.collections import all_collections
from tests.conformance.answers import check
from tests.conformance.scene import CRS84, GEOJSON, HOMELESS, Suite, linked, media_type

type Node = dict[str, Any]
type Answered = Iterator[tuple[Node, Node, Node]]
"""A collection, what was asked of it, and the answer."""

TOLERANCE = 2e-8
"""Degrees: two units of the last decimal that is told."""
BOXES = ("-1.5,50,1.5,53", "-80,-5,-70,5", "177,65,-177,70", "-180,85,180,90", "-180,-90,180,-85")
"""Over the meridian, the equator, 180 degrees, and the poles."""


@pytest.fixture(params=["owner", "anybody"])
def view(request: pytest.FixtureRequest, suite: Suite, stranger: Suite) -> Suite:
    return suite if request.param == "owner" else stranger


def plain(view: Suite) -> Answered:
    return ((one, {}, view.items(one)) for one in view.collections)


def limited(view: Suite) -> Answered:
    """At the least limit that is described, and at one between it and the largest."""
    for one in view.collections:
        limit = view.parameters(f"/collections/{one['id']}/items")["limit"]["schema"]
        between = min(100, (limit["minimum"] + limit["maximum"]) // 2)
        for number in (limit["minimum"], between):
            yield one, {"limit": number}, view.items(one, limit=number)


def boxed(view: Suite) -> Answered:
    for one in view.spatial:
        extent = ",".join(str(number) for number in one["extent"]["spatial"]["bbox"][0])
        for box in (extent, *BOXES):
            yield one, {"bbox": box}, view.items(one, bbox=box)


def timed(view: Suite) -> Answered:
    """The begin of the extent, a quarter of it, and two days by a duration, which no standard knows."""
    for one in view.collections:
        if "temporal" in one["extent"]:
            begin, end = (datetime.fromisoformat(each) for each in one["extent"]["temporal"]["interval"][0])
            first = begin + (end - begin) / 4
            second = first + (end - begin) / 4
            for each in (told(begin), f"{told(first)}/{told(second)}", f"{first.date()}/P2D"):
                yield one, {"datetime": each}, view.items(one, datetime=each)


def told(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def check_types(answers: Answered) -> None:
    for one, given, answer in answers:
        assert answer["type"] == "FeatureCollection", (one["id"], given)


def check_features(answers: Answered) -> None:
    for _, _, answer in answers:
        check("features", answer)


def check_links(answers: Answered) -> None:
    for one, given, answer in answers:
        own = linked(answer, "self")
        assert httpx.URL(own["href"]).params == httpx.QueryParams(given), one["id"]
        # A link to every other format, and to no format that is not served: each link is followed.
        offered = {each["type"] for each in one["links"] if each["rel"] == "items"}
        others = {each["type"] for each in answer["links"] if each["rel"] == "alternate"}
        assert others == offered - {own["type"]}
        assert linked(answer, "collection")["href"] == linked(one, "self")["href"]


def check_time_stamps(answers: Answered) -> None:
    for _, _, answer in answers:
        age = datetime.now(UTC) - datetime.fromisoformat(answer["timeStamp"])
        assert timedelta(0) <= age < timedelta(minutes=10)


def check_matched(view: Suite, answers: Answered) -> None:
    """As many are found on all pages as are said to match, none of them twice."""
    for one, given, answer in answers:
        found = [feature["id"] for feature in answer["features"]]
        following = linked(answer, "next")
        while following:
            page = view.json(str(httpx.URL(following["href"]).copy_merge_params({"limit": "500"})), GEOJSON)
            found += [feature["id"] for feature in page["features"]]
            following = linked(page, "next")
        assert len(found) == len({*found}) == answer["numberMatched"], (one["id"], given)


def check_returned(answers: Answered) -> None:
    for one, given, answer in answers:
        assert answer["numberReturned"] == len(answer["features"]), (one["id"], given)


def check_crs84(answers: Answered) -> None:
    """Within the degrees of the world, and where everything of ours lies: no axes are changed over."""
    for _, _, answer in answers:
        places = shapes(answer)
        if places:
            west, south, east, north = shapely.total_bounds(places)
            assert 8 <= west <= east <= 13, answer["links"]
            assert 54 <= south <= north <= 58


def shapes(answer: Node) -> list[Any]:
    return [shape(each["geometry"]) for each in answer["features"] if each["geometry"]]


class TestGeneralHttp:
    def test_http(self, view: Suite) -> None:
        for path in ("/ogc", "/ogc/", "/ogc/collections", "/ogc/openapi", "/ogc/conformance"):
            got, head = view.get(path), view.http.head(path)
            assert (got.status_code, got.http_version) == (200, "HTTP/1.1")
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["ETag"] == got.headers["ETag"]
            again = view.http.get(path, headers={"If-None-Match": got.headers["ETag"]})
            assert (again.status_code, again.content) == (304, b"")
            assert view.http.request("PURGE", path).status_code == 405
        assert view.get("/ogc/nowhere").status_code == 404


class TestLandingPage:
    def test_landingPageRetrieval(self, view: Suite) -> None:
        assert view.get("/ogc").json() == view.get("/ogc/").json()

    def test_landingPageValidation(self, view: Suite) -> None:
        check("landing", view.landing)
        for rel in ("service-desc", "conformance", "data", "self"):
            link = linked(view.landing, rel)
            assert media_type(view.get(link["href"], link["type"])) == link["type"]


class TestApiDefinition:
    def test_openapiDocumentRetrieval(self, view: Suite) -> None:
        assert view.api["openapi"].startswith("3.0.")
        assert view.api["servers"] == [{"url": linked(view.landing, "self")["href"]}]

    def test_apiDefinitionValidation(self, view: Suite) -> None:
        validate(view.api)


class TestConformance:
    def test_validateConformanceOperationAndResponse(self, view: Suite) -> None:
        check("conformance", view.json("/ogc/conformance"))
        assert len(view.conformance) == len({*view.conformance})
        for name in ("core", "geojson", "oas30"):
            assert f"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/{name}" in view.conformance


class TestFeatureCollections:
    def test_validateFeatureCollectionsMetadataOperation(self, view: Suite) -> None:
        assert view.get("/ogc/collections").status_code == 200

    def test_validateFeatureCollectionsMetadataOperationResponse_Links(self, view: Suite) -> None:
        assert linked(view.listed, "self")["type"] == "application/json"

    def test_validateFeatureCollectionsMetadataOperationResponse_Items(self, suite: Suite) -> None:
        assert [one["id"] for one in suite.listed["collections"]] == [*all_collections()]

    def test_validateFeatureCollectionsMetadataOperationResponse_CrsProperty(self, view: Suite) -> None:
        for one in view.spatial:
            assert one["crs"][0] == CRS84

    def test_validateFeatureCollectionsMetadataOperationResponse_Content(self, view: Suite) -> None:
        check("collections", view.listed)


class TestFeatureCollection:
    def test_validateFeatureCollectionMetadataOperation(self, view: Suite) -> None:
        for one in view.listed["collections"]:
            assert view.json(linked(one, "self")["href"]) == one

    def test_validateFeatureCollectionMetadataResponse(self, view: Suite) -> None:
        for one in view.listed["collections"]:
            check("collection", one)
            for link in one["links"]:
                assert view.get(link["href"], link["type"]).status_code == 200, link


class TestFeatures:
    def test_validateFeaturesOperation(self, view: Suite) -> None:
        for one in view.collections:
            assert view.get(linked(one, "items", GEOJSON)["href"], GEOJSON).status_code == 200

    def test_validateFeaturesResponse_GeometryInCRS84(self, view: Suite) -> None:
        check_crs84(plain(view))

    def test_validateFeaturesResponse_TypeProperty(self, view: Suite) -> None:
        check_types(plain(view))

    def test_validateFeaturesResponse_FeaturesProperty(self, view: Suite) -> None:
        check_features(plain(view))

    def test_validateFeaturesResponse_Links(self, view: Suite) -> None:
        check_links(plain(view))

    def test_validateFeaturesResponse_TimeStamp(self, view: Suite) -> None:
        check_time_stamps(plain(view))

    def test_validateFeaturesResponse_NumberMatched(self, view: Suite) -> None:
        check_matched(view, plain(view))

    def test_validateFeaturesResponse_NumberReturned(self, view: Suite) -> None:
        check_returned(plain(view))


class TestFeaturesBBox:
    def test_boundingBoxParameterDefinition(self, view: Suite) -> None:
        for one in view.collections:
            box = parameter(view, one, "bbox")
            assert box["schema"]["type"] == "array"
            assert box["schema"]["items"] == {"type": "number"}
            assert [(each["minItems"], each["maxItems"]) for each in box["schema"]["oneOf"]] == [
                (4, 4),
                (6, 6),
            ]

    def test_validateFeaturesWithBoundingBoxOperation(self, view: Suite) -> None:
        assert len([*boxed(view)]) == 6 * len(view.spatial)

    def test_validateFeaturesWithBoundingBoxResponse(self, view: Suite) -> None:
        for one, given, answer in boxed(view):
            west, south, east, north = map(float, given["bbox"].split(","))
            near = shapely.box(west - TOLERANCE, south - TOLERANCE, east + TOLERANCE, north + TOLERANCE)
            assert all(near.intersects(place) for place in shapes(answer)), (one["id"], given)
            if given["bbox"] in BOXES:
                # Nothing of ours is there but what has no place.
                assert {each["id"] for each in answer["features"]} <= {HOMELESS}

    def test_validateFeaturesResponse_GeometryInCRS84(self, view: Suite) -> None:
        check_crs84(boxed(view))

    def test_validateFeaturesWithBoundingBoxResponse_TypeProperty(self, view: Suite) -> None:
        check_types(boxed(view))

    def test_validateFeaturesWithBoundingBoxResponse_FeaturesProperty(self, view: Suite) -> None:
        check_features(boxed(view))

    def test_validateFeaturesWithBoundingBoxResponse_Links(self, view: Suite) -> None:
        check_links(boxed(view))

    def test_validateFeaturesWithBoundingBoxResponse_TimeStamp(self, view: Suite) -> None:
        check_time_stamps(boxed(view))

    def test_validateFeaturesWithBoundingBoxResponse_NumberMatched(self, view: Suite) -> None:
        check_matched(view, boxed(view))

    def test_validateFeaturesResponse_NumberReturned(self, view: Suite) -> None:
        check_returned(boxed(view))


class TestFeaturesErrorConditions:
    def test_validateFeaturesOperation_QueryParamInvalid(self, view: Suite) -> None:
        wrong = [("limit", "unlimited"), ("limit", "0"), ("limit", "-1"), ("limit", ""), ("f", "shp")]
        wrong += [("bbox", "1,2,3"), ("bbox", "1,2,3,4,5"), ("bbox", "a,b,c,d"), ("bbox", "9,57,10,56")]
        wrong += [("datetime", "yesterday"), ("datetime", "2026-12-02/2026-12-01"), ("datetime", "../..")]
        wrong += [("datetime", "2026-12-01/P"), ("datetime", "P1D/P1D"), ("datetime", "2026-12-01/P9999Y")]
        wrong += [("offset", "-1"), ("cursor", "x"), ("sortby", "nothing"), ("properties", "nothing")]
        for one in view.collections[:2]:
            for name, value in wrong:
                view.refused(linked(one, "items", GEOJSON)["href"], **{name: value})

    def test_validateFeaturesOperation_QueryParamUnknown(self, view: Suite) -> None:
        for one in view.collections:
            view.refused(linked(one, "items", GEOJSON)["href"], unknownQueryParameter=1)
        for path in ("/ogc", "/ogc/", "/ogc/conformance", "/ogc/openapi", "/ogc/collections"):
            view.refused(path, unknownQueryParameter=1)


class TestFeaturesLimit:
    def test_limitParameterDefinition(self, view: Suite) -> None:
        for one in view.collections:
            schema = parameter(view, one, "limit")["schema"]
            assert schema == {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 100}

    def test_validateFeaturesWithLimitOperation(self, view: Suite) -> None:
        assert len([*limited(view)]) == 2 * len(view.collections)

    def test_validateFeaturesWithLimitResponse(self, view: Suite) -> None:
        for one, given, answer in limited(view):
            assert len(answer["features"]) == min(given["limit"], answer["numberMatched"]), one["id"]
            assert bool(linked(answer, "next")) == (answer["numberMatched"] > given["limit"])

    def test_validateFeaturesWithLimitResponse_GeometryInCRS84(self, view: Suite) -> None:
        check_crs84(limited(view))

    def test_validateFeaturesWithLimitResponse_TypeProperty(self, view: Suite) -> None:
        check_types(limited(view))

    def test_validateFeaturesWithLimitResponse_FeaturesProperty(self, view: Suite) -> None:
        check_features(limited(view))

    def test_validateFeaturesWithLimitResponse_Links(self, view: Suite) -> None:
        check_links(limited(view))

    def test_validateFeaturesWithLimitResponse_TimeStamp(self, view: Suite) -> None:
        check_time_stamps(limited(view))

    def test_validateFeaturesWithLimitResponse_NumberMatched(self, view: Suite) -> None:
        check_matched(view, limited(view))

    def test_validateFeaturesResponse_NumberReturned(self, view: Suite) -> None:
        check_returned(limited(view))


class TestFeaturesTime:
    def test_timeParameterDefinition(self, view: Suite) -> None:
        for one in view.collections:
            assert parameter(view, one, "datetime")["schema"] == {"type": "string"}

    def test_validateFeaturesWithDateTimeOperation(self, suite: Suite) -> None:
        assert len([*timed(suite)]) > 3

    def test_validateFeaturesWithDateTimeResponse(self, suite: Suite) -> None:
        requests = suite.collection("requests")
        first, last = date(2026, 12, 1), date(2026, 12, 14)
        for given, found in {
            "2026-11-30": 0,
            "2026-12-01": 3,
            "2026-12-14T23:59:59Z": 3,
            "2026-12-15T00:00:00Z": 0,
            f"../{first}": 3,
            f"{last}/..": 3,
            f"../{first - timedelta(1)}": 0,
            f"{last + timedelta(1)}/": 0,
            "2026-11-01/P1M": 3,
            "P1D/2026-11-30": 0,
        }.items():
            assert suite.items(requests, datetime=given)["numberMatched"] == found, given

    def test_validateFeaturesWithDateTimeResponse_GeometryInCRS84(self, view: Suite) -> None:
        check_crs84(timed(view))

    def test_validateFeaturesWithDateTimeResponse_TypeProperty(self, view: Suite) -> None:
        check_types(timed(view))

    def test_validateFeaturesWithDateTimeResponse_FeaturesProperty(self, view: Suite) -> None:
        check_features(timed(view))

    def test_validateFeaturesWithDateTimeResponse_Links(self, view: Suite) -> None:
        check_links(timed(view))

    def test_validateFeaturesWithDateTimeResponse_TimeStamp(self, view: Suite) -> None:
        check_time_stamps(timed(view))

    def test_validateFeaturesWithDateTimeResponse_NumberMatched(self, view: Suite) -> None:
        check_matched(view, timed(view))

    def test_validateFeaturesResponse_NumberReturned(self, view: Suite) -> None:
        check_returned(timed(view))


class TestFeature:
    def test_featureOperation(self, view: Suite) -> None:
        for one, address in view.with_features():
            assert view.get(address, GEOJSON).status_code == 200, one["id"]
            assert view.get(f"{address}-not", GEOJSON).status_code == 404

    def test_validateFeatureResponse(self, view: Suite) -> None:
        for one, address in view.with_features():
            feature = view.json(address, GEOJSON)
            check("feature", feature)
            assert linked(feature, "self")["href"] == address
            assert linked(feature, "collection")["href"] == linked(one, "self")["href"]
            of_page = view.items(one)["features"][0]
            assert {name: feature[name] for name in of_page} == of_page


def parameter(view: Suite, one: Node, name: str) -> Node:
    """A query parameter as the standard wants it described."""
    found = view.parameters(f"/collections/{one['id']}/items")[name]
    wanted = {"name": name, "in": "query", "required": False, "style": "form", "explode": False}
    assert {each: found[each] for each in wanted} == wanted
    return found
