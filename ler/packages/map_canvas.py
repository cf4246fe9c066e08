"""The sheet's geometry and lettering: metres <-> millimetres, round scales, clean text that fits its place.

Everything drawn takes a cairo context whose unit is one millimetre, origin top left, y down; whether pixels or a
PDF page lie behind it is decided elsewhere. Map coordinates are EPSG:25832, metres.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import cairocffi
import numpy as np
from numpy.typing import NDArray
from rasterio.transform import Affine
from shapely import Polygon

from ler.errors import InputError
from ler.packages.colours import rgb
from ler.packages.plain_text import plain

type Coordinates = NDArray[np.float64]
type Align = Literal["left", "centre", "right"]

FONT = "DejaVu Sans"
INK, MUTED, WARNING = "#14181d", "#4a525b", "#a80012"

DENOMINATORS = (
    50,
    *(int(step * power) for power in (100, 1_000, 10_000, 100_000) for step in (1, 2, 2.5, 5)),
)
"""Of round scales, which rulers carry."""
_LONGEST_TEXT = 600


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the sheet, mm from its top left corner."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right side, mm."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The lower side, mm."""
        return self.top + self.height


@dataclass(frozen=True, slots=True)
class Frame:
    """The map frame: where it stands on the sheet and which piece of EPSG:25832 it shows."""

    box: Box
    west: float
    north: float
    denominator: int

    @property
    def metres_per_mm(self) -> float:
        """Metres on the ground for one millimetre on the sheet."""
        return self.denominator / 1000

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the frame, metres."""
        east = self.west + self.box.width * self.metres_per_mm
        return self.west, self.north - self.box.height * self.metres_per_mm, east, self.north

    def x_mm(self, easting: float) -> float:
        """Where an easting lies on the sheet, mm from the left."""
        return self.box.left + (easting - self.west) / self.metres_per_mm

    def y_mm(self, northing: float) -> float:
        """Where a northing lies on the sheet, mm from the top."""
        return self.box.top + (self.north - northing) / self.metres_per_mm

    def to_sheet(self, coordinates: Coordinates) -> Coordinates:
        """Coordinates (n, 2) in metres to sheet millimetres (n, 2)."""
        x = self.box.left + (coordinates[:, 0] - self.west) / self.metres_per_mm
        y = self.box.top + (self.north - coordinates[:, 1]) / self.metres_per_mm
        return np.column_stack((x, y))

    def affine(self, pixel_mm: float) -> Affine:
        """Pixel of the whole sheet -> EPSG:25832, so that the picture lies in place with its margins."""
        pixel_m = pixel_mm * self.metres_per_mm
        west = self.west - self.box.left * self.metres_per_mm
        north = self.north + self.box.top * self.metres_per_mm
        return Affine(pixel_m, 0.0, west, 0.0, -pixel_m, north)


def fit_frame(area: Polygon, box: Box, *, margin_mm: float = 7.0, largest: int = DENOMINATORS[0]) -> Frame:
    """The frame at the largest round scale that shows the area (metres) with a margin; InputError if none does.

    It is not larger than 1:`largest`.
    """
    west, south, east, north = area.bounds
    if area.is_empty or not all(map(math.isfinite, (west, south, east, north))):
        raise InputError("The dig area has no extent: give a polygon in EPSG:25832 metres.")
    needed = 1000 * max(
        (east - west) / (box.width - 2 * margin_mm), (north - south) / (box.height - 2 * margin_mm)
    )
    denominator = next((d for d in DENOMINATORS if d >= max(needed, largest)), None)
    if denominator is None:
        raise InputError(f"The dig area is too large for a map: it would need 1:{needed:.0f}.")
    width_m, height_m = box.width * denominator / 1000, box.height * denominator / 1000
    return Frame(box, (west + east - width_m) / 2, (south + north + height_m) / 2, denominator)


@contextmanager
def kept(context: cairocffi.Context) -> Iterator[None]:
    """Give the context back as it was."""
    context.save()
    try:
        yield
    finally:
        context.restore()


def set_colour(context: cairocffi.Context, colour: str, opacity: float = 1.0) -> None:
    """Paint with `#rrggbb` from here on."""
    context.set_source_rgba(*rgb(colour), opacity)


def prepare_context(context: cairocffi.Context) -> None:
    """Same letters at every size and angle: without hinting, which would snap them to pixels."""
    options = cairocffi.FontOptions()
    options.set_hint_style(cairocffi.HINT_STYLE_NONE)
    options.set_hint_metrics(cairocffi.HINT_METRICS_OFF)
    options.set_antialias(cairocffi.ANTIALIAS_GRAY)
    context.set_font_options(options)
    context.set_line_join(cairocffi.LINE_JOIN_ROUND)
    context.set_line_cap(cairocffi.LINE_CAP_BUTT)


def clean(text: str) -> str:
    """What of the text fits a map, as one plain line."""
    return plain(text[:_LONGEST_TEXT])


def set_font(context: cairocffi.Context, size_mm: float, *, bold: bool = False) -> None:
    """Letters of `size_mm` em height from here on."""
    weight = cairocffi.FONT_WEIGHT_BOLD if bold else cairocffi.FONT_WEIGHT_NORMAL
    context.select_font_face(FONT, cairocffi.FONT_SLANT_NORMAL, weight)
    context.set_font_size(size_mm)


def text_width(context: cairocffi.Context, text: str) -> float:
    """Advance of the text in the context's font, mm."""
    return float(context.text_extents(text)[4])


