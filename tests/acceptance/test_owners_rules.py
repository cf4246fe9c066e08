"""What a remote owner says over HTTP of works near its lines, and a road authority of its roads; the guard asks who may."""

from shapely import MultiPolygon, box

from geoapi.routes.clearances import PATH as CLEARANCES
from geoapi.routes.precautions import PATH as PRECAUTIONS
from geoapi.routes.restrictions import PATH as RESTRICTIONS
from geoapi.routes.works import PATH as WORKS
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.roles import Role
from ler.services.grants import grant_role
from tests.acceptance.guard_rows.digging import MORATORIUM, WORK
from tests.acceptance.guard_rows.near_lines import ROW, RULE
from tests.service import Service

RING = [[574000.0, 6223000.0], [574100.0, 6223000.0], [574100.0, 6223100.0], [574000.0, 6223000.0]]
AREA = {"name": "Works", "geometry": {"type": "Polygon", "coordinates": [RING]}}


def test_a_table_of_precautions_is_set_read_replaced_and_ended(service: Service) -> None:
    http = service.client(service.token(service.owner())).http
    assert http.get(PRECAUTIONS).status_code == 404
    table = {"row": [ROW | {"areas": ["Works"], "within_m": 2.0}], "valid_from": "2027-01-01"}
    made = http.put(PRECAUTIONS, json={"table": table, "areas": [AREA]})
    assert made.status_code == 201, made.text
    read = http.get(PRECAUTIONS)
    assert read.headers["ETag"] == made.headers["ETag"]
    view = read.json()
    assert view["table"]["row"] == [ROW | {"areas": ["Works"], "within_m": 2.0, "valid_from": "2027-01-01"}]
    again = {name: view[name] for name in ("table", "areas", "crs")}
    unseen = http.put(PRECAUTIONS, json=again)
    assert (unseen.status_code, unseen.json()["type"]) == (428, "/problems/precondition-required")
    set_again = http.put(PRECAUTIONS, json=again, headers={"If-Match": read.headers["ETag"]})
    assert set_again.status_code == 200
    assert set_again.json()["areas"] == view["areas"]
    old = http.delete(PRECAUTIONS, headers={"If-Match": read.headers["ETag"]})
    assert old.status_code == 412, "another one was set since"
    bad = {"table": {"row": [ROW, {"priority": 1, "themes": ["stoev"], "areas": ["?"]}]}, "areas": []}
    told = http.put(PRECAUTIONS, json=bad, headers={"If-Match": set_again.headers["ETag"]})
    assert told.status_code == 422
    pointers = {one["code"]: one["pointer"] for one in told.json()["errors"]}
    assert pointers["precaution-word-unknown"] == "/table/row/1/themes"
    assert "precaution-area-unknown" in pointers
    assert "precaution-priority-double" in pointers
    assert http.get(PRECAUTIONS).json()["table"] == view["table"], "a bad table changes nothing"
    assert http.delete(PRECAUTIONS, headers={"If-Match": "*"}).status_code == 204
    gone = http.put(PRECAUTIONS, json=again, headers={"If-Match": set_again.headers["ETag"]})
    assert gone.status_code == 412


def test_an_owners_clearance_is_judged_and_holds_once(service: Service) -> None:
    http = service.client(service.token(service.owner())).http
    made = http.post(CLEARANCES, json=RULE, headers={"Idempotency-Key": "a"})
    assert (made.status_code, made.headers["Location"]) == (201, f"{CLEARANCES}/kept-clear")
    twice = http.post(CLEARANCES, json=RULE | {"clear": 3.0}, headers={"Idempotency-Key": "b"})
    assert (twice.status_code, twice.json()["type"]) == (409, "/problems/clearance-exists")
    bad = http.post(
        CLEARANCES, json=RULE | {"id": "x", "utilities": ["magic"]}, headers={"Idempotency-Key": "c"}
    )
    assert (bad.status_code, bad.json()["type"]) == (422, "/problems/clearances-invalid")
    assert "magic" in bad.json()["detail"]
    assert [one["id"] for one in http.get(CLEARANCES).json()["clearances"]] == ["kept-clear"]
    assert http.delete(f"{CLEARANCES}/kept-clear").status_code == 204
    assert http.get(CLEARANCES).json() == {"clearances": []}


def test_a_road_authority_restricts_its_roads_and_nobody_elses(service: Service) -> None:
    owner, roads = service.owner(), MultiPolygon([box(573_900, 6_222_900, 574_200, 6_223_200)])
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        grant_role(connection, owner, Role.AUTHORITY, area=roads)
    http = service.client(service.token(owner)).http
    made = http.post(RESTRICTIONS, json=MORATORIUM, headers={"Idempotency-Key": "a"})
    assert made.status_code == 201, made.text
    elsewhere = {"type": "LineString", "coordinates": [[600_000, 6_223_000], [600_010, 6_223_000]]}
    refused = http.post(
        RESTRICTIONS, json=MORATORIUM | {"geometry": elsewhere}, headers={"Idempotency-Key": "b"}
    )
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/restriction-not-yours")
    path = made.headers["Location"]
    assert http.delete(path, headers={"If-Match": '"old"'}).status_code == 412
    assert http.delete(path, headers={"If-Match": made.headers["ETag"]}).status_code == 204
    assert http.get(path).json()["ended_at"]


def test_a_plan_is_entered_whole_and_said_anew_by_its_references(service: Service) -> None:
    http = service.client(service.token(service.owner())).http
    first, second = ({**WORK, "values": WORK["values"] | {"reference": name}} for name in ("A", "B"))
    made = http.post(WORKS, json={"works": [first, second]}, headers={"Idempotency-Key": "a"})
    assert made.status_code == 201, made.text
    assert (len(made.json()["new"]), made.json()["conflicts"]["new"] >= 1) == (2, True)
    later = {**second, "values": second["values"] | {"duration_days": 6}}
    again = http.post(WORKS, json={"works": [first, later]}, headers={"Idempotency-Key": "b"})
    told = again.json()
    assert (told["new"], told["changed"], told["unchanged"]) == ([], [made.json()["new"][1]], 1)
    wrong = {**first, "values": first["values"] | {"latest_end": "2020-01-01", "reference": "C"}}
    refused = http.post(WORKS, json={"works": [later, wrong]}, headers={"Idempotency-Key": "c"})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/request-refused")
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/works/1/values/latest_end"]
