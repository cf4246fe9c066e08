"""Strokes and marks of the features: bands below, then ducts, then lines, then marks and letters.

Each style group is one path (a few, where it is very large), whatever its number of features. All sheet millimetres.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import batched

import cairocffi
import numpy as np
import shapely
from shapely import LineString, Point, Polygon

from ler.packages.colours import mix
from ler.packages.map_canvas import Box, kept, set_colour
from ler.packages.map_labels import (
    Ground,
    Label,
    LabelPlacer,
    LabelRequest,
    draw_labels,
    leave_gaps,
)
from ler.packages.map_shapes import Drawing, Group, GroupKey, Kind
from ler.packages.styles import DangerStyle, Styles

_GREY = "#7a7f85"
_PATH_LINES = 100  # of one path: cairo sorts all its edges, and lines that cross make that slow
_DOT_MM, _CROSS_MM = 1.3, 1.5
_POLYGON_SIDES = {"square": 4, "diamond": 4, "pentagon": 5, "hexagon": 6, "down": 3}
_POLYGON_TURN = {
    "square": math.pi / 4,
    "diamond": 0,
    "pentagon": -math.pi / 2,
    "hexagon": 0,
    "down": math.pi / 2,
}


class LinePainter:
    """Draws groups of features with the strokes of the style source, on a map of one scale."""

    def __init__(self, context: cairocffi.Context, styles: Styles, denominator: float) -> None:
        self.context = context
        self.styles = styles
        self.factor = styles.size_factor(denominator)

    def draw(self, drawing: Drawing, box: Box) -> None:
        """The whole drawing, clipped to the box, with letters where they fit."""
        ground = Ground(box)
        for group in drawing.groups.values():
            for point in (*group.marks, *group.dots):
                ground.take(point.x, point.y, self._mark_size() / 2)
        with kept(self.context):
            self.context.rectangle(box.left, box.top, box.width, box.height)
            self.context.clip()
            labels = self._place(drawing, ground)
            self.draw_groups(drawing.groups, labels, box)

    def draw_groups(self, groups: dict[GroupKey, Group], labels: Sequence[Label], box: Box) -> None:
        """Bands of all groups first, so that no band covers a line."""
        for key, group in groups.items():
            self._draw_trace(key, group)
            self._draw_footprints(key, group)
        self._draw_danger(groups)
        self._draw_ducts(groups)
        for key, group in groups.items():
            with kept(self.context):
                leave_gaps(self.context, (label for label in labels if label.colour == key.utility.ink), box)
                self._draw_lines(key, group)
        for key, group in groups.items():
            self._draw_crosses(key, group, labels)
            self._draw_dots(key, group)
        for key, group in groups.items():
            for point in group.marks:
                self.draw_mark(key, point.x, point.y)
        draw_labels(self.context, labels)

    def _place(self, drawing: Drawing, ground: Ground) -> list[Label]:
        requests = [
            LabelRequest(line, text, key.utility.ink, key.danger)
            for key, group in drawing.groups.items()
            if key.kind is not Kind.COMPONENT
            for text, lines in group.lines.items()
            for line in lines
        ]
        return LabelPlacer(self.context, ground, requests).place()

    def width(self, key: GroupKey) -> float:
        """Width of what is drawn for a line of the group, mm."""
        if key.kind is Kind.DUCT:
            return self.styles.duct.width_mm * self.factor
        if key.kind is Kind.TRACE:
            return self.styles.trace.width_mm * self.factor
        return self._line_width(key)

    def _line_width(self, key: GroupKey) -> float:
        status = key.status.width_factor if key.status else 1.0
        trace = self.styles.trace.line_factor if key.kind is Kind.TRACE else 1.0
        return key.utility.width_mm * self.factor * status * trace

    def _colour(self, key: GroupKey, colour: str) -> str:
        return mix(colour, _GREY, key.status.grey_share) if key.status else colour

    def _mark_size(self) -> float:
        return self.styles.component.size_mm * self.factor

    def _stroke(
        self, lines: Iterable[LineString], colour: str, width_mm: float, dash_mm: Sequence[float] = ()
    ) -> None:
        set_colour(self.context, colour)
        self.context.set_line_width(width_mm)
        self.context.set_dash(list(dash_mm))
        for batch in batched(lines, _PATH_LINES):
            self.context.new_path()
            coordinates, owners = shapely.get_coordinates(batch, return_index=True)
            begins = np.diff(owners, prepend=-1).tolist()
            for (x, y), begin in zip(coordinates.tolist(), begins, strict=True):
                (self.context.move_to if begin else self.context.line_to)(x, y)
            self.context.stroke()

    def _draw_trace(self, key: GroupKey, group: Group) -> None:
        if key.kind is Kind.TRACE:
            pale = mix(key.utility.colour, self.styles.background, 1 - self.styles.trace.opacity)
            self._stroke(group.all_lines, pale, self.width(key))

    def _draw_danger(self, groups: dict[GroupKey, Group]) -> None:
        """All edges before all fills: bands that meet run into one another; the higher class lies on top."""
        for danger in sorted(self.styles.dangers, key=lambda danger: danger.rank):
            members = [(key, group) for key, group in groups.items() if key.danger == danger]
            for colour, edge_mm in ((danger.edge, danger.edge_mm), (danger.fill, 0.0)):
                for key, group in members:
                    self._draw_band(key, group, danger, colour, edge_mm)

    def _draw_band(
        self, key: GroupKey, group: Group, danger: DangerStyle, colour: str, edge_mm: float
    ) -> None:
        margin = 2 * (danger.margin_mm + edge_mm) * self.factor
        self.context.set_line_cap(cairocffi.LINE_CAP_ROUND)
        if key.kind is not Kind.COMPONENT:
            self._stroke(group.all_lines, colour, self.width(key) + margin)
        self._fill_circles(group.dots, colour, _DOT_MM * self.factor + margin)
        self._fill_circles(group.marks, colour, self._mark_size() * 1.15 + margin)
        self.context.set_line_cap(cairocffi.LINE_CAP_BUTT)

    def _draw_ducts(self, groups: dict[GroupKey, Group]) -> None:
        ducts = [(key, group) for key, group in groups.items() if key.kind is Kind.DUCT]
        for key, group in ducts:
            self._stroke(group.all_lines, self._colour(key, key.utility.ink), self.width(key))
        inside = (self.styles.duct.width_mm - 2 * self.styles.duct.wall_mm) * self.factor
        for _, group in ducts:
            self._stroke(group.all_lines, self.styles.duct.fill, inside)

    def _draw_footprints(self, key: GroupKey, group: Group) -> None:
        component = self.styles.component
        colour = self._colour(key, key.utility.ink)
        for footprint in group.footprints:
            self.context.new_path()
            add_polygon(self.context, footprint)
            set_colour(self.context, key.utility.colour, component.opacity)
            self.context.fill_preserve()
            set_colour(self.context, colour)
            self.context.set_line_width(component.outline_mm * self.factor)
            self.context.set_dash([])
            self.context.stroke()
        if key.kind is Kind.COMPONENT:
            self._stroke(group.all_lines, colour, component.outline_mm * 1.5)

    def _draw_lines(self, key: GroupKey, group: Group) -> None:
        """White edge, casing, the colour, white core: all in the same dashes, so that the gaps show what is below."""
        if key.kind not in {Kind.LINE, Kind.TRACE}:
            return
        lines, width = group.all_lines, self._line_width(key)
        dash = [part * self.factor for part in key.utility.dash_mm]
        self._stroke(lines, self.styles.halo, width + 2 * self.styles.halo_mm * self.factor, dash)
        colour = self._colour(key, key.utility.colour)
        if key.utility.casing:
            self._stroke(lines, self._colour(key, key.utility.casing), width, dash)
            self._stroke(lines, colour, width * 0.5, dash)
        else:
            self._stroke(lines, colour, width, dash)
        if key.status and key.status.core_factor:
            self._stroke(lines, self.styles.halo, width * key.status.core_factor, dash)

    def _draw_crosses(self, key: GroupKey, group: Group, labels: Sequence[Label]) -> None:
        if key.status is None or not key.status.cross_every_mm or key.kind is Kind.COMPONENT:
            return
        arm = _CROSS_MM / 2 * self.factor
        self.context.new_path()
        for x, y in _stations(group.all_lines, key.status.cross_every_mm):
            if all(math.hypot(label.x - x, label.y - y) > label.half_width + 1 for label in labels):
                for sign in (1, -1):
                    self.context.move_to(x - arm, y - arm * sign)
                    self.context.line_to(x + arm, y + arm * sign)
        self.context.set_dash([])
        set_colour(self.context, self.styles.halo)
        self.context.set_line_width(0.7 * self.factor)
        self.context.stroke_preserve()
        set_colour(self.context, self._colour(key, key.utility.ink))
        self.context.set_line_width(0.32 * self.factor)
        self.context.stroke()

    def _draw_dots(self, key: GroupKey, group: Group) -> None:
        size = _DOT_MM * self.factor
        self._fill_circles(group.dots, self.styles.halo, size + 2 * self.styles.halo_mm)
        self._fill_circles(group.dots, self._colour(key, key.utility.ink), size)

    def _fill_circles(self, points: Iterable[Point], colour: str, diameter_mm: float) -> None:
        self.context.new_path()
        for point in points:
            self.context.new_sub_path()
            self.context.arc(point.x, point.y, diameter_mm / 2, 0, 2 * math.pi)
        set_colour(self.context, colour)
        self.context.fill()

    def draw_mark(self, key: GroupKey, x: float, y: float) -> None:
        """The component's mark around x, y."""
        with kept(self.context):
            self.context.translate(x, y)
            self.context.new_path()
            _MARK_PATHS.get(key.mark, _polygon_path)(self.context, key.mark, self._mark_size() / 2)
            self.context.set_dash([])
            self.context.set_line_join(cairocffi.LINE_JOIN_MITER)
            set_colour(self.context, self.styles.halo)
            outline = self.styles.component.outline_mm * self.factor
            self.context.set_line_width(outline + 4 * self.styles.halo_mm * self.factor)
            self.context.stroke_preserve()
            hollow = key.mark == "ring" or (key.status is not None and key.status.core_factor > 0)
            colour = self._colour(key, key.utility.colour)
            set_colour(self.context, self.styles.halo if hollow else colour)
            self.context.fill_preserve()
            set_colour(self.context, self._colour(key, key.utility.ink))
            self.context.set_line_width(outline)
            self.context.stroke()
            if key.mark == "ring":
                self.context.arc(0, 0, self._mark_size() / 5, 0, 2 * math.pi)
                self.context.fill()


