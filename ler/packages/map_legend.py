"""The legend: only what occurs on this map, drawn with the map's own strokes, made to fit its place.

Each row is named in Danish and English. When space is short it gives up, in this order: lines of owners' names, the
English of names too long for one line, then whole rows, whose number it states.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import cairocffi
import numpy as np
import shapely
from shapely import LineString, Point

from ler.packages.map_bands import draw_bands
from ler.packages.map_canvas import (
    MUTED,
    Box,
    draw_panel,
    draw_text,
    kept,
    set_colour,
    set_font,
    text_width,
    wrap,
    wrap_words,
)
from ler.packages.map_frame import draw_cells, draw_hatching, draw_outline
from ler.packages.map_kinds import Kind
from ler.packages.map_labels import NOTE_MM, TRIANGLE_MM, Label, draw_triangles
from ler.packages.map_lines import LinePainter
from ler.packages.map_shapes import Band, Drawing, Group, GroupKey, UtilityCount
from ler.packages.map_texts import Said, grouped, map_text
from ler.packages.styles import Name, Styles

_SAMPLE_MM = 14.0
_MARK_MM = 17.6
_TEXT_MM = 21.0
_OWNER_MM = 2.7
_NAME_SIZE, _OWNER_SIZE = 2.75, 2.3
_ENGLISH_SIZES = (2.3, 2.0, 1.8)
# Row height mm, lines of owners, lines of names.
_DENSITIES = ((5.2, 4, 2), (4.8, 3, 2), (4.4, 2, 2), (4.0, 1, 2), (3.8, 1, 1), (3.8, 0, 1))
_SAMPLE_SCALE = 500.0


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what paints its sample around a point (left end, middle height), and its texts."""

    paint: Callable[[float, float], None]
    name: Said
    count: str = ""
    owners: tuple[str, ...] = ()
    bold: bool = False


@dataclass(frozen=True, slots=True)
class _Fit:
    row_mm: float
    owner_lines: int
    name_lines: int
    rows: int


NOTE_SIGNS: Final = (("↓", "↓0,9", "depth_given"), ("≈", "≈0,8±0,3", "cover"), ("▤", "▤", "attachment"))
"""The signs that stand beside single features: an example and the words of each."""


