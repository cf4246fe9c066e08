"""Requests as their requesters see them: one, a page of them, and whom each asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from geoalchemy2.shape import to_shape
from shapely import Polygon
from sqlalchemy import func, select, text, tuple_
from sqlalchemy.engine import Connection

from ler.db.tables import excavation_request
from ler.domain.dig_warnings import Standing
from ler.domain.legal_time import instant
from ler.domain.request_rules import Contact, DigKind, Work
from ler.domain.states import OWES_ANSWER, OwnerState, RequestState
from ler.errors import NotFoundError

_ASKED: Final = text("SELECT * FROM ler.list_asked_owners(:requests)")


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request as it is kept. Moments are aware UTC."""

    id: UUID
    order_number: int
    requester_id: UUID
    area: Polygon
    """EPSG:25832."""
    area_m2: float
    clip_buffer_m: float
    period_from: date
    period_to: date
    purpose: str
    description: str | None
    kind: DigKind
    already_started: bool
    order_reference: str | None
    utility_types: tuple[str, ...] | None
    contact: Contact | None
    work: Work
    state: RequestState
    price: Decimal | None
    currency: str
    created_at: datetime
    matched_at: datetime | None
    revision: int
    renews_id: UUID | None
    order_id: UUID | None
    address_ids: tuple[UUID, ...]
    owners_named: list[dict[str, Any]] | None
    """Of a request for orientation: owners as they were registered then."""


@dataclass(frozen=True, slots=True)
class AskedArea:
    """One owner and one of its interest areas that a request asked, and how far it is. Moments are aware UTC."""

    request_id: UUID
    owner_id: UUID
    cvr: str | None
    name: str
    email: str | None
    phone: str | None
    interest_area_id: UUID
    registration_number: int
    utility_types: tuple[str, ...]
    state: OwnerState
    received_at: datetime
    due_at: datetime | None
    dispensed: bool
    """Whether the owner has a dispensation, and so the longer deadline."""
    acknowledged_at: datetime | None
    answered_at: datetime | None
    late: bool
    answer_type: str | None
    """Of the answer that holds; None where none does."""
    valid_until: date | None
    further_information: str | None
    expected_time: datetime | None
    appointment: dict[str, Any] | None
    contacts: list[dict[str, Any]]
    """Whom to turn to there about such a request and such lines: name, email, phone; the nearest first."""

    @property
    def missing(self) -> bool:
        """Whether the owner owes an answer."""
        return self.state in OWES_ANSWER

    @property
    def standing(self) -> Standing:
        """What warnings are made of."""
        first = self.contacts[0] if self.contacts else {}
        call = first.get("phone") or first.get("email") or self.phone or self.email
        return Standing(
            f"{self.name} ({call})" if call else self.name,
            self.state,
            self.due_at,
            self.late,
            self.answer_type,
            self.valid_until,
        )


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Which requests are listed; None leaves it open."""

    state: RequestState | None = None
    kind: DigKind | None = None
    order_id: UUID | None = None
    made_from: date | None = None
    """Legal local date of the first that is listed."""
    made_to: date | None = None
    """Legal local date of the last that is listed."""


def find_requests(
    connection: Connection,
    wanted: RequestFilter,
    *,
    limit: int,
    before: tuple[datetime, UUID] | None = None,
) -> list[StoredRequest]:
    """Return requests of the acting requester, the newest first; `before` is the last one of the page before."""
    columns = excavation_request.c
    query = _QUERY.order_by(columns.created_at.desc(), columns.id.desc()).limit(limit)
    if wanted.state is not None:
        query = query.where(columns.state == wanted.state.value)
    if wanted.kind is not None:
        query = query.where(columns.kind == wanted.kind.value)
    if wanted.order_id is not None:
        query = query.where(columns.order_id == wanted.order_id)
    if wanted.made_from is not None:
        query = query.where(columns.created_at >= instant(wanted.made_from, time(0)))
    if wanted.made_to is not None:
        query = query.where(columns.created_at < instant(wanted.made_to + timedelta(days=1), time(0)))
    if before is not None:
        query = query.where(tuple_(columns.created_at, columns.id) < before)
    return [_stored(row) for row in connection.execute(query).mappings()]


def get_stored(connection: Connection, request_id: UUID) -> StoredRequest:
    """Return a request of the acting requester; NotFoundError for any other."""
    row = connection.execute(_QUERY.where(excavation_request.c.id == request_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("There is no such request.")
    return _stored(row)


def list_order(connection: Connection, order_id: UUID) -> list[StoredRequest]:
    """Return the requests that were ordered together, in the order in which they stood; NotFoundError for none."""
    columns = excavation_request.c
    rows = connection.execute(_QUERY.where(columns.order_id == order_id).order_by(columns.order_number))
    found = [_stored(row) for row in rows.mappings()]
    if not found:
        raise NotFoundError("There is no such order.")
    return found


def list_asked_areas(connection: Connection, request_ids: Sequence[UUID]) -> dict[UUID, list[AskedArea]]:
    """Return whom requests of the acting requester asked, by request: by CVR number, name and registration number."""
    found: dict[UUID, list[AskedArea]] = {request_id: [] for request_id in request_ids}
    for row in connection.execute(_ASKED, {"requests": [*request_ids]}).mappings():
        values = {**row, "state": OwnerState(row["state"]), "utility_types": tuple(row["utility_types"])}
        found[row["request_id"]].append(AskedArea(**values))
    return found


_PLAIN: Final = (
    *("id", "order_number", "requester_id", "clip_buffer_m", "period_from", "period_to", "purpose"),
    *("description", "already_started", "order_reference", "price", "currency", "created_at", "matched_at"),
    *("revision", "renews_id", "order_id", "owners_named"),
)
"""Columns that are kept as they are read."""
_OTHERS: Final = (
    *("area", "kind", "utility_types", "contact_person", "contact_address", "contact_email", "contact_phone"),
    *("work_kind", "work_kind_other", "work_method", "depth_m", "state", "address_ids"),
)
_QUERY: Final = select(
    *(excavation_request.c[name] for name in (*_PLAIN, *_OTHERS)),
    func.ST_Area(excavation_request.c.area).label("area_m2"),
)


def _stored(row: Any) -> StoredRequest:  # noqa: ANN401 - a mapping of a row
    area = to_shape(row["area"])
    if not isinstance(area, Polygon):
        raise TypeError("the database holds an area that is no polygon")
    types = row["utility_types"]
    return StoredRequest(
        **{name: row[name] for name in _PLAIN},
        area=area,
        area_m2=row["area_m2"],
        kind=DigKind(row["kind"]),
        utility_types=None if types is None else tuple(types),
        contact=_contact(row),
        work=Work(row["work_kind"], row["work_kind_other"], row["work_method"], row["depth_m"]),
        state=RequestState(row["state"]),
        address_ids=tuple(row["address_ids"]),
    )


def _contact(row: Any) -> Contact | None:  # noqa: ANN401 - as above
    if row["contact_email"] is None:
        return None
    return Contact(
        row["contact_email"],
        row["contact_person"] or "",
        row["contact_address"] or "",
        row["contact_phone"] or "",
    )
