"""`propose-windows`: which of the published works in an area to dig together, when, in which order, and what that saves.

Works are those that everybody may know of, and of the caller's own what is not a draft. A proposal changes nothing: whose
work it is decides.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import shapely
from shapely.geometry.base import BaseGeometry

from conflicts.windows.plan import Brief, Component, Join, Placement, Plan, plan_windows
from geoapi.ogc.processes.process import Mode, Process, Results, Task, Value
from ingest.area_file import read_area_document
from ler.domain.access import Scope
from ler.domain.faults import Fault, FaultsError
from ler.domain.works import ACTIVE
from ler.errors import RefusedError
from ler.rules_in_force import calendar_between
from ler.services.requests import today_of
from ler.services.restrictions import list_restrictions
from ler.services.works import list_works

MOST_WORKS: Final = 2_000
_A_YEAR: Final = timedelta(days=366)
"""Beyond the last day of all works, which a plan may still ask for."""


def _propose(task: Task) -> Results:
    area = _area(task.inputs)
    settings = task.platform.settings
    with task.acting() as connection:
        works = [one.work for one in list_works(connection, statuses=ACTIVE, area=area, limit=MOST_WORKS + 1)]
        if len(works) > MOST_WORKS:
            raise FaultsError([Fault("works-too-many", "/area", f"more than {MOST_WORKS} works lie there")])
        restrictions = [one.restriction for one in list_restrictions(connection)]
        today = today_of(connection)
    brief = Brief(
        works,
        today,
        calendar_between(settings, *_years(works, today)),
        settings.coverage,
        restrictions,
        wishes=[(UUID(first), UUID(then)) for first, then in task.inputs.get("order", ())],
        crews=_crews(task),
    )
    task.tell(
        10, {"en": "Planning {} works", "da": "Planlægger {} arbejder"}[task.language].format(len(works))
    )
    plan = plan_windows(brief)
    task.tell(90, {"en": "Planned", "da": "Planlagt"}[task.language])
    return _told(plan, task)


def _area(inputs: Mapping[str, Any]) -> BaseGeometry | None:
    if "area" not in inputs:
        return None
    try:
        return shapely.union_all(read_area_document(inputs["area"], inputs.get("crs")))
    except RefusedError as refused:
        raise FaultsError([Fault(refused.code, "/area", str(refused))]) from None


def _years(works: list[Any], today: date) -> tuple[date, date]:
    first = min([today, *(work.earliest_start for work in works)])
    last = max([today, *(work.latest_end for work in works)])
    return first, last + _A_YEAR


def _crews(task: Task) -> dict[UUID, int]:
    number = task.inputs.get("crews")
    return {} if number is None else {task.caller.organisation_id: number}


def _told(plan: Plan, task: Task) -> Results:
    together = [part for part in plan.components if part.joins]
    value, bound = (sum(getattr(part, name) for part in plan.components) for name in ("value", "bound"))
    summary = {
        "works": len(plan.placements),
        "windows": sum(len({join.pilot for join in part.joins}) for part in together),
        "saved_dkk": sum(join.dkk for part in together for join in part.joins),
        "value_dkk": value,
        "bound_dkk": bound,
    }
    findings = [
        {
            "code": one.code,
            "works": [str(work) for work in one.work_ids],
            "message": one.da if task.language == "da" else one.en,
        }
        for one in plan.findings
    ]
    placed = {str(work): _placement(one) for work, one in sorted(plan.placements.items())}
    windows = [window for part in together for window in _windows(part)]
    return {"summary": summary, "windows": windows, "placements": placed, "findings": findings}


def _windows(part: Component) -> list[dict[str, Any]]:
    pilots = sorted({join.pilot for join in part.joins})
    return [
        {
            "pilot": str(pilot),
            "joins": [_join(one) for one in part.joins if one.pilot == pilot],
            "saved_dkk": sum(one.dkk for one in part.joins if one.pilot == pilot),
        }
        for pilot in pilots
    ]


def _join(one: Join) -> dict[str, Any]:
    return {
        "work": str(one.joiner),
        "days": one.days,
        "m2": one.m2,
        "opening": one.opening,
        "saved_dkk": one.dkk,
    }


def _placement(one: Placement) -> dict[str, Any]:
    return {
        "start": one.start.isoformat(),
        "end": one.end.isoformat(),
        "stands": one.stands.isoformat(),
        "moved_days": one.moved_days,
        "move_dkk": one.move_dkk,
        "fixed": one.fixed,
    }


_WORK: Final = {"type": "string", "format": "uuid"}
_LIST: Final = {"type": "array", "items": {"type": "object"}}

PROCESS: Final = Process(
    id="propose-windows",
    version="1.0.0",
    titles={"en": "Digging windows", "da": "Gravevinduer"},
    descriptions={
        "en": "Proposes which published works to dig together, when and in which order, and says what that saves.",
        "da": "Foreslår, hvilke offentliggjorte arbejder der graves sammen, hvornår og i hvilken rækkefølge, og hvad det sparer.",
    },
    inputs={
        "area": Value(
            {"en": "Of which area: GeoJSON; without it, everywhere", "da": "For hvilket område: GeoJSON"},
            {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}},
            required=False,
        ),
        "crs": Value(
            {"en": "Coordinate system of the area", "da": "Områdets koordinatsystem"},
            {"type": "string", "pattern": "^(EPSG:[0-9]{4,6}|CRS84)$"},
            required=False,
        ),
        "order": Value(
            {
                "en": "Pairs of works of which the first goes before the second",
                "da": "Par: det første før det andet",
            },
            {
                "type": "array",
                "maxItems": 1000,
                "items": {"type": "array", "items": _WORK, "minItems": 2, "maxItems": 2},
            },
            required=False,
        ),
        "crews": Value(
            {
                "en": "How many works of yours can go on at a time",
                "da": "Hvor mange af jeres arbejder ad gangen",
            },
            {"type": "integer", "minimum": 1, "maximum": 1000},
            required=False,
        ),
    },
    outputs={
        "summary": Value(
            {
                "en": "How many windows, what they save, and how good the plan is at least",
                "da": "Antal, besparelse og kvalitet",
            },
            {"type": "object"},
        ),
        "windows": Value({"en": "Who digs with whom", "da": "Hvem der graver sammen med hvem"}, _LIST),
        "placements": Value(
            {"en": "When each work is done", "da": "Hvornår hvert arbejde udføres"}, {"type": "object"}
        ),
        "findings": Value({"en": "What could not be planned", "da": "Hvad der ikke kunne planlægges"}, _LIST),
    },
    scope=Scope.WORK_READ,
    modes=(Mode.ASYNC,),
    work=_propose,
)
