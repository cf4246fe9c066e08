"""Digging windows: kept as proposed, and the way from there through invitations and answers to an agreement.

Who coordinates the place (the operator, its road authority) proposes, invites and withdraws; each organisation answers for
its own works; the worker ends what has run out. States move in SQL only (`ler/db/sql/windows.sql`), which tells all.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from geoalchemy2.shape import from_shape, to_shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from ler.db.engine import sqlstate
from ler.db.functions import record_event, refusals
from ler.db.tables import SRID, digging_window, planned_work, window_work
from ler.domain.windows import WindowAnswer, WindowState
from ler.errors import NotFoundError, RefusedError

_INVITE: Final = text("SELECT ler.invite_window(:window, :until)")
_ANSWER: Final = text("SELECT ler.answer_window(:window, :work, :accepts)")
_WITHDRAW: Final = text("SELECT ler.withdraw_windows(:works)")
_EXPIRE: Final = text("SELECT ler.expire_windows()")
_NOT_ALLOWED: Final = "42501"

_REFUSALS: Final[Mapping[str, str | tuple[str, str]]] = {
    "LE403": ("role-missing", "Only the operator and the road authority of the place coordinate windows."),
    "LE404": "There is no such window, or none of your works is in it.",
    "LE409": ("window-settled", "The window's state does not allow it, or the time to answer is over."),
    "LE422": ("period-invalid", "The time to answer has passed already."),
}


@dataclass(frozen=True, slots=True)
class NewMember:
    """A work as it is proposed to be done; both days count."""

    work_id: UUID
    organisation_id: UUID
    start_on: date
    end_on: date
    stands_on: date
    moved_days: int


@dataclass(frozen=True)
class NewWindow:
    """A window as it is proposed; its members in the order in which they dig."""

    pilot_work_id: UUID
    geometry: BaseGeometry
    """EPSG:25832."""
    start_on: date
    end_on: date
    days_saved: float
    surface_saved_m2: float
    openings_saved: int
    gain_dkk: int
    move_dkk: int
    gap: float
    reason_da: str
    reason_en: str
    members: Sequence[NewMember]


@dataclass(frozen=True, slots=True)
class StoredMember:
    """A work in a window that is kept."""

    member: NewMember
    title: str
    place: int
    answer: WindowAnswer


@dataclass(frozen=True)
class StoredWindow:
    """A window as it is kept. Moments are aware UTC."""

    id: UUID
    seq: int
    state: WindowState
    window: NewWindow
    members: Sequence[StoredMember]
    answer_by: datetime | None
    version: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where a work is in a window: what a planner needs of it."""

    window_id: UUID
    pilot_work_id: UUID
    work_id: UUID
    start_on: date
    state: WindowState
    answer: WindowAnswer


def store_windows(connection: Connection, acting: UUID, windows: Sequence[NewWindow]) -> list[UUID]:
    """Keep windows as proposed; return their ids in the order given. RefusedError `role-missing` for another's place."""
    ids = [_store(connection, one) for one in windows]
    if ids:
        details = {"windows": len(ids)}
        record_event(connection, "coordinator:window:propose", actor=acting, details=details)
    return ids


def _store(connection: Connection, one: NewWindow) -> UUID:
    values = {
        "pilot_work_id": one.pilot_work_id,
        "geom": from_shape(one.geometry, srid=SRID),
        "start_on": one.start_on,
        "end_on": one.end_on,
        "days_saved": one.days_saved,
        "surface_saved_m2": one.surface_saved_m2,
        "openings_saved": one.openings_saved,
        "gain_dkk": one.gain_dkk,
        "move_dkk": one.move_dkk,
        "gap": one.gap,
        "reason_da": one.reason_da,
        "reason_en": one.reason_en,
    }
    members = [
        {
            "work_id": member.work_id,
            "organisation_id": member.organisation_id,
            "place": place,
            "start_on": member.start_on,
            "end_on": member.end_on,
            "stands_on": member.stands_on,
            "moved_days": member.moved_days,
        }
        for place, member in enumerate(one.members, 1)
    ]
    try:
        made: UUID = connection.execute(
            digging_window.insert().values(values).returning(digging_window.c.id)
        ).scalar_one()
        connection.execute(window_work.insert(), [row | {"window_id": made} for row in members])
    except DBAPIError as error:
        if sqlstate(error) == _NOT_ALLOWED:
            raise RefusedError("role-missing", "You do not coordinate digging at that place.") from error
        raise
    return made


def withdraw_windows(connection: Connection, acting: UUID, work_ids: Collection[UUID]) -> int:
    """Take back windows with any of these works that are proposed and that the acting one coordinates; how many."""
    taken: int = connection.execute(_WITHDRAW, {"works": sorted(work_ids)}).scalar_one()
    if taken:
        record_event(connection, "coordinator:window:withdraw", actor=acting, details={"windows": taken})
    return taken


