"""What needs care in a dig area, counted by owner: dangerous features, the owners' precautions, places that few know.

Everything comes from what was delivered. What an owner did not tell is not here, and its absence says nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from ler.packages.assessment import Assessed
from ler.packages.content import OwnerStatus
from ler.packages.plain_text import plain
from ler.packages.styles import DangerStyle, UtilityStyle, load_styles


@dataclass(frozen=True, slots=True)
class Danger:
    """Dangerous features of one owner, of one class and utility."""

    danger: DangerStyle
    utility: UtilityStyle
    owner: OwnerStatus
    inside: int
    """Drawn in the dig area."""
    reaching: int
    """Drawn outside it, but their band reaches it; so are those without a place."""
    total: int


@dataclass(frozen=True, slots=True)
class Precaution:
    """What an owner asks to be minded (LER sikkerhedshensyn)."""

    owner: OwnerStatus
    text: str
    """Plain, never empty."""
    count: int
    """How many features it is told for."""


@dataclass(frozen=True, slots=True)
class Places:
    """How well an owner knows the places of its lines, traces and components."""

    owner: OwnerStatus
    total: int
    unknown: int
    """Where the accuracy has no bound or nobody knows it."""
    farthest_m: float
    """Half the width of the widest band."""


@dataclass(frozen=True, slots=True)
class Care:
    """All of it, danger first."""

    dangers: Sequence[Danger]
    precautions: Sequence[Precaution]
    places: Sequence[Places]


def care_of(assessed: Sequence[Assessed], owners: Sequence[OwnerStatus]) -> Care:
    """Count what needs care, in the order of danger, then of the owners."""
    order = {owner.id: number for number, owner in enumerate(owners)}
    by_id = {owner.id: owner for owner in owners}
    texts = Counter(
        (order[one.owner.id], text)
        for one in assessed
        if (text := plain(str(one.feature.attributes.get("sikkerhedshensyn") or "")))
    )
    listed = list(by_id.values())
    precautions = [
        Precaution(listed[number], text, count)
        for (number, text), count in sorted(
            texts.items(), key=lambda told: (told[0][0], -told[1], told[0][1])
        )
    ]
    return Care(_dangers(assessed, order, listed), precautions, list(_places(assessed, listed)))


def _dangers(
    assessed: Sequence[Assessed], order: Mapping[UUID, int], owners: Sequence[OwnerStatus]
) -> list[Danger]:
    styles = load_styles()
    inside: Counter[tuple[str, str, int]] = Counter()
    reaching: Counter[tuple[str, str, int]] = Counter()
    total: Counter[tuple[str, str, int]] = Counter()
    for one in assessed:
        if one.danger is None or styles.danger(one.danger) is None:
            continue
        key = (one.danger, styles.utility(one.utility_type).value, order[one.owner.id])
        total[key] += 1
        if one.in_dig_area:
            inside[key] += 1
        elif one.may_be_in_dig_area:
            reaching[key] += 1
    found = [
        Danger(danger, styles.utility(utility), owners[number], inside[key], reaching[key], total[key])
        for key in total
        for value, utility, number in (key,)
        if (danger := styles.danger(value)) is not None
    ]
    return sorted(found, key=lambda one: (-one.danger.rank, one.utility.value, order[one.owner.id]))


def _places(assessed: Sequence[Assessed], owners: Sequence[OwnerStatus]) -> list[Places]:
    total: Counter[UUID] = Counter()
    unknown: Counter[UUID] = Counter()
    farthest: dict[UUID, float] = {}
    for owner, delivered in groupby(assessed, key=attrgetter("owner")):
        bands = [one.band for one in delivered if one.has_band]
        total[owner.id] += len(bands)
        unknown[owner.id] += sum(band.accuracy_m is None for band in bands)
        farthest[owner.id] = max(farthest.get(owner.id, 0.0), *(band.half_width_m for band in bands), 0.0)
    return [
        Places(owner, total[owner.id], unknown[owner.id], farthest[owner.id])
        for owner in owners
        if total[owner.id]
    ]
