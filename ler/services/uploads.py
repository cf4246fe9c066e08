"""Uploads in the database: made, moved from state to state, told of. What lies on disk is `ler.upload_files`.

Every function takes a connection whose transaction acts for the owner; another owner's upload does not exist for it.
A state changes only by a conditional update, and each change appends an event in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection, Row

from ler.db.functions import record_event
from ler.db.tables import upload, upload_event
from ler.domain.uploads import ENDED, WAITING, Actor, Event, Patience, State, expires_at, target, transition
from ler.errors import NotFoundError, RefusedError
from ler.jobs import queue_upload


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What an owner announces before it sends the file."""

    file_name: str
    size_bytes: int
    sha256: str | None = None
    mode: str = "full"
    deletes: Sequence[str] = ()
    """gml:ids that a delta takes away."""
    crs: str | None = None
    mapping: str | None = None
    auto_approve: bool = False
    confirm_empty: bool = False


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload as its owner may see it."""

    id: UUID
    owner_id: UUID
    state: State
    revision: int
    file_name: str
    size_bytes: int
    received_bytes: int
    sha256: str | None
    mode: str
    deletes: tuple[str, ...]
    crs: str | None
    mapping: str | None
    auto_approve: bool
    confirm_empty: bool
    version_id: UUID | None
    version_number: int | None
    feature_count: int | None
    comparison: dict[str, Any] | None
    reasons: tuple[str, ...]
    problem: dict[str, Any] | None
    attempts: int
    created_at: datetime
    changed_at: datetime
    expires_at: datetime | None
    overdue: bool
    """Whether its time is up, by the database's clock, though nobody has ended it yet."""

    @property
    def ended(self) -> bool:
        """Whether nothing leaves its state."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class UploadEvent:
    """One thing that happened to an upload; numbers grow by one, from 1."""

    number: int
    at: datetime
    kind: str
    data: dict[str, Any]


MOST_OPEN: Final = 50
"""Uploads of one owner that may wait for parts or a decision at a time: each may hold a large file."""

_OPEN: Final = (State.RECEIVING, State.NEEDS_APPROVAL)
_COLUMNS: Final = [
    upload.c[field.name] for field in fields(Upload) if field.name != "overdue"
] + [func.coalesce(upload.c.expires_at <= func.now(), False).label("overdue")]  # fmt: skip


def create_upload(connection: Connection, owner_id: UUID, wanted: NewUpload, patience: Patience) -> Upload:
    """Announce a file; the upload awaits its parts. RefusedError `uploads-too-many` when too many are open."""
    still_open = select(func.count()).where(upload.c.state.in_([*_OPEN]))
    if connection.execute(still_open).scalar_one() >= MOST_OPEN:
        raise RefusedError("uploads-too-many", f"{MOST_OPEN} uploads are open; end some of them first")
    values = {name: getattr(wanted, name) for name in NewUpload.__slots__}
    values["deletes"] = list(wanted.deletes)
    values |= {"owner_id": owner_id, "expires_at": expires_at(State.RECEIVING, _now(connection), patience)}
    made = connection.execute(upload.insert().values(values).returning(upload.c.id)).scalar_one()
    _append(connection, UUID(str(made)), owner_id, "state", {"state": str(State.RECEIVING)})
    record_event(connection, "owner:upload:add", actor=owner_id, object_id=made)
    return get_upload(connection, made)


def find_upload(connection: Connection, upload_id: UUID) -> Upload | None:
    """Return an upload of the acting owner; None for any other."""
    row = connection.execute(select(*_COLUMNS).where(upload.c.id == upload_id)).one_or_none()
    return _upload(row) if row else None


def get_upload(connection: Connection, upload_id: UUID) -> Upload:
    """Return an upload of the acting owner; NotFoundError for any other."""
    found = find_upload(connection, upload_id)
    if found is None:
        raise NotFoundError("There is no such upload, or it is not yours.")
    return found


def list_uploads(
    connection: Connection, *, limit: int, before: tuple[datetime, UUID] | None = None
) -> list[Upload]:
    """Return the acting owner's uploads, the newest first, from `before` (a time and an id) on."""
    columns = upload.c
    query = select(*_COLUMNS).order_by(columns.created_at.desc(), columns.id.desc()).limit(limit)
    if before is not None:
        query = query.where(func.row(columns.created_at, columns.id) < func.row(*before))
    return [_upload(row) for row in connection.execute(query)]


def record_received(connection: Connection, upload_id: UUID, received_bytes: int) -> None:
    """Write down how much of the file lies safely on disk; RefusedError when no parts are awaited any more."""
    changed = connection.execute(
        update(upload)
        .where(upload.c.id == upload_id, upload.c.state == State.RECEIVING)
        .values(received_bytes=received_bytes)
    )
    if changed.rowcount == 0:
        raise _not_there(connection, upload_id, Event.COMPLETE, Actor.OWNER)


