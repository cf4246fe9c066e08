"""Windows planned over what is entered, and kept: the planner of `conflicts` between the services of `ler`.

What is agreed stands, and an invitation until it is settled: works of such windows are fixed on the window's days, whatever
their own record says by now.
"""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from shapely.geometry.base import BaseGeometry
from sqlalchemy.engine import Connection

from conflicts.windows.again import Standing, plan_around
from conflicts.windows.figures import Prices, standard_prices, standard_rules
from conflicts.windows.plan import Brief, Plan, plan_windows
from conflicts.windows.proposals import Proposal, proposals_of
from ler.domain.windows import WindowAnswer, WindowState
from ler.domain.works import ACTIVE, PlannedWork, WorkStatus
from ler.rules_in_force import work_rules
from ler.services.restrictions import list_restrictions
from ler.services.windows import (
    NewMember,
    NewWindow,
    Place,
    StoredWindow,
    list_places,
    store_windows,
    withdraw_windows,
)
from ler.services.works import StoredWork, get_work, list_works, works_beside
from ler.settings import Settings

_HOLDS: Final = {
    WindowState.INVITED: frozenset({WindowAnswer.OPEN, WindowAnswer.ACCEPTED}),
    WindowState.AGREED: frozenset({WindowAnswer.ACCEPTED}),
}
"""By which answers a work is held to its days."""
_TOLD: Final = (WindowState.PROPOSED, *_HOLDS)
"""In which they are not over. A work is in one of them at most, as long as nobody keeps a plan twice."""
_MOVES: Final = frozenset({WorkStatus.PLANNED, WorkStatus.AGREED})


@dataclass(frozen=True)
class Planned:
    """A plan of all works that are entered, and its windows."""

    brief: Brief
    plan: Plan
    proposals: list[Proposal]


@dataclass(frozen=True)
class Kept:
    """Windows that are kept, as they are shown on a legal day, and their works as far as one may see them."""

    windows: Sequence[StoredWindow]
    works: Mapping[UUID, PlannedWork]
    today: date


def kept_windows(connection: Connection, windows: Sequence[StoredWindow], today: date) -> Kept:
    """Return windows with the works that are drawn of them."""
    ids = {one.member.work_id for window in windows for one in window.members}
    return Kept(windows, {one.work.id: one.work for one in list_works(connection, ids=ids)}, today)


def window_view(kept: StoredWindow) -> dict[str, Any]:
    """Return a window that is kept as JSON has it, without its place."""
    window = kept.window
    return {
        "id": str(kept.id),
        "state": kept.state.value,
        "pilot": str(window.pilot_work_id),
        "start_on": window.start_on.isoformat(),
        "end_on": window.end_on.isoformat(),
        "days_saved": round(window.days_saved, 2),
        "surface_saved_m2": round(window.surface_saved_m2, 2),
        "openings_saved": window.openings_saved,
        "saved_dkk": window.gain_dkk - window.move_dkk,
        "gap": window.gap,
        "answer_by": kept.answer_by.isoformat() if kept.answer_by else None,
        "reason_da": window.reason_da,
        "reason_en": window.reason_en,
        "works": [
            {
                "id": str(one.member.work_id),
                "organisation": str(one.member.organisation_id),
                "title": one.title,
                "start_on": one.member.start_on.isoformat(),
                "end_on": one.member.end_on.isoformat(),
                "moved_days": one.member.moved_days,
                "answer": one.answer.value,
            }
            for one in kept.members
        ],
    }


def plan_entered(
    connection: Connection,
    settings: Settings,
    today: date,
    *,
    wishes: Collection[tuple[UUID, UUID]] = (),
    crews: Mapping[UUID, int] | None = None,
    prices: Prices | None = None,
    processes: int = 1,
) -> Planned:
    """Plan all works that the acting organisation may see, by the rules of the settings, on a legal day."""
    brief = brief_entered(connection, settings, today, wishes=wishes, crews=crews, prices=prices)
    return planned_by(brief, processes=processes)


def plan_again(
    connection: Connection,
    settings: Settings,
    today: date,
    work_ids: Collection[UUID],
    *,
    wishes: Collection[tuple[UUID, UUID]] = (),
    crews: Mapping[UUID, int] | None = None,
    prices: Prices | None = None,
) -> Planned:
    """Plan what some works touch, as after a change of them; all other works stay where they are, and their windows.

    The brief of what is returned holds the works that were planned, and no others. NotFoundError for a work that the acting
    organisation may not see.
    """
    for work_id in work_ids:
        get_work(connection, work_id)
    told = list_places(connection, states=_TOLD)
    ground = EnteredGround(connection, _held_days(told))
    brief = _brief([], connection, settings, today, wishes=wishes, crews=crews, prices=prices)
    named = frozenset(work_ids)
    windows = {place.window_id for place in told if place.work_id in named}
    some = named.union(place.work_id for place in told if place.window_id in windows)
    plan = plan_around(brief, some, _standing(told), ground)
    planned = [work for one, work in ground.read.items() if one in some or one in plan.placements]
    return Planned(replace(brief, works=planned), plan, proposals_of(plan, ground.read, brief.rules))


