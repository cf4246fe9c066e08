"""The style source as QML, the style files of QGIS from 3.22 on.

Rules are additive: the band of the accuracy class and the band of danger lie below (symbol levels), the line of the
utility type with its state above, letters beside. A value that no rule knows, `other: ...` included, has a rule.
Expressions read attributes by `attribute($currentfeature, ...)`, which is NULL where a layer has no such column.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final
from xml.sax.saxutils import quoteattr

from ler.packages.colours import mix, rgb
from ler.packages.map_kinds import Kind
from ler.packages.style_classes import AccuracyStyle
from ler.packages.styles import UNKNOWN, DangerStyle, StatusStyle, Styles, UtilityStyle
from ler.packages.styling.parts import (
    ACCURACY,
    BAND,
    DANGER,
    DANGER_MARKS,
    GREY,
    NOTE,
    OPEN,
    SECURITY,
    STATUS,
    UTILITY,
    Shape,
    Stroke,
    band_colour,
    danger_strokes,
    strokes,
)

VERSION: Final = "3.22.0"
_GEOMETRY: Final = {Shape.POINT: 0, Shape.LINE: 1, Shape.AREA: 2}
_SYMBOL: Final = {Shape.POINT: "marker", Shape.LINE: "line", Shape.AREA: "fill"}
_MARKS: Final = {"ring": ("circle", 0), "plus": ("cross_fill", 0), "down": ("triangle", 180)}
_BAND_PASS, _DANGER_PASS, _LINE_PASS, _MARK_PASS = 0, 1, 2, 3
_LETTER_POINTS: Final = 7.1
"""2.5 mm."""


class Bands(Enum):
    """Whether bands of uncertainty are drawn: in a project they lie below all lines, in layers of their own."""

    WITH = auto()
    WITHOUT = auto()
    ONLY = auto()


@dataclass(frozen=True, slots=True)
class Layer:
    """What a style is for: features of one shape and kind, of one utility type or, where that is None, of any."""

    shape: Shape
    kind: Kind = Kind.LINE
    utility: str | None = None
    mark: str = "circle"
    bands: Bands = Bands.WITH


@dataclass(slots=True)
class _Symbols:
    """Symbols of a renderer, numbered as they come."""

    kind: str
    written: list[str] = field(default_factory=list)

    def add(self, layers: Iterable[str]) -> int:
        number = len(self.written)
        self.written.append(
            f'<symbol name="{number}" type="{self.kind}" alpha="1" clip_to_extent="1" force_rhr="0">'
            f"{''.join(layers)}</symbol>"
        )
        return number


def qml(styles: Styles, layer: Layer) -> str:
    """Return the style file of a layer."""
    return document(layer.shape, renderer(styles, layer) + labeling(styles, layer), labels=True)


def document(shape: Shape, elements: str, *, labels: bool) -> str:
    """Return the elements as a style file."""
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        f'<qgis version="{VERSION}" styleCategories="Symbology|Labeling" labelsEnabled="{int(labels)}">'
        f"{elements}<layerGeometryType>{_GEOMETRY[shape]}</layerGeometryType></qgis>\n"
    )


def renderer(styles: Styles, layer: Layer) -> str:
    """Return the element `renderer-v2`."""
    symbols = _Symbols(_SYMBOL[layer.shape])
    groups = []
    if layer.bands is not Bands.WITHOUT:
        groups.append(_group("Nøjagtighed", _accuracy_rules(styles, layer, symbols)))
    if layer.bands is not Bands.ONLY:
        groups.append(_group("Fareklasse", _danger_rules(styles, layer, symbols)))
        groups.append(_group("Forsyningsart", _utility_rules(styles, layer, symbols)))
    if layer.utility is None and layer.bands is Bands.WITH:
        groups.append(_group("Sikkerhedsklasse", _security_rules(styles, layer, symbols)))
    return (
        '<renderer-v2 type="RuleRenderer" symbollevels="1" enableorderby="0" forceraster="0" '
        f'referencescale="-1"><rules key="root">{"".join(groups)}</rules>'
        f"<symbols>{''.join(symbols.written)}</symbols></renderer-v2>"
    )


def labeling(styles: Styles, layer: Layer) -> str:
    """Return the element `labeling`: letters along lines, beside points and in areas."""
    return simple_labeling(_letter_expression(styles, layer), layer.shape, styles)


def simple_labeling(expression: str, shape: Shape, styles: Styles) -> str:
    """Return the element `labeling` that writes what an expression gives."""
    placement = {Shape.LINE: 2, Shape.POINT: 1, Shape.AREA: 0}[shape]
    text = quoteattr(expression)
    return (
        f'<labeling type="simple"><settings calloutType="simple"><text-style fieldName={text} isExpression="1" '
        f'fontFamily="DejaVu Sans" fontWeight="75" fontSize="{_LETTER_POINTS}" fontSizeUnit="Point" '
        'textColor="17,17,17,255" textOpacity="1"><text-buffer bufferDraw="1" bufferSize="0.5" '
        f'bufferSizeUnits="MM" bufferColor="{_rgba(styles.halo)}" bufferOpacity="1" bufferNoFill="0"/>'
        f'</text-style><placement placement="{placement}" placementFlags="9" dist="1" distUnits="MM" '
        'repeatDistance="60" repeatDistanceUnits="MM" priority="5"/><rendering drawLabels="1" obstacle="1" '
        'fontMaxPixelSize="10000" limitNumLabels="0" maxNumLabels="2000" upsidedownLabels="0"/>'
        "</settings></labeling>"
    )


def simple_renderer(shape: Shape, layers: Sequence[str]) -> str:
    """Return the renderer of a layer whose features all look alike."""
    return (
        '<renderer-v2 type="singleSymbol" symbollevels="0" enableorderby="0" forceraster="0">'
        f"<symbols>{symbol(shape, layers)}</symbols></renderer-v2>"
    )


def line_layer(stroke: Stroke, level: int = 0) -> str:
    """Return a line of a symbol."""
    return _layer("SimpleLine", _line_options(stroke), level)


def fill_layer(
    fill: str, opacity: float, outline: Stroke | None, *, style: str = "solid", level: int = 0
) -> str:
    """Return a filled area of a symbol; `style` may be a hatching as Qt names it (`b_diagonal`)."""
    edge = (
        {"outline_style": "no"}
        if outline is None
        else {
            "outline_color": _rgba(outline.colour),
            "outline_width": _number(outline.width_mm),
            "outline_style": "dash" if outline.dash_mm else "solid",
            "outline_width_unit": "MM",
        }
    )
    return _layer("SimpleFill", {"color": _rgba(fill, opacity), "style": style, **edge}, level)


def marker_layer(name: str, colour: str, size_mm: float, edge: Stroke | None = None) -> str:
    """Return a mark of a symbol, with an edge of its own colour where no other is given."""
    return _marker(name, colour, edge or Stroke(colour, 0.2), size_mm, 0)


def symbol(shape: Shape, layers: Iterable[str]) -> str:
    """Return a symbol of one shape."""
    symbols = _Symbols(_SYMBOL[shape])
    symbols.add(layers)
    return symbols.written[0]


def _accuracy_rules(styles: Styles, layer: Layer, symbols: _Symbols) -> list[str]:
    known = [style for style in styles.accuracies if style.value != UNKNOWN]
    rules = [
        _rule(
            style.name.da,
            f"{_value(ACCURACY)} = {_quoted(style.value)}",
            symbols.add([_band(styles, style, layer)]),
        )
        for style in known
    ]
    unknown = styles.accuracy(None)
    return [*rules, _rule(unknown.name.da, "ELSE", symbols.add([_band(styles, unknown, layer)]))]


def _band(styles: Styles, style: AccuracyStyle, layer: Layer) -> str:
    """The band to scale, which its column says how wide it is; nothing where there is no such column."""
    edge = Stroke(NOTE, style.edge_mm, style.edge_dash_mm)
    inner = _Symbols("fill")
    inner.written.append(
        '<symbol name="@@0@0" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">'
        f"{fill_layer(band_colour(styles, style), style.opacity, edge)}</symbol>"
    )
    options = {
        "SymbolType": "Fill",
        "geometryModifier": f"buffer($geometry, {_value(BAND)})",
        "units": "MapUnit",
    }
    level = _BAND_PASS if layer.shape is not Shape.POINT else 0
    return _layer("GeometryGenerator", options, level, inner.written[0])


def _danger_rules(styles: Styles, layer: Layer, symbols: _Symbols) -> list[str]:
    rules = []
    for danger in sorted(styles.dangers, key=lambda style: -style.rank):
        number = symbols.add(_danger_layers(styles, danger, layer))
        rules.append(_rule(danger.name.da, f"{_value(DANGER)} = {_quoted(danger.value)}", number))
    harmless = [one for one in styles.plain if one.attribute == DANGER]
    return [
        *rules,
        *(_group(one.name.da, (), f"{_value(DANGER)} = {_quoted(one.value)}") for one in harmless),
    ]


def _security_rules(styles: Styles, layer: Layer, symbols: _Symbols) -> list[str]:
    rules = []
    for security in styles.securities:
        if layer.shape is Shape.AREA:
            drawn = fill_layer(security.fill, security.opacity, None, level=_BAND_PASS)
        elif layer.shape is Shape.LINE:
            drawn = line_layer(Stroke(security.fill, 4.0, opacity=security.opacity), _BAND_PASS)
        else:
            drawn = _marker("circle", security.fill, Stroke(security.fill, 0), 0.5, _MARK_PASS)
        chosen = f"{_value(SECURITY)} = {_quoted(security.value)}"
        rules.append(_rule(security.name.da, chosen, symbols.add([drawn])))
    return rules


def _danger_layers(styles: Styles, danger: DangerStyle, layer: Layer) -> list[str]:
    triangle = _marker(
        "triangle",
        danger.edge if danger.triangle_filled else "#ffffff",
        Stroke(danger.edge, 0.3),
        2.6,
        _MARK_PASS,
    )
    if layer.shape is Shape.POINT:
        size = styles.component.size_mm + 2 * danger.margin_mm
        return [_marker("circle", danger.fill, Stroke(danger.edge, danger.edge_mm), size, _DANGER_PASS)]
    if layer.shape is Shape.AREA:
        return [fill_layer(danger.fill, 0.8, Stroke(danger.edge, 2 * danger.edge_mm), level=_DANGER_PASS)]
    band = [line_layer(stroke, _DANGER_PASS) for stroke in danger_strokes(danger, _width(styles, layer))]
    return [*band, _marker_line(triangle, danger.triangle_every_mm)]


def _width(styles: Styles, layer: Layer) -> float:
    if layer.kind is Kind.DUCT:
        return styles.duct.width_mm
    if layer.kind is Kind.TRACE:
        return styles.trace.width_mm
    known = [u.width_mm for u in styles.utilities if layer.utility in {None, u.value}]
    return max(known or [styles.utility(None).width_mm])


def _utility_rules(styles: Styles, layer: Layer, symbols: _Symbols) -> list[str]:
    rules = []
    for utility in styles.utilities:
        if layer.utility is not None and styles.utility(layer.utility) != utility:
            continue
        states = [
            _rule(status.name.da, f"{_value(STATUS)} = {_quoted(status.value)}", number)
            for status in styles.statuses
            for number in [symbols.add(_utility_layers(styles, utility, status, layer))]
        ]
        plain = next(one.name.da for one in styles.plain if one.attribute == STATUS)
        states.append(_rule(plain, "ELSE", symbols.add(_utility_layers(styles, utility, None, layer))))
        rules.append(_group(f"{utility.letter}  {utility.name.da}", states, _chosen(utility, layer)))
    return rules


def _chosen(utility: UtilityStyle, layer: Layer) -> str:
    if layer.utility is not None:
        return ""
    if utility.value == UNKNOWN:
        return "ELSE"
    if utility.value == OPEN[:-1]:
        return f"{_utility_expression()} LIKE '{OPEN}%'"
    return f"{_utility_expression()} = {_quoted(utility.value)}"


def _utility_layers(
    styles: Styles, utility: UtilityStyle, status: StatusStyle | None, layer: Layer
) -> list[str]:
    share = status.grey_share if status else 0.0
    colour, ink = mix(utility.colour, GREY, share), mix(utility.ink, GREY, share)
    component = styles.component
    if layer.shape is Shape.POINT:
        hollow = layer.mark == "ring" or bool(status and status.core_factor)
        fill = styles.halo if hollow else colour
        return [_marker(layer.mark, fill, Stroke(ink, component.outline_mm), component.size_mm, _LINE_PASS)]
    if layer.shape is Shape.AREA:
        return [fill_layer(colour, component.opacity, Stroke(ink, component.outline_mm), level=_LINE_PASS)]
    drawn = [line_layer(stroke, _LINE_PASS) for stroke in strokes(styles, utility, layer.kind, status)]
    if status and status.cross_every_mm:
        cross = _marker("cross2", ink, Stroke(ink, 0.32), 1.5, _MARK_PASS)
        drawn.append(_marker_line(cross, status.cross_every_mm))
    return drawn


def _letter_expression(styles: Styles, layer: Layer) -> str:
    if layer.utility is not None:
        sign = _quoted(styles.utility(layer.utility).letter)
    else:
        cases = " ".join(
            f"WHEN {_chosen(utility, layer)} THEN {_quoted(utility.letter)}"
            for utility in styles.utilities
            if utility.value != UNKNOWN
        )
        sign = f"CASE {cases} ELSE {_quoted(styles.utility(None).letter)} END"
    for status in styles.statuses:
        before, after = status.label.split("{}")
        if before or after:
            state = f"{_value(STATUS)} = {_quoted(status.value)}"
            sign = f"CASE WHEN {state} THEN {_quoted(before)} || {sign} || {_quoted(after)} ELSE {sign} END"
    dangers = " ".join(
        f"WHEN {_value(DANGER)} = {_quoted(danger.value)} THEN {_quoted(DANGER_MARKS[danger.rank])}"
        for danger in styles.dangers
    )
    return f"{sign} || CASE {dangers} ELSE '' END"


def _utility_expression() -> str:
    """The primary utility type: our column, or the first value of the list in LER's own."""
    listed = f"regexp_replace({_value('forsyningsart')}, ';.*', '')"
    return f"coalesce({_value(UTILITY)}, {listed})"