def shorten(context: cairocffi.Context, text: str, width_mm: float) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    if text_width(context, text) <= width_mm:
        return text
    fitting, too_long = 0, len(text)
    while too_long - fitting > 1:
        middle = (fitting + too_long) // 2
        if text_width(context, text[:middle].rstrip() + "…") <= width_mm:
            fitting = middle
        else:
            too_long = middle
    return text[:fitting].rstrip() + "…"


def wrap(context: cairocffi.Context, text: str, width_mm: float, most_lines: int) -> list[str]:
    """The cleaned text in at most `most_lines` lines; what does not fit ends in an ellipsis."""
    return wrap_words(context, clean(text).split(), width_mm, most_lines)


def wrap_words(
    context: cairocffi.Context, words: Sequence[str], width_mm: float, most_lines: int
) -> list[str]:
    """The words in at most `most_lines` lines, broken between words only; a word may contain spaces."""
    lines: list[str] = []
    while words and len(lines) < most_lines - 1:
        line = words[0]
        taken = 1
        while taken < len(words) and text_width(context, f"{line} {words[taken]}") <= width_mm:
            line = f"{line} {words[taken]}"
            taken += 1
        lines.append(shorten(context, line, width_mm))
        words = words[taken:]
    if words and most_lines > 0:
        lines.append(shorten(context, " ".join(words), width_mm))
    return lines


def draw_text(
    context: cairocffi.Context,
    text: str,
    x: float,
    y: float,
    *,
    size_mm: float = 2.7,
    bold: bool = False,
    colour: str = INK,
    align: Align = "left",
    width_mm: float | None = None,
    halo: bool = False,
) -> None:
    """One line of text with its baseline at y; shortened to `width_mm` if given, with a white edge if asked."""
    set_font(context, size_mm, bold=bold)
    line = clean(text)
    if width_mm is not None:
        line = shorten(context, line, width_mm)
    shift = 0.0 if align == "left" else {"centre": 0.5, "right": 1.0}[align] * text_width(context, line)
    context.new_path()
    context.move_to(x - shift, y)
    if halo:
        context.text_path(line)
        set_colour(context, "#ffffff")
        context.set_line_width(0.2 * size_mm)
        context.stroke_preserve()
        set_colour(context, colour)
        context.fill()
    else:
        set_colour(context, colour)
        context.show_text(line)
    context.new_path()


def cap_height(size_mm: float) -> float:
    """Height of a capital letter in DejaVu Sans of that size, mm (0.729 em in the font's OS/2 table)."""
    return 0.729 * size_mm


def draw_panel(
    context: cairocffi.Context, box: Box, *, fill: str, edge: str | None = None, edge_mm: float = 0.25
) -> None:
    """A filled rectangle, with an outline if an edge is given."""
    context.new_path()
    context.rectangle(box.left, box.top, box.width, box.height)
    set_colour(context, fill)
    if edge is None:
        context.fill()
        return
    context.fill_preserve()
    set_colour(context, edge)
    context.set_line_width(edge_mm)
    context.set_dash([])
    context.stroke()
