"""Works and restrictions of a file: judged row by row, then entered all or none.

A row whose reference names a work of the organisation already says that work anew, so that a plan can be sent again every
month; a work that is not in the file is left as it is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from shapely.geometry.base import BaseGeometry
from sqlalchemy.engine import Connection

from conflicts.work_conflict_store import Refreshed
from geoapi.works_desk import WorksDesk
from ingest.records_file import FileRecord, read_records
from ler.domain.faults import Fault, FaultsError
from ler.domain.restrictions import Restriction
from ler.domain.work_record import RESTRICTION_FIELDS, WORK_FIELDS, values_of_cells
from ler.domain.works import PlannedWork
from ler.services.restrictions import judged_restriction
from ler.services.works import judged_work, replace_work, works_by_reference


@dataclass(frozen=True, slots=True)
class RowFault:
    """Something that is wrong with a row."""

    layer: str
    record: int
    """In its layer, from 1."""
    fault: Fault


class RowsRefusedError(FaultsError):
    """Rows of a file are refused, and with them the file."""

    def __init__(self, rows: Sequence[RowFault]) -> None:
        super().__init__([row.fault for row in rows])
        self.rows = tuple(rows)


@dataclass(frozen=True, slots=True)
class _Row[Thing]:
    record: FileRecord
    values: dict[str, object]
    geometry: BaseGeometry
    thing: Thing

    def fault(self, fault: Fault) -> RowFault:
        return RowFault(self.record.layer, self.record.number, fault)


@dataclass(slots=True)
class JudgedFile[Thing]:
    """What a file holds, and all that is wrong with it."""

    name: str
    rows: list[_Row[Thing]] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)
    unused: set[str] = field(default_factory=set)
    """Columns that mean nothing here."""

    def refuse_faults(self) -> None:
        """RowsRefusedError when there are any."""
        if self.faults:
            raise RowsRefusedError(self.faults)


@dataclass(frozen=True, slots=True)
class Entered:
    """What became of the works of a file."""

    new: tuple[UUID, ...]
    changed: tuple[UUID, ...]
    unchanged: int
    conflicts: Refreshed


def judge_works_file(
    path: Path, crs: str | None, organisation_id: UUID, desk: WorksDesk
) -> JudgedFile[PlannedWork]:
    """Read the works of a file and judge each. RefusedError for a file that cannot be read."""

    def judge(values: dict[str, object], geometry: BaseGeometry) -> tuple[PlannedWork | None, list[Fault]]:
        return judged_work(values, geometry, organisation_id, desk.rules)

    judged = _judged(path, crs, WORK_FIELDS, judge)
    judged.faults.extend(_twice(judged.rows))
    return judged


def judge_works(
    name: str, given: Iterable[tuple[dict[str, object], BaseGeometry]], organisation_id: UUID, desk: WorksDesk
) -> JudgedFile[PlannedWork]:
    """Judge works that came otherwise: their values and places (EPSG:25832), each a row from 1."""
    judged = JudgedFile[PlannedWork](name)
    for number, (values, geometry) in enumerate(given, 1):
        record = FileRecord("works", number, dict(values), geometry, None)
        thing, faults = judged_work(values, geometry, organisation_id, desk.rules)
        judged.faults += [RowFault(record.layer, number, fault) for fault in faults]
        if thing is not None and not faults:
            judged.rows.append(_Row(record, values, geometry, thing))
    judged.faults.extend(_twice(judged.rows))
    return judged


def judge_restrictions_file(
    path: Path, crs: str | None, organisation_id: UUID, desk: WorksDesk
) -> JudgedFile[Restriction]:
    """Read the restrictions of a file and judge each. RefusedError for a file that cannot be read."""

    def judge(values: dict[str, object], geometry: BaseGeometry) -> tuple[Restriction | None, list[Fault]]:
        return judged_restriction(values, geometry, organisation_id, coverage=desk.rules.coverage)

    return _judged(path, crs, RESTRICTION_FIELDS, judge)


def enter_works_file(
    connection: Connection, organisation_id: UUID, judged: JudgedFile[PlannedWork], desk: WorksDesk
) -> Entered:
    """Enter the works of a file: new ones, and anew those that their references name.

    RowsRefusedError for a row with a fault, and for one whose status cannot follow; the caller then keeps nothing.
    """
    judged.refuse_faults()
    references = {row.thing.reference for row in judged.rows if row.thing.reference}
    known = works_by_reference(connection, organisation_id, references)
    changed: list[UUID] = []
    refused: list[RowFault] = []
    for row in judged.rows:
        before = known.get(row.thing.reference or "")
        if before is None:
            continue
        try:
            after = replace_work(
                connection,
                organisation_id,
                before.work.id,
                row.values,
                row.geometry,
                rules=desk.rules,
                expected_version=before.work.version,
            )
        except FaultsError as error:
            refused += [row.fault(fault) for fault in error.faults]
            continue
        if after.work.version != before.work.version:
            changed.append(after.work.id)
    if refused:
        raise RowsRefusedError(refused)
    fresh = [row.thing for row in judged.rows if row.thing.reference not in known]
    new = desk.enter(connection, organisation_id, fresh, source=judged.name)
    unchanged = len(judged.rows) - len(new) - len(changed)
    return Entered(tuple(new), tuple(changed), unchanged, desk.look_at(connection, {*new, *changed}))


def enter_restrictions_file(
    connection: Connection, organisation_id: UUID, judged: JudgedFile[Restriction], desk: WorksDesk
) -> tuple[list[UUID], Refreshed]:
    """Enter the restrictions of a file; their ids, and the conflicts that came up. RowsRefusedError for a row with a fault."""
    judged.refuse_faults()
    things = [row.thing for row in judged.rows]
    return desk.enter_restrictions(connection, organisation_id, things, source=judged.name)


def _judged[Thing](
    path: Path,
    crs: str | None,
    fields: Mapping[str, Any],
    judge: Callable[[dict[str, object], BaseGeometry], tuple[Thing | None, list[Fault]]],
) -> JudgedFile[Thing]:
    judged = JudgedFile[Thing](path.name)
    for record in read_records(path, crs):
        values, unused = values_of_cells(record.cells, fields)
        judged.unused.update(unused)
        if record.geometry is None:
            fault = Fault(record.fault or "geometry-empty", "/geometry", "its place cannot be used")
            judged.faults.append(RowFault(record.layer, record.number, fault))
            continue
        thing, faults = judge(values, record.geometry)
        judged.faults += [RowFault(record.layer, record.number, fault) for fault in faults]
        if thing is not None and not faults:
            judged.rows.append(_Row(record, values, record.geometry, thing))
    return judged


def _twice(rows: Sequence[_Row[PlannedWork]]) -> Iterator[RowFault]:
    """References that stand in two rows."""
    seen: set[str] = set()
    for row in rows:
        reference = row.thing.reference
        if reference in seen:
            yield row.fault(
                Fault("work-reference", "/reference", f"another row has the reference {reference!r} too")
            )
        elif reference:
            seen.add(reference)
