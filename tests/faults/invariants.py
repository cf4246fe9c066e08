"""What must hold whatever has failed: the invariants I1 to I10 of the platform's faults.

A test records what its callers were told while something failed (`History`), waits until the fault is over, and then
looks whether all of it is true of the database, the files and the service.

    I1 nothing acknowledged is lost           I6 no row of one organisation in another's hands
    I2 nothing has a double effect            I7 every state is left in time
    I3 nobody is told twice, differently      I8 the audit trail holds
    I4 packages made again have the same bytes  I9 nothing is left lying
    I5 one version of a network in a package  I10 the others are served
"""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import uuid4

import httpx

from ler.blobs import FolderStore
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.packages.package import write_consolidated_package, write_owner_package
from ler.packages.recipe import answers_of, from_recipe, warnings_of
from ler.services.audit import seal, verify_trail
from ler.services.deliveries import read_answers
from ler.services.packages import list_recipes
from ler.services.requests import get_request
from tests.requests import REQUESTS, body
from tests.service import Service, eventually, orphans

PATIENCE_S: Final = 60.0
"""By when, after a fault has ended, every state must have been left."""
REBUILT: Final = 10
"""Requests whose packages are made again, of those that a test has left."""
QUICK_S: Final = 5.0
"""By when others are answered while something fails; idle it takes a hundredth of that."""

_TWICE: Final = {
    "requests of one key": "SELECT order_reference FROM ler.excavation_request GROUP BY 1 HAVING count(*) > 1",
    "packages of one revision": (
        "SELECT request_id, revision, owner_id FROM ler.package GROUP BY 1, 2, 3 HAVING count(*) > 1"
    ),
    "entries of one package": (
        "SELECT object_id, details FROM ler.audit_event WHERE action = 'worker:package:add'"
        " GROUP BY 1, 2 HAVING count(*) > 1"
    ),
    "answers that hold at once": (
        "SELECT request_id, owner_id, interest_area_id FROM ler.owner_answer WHERE replaced_at IS NULL"
        " GROUP BY 1, 2, 3 HAVING count(*) > 1"
    ),
    "publications of one version": (
        "SELECT object_id FROM ler.audit_event WHERE action = 'ler:network_version:publish'"
        " GROUP BY 1 HAVING count(*) > 1"
    ),
    "published versions of one network": (
        "SELECT dataset_id FROM ler.network_version WHERE state = 'published' GROUP BY 1 HAVING count(*) > 1"
    ),
}
_TOLD_TWICE: Final = {
    "numbers of one request": (
        "SELECT request_id, number FROM ler.notice WHERE request_id IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1"
    ),
    "packages of one revision": (
        "SELECT request_id, audience_id, data->>'revision' FROM ler.notice WHERE kind = 'package.ready'"
        " GROUP BY 1, 2, 3 HAVING count(*) > 1"
    ),
    "requests that began": (
        "SELECT request_id, audience_id FROM ler.notice WHERE kind = 'request.created'"
        " GROUP BY 1, 2 HAVING count(*) > 1"
    ),
    "owners that were asked": (
        "SELECT data->>'owner_request_id' FROM ler.notice WHERE kind = 'owner.asked' GROUP BY 1 HAVING count(*) > 1"
    ),
}
_MIXED: Final = """
    SELECT a.request_id, a.owner_id FROM ler.owner_answer AS a
    WHERE a.given_by = 'platform' AND a.replaced_at IS NULL
    GROUP BY 1, 2 HAVING count(DISTINCT a.version_id) > 1
    UNION ALL
    SELECT f.request_id, f.owner_id FROM ler.package_feature AS f JOIN ler.owner_answer AS a ON a.id = f.answer_id
    WHERE f.version_id IS DISTINCT FROM a.version_id
"""
_ASTRAY: Final = """
    SELECT f.request_id FROM ler.package_feature AS f JOIN ler.excavation_request AS r ON r.id = f.request_id
    WHERE f.requester_id <> r.requester_id
    UNION ALL
    SELECT f.request_id FROM ler.package_feature AS f JOIN ler.network_version AS v ON v.id = f.version_id
    WHERE f.owner_id <> v.owner_id
    UNION ALL
    SELECT n.request_id FROM ler.notice AS n JOIN ler.excavation_request AS r ON r.id = n.request_id
    WHERE n.audience_id NOT IN (r.requester_id, coalesce(n.owner_id, r.requester_id), ler.platform_operator())
"""
_UNDER_WAY: Final = {
    "packages to make": (
        "SELECT id FROM ler.excavation_request"
        " WHERE packed_revision < revision AND state NOT IN ('cancelled', 'erased')"
    ),
    "requests nobody matched": "SELECT id FROM ler.excavation_request WHERE matched_at IS NULL",
    "uploads at work": (
        "SELECT id, state FROM ler.upload WHERE state IN ('received', 'checking', 'approved', 'publishing')"
    ),
    "jobs that nobody ends": "SELECT id, task_name FROM queue.procrastinate_jobs WHERE status = 'doing'",
}
_SEEN_BY: Final = "SELECT count(*), count(*) FILTER (WHERE requester_id <> ler.principal()) FROM {}"


