"""`propose-windows`: which of the published works in an area to dig together, when, in which order, and what that saves.

A proposal is told and not kept: whose works they are is asked by the windows themselves (`ler windows`).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import shapely

from geoapi.ogc.processes.process import Mode, Process, Results, Task, Value
from geoapi.ogc.processes.values import AREA, CRS, in_degrees, read_area
from ler.domain.access import Scope
from ler.domain.faults import Fault, FaultsError
from ler.services.requests import today_of

if TYPE_CHECKING:
    from conflicts.windows.plan import Brief, Placement
    from conflicts.windows.proposals import Proposal
    from geoapi.windows_desk import Planned

MOST_WORKS: Final = 2_000


def _propose(task: Task) -> Results:
    # The planner's library takes a second, for which nobody else is to wait.
    from geoapi.windows_desk import planned_by  # noqa: PLC0415

    brief = _brief(task)
    said = {"en": "Planning {} works", "da": "Planlægger {} arbejder"}[task.language]
    task.tell(10, said.format(len(brief.works)))
    return _told(planned_by(brief), task)


def _brief(task: Task) -> "Brief":
    from geoapi.windows_desk import brief_entered  # noqa: PLC0415 - as above

    inputs, caller = task.inputs, task.caller
    area = shapely.union_all(read_area(inputs)) if "area" in inputs else None
    with task.acting() as connection:
        brief = brief_entered(
            connection,
            task.platform.settings,
            today_of(connection),
            wishes=[(UUID(first), UUID(then)) for first, then in inputs.get("order", ())],
            crews={caller.organisation_id: inputs["crews"]} if "crews" in inputs else {},
            area=area,
            most=MOST_WORKS + 1,
        )
    if len(brief.works) > MOST_WORKS:
        raise FaultsError([Fault("works-too-many", "/area", f"more than {MOST_WORKS} works lie there")])
    return brief


def _told(planned: "Planned", task: Task) -> Results:
    plan, proposals = planned.plan, planned.proposals
    summary = {
        "works": len(plan.placements),
        "windows": len(proposals),
        "saved_dkk": sum(one.benefit.dkk for one in proposals),
        "value_dkk": sum(part.value for part in plan.components),
        "bound_dkk": sum(part.bound for part in plan.components),
    }
    findings = [
        {
            "code": one.code,
            "works": [str(work) for work in one.work_ids],
            "message": one.da if task.language == "da" else one.en,
        }
        for one in plan.findings
    ]
    windows = {"type": "FeatureCollection", "features": [_window(one, task) for one in proposals]}
    placements = {str(work): _placement(one) for work, one in sorted(plan.placements.items())}
    return {"summary": summary, "windows": windows, "placements": placements, "findings": findings}


def _window(one: "Proposal", task: Task) -> Mapping[str, Any]:
    benefit = one.benefit
    properties = {
        "pilot": str(one.pilot.id),
        "works": [str(member.work.id) for member in one.members],
        "start": one.start.isoformat(),
        "end": one.end.isoformat(),
        "days_saved": benefit.days,
        "surface_saved_m2": benefit.m2,
        "openings_saved": benefit.openings,
        "gain_dkk": benefit.gain_dkk,
        "move_dkk": benefit.move_dkk,
        "saved_dkk": benefit.dkk,
        "gap": one.gap,
        "reason": one.reason_da if task.language == "da" else one.reason_en,
    }
    return {"type": "Feature", "geometry": in_degrees(one.geometry), "properties": properties}


def _placement(one: "Placement") -> Mapping[str, Any]:
    return {
        "start": one.start.isoformat(),
        "end": one.end.isoformat(),
        "stands": one.stands.isoformat(),
        "moved_days": one.moved_days,
        "move_dkk": one.move_dkk,
        "fixed": one.fixed,
    }


_PAIR: Final = {
    "type": "array",
    "items": {"type": "string", "format": "uuid"},
    "minItems": 2,
    "maxItems": 2,
}

PROCESS: Final = Process(
    id="propose-windows",
    version="1.0.0",
    titles={"en": "Digging windows", "da": "Gravevinduer"},
    descriptions={
        "en": "Proposes which published works to dig together, when and in which order, and tells what that saves.",
        "da": "Foreslår, hvilke offentliggjorte arbejder der graves sammen, hvornår og i hvilken orden, og hvad det sparer.",
    },
    inputs={
        "area": Value(
            {"en": "Of which area; without it, everywhere", "da": "For hvilket område; ellers overalt"},
            AREA,
            required=False,
        ),
        "crs": CRS,
        "order": Value(
            {
                "en": "Pairs of works of which the first goes before the second",
                "da": "Par af arbejder, hvor det første går før det andet",
            },
            {"type": "array", "maxItems": 1000, "items": _PAIR},
            required=False,
        ),
        "crews": Value(
            {
                "en": "How many works of your own can go on at a time",
                "da": "Hvor mange af egne arbejder der kan udføres ad gangen",
            },
            {"type": "integer", "minimum": 1, "maximum": 1000},
            required=False,
        ),
    },
    outputs={
        "summary": Value(
            {
                "en": "How many windows, what they save, and how good the plan is at least",
                "da": "Hvor mange vinduer, hvad de sparer, og hvor god planen mindst er",
            },
            {"type": "object"},
        ),
        "windows": Value(
            {"en": "Who digs with whom, where and when", "da": "Hvem der graver sammen, hvor og hvornår"},
            {"type": "object", "contentMediaType": "application/geo+json"},
        ),
        "placements": Value(
            {"en": "When each work is done", "da": "Hvornår hvert arbejde udføres"}, {"type": "object"}
        ),
        "findings": Value(
            {"en": "What could not be planned", "da": "Hvad der ikke kunne planlægges"},
            {"type": "array", "items": {"type": "object"}},
        ),
    },
    scope=Scope.WORK_READ,
    modes=(Mode.ASYNC,),
    work=_propose,
)
