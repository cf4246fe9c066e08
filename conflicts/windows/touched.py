"""Which works hang together with some of them: looked for from near to near, without the rest of the city."""

from collections.abc import Collection
from uuid import UUID

import numpy as np
import shapely

from conflicts.windows.components import pieces_of
from conflicts.windows.findings import Finding
from conflicts.windows.graph import Scene, graph_of


def touched_by(
    scene: Scene, wishes: frozenset[tuple[UUID, UUID]], seeds: Collection[int]
) -> tuple[set[int], list[Finding]]:
    """Return all works of the components of some works, by number, and what is to be said of them and their neighbours."""
    footprints = np.array([work.footprint for work in scene.works], dtype=object)
    tree = shapely.STRtree(footprints)
    reach_m = max(scene.rules.near_m, scene.rules.parallel_m)
    found = set(seeds)
    while found:
        around = tree.query(footprints[sorted(found)], predicate="dwithin", distance=reach_m)
        numbers = sorted(found.union(around[1].tolist()))
        graph = graph_of(scene.only(numbers), wishes)
        pieces = [
            {numbers[place] for place in piece.numbers}
            for piece in pieces_of(graph, scene.only(numbers).jobs)
        ]
        grown = {number for piece in pieces if not found.isdisjoint(piece) for number in piece}
        if grown == found:
            return found, list(graph.findings)
        found = grown
    return found, []
