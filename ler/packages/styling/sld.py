"""The style source as SLD 1.1 with Symbology Encoding, for GeoServer, MapServer, QGIS and others.

Lengths are pixels of 0.28 mm, as the standard has them. Feature type styles are drawn in their order: bands of danger,
lines by utility type and state - ducts and traces like them -, points, letters. A filter for `other:` is a pattern; what no rule names is unknown.
"""

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from ler.packages.colours import mix
from ler.packages.map_kinds import Kind
from ler.packages.style_classes import PlainStyle
from ler.packages.styles import OTHER, UNKNOWN, StatusStyle, Styles, UtilityStyle
from ler.packages.styling.parts import (
    ACCURACY,
    DANGER,
    GREY,
    NOTE,
    OPEN,
    SECURITY,
    STATUS,
    UTILITY,
    Stroke,
    danger_strokes,
    letter,
    strokes,
)

LAYER: Final = "consolidated"
_PIXELS_PER_MM: Final = 1 / 0.28
_BESIDE_MM: Final = 1.2
_HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<StyledLayerDescriptor version="1.1.0" xmlns="http://www.opengis.net/sld" xmlns:se="http://www.opengis.net/se"
 xmlns:ogc="http://www.opengis.net/ogc" xmlns:xlink="http://www.w3.org/1999/xlink"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:schemaLocation="http://www.opengis.net/sld http://schemas.opengis.net/sld/1.1.0/StyledLayerDescriptor.xsd">
