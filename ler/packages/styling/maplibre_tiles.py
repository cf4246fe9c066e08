"""The style source as a MapLibre style over vector tiles.

Conditions are written as the filters of old (`["==", "driftsstatus", ...]`), which MapLibre and QGIS both read; QGIS passes
over most expressions. What tiles do not tell is not drawn: bands of uncertainty and security classes. Letters are not
written: they need fonts in a format of their own, which nothing here serves; types are told by colour and dash.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ler.packages.colours import mix
from ler.packages.map_shapes import Kind
from ler.packages.styles import OTHER, UNKNOWN, StatusStyle, Styles, UtilityStyle
from ler.packages.styling.maplibre import SOURCE, legend, line_paint, pixels
from ler.packages.styling.parts import (
    DANGER,
    GREY,
    NOTE,
    OPEN,
    STATUS,
    TYPE,
    Shape,
    Stroke,
    danger_strokes,
    strokes,
)

LER_UTILITY: Final = "forsyningsart"
"""The attribute of tiles that tells the utility type."""
_AFTER_OPEN: Final = f"{OTHER};"
"""What comes after all values that begin like open ones, letter by letter."""
_GEOMETRY: Final = {Shape.LINE: "LineString", Shape.POINT: "Point", Shape.AREA: "Polygon"}
_DRAWN: Final = {Shape.LINE: "line", Shape.POINT: "circle", Shape.AREA: "fill"}
_NOTE_MM: Final = 0.35

type Json = dict[str, Any]
type Condition = list[Any]


@dataclass(frozen=True, slots=True)
class TileLayer:
    """A layer of tiles, and what is known of all its features."""

    name: str
    buried: bool = True
    """Whether it holds lines and components; others are drawn as notes, areas by their outline."""
    utility: str | None = None
    """Of one utility type; None: the attribute tells it."""
    kind: Kind | None = None
    """How its lines are drawn; None: the feature type tells it."""


def tile_style(
    styles: Styles, layers: Sequence[TileLayer], tiles: str, bounds: Sequence[float], deepest: int
) -> Json:
    """Return the style; `tiles` is the address of a tile with {z}, {x}, {y}, `bounds` are in degrees."""
    source = {
        "type": "vector",
        "tiles": [tiles],
        "bounds": [*bounds],
        "minzoom": 0,
        "maxzoom": deepest,
        "promoteId": "id",
    }
    return {
        "version": 8,
        "name": f"LER, {styles.theme}",
        "metadata": {"ler:theme": styles.theme, "ler:legend": list(legend(styles))},
        "sources": {SOURCE: source},
        "layers": [
            {"id": "background", "type": "background", "paint": {"background-color": styles.background}},
            *(drawn for layer in layers if not layer.buried for drawn in _notes(styles, layer)),
            *(drawn for layer in layers if layer.buried for drawn in _dangers(styles, layer)),
            *(drawn for layer in layers if layer.buried for drawn in _utilities(styles, layer)),
        ],
    }


def _notes(styles: Styles, layer: TileLayer) -> Iterator[Json]:
    """Areas by their outline, as the dig area is drawn; lines and points in grey."""
    area = styles.area
    outline = Stroke(area.outline, area.outline_mm)
    yield _layer(layer, "area", Shape.AREA, [], {"fill-color": area.hatch, "fill-opacity": 0.08})
    yield _layer(layer, "outline", Shape.AREA, [], line_paint(outline)) | {"type": "line"}
    yield _layer(layer, "line", Shape.LINE, [], line_paint(Stroke(NOTE, _NOTE_MM)))
    yield _layer(layer, "point", Shape.POINT, [], _circle(NOTE, styles.component.size_mm))


def _dangers(styles: Styles, layer: TileLayer) -> Iterator[Json]:
    width = max(utility.width_mm for utility in styles.utilities)
    for danger in sorted(styles.dangers, key=lambda style: style.rank):
        chosen: list[Condition] = [["==", DANGER, danger.value]]
        for number, stroke in enumerate(danger_strokes(danger, width)):
            name = f"{DANGER}-{danger.rank}-{number}"
            yield _layer(layer, name, Shape.LINE, chosen, line_paint(stroke))
            size = styles.component.size_mm + stroke.width_mm - width
            yield _layer(layer, f"{name}-point", Shape.POINT, chosen, _circle(stroke.colour, size))


def _utilities(styles: Styles, layer: TileLayer) -> Iterator[Json]:
    of_layer = styles.utility(layer.utility) if layer.utility else None
    for utility in (of_layer,) if of_layer else styles.utilities:
        chosen = [] if of_layer else [_of_utility(styles, utility)]
        component = styles.component
        paint = {
            "fill-color": utility.colour,
            "fill-opacity": component.opacity,
            "fill-outline-color": utility.ink,
        }
        yield _layer(layer, f"{utility.value}-area", Shape.AREA, chosen, paint)
        for status in (None, *styles.statuses):
            state = [*chosen, _in_status(styles, status)]
            yield from _lines(styles, layer, utility, status, state)
            yield _component(styles, layer, utility, status, state)


def _lines(
    styles: Styles,
    layer: TileLayer,
    utility: UtilityStyle,
    status: StatusStyle | None,
    state: list[Condition],
) -> Iterator[Json]:
    named = {Kind.DUCT: sorted(styles.duct.feature_types), Kind.TRACE: sorted(styles.trace.feature_types)}
    for kind in (Kind.DUCT, Kind.TRACE, Kind.LINE):
        if layer.kind not in {None, kind}:
            continue
        of_kind: list[Condition] = []
        if layer.kind is None:
            others = [name for names in named.values() for name in names]
            of_kind = [["in", TYPE, *named[kind]] if kind in named else ["!in", TYPE, *others]]
        for number, stroke in enumerate(strokes(styles, utility, kind, status)):
            name = f"{utility.value}-{_ended(kind.value, status)}-{number}"
            yield _layer(layer, name, Shape.LINE, [*state, *of_kind], line_paint(stroke))


def _component(
    styles: Styles,
    layer: TileLayer,
    utility: UtilityStyle,
    status: StatusStyle | None,
    state: list[Condition],
) -> Json:
    share = status.grey_share if status else 0.0
    hollow = status is not None and status.core_factor > 0
    paint = _circle(styles.halo if hollow else mix(utility.colour, GREY, share), styles.component.size_mm)
    paint |= {
        "circle-stroke-color": mix(utility.ink, GREY, share),
        "circle-stroke-width": pixels(styles.component.outline_mm),
    }
    return _layer(layer, f"{utility.value}-{_ended('point', status)}", Shape.POINT, state, paint)


def _of_utility(styles: Styles, utility: UtilityStyle) -> Condition:
    """What is true of features of a utility type; of unknown, of all that no other takes."""
    is_open = ["all", [">=", LER_UTILITY, OPEN], ["<", LER_UTILITY, _AFTER_OPEN]]
    if utility.value == OTHER:
        return is_open
    if utility.value != UNKNOWN:
        return ["==", LER_UTILITY, utility.value]
    known = [one.value for one in styles.utilities if one.value not in {OTHER, UNKNOWN}]
    return ["all", ["!in", LER_UTILITY, *known], ["none", is_open], ["has", LER_UTILITY]]


def _in_status(styles: Styles, status: StatusStyle | None) -> Condition:
    if status is None:
        return ["!in", STATUS, *(one.value for one in styles.statuses)]
    return ["==", STATUS, status.value]


def _ended(name: str, status: StatusStyle | None) -> str:
    return f"{name}-{status.value}" if status else name


def _layer(layer: TileLayer, name: str, shape: Shape, conditions: list[Condition], paint: Json) -> Json:
    return {
        "id": f"{layer.name}-{name}",
        "type": _DRAWN[shape],
        "source": SOURCE,
        "source-layer": layer.name,
        "filter": ["all", ["==", "$type", _GEOMETRY[shape]], *conditions],
        "paint": paint,
    }


def _circle(colour: str, size_mm: float) -> Json:
    return {"circle-color": colour, "circle-radius": pixels(size_mm / 2)}
