"""Prices and invoices as computed by hand."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ler.domain.fees import Asked, Invoice, invoices, price, prices
from ler.errors import InputError

DAY = date(2026, 11, 24)


def amount(area_m2: float, day: date = DAY, *before: Asked) -> str:
    return str(price(Asked(day, area_m2), before).amount)


@pytest.mark.parametrize(
    ("area_m2", "expected"),
    [
        (0.0, "0.00"),
        (0.71, "0.00"),  # 0.00497
        (0.72, "0.01"),  # 0.00504
        (0.714285, "0.00"),  # 0.71 m2 after rounding
        (0.715, "0.00"),  # the nearest binary fraction lies below
        (100.0, "0.70"),
        (215.0, "1.51"),  # 1.505 is rounded up
        (10_000.0, "70.00"),
        (10_000.0000001, "70.00"),
        (250_000.0, "1750.00"),
        (23_714_285.71, "166000.00"),
        (30_000_000.0, "166000.00"),
    ],
)
def test_the_price_of_an_area(area_m2: float, expected: str) -> None:
    assert amount(area_m2) == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2008, 1, 1), "3000.00"),
        (date(2016, 12, 31), "3000.00"),
        (date(2017, 1, 1), "1099.89"),  # 10 m2 are free
        (date(2022, 12, 31), "1099.89"),
        (date(2023, 1, 1), "700.00"),
    ],
)
def test_prices_hold_from_their_day_on(day: date, expected: str) -> None:
    assert amount(100_000.0, day) == expected


def test_a_day_before_the_first_prices_is_refused() -> None:
    with pytest.raises(InputError, match="2008-01-01"):
        amount(1.0, date(2007, 12, 31))


def test_the_cap_is_of_a_calendar_year() -> None:
    large = Asked(date(2026, 1, 1), 23_714_000.0)  # 165,998.00
    last = price(Asked(DAY, 1_000.0), [large])
    assert (last.full, last.amount, last.capped) == (Decimal("7.00"), Decimal("2.00"), True)
    assert amount(1_000.0, DAY, large, Asked(DAY, 1_000.0)) == "0.00"
    assert amount(1_000.0, date(2027, 1, 1), large, Asked(DAY, 1_000.0)) == "7.00"
    assert not price(Asked(DAY, 1_000.0)).capped


def test_the_free_square_metres_of_earlier_years_are_used_up_once() -> None:
    day = date(2019, 3, 1)
    first, second, third = prices([Asked(day, 6.0), Asked(day, 6.0), Asked(day, 6.0)])
    assert [one.free_m2 for one in (first, second, third)] == [Decimal("6.00"), Decimal("4.00"), Decimal(0)]
    assert [str(one.amount) for one in (first, second, third)] == ["0.00", "0.02", "0.07"]


def asked(*parts: tuple[int, float], year: int = 2026) -> list[Asked]:
    """Requests on the last day of a month, of so many m2."""
    return [Asked(date(year, month, 28), area_m2) for month, area_m2 in parts]


def test_invoices_of_a_quarter_come_in_arrears() -> None:
    made = invoices(2026, asked((1, 20_000.0), (3, 10_000.0), (4, 10_000.0), (12, 1.0)))
    assert made == [
        Invoice(1, Decimal("210.00")),
        Invoice(2, Decimal("70.00")),
        Invoice(4, Decimal("0.01")),
    ]


def test_less_than_100_kroner_a_year_is_not_invoiced() -> None:
    assert invoices(2026, asked((1, 7_000.0), (12, 7_284.0))) == []  # 49.00 + 50.99
    assert invoices(2026, asked((1, 7_000.0), (12, 7_286.0))) == [Invoice(4, Decimal("100.00"))]
    assert invoices(2026, asked((1, 20_000.0), year=2025)) == []
    assert invoices(2026, []) == []


AREAS = st.floats(0, 30_000_000, allow_nan=False)
DAYS = st.dates(date(2023, 1, 1), date(2026, 12, 31))


@given(st.lists(st.builds(Asked, DAYS, AREAS), max_size=12))
def test_nobody_pays_more_than_the_cap_and_every_invoice_is_of_what_was_charged(
    requests: list[Asked],
) -> None:
    requests.sort(key=lambda request: request.day)
    charged = prices(requests)
    for year in range(2023, 2027):
        of_year = [
            one.amount for request, one in zip(requests, charged, strict=True) if request.day.year == year
        ]
        total = sum(of_year, Decimal(0))
        assert all(one >= 0 for one in of_year)
        assert total <= Decimal(166_000)
        invoiced = sum((invoice.amount for invoice in invoices(year, requests)), Decimal(0))
        assert invoiced == (total if total >= 100 else 0)
