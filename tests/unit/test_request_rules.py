"""What a request must say: every limit on both sides, each fault with its code and place."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from ler.domain.faults import FaultsError, refuse_faults
from ler.domain.request_rules import Contact, DigKind, RequestForm, RequestLimits, request_faults
from ler.model import load_model
from ler.rules_in_force import request_limits
from ler.settings import Settings

TODAY = date(2026, 11, 24)
DAY = timedelta(days=1)
GOOD = RequestForm(TODAY, TODAY + 13 * DAY, "Ny stikledning")
STARTED = {"kind": DigKind.EMERGENCY, "already_started": True}
ADDRESSES = [UUID(int=number) for number in range(51)]
CONTACT = Contact("bo@example.dk", person="Bo")


def utility_types() -> set[str]:
    code_list = load_model().types["Foeringsroer"].attribute("forsyningsart").code_list
    assert code_list is not None
    return set(code_list.values)


def faults(today: date | None = TODAY, **changes: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - fields of RequestForm
    found = request_faults(
        replace(GOOD, **changes), today=today, limits=RequestLimits(), known_utility_types=utility_types()
    )
    assert all(fault.message for fault in found)
    return [(fault.code, fault.pointer) for fault in found]


FIT: dict[str, dict[str, Any]] = {
    "as it is": {},
    "one day": {"period_to": TODAY},
    "a year": {"period_to": TODAY + 365 * DAY},
    "in two years": {"period_from": TODAY + 730 * DAY, "period_to": TODAY + 731 * DAY},
    "planning": {"kind": DigKind.PLANNING},
    "an emergency to come": {"kind": DigKind.EMERGENCY},
    "an emergency that began": {**STARTED, "period_from": TODAY - 30 * DAY},
    "an emergency that is over": {**STARTED, "period_from": TODAY - 2 * DAY, "period_to": TODAY - DAY},
    "100 characters": {"description": "å" * 100, "purpose": "x" * 100},
    "letters and pictures of any kind": {"purpose": "Å-kabel 🚧 \u202eabc\u202c \u200d Å"},
    "some utility types": {"utility_types": ("el", "vand")},
    "an order reference": {"order_reference": "123456789012", "no_order_reference": False},
    "a person": {"contact": CONTACT},
    "an address": {"contact": Contact("bo@example.dk", address="Torvet 1")},
    "50 addresses": {"address_ids": ADDRESSES[:50]},
}


@pytest.mark.parametrize("case", FIT)
def test_what_may_be_said(case: str) -> None:
    assert faults(**FIT[case]) == []


UNFIT: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "ends before it begins": ({"period_to": TODAY - DAY}, [("period-invalid", "/period_to")] * 2),
    "a year and a day": ({"period_to": TODAY + 366 * DAY}, [("period-invalid", "/period_to")]),
    "ten years": ({"period_to": TODAY + 3652 * DAY}, [("period-invalid", "/period_to")]),
    "begins in the past": ({"period_from": TODAY - DAY}, [("period-invalid", "/period_from")]),
    "too far ahead": (
        {"period_from": TODAY + 731 * DAY, "period_to": TODAY + 731 * DAY},
        [("period-invalid", "/period_from")],
    ),
    "an emergency long ago": (
        {**STARTED, "period_from": TODAY - 31 * DAY},
        [("period-invalid", "/period_from")],
    ),
    "an emergency to come, in the past": (
        {"kind": DigKind.EMERGENCY, "period_from": TODAY - DAY},
        [("period-invalid", "/period_from")],
    ),
    "begun without emergency": (
        {"already_started": True},
        [("started-without-emergency", "/already_started")],
    ),
    "no purpose": ({"purpose": " "}, [("purpose-missing", "/purpose")]),
    "a long purpose": ({"purpose": "x" * 101}, [("purpose-invalid", "/purpose")]),
    "a long description": ({"description": "å" * 101}, [("description-invalid", "/description")]),
    "NUL": ({"description": "a\x00b"}, [("text-invalid", "/description")]),
    "half a character": ({"purpose": "a\ud800"}, [("text-invalid", "/purpose")]),
    "two lines": ({"description": "a\nb"}, [("text-invalid", "/description")]),
    "a separator of lines": ({"description": "a\u2028b"}, [("text-invalid", "/description")]),
    "no utility type": ({"utility_types": ()}, [("utility-type-missing", "/utility_types")]),
    "an unknown utility type": (
        {"utility_types": ("el", "luft")},
        [("utility-type-unknown", "/utility_types/1")],
    ),
    "neither reference nor flag": (
        {"no_order_reference": False},
        [("order-reference-flag", "/no_order_reference")],
    ),
    "both reference and flag": ({"order_reference": "1"}, [("order-reference-flag", "/no_order_reference")]),
    "a blank reference": (
        {"order_reference": " ", "no_order_reference": False},
        [("order-reference-flag", "/no_order_reference")],
    ),
    "a long reference": (
        {"order_reference": "1234567890123", "no_order_reference": False},
        [("order-reference-invalid", "/order_reference")],
    ),
    "nobody": ({"contact": Contact("bo@example.dk")}, [("contact-missing", "/contact")]),
    "no e-mail": ({"contact": Contact("", person="Bo")}, [("email-invalid", "/contact/email")]),
    "half an e-mail": (
        {"contact": Contact("@example.dk", person="Bo")},
        [("email-invalid", "/contact/email")],
    ),
    "two e-mails": (
        {"contact": Contact("a@b.dk c@d.dk", person="Bo")},
        [("email-invalid", "/contact/email")],
    ),
    "a long e-mail": (
        {"contact": Contact(f"{'a' * 245}@firma.dk1", person="Bo")},
        [("email-invalid", "/contact/email")],
    ),
    "a line break in a name": (
        {"contact": Contact("bo@example.dk", person="Bo\nBcc: x")},
        [("text-invalid", "/contact/person")],
    ),
    "an address twice": (
        {"address_ids": (ADDRESSES[0], ADDRESSES[1], ADDRESSES[0])},
        [("address-twice", "/address_ids/2")],
    ),
    "too many addresses": ({"address_ids": ADDRESSES}, [("addresses-too-many", "/address_ids")]),
    "sketches of nobody": (
        {"kind": DigKind.ORIENTATION, "declared": True, "address_ids": ADDRESSES[:1]},
        [("addresses-unasked", "/address_ids")],
    ),
}


@pytest.mark.parametrize("case", UNFIT)
def test_what_may_not_be_said(case: str) -> None:
    changes, expected = UNFIT[case]
    assert faults(**changes) == expected


def test_a_dig_that_is_over_is_told_so_even_where_the_past_is_allowed() -> None:
    form = replace(GOOD, period_from=TODAY - 5 * DAY, period_to=TODAY - DAY)
    limits = RequestLimits(days_back=10)
    (fault,) = request_faults(form, today=TODAY, limits=limits)
    assert (fault.code, fault.pointer) == ("period-invalid", "/period_to")


def test_a_request_of_earlier_is_not_held_against_today() -> None:
    assert faults(today=None, period_from=date(2020, 1, 1), period_to=date(2020, 1, 2)) == []


def test_all_faults_are_told_and_the_first_names_the_refusal() -> None:
    form = replace(GOOD, purpose="", description="x" * 101, already_started=True)
    with pytest.raises(FaultsError) as refused:
        refuse_faults(request_faults(form, today=TODAY, limits=RequestLimits()))
    assert [fault.code for fault in refused.value.faults] == [
        "started-without-emergency",
        "purpose-missing",
        "description-invalid",
    ]
    assert refused.value.code == "started-without-emergency"
    assert all(fault.message in str(refused.value) for fault in refused.value.faults)
    refuse_faults([])


def test_the_settings_are_the_default_limits() -> None:
    assert request_limits(Settings()) == RequestLimits()
