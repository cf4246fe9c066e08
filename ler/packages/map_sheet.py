"""One sheet of a map: heading and warnings on top, the map frame, notes, legend, dates and scale on the right.

It is drawn on any cairo context whose unit is one millimetre; whether pixels or a page of a PDF lie behind it is decided
elsewhere. North is up. Where a sheet has no room for all its words, warnings come first and say where the rest stands.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, Literal

import cairocffi
import numpy as np
import segno
import shapely
from shapely import Polygon

from ler.packages.base_map import BaseMap
from ler.packages.map_canvas import (
    INK,
    MUTED,
    WARNING,
    Box,
    Frame,
    draw_panel,
    draw_text,
    kept,
    prepare_context,
    set_colour,
    set_font,
    text_width,
    wrap,
)
from ler.packages.map_frame import (
    Ground,
    draw_grid,
    draw_ground,
    draw_neatline,
    draw_north_arrow,
    draw_scale_bar,
)
from ler.packages.map_labels import NOTE_MM, TRIANGLE_MM, draw_triangles
from ler.packages.map_legend import Legend
from ler.packages.map_lines import LinePainter
from ler.packages.map_shapes import Drawing, Scene, cut_to_frame, polygons
from ler.packages.map_texts import Said, grouped, map_text
from ler.packages.styles import DangerStyle, Styles

OVERVIEW_BEYOND: Final = 1000
"""Beyond this scale a map is an overview: half a metre, the usual distance of lines, is half a millimetre."""

_MARGIN_MM = 6.0
_GRID_LABELS_MM = 4.6
_PANEL_MM = 70.0
_SCALE_MM, _DATES_MM = 22.0, 26.0
_BANNER_SHARE, _NOTES_SHARE = 0.22, 0.4  # of the height of the sheet, and of the panel above its foot
_NOTE_LINE_MM = 3.9
_DATE_LINE_MM = 3.7
_QR_MM = 23.0

type Side = Literal["north", "east", "south", "west"]


@dataclass(frozen=True, slots=True)
class Alert:
    """What must be known before anybody digs, and of whom."""

    words: Said
    who: str = ""
    who_shortly: str = ""
    """Where there is no room."""


@dataclass(frozen=True, slots=True)
class SheetText:
    """What is written on every sheet of a request."""

    title: Said
    subtitle: str
    warnings: Sequence[Alert] = ()
    """In the red banner."""
    notes: Sequence[Said] = ()
    """Above the legend."""
    dates: Sequence[tuple[Said, str]] = ()
    """What happened when."""
    url: str | None = None
    """Where the plan can be verified; None: there is no code."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the sheets of a request show; `area` in EPSG:25832."""

    area: Polygon
    scene: Scene
    text: SheetText
    base_map: BaseMap
    styles: Styles
    marking: Sequence[Polygon] = ()
    """Cells through which lines run that are pointed out on site and not shown."""


@dataclass(frozen=True, slots=True)
class Place:
    """A sheet among others."""

    label: Said | None = None
    """None: it is the only one."""
    paper: str | None = None
    """None: it is not made for paper."""
    neighbours: Mapping[Side, Said] = field(default_factory=dict)
    is_index: bool = False
    """Whether lines are only hinted at, since other sheets show them."""


