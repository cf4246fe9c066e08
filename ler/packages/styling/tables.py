"""How QGIS draws each table of the package's GeoPackage: feature types, the dig area, and cells of what is withheld."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from ler.domain.sensitivity import SensitivityClass
from ler.domain.uncertainty import has_band
from ler.model import load_model
from ler.packages.styles import load_styles
from ler.packages.styling.parts import NOTE, Shape, Stroke, kind_of_type
from ler.packages.styling.qml import (
    Bands,
    Layer,
    document,
    fill_layer,
    labeling,
    line_layer,
    marker_layer,
    renderer,
    simple_labeling,
    simple_renderer,
)

AREA_TABLE: Final = "Graveomraade"
MARKING_TABLE: Final = "Paavisningsomraade"


@dataclass(frozen=True, slots=True)
class TableStyle:
    """The elements of QGIS for a table."""

    shape: Shape
    renderer: str
    labeling: str
    """Empty where nothing is written on the map."""

    @property
    def qml(self) -> str:
        """The same as a style file."""
        return document(self.shape, self.renderer + self.labeling, labels=bool(self.labeling))


@cache
def table_style(theme: str, table: str, shape: Shape, bands: Bands = Bands.WITH) -> TableStyle:
    """Return how the features of one shape in a table are drawn."""
    styles = load_styles(theme)
    if table == AREA_TABLE:
        area = styles.area
        hatch = fill_layer(area.hatch, area.hatch_opacity, None, style="b_diagonal")
        outline = fill_layer(area.outline, 0, Stroke(area.outline, area.outline_mm))
        return TableStyle(Shape.AREA, simple_renderer(Shape.AREA, [hatch, outline]), "")
    if table == MARKING_TABLE:
        cells = next(one for one in styles.securities if one.value == SensitivityClass.SITE_MARKING)
        filled = fill_layer(cells.fill, cells.opacity, Stroke(cells.fill, 0.3))
        hatch = fill_layer(cells.fill, 1, None, style="cross")
        drawn = simple_renderer(Shape.AREA, [filled, hatch])
        return TableStyle(Shape.AREA, drawn, simple_labeling(f"'{cells.letter}'", Shape.AREA, styles))
    feature_type = load_model().types[table]
    if has_band(feature_type):
        kind = kind_of_type(table, styles)
        fixed = (
            None
            if any(one.name == "forsyningsart" for one in feature_type.attributes)
            else (feature_type.utility_type or "unknown")
        )
        layer = Layer(shape, kind, fixed, styles.component.mark(table), bands)
        words = "" if bands is Bands.ONLY else labeling(styles, layer)
        return TableStyle(shape, renderer(styles, layer), words)
    words = simple_labeling('"text"', shape, styles) if table == "TextAnnotation" else ""
    return replace(note_style(shape), labeling=words)


def note_style(shape: Shape) -> TableStyle:
    """Return how is drawn what is neither line nor component nor area of a request: in grey."""
    note = {
        Shape.LINE: [line_layer(Stroke(NOTE, 0.18))],
        Shape.POINT: [marker_layer("cross", NOTE, 1.2)],
        Shape.AREA: [fill_layer(NOTE, 0.1, Stroke(NOTE, 0.18))],
    }[shape]
    return TableStyle(shape, simple_renderer(shape, note), "")
