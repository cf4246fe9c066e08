"""Features 4: create, replace, update and delete with optimistic locking, over HTTP, by the identifiers of its classes."""

from typing import Any

import httpx
import pytest
from pyproj import Transformer

from ler.domain.access import Scope
from tests.service import NO_TLS, Service

WORKS = "/ogc/collections/planned-works/items"
AREAS = "/ogc/collections/interest-areas/items"
GEOJSON = {"Content-Type": "application/geo+json"}
UTM = "<http://www.opengis.net/def/crs/EPSG/0/25832>"
LINE = [[575_000.0, 6_224_000.0], [575_100.0, 6_224_050.0]]
WORK = {
    "title": "Ny vandledning",
    "activity": "vand",
    "method": "open-trench",
    "duration_days": 5,
    "earliest_start": "2027-03-01",
    "latest_end": "2027-05-01",
}


def feature(properties: dict[str, Any], geometry: dict[str, Any] | None = None) -> dict[str, Any]:
    place = geometry or {"type": "LineString", "coordinates": LINE}
    return {"type": "Feature", "geometry": place, "properties": properties}


def polygon(west: float, south: float, side: float) -> dict[str, Any]:
    east, north = west + side, south + side
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


@pytest.fixture(scope="module")
def planner(platform: Service) -> httpx.Client:
    return platform.program().http


@pytest.fixture(scope="module")
def other(platform: Service) -> httpx.Client:
    return platform.program().http


def create(http: httpx.Client, body: dict[str, Any], items: str = WORKS, **headers: str) -> str:
    answer = http.post(items, json=body, headers=GEOJSON | {"Content-Crs": UTM} | headers)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


def tag(http: httpx.Client, address: str) -> str:
    return str(http.get(address).headers["ETag"])


def test_create_replace_delete_insert(planner: httpx.Client, platform: Service) -> None:
    address = create(planner, feature(WORK))
    read = planner.get(address, params={"crs": UTM.strip("<>")}).json()
    assert read["geometry"]["coordinates"] == LINE
    assert {name: read["properties"][name] for name in WORK} == WORK
    # Planned works are open to all.
    with httpx.Client(base_url=platform.url, verify=NO_TLS) as nobody:
        assert nobody.get(address).json()["id"] == read["id"]


def test_features_content_crs(planner: httpx.Client) -> None:
    """A place means the same in whichever system it is sent."""
    degrees = Transformer.from_crs(25832, 4326, always_xy=True)
    line = [list(degrees.transform(east, north)) for east, north in LINE]
    sent = feature(WORK, {"type": "LineString", "coordinates": line})
    answer = planner.post(WORKS, json=sent, headers=GEOJSON)
    turned = feature(WORK, {"type": "LineString", "coordinates": [[y, x] for x, y in line]})
    crs = {"Content-Crs": "<http://www.opengis.net/def/crs/EPSG/0/4326>"}
    flipped = planner.post(WORKS, json=turned, headers=GEOJSON | crs)
    for made in (answer, flipped):
        found = planner.get(made.headers["Location"], params={"crs": UTM.strip("<>")}).json()
        moved = [c for position in found["geometry"]["coordinates"] for c in position]
        assert moved == pytest.approx([c for position in LINE for c in position], abs=0.001)


def test_create_replace_delete_replace_and_optimistic_locking_etags(planner: httpx.Client) -> None:
    address = create(planner, feature(WORK))
    read = tag(planner, address)
    body = feature(WORK | {"title": "Anden", "duration_days": 7})
    headers = GEOJSON | {"Content-Crs": UTM}
    assert planner.put(address, json=body, headers=headers).status_code == 428
    assert planner.put(address, json=body, headers=headers | {"If-Match": read}).status_code == 204
    assert planner.get(address).json()["properties"]["title"] == "Anden"
    stale = planner.put(address, json=feature(WORK), headers=headers | {"If-Match": read})
    assert stale.status_code == 412
    assert planner.get(address).json()["properties"]["title"] == "Anden"
    again = planner.get(address, headers={"If-None-Match": tag(planner, address)})
    assert again.status_code == 304


def test_update_changes_what_the_patch_names(planner: httpx.Client) -> None:
    address = create(planner, feature(WORK | {"depth_m": 1.5}))
    patch = {"properties": {"title": "Kun titlen", "depth_m": None}}
    headers = {"Content-Type": "application/merge-patch+json", "If-Match": tag(planner, address)}
    assert planner.patch(address, json=patch, headers=headers).status_code == 204
    found = planner.get(address, params={"crs": UTM.strip("<>")}).json()
    assert found["properties"]["title"] == "Kun titlen"
    assert found["properties"]["depth_m"] is None
    assert found["properties"]["duration_days"] == 5
    assert found["geometry"]["coordinates"] == LINE


def test_create_replace_delete_delete(planner: httpx.Client) -> None:
    address = create(planner, feature(WORK))
    assert planner.delete(address).status_code == 428
    assert planner.delete(address, headers={"If-Match": tag(planner, address)}).status_code == 204
    assert planner.get(address).status_code == 404
    assert planner.delete(address, headers={"If-Match": "*"}).status_code == 404


def test_options_tell_what_may_be_done(planner: httpx.Client) -> None:
    address = create(planner, feature(WORK))
    assert planner.options(WORKS).headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert planner.options(address).headers["Allow"] == "GET, HEAD, OPTIONS, PUT, PATCH, DELETE"
    refused = planner.post("/ogc/collections/network/items", json=feature({}), headers=GEOJSON)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")


