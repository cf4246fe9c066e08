"""Objects of a drawing written as DXF text: thirty times as fast as objects of ezdxf, which makes the rest of the file.

Group codes as in the DXF reference for AutoCAD 2018. Handles count up from a number that ezdxf does not reach. Refuses
nothing; names of layers must be fit for a drawing, texts are made so.
"""

import re
from collections.abc import Sequence
from typing import Final, TextIO

type Position = Sequence[float]
"""Easting, northing, height, m."""

FIRST_HANDLE: Final = 0x100000
_HANDLES_A_POSITION: Final = 4
"""At most: of a line of one position in its part, its vertex, its end, itself and its letter."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def handle_behind(positions: int) -> str:
    """Return a handle that no object has of a drawing of so many positions."""
    return f"{FIRST_HANDLE + _HANDLES_A_POSITION * positions + 1:X}"


class Records:
    """Writes objects of the model space whose handle is given, as the text of the section ENTITIES."""

    def __init__(self, stream: TextIO, owner: str) -> None:
        self._write = stream.write
        self._owner = owner
        self._next = FIRST_HANDLE

    def add_shape(
        self, positions: Sequence[Position], look: str, data: str = "", *, closed: bool = False
    ) -> None:
        """Add a point, a line of two positions, or a polyline with a height at every vertex."""
        if len(positions) == 1:
            self._add("POINT", look, f"100\nAcDbPoint\n{_place(10, positions[0])}", data)
        elif len(positions) == 2 and not closed:  # noqa: PLR2004 - CAD programs show line types of these only
            ends = _place(10, positions[0]) + _place(11, positions[1])
            self._add("LINE", look, f"100\nAcDbLine\n{ends}", data)
        else:
            self._add_polyline(positions, look, data, closed=closed)

    def add_text(
        self, text: str, place: Position, look: str, *, height: float, turn: float = 0.0, style: str
    ) -> None:
        """Add a text with its middle at a place, `height` metres high, turned by degrees from the east."""
        clean = _CONTROL.sub(" ", text).replace("^", "^ ")
        body = (
            f"100\nAcDbText\n{_place(10, place)}40\n{height}\n1\n{clean}\n50\n{turn:.2f}\n7\n{style}\n72\n1\n"
            f"{_place(11, place)}100\nAcDbText\n73\n2\n"
        )
        self._add("TEXT", look, body, "")

    def _add(self, kind: str, look: str, body: str, data: str) -> str:
        handle = f"{self._next:X}"
        self._next += 1
        self._write(f"0\n{kind}\n5\n{handle}\n330\n{self._owner}\n100\nAcDbEntity\n{look}{body}{data}")
        return handle

    def _add_polyline(self, positions: Sequence[Position], look: str, data: str, *, closed: bool) -> None:
        head = f"100\nAcDb3dPolyline\n66\n1\n10\n0.0\n20\n0.0\n30\n0.0\n70\n{9 if closed else 8}\n"
        owner = self._add("POLYLINE", look, head, data)
        common = f"330\n{owner}\n100\nAcDbEntity\n{look}"
        for position in positions[: -1 if closed else None]:
            self._write(
                f"0\nVERTEX\n5\n{self._next:X}\n{common}100\nAcDbVertex\n100\nAcDb3dPolylineVertex\n"
                f"{_place(10, position)}70\n32\n"
            )
            self._next += 1
        self._write(f"0\nSEQEND\n5\n{self._next:X}\n{common}")
        self._next += 1


def _place(code: int, position: Position) -> str:
    x, y, z = position
    return f"{code}\n{x:.4f}\n{code + 10}\n{y:.4f}\n{code + 20}\n{z:.4f}\n"
