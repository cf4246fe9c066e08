"""What a package was made of, kept with it, so that its file can be made again byte by byte when it was lost.

All that may change afterwards is written down: the request's period, states and due times, contacts, what answers say,
what is warned of.
What never changes - features, drawings, the owner's own words in a file - is read from where it lies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import Any, Final, get_type_hints
from uuid import UUID

from pydantic import TypeAdapter
from shapely import Polygon

from ler.packages.content import Delivery, OwnerStatus, RequestInfo
from ler.packages.warnings import UtilityWarning, read_warnings, warnings_document

type Recipe = dict[str, Any]
"""Fit for JSON."""

_LYING: Final = frozenset(
    {
        *(
            "features",
            "header",
            "clipped",
            "left_out_references",
            "drawings",
            "attachments",
            "deliveries",
            "area",
        ),
        *("withholds", "marking_area"),
    }
)
"""Fields that are read from where they lie."""
_LOST: Final = "lost"


def to_recipe(
    request: RequestInfo, owners: Sequence[OwnerStatus], warnings: Sequence[UtilityWarning] | None = None
) -> Recipe:
    """Write down what a package of these is made of."""
    told = {} if warnings is None else {"warnings": warnings_document(warnings)}
    return {
        **told,
        "request": _plain(request),
        "owners": [
            {**_plain(owner), "deliveries": [_plain_delivery(one) for one in owner.deliveries]}
            for owner in owners
        ],
    }


def answers_of(recipe: Recipe) -> list[UUID]:
    """Return the answers whose features a package needs."""
    return [UUID(one["answer_id"]) for owner in recipe["owners"] for one in owner["deliveries"]]


def from_recipe(
    recipe: Recipe, area: Polygon, answers: Mapping[UUID, Delivery]
) -> tuple[RequestInfo, list[OwnerStatus]]:
    """Return the request and its owners as they were. KeyError when an answer is not among those given."""
    owners = [
        OwnerStatus(
            **_read(OwnerStatus, owner),
            deliveries=tuple(_delivery(one, answers) for one in owner["deliveries"]),
        )
        for owner in recipe["owners"]
    ]
    return RequestInfo(area=area, **_read(RequestInfo, recipe["request"])), owners


def warnings_of(recipe: Recipe) -> Sequence[UtilityWarning] | None:
    """Return what a package warns of; None of one that was made when nobody looked."""
    return read_warnings(recipe["warnings"]) if "warnings" in recipe else None


def _plain_delivery(delivery: Delivery) -> dict[str, Any]:
    lost = [drawing.sha256 for drawing in delivery.drawings if drawing.path is None]
    lost += [attachment.sha256 for attachment in delivery.attachments if attachment.file is None]
    return {**_plain(delivery), **({_LOST: lost} if lost else {})}


def _delivery(told: Mapping[str, Any], answers: Mapping[UUID, Delivery]) -> Delivery:
    found = answers[UUID(told["answer_id"])]
    lost = set(told.get(_LOST, ()))
    return replace(
        found,
        **_read(Delivery, told),
        drawings=[replace(one, path=None) if one.sha256 in lost else one for one in found.drawings],
        attachments=[replace(one, file=None) if one.sha256 in lost else one for one in found.attachments],
    )


def _read(kind: type, told: Mapping[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {
        one.name: TypeAdapter(hints[one.name]).validate_python(told[one.name])
        for one in fields(kind)
        if one.name not in _LYING and one.name in told
    }


def _plain(value: Any) -> Any:  # noqa: ANN401 - of any kind
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value) if one.name not in _LYING}
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
