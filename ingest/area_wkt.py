"""An area as Well-Known Text: one geometry a line, or a list of them; `SRID=25832;` before it names its system.

Read by our own reader in Python, which follows no nesting to its death and reads curves as the files of owners have them.
"""

import re
from collections.abc import Sequence
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from ingest.child.geometry import GeometryFaultError, judge
from ingest.child.wkt import wkt_to_wkb
from ler.errors import RefusedError

_START: Final = re.compile(
    r"\s*(SRID\s*=\s*\d+\s*;)?\s*(POLYGON|LINESTRING|MULTI|CURVE|CIRCULAR|COMPOUND|POINT|GEOMETRY)",
    re.IGNORECASE,
)
_SRID: Final = re.compile(r"\s*SRID\s*=\s*(\d{1,6})\s*;", re.IGNORECASE | re.ASCII)
_WORDS: Final = {
    "geometry-empty": "it is empty",
    "geometry-type": "it is no geometry that an area can be made of",
    "geometry-limit": "it has too many vertices, or geometries inside each other",
    "coordinate-not-finite": "a coordinate is not finite",
    "geometry-header": "its SRID cannot be read",
}


def looks_like_wkt(text: str) -> bool:
    """Whether a text begins as WKT does."""
    return _START.match(text) is not None


def split_wkt(text: str) -> list[str]:
    """Return the geometries of a text, which ends each when its brackets are closed or its line is."""
    parts, begin, depth = [], 0, 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character in "\r\n" and depth <= 0:
            parts.append(text[begin:place])
            begin, depth = place, 0
    parts.append(text[begin:])
    return [part for part in parts if part.strip()]


def read_wkt(texts: Sequence[str]) -> tuple[list[BaseGeometry], str | None]:
    """Return the geometries, and the name of the system that they say they are in; None when they do not.

    RefusedError says which of them cannot be read, from 1.
    """
    systems: set[str] = set()
    geometries = []
    for number, text in enumerate(texts, start=1):
        found = _SRID.match(text)
        systems.add(f"EPSG:{found[1]}" if found else "")
        geometries.append(_read_one(text[found.end() :] if found else text, number))
    if len(systems) > 1:
        raise RefusedError("crs-mixed", "the geometries say different coordinate systems")
    return geometries, next(iter(systems), "") or None


def _read_one(text: str, number: int) -> BaseGeometry:
    try:
        judged = judge(wkt_to_wkb(text))
    except GeometryFaultError as fault:
        raise _refused(fault.code, number) from None
    if judged.wkb is None:
        raise _refused(judged.fault or "geometry-malformed", number)
    return shapely.from_wkb(judged.wkb)


def _refused(code: str, number: int) -> RefusedError:
    return RefusedError(code, f"geometry {number}: {_WORDS.get(code, 'this is not WKT')}")
