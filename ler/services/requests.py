"""Excavation requests: making one, and reading back what was asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from geoalchemy2.shape import from_shape, to_shape
from shapely import Polygon
from sqlalchemy import func, select, text
from sqlalchemy.engine import Connection

from ler.db.functions import record_event, refusals
from ler.db.tables import SRID, excavation_request, owner_request
from ler.domain.faults import Fault, FaultsError, refuse_faults
from ler.domain.legal_time import legal_day
from ler.domain.request_rules import Contact, DigKind, RequestForm, RequestLimits, Work, request_faults
from ler.domain.states import OwnerState, RequestState
from ler.errors import NotFoundError, RefusedError
from ler.model import load_model
from ler.packages.content import RequestInfo
from ler.services.charges import Order, quote

DEFAULT_LIMITS: Final = RequestLimits()

_ONE_AT_A_TIME: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:requester, 3))")
_CANCEL: Final = text("SELECT ler.cancel_request(:request)")
_EXTEND: Final = text("SELECT ler.extend_request(:request, :last_day, :seen)")
_NAME_OWNERS: Final = text("SELECT ler.name_owners(:request)")


@dataclass(frozen=True, slots=True)
class NewRequest:
    """What a requester asks for. The area is in EPSG:25832 and has passed `ler.domain.dig_area`."""

    area: Polygon
    period_from: date
    period_to: date
    """Last day of the dig; not before the first."""
    purpose: str
    description: str | None = None
    clip_buffer_m: float = 0.0
    unknown_accuracy_m: float | None = None
    """What a position may be off that nobody bounds: lines whose band reaches into the area are delivered too. None: they
    are not."""
    kind: DigKind = DigKind.DIG
    already_started: bool = False
    """An emergency that could not wait for the answers."""
    utility_types: Sequence[str] | None = None
    """Whose lines are asked for; None: of all kinds."""
    order_reference: str | None = None
    """The requester's own number."""
    contact: Contact | None = None
    """None: the contact with which the requester is registered."""
    work: Work = field(default_factory=Work)
    declared: bool = False
    """See `RequestForm.declared`."""
    address_ids: Sequence[UUID] = ()
    """See `RequestForm.address_ids`."""
    no_order_reference: bool | None = None
    """None: as `order_reference` says."""
    renews_id: UUID | None = None
    """The requester's own request that it renews or is a copy of."""
    order_id: UUID | None = None
    """The same for all that are ordered together."""

    @property
    def order(self) -> Order:
        """What its price depends on."""
        return Order(self.area, self.kind, self.renews_id)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a request is, and what it cost."""

    state: RequestState
    price: Decimal | None
    """As charged, without VAT; None when it was entered before prices were kept."""
    currency: str
    matched_at: datetime | None


@dataclass(frozen=True, slots=True)
class OwnerProgress:
    """How far one owner is with a request, for one of its interest areas. Moments are aware UTC."""

    owner_id: UUID
    interest_area_id: UUID
    state: OwnerState
    received_at: datetime
    due_at: datetime | None
    """None when it was asked before due times were kept."""
    acknowledged_at: datetime | None
    answered_at: datetime | None
    late: bool


def create_request(
    connection: Connection,
    requester_id: UUID,
    wanted: NewRequest,
    limits: RequestLimits = DEFAULT_LIMITS,
    *,
    free_renewal_days: int = 0,
) -> RequestInfo:
    """Enter a request for the acting requester, at the price that it has now. FaultsError as `check_request` says."""
    check_request(wanted, limits)
    # Two requests at once must not both be priced as if the other were not there: the yearly cap counts them.
    connection.execute(_ONE_AT_A_TIME, {"requester": str(requester_id)})
    cost = quote(connection, requester_id, wanted.order, free_renewal_days=free_renewal_days)
    contact = wanted.contact
    values = {
        "requester_id": requester_id,
        "area": from_shape(wanted.area, SRID),
        "clip_buffer_m": wanted.clip_buffer_m,
        "unknown_accuracy_m": wanted.unknown_accuracy_m,
        "period_from": wanted.period_from,
        "period_to": wanted.period_to,
        "purpose": wanted.purpose.strip(),
        "description": wanted.description,
        "kind": wanted.kind.value,
        "already_started": wanted.already_started,
        "order_reference": wanted.order_reference,
        "utility_types": list(wanted.utility_types) if wanted.utility_types is not None else None,
        "contact_person": contact.person or None if contact else None,
        "contact_address": contact.address or None if contact else None,
        "contact_email": contact.email if contact else None,
        "contact_phone": contact.phone or None if contact else None,
        "price": cost.amount,
        "work_kind": wanted.work.kind,
        "work_kind_other": wanted.work.kind_other or None,
        "work_method": wanted.work.method,
        "depth_m": wanted.work.depth_m,
        "renews_id": wanted.renews_id,
        "order_id": wanted.order_id,
        "address_ids": [*wanted.address_ids],
    }
    columns = excavation_request.c
    request_id = connection.execute(
        excavation_request.insert().values(values).returning(columns.id)
    ).scalar_one()
    record_event(connection, "requester:excavation_request:add", actor=requester_id, object_id=request_id)
    return get_request(connection, request_id)


def get_request(connection: Connection, request_id: UUID) -> RequestInfo:
    """Return a request that the acting principal or job may see; NotFoundError for any other."""
    columns = excavation_request.c
    row = connection.execute(
        select(
            columns.order_number,
            columns.area,
            columns.clip_buffer_m,
            columns.period_from,
            columns.period_to,
            columns.purpose,
            columns.description,
            columns.created_at,
            columns.kind,
            columns.already_started,
            columns.order_reference,
            columns.revision,
            columns.address_ids,
        ).where(columns.id == request_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"no request {request_id}")
    area = to_shape(row.area)
    if not isinstance(area, Polygon):
        raise TypeError("the database holds an area that is no polygon")
    return RequestInfo(
        id=request_id,
        order_number=row.order_number,
        area=area,
        clip_buffer_m=row.clip_buffer_m,
        period_from=row.period_from,
        period_to=row.period_to,
        purpose=row.purpose,
        description=row.description,
        created_at=row.created_at,
        kind=DigKind(row.kind),
        already_started=row.already_started,
        order_reference=row.order_reference,
        revision=row.revision,
        address_ids=tuple(row.address_ids),
    )


def check_request(
    wanted: NewRequest, limits: RequestLimits = DEFAULT_LIMITS, *, today: date | None = None
) -> None:
    """FaultsError for a period, purpose or description that cannot be; nothing is stored.

    `today`, the legal local date, is held against the period; None leaves that out.
    """
    form = RequestForm(
        period_from=wanted.period_from,
        period_to=wanted.period_to,
        purpose=wanted.purpose,
        description=wanted.description,
        kind=wanted.kind,
        already_started=wanted.already_started,
        utility_types=wanted.utility_types,
        order_reference=wanted.order_reference,
        no_order_reference=(
            not wanted.order_reference if wanted.no_order_reference is None else wanted.no_order_reference
        ),
        contact=wanted.contact,
        work=wanted.work,
        declared=wanted.declared,
        address_ids=wanted.address_ids,
    )
    code_list = load_model().code_lists["Forsyningsart"]
    # What is no value of the list may yet be one of its pattern, "other: <word>".
    known = {*code_list.values, *(name for name in wanted.utility_types or () if name in code_list)}
    refuse_faults(request_faults(form, today=today, limits=limits, known_utility_types=known))


def get_progress(connection: Connection, request_id: UUID) -> Progress:
    """Return how far a request is that the acting principal or job may see; NotFoundError for any other."""
    columns = excavation_request.c
    row = connection.execute(
        select(columns.state, columns.price, columns.currency, columns.matched_at).where(
            columns.id == request_id
        )
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"no request {request_id}")
    return Progress(RequestState(row.state), row.price, row.currency, row.matched_at)


def list_owner_progress(connection: Connection, request_id: UUID) -> list[OwnerProgress]:
    """Return each owner and interest area that a request asked, as far as the acting principal may see them."""
    columns = owner_request.c
    query = (
        select(
            columns.owner_id,
            columns.interest_area_id,
            columns.state,
            columns.received_at,
            columns.due_at,
            columns.acknowledged_at,
            columns.answered_at,
            columns.late,
        )
        .where(columns.request_id == request_id)
        .order_by(columns.owner_id, columns.interest_area_id)
    )
    return [
        OwnerProgress(**{**row, "state": OwnerState(row["state"])})
        for row in connection.execute(query).mappings()
    ]


def cancel_request(connection: Connection, request_id: UUID) -> None:
    """Give up a request of the acting requester; the price stays, and so does what was delivered.

    NotFoundError for any other's, RefusedError `event-not-possible` for one that is cancelled or over.
    """
    over = ("event-not-possible", "The request is cancelled or over already.")
    with refusals({"LE404": "There is no such request.", "LE409": over}):
        connection.execute(_CANCEL, {"request": request_id})


def today_of(connection: Connection) -> date:
    """Return the legal local date by the database's clock."""
    return legal_day(connection.execute(select(func.now())).scalar_one())


