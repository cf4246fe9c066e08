"""How vector tiles are drawn from the style source, for whatever language: what is drawn of which features, lowest first.

Conditions are those that MapLibre and QGIS both understand. What tiles do not tell is not drawn: bands of uncertainty and
security classes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ler.packages.colours import mix
from ler.packages.map_kinds import Kind
from ler.packages.styles import OTHER, UNKNOWN, StatusStyle, Styles, UtilityStyle
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
GEOMETRY: Final = {Shape.LINE: "LineString", Shape.POINT: "Point", Shape.AREA: "Polygon"}
"""What tiles call shapes."""
_AFTER_OPEN: Final = f"{OTHER};"
"""What comes after all values that begin like open ones, letter by letter."""
_NOTE: Final = Stroke(NOTE, 0.35)
_AREA_OPACITY: Final = 0.08

type Condition = list[Any]
"""As MapLibre's filters of old have it: `["==", attribute, value]`, `in`, `!in`, `has`, `>=`, `<`, `all`, `none`."""


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


@dataclass(frozen=True, slots=True)
class Fill:
    """The inside of an area, with a hair around it."""

    colour: str
    opacity: float
    edge: str | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A disc."""

    colour: str
    size_mm: float
    edge: Stroke | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """One thing that is drawn of the features of a shape for which all the conditions hold."""

    name: str
    layer: str
    shape: Shape
    conditions: tuple[Condition, ...]
    paint: Stroke | Fill | Mark
    """A stroke of an area is its outline."""


def drawn_tiles(styles: Styles, layers: Sequence[TileLayer]) -> Iterator[Drawn]:
    """Yield what is drawn, lowest first: what is not buried, what warns, and then the lines."""
    buried = [one for one in layers if one.buried]
    for layer in layers:
        if not layer.buried:
            yield from _notes(styles, layer)
    for layer in buried:
        yield from _dangers(styles, layer)
    for layer in buried:
        yield from _utilities(styles, layer)


def _notes(styles: Styles, layer: TileLayer) -> Iterator[Drawn]:
    """Areas by their outline, as the dig area is drawn; lines and points in grey."""
    area = styles.area
    yield _drawn(layer, "area", Shape.AREA, [], Fill(area.hatch, _AREA_OPACITY))
    yield _drawn(layer, "outline", Shape.AREA, [], Stroke(area.outline, area.outline_mm))
    yield _drawn(layer, "line", Shape.LINE, [], _NOTE)
    yield _drawn(layer, "point", Shape.POINT, [], Mark(NOTE, styles.component.size_mm))


def _dangers(styles: Styles, layer: TileLayer) -> Iterator[Drawn]:
    width = max(utility.width_mm for utility in styles.utilities)
    for danger in sorted(styles.dangers, key=lambda style: style.rank):
        chosen: list[Condition] = [["==", DANGER, danger.value]]
        for number, stroke in enumerate(danger_strokes(danger, width)):
            name = f"{DANGER}-{danger.rank}-{number}"
            yield _drawn(layer, name, Shape.LINE, chosen, stroke)
            size = styles.component.size_mm + stroke.width_mm - width
            yield _drawn(layer, f"{name}-point", Shape.POINT, chosen, Mark(stroke.colour, size))


def _utilities(styles: Styles, layer: TileLayer) -> Iterator[Drawn]:
    of_layer = styles.utility(layer.utility) if layer.utility else None
    for utility in (of_layer,) if of_layer else styles.utilities:
        chosen = [] if of_layer else [_of_utility(styles, utility)]
        component = styles.component
        inside = Fill(utility.colour, component.opacity, utility.ink)
        yield _drawn(layer, f"{utility.value}-area", Shape.AREA, chosen, inside)
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
) -> Iterator[Drawn]:
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
            yield _drawn(layer, name, Shape.LINE, [*state, *of_kind], stroke)


def _component(
    styles: Styles,
    layer: TileLayer,
    utility: UtilityStyle,
    status: StatusStyle | None,
    state: list[Condition],
) -> Drawn:
    share = status.grey_share if status else 0.0
    hollow = status is not None and status.core_factor > 0
    edge = Stroke(mix(utility.ink, GREY, share), styles.component.outline_mm)
    colour = styles.halo if hollow else mix(utility.colour, GREY, share)
    disc = Mark(colour, styles.component.size_mm, edge)
    return _drawn(layer, f"{utility.value}-{_ended('point', status)}", Shape.POINT, state, disc)


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


def _drawn(
    layer: TileLayer, name: str, shape: Shape, conditions: list[Condition], paint: Stroke | Fill | Mark
) -> Drawn:
    return Drawn(f"{layer.name}-{name}", layer.name, shape, tuple(conditions), paint)