"""


def sld(styles: Styles, *, layer: str = LAYER, attribute: str = UTILITY, utility: str | None = None) -> str:
    """Return the whole style as one named layer.

    `attribute` tells the utility type; `utility`: all features are of this one, and no attribute says it.
    """
    groups = {
        DANGER: _danger_rules(styles),
        ACCURACY: _accuracy_rules(styles, fixed=utility is not None),
        SECURITY: _security_rules(styles),
        UTILITY: _utility_rules(styles, utility),
    }
    written = "".join(
        f"<se:FeatureTypeStyle><se:Name>{name}</se:Name>{''.join(rules)}</se:FeatureTypeStyle>\n"
        for name, rules in groups.items()
    )
    written = written.replace(_property(UTILITY), _property(attribute))
    return (
        f"{_HEAD}<NamedLayer><se:Name>{layer}</se:Name><UserStyle><se:Name>{styles.theme}</se:Name>\n"
        f"{written}</UserStyle></NamedLayer></StyledLayerDescriptor>\n"
    )


def _danger_rules(styles: Styles) -> Iterator[str]:
    width = max(utility.width_mm for utility in styles.utilities)
    for plain in styles.plain:
        if plain.attribute == DANGER:
            yield _rule(
                plain.value,
                plain.name.da,
                _is(DANGER, plain.value),
                [_line(Stroke("#ffffff", 0.1, opacity=0))],
            )
    for danger in sorted(styles.dangers, key=lambda style: style.rank):
        drawn = [_line(stroke) for stroke in danger_strokes(danger, width)]
        yield _rule(danger.value, danger.name.da, _is(DANGER, danger.value), drawn)


def _accuracy_rules(styles: Styles, *, fixed: bool) -> Iterator[str]:
    """A thin line beside, in the dash of the class: not every program draws a band as wide as a column says."""
    known = [one.value for one in styles.accuracies if one.value != UNKNOWN]
    for accuracy in styles.accuracies:
        chosen = _is(ACCURACY, accuracy.value) if accuracy.value != UNKNOWN else _none_of(ACCURACY, known)
        chosen = chosen if fixed else _and(_lies_in_the_ground(), chosen)
        edge = Stroke(NOTE, accuracy.edge_mm, accuracy.edge_dash_mm)
        yield _rule(accuracy.value, accuracy.name.da, chosen, [_line(edge, beside_mm=_BESIDE_MM)])


def _security_rules(styles: Styles) -> Iterator[str]:
    for security in styles.securities:
        fill = (
            f"<se:PolygonSymbolizer><se:Fill>{_parameter('fill', security.fill)}"
            f"{_parameter('fill-opacity', f'{security.opacity:g}')}</se:Fill></se:PolygonSymbolizer>"
        )
        drawn = [fill, *([_text(security.letter)] if security.letter else [])]
        yield _rule(security.value, security.name.da, _is(SECURITY, security.value), drawn)


def _utility_rules(styles: Styles, fixed: str | None) -> Iterator[str]:
    plain = next(one for one in styles.plain if one.attribute == STATUS)
    for utility in styles.utilities if fixed is None else (styles.utility(fixed),):
        chosen = _chosen(styles, utility) if fixed is None else ""
        for status in styles.statuses:
            yield _utility_rule(styles, utility, status, _and(chosen, _is(STATUS, status.value)))
        others = _none_of(STATUS, [one.value for one in styles.statuses])
        yield _utility_rule(styles, utility, plain, _and(chosen, others))


def _utility_rule(styles: Styles, utility: UtilityStyle, state: StatusStyle | PlainStyle, chosen: str) -> str:
    status = state if isinstance(state, StatusStyle) else None
    share = status.grey_share if status else 0.0
    colour, ink = mix(utility.colour, GREY, share), mix(utility.ink, GREY, share)
    drawn = [
        *(_line(stroke) for stroke in strokes(styles, utility, Kind.LINE, status)),
        _point(colour, ink, styles),
        _text(letter(utility, status, None)),
    ]
    title = f"{utility.letter} {utility.name.da}, {state.name.da}"
    return _rule(f"{utility.value}, {state.value}", title, chosen, drawn)


def _chosen(styles: Styles, utility: UtilityStyle) -> str:
    if utility.value == OTHER:
        return _is_open()
    if utility.value != UNKNOWN:
        return _is(UTILITY, utility.value)
    known = [one.value for one in styles.utilities if one.value not in {OTHER, UNKNOWN}]
    return (
        f"<ogc:And>{_none_of(UTILITY, known)}<ogc:Not>{_is_open()}</ogc:Not>{_lies_in_the_ground()}</ogc:And>"
    )


def _and(*conditions: str) -> str:
    told = [one for one in conditions if one]
    return f"<ogc:And>{''.join(told)}</ogc:And>" if len(told) > 1 else "".join(told)


def _is_open() -> str:
    return (
        '<ogc:PropertyIsLike wildCard="*" singleChar="?" escapeChar="!">'
        f"{_property(UTILITY)}<ogc:Literal>{OPEN}*</ogc:Literal></ogc:PropertyIsLike>"
    )


def _lies_in_the_ground() -> str:
    return f"<ogc:Not><ogc:PropertyIsNull>{_property(UTILITY)}</ogc:PropertyIsNull></ogc:Not>"


def _is(name: str, value: str) -> str:
    literal = f"<ogc:Literal>{escape(value)}</ogc:Literal>"
    return f"<ogc:PropertyIsEqualTo>{_property(name)}{literal}</ogc:PropertyIsEqualTo>"


def _none_of(name: str, values: list[str]) -> str:
    listed = "".join(_is(name, value) for value in values)
    several = f"<ogc:Or>{listed}</ogc:Or>" if len(values) > 1 else listed
    return f"<ogc:Or><ogc:PropertyIsNull>{_property(name)}</ogc:PropertyIsNull><ogc:Not>{several}</ogc:Not></ogc:Or>"


def _property(name: str) -> str:
    return f"<ogc:PropertyName>{name}</ogc:PropertyName>"


def _rule(name: str, title: str, chosen: str, drawn: list[str]) -> str:
    return (
        f"<se:Rule><se:Name>{escape(name)}</se:Name><se:Description><se:Title>{escape(title)}</se:Title>"
        f"</se:Description><ogc:Filter>{chosen}</ogc:Filter>{''.join(drawn)}</se:Rule>\n"
    )


def _line(stroke: Stroke, beside_mm: float = 0.0) -> str:
    dash = " ".join(_pixels(part) for part in stroke.dash_mm)
    parameters = [
        _parameter("stroke", stroke.colour),
        *([_parameter("stroke-opacity", f"{stroke.opacity:g}")] if stroke.opacity < 1 else []),
        _parameter("stroke-width", _pixels(stroke.width_mm)),
        *([_parameter("stroke-dasharray", dash)] if dash else []),
    ]
    beside = f"<se:PerpendicularOffset>{_pixels(beside_mm)}</se:PerpendicularOffset>" if beside_mm else ""
    return f"<se:LineSymbolizer><se:Stroke>{''.join(parameters)}</se:Stroke>{beside}</se:LineSymbolizer>"


def _point(colour: str, ink: str, styles: Styles) -> str:
    component = styles.component
    return (
        "<se:PointSymbolizer><se:Graphic><se:Mark><se:WellKnownName>circle</se:WellKnownName>"
        f"<se:Fill>{_parameter('fill', colour)}</se:Fill><se:Stroke>{_parameter('stroke', ink)}"
        f"{_parameter('stroke-width', _pixels(component.outline_mm))}</se:Stroke></se:Mark>"
        f"<se:Size>{_pixels(component.size_mm)}</se:Size></se:Graphic></se:PointSymbolizer>"
    )


def _text(words: str) -> str:
    return (
        f"<se:TextSymbolizer><se:Label><ogc:Literal>{escape(words)}</ogc:Literal></se:Label>"
        f"<se:Font>{_parameter('font-family', 'DejaVu Sans')}{_parameter('font-weight', 'bold')}"
        f"{_parameter('font-size', '10')}</se:Font><se:LabelPlacement><se:LinePlacement>"
        "<se:IsRepeated>true</se:IsRepeated></se:LinePlacement></se:LabelPlacement>"
        f"<se:Halo><se:Radius>1</se:Radius><se:Fill>{_parameter('fill', '#ffffff')}</se:Fill></se:Halo>"
        f"<se:Fill>{_parameter('fill', '#111111')}</se:Fill></se:TextSymbolizer>"
    )


def _parameter(name: str, value: str) -> str:
    return f'<se:SvgParameter name="{name}">{escape(value)}</se:SvgParameter>'


def _pixels(millimetres: float) -> str:
    return f"{millimetres * _PIXELS_PER_MM:.2f}".rstrip("0").rstrip(".")
