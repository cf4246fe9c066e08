"""Windows planned over what is entered, and kept: the planner of `conflicts` between the services of `ler`.

What is agreed stands, and an invitation until it is settled: works of such windows are fixed on the window's days, whatever
their own record says by now.
"""

from collections.abc import Collection, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from shapely.geometry.base import BaseGeometry
from sqlalchemy.engine import Connection

from conflicts.windows.figures import Prices, standard_prices, standard_rules
from conflicts.windows.plan import Brief, Plan, Standing, plan_around, plan_windows
from conflicts.windows.proposals import Proposal, proposals_of
from ler.domain.windows import WindowAnswer, WindowState
from ler.domain.works import ACTIVE, PlannedWork, WorkStatus
from ler.rules_in_force import work_rules
from ler.services.restrictions import list_restrictions
from ler.services.windows import (
    NewMember,
    NewWindow,
    StoredWindow,
    list_windows,
    store_windows,
    withdraw_windows,
)
from ler.services.works import get_work, list_works
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
    brief = brief_entered(connection, settings, today, wishes=wishes, crews=crews, prices=prices)
    told = list_windows(connection, states=_TOLD)
    named = frozenset(work_ids)
    touched = [
        window for window in told if not named.isdisjoint(one.member.work_id for one in window.members)
    ]
    some = named.union(one.member.work_id for window in touched for one in window.members)
    plan = plan_around(brief, some, _standing(told))
    works = {work.id: work for work in brief.works}
    planned = [work for work in brief.works if work.id in some or work.id in plan.placements]
    return Planned(replace(brief, works=planned), plan, proposals_of(plan, works, brief.rules))


def _standing(windows: Collection[StoredWindow]) -> Standing:
    held = [
        (window.window.pilot_work_id, one.member)
        for window in windows
        for one in window.members
        if window.state is WindowState.PROPOSED or one.answer in _HOLDS[window.state]
    ]
    return Standing(
        start={member.work_id: member.start_on for _, member in held},
        pilot={member.work_id: pilot for pilot, member in held if member.work_id != pilot},
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
    held = _held_days(connection)
    found = list_works(connection, statuses=ACTIVE, area=area, limit=most)
    return Brief(
        works=[_as_held(one.work, held) for one in found],
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


def _held_days(connection: Connection) -> dict[UUID, date]:
    return {
        one.member.work_id: one.member.start_on
        for window in list_windows(connection, states=_HOLDS.keys())
        for one in window.members
        if one.answer in _HOLDS[window.state]
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
