"""How requests are shown in JSON: the receipt with what has come of it since.

Moments are legal local time with its offset, dates are legal local ones.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from hashlib import sha256
from itertools import groupby
from typing import Any, Final, Literal
from uuid import UUID

import shapely
from shapely.geometry import mapping

from ler.domain.dig_warnings import Asked, dig_warnings
from ler.domain.fees import Price
from ler.domain.legal_time import local
from ler.domain.states import OwnerState
from ler.services.request_reading import AskedArea, StoredRequest

PATH: Final = "/api/v1/requests"
ORDERS: Final = "/api/v1/orders"
AREA_CRS: Final = "EPSG:25832"

type Language = Literal["da", "en"]

_LINKS: Final = ("owners", "packages", "events", "cancel", "renew", "copy")


def request_view(
    stored: StoredRequest, areas: Sequence[AskedArea], language: Language, today: date
) -> dict[str, Any]:
    """Return a request as its requester sees it: what was asked, of whom, until when, and what is missing."""
    return summary_view(stored, areas) | {
        "area": area_view(stored.area),
        "area_crs": AREA_CRS,
        "clip_buffer_m": stored.clip_buffer_m,
        "description": stored.description,
        "utility_types": stored.utility_types,
        "contact": asdict(stored.contact) if stored.contact else None,
        "work": asdict(stored.work),
        "address_ids": [str(one) for one in stored.address_ids],
        "received_at": moment(stored.matched_at),
        "answers_due_at": moment(max((one.due_at for one in areas if one.due_at), default=None)),
        "valid_until": _valid_until(areas),
        "owners": owner_views(areas) if stored.owners_named is None else named_views(stored.owners_named),
        "warnings": warning_views(stored, areas, language, today),
    }


def summary_view(stored: StoredRequest, areas: Sequence[AskedArea]) -> dict[str, Any]:
    """Return a request as lists show it."""
    path = f"{PATH}/{stored.id}"
    return {
        "id": str(stored.id),
        "order_number": stored.order_number,
        "state": stored.state.value,
        "revision": stored.revision,
        "kind": stored.kind.value,
        "already_started": stored.already_started,
        "created_at": moment(stored.created_at),
        "period_from": stored.period_from.isoformat(),
        "period_to": stored.period_to.isoformat(),
        "purpose": stored.purpose,
        "order_reference": stored.order_reference,
        "area_m2": round(stored.area_m2, 2),
        "bbox": [round(value, 3) for value in stored.area.bounds],
        "price": {
            "amount": None if stored.price is None else str(stored.price),
            "currency": stored.currency,
        },
        "progress": progress_view(areas),
        "renews": str(stored.renews_id) if stored.renews_id else None,
        "order": str(stored.order_id) if stored.order_id else None,
        "links": {"self": path} | {name: f"{path}/{name}" for name in _LINKS},
    }


def progress_view(areas: Sequence[AskedArea]) -> dict[str, Any]:
    """Return how many owners there are of each kind; an owner with one area unanswered is missing."""
    owners = _by_owner(areas)
    missing = [parts for parts in owners if any(one.missing for one in parts)]
    marking = [parts for parts in owners if any(one.state is OwnerState.TO_BE_MARKED for one in parts)]
    return {
        "owners": len(owners),
        "missing": len(missing),
        "late": sum(any(one.late and one.missing for one in parts) for parts in owners),
        "to_be_marked": len(marking),
        "all_answered": not missing,
    }


def owner_views(areas: Sequence[AskedArea]) -> list[dict[str, Any]]:
    """Return each owner that was asked, with whom to call and how far each of its areas is."""
    return [
        {
            "id": str(parts[0].owner_id),
            "cvr": parts[0].cvr,
            "name": parts[0].name,
            "email": parts[0].email,
            "phone": parts[0].phone,
            "missing": any(one.missing for one in parts),
            "areas": [_area_view(one) for one in parts],
        }
        for parts in _by_owner(areas)
    ]


def named_views(named: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each owner that a request for orientation named; none of them was asked."""
    return [
        {
            "id": one["owner_id"],
            **{name: one[name] for name in ("cvr", "name", "email", "phone")},
            "interest_areas": one["interest_areas"],
            "utility_types": one["utility_types"],
        }
        for one in named
    ]


