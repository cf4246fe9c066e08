"""Empty ducts: to whom an owner offers its own, and what is offered near a work of the organisation that acts.

Nobody is told of anybody's ducts by default: an owner says to whom, and `ler.ducts_near_work` (`ler/db/sql/ducts.sql`) tells
nobody else anything. Who asks in vain is not told whether there is nothing or nothing for him.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from geoalchemy2 import Geometry
from geoalchemy2.shape import to_shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import func, select, text, update
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError

from ler.db.engine import sqlstate
from ler.db.functions import record_event
from ler.db.tables import duct_offer
from ler.domain.faults import Fault, refuse_faults
from ler.domain.registration import text_faults
from ler.domain.works import LONGEST_CONTACT
from ler.errors import NotFoundError, RefusedError
from ler.services.register_acts import record_act, refuse_by_mandate
from ler.services.works import get_work

_CVR: Final = re.compile(r"[0-9]{8}")
_NEAR: Final = text("SELECT * FROM ler.ducts_near_work(:work)").columns(geom=Geometry)
_TAKEN: Final = "23505"
_COLUMNS: Final = tuple(
    duct_offer.c[name]
    for name in ("id", "cvr", "most_used", "shows_place", "contact", "created_at", "ended_at")
)


@dataclass(frozen=True, slots=True)
class DuctOffer:
    """To whom an owner offers which of its ducts. Moments are aware UTC."""

    id: UUID
    cvr: str | None
    """The organisation to which they are offered; None: all that register works."""
    most_used: float
    """Share of the capacity that is used at most; 0: empty ducts only."""
    shows_place: bool
    contact: str | None
    """Whom to turn to; None: as the register has it."""
    created_at: datetime
    ended_at: datetime | None


class DuctKind(StrEnum):
    """What is offered, or wanted."""

    OWNER_DUCTS = "owner-ducts"
    """Ducts of an owner that are there."""
    WORK_OFFERS = "work-offers"
    """Ducts that another's work will lay for whoever wants them."""
    WORK_WANTS = "work-wants"
    """Ducts that another's work would use in this one."""


@dataclass(frozen=True, slots=True)
class NearbyDucts:
    """Ducts near a work."""

    kind: DuctKind
    organisation_id: UUID
    organisation_name: str | None
    """None: of a work whose organisation may be a person."""
    cvr: str | None
    contact: str | None
    work_id: UUID | None
    ducts: int
    utilisation: str | None
    """Of an owner's ducts: `empty`, or `room`."""
    length_m: float | None
    """Of an owner's ducts: all together, in the squares near the work, upwards in whole sides of squares."""
    place: BaseGeometry | None
    """EPSG:25832; of an owner's ducts only when it shows them."""


def offer_ducts(
    connection: Connection,
    owner_id: UUID,
    *,
    cvr: str | None = None,
    most_used: float = 0.0,
    shows_place: bool = False,
    contact: str | None = None,
) -> DuctOffer:
    """Offer the acting owner's ducts to an organisation, or to all that register works; it holds from now on.

    FaultsError, RefusedError `duct-offer-made` when there is such an offer, `role-missing` for who acts by mandate.
    """
    refuse_by_mandate(connection)
    refuse_faults([*_faults(cvr, most_used, contact)])
    values = {"owner_id": owner_id, "cvr": cvr, "most_used": most_used, "shows_place": shows_place}
    wanted = duct_offer.insert().values(**values, contact=contact and contact.strip())
    try:
        row = connection.execute(wanted.returning(*_COLUMNS)).one()
    except IntegrityError as error:
        if sqlstate(error) != _TAKEN:
            raise
        raise RefusedError(
            "duct-offer-made", "you offer your ducts to these already: end that offer first"
        ) from error
    details = {"cvr": cvr, "most_used": most_used, "shows_place": shows_place}
    record_act(connection, owner_id, "duct_offer:make", row.id, details)
    return DuctOffer(*row)


def end_duct_offer(connection: Connection, owner_id: UUID, offer_id: UUID) -> None:
    """Offer no more; NotFoundError for no offer of the acting owner that holds."""
    refuse_by_mandate(connection)
    columns = duct_offer.c
    ended = update(duct_offer).where(columns.id == offer_id, columns.ended_at.is_(None))
    if not connection.execute(ended.values(ended_at=func.now())).rowcount:
        raise NotFoundError("There is no such offer.")
    record_act(connection, owner_id, "duct_offer:end", offer_id)


def list_duct_offers(connection: Connection) -> list[DuctOffer]:
    """Return the acting owner's offers that hold, the oldest first."""
    query = (
        select(*_COLUMNS)
        .where(duct_offer.c.ended_at.is_(None))
        .order_by(duct_offer.c.created_at, duct_offer.c.id)
    )
    return [DuctOffer(*row) for row in connection.execute(query)]


def get_duct_offer(connection: Connection, offer_id: UUID) -> DuctOffer:
    """Return an offer of the acting owner, one that has ended too; NotFoundError for any other."""
    row = connection.execute(select(*_COLUMNS).where(duct_offer.c.id == offer_id)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such offer.")
    return DuctOffer(*row)


def list_ducts_near(connection: Connection, organisation_id: UUID, work_id: UUID) -> list[NearbyDucts]:
    """Return what is offered near a work of the acting organisation, owners' ducts first; nothing near a draft.

    NotFoundError for a work that is not its own. That an owner's ducts were told is recorded.
    """
    stored = get_work(connection, work_id)
    if stored.work.organisation_id != organisation_id:
        raise NotFoundError("There is no such work.")
    found = [_nearby(row) for row in connection.execute(_NEAR, {"work": work_id})]
    owners = sorted({str(one.organisation_id) for one in found if one.kind is DuctKind.OWNER_DUCTS})
    if owners:
        details = {"owners": owners}
        record_event(
            connection, "owner:work:ducts", actor=organisation_id, object_id=work_id, details=details
        )
    return found


def _nearby(row: Row[Any]) -> NearbyDucts:
    return NearbyDucts(
        kind=DuctKind(row.kind),
        organisation_id=row.owner_id,
        organisation_name=row.owner_name,
        cvr=row.owner_cvr,
        contact=row.contact,
        work_id=row.work_id,
        ducts=row.ducts,
        utilisation=row.utilisation,
        length_m=row.length_m,
        place=None if row.geom is None else to_shape(row.geom),
    )


def _faults(cvr: str | None, most_used: float, contact: str | None) -> Iterator[Fault]:
    if cvr is not None and not _CVR.fullmatch(cvr):
        yield Fault("cvr-invalid", "/cvr", f"a CVR number has eight digits, not {cvr[:20]!r}")
    if not 0 <= most_used < 1:
        yield Fault("duct-share", "/most_used", f"most_used is {most_used}: from 0, and less than 1")
    if contact is not None:
        yield from text_faults("/contact", contact, LONGEST_CONTACT)