def complete_upload(connection: Connection, upload_id: UUID, sha256: str, patience: Patience) -> Upload:
    """The file is whole, with this digest: a worker is called."""
    return move(
        connection, upload_id, Event.COMPLETE, Actor.OWNER, patience=patience, values={"sha256": sha256}
    )


def approve_upload(connection: Connection, upload_id: UUID, revision: int, patience: Patience) -> Upload:
    """The owner wants it published. RefusedError `precondition-failed` when it is not at that revision any more."""
    moved = move(
        connection, upload_id, Event.APPROVE, Actor.OWNER, patience=patience, revision=revision
    )  # fmt: skip
    record_event(connection, "owner:upload:approve", actor=moved.owner_id, object_id=upload_id)
    return moved


def move(
    connection: Connection,
    upload_id: UUID,
    event: Event,
    actor: Actor,
    *,
    patience: Patience,
    values: Mapping[str, Any] | None = None,
    revision: int | None = None,
    delay_s: float = 0.0,
) -> Upload:
    """Move an upload and call the worker that the new state waits for, after `delay_s`.

    NotFoundError; RefusedError `upload-state` when it is not where the event starts from, `precondition-failed` when
    `revision` is given and not the upload's.
    """
    step = transition(event)
    columns = upload.c
    query = update(upload).where(columns.id == upload_id, columns.state.in_(step.sources))
    if revision is not None:
        query = query.where(columns.revision == revision)
    changed = {
        "state": step.target,
        "revision": columns.revision + 1,
        "changed_at": func.now(),
        "expires_at": expires_at(step.target, _now(connection), patience),
    }
    moved = connection.execute(query.values(changed | dict(values or {})).returning(columns.owner_id))
    owner_id = moved.scalar_one_or_none()
    if owner_id is None:
        raise _not_there(connection, upload_id, event, actor, revision)
    data: dict[str, Any] = {"state": str(step.target)}
    problem = (values or {}).get("problem")
    if problem:
        data["problem"] = problem
    _append(connection, upload_id, owner_id, "state", data)
    if step.target in WAITING:
        queue_upload(connection, upload_id, WAITING[step.target], delay_s=delay_s)
    return get_upload(connection, upload_id)


def record_progress(connection: Connection, upload_id: UUID, owner_id: UUID, data: Mapping[str, Any]) -> None:
    """Append how far the work on an upload has come."""
    _append(connection, upload_id, owner_id, "progress", data)


def list_events(
    connection: Connection, upload_id: UUID, *, after: int = 0, limit: int = 1000
) -> list[UploadEvent]:
    """Return what happened to an upload after the event of that number, in order."""
    columns = upload_event.c
    query = (
        select(columns.number, columns.at, columns.kind, columns.data)
        .where(columns.upload_id == upload_id, columns.number > after)
        .order_by(columns.number)
        .limit(limit)
    )
    return [UploadEvent(*row) for row in connection.execute(query)]


def get_report(connection: Connection, upload_id: UUID) -> dict[str, Any] | None:
    """Return what was found in the file as it was kept; None before the check has ended."""
    row = connection.execute(select(upload.c.report).where(upload.c.id == upload_id)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such upload, or it is not yours.")
    report: dict[str, Any] | None = row.report
    return report


def _append(
    connection: Connection, upload_id: UUID, owner_id: UUID, kind: str, data: Mapping[str, Any]
) -> None:
    columns = upload.c
    number = connection.execute(
        update(upload)
        .where(columns.id == upload_id)
        .values(last_event=columns.last_event + 1)
        .returning(columns.last_event)
    ).scalar_one()
    values = {"upload_id": upload_id, "owner_id": owner_id, "number": number, "kind": kind}
    connection.execute(upload_event.insert().values(values | {"data": dict(data)}))


def _not_there(
    connection: Connection, upload_id: UUID, event: Event, actor: Actor, revision: int | None = None
) -> Exception:
    """Why an upload could not be moved."""
    found = get_upload(connection, upload_id)
    if revision is not None and found.revision != revision:
        return RefusedError(
            "precondition-failed", "the upload has changed since you read it; read it again and decide anew"
        )
    try:
        target(found.state, event, actor)
    except RefusedError as refused:
        return refused
    return RefusedError("upload-busy", "the upload was being changed by another call; try again")


def _now(connection: Connection) -> datetime:
    now: datetime = connection.execute(select(func.now())).scalar_one()
    return now


def _upload(row: Row[Any]) -> Upload:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented way to a row's names
    values["state"] = State(values["state"])
    values["deletes"] = tuple(values["deletes"])
    values["reasons"] = tuple(values["reasons"])
    return Upload(**values)


def forget_version(connection: Connection, upload_id: UUID) -> None:
    """What the upload staged is gone; there is nothing left to take away."""
    connection.execute(update(upload).where(upload.c.id == upload_id).values(version_id=None))
