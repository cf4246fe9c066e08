"""What an owner says when it registers: why it must, and where it has lines. Every fault is told, with its place.

The rules of an interest area are those of LER's own interface (integration 27, domain page a.2); the numbers in the
docstrings are its error codes.
"""

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ler.domain.faults import Fault

LONGEST_REMARK: Final = 4000
"""Characters (27-350)."""
LONGEST_AREA_EMAIL: Final = 50
"""Characters (00-400, 00-410)."""
LONGEST_OTHER_TYPE: Final = 50
"""Characters of what another kind of line is (27-384)."""
LONGEST_NAME: Final = 200
OTHER: Final = "other: "
"""Begins a utility type that the code list does not have (forsyningsart 99)."""

_FORBIDDEN: Final = frozenset({"Cc", "Cs", "Cn", "Co", "Zl", "Zp"})
_LINE_BREAKS: Final = frozenset("\n\r\t")


class Duty(StrEnum):
    """Why somebody registers: LAW § 2(1), in the order of its numbers, and § 6."""

    SUPPLY_NETWORK = "supply-network"
    SERVICE_LINE = "service-line"
    """A service line (stikledning) that a supply company owns."""
    PUBLIC_LINE = "public-line"
    """A public authority's line in public road area or private common road."""
    ROAD_DRAIN = "road-drain"
    DIGITAL_INFRASTRUCTURE = "digital-infrastructure"
    """Gives access to privately owned digital infrastructure."""
    WASTE_WATER = "waste-water"
    """Discharges waste water to watercourse, lake or sea."""
    DUCT = "duct"
    """A duct (føringsrør) that a supply company or public authority owns."""
    VOLUNTARY = "voluntary"
    """Registers without a duty to (§ 6)."""


@dataclass(frozen=True, slots=True)
class AreaForm:
    """An interest area as filled in, without its polygon."""

    utility_types: Sequence[str]
    remark: str | None
    """None: the element is missing (27-340); it may be empty."""
    contact_person: str | None = None
    contact_address: str | None = None
    contact_email: str | None = None
    voluntary: bool = False


def area_faults(form: AreaForm, known_utility_types: Collection[str]) -> list[Fault]:
    """Return all faults of an interest area, in the order of its fields."""
    return [*_utility_types(form.utility_types, known_utility_types), *_remark(form.remark), *_contact(form)]


def text_faults(
    pointer: str, value: str, longest: int, *, lines: bool = False, empty: bool = False
) -> Iterator[Fault]:
    """Faults of a text that people are shown: what no line of text holds, too much, or nothing.

    `lines`: it may have several. `empty`: it may say nothing.
    """
    name = pointer.removeprefix("/").replace("/", " ").replace("_", " ")
    allowed = _LINE_BREAKS if lines else frozenset[str]()
    bad = [c for c in value if c not in allowed and unicodedata.category(c) in _FORBIDDEN]
    if bad:
        yield Fault(
            "text-invalid", pointer, f"the {name} holds U+{ord(bad[0]):04X}, which no line of text holds"
        )
    if len(value) > longest or not (empty or value.strip()):
        yield Fault("text-invalid", pointer, f"the {name} has {len(value)} characters, at most {longest}")


def email_faults(pointer: str, value: str, longest: int) -> Iterator[Fault]:
    """Faults of an e-mail address: one name, one place, no space."""
    before, at, after = value.partition("@")
    spaced = any(character.isspace() or not character.isprintable() for character in value)
    if not (before and at and after) or "@" in after or spaced or len(value) > longest:
        yield Fault(
            "email-invalid", pointer, f"this is no e-mail address of at most {longest} characters: {value!r}"
        )


def _utility_types(names: Sequence[str], known: Collection[str]) -> Iterator[Fault]:
    if not names:
        yield Fault("utility-type-missing", "/utility_types", "name at least one utility type")  # 27-382
    for index, name in enumerate(names):
        pointer = f"/utility_types/{index}"
        if name.startswith(OTHER):
            yield from text_faults(pointer, name.removeprefix(OTHER), LONGEST_OTHER_TYPE)  # 27-383, 27-384
        if name not in known:
            listed = ", ".join(sorted(known))
            yield Fault("utility-type-unknown", pointer, f"{name!r} is no utility type; known: {listed}")
        if name in names[:index]:
            yield Fault("utility-type-repeated", pointer, f"{name!r} is named twice")


def _remark(remark: str | None) -> Iterator[Fault]:
    if remark is None:
        yield Fault("remark-missing", "/remark", "give a remark, if only an empty one")
    else:
        yield from text_faults("/remark", remark, LONGEST_REMARK, lines=True, empty=True)


def _contact(form: AreaForm) -> Iterator[Fault]:
    """Exactly one of person and address (27-390, 00-391), always with an e-mail (27-321)."""
    given = [name for name in ("contact_person", "contact_address") if getattr(form, name) is not None]
    if len(given) != 1:
        yield Fault(
            "contact-missing" if not given else "contact-twice",
            "/contact_person",
            "give a contact person or a contact address, not both and not neither",
        )
    for name in given:
        yield from text_faults(f"/{name}", getattr(form, name), LONGEST_NAME)
    if form.contact_email is None:
        yield Fault("email-missing", "/contact_email", "give the contact's e-mail")
    else:
        yield from email_faults("/contact_email", form.contact_email, LONGEST_AREA_EMAIL)
