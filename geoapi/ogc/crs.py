"""The coordinate reference systems of the OGC API, by their URIs, and boxes brought into the system of storage.

Features are stored in EPSG:25832 with DVR90 heights. A box that a caller gives in another system is brought there edge
by edge, not by its corners: a parallel of latitude is a curve in UTM, and a box of two corners loses what lies in its
bow. Refused are systems that are not offered and boxes that are none.
"""

import math
import struct
from dataclasses import dataclass
from functools import cache
from typing import Final

from pyproj import Transformer

from geoapi.problems import ProblemError, ProblemException

STORAGE_SRID: Final = 25832
_EPSG: Final = "http://www.opengis.net/def/crs/EPSG/0/"
_OGC: Final = "http://www.opengis.net/def/crs/OGC/"
_LONGEST_STEP_M: Final = 200.0
"""An edge is followed in steps of this length at most: the bow of a parallel at 55 degrees is 1 mm high over 200 m."""
_MOST_STEPS: Final = 200
"""Steps of one edge; over 400 km the bow between two of them is 0.1 m."""
_MARGIN: Final = 0.2
"""Boxes are cut to what lies around the platform's coverage, by this share of its size: outside, UTM has no meaning."""
_PLANE: Final = 4
_SOLID: Final = 6
_POLYGON: Final = 3
_HAS_SRID: Final = 0x20000000

type Bounds = tuple[float, float, float, float]
"""West, south, east, north."""
type Ring = list[tuple[float, float]]
"""Places one after another, the last one the first."""


@dataclass(frozen=True, slots=True)
class Crs:
    """A system that is offered."""

    uri: str
    srid: int
    flipped: bool = False
    """Whether its first axis goes north, so that positions are turned round: GeoJSON of PostGIS has east first."""
    geographic: bool = False
    heights: bool = False
    """Whether positions have heights in it (DVR90, metres)."""

    @property
    def decimals(self) -> int:
        """How many are told: 1 mm."""
        return 8 if self.geographic else 3


CRS84: Final = Crs(f"{_OGC}1.3/CRS84", 4326, geographic=True)
STORAGE: Final = Crs(f"{_EPSG}25832", STORAGE_SRID)
OFFERED: Final = (
    CRS84,
    STORAGE,
    Crs(f"{_EPSG}7416", STORAGE_SRID, heights=True),
    Crs(f"{_EPSG}25833", 25833),
    Crs(f"{_EPSG}4326", 4326, flipped=True, geographic=True),
    Crs(f"{_EPSG}3857", 3857),
)
"""The default first. CRS84h is not among them: its heights are above the ellipsoid, and the grid by which they come from
DVR90 is not part of PROJ; heights that are 36 to 40 m off would be worse than none."""

_BY_NAME: Final = {one.uri: one for one in OFFERED} | {
    f"[{one.uri.split('/')[-3]}:{one.uri.rsplit('/', 1)[1]}]": one for one in OFFERED
}


def crs_of(name: str, parameter: str = "crs") -> Crs:
    """Return the system of a URI, or of a safe CURIE like `[EPSG:25832]`; a problem for one that is not offered."""
    found = _BY_NAME.get(name)
    if found is None:
        raise unusable(parameter, f"it is none of {', '.join(one.uri for one in OFFERED)}")
    return found


def unusable(parameter: str, detail: str) -> ProblemException:
    """Return the problem of a parameter that cannot be used."""
    errors = (ProblemError("parameter-invalid", detail, f"query/{parameter}"),)
    return ProblemException("parameter-invalid", detail, errors=errors)


@cache
def transformer(source: int, target: int) -> Transformer:
    """Return what brings positions from one system into another, east first; making one takes 8 ms."""
    return Transformer.from_crs(source, target, always_xy=True)


def box_of(given: str, crs: Crs, coverage: Bounds) -> Ring:
    """Return a `bbox` parameter as a ring in EPSG:25832; an empty one when it lies outside of the coverage.

    Four numbers, or six with heights, which are not looked at. A box whose west is east of its east crosses the
    antimeridian in degrees, where nothing of ours lies, and so is the part of it that has a place here. A problem for what is no
    box.
    """
    try:
        numbers = [float(number) for number in given.split(",")]
    except ValueError:
        raise unusable("bbox", "four or six numbers are wanted") from None
    if len(numbers) not in {_PLANE, _SOLID} or not all(map(math.isfinite, numbers)):
        raise unusable("bbox", "four or six finite numbers are wanted")
    if len(numbers) == _SOLID:
        numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
    if crs.flipped:
        numbers = [numbers[1], numbers[0], numbers[3], numbers[2]]
    west, south, east, north = numbers
    if south > north:
        raise unusable("bbox", "its south is north of its north")
    if west > east and not crs.geographic:
        raise unusable("bbox", "its west is east of its east")
    if west <= east:
        return moved_box((west, south, east, north), crs, coverage)
    return moved_box((west, south, 180.0, north), crs, coverage) or moved_box(
        (-180.0, south, east, north), crs, coverage
    )


def moved_box(box: Bounds, crs: Crs, coverage: Bounds) -> Ring:
    """Return a box of a system, east first, in EPSG:25832, cut to what lies around the coverage; empty outside of it."""
    within = around(crs.srid, coverage)
    west, south = max(box[0], within[0]), max(box[1], within[1])
    east, north = min(box[2], within[2]), min(box[3], within[3])
    if west > east or south > north:
        return []
    # A box without width finds what touches it: as wide as a thousandth of a millimetre.
    hair = 1e-11 if crs.geographic else 1e-6
    corners = (west - hair, south - hair, east + hair, north + hair)
    if crs.srid == STORAGE_SRID:
        return _ring(corners, 1, 1)
    step = _LONGEST_STEP_M / (111_320.0 if crs.geographic else 1.0)
    wide, high = (min(math.ceil(side / step) or 1, _MOST_STEPS) for side in (east - west, north - south))
    xs, ys = zip(*_ring(corners, wide, high), strict=True)
    return [*zip(*transformer(crs.srid, STORAGE_SRID).transform(xs, ys), strict=True)]


def ring_ewkb(ring: Ring) -> str:
    """Return the polygon within a closed ring of EPSG:25832 as PostGIS reads a geometry: extended well-known binary, in hex."""
    numbers = [number for place in ring for number in place]
    return struct.pack(
        f"<BIIII{len(numbers)}d", 1, _POLYGON | _HAS_SRID, STORAGE_SRID, 1, len(ring), *numbers
    ).hex()


def _ring(corners: Bounds, wide: int, high: int) -> Ring:
    """A box as a closed ring, its sides in so many steps."""
    west, south, east, north = corners
    across, up = (east - west) / wide, (north - south) / high
    return [
        *((west + across * step, south) for step in range(wide)),
        *((east, south + up * step) for step in range(high)),
        *((east - across * step, north) for step in range(wide)),
        *((west, north - up * step) for step in range(high)),
        (west, south),
    ]


@cache
def around(srid: int, coverage: Bounds) -> Bounds:
    """Return the coverage and what lies around it as a box of a system: west, south, east, north."""
    west, south, east, north = coverage
    wide, high = (east - west) * _MARGIN, (north - south) * _MARGIN
    wider = west - wide, south - high, east + wide, north + high
    if srid == STORAGE_SRID:
        return wider
    moved: Bounds = transformer(STORAGE_SRID, srid).transform_bounds(*wider)
    return moved
