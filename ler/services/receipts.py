"""The receipt of a request: the area and its price, who was asked, and until when each must answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ler.domain.calendar import WorkingCalendar
from ler.domain.deadlines import DeadlineKind, DeadlineRules, due_at
from ler.domain.fees import Price
from ler.domain.legal_time import local
from ler.domain.request_rules import DigKind
from ler.packages.content import OwnerStatus, RequestInfo


@dataclass(frozen=True, slots=True)
class AskedOwner:
    """An owner that was asked, and until when it must answer."""

    id: UUID
    name: str
    cvr: str
    interest_areas: Sequence[int]
    answer_type: str | None
    """None: not answered yet."""
    due_at: datetime
    """Aware UTC."""
    dispensed: bool = False
    """It has a dispensation, and so the longer deadline."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a requester gets at once."""

    order_number: int
    kind: DigKind
    already_started: bool
    received_at: datetime
    """When the owners could fetch it, aware UTC: their clock starts then."""
    price: Price
    owners: Sequence[AskedOwner]
    address_ids: Sequence[UUID] = ()
    """Of whose house connections sketches were asked for."""


def make_receipt(
    request: RequestInfo,
    owners: Sequence[OwnerStatus],
    price: Price,
    calendar: WorkingCalendar,
    rules: DeadlineRules,
    *,
    kind: DigKind,
    already_started: bool,
) -> Receipt:
    """Return the receipt of a request that was just entered and matched; InputError as `due_at` says."""
    received_at = request.created_at
    due = {
        dispensed: due_at(received_at, kind, calendar, rules)
        for dispensed, kind in ((False, DeadlineKind.ORDINARY), (True, DeadlineKind.DISPENSATION))
    }
    asked = [
        AskedOwner(
            id=owner.id,
            name=owner.name,
            cvr=owner.cvr,
            interest_areas=owner.interest_areas,
            answer_type="; ".join(owner.answer_types) or None,
            due_at=due[dispensed],
            dispensed=dispensed,
        )
        for owner in owners
        for dispensed in [any(area.dispensed for area in owner.areas)]
    ]
    return Receipt(
        request.order_number, kind, already_started, received_at, price, asked, request.address_ids
    )


def receipt_document(receipt: Receipt) -> dict[str, Any]:
    """Return the receipt for JSON: moments in legal local time with their offset, amounts as text in DKK."""
    price = receipt.price
    return {
        "order_number": receipt.order_number,
        "kind": receipt.kind.value,
        "already_started": receipt.already_started,
        "received_at": _legal(receipt.received_at),
        "address_ids": [str(one) for one in receipt.address_ids],
        "area_m2": str(price.area_m2),
        "price": {
            "amount": str(price.amount),
            "currency": "DKK",
            "price_per_m2": str(price.figures.price_per_m2),
            "capped": price.capped,
            "valid_from": price.figures.valid_from.isoformat(),
        },
        "owners": [
            {
                "cvr": owner.cvr,
                "name": owner.name,
                "interest_areas": list(owner.interest_areas),
                "answer_type": owner.answer_type,
                "due_at": _legal(owner.due_at),
                "dispensation": owner.dispensed,
            }
            for owner in receipt.owners
        ],
    }


def _legal(moment: datetime) -> str:
    return local(moment).isoformat(timespec="seconds")
