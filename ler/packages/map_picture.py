"""The map picture of a dig site: every line with its style, letters, legend, scale and grid, in one georeferenced PNG.

A sheet in A4 proportions, north up, at a round scale. `draw_sheet` draws on any cairo context in millimetres;
`draw_map` makes the surface, writes its pixels and leaves a world file (EPSG:25832, metres) beside the picture. The same input gives the same bytes. Refuses areas without extent and coordinates that are not finite.
"""

import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cairocffi
import numpy as np
import rasterio
from rasterio.io import MemoryFile
from rasterio.transform import Affine
from shapely import Polygon

from ler.errors import InputError, UnavailableError
from ler.packages.map_canvas import (
    INK,
    MUTED,
    WARNING,
    Box,
    Frame,
    draw_panel,
    draw_text,
    fit_frame,
    kept,
    prepare_context,
    set_font,
    text_width,
    wrap,
)
from ler.packages.map_frame import (
    draw_grid,
    draw_ground,
    draw_neatline,
    draw_north_arrow,
    draw_scale_bar,
)
from ler.packages.map_labels import TRIANGLE_MM, draw_triangle
from ler.packages.map_legend import Legend
from ler.packages.map_lines import LinePainter
from ler.packages.map_shapes import Drawing, MapFeature, arrange, cut_to_frame, polygons
from ler.packages.map_texts import grouped, map_text
from ler.packages.styles import Language, load_styles

__all__ = ["MapFeature", "MapPicture", "MapText", "draw_map", "draw_sheet"]

MM_PER_INCH = 25.4
OVERVIEW_BEYOND = 1000
"""Beyond this scale a map is an overview: half a metre, the usual distance of lines, is half a millimetre."""

_MARGIN_MM = 6.0
_GRID_LABELS_MM = 4.6
_PANEL_MM = 66.0
_FOOT_MM = 23.0
_LEAST_WIDTH_MM = 200.0
_MOST_PIXELS = 12_000
_BANNER_SHARE, _NOTES_SHARE = 0.2, 0.35  # of the height of the sheet, and of the panel above its foot
_WARNING_LINE_MM, _NOTE_LINE_MM = 4.9, 4.1


@dataclass(frozen=True, slots=True)
class MapText:
    """What is written on the map; `warnings` stand in a red banner, `notes` above the legend."""

    title: str
    subtitle: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MapPicture:
    """What was drawn: scale 1:denominator, the frame's bounds (west, south, east, north, metres), pixels, affine.

    `affine` leads from pixels of the whole picture to EPSG:25832; `without_place` and `outside` count
    the features that are not drawn: without a geometry, or outside the frame.
    """

    denominator: int
    bounds: tuple[float, float, float, float]
    width: int
    height: int
    affine: Affine
    without_place: int
    outside: int


def draw_map(
    path: Path,
    *,
    area: Polygon,
    features: Sequence[MapFeature],
    text: MapText,
    streets: Sequence[Polygon] = (),
    language: Language = "en",
    width_px: int = 1600,
    dpi: int = 150,
    window: Polygon | None = None,
) -> MapPicture:
    """Write the PNG and its world file (.pgw); geometries in EPSG:25832 metres.

    `window` is what the frame shows if not the whole area: a detail at a larger scale.

    InputError: nothing to fit into the frame, coordinates that are not finite, or a sheet too small or too large.
    UnavailableError: the file cannot be written.
    """
    width_mm = width_px * MM_PER_INCH / dpi
    if width_mm < _LEAST_WIDTH_MM or width_px > _MOST_PIXELS:
        least = math.ceil(_LEAST_WIDTH_MM * dpi / MM_PER_INCH)
        raise InputError(
            f"At {dpi} dots per inch a map is {least} to {_MOST_PIXELS} pixels wide, not {width_px}."
        )
    height_px = round(width_px / math.sqrt(2))
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, width_px, height_px)
    context = cairocffi.Context(surface)
    context.scale(dpi / MM_PER_INCH, dpi / MM_PER_INCH)
    sheet = Box(0, 0, width_mm, height_px * MM_PER_INCH / dpi)
    frame, drawing = draw_sheet(
        context,
        sheet,
        area=area,
        features=features,
        text=text,
        streets=streets,
        language=language,
        window=window,
    )
    _write_png(path, _encoded(surface, frame.affine(dpi), dpi), frame.affine(dpi))
    return MapPicture(
        frame.denominator,
        frame.bounds,
        width_px,
        height_px,
        frame.affine(dpi),
        drawing.without_place,
        drawing.outside,
    )


