from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from shapely import LineString, MultiPoint, Point, Polygon, box

from ler.calendar_of_denmark import calendar_of_denmark
from ler.domain.faults import Fault
from ler.domain.restrictions import Restriction, RestrictionKind, restriction_faults
from ler.domain.work_codes import work_methods
from ler.domain.work_record import WORK_FIELDS, merged, read_work, record_of, values_of_cells
from ler.domain.works import Method, PlannedWork, WorkLimits, WorkRules, WorkStatus, status_fault

CALENDAR = calendar_of_denmark(2026, 2027)
COVERAGE = (120_000.0, 5_900_000.0, 1_000_000.0, 6_500_000.0)
EAST, NORTH = 572_000.0, 6_225_000.0
LINE = LineString([(EAST, NORTH), (EAST + 100, NORTH)])
# Ten working days from a Monday to a Friday, without a holiday.
WORK = PlannedWork(
    id=UUID(int=1),
    organisation_id=UUID(int=2),
    title="New main",
    geometry=LINE,
    activity="vand",
    method=Method.OPEN_TRENCH,
    depth_m=1.2,
    duration_days=10,
    earliest_start=date(2026, 3, 2),
    latest_end=date(2026, 3, 13),
)
MORATORIUM = Restriction(
    id=UUID(int=3),
    organisation_id=UUID(int=2),
    kind=RestrictionKind.MORATORIUM,
    title="New asphalt",
    geometry=LINE.buffer(4),
    first_day=date(2026, 3, 1),
    last_day=date(2029, 2, 28),
    source="Municipality, decision of 1 February 2026",
)


def faults(work: PlannedWork) -> list[tuple[str, str]]:
    found = WorkRules(CALENDAR, COVERAGE).faults(work, "/properties")
    return [(fault.code, fault.pointer.removeprefix("/properties")) for fault in found]


def test_a_work_that_fits_has_no_fault() -> None:
    assert faults(WORK) == []
    assert faults(replace(WORK, planned_start=date(2026, 3, 2), duration_days=10)) == []


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"latest_end": date(2026, 3, 1)}, ("work-window", "/latest_end")),
        (
            {"latest_end": date(2027, 12, 31), "earliest_start": date(2025, 12, 31)},
            ("work-window", "/earliest_start"),
        ),
        ({"latest_end": date(9999, 12, 31)}, ("work-window", "/latest_end")),
        ({"duration_days": 11}, ("work-duration", "/duration_days")),
        ({"duration_days": 0}, ("work-duration", "/duration_days")),
        ({"planned_start": date(2026, 3, 3)}, ("work-start", "/planned_start")),
        ({"planned_start": date(2026, 2, 27), "duration_days": 1}, ("work-start", "/planned_start")),
        ({"title": " "}, ("text-invalid", "/title")),
        ({"title": "a\nb"}, ("text-invalid", "/title")),
        ({"contact": "x" * 255}, ("text-invalid", "/contact")),
        ({"activity": "vacuum"}, ("work-activity", "/activity")),
        ({"depth_m": float("nan")}, ("depth-invalid", "/depth_m")),
        ({"width_m": 61.0}, ("work-width", "/width_m")),
        ({"road_area_m2": -1.0}, ("work-area", "/road_area_m2")),
        ({"ducts_offered": -1}, ("work-ducts", "/ducts_offered")),
        ({"geometry": Polygon()}, ("geometry-empty", "/geometry")),
        ({"geometry": MultiPoint([(EAST, NORTH)])}, ("geometry-type", "/geometry")),
        ({"geometry": LineString([(EAST, NORTH), (EAST, NORTH)])}, ("geometry-invalid", "/geometry")),
        ({"geometry": Point(float("nan"), NORTH)}, ("geometry-invalid", "/geometry")),
        ({"geometry": Point(12.5, 55.7)}, ("crs-out-of-area", "/geometry")),
        ({"geometry": box(EAST, NORTH, EAST + 1001, NORTH + 1000)}, ("area-size", "/geometry")),
        ({"geometry": LineString([(EAST, NORTH), (EAST + 25_001, NORTH)])}, ("area-size", "/geometry")),
    ],
)
def test_each_rule_refuses_what_breaks_it_and_nothing_else(
    change: dict[str, Any], wanted: tuple[str, str]
) -> None:
    assert faults(replace(WORK, **change)) == [wanted]


def test_the_methods_are_those_of_requests() -> None:
    assert {*Method} == {*work_methods()}


def test_a_bore_opens_its_pits_only() -> None:
    bore = replace(WORK, method=Method.DIRECTIONAL_DRILLING)
    assert WORK.opened_m2 == pytest.approx(101.0)
    assert bore.opened_m2 == pytest.approx(8.0)
    assert replace(bore, road_area_m2=12.0).opened_m2 == 12.0
    assert bore.footprint.equals(WORK.footprint)


