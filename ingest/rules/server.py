"""Rules that the official server enforces beside the model's restrictions, under its names; and what can hardly be."""

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from ingest.rules.case import Broken, Case, Restriction, Stage
from ingest.rules.established import is_later
from ler.model.values import BEFORE, EXTENSIONS

MOST_MM: Final[Mapping[str, float]] = {
    "vejledendeDybde": 100_000.0,
    "udvendigDiameter": 10_000.0,
    "udvendigBredde": 20_000.0,
    "udvendigHoejde": 20_000.0,
    "bredde": 200_000.0,
}
"""Beyond these a depth, a size or the width of a trace was hardly written in millimetres; none is below 0."""

_TIME: Final = "etableringstidspunkt"
_EXTENSION: Final = re.compile(r"\.([^./\\]+)$")
_SIZES: Final = ("udvendigDiameter", "udvendigBredde", "udvendigHoejde")


def bare_cutoff_year(case: Case) -> Broken | None:
    """The year of the cut-off date alone leaves open on which side of it the line lies."""
    year = case.cutoff_year
    return Broken(_TIME, year, f"{year}-MM-DD") if case.attributes.get(_TIME) == year else None


def before_too_late(case: Case) -> Broken | None:
    """Before a date may only be said of dates that are not after the cut-off date."""
    time = case.attributes.get(_TIME)
    if not isinstance(time, str) or not time.startswith(BEFORE):
        return None
    later = is_later(time.removeprefix(BEFORE), case.cutoff)
    return Broken(_TIME, time, f"{BEFORE}{case.cutoff}") if later else None


def size_of_new_unknown_shape(case: Case) -> Broken | None:
    """A new line whose cross-section is void tells its diameter, or its width and its height."""
    if "tvaersnitsform" not in case.voids:
        return None
    diameter, width, height = (case.given(name) for name in _SIZES)
    complete = diameter or (width and height)
    if complete and not _contradictory(case, diameter=diameter, side=width or height):
        return None
    return Broken("tvaersnitsform", _told(case))


def size_of_old_unknown_shape(case: Case) -> Broken | None:
    """An older line whose cross-section is void may tell its diameter, or its width and height, not both."""
    if "tvaersnitsform" not in case.voids or is_later(case.attributes.get(_TIME), case.cutoff):
        return None
    diameter, width, height = (case.given(name) for name in _SIZES)
    if not _contradictory(case, diameter=diameter, side=width or height):
        return None
    return Broken("tvaersnitsform", _told(case))


def _contradictory(case: Case, *, diameter: bool, side: bool) -> bool:
    return diameter and side and case.settings.exclusive_cross_section


def _told(case: Case) -> str:
    return ", ".join(name for name in _SIZES if case.given(name))


def inside_area(case: Case) -> Broken | None:
    """The whole geometry lies in the dig area."""
    geometry = case.feature.geometry
    if case.area is None or geometry is None or shapely.covers(case.area, geometry):
        return None
    return Broken("geometri", f"{_reach_m(case.area, geometry):.3f} m")


def _reach_m(area: BaseGeometry, geometry: BaseGeometry) -> float:
    """How far the vertex that lies farthest from the area is away from it, m."""
    vertices = shapely.points(shapely.get_coordinates(geometry))
    return float(np.max(shapely.distance(area, vertices)))


def extension_of_format(case: Case) -> Broken | None:
    """The extension of the path agrees with the format."""
    path, file_format = case.attributes.get("sti"), case.attributes.get("format")
    if not isinstance(path, str) or not isinstance(file_format, str):
        return None
    found = _EXTENSION.search(path)
    extension = found[1] if found else ""
    wanted = EXTENSIONS[file_format]
    return None if extension.lower() in wanted else Broken("sti", extension, " | ".join(wanted))


def implausible_length(case: Case) -> Broken | None:
    """Lengths are in millimetres: not below 0, and not larger than anything in the ground."""
    for name, most in MOST_MM.items():
        if name in case.attributes:
            value = case.number(name)
            if value is not None and not 0 <= value <= most:
                return Broken(name, f"{value:,.0f} mm", f"0 … {most:,.0f} mm")
    return None


_UTILITIES: Final = ("LedningEllerLedningstrace", "Ledningskomponent")
_SHAPED: Final = ("Roerledning", "AndenLedning")
_ESTABLISHED: Final = "EtableringsTidsPunktRule_Value"

RESTRICTIONS: Final = (
    Restriction(
        f"{_ESTABLISHED}IsYearFormat_MatchConfiguration_IndeterminatePositionIsNull",
        bare_cutoff_year,
        classes=_UTILITIES,
    ),
    Restriction(
        f"{_ESTABLISHED}IsHigherThanConfiguration_IndeterminatePositionIsNotNull",
        before_too_late,
        classes=_UTILITIES,
    ),
    Restriction(
        "TvaersnitsformRestriktionEfterSkaeringsDato", size_of_new_unknown_shape, Stage.NEW, classes=_SHAPED
    ),
    Restriction("TvaersnitsformRestriktionFoerSkaeringsDato", size_of_old_unknown_shape, classes=_SHAPED),
    Restriction("UtilityGeometryWithinDiggingAreaRule", inside_area, classes=_UTILITIES),
    Restriction("attribute-range", implausible_length, classes=_UTILITIES),
    Restriction(
        "IRFileExtensionRestriktionRuleFormatNotEqualToFileExtension",
        extension_of_format,
        classes=("Informationsressource",),
    ),
)