def invite_window(connection: Connection, acting: UUID, window_id: UUID, answer_by: datetime) -> None:
    """Invite the organisations of a proposed window; who has not answered by then, aware UTC, does not join."""
    with refusals(_REFUSALS):
        connection.execute(_INVITE, {"window": window_id, "until": answer_by})
    record_event(connection, "coordinator:window:invite", actor=acting, object_id=window_id)


def answer_window(
    connection: Connection,
    organisation_id: UUID,
    window_id: UUID,
    *,
    accepts: bool,
    work_id: UUID | None = None,
) -> WindowState:
    """Say yes or no for the acting organisation's works in a window, or one of them; return where it stands then."""
    with refusals(_REFUSALS):
        found = connection.execute(_ANSWER, {"window": window_id, "work": work_id, "accepts": accepts})
    state = WindowState(found.scalar_one())
    details: dict[str, object] = {"accepts": accepts, "state": state.value}
    record_event(
        connection, "owner:window:answer", actor=organisation_id, object_id=window_id, details=details
    )
    return state


def expire_windows(connection: Connection) -> int:
    """End the invitations whose time has run out; for the worker. How many there were."""
    ended: int = connection.execute(_EXPIRE).scalar_one()
    return ended


def get_window(connection: Connection, window_id: UUID) -> StoredWindow:
    """Return a window with its works; NotFoundError."""
    row = connection.execute(select(digging_window).where(digging_window.c.id == window_id)).mappings()
    found = _with_members(connection, row.all())
    if not found:
        raise NotFoundError("There is no such window.")
    return found[0]


def list_windows(
    connection: Connection,
    *,
    states: Collection[WindowState] | None = None,
    organisation_id: UUID | None = None,
    after: int = 0,
    limit: int | None = None,
) -> list[StoredWindow]:
    """Return windows in the order in which they were proposed: in these states, with works of an organisation."""
    columns = digging_window.c
    query = select(digging_window).where(columns.seq > after).order_by(columns.seq).limit(limit)
    if states is not None:
        query = query.where(columns.state.in_([state.value for state in states]))
    if organisation_id is not None:
        own = select(window_work.c.window_id).where(window_work.c.organisation_id == organisation_id)
        query = query.where(columns.id.in_(own))
    return _with_members(connection, connection.execute(query).mappings().all())


def list_places(connection: Connection, *, states: Collection[WindowState]) -> list[Place]:
    """Return where works are in the windows of some states, the earlier windows first."""
    windows, works = digging_window.c, window_work.c
    query = (
        select(
            works.window_id,
            windows.pilot_work_id,
            works.work_id,
            works.start_on,
            windows.state,
            works.answer,
        )
        .join(digging_window, windows.id == works.window_id)
        .where(windows.state.in_([state.value for state in states]))
        .order_by(windows.seq, works.place)
    )
    return [
        Place(*row[:4], WindowState(row.state), WindowAnswer(row.answer)) for row in connection.execute(query)
    ]


def _with_members(connection: Connection, rows: Sequence[Mapping[Any, Any]]) -> list[StoredWindow]:
    query = (
        select(window_work, planned_work.c.title)
        .outerjoin(planned_work, planned_work.c.id == window_work.c.work_id)
        .where(window_work.c.window_id.in_([row["id"] for row in rows]))
        .order_by(window_work.c.place)
    )
    members: dict[UUID, list[StoredMember]] = {}
    for row in connection.execute(query).mappings():
        members.setdefault(row["window_id"], []).append(_member(row))
    return [_stored(row, members.get(row["id"], [])) for row in rows]


def _member(row: Mapping[Any, Any]) -> StoredMember:
    member = NewMember(
        row["work_id"],
        row["organisation_id"],
        row["start_on"],
        row["end_on"],
        row["stands_on"],
        row["moved_days"],
    )
    # A work that has ended since is shown to its own organisation only.
    return StoredMember(
        member, row["title"] or str(row["work_id"]), row["place"], WindowAnswer(row["answer"])
    )


def _stored(row: Mapping[Any, Any], members: Sequence[StoredMember]) -> StoredWindow:
    window = NewWindow(
        pilot_work_id=row["pilot_work_id"],
        geometry=to_shape(row["geom"]),
        start_on=row["start_on"],
        end_on=row["end_on"],
        days_saved=row["days_saved"],
        surface_saved_m2=row["surface_saved_m2"],
        openings_saved=row["openings_saved"],
        gain_dkk=row["gain_dkk"],
        move_dkk=row["move_dkk"],
        gap=row["gap"],
        reason_da=row["reason_da"],
        reason_en=row["reason_en"],
        members=[one.member for one in members],
    )
    return StoredWindow(
        id=row["id"],
        seq=row["seq"],
        state=WindowState(row["state"]),
        window=window,
        members=members,
        answer_by=row["answer_by"],
        version=row["version"],
        changed_at=row["changed_at"],
    )
