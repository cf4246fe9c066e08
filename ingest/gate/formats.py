"""The formats that owners and requesters may send, and what the gate says of a file that it lets through."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final


class Format(StrEnum):
    """One format, by the name that reports use."""

    LER_GML = "ler-gml"
    IMKL = "imkl"
    """What the Dutch KLIC exchanges."""
    GEOPACKAGE = "gpkg"
    SHAPEFILE = "shapefile"
    GEOJSON = "geojson"
    FLATGEOBUF = "fgb"
    GEOPARQUET = "parquet"
    CSV = "csv"
    DXF = "dxf"
    KML = "kml"
    """Only of areas: it knows no attributes to speak of, and always degrees."""
    IMAGE = "image"
    """A picture of a drawing: GeoTIFF, or PNG or JPEG with a world file."""


EXTENSIONS: Final = {
    Format.LER_GML: frozenset({"gml", "xml"}),
    Format.IMKL: frozenset({"gml", "xml"}),
    Format.GEOPACKAGE: frozenset({"gpkg"}),
    Format.SHAPEFILE: frozenset({"shp"}),
    Format.GEOJSON: frozenset({"geojson", "json"}),
    Format.FLATGEOBUF: frozenset({"fgb"}),
    Format.GEOPARQUET: frozenset({"parquet", "geoparquet"}),
    Format.CSV: frozenset({"csv", "tsv"}),
    Format.DXF: frozenset({"dxf"}),
    Format.KML: frozenset({"kml"}),
    Format.IMAGE: frozenset({"tif", "tiff", "png", "jpg", "jpeg"}),
}
"""How the names of files of each format end, in lower case."""


STEM: Final = "in"
"""What every file is called while it is read; layers of formats without names would be called so too."""


@dataclass(frozen=True, slots=True)
class GatedFile:
    """A file that may be read."""

    path: Path
    format: Format
    size_bytes: int
    members: tuple[str, ...] = ()
    """Of a ZIP: the members that make the dataset, the main one first; empty for a file that is none."""
