"""Coordinate systems: which are known, how each is brought to EPSG:25832, and how exactly.

The operation between two systems is chosen here and nowhere else: the best one that PROJ has for Denmark with what is
installed, never a "ballpark" one that only moves the origin, and never over the network. Its accuracy is told. Heights
are kept where they are DVR90 already, converted where PROJ has a real transformation, and unknown (NaN) otherwise: a
height above another zero would put a line half a metre too deep without a word.

Refused: systems that the platform does not know, and those for which PROJ lacks the grid (System 34).
"""

import re
import warnings
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Final

import numpy as np
import pyproj
from numpy.typing import NDArray
from pyproj.crs import CRS
from pyproj.enums import TransformDirection
from pyproj.exceptions import CRSError, ProjError
from pyproj.transformer import AreaOfInterest, Transformer, TransformerGroup

from ler.errors import RefusedError
from ler.exchange.projection import Projection

STORAGE_EPSG: Final = 25832
"""ETRS89 / UTM zone 32N, the horizontal system that everything is kept in."""
STORAGE_WITH_HEIGHT_EPSG: Final = 7416
"""The same with DVR90 heights."""

DENMARK: Final = AreaOfInterest(7.5, 54.4, 15.6, 58.0)
"""Longitudes and latitudes of Danish land, for the choice of an operation."""

_NETHERLANDS: Final = AreaOfInterest(3.2, 50.7, 7.3, 53.8)
_AREAS: Final = {28992: _NETHERLANDS}
"""Systems of other countries, whose operations PROJ has for there only."""

ACCURATE_M: Final = 0.1
"""An operation that may be further off than this is told of: accuracy classes of LER begin at 0.25 m."""

KNOWN_EPSG: Final = (
    25832,  # ETRS89 / UTM 32N, Denmark west of Bornholm
    25833,  # ETRS89 / UTM 33N, Bornholm
    4258,  # ETRS89, degrees
    4326,  # WGS 84, degrees: what GeoJSON and receivers give
    3857,  # web maps
    32632,  # WGS 84 / UTM 32N and 33N: what receivers give in metres
    32633,
    23032,  # ED50 / UTM 32N and 33N, until the 1990s
    23033,
    2196,  # Kp2000 Jutland, Zealand, Bornholm: road plans
    2197,
    2198,
    4093,  # DKTM1 to DKTM4: building projects
    4094,
    4095,
    4096,
    28992,  # Amersfoort / RD New, the Netherlands: what IMKL is in
)
_WITHOUT_OPERATION: Final = (
    10160,  # System 34 Jutland and Zealand: known by name, so that the refusal can say what is missing
    10250,
)
_DVR90_EPSG: Final = 5799
_ETRS89_EPSG: Final = 4258
_NAME: Final = re.compile(
    r"EPSG:\d{1,6}(\+\d{1,6})?|urn:ogc:def:crs[\w:,.\-]+|https?://www\.opengis\.net/def/crs/[\w/.\-]+|OGC:CRS84|CRS84",
    re.IGNORECASE | re.ASCII,
)
"""Names of systems. What else PROJ would take (its own strings, names of files) is none of a stranger's business."""
_WKT: Final = re.compile(r"[A-Z_]{6,20}\s*\[|\{\s*\"", re.IGNORECASE)
_LONGEST: Final = 20_000
"""Characters of the longest WKT or PROJJSON that is looked at."""
_LEAST_CONFIDENCE: Final = 60
"""How sure PROJ must be, in percent, that an ESRI or hand-written WKT is a system of the EPSG register."""


class Heights(StrEnum):
    """What becomes of the third coordinate."""

    ASSUMED = "assumed"
    """The system has no heights of its own; what stands there is taken for DVR90."""
    KEPT = "kept"
    """They are DVR90 already."""
    CONVERTED = "converted"
    """They are brought to DVR90 by an operation of PROJ."""
    LOST = "lost"
    """They are above another zero, and PROJ has no operation from there with what is installed: unknown."""


@dataclass(frozen=True, slots=True)
class ReferenceSystem:
    """A known coordinate system."""

    epsg: int
    """Of its horizontal part."""
    vertical: CRS | None
    """Its heights; None where it has none."""
    ellipsoidal: bool = False
    """Whether its heights are above the ellipsoid."""

    @property
    def name(self) -> str:
        """As people write it: EPSG:25832, or EPSG:25832+5799 with heights."""
        if self.vertical is None:
            return f"EPSG:{self.epsg}" + (" with ellipsoidal heights" if self.ellipsoidal else "")
        return f"EPSG:{self.epsg}+{self.vertical.to_epsg() or self.vertical.name}"

    @property
    def in_degrees(self) -> bool:
        """Whether its coordinates are angles."""
        return bool(_crs(self.epsg).is_geographic)

    @property
    def has_heights(self) -> bool:
        """Whether the system itself says what its heights mean."""
        return self.vertical is not None or self.ellipsoidal