def draw_sheet(
    context: cairocffi.Context,
    sheet: Box,
    *,
    area: Polygon,
    features: Sequence[MapFeature],
    text: MapText,
    streets: Sequence[Polygon] = (),
    language: Language = "en",
    window: Polygon | None = None,
) -> tuple[Frame, Drawing]:
    """Draw the whole sheet on a context whose unit is a millimetre; gives the frame and what is drawn in it."""
    styles = load_styles()
    prepare_context(context)
    draw_panel(context, sheet, fill="#ffffff")
    top = _draw_heading(context, sheet, text, language)
    panel = Box(sheet.right - _MARGIN_MM - _PANEL_MM, top, _PANEL_MM, sheet.bottom - _MARGIN_MM - top)
    left = sheet.left + _MARGIN_MM + _GRID_LABELS_MM
    frame = fit_frame(
        window or area,
        Box(left, top, panel.left - 5 - left, sheet.bottom - _MARGIN_MM - _GRID_LABELS_MM + 1.5 - top),
    )
    drawing = arrange(features, frame, styles)
    _draw_map_frame(context, frame, drawing, area, streets)
    if not drawing.groups:
        _draw_emptiness(context, frame.box, map_text("nothing_to_draw" if features else "no_lines", language))
    legend_top = _draw_notes(context, panel, _notes(text, drawing, frame.denominator, language), language)
    legend = Legend(context, drawing, styles, language, streets=bool(streets))
    legend.draw(Box(panel.left, legend_top, panel.width, panel.bottom - _FOOT_MM - legend_top))
    _draw_foot(context, panel, frame, sheet, language)
    return frame, drawing


def _draw_heading(context: cairocffi.Context, sheet: Box, text: MapText, language: Language) -> float:
    """Title, subtitle and the banner of warnings; gives where the map begins, mm from the top."""
    left, width = sheet.left + _MARGIN_MM, sheet.width - 2 * _MARGIN_MM
    y = sheet.top + _MARGIN_MM
    for words, size, bold, colour in ((text.title, 5.4, True, INK), (text.subtitle, 3.4, False, MUTED)):
        set_font(context, size, bold=bold)
        for line in wrap(context, words, width, 2):
            draw_text(context, line, left, y + size * 0.78, size_mm=size, bold=bold, colour=colour)
            y += size * 1.3
    place = Box(left, y + 0.6, width, _BANNER_SHARE * sheet.height)
    return _draw_warnings(context, place, text.warnings, language)


def _draw_warnings(
    context: cairocffi.Context, place: Box, warnings: Sequence[str], language: Language
) -> float:
    """The banner; `place` is as high as it may become. Gives where the map begins."""
    set_font(context, 3.5, bold=True)
    lines = [line for warning in warnings for line in wrap(context, warning, place.width - 12, 2)]
    lines = _first_lines(lines, int(place.height / _WARNING_LINE_MM), language)
    if not lines:
        return place.top + 1.0
    banner = Box(place.left, place.top, place.width, _WARNING_LINE_MM * len(lines) + 2.4)
    draw_panel(context, banner, fill="#fff0ee", edge=WARNING, edge_mm=0.5)
    danger = max(load_styles().dangers, key=lambda danger: danger.rank)
    with kept(context):
        context.translate(banner.left + 5, banner.top + banner.height / 2 + 0.4)
        draw_triangle(context, danger, 1.9 * TRIANGLE_MM)
    for number, line in enumerate(lines):
        y = banner.top + 1.2 + _WARNING_LINE_MM * number + 3.6
        draw_text(context, line, banner.left + 10, y, size_mm=3.5, bold=True, colour=WARNING)
    return banner.bottom + 2.5


def _first_lines(lines: list[str], most: int, language: Language) -> list[str]:
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], map_text("more_lines", language, count=len(lines) - most + 1)]


def _draw_map_frame(
    context: cairocffi.Context,
    frame: Frame,
    drawing: Drawing,
    area: Polygon,
    streets: Sequence[Polygon],
) -> None:
    styles = load_styles()
    on_sheet = polygons(cut_to_frame([area], frame))
    draw_ground(context, frame, on_sheet, streets, styles)
    draw_grid(context, frame)
    LinePainter(context, styles, frame.denominator).draw(drawing, frame.box)
    draw_neatline(context, frame.box)


