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
    found, fresh = set(seeds), set(seeds)
    findings: set[Finding] = set()
    while fresh:
        # What ties works lies between two of them: those found last and what is around them are enough.
        around = tree.query(footprints[sorted(fresh)], predicate="dwithin", distance=reach_m)
        numbers = sorted(fresh.union(around[1].tolist()))
        some = scene.only(numbers)
        graph = graph_of(some, wishes)
        findings.update(graph.findings)
        pieces = [{numbers[place] for place in piece.numbers} for piece in pieces_of(graph, some.jobs)]
        fresh = {number for piece in pieces if not fresh.isdisjoint(piece) for number in piece} - found
        found |= fresh
    return found, sorted(findings, key=lambda one: (one.code, one.work_ids, one.en))
