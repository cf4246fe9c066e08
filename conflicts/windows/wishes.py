"""Wishes for an order: that in a common window one work goes before another, whatever their depths."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from uuid import UUID

from conflicts.windows.findings import Finding, finding
from conflicts.windows.graph import is_surface
from ler.domain.works import PlannedWork


@dataclass(frozen=True)
class Wishes:
    """Those that can be followed, and what is to be said of the others."""

    pairs: frozenset[tuple[UUID, UUID]]
    rank: Mapping[UUID, int]
    """Of each work that is in a wish: longer than any of those that go before it."""
    findings: Sequence[Finding]


def wishes_of(wished: Iterable[tuple[UUID, UUID]], works: Mapping[UUID, PlannedWork]) -> Wishes:
    """Leave out, and name, wishes about works that are not planned, against the surface, and in a ring."""
    findings: list[Finding] = []
    pairs: set[tuple[UUID, UUID]] = set()
    for first, then in sorted(set(wished)):
        unknown = [str(one) for one in (first, then) if one not in works]
        if unknown:
            findings.append(finding("order-unknown", ids=", ".join(unknown)))
        elif is_surface(works[first]) and not is_surface(works[then]):
            findings.append(finding("order-surface", works[first], works[then]))
        else:
            pairs.add((first, then))
    while (ring := _ring(pairs)) is not None:
        told = ", ".join(f"»{works[one].title}«" for one in ring)
        findings.append(finding("order-cycle", *(works[one] for one in ring), ring=told))
        pairs -= {(first, then) for first, then in pairs if first in ring and then in ring}
    return Wishes(frozenset(pairs), _ranks(pairs), findings)


def _sorter(pairs: Iterable[tuple[UUID, UUID]]) -> TopologicalSorter[UUID]:
    sorter: TopologicalSorter[UUID] = TopologicalSorter()
    for first, then in sorted(pairs):
        sorter.add(then, first)
    return sorter


def _ring(pairs: Iterable[tuple[UUID, UUID]]) -> list[UUID] | None:
    try:
        _sorter(pairs).prepare()
    except CycleError as error:
        ring: list[UUID] = error.args[1]
        return sorted(set(ring))
    return None


def _ranks(pairs: Iterable[tuple[UUID, UUID]]) -> dict[UUID, int]:
    before: dict[UUID, list[UUID]] = {}
    for first, then in sorted(pairs):
        before.setdefault(then, []).append(first)
    ranks: dict[UUID, int] = {}
    for one in _sorter(pairs).static_order():
        ranks[one] = 1 + max((ranks[first] for first in before.get(one, ())), default=-1)
    return ranks
