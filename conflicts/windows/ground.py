"""The works that are entered, looked at from place to place: a change among 10,000 touches a few hundred, the rest is not read."""

import math
from collections.abc import Collection
from functools import cached_property
from typing import Protocol
from uuid import UUID

import shapely

from ler.domain.works import DEFAULT_WIDTH_M, PlannedWork


class Ground(Protocol):
    """Where works are looked up; each answer may hold more than was asked for."""

    def named(self, ids: Collection[UUID]) -> Collection[PlannedWork]:
        """Return the works with these ids, as far as they are there."""
        ...

    def beside(self, works: Collection[PlannedWork], within_m: float) -> Collection[PlannedWork]:
        """Return all works whose footprint lies within a distance of that of one of these."""
        ...

    def owned_by(self, organisations: Collection[UUID]) -> Collection[PlannedWork]:
        """Return all works of some organisations."""
        ...


class ListedGround:
    """Works in memory. Their footprints are not made before they are met: for 10,000 that takes longer than a plan."""

    def __init__(self, works: Collection[PlannedWork]) -> None:
        self._works = [*works]

    @cached_property
    def _by_id(self) -> dict[UUID, PlannedWork]:
        return {work.id: work for work in self._works}

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree([work.geometry for work in self._works])

    @cached_property
    def _margin_m(self) -> float:
        """As far as the corner of a footprint lies from its line, at most."""
        widest = max((work.width_m or DEFAULT_WIDTH_M for work in self._works), default=0.0)
        return widest * math.sqrt(0.5)

    def named(self, ids: Collection[UUID]) -> list[PlannedWork]:
        """As for every ground."""
        return [self._by_id[one] for one in ids if one in self._by_id]

    def beside(self, works: Collection[PlannedWork], within_m: float) -> list[PlannedWork]:
        """As for every ground."""
        places = [work.footprint for work in works]
        found = self._tree.query(places, predicate="dwithin", distance=within_m + self._margin_m)
        return [self._works[number] for number in sorted(set(found[1].tolist()))]

    def owned_by(self, organisations: Collection[UUID]) -> list[PlannedWork]:
        """As for every ground."""
        return [work for work in self._works if work.organisation_id in organisations]
