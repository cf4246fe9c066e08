"""The six kinds of answer: what each holds, and which may follow which."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from ingest.rules.answers import MANUAL, WITHHELD
from ingest.rules.whole_file import WITH_LINES
from ler.db.tables.requests import ANSWER_TYPES
from ler.domain.answers import (
    CONTENT_RULES,
    AnswerContent,
    AnswerType,
    Appointment,
    Holds,
    answer_faults,
    check_order,
)
from ler.errors import RefusedError
from ler.model import load_model

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MEETING = Appointment(NOW + HOUR, NOW + 2 * HOUR, "Nordby Torv 1", "Vagten, 12345678")
PARTS: dict[str, object] = {
    "feature_count": 3,
    "expected_time": NOW + HOUR,
    "further_information": "Ring først",
    "appointment": MEETING,
}
# For each kind, whether it holds features, expected time, further information, appointment: ! must, - must not, . may.
EXPECTED = {
    "ingen ledninger i graveområde": "--.-",
    "ledningsoplysninger udleveres ikke": "--!-",
    "ledningsoplysninger udleveret": "!-.-",
    "udtaget til manuel behandling": "...-",
    "udtaget til påvisning - ledningsoplysninger udleveres ikke": "--..",
    "udtaget til påvisning - ledningsoplysninger udleveret": "!-..",
}
CODES = ("answer-features", "answer-expected-time", "answer-further-information", "answer-appointment")


@pytest.mark.parametrize("kind", AnswerType)
def test_every_kind_with_and_without_every_part(kind: AnswerType) -> None:
    for present in product((True, False), repeat=4):
        parts: dict[str, Any] = {
            name: part for (name, part), given in zip(PARTS.items(), present, strict=True) if given
        }
        wrong = [
            code
            for code, given, rule in zip(CODES, present, EXPECTED[kind.value], strict=True)
            if rule == ("-" if given else "!")
        ]
        assert [fault.code for fault in answer_faults(AnswerContent(kind, **parts), NOW)] == wrong


def test_the_kinds_are_those_of_the_code_list_the_tables_and_the_rules_of_files() -> None:
    kinds = {kind.value for kind in AnswerType}
    assert kinds == set(ANSWER_TYPES) == set(EXPECTED) == {kind.value for kind in CONTENT_RULES}
    code_list = load_model().answer.attribute("type").code_list
    assert code_list is not None
    assert kinds == set(code_list.values)
    assert AnswerType.MANUAL.value == MANUAL
    assert AnswerType.WITHHELD.value == WITHHELD
    with_lines = {kind.value for kind, rule in CONTENT_RULES.items() if rule.features is Holds.MUST}
    assert with_lines == set(WITH_LINES)


def test_blank_text_is_no_further_information() -> None:
    (fault,) = answer_faults(AnswerContent(AnswerType.WITHHELD, further_information=" \n"), NOW)
    assert (fault.code, fault.pointer) == ("answer-further-information", "/further_information")


def test_times_lie_ahead() -> None:
    manual = AnswerContent(AnswerType.MANUAL, expected_time=NOW)
    assert [fault.code for fault in answer_faults(manual, NOW)] == ["expected-time-past"]
    site = AnswerContent(AnswerType.SITE_MARKING, appointment=MEETING)
    assert answer_faults(site, NOW) == []
    bad = replace(MEETING, starts_at=NOW, ends_at=NOW, place=" ", contact="")
    faults = answer_faults(replace(site, appointment=bad), NOW)
    assert [(fault.code, fault.pointer) for fault in faults] == [
        ("appointment-past", "/appointment/starts_at"),
        ("appointment-ends-early", "/appointment/ends_at"),
        ("appointment-place-missing", "/appointment/place"),
        ("appointment-contact-missing", "/appointment/contact"),
    ]


@pytest.mark.parametrize(
    ("is_update", "answered_before", "code"),
    [
        (False, False, None),
        (True, True, None),
        (True, False, "answer-wrongly-an-update"),
        (False, True, "answer-already-delivered"),
    ],
)
def test_the_mark_of_an_update_must_agree(
    *, is_update: bool, answered_before: bool, code: str | None
) -> None:
    if code is None:
        check_order(is_update=is_update, answered_before=answered_before)
        return
    with pytest.raises(RefusedError, match="13-310") as refused:
        check_order(is_update=is_update, answered_before=answered_before)
    assert refused.value.code == code
