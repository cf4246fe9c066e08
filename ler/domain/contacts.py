"""Whom to turn to at an owner: for a kind of line, for a purpose, and who comes next when nobody answers there.

A contact says of both that it is for one, or for all. The closest fit comes first, and among equals the lower rank;
so a number for emergencies at the gas mains goes before one for all emergencies, and both before the front desk.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ler.domain.faults import Fault
from ler.domain.registration import email_faults, text_faults
from ler.domain.request_rules import DigKind

DAMAGE: Final = "damage"
PURPOSES: Final = (*(kind.value for kind in DigKind), DAMAGE)
"""What somebody may turn to an owner for."""

LONGEST_NAME: Final = 100
LONGEST_PHONE: Final = 15
LONGEST_EMAIL: Final = 254
"""Characters, as in LER Kontaktprofil."""
HIGHEST_RANK: Final = 9

_PHONE: Final = frozenset("+0123456789 -()")


@dataclass(frozen=True, slots=True)
class ContactForm:
    """A contact as filled in."""

    name: str
    email: str | None = None
    phone: str | None = None
    utility_type: str | None = None
    """A value of the LER code list Forsyningsart; None: for all."""
    purpose: str | None = None
    """None: for all."""
    rank: int = 1
    """Whom to try first: 1."""


def contact_faults(form: ContactForm, known_utility_types: Collection[str]) -> list[Fault]:
    """Return all faults of a contact, in the order of its fields."""
    return [*_faults(form, known_utility_types)]


def fitting[Found: ContactForm](
    contacts: Iterable[Found], purpose: str, utility_types: Collection[str] | None
) -> list[Found]:
    """Return the contacts for a purpose and these kinds of lines (None: any), whom to try first at the head."""
    fits = [
        one
        for one in contacts
        if one.purpose in {None, purpose}
        and (one.utility_type is None or utility_types is None or one.utility_type in utility_types)
    ]
    return sorted(fits, key=lambda one: (one.purpose is None, one.utility_type is None, one.rank, one.name))


def _faults(form: ContactForm, known: Collection[str]) -> Iterator[Fault]:
    yield from text_faults("/name", form.name, LONGEST_NAME)
    if form.email is None and form.phone is None:
        yield Fault("contact-missing", "/phone", "give a phone number, an e-mail address, or both")
    if form.email is not None:
        yield from email_faults("/email", form.email, LONGEST_EMAIL)
    if form.phone is not None and (
        not 0 < len(form.phone) <= LONGEST_PHONE
        or not {*form.phone} <= _PHONE
        or not any(character.isdigit() for character in form.phone)
    ):
        yield Fault(
            "phone-invalid", "/phone", f"{form.phone!r} is no phone number of at most {LONGEST_PHONE} digits"
        )
    if form.utility_type is not None and form.utility_type not in known:
        listed = ", ".join(sorted(known))
        yield Fault(
            "utility-type-unknown",
            "/utility_type",
            f"{form.utility_type!r} is no utility type; known: {listed}",
        )
    if form.purpose is not None and form.purpose not in PURPOSES:
        yield Fault("purpose-unknown", "/purpose", f"{form.purpose!r} is none of {', '.join(PURPOSES)}")
    if not 1 <= form.rank <= HIGHEST_RANK:
        yield Fault("rank-invalid", "/rank", f"the rank is 1 to {HIGHEST_RANK}, not {form.rank}")
