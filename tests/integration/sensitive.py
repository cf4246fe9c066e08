"""What the tests of sensitive lines share: rules made as their owner makes them, and what a digger is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from geoalchemy2.shape import from_shape, to_shape
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import select, text

from ler.db import tables
from tests.integration.test_db_world import World

RESTRICTED, MARKING, NEVER = "restricted", "site-marking", "never"


@dataclass(frozen=True)
class Told:
    """What a digger is told by one owner's answer that holds."""

    answer_id: UUID
    type: str
    features: set[str]
    words: str | None
    cells: BaseGeometry | None
    awaits_owner: bool
    state: str
    """Of the request."""


def rule(world: World, owner: UUID | None, kind: str, **named: Any) -> UUID:  # noqa: ANN401 - columns
    """Make a rule; `owner` None: the operator's for all."""
    if isinstance(named.get("area"), Polygon):
        named["area"] = from_shape(MultiPolygon([named["area"]]), srid=tables.SRID)
    values = {"owner_id": owner, "class": kind, **named}
    with world.acting(owner or tables.PLATFORM_OPERATOR) as connection:
        made: UUID = connection.execute(
            tables.sensitivity_rule.insert().values(values).returning(tables.sensitivity_rule.c.id)
        ).scalar_one()
    return made


def told(world: World, digger: UUID, request: UUID, owner: UUID) -> Told | None:
    """Read, as the digger, what an owner's answer tells; None when there is none."""
    answer, withheld, feature = tables.owner_answer.c, tables.answer_withheld.c, tables.package_feature.c
    with world.acting(digger) as connection:
        row = connection.execute(
            select(
                answer.id,
                answer.answer_type,
                answer.further_information,
                withheld.awaits_owner,
                withheld.marking_area,
            )
            .outerjoin(tables.answer_withheld, withheld.answer_id == answer.id)
            .where(answer.request_id == request, answer.owner_id == owner, answer.replaced_at.is_(None))
        ).one_or_none()
        if row is None:
            return None
        names = connection.execute(select(feature.gml_id).where(feature.answer_id == row.id)).scalars()
        state = connection.execute(
            select(tables.excavation_request.c.state).where(tables.excavation_request.c.id == request)
        ).scalar_one()
        return Told(
            row.id,
            row.answer_type,
            set(names),
            row.further_information,
            None if row.marking_area is None else to_shape(row.marking_area),
            bool(row.awaits_owner),
            state,
        )


def dig(world: World, owner: UUID, area: Polygon, digger: UUID | None = None) -> Told:
    """Ask for an area and return what the owner's answer tells."""
    digger = digger or world.organisation("digger")
    request = world.request(digger, area)
    world.match(digger, request)
    found = told(world, digger, request, owner)
    assert found is not None
    return found


def decide(world: World, principal: UUID, answer: UUID, *, deliver: bool) -> UUID:
    """The owner's yes or no; returns the answer that follows."""
    with world.acting(principal) as connection:
        made: UUID = connection.execute(
            text("SELECT ler.decide_withheld(:answer, :deliver)"), {"answer": answer, "deliver": deliver}
        ).scalar_one()
    return made


def withheld_of(world: World, owner: UUID) -> Mapping[str, tuple[str, bool]]:
    """What the owner sees of what was withheld last: class, and whether it lay inside, by gml:id."""
    columns = tables.withheld_feature.c
    with world.acting(owner) as connection:
        rows: Sequence[Any] = connection.execute(
            select(columns.gml_id, columns["class"], columns.inside)
        ).all()
    return {row[0]: (row[1], row[2]) for row in rows}
