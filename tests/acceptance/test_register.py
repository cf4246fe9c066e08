"""The register over HTTP: who enters what, who changes it, and that whoever digs is led by what is entered now."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from shapely import Polygon, box

from conflicts.match import match_request
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.access import Scope
from ler.domain.request_rules import DigKind
from ler.domain.roles import Role
from ler.errors import RefusedError
from ler.services.grants import find_acting_for, roles_now
from ler.services.mandates import give_mandate
from ler.services.members import add_member
from ler.services.requests import NewRequest, create_request
from tests.acceptance.guard_rows.register import AREA, CONTACT, PERSON, POLYGON
from tests.service import Service

API = "/api/v1"


class Program:
    """A program of one organisation."""

    def __init__(self, service: Service, organisation: UUID, *scopes: Scope) -> None:
        self.id = organisation
        self.http = service.client(service.token(organisation, *scopes)).http

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        answer = self.http.get(f"{API}{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: dict[str, Any], key: str = "") -> httpx.Response:
        return self.http.post(f"{API}{path}", json=body, headers={"Idempotency-Key": key or uuid4().hex})

    def make(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.post(path, body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        assert answer.headers["Location"] == made["links"]["self"]
        assert self.http.get(answer.headers["Location"]).json() == made
        return made

    def change(self, method: str, path: str, body: Any = None, tag: str | None = "*") -> httpx.Response:  # noqa: ANN401 - JSON
        headers = {} if tag is None else {"If-Match": tag}
        return self.http.request(method, f"{API}{path}", json=body, headers=headers)


@pytest.fixture
def operator(service: Service) -> Program:
    return Program(service, PLATFORM_OPERATOR)


@pytest.fixture
def owner(service: Service) -> Program:
    return Program(service, service.owner())


def refused(answer: httpx.Response, status: int, slug: str) -> Any:  # noqa: ANN401 - JSON
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == f"/problems/{slug}"
    return answer.json()


def cvr() -> str:
    return str(30000000 + uuid4().int % 60000000)


def asked_at(service: Service, place: Polygon, kind: DigKind = DigKind.DIG) -> tuple[UUID, UUID, set[UUID]]:
    """Somebody new who asks there, its request, and who is asked."""
    digger = service.world.requester("Graver", cvr=cvr())
    wanted = NewRequest(place, date(2026, 12, 1), date(2026, 12, 2), "test", kind=kind)
    with transaction(service.world.databases.app, digger) as connection:
        request = create_request(connection, digger, wanted)
        matched = match_request(connection, request.id)
    return digger, request.id, {one.owner_id for one in matched}


def square(west: float) -> dict[str, Any]:
    corners = [(west, 6223000), (west + 100, 6223000), (west + 100, 6223100), (west, 6223100)]
    return {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}


def test_the_operator_enters_an_organisation_once_whatever_is_repeated(operator: Program) -> None:
    number = cvr()
    body = {
        "name": "Nordby Vand",
        "cvr": number,
        "roles": ["owner", "excavator"],
        "duties": ["supply-network"],
    }
    first = operator.post("/organisations", body, key="the-same")
    again = operator.post("/organisations", body, key="the-same")
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    refused(operator.post("/organisations", body), 409, "cvr-taken")
    made = first.json()
    assert made["duties"] == ["supply-network"]
    assert operator.get("/organisations", cvr=number)["organisations"] == [made]
    grants = operator.get("/grants", organisation=made["id"])["grants"]
    assert sorted(one["role"] for one in grants) == ["excavator", "owner"]
    seen, cursor = set(), f"{API}/organisations?limit=1"
    while cursor:
        page = operator.http.get(cursor).json()
        seen |= {one["id"] for one in page["organisations"]}
        cursor = page.get("next")
    assert {made["id"], str(PLATFORM_OPERATOR)} <= seen


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"cvr": "1234567"}, "/cvr"),
        ({"roles": []}, "/roles"),
        ({"roles": ["king"]}, "/roles/0"),
        ({"duties": ["none"]}, "/duties/0"),
        ({"name": 5}, "/name"),
        ({"admin": True}, "/admin"),
    ],
)
def test_a_field_that_cannot_be_is_pointed_to(
    operator: Program, change: dict[str, Any], pointer: str
) -> None:
    body = {"name": "x", "cvr": cvr(), "roles": ["owner"], **change}
    problem = refused(operator.post("/organisations", body), 400, "field-invalid")
    assert [one["pointer"] for one in problem["errors"]] == [pointer]


def test_an_organisation_keeps_its_entry_and_the_operator_its_name(operator: Program, owner: Program) -> None:
    path = f"/organisations/{owner.id}"
    before = owner.http.get(f"{API}{path}")
    tag = before.headers["ETag"]
    refused(owner.change("PATCH", path, {"language": "en"}, tag=None), 428, "precondition-required")
    changed = owner.change("PATCH", path, {"language": "en", "address": "Havnen 1"}, tag=tag)
    assert changed.status_code == 200, changed.text
    assert changed.json() == before.json() | {"language": "en", "address": "Havnen 1"}
    refused(owner.change("PATCH", path, {"phone": "1"}, tag=tag), 412, "precondition-failed")
    refused(owner.change("PATCH", path, {"name": "Energinet"}), 403, "role-missing")
    problem = refused(
        owner.change("PATCH", path, {"email": "nobody", "anonymous": True}), 422, "request-refused"
    )
    assert [one["pointer"] for one in problem["errors"]] == ["/email", "/anonymous"]
    renamed = operator.change("PATCH", path, {"name": "Nordby Net II", "duties": ["duct"]})
    assert renamed.json()["name"] == "Nordby Net II"
    assert owner.get(path) == renamed.json()


def test_a_private_person_that_wishes_so_is_not_named_to_whom_it_asks(
    service: Service, operator: Program, owner: Program
) -> None:
    made = operator.make("/organisations", {"name": "Jens Hansen", "roles": ["private"]})
    person = Program(service, UUID(made["id"]))
    owner.make("/interest-areas", AREA | {"area": square(700000)})
    wanted = NewRequest(box(700000, 6223000, 700010, 6223010), date(2026, 12, 1), date(2026, 12, 2), "test")
    with transaction(service.world.databases.app, person.id) as connection:
        request = create_request(connection, person.id, wanted)
        match_request(connection, request.id)
    path = f"/organisations/{person.id}"
    assert owner.get(path)["name"] == "Jens Hansen"
    assert person.change("PATCH", path, {"anonymous": True}).status_code == 200
    refused(owner.http.get(f"{API}{path}"), 404, "not-found")
    assert person.get(f"/organisations/{owner.id}")["name"]
    assert operator.get(path)["name"] == "Jens Hansen"


def test_a_member_is_entered_changed_and_ended(operator: Program, owner: Program) -> None:
    made = owner.make("/members", PERSON)
    assert (made["language"], made["administrator"]) == ("da", False)
    refused(owner.post("/members", PERSON | {"email": "ANE@example.dk"}), 409, "member-taken")
    path = made["links"]["self"].removeprefix(API)
    changed = owner.change("PUT", path, PERSON | {"administrator": True})
    assert changed.json() == made | {"administrator": True}
    assert operator.get("/members", organisation=str(owner.id))["members"] == [changed.json()]
    ended = owner.change("DELETE", path)
    assert ended.json()["ended_at"]
    refused(owner.change("DELETE", path), 404, "not-found")
    refused(owner.change("PUT", path, PERSON), 404, "not-found")
    assert owner.get("/members") == {"members": []}
    assert owner.get("/members", ended="true")["members"] == [ended.json()]
    refused(owner.http.get(f"{API}/members", params={"organisation": str(uuid4())}), 403, "role-missing")
    problem = refused(owner.post("/members", {"name": "a\tb", "email": "x y@z"}), 422, "request-refused")
    assert [one["pointer"] for one in problem["errors"]] == ["/name", "/email"]


def test_an_interest_area_leads_who_digs_there_while_it_holds(service: Service, owner: Program) -> None:
    made = owner.make("/interest-areas", AREA | {"area": square(600000)})
    assert (made["revision"], made["answered_by"], made["ended_at"]) == (1, "platform", None)
    here, there = box(600000, 6223000, 600010, 6223010), box(600500, 6223000, 600510, 6223010)
    assert asked_at(service, here)[2] == {owner.id}
    path = f"/interest-areas/{made['number']}"
    tag = owner.http.get(f"{API}{path}").headers["ETag"]
    same = {key: made[key] for key in ("utility_types", "remark", "contact_person", "contact_email")}
    refused(owner.change("PUT", path, same, tag=tag), 409, "no-changes")
    refused(owner.change("PUT", path, same | {"area": square(600000)}, tag=tag), 409, "no-changes")
    chosen = owner.change("PUT", path, same | {"answered_by": "owner"}, tag=tag)
    assert chosen.json() == made | {"answered_by": "owner"}
    refused(owner.change("PUT", path, same | {"remark": "x"}, tag=tag), 412, "precondition-failed")
    moved = owner.change("PUT", path, same | {"remark": "flyttet", "area": square(600500)})
    assert moved.status_code == 200, moved.text
    moved = moved.json()
    assert (moved["number"], moved["revision"], moved["answered_by"]) == (made["number"], 2, "owner")
    assert asked_at(service, here)[2] == set()
    assert asked_at(service, there)[2] == {owner.id}
    history = owner.get(f"{path}/revisions")["revisions"]
    assert [one["revision"] for one in history] == [1, 2]
    assert history[0]["ended_at"] == history[1]["valid_from"]
    assert owner.change("DELETE", path).status_code == 204
    refused(owner.change("DELETE", path), 404, "not-found")
    assert asked_at(service, there)[2] == set()
    assert owner.get("/interest-areas") == {"interest_areas": []}
    assert [one["remark"] for one in owner.get("/interest-areas", ended="true")["interest_areas"]] == [
        "flyttet"
    ]


def test_interest_areas_come_in_pages_and_in_degrees_when_named(operator: Program, owner: Program) -> None:
    degrees = {
        "type": "Polygon",
        "coordinates": [[[10.0, 56.0], [10.001, 56.0], [10.001, 56.001], [10.0, 56.0]]],
    }
    refused(owner.post("/interest-areas", AREA | {"area": degrees}), 422, "crs-out-of-area")
    made = [owner.make("/interest-areas", AREA | {"area": degrees, "crs": "OGC:CRS84"})]
    east, north = made[0]["area"]["coordinates"][0][0][0]
    assert abs(east - 562344) < 100
    assert abs(north - 6206600) < 200
    made += [owner.make("/interest-areas", AREA | {"area": square(610000 + i)}) for i in range(2)]
    made.append(operator.make("/interest-areas", AREA | {"area": square(610000), "owner": str(owner.id)}))
    refused(
        owner.post("/interest-areas", AREA | {"area": POLYGON, "owner": str(uuid4())}), 403, "role-missing"
    )
    numbers, cursor = [], f"{API}/interest-areas?limit=3"
    while cursor:
        page = owner.http.get(cursor).json()
        numbers += [one["number"] for one in page["interest_areas"]]
        cursor = page.get("next")
    assert numbers == [one["number"] for one in made]
    assert len(operator.get("/interest-areas", owner=str(owner.id))["interest_areas"]) == 4


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ({"utility_types": []}, {"/utility_types": "utility-type-missing"}),
        ({"utility_types": ["x"]}, {"/utility_types/0": "utility-type-unknown"}),
        ({"utility_types": ["vand", "vand"]}, {"/utility_types/1": "utility-type-repeated"}),
        ({"utility_types": ["other: " + "x" * 51]}, {"/utility_types/0": "text-invalid"}),
        ({"remark": None}, {"/remark": "remark-missing"}),
        ({"remark": "x" * 4001}, {"/remark": "text-invalid"}),
        ({"contact_address": "Havnen 1"}, {"/contact_person": "contact-twice"}),
        ({"contact_person": None}, {"/contact_person": "contact-missing"}),
        ({"contact_email": None}, {"/contact_email": "email-missing"}),
        ({"contact_email": "x" * 45 + "@x.dk.dk"}, {"/contact_email": "email-invalid"}),
        (
            {"utility_types": [], "remark": None, "contact_email": "x"},
            {
                "/utility_types": "utility-type-missing",
                "/remark": "remark-missing",
                "/contact_email": "email-invalid",
            },
        ),
    ],
)
def test_every_fault_of_an_interest_area_is_told(
    owner: Program, change: dict[str, Any], faults: dict[str, str]
) -> None:
    answer = owner.post("/interest-areas", AREA | {"area": POLYGON} | change)
    problem = refused(answer, 422, "request-refused")
    assert {one["pointer"]: one["code"] for one in problem["errors"]} == faults


@pytest.mark.parametrize(
    ("area", "slug"),
    [
        ({"type": "Point", "coordinates": [574000, 6223000]}, "geometry-type"),
        ({"type": "Polygon", "coordinates": []}, "geometry-empty"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}, "geometry-invalid"),
        ({"type": "Polygon", "coordinates": [["x"]]}, "geometry-malformed"),
        (square(5000000), "area-outside-coverage"),
        ({}, "geometry-type"),
    ],
)
def test_an_area_that_is_none_is_refused(owner: Program, area: dict[str, Any], slug: str) -> None:
    refused(owner.post("/interest-areas", AREA | {"area": area}), 422, slug)


def test_contacts_reach_who_asks_at_once_the_closest_first(service: Service, owner: Program) -> None:
    owner.make("/interest-areas", AREA | {"area": square(620000)})
    emergency = {"name": "Nødvagt", "phone": "112", "purpose": "emergency", "utility_type": "vand"}
    owner.make("/contacts", CONTACT)
    owner.make(
        "/contacts", {"name": "Gasvagt", "phone": "113", "purpose": "emergency", "utility_type": "gas"}
    )
    urgent = owner.make("/contacts", emergency)
    owner.make("/contacts", emergency | {"name": "Bagvagt", "rank": 2})
    owner.make("/contacts", {"name": "Skader", "email": "skade@x.dk", "purpose": "damage"})
    refused(owner.post("/contacts", emergency | {"name": "En til"}), 409, "contact-taken")
    names: dict[str, list[str]] = {}
    for kind in (DigKind.EMERGENCY, DigKind.DIG):
        digger, request, _ = asked_at(service, box(620000, 6223000, 620010, 6223010), kind)
        program = Program(service, digger)
        told = program.get(f"/requests/{request}/contacts")["owners"]
        assert [one["owner"] for one in told] == [str(owner.id)]
        names[kind] = [one["name"] for one in told[0]["contacts"]]
        damage = program.get(f"/requests/{request}/contacts", purpose="damage")["owners"][0]["contacts"]
        assert [one["name"] for one in damage] == ["Skader", "Vagten"]
        # Nobody but who asked is told of it, and nobody at all of others' contacts as such.
        refused(owner.http.get(f"{API}/requests/{request}/contacts"), 404, "not-found")
        refused(program.http.get(urgent["links"]["self"]), 404, "not-found")
    # Which lines of its owner lie there the requester is not told: a gas number may stand beside the water's.
    assert names == {"emergency": ["Gasvagt", "Nødvagt", "Bagvagt", "Vagten"], "dig": ["Vagten"]}
    path = urgent["links"]["self"].removeprefix(API)
    changed = owner.change("PUT", path, emergency | {"phone": "114"})
    assert changed.json()["phone"] == "114"
    assert owner.change("DELETE", path).status_code == 204
    refused(owner.change("DELETE", path), 404, "not-found")
    problem = refused(
        owner.post("/contacts", {"name": "", "phone": "ring", "utility_type": "x", "rank": 10}),
        422,
        "request-refused",
    )
    assert [one["pointer"] for one in problem["errors"]] == ["/name", "/phone", "/utility_type", "/rank"]


def test_a_mandate_is_given_by_the_owner_and_ended_by_either(
    service: Service, operator: Program, owner: Program
) -> None:
    number = cvr()
    body = {"provider": number, "scopes": ["answer:read", "answer:write"], "note": "aftale 7"}
    refused(owner.post("/mandates", body), 422, "provider-unknown")
    entered = operator.make("/organisations", {"name": "LER-robot", "cvr": number, "roles": ["provider"]})
    provider = Program(service, UUID(entered["id"]))
    assert [one["cvr"] for one in owner.get("/organisations", cvr=number)["organisations"]] == [number]
    made = owner.make("/mandates", body)
    assert made["provider"] == {"cvr": number, "name": "LER-robot"}
    assert provider.get("/mandates")["mandates"] == [made]
    refused(owner.post("/mandates", body | {"scopes": ["token:write"]}), 422, "mandate-scope")
    now = datetime.now(UTC)
    late = {"valid_from": now.isoformat(), "valid_to": (now - timedelta(days=1)).isoformat()}
    refused(owner.post("/mandates", body | late), 422, "period-invalid")
    refused(owner.post("/mandates", body | {"valid_to": "2030-01-01"}), 400, "field-invalid")
    giver = owner.get(f"/organisations/{owner.id}")["cvr"]
    with transaction(service.world.databases.app, None) as connection:
        acting = find_acting_for(connection, provider.id, giver)
    assert acting is not None
    assert acting.scopes == {Scope.ANSWER_READ, Scope.ANSWER_WRITE}
    path = made["links"]["self"].removeprefix(API)
    ended = provider.change("DELETE", path)
    assert ended.json()["ended_at"]
    refused(owner.change("DELETE", path), 409, "mandate-ended")
    with transaction(service.world.databases.app, None) as connection:
        assert find_acting_for(connection, provider.id, giver) is None


def test_who_acts_by_mandate_makes_no_members_and_no_mandates(service: Service, owner: Program) -> None:
    with transaction(service.world.databases.app, owner.id, provider=uuid4()) as connection:
        for act in (
            lambda: give_mandate(connection, owner.id, "99999999", [Scope.ANSWER_READ]),
            lambda: add_member(connection, owner.id, owner.id, name="x", email="x@x.dk"),
        ):
            with pytest.raises(RefusedError) as caught:
                act()
            assert caught.value.code == "role-missing"


def test_roles_are_granted_for_a_place_and_a_time_and_taken_back(service: Service, operator: Program) -> None:
    made = operator.make("/organisations", {"name": "Kommune", "cvr": cvr(), "roles": ["excavator"]})
    until = (datetime.now(UTC) + timedelta(days=365)).isoformat()
    grant = operator.make(
        "/grants",
        {
            "organisation": made["id"],
            "role": "authority",
            "area": square(630000),
            "valid_to": until,
            "note": "erklæring",
        },
    )
    program = Program(service, UUID(made["id"]))
    assert grant in program.get("/grants")["grants"]

    def roles(west: float) -> frozenset[Role]:
        with transaction(service.world.databases.app, None) as connection:
            return roles_now(connection, program.id, box(west, 6223000, west + 10, 6223010))

    assert roles(630000) == frozenset({Role.EXCAVATOR, Role.AUTHORITY})
    assert roles(640000) == frozenset({Role.EXCAVATOR})
    path = grant["links"]["self"].removeprefix(API)
    refused(program.change("DELETE", path), 403, "role-missing")
    assert operator.change("DELETE", path).status_code == 200
    refused(operator.change("DELETE", path), 404, "not-found")
    assert roles(630000) == frozenset({Role.EXCAVATOR})
    for body, status, slug in (
        ({"organisation": made["id"], "role": "operator"}, 422, "role-not-grantable"),
        ({"organisation": str(uuid4()), "role": "owner"}, 404, "not-found"),
        ({"organisation": made["id"], "role": "king"}, 400, "field-invalid"),
    ):
        refused(operator.post("/grants", body), status, slug)


def test_every_act_is_in_the_trail_under_who_did_it(
    service: Service, operator: Program, owner: Program
) -> None:
    area = owner.make("/interest-areas", AREA | {"area": square(650000)})
    owner.change("DELETE", f"/interest-areas/{area['number']}")
    member = operator.make("/members", PERSON | {"organisation": str(owner.id)})
    with service.world.database.connect() as connection:
        acts = connection.execute(
            "SELECT actor, action FROM ler.audit_event WHERE actor = %s AND action LIKE '%%interest_area%%'"
            " OR object_id = %s ORDER BY id",
            [owner.id, member["id"]],
        ).fetchall()
    assert acts == [
        (owner.id, "organisation:interest_area:add"),
        (owner.id, "organisation:interest_area:end"),
        (PLATFORM_OPERATOR, "operator:account:add"),
    ]
