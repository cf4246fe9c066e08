"""The map of a report: lines of the file in pale strokes, findings as numbered marks, as an SVG element.

Colours come from the page's style sheet by class, so that the map follows light and dark. North is up; coordinates
EPSG:25832, metres.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from ingest.findings import Severity
from ingest.readers.gml_geometry import Coverage
from ingest.readers.ler_gml import LerGmlReader
from ingest.report.words import Words

MOST_FEATURES: Final = 5000
"""Features drawn besides those with findings."""

WIDTH: Final = 960.0
_HEIGHTS: Final = (360.0, 720.0)
_MARGIN: Final = 34.0
_SMALLEST_M: Final = 20.0
_MARK: Final = 11.0
_FIRST_TOLERANCE_M: Final = 0.2
_STROKE_TOLERANCE: Final = 0.4


@dataclass(frozen=True, slots=True)
class Mark:
    """A finding on the map: its number on the page, and where it is."""

    number: int
    severity: Severity
    place: tuple[float, float]
    says: str


@dataclass(slots=True)
class Lines:
    """What lies behind the marks, in two dimensions."""

    pale: list[BaseGeometry] = field(default_factory=list)
    marked: list[BaseGeometry] = field(default_factory=list)


def collect_lines(
    path: Path, coverage: Coverage, marked: Collection[str], features: int, version: str
) -> Lines:
    """Read the file once more: the features named in `marked`, and of all others an even sample."""
    step = max(1, math.ceil(features / MOST_FEATURES))
    lines = Lines()
    for number, feature in enumerate(LerGmlReader(path, coverage=coverage, version=version)):
        named = feature.gml_id in marked
        if feature.geometry is not None and (named or number % step == 0):
            flat = shapely.force_2d(feature.geometry)
            (lines.marked if named else lines.pale).append(shapely.simplify(flat, _FIRST_TOLERANCE_M))
    return lines


@dataclass(frozen=True, slots=True)
class _Frame:
    """Metres to the units of the drawing."""

    west: float
    north: float
    units_per_metre: float
    height: float

    def to_units(self, coordinates: np.ndarray) -> np.ndarray:
        x = (coordinates[:, 0] - self.west) * self.units_per_metre
        y = (self.north - coordinates[:, 1]) * self.units_per_metre
        return np.column_stack((x, y))


def draw_map(lines: Lines, marks: Sequence[Mark], words: Words, title: str) -> str | None:
    """Return the SVG element; None when there is nothing to draw."""
    drawn = [*lines.pale, *lines.marked]
    places = np.array([mark.place for mark in marks], dtype=float).reshape(-1, 2)
    corners = [shapely.get_coordinates(shapely.box(*shapely.total_bounds(drawn)))] if drawn else []
    extent = np.concatenate([*corners, places])
    if not len(extent):
        return None
    frame = _frame(extent)
    body = [
        f'<path class="pale" d="{_path(lines.pale, frame)}"/>',
        f'<path class="marked" d="{_path(lines.marked, frame)}"/>',
        *_marks(marks, frame, words),
        _scale_bar(frame),
        _north_arrow(words),
    ]
    label = escape(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {frame.height:g}" role="img"'
        f' aria-label="{label}">{"".join(body)}</svg>'
    )


def _frame(extent: np.ndarray) -> _Frame:
    (west, south), (east, north) = extent.min(axis=0), extent.max(axis=0)
    width, height = max(east - west, _SMALLEST_M), max(north - south, _SMALLEST_M)
    inner = WIDTH - 2 * _MARGIN
    lowest, highest = _HEIGHTS
    scale = min(inner / width, (highest - 2 * _MARGIN) / height)
    units = max(lowest, height * scale + 2 * _MARGIN)
    centre_x, centre_y = (west + east) / 2, (south + north) / 2
    return _Frame(centre_x - WIDTH / 2 / scale, centre_y + units / 2 / scale, scale, round(units))


def _path(geometries: Sequence[BaseGeometry], frame: _Frame) -> str:
    moved = [shapely.transform(geometry, frame.to_units) for geometry in geometries]
    return "".join(
        part for geometry in shapely.simplify(moved, _STROKE_TOLERANCE) for part in _strokes(geometry)
    )


def _strokes(geometry: BaseGeometry) -> Iterator[str]:
    for part in shapely.get_parts(geometry):
        match part:
            case shapely.Point():
                yield f"M{part.x:.1f} {part.y:.1f}h0"
            case shapely.Polygon():
                for ring in (part.exterior, *part.interiors):
                    yield f"{_stroke(ring)}Z"
            case _:
                yield _stroke(part)


def _stroke(line: BaseGeometry) -> str:
    pairs = [f"{x:.1f} {y:.1f}" for x, y in shapely.get_coordinates(line).tolist()]
    return f"M{pairs[0]}L{' '.join(pairs[1:])}" if len(pairs) > 1 else f"M{' '.join(pairs)}h0"


def _marks(marks: Sequence[Mark], frame: _Frame, words: Words) -> Iterator[str]:
    """One mark for findings that lie too close to be told apart; an error is never hidden by a warning."""
    groups: list[tuple[float, float, list[Mark]]] = []
    for mark in sorted(marks, key=lambda one: one.severity is not Severity.ERROR):
        x, y = frame.to_units(np.array([mark.place]))[0].tolist()
        for left, top, group in groups:
            if math.hypot(x - left, y - top) < 2 * _MARK:
                group.append(mark)
                break
        else:
            groups.append((x, y, [mark]))
    yield from (_mark(x, y, group, words) for x, y, group in reversed(groups))
    for x, y, group in groups:
        above = x + 5, y - _MARK - 5
        covers = any(
            math.hypot(above[0] - left, above[1] - top) < _MARK + 5
            for left, top, _ in groups
            if (left, top) != (x, y)
        )
        if len(group) > 1 and not covers:
            yield f'<text class="more" x="{above[0]:.1f}" y="{above[1] + 4:.1f}">+{len(group) - 1}</text>'


def _mark(x: float, y: float, group: Sequence[Mark], words: Words) -> str:
    first = group[0]
    error = first.severity is Severity.ERROR
    reach = _MARK * 1.25
    shape = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_MARK:g}"/>'
        if error
        else f'<path d="M{x:.1f} {y - reach:.1f}l{reach} {reach}l-{reach} {reach}l-{reach} -{reach}Z"/>'
    )
    others = len(group) - 1
    size = f"digits-{len(str(first.number))}"
    told = f"{first.number}: {first.says}" + (f" ({words.on_map.format(others)})" if others else "")
    return (
        f'<a href="#finding-{first.number}" class="mark {first.severity}"><title>{escape(told)}</title>{shape}'
        f'<text class="{size}" x="{x:.1f}" y="{y + 3.6:.1f}">{first.number}</text></a>'
    )


def _scale_bar(frame: _Frame) -> str:
    longest = 0.22 * WIDTH / frame.units_per_metre
    power = 10.0 ** math.floor(math.log10(longest))
    length = max(step * power for step in (1, 2, 5) if step * power <= longest)
    units = length * frame.units_per_metre
    x, y = 16.0, frame.height - 14
    told = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"  # noqa: PLR2004 - metres in a kilometre
    return (
        f'<g class="scale"><path d="M{x:g} {y - 6:g}v6h{units:.1f}v-6"/>'
        f'<text x="{x + 4:g}" y="{y - 6:g}">{told}</text></g>'
    )


def _north_arrow(words: Words) -> str:
    x, y = WIDTH - 24, 14
    return (
        f'<g class="north"><path d="M{x:g} {y + 14:g}l7 24l-7 -5l-7 5Z"/>'
        f'<text x="{x:g}" y="{y + 9:g}">{words.north}</text></g>'
    )
