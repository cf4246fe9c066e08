"""Hostile calls about requests, answers, keys, bodies and webhooks: rows 69-97 of the catalogue of bad input.

Each is answered with the problem that its row names, under our slug, and leaves every table as it was. Rows that are
tested whole elsewhere are not tested again:

| row | where |
|---|---|
| 70 in the sea, or where nobody is | test_requests.py: nobody is asked; there is no map of land and sea, the limit is the coverage |
| 71, 72, 76 | test_upload_refusals.py, unit/test_request_rules.py |
| 77-79 | test_network_reading.py, test_requests.py, test_upload_refusals.py; there is no filter language yet |
| 88 parallel | test_upload_idempotency.py |
| 91 two uploads at once | test_uploads.py, integration/test_publish_while_reading.py |
| 92 | test_guard.py over every route; test_client_credentials.py, unit/test_assertions.py and unit/test_oidc.py for signatures |
| 93 | test_package_proof.py, integration/test_package_links.py |
| 94 uploads | test_upload_parts.py, test_upload_refusals.py |
| 95 a redirect | faults/test_notice_faults.py; names with several addresses: unit/test_delivery.py |
| 96 | test_guard.py over every route |
| 97 late, twice, outside the area | test_owner_answers.py; for another's request: test_guard.py |
"""

import asyncio
import math
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from shapely import Polygon, box

from geoapi.app import LARGEST_BODY, create_app
from geoapi.database import Databases
from geoapi.delivery.webhooks import new_secret, send_webhook, webhook_pool
from ler.db.engine import create_engine, transaction
from ler.db.reading import ReadPool
from ler.db.tables import PLATFORM_OPERATOR
from ler.services.answer_links import make_answer_link
from ler.settings import Settings
from tests.acceptance.guard_rows import ROWS
from tests.acceptance.guard_rows.answers import MEETING, ask_owner
from tests.acceptance.guard_rows.damages import DAMAGE
from tests.acceptance.guard_rows.digging import WORK
from tests.acceptance.guard_rows.register import PROVIDER, a_provider
from tests.acceptance.test_answer_page import post as post_page
from tests.acceptance.test_guard import GUARDED, names_of
from tests.notices import receiver
from tests.requests import FIRST, ORDERS, PERIOD, REQUESTS, body, requester, send, sent
from tests.service import Service, stored
from tests.unit.test_delivery import outgoing

SLUG: Final = "/problems/"
HOOKS: Final = "/api/v1/notice-endpoints"
EAST: Final = Settings().coverage[2]
GAP, OVERLAP = "2027-03-28T02:30", "2027-10-31T02:30"
"""Local times of which the first does not come and the second comes twice."""


@dataclass(frozen=True)
class Cast:
    """Somebody who digs, with a request; an owner that is asked; the operator."""

    service: Service
    digger: httpx.Client
    request: str
    owner: httpx.Client
    asked: dict[str, str]
    page: str
    operator: httpx.Client

    def asked_path(self, end: str) -> str:
        return f"/api/v1/owner-requests/{self.asked['owner_request_id']}/{end}"


@pytest.fixture(scope="module")
def cast(service: Service) -> Cast:
    digger = service.client(service.token(requester(service))).http
    owner = service.owner()
    asked = ask_owner(service, owner)
    with transaction(service.world.databases.app, owner) as connection:
        page = make_answer_link(connection, UUID(asked["owner_request_id"]), timedelta(hours=1))
    return Cast(
        service,
        digger,
        f"{REQUESTS}/{sent(digger)['id']}",
        service.client(service.token(owner)).http,
        asked,
        page,
        service.client(service.token(PLATFORM_OPERATOR)).http,
    )


@dataclass(frozen=True)
class Hostile:
    """One bad call; `expected` is its status, the slug of its problem, and the code and place of its first fault."""

    row: str
    expected: str
    send: Callable[[Cast], httpx.Response]


def round_area(vertices: int) -> Polygon:
    steps = [2 * math.pi * number / vertices for number in range(vertices)]
    return Polygon([(575050 + 30 * math.cos(step), 6224025 + 30 * math.sin(step)) for step in steps])


def order(area: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in area.items() if name != "area"} | {
        "areas": [{"area": area["area"]}]
    }


def asks(row: str, fault: str, request: dict[str, Any]) -> Iterator[Hostile]:
    """A request as bad in one place, by every way in which one is made."""
    place = fault.rpartition(" ")[2]
    yield Hostile(row, f"422 request-refused {fault}", lambda cast: send(cast.digger, request))
    yield Hostile(
        f"{row}, its price",
        f"422 request-refused {fault}",
        lambda cast: cast.digger.post(f"{REQUESTS}/price", json=request),
    )
    yield Hostile(
        f"{row}, a copy",
        f"422 request-refused {fault}",
        lambda cast: send(cast.digger, request, path=f"{cast.request}/copy"),
    )
    in_order = f"/areas/0{place}" if place == "/area" else place
    yield Hostile(
        f"{row}, an order",
        f"422 request-refused {fault.removesuffix(place)}{in_order}",
        lambda cast: send(cast.digger, order(request), path=ORDERS),
    )