def warning_views(
    stored: StoredRequest, areas: Sequence[AskedArea], language: Language, today: date
) -> list[dict[str, Any]]:
    """Return what must be known, in the caller's language."""
    asked = Asked(stored.kind, stored.state, stored.period_from, [one.standing for one in areas])
    return [
        {"code": one.code, "detail": one.da if language == "da" else one.en}
        | ({"pointer": one.pointer} if one.pointer else {})
        for one in dig_warnings(asked, today)
    ]


def price_view(price: Price) -> dict[str, Any]:
    """Return what a request costs, in DKK without VAT, and how that comes about."""
    figures = price.figures
    return {
        "amount": str(price.amount),
        "currency": "DKK",
        "vat": "0.00",
        "area_m2": str(price.area_m2),
        "free_m2": str(price.free_m2),
        "price_per_m2": str(figures.price_per_m2),
        "before_cap": str(price.full),
        "yearly_cap": str(figures.yearly_cap),
        "capped": price.capped,
        "not_invoiced_below": str(figures.invoice_floor),
        "valid_from": figures.valid_from.isoformat(),
    }


def area_view(area: shapely.Polygon) -> dict[str, Any]:
    """Return an area as GeoJSON in EPSG:25832, to the millimetre."""
    shown: dict[str, Any] = json.loads(
        json.dumps(mapping(shapely.set_precision(area, 0.001, mode="pointwise")))
    )
    return shown


def moment(at: datetime | None) -> str | None:
    """Return a moment in legal local time with its offset, as people and programs both read it."""
    return None if at is None else local(at).isoformat(timespec="milliseconds")


def etag(stored: StoredRequest, view: Mapping[str, Any]) -> str:
    """Return the tag of a view: the request's revision, and a digest of all that is shown with it."""
    digest = sha256(json.dumps(view, sort_keys=True, default=str).encode()).hexdigest()[:16]
    return f'"r{stored.revision}-{digest}"'


def revision_of(tag: str) -> int | None:
    """Return the revision that a tag of ours names; None for any other."""
    number = tag.strip().removeprefix("W/").strip('"').partition("-")[0]
    return int(number[1:]) if number[:1] == "r" and number[1:].isdecimal() and len(number) < 12 else None  # noqa: PLR2004 - digits of an integer


def _area_view(one: AskedArea) -> dict[str, Any]:
    return {
        "interest_area": one.registration_number,
        "utility_types": one.utility_types,
        "state": one.state.value,
        "received_at": moment(one.received_at),
        "due_at": moment(one.due_at),
        "dispensation": one.dispensed,
        "acknowledged_at": moment(one.acknowledged_at),
        "answered_at": moment(one.answered_at),
        "late": one.late,
        "answer_type": one.answer_type,
        "valid_until": one.valid_until.isoformat() if one.valid_until else None,
        "further_information": one.further_information,
        "expected_time": moment(one.expected_time),
        "appointment": one.appointment,
        "contacts": one.contacts,
    }


def _by_owner(areas: Sequence[AskedArea]) -> list[list[AskedArea]]:
    def owner(one: AskedArea) -> tuple[str, str, UUID]:
        return one.cvr or "", one.name, one.owner_id

    return [[*parts] for _, parts in groupby(sorted(areas, key=owner), key=owner)]


def _valid_until(areas: Sequence[AskedArea]) -> str | None:
    """The last day on which all that was delivered is valid; None while no owner has said one."""
    days = [one.valid_until for one in areas if one.valid_until]
    return min(days).isoformat() if days else None
