"""Damages of lines: what their owners must report of each, and until when of a year (BEK 1473 § 42).

Mandatory are the line's utility type, who caused it, where and when it happened or was found, and the cause; of the
extent what the owner likes to tell. Code lists are inferred: see `damages.toml`. Pure: the day comes in.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from shapely import Point

from ler.domain.dig_area import Coverage
from ler.domain.faults import Fault
from ler.model.schema import CodeList

FIRST_YEAR: Final = 2020
"""Reporting has been a duty since 1 January 2020."""
MOST_COST: Final = Decimal(10**10)

_LONGEST: Final = {"reference": 40, "caused_by_name": 200, "gml_id": 255, "description": 500}
_CVR_DIGITS: Final = 8
_FEBRUARY_ENDS: Final = (3, 1)


@dataclass(frozen=True, slots=True)
class Damage:
    """One damage, as its owner reports it; costs in DKK."""

    reference: str
    """The owner's own number of it: a report that is sent twice is seen by it."""
    utility_type: str
    happened_on: date
    place: Point
    """EPSG:25832."""
    cause: str
    caused_by: str
    date_is: Literal["happened", "discovered"] = "happened"
    caused_by_cvr: str | None = None
    caused_by_name: str | None = None
    order_number: int | None = None
    """Of the request on which was dug."""
    gml_id: str | None = None
    environment: str | None = None
    repair_cost: Decimal | None = None
    administration_cost: Decimal | None = None
    description: str | None = None


@cache
def damage_codes() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """Return the code lists: name, code, Danish and English text."""
    read = tomllib.loads(files(__package__).joinpath("damages.toml").read_text(encoding="utf-8"))
    return {name: {code: (da, en) for code, (da, en) in codes.items()} for name, codes in read.items()}


def report_due(year: int) -> date:
    """Return the day before which the damages of a year must be reported: the end of the next year's February."""
    return date(year + 1, *_FEBRUARY_ENDS)


def check_damage(
    damage: Damage, *, today: date, coverage: Coverage, utility_types: CodeList, pointer: str = ""
) -> list[Fault]:
    """Return what is wrong with a report; `pointer` leads to it in what was sent."""
    return [
        Fault(code, f"{pointer}/{field}", message)
        for code, field, message in (
            *_about_codes(damage, utility_types),
            *_about_time_and_place(damage, today, coverage),
            *_about_texts(damage),
            *_about_costs(damage),
        )
    ]


def check_year(year: int, *, today: date, pointer: str) -> list[Fault]:
    """Return what is wrong with the statement that a year had no damage: it must be over."""
    if FIRST_YEAR <= year < today.year:
        return []
    return [Fault("damage-year", pointer, f"a year from {FIRST_YEAR} on that is over is wanted")]


def _about_codes(damage: Damage, utility_types: CodeList) -> Iterator[tuple[str, str, str]]:
    if damage.utility_type not in utility_types:
        yield "utility-type-unknown", "utility_type", "it is no value of the code list Forsyningsart"
    for field, code, name in (
        ("cause", damage.cause, "causes"),
        ("caused_by", damage.caused_by, "causers"),
        ("environment", damage.environment, "environment"),
    ):
        if code is not None and code not in damage_codes()[name]:
            yield "damage-code", field, f"it is one of: {', '.join(damage_codes()[name])}"


def _about_time_and_place(damage: Damage, today: date, coverage: Coverage) -> Iterator[tuple[str, str, str]]:
    if not date(FIRST_YEAR, 1, 1) <= damage.happened_on <= today:
        yield "damage-date", "happened_on", f"it lies between {FIRST_YEAR}-01-01 and today"
    if damage.date_is not in {"happened", "discovered"}:
        yield "damage-code", "date_is", "it is one of: happened, discovered"
    west, south, east, north = coverage
    place = damage.place
    if place.is_empty or not (west <= place.x <= east and south <= place.y <= north):
        yield "crs-out-of-area", "place", "it does not lie where the register covers, in metres of EPSG:25832"


def _about_texts(damage: Damage) -> Iterator[tuple[str, str, str]]:
    for field, longest in _LONGEST.items():
        text = getattr(damage, field)
        if text is not None and not (len(text.strip()) > 0 and len(text) <= longest and text.isprintable()):
            yield "text-invalid", field, f"it is 1 to {longest} printable characters"
    cvr = damage.caused_by_cvr
    if cvr is not None and not (len(cvr) == _CVR_DIGITS and cvr.isascii() and cvr.isdigit()):
        yield "cvr-invalid", "caused_by_cvr", "a CVR number has eight digits"
    if damage.caused_by == "private" and (cvr or damage.caused_by_name):
        yield "damage-private-person", "caused_by_name", "a private person is not named in the register"


def _about_costs(damage: Damage) -> Iterator[tuple[str, str, str]]:
    for field in ("repair_cost", "administration_cost"):
        cost: Decimal | None = getattr(damage, field)
        if cost is not None and not (cost.is_finite() and 0 <= cost < MOST_COST):
            yield "damage-cost", field, "a cost is DKK, 0 or more"
