"""What asking costs: so much a square metre, at most so much a calendar year, and no invoice for trifles.

Amounts are DKK in Decimal, without VAT; the price is the requester's for the request and does not depend on the dig's
period. Figures and sources: `ler.domain.law`. Cents are rounded half up, area to 0.01 m2 first [INF].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from ler.domain.law import FeeFigures, fee_figures, in_force

_HUNDREDTH: Final = Decimal("0.01")
_NOTHING: Final = Decimal("0.00")
_MONTHS_A_QUARTER: Final = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the fees see it."""

    day: date
    """Legal local date on which it was made."""
    area_m2: float
    charged: Decimal | None = None
    """What it was charged when it was made; None: to be computed."""


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one request."""

    area_m2: Decimal
    free_m2: Decimal
    """Of the area, what the year's free square metres cover."""
    full: Decimal
    """What the area costs before the yearly cap."""
    amount: Decimal
    """What is charged."""
    figures: FeeFigures
    fixed: bool = False
    """Whether it was said what is charged, whatever the area costs."""

    @property
    def capped(self) -> bool:
        """Whether the yearly cap makes it cheaper."""
        return self.amount < self.full and not self.fixed


@dataclass(frozen=True, slots=True)
class Invoice:
    """What is invoiced at the end of a quarter."""

    quarter: int
    amount: Decimal


def price(asked: Asked, before: Sequence[Asked] = (), figures: Sequence[FeeFigures] | None = None) -> Price:
    """Return the price of a request, after those that the same requester made `before`, of any year."""
    return prices([*before, asked], figures)[-1]


def prices(requests: Sequence[Asked], figures: Sequence[FeeFigures] | None = None) -> list[Price]:
    """Return the price of each of one requester's requests, given in the order in which they were made.

    What was charged stays as it was charged, and counts as such towards the yearly cap.

    InputError for a day before the first figures.
    """
    known = fee_figures() if figures is None else figures
    charged: dict[int, Decimal] = {}
    asked_m2: dict[int, Decimal] = {}
    made = []
    for request in requests:
        year = request.day.year
        one = _price(
            request,
            in_force(known, request.day),
            asked_m2.get(year, _NOTHING),
            charged.get(year, _NOTHING),
        )
        asked_m2[year] = asked_m2.get(year, _NOTHING) + one.area_m2
        charged[year] = charged.get(year, _NOTHING) + one.amount
        made.append(one)
    return made


def _price(asked: Asked, figures: FeeFigures, m2_before: Decimal, charged_before: Decimal) -> Price:
    area = Decimal(asked.area_m2).quantize(_HUNDREDTH, ROUND_HALF_UP)
    free = min(area, max(figures.free_m2_a_year - m2_before, _NOTHING))
    full = ((area - free) * figures.price_per_m2).quantize(_HUNDREDTH, ROUND_HALF_UP)
    left = max(figures.yearly_cap - charged_before, _NOTHING)
    if asked.charged is not None:
        return Price(area, free, full, asked.charged, figures, fixed=True)
    return Price(area, free, full, min(full, left), figures)


def invoices(
    year: int, requests: Sequence[Asked], figures: Sequence[FeeFigures] | None = None
) -> list[Invoice]:
    """Return a requester's invoices of a calendar year, quarter by quarter in arrears.

    Nothing is invoiced until the year's total reaches the floor; then all that is open is [INF]. What has not reached
    it when the year ends is never invoiced.
    """
    of_year = [request for request in requests if request.day.year == year]
    by_quarter: dict[int, Decimal] = {}
    floor = _NOTHING
    for request, one in zip(of_year, prices(of_year, figures), strict=True):
        quarter = (request.day.month - 1) // _MONTHS_A_QUARTER + 1
        by_quarter[quarter] = by_quarter.get(quarter, _NOTHING) + one.amount
        floor = one.figures.invoice_floor
    total = invoiced = _NOTHING
    made = []
    for quarter in sorted(by_quarter):
        total += by_quarter[quarter]
        if total >= floor and total > invoiced:
            made.append(Invoice(quarter, total - invoiced))
            invoiced = total
    return made
