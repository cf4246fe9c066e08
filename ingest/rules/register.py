"""Every feature of a file by its identifier, in 8 bytes of memory each: the texts lie in a temporary file until needed.

A source of features may be read once only, and a fault at its end may concern a feature at its beginning. So the type,
identifier and line of each feature are written aside, and read again when a rule of the whole file is broken.
"""

import tempfile
import weakref
from array import array
from collections.abc import Collection, Iterator
from itertools import chain
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from ingest.hashes import FewOfMany, Sorted, sort_hashes
from ler.model import Feature

_ROWS_AT_ONCE: Final = 4096
_CODE: Final = 0xFF
"""The lowest byte of a key is the code of the type, the others are the hash of the identifier. In one of 140,000 files
of a million features two of them are then taken for one."""


def identity(gml_id: str) -> int:
    """What stands for an identifier."""
    return hash(gml_id) & ~_CODE


class Register:
    """Numbers the features from 0 in the order they come; `close` it, then ask."""

    def __init__(self, types: Collection[str]) -> None:
        self._codes = {name: code for code, name in enumerate(types)}
        self._keys = array("q")
        self._rows: list[str] = []
        self._written: IO[str] | None = None

    def add(self, feature: Feature) -> int:
        """Take note of a feature and return its number."""
        gml_id = feature.gml_id
        self._keys.append(identity(gml_id) | self._codes[feature.type])
        if "\n" in gml_id:
            gml_id = gml_id.replace("\n", " ")
        self._rows.append(f"{feature.line} {feature.type} {gml_id}\n")
        if len(self._rows) == _ROWS_AT_ONCE:
            self._write_rows()
        return len(self._keys) - 1

    def close(self) -> None:
        """Nothing can be added any more."""
        self._known = sort_hashes(self._keys)
        self._types = np.empty(len(self._known), dtype=np.uint8)
        np.bitwise_and(self._known, _CODE, out=self._types, casting="unsafe")
        np.bitwise_and(self._known, ~_CODE, out=self._known)

    @property
    def identities(self) -> Sorted:
        """Of all features."""
        return self._known

    def identities_of(self, types: Collection[str]) -> Sorted:
        """Of the features of these types."""
        chosen = np.zeros(_CODE + 1, dtype=bool)
        chosen[[self._codes[name] for name in types]] = True
        return self._known[chosen[self._types]]

    def features(self, numbers: NDArray[np.uint32]) -> Iterator[Feature]:
        """Type, identifier and line of features; their numbers ascend and may stand more than once."""
        rows = enumerate(self._all_rows())
        at, row = -1, ""
        for wanted in numbers:
            while at < wanted:
                at, row = next(rows)
            yield _feature(row)

    def find(self, identities: Sorted) -> dict[int, Feature]:
        """Features by what stands for their identifiers."""
        few = FewOfMany(identities)
        every = map(_feature, self._all_rows())
        return {identity(f.gml_id): f for f in every if identity(f.gml_id) in few}

    def _write_rows(self) -> None:
        if self._written is None:
            self._written = _temporary_file()
            weakref.finalize(self, self._written.close)
        self._written.writelines(self._rows)
        self._rows.clear()

    def _all_rows(self) -> Iterator[str]:
        if self._written is None:
            return iter(self._rows)
        self._written.seek(0)
        return chain(self._written, self._rows)


def _temporary_file() -> IO[str]:
    # Closed with the register, since it is written and read far apart.
    return tempfile.TemporaryFile("w+", encoding="utf-8", errors="surrogatepass", newline="\n")


def _feature(row: str) -> Feature:
    line, feature_type, gml_id = row.removesuffix("\n").split(" ", 2)
    return Feature(feature_type, gml_id, line=int(line))
