"""The legend: only what occurs on this map, drawn with the map's own strokes, made to fit its place.

When space is short it gives up, in this order: lines of owners' names, then whole rows, whose number it states.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cairocffi
import shapely
from shapely import LineString

from ler.packages.map_canvas import MUTED, Box, draw_panel, draw_text, set_colour, set_font, wrap_words
from ler.packages.map_frame import draw_area
from ler.packages.map_labels import TRIANGLE_MM, Label, draw_triangle
from ler.packages.map_lines import LinePainter
from ler.packages.map_shapes import Drawing, Group, GroupKey, Kind, UtilityCount
from ler.packages.map_texts import grouped, map_text
from ler.packages.styles import Language, Styles

_SAMPLE_MM = 14.0
_MARK_MM = 17.6
_TEXT_MM = 21.0
_OWNER_MM = 2.7
_NAME_SIZE, _OWNER_SIZE = 2.75, 2.3
_DENSITIES = ((5.2, 4), (4.8, 3), (4.4, 3), (4.1, 2), (4.1, 1), (4.1, 0))  # row height mm, lines of owners
_SAMPLE_SCALE = 500.0


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what paints its sample around a point (left end, middle height), and its texts."""

    paint: Callable[[float, float], None]
    name: str
    count: str = ""
    owners: tuple[str, ...] = ()
    bold: bool = False


@dataclass(frozen=True, slots=True)
class _Fit:
    row_mm: float
    owner_lines: int
    rows: int


