"""WKT as WKB, by a reader in Python: GEOS knows no curves and follows nesting until the process dies."""

import re
import struct
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.child.geometry import MAX_DEPTH, MAX_VERTICES, GeometryFaultError

_CODES: Final = {
    "POINT": 1, "LINESTRING": 2, "POLYGON": 3, "MULTIPOINT": 4, "MULTILINESTRING": 5, "MULTIPOLYGON": 6,
    "GEOMETRYCOLLECTION": 7, "CIRCULARSTRING": 8, "COMPOUNDCURVE": 9, "CURVEPOLYGON": 10, "MULTICURVE": 11,
    "MULTISURFACE": 12,
}  # fmt: skip
_REFUSED: Final = frozenset({"CURVE", "SURFACE", "POLYHEDRALSURFACE", "TIN", "TRIANGLE", "SOLID", "GEOMETRY"})
_OF_PARTS: Final = {4: 1, 5: 2, 6: 3, 9: 2, 10: 2, 11: 2, 12: 3}
"""What a part without a word of its own is."""

_WORD: Final = re.compile(r"\s*([A-Za-z]+)")
_OPEN: Final = re.compile(r"\s*\(")
_NEXT: Final = re.compile(r"\s*([,)])")
_REST: Final = re.compile(r"\s*")


def wkt_to_wkb(text: str) -> bytes:
    """ISO WKB of a text. GeometryFaultError says what is wrong with it."""
    if text.lstrip()[:5].upper() == "SRID=":
        raise GeometryFaultError("geometry-header")
    reader = _Reader(text)
    wkb = reader.geometry(0)
    if _REST.fullmatch(text, reader.at) is None:
        raise GeometryFaultError("geometry-malformed")
    return wkb


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.width = 0
        """Numbers a position; 0 until the first is seen."""
        self.measured = False

    def geometry(self, depth: int) -> bytes:
        """One geometry that begins with its word."""
        if depth > MAX_DEPTH:
            raise GeometryFaultError("geometry-limit")
        word = self._word()
        if word is None:
            raise GeometryFaultError("geometry-malformed")
        name = word.rstrip("ZM") if word not in _CODES else word
        if name in _REFUSED:
            raise GeometryFaultError("geometry-type")
        if name not in _CODES:
            raise GeometryFaultError("geometry-malformed")
        dimensions = word[len(name) :]
        before, after = self.at, self._word()
        if after in {"Z", "M", "ZM"}:
            dimensions = after
            before, after = self.at, self._word()
        self.measured |= dimensions == "M"
        if after == "EMPTY":
            raise GeometryFaultError("geometry-empty")
        self.at = before
        return self._body(_CODES[name], depth)

    def _body(self, code: int, depth: int) -> bytes:
        if code in {1, 2, 8}:
            self._expect(_OPEN)
            return self._coordinates(code)
        if code == 3:  # noqa: PLR2004 - polygon
            rings = self._listed(self._ring)
            return self._head(code) + struct.pack("<I", len(rings)) + b"".join(rings)
        parts = self._listed(lambda: self._part(code, depth + 1))
        return self._head(code) + struct.pack("<I", len(parts)) + b"".join(parts)

    def _part(self, code: int, depth: int) -> bytes:
        before, word = self.at, self._word()
        self.at = before
        if word is not None:
            return self.geometry(depth)
        kind = _OF_PARTS.get(code)
        if kind is None or depth > MAX_DEPTH:
            raise GeometryFaultError("geometry-malformed")
        if kind == 1 and _OPEN.match(self.text, self.at) is None:
            return self._bare_point()
        return self._body(kind, depth)

    def _bare_point(self) -> bytes:
        end = min(
            i for i in (self.text.find(",", self.at), self.text.find(")", self.at), len(self.text)) if i >= 0
        )
        values = self._numbers(self.text[self.at : end])
        self.at = end
        return self._head(1) + values.tobytes()

    def _ring(self) -> bytes:
        self._expect(_OPEN)
        values = self._until_closed()
        return struct.pack("<I", len(values)) + values.tobytes()

    def _coordinates(self, code: int) -> bytes:
        values = self._until_closed()
        if code == 1:
            if len(values) != 1:
                raise GeometryFaultError("geometry-malformed")
            return self._head(1) + values.tobytes()
        return self._head(code) + struct.pack("<I", len(values)) + values.tobytes()

    def _until_closed(self) -> NDArray[np.float64]:
        end = self.text.find(")", self.at)
        if end < 0:
            raise GeometryFaultError("geometry-malformed")
        values = self._numbers(self.text[self.at : end])
        self.at = end + 1
        return values

    def _numbers(self, text: str) -> NDArray[np.float64]:
        positions = text.split(",")
        if len(positions) > MAX_VERTICES:
            raise GeometryFaultError("geometry-limit")
        try:
            values = np.array([position.split() for position in positions], dtype="<f8")
        except ValueError:
            raise GeometryFaultError("geometry-malformed") from None
        if values.ndim != 2 or not 2 <= values.shape[1] <= 4 or self.width not in {0, values.shape[1]}:  # noqa: PLR2004 - x y z m
            raise GeometryFaultError("geometry-malformed")
        self.width = values.shape[1]
        return values

    def _listed(self, read: Callable[[], bytes]) -> list[bytes]:
        self._expect(_OPEN)
        parts = [read()]
        while self._expect(_NEXT) == ",":
            if len(parts) > MAX_VERTICES:
                raise GeometryFaultError("geometry-limit")
            parts.append(read())
        return parts

    def _head(self, code: int) -> bytes:
        """After the coordinates are known: their number says the dimension."""
        dimension = {2: 0, 3: 2 if self.measured else 1, 4: 3}[self.width]
        return struct.pack("<BI", 1, code + 1000 * dimension)

    def _word(self) -> str | None:
        found = _WORD.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found[1].upper()

    def _expect(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise GeometryFaultError("geometry-malformed")
        self.at = found.end()
        return found[0].strip()