def period(first: int, days: int) -> dict[str, Any]:
    return {
        "period_from": (FIRST + timedelta(days=first)).isoformat(),
        "period_to": (FIRST + timedelta(days=first + days)).isoformat(),
    }


def hook(name: str, url: str) -> Hostile:
    return Hostile(
        f"95 {name}", "422 webhook-target", lambda cast: send(cast.owner, {"url": url}, path=HOOKS)
    )


def ambiguous(name: str, at: str | int) -> Iterator[Hostile]:
    """A local time without its offset: refused by every field, not only in the two nights that clocks are moved."""
    yield Hostile(
        f"75 {name}, an appointment",
        "400 field-invalid field-invalid /starts_at",
        lambda cast: cast.owner.put(cast.asked_path("appointment"), json=MEETING | {"starts_at": at}),
    )
    yield Hostile(
        f"75 {name}, when an answer comes",
        "400 field-invalid field-invalid /expected_time",
        lambda cast: send(
            cast.owner,
            {"type": "udtaget til manuel behandling", "expected_time": at},
            path=cast.asked_path("answers"),
        ),
    )
    yield Hostile(
        f"75 {name}, a mandate",
        "400 field-invalid field-invalid /valid_to",
        lambda cast: send(
            cast.owner,
            {"provider": PROVIDER, "scopes": ["answer:read"], "valid_to": at},
            path="/api/v1/mandates",
        ),
    )
    yield Hostile(
        f"75 {name}, a dispensation",
        "400 field-invalid field-invalid /valid_to",
        lambda cast: send(
            cast.operator,
            {"organisation": str(uuid4()), "reason": "x", "valid_to": at},
            path="/api/v1/dispensations",
        ),
    )
    yield Hostile(
        f"75 {name}, the trail since then",
        "400 parameter-invalid parameter-invalid query/since",
        lambda cast: cast.owner.get("/api/v1/audit", params={"since": at}),
    )
    if isinstance(at, str):  # a number is that of a version
        yield Hostile(
            f"75 {name}, a network as of then",
            "400 parameter-invalid parameter-invalid query/as-of",
            lambda cast: cast.owner.get("/api/v1/network/features", params={"as-of": at}),
        )


HOSTILE: Final = [
    *asks("69 a handful of sand", "area-size /area", body(box(575000, 6224000, 575000.3, 6224000.3))),
    *asks("69 half of Zealand", "area-size /area", body(box(560000, 6210000, 582000, 6233000))),
    *asks("69 10,001 vertices", "area-size /area", body(round_area(10_001))),
    *asks(
        "70 half outside", "area-outside-coverage /area", body(box(EAST - 10, 6224000, EAST + 10, 6224010))
    ),
    *asks("74 ends before it begins", "period-invalid /period_to", body(**period(0, -1))),
    *asks("74 began yesterday", "period-invalid /period_from", body(**period(-8, 9))),
    *asks("74 ten years", "period-invalid /period_to", body(**period(0, 3650))),
    Hostile(
        "74 renewed for the past",
        "422 request-refused period-invalid /period_from",
        lambda cast: send(cast.digger, period(-8, 9), path=f"{cast.request}/renew"),
    ),
    Hostile(
        "74 extended for ten years",
        "422 request-refused period-invalid /period_to",
        lambda cast: cast.digger.patch(
            cast.request, json={"period_to": period(0, 3650)["period_to"]}, headers={"If-Match": "*"}
        ),
    ),
    *ambiguous("a time that does not come", GAP),
    *ambiguous("a time that comes twice", OVERLAP),
    *ambiguous("a number of seconds", 1_800_000_000),
    hook("in the clear", "http://93.184.216.34/x"),
    hook("this machine", "https://127.0.0.1/x"),
    hook("the cloud's own data", "https://169.254.169.254/latest/meta-data"),
    hook("a name of this machine", "https://localhost/x"),
    hook("a neighbour", "https://10.0.0.1/x"),
]


def told(answer: httpx.Response) -> str:
    problem = answer.json()
    faults = [f"{one['code']} {one['pointer']}" for one in problem.get("errors", ())[:1]]
    return " ".join([str(answer.status_code), problem["type"].removeprefix(SLUG), *faults])


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda one: one.row)
def test_a_hostile_call_is_refused_by_name_and_leaves_nothing(cast: Cast, hostile: Hostile) -> None:
    before = stored(cast.service)
    answer = hostile.send(cast)
    assert told(answer) == hostile.expected, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert stored(cast.service) == before


