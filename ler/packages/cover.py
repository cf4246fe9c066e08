"""Depth of cover: how much earth lies above the top of each line, by the operator's terrain model.

The height of a line's vertices is that of its top, in DVR90, and runs straight between them; the terrain has one height
in each of its cells. So the cover is known along the whole line, and its least and most are at vertices and at borders
of cells. A component has one level, that of its highest point (topkote), which holds wherever it is drawn; the height
of its geometry is not used, since the model does not say of what it is. A line of which any part has no height, or no
terrain, gets no number at all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import GeometryType

from ler.domain.uncertainty import has_band, vertical_accuracy_m
from ler.model import Feature, load_model
from ler.model.schema import UNKNOWN_HEIGHT
from ler.packages.terrain import Terrain, TerrainFault
from ler.packages.terrain_cells import Floats, Integers, Pieces, count_pieces, cut, whole

_PIECES_AT_ONCE: Final = 1_000_000
"""About 100 MB."""
_SQUARE_M: Final = 100.0
_DRAWN_AS_LINES: Final = [
    GeometryType.POINT,
    GeometryType.LINESTRING,
    GeometryType.LINEARRING,
    GeometryType.MULTIPOINT,
    GeometryType.MULTILINESTRING,
]


class CoverUnknown(StrEnum):
    """Why no depth of cover is told."""

    NO_TERRAIN = "no-terrain-model"
    """The operator has chosen none."""
    NOT_BURIED = "not-buried"
    """Not a line, trace or component, or one above ground."""
    NO_GEOMETRY = "no-geometry"
    SURFACE = "drawn-as-surface"
    """Only the outline has heights."""
    NO_HEIGHTS = "no-heights"
    """A vertex or more has none; a component has no topkote."""
    TERRAIN_HOLE = "terrain-nodata"
    """The terrain model has a hole there."""
    TERRAIN_MISSING = "terrain-missing"
    """The terrain model does not reach there: a tile is missing."""
    TERRAIN_UNREADABLE = TerrainFault.UNREADABLE.value
    TERRAIN_CRS = TerrainFault.CRS.value
    TERRAIN_HEIGHTS = TerrainFault.HEIGHTS.value


_WHY: Final = {
    CoverUnknown.NO_TERRAIN: ("ingen terrænmodel", "no terrain model"),
    CoverUnknown.NOT_BURIED: ("ligger ikke i jorden", "not in the ground"),
    CoverUnknown.NO_GEOMETRY: ("ingen geometri", "no geometry"),
    CoverUnknown.SURFACE: ("tegnet som flade", "drawn as a surface"),
    CoverUnknown.NO_HEIGHTS: ("kote mangler", "heights are missing"),
    CoverUnknown.TERRAIN_HOLE: ("hul i terrænmodellen", "a hole in the terrain model"),
    CoverUnknown.TERRAIN_MISSING: ("uden for terrænmodellen", "outside the terrain model"),
    CoverUnknown.TERRAIN_UNREADABLE: ("terrænmodellen kan ikke læses", "the terrain model cannot be read"),
    CoverUnknown.TERRAIN_CRS: (
        "terrænmodellens referencesystem er et andet",
        "the terrain model's CRS is another",
    ),
    CoverUnknown.TERRAIN_HEIGHTS: (
        "terrænmodellens koter er ikke sikkert DVR90 i meter",
        "the terrain model's heights are not surely DVR90 in metres",
    ),
}


@dataclass(frozen=True, slots=True)
class Cover:
    """How much earth lies above its top, m, by the terrain model: least and most; None and the reason when unknown."""

    min_m: float | None = None
    max_m: float | None = None
    """Less than 0: the top lies above the terrain of the model."""
    uncertainty_m: float | None = None
    """Both may be off by this much; None when nobody says how far the line's or the terrain's height may be off."""
    unknown: CoverUnknown | None = None

    def words(self, language: Literal["da", "en"]) -> str:
        """Say it in a line."""
        danish = language == "da"
        if self.min_m is None or self.max_m is None:
            why = _WHY[self.unknown or CoverUnknown.NO_TERRAIN][0 if danish else 1]
            return f"jorddækning ukendt: {why}" if danish else f"cover unknown: {why}"
        ends = dict.fromkeys(f"{end:.2f}" for end in (self.min_m, self.max_m))
        said = (" til " if danish else " to ").join(ends)
        off = "" if self.uncertainty_m is None else f"{self.uncertainty_m:.2f}"
        if danish:
            said = f"jorddækning {said} m, usikkerhed {f'± {off} m' if off else 'ukendt'}"
            return said.replace(".", ",")
        return f"cover {said} m, uncertainty {f'± {off} m' if off else 'unknown'}"


@dataclass(frozen=True, slots=True)
class Covers:
    """The cover of each feature, and what terrain it was computed with."""

    each: Sequence[Cover]
    terrain: str | None = None
    """Name of its file or folder; None: no terrain model."""
    sha256: str | None = None
    """Of the heights that were read."""
    accuracy_m: float | None = None
    """What the operator says that they may be off."""

    def document(self) -> dict[str, object] | None:
        """Return what a manifest says; None without a terrain model."""
        if self.terrain is None:
            return None
        unknown = [cover.unknown for cover in self.each if cover.unknown is not None]
        return {
            "name": self.terrain,
            "sha256": self.sha256,
            "accuracy_m": self.accuracy_m,
            "cover_known": len(self.each) - len(unknown),
            "cover_unknown": {str(why): unknown.count(why) for why in CoverUnknown if why in unknown},
        }


def covers_of(
    features: Sequence[Feature], terrain: Terrain | None, terrain_accuracy_m: float | None
) -> Covers:
    """Return the cover of each feature.

    What two heights may be off together is the sum of what each may be off: an accuracy class is a bound, which two
    that know nothing of each other may both reach, not a deviation.
    """
    if terrain is None:
        return Covers([Cover(unknown=CoverUnknown.NO_TERRAIN)] * len(features))
    tops = _tops(features)
    found = _Found.of(len(features))
    for chunk in _chunks(tops):
        _measure(terrain, chunk, found)
    holes = CoverUnknown(terrain.fault.value) if terrain.fault else CoverUnknown.TERRAIN_MISSING
    each = []
    for number, feature in enumerate(features):
        why = tops.unknown.get(number)
        if why is None and found.gap[number]:
            why = CoverUnknown.TERRAIN_HOLE if found.hole[number] else holes
        if why is not None:
            each.append(Cover(unknown=why))
            continue
        off = vertical_accuracy_m(feature)
        least, most = float(found.least[number]), float(found.most[number])
        both = None if off is None or terrain_accuracy_m is None else round(off + terrain_accuracy_m, 3)
        each.append(Cover(round(least, 3), round(most, 3), both))
    return Covers(each, terrain.name, terrain.digest(), terrain_accuracy_m)


@dataclass(frozen=True, slots=True)
class _Tops:
    """The tops of features as straight segments; a point is one without length."""

    feature: Integers
    """Number of the feature of each segment."""
    starts: Floats
    ends: Floats
    """(n, 3): easting, northing, height."""
    unknown: dict[int, CoverUnknown] = field(default_factory=dict)
    """Features that have none, and why."""

    def take(self, which: Integers) -> "_Tops":
        return _Tops(self.feature[which], self.starts[which], self.ends[which])


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found of each feature."""

    least: Floats
    most: Floats
    gap: NDArray[np.bool_]
    """Somewhere along it no height of the terrain was found."""
    hole: NDArray[np.bool_]
    """Somewhere along it the terrain has a cell without a height."""

    @classmethod
    def of(cls, count: int) -> "_Found":
        nothing = np.zeros(count, dtype=bool)
        return cls(np.full(count, np.inf), np.full(count, -np.inf), nothing, nothing.copy())


