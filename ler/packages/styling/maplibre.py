"""The style source as a MapLibre style (style specification 8) over `consolidated.geojson`.

Dashes of MapLibre do not follow the data, so each utility type has layers of its own. Widths are CSS pixels of 1/96
inch; bands of uncertainty are to scale at 56° N, which is 4 % off at the ends of Denmark. The legend of every code stands in `metadata`, for maps that draw one themselves. Letters need glyphs: where
their address is not given, it is `fonts/{fontstack}/{range}.pbf` beside the style.
"""

import json
import math
from collections.abc import Iterator
from typing import Any, Final

from ler.packages.colours import mix
from ler.packages.map_kinds import Kind
from ler.packages.styles import OTHER, UNKNOWN, Name, StatusStyle, Styles, UtilityStyle
from ler.packages.styling.parts import (
    ACCURACY,
    BAND,
    DANGER,
    DANGER_MARKS,
    GREY,
    OPEN,
    SECURITY,
    STATUS,
    TYPE,
    UTILITY,
    Stroke,
    band_colour,
    danger_strokes,
    strokes,
)

_PIXELS_PER_MM: Final = 96 / 25.4
SOURCE: Final = "ler"
GLYPHS: Final = "fonts/{fontstack}/{range}.pbf"
_PIXELS_PER_M_AT_ZOOM_0: Final = 512 / (40_075_016.686 * math.cos(math.radians(56)))
_NEAREST_ZOOM: Final = 24
_LINES: Final = ["match", ["geometry-type"], ["LineString", "MultiLineString"], True, False]
_POINTS: Final = ["match", ["geometry-type"], ["Point", "MultiPoint"], True, False]
_AREAS: Final = ["match", ["geometry-type"], ["Polygon", "MultiPolygon"], True, False]

type Json = dict[str, Any]


def maplibre(styles: Styles, *, data: str = "consolidated.geojson", glyphs: str = GLYPHS) -> str:
    """Return the style as JSON; `data` and `glyphs` are addresses beside it."""
    return (
        json.dumps(document(styles, data=data, glyphs=glyphs), ensure_ascii=False, separators=(",", ":"))
        + "\n"
    )


def document(styles: Styles, *, data: str, glyphs: str) -> Json:
    """Return the style as a value."""
    return {
        "version": 8,
        "name": f"LER, {styles.theme}",
        "metadata": {"ler:theme": styles.theme, "ler:legend": list(legend(styles))},
        "glyphs": glyphs,
        "sources": {SOURCE: {"type": "geojson", "data": data}},
        "layers": [
            {"id": "background", "type": "background", "paint": {"background-color": styles.background}},
            *_security_layers(styles),
            *_band_layers(styles),
            *_danger_layers(styles),
            *(layer for utility in styles.utilities for layer in _utility_layers(styles, utility)),
            _letter_layer(styles),
        ],
    }


def legend(styles: Styles) -> Iterator[Json]:
    """Every code with how it is drawn, for programs: lengths in millimetres on paper."""
    for utility in styles.utilities:
        drawn = {
            "letter": utility.letter,
            "colour": utility.colour,
            "casing": utility.casing,
            "width_mm": utility.width_mm,
            "dash_mm": list(utility.dash_mm),
        }
        yield _entry(UTILITY, utility.value, utility.name, **drawn)
    for status in styles.statuses:
        drawn = {
            "label": status.label,
            "width_factor": status.width_factor,
            "core_factor": status.core_factor,
        }
        yield _entry(
            STATUS,
            status.value,
            status.name,
            **drawn,
            grey_share=status.grey_share,
            cross_every_mm=status.cross_every_mm,
        )
    for danger in styles.dangers:
        drawn = {"letter": DANGER_MARKS[danger.rank].strip(), "colour": danger.fill, "edge": danger.edge}
        yield _entry(DANGER, danger.value, danger.name, **drawn, margin_mm=danger.margin_mm, rank=danger.rank)
    for plain in styles.plain:
        yield _entry(plain.attribute, plain.value, plain.name)
    for accuracy in styles.accuracies:
        drawn = {"label": accuracy.label, "opacity": accuracy.opacity, "edge_mm": accuracy.edge_mm}
        yield _entry(ACCURACY, accuracy.value, accuracy.name, **drawn, dash_mm=list(accuracy.edge_dash_mm))
    for security in styles.securities:
        drawn = {"letter": security.letter, "colour": security.fill, "opacity": security.opacity}
        yield _entry(SECURITY, security.value, security.name, **drawn)


