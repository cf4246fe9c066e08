"""Routes of the register. An owner may do all of them but what is the operator's."""

from collections.abc import Callable
from datetime import date
from uuid import UUID, uuid4

from shapely import box

from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.roles import Role
from ler.services.dispensations import give_dispensation
from ler.services.requests import NewRequest, create_request
from tests.acceptance.guard_rows.row import Row
from tests.service import Service

API = "/api/v1"
AREA: dict[str, object] = {
    "utility_types": ["vand"],
    "remark": "",
    "contact_person": "Ane",
    "contact_email": "ane@example.dk",
}
POLYGON = {
    "type": "Polygon",
    "coordinates": [[[574000, 6223000], [575000, 6223000], [575000, 6224000], [574000, 6223000]]],
}
PERSON: dict[str, object] = {"name": "Ane", "email": "ane@example.dk"}
CONTACT: dict[str, object] = {"name": "Vagten", "phone": "+45 12345678"}
PROVIDER = "99999999"


def key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


def made(path: str, body: dict[str, object], name: str) -> Callable[[Service, UUID, str], dict[str, str]]:
    """Something that is made by a POST and named by the end of its address."""

    def make(service: Service, _: UUID, token: str) -> dict[str, str]:
        answer = service.client(token).http.post(f"{API}{path}", json=body, headers=key())
        assert answer.status_code == 201, answer.text
        return {name: answer.headers["Location"].rpartition("/")[2]}

    return make


def an_area(service: Service, owner: UUID, token: str) -> dict[str, str]:
    """An interest area; its number, with zeros as long as an id, is told from other figures."""
    named = made("/interest-areas", AREA | {"area": POLYGON}, "number")(service, owner, token)
    return {"number": named["number"].zfill(36)}


def itself(_: Service, owner: UUID, __: str) -> dict[str, str]:
    return {"organisation_id": str(owner)}


def a_grant(service: Service, _: UUID, token: str) -> dict[str, str]:
    grants = service.client(token).http.get(f"{API}/grants").json()["grants"]
    return {"grant_id": grants[0]["id"]}


def a_dispensation(service: Service, owner: UUID, _: str) -> dict[str, str]:
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        return {"dispensation_id": str(give_dispensation(connection, PLATFORM_OPERATOR, owner, "small").id)}


def a_provider(service: Service) -> None:
    """The provider whom mandates are given to, once."""
    operator = service.client(service.token(PLATFORM_OPERATOR)).http
    if not operator.get(f"{API}/organisations", params={"cvr": PROVIDER}).json()["organisations"]:
        service.world.requester("Provider", role=Role.PROVIDER, cvr=PROVIDER)


def a_mandate(service: Service, owner: UUID, token: str) -> dict[str, str]:
    a_provider(service)
    body: dict[str, object] = {"provider": PROVIDER, "scopes": ["answer:read"]}
    return made("/mandates", body, "mandate_id")(service, owner, token)


def a_request(service: Service, owner: UUID, _: str) -> dict[str, str]:
    wanted = NewRequest(box(574000, 6223000, 574010, 6223010), date(2026, 12, 1), date(2026, 12, 2), "test")
    with transaction(service.world.databases.app, owner) as connection:
        return {"request_id": str(create_request(connection, owner, wanted).id)}


a_member = made("/members", PERSON, "member_id")
a_contact = made("/contacts", CONTACT, "contact_id")
KEY = {"Idempotency-Key": "k"}
ANY = {"If-Match": "*"}

ROWS = {
    ("GET", f"{API}/organisations"): Row(200),
    ("POST", f"{API}/organisations"): Row(403, KEY, {"name": "x", "roles": ["excavator"]}),
    ("GET", f"{API}/organisations/{{organisation_id}}"): Row(200, make=itself),
    ("PATCH", f"{API}/organisations/{{organisation_id}}"): Row(200, ANY, {"language": "en"}, make=itself),
    ("GET", f"{API}/members"): Row(200),
    ("POST", f"{API}/members"): Row(201, KEY, PERSON),
    ("GET", f"{API}/members/{{member_id}}"): Row(200, make=a_member),
    ("PUT", f"{API}/members/{{member_id}}"): Row(200, ANY, PERSON, make=a_member),
    ("DELETE", f"{API}/members/{{member_id}}"): Row(200, make=a_member),
    ("GET", f"{API}/grants"): Row(200),
    ("POST", f"{API}/grants"): Row(403, KEY, {"organisation": str(uuid4()), "role": "auditor"}),
    ("GET", f"{API}/grants/{{grant_id}}"): Row(200, make=a_grant),
    ("DELETE", f"{API}/grants/{{grant_id}}"): Row(403, make=a_grant),
    ("GET", f"{API}/dispensations"): Row(200),
    ("POST", f"{API}/dispensations"): Row(403, KEY, {"organisation": str(uuid4()), "reason": "x"}),
    ("GET", f"{API}/dispensations/{{dispensation_id}}"): Row(200, make=a_dispensation),
    ("DELETE", f"{API}/dispensations/{{dispensation_id}}"): Row(403, make=a_dispensation),
    ("GET", f"{API}/mandates"): Row(200),
    ("POST", f"{API}/mandates"): Row(422, KEY, {"provider": "00000000", "scopes": ["answer:read"]}),
    ("GET", f"{API}/mandates/{{mandate_id}}"): Row(200, make=a_mandate),
    ("DELETE", f"{API}/mandates/{{mandate_id}}"): Row(200, make=a_mandate),
    ("GET", f"{API}/interest-areas"): Row(200),
    ("POST", f"{API}/interest-areas"): Row(201, KEY, AREA | {"area": POLYGON}),
    ("GET", f"{API}/interest-areas/{{number}}"): Row(200, make=an_area),
    ("PUT", f"{API}/interest-areas/{{number}}"): Row(200, ANY, AREA | {"remark": "moved"}, make=an_area),
    ("DELETE", f"{API}/interest-areas/{{number}}"): Row(204, ANY, make=an_area),
    ("GET", f"{API}/interest-areas/{{number}}/revisions"): Row(200, make=an_area),
    ("GET", f"{API}/contacts"): Row(200),
    ("POST", f"{API}/contacts"): Row(201, KEY, CONTACT),
    ("GET", f"{API}/contacts/{{contact_id}}"): Row(200, make=a_contact),
    ("PUT", f"{API}/contacts/{{contact_id}}"): Row(200, ANY, CONTACT, make=a_contact),
    ("DELETE", f"{API}/contacts/{{contact_id}}"): Row(204, make=a_contact),
    ("GET", f"{API}/requests/{{request_id}}/contacts"): Row(200, make=a_request),
}