def add_polygon(context: cairocffi.Context, polygon: Polygon) -> None:
    """Add a polygon's rings to the path, outer ring one way and holes the other."""
    oriented = shapely.orient_polygons(polygon)
    for ring in (oriented.exterior, *oriented.interiors):
        coordinates = shapely.get_coordinates(ring).tolist()
        context.move_to(*coordinates[0])
        for x, y in coordinates[1:-1]:
            context.line_to(x, y)
        context.close_path()


def _stations(lines: Iterable[LineString], every_mm: float) -> Iterator[tuple[float, float]]:
    for line in lines:
        along = np.arange(every_mm / 2, line.length, every_mm)
        for x, y in shapely.get_coordinates(shapely.line_interpolate_point(line, along)):
            yield float(x), float(y)


def _circle_path(context: cairocffi.Context, _mark: str, radius: float) -> None:
    context.arc(0, 0, radius, 0, 2 * math.pi)
    context.close_path()


def _plus_path(context: cairocffi.Context, _mark: str, radius: float) -> None:
    arm = radius * 0.38
    corners = ((-arm, -radius), (arm, -radius), (arm, -arm), (radius, -arm), (radius, arm), (arm, arm))
    for x, y in (*corners, *((-x, -y) for x, y in corners)):
        context.line_to(x, y)
    context.close_path()


def _polygon_path(context: cairocffi.Context, mark: str, radius: float) -> None:
    sides, turn = _POLYGON_SIDES[mark], _POLYGON_TURN[mark]
    for corner in range(sides):
        angle = turn + 2 * math.pi * corner / sides
        context.line_to(radius * 1.15 * math.cos(angle), radius * 1.15 * math.sin(angle))
    context.close_path()


_MARK_PATHS: dict[str, Callable[[cairocffi.Context, str, float], None]] = {
    "circle": _circle_path,
    "ring": _circle_path,
    "plus": _plus_path,
}