def _draw_emptiness(context: cairocffi.Context, box: Box, words: str) -> None:
    set_font(context, 4.2, bold=True)
    width = min(text_width(context, words) + 8, box.width - 4)
    middle_x, middle_y = box.left + box.width / 2, box.top + box.height / 2
    draw_panel(context, Box(middle_x - width / 2, middle_y - 5, width, 10), fill="#ffffff", edge=INK)
    draw_text(
        context, words, middle_x, middle_y + 1.5, size_mm=4.2, bold=True, align="centre", width_mm=width - 4
    )


def _notes(text: MapText, drawing: Drawing, denominator: int, language: Language) -> list[str]:
    """What the map itself has to say before the notes given: its limits, and what it leaves out."""
    own = []
    if denominator > OVERVIEW_BEYOND and drawing.groups:
        own.append(map_text("overview", language))
    for key, count in (("without_place", drawing.without_place), ("outside", drawing.outside)):
        if count:
            own.append(map_text(key, language, count=grouped(count, language)))
    return [*own, *text.notes]


def _draw_notes(context: cairocffi.Context, panel: Box, notes: Sequence[str], language: Language) -> float:
    """The notes in a pale box at the panel's top; gives where the legend begins."""
    set_font(context, 2.75)
    lines = [line for note in notes for line in wrap(context, note, panel.width - 5, 3)]
    room = _NOTES_SHARE * (panel.height - _FOOT_MM)
    lines = _first_lines(lines, int(room / _NOTE_LINE_MM), language)
    if not lines:
        return panel.top
    box = Box(panel.left, panel.top, panel.width, _NOTE_LINE_MM * len(lines) + 2.6)
    draw_panel(context, box, fill="#f1f3f5")
    for number, line in enumerate(lines):
        draw_text(context, line, box.left + 2.5, box.top + 4.3 + _NOTE_LINE_MM * number, size_mm=2.75)
    return box.bottom + 3.0


def _draw_foot(context: cairocffi.Context, panel: Box, frame: Frame, sheet: Box, language: Language) -> None:
    """Scale, scale bar, coordinate system and north arrow at the panel's bottom."""
    top = panel.bottom - _FOOT_MM + 3
    denominator = grouped(frame.denominator, language)
    draw_text(
        context,
        map_text("scale", language, denominator=denominator),
        panel.left,
        top + 3,
        size_mm=3.6,
        bold=True,
    )
    printed = map_text("printed", language, width=round(sheet.width), height=round(sheet.height))
    draw_text(context, printed, panel.left, top + 6.8, size_mm=2.35, colour=MUTED, width_mm=panel.width - 12)
    draw_scale_bar(context, frame, panel.left, top + 8.4, panel.width - 16)
    draw_text(context, map_text("crs", language), panel.left, panel.bottom - 1.2, size_mm=2.35, colour=MUTED)
    draw_north_arrow(context, panel.right - 4.5, top + 2.5, map_text("north", language))


def _write_png(path: Path, png: bytes, affine: Affine) -> None:
    """The picture and, beside it, the world file that GIS programs look for, whose origin is a pixel's middle."""
    a, b, c, d, e, f = (affine @ Affine.translation(0.5, 0.5))[:6]
    try:
        path.write_bytes(png)
        path.with_suffix(".pgw").write_text("".join(f"{value:.10f}\n" for value in (a, d, b, e, c, f)))
    except OSError as error:
        raise UnavailableError(f"The map picture {path.name} cannot be written.") from error


def _encoded(surface: cairocffi.ImageSurface, affine: Affine, dpi: int) -> bytes:
    """PNG bytes, made in memory so that the library leaves no files of its own (.aux.xml) beside the picture."""
    surface.flush()
    height, width, stride = surface.get_height(), surface.get_width(), surface.get_stride()
    native = np.frombuffer(surface.get_data(), dtype=np.uint32).reshape(height, stride // 4)[:, :width]
    bands = native.astype(">u4").view(np.uint8).reshape(height, width, 4)[:, :, 1:].transpose(2, 0, 1)
    # Level 9 would take three times as long for a hundredth of the size.
    profile = {"driver": "PNG", "width": width, "height": height, "count": 3, "dtype": "uint8", "ZLEVEL": 6}
    with rasterio.Env(GDAL_PAM_ENABLED="NO"), MemoryFile() as memory:
        with memory.open(**profile, transform=affine) as picture:
            picture.write(bands)
        return _with_resolution(bytes(memory.read()), dpi)


def _with_resolution(png: bytes, dpi: int) -> bytes:
    """The PNG with its resolution behind the header chunk, so that it prints at its scale; GDAL writes none."""
    after_header = 8 + 12 + 13
    per_metre = round(dpi / MM_PER_INCH * 1000)
    chunk = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    framed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return png[:after_header] + framed + png[after_header:]
