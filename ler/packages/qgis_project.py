"""A QGIS project (`.qgz`) that opens the package's GeoPackage beside it, styled, with one double click.

Layers stand in groups, what is dangerous on top, then where lines are pointed out, components, lines, notes, the bands of
uncertainty, which must hide no line, and the dig area at the bottom; each group holds what the package has. A layer of dangerous lines is the same table, filtered; its
own layer has the rest. Read by QGIS 3.22 and later. The same contents give the same bytes.
"""

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import shapely

from ler.domain.uncertainty import has_band
from ler.model import load_model
from ler.packages.contents import Contents
from ler.packages.geopackage_styles import shape_of
from ler.packages.map_kinds import Kind
from ler.packages.styles import load_styles
from ler.packages.styling.parts import DANGER, Shape, kind_of_type
from ler.packages.styling.qgis_layers import SYSTEM, VectorLayer, tree_group
from ler.packages.styling.qml import Bands
from ler.packages.styling.tables import AREA_TABLE, MARKING_TABLE, table_style

GEOPACKAGE: Final = "consolidated.gpkg"
_DATE: Final = (1980, 1, 1, 0, 0, 0)
_MARGIN_M: Final = 20.0
_OGR: Final = {Shape.POINT: "Point25D", Shape.LINE: "LineString25D", Shape.AREA: "Polygon25D"}
_ENDS: Final = {Shape.POINT: "", Shape.LINE: " (linjer)", Shape.AREA: " (flader)"}
_DANGERS, _MARKING, _PARTS, _LINES, _NOTES, _BANDS, _AREA = (
    "Farlige ledninger",
    "Påvises på stedet",
    "Komponenter",
    "Ledninger",
    "Anmærkninger",
    "Usikkerhed",
    "Graveområde",
)
_GROUPS: Final = (_DANGERS, _MARKING, _PARTS, _LINES, _NOTES, _BANDS, _AREA)


def write_project(path: Path, contents: Contents) -> int:
    """Write the project of a consolidated package; returns 0, since it holds no features of its own."""
    layers = list(_layers(contents))
    document = _document(contents, layers)
    member = zipfile.ZipInfo(f"{path.stem}.qgs", _DATE)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    member.create_system = 3
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, document.encode())
    return 0


def _layers(contents: Contents) -> Iterator[tuple[str, VectorLayer]]:
    theme = contents.options.theme
    present = sorted(
        {
            (one.feature.type, shape, one.danger or "")
            for one in contents.assessed
            if (shape := shape_of(one.feature)) is not None
        }
    )
    for danger in sorted(load_styles(theme).dangers, key=lambda style: -style.rank):
        for table, shape, value in present:
            if value == danger.value:
                chosen = f"\"{DANGER}\" = '{value}'"
                name = f"{_name(table, shape)}, {value}"
                yield _layer(theme, _DANGERS, table, shape, name=name, chosen=chosen, end=f"_{danger.rank}")
    if any(delivery.marking_area for owner in contents.owners for delivery in owner.deliveries):
        yield _layer(theme, _MARKING, MARKING_TABLE, Shape.AREA, name=_MARKING)
    values = [style.value for style in load_styles(theme).dangers]
    dangerous = ", ".join(f"'{value}'" for value in values)
    for table, shape in dict.fromkeys(
        (table, shape) for table, shape, value in present if value not in values
    ):
        other = f'"{DANGER}" IS NULL OR "{DANGER}" NOT IN ({dangerous})'
        group = _group(table)
        chosen = "" if group == _NOTES else other
        yield _layer(theme, group, table, shape, name=_name(table, shape), chosen=chosen)
    for table, shape in dict.fromkeys((table, shape) for table, shape, _ in present):
        if has_band(load_model().types[table]):
            yield _layer(theme, _BANDS, table, shape, name=_name(table, shape), end="_band")
    yield _layer(theme, _AREA, AREA_TABLE, Shape.AREA, name=_AREA)


def _group(table: str) -> str:
    if not has_band(load_model().types[table]):
        return _NOTES
    return _PARTS if kind_of_type(table, load_styles()) is Kind.COMPONENT else _LINES


def _name(table: str, shape: Shape) -> str:
    """The Danish name: as the model has it, with the letters that GML does not allow itself."""
    return table.replace("oe", "ø") + (_ENDS[shape] if _may_be_any(table) else "")


def _may_be_any(table: str) -> bool:
    feature_type = load_model().types.get(table)
    return feature_type is not None and (
        feature_type.geometry is None or feature_type.geometry.geometry == "any"
    )


def _layer(
    theme: str, group: str, table: str, shape: Shape, *, name: str, chosen: str = "", end: str = ""
) -> tuple[str, VectorLayer]:
    source = f"./{GEOPACKAGE}|layername={table}"
    source += f"|geometrytype={_OGR[shape]}" if _may_be_any(table) else ""
    source += f"|subset={chosen}" if chosen else ""
    bands = Bands.ONLY if group == _BANDS else Bands.WITHOUT
    style = table_style(theme, table, shape, bands)
    return group, VectorLayer(f"{table}_{shape}{end}", name, source, style)


def _document(contents: Contents, layers: Sequence[tuple[str, VectorLayer]]) -> str:
    title = f"LER {contents.request.order_number}"
    west, south, east, north = (
        round(side, 2) for side in shapely.buffer(contents.request.area, _MARGIN_M).bounds
    )
    extent = f"<xmin>{west}</xmin><ymin>{south}</ymin><xmax>{east}</xmax><ymax>{north}</ymax>"
    grouped = {name: [layer for group, layer in layers if group == name] for name in _GROUPS}
    groups = "".join(tree_group(name, inner) for name, inner in grouped.items() if inner)
    order = "".join(f"<item>{layer.id}</item>" for _, layer in layers)
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        f'<qgis projectname={quoteattr(title)} version="3.22.0"><homePath path=""/>'
        f"<title>{escape(title)}</title><projectCrs>{SYSTEM}</projectCrs>"
        f"<layer-tree-group><customproperties/>{groups}"
        f'<custom-order enabled="0">{order}</custom-order></layer-tree-group>'
        f'<mapcanvas name="theMapCanvas" annotationsVisible="1"><units>meters</units><extent>{extent}</extent>'
        f"<rotation>0</rotation><destinationsrs>{SYSTEM}</destinationsrs></mapcanvas>"
        f"<projectlayers>{''.join(layer.written for _, layer in layers)}</projectlayers>"
        '<properties><Paths><Absolute type="bool">false</Absolute></Paths>'
        '<SpatialRefSys><ProjectionsEnabled type="int">1</ProjectionsEnabled></SpatialRefSys></properties>'
        f'<ProjectViewSettings UseProjectScales="0"><DefaultViewExtent xmin="{west}" ymin="{south}" '
        f'xmax="{east}" ymax="{north}">{SYSTEM}</DefaultViewExtent></ProjectViewSettings></qgis>\n'
    )