@dataclass
class History:
    """What callers were told of the requests that they sent, while something failed."""

    done: dict[str, str] = field(default_factory=dict)
    """Ids of the requests that were acknowledged, by the key they were sent with."""
    unknown: dict[str, httpx.Client] = field(default_factory=dict)
    """Calls of which nobody knows what became: their keys, and whose they are."""
    refusals: list[int] = field(default_factory=list)
    slowest_s: float = 0.0
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def send(self, http: httpx.Client, key: str = "") -> httpx.Response | None:
        """Send a request and note what came of it; None when the connection broke."""
        key = key or uuid4().hex[:12]
        began = time.monotonic()
        try:
            answer = http.post(
                REQUESTS, json=body(order_reference=key), headers={"Idempotency-Key": key}, timeout=30
            )
        except httpx.TransportError:
            with self._guard:
                self.unknown[key] = http
            return None
        self._note(http, key, answer, time.monotonic() - began)
        return answer

    def resolve(self) -> None:
        """Send again, under the same keys, what nobody knows of, until it is acknowledged."""

        def known() -> bool:
            for key, http in [*self.unknown.items()]:
                self.send(http, key)
            return not self.unknown

        eventually(known, PATIENCE_S)

    def _note(self, http: httpx.Client, key: str, answer: httpx.Response, took_s: float) -> None:
        with self._guard:
            self.slowest_s = max(self.slowest_s, took_s)
            if answer.status_code == httpx.codes.CREATED:
                made = str(answer.json()["id"])
                assert self.done.setdefault(key, made) == made, "two requests under one key"
                self.unknown.pop(key, None)
            else:
                # A refusal of the service's own failing may come after the commit, as a broken connection may.
                assert answer.status_code in {409, 503}, answer.text
                assert "Retry-After" in answer.headers, answer.text
                self.refusals.append(answer.status_code)
                self.unknown[key] = http


def assert_nothing_lost(service: Service, history: History) -> None:
    """I1, I2: each request that was acknowledged is there, under its key, and there is no other."""
    assert not history.unknown
    with service.world.database.connect() as connection:
        rows = connection.execute("SELECT order_reference, id::text FROM ler.excavation_request").fetchall()
    assert dict(rows) == history.done
    assert len(rows) == len(history.done)


def assert_whole(service: Service, folder: Path) -> None:
    """All that must hold of what is stored, once everything has come to rest."""
    assert_settled(service)
    assert_nothing_twice(service)
    assert_nothing_astray(service)
    assert_rebuilt_alike(service, folder)
    assert_trail_holds(service)
    assert_nothing_left(service)


def assert_settled(service: Service) -> None:
    """I7: whatever was under way has come to its end, and no job stands that nobody does."""

    left: dict[str, object] = {}

    def settled() -> bool:
        with service.world.database.connect() as connection:
            left.update({what: connection.execute(query).fetchall() for what, query in _UNDER_WAY.items()})
        return not any(left.values())

    try:
        eventually(settled, PATIENCE_S)
    except AssertionError:
        raise AssertionError(f"still under way: {left}") from None


def assert_nothing_twice(service: Service) -> None:
    """I2, I3."""
    with service.world.database.connect() as connection:
        for what, query in (*_TWICE.items(), *_TOLD_TWICE.items()):
            assert connection.execute(query).fetchall() == [], what


def assert_nothing_astray(service: Service) -> None:
    """I5, I6: as the superuser counts, and as each requester sees it."""
    with service.world.database.connect() as connection:
        assert connection.execute(_MIXED).fetchall() == []
        assert connection.execute(_ASTRAY).fetchall() == []
        requesters = connection.execute("SELECT DISTINCT requester_id FROM ler.excavation_request").fetchall()
    for (requester,) in requesters:
        with transaction(service.world.databases.app, requester) as seen:
            for table in ("ler.excavation_request", "ler.package_feature"):
                rows, others = seen.exec_driver_sql(_SEEN_BY.format(table)).one()
                assert others == 0
                assert rows > 0 or table != "ler.excavation_request"


def assert_rebuilt_alike(service: Service, folder: Path) -> None:
    """I4: every package, made again from what it was made of, has the bytes that were promised, and they are kept."""
    store = FolderStore(service.blobs)
    with service.world.database.connect() as connection:
        rows = connection.execute(
            "SELECT DISTINCT request_id FROM ler.package ORDER BY 1 LIMIT %s", [REBUILT]
        ).fetchall()
    for (request_id,) in rows:
        with transaction(service.world.databases.worker, None, request=request_id) as reading:
            area = get_request(reading, request_id).area
            for number, (stored, recipe) in enumerate(list_recipes(reading, request_id)):
                store.open(stored.sha256, verify=True).close()
                answers = read_answers(reading, request_id, store, answers_of(recipe))
                request, owners = from_recipe(recipe, area, answers)
                place = folder / f"{request_id}-{number}"
                place.mkdir(parents=True)
                if stored.owner_id is None:
                    made = write_consolidated_package(
                        place, request, owners, service.options, warnings_of(recipe)
                    )
                else:
                    made = write_owner_package(place, request, owners[0], service.options)
                assert made.sha256 == stored.sha256


def assert_trail_holds(service: Service) -> None:
    """I8: every event is in the chain, and the chain is whole."""
    seal(service.world.databases.worker)
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        verified = verify_trail(connection)
    assert verified.broken is None, verified
    assert verified.head.number > 0


def assert_nothing_left(service: Service) -> None:
    """I9: no staged rows, no files of uploads that are over, nothing half written."""
    eventually(lambda: orphans(service) == {"staged rows": 0, "folders": 0}, PATIENCE_S)
    workshop = service.blobs / "tmp"
    assert not workshop.exists() or not [*workshop.iterdir()]


def assert_others_served(http: httpx.Client) -> None:
    """I10: the service says that it lives, and somebody else reads what is theirs, both quickly."""
    for path in ("/healthz", REQUESTS):
        began = time.monotonic()
        assert http.get(path).status_code == httpx.codes.OK
        assert time.monotonic() - began < QUICK_S
