"""Owners' tables of precautions: set as a whole, shown and ended by themselves, recorded, and read by the job of a request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import shapely
from geoalchemy2.shape import from_shape, to_shape
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, ProgrammingError

from conflicts.clearances import load_clearances
from conflicts.precautions import OwnersTable, vocabulary
from ler.db.engine import sqlstate
from ler.db.functions import record_event
from ler.db.tables import SRID, owner_precaution, precaution_area
from ler.domain.faults import refuse_faults
from ler.domain.precaution_tables import judge_table, read_row, row_document
from ler.domain.precautions import PrecautionRow
from ler.errors import NotFoundError, RefusedError

_TAKEN: Final = "23505"


@dataclass(frozen=True, slots=True)
class KeptTable:
    """An owner's table that is in force."""

    rows: Sequence[PrecautionRow]
    areas: Mapping[str, BaseGeometry]
    """By name, EPSG:25832."""
    created_at: datetime


def read_table(document: object, areas: Mapping[str, BaseGeometry]) -> list[PrecautionRow]:
    """Return the rows of a table, by priority. FaultsError with every fault of it."""
    rows, faults = judge_table(document, areas, vocabulary(load_clearances()))
    refuse_faults(faults)
    return sorted(rows, key=lambda row: row.priority)


def set_table(
    connection: Connection, owner_id: UUID, rows: Sequence[PrecautionRow], areas: Mapping[str, BaseGeometry]
) -> None:
    """Let a table hold for the acting owner from the next package on, in the place of the one that did.

    RefusedError `role-missing` for who is no owner, `precautions-changed` when another one was set meanwhile.
    """
    _end(connection, owner_id)
    values = {"owner_id": owner_id, "rows": [row_document(row) for row in rows]}
    columns = owner_precaution.c
    try:
        connection.execute(owner_precaution.insert().inline().values(values))
    except ProgrammingError as error:
        raise RefusedError("role-missing", "only owners of lines have precautions") from error
    except DBAPIError as error:
        if sqlstate(error) != _TAKEN:
            raise
        raise RefusedError(
            "precautions-changed", "another table was set meanwhile: look at it first"
        ) from error
    current = columns.owner_id == owner_id, columns.ended_at.is_(None)
    table_id = connection.execute(select(columns.id).where(*current)).scalar_one()
    if areas:
        connection.execute(
            precaution_area.insert().inline(),
            [
                {
                    "table_id": table_id,
                    "owner_id": owner_id,
                    "name": name,
                    "geom": from_shape(_multi(area), SRID),
                }
                for name, area in areas.items()
            ],
        )
    told = {"rows": len(rows), "areas": len(areas)}
    record_event(connection, "ler:owner_precaution:set", actor=owner_id, object_id=table_id, details=told)


def end_table(connection: Connection, owner_id: UUID) -> None:
    """End the table of the acting owner. NotFoundError when none holds."""
    if not _end(connection, owner_id):
        raise NotFoundError("you have no precautions")
    record_event(connection, "ler:owner_precaution:end", actor=owner_id)


def find_table(connection: Connection, owner_id: UUID) -> KeptTable | None:
    """Return the acting owner's table that is in force."""
    columns, area = owner_precaution.c, precaution_area.c
    found = connection.execute(
        select(columns.id, columns.rows, columns.created_at).where(
            columns.owner_id == owner_id, columns.ended_at.is_(None)
        )
    ).one_or_none()
    if found is None:
        return None
    areas = connection.execute(
        select(area.name, area.geom).where(area.table_id == found.id).order_by(area.name)
    )
    kept = {row.name: to_shape(row.geom) for row in areas}
    return KeptTable([read_row(row) for row in found.rows], kept, found.created_at)


def tables_of_owners(connection: Connection, around: BaseGeometry | None) -> dict[UUID, OwnersTable]:
    """Return the tables of the owners that a request asked, by its job, with their areas as far as `around` (EPSG:25832)."""
    columns, area = owner_precaution.c, precaution_area.c
    tables = connection.execute(
        select(columns.id, columns.owner_id, columns.rows).where(columns.ended_at.is_(None))
    ).all()
    found: dict[UUID, OwnersTable] = {}
    for table in tables:
        near: dict[str, BaseGeometry] = {}
        if around is not None:
            query = select(area.name, area.geom).where(
                area.table_id == table.id, func.ST_Intersects(area.geom, from_shape(around, SRID))
            )
            near = {row.name: to_shape(row.geom) for row in connection.execute(query.order_by(area.name))}
        found[table.owner_id] = OwnersTable([read_row(row) for row in table.rows], near)
    return found


def _end(connection: Connection, owner_id: UUID) -> bool:
    columns = owner_precaution.c
    ended = connection.execute(
        update(owner_precaution)
        .where(columns.owner_id == owner_id, columns.ended_at.is_(None))
        .values(ended_at=func.now())
    )
    return bool(ended.rowcount)


def _multi(area: BaseGeometry) -> MultiPolygon:
    return MultiPolygon([part for part in shapely.get_parts(area) if isinstance(part, Polygon)])
