"""Dates and times as people write them: one reading or a refusal."""

from datetime import UTC, date, datetime

import pytest

from ler.domain.legal_time import legal_day, parse_date, parse_moment
from ler.errors import RefusedError


def test_a_date_is_read() -> None:
    assert parse_date("2028-02-29") == date(2028, 2, 29)


BAD_DATES = (
    "2026-02-30", "infinity", "0001-01-01", "9999-12-31", "20261201", "2026-W49-2", "1-12-2026", "2026-12-01 ",
    "２０２６-12-01", "", "2026-12-01T00:00",
)  # fmt: skip


@pytest.mark.parametrize("text", BAD_DATES)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(RefusedError) as refused:
        parse_date(text)
    assert refused.value.code == "date-invalid"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24T10:00", "2026-11-24T09:00"),
        ("2026-07-01T10:00:30", "2026-07-01T08:00:30"),
        ("2026-07-01T10:00Z", "2026-07-01T10:00"),
        ("2026-07-01T10:00-05:00", "2026-07-01T15:00"),
        # The nights in which clocks are moved, with an offset and at their edges.
        ("2026-03-29T02:30+01:00", "2026-03-29T01:30"),
        ("2026-03-29T01:59:59", "2026-03-29T00:59:59"),
        ("2026-03-29T03:00", "2026-03-29T01:00"),
        ("2026-10-25T02:30+02:00", "2026-10-25T00:30"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30"),
        ("2026-10-25T01:59", "2026-10-24T23:59"),
        ("2026-10-25T03:00", "2026-10-25T02:00"),
    ],
)
def test_a_time_is_read_as_legal_time_or_by_its_offset(text: str, expected: str) -> None:
    assert parse_moment(text) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2026-03-29T02:00", "2026-03-29T02:30", "2026-10-25T02:00", "2026-10-25T02:59:59"]
)
def test_a_time_that_was_skipped_or_came_twice_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="offset") as refused:
        parse_moment(text)
    assert refused.value.code == "date-ambiguous"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T24:00",
        "2026-11-24T25:00",
        "2026-11-24T10:00+14:00",
        "2026-11-24T10:00+99:00",
        "0001-01-01T00:00Z",
        "9999-12-31T23:59-13:00",
        "2026-11-24 10:00",
        "2026-11-24",
        "infinity",
        "2026-02-30T10:00",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(RefusedError) as refused:
        parse_moment(text)
    assert refused.value.code == "date-invalid"


def test_the_day_is_that_of_denmark() -> None:
    assert legal_day(datetime(2026, 12, 31, 22, 59, tzinfo=UTC)) == date(2026, 12, 31)
    assert legal_day(datetime(2026, 12, 31, 23, 0, tzinfo=UTC)) == date(2027, 1, 1)