class EnteredGround:
    """The works that are entered and that the acting organisation may see, each read once, when it is met."""

    def __init__(self, connection: Connection, held: Mapping[UUID, date]) -> None:
        self._connection, self._held = connection, held
        self.read: dict[UUID, PlannedWork] = {}

    def named(self, ids: Collection[UUID]) -> list[PlannedWork]:
        """As for every ground."""
        new = [one for one in ids if one not in self.read]
        self._keep(list_works(self._connection, ids=new, statuses=ACTIVE) if new else [])
        return [self.read[one] for one in ids if one in self.read]

    def beside(self, works: Collection[PlannedWork], within_m: float) -> list[PlannedWork]:
        """As for every ground."""
        return self.named(works_beside(self._connection, [work.id for work in works], within_m))

    def owned_by(self, organisations: Collection[UUID]) -> list[PlannedWork]:
        """As for every ground."""
        found = [list_works(self._connection, organisation_id=one, statuses=ACTIVE) for one in organisations]
        return self._keep([one for works in found for one in works])

    def _keep(self, stored: Collection[StoredWork]) -> list[PlannedWork]:
        works = [_as_held(one.work, self._held) for one in stored]
        self.read |= {work.id: work for work in works}
        return works


def _standing(told: Collection[Place]) -> Standing:
    held = [
        place for place in told if place.state is WindowState.PROPOSED or place.answer in _HOLDS[place.state]
    ]
    return Standing(
        start={place.work_id: place.start_on for place in held},
        pilot={place.work_id: place.pilot_work_id for place in held if place.work_id != place.pilot_work_id},
    )


def brief_entered(
    connection: Connection,
    settings: Settings,
    today: date,
    *,
    wishes: Collection[tuple[UUID, UUID]] = (),
    crews: Mapping[UUID, int] | None = None,
    prices: Prices | None = None,
    area: BaseGeometry | None = None,
    most: int | None = None,
) -> Brief:
    """Return what there is to plan of what is entered: everywhere, or of works that touch an area (EPSG:25832); at most so many."""
    held = _held_days(list_places(connection, states=_HOLDS.keys()))
    found = list_works(connection, statuses=ACTIVE, area=area, limit=most)
    works = [_as_held(one.work, held) for one in found]
    return _brief(works, connection, settings, today, wishes=wishes, crews=crews, prices=prices)


def _brief(
    works: Sequence[PlannedWork],
    connection: Connection,
    settings: Settings,
    today: date,
    *,
    wishes: Collection[tuple[UUID, UUID]],
    crews: Mapping[UUID, int] | None,
    prices: Prices | None,
) -> Brief:
    return Brief(
        works=works,
        today=today,
        work_rules=work_rules(settings, today),
        restrictions=[one.restriction for one in list_restrictions(connection)],
        wishes=wishes,
        crews=crews or {},
        rules=standard_rules(),
        prices=prices or standard_prices(),
    )


def planned_by(brief: Brief, *, processes: int = 1, workers: Executor | None = None) -> Planned:
    """Return the plan of a brief and its windows; it takes long, and needs no connection."""
    plan = plan_windows(brief, processes=processes, workers=workers)
    works = {work.id: work for work in brief.works}
    return Planned(brief, plan, proposals_of(plan, works, brief.rules))


def total_of(planned: Planned) -> dict[str, Any]:
    """Return the figures of a plan: what all its windows save at least, and how far from the best it may be."""
    benefits = [one.benefit for one in planned.proposals]
    together = [part for part in planned.plan.components if len(part.work_ids) > 1]
    bound = sum(part.bound for part in together)
    return {
        "works": sum(len(part.work_ids) for part in planned.plan.components),
        "windows": len(planned.proposals),
        "works_in_windows": sum(len(one.members) for one in planned.proposals),
        "moved": sum(len(one.movers) for one in planned.proposals),
        "days_saved": round(sum(one.days for one in benefits), 1),
        "surface_saved_m2": round(sum(one.m2 for one in benefits), 1),
        "openings_saved": sum(one.openings for one in benefits),
        "saved_dkk": sum(one.dkk for one in benefits),
        "mean_gap": sum(part.gap for part in together) / max(1, len(together)),
        "gap": (bound - sum(part.value for part in together)) / max(1, abs(bound)),
    }


def _held_days(told: Collection[Place]) -> dict[UUID, date]:
    return {
        place.work_id: place.start_on
        for place in told
        if place.answer in _HOLDS.get(place.state, frozenset())
    }


def _as_held(work: PlannedWork, held: Mapping[UUID, date]) -> PlannedWork:
    start = held.get(work.id)
    if start is None or work.status not in _MOVES or not work.earliest_start <= start <= work.latest_end:
        return work
    return replace(work, planned_start=start, status=WorkStatus.FROZEN)


def keep_proposals(connection: Connection, acting: UUID, planned: Planned) -> tuple[list[UUID], int]:
    """Keep the windows of a plan in the place of those that were only proposed; their ids, and how many were taken back.

    A window of which all works stand fixed already is not proposed again.
    """
    taken = withdraw_windows(connection, acting, [work.id for work in planned.brief.works])
    fresh = [one for one in planned.proposals if any(not member.placement.fixed for member in one.members)]
    return store_windows(connection, acting, [new_window(one) for one in fresh]), taken


def new_window(proposal: Proposal) -> NewWindow:
    """Return a proposal as it is kept."""
    benefit = proposal.benefit
    return NewWindow(
        pilot_work_id=proposal.pilot.id,
        geometry=proposal.geometry,
        start_on=proposal.start,
        end_on=proposal.end,
        days_saved=benefit.days,
        surface_saved_m2=benefit.m2,
        openings_saved=benefit.openings,
        gain_dkk=benefit.gain_dkk,
        move_dkk=benefit.move_dkk,
        gap=proposal.gap,
        reason_da=proposal.reason_da,
        reason_en=proposal.reason_en,
        members=[
            NewMember(
                work_id=member.work.id,
                organisation_id=member.work.organisation_id,
                start_on=member.placement.start,
                end_on=member.placement.end,
                stands_on=member.placement.stands,
                moved_days=member.placement.moved_days,
            )
            for member in proposal.members
        ],
    )
