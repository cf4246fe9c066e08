"""A small map of features as SVG, drawn here: no library and no tiles from anywhere, and it needs no script.

Positions are in EPSG:25832, metres; lines and components are drawn by the one style source (`ler/packages/styles.toml`).
Everything that is written into the drawing is a number, or a colour of that source.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from geoapi.ogc.collections import Collection
from geoapi.ogc.families import feature_type_of
from geoapi.problems import Language
from ler.packages.styles import Styles, UtilityStyle, load_styles
from ler.packages.styling.parts import NOTE, Stroke, kind_of_type, strokes

_WIDTH, _HEIGHT, _EDGE = 960.0, 480.0, 24.0
_PX_PER_MM: Final = 3.0
_LEAST_M: Final = 20.0
"""A map is not smaller than this."""
_RADIUS: Final = 5.0
_DECIMALS: Final = 1
_STEPS: Final = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Legend:
    """How a utility type is drawn."""

    swatch: str
    letter: str
    name: str


@dataclass(frozen=True, slots=True)
class Map:
    """A drawing and what it means."""

    drawing: str
    legend: tuple[Legend, ...]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Where a position lies on the drawing."""

    west: float
    north: float
    scale: float
    """Pixels per metre."""

    def placed(self, coordinates: Any) -> Any:  # noqa: ANN401 - an array of positions
        """Positions in pixels."""
        return np.column_stack(
            (
                (coordinates[:, 0] - self.west) * self.scale,
                (self.north - coordinates[:, 1]) * self.scale,
            )
        ).round(_DECIMALS)


def draw(
    collection: Collection, features: Sequence[dict[str, Any]], title: str, language: Language
) -> Map | None:
    """Return a map of features as GeoJSON in EPSG:25832; None where none of them has a place. `title` is HTML-escaped."""
    placed = [(one, shape(one["geometry"])) for one in features if one["geometry"]]
    if not placed:
        return None
    styles = load_styles()
    sheet = _sheet(shapely.total_bounds([place for _, place in placed]))
    found: dict[str, UtilityStyle] = {}
    parts: list[str] = []
    # What covers ground lies below what runs through it.
    for one, place in sorted(placed, key=lambda pair: -shapely.get_dimensions(pair[1])):
        utility = _utility(collection, one["properties"], styles)
        if utility:
            found[utility.value] = utility
        parts.extend(_drawn(sheet, place, utility, _kept(collection, one["properties"], styles, utility)))
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" aria-label="{title}">'
        f"{''.join(parts)}{_scale_bar(sheet)}</svg>"
    )
    return Map(drawing, tuple(_legend(one, language) for one in styles.utilities if one.value in found))


def _sheet(bounds: Any) -> _Sheet:  # noqa: ANN401 - of numpy
    west, south, east, north = map(float, bounds)
    wide, high = max(east - west, _LEAST_M), max(north - south, _LEAST_M)
    scale = min((_WIDTH - 2 * _EDGE) / wide, (_HEIGHT - 2 * _EDGE) / high)
    middle_east, middle_north = (west + east) / 2, (south + north) / 2
    return _Sheet(middle_east - _WIDTH / 2 / scale, middle_north + _HEIGHT / 2 / scale, scale)


def _utility(collection: Collection, told: dict[str, Any], styles: Styles) -> UtilityStyle | None:
    names = {one.name for one in collection.properties}
    for name in ("forsyningsart", "utility_type"):
        if name in names:
            found = told.get(name) or collection.utility_type
            # Of a trace with lines of several types, the first.
            return styles.utility(found[0] if isinstance(found, list) else found)
    return styles.utility(collection.utility_type) if collection.utility_type else None


def _kept(
    collection: Collection, told: dict[str, Any], styles: Styles, utility: UtilityStyle | None
) -> list[Stroke]:
    """With what a line is drawn, lowest first."""
    if utility is None:
        return [Stroke(NOTE, 0.6)]
    feature_type = feature_type_of(collection) or told.get("objekttype") or ""
    status = styles.status(told.get("driftsstatus"))
    return [*strokes(styles, utility, kind_of_type(feature_type, styles), status)]


def _drawn(
    sheet: _Sheet, place: BaseGeometry, utility: UtilityStyle | None, lines: list[Stroke]
) -> Iterator[str]:
    ink = utility.ink if utility else NOTE
    colour = utility.colour if utility else NOTE
    for part in shapely.get_parts([place]):
        if part.is_empty:
            continue
        if part.geom_type == "Point":
            ((x, y),) = sheet.placed(shapely.get_coordinates(part))
            yield f'<circle cx="{x:g}" cy="{y:g}" r="{_RADIUS:g}" fill="{colour}" stroke="{ink}" stroke-width="1.5"/>'
        elif part.geom_type == "Polygon":
            rings = "".join(f"{_path(sheet, ring)}Z" for ring in (part.exterior, *part.interiors))
            yield (
                f'<path d="{rings}" fill="{colour}" fill-opacity="0.15" fill-rule="evenodd" stroke="{ink}"'
                ' stroke-width="1.5"/>'
            )
        else:
            path = _path(sheet, part)
            yield from (_line(path, one) for one in lines)


def _path(sheet: _Sheet, line: BaseGeometry) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in sheet.placed(shapely.get_coordinates(line)))


def _line(path: str, one: Stroke) -> str:
    dash = " ".join(f"{length * _PX_PER_MM:g}" for length in one.dash_mm)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    seen = f' stroke-opacity="{one.opacity:g}"' if one.opacity < 1 else ""
    return f'<path d="{path}" fill="none" stroke="{one.colour}" stroke-width="{one.width_mm * _PX_PER_MM:.2g}"{dashed}{seen}/>'


def _scale_bar(sheet: _Sheet) -> str:
    """A round length, at most a fifth of the width."""
    most = _WIDTH / 5 / sheet.scale
    power = 10 ** int(np.floor(np.log10(most)))
    length = max(step * power for step in _STEPS if step * power <= most)
    told = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"  # noqa: PLR2004 - a kilometre
    y = _HEIGHT - 10
    return (
        f'<path d="M12 {y - 6:g}V{y:g}H{12 + length * sheet.scale:.1f}V{y - 6:g}" fill="none" stroke="#14212b"/>'
        f'<text x="18" y="{y - 5:g}" font-size="13" fill="#14212b" stroke="#ffffff" stroke-width="3"'
        f' paint-order="stroke">{told}</text>'
    )


def _legend(utility: UtilityStyle, language: Language) -> Legend:
    lines = strokes(load_styles(), utility, kind_of_type("", load_styles()), None)
    swatch = "".join(_line("M0 7H48", one) for one in lines)
    drawing = f'<svg viewBox="0 0 48 14" width="48" height="14" aria-hidden="true">{swatch}</svg>'
    return Legend(drawing, utility.letter, {"da": utility.name.da, "en": utility.name.en}[language])