def _entry(attribute: str, value: str, name: Name, **drawn: Any) -> Json:  # noqa: ANN401 - of any kind
    told = {key: one for key, one in drawn.items() if one not in (None, "")}
    return {"attribute": attribute, "value": value, "da": name.da, "en": name.en, **told}


def _band_layers(styles: Styles) -> Iterator[Json]:
    """The band of each accuracy class, as wide as its column says."""
    known = [one.value for one in styles.accuracies if one.value != UNKNOWN]
    for accuracy in styles.accuracies:
        of_class: list[Any] = ["==", ["get", ACCURACY], accuracy.value]
        if accuracy.value == UNKNOWN:
            of_class = ["match", ["coalesce", ["get", ACCURACY], ""], known, False, True]
        name, chosen = f"{ACCURACY}-{accuracy.value}", ["all", ["has", BAND], of_class]
        fill = band_colour(styles, accuracy)
        yield {
            **_layer(name, "line", ["all", _LINES, chosen]),
            "layout": {"line-cap": "round", "line-join": "round"},
            "paint": {"line-color": fill, "line-opacity": accuracy.opacity, "line-width": _to_scale(2)},
        }
        yield {
            **_layer(f"{name}-point", "circle", ["all", _POINTS, chosen]),
            "paint": {
                "circle-color": GREY,
                "circle-opacity": accuracy.opacity,
                "circle-radius": _to_scale(1),
            },
        }


def _to_scale(times: int) -> list[Any]:
    """So many half widths of the band in pixels, doubling with each zoom."""
    nearest = times * _PIXELS_PER_M_AT_ZOOM_0 * 2**_NEAREST_ZOOM
    ends = [0, ["*", ["get", BAND], nearest / 2**_NEAREST_ZOOM], _NEAREST_ZOOM, ["*", ["get", BAND], nearest]]
    return ["interpolate", ["exponential", 2], ["zoom"], *ends]


def _security_layers(styles: Styles) -> Iterator[Json]:
    for security in styles.securities:
        yield {
            **_layer(f"{SECURITY}-{security.value}", "fill", ["==", ["get", SECURITY], security.value]),
            "paint": {"fill-color": security.fill, "fill-opacity": security.opacity},
        }


def _danger_layers(styles: Styles) -> Iterator[Json]:
    width = max(utility.width_mm for utility in styles.utilities)
    for danger in sorted(styles.dangers, key=lambda style: style.rank):
        chosen = ["==", ["get", DANGER], danger.value]
        for number, stroke in enumerate(danger_strokes(danger, width)):
            name = f"{DANGER}-{danger.rank}-{number}"
            yield _line(name, ["all", _LINES, chosen], stroke)
            radius = (styles.component.size_mm + stroke.width_mm - width) / 2
            yield _circle(f"{name}-point", ["all", _POINTS, chosen], stroke.colour, radius)