class Legend:
    """The rows of one map and how to draw them."""

    def __init__(
        self,
        context: cairocffi.Context,
        drawing: Drawing,
        styles: Styles,
        signs: str,
        *,
        has_marking: bool,
        has_base_map: bool,
    ) -> None:
        self.context = context
        self.drawing = drawing
        self.styles = styles
        self.signs = signs
        self._told: dict[tuple[str, Row, int], list[str]] = {}  # measuring letters is half of the work
        self.painter = LinePainter(context, styles, _SAMPLE_SCALE)
        self.rows = [
            *self._utility_rows(),
            *self._kind_rows(),
            *self._modifier_rows(),
            *self._note_rows(),
            *(self._marking_rows() if has_marking else ()),
            *self._ground_rows(has_base_map),
        ]

    def draw(self, box: Box) -> None:
        """Title and rows within the box."""
        y = box.top + 3.4
        draw_text(self.context, map_text("legend").both, box.left, y, size_mm=3.3, bold=True)
        y += 1.6
        fit = self._fit(box.bottom - y, box.width - _TEXT_MM)
        for row in self.rows[: fit.rows]:
            y = self._draw_row(row, Box(box.left, y, box.width, fit.row_mm), fit)
        if fit.rows < len(self.rows):
            text = map_text("more", count=len(self.rows) - fit.rows).both
            draw_text(self.context, text, box.left + _TEXT_MM, y + 3.4, size_mm=_NAME_SIZE, colour=MUTED)

    def _fit(self, height: float, width: float) -> _Fit:
        for row_mm, owner_lines, name_lines in _DENSITIES:
            more = sum(
                len(self._owners(row, width, owner_lines)) + len(self._names(row, width, name_lines)) - 1
                for row in self.rows
            )
            if row_mm * len(self.rows) + _OWNER_MM * more <= height:
                return _Fit(row_mm, owner_lines, name_lines, len(self.rows))
        row_mm, owner_lines, name_lines = _DENSITIES[-1]
        return _Fit(row_mm, owner_lines, name_lines, max(0, int(height / row_mm) - 1))

    def _names(self, row: Row, width: float, most_lines: int) -> list[str]:
        """Both names in one line, if they fit or there is only one."""
        key = "names", row, most_lines
        if key not in self._told:
            self._told[key] = self._wrap_names(row, width, most_lines)
        return self._told[key]

    def _wrap_names(self, row: Row, width: float, most_lines: int) -> list[str]:
        set_font(self.context, _NAME_SIZE, bold=row.bold)
        room = width - (2.0 * len(row.count) + 1.5 if row.count else 0)
        if text_width(self.context, row.name.both) <= room:
            return [row.name.both]
        danish = wrap(self.context, row.name.da, room, most_lines)
        set_font(self.context, _OWNER_SIZE)
        return danish + (wrap(self.context, row.name.en, width, most_lines) if most_lines > 1 else [])

    def _owners(self, row: Row, width: float, most_lines: int) -> list[str]:
        key = "owners", row, most_lines
        if key not in self._told:
            self._told[key] = self._wrap_owners(row, width, most_lines)
        return self._told[key]

    def _wrap_owners(self, row: Row, width: float, most_lines: int) -> list[str]:
        set_font(self.context, _OWNER_SIZE)
        most = (40 * most_lines, len(row.owners))  # more could never fit, and measuring each is not free
        names = row.owners[: min(most)]
        words = [f"{name}," for name in names[:-1]] + list(names[-1:])
        return wrap_words(self.context, words, width, most_lines)

    def _draw_row(self, row: Row, box: Box, fit: _Fit) -> float:
        row.paint(box.left, box.top + box.height / 2)
        x, y = box.left + _TEXT_MM, box.top + box.height / 2 + 0.98
        name, *english = self._names(row, box.width - _TEXT_MM, fit.name_lines)
        draw_text(self.context, name, x, y, size_mm=_NAME_SIZE, bold=row.bold)
        if not english and name != row.name.both:
            end = x + text_width(self.context, name) + 1.2
            room = box.right - end - (2.0 * len(row.count) + 1.5 if row.count else 0)
            self._draw_english(row.name.en, end, y, room)
        draw_text(self.context, row.count, box.right, y, size_mm=_NAME_SIZE, align="right")
        y = box.bottom
        for line in (*english, *self._owners(row, box.width - _TEXT_MM, fit.owner_lines)):
            draw_text(self.context, line, x, y + 1.5, size_mm=_OWNER_SIZE, colour=MUTED)
            y += _OWNER_MM
        return y

    def _draw_english(self, name: str, x: float, y: float, room: float) -> None:
        """Behind the Danish, small, if it fits there."""
        for size in _ENGLISH_SIZES:
            set_font(self.context, size)
            if text_width(self.context, name) <= room:
                draw_text(self.context, name, x, y, size_mm=size, colour=MUTED)
                return

    def _utility_rows(self) -> Iterator[Row]:
        for count in self.drawing.counts:
            yield Row(
                paint=self._utility_paint(count),
                name=_said(count.utility.name),
                count=grouped(count.count),
                owners=tuple(owner for owner in count.owners if owner),
                bold=True,
            )

    def _utility_paint(self, count: UtilityCount) -> Callable[[float, float], None]:
        keys = [key for key in self.drawing.groups if key.utility == count.utility]
        marks = sorted({key.mark for key in keys if key.mark})[:1]

        def paint(x: float, y: float) -> None:
            if any(key.kind is not Kind.COMPONENT for key in keys):
                self._paint_line(GroupKey(count.utility, Kind.LINE), x, y)
            for mark in marks:
                key = GroupKey(count.utility, Kind.COMPONENT, mark=mark)
                self.painter.draw_marks(key, [Point(x + _MARK_MM, y)])

        return paint

    def _kind_rows(self) -> Iterator[Row]:
        for kind, name in ((Kind.DUCT, self.styles.duct.name), (Kind.TRACE, self.styles.trace.name)):
            key = next((key for key in self.drawing.groups if key.kind is kind), None)
            if key is not None:
                yield Row(self._key_paint(GroupKey(key.utility, kind)), _said(name))

    def _modifier_rows(self) -> Iterator[Row]:
        for danger in sorted(self.styles.dangers, key=lambda danger: -danger.rank):
            key = next((key for key in self.drawing.groups if key.danger == danger), None)
            if key is not None:
                sample = GroupKey(key.utility, Kind.LINE, danger=danger)
                yield Row(self._key_paint(sample), _said(danger.name), bold=True)
        for status in self.styles.statuses:
            key = next((key for key in self.drawing.groups if key.status == status), None)
            if key is not None:
                sample = GroupKey(key.utility, Kind.LINE, status=status)
                yield Row(self._key_paint(sample), _said(status.name))

    def _key_paint(self, key: GroupKey) -> Callable[[float, float], None]:
        return lambda x, y: self._paint_line(key, x, y)

    def _note_rows(self) -> Iterator[Row]:
        """What the small characters along lines mean, by their first."""
        for sign, example, key in NOTE_SIGNS:
            if sign in self.signs:
                yield Row(self._note_paint(example), map_text(key))

    def _note_paint(self, example: str) -> Callable[[float, float], None]:
        return lambda x, y: draw_text(
            self.context, example, x + _SAMPLE_MM / 2, y + 0.75, size_mm=NOTE_MM, bold=True, align="centre"
        )

    def _marking_rows(self) -> Iterator[Row]:
        style = self.styles.security("site-marking")

        def paint(x: float, y: float) -> None:
            draw_cells(self.context, [shapely.box(x + 0.4, y - 1.6, x + _SAMPLE_MM, y + 1.6)], style)

        yield Row(paint, _said(style.name), bold=True)

    def _ground_rows(self, has_base_map: bool) -> Iterator[Row]:  # noqa: FBT001 - read once, above
        band = self.styles.band
        for known, name in ((True, band.name), (False, band.unknown)):
            if any(one.known is known for one in self.drawing.bands):
                yield Row(self._band_paint(known=known), _said(name))
        yield Row(self._paint_area, _said(self.styles.area.name))
        outside = self.styles.outside
        yield Row(self._fill_paint(outside.fill, outside.opacity), _said(outside.name))
        if has_base_map:
            yield Row(self._fill_paint(self.styles.street.fill, 1.0), map_text("base_map"))

    def _band_paint(self, *, known: bool) -> Callable[[float, float], None]:
        def paint(x: float, y: float) -> None:
            sample = LineString([(x + 1.6, y), (x + _SAMPLE_MM - 1.6, y)])
            with kept(self.context):
                self.context.rectangle(x, y - 1.7, _SAMPLE_MM, 3.4)
                self.context.clip()
                draw_bands(self.context, [Band(1.5, known, [sample])], self.styles.band)

        return paint

    def _paint_line(self, key: GroupKey, x: float, y: float) -> None:
        inset = 1.4 if key.danger else 0.0
        line = LineString([(x + inset, y), (x + _SAMPLE_MM - inset, y)])
        group = Group(lines={"": [line]})
        template = key.status.label if key.status else "{}"
        label = Label(
            template.format(key.utility.letter), x + _SAMPLE_MM / 2, y, 0.0, 1.5, key.utility.ink, key.danger
        )
        self.painter.draw_groups({key: group}, [label])
        if key.danger:
            draw_triangles(self.context, key.danger, np.array([(x + _MARK_MM, y + 0.2)]), TRIANGLE_MM)

    def _paint_area(self, x: float, y: float) -> None:
        swatch = [shapely.box(x + 0.4, y - 1.6, x + _SAMPLE_MM, y + 1.6)]
        draw_hatching(self.context, Box(x, y - 2, _SAMPLE_MM + 1, 4), swatch, self.styles)
        draw_outline(self.context, swatch, self.styles)

    def _fill_paint(self, fill: str, opacity: float) -> Callable[[float, float], None]:
        def paint(x: float, y: float) -> None:
            draw_panel(self.context, Box(x, y - 1.6, _SAMPLE_MM, 3.2), fill="#ffffff")
            self.context.rectangle(x, y - 1.6, _SAMPLE_MM, 3.2)
            set_colour(self.context, fill, opacity)
            self.context.fill()

        return paint


def _said(name: Name) -> Said:
    return Said(name.da, name.en)