@pytest.mark.parametrize("at", [GAP, OVERLAP])
def test_75_a_page_tells_in_words_that_a_time_is_not_one(cast: Cast, at: str) -> None:
    before = stored(cast.service)
    fields = {"type": "MANUAL", "revision": "0", "expected_time": at}
    page = post_page(cast.service, cast.page, fields)
    assert page.status_code == 422
    assert at in page.text
    assert stored(cast.service) == before


# Keys


def headers_of(name: str) -> list[tuple[str, str]]:
    """The routes that take a header, as the application describes itself."""
    engine = create_engine("postgresql+psycopg://nobody@/nothing")
    described = create_app(Settings(), Databases(engine, engine, ReadPool("", size=1))).openapi()
    engine.dispose()
    return [
        (method.upper(), path)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if name in {one["name"].lower() for one in operation.get("parameters", ()) if one["in"] == "header"}
    ]


KEYED: Final = headers_of("idempotency-key")
TAGGED: Final = headers_of("if-match")


@dataclass(frozen=True)
class Another:
    """What makes another body of a keyed call's, and who calls."""

    change: dict[str, object]
    by_operator: bool = False
    given: dict[str, object] = field(default_factory=dict)
    """Fields in the place of those with which the guard calls, which does not get far."""


API = "/api/v1"
OTHER: Final = {
    f"{API}/uploads": Another({"size": 10}),
    f"{API}/organisations": Another({"name": "y"}, by_operator=True),
    f"{API}/members": Another({"name": "Bo"}),
    f"{API}/grants": Another({"role": "authority"}, by_operator=True, given={"organisation": "provider"}),
    f"{API}/mandates": Another({"scopes": ["answer:write"]}, given={"provider": PROVIDER}),
    f"{API}/interest-areas": Another({"remark": "y"}),
    f"{API}/contacts": Another({"name": "y"}),
    REQUESTS: Another({"purpose": "y"}),
    f"{REQUESTS}/{{request_id}}/renew": Another({"period_to": PERIOD["period_from"]}),
    f"{REQUESTS}/{{request_id}}/copy": Another({"purpose": "y"}),
    ORDERS: Another({"purpose": "y"}),
    f"{API}/owner-requests/{{owner_request_id}}/answers": Another({"further_information": "y"}),
    f"{API}/duct-offers": Another({"most_used": 0.1}),
    f"{API}/sensitivity-rules": Another({"gml_ids": ["y"]}),
    f"{API}/clearances": Another({"clear": 3.0}),
    f"{API}/works": Another({"works": [WORK | {"values": WORK["values"] | {"title": "y"}}]}),
    f"{API}/restrictions": Another({"values": {}}, by_operator=True),
    HOOKS: Another({"email": "y@example.dk"}),
    f"{API}/damages": Another({"reference": "S-2"}),
    f"{API}/damages/bulk": Another({"damages": [DAMAGE | {"reference": "S-2"}]}),
    f"{API}/deviations": Another({"measured_on": "2026-05-05"}),
    f"{API}/dispensations": Another({"reason": "y"}, by_operator=True, given={"organisation": "provider"}),
}


def test_every_keyed_route_is_tried_with_another_body() -> None:
    assert {path for _, path in KEYED} == OTHER.keys()


@pytest.mark.parametrize(("method", "path"), KEYED)
def test_88_89_90_a_key_is_needed_and_is_for_one_call(
    service: Service, cast: Cast, method: str, path: str
) -> None:
    other = OTHER[path]
    owner = service.owner()
    token = service.token(owner)
    address = path.format(**names_of(service, method, path, owner, token))
    http = cast.operator if other.by_operator else service.client(token).http
    a_provider(service)
    providers = cast.operator.get(f"{API}/organisations", params={"cvr": PROVIDER}).json()["organisations"]
    given = {
        name: providers[0]["id"] if value == "provider" else value for name, value in other.given.items()
    }
    sent_body = {**(ROWS[method, path].json or {}), **given}

    def post(key: str, **changes: object) -> httpx.Response:
        return http.request(
            method, address, json=sent_body | changes, headers={"Idempotency-Key": key} if key else {}
        )

    before = stored(service)
    for wrong in ("", "x" * 300):
        assert told(post(wrong)).startswith("400 idempotency-key-invalid"), path
    assert stored(service) == before
    key = uuid4().hex
    first = post(key)
    assert first.status_code == 201, first.text
    made = stored(service)
    again = post(key)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert again.json().items() <= first.json().items(), "the same, but for secrets that are shown once"
    assert told(post(key, **other.change)) == "422 idempotency-key-reused"
    assert stored(service) == made


