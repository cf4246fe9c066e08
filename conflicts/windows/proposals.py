"""Proposals: the windows of a plan in words and figures, against everybody digging apart."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import shapely
from shapely.geometry.base import BaseGeometry

from conflicts.windows.figures import WindowRules
from conflicts.windows.graph import depth_of, is_surface
from conflicts.windows.plan import Component, Join, Placement, Plan
from ler.domain.works import PlannedWork


@dataclass(frozen=True, slots=True)
class Benefit:
    """What digging together saves at least, against digging apart."""

    days: float
    """Working days of occupied road, each for the part of the joining work that lies in the pilot's stretch."""
    m2: float
    """Surface that is not opened and reinstated twice."""
    openings: int
    gain_dkk: int
    move_dkk: int
    """What moving the members costs, which the gain has to pay."""

    @property
    def dkk(self) -> int:
        """What is left."""
        return self.gain_dkk - self.move_dkk


@dataclass(frozen=True, slots=True)
class Member:
    """One work of a window, in the order in which they dig."""

    work: PlannedWork
    placement: Placement


@dataclass(frozen=True)
class Proposal:
    """Works that are to dig together: days are whole, both ends counted."""

    pilot: PlannedWork
    """The work that opens most of the road; its organisation leads."""
    members: tuple[Member, ...]
    start: date
    end: date
    benefit: Benefit
    gap: float
    """How far from the best the plan of these works and those that hang together with them may be, as part of it."""
    geometry: BaseGeometry
    """What the members cover together, EPSG:25832."""
    reason_da: str
    reason_en: str

    @property
    def movers(self) -> tuple[Member, ...]:
        """Who must move."""
        return tuple(member for member in self.members if member.placement.moved_days)


def proposals_of(plan: Plan, works: Mapping[UUID, PlannedWork], rules: WindowRules) -> list[Proposal]:
    """Return the windows of a plan, by their first day and pilot."""
    found = [
        _proposal(plan, component, joins, works, rules)
        for component in plan.components
        for joins in _by_pilot(component.joins)
    ]
    return sorted(found, key=lambda one: (one.start, one.pilot.id))


def _by_pilot(joins: Iterable[Join]) -> list[list[Join]]:
    found: dict[UUID, list[Join]] = {}
    for join in joins:
        found.setdefault(join.pilot, []).append(join)
    return [*found.values()]


def _proposal(
    plan: Plan,
    component: Component,
    joins: list[Join],
    works: Mapping[UUID, PlannedWork],
    rules: WindowRules,
) -> Proposal:
    pilot = joins[0].pilot
    members = [Member(works[one], plan.placements[one]) for one in (pilot, *(join.joiner for join in joins))]
    members.sort(key=lambda member: _turn(plan, member, rules))
    benefit = Benefit(
        days=sum(join.days for join in joins),
        m2=sum(join.m2 for join in joins),
        openings=sum(join.opening for join in joins),
        gain_dkk=sum(join.dkk for join in joins),
        move_dkk=sum(member.placement.move_dkk for member in members),
    )
    return Proposal(
        pilot=works[pilot],
        members=tuple(members),
        start=min(member.placement.start for member in members),
        end=max(member.placement.end for member in members),
        benefit=benefit,
        gap=component.gap,
        geometry=shapely.union_all([member.work.footprint for member in members]),
        reason_da=_reason_da(benefit, members),
        reason_en=_reason_en(benefit, members),
    )


def _turn(plan: Plan, member: Member, rules: WindowRules) -> tuple[bool, date, date, int, float, UUID]:
    """The surface last; else by their days, and of those that begin and end together as wished, then the deeper first."""
    work, placement = member.work, member.placement
    rank = plan.wish_rank.get(work.id, 0)
    return is_surface(work), placement.start, placement.end, rank, -depth_of(work, rules), work.id


def _number(value: float, *, danish: bool) -> str:
    text = f"{value:,.1f}".removesuffix(".0")
    return text.translate(str.maketrans(",.", ".,")) if danish else text


def _counted(count: int, one: str, ending: str) -> str:
    return f"{count} {one}{'' if count == 1 else ending}"


def _reason_da(benefit: Benefit, members: list[Member]) -> str:
    moved = sum(bool(member.placement.moved_days) for member in members)
    days, m2 = _number(benefit.days, danish=True), _number(benefit.m2, danish=True)
    return (
        f"{len(members)} arbejder ligger op ad hinanden og kan graves samtidig. Det sparer mindst {days} arbejdsdage med"
        f" optaget vej, {m2} m² belægning og {_counted(benefit.openings, 'opgravning', 'er')}, i alt"
        f" {_number(benefit.dkk, danish=True)} kr. efter {_counted(moved, 'flytning', 'er')}."
    )


def _reason_en(benefit: Benefit, members: list[Member]) -> str:
    moved = sum(bool(member.placement.moved_days) for member in members)
    days, m2 = _number(benefit.days, danish=False), _number(benefit.m2, danish=False)
    return (
        f"{len(members)} works lie side by side and can be dug together. That saves at least {days} working days of occupied"
        f" road, {m2} m² of surface and {_counted(benefit.openings, 'opening', 's')},"
        f" DKK {_number(benefit.dkk, danish=False)} in all after {_counted(moved, 'move', 's')}."
    )
