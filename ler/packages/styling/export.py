"""Chooses the generator of a format: what the command and the public routes give."""

from collections.abc import Callable, Mapping
from typing import Final

from ler.packages.styles import Styles
from ler.packages.styling.dxf_layers import dxf
from ler.packages.styling.formats import StyleFormat
from ler.packages.styling.legend import legend_pdf
from ler.packages.styling.maplibre import maplibre
from ler.packages.styling.parts import Shape
from ler.packages.styling.qml import Layer, qml
from ler.packages.styling.sld import sld

_WRITERS: Final[Mapping[StyleFormat, Callable[[Styles], bytes]]] = {
    StyleFormat.MAPLIBRE: lambda styles: maplibre(styles).encode(),
    StyleFormat.QML: lambda styles: qml(styles, Layer(Shape.LINE)).encode(),
    StyleFormat.SLD: lambda styles: sld(styles).encode(),
    StyleFormat.DXF: lambda styles: dxf(styles).encode(),
    StyleFormat.PDF: legend_pdf,
}


def export_style(styles: Styles, format_: StyleFormat) -> bytes:
    """Return the style source in a theme as a file of a format; QML is for lines of any utility type."""
    return _WRITERS[format_](styles)