@pytest.mark.parametrize(("method", "path"), TAGGED)
def test_91_who_has_not_seen_the_last_state_changes_nothing(service: Service, method: str, path: str) -> None:
    owner = service.owner()
    token = service.token(owner)
    address = path.format(**names_of(service, method, path, owner, token))
    row = ROWS[method, path]
    http = service.client(token).http
    before = stored(service)
    for headers, expected in (
        ({}, "428 precondition-required"),
        ({"If-Match": '"another"'}, "412 precondition-failed"),
    ):
        answer = http.request(method, address, json=row.json, headers=headers)
        assert told(answer) == expected
    assert stored(service) == before


# Bodies


READING: Final = [
    (method, path)
    for method, path in GUARDED
    if method in {"POST", "PUT", "PATCH"}
    and (ROWS[method, path].json is not None or ROWS[method, path].content)
]
AT_ONCE: Final = [(method, path) for method, path in READING if not path.endswith(("/content", "/answers"))]
"""Of the others strangers are refused before a byte of theirs is read."""
FILES: Final = {REQUESTS, f"{REQUESTS}/price"}
"""Which take files, up to a limit of their own."""


@dataclass
class Caller:
    """A caller that speaks HTTP by hand, so as to break its rules."""

    connection: socket.socket

    def begin(self, method: str, path: str, token: str, *headers: str) -> None:
        address = path.format_map(dict.fromkeys(PLACEHOLDERS, str(uuid4())))
        head = [
            *(
                f"{method} {address} HTTP/1.1",
                "Host: x",
                f"Authorization: Bearer {token}",
                "Connection: close",
            ),
            *("Content-Type: application/json", "Idempotency-Key: k", "If-Match: *", "Upload-Offset: 0"),
            *headers,
        ]
        self.connection.sendall("\r\n".join([*head, "", ""]).encode())

    def status(self) -> int:
        return int(self.connection.recv(100).split()[1])


PLACEHOLDERS: Final = {
    part.strip("{}") for _, path in READING for part in path.split("/") if part.startswith("{")
}


@pytest.fixture
def callers(service: Service) -> Iterator[Callable[[], Caller]]:
    where = urlsplit(service.url)
    with ExitStack() as stack:
        yield lambda: Caller(
            stack.enter_context(socket.create_connection((where.hostname, where.port), timeout=20))
        )


def test_94_a_body_that_says_it_is_too_large_is_not_read(
    service: Service, callers: Callable[[], Caller]
) -> None:
    token = service.token(service.owner())
    before = stored(service)
    found = {}
    for method, path in READING:
        caller = callers()
        caller.begin(method, path, token, f"Content-Length: {10**15}")
        found[method, path] = caller.status()
    assert found == dict.fromkeys(READING, 413)
    assert stored(service) == before


def test_94_a_body_that_does_not_say_is_read_to_the_limit(service: Service) -> None:
    http = service.client(service.token(service.owner())).http
    before = stored(service)
    found = {}
    for method, path in AT_ONCE:
        if path in FILES:
            continue
        address = path.format_map(dict.fromkeys(PLACEHOLDERS, str(uuid4())))
        pieces = iter([b" " * (LARGEST_BODY // 2)] * 3)
        headers = {"Content-Type": "application/json", "Idempotency-Key": "k", "If-Match": "*"}
        found[method, path] = http.request(method, address, content=pieces, headers=headers).status_code
    assert len(found) > 20
    assert {key: status for key, status in found.items() if status != 413} == {}
    assert stored(service) == before


def test_94_who_falls_silent_in_its_body_is_let_go(service: Service, callers: Callable[[], Caller]) -> None:
    token = service.token(service.owner())
    before = stored(service)
    silent = []
    for method, path in AT_ONCE:
        caller = callers()
        caller.begin(method, path, token, "Content-Length: 100")
        caller.connection.sendall(b"{")
        silent.append((method, path, caller))
    found = {(method, path): caller.status() for method, path, caller in silent}
    assert {key: status for key, status in found.items() if status != 408} == {}
    assert stored(service) == before


# Webhooks


def test_95_where_a_webhook_leads_is_judged_again_when_it_is_sent() -> None:
    async def send_one(address: str) -> str | None:
        async with webhook_pool(loopback=False, most=1) as pool:
            notice = outgoing(secret=new_secret(), address=address)
            return (await send_webhook(pool, notice, timeout_s=5)).fault

    with receiver() as neighbour:
        # What was registered as a name in the world may lead elsewhere by now.
        for host in ("127.0.0.1", "localhost"):
            assert asyncio.run(send_one(f"http://{host}:{neighbour.port}/x")) == "webhook-target"
    assert neighbour.calls == []
