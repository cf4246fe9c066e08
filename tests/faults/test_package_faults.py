"""Workers killed at every step of making packages, full disks, doubled and reversed jobs: one effect, the same bytes."""

import resource
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from geoapi.packing import pack_request
from ler.blobs import FolderStore
from ler.db.engine import transaction
from ler.faults import EXIT, POINTS
from ler.packages.package import write_consolidated_package
from ler.services.requests import cancel_request
from tests.databases import Database
from tests.entering import enter_package
from tests.packages import Asked, ask, central
from tests.service import Service, eventually, execute, open_service
from tests.world import open_world

WORKER = [name for name in POINTS if name.startswith("package.") and name != "package.mending"]
KEPT = """
    SELECT revision, owner_id, sha256 FROM ler.package WHERE request_id = %s ORDER BY revision, owner_id NULLS FIRST
"""
WAITING = """
    CREATE FUNCTION waiting() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        WHILE NEW.owner_id IS NOT NULL AND NOT pg_try_advisory_xact_lock(7) LOOP
            PERFORM pg_sleep(0.1);
        END LOOP;
        RETURN NEW;
    END
    $$
"""
"""An owner's package waits to be entered as long as somebody holds a lock."""
TRAIL = "SELECT count(*) FROM ler.audit_event WHERE action = 'worker:package:add' AND object_id = %s"


@pytest.fixture
def service(database: Database, tmp_path: Path) -> Iterator[Service]:
    with open_world(database) as world, open_service(world, tmp_path) as made:
        for number in (1, 2):
            central(made, tmp_path, number)
        made.serve()
        yield made


def rows(service: Service, asked: Asked) -> list[tuple[object, ...]]:
    with service.world.database.connect() as connection:
        return connection.execute(KEPT, [asked.id]).fetchall()


def store(service: Service) -> FolderStore:
    return FolderStore(service.folder / "blobs")


def assert_made_once(service: Service, asked: Asked, revisions: int = 1) -> None:
    """One consolidated package a revision, one of each owner, whole files, told once each."""
    found = rows(service, asked)
    consolidated = [row[0] for row in found if row[1] is None]
    assert consolidated == list(range(1, revisions + 1))
    assert len(found) == revisions + 2
    for _, _, sha256 in found:
        store(service).open(str(sha256), verify=True).close()
    with service.world.database.connect() as connection:
        row = connection.execute(TRAIL, [asked.id]).fetchone()
    assert row == (len(found),)


def made_elsewhere(service: Service, asked: Asked, folder: Path) -> str:
    """Make the consolidated package again in a folder of the test's; return its digest."""
    with service.world.database.connect() as connection:
        connection.execute("DELETE FROM ler.package WHERE request_id = %s", [asked.id])
        connection.execute("UPDATE ler.excavation_request SET packed_revision = 0 WHERE id = %s", [asked.id])
    # The worker may still be at the owners' packages, or be as quick as the test.
    while not pack_request(service.world.databases, FolderStore(folder), asked.id, options=service.options):
        time.sleep(0.1)
    return str(rows(service, asked)[0][2])


@pytest.mark.parametrize("fault", WORKER)
def test_a_worker_is_killed(service: Service, tmp_path: Path, fault: str) -> None:
    worker = service.work(fault=fault)
    asked = ask(service)
    assert worker.wait(timeout=30) == EXIT
    began = time.monotonic()
    service.work()
    package = asked.packed()
    assert time.monotonic() - began < 60
    assert_made_once(service, asked)
    assert made_elsewhere(service, asked, tmp_path / "elsewhere") == package["sha256"]


def test_a_worker_killed_at_chance_moments_is_taken_over(service: Service) -> None:
    chance = Random(7)
    asked = [ask(service) for _ in range(4)]
    for _ in range(3):
        worker = service.work()
        time.sleep(chance.uniform(1.5, 3.5))
        service.kill(worker)
    service.work()
    for one in asked:
        one.packed()
        assert_made_once(service, one)


def test_a_call_that_was_lost_is_made_again_by_the_sweep(service: Service) -> None:
    asked = ask(service)
    with service.world.database.connect() as connection:
        connection.execute("SET search_path = queue")
        assert connection.execute("DELETE FROM procrastinate_jobs").rowcount == 1
    service.work()
    asked.packed()
    assert_made_once(service, asked)


def test_a_first_package_waits_for_no_owners_own_packages_of_others(service: Service) -> None:
    """As many requests as are packed at a time stick in their owners' packages, and the next one comes all the same."""
    before = [ask(service) for _ in range(2)]
    execute(service, WAITING)
    execute(
        service, "CREATE TRIGGER waiting BEFORE INSERT ON ler.package FOR EACH ROW EXECUTE FUNCTION waiting()"
    )
    with service.world.database.connect() as connection:
        connection.execute("SELECT pg_advisory_lock(7)")
        service.work()
        for one in before:
            eventually(lambda one=one: len(rows(service, one)) == 1)  # type: ignore[misc]
        last = ask(service)
        eventually(lambda: len(rows(service, last)) == 1)
        assert [len(rows(service, one)) for one in before] == [1, 1]
        connection.execute("SELECT pg_advisory_unlock(7)")
    for one in (*before, last):
        one.packed()
        assert_made_once(service, one)


