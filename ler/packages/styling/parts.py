"""What the generators have in common: which part of a sheet is drawn, by which attributes, and the shape of strokes.

Strokes are listed lowest first, widths and dashes in millimetres on paper, so that every language draws the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ler.packages.colours import mix
from ler.packages.map_kinds import Kind
from ler.packages.style_classes import AccuracyStyle
from ler.packages.styles import OTHER, UNKNOWN, DangerStyle, StatusStyle, Styles, UtilityStyle

UTILITY: Final = "utility_type"
STATUS: Final = "driftsstatus"
DANGER: Final = "fareklasse"
ACCURACY: Final = "noejagtighedsklasse"
SECURITY: Final = "security_class"
TYPE: Final = "objekttype"
BAND: Final = "band_half_width_m"
OPEN: Final = f"{OTHER}:"
"""How values of the open code list begin that it does not name."""
GREY: Final = "#7a7f85"
NOTE: Final = "#5b6166"
"""Of notes, and of the edges of bands."""
DANGER_MARKS: Final = {1: " !", 2: " !!"}
"""Behind the letter, by rank."""


class Shape(StrEnum):
    """What a layer holds."""

    LINE = "line"
    POINT = "point"
    AREA = "area"


@dataclass(frozen=True, slots=True)
class Stroke:
    """One line along another: `dash_mm` is on, off, on, off ...; empty means solid."""

    colour: str
    width_mm: float
    dash_mm: tuple[float, ...] = ()
    opacity: float = 1.0


def strokes(
    styles: Styles, utility: UtilityStyle, kind: Kind, status: StatusStyle | None
) -> Iterator[Stroke]:
    """What a line is drawn with: its band or walls, casing, colour, and the white core of what is being built."""
    share = status.grey_share if status else 0.0
    colour, ink = mix(utility.colour, GREY, share), mix(utility.ink, GREY, share)
    if kind is Kind.DUCT:
        inner = styles.background if status and status.core_factor else styles.duct.fill
        yield Stroke(ink, styles.duct.width_mm)
        yield Stroke(inner, styles.duct.width_mm - 2 * styles.duct.wall_mm)
        return
    if kind is Kind.TRACE:
        yield Stroke(utility.colour, styles.trace.width_mm, opacity=styles.trace.opacity)
    width = utility.width_mm * (status.width_factor if status else 1.0)
    width *= styles.trace.line_factor if kind is Kind.TRACE else 1.0
    yield Stroke(ink, width, utility.dash_mm)
    if utility.casing:
        yield Stroke(colour, width / 2, utility.dash_mm)
    if status and status.core_factor:
        yield Stroke(styles.halo, width * status.core_factor, utility.dash_mm)


def danger_strokes(danger: DangerStyle, width_mm: float) -> Iterator[Stroke]:
    """The band under a dangerous line of a width."""
    yield Stroke(danger.edge, width_mm + 2 * (danger.margin_mm + danger.edge_mm))
    yield Stroke(danger.fill, width_mm + 2 * danger.margin_mm)


def band_colour(styles: Styles, accuracy: AccuracyStyle) -> str:
    """What the band of an accuracy class is filled with; unknown has the colour of the worst case."""
    return styles.band.hatch if accuracy.value == UNKNOWN else styles.band.edge


def letter(utility: UtilityStyle, status: StatusStyle | None, danger: DangerStyle | None) -> str:
    """What stands along a line."""
    text = status.label.format(utility.letter) if status else utility.letter
    return text + (DANGER_MARKS[danger.rank] if danger else "")


def kind_of_type(feature_type: str, styles: Styles) -> Kind:
    """How features of a LER type are drawn."""
    if feature_type in styles.duct.feature_types:
        return Kind.DUCT
    if feature_type in styles.trace.feature_types:
        return Kind.TRACE
    return Kind.COMPONENT if feature_type.casefold().endswith("komponent") else Kind.LINE


def codes(styles: Styles) -> Iterator[tuple[str, str, str]]:
    """Every code that the source draws or tells of: its attribute, the value, and its Danish name."""
    for utility in styles.utilities:
        yield UTILITY, utility.value, utility.name.da
    for status in styles.statuses:
        yield STATUS, status.value, status.name.da
    for danger in styles.dangers:
        yield DANGER, danger.value, danger.name.da
    for plain in styles.plain:
        yield plain.attribute, plain.value, plain.name.da
    for accuracy in styles.accuracies:
        yield ACCURACY, accuracy.value, accuracy.name.da
    for security in styles.securities:
        yield SECURITY, security.value, security.name.da
