"""Components of the conflict graph, and how a large one is cut into parts that can be planned.

A cut follows the edges that are worth most: parts grow along them until one more would make a part too large. It depends on
the works alone, never on the order in which they came. Parts are planned one after the other, each beside what is decided.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from conflicts.windows.graph import Graph, Sharing
from conflicts.windows.problem import Job, Order


@dataclass
class Piece:
    """Works that hang together, by number and sorted, and what lies between them."""

    numbers: tuple[int, ...]
    shares: list[Sharing] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    clashes: list[tuple[int, int]] = field(default_factory=list)
    surfaces: list[tuple[int, int]] = field(default_factory=list)

    def edges(self, jobs: Sequence[Job]) -> list[tuple[int, int]]:
        """What ties works together in planning, what joining could be worth most first."""
        weighed = [(share.arc.most(jobs), share.arc.joiner, share.arc.pilot) for share in self.shares]
        weighed += [(0, *pair) for pair in (*self.clashes, *self.surfaces)]
        return [(one, other) for _, one, other in sorted(weighed, key=lambda edge: (-edge[0], edge[1:]))]


class _Groups:
    """Disjoint sets with a size that they may not pass."""

    def __init__(self, count: int, most: int) -> None:
        self._parent = list(range(count))
        self._size = [1] * count
        self._most = most

    def find(self, number: int) -> int:
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self.find(one), self.find(other)))
        if first != second and self._size[first] + self._size[second] <= self._most:
            self._parent[second] = first
            self._size[first] += self._size[second]

    def all(self) -> list[tuple[int, ...]]:
        found: dict[int, list[int]] = {}
        for number in range(len(self._parent)):
            found.setdefault(self.find(number), []).append(number)
        return [tuple(part) for part in found.values()]


def pieces_of(graph: Graph, jobs: Sequence[Job]) -> list[Piece]:
    """Return the components, by their first work. An order ties nobody: it holds between works of one window."""
    groups = _Groups(len(jobs), len(jobs))
    for share in graph.arcs:
        groups.join(share.arc.joiner, share.arc.pilot)
    for one, other in (*graph.clashes, *graph.surfaces):
        groups.join(one, other)
    pieces = [Piece(numbers) for numbers in groups.all()]
    home = {number: piece for piece in pieces for number in piece.numbers}
    for share in graph.arcs:
        home[share.arc.joiner].shares.append(share)
    for pair in graph.clashes:
        home[pair[0]].clashes.append(pair)
    for pair in graph.surfaces:
        home[pair[0]].surfaces.append(pair)
    for order in graph.orders:
        if home[order.first] is home[order.then]:
            home[order.first].orders.append(order)
    return pieces


def parts_of(count: int, edges: Iterable[tuple[int, int]], most: int) -> list[tuple[int, ...]]:
    """Return the numbers from 0 in parts of at most `most`; `edges` tie them, the most worthy first."""
    groups = _Groups(count, min(count, most))
    for one, other in edges:
        groups.join(one, other)
    return groups.all() if count > most else [tuple(range(count))]
