"""Pages of a PDF that lie in place: what a page shows of EPSG:25832, as GIS programs and readers understand it.

Each frame becomes a viewport with a geospatial measure (ISO 32000-2, 12.10): its corners in geographic coordinates of
ETRS89 and the projected reference system by its EPSG code and text.
"""

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, String
from pyproj import CRS, Transformer

from ler.packages.map_canvas import Frame

EPSG: Final = 25832

_POINTS_PER_MM: Final = 72 / 25.4
_CORNERS: Final = (0, 0, 0, 1, 1, 1, 1, 0)
"""Of the unit square on the page, from the lower left one, up and round."""


def lay_in_place(pdf: bytes, frames: Sequence[Frame]) -> bytes:
    """The PDF with the first of its pages laid in place, one for each frame; its identifier is a digest of it."""
    with pikepdf.open(BytesIO(pdf)) as document:
        for page, frame in zip(document.pages, frames, strict=False):
            page.obj.VP = Array([_viewport(frame, float(page.mediabox[3]))])
        document.Root.Lang = String("da")
        laid = BytesIO()
        document.save(laid, deterministic_id=True, min_version="1.7")
        return laid.getvalue()


def _viewport(frame: Frame, height_pt: float) -> Dictionary:
    box = frame.box
    sides = (
        box.left * _POINTS_PER_MM,
        height_pt - box.bottom * _POINTS_PER_MM,
        box.right * _POINTS_PER_MM,
        height_pt - box.top * _POINTS_PER_MM,
    )
    return Dictionary(
        Type=Name.Viewport,
        Name=String("EPSG:25832"),
        BBox=Array([round(side, 4) for side in sides]),
        Measure=Dictionary(
            Type=Name.Measure,
            Subtype=Name.GEO,
            Bounds=Array(_CORNERS),
            GPTS=Array([_number(degrees) for corner in _corners(frame) for degrees in corner]),
            LPTS=Array(_CORNERS),
            GCS=Dictionary(Type=Name.PROJCS, EPSG=EPSG, WKT=String(_well_known_text())),
        ),
    )


def _corners(frame: Frame) -> list[tuple[float, float]]:
    """Latitude and longitude of the frame's corners, in the order of the measure."""
    west, south, east, north = frame.bounds
    corners = ((west, south), (west, north), (east, north), (east, south))
    return [_to_degrees().transform(x, y) for x, y in corners]


def _number(degrees: float) -> pikepdf.Object:
    return pikepdf.Object.parse(f"{degrees:.11f}".encode())  # a hundredth of a millimetre


@cache
def _to_degrees() -> Transformer:
    return Transformer.from_crs(EPSG, 4258)


@cache
def _well_known_text() -> str:
    return str(CRS.from_epsg(EPSG).to_wkt("WKT1_ESRI"))