@dataclass(frozen=True, slots=True)
class _Line:
    words: str
    size_mm: float
    colour: str = INK
    bold: bool = False

    @property
    def height_mm(self) -> float:
        return 1.36 * self.size_mm


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things stand on sheets of one size, with the words of one request."""

    sheet: Box
    heading: Sequence[_Line]
    banner: Box
    """Without height when there is nothing to warn of."""
    warnings: Sequence[_Line]
    frame: Box
    panel: Box


def lay_out(context: cairocffi.Context, sheet: Box, text: SheetText) -> Layout:
    """Find the places on a sheet, in millimetres."""
    prepare_context(context)
    left, width = sheet.left + _MARGIN_MM, sheet.width - 2 * _MARGIN_MM
    heading = _lines(context, text.title.both, width - 66, 5.0, most=1, bold=True)
    heading += _lines(context, text.subtitle, width, 3.2, most=2, colour=MUTED)
    top = sheet.top + _MARGIN_MM + sum(line.height_mm for line in heading) + 0.6
    warnings = _warning_lines(context, text.warnings, width - 12, _BANNER_SHARE * sheet.height)
    high = sum(line.height_mm for line in warnings) + 2.6 if warnings else 0.0
    banner = Box(left, top, width, high)
    top = banner.bottom + (2.5 if warnings else 1.0)
    panel = Box(sheet.right - _MARGIN_MM - _PANEL_MM, top, _PANEL_MM, sheet.bottom - _MARGIN_MM - top)
    left += _GRID_LABELS_MM
    bottom = sheet.bottom - _MARGIN_MM - _GRID_LABELS_MM + 1.5
    return Layout(
        sheet, heading, banner, warnings, Box(left, top, panel.left - 5 - left, bottom - top), panel
    )


def _lines(
    context: cairocffi.Context,
    words: str,
    width_mm: float,
    size_mm: float,
    *,
    most: int,
    colour: str = INK,
    bold: bool = False,
) -> list[_Line]:
    set_font(context, size_mm, bold=bold)
    return [_Line(line, size_mm, colour, bold) for line in wrap(context, words, width_mm, most)]


def _warning_lines(
    context: cairocffi.Context, warnings: Sequence[Alert], width_mm: float, height_mm: float
) -> list[_Line]:
    """Headlines of all warnings; below each whom it is about, as long as there is room."""
    heads = [_headline(context, one.words, width_mm) for one in warnings]
    room = height_mm - sum(line.height_mm for head in heads for line in head)
    told: list[_Line] = []
    for one, head in zip(warnings, heads, strict=True):
        told += head
        who = _who(context, one, width_mm, room)
        told += who
        room -= sum(line.height_mm for line in who)
    return _fitting(told, height_mm)


def _who(context: cairocffi.Context, alert: Alert, width_mm: float, room_mm: float) -> list[_Line]:
    """Whom the alert is about: in full in two lines, else shortly in three, else where it stands."""
    full = _lines(context, alert.who, width_mm, 2.7, most=2)
    short = _lines(context, alert.who_shortly, width_mm, 2.7, most=3)
    elsewhere = _lines(context, map_text("more_lines").both, width_mm, 2.7, most=1)
    if full and full[-1].words.endswith("…"):
        full = short
    return next(
        (choice for choice in (full, short) if sum(line.height_mm for line in choice) <= room_mm), elsewhere
    )


def _headline(context: cairocffi.Context, words: Said, width_mm: float) -> list[_Line]:
    """In one line for both languages, if there is room."""
    both = _lines(context, words.both, width_mm, 3.3, most=2, colour=WARNING, bold=True)
    if len(both) == 1:
        return both
    return [
        *_lines(context, words.da, width_mm, 3.3, most=2, colour=WARNING, bold=True),
        *_lines(context, words.en, width_mm, 2.8, most=2, colour=WARNING, bold=True),
    ]


def _fitting(lines: Sequence[_Line], height_mm: float) -> list[_Line]:
    most = next(
        (n for n in range(len(lines), 0, -1) if sum(line.height_mm for line in lines[:n]) <= 1.2 * height_mm),
        0,
    )
    return list(lines[:most])


def draw_sheet(
    context: cairocffi.Context, layout: Layout, frame: Frame, subject: Subject, place: Place
) -> Drawing:
    """Draw the whole sheet; gives what is drawn in its frame."""
    styles, text = subject.styles, subject.text
    prepare_context(context)
    draw_panel(context, layout.sheet, fill="#ffffff")
    worst = max(styles.dangers, key=lambda danger: danger.rank)
    _draw_heading(context, layout, place.label, worst)
    drawing = subject.scene.arrange(frame)
    if place.is_index:
        drawing = replace(drawing, bands=())
    signs = _draw_map(context, frame, drawing, subject, place)
    panel = layout.panel
    foot = panel.bottom - _SCALE_MM - _DATES_MM
    notes = [*_own_notes(drawing, frame, subject, place), *text.notes]
    top = _draw_notes(context, Box(panel.left, panel.top, panel.width, foot - panel.top), notes)
    if not place.is_index:  # the sheets tell it
        is_marked = any(cell.intersects(shapely.box(*frame.bounds)) for cell in subject.marking)
        has_map = subject.base_map.is_drawn
        legend = Legend(context, drawing, styles, signs, has_marking=is_marked, has_base_map=has_map)
        legend.draw(Box(panel.left, top, panel.width, foot - 1 - top))
    _draw_dates(context, Box(panel.left, foot, panel.width, _DATES_MM), text)
    scale = Box(panel.left, panel.bottom - _SCALE_MM, panel.width, _SCALE_MM)
    _draw_scale(context, scale, frame, place)
    return drawing


def _draw_lines(context: cairocffi.Context, lines: Sequence[_Line], x: float, y: float) -> None:
    for line in lines:
        baseline = y + 0.98 * line.size_mm
        draw_text(context, line.words, x, baseline, size_mm=line.size_mm, bold=line.bold, colour=line.colour)
        y += line.height_mm


def _draw_heading(
    context: cairocffi.Context, layout: Layout, label: Said | None, danger: DangerStyle
) -> None:
    left, top = layout.sheet.left + _MARGIN_MM, layout.sheet.top + _MARGIN_MM
    _draw_lines(context, layout.heading, left, top - 0.8)
    if label:
        draw_text(
            context,
            label.both,
            layout.panel.right,
            top + 4.0,
            size_mm=3.6,
            bold=True,
            align="right",
            width_mm=64,
        )
    banner = layout.banner
    if not layout.warnings:
        return
    draw_panel(context, banner, fill="#fff0ee", edge=WARNING, edge_mm=0.5)
    _draw_lines(context, layout.warnings, banner.left + 10, banner.top + 1.0)
    middle = np.array([(banner.left + 5, banner.top + banner.height / 2 + 0.4)])
    draw_triangles(context, danger, middle, 1.9 * TRIANGLE_MM)


def _draw_map(
    context: cairocffi.Context, frame: Frame, drawing: Drawing, subject: Subject, place: Place
) -> str:
    """The frame and what is in it; gives the small characters that stand beside single lines."""
    styles = subject.styles
    area = polygons(cut_to_frame([subject.area], frame))
    cells = polygons(cut_to_frame(subject.marking, frame))
    draw_ground(context, frame, Ground(area, cells, drawing.bands, subject.base_map), styles)
    draw_grid(context, frame)
    painter = LinePainter(context, styles, frame.denominator)
    signs = ""
    if place.is_index:
        painter.draw_small(drawing, frame.box)
    else:
        signs = "".join(label.text for label in painter.draw(drawing, frame.box) if label.size_mm == NOTE_MM)
    draw_neatline(context, frame.box)
    for side, words in place.neighbours.items():
        _draw_neighbour(context, frame.box, side, words.both)
    if not subject.scene.features:
        _draw_emptiness(
            context, frame.box, map_text("nothing_to_draw" if subject.scene.without_place else "no_lines")
        )
    return signs


def _draw_neighbour(context: cairocffi.Context, box: Box, side: Side, words: str) -> None:
    """The name of the next sheet, within the frame at that side."""
    middle = box.left + box.width / 2, box.top + box.height / 2
    x, y, turn = {
        "north": (middle[0], box.top + 2.4, 0.0),
        "south": (middle[0], box.bottom - 2.4, 0.0),
        "west": (box.left + 2.4, middle[1], -math.pi / 2),
        "east": (box.right - 2.4, middle[1], -math.pi / 2),
    }[side]
    with kept(context):
        context.translate(x, y)
        context.rotate(turn)
        set_font(context, 2.5, bold=True)
        half = text_width(context, words) / 2 + 1.2
        draw_panel(context, Box(-half, -1.8, 2 * half, 3.6), fill="#ffffff", edge=INK, edge_mm=0.2)
        draw_text(context, words, 0, 0.9, size_mm=2.5, bold=True, align="centre")


def _draw_emptiness(context: cairocffi.Context, box: Box, words: Said) -> None:
    set_font(context, 4.2, bold=True)
    width = min(max(text_width(context, line) for line in words) + 8, box.width - 4)
    x, y = box.left + box.width / 2, box.top + box.height / 2
    draw_panel(context, Box(x - width / 2, y - 7, width, 13), fill="#ffffff", edge=INK)
    for line, baseline in ((words.da, y - 1), (words.en, y + 4.2)):
        draw_text(context, line, x, baseline, size_mm=4.2, bold=True, align="centre", width_mm=width - 4)


def _own_notes(drawing: Drawing, frame: Frame, subject: Subject, place: Place) -> list[Said]:
    """What the map itself has to say before the notes given: its limits, and what it leaves out."""
    notes = []
    if frame.denominator > OVERVIEW_BEYOND and drawing.groups:
        notes.append(map_text("overview"))
        if place.paper is None:
            notes.append(map_text("see_plan"))
    if subject.scene.without_place:
        notes.append(map_text("without_place", count=grouped(subject.scene.without_place)))
    if drawing.outside and place.label is None:
        notes.append(map_text("outside", count=grouped(drawing.outside)))
    words = subject.base_map.words()
    return [*notes, words] if words else notes


def _draw_notes(context: cairocffi.Context, place: Box, notes: Sequence[Said]) -> float:
    """The notes in a pale box at the place's top; gives where the legend begins."""
    set_font(context, 2.6)
    lines = [line for note in notes for line in wrap(context, note.both, place.width - 5, 3)]
    most = int(_NOTES_SHARE * place.height / _NOTE_LINE_MM)
    if len(lines) > most:
        lines = [*lines[: most - 1], map_text("more_lines").both]
    if not lines:
        return place.top
    box = Box(place.left, place.top, place.width, _NOTE_LINE_MM * len(lines) + 2.6)
    draw_panel(context, box, fill="#f1f3f5")
    for number, line in enumerate(lines):
        draw_text(context, line, box.left + 2.5, box.top + 4.2 + _NOTE_LINE_MM * number, size_mm=2.6)
    return box.bottom + 3.0


