"""Geometries of a batch of records to EPSG:25832 with DVR90 heights, all at once, and what is wrong with each.

Everything is worked out on one flat array of coordinates; only a geometry that turns out to be faulty is looked at
alone. Nothing is mended: a geometry has its place, or a fault.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ingest.crs import Transformation, looks_like_degrees
from ingest.mapping.rules import HeightRule
from ingest.readers.gml_geometry import HEIGHTS_M, MAX_VERTICES, Coverage

_LEAST: Final = 2
"""Vertices of a line."""

type Geometries = NDArray[np.object_]


class Fault(NamedTuple):
    """What is wrong with the geometry at a place of the batch."""

    at: int
    code: str
    found: str = ""
    wanted: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """The geometries of a batch: where they lie, what is wrong, what should be told."""

    geometries: Geometries
    """None where there is none, or a fault."""
    faults: list[Fault]
    warnings: list[Fault]
    heights_given: bool
    """Whether any record came with a height."""


def place(
    geometries: Geometries,
    transformation: Transformation,
    heights: HeightRule,
    coverage: Coverage,
    given_heights: NDArray[np.float64] | None = None,
) -> Placed:
    """Bring geometries to their place; `given_heights` (n) are heights from a column, used for whole geometries."""
    present = np.flatnonzero(~shapely.is_missing(geometries))
    shapes = geometries[present]
    positions, whose = shapely.get_coordinates(shapes, include_z=True, return_index=True)
    warnings: list[Fault] = []
    if heights.ignore:
        positions[:, 2] = np.nan
    if given_heights is not None:
        from_column = given_heights[present][whose]
        positions[:, 2] = np.where(np.isnan(from_column), positions[:, 2], from_column)
    raw = positions.copy()
    warnings += _forget_unknown(positions, whose, heights)
    moved = transformation.apply(positions)
    faults = _faults(raw, moved, whose, transformation, coverage, count=len(shapes))
    warnings += _repeated(moved, whose, shapes)
    faulty = {fault.at for fault in faults}
    faults += [fault for fault in _short_lines(moved, whose, shapes) if fault.at not in faulty]
    moved[~np.isfinite(moved[:, 0]) | ~np.isfinite(moved[:, 1]), :2] = 0.0  # faulty ones; never shown
    placed = np.full(len(geometries), None, dtype=object)
    placed[present] = shapely.set_coordinates(shapely.force_3d(shapes), moved)
    for fault in faults:
        placed[present[fault.at]] = None
    return Placed(
        placed,
        [fault._replace(at=int(present[fault.at])) for fault in faults],
        [warning._replace(at=int(present[warning.at])) for warning in warnings],
        bool((~np.isnan(raw[:, 2])).any()),
    )


def as_the_model_wants(geometry: BaseGeometry, allowed: str) -> BaseGeometry | None:
    """Return the geometry as the kind that an attribute takes; None where it is another kind.

    `allowed` is the model's word: `curve`, `curves`, `point` or `any`. A multiple or collection of one part is that part, but for a
    trace, which is always several curves.
    """
    kind = geometry.geom_type
    parts = shapely.get_parts(geometry)
    if len(parts) == 1 and (kind.startswith("Multi") or kind == "GeometryCollection"):
        geometry, kind = parts[0], parts[0].geom_type
    match allowed:
        case "curve":
            return geometry if kind == "LineString" else None
        case "curves":
            if isinstance(geometry, shapely.LineString):
                return shapely.MultiLineString([geometry])
            return geometry if kind == "MultiLineString" else None
        case "point":
            return geometry if kind == "Point" else None
        case _:
            return None if kind in {"GeometryCollection", "LinearRing"} else geometry


def closed_line_to_area(geometry: BaseGeometry) -> BaseGeometry:
    """Return the area inside a closed line; anything else as it is."""
    if geometry.geom_type != "LineString" or shapely.get_num_points(geometry) < 4:  # noqa: PLR2004 - the least ring
        return geometry
    coordinates = shapely.get_coordinates(geometry, include_z=True)
    if not np.array_equal(coordinates[0, :2], coordinates[-1, :2]):
        return geometry
    return shapely.Polygon(shapely.LinearRing(coordinates[:-1]))


def _forget_unknown(positions: NDArray[np.float64], whose: NDArray[np.intp], rule: HeightRule) -> list[Fault]:
    """Make heights NaN that stand for unknown; a zero only where the whole geometry is at zero."""
    z = positions[:, 2]
    codes = [code for code in rule.unknown if code != 0]
    unknown = np.isin(z, codes)
    if 0 in rule.unknown and len(z):
        count = int(whose[-1]) + 1
        zeros = np.bincount(whose, weights=z == 0, minlength=count)
        unknown |= (zeros == np.bincount(whose, minlength=count))[whose]
    told = np.unique(whose[unknown], return_index=True)
    values = z[unknown]
    z[unknown] = np.nan
    if rule.stated:
        return []
    return [Fault(int(at), "height-unknown", f"{values[first]:g}") for at, first in zip(*told, strict=True)]


def _faults(
    raw: NDArray[np.float64],
    moved: NDArray[np.float64],
    whose: NDArray[np.intp],
    transformation: Transformation,
    coverage: Coverage,
    *,
    count: int,
) -> list[Fault]:
    west, south, east, north = coverage
    lowest, highest = HEIGHTS_M
    x, y, z = moved.T
    good = (x >= west) & (x <= east) & (y >= south) & (y <= north)
    good &= np.isnan(z) | ((z >= lowest) & (z <= highest))
    faults = []
    for at in np.unique(whose[~good]).tolist():
        mine = slice(*np.searchsorted(whose, [at, at + 1]).tolist())
        faults.append(_fault(at, raw[mine], moved[mine], transformation, coverage))
    sizes = np.bincount(whose, minlength=count)
    faults += [
        Fault(int(at), "geometry-limit", str(sizes[at]), str(MAX_VERTICES))
        for at in np.flatnonzero(sizes > MAX_VERTICES)
    ]
    return faults


def _fault(
    at: int,
    raw: NDArray[np.float64],
    moved: NDArray[np.float64],
    transformation: Transformation,
    coverage: Coverage,
) -> Fault:
    """What is wrong with one geometry that is not where it should be."""
    if not np.isfinite(raw[:, :2]).all() or np.isinf(raw[:, 2]).any():
        wrong = raw[~np.isfinite(raw[:, :2]).all(axis=1) | np.isinf(raw[:, 2])][0]
        return Fault(at, "coordinate-not-finite", _shown(wrong), "0.0")
    lowest, highest = HEIGHTS_M
    wanted = f"{coverage[0]:.0f} {coverage[1]:.0f} … {coverage[2]:.0f} {coverage[3]:.0f}"
    if _inside(moved, coverage).all():
        z = moved[:, 2]
        wrong_height = z[(z < lowest) | (z > highest)][0]
        return Fault(at, "height-impossible", f"{wrong_height:g}", f"{lowest:g} … {highest:g}")
    outside = raw[~_inside(moved, coverage)][0]
    swapped = transformation.apply(raw[:, [1, 0, 2]])
    if _inside(swapped, coverage).all():
        return Fault(at, "crs-axis-order", _shown(outside), wanted)
    if not transformation.source.in_degrees and looks_like_degrees(outside[0], outside[1]):
        return Fault(at, "crs-out-of-area", f"{_shown(outside)}; looks like degrees", wanted)
    if transformation.source.in_degrees and not looks_like_degrees(outside[0], outside[1]):
        return Fault(at, "crs-out-of-area", f"{_shown(outside)}; looks like metres", wanted)
    return Fault(at, "crs-out-of-area", _shown(outside), wanted)


def _inside(positions: NDArray[np.float64], coverage: Coverage) -> NDArray[np.bool_]:
    west, south, east, north = coverage
    x, y = positions[:, 0], positions[:, 1]
    return (x >= west) & (x <= east) & (y >= south) & (y <= north)


def _repeated(positions: NDArray[np.float64], whose: NDArray[np.intp], shapes: Geometries) -> Sequence[Fault]:
    """Lines and areas with vertices that repeat the one before."""
    if len(positions) < _LEAST:
        return []
    same = _same_as_before(positions, whose)
    if not same.any():
        return []
    # The first vertex of a part may lie on the last of the part before, which repeats nothing.
    candidates, counts = np.unique(whose[1:][same], return_counts=True)
    single = shapely.get_num_geometries(shapes[candidates]) == 1
    single &= shapely.get_num_interior_rings(shapes[candidates]) <= 0
    return [
        Fault(int(at), "geometry-repeated-points", str(count))
        for at, count in zip(candidates[single], counts[single], strict=True)
    ]


def _short_lines(
    positions: NDArray[np.float64], whose: NDArray[np.intp], shapes: Geometries
) -> Sequence[Fault]:
    """Lines all of whose vertices are the same, and lines with such a part."""
    if len(positions) < _LEAST:
        return []
    repeats = np.bincount(whose[1:][_same_as_before(positions, whose)], minlength=len(shapes))
    suspects = np.flatnonzero(repeats > 0)
    return [Fault(int(at), "geometry-degenerate") for at in suspects if _has_short_part(shapes[at])]


def _has_short_part(shape: BaseGeometry) -> bool:
    for part in shapely.get_parts(shape):
        if part.geom_type == "LineString":
            xyz = shapely.get_coordinates(part, include_z=True)
            if (np.equal(xyz, xyz[0]) | (np.isnan(xyz) & np.isnan(xyz[0]))).all():
                return True
    return False


def _same_as_before(positions: NDArray[np.float64], whose: NDArray[np.intp]) -> NDArray[np.bool_]:
    step = positions[1:] == positions[:-1]
    step[:, 2] |= np.isnan(positions[1:, 2]) & np.isnan(positions[:-1, 2])
    same: NDArray[np.bool_] = step.all(axis=1) & (whose[1:] == whose[:-1])
    return same


def _shown(position: NDArray[np.float64]) -> str:
    digits = ".6g" if looks_like_degrees(position[0], position[1]) else ".2f"
    return f"{position[0]:{digits}} {position[1]:{digits}}"
