"""Layers of QGIS as its projects and layer definitions write them, read by QGIS 3.22 and later."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from xml.sax.saxutils import escape, quoteattr

from ler.packages.styling.parts import Shape
from ler.packages.styling.tables import TableStyle

SYSTEM: Final = (
    "<spatialrefsys><srsid>2105</srsid><srid>25832</srid><authid>EPSG:25832</authid>"
    "<description>ETRS89 / UTM zone 32N</description><geographicflag>false</geographicflag></spatialrefsys>"
)
"""EPSG:25832."""
DEGREES: Final = (
    "<spatialrefsys><srsid>3452</srsid><srid>4326</srid><authid>EPSG:4326</authid>"
    "<description>WGS 84</description><geographicflag>true</geographicflag></spatialrefsys>"
)
"""EPSG:4326, in which QGIS takes what it gets of an OGC API in CRS84."""
_WEB_MERCATOR: Final = (
    "<spatialrefsys><srsid>3857</srsid><srid>3857</srid><authid>EPSG:3857</authid>"
    "<description>WGS 84 / Pseudo-Mercator</description><geographicflag>false</geographicflag></spatialrefsys>"
)
_GEOMETRY: Final = {Shape.POINT: "Point", Shape.LINE: "Line", Shape.AREA: "Polygon"}


class MapLayer(Protocol):
    """Any layer."""

    @property
    def id(self) -> str:
        """Unlike that of all others."""

    @property
    def name(self) -> str:
        """What people read."""

    @property
    def source(self) -> str:
        """Where its provider finds it."""

    @property
    def provider(self) -> str:
        """What reads it."""

    @property
    def written(self) -> str:
        """The element `maplayer`."""


@dataclass(frozen=True, slots=True)
class VectorLayer:
    """Features that QGIS reads itself."""

    id: str
    name: str
    source: str
    style: TableStyle
    provider: str = "ogr"
    system: str = SYSTEM

    @property
    def written(self) -> str:
        """The element `maplayer`."""
        style = self.style
        return (
            f'<maplayer type="vector" geometry="{_GEOMETRY[style.shape]}" labelsEnabled="{int(bool(style.labeling))}" '
            f'readOnly="1"><id>{self.id}</id><datasource>{escape(self.source)}</datasource>'
            f"<layername>{escape(self.name)}</layername><srs>{self.system}</srs>"
            f'<provider encoding="UTF-8">{self.provider}</provider>{style.renderer}{style.labeling}</maplayer>'
        )


@dataclass(frozen=True, slots=True)
class TilesLayer:
    """Vector tiles of web maps."""

    id: str
    name: str
    source: str
    renderer: str
    provider: str = "vectortile"

    @property
    def written(self) -> str:
        """The element `maplayer`."""
        return (
            f'<maplayer type="vector-tile"><id>{self.id}</id><datasource>{escape(self.source)}</datasource>'
            f"<layername>{escape(self.name)}</layername><srs>{_WEB_MERCATOR}</srs>"
            f"<provider>{self.provider}</provider>{self.renderer}</maplayer>"
        )


def tree_group(name: str, layers: Sequence[MapLayer]) -> str:
    """Return the element of a group in the tree of layers, the topmost layer first."""
    inner = "".join(
        f'<layer-tree-layer id="{layer.id}" name={quoteattr(layer.name)} source={quoteattr(layer.source)} '
        f'providerKey="{layer.provider}" checked="Qt::Checked" expanded="0"><customproperties/></layer-tree-layer>'
        for layer in layers
    )
    return (
        f'<layer-tree-group name={quoteattr(name)} checked="Qt::Checked" expanded="1">'
        f"<customproperties/>{inner}</layer-tree-group>"
    )


def layer_definition(name: str, layers: Sequence[MapLayer]) -> str:
    """Return a layer definition (`.qlr`): a group of layers, the topmost first."""
    return (
        "<!DOCTYPE qgis-layer-definition>\n"
        '<qlr><layer-tree-group name="" checked="Qt::Checked" expanded="1"><customproperties/>'
        f"{tree_group(name, layers)}</layer-tree-group>"
        f"<maplayers>{''.join(layer.written for layer in layers)}</maplayers></qlr>\n"
    )
