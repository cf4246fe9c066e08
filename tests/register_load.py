"""Many owners and requesters at once, over HTTP: what they do, how long each call takes, and all that was acknowledged.

Requesters ask, look at their packages until the complete one is there, download it and ask again. Owners are told by
webhook, look at what they are asked, acknowledge, answer with lines or with none, and correct some answers. One call in ten that
changes something is made twice at once under its key; one notice in fifty is refused by its receiver at first.
"""

import asyncio
import io
import json
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
from shapely import Polygon, box
from shapely.geometry import mapping

from ler.domain.roles import Role
from ler.packages.gml import Answer, write_answer
from tests.notices import Received, Receiver
from tests.service import NO_TLS, Service
from tests.world import header, water_pipe

OWNERS_A_SITE: Final = 5
SITE_M: Final = 200
DRAIN_S: Final = 90.0
"""How long what was begun may take to come to its end."""
LOOK_EVERY_S: Final = 0.2
WITH_LINES, CORRECTED, TWICE, REFUSED = 0.5, 0.2, 0.1, 0.02
"""Shares: of answers that have lines or are corrected, of calls that come twice, of notices that are refused at first."""
WEST, SOUTH = 575_000, 6_224_000
REQUESTS: Final = "/api/v1/requests"
ASKED: Final = "/api/v1/owner-requests"
ENDPOINTS: Final = "/api/v1/notice-endpoints"
SETTINGS: Final = {"LER_WEBHOOK_LOOPBACK": "true"}
"""Of a service that calls receivers on this machine."""
NO_LINES: Final = {"type": "ingen ledninger i graveområde"}


@dataclass
class Member:
    """An organisation that takes part."""

    id: UUID
    token: str
    cvr: str = ""
    site: int = 0
    secret: str = ""
    """Of its webhook."""
    told: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    """What it is asked, as its webhook hears of it."""


@dataclass
class AskedFor:
    """A request that was acknowledged."""

    id: str
    requester: Member
    owners: set[str]
    sent_at: float
    """Seconds of time.perf_counter."""
    package: dict[str, Any] | None = None
    """The complete one, as it was listed, and its bytes."""


@dataclass
class GivenAnswer:
    """An answer that was acknowledged."""

    id: str
    owner_request: str
    request: str
    owner: Member
    revision: int
    features: int


@dataclass
class Load:
    """What was done, and how long it took."""

    service: Service
    receiver: Receiver
    owners: list[Member]
    requesters: list[Member]
    seconds: float
    calls: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Seconds of each call, by its name."""
    waits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Seconds until something came about."""
    errors: list[str] = field(default_factory=list)
    requests: dict[str, AskedFor] = field(default_factory=dict)
    answers: list[GivenAnswer] = field(default_factory=list)
    told: list[tuple[str, float]] = field(default_factory=list)
    """Requests of which an owner heard, and when."""
    began: float = 0.0
    lasted: float = 0.0
    """Seconds until all that was begun had come to its end."""


def run_load(service: Service, receiver: Receiver, *, owners: int, requesters: int, seconds: float) -> Load:
    """Let owners answer and requesters ask for some seconds, and all that was begun come to its end.

    The service and a worker run, and take webhooks on this machine.
    """
    return asyncio.run(_run(service, receiver, owners, requesters, seconds))


async def _run(service: Service, receiver: Receiver, owners: int, requesters: int, seconds: float) -> Load:
    load = Load(service, receiver, _owners(service, owners), _requesters(service, requesters), seconds)
    async with httpx.AsyncClient(
        base_url=service.url,
        timeout=60,
        verify=NO_TLS,
        # Shorter than the service's own, so that it does not hang up on a call.
        limits=httpx.Limits(max_connections=None, keepalive_expiry=2),
    ) as http:
        caller = Caller(load, http)
        for number, owner in enumerate(load.owners):
            made = await caller.call(
                "endpoint",
                owner,
                "POST",
                ENDPOINTS,
                statuses=frozenset({201}),
                key="k",
                json={"url": receiver.url(f"/{number}")},
            )
            owner.secret = made.json()["secret"]
        load.calls.clear()
        receiver.answer = _hearing(load, asyncio.get_running_loop())
        load.began = time.perf_counter()
        answering = [asyncio.create_task(_answer_on(caller, owner)) for owner in load.owners]
        await asyncio.gather(*(_ask_on(caller, one) for one in load.requesters))
        # Every request is complete; some answers are still being corrected.
        await asyncio.gather(*(owner.told.join() for owner in load.owners))
        load.lasted = time.perf_counter() - load.began
        for task in answering:
            task.cancel()
        load.waits["owner told"] = [
            at - load.requests[request].sent_at for request, at in load.told if request in load.requests
        ]
        for ended in await asyncio.gather(*answering, return_exceptions=True):
            if isinstance(ended, Exception):
                load.errors.append(f"an owner gave up: {ended!r}")
    return load


