"""Jobs of the OGC API in the database: entered, begun, told of, and brought to an end.

Every function takes a connection whose transaction acts for the job's organisation; another's job does not exist for it.
A status changes only by a conditional update: of two that change it, the second finds that it comes too late.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Update, func, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from ler.db.tables import ogc_job
from ler.domain.jobs import OPEN, JobStatus
from ler.errors import LerError, NotFoundError, RefusedError
from ler.services.principals import Principal


class DismissedError(LerError):
    """The job is no longer wanted, or another has brought it to its end."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document of JSON: in the row, or in the store by its digest."""

    content: Any = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Whom a caller wants told."""

    success_uri: str | None = None
    in_progress_uri: str | None = None
    failed_uri: str | None = None


@dataclass(frozen=True, slots=True)
class NewJob:
    """A run that is called for."""

    process: str
    language: str
    wanted: Mapping[str, Any]
    request_sha256: str
    """Digest of the call: by it a repeated call is known for the same."""
    inputs: Document | None = None
    """None where it has run already."""
    key: str | None = None
    callbacks: Callbacks = Callbacks()
    keep_days: int = 7


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its organisation may see it."""

    id: UUID
    organisation_id: UUID
    token_id: UUID
    account_id: UUID | None
    provider_id: UUID | None
    acting_cvr: str | None
    process: str
    language: str
    inputs: Any
    inputs_sha256: str | None
    wanted: dict[str, Any]
    status: JobStatus
    progress: int
    message: str | None
    attempts: int
    result: Any
    result_sha256: str | None
    problem: dict[str, Any] | None
    request_sha256: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime

    @property
    def ended(self) -> bool:
        """Whether it is at its end."""
        return self.status not in OPEN


_FIELDS: Final = tuple(one.name for one in fields(Job))
COLUMNS: Final = ", ".join(_FIELDS)
"""What a `Job` is made of, in this order, for statements elsewhere."""
_COLUMNS: Final = tuple(ogc_job.c[name] for name in _FIELDS)
_NO_INPUTS: Final = {"inputs": None, "inputs_sha256": None}
"""They are of no use to a job at its end."""


def job_of(row: Sequence[Any]) -> Job:
    """Return the job of a row of `COLUMNS`."""
    values = dict(zip(_FIELDS, row, strict=True))
    return Job(**values | {"status": JobStatus(values["status"])})


def enter_job(connection: Connection, caller: Principal, new: NewJob, *, most_open: int) -> Job:
    """Enter a job that waits for a worker.

    RefusedError `jobs-too-many` when so many of the organisation wait already, `idempotency-in-progress` when another
    call with the key is entered in this moment.
    """
    waiting = select(func.count()).where(
        ogc_job.c.organisation_id == caller.organisation_id, ogc_job.c.status.in_([*OPEN])
    )
    if (number := connection.execute(waiting).scalar_one()) >= most_open:
        raise RefusedError("jobs-too-many", f"{number} jobs wait or run already")
    return _entered(connection, caller, new, {"status": JobStatus.ACCEPTED})


def enter_done(
    connection: Connection, caller: Principal, new: NewJob, result: Document, elapsed: timedelta
) -> Job:
    """Enter a job that has run in the caller's transaction, or just before it. RefusedError as `enter_job`."""
    done = {
        "status": JobStatus.SUCCESSFUL,
        "progress": 100,
        "started_at": func.clock_timestamp() - elapsed,
        "result": result.content,
        "result_sha256": result.sha256,
    }
    return _entered(connection, caller, new, done)


def find_by_key(connection: Connection, organisation_id: UUID, new: NewJob) -> Job | None:
    """Return the job of an earlier call with the same key. RefusedError when that call was another."""
    if new.key is None:
        return None
    row = connection.execute(
        select(*_COLUMNS).where(
            ogc_job.c.organisation_id == organisation_id,
            ogc_job.c.process == new.process,
            ogc_job.c.key == new.key,
        )
    ).one_or_none()
    if row is None:
        return None
    found = job_of(row)
    if found.request_sha256 != new.request_sha256:
        raise RefusedError(
            "idempotency-key-reused", "this Idempotency-Key was used with another body; take a new one"
        )
    return found