def test_what_may_be_done_is_in_the_openapi_document(planner: httpx.Client) -> None:
    paths = planner.get("/ogc/openapi").json()["paths"]
    for items in (WORKS, AREAS):
        path = items.removeprefix("/ogc")
        assert paths[path].keys() == {"get", "post", "options"}
        one = paths[f"{path}/{{featureId}}"]
        assert one.keys() == {"get", "put", "patch", "delete", "options"}
        for method in ("put", "patch", "delete"):
            headers = {p["name"]: p["required"] for p in one[method]["parameters"] if p.get("in") == "header"}
            assert headers["If-Match"]
            assert {"204", "401", "412", "428"} <= one[method]["responses"].keys()
            assert {} not in one[method]["security"]
    body = paths[WORKS.removeprefix("/ogc")]["post"]["requestBody"]["content"]["application/geo+json"][
        "schema"
    ]
    assert body["properties"]["properties"]["properties"].keys() >= WORK.keys()
    assert "state" not in body["properties"]["properties"]["properties"]
    assert paths["/collections/network/items"].keys() == {"get"}


def test_only_who_may_edits_and_only_its_own(
    planner: httpx.Client, other: httpx.Client, platform: Service
) -> None:
    address = create(planner, feature(WORK))
    seen = tag(planner, address)
    body = feature(WORK | {"title": "Kapret"})
    headers = GEOJSON | {"Content-Crs": UTM, "If-Match": seen}
    with httpx.Client(base_url=platform.url, verify=NO_TLS) as nobody:
        assert nobody.post(WORKS, json=body, headers=headers).status_code == 401
        assert nobody.put(address, json=body, headers=headers).status_code == 401
    reader = platform.client(platform.token(platform.owner(), Scope.WORK_READ)).http
    assert reader.post(WORKS, json=body, headers=headers).status_code == 403
    # That it is somebody else's is told no otherwise than that it is not there.
    absent = f"{WORKS}/00000000-0000-4000-8000-000000000000"
    for method in ("PUT", "PATCH", "DELETE"):
        sent: dict[str, Any] = {} if method == "DELETE" else {"json": body}
        told = headers | {"Content-Type": "application/json"}
        found = [other.request(method, one, headers=told, **sent) for one in (address, absent)]
        assert [one.status_code for one in found] == [404, 404]
        assert len({one.json()["title"] for one in found}) == 1
    assert tag(planner, address) == seen
    # Interest areas of others are not to be seen at all.
    area = create(planner, feature(AREA, polygon(575_000, 6_224_000, 500)), AREAS)
    assert other.get(area).status_code == 404
    assert other.delete(area, headers={"If-Match": '"1-x"'}).status_code == 404


AREA = {
    "utility_types": ["vand"],
    "remark": "",
    "contact_person": "Vagten",
    "contact_email": "vagt@example.dk",
}


def test_interest_areas_get_a_new_revision(planner: httpx.Client) -> None:
    address = create(planner, feature(AREA, polygon(576_000, 6_224_000, 500)), AREAS)
    patch = {"properties": {"remark": "Ring i forvejen"}}
    headers = {"Content-Type": "application/merge-patch+json", "If-Match": tag(planner, address)}
    assert planner.patch(address, json=patch, headers=headers).status_code == 204
    found = planner.get(address).json()["properties"]
    assert (found["remark"], found["revision"], found["utility_types"]) == ("Ring i forvejen", 2, ["vand"])
    whole = feature(AREA | {"revision": 7, "owner_name": "x"}, polygon(576_000, 6_224_000, 600))
    headers = GEOJSON | {"Content-Crs": UTM, "If-Match": tag(planner, address)}
    assert planner.put(address, json=whole, headers=headers).status_code == 204
    found = planner.get(address).json()["properties"]
    assert (found["remark"], found["revision"]) == ("", 3)
    assert planner.delete(address, headers={"If-Match": tag(planner, address)}).status_code == 204
    assert planner.get(address).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        (feature(WORK | {"latest_end": "2027-02-01"}), 422, "/properties/latest_end"),
        (feature(WORK | {"method": "dynamite"}), 422, "/properties/method"),
        (feature(WORK | {"depth": 3}), 400, "/properties/depth"),
        (feature(WORK, {"type": "LineString", "coordinates": [[1, 2]]}), 422, "/geometry"),
        (feature(WORK, {"type": "Blob", "coordinates": []}), 422, "/geometry"),
        (feature(WORK, {"type": "Point", "coordinates": [1e300, 1e300]}), 422, "/geometry"),
        ({"type": "Feature", "properties": WORK}, 400, "/geometry"),
        ({"type": "FeatureCollection", "features": []}, 400, "/type"),
    ],
)
def test_what_is_wrong_is_pointed_at_and_nothing_is_entered(
    planner: httpx.Client, body: dict[str, Any], status: int, pointer: str
) -> None:
    before = planner.get(WORKS).json()["numberMatched"]
    answer = planner.post(WORKS, json=body, headers=GEOJSON | {"Content-Crs": UTM})
    assert answer.status_code == status, answer.text
    assert pointer in {one["pointer"] for one in answer.json()["errors"]}
    assert planner.get(WORKS).json()["numberMatched"] == before


def test_other_media_types_and_systems_are_refused(planner: httpx.Client) -> None:
    body = feature(WORK)
    assert planner.post(WORKS, json=body, headers={"Content-Type": "text/plain"}).status_code == 415
    odd = GEOJSON | {"Content-Crs": "<http://www.opengis.net/def/crs/EPSG/0/4327>"}
    assert planner.post(WORKS, json=body, headers=odd).status_code == 400
    assert planner.post(WORKS, content=b"{", headers=GEOJSON).status_code == 400


def test_the_same_key_makes_one_work(planner: httpx.Client) -> None:
    made = [create(planner, feature(WORK), WORKS, **{"Idempotency-Key": "once"}) for _ in range(2)]
    assert made[0] == made[1]
