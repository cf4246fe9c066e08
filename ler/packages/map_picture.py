"""The overview of a package: one sheet with the whole area as a PNG of 32 colours that lies in place.

In A4 proportions, at a round scale; a world file (EPSG:25832, metres) goes beside it. The same input gives the same
bytes. Refuses areas without extent and coordinates that are not finite.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cairocffi
import numpy as np
from numpy.typing import NDArray
from rasterio.transform import Affine
from shapely import Polygon

from ler.errors import UnavailableError
from ler.packages.contents import Contents
from ler.packages.map_canvas import Box, Frame, fit_frame
from ler.packages.map_shapes import Drawing
from ler.packages.map_sheet import Layout, Place, SheetText, Subject, draw_sheet, lay_out
from ler.packages.map_subject import sheet_text, subject_of
from ler.packages.styles import Styles

COLOURS: Final = 32
WIDTH_PX, HEIGHT_PX = 1280, 905
PIXEL_MM: Final = 297 / WIDTH_PX
"""Printed on A4 it has its scale."""

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_BY_PALETTE: Final = 3
_LEVEL: Final = 5
_APART: Final = ((4, 0.002), (48, 0.0), (24, 0.0), (12, 0.0), (0, 0.0))
"""How far colours of the palette lie apart, of 441, and which share of the picture they have, first choice first."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture's bytes, which piece of the world it shows, and what of it is drawn."""

    png: bytes
    frame: Frame
    drawing: Drawing

    @property
    def affine(self) -> Affine:
        """From pixels to EPSG:25832, metres."""
        return self.frame.affine(PIXEL_MM)


def write_overview(path: Path, contents: Contents) -> int:
    """Write the picture; gives how many features it shows. UnavailableError when the file cannot be written."""
    subject = subject_of(contents)
    picture = draw_picture(subject)
    _write(path, picture.png)
    return len(subject.scene.features) - picture.drawing.outside


def draw_picture(subject: Subject) -> Picture:
    """Draw the subject's whole area; InputError for an area that no sheet shows."""
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, WIDTH_PX, HEIGHT_PX)
    context = cairocffi.Context(surface)
    context.scale(1 / PIXEL_MM, 1 / PIXEL_MM)
    layout, frame = _placed(context, subject.area, subject.text)
    drawing = draw_sheet(context, layout, frame, subject, Place())
    return Picture(_encoded(surface, _wanted(subject.styles)), frame, drawing)


def write_world_file(path: Path, contents: Contents) -> int:
    """Write where the picture lies, for GIS programs, whose origin is a pixel's middle; gives 0."""
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, 1, 1)
    _, frame = _placed(cairocffi.Context(surface), contents.request.area, sheet_text(contents))
    _write(path, world_file(frame))
    return 0


def world_file(frame: Frame) -> bytes:
    """Six lines: the size of a pixel, its turn, the middle of the first."""
    a, b, c, d, e, f = (frame.affine(PIXEL_MM) @ Affine.translation(0.5, 0.5))[:6]
    return "".join(f"{value:.10f}\n" for value in (a, d, b, e, c, f)).encode()


def _placed(context: cairocffi.Context, area: Polygon, text: SheetText) -> tuple[Layout, Frame]:
    sheet = Box(0, 0, WIDTH_PX * PIXEL_MM, HEIGHT_PX * PIXEL_MM)
    layout = lay_out(context, sheet, text)
    return layout, fit_frame(area, layout.frame)


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UnavailableError(f"The map picture {path.name} cannot be written.") from error


def _encoded(surface: cairocffi.ImageSurface, wanted: Sequence[str]) -> bytes:
    """A PNG with a palette, and with its resolution, so that it prints at its scale."""
    surface.flush()
    height, stride = surface.get_height(), surface.get_stride()
    pixels = np.frombuffer(surface.get_data(), dtype=np.uint32).reshape(height, stride // 4)
    palette, indices = reduce_colours(pixels[:, : surface.get_width()], wanted)
    rows = np.zeros((height, indices.shape[1] + 1), dtype=np.uint8)  # each begins with its filter: none
    rows[:, 1:] = indices
    per_metre = round(1000 / PIXEL_MM)
    header = struct.pack(">IIBBBBB", indices.shape[1], height, 8, _BY_PALETTE, 0, 0, 0)
    return _SIGNATURE + b"".join(
        _chunk(name, content)
        for name, content in (
            (b"IHDR", header),
            (b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),
            (b"PLTE", palette.tobytes()),
            (b"IDAT", zlib.compress(rows, _LEVEL)),
            (b"IEND", b""),
        )
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    body = name + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def _wanted(styles: Styles) -> list[str]:
    """Colours that mean something, and must not become others."""
    utilities = (colour for one in styles.utilities for colour in (one.colour, one.casing) if colour)
    dangers = (colour for one in styles.dangers for colour in (one.fill, one.edge))
    return list(dict.fromkeys((*utilities, *dangers)))


def reduce_colours(
    pixels: NDArray[np.uint32], wanted: Sequence[str] = ()
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The palette (n, 3), n <= 32, and its indices (rows, columns) of pixels 0x00RRGGBB.

    A map has few colours and their mixtures at edges. The wanted ones are kept where they occur; then what covers
    surfaces, then far colours before near ones.
    """
    coarse = _coarse(pixels)
    counts = np.bincount(coarse.ravel(), minlength=1 << 15)
    there = np.flatnonzero(counts)
    # Of pixels that look alike one that a sparse look finds lends its exact colour; rare ones, the middle.
    exact = ((there >> 10) << 19 | (there >> 5 & 0x1F) << 11 | (there & 0x1F) << 3) | 0x040404
    lookup = np.zeros(1 << 15, dtype=np.uint32)
    lookup[there] = exact
    lookup[coarse[::3, ::3]] = pixels[::3, ::3] & 0xFFFFFF
    codes = np.array([int(colour[1:], 16) for colour in wanted], dtype=np.uint32)
    met = codes[counts[_coarse(codes)] > 0]
    colours = _channels(lookup[there])
    palette = _chosen(colours, counts[there], _channels(met))
    distances = ((colours[:, None, :] - palette[None, :, :]) ** 2).sum(axis=2)
    nearest = np.zeros(1 << 15, dtype=np.uint8)
    nearest[there] = distances.argmin(axis=1)
    return palette.astype(np.uint8), np.take(nearest, coarse)


def _coarse(pixels: NDArray[np.uint32]) -> NDArray[np.uint16]:
    """Five bits of each channel."""
    channels = np.ascontiguousarray(pixels, dtype="<u4").view(np.uint8).reshape(*pixels.shape, 4) >> 3
    blue, green, red = (channels[..., channel].astype(np.uint16) for channel in range(3))
    return (red << 10 | green << 5 | blue).astype(np.uint16, copy=False)


def _channels(codes: NDArray[np.uint32]) -> NDArray[np.int32]:
    return (codes[:, None] >> np.array([16, 8, 0], dtype=np.uint32) & 0xFF).astype(np.int32)


def _chosen(
    colours: NDArray[np.int32], counts: NDArray[np.intp], chosen: NDArray[np.int32]
) -> NDArray[np.int32]:
    order = np.argsort(-counts, kind="stable")
    frequent, shares = colours[order], counts[order] / counts.sum()
    for apart, share in _APART:
        for colour in frequent[shares >= share]:
            if len(chosen) == COLOURS:
                return chosen
            if not len(chosen) or ((chosen - colour) ** 2).sum(axis=1).min() > apart**2:
                chosen = np.vstack((chosen, colour))
    return chosen
