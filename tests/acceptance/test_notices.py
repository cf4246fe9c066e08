"""Notices over HTTP: list, stream, feed, calendar, and the places they are sent to."""

import json
from uuid import UUID, uuid4
from xml.etree import ElementTree as ET

import httpx
import pytest
from icalendar import Calendar

from ler.domain.access import Scope
from tests.service import Service, eventually, execute
from tests.world import EVERYWHERE

ENDPOINTS = "/api/v1/notice-endpoints"
ATOM = "{http://www.w3.org/2005/Atom}"


def tell(service: Service, audience: UUID, kind: str = "owner.late", **data: object) -> None:
    execute(
        service,
        "INSERT INTO ler.notice (audience_id, kind, data) VALUES (%s, %s, %s::jsonb)",
        *(audience, kind, json.dumps(data)),
    )


def test_a_list_is_read_on_without_gaps(service: Service) -> None:
    owner = service.owner()
    client = service.client(service.token(owner))
    for number in range(5):
        tell(service, owner, order_number=number, quiet=True)
    seen: list[int] = []
    address = "/api/v1/notices?limit=2"
    while page := client.http.get(address).json():
        if not page["notices"]:
            break
        seen += [one["data"]["order_number"] for one in page["notices"]]
        address = page["next"]
    assert seen == list(range(5))
    tell(service, owner, order_number=5)
    more = client.http.get(address).json()["notices"]
    assert [(one["position"], one["data"]) for one in more] == [(6, {"order_number": 5})]


def test_a_stream_goes_on_where_it_was_left(service: Service) -> None:
    owner = service.owner()
    token = service.token(owner)
    client = service.client(token)
    for number in range(3):
        tell(service, owner, order_number=number)

    def read(most: int, **headers: str) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        with client.http.stream(
            "GET", "/api/v1/events", headers={"Accept": "text/event-stream", **headers}
        ) as answer:
            assert answer.status_code == 200
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            last = ""
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    last = value
                if name == "event":
                    kind = value
                if line == "" and last:
                    found.append((last, kind))
                    last = ""
                if len(found) == most:
                    return found
        return found

    assert read(3, **{"Last-Event-ID": "0"}) == [(str(n), "owner.late") for n in (1, 2, 3)]
    assert read(1, **{"Last-Event-ID": "2"}) == [("3", "owner.late")]


def test_a_stream_ends_with_its_token_and_there_are_not_too_many(service: Service) -> None:
    owner = service.owner()
    token = service.token(owner)
    client = service.client(token)
    with client.http.stream("GET", "/api/v1/events") as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith((":", "retry"))
        execute(
            service, "UPDATE ler.access_token SET revoked_at = now() WHERE prefix = %s", token.split("_")[2]
        )
        for _ in lines:
            pass  # it ends
    assert client.http.get("/api/v1/events").status_code == 401
    other = service.client(service.token(owner))
    opened = [other.http.stream("GET", "/api/v1/events") for _ in range(6)]
    answers = [one.__enter__() for one in opened]
    try:
        eventually(lambda: [answer.status_code for answer in answers].count(429) == 1)
    finally:
        for one in opened:
            one.__exit__(None, None, None)
    eventually(lambda: _opens(other.http))


def _opens(http: httpx.Client) -> bool:
    with http.stream("GET", "/api/v1/events") as answer:
        return answer.status_code == 200


def test_a_feed_reader_reads_titles_in_its_language(service: Service) -> None:
    owner = service.owner()
    token = service.token(owner, Scope.NOTICE_READ)
    tell(service, owner, order_number=3, owner_name="<Net & Co>", due_at="2026-12-01T09:00:00+00:00")
    answer = httpx.get(
        f"{service.url}/api/v1/feeds/notices.atom", auth=("x", token), headers={"Accept-Language": "en"}
    )
    assert answer.headers["Content-Type"] == "application/atom+xml"
    root = ET.fromstring(answer.content)  # noqa: S314 - our own
    title = root.findtext(f"{ATOM}entry/{ATOM}title")
    assert title == "Do not dig: <Net & Co> has not answered excavation request 3"
    assert root.findtext(f"{ATOM}id") == f"urn:uuid:{owner}"
    assert {entry.tag for entry in root.iter()} >= {f"{ATOM}updated", f"{ATOM}author"}