def _utility_layers(styles: Styles, utility: UtilityStyle) -> Iterator[Json]:
    chosen = chosen_utility(styles, utility)
    component, name = styles.component, f"{UTILITY}-{utility.value}"
    yield {
        **_layer(f"{name}-area", "fill", ["all", _AREAS, chosen]),
        "paint": {
            "fill-color": utility.colour,
            "fill-opacity": component.opacity,
            "fill-outline-color": utility.ink,
        },
    }
    named = [status.value for status in styles.statuses]
    state: list[tuple[StatusStyle | None, list[Any]]] = [
        (None, ["match", ["coalesce", ["get", STATUS], ""], named, False, True])
    ]
    state += [(status, ["==", ["get", STATUS], status.value]) for status in styles.statuses]
    kinds = {
        Kind.DUCT: ["match", ["get", TYPE], sorted(styles.duct.feature_types), True, False],
        Kind.TRACE: ["match", ["get", TYPE], sorted(styles.trace.feature_types), True, False],
    }
    kinds[Kind.LINE] = ["!", ["any", *kinds.values()]]
    for status, in_state in state:
        end = f"-{status.value}" if status else ""
        for kind, of_kind in kinds.items():
            for number, stroke in enumerate(strokes(styles, utility, kind, status)):
                where = ["all", _LINES, chosen, in_state, of_kind]
                yield _line(f"{name}-{kind.value}{end}-{number}", where, stroke)
        share = status.grey_share if status else 0.0
        hollow = status is not None and status.core_factor > 0
        circle = _circle(
            f"{name}-point{end}",
            ["all", _POINTS, chosen, in_state],
            styles.halo if hollow else mix(utility.colour, GREY, share),
            component.size_mm / 2,
        )
        circle["paint"] |= {
            "circle-stroke-color": mix(utility.ink, GREY, share),
            "circle-stroke-width": pixels(component.outline_mm),
        }
        yield circle


def chosen_utility(styles: Styles, utility: UtilityStyle) -> list[Any]:
    """Return the expression that is true of features of a utility type; of unknown, of all that no other takes."""
    value = ["coalesce", ["get", UTILITY], UNKNOWN]
    if utility.value == OTHER:
        return ["==", ["slice", value, 0, len(OPEN)], OPEN]
    if utility.value == UNKNOWN:
        known = [one.value for one in styles.utilities if one.value not in {OTHER, UNKNOWN}]
        is_open = ["==", ["slice", value, 0, len(OPEN)], OPEN]
        return ["all", ["match", value, known, False, True], ["!", is_open], ["has", UTILITY]]
    return ["==", value, utility.value]


def _letter_layer(styles: Styles) -> Json:
    known = [
        part
        for utility in styles.utilities
        if utility.value != UNKNOWN
        for part in (chosen_utility(styles, utility), utility.letter)
    ]
    letter: list[Any] = ["case", *known, styles.utility(None).letter]
    for status in styles.statuses:
        before, after = status.label.split("{}")
        if before or after:
            letter = [
                "case",
                ["==", ["get", STATUS], status.value],
                ["concat", before, letter, after],
                letter,
            ]
    marks = [part for one in styles.dangers for part in (one.value, DANGER_MARKS[one.rank])]
    return {
        **_layer("letters", "symbol", ["has", UTILITY]),
        "layout": {
            "symbol-placement": "line",
            "symbol-spacing": 150,
            "text-field": ["concat", letter, ["match", ["coalesce", ["get", DANGER], ""], *marks, ""]],
            "text-font": ["Noto Sans Bold"],
            "text-size": pixels(3.4),
        },
        "paint": {"text-color": "#111111", "text-halo-color": styles.halo, "text-halo-width": 1.5},
    }


def _layer(name: str, kind: str, chosen: list[Any]) -> Json:
    return {"id": name, "type": kind, "source": SOURCE, "filter": chosen}


def _line(name: str, chosen: list[Any], stroke: Stroke) -> Json:
    return {**_layer(name, "line", chosen), "paint": line_paint(stroke)}


def line_paint(stroke: Stroke) -> Json:
    """Return how a line is painted."""
    paint: Json = {"line-color": stroke.colour, "line-width": pixels(stroke.width_mm)}
    if stroke.opacity < 1:
        paint["line-opacity"] = stroke.opacity
    if stroke.dash_mm:  # in widths of the line
        paint["line-dasharray"] = [round(part / stroke.width_mm, 3) for part in stroke.dash_mm]
    return paint


def _circle(name: str, chosen: list[Any], colour: str, radius_mm: float) -> Json:
    return {
        **_layer(name, "circle", chosen),
        "paint": {"circle-color": colour, "circle-radius": pixels(radius_mm)},
    }


def pixels(millimetres: float) -> float:
    """Return a length on paper in CSS pixels."""
    return round(millimetres * _PIXELS_PER_MM, 3)
