"""An owner's current network as a batch plans it: by the owner's own right, how much lies where, and what hangs together.

What a line is told by may lie far from it: a cable without a place by what contains it, the class of a component by the
lines that are joined to it. Such ties that leave a partition are looked up once for the whole network and are few; each
partition reads what they lead to besides, and so answers as the whole network would.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from sqlalchemy import select, text
from sqlalchemy.engine import Connection

from conflicts.batch.cells import CELL_M, Counts
from conflicts.batch.reach import Numbers
from ler.db.tables import network_dataset, network_version
from ler.domain.uncertainty import LARGEST_OUTER_M, has_band
from ler.model import load_model

_WIDE_MM: Final = 1_000 * max(LARGEST_OUTER_M.values())
TIED_M: Final = 5.0
"""What may tell the class of a component is looked for this far around it; what lies farther is a tie."""

_COUNTS: Final = text("SELECT * FROM ler.network_cells(:dataset, :number, :cell)")
_PLACELESS: Final = text("SELECT seq, holder FROM ler.placeless_features(:dataset, :number, :types)")
_JOINTS: Final = text("SELECT seq, joined FROM ler.distant_joints(:dataset, :number, :tied)")
_WIDE: Final = text("SELECT seq FROM ler.wide_features(:dataset, :number, :wide)")


@dataclass(frozen=True, slots=True)
class Network:
    """Which version of whose network is looked at; it stays readable when another one is published meanwhile."""

    owner_id: UUID
    dataset_id: UUID
    number: int

    @property
    def named(self) -> dict[str, Any]:
        """As functions of the database are told of it."""
        return {"dataset": self.dataset_id, "number": self.number}


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

    def holding(self, lines: Numbers) -> Numbers:
        """Return what lines without a place lie in, by whatever way."""
        roots = self.root[np.isin(self.contained, lines)]
        return np.union1d(roots, self.contained_in(roots))

    def joined_to(self, lines: Numbers) -> Numbers:
        """Return what is joined to lines from afar."""
        return self.joints[1][np.isin(self.joints[0], lines)]


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
    rows = connection.execute(_COUNTS, network.named | {"cell": CELL_M}).all()
    columns, numbers, lines = np.array([row[:3] for row in rows], dtype=np.int64).reshape(-1, 3).T
    return Counts(
        columns, numbers, lines, np.array([row[3:] for row in rows], dtype=np.float64).reshape(-1, 4)
    )


def find_ties(connection: Connection, network: Network) -> Ties:
    """Return what ties the parts of a network together."""
    named = network.named
    types = sorted(name for name, one in load_model().types.items() if has_band(one))
    rows = connection.execute(_PLACELESS, named | {"types": types}).all()
    holders: dict[int, int | None] = {row.seq: row.holder for row in rows}
    roots = {line: _root(line, holders) for line in holders}
    contained = sorted((root, line) for line, root in roots.items() if root is not None)
    wide = connection.execute(_WIDE, named | {"wide": _WIDE_MM}).scalars()
    everywhere = sorted({line for line, root in roots.items() if root is None}.union(wide))
    joints = [(row.seq, row.joined) for row in connection.execute(_JOINTS, named | {"tied": TIED_M})]
    both = sorted({*joints, *((joined, seq) for seq, joined in joints)})
    return Ties(*_columns(contained), np.array(everywhere, dtype=np.int64), joints=_columns(both))


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


def _columns(pairs: Sequence[tuple[int, int]]) -> tuple[Numbers, Numbers]:
    first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return first, second
