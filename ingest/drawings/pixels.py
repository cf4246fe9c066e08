"""What the pixels of a drawing mean, and the same in 8-bit grey or colour with a mask of what is valid.

Refuses what has no one meaning as a picture: elevations and other real numbers, CMYK and Lab without the profile that
says which colours are meant.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from rasterio.enums import ColorInterp, MaskFlags

from ingest.drawings.faults import Faults

type Pixels = np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]
"""(band, row, column)."""
type Mask = np.ndarray[tuple[int, int], np.dtype[np.uint8]]

_RGB: Final = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
_INK: Final = frozenset({ColorInterp.cyan, ColorInterp.magenta, ColorInterp.yellow, ColorInterp.black})
_OPAQUE: Final = 128
"""A pixel is valid when it is at least half opaque."""
_WHITE: Final = 255


@dataclass(frozen=True, slots=True)
class Reading:
    """How the bands of one source become a picture."""

    bands: tuple[int, ...]
    """Bands to read, from 1: one of grey or of a colour table, or red, green and blue."""
    full: int
    """The value that is white, or black when `inverted`."""
    inverted: bool
    table: np.ndarray[tuple[int, int], np.dtype[np.uint8]] | None
    """(256, 4): red, green, blue and opacity of each value of a colour table."""
    masked: bool
    """Whether there may be pixels that are not valid."""
    few_colours: bool
    """Whether mixing two pixels would make a colour that the drawing does not have."""

    @property
    def count(self) -> int:
        """Bands of the picture, without a mask: 1 or 3."""
        return 3 if self.table is not None and not _is_grey(self.table) else len(self.bands)

    def picture(self, values: np.ndarray[Any, Any], valid: Mask | None) -> tuple[Pixels, Mask | None]:
        """Return the picture of what was read, white where it is not valid, and its mask of 0 and 255."""
        if self.table is not None:
            looked_up = self.table[values[0]]
            pixels = np.moveaxis(looked_up[..., : self.count], -1, 0)
            opaque = looked_up[..., 3] >= _OPAQUE
        else:
            pixels = self._scaled(values)
            opaque = None
        if not self.masked:
            return np.ascontiguousarray(pixels), None
        kept = valid >= _OPAQUE if valid is not None else np.ones(values.shape[1:], bool)
        if opaque is not None:
            kept = kept & opaque
        # What the owner made transparent may hold what nobody is to see.
        return np.where(kept, pixels, np.uint8(_WHITE)), np.where(kept, np.uint8(_WHITE), np.uint8(0))

    def _scaled(self, values: np.ndarray[Any, Any]) -> Pixels:
        if self.full == _WHITE:
            pixels = values.astype(np.uint8, copy=False)
        else:
            wide = np.minimum(values, self.full).astype(np.uint32)
            pixels = ((wide * _WHITE + self.full // 2) // self.full).astype(np.uint8)
        return _WHITE - pixels if self.inverted else pixels


def read_meaning(source: Any, faults: Faults) -> Reading | None:  # noqa: ANN401 - rasterio has no types
    """Return how to read a source that rasterio has opened; None, and a fault, when there is no one way."""
    kinds = tuple(source.colorinterp)
    space = source.tags(ns="IMAGE_STRUCTURE").get("SOURCE_COLOR_SPACE", "")
    if _INK & set(kinds) or space in {"CMYK", "CIELAB", "YCCK"}:
        faults.error("drawing-colours", space or "CMYK", "RGB")
        return None
    bands = _RGB_bands(kinds) or (1,)
    dtype = source.dtypes[bands[0] - 1]
    table = _table(source) if kinds[0] is ColorInterp.palette else None
    if {source.dtypes[band - 1] for band in bands} != {dtype} or dtype not in {"uint8", "uint16"}:
        faults.error("drawing-pixel-type", ", ".join(sorted(set(source.dtypes))), "uint8, uint16")
        return None
    if table is not None and dtype != "uint8":
        faults.error("drawing-pixel-type", f"{dtype}, colour table", "uint8")
        return None
    dropped = [
        str(kind.name)
        for band, kind in enumerate(kinds, 1)
        if band not in bands and kind is not ColorInterp.alpha
    ]
    if dropped:
        faults.warn("drawing-bands-dropped", ", ".join(dropped), "RGB")
    structure = source.tags(bands[0], ns="IMAGE_STRUCTURE")
    full = _full(source, bands, dtype, int(structure.get("NBITS", 0)))
    if dtype == "uint16":
        faults.warn("drawing-depth-reduced", f"0 – {full}", "0 – 255")
    return Reading(
        bands=bands,
        full=full,
        inverted="MINISWHITE" in source.tags(ns="IMAGE_STRUCTURE") | structure,
        table=table,
        masked=not all(MaskFlags.all_valid in flags for flags in source.mask_flag_enums) or _has_holes(table),
        few_colours=table is not None or full < _WHITE,
    )


def _RGB_bands(kinds: tuple[ColorInterp, ...]) -> tuple[int, ...] | None:  # noqa: N802 - RGB is a name
    if set(_RGB) <= set(kinds):
        return tuple(kinds.index(kind) + 1 for kind in _RGB)
    return None


def _table(source: Any) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:  # noqa: ANN401 - as above
    # A value that the table leaves out is black: its pixels are there, and nobody said that they are not.
    table = np.tile(np.array([0, 0, 0, _WHITE], np.uint8), (256, 1))
    for value, colour in source.colormap(1).items():
        table[value & 0xFF] = colour
    return table


def _is_grey(table: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> bool:
    return bool((table[:, 0] == table[:, 1]).all() and (table[:, 1] == table[:, 2]).all())


def _has_holes(table: np.ndarray[tuple[int, int], np.dtype[np.uint8]] | None) -> bool:
    return table is not None and bool((table[:, 3] < _OPAQUE).any())


def _full(source: Any, bands: tuple[int, ...], dtype: str, bits: int) -> int:  # noqa: ANN401 - as above
    """The largest value that a pixel can have: by the file's word, or for 16 bits by what it holds.

    Scanners write 10 or 12 bits into 16 and do not say so; the brightest pixel tells how many are used.
    """
    if bits:
        return (1 << bits) - 1
    if dtype == "uint8":
        return _WHITE
    brightest = _WHITE
    for _, window in source.block_windows(bands[0]):
        brightest = max(brightest, int(source.read(bands, window=window).max()))
    return (1 << brightest.bit_length()) - 1
