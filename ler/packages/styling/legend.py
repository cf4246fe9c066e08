"""The whole legend of a theme as PDF: every code of the style source with its sample, drawn with the map's own strokes.

One sheet, A4 upright, in Danish or English. The same source gives the same bytes.
"""

import io
import re
from collections.abc import Callable, Iterator
from typing import Final

import cairocffi
import numpy as np
import shapely
from shapely import LineString, Point

from ler.packages.map_canvas import INK, Box, draw_text, prepare_context, set_colour
from ler.packages.map_frame import draw_hatching, draw_outline
from ler.packages.map_kinds import Kind
from ler.packages.map_labels import TRIANGLE_MM, Label, draw_triangles
from ler.packages.map_lines import LinePainter
from ler.packages.map_shapes import Group, GroupKey
from ler.packages.map_texts import map_text
from ler.packages.style_classes import AccuracyStyle, SecurityStyle
from ler.packages.styles import Language, Styles
from ler.packages.styling.parts import NOTE, band_colour, letter

SHEET_MM: Final = (210.0, 297.0)
_POINTS_PER_MM: Final = 72 / 25.4
_LEFT, _TOP, _ROW, _SAMPLE = 15.0, 20.0, 7.0, 22.0
_SAMPLE_SCALE: Final = 500.0
_DATE: Final = re.compile(rb"/(?:Creation|Mod)Date \([^)]*\)")

type Paint = Callable[[float, float], None]
"""Draws a sample from a left end at a middle height."""


def legend_pdf(styles: Styles, language: Language = "da") -> bytes:
    """Return the sheet."""
    stream = io.BytesIO()
    surface = cairocffi.PDFSurface(stream, *(side * _POINTS_PER_MM for side in SHEET_MM))
    context = cairocffi.Context(surface)
    context.scale(_POINTS_PER_MM, _POINTS_PER_MM)
    prepare_context(context)
    names = dict(styles.themes)
    title = f"{getattr(map_text('legend'), language)}: {names[styles.theme].in_language(language)}"
    draw_text(context, title, _LEFT, _TOP - 6, size_mm=5, bold=True, colour=INK)
    for number, (paint, words) in enumerate(_Sheet(context, styles, language).rows()):
        middle = _TOP + _ROW * (number + 0.5)
        paint(_LEFT, middle)
        draw_text(context, words, _LEFT + _SAMPLE + 8, middle + 1.1, size_mm=3.2, colour=INK)
    surface.finish()
    return _DATE.sub(lambda found: b" " * len(found.group()), stream.getvalue())


class _Sheet:
    """The rows and how their samples are painted."""

    def __init__(self, context: cairocffi.Context, styles: Styles, language: Language) -> None:
        self._context = context
        self._styles = styles
        self._language = language
        self._painter = LinePainter(context, styles, _SAMPLE_SCALE)

    def rows(self) -> Iterator[tuple[Paint, str]]:
        """Every row with its words, dangers first."""
        styles, language = self._styles, self._language
        some = styles.utilities[0]
        for danger in sorted(styles.dangers, key=lambda danger: -danger.rank):
            yield self._line(GroupKey(some, Kind.LINE, danger=danger)), danger.name.in_language(language)
        for utility in styles.utilities:
            yield self._line(GroupKey(utility, Kind.LINE)), utility.name.in_language(language)
        for kind, name in ((Kind.DUCT, styles.duct.name), (Kind.TRACE, styles.trace.name)):
            yield self._line(GroupKey(some, kind)), name.in_language(language)
        for feature_type, mark in styles.component.marks:
            words = f"{styles.component.name.in_language(language)}: {feature_type}"
            yield self._mark(GroupKey(some, Kind.COMPONENT, mark=mark)), words
        for status in styles.statuses:
            yield self._line(GroupKey(some, Kind.LINE, status=status)), status.name.in_language(language)
        for plain in styles.plain:
            yield self._line(GroupKey(some, Kind.LINE)), plain.name.in_language(language)
        for accuracy in styles.accuracies:
            yield self._band(accuracy), accuracy.name.in_language(language)
        for security in styles.securities:
            yield self._cells(security), security.name.in_language(language)
        yield self._area, styles.area.name.in_language(language)

    def _line(self, key: GroupKey) -> Paint:
        def paint(x: float, y: float) -> None:
            group = Group(lines={"": [LineString([(x + 1, y), (x + _SAMPLE - 1, y)])]})
            text = letter(key.utility, key.status, key.danger)
            label = Label(text, x + _SAMPLE / 2, y, 0.0, 1.4 + 0.6 * len(text), key.utility.ink, key.danger)
            self._painter.draw_groups({key: group}, [label])
            if key.danger:
                centre = np.array([(x + _SAMPLE + 3.5, y + 0.2)])
                draw_triangles(self._context, key.danger, centre, TRIANGLE_MM)

        return paint

    def _mark(self, key: GroupKey) -> Paint:
        return lambda x, y: self._painter.draw_marks(key, [Point(x + _SAMPLE / 2, y)])

    def _band(self, accuracy: AccuracyStyle) -> Paint:
        def paint(x: float, y: float) -> None:
            self._box(x, y, band_colour(self._styles, accuracy), accuracy.opacity)
            set_colour(self._context, NOTE)
            self._context.set_line_width(accuracy.edge_mm)
            self._context.set_dash(list(accuracy.edge_dash_mm))
            self._context.rectangle(x, y - 2.2, _SAMPLE, 4.4)
            self._context.stroke()
            self._context.set_dash([])
            draw_text(self._context, accuracy.label, x + _SAMPLE / 2, y + 0.9, size_mm=2.5, align="centre")

        return paint

    def _cells(self, security: SecurityStyle) -> Paint:
        def paint(x: float, y: float) -> None:
            self._box(x, y, security.fill, security.opacity)
            draw_text(
                self._context, security.letter, x + _SAMPLE / 2, y + 1, size_mm=2.8, bold=True, align="centre"
            )

        return paint

    def _area(self, x: float, y: float) -> None:
        swatch = [shapely.box(x, y - 2.2, x + _SAMPLE, y + 2.2)]
        draw_hatching(self._context, Box(x - 0.5, y - 3, _SAMPLE + 1, 6), swatch, self._styles)
        draw_outline(self._context, swatch, self._styles)

    def _box(self, x: float, y: float, colour: str, opacity: float) -> None:
        self._context.rectangle(x, y - 2.2, _SAMPLE, 4.4)
        set_colour(self._context, colour, opacity)
        self._context.fill()
