"""Strokes and marks of the features: bands below, then ducts, then lines, then marks and letters.

Each style group is one path (a few, where it is very large), whatever its number of features. All sheet millimetres.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import cairocffi
import numpy as np
import shapely
from shapely import LineString, Point

from ler.packages.colours import mix
from ler.packages.map_canvas import Box, Coordinates, kept, set_colour
from ler.packages.map_kinds import Kind
from ler.packages.map_labels import (
    NOTE_MM,
    Ground,
    Label,
    LabelPlacer,
    LabelRequest,
    draw_labels,
)
from ler.packages.map_paths import Path, dots_path, outline_path, polygon_path
from ler.packages.map_shapes import Drawing, Group, GroupKey, lines
from ler.packages.styles import DangerStyle, Styles

_GREY = "#7a7f85"
_DOT_MM, _CROSS_MM = 1.3, 1.5
_NOTES_TO: Final = 500  # beyond this scale there is no room for what stands beside single lines
_BESIDE_MM: Final = 14.0
_CORNERS = {"square": 4, "diamond": 4, "pentagon": 5, "hexagon": 6, "down": 3}
_TURN = {"square": math.pi / 4, "diamond": 0.0, "pentagon": -math.pi / 2, "hexagon": 0.0, "down": math.pi / 2}


class LinePainter:
    """Draws groups of features with the strokes of the style source, on a map of one scale."""

    def __init__(self, context: cairocffi.Context, styles: Styles, denominator: float) -> None:
        self.context = context
        self.styles = styles
        self.factor = styles.size_factor(denominator)
        self.denominator = denominator

    def draw(self, drawing: Drawing, box: Box) -> list[Label]:
        """The whole drawing, clipped to the box, with letters where they fit, which are given back."""
        ground = Ground(box)
        for group in drawing.groups.values():
            for point in (*group.marks, *group.dots):
                ground.take(point.x, point.y, self._mark_size() / 2)
        with kept(self.context):
            self.context.rectangle(box.left, box.top, box.width, box.height)
            self.context.clip()
            labels = self._place(drawing, ground)
            self.draw_groups(drawing.groups, labels)
        return labels

    def draw_small(self, drawing: Drawing, box: Box) -> None:
        """One thin stroke for each line, what is dangerous on top, for an index."""
        with kept(self.context):
            self.context.rectangle(box.left, box.top, box.width, box.height)
            self.context.clip()
            for key in sorted(drawing.groups, key=lambda key: key.danger.rank if key.danger else 0):
                colour = key.danger.edge if key.danger else key.utility.ink
                self._stroke(drawing.groups[key].paths, colour, self._line_width(key))

    def draw_groups(self, groups: dict[GroupKey, Group], labels: Sequence[Label]) -> None:
        """Bands of all groups first, so that no band covers a line; nothing that is wide lies on a band of danger."""
        harmless = {key: group for key, group in groups.items() if key.danger is None}
        for key, group in groups.items():
            self._draw_trace(key, group)
            self._draw_footprints(key, group)
        self._draw_ducts(harmless)
        self._draw_danger(groups)
        self._draw_ducts({key: group for key, group in groups.items() if key.danger})
        for key, group in groups.items():
            self._draw_lines(key, group)
        for key, group in groups.items():
            self._draw_crosses(key, group, labels)
            self._draw_dots(key, group)
        for key, group in groups.items():
            self.draw_marks(key, group.marks)
        draw_labels(self.context, labels)

    def _place(self, drawing: Drawing, ground: Ground) -> list[Label]:
        requests = [
            LabelRequest(line, text, key.utility.ink, key.danger)
            for key, group in drawing.groups.items()
            if key.kind is not Kind.COMPONENT
            for text, lines in group.lines.items()
            for line in lines
        ]
        notes = self._notes(drawing) if self.denominator <= _NOTES_TO else ()
        return LabelPlacer(self.context, ground, requests).place(list(notes))

    def _notes(self, drawing: Drawing) -> Iterator[LabelRequest]:
        """What stands along single lines, and right of single points."""
        for key, group in drawing.groups.items():
            for note, shape in group.notes:
                pieces = lines([shape])
                if pieces:
                    line = max(pieces, key=lambda piece: piece.length)
                elif key.kind is Kind.COMPONENT:
                    middle, size = shape.representative_point(), self._mark_size()
                    line = LineString(
                        [(middle.x + 0.6 * size, middle.y), (middle.x + 0.6 * size + _BESIDE_MM, middle.y)]
                    )
                else:
                    continue
                yield LabelRequest(line, note, key.utility.ink, key.danger, NOTE_MM)

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
        self, paths: Iterable[Path], colour: str, width_mm: float, dash_mm: Sequence[float] = ()
    ) -> None:
        set_colour(self.context, colour)
        self.context.set_line_width(width_mm)
        self.context.set_dash(list(dash_mm))
        for path in paths:
            self.context.new_path()
            path.add_to(self.context)
            self.context.stroke()

    def _draw_trace(self, key: GroupKey, group: Group) -> None:
        if key.kind is Kind.TRACE:
            pale = mix(key.utility.colour, self.styles.background, 1 - self.styles.trace.opacity)
            self._stroke(group.paths, pale, self.width(key))

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
            self._stroke(group.paths, colour, self.width(key) + margin)
        self._fill_circles(group.dots, colour, _DOT_MM * self.factor + margin)
        self._fill_circles(group.marks, colour, self._mark_size() * 1.15 + margin)
        self.context.set_line_cap(cairocffi.LINE_CAP_BUTT)

    def _draw_ducts(self, groups: dict[GroupKey, Group]) -> None:
        ducts = [(key, group.paths) for key, group in groups.items() if key.kind is Kind.DUCT]
        for key, paths in ducts:
            self._stroke(paths, self._colour(key, key.utility.ink), self.width(key))
        inside = (self.styles.duct.width_mm - 2 * self.styles.duct.wall_mm) * self.factor
        for _, paths in ducts:
            self._stroke(paths, self.styles.duct.fill, inside)

    def _draw_footprints(self, key: GroupKey, group: Group) -> None:
        component = self.styles.component
        colour = self._colour(key, key.utility.ink)
        for footprint in group.footprints:
            self.context.new_path()
            polygon_path([footprint]).add_to(self.context)
            set_colour(self.context, key.utility.colour, component.opacity)
            self.context.fill_preserve()
            set_colour(self.context, colour)
            self.context.set_line_width(component.outline_mm * self.factor)
            self.context.set_dash([])
            self.context.stroke()
        if key.kind is Kind.COMPONENT:
            self._stroke(group.paths, colour, component.outline_mm * 1.5)

    def _draw_lines(self, key: GroupKey, group: Group) -> None:
        """White edge, casing, the colour, white core: all in the same dashes, so that the gaps show what is below."""
        if key.kind not in {Kind.LINE, Kind.TRACE}:
            return
        paths, width = group.paths, self._line_width(key)
        dash = [part * self.factor for part in key.utility.dash_mm]
        self._stroke(paths, self.styles.halo, width + 2 * self.styles.halo_mm * self.factor, dash)
        colour = self._colour(key, key.utility.colour)
        if key.utility.casing:
            self._stroke(paths, self._colour(key, key.utility.casing), width, dash)
            self._stroke(paths, colour, width * 0.5, dash)
        else:
            self._stroke(paths, colour, width, dash)
        if key.status and key.status.core_factor:
            self._stroke(paths, self.styles.halo, width * key.status.core_factor, dash)

    def _draw_crosses(self, key: GroupKey, group: Group, labels: Sequence[Label]) -> None:
        if key.status is None or not key.status.cross_every_mm or key.kind is Kind.COMPONENT:
            return
        places = _stations(group.all_lines, key.status.cross_every_mm)
        if labels and len(places):
            middles = np.array([(label.x, label.y) for label in labels])
            apart = np.hypot(*(places[:, None, :] - middles[None, :, :]).transpose(2, 0, 1))
            places = places[(apart > np.array([label.half_width + 1 for label in labels])).all(axis=1)]
        arm = _CROSS_MM / 2 * self.factor
        strokes = places[:, None, :] + arm * np.array([(1, 1), (-1, -1), (1, -1), (-1, 1)])
        self.context.new_path()
        Path(strokes.reshape(-1, 2), np.tile([True, False], 2 * len(places))).add_to(self.context)
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

    def _fill_circles(self, points: Sequence[Point], colour: str, diameter_mm: float) -> None:
        if points:
            self._stroke_dots(dots_path(shapely.get_coordinates(points)), colour, diameter_mm)

    def _stroke_dots(self, dots: Path, colour: str, diameter_mm: float) -> None:
        with kept(self.context):
            self.context.set_line_cap(cairocffi.LINE_CAP_ROUND)
            self._stroke([dots], colour, diameter_mm)

    def _fill(self, path: Path, colour: str) -> None:
        self.context.new_path()
        path.add_to(self.context)
        set_colour(self.context, colour)
        self.context.fill()

    def draw_marks(self, key: GroupKey, points: Sequence[Point]) -> None:
        """The component's mark around each of the points."""
        if not points:
            return
        centres, radius = shapely.get_coordinates(points), self._mark_size() / 2
        ink, halo = self._colour(key, key.utility.ink), self.styles.halo
        is_hollow = key.mark == "ring" or (key.status is not None and key.status.core_factor > 0)
        outline = self.styles.component.outline_mm * self.factor
        edge = 4 * self.styles.halo_mm * self.factor
        inside = halo if is_hollow else self._colour(key, key.utility.colour)
        if key.mark in {"circle", "ring"}:
            dots = dots_path(centres)
            self._stroke_dots(dots, halo, 2 * radius + outline + edge)
            self._stroke_dots(dots, ink, 2 * radius + outline)
            self._stroke_dots(dots, inside, 2 * radius - outline)
            if key.mark == "ring":
                self._stroke_dots(dots, ink, 0.8 * radius)
            return
        path = outline_path(_outline(key.mark, radius), centres)
        with kept(self.context):
            self.context.set_line_join(cairocffi.LINE_JOIN_MITER)
            self._stroke([path], halo, outline + edge)
            self._fill(path, inside)
            self._stroke([path], ink, outline)


def _stations(lines: Sequence[LineString], every_mm: float) -> Coordinates:
    """Places (n, 2) along the lines, so far apart."""
    stations = [np.arange(every_mm / 2, line.length, every_mm) for line in lines]
    places = [
        shapely.line_interpolate_point(line, along) for line, along in zip(lines, stations, strict=True)
    ]
    return shapely.get_coordinates(np.concatenate(places)) if places else np.empty((0, 2))


def _outline(mark: str, radius: float) -> Coordinates:
    """The mark's outline (n, 2) around the origin."""
    if mark == "plus":
        arm = radius * 0.38
        corners = np.array(
            [(-arm, -radius), (arm, -radius), (arm, -arm), (radius, -arm), (radius, arm), (arm, arm)]
        )
        return np.concatenate((corners, -corners))
    angles = _TURN[mark] + 2 * np.pi * np.arange(_CORNERS[mark]) / _CORNERS[mark]
    return 1.15 * radius * np.column_stack((np.cos(angles), np.sin(angles)))