def _owners(service: Service, count: int) -> list[Member]:
    made = []
    for number in range(count):
        site, cvr = number // OWNERS_A_SITE, f"4{number:07}"
        owner = service.world.owner(cvr, f"Net {number}", area_of(site))
        made.append(Member(owner, service.token(owner), cvr, site))
    return made


def _requesters(service: Service, count: int) -> list[Member]:
    ids = [service.world.requester(f"Grav {number}", role=Role.EXCAVATOR) for number in range(count)]
    return [Member(one, service.token(one)) for one in ids]


def area_of(site: int) -> Polygon:
    """Where all owners of a site have lines."""
    west = WEST + site * 2 * SITE_M
    return box(west, SOUTH, west + SITE_M, SOUTH + SITE_M)


class CallRefusedError(Exception):
    """A call was answered otherwise than it should be; it stands in the errors."""


@dataclass
class Caller:
    """Makes calls, and writes down how long they took and which went wrong."""

    load: Load
    http: httpx.AsyncClient
    chance: Random = field(default_factory=lambda: Random(1))

    async def call(
        self,
        name: str,
        who: Member,
        method: str,
        path: str,
        *,
        statuses: frozenset[int] = frozenset({200}),
        key: str | None = None,
        **more: Any,  # noqa: ANN401 - of httpx
    ) -> httpx.Response:
        """Make a call. CallRefusedError when it is answered with another status."""
        headers = {"Authorization": f"Bearer {who.token}"} | ({"Idempotency-Key": key} if key else {})
        began = time.perf_counter()
        try:
            answer = await self.http.request(method, path, headers=headers, **more)
        except httpx.HTTPError as error:
            self.load.errors.append(f"{name}: {error!r}")
            raise CallRefusedError(name) from error
        self.load.calls[name].append(time.perf_counter() - began)
        if answer.status_code not in statuses:
            self.load.errors.append(f"{name}: {answer.status_code} {answer.text[:300]}")
            raise CallRefusedError(name)
        return answer

    async def create(
        self, name: str, who: Member, path: str, body: dict[str, Any], gml: bytes | None = None
    ) -> dict[str, Any]:
        """Create something; at times by two equal calls at once, as programs do that lost the answer."""
        sent: dict[str, Any] = {"json": body}
        if gml is not None:
            sent = {"data": {"answer": json.dumps(body)}, "files": [("gml", ("net.gml", gml))]}
        key, calls = uuid4().hex, 2 if self.chance.random() < TWICE else 1

        async def once() -> httpx.Response:
            while True:
                wanted = frozenset({201} if calls == 1 else {201, 409})
                answer = await self.call(name, who, "POST", path, statuses=wanted, key=key, **sent)
                if answer.status_code == 201:
                    return answer
                if answer.json()["type"] != "/problems/idempotency-in-progress":
                    self.load.errors.append(f"{name}: {answer.text[:300]}")
                    raise CallRefusedError(name)
                await asyncio.sleep(0.05)

        answers = await asyncio.gather(*(once() for _ in range(calls)))
        first = [one for one in answers if "Idempotency-Replayed" not in one.headers]
        if len(first) != 1 or any(one.json() != first[0].json() for one in answers):
            self.load.errors.append(f"{name}: one call had {[one.text[:200] for one in answers]}")
        made: dict[str, Any] = answers[0].json()
        return made


async def _ask_on(caller: Caller, who: Member) -> None:
    load = caller.load
    while time.perf_counter() < load.began + load.seconds:
        try:
            await _ask(caller, who)
        except CallRefusedError:
            await asyncio.sleep(0.1)  # it is written down


async def _ask(caller: Caller, who: Member) -> None:
    """Ask, and follow the request until its complete package is downloaded."""
    load, began = caller.load, time.perf_counter()
    made = await caller.create("POST request", who, REQUESTS, _request_body(load, caller.chance))
    asked = AskedFor(made["id"], who, {one["id"] for one in made["owners"]}, began)
    load.requests[asked.id] = asked
    path = f"{REQUESTS}/{asked.id}"
    await caller.call("GET request", who, "GET", path)
    package = await _complete_package(caller, asked)
    file = await caller.call("GET package file", who, "GET", package["file"])
    asked.package = {**package, "bytes": len(file.content)}


