"""Contacts: the closest fit first; and what cannot be one."""

import pytest

from ler.domain.contacts import ContactForm, contact_faults, fitting

TYPES = {"gas", "el"}


def names(contacts: list[ContactForm], purpose: str, types: set[str] | None) -> list[str]:
    return [one.name for one in fitting(contacts, purpose, types)]


def test_the_closest_fit_comes_first_and_among_equals_the_lower_rank() -> None:
    contacts = [
        ContactForm("desk", phone="1"),
        ContactForm("electricity", phone="1", utility_type="el"),
        ContactForm("second", phone="1", purpose="emergency", rank=2),
        ContactForm("first", phone="1", purpose="emergency"),
        ContactForm("gas emergency", phone="1", purpose="emergency", utility_type="gas", rank=9),
        ContactForm("damage", phone="1", purpose="damage"),
    ]
    assert names(contacts, "emergency", {"gas"}) == ["gas emergency", "first", "second", "desk"]
    assert names(contacts, "emergency", None) == ["gas emergency", "first", "second", "electricity", "desk"]
    assert names(contacts, "dig", {"el", "gas"}) == ["electricity", "desk"]
    assert names(contacts, "planning", set()) == ["desk"]
    assert fitting([], "dig", None) == []


@pytest.mark.parametrize(
    ("form", "pointers"),
    [
        (ContactForm("Vagten", phone="+45 12 34 56 78"), []),
        (ContactForm("Vagten", email="a@b.dk", utility_type="el", purpose="damage", rank=9), []),
        (ContactForm("Vagten"), ["/phone"]),
        (ContactForm("x" * 101, phone="1" * 16), ["/name", "/phone"]),
        (ContactForm(" ", phone="+"), ["/name", "/phone"]),
        (ContactForm("a\nb", email="a@b@c", phone=""), ["/name", "/email", "/phone"]),
        (ContactForm("a", email="a @b", utility_type="x", purpose="x", rank=0),
         ["/email", "/utility_type", "/purpose", "/rank"]),
    ],
)  # fmt: skip
def test_every_fault_is_told_with_its_place(form: ContactForm, pointers: list[str]) -> None:
    assert [fault.pointer for fault in contact_faults(form, TYPES)] == pointers
