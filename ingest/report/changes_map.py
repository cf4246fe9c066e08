"""A map of what changes in a network: an SVG of its own, to be opened in any browser.

What is added is green and solid with a plus, what is removed red and dashed with a minus, what moved blue, dotted where it
was and solid with an arrowhead where it is, what changed otherwise brown with a tilde: never told by colour alone. North is
up; coordinates EPSG:25832, metres.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, text

from ingest.compare import Comparison, hash_joins

MOST: Final = 5000
"""Features drawn of each kind; of more, an even sample, which the legend tells."""

_WIDTH: Final = 1200.0
_HEIGHT: Final = 800.0
_MARGIN: Final = 40.0
_LEGEND: Final = 110.0
_SMALLEST_M: Final = 20.0
_MARKS: Final = 400
"""Marks drawn of each kind: more would hide the lines."""

_STYLE: Final = """
    svg { background: #fff; font: 14px sans-serif; }
    path { fill: none; stroke-width: 2; stroke-linecap: round; }
    .added { stroke: #1a7f37; } .removed { stroke: #c4201d; stroke-dasharray: 7 5; }
    .moved { stroke: #0550ae; } .was { stroke: #0550ae; stroke-dasharray: 1 5; }
    .changed { stroke: #8a5a00; stroke-dasharray: 10 3 2 3; }
    .mark { stroke-width: 2.4; stroke-dasharray: none; }
"""
_SIGNS: Final[Mapping[str, str]] = {
    "added": "m-5 0h10m-5 -5v10",
    "removed": "m-5 0h10",
    "moved": "m-4 -4l6 4l-6 4",
    "changed": "m-6 2q3 -6 6 -2t6 -2",
}
"""What stands beside a line of each kind, as a path from its middle."""

_CHANGES: Final = """
    SELECT c.kind, ST_AsBinary(c.old_geom) AS was, ST_AsBinary(c.new_geom) AS geom
    FROM {changes} AS c
    ORDER BY c.kind, c.gml_id
"""


@dataclass(frozen=True, slots=True)
class Changes:
    """The geometries of what differs, in two dimensions, by kind."""

    now: Mapping[str, Sequence[BaseGeometry]]
    """added, moved and changed as they are, removed as it was."""
    was: Sequence[BaseGeometry]
    """What moved, as it was."""


def staged_changes(connection: Connection, version_id: object) -> Changes:
    """Read what publishing a staged version would change; the transaction must act for the owner."""
    query = _CHANGES.format(changes="ler.staged_changes(:version)")
    return _read(connection, query, {"version": version_id})


def version_changes(connection: Connection, dataset_id: object, old: int, new: int) -> Changes:
    """Read what differs between two published versions; the transaction must act for the owner."""
    query = _CHANGES.format(changes="ler.version_changes(:dataset, :old, :new)")
    return _read(connection, query, {"dataset": dataset_id, "old": old, "new": new})


def draw_changes(changes: Changes, comparison: Comparison, title: str) -> str:
    """Return the SVG document; one that says so when nothing with a place changed."""
    drawn = [*changes.was, *(geometry for kind in changes.now.values() for geometry in kind)]
    frame = _Frame.around(drawn)
    body = [f'<path class="was" d="{frame.path(changes.was)}"/>']
    for kind, sign in _SIGNS.items():
        geometries = changes.now.get(kind, ())
        body.append(f'<path class="{kind}" d="{frame.path(geometries)}"/>')
        body.append(f'<path class="{kind} mark" d="{_marks(frame, geometries, sign)}"/>')
    if not drawn:
        body.append(
            f'<text x="{_WIDTH / 2:g}" y="{_HEIGHT / 2:g}" text-anchor="middle">nothing with a place</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {_HEIGHT + _LEGEND:g}" role="img"'
        f' aria-label="{escape(title)}"><style>{_STYLE}</style>{"".join(body)}'
        f"{_legend(changes, comparison, title)}{_scale_bar(frame) if drawn else ''}</svg>\n"
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    west: float
    north: float
    units_per_metre: float

    @classmethod
    def around(cls, geometries: Sequence[BaseGeometry]) -> "_Frame":
        if not geometries:
            return cls(0.0, 0.0, 1.0)
        west, south, east, north = shapely.total_bounds(np.array(geometries, dtype=object)).tolist()
        width, height = max(east - west, _SMALLEST_M), max(north - south, _SMALLEST_M)
        scale = min((_WIDTH - 2 * _MARGIN) / width, (_HEIGHT - 2 * _MARGIN) / height)
        return cls((west + east - _WIDTH / scale) / 2, (south + north + _HEIGHT / scale) / 2, scale)

    def to_units(self, coordinates: np.ndarray) -> np.ndarray:
        x = (coordinates[:, 0] - self.west) * self.units_per_metre
        y = (self.north - coordinates[:, 1]) * self.units_per_metre
        return np.column_stack((x, y))

    def path(self, geometries: Sequence[BaseGeometry]) -> str:
        moved = [shapely.transform(geometry, self.to_units) for geometry in geometries]
        return "".join(
            stroke for geometry in shapely.simplify(moved, 0.4) for stroke in map(_stroke, _lines(geometry))
        )


def _lines(geometry: BaseGeometry) -> list[BaseGeometry]:
    found: list[BaseGeometry] = []
    for part in shapely.get_parts(geometry):
        match part:
            case shapely.Polygon():
                found += [part.exterior, *part.interiors]
            case shapely.GeometryCollection():
                found += _lines(part)
            case _:
                found.append(part)
    return found


def _stroke(line: BaseGeometry) -> str:
    pairs = [f"{x:.1f} {y:.1f}" for x, y in shapely.get_coordinates(line).tolist()]
    return f"M{pairs[0]}L{' '.join(pairs[1:])}" if len(pairs) > 1 else f"M{pairs[0]}h0"


def _marks(frame: _Frame, geometries: Sequence[BaseGeometry], sign: str) -> str:
    step = max(1, math.ceil(len(geometries) / _MARKS))
    middles = []
    for geometry in geometries[::step]:
        line = _lines(geometry)[0]
        middle = (
            line.interpolate(0.5, normalized=True) if isinstance(line, shapely.LineString) else line.centroid
        )
        middles.append((middle.x, middle.y))
    if not middles:
        return ""
    return "".join(f"M{x:.1f} {y:.1f}{sign}" for x, y in frame.to_units(np.array(middles)).tolist())


def _legend(changes: Changes, comparison: Comparison, title: str) -> str:
    parts = [
        f'<text x="{_MARGIN:g}" y="{_HEIGHT + 24:g}" font-weight="bold">{escape(title)}; north is up</text>'
    ]
    total = comparison.total
    for place, (kind, sign) in enumerate(_SIGNS.items()):
        amount = getattr(total, kind)
        x, y = _MARGIN + place * 285, _HEIGHT + 58
        length = f", {amount.length_m / 1000:,.3f} km" if amount.length_m else ""
        sample = f" ({MOST:,} drawn)" if len(changes.now.get(kind, ())) < amount.count > MOST else ""
        parts.append(
            f'<path class="{kind}" d="M{x:g} {y:g}h44"/><path class="{kind} mark" d="M{x + 22:g} {y:g}{sign}"/>'
            f'<text x="{x + 54:g}" y="{y + 5:g}">{kind}: {amount.count:,}{length}{sample}</text>'
        )
    if changes.was:
        x, y = _MARGIN + 2 * 285, _HEIGHT + 82
        parts.append(f'<path class="was" d="M{x:g} {y:g}h44"/>')
        parts.append(f'<text x="{x + 54:g}" y="{y + 5:g}">where it was</text>')
    return "".join(parts)


def _scale_bar(frame: _Frame) -> str:
    longest = 0.2 * _WIDTH / frame.units_per_metre
    power = 10.0 ** math.floor(math.log10(longest))
    length = max(step * power for step in (1, 2, 5) if step * power <= longest)
    units = length * frame.units_per_metre
    x, y = _MARGIN, _HEIGHT + _LEGEND - 14
    return (
        f'<path stroke="#333" d="M{x:g} {y - 6:g}v6h{units:.1f}v-6"/>'
        f'<text x="{x + units + 8:.1f}" y="{y:g}">{length:g} m</text>'
    )


def _read(connection: Connection, query: str, asked: Mapping[str, object]) -> Changes:
    with hash_joins(connection):
        rows = connection.execute(text(query), asked).all()
    now: dict[str, list[BaseGeometry]] = {}
    was: list[BaseGeometry] = []
    for kind in _SIGNS:
        chosen = [row for row in rows if row.kind == kind]
        for row in chosen[:: max(1, math.ceil(len(chosen) / MOST))]:
            geom = row.was if kind == "removed" or row.geom is None else row.geom
            if geom is not None:
                now.setdefault(kind, []).append(_flat(geom))
            if kind == "moved" and row.was is not None:
                was.append(_flat(row.was))
    return Changes(now, was)


def _flat(wkb: bytes | memoryview) -> BaseGeometry:
    flat: BaseGeometry = shapely.force_2d(shapely.from_wkb(bytes(wkb)))
    return flat