def _value(name: str) -> str:
    return f"attribute($currentfeature, '{name}')"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _group(label: str, rules: Iterable[str], chosen: str = "") -> str:
    condition = f" filter={quoteattr(chosen)}" if chosen else ""
    return f"<rule label={quoteattr(label)} key={quoteattr(label)}{condition}>{''.join(rules)}</rule>"


def _rule(label: str, chosen: str, symbol: int) -> str:
    key = f"rule-{symbol}"
    return f'<rule label={quoteattr(label)} key="{key}" filter={quoteattr(chosen)} symbol="{symbol}"/>'


def _marker(name: str, fill: str, edge: Stroke, size_mm: float, level: int) -> str:
    shape, angle = _MARKS.get(name, (name, 0))
    options = {
        "name": shape,
        "angle": str(angle),
        "color": _rgba(fill),
        "outline_color": _rgba(edge.colour),
        "outline_width": _number(edge.width_mm),
        "outline_width_unit": "MM",
        "size": _number(size_mm),
        "size_unit": "MM",
    }
    return _layer("SimpleMarker", options, level)


def _marker_line(marker: str, every_mm: float) -> str:
    options = {"interval": _number(every_mm), "interval_unit": "MM", "placement": "interval", "rotate": "0"}
    symbol = f'<symbol name="@0@0" type="marker" alpha="1" clip_to_extent="1" force_rhr="0">{marker}</symbol>'
    return _layer("MarkerLine", options, _MARK_PASS, symbol)


def _line_options(stroke: Stroke) -> dict[str, str]:
    dash = {
        "use_custom_dash": "1",
        "customdash": ";".join(map(_number, stroke.dash_mm)),
        "customdash_unit": "MM",
    }
    return {
        "line_color": _rgba(stroke.colour, stroke.opacity),
        "line_width": _number(stroke.width_mm),
        "line_width_unit": "MM",
        "capstyle": "flat",
        "joinstyle": "round",
        **(dash if stroke.dash_mm else {}),
    }


def _layer(kind: str, options: dict[str, str], level: int, inner: str = "") -> str:
    written = "".join(
        f'<Option type="QString" name="{name}" value={quoteattr(value)}/>' for name, value in options.items()
    )
    return (
        f'<layer class="{kind}" enabled="1" locked="0" pass="{level}">'
        f'<Option type="Map">{written}</Option>{inner}</layer>'
    )


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _rgba(colour: str, opacity: float = 1.0) -> str:
    return ",".join(str(round(255 * channel)) for channel in (*rgb(colour), opacity))
