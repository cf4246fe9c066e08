"""What an excavation request must say, field by field, before anybody is asked.

Every fault is told, not only the first: each with a code and a JSON pointer into the request as sent. The area has
rules of its own (`ler.domain.dig_area`). Figures that the register does not publish are limits to be set.
"""

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from ler.domain.faults import Fault
from ler.domain.work_codes import OTHER, work_kinds, work_methods

LONGEST_DESCRIPTION: Final = 100
"""Characters (LER error code 19-310)."""
LONGEST_ORDER_REFERENCE: Final = 12
"""Characters (LER error code 19-560)."""
DEEPEST_M: Final = 100.0
"""[INF] A deeper one is a slip of the hand."""
LONGEST_EMAIL: Final = 254
"""Characters, as in the contacts of an answer (Kontaktprofil)."""

MOST_ADDRESSES: Final = 50
"""[INF] Houses along both sides of a street's block; each is a sketch that owners look for by hand."""

_FORBIDDEN: Final = frozenset({"Cc", "Cs", "Cn", "Co", "Zl", "Zp"})
"""Unicode categories: control characters, halves of characters, what is none, and breaks of lines."""


class DigKind(StrEnum):
    """What a request is for."""

    DIG = "dig"
    PLANNING = "planning"
    """Planning and design, "any other lawful purpose" (OLD § 9(7)); no digging on such data."""
    EMERGENCY = "emergency"
    """Urgent repair of a damage that arose suddenly and gets worse by waiting (BEK-1534 § 13)."""
    ORIENTATION = "orientation"
    """An authority or a researcher wants to know whose lines lie there: named at once, and nobody is asked (ler.dk
    P.5.1). No digging on it."""


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Limits that the register does not publish; all [INF]."""

    longest_period_days: int = 366
    days_ahead: int = 730
    """How far ahead the first day may lie."""
    days_back: int = 0
    """How far back the first day may lie: LER refuses what is too far back (19-340) and does not say how far."""
    days_back_when_started: int = 30
    """The same for an urgent dig that has begun and is asked about as soon as possible after (BEK-1534 § 13(3))."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom owners turn to: a person or an address, and always an e-mail (19-490, 19-500)."""

    email: str
    person: str = ""
    address: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """What is done there, by the codes of `ler.domain.work_codes` (LER graveart_id, graveart_anden)."""

    kind: str | None = None
    kind_other: str | None = None
    """In words, of the kind `other` and no other."""
    method: str | None = None
    depth_m: float | None = None
    """Of the deepest place below the surface."""


@dataclass(frozen=True, slots=True)
class RequestForm:
    """A request as filled in, without its area."""

    period_from: date
    period_to: date
    """Last day of the dig."""
    purpose: str
    description: str | None = None
    kind: DigKind = DigKind.DIG
    already_started: bool = False
    """An urgent dig that could not wait for the answers; the request must say so (BEK-1534 § 13(3))."""
    utility_types: Sequence[str] | None = None
    """Which kinds of lines are asked for (19-400); None: all."""
    order_reference: str | None = None
    """The requester's own number (LER ordrenummer); with it goes the flag below, which must agree (19-530..560)."""
    no_order_reference: bool = True
    contact: Contact | None = None
    """None: the contact with which the requester is registered."""
    work: Work = Work()
    declared: bool = False
    """A request for orientation: that it is for an authority's work or for research, and nobody digs on it."""
    address_ids: Sequence[UUID] = ()
    """Addresses (DAR, the ids of `adresse` or `husnummer`) of whose house connections sketches are asked for."""


def request_faults(
    form: RequestForm,
    *,
    today: date | None,
    limits: RequestLimits,
    known_utility_types: Collection[str] = (),
) -> list[Fault]:
    """Return all faults of a request, in the order of its fields.

    `today` is the legal local date; None leaves out what depends on it, for a request that was made earlier.
    `known_utility_types` is needed when the form names some.
    """
    return [
        *_kind(form),
        *_period(form, today, limits),
        *_texts(form),
        *_utility_types(form, known_utility_types),
        *_order_reference(form),
        *_contact(form.contact),
        *_work(form.work),
        *_addresses(form),
    ]


def _kind(form: RequestForm) -> Iterator[Fault]:
    if form.already_started and form.kind is not DigKind.EMERGENCY:
        yield Fault(
            "started-without-emergency",
            "/already_started",
            f"only an emergency may have begun before the answers, this is '{form.kind}'",
        )
    if form.kind is DigKind.ORIENTATION and not form.declared:
        yield Fault(
            "declaration-missing",
            "/declared",
            "declare that it is for an authority's work or for research, and that nobody digs on it",
        )