def test_a_calendar_shows_what_is_due(service: Service) -> None:
    owner = service.world.owner("12345678", area=EVERYWHERE)
    digger = service.owner()
    with service.world.database.connect() as connection:
        connection.execute(
            "WITH r AS (INSERT INTO ler.excavation_request (requester_id, area, period_from, period_to, purpose,"
            " matched_at) VALUES (%s, ST_GeomFromText('POLYGON((575000 6224000, 575010 6224000, 575010 6224010,"
            " 575000 6224000))', 25832), '2026-12-01', '2026-12-02', 'test', now()) RETURNING id)"
            " INSERT INTO ler.owner_request (request_id, requester_id, owner_id, interest_area_id, due_at)"
            " SELECT r.id, %s, %s, i.id, now() + interval '2 hours' FROM r, ler.interest_area AS i",
            [digger, digger, owner],
        )
    for who, words in ((owner, {"Answer due"}), (digger, {"Answer awaited", "Dig"})):
        client = service.client(service.token(who, Scope.NOTICE_READ))
        answer = client.http.get("/api/v1/feeds/deadlines.ics")
        assert answer.headers["Content-Type"].startswith("text/calendar")
        events = Calendar.from_ical(answer.content).walk("VEVENT")
        assert {str(event["summary"]).partition(":")[0] for event in events} == words


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ({"url": "http://93.184.216.34/x"}, "webhook-target"),
        ({"url": "https://127.0.0.1/x"}, "webhook-target"),
        ({"url": "https://169.254.169.254/latest"}, "webhook-target"),
        ({"url": "https://localhost/x"}, "webhook-target"),
        ({"email": "a@b"}, "field-invalid"),
        ({"email": "a@example.dk\r\nBcc: b@example.dk"}, "field-invalid"),
        ({"email": "a@example.dk", "url": "https://93.184.216.34/x"}, "field-invalid"),
        ({}, "field-invalid"),
        ({"email": "a@example.dk", "kinds": ["DROP TABLE"]}, "field-invalid"),
        ({"email": "a@example.dk", "language": "de"}, "field-invalid"),
        ({"email": "a@example.dk", "secret": "whsec_x"}, "field-invalid"),
    ],
)
def test_a_place_that_cannot_be_is_refused(service: Service, body: dict[str, object], slug: str) -> None:
    client = service.program()
    answer = client.http.post(ENDPOINTS, json=body, headers={"Idempotency-Key": uuid4().hex})
    assert answer.json()["type"] == f"/problems/{slug}", answer.text
    assert client.http.get(ENDPOINTS).json() == {"endpoints": []}


def test_a_webhook_has_a_life(service: Service) -> None:
    client = service.program()
    body = {"url": "https://93.184.216.34/hook", "kinds": ["owner.*", "package.ready"]}
    made = client.http.post(ENDPOINTS, json=body, headers={"Idempotency-Key": "one"})
    assert made.status_code == 201, made.text
    assert made.json()["secret"].startswith("whsec_")
    again = client.http.post(ENDPOINTS, json=body, headers={"Idempotency-Key": "one"})
    assert again.json()["id"] == made.json()["id"]
    assert "secret" not in again.json(), "a key is shown once"
    address = made.headers["Location"]
    assert client.http.post(f"{address}/test").status_code == 202
    assert client.http.patch(address, json={"language": "en"}).json()["language"] == "en"
    assert client.http.patch(address, json={"in_use": False}).json()["state"] == "disabled"
    assert client.http.post(f"{address}/test").json()["type"] == "/problems/endpoint-state"
    assert client.http.patch(address, json={"kinds": None}).status_code == 409
    assert client.http.patch(address, json={"in_use": True, "kinds": None}).json()["kinds"] is None
    told = client.http.get(f"{address}/deliveries").json()["deliveries"]
    assert [(one["type"], one["state"]) for one in told] == [("endpoint.test", "dropped")]
    assert client.http.delete(address).status_code == 204
    assert client.http.get(address).status_code == 404