def get_job(connection: Connection, job_id: UUID) -> Job:
    """Return a job; NotFoundError."""
    row = connection.execute(select(*_COLUMNS).where(ogc_job.c.id == job_id)).one_or_none()
    if row is None:
        raise NotFoundError
    return job_of(row)


def begin_job(connection: Connection, job_id: UUID) -> Job | None:
    """Begin with a job that waits; None when it does not."""
    begun = {
        "status": JobStatus.RUNNING,
        "attempts": ogc_job.c.attempts + 1,
        "started_at": func.now(),
        "progress": 0,
    }
    row = connection.execute(_of(job_id, JobStatus.ACCEPTED).values(begun).returning(*_COLUMNS)).one_or_none()
    return job_of(row) if row else None


def hand_back(connection: Connection, job_id: UUID, *, forgiven: bool) -> bool:
    """Let a job wait again, `forgiven`: as if it had not been begun; False when it does not run."""
    waiting = {
        "status": JobStatus.ACCEPTED,
        "progress": 0,
        "message": None,
        "attempts": ogc_job.c.attempts - int(forgiven),
    }
    return connection.execute(_of(job_id, JobStatus.RUNNING).values(waiting)).rowcount > 0


def tell_of_job(connection: Connection, job_id: UUID, progress: int, message: str | None) -> None:
    """Write down how far a job is, per cent. DismissedError when it does not run any more."""
    _must_run(connection, job_id, {"progress": progress, "message": message})


def finish_job(connection: Connection, job_id: UUID, result: Document) -> None:
    """Bring a job to its good end. DismissedError when it does not run any more."""
    done = {
        "status": JobStatus.SUCCESSFUL,
        "progress": 100,
        "message": None,
        "result": result.content,
        "result_sha256": result.sha256,
    }
    _must_run(connection, job_id, done | _NO_INPUTS)


def fail_job(connection: Connection, job_id: UUID, problem: Mapping[str, Any], message: str) -> None:
    """Bring a job to its bad end; nothing when it is at one already."""
    failed = {"status": JobStatus.FAILED, "message": message, "problem": problem}
    connection.execute(_of(job_id, *OPEN).values(failed | _NO_INPUTS))


def dismiss_job(connection: Connection, job_id: UUID) -> Job:
    """Take a job back, whether it waits, runs or has ended; what came of it is gone. NotFoundError."""
    nothing = dict.fromkeys(("message", "result", "result_sha256", "problem"))
    dismissed = {"status": JobStatus.DISMISSED, **nothing, **_NO_INPUTS}
    row = connection.execute(_of(job_id, *JobStatus).values(dismissed).returning(*_COLUMNS)).one_or_none()
    if row is None:
        raise NotFoundError
    return job_of(row)


def _of(job_id: UUID, *statuses: JobStatus) -> Update:
    """A change of a job that is in one of these."""
    return update(ogc_job).where(ogc_job.c.id == job_id, ogc_job.c.status.in_([*statuses]))


def _must_run(connection: Connection, job_id: UUID, values: dict[str, Any]) -> None:
    if connection.execute(_of(job_id, JobStatus.RUNNING).values(values)).rowcount == 0:
        raise DismissedError


def _entered(connection: Connection, caller: Principal, new: NewJob, more: dict[str, Any]) -> Job:
    inputs = new.inputs or Document()
    values = {
        "organisation_id": caller.organisation_id,
        "token_id": caller.token_id,
        "account_id": caller.account_id,
        "provider_id": caller.provider_id,
        "acting_cvr": caller.acting_cvr,
        "process": new.process,
        "language": new.language,
        "inputs": inputs.content,
        "inputs_sha256": inputs.sha256,
        "wanted": new.wanted,
        "key": new.key,
        "request_sha256": new.request_sha256,
        "expires_at": func.now() + timedelta(days=new.keep_days),
    }
    entering = ogc_job.insert().values(values | asdict(new.callbacks) | more).returning(*_COLUMNS)
    try:
        return job_of(connection.execute(entering).one())
    except IntegrityError as error:
        if new.key is None or "uq_ogc_job_key" not in str(error.orig):
            raise
        raise RefusedError(
            "idempotency-in-progress", "a call with this Idempotency-Key is being answered; ask again"
        ) from None