def _period(form: RequestForm, today: date | None, limits: RequestLimits) -> Iterator[Fault]:
    first, last = form.period_from, form.period_to
    if last < first:
        yield Fault("period-invalid", "/period_to", f"the period ends ({last}) before it begins ({first})")
    elif (last - first).days >= limits.longest_period_days:
        yield Fault(
            "period-invalid",
            "/period_to",
            f"the period has {(last - first).days + 1} days, at most {limits.longest_period_days}: extend it later",
        )
    if today is None:
        return
    back = limits.days_back_when_started if form.already_started else limits.days_back
    earliest, latest = today - timedelta(days=back), today + timedelta(days=limits.days_ahead)
    if not earliest <= first <= latest:
        yield Fault(
            "period-invalid", "/period_from", f"the period begins {first}, allowed are {earliest} to {latest}"
        )
    if last < today and not form.already_started:
        yield Fault("period-invalid", "/period_to", f"the period is over: it ends {last}")


def _texts(form: RequestForm) -> Iterator[Fault]:
    if not form.purpose.strip():
        yield Fault("purpose-missing", "/purpose", "say what the data are for: the purpose may not be empty")
    for name, text in (("purpose", form.purpose), ("description", form.description or "")):
        yield from _text_faults(f"/{name}", text)
        if len(text) > LONGEST_DESCRIPTION:
            yield Fault(
                f"{name}-invalid",
                f"/{name}",
                f"the {name} has {len(text)} characters, at most {LONGEST_DESCRIPTION}",
            )


def _text_faults(pointer: str, text: str) -> Iterator[Fault]:
    """Letters of all languages, pictures and marks of direction are kept as they are; what no line of text holds is not."""
    for place, character in enumerate(text, start=1):
        if unicodedata.category(character) in _FORBIDDEN:
            name = pointer.removeprefix("/").replace("/", " ").replace("_", " ")
            yield Fault(
                "text-invalid",
                pointer,
                f"the {name} holds U+{ord(character):04X} as character {place}: text on one line only",
            )
            return


def _utility_types(form: RequestForm, known: Collection[str]) -> Iterator[Fault]:
    if form.utility_types is None:
        return
    if not form.utility_types:
        yield Fault("utility-type-missing", "/utility_types", "name at least one utility type")
    for index, name in enumerate(form.utility_types):
        if name not in known:
            yield Fault(
                "utility-type-unknown",
                f"/utility_types/{index}",
                f"{name!r} is no utility type; known: {', '.join(sorted(known))}",
            )


def _order_reference(form: RequestForm) -> Iterator[Fault]:
    reference = form.order_reference
    if bool(reference and reference.strip()) == form.no_order_reference:
        yield Fault(
            "order-reference-flag",
            "/no_order_reference",
            "give your order reference, or say that there is none; not both and not neither",
        )
    if not reference:
        return
    yield from _text_faults("/order_reference", reference)
    if len(reference) > LONGEST_ORDER_REFERENCE:
        yield Fault(
            "order-reference-invalid",
            "/order_reference",
            f"the order reference has {len(reference)} characters, at most {LONGEST_ORDER_REFERENCE}",
        )


def _contact(contact: Contact | None) -> Iterator[Fault]:
    if contact is None:
        return
    if not contact.person.strip() and not contact.address.strip():
        yield Fault("contact-missing", "/contact", "name a person or an address that owners can turn to")
    for name in ("person", "address", "email", "phone"):
        yield from _text_faults(f"/contact/{name}", getattr(contact, name))
    before, at, after = contact.email.partition("@")
    if not (before and at and after) or len(contact.email) > LONGEST_EMAIL or " " in contact.email:
        yield Fault("email-invalid", "/contact/email", f"{contact.email!r} is not an e-mail address")


def _work(work: Work) -> Iterator[Fault]:
    for name, code, known in (("kind", work.kind, work_kinds()), ("method", work.method, work_methods())):
        if code is not None and code not in known:
            yield Fault(
                f"work-{name}-unknown", f"/work/{name}", f"{code!r} is none of: {', '.join(sorted(known))}"
            )
    other = work.kind_other or ""
    if bool(other.strip()) != (work.kind == OTHER):
        yield Fault(
            "work-kind-other",
            "/work/kind_other",
            f"say in words what it is when the kind is '{OTHER}', and only then",
        )
    yield from _text_faults("/work/kind_other", other)
    if len(other) > LONGEST_DESCRIPTION:
        yield Fault(
            "text-too-long",
            "/work/kind_other",
            f"the work has {len(other)} characters, at most {LONGEST_DESCRIPTION}",
        )
    if work.depth_m is not None and not 0 < work.depth_m <= DEEPEST_M:
        yield Fault(
            "depth-invalid",
            "/work/depth_m",
            f"a depth of {work.depth_m} m: more than 0, at most {DEEPEST_M:g} m",
        )


def _addresses(form: RequestForm) -> Iterator[Fault]:
    count = len(form.address_ids)
    if count > MOST_ADDRESSES:
        yield Fault(
            "addresses-too-many", "/address_ids", f"{count} addresses are named, at most {MOST_ADDRESSES}"
        )
        return
    if count and form.kind is DigKind.ORIENTATION:
        yield Fault(
            "addresses-unasked", "/address_ids", "nobody is asked for sketches by a request for orientation"
        )
    for index, address_id in enumerate(form.address_ids):
        if address_id in form.address_ids[:index]:
            yield Fault("address-twice", f"/address_ids/{index}", f"the address {address_id} is named twice")
