"""Jobs in the database: each organisation sees and moves its own, whom they concern is told once, and old ones go."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import ProgrammingError

from ler.db import tables
from ler.domain.jobs import JobStatus
from ler.errors import NotFoundError, RefusedError
from ler.jobs import queue_job
from ler.services.jobs import (
    Callbacks,
    DismissedError,
    Document,
    Job,
    NewJob,
    begin_job,
    dismiss_job,
    enter_done,
    enter_job,
    find_by_key,
    finish_job,
    get_job,
    hand_back,
    tell_of_job,
)
from ler.services.principals import Principal
from tests.integration.test_db_world import World, world

__all__ = ["world"]

SHA = "0" * 64
CLAIM = text("SELECT id, call_due, updated_at FROM ler.claim_job_calls(10, interval '1 minute')")
RECORD = text("SELECT ler.record_job_call(:job, :at, :done, :pause)")
FORGET = text("SELECT ler.forget_jobs()")


@dataclass
class Scene:
    """Two organisations, each with a job that waits in ogc_job."""

    world: World
    callers: list[Principal]
    jobs: list[Job]


def new_job(**more: object) -> NewJob:
    values: dict[str, object] = {
        "process": "echo",
        "language": "da",
        "wanted": {"outputs": {}, "response": None},
        "request_sha256": SHA,
        "inputs": Document({"message": "hej"}),
    }
    return NewJob(**values | more)  # type: ignore[arg-type] # as the test gives them


def entered(world: World, caller: Principal, **more: object) -> Job:
    with world.acting(caller.organisation_id) as connection:
        return enter_job(connection, caller, new_job(**more), most_open=5)


@pytest.fixture
def scene(world: World) -> Scene:
    callers = [Principal(world.organisation(f"digger {n}"), uuid4(), frozenset()) for n in (0, 1)]
    return Scene(world, callers, [entered(world, caller) for caller in callers])


@pytest.mark.parametrize("role", ["ler_app", "ler_readonly"])
def test_each_sees_its_own_jobs_only(scene: Scene, role: str) -> None:
    for caller, job in zip(scene.callers, scene.jobs, strict=True):
        with scene.world.acting(caller.organisation_id, role=role) as connection:
            assert connection.execute(select(tables.ogc_job.c.id)).scalars().all() == [job.id]
    with scene.world.acting(None, role=role) as connection:
        assert connection.execute(select(tables.ogc_job.c.id)).scalars().all() == []


def test_nobody_enters_moves_or_calls_for_the_jobs_of_others(scene: Scene) -> None:
    mine, others = scene.callers[0].organisation_id, scene.jobs[1].id
    with scene.world.acting(mine) as connection:
        assert begin_job(connection, others) is None
        for change in (get_job, dismiss_job, queue_job):
            with pytest.raises(NotFoundError), connection.begin_nested():
                change(connection, others)
        with pytest.raises(ProgrammingError, match="row-level security"), connection.begin_nested():
            enter_job(connection, scene.callers[1], new_job(), most_open=5)
        with pytest.raises(ProgrammingError, match="permission denied"), connection.begin_nested():
            connection.execute(update(tables.ogc_job).values(organisation_id=mine))
        with pytest.raises(ProgrammingError, match="permission denied"), connection.begin_nested():
            connection.execute(FORGET)
    with scene.world.acting(None, role="ler_worker") as connection:
        with pytest.raises(ProgrammingError, match="permission denied"), connection.begin_nested():
            connection.execute(select(tables.ogc_job.c.id))
        rows = connection.execute(text("SELECT id, organisation_id FROM ler.jobs_at_work(10)")).all()
    assert {row.id: row.organisation_id for row in rows} == {
        job.id: job.organisation_id for job in scene.jobs
    }


def test_a_status_changes_once(scene: Scene) -> None:
    job = scene.jobs[0].id
    with scene.world.acting(scene.callers[0].organisation_id) as connection:
        assert begin_job(connection, job)
        assert begin_job(connection, job) is None
        assert hand_back(connection, job, forgiven=True)
        begun = begin_job(connection, job)
        assert begun is not None
        assert begun.attempts == 1
        tell_of_job(connection, job, 40, "halvvejs")
        assert dismiss_job(connection, job).status is JobStatus.DISMISSED
        with pytest.raises(DismissedError):
            tell_of_job(connection, job, 50, "videre")
        with pytest.raises(DismissedError):
            finish_job(connection, job, Document({"message": "hej"}))
        found = get_job(connection, job)
        assert (found.result, found.inputs, found.ended) == (None, None, True)


def test_a_key_finds_the_job_of_the_first_call(scene: Scene) -> None:
    caller = scene.callers[0]
    first = entered(scene.world, caller, key="k")
    with scene.world.acting(caller.organisation_id) as connection:
        assert find_by_key(connection, caller.organisation_id, new_job(key="k")) == first
        assert find_by_key(connection, caller.organisation_id, new_job(key="other")) is None
        with pytest.raises(RefusedError, match="another body"):
            find_by_key(connection, caller.organisation_id, new_job(key="k", request_sha256="1" * 64))
        with pytest.raises(RefusedError, match="is being answered"), connection.begin_nested():
            enter_done(connection, caller, new_job(key="k"), Document({}), timedelta())
    entered(scene.world, scene.callers[1], key="k")  # another's key is another key


def test_only_so_many_jobs_wait(scene: Scene) -> None:
    with scene.world.acting(scene.callers[0].organisation_id) as connection:
        with pytest.raises(RefusedError, match="1 jobs wait"):
            enter_job(connection, scene.callers[0], new_job(), most_open=1)
        dismiss_job(connection, scene.jobs[0].id)
        enter_job(connection, scene.callers[0], new_job(), most_open=1)


def called(scene: Scene) -> list[tuple[UUID, str]]:
    with scene.world.acting(None, role="ler_worker") as connection:
        return [(row.id, row.call_due) for row in connection.execute(CLAIM).all()]


def test_who_wants_to_be_told_is_told_of_the_newest(scene: Scene) -> None:
    caller = scene.callers[0]
    told = Callbacks("https://a/s", "https://a/p", "https://a/f")
    job = entered(scene.world, caller, callbacks=told)
    assert called(scene) == []
    with scene.world.acting(caller.organisation_id) as connection:
        begin_job(connection, job.id)
    with scene.world.acting(None, role="ler_worker") as connection:
        running = connection.execute(CLAIM).one()
    assert (running.id, running.call_due) == (job.id, "running")
    assert called(scene) == []  # another has it
    with scene.world.acting(caller.organisation_id) as connection:
        finish_job(connection, job.id, Document({"message": "hej"}))
    with scene.world.acting(None, role="ler_worker") as connection:
        # That it runs was told too late to hide that it has ended.
        values = {"job": job.id, "at": running.updated_at, "done": True, "pause": None}
        connection.execute(RECORD, values)
        ended = connection.execute(CLAIM).one()
        assert (ended.id, ended.call_due) == (job.id, "ended")
        connection.execute(RECORD, values | {"at": ended.updated_at, "done": False, "pause": timedelta()})
        assert connection.execute(CLAIM).one().call_due == "ended"
        connection.execute(RECORD, values | {"at": ended.updated_at})
        assert connection.execute(CLAIM).all() == []


def test_old_jobs_go_and_the_blobs_of_the_others_are_known(scene: Scene) -> None:
    done = []
    for keep_days in (1, 2):
        with scene.world.acting(scene.callers[0].organisation_id) as connection:
            new, result = new_job(inputs=None, keep_days=keep_days), Document(sha256=str(keep_days) * 64)
            done.append(enter_done(connection, scene.callers[0], new, result, timedelta(seconds=1)).id)
    with scene.world.database.connect() as connection:
        connection.execute("UPDATE ler.ogc_job SET expires_at = expires_at - interval '1 day'")
    with scene.world.acting(None, role="ler_worker") as worker:
        assert worker.execute(FORGET).scalar_one() == 1
        assert worker.execute(text("SELECT sha256 FROM ler.known_blobs()")).scalars().all() == ["2" * 64]
    with scene.world.acting(scene.callers[0].organisation_id) as mine:
        assert mine.execute(select(func.count()).select_from(tables.ogc_job)).scalar_one() == 2
