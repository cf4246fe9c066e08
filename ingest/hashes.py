"""Many texts known by their hashes, 8 bytes each however long they are; what is done with all of them takes no more.

Python keys its hashes anew in every process, so that no file can be made whose texts collide; of a million texts two
collide by chance in one file of 37 million.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

type Sorted = NDArray[np.int64]

_AT_ONCE: Final = 1 << 16
"""Hashes looked up together: the work needs memory for these only."""


def sort_hashes(hashes: "array[int]") -> Sorted:
    """Sort an array of type q in place and return it for numpy, without a copy; it may not grow any more."""
    view = np.frombuffer(hashes, dtype=np.int64)
    view.sort()
    return view


def twice(known: Sorted) -> Sorted:
    """The hashes that stand more than once."""
    return np.unique(known[1:][known[1:] == known[:-1]])


def met(asked: NDArray[np.int64], known: Sorted) -> NDArray[np.bool_]:
    """Which of the hashes asked for are known."""
    answer = np.zeros(len(asked), dtype=bool)
    if not len(known):
        return answer
    for piece in _pieces(len(asked)):
        places = np.searchsorted(known, asked[piece])
        places[places == len(known)] = 0
        answer[piece] = known[places] == asked[piece]
    return answer


class FewOfMany:
    """A sorted selection of hashes to ask for one text after the other."""

    def __init__(self, hashes: Sorted) -> None:
        self._hashes = array("q", hashes.tobytes())

    def __contains__(self, hashed: int) -> bool:
        """Whether the hash is one of them."""
        place = bisect_left(self._hashes, hashed)
        return place < len(self._hashes) and self._hashes[place] == hashed

    def __len__(self) -> int:
        """How many there are."""
        return len(self._hashes)


def _pieces(count: int) -> Iterator[slice]:
    return (slice(start, start + _AT_ONCE) for start in range(0, count, _AT_ONCE))