def name_owners(connection: Connection, request_id: UUID) -> None:
    """Answer a request for orientation that was just entered: its owners are named and nobody is asked.

    RefusedError `role-missing` unless the acting requester is an authority there.
    """
    told: dict[str, str | tuple[str, str]] = {
        "LE403": ("role-missing", "Only an authority may ask for orientation, where it has that role."),
        "LE404": "There is no such request.",
        "LE409": "The request cannot be answered so.",
    }
    with refusals(told):
        connection.execute(_NAME_OWNERS, {"request": request_id})


def extend_request(
    connection: Connection,
    request_id: UUID,
    last_day: date,
    *,
    seen: int | None,
    limits: RequestLimits = DEFAULT_LIMITS,
) -> None:
    """Give a request of the acting requester a later last day: no new price, and nobody is asked anew.

    `seen` is the revision that the requester knows, None for whatever it is. NotFoundError for another's request;
    RefusedError `precondition-failed` when it has changed since, `event-not-possible` when it is over; FaultsError for a
    day that is not later or too far ahead.
    """
    latest = today_of(connection) + timedelta(days=limits.longest_period_days)
    if last_day > latest:
        fault = Fault(
            "period-invalid", "/period_to", f"the last day is {last_day}, allowed is {latest} at most"
        )
        raise FaultsError([fault])
    told: dict[str, str | tuple[str, str]] = {
        "LE404": "There is no such request.",
        "LE409": ("event-not-possible", "The request is cancelled or over already."),
        "LE412": ("precondition-failed", "The request has changed since. Look at it and try again."),
        "LE422": ("period-invalid", "the new last day must be later than the present one"),
    }
    try:
        with refusals(told):
            connection.execute(_EXTEND, {"request": request_id, "last_day": last_day, "seen": seen})
    except RefusedError as refused:
        if refused.code != "period-invalid":
            raise
        raise FaultsError([Fault("period-invalid", "/period_to", str(refused))]) from None