class Legend:
    """The rows of one map and how to draw them."""

    def __init__(
        self,
        context: cairocffi.Context,
        drawing: Drawing,
        styles: Styles,
        language: Language,
        *,
        streets: bool,
    ) -> None:
        self.context = context
        self.drawing = drawing
        self.styles = styles
        self.language = language
        self.painter = LinePainter(context, styles, _SAMPLE_SCALE)
        self.rows = [
            *self._utility_rows(),
            *self._kind_rows(),
            *self._modifier_rows(),
            *self._ground_rows(streets),
        ]

    def draw(self, box: Box) -> None:
        """Title and rows within the box."""
        y = box.top + 3.4
        draw_text(self.context, map_text("legend", self.language), box.left, y, size_mm=3.3, bold=True)
        y += 1.6
        fit = self._fit(box.bottom - y, box.width - _TEXT_MM)
        for row in self.rows[: fit.rows]:
            y = self._draw_row(row, Box(box.left, y, box.width, fit.row_mm), fit.owner_lines)
        if fit.rows < len(self.rows):
            text = map_text("more", self.language, count=len(self.rows) - fit.rows)
            draw_text(self.context, text, box.left + _TEXT_MM, y + 3.4, size_mm=_NAME_SIZE, colour=MUTED)

    def _fit(self, height: float, width: float) -> _Fit:
        for row_mm, owner_lines in _DENSITIES:
            used = sum(row_mm + _OWNER_MM * len(self._owners(row, width, owner_lines)) for row in self.rows)
            if used <= height:
                return _Fit(row_mm, owner_lines, len(self.rows))
        row_mm, owner_lines = _DENSITIES[-1]
        return _Fit(row_mm, owner_lines, max(0, int(height / row_mm) - 1))

    def _owners(self, row: Row, width: float, most_lines: int) -> list[str]:
        set_font(self.context, _OWNER_SIZE)
        most = (40 * most_lines, len(row.owners))  # more could never fit, and measuring each is not free
        names = row.owners[: min(most)]
        words = [f"{name}," for name in names[:-1]] + list(names[-1:])
        return wrap_words(self.context, words, width, most_lines)

    def _draw_row(self, row: Row, box: Box, owner_lines: int) -> float:
        middle = box.top + box.height / 2
        row.paint(box.left, middle)
        baseline = middle + 0.98
        room = box.width - _TEXT_MM - (2.0 * len(row.count) + 1.5 if row.count else 0)
        draw_text(
            self.context,
            row.name,
            box.left + _TEXT_MM,
            baseline,
            size_mm=_NAME_SIZE,
            bold=row.bold,
            width_mm=room,
        )
        draw_text(self.context, row.count, box.right, baseline, size_mm=_NAME_SIZE, align="right")
        y = box.bottom
        for line in self._owners(row, box.width - _TEXT_MM, owner_lines):
            draw_text(self.context, line, box.left + _TEXT_MM, y + 1.5, size_mm=_OWNER_SIZE, colour=MUTED)
            y += _OWNER_MM
        return y

    def _utility_rows(self) -> Iterator[Row]:
        for count in self.drawing.counts:
            yield Row(
                paint=self._utility_paint(count),
                name=count.utility.name.in_language(self.language),
                count=grouped(count.count, self.language),
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
                self.painter.draw_mark(GroupKey(count.utility, Kind.COMPONENT, mark=mark), x + _MARK_MM, y)

        return paint

    def _kind_rows(self) -> Iterator[Row]:
        for kind, name in ((Kind.DUCT, self.styles.duct.name), (Kind.TRACE, self.styles.trace.name)):
            key = next((key for key in self.drawing.groups if key.kind is kind), None)
            if key is not None:
                yield Row(self._key_paint(GroupKey(key.utility, kind)), name.in_language(self.language))

    def _modifier_rows(self) -> Iterator[Row]:
        for danger in sorted(self.styles.dangers, key=lambda danger: -danger.rank):
            key = next((key for key in self.drawing.groups if key.danger == danger), None)
            if key is not None:
                sample = GroupKey(key.utility, Kind.LINE, danger=danger)
                yield Row(self._key_paint(sample), danger.name.in_language(self.language), bold=True)
        for status in self.styles.statuses:
            key = next((key for key in self.drawing.groups if key.status == status), None)
            if key is not None:
                sample = GroupKey(key.utility, Kind.LINE, status=status)
                yield Row(self._key_paint(sample), status.name.in_language(self.language))

    def _key_paint(self, key: GroupKey) -> Callable[[float, float], None]:
        return lambda x, y: self._paint_line(key, x, y)

    def _ground_rows(self, streets: bool) -> Iterator[Row]:  # noqa: FBT001 - read once, above
        yield Row(self._paint_area, self.styles.area.name.in_language(self.language))
        outside = self.styles.outside
        yield Row(self._fill_paint(outside.fill, outside.opacity), outside.name.in_language(self.language))
        if streets:
            yield Row(
                self._fill_paint(self.styles.street.fill, 1.0),
                self.styles.street.name.in_language(self.language),
            )

    def _paint_line(self, key: GroupKey, x: float, y: float) -> None:
        inset = 1.4 if key.danger else 0.0
        line = LineString([(x + inset, y), (x + _SAMPLE_MM - inset, y)])
        group = Group(lines={"": [line]})
        template = key.status.label if key.status else "{}"
        label = Label(
            template.format(key.utility.letter), x + _SAMPLE_MM / 2, y, 0.0, 1.5, key.utility.ink, key.danger
        )
        self.painter.draw_groups({key: group}, [label], Box(x - 3, y - 5, _SAMPLE_MM + 6, 10))
        if key.danger:
            self.context.save()
            self.context.translate(x + _MARK_MM, y + 0.2)
            draw_triangle(self.context, key.danger, TRIANGLE_MM)
            self.context.restore()

    def _paint_area(self, x: float, y: float) -> None:
        swatch = shapely.box(x + 0.4, y - 1.6, x + _SAMPLE_MM, y + 1.6)
        draw_area(self.context, Box(x, y - 2, _SAMPLE_MM + 1, 4), [swatch], self.styles)

    def _fill_paint(self, fill: str, opacity: float) -> Callable[[float, float], None]:
        def paint(x: float, y: float) -> None:
            draw_panel(self.context, Box(x, y - 1.6, _SAMPLE_MM, 3.2), fill="#ffffff")
            self.context.rectangle(x, y - 1.6, _SAMPLE_MM, 3.2)
            set_colour(self.context, fill, opacity)
            self.context.fill()

        return paint