async def _complete_package(caller: Caller, asked: AskedFor) -> dict[str, Any]:
    load, seen = caller.load, False
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        found = (
            await caller.call("GET packages", asked.requester, "GET", f"{REQUESTS}/{asked.id}/packages")
        ).json()
        newest = next((one for one in found["packages"] if one["kind"] == "consolidated"), None)
        waited = time.perf_counter() - asked.sent_at
        if newest and not seen:
            seen = True
            load.waits["first package"].append(waited)
        if newest and newest["complete"] and newest["current"] and not found["being_made"]:
            load.waits["complete package"].append(waited)
            return dict(newest)
        if waited > load.seconds + DRAIN_S:
            load.errors.append(f"request {asked.id} did not become complete: {found}")
            raise CallRefusedError("GET packages")


async def _answer_on(caller: Caller, owner: Member) -> None:
    while True:
        owner_request = await owner.told.get()
        with suppress(CallRefusedError):  # it is written down
            await _answer(caller, owner, owner_request)
        owner.told.task_done()


async def _answer(caller: Caller, owner: Member, owner_request: str) -> None:
    load, chance, path = caller.load, caller.chance, f"{ASKED}/{owner_request}"
    asked = (await caller.call("GET owner request", owner, "GET", path)).json()
    await caller.call("POST acknowledge", owner, "POST", f"{path}/acknowledge")
    lines = gml_of(owner.cvr, owner.site)
    answers: list[tuple[dict[str, Any], bytes | None]] = [
        ({}, lines) if chance.random() < WITH_LINES else (NO_LINES, None)
    ]
    if chance.random() < CORRECTED:
        answers.append(({"update": True}, lines))
    for body, gml in answers:
        name = "POST answer with lines" if gml else "POST answer without"
        given = await caller.create(name, owner, f"{path}/answers", body, gml)
        load.answers.append(
            GivenAnswer(
                given["id"],
                owner_request,
                asked["request_id"],
                owner,
                given["revision"],
                given["feature_count"],
            )
        )


def _request_body(load: Load, chance: Random) -> dict[str, Any]:
    west, south, *_ = area_of(chance.randrange(load.owners[-1].site + 1)).bounds
    west, south = west + chance.uniform(0, SITE_M - 40), south + chance.uniform(0, SITE_M - 40)
    day = date.today() + timedelta(days=7)  # noqa: DTZ011 - any day that lies ahead
    return {
        "area": mapping(box(west, south, west + 40, south + 30)),
        "period_from": day.isoformat(),
        "period_to": (day + timedelta(days=7)).isoformat(),
        "purpose": "Ny stikledning",
        "no_order_reference": True,
    }


@cache
def gml_of(cvr: str, site: int) -> bytes:
    """An owner's answer: pipes across its whole site, of which some lie in every dig area."""
    west, south, _, north = area_of(site).bounds
    pipes = [
        water_pipe(f"p{n}", (west + 10 * n + 5, south, 1), (west + 10 * n + 5, north, 1))
        for n in range(SITE_M // 10)
    ]
    out = io.BytesIO()
    write_answer(out, Answer(cvr, "x", header(), pipes))
    return out.getvalue()


def _hearing(
    load: Load, loop: asyncio.AbstractEventLoop
) -> Callable[[Received], tuple[int, dict[str, str], bytes]]:
    """Return what a receiver answers to a notice; what an owner is asked, it is told of once."""
    chance, refused, heard = Random(2), set[str](), set[str]()

    def hear(call: Received) -> tuple[int, dict[str, str], bytes]:
        notice = call.headers["webhook-id"]
        if notice not in heard and notice not in refused and chance.random() < REFUSED:
            refused.add(notice)
            return 500, {}, b""
        if notice not in heard:
            heard.add(notice)
            told = json.loads(call.body)
            if told["type"] == "owner.asked":
                owner = load.owners[int(call.path.removeprefix("/"))]
                load.told.append((told["data"]["request_id"], time.perf_counter()))
                loop.call_soon_threadsafe(owner.told.put_nowait, told["data"]["owner_request_id"])
        return 204, {}, b""

    return hear
