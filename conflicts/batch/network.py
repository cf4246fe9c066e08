"""An owner's current network as a batch reads it: by the owner's own right, one partition at a time.

What a line is told by may lie far from it: a cable without a place by what contains it, the class of a component by the
lines that are joined to it. Such ties that leave a partition are looked up once for the whole network and are few; each
partition reads what they lead to besides, and so answers as the whole network would.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
import shapely
from geoalchemy2.shape import from_shape
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry
from sqlalchemy import select, text
from sqlalchemy.engine import Connection

from conflicts.batch.cells import CELL_M, Counts
from conflicts.clearances import Clearances
from conflicts.dig import Footprint
from conflicts.existing import Delivered
from ler.db.rows import row_to_feature
from ler.db.tables import SRID, network_dataset, network_feature, network_version
from ler.domain.uncertainty import ACCURACY_M, LARGEST_OUTER_M, has_band
from ler.model import load_model

type Numbers = NDArray[np.int64]

_WIDE_MM: Final = 1_000 * max(LARGEST_OUTER_M.values())
_TIED_M: Final = 5.0
"""A component no larger than this and no farther from its line is read with it."""

_COUNTS: Final = text("SELECT * FROM ler.network_cells(:dataset, :number, :cell)")
_PLACELESS: Final = text("SELECT seq, holder FROM ler.placeless_features(:dataset, :number, :types)")
_JOINTS: Final = text("SELECT seq, joined FROM ler.distant_joints(:dataset, :number, :tied)")
_WIDE: Final = text("SELECT seq FROM ler.wide_features(:dataset, :number, :wide)")
_NEAR: Final = text("SELECT * FROM ler.own_lines_in(:dataset, :number, ST_GeomFromEWKB(:boxes))")


@dataclass(frozen=True, slots=True)
class Network:
    """Which version of whose network is looked at; it stays readable when another one is published meanwhile."""

    owner_id: UUID
    dataset_id: UUID
    number: int


@dataclass(frozen=True, slots=True)
class Ties:
    """What a partition must read besides what lies there; numbers are those of features in the dataset (`seq`)."""

    root: Numbers
    """Of each line without a place that has one by what contains it: what that is, sorted."""
    contained: Numbers
    everywhere: Numbers
    """Lines that have no place at all, and those so wide that they may reach from outside."""
    joints: tuple[Numbers, Numbers]
    """Both ways: what may tell the class of the first, which is sorted."""

    def contained_in(self, lines: Numbers) -> Numbers:
        """Return the lines without a place that lie where these do."""
        return self.contained[np.isin(self.root, lines)]

    def joined_to(self, lines: Numbers) -> Numbers:
        """Return what is joined to lines from afar."""
        return self.joints[1][np.isin(self.joints[0], lines)]


@dataclass(frozen=True)
class Lines:
    """What is read for a partition, in the order of the owner's file."""

    delivered: Sequence[Delivered]
    concerned: NDArray[np.bool_]
    """Which of them a work may come near; the others only tell what those are."""


def current_network(connection: Connection) -> Network | None:
    """Return the published network of the acting owner; None when there is none."""
    version, dataset = network_version.c, network_dataset.c
    query = select(dataset.owner_id, dataset.id, version.number).join(
        network_version, version.id == dataset.current_version_id
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Network(*row)


def count_lines(connection: Connection, network: Network) -> Counts:
    """Return how many lines lie in each cell, and how far they reach."""
    rows = connection.execute(_COUNTS, _named(network) | {"cell": CELL_M}).all()
    columns, numbers, lines = np.array([row[:3] for row in rows], dtype=np.int64).reshape(-1, 3).T
    return Counts(
        columns, numbers, lines, np.array([row[3:] for row in rows], dtype=np.float64).reshape(-1, 4)
    )


def find_ties(connection: Connection, network: Network) -> Ties:
    """Return what ties the parts of a network together."""
    named = _named(network)
    types = sorted(name for name, one in load_model().types.items() if has_band(one))
    rows = connection.execute(_PLACELESS, named | {"types": types}).all()
    holders: dict[int, int | None] = {row.seq: row.holder for row in rows}
    roots = {line: _root(line, holders) for line in holders}
    contained = sorted((root, line) for line, root in roots.items() if root is not None)
    wide = connection.execute(_WIDE, named | {"wide": _WIDE_MM}).scalars()
    everywhere = sorted({line for line, root in roots.items() if root is None}.union(wide))
    joints = [(row.seq, row.joined) for row in connection.execute(_JOINTS, named | {"tied": _TIED_M})]
    both = sorted({*joints, *((joined, seq) for seq, joined in joints)})
    return Ties(*_columns(contained), np.array(everywhere, dtype=np.int64), joints=_columns(both))


def read_lines(connection: Connection, network: Network, ties: Ties, boxes: Sequence[BaseGeometry]) -> Lines:
    """Return the lines in any of the boxes, EPSG:25832, with all that tells what and where they are."""
    ewkb = from_shape(shapely.GeometryCollection([*boxes]), srid=SRID, extended=True).data
    rows = {
        row["seq"]: dict(row)
        for row in connection.execute(_NEAR, _named(network) | {"boxes": bytes(ewkb)}).mappings()
    }
    near = np.array(sorted(rows), dtype=np.int64)
    concerned = np.union1d(near, ties.everywhere)
    concerned = np.union1d(concerned, ties.contained_in(concerned))
    wanted = np.union1d(concerned, ties.joined_to(concerned))
    rows |= _by_number(connection, network, np.setdiff1d(wanted, near).tolist())
    ordered = [rows[seq] for seq in sorted(rows)]
    return Lines(
        [Delivered(row["owner_id"], row_to_feature(row)) for row in ordered],
        np.isin([row["seq"] for row in ordered], concerned),
    )


def box_around(parts: Sequence[Footprint], clearances: Clearances, unknown_accuracy_m: float) -> BaseGeometry:
    """Return a box that holds whatever any rule may reach from these parts, with what is tied to it near by."""
    known_m = max(unknown_accuracy_m, *ACCURACY_M.values()) + max(LARGEST_OUTER_M.values()) / 2
    reach_m = clearances.farthest_m + known_m + 2 * _TIED_M
    wide_m = np.array([[part.half_m + part.tolerance_m + reach_m] for part in parts])
    ends = shapely.bounds([part.geometry for part in parts]) + wide_m * (-1, -1, 1, 1)
    return shapely.box(*ends[:, :2].min(axis=0), *ends[:, 2:].max(axis=0))


def _by_number(connection: Connection, network: Network, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    columns = network_feature.c
    query = select(network_feature).where(columns.dataset_id == network.dataset_id, columns.seq.in_(numbers))
    return {row["seq"]: dict(row) for row in connection.execute(query).mappings()} if numbers else {}


def _root(line: int, holders: Mapping[int, int | None]) -> int | None:
    """What has a place and contains a line, by way of the first that contains it, and so on; None: nothing does."""
    seen = {line}
    while line in holders:
        holder = holders[line]
        if holder is None or holder in seen:
            return None
        line = holder
        seen.add(line)
    return line


def _named(network: Network) -> dict[str, Any]:
    return {"dataset": network.dataset_id, "number": network.number}


def _columns(pairs: Sequence[tuple[int, int]]) -> tuple[Numbers, Numbers]:
    first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return first, second