def _tops(features: Sequence[Feature]) -> _Tops:
    geometries = np.array([*(feature.geometry for feature in features), None], dtype=object)[:-1]
    lines = np.isin(shapely.get_type_id(geometries), _DRAWN_AS_LINES)
    unknown: dict[int, CoverUnknown] = {}
    levels = np.full(len(features), np.nan)
    for number, feature in enumerate(features):
        found = _top_of(feature, as_lines=bool(lines[number]))
        if isinstance(found, CoverUnknown):
            unknown[number] = found
        elif found is not None:
            levels[number] = found
    wanted = np.array([number for number in range(len(features)) if number not in unknown], dtype=np.int64)
    of, starts, ends = _segments(geometries[wanted], wanted)
    for heights in (starts[:, 2], ends[:, 2]):
        heights[heights == UNKNOWN_HEIGHT] = np.nan
        heights[:] = np.where(np.isnan(levels[of]), heights, levels[of])
    without = np.unique(of[np.isnan(starts[:, 2]) | np.isnan(ends[:, 2])])
    unknown |= dict.fromkeys(without.tolist(), CoverUnknown.NO_HEIGHTS)
    known = ~np.isin(of, without)
    return _Tops(of[known], starts[known], ends[known], unknown)


def _top_of(feature: Feature, *, as_lines: bool) -> CoverUnknown | float | None:
    """Level of a component's top; None: its geometry has the levels; or why there is none."""
    feature_type, geometry = load_model().types[feature.type], feature.geometry
    if not has_band(feature_type) or feature.attributes.get("niveau") == "over terræn":
        return CoverUnknown.NOT_BURIED
    if geometry is None or geometry.is_empty:
        return CoverUnknown.NO_GEOMETRY
    if not as_lines:
        return CoverUnknown.SURFACE
    if not feature_type.is_a("Ledningskomponent"):
        return None
    level = feature.attributes.get("topkote")
    return float(level) if isinstance(level, int | float) else CoverUnknown.NO_HEIGHTS


