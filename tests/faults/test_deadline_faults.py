"""One owner of fifty is silent, two answers come at the second of the deadline, and a requester that gives up meanwhile."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from shapely import Polygon, box

from geoapi import packing
from geoapi.delivery.deliverer import Clockwork
from ler.blobs import FolderStore
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.faults import POINTS
from ler.services.audit import seal, verify_since
from ler.settings import Settings
from tests.acceptance.guard_rows.answers import NO_LINES, PATH
from tests.clocks import ALWAYS, pass_time
from tests.databases import Database, SharedCluster
from tests.gates import await_waiting, held_row
from tests.packages import Asked, ask, manifest_of
from tests.service import Service, eventually, open_service
from tests.world import open_world, water_pipe

OWNERS = 50
HELD = "SELECT FROM ler.excavation_request WHERE id = %s FOR UPDATE"
PACKING = [name for name in POINTS if name.startswith("package.") and name != "package.mending"]
LOCKED = {"package.before-commit"}
"""Points at which packing holds the request, so that who cancels waits."""


@dataclass
class Site:
    """A place where owners have lines and somebody asks, with nobody else near."""

    service: Service
    area: Polygon
    folder: Path

    def silent(self, count: int = 1) -> list[UUID]:
        """Owners that have to answer themselves."""
        return [self.service.world.owner(next(CVRS), f"Owner {n}", self.area) for n in range(count)]

    def central(self) -> UUID:
        """An owner for which the platform answers."""
        west, south, east, north = self.area.bounds
        cvr = next(CVRS)
        owner = self.service.world.owner(cvr, f"Central {cvr}", self.area)
        self.service.world.network(
            cvr, self.folder, water_pipe("p", (west + 1, south + 1, 1), (east, north, 1))
        )
        return owner

    def ask(self) -> Asked:
        return ask(self.service, area=self.area)


CVRS = (str(number) for number in count(40_000_000))
PLACES = (box(east, 6_224_000, east + 100, 6_224_100) for east in count(600_000, 1_000))
QUIET = {"LER_WATCH_S": "3600", "LER_SWEEP_S": "3600"}
"""For a worker that does nothing by itself but what its queue says."""


@pytest.fixture(scope="module")
def served(
    shared_cluster: SharedCluster, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    with (
        shared_cluster.database(migrated_template) as database,
        open_world(database) as world,
        open_service(world, tmp_path_factory.mktemp("service")) as made,
    ):
        made.serve()
        yield made


@pytest.fixture
def site(served: Service, tmp_path: Path) -> Site:
    return Site(served, next(PLACES), tmp_path)


def program_of(service: Service, owner: UUID) -> httpx.Client:
    return service.client(service.token(owner)).http


def open_request(http: httpx.Client) -> dict[str, Any]:
    (one,) = http.get(PATH, params={"state": "open"}).json()["owner_requests"]
    found: dict[str, Any] = one
    return found


def answer(http: httpx.Client, owner_request: str) -> httpx.Response:
    path = f"{PATH}/{owner_request}/answers"
    return http.post(path, json=NO_LINES, headers={"Idempotency-Key": uuid4().hex})


def notices(service: Service, request: UUID) -> list[tuple[str, UUID, dict[str, Any]]]:
    """What was told of a request: kind, to whom, and the facts."""
    with service.world.database.connect() as connection:
        return connection.execute(
            "SELECT kind, audience_id, data FROM ler.notice WHERE request_id = %s ORDER BY number", [request]
        ).fetchall()


def told(service: Service, request: UUID, audience: UUID | None = None) -> Counter[str]:
    return Counter(kind for kind, whom, _ in notices(service, request) if audience in {None, whom})


def look(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clockwork, "clock_of", lambda *_: ALWAYS)
    Clockwork(service.world.databases.worker, Settings()).turn()


def assert_nothing_is_done_twice(service: Service, request: UUID) -> None:
    """One package a revision, told once and no other way; the trail holds; the service lives."""
    ready = [data for kind, _, data in notices(service, request) if kind == "package.ready"]
    assert len({data["revision"] for data in ready}) == len(ready)
    with service.world.database.connect() as connection:
        made = connection.execute(
            "SELECT revision, sha256 FROM ler.package WHERE request_id = %s AND owner_id IS NULL", [request]
        ).fetchall()
    assert {(data["revision"], data["sha256"]) for data in ready} == set(made)
    assert len(made) == len(ready)
    seal(service.world.databases.worker)
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        assert verify_since(connection, None).broken is None
    assert service.client(None).http.get("/healthz").status_code == 200


@pytest.fixture
def quiet(database: Database, tmp_path: Path) -> Iterator[Service]:
    with open_world(database) as world, open_service(world, tmp_path, **QUIET) as made:
        made.serve()
        yield made


def test_of_fifty_owners_one_is_silent(
    quiet: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, site = quiet, Site(quiet, next(PLACES), tmp_path)
    owners = site.silent(OWNERS)
    programs = {owner: program_of(service, owner) for owner in owners}
    asked = site.ask()
    silent, answering = owners[17], [owner for owner in owners if owner != owners[17]]

    def give(owner: UUID) -> int:
        return answer(programs[owner], open_request(programs[owner])["id"]).status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(give, answering)) == {201}
    service.work()

    before = manifest_of(asked.download(asked.packed(OWNERS)).content)
    assert_names_silent(before, overdue=False)
    pass_time(service.world.database, asked.id, 61)
    look(service, monkeypatch)
    pass_time(service.world.database, asked.id, 109)
    look(service, monkeypatch)
    assert told(service, asked.id, silent)["owner.reminder"] == 2

    pass_time(service.world.database, asked.id, 121)
    look(service, monkeypatch)
    at_due = asked.packed(OWNERS + 1)
    assert_names_silent(manifest_of(asked.download(at_due).content), overdue=True)
    look(service, monkeypatch)
    assert asked.listed()["revision"] == OWNERS + 1, "late once"
    reminders = [data["percent"] for kind, _, data in notices(service, asked.id) if kind == "owner.reminder"]
    assert reminders == [50, 90, 100]
    assert told(service, asked.id, asked.requester)["owner.late"] == 1

    # Its silence goes to those who can end it, once each.
    for minutes, to_owner, to_operator in ((241, 1, 0), (120 + 9 * 60 + 1, 1, 1)):
        for _ in range(2):
            pass_time(service.world.database, asked.id, minutes)
            look(service, monkeypatch)
        assert told(service, asked.id, silent)["owner.silent"] == to_owner
        assert told(service, asked.id, PLATFORM_OPERATOR)["owner.silent"] == to_operator
    for owner in answering:
        assert set(told(service, asked.id, owner)) == {"owner.asked"}

    late = answer(programs[silent], open_request(programs[silent])["id"])
    assert (late.status_code, late.json()["late"]) == (201, True)
    complete = manifest_of(asked.download(asked.packed(OWNERS + 2)).content)
    assert complete["complete"]
    assert told(service, asked.id, asked.requester)["owner.answered"] == OWNERS
    assert_nothing_is_done_twice(service, asked.id)


def assert_names_silent(manifest: dict[str, Any], *, overdue: bool) -> None:
    """Whoever opens the package reads first that one is missing, which, and until when."""
    assert not manifest["complete"]
    first = manifest["notices"][0]
    assert first["en"].startswith(f"DO NOT DIG: 1 owner missing of {OWNERS}")
    assert first["da"].startswith(f"GRAV IKKE: 1 af {OWNERS}")
    (line,) = first["owners"]
    assert "Owner 17" in line["en"]
    assert ("OVERDUE" in line["en"], "FRISTEN ER OVERSKREDET" in line["da"]) == (overdue, overdue)
    missing = [owner["name"] for owner in manifest["owners"] if not owner["answered"]]
    assert missing == ["Owner 17"]


@pytest.mark.parametrize("moment", ["before", "across", "after"])
def test_an_owner_answers_twice_at_the_second_of_its_deadline(site: Site, moment: str) -> None:
    """Two calls of one owner, and the sweep, while the second of the deadline goes by."""
    service = site.service
    (owner,) = site.silent()
    asked = site.ask()
    http = program_of(service, owner)
    wanted = open_request(http)["id"]
    set_due = (
        "UPDATE ler.owner_request SET received_at = now() - interval '2 h',"
        " due_at = clock_timestamp() + make_interval(secs => %s) WHERE request_id = %s"
    )
    seconds = {"before": 60.0, "across": 3.0, "after": -0.001}[moment]
    with ThreadPoolExecutor(3) as pool, service.world.database.connect() as database:
        database.execute("SET session_replication_role = replica")
        database.execute(set_due, [seconds, asked.id])
        database.execute("RESET session_replication_role")
        with held_row(service.world.database, HELD, asked.id) as looking:
            # Both calls have begun, and wait for whoever holds the request.
            calls = [pool.submit(answer, http, wanted) for _ in range(2)]
            await_waiting(looking, 2)
            if moment == "across":
                eventually(lambda: is_due(looking, asked.id))
            assert mark_late(database) == 0, "what somebody holds is left for later"
        answers = [call.result() for call in calls]
        marked = mark_late(database)
    late = moment == "after"
    assert sorted(one.status_code for one in answers) == [201, 409], [one.text for one in answers]
    given, refused = sorted(answers, key=lambda one: one.status_code)
    assert refused.json()["type"] == "/problems/answer-already-delivered"
    assert given.json()["late"] is late, "it counts when it came, not how long it waited"
    assert marked == 0
    assert told(service, asked.id, asked.requester)["owner.answered"] == 1
    assert told(service, asked.id, asked.requester)["owner.late"] == int(late)
    assert asked.listed()["revision"] == 2
    assert len(http.get(f"{PATH}/{wanted}/answers").json()["answers"]) == 1
    assert_nothing_is_done_twice(service, asked.id)


def is_due(connection: Any, request: UUID) -> bool:  # noqa: ANN401 - psycopg's connection
    row = connection.execute(
        "SELECT due_at < clock_timestamp() FROM ler.owner_request WHERE request_id = %s", [request]
    ).fetchone()
    return bool(row[0])


def mark_late(connection: Any) -> int:  # noqa: ANN401 - psycopg's connection
    return int(connection.execute("SELECT ler.mark_late()").fetchone()[0])


@pytest.mark.parametrize("point", PACKING)
def test_a_requester_gives_up_at_every_step_of_packing(
    site: Site, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    service = site.service
    owners = [site.central(), site.central(), *site.silent()]
    asked = site.ask()
    given_up: list[Future[int]] = []

    def give_up() -> int:
        return asked.client.http.post(f"{asked.address}/cancel").status_code

    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(1))
        looking = stack.enter_context(service.world.database.connect())

        def at_point(name: str) -> None:
            if name != point or given_up:
                return
            given_up.append(pool.submit(give_up))
            if point in LOCKED:
                await_waiting(looking, 1)
            else:
                given_up[0].result()

        monkeypatch.setattr(packing, "point", at_point)
        store = FolderStore(service.blobs)
        assert packing.pack_request(service.world.databases, store, asked.id)
        assert [call.result() for call in given_up] == [200]
    listed = asked.listed()
    assert (listed["state"], listed["being_made"]) == ("cancelled", False)
    assert_nothing_after_giving_up(service, asked, owners)
    # Called again, by a sweep or a job that comes late, nothing is made.
    before = len(listed["packages"])
    assert packing.pack_request(service.world.databases, store, asked.id)
    assert len(asked.listed()["packages"]) == before
    assert not [*service.blobs.glob("tmp/*")]
    assert_nothing_is_done_twice(service, asked.id)


def assert_nothing_after_giving_up(service: Service, asked: Asked, owners: list[UUID]) -> None:
    """Each owner is told once, and no package is told of afterwards."""
    kinds = [kind for kind, _, _ in notices(service, asked.id)]
    first = kinds.index("request.cancelled")
    assert set(kinds[first:]) == {"request.cancelled"}
    assert kinds.count("request.cancelled") == 1 + len(owners)
    assert all(told(service, asked.id, owner)["request.cancelled"] == 1 for owner in owners)
    with service.world.database.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM ler.package WHERE request_id = %s AND revision > 1", [asked.id]
        ).fetchone()
    assert row == (0,)


def test_of_giving_up_and_answering_at_once_one_comes_first_and_both_know(site: Site) -> None:
    service, outcomes = site.service, set()
    (owner,) = site.silent()
    http = program_of(service, owner)
    for _ in range(6):
        asked = site.ask()
        wanted = open_request(http)["id"]
        together = Barrier(4)

        def at_once(
            call: Callable[[], httpx.Response], together: Barrier = together
        ) -> Callable[[], httpx.Response]:
            def run() -> httpx.Response:
                together.wait(10)
                return call()

            return run

        def give_up(asked: Asked = asked) -> httpx.Response:
            return asked.client.http.post(f"{asked.address}/cancel")

        def give(wanted: str = wanted) -> httpx.Response:
            return answer(http, wanted)

        with ThreadPoolExecutor(4) as pool:
            calls = [pool.submit(at_once(call)) for call in (give_up, give_up, give, give)]
        ended = [call.result().status_code for call in calls]
        assert sorted(ended[:2]) == [200, 409]
        assert sorted(ended[2:]) in ([201, 409], [409, 409])
        answered = 201 in ended[2:]
        outcomes.add(answered)
        assert asked.listed()["state"] == "cancelled"
        assert told(service, asked.id, owner)["request.cancelled"] == 1
        assert told(service, asked.id, asked.requester)["owner.answered"] == int(answered)
        assert asked.listed()["revision"] == (3 if answered else 2)
    assert outcomes


def test_a_request_that_somebody_holds_keeps_no_other_waiting(site: Site) -> None:
    (owner,) = site.silent()
    held, free = site.ask(), site.ask()
    http = program_of(site.service, owner)
    listed = http.get(PATH, params={"state": "open"}).json()["owner_requests"]
    wanted = {one["request_id"]: one["id"] for one in listed}
    database = site.service.world.database
    with held_row(database, HELD, held.id), database.connect() as connection:
        assert answer(http, wanted[str(free.id)]).status_code == 201
        assert mark_late(connection) == 0
