"""The formats in which the style source is told to others."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class StyleFormat(StrEnum):
    """The formats that a style is written in, by how the names of their files end."""

    MAPLIBRE = "json"
    QML = "qml"
    SLD = "sld"
    DXF = "dxf"
    PDF = "pdf"

    @property
    def media_type(self) -> str:
        """As HTTP names it."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES: Final[Mapping[StyleFormat, str]] = {
    StyleFormat.MAPLIBRE: "application/json",
    StyleFormat.QML: "application/xml",
    StyleFormat.SLD: "application/vnd.ogc.sld+xml",
    StyleFormat.DXF: "image/vnd.dxf",
    StyleFormat.PDF: "application/pdf",
}