@dataclass(frozen=True, slots=True)
class Transformation:
    """The way from one system to EPSG:25832 and DVR90."""

    source: ReferenceSystem
    operation: str
    """As PROJ describes it; empty where nothing is done."""
    accuracy_m: float | None
    """Standard deviation of a position as the EPSG register has it; 0 for a pure projection, None where unknown."""
    heights: Heights
    _plane: Transformer | None = field(repr=False)
    _heights: Transformer | None = field(repr=False)

    @property
    def accurate(self) -> bool:
        """Whether nobody needs to be told of its accuracy."""
        return self.accuracy_m is not None and self.accuracy_m <= ACCURATE_M

    def apply(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return positions (n, 3) as easting and northing in EPSG:25832 and DVR90 height, metres.

        What comes in is x or longitude first, y or latitude second, the height third, NaN where it is unknown. What
        cannot be transformed comes out as infinite.
        """
        if self.heights is Heights.LOST:
            positions = np.column_stack([positions[:, :2], np.full(len(positions), np.nan)])
        if self._heights is not None:
            return self._with_heights(positions)
        if self._plane is None:
            return positions
        x, y = self._plane.transform(positions[:, 0], positions[:, 1])
        return np.column_stack([x, y, positions[:, 2]])

    def invert(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return positions (n, 2) in EPSG:25832 in the system they came from, (n, 2), by the same operation."""
        if self._plane is None:
            return positions
        found = self._plane.transform(positions[:, 0], positions[:, 1], direction=TransformDirection.INVERSE)
        return np.column_stack(found)

    def _with_heights(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        if self._heights is None:
            return positions
        known = ~np.isnan(positions[:, 2])
        heights = np.where(known, positions[:, 2], 0.0)
        x, y, z = self._heights.transform(positions[:, 0], positions[:, 1], heights)
        return np.column_stack([x, y, np.where(known, z, np.nan)])


def find_system(name: str) -> ReferenceSystem:
    """Return the system of that name: `EPSG:25832`, `EPSG:25832+5799`, an OGC URN, a WKT.

    Raises RefusedError `crs-unsupported`, which lists the known ones.
    """
    return _find_system(name.strip())


def system_of(epsg: int) -> ReferenceSystem:
    """Return the system of that number, without heights of its own."""
    return find_system(f"EPSG:{epsg}")


@cache
def transformation_from(system: ReferenceSystem) -> Transformation:
    """Return the way from a system to EPSG:25832; RefusedError `crs-unsupported` where PROJ has none."""
    if pyproj.network.is_network_enabled():  # type: ignore[attr-defined]
        raise RuntimeError("PROJ may use the network; unset PROJ_NETWORK")
    plane = None if system.epsg == STORAGE_EPSG else _best(_crs(system.epsg), _crs(STORAGE_EPSG))
    if system.epsg != STORAGE_EPSG and plane is None:
        raise RefusedError("crs-unsupported", _why_not(system))
    accuracy = 0.0 if plane is None else _accuracy(plane, system)
    operation = "" if plane is None else plane.description
    heights, lift = _heights_of(system)
    if lift is not None:
        operation, accuracy = lift.description, _worse(accuracy, lift.accuracy)
    return Transformation(system, operation, accuracy, heights, plane, lift)


def common_system(
    stated: str | None, told: str | None, *, where: str, override: bool = False
) -> ReferenceSystem:
    """Return the system of coordinates of which the file says `stated` and its owner `told`.

    The owner may add what the heights mean to a file that leaves it open. `override` lets the owner's word stand
    against the file's. Raises RefusedError `crs-missing`, `crs-mixed` or `crs-unsupported`, naming `where`.
    """
    if told and (override or not stated):
        return find_system(told)
    if not stated:
        raise RefusedError(
            "crs-missing",
            f"{where} does not say which coordinate system it is in; say it with crs, e.g. EPSG:25832",
        )
    own = _in_file(stated, where)
    if not told:
        return own
    wanted = find_system(told)
    if wanted.epsg != own.epsg or (own.has_heights and wanted != own):
        raise RefusedError(
            "crs-mixed", f"{where} is in {own.name}, but {wanted.name} was said; correct one of the two"
        )
    return wanted


def _in_file(stated: str, where: str) -> ReferenceSystem:
    try:
        return find_system(stated)
    except RefusedError as refused:
        raise RefusedError(refused.code, f"{where}: {refused}") from None


@cache
def _find_system(name: str) -> ReferenceSystem:
    crs = _parsed(name)
    if crs is not None and crs.is_bound:
        crs = crs.source_crs
    if crs is not None:
        plane, vertical, ellipsoidal = _parts(crs)
        epsg = _known_number(plane)
        if epsg is not None:
            return ReferenceSystem(epsg, vertical, ellipsoidal)
    known = ", ".join(f"EPSG:{epsg}" for epsg in KNOWN_EPSG)
    shown = name if len(name) <= 80 else f"{name[:80]}…"  # noqa: PLR2004 - a line of a terminal
    raise RefusedError("crs-unsupported", f"the coordinate system {shown!r} is not supported; known: {known}")


def _parsed(name: str) -> CRS | None:
    if len(name) > _LONGEST or not (_NAME.fullmatch(name) or _WKT.match(name)):
        return None
    if name.upper() in {"CRS84", "OGC:CRS84"} or name.upper().endswith(":CRS84"):
        name = "EPSG:4326"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return CRS.from_user_input(name)
    except CRSError:
        return None


def _parts(crs: CRS) -> tuple[CRS, CRS | None, bool]:
    if crs.is_compound and len(crs.sub_crs_list) == 2:  # noqa: PLR2004 - horizontal and vertical
        plane, vertical = crs.sub_crs_list
        return plane, vertical, False
    if len(crs.axis_info) == 3:  # noqa: PLR2004 - longitude, latitude and ellipsoidal height
        return crs.to_2d(), None, True
    return crs, None, False


def _known_number(plane: CRS) -> int | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        epsg = plane.to_epsg(min_confidence=_LEAST_CONFIDENCE)
    return epsg if epsg in KNOWN_EPSG or epsg in _WITHOUT_OPERATION else None


@cache
def _crs(epsg: int) -> CRS:
    return CRS.from_epsg(epsg)


def _heights_of(system: ReferenceSystem) -> tuple[Heights, Transformer | None]:
    if not system.has_heights:
        return Heights.ASSUMED, None
    if system.vertical is None:
        return Heights.LOST, None
    if system.vertical.to_epsg() == _DVR90_EPSG:
        return Heights.KEPT, None
    compound = _compound(system.epsg, system.vertical)
    lift = _best(compound, _crs(STORAGE_WITH_HEIGHT_EPSG)) if compound else None
    return (Heights.CONVERTED, lift) if lift else (Heights.LOST, None)


def _compound(epsg: int, vertical: CRS) -> CRS | None:
    number = vertical.to_epsg()
    return _parsed(f"EPSG:{epsg}+{number}") if number else None


def _group(source: CRS, target: CRS) -> TransformerGroup:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a grid is missing is told by the accuracy, or by the refusal
        area = _AREAS.get(source.to_epsg() or 0, DENMARK)
        return TransformerGroup(source, target, always_xy=True, area_of_interest=area)


def _best(source: CRS, target: CRS) -> Transformer | None:
    """The first operation, in PROJ's order of preference for Denmark, that is no ballpark one."""
    return next((t for t in _group(source, target).transformers if "allpark" not in t.description), None)


def _accuracy(transformer: Transformer, system: ReferenceSystem) -> float | None:
    datum = _crs(system.epsg).geodetic_crs
    if datum is not None and datum.to_epsg() == _ETRS89_EPSG:
        return 0.0  # the same datum: a projection only, however PROJ counts it
    return float(transformer.accuracy) if transformer.accuracy >= 0 else None


def _worse(accuracy: float | None, other: float) -> float | None:
    return None if accuracy is None or other < 0 else max(accuracy, other)


def _why_not(system: ReferenceSystem) -> str:
    missing = {
        grid.short_name
        for operation in _group(_crs(system.epsg), _crs(STORAGE_EPSG)).unavailable_operations
        for grid in operation.grids
        if not grid.available
    }
    reason = f"; PROJ lacks the grid {', '.join(sorted(missing))}" if missing else ""
    name = _crs(system.epsg).name
    return f"EPSG:{system.epsg} ({name}) cannot be brought to EPSG:25832{reason}; deliver in EPSG:25832"


def projection_to(epsg: int) -> Projection:
    """Return the way from EPSG:25832 to a known system, by the operation that leads from there."""
    way = transformation_from(system_of(epsg))
    return Projection(epsg, way.accuracy_m, way.invert)


def looks_like_degrees(x: float, y: float) -> bool:
    """Whether numbers that should be metres are of the size of degrees."""
    return abs(x) <= 180 and abs(y) <= 180  # noqa: PLR2004 - degrees


def require_finite(moved: NDArray[np.float64], where: str) -> None:
    """Refuse positions that EPSG:25832 cannot hold. Raises RefusedError `area-outside-coverage`."""
    if not np.isfinite(moved[:, :2]).all():
        raise RefusedError("area-outside-coverage", f"{where}: coordinates outside what EPSG:25832 can hold")


def transform(system: ReferenceSystem, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return positions (n, 2) of a system in EPSG:25832, (n, 2). RefusedError where PROJ cannot do it."""
    heights = np.full(len(positions), np.nan)
    try:
        return transformation_from(system).apply(np.column_stack([positions, heights]))[:, :2]
    except ProjError:
        raise RefusedError("area-outside-coverage", "the coordinates cannot be transformed") from None
