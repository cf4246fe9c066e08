"""Identifiers of records and references to them, in 10 bytes each however long they are.

Only hashes and the layers are kept; what does not fit together is then read once more for its text and place.
"""

from array import array
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Lapses:
    """Hashes of identifiers that stand twice, of targets that nothing has, and the layers where those are."""

    twice: frozenset[int]
    missing: frozenset[int]
    layers: frozenset[str]


class RecordIds:
    """Takes note of every identifier and every reference of a file."""

    def __init__(self) -> None:
        self._layers: dict[str, int] = {}
        self._ids = (array("q"), array("H"))
        self._targets = (array("q"), array("H"))

    def add(self, gml_id: str, layer: str) -> None:
        """Take note of an identifier."""
        self._ids[0].append(hash(gml_id))
        self._ids[1].append(self._layers.setdefault(layer, len(self._layers)))

    def refer(self, gml_id: str, layer: str) -> None:
        """Take note of a reference."""
        self._targets[0].append(hash(gml_id))
        self._targets[1].append(self._layers.setdefault(layer, len(self._layers)))

    def lapses(self) -> Lapses | None:
        """What does not fit together; None where all does."""
        ids, id_layers = (np.array(part) for part in self._ids)
        targets, target_layers = (np.array(part) for part in self._targets)
        values, counts = np.unique(ids, return_counts=True)
        twice = values[counts > 1]
        lost = ~np.isin(targets, values)
        if not len(twice) and not lost.any():
            return None
        numbers = {*id_layers[np.isin(ids, twice)].tolist(), *target_layers[lost].tolist()}
        return Lapses(
            frozenset(twice.tolist()),
            frozenset(targets[lost].tolist()),
            frozenset(name for name, number in self._layers.items() if number in numbers),
        )