def _segments(geometries: NDArray[np.object_], numbers: Integers) -> tuple[Integers, Floats, Floats]:
    parts, of = shapely.get_parts(geometries, return_index=True)
    points, part = shapely.get_coordinates(parts, include_z=True, return_index=True)
    joined = np.flatnonzero(part[1:] == part[:-1])
    alone = np.flatnonzero(np.bincount(part, minlength=len(parts))[part] == 1)
    first, second = np.concatenate([joined, alone]), np.concatenate([joined + 1, alone])
    return numbers[of[part[first]]], points[first], points[second]


def _chunks(tops: _Tops) -> Iterator[_Tops]:
    """Parts of the segments that can be cut at once, whatever the terrain's cells; each part from its own ground."""
    # Square by square, so that a block of the terrain is read for one part, or two.
    place = np.floor(tops.starts[:, :2] / _SQUARE_M)
    tops = tops.take(np.lexsort((place[:, 0], place[:, 1])))
    # As if cells were 0.1 m; the finest that are read, 0.05 m, take twice as much.
    pieces = np.cumsum(count_pieces(10 * tops.starts[:, :2], 10 * tops.ends[:, :2]))
    whole_parts = np.arange(_PIECES_AT_ONCE, pieces[-1] if len(pieces) else 0, _PIECES_AT_ONCE)
    edges = [0, *np.searchsorted(pieces, whole_parts).tolist(), len(pieces)]
    for start, stop in pairwise(edges):
        if stop > start:
            yield tops.take(np.arange(start, stop))


def _measure(terrain: Terrain, tops: _Tops, found: _Found) -> None:
    starts, ends = tops.starts[:, :2], tops.ends[:, :2]
    low, high = np.minimum(starts, ends).min(axis=0), np.maximum(starts, ends).max(axis=0)
    met: list[Pieces] = []
    lengths = np.zeros(len(starts))
    for tile in terrain.tiles_in((*low.tolist(), *high.tolist())):
        grid = terrain.place(tile)
        if grid is None:
            continue
        begin, finish = grid.cells(starts), grid.cells(ends)
        pieces = cut(begin, finish)
        heights = terrain.heights(tile, grid, pieces.column, pieces.row)
        if heights is None:
            continue
        inside = (pieces.column >= 0) & (pieces.column < grid.columns)
        inside &= (pieces.row >= 0) & (pieces.row < grid.rows)
        known = ~np.isnan(heights)
        found.hole[tops.feature[pieces.segment[inside & ~known]]] = True
        pieces, heights = pieces.take(known), heights[known]
        _widen(found, tops, pieces, heights)
        met.append(pieces)
        lengths = np.maximum(lengths, np.hypot(*(finish - begin).T))
    covered = np.zeros(len(starts), dtype=bool)
    if met:
        segment, start, end = (
            np.concatenate([getattr(pieces, name) for pieces in met]) for name in ("segment", "start", "end")
        )
        covered = whole(segment, start, end, lengths)
    found.gap[tops.feature[~covered]] = True


def _widen(found: _Found, tops: _Tops, pieces: Pieces, heights: Floats) -> None:
    feature, start, end = (
        tops.feature[pieces.segment],
        tops.starts[pieces.segment, 2],
        tops.ends[pieces.segment, 2],
    )
    for t in (pieces.start, pieces.end):
        cover = heights - (start + t * (end - start))
        np.minimum.at(found.least, feature, cover)
        np.maximum.at(found.most, feature, cover)
