"""The lines of a partition: all around its works are glanced at, and those that a rule may reach are read whole.

A glance tells what the rules and the bands of lines go by, in one row for all lines that do not differ in it; most lines
are farther from every work than their own rules reach, and cost no more than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import shapely
from geoalchemy2.shape import from_shape
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry
from sqlalchemy import select, text
from sqlalchemy.engine import Connection

from conflicts.batch.network import TIED_M, Network, Ties
from conflicts.batch.reach import Grounds, Numbers, near
from conflicts.clearances import Clearances
from conflicts.existing import Delivered, Existing, Geometries, existing_of
from ler.db.rows import COLUMNS, row_to_feature
from ler.db.tables import SRID, network_feature
from ler.domain.uncertainty import ACCURACY_M, LARGEST_OUTER_M

_GLANCE: Final = text(
    "SELECT told, seqs, places FROM ler.own_lines_in("
    ":dataset, :number, ST_GeomFromEWKB(:boxes), CAST(:numbers AS bigint[]))"
)

_ROUNDED_M: Final = 0.001
"""What two programs may make of one distance."""


@dataclass(frozen=True)
class Lines:
    """What is read for a partition, in the order of the owner's file."""

    delivered: Sequence[Delivered]
    concerned: NDArray[np.bool_]
    """Which of them a work may come near; the others only tell what those are, and where."""


def widest_band_m(unknown_accuracy_m: float) -> float:
    """Return half the width of the widest band of a line; those that are wider still are read everywhere."""
    return max(unknown_accuracy_m, *ACCURACY_M.values()) + max(LARGEST_OUTER_M.values()) / 2


@dataclass(frozen=True)
class Look:
    """What is looked at, and by which rules."""

    connection: Connection
    """In which the network's owner acts."""
    network: Network
    clearances: Clearances
    unknown_accuracy_m: float


def read_lines(look: Look, ties: Ties, grounds: Grounds) -> Lines:
    """Return the lines that any rule may reach from what works open, with all that tells what and where they are."""
    boxes = grounds.boxes(look.network.owner_id, widest_band_m(look.unknown_accuracy_m))
    here = glance(look, boxes, ties.everywhere)
    within = glance(look, (), ties.contained_in(here.numbers)).lying_in(here, ties)
    near_here = here.near(grounds)
    concerned = np.union1d(here.numbers[near_here], within.numbers[within.near(grounds)])
    unclear = here.unclear(near_here)
    ends = shapely.bounds(unclear.geometries) + TIED_M * np.array([-1, -1, 1, 1])
    around = glance(look, [shapely.box(*each) for each in ends.tolist()], ())
    told_by = [around.telling(unclear), ties.joined_to(concerned), ties.holding(concerned)]
    rows = _by_number(look, np.unique(np.concatenate([concerned, *told_by])).tolist())
    return Lines(
        [Delivered(row["owner_id"], row_to_feature(row)) for row in rows],
        np.isin([row["seq"] for row in rows], concerned),
    )


@dataclass(frozen=True)
class Seen:
    """Lines at a glance."""

    numbers: Numbers
    """In the dataset, ascending."""
    lines: Existing
    """In the same order: kinds, bands and places, and nothing else that is theirs alone."""

    def lying_in(self, holders: "Seen", ties: Ties) -> "Seen":
        """Put lines without a place where what contains them lies."""
        order = np.argsort(ties.contained)
        roots = ties.root[order[np.searchsorted(ties.contained[order], self.numbers)]]
        places = np.searchsorted(holders.numbers, roots)
        geometries, half_m = holders.lines.geometries[places], holders.lines.half_m[places]
        return replace(self, lines=replace(self.lines, geometries=geometries, half_m=half_m))

    def near(self, grounds: Grounds) -> Numbers:
        """Return the places of those that any rule may reach, or that may lie anywhere."""
        return np.union1d(near(grounds, self.lines)[1], self.lines.placeless)

    def unclear(self, places: Numbers) -> Existing:
        """Return those of these that have a place, and whose class others may tell."""
        placed = ~shapely.is_missing(self.lines.geometries[places])
        known = np.array([self.lines.kinds[place].known for place in places.tolist()], dtype=bool)
        return self.lines.only(places[placed & ~known])

    def telling(self, unclear: Existing) -> Numbers:
        """Return the numbers of those that may tell the class of lines that they touch, or nearly touch."""
        sought = frozenset[str]().union(*(one.kinds for one in unclear.kinds))
        telling = np.array(
            [one.known and not sought.isdisjoint(one.kinds) for one in self.lines.kinds], dtype=bool
        )
        close_m = TIED_M + _ROUNDED_M
        touched = unclear.tree.query(self.lines.geometries, predicate="dwithin", distance=close_m)[0]
        numbers: Numbers = self.numbers[np.intersect1d(np.flatnonzero(telling), touched)]
        return numbers


def glance(look: Look, boxes: Sequence[BaseGeometry] | Geometries, numbers: Sequence[int] | Numbers) -> Seen:
    """Return the lines in any of the boxes, EPSG:25832, and those of these numbers."""
    # Works lie close together: where their boxes overlap, the same lines would be found for each.
    apart = shapely.envelope(shapely.get_parts(shapely.union_all([*boxes])))
    ewkb = from_shape(shapely.GeometryCollection([*apart]), srid=SRID, extended=True).data
    values = look.network.named | {"boxes": bytes(ewkb), "numbers": [*map(int, numbers)]}
    rows = look.connection.execute(_GLANCE, values).all()
    ones = [_one_of(look.network, number, row.told) for number, row in enumerate(rows)]
    sorts = existing_of(ones, look.clearances, look.unknown_accuracy_m)
    told = [rows[place] for place in sorts.numbers]
    found = np.array([seq for row in told for seq in row.seqs], dtype=np.int64)
    which = np.repeat(np.arange(len(told)), [len(row.seqs) for row in told])
    places = [np.empty(0, dtype=object), *(_places(row.places, len(row.seqs)) for row in told)]
    ordered, order = np.unique(found, return_index=True)
    return Seen(ordered, replace(sorts.only(which[order]), geometries=np.concatenate(places)[order]))


def _one_of(network: Network, number: int, told: dict[str, Any]) -> Delivered:
    """A line of a sort, without a place."""
    row = {**dict.fromkeys(COLUMNS.values()), "voids": {}, "geom": None, "gml_id": str(number), **told}
    return Delivered(network.owner_id, row_to_feature(row))


def _places(together: str | None, count: int) -> Geometries:
    if together is None:
        return np.full(count, None, dtype=object)
    found: Geometries = shapely.get_parts(shapely.from_wkb(together))
    return found


def _by_number(look: Look, numbers: Sequence[int]) -> list[dict[str, Any]]:
    columns = network_feature.c
    query = select(network_feature).where(
        columns.dataset_id == look.network.dataset_id, columns.seq.in_(numbers)
    )
    rows = look.connection.execute(query.order_by(columns.seq)).mappings() if numbers else ()
    return [dict(row) for row in rows]