def test_a_work_may_begin_and_be_done_as_its_window_leaves_time() -> None:
    def days(**change: Any) -> tuple[str, ...]:  # noqa: ANN401 - any field
        work = replace(WORK, **change)
        found = *work.runs(CALENDAR), work.latest_start(CALENDAR), work.earliest_end(CALENDAR)
        return tuple(f"{day:%d}" for day in found)

    assert days() == ("02", "13", "02", "13")
    assert days(duration_days=6) == ("02", "13", "06", "09")
    assert days(duration_days=5, planned_start=date(2026, 3, 4)) == ("04", "10", "04", "10")


def test_easter_is_not_worked() -> None:
    # Maundy Thursday to Easter Monday 2026: 2 to 6 April.
    work = replace(WORK, earliest_start=date(2026, 3, 30), latest_end=date(2026, 4, 7), duration_days=4)
    assert faults(work) == []
    assert faults(replace(work, duration_days=5)) == [("work-duration", "/duration_days")]


def test_what_was_published_is_never_a_draft_again_and_what_is_done_stays() -> None:
    assert status_fault(WorkStatus.DRAFT, WorkStatus.PLANNED) is None
    assert status_fault(WorkStatus.DONE, WorkStatus.DONE) is None
    for before, after in ((WorkStatus.PLANNED, WorkStatus.DRAFT), (WorkStatus.DONE, WorkStatus.RUNNING)):
        found = status_fault(before, after)
        assert found is not None
        assert found.code == "work-status"


def test_restrictions_have_a_period_a_source_and_a_place() -> None:
    def codes(**change: Any) -> list[str]:  # noqa: ANN401 - any field
        changed = replace(MORATORIUM, **change)
        return [f.code for f in restriction_faults(changed, coverage=COVERAGE, limits=WorkLimits())]

    assert codes() == codes(last_day=None) == []
    assert codes(last_day=date(2026, 2, 28)) == ["work-window"]
    assert codes(source="") == ["text-invalid"]
    assert codes(work_id=UUID(int=1)) == ["restriction-work"]
    assert codes(geometry=box(*COVERAGE)) == ["area-size"]


RECORD: dict[str, object] = {
    "title": "New main",
    "activity": "vand",
    "method": "open-trench",
    "duration_days": 10,
    "earliest_start": "2026-03-02",
    "latest_end": "2026-03-13",
}


def read(values: dict[str, object]) -> tuple[PlannedWork | None, list[Fault]]:
    return read_work(values, LINE, work_id=WORK.id, organisation_id=WORK.organisation_id, base="/properties")


def test_a_record_is_read_and_written_without_loss() -> None:
    work, faults = read(RECORD | {"depth_m": 1.2, "road": None})
    assert (work, faults) == (WORK, [])
    whole = replace(
        WORK, planned_start=date(2026, 3, 2), willing_to_share=True, ducts_wanted=2, reference="a"
    )
    assert read(record_of(whole))[0] == whole
    assert read(merged(record_of(whole), {"depth_m": None, "title": "x"}))[0] == replace(
        whole, depth_m=None, title="x"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *product(["duration_days"], [True, 1.5, "10", 1e300, float("nan"), 2**40, ["10"]]),
        *product(["depth_m"], [True, float("inf"), "1,2", {"m": 1}]),
        *product(["earliest_start"], ["2026-02-30", "02.03.2026", 20260302]),
        *product(["method"], ["magic", "Hand", 1]),
        ("willing_to_share", 1),
        ("title", 7),
        ("colour", "red"),
        ("version", 2),
    ],
)
def test_a_value_that_is_not_of_its_kind_is_told_with_its_place(name: str, value: object) -> None:
    work, faults = read(RECORD | {name: value})
    assert work is None
    assert [(fault.code, fault.pointer) for fault in faults] == [("field-invalid", f"/properties/{name}")]


def test_all_that_is_missing_is_told_at_once() -> None:
    work, faults = read({"a/b": 1})
    assert work is None
    assert (faults[0].code, faults[0].pointer) == ("field-invalid", "/properties/a~1b")
    assert [fault.code for fault in faults[1:]] == ["field-missing"] * 6


def test_cells_of_a_table_become_values_and_strange_columns_are_told() -> None:
    cells = {
        "Title": "x",
        "EARLIEST_S": date(2026, 3, 2),
        "latest_end": datetime(2026, 3, 12, 23, 30, tzinfo=UTC),
        "duration_d": "10",
        "willing_to": 1,
        "depth_m": "deep",
        "reference": 17.0,
        "contact": "",
        "latest": "x",
        "earliest_stop": "x",
    }
    assert values_of_cells(cells, WORK_FIELDS) == (
        {
            "title": "x",
            "earliest_start": "2026-03-02",
            "latest_end": "2026-03-13",
            "duration_days": 10.0,
            "willing_to_share": True,
            "depth_m": "deep",
            "reference": "17",
        },
        ["latest", "earliest_stop"],
    )
