"""Which rows of the owners' tables of precautions hold for a dig, by how near their delivered lines may be.

Distances are those of the conflicts, taken of every line that was delivered, however far: a row may ask for more than any
rule of clearances. Only owners that have a table are looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from conflicts.clearances import Clearances
from conflicts.detect import Near, measure
from conflicts.dig import Dig
from conflicts.distance import locations
from conflicts.existing import Existing
from conflicts.vertical import Ground
from ler.domain.precaution_tables import Vocabulary
from ler.domain.precautions import AskedWork, Hit, NearLine, PrecautionRow, find_hits
from ler.domain.request_rules import DigKind
from ler.domain.work_codes import work_kinds, work_methods
from ler.model import load_model


@dataclass(frozen=True, slots=True)
class OwnersTable:
    """An owner's rows, and those of its areas that delivered lines may reach."""

    rows: Sequence[PrecautionRow]
    areas: Mapping[str, BaseGeometry]
    """By name, EPSG:25832."""


@dataclass(frozen=True, slots=True)
class OwnersHit:
    """A row of an owner's that holds."""

    owner_id: UUID
    hit: Hit
    """Its line's number is its place among what was delivered."""
    geometry: BaseGeometry | None
    """Where the nearest line is: what of it lies in the dig, or the shortest way to it. EPSG:25832."""


def vocabulary(clearances: Clearances) -> Vocabulary:
    """Return the words that rows may use."""
    lists = load_model().code_lists
    return Vocabulary(
        themes=frozenset(lists["Forsyningsart"].values),
        classes={
            f"{name}.{one}": utility.theme
            for name, utility in clearances.utilities.items()
            for one in utility.classes
        },
        danger_classes=frozenset(lists["Fareklasse"].values),
        request_kinds=frozenset(kind.value for kind in DigKind),
        activities=frozenset(work_kinds()),
        methods=frozenset(work_methods()),
    )


def hits_of_owners(
    dig: Dig,
    existing: Existing,
    tables: Mapping[UUID, OwnersTable],
    *,
    request_kind: str,
    clearances: Clearances,
    ground: Ground,
) -> list[OwnersHit]:
    """Return the rows that hold, by owner, theme and priority, of lines of owners that have tables.

    The order of lines and rows does not matter.
    """
    if not tables or not existing.numbers:
        return []
    near = measure(dig, existing, clearances, ground, np.inf)
    where = dict(zip(existing.numbers, locations(existing, near.distances), strict=True))
    work = AskedWork(request_kind, dig.activity, dig.method, dig.depth_m, dig.on)
    held = _Held(dig, existing, near, frozenset(clearances.kinds))
    return [
        OwnersHit(owner_id, hit, where[hit.nearest.number])
        for owner_id in sorted(tables)
        for hit in find_hits(
            tables[owner_id].rows, work, list(held.lines_of(owner_id, tables[owner_id].areas))
        )
    ]


@dataclass(frozen=True, slots=True)
class _Held:
    """Lines held against a dig, all of them and in their order."""

    dig: Dig
    existing: Existing
    near: Near
    every_class: frozenset[str]

    def lines_of(self, owner_id: UUID, areas: Mapping[str, BaseGeometry]) -> Iterator[NearLine]:
        inside = _areas_of(self.existing, areas)
        for place, delivered in enumerate(self.existing.delivered):
            if delivered.owner_id == owner_id:
                themes = delivered.feature.utility_types(load_model().types[delivered.feature.type])
                told: Sequence[str | None] = themes or [None]
                yield from (self._line(place, theme, inside[place]) for theme in told)

    def _line(self, place: int, theme: str | None, areas: frozenset[str] | None) -> NearLine:
        feature, kinds = self.existing.delivered[place].feature, self.existing.kinds[place]
        danger = str(feature.attributes.get("fareklasse"))
        most_m = float(self.near.distances.most_m[place])
        return NearLine(
            number=self.existing.numbers[place],
            gml_id=feature.gml_id,
            theme=theme,
            # What tells no theme may be of any class.
            classes=self.every_class if theme is None else kinds.kinds,
            class_known=theme is not None and kinds.known,
            danger_class=danger if danger in load_model().code_lists["Fareklasse"].values else None,
            least_m=float(self.near.least_m[place]),
            most_m=None if np.isnan(most_m) else most_m,
            areas=areas,
            unknown=self.near.unknown(self.dig, self.existing, place),
        )


def _areas_of(existing: Existing, areas: Mapping[str, BaseGeometry]) -> list[frozenset[str] | None]:
    """The areas that each line may lie in, by its band; None of what has no place."""
    inside: list[set[str]] = [set() for _ in existing.numbers]
    for name, area in areas.items():
        shapely.prepare(area)
        for place in existing.tree.query(area, predicate="dwithin", distance=existing.widest_m).tolist():
            if shapely.distance(area, existing.geometries[place]) <= existing.half_m[place]:
                inside[place].add(name)
    placeless = [geometry is None for geometry in existing.geometries]
    return [None if lost else frozenset(names) for lost, names in zip(placeless, inside, strict=True)]
