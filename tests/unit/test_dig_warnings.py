"""What whoever asked is told besides the answers: codes, order, words, and nothing about what holds no more."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from ler.domain.answers import AnswerType
from ler.domain.dig_warnings import Asked, Standing, dig_warnings
from ler.domain.request_rules import DigKind
from ler.domain.states import OWES_ANSWER, OwnerState, RequestState

TODAY = date(2026, 11, 24)
DUE = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
ANSWERED = Standing("Nordby Vand", OwnerState.ANSWERED, DUE, late=False, answer_type="x", valid_until=None)
SILENT = replace(ANSWERED, owner="Sydby El (112)", state=OwnerState.ASKED, answer_type=None)
REQUEST = Asked(DigKind.DIG, RequestState.OPEN, date(2026, 12, 1), [ANSWERED, SILENT])


def codes(asked: Asked, today: date = TODAY) -> list[str]:
    return [one.code for one in dig_warnings(asked, today)]


def test_who_is_missing_is_named_in_both_languages() -> None:
    (warning,) = dig_warnings(REQUEST, TODAY)
    assert warning.en == "DO NOT DIG: 1 owner missing of 2: Sydby El (112)"
    assert warning.da == "GRAV IKKE: 1 af 2 ledningsejere mangler at svare: Sydby El (112)"
    both = replace(REQUEST, areas=[SILENT, replace(SILENT, owner="Østby Gas")])
    assert dig_warnings(both, TODAY)[0].en.startswith(
        "DO NOT DIG: 2 owners missing of 2: Sydby El (112), Østby"
    )


@pytest.mark.parametrize("state", OwnerState)
def test_exactly_who_owes_an_answer_is_missing(state: OwnerState) -> None:
    told = codes(replace(REQUEST, areas=[replace(SILENT, state=state)]))
    assert ("answers-missing" in told) == (state in OWES_ANSWER)
    assert ("marking-missing" in told) == (state is OwnerState.TO_BE_MARKED)


def test_an_owner_is_counted_once_however_many_areas_it_has() -> None:
    areas = [ANSWERED, SILENT, SILENT]
    assert "1 owner missing of 2" in dig_warnings(replace(REQUEST, areas=areas), TODAY)[0].en


@pytest.mark.parametrize("state", [RequestState.CANCELLED, RequestState.ENDED, RequestState.ERASED])
def test_of_a_request_that_is_over_only_that_is_told(state: RequestState) -> None:
    assert codes(replace(REQUEST, state=state)) == ["request-over"]


def test_other_things_to_know() -> None:
    late = replace(SILENT, late=True)
    assert codes(replace(REQUEST, areas=[late])) == ["answers-missing", "answers-late"]
    answered_late = replace(ANSWERED, late=True)
    assert codes(replace(REQUEST, areas=[answered_late])) == []
    for hidden in (AnswerType.WITHHELD, AnswerType.SITE_MARKING):
        assert codes(replace(REQUEST, areas=[replace(ANSWERED, answer_type=hidden.value)])) == [
            "lines-withheld"
        ]
    expired = replace(ANSWERED, valid_until=date(2026, 11, 23))
    assert codes(replace(REQUEST, areas=[expired])) == ["data-expired"]
    assert codes(replace(REQUEST, areas=[replace(expired, valid_until=TODAY)])) == []
    assert codes(replace(REQUEST, areas=[])) == ["nobody-asked"]
    assert codes(replace(REQUEST, kind=DigKind.ORIENTATION, areas=[])) == ["orientation-only"]
    assert codes(replace(REQUEST, kind=DigKind.PLANNING, areas=[ANSWERED])) == ["planning-only"]


def test_a_dig_that_begins_before_owners_must_have_answered_is_told_with_its_place() -> None:
    early = dig_warnings(replace(REQUEST, period_from=date(2026, 11, 25)), TODAY)[-1]
    assert (early.code, early.pointer) == ("period-begins-before-answers", "/period_from")
    assert "2026-11-25 09:00" in early.en, "08:00 UTC in Danish winter time"
    assert "period-begins-before-answers" not in codes(replace(REQUEST, period_from=date(2026, 11, 26)))
