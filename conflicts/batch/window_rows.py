"""Planned works together, as GeoParquet: which clash, which windows are proposed, and when each work is done by the plan."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from uuid import UUID

import pyarrow as pa
import shapely

from conflicts.batch.rows import GEOMETRY, write_geoparquet
from conflicts.windows.plan import Placement
from conflicts.windows.proposals import Proposal
from ler.domain.work_conflicts import WorkConflict
from ler.domain.works import PlannedWork


def _schema(columns: Mapping[str, pa.DataType], absent: Iterable[str] = ()) -> pa.Schema:
    return pa.schema([pa.field(name, kind, nullable=name in {*absent}) for name, kind in columns.items()])


_TEXT, _DAY, _METRES = pa.string(), pa.date32(), pa.float64()
CLASHES: Final = _schema(
    {
        **dict.fromkeys(("kind", "work_id", "other_work_id", "restriction_id"), _TEXT),
        "distance_m": _METRES,
        **dict.fromkeys(("first_day", "last_day"), _DAY),
        "certain": pa.bool_(),
        GEOMETRY: pa.binary(),
    },
    absent=("other_work_id", "restriction_id"),
)
WINDOWS: Final = _schema(
    {
        "pilot_work_id": _TEXT,
        **dict.fromkeys(("start_on", "end_on"), _DAY),
        **dict.fromkeys(("days_saved", "surface_saved_m2"), pa.float64()),
        **dict.fromkeys(("openings_saved", "gain_dkk", "move_dkk"), pa.int64()),
        "gap": pa.float64(),
        **dict.fromkeys(("reason_da", "reason_en"), _TEXT),
        GEOMETRY: pa.binary(),
    }
)
PLACEMENTS: Final = _schema(
    {
        "work_id": _TEXT,
        "pilot_work_id": _TEXT,
        **dict.fromkeys(("start_on", "end_on", "stands_on"), _DAY),
        "moved_days": pa.int32(),
        "fixed": pa.bool_(),
        GEOMETRY: pa.binary(),
    },
    absent=("pilot_work_id",),
)
"""`pilot_work_id`: of the window that it is in; none of who digs apart."""


def write_clashes(path: Path, found: Iterable[WorkConflict]) -> None:
    """Write what of works clashes."""
    rows = [
        {
            "kind": one.kind.value,
            "work_id": str(one.work_id),
            "other_work_id": None if one.other_work_id is None else str(one.other_work_id),
            "restriction_id": None if one.restriction_id is None else str(one.restriction_id),
            "distance_m": one.distance_m,
            "first_day": one.first_day,
            "last_day": one.last_day,
            "certain": one.certain,
            GEOMETRY: shapely.to_wkb(one.place),
        }
        for one in found
    ]
    write_geoparquet(path, pa.Table.from_pylist(rows, schema=CLASHES))


def write_windows(path: Path, proposals: Iterable[Proposal]) -> None:
    """Write the windows of a plan."""
    rows = [
        {
            "pilot_work_id": str(one.pilot.id),
            "start_on": one.start,
            "end_on": one.end,
            "days_saved": one.benefit.days,
            "surface_saved_m2": one.benefit.m2,
            "openings_saved": one.benefit.openings,
            "gain_dkk": one.benefit.gain_dkk,
            "move_dkk": one.benefit.move_dkk,
            "gap": one.gap,
            "reason_da": one.reason_da,
            "reason_en": one.reason_en,
            GEOMETRY: shapely.to_wkb(one.geometry),
        }
        for one in proposals
    ]
    write_geoparquet(path, pa.Table.from_pylist(rows, schema=WINDOWS))


def write_placements(
    path: Path,
    works: Iterable[PlannedWork],
    placements: Mapping[UUID, Placement],
    proposals: Iterable[Proposal],
) -> None:
    """Write when each work is done, those that have days."""
    pilots = {member.work.id: str(one.pilot.id) for one in proposals for member in one.members}
    rows = [
        {
            "work_id": str(work.id),
            "pilot_work_id": pilots.get(work.id),
            "start_on": placements[work.id].start,
            "end_on": placements[work.id].end,
            "stands_on": placements[work.id].stands,
            "moved_days": placements[work.id].moved_days,
            "fixed": placements[work.id].fixed,
            GEOMETRY: shapely.to_wkb(work.geometry),
        }
        for work in works
        if work.id in placements
    ]
    write_geoparquet(path, pa.Table.from_pylist(rows, schema=PLACEMENTS))
