"""Runs processes: at once for a call that waits, and as jobs in a worker.

A call that waits leaves its job, with what came of it, in the transaction of its effect: either all of it is there or
nothing. A worker holds a job by a lock of its own database session, which ends with the process however that dies; who
gets the lock of a job that runs knows that nobody is at it any more, and lets it wait again. What a process changes, it
changes in the transaction that ends its job. So a job may be begun twice, and never has its effect twice.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from geoapi.auth import acting
from geoapi.ogc.processes.call import pointing_into_inputs
from geoapi.ogc.processes.documents import inputs_of, kept_document
from geoapi.ogc.processes.process import Process, Results, Task
from geoapi.ogc.processes.registry import PROCESSES, is_visible
from geoapi.platform import Platform
from geoapi.problems import Language, Problem, ProblemError, ProblemException, problem_of, problem_types
from geoapi.work import MOST_ATTEMPTS, StoppingError
from ler.db.engine import transaction
from ler.domain.faults import FaultsError
from ler.domain.jobs import JobStatus
from ler.errors import LerError, RefusedError
from ler.faults import point
from ler.jobs import queue_job
from ler.services.jobs import (
    DismissedError,
    Job,
    NewJob,
    begin_job,
    enter_done,
    fail_job,
    finish_job,
    get_job,
    hand_back,
    tell_of_job,
)
from ler.services.principals import Principal, find_principal_now

_LOG: Final = logging.getLogger("ler.worker")
_HOLD: Final = text("SELECT pg_try_advisory_lock(hashtextextended(:job, 11))")
_LET_GO: Final = text("SELECT pg_advisory_unlock(hashtextextended(:job, 11))")
_AT_WORK: Final = text("SELECT * FROM ler.jobs_at_work(:most)")
_FORGET: Final = text("SELECT ler.forget_jobs()")
_MOST_SWEPT: Final = 1000
_TRY_AGAIN_S: Final = 5.0
_TELL_EVERY_S: Final = 0.5


def run_at_once(
    platform: Platform, caller: Principal, process: Process, inputs: dict[str, Any], new: NewJob
) -> Job:
    """Run a process for a call that waits for it, and return its job. What the process refuses goes through."""
    language: Language = "da" if new.language == "da" else "en"
    task = Task(platform, caller, inputs, language, lambda _percent, _message: None)
    started = monotonic()
    try:
        results = process.work(task) if process.work else None
        with acting(platform, caller) as connection:
            if process.enter:
                results = process.enter(task, connection)
            document = kept_document(platform.store, results)
            job = enter_done(connection, caller, new, document, timedelta(seconds=monotonic() - started))
            point("job.before-commit")
    except (FaultsError, ProblemException) as error:
        raise pointing_into_inputs(error) from None
    point("job.after-commit")
    return job


def stored_problem(problem: Problem) -> dict[str, Any]:
    """Return a problem as a job keeps it."""
    errors = [[one.code, one.detail, one.pointer] for one in problem.errors]
    return {"slug": problem.slug, "detail": problem.detail, "errors": errors}


def problem_from(stored: dict[str, Any]) -> Problem:
    """Return the problem that a job has kept."""
    return Problem(stored["slug"], stored["detail"], tuple(ProblemError(*one) for one in stored["errors"]))


@dataclass(frozen=True, slots=True)
class JobWork:
    """What a worker does with jobs; `stopping` says whether it is to hand back what it has begun."""

    platform: Platform
    stopping: Callable[[], bool]

    def run(self, job_id: UUID, organisation_id: UUID) -> None:
        """Run a job that waits; nothing when it does not wait or another is at it."""
        with self._held(job_id) as held:
            if not held:
                return
            with transaction(self.platform.databases.app, organisation_id) as connection:
                job = begin_job(connection, job_id)
            if job is None:
                return
            point("job.claimed")
            try:
                self._perform(job)
            except DismissedError:
                _LOG.info("job %s is no longer wanted", job_id)
            except Exception as error:  # noqa: BLE001 - whatever it is, the job must leave this status
                self._settle(job, error)
            point("job.after-commit")

    def sweep(self) -> int:
        """Call for jobs that wait, take back those whose worker died, and forget old ones; return how many are open."""
        with transaction(self.platform.databases.worker, None) as connection:
            connection.execute(_FORGET)
            rows = connection.execute(_AT_WORK, {"most": _MOST_SWEPT}).all()
        for row in rows:
            try:
                self._look_after(row.id, row.organisation_id, JobStatus(row.status))
            except (LerError, DBAPIError):
                # It moved by itself since, or the database is busy: the next sweep sees it as it is then.
                _LOG.info("the sweep left job %s for later", row.id, exc_info=True)
        return len(rows)

    def _perform(self, job: Job) -> None:
        process = PROCESSES.get(job.process)
        if process is None:
            raise RefusedError("no-such-process", "the platform no longer offers this process")
        task = Task(
            self.platform,
            self._caller(job, process),
            inputs_of(self.platform.store, job),
            "da" if job.language == "da" else "en",
            _Telling(self, job),
        )
        try:
            self._finish(job, process, task, process.work(task) if process.work else None)
        except (FaultsError, ProblemException) as error:
            raise pointing_into_inputs(error) from None

    def _finish(self, job: Job, process: Process, task: Task, results: Results | None) -> None:
        point("job.worked")
        with task.acting() as connection:
            if process.enter:
                results = process.enter(task, connection)
            finish_job(connection, job.id, kept_document(self.platform.store, results))
            point("job.before-commit")

    def _caller(self, job: Job, process: Process) -> Principal:
        """Who called for the job, with the rights of this moment. RefusedError when they have ended."""
        then = Principal(
            job.organisation_id,
            job.token_id,
            frozenset(),
            account_id=job.account_id,
            provider_id=job.provider_id,
            acting_cvr=job.acting_cvr,
        )
        with transaction(self.platform.databases.app, None) as connection:
            now = find_principal_now(connection, then)
        if now is None or now.organisation_id != job.organisation_id or not is_visible(process, now):
            raise RefusedError("job-rights-ended", "the token or its rights have ended since")
        return now

    def _settle(self, job: Job, error: Exception) -> None:
        """Bring a job to where it goes after work that did not succeed: waiting again, or failed."""
        problem = problem_of(error)
        with transaction(self.platform.databases.app, job.organisation_id) as connection:
            if isinstance(error, StoppingError) or self.stopping():
                _LOG.info("job %s is handed back: the worker stops", job.id)
                self._wait_again(connection, job.id, forgiven=True)
            elif problem.slug in {"unavailable", "storage-full"}:
                _LOG.warning("job %s waits: %s", job.id, type(error).__name__)
                self._wait_again(connection, job.id, forgiven=True, delay_s=_TRY_AGAIN_S)
            elif problem.slug == "internal" and job.attempts < MOST_ATTEMPTS:
                _LOG.exception("job %s failed, attempt %s", job.id, job.attempts, exc_info=error)
                self._wait_again(connection, job.id, forgiven=False, delay_s=_TRY_AGAIN_S)
            else:
                self._fail(connection, job, problem)

    def _wait_again(self, connection: Any, job_id: UUID, *, forgiven: bool, delay_s: float = 0.0) -> None:  # noqa: ANN401 - of SQLAlchemy
        if hand_back(connection, job_id, forgiven=forgiven):
            queue_job(connection, job_id, delay_s=delay_s)

    def _fail(self, connection: Any, job: Job, problem: Problem) -> None:  # noqa: ANN401 - as above
        kind = problem_types().get(problem.slug) or problem_types()["refused"]
        fail_job(connection, job.id, stored_problem(problem), kind.titles[job.language])

    def _look_after(self, job_id: UUID, organisation_id: UUID, status: JobStatus) -> None:
        if status is JobStatus.ACCEPTED:
            with transaction(self.platform.databases.app, organisation_id) as connection:
                queue_job(connection, job_id)
            return
        with self._held(job_id) as held:
            if not held:
                return
            with transaction(self.platform.databases.app, organisation_id) as connection:
                # A job that kills its worker each time must not go round for ever.
                job = get_job(connection, job_id)
                if job.attempts >= MOST_ATTEMPTS:
                    self._fail(connection, job, Problem("internal"))
                else:
                    self._wait_again(connection, job_id, forgiven=False)

    @contextmanager
    def _held(self, job_id: UUID) -> Iterator[bool]:
        engine = self.platform.databases.app.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            held = bool(connection.execute(_HOLD, {"job": str(job_id)}).scalar_one())
            try:
                yield held
            finally:
                if held:
                    # A connection that is broken has given the lock up with its session.
                    with suppress(DBAPIError):
                        connection.execute(_LET_GO, {"job": str(job_id)})


class _Telling:
    """Tells of progress twice a second, and stops the work when the worker stops or the job is no longer wanted."""

    def __init__(self, work: JobWork, job: Job) -> None:
        self._work = work
        self._job = job
        self._told_at = 0.0

    def __call__(self, percent: int, message: str) -> None:
        """Take how far the work is."""
        if self._work.stopping():
            raise StoppingError
        now = monotonic()
        if now - self._told_at < _TELL_EVERY_S:
            return
        self._told_at = now
        with transaction(self._work.platform.databases.app, self._job.organisation_id) as connection:
            tell_of_job(connection, self._job.id, percent, message)
        point("job.told")