def _draw_dates(context: cairocffi.Context, place: Box, text: SheetText) -> None:
    """What happened when; on the right the code to verify the plan by, if there is one."""
    width = place.width
    if text.url:
        width -= _QR_MM + 1.5
        _draw_code(context, Box(place.right - _QR_MM, place.top, _QR_MM, _QR_MM), text.url)
    y = place.top + 2.6
    for words, moment in text.dates:
        draw_text(context, words.both, place.left, y, size_mm=2.0, colour=MUTED, width_mm=width)
        draw_text(context, moment, place.left, y + 2.7, size_mm=2.5, width_mm=width)
        y += _DATE_LINE_MM + 1.6


def _draw_code(context: cairocffi.Context, box: Box, url: str) -> None:
    """A QR code with its quiet zone, which leads to a page about the package."""
    rows = _code(url)
    side = box.width / (len(rows) + 4)
    with kept(context):
        context.set_antialias(cairocffi.ANTIALIAS_NONE)
        context.new_path()
        for row, cells in enumerate(rows):
            for column, is_dark in enumerate(cells):
                if is_dark:
                    context.rectangle(box.left + (column + 2) * side, box.top + (row + 2) * side, side, side)
        set_colour(context, "#000000")
        context.fill()
    draw_text(
        context, map_text("verify").both, box.left + box.width / 2, box.bottom + 1.2, size_mm=1.7, align="centre",
        colour=MUTED, width_mm=box.width + 2,
    )  # fmt: skip


@lru_cache(maxsize=4)
def _code(url: str) -> Sequence[Sequence[int]]:
    """The code's rows, 1 where it is dark: it stands on every sheet, and takes longer to make than to draw."""
    return tuple(tuple(row) for row in segno.make(url, error="m", micro=False, boost_error=False).matrix)


def _draw_scale(context: cairocffi.Context, place: Box, frame: Frame, of: Place) -> None:
    """Scale, scale bar, coordinate system and north arrow."""
    scale = map_text("scale", denominator=grouped(frame.denominator))
    draw_text(context, scale.both, place.left, place.top + 4.5, size_mm=3.6, bold=True)
    if of.paper:
        printed = map_text("printed", paper=of.paper)
        draw_text(
            context,
            printed.both,
            place.left,
            place.top + 8.0,
            size_mm=2.2,
            colour=MUTED,
            width_mm=place.width - 12,
        )
    draw_scale_bar(context, frame, place.left, place.top + 9.4, place.width - 16)
    draw_text(context, map_text("crs").both, place.left, place.bottom - 0.9, size_mm=2.2, colour=MUTED)
    draw_north_arrow(context, place.right - 4.5, place.top + 3.5, "N")