def test_the_same_job_for_several_workers_has_one_effect(service: Service) -> None:
    asked = ask(service)
    call = "SELECT queue.procrastinate_defer_jobs_v1(ARRAY[ROW('requests', 'build_packages', 0, NULL, NULL, jsonb_build_object('request_id', %s::text), now())::queue.procrastinate_job_to_defer_v1])"  # fmt: skip
    with service.world.database.connect() as connection:
        connection.execute("SET search_path = queue, public")
        for _ in range(20):
            connection.execute(call, [asked.id])
    service.work()
    service.work()
    databases, kept, options = service.world.databases, store(service), service.options
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: pack_request(databases, kept, asked.id, options=options), range(8)))
    asked.packed()

    def all_done() -> bool:
        with service.world.database.connect() as connection:
            return connection.execute("SELECT count(*) FROM queue.procrastinate_jobs").fetchone() == (0,)

    eventually(all_done)
    assert_made_once(service, asked)


def test_a_package_of_a_state_that_is_gone_is_not_entered(service: Service) -> None:
    asked = ask(service)
    for _ in range(2):
        execute(service, "UPDATE ler.excavation_request SET revision = revision + 1 WHERE id = %s", asked.id)
    worker = service.world.databases.worker
    for revision, outcome in ((1, "stale"), (3, "entered"), (2, "stale"), (3, "entered")):
        with transaction(worker, None, request=asked.id) as connection:
            assert enter_package(connection, asked.id, revision=revision) == outcome
    assert [row[0] for row in rows(service, asked)] == [3]


def test_a_request_that_moves_on_meanwhile_is_made_as_it_is_then(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask(service)
    moved: list[int] = []

    def moving(*given: object) -> object:
        if len(moved) < 2:
            moved.append(1)
            execute(
                service, "UPDATE ler.excavation_request SET revision = revision + 1 WHERE id = %s", asked.id
            )
        return write_consolidated_package(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("geoapi.packing.write_consolidated_package", moving)
    assert pack_request(service.world.databases, store(service), asked.id)
    assert [row[0] for row in rows(service, asked) if row[1] is None] == [3]
    assert not asked.listed()["being_made"]


def test_cancelling_while_it_is_made_leaves_no_package(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask(service)

    def cancelling(*given: object) -> object:
        with transaction(service.world.databases.app, asked.requester) as connection:
            cancel_request(connection, asked.id)
        return write_consolidated_package(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("geoapi.packing.write_consolidated_package", cancelling)
    assert pack_request(service.world.databases, store(service), asked.id)
    assert rows(service, asked) == []
    assert asked.listed()["state"] == "cancelled"
    with service.world.database.connect() as connection:
        told = connection.execute(
            "SELECT count(*) FROM ler.audit_event WHERE action = 'requester:excavation_request:cancel'"
        ).fetchone()
    assert told == (1,)


def test_a_full_disk_is_waited_for_and_nothing_is_left_of_the_attempt(service: Service) -> None:
    worker = service.work()
    eventually(lambda: "Working" in (service.folder / "worker-1.log").read_text(encoding="utf-8"))
    # Every file that it writes is cut at 4 kB, as on a disk that is full.
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    asked = ask(service)

    def failed() -> bool:
        with service.world.database.connect() as connection:
            return connection.execute("SELECT count(*) FROM queue.procrastinate_jobs").fetchone() == (0,)

    eventually(failed)
    time.sleep(1)
    assert asked.listed()["being_made"]
    assert rows(service, asked) == []
    assert asked.client.http.get("/healthz").status_code == 200
    kept = service.folder / "blobs"
    assert not [path for path in kept.rglob("*") if path.is_file() and path.name != "lock"]
    assert not [*(kept / "tmp").iterdir()]
    assert worker.poll() is None

    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    asked.packed()
    assert_made_once(service, asked)


def test_a_request_that_cannot_be_packed_keeps_nobody_waiting(service: Service) -> None:
    poisoned = ask(service)
    good = "SELECT attributes FROM ler.package_feature WHERE request_id = %s LIMIT 1"
    with service.world.database.connect() as connection:
        assert connection.execute(good, [poisoned.id]).fetchone()
        connection.execute(
            "UPDATE ler.package_feature SET feature_type = 'Nothing' WHERE request_id = %s", [poisoned.id]
        )
    service.work()
    for _ in range(3):
        ask(service).packed()
    assert poisoned.listed()["being_made"]
    execute(
        service,
        "UPDATE ler.package_feature SET feature_type = 'Vandledning' WHERE request_id = %s",
        poisoned.id,
    )
    poisoned.packed()
    assert_made_once(service, poisoned)


def test_a_worker_killed_while_mending_leaves_it_to_the_next(service: Service) -> None:
    worker = service.work(fault="package.mending")
    asked = ask(service)
    package = asked.packed()
    content = asked.download(package).content
    store(service).path(package["sha256"]).unlink()
    assert asked.download(package).status_code == 503
    assert worker.wait(timeout=30) == EXIT
    service.work()
    eventually(lambda: asked.download(package).status_code == 200)
    assert asked.download(package).content == content
