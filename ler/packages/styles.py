"""The one style source: how each utility type, kind, danger class and state is drawn, as renderer-neutral values.

Read from `styles.toml` beside this module. Widths, dashes and marks are millimetres on paper; colours are sRGB
`#rrggbb`. Refuses a file in which two types could be taken for each other or a line could not be seen.
"""

import tomllib
import unicodedata
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import Final, Self

from ler.errors import InputError, NotFoundError
from ler.packages.colours import contrast
from ler.packages.style_classes import AccuracyStyle, PlainStyle, SecurityStyle
from ler.packages.style_reader import Language, Name, Reader

__all__ = ["Language", "Name"]

DEFAULT_THEME: Final = "ler"
MARKS = frozenset({"square", "circle", "ring", "diamond", "hexagon", "pentagon", "plus", "down"})
OTHER, UNKNOWN = "other", "unknown"

_DARK_CASING_CONTRAST = 7.0


@dataclass(frozen=True, slots=True)
class UtilityStyle:
    """A cable or pipe of one utility type: `dash_mm` is on, off, on, off ...; empty means solid."""

    value: str
    letter: str
    colour: str
    casing: str | None
    width_mm: float
    dash_mm: tuple[float, ...]
    name: Name

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """From one `[[utility]]` table."""
        dash = reader.numbers("dash_mm")
        if len(dash) % 2 or 0 in dash:
            raise InputError(f"Style source: {reader.place}.dash_mm is not pairs of lengths.")
        return cls(
            value=reader.text("value"),
            letter=reader.text("letter"),
            colour=reader.colour("colour"),
            casing=reader.colour("casing") if "casing" in reader.table else None,
            width_mm=reader.number("width_mm"),
            dash_mm=dash,
            name=Name.read(reader),
        )

    @property
    def ink(self) -> str:
        """The colour that can be read on white: of letters, outlines and duct walls."""
        return self.casing or self.colour


@dataclass(frozen=True, slots=True)
class DuctStyle:
    """Two walls in the type's colour with a pale inside."""

    feature_types: frozenset[str]
    width_mm: float
    wall_mm: float
    fill: str
    name: Name


@dataclass(frozen=True, slots=True)
class TraceStyle:
    """A wide, translucent band in the type's colour with the type's line, thinner, in its middle."""

    feature_types: frozenset[str]
    width_mm: float
    opacity: float
    line_factor: float
    name: Name


@dataclass(frozen=True, slots=True)
class ComponentStyle:
    """Marks of components by LER feature type (see MARKS); footprints are filled with the opacity."""

    size_mm: float
    outline_mm: float
    opacity: float
    marks: tuple[tuple[str, str], ...]
    name: Name

    def mark(self, feature_type: str) -> str:
        """The mark of a feature type; types that the source does not know get the plus."""
        return dict(self.marks).get(feature_type, "plus")


@dataclass(frozen=True, slots=True)
class DangerStyle:
    """A band under a dangerous line, wider than the line by the margin on each side, and a warning triangle."""

    value: str
    rank: int
    margin_mm: float
    fill: str
    edge: str
    edge_mm: float
    triangle_filled: bool
    triangle_every_mm: float
    name: Name


@dataclass(frozen=True, slots=True)
class StatusStyle:
    """How a state changes the line: its width, a white core, a share of grey, crosses, brackets on its letter."""

    value: str
    width_factor: float
    core_factor: float
    grey_share: float
    cross_every_mm: float
    label: str
    name: Name


@dataclass(frozen=True, slots=True)
class BandStyle:
    """Where a line must be looked for: filled with an edge; hatched, and called `unknown`, where it is the worst case."""

    fill: str
    edge: str
    edge_mm: float
    hatch: str
    hatch_mm: float
    hatch_spacing_mm: float
    name: Name
    unknown: Name


@dataclass(frozen=True, slots=True)
class AreaStyle:
    """Outline and hatching of the dig area."""

    outline: str
    outline_mm: float
    hatch: str
    hatch_opacity: float
    hatch_mm: float
    hatch_spacing_mm: float
    name: Name


@dataclass(frozen=True, slots=True)
class FillStyle:
    """A plain surface: streets, or the veil over everything outside the dig area."""

    fill: str
    opacity: float
    name: Name


@dataclass(frozen=True, slots=True)
class Styles:
    """The whole style source; utilities stand in drawing order, lowest first."""

    background: str
    halo: str
    halo_mm: float
    minimum_contrast: float
    small_scales: tuple[tuple[float, float], ...]
    utilities: tuple[UtilityStyle, ...]
    duct: DuctStyle
    trace: TraceStyle
    component: ComponentStyle
    dangers: tuple[DangerStyle, ...]
    statuses: tuple[StatusStyle, ...]
    band: BandStyle
    accuracies: tuple[AccuracyStyle, ...]
    securities: tuple[SecurityStyle, ...]
    plain: tuple[PlainStyle, ...]
    area: AreaStyle
    outside: FillStyle
    street: FillStyle
    themes: tuple[tuple[str, Name], ...]
    """Every theme of the source by its name."""
    theme: str = DEFAULT_THEME

    def utility(self, value: str | None) -> UtilityStyle:
        """Style of a LER `forsyningsart`: `other: ...` gives other; nothing and unheard-of values give unknown."""
        wanted = unicodedata.normalize("NFC", (value or UNKNOWN).strip())
        if wanted.startswith("other:"):
            wanted = OTHER
        by_value = {style.value: style for style in self.utilities}
        return by_value.get(wanted) or by_value[UNKNOWN]

    def danger(self, value: str | None) -> DangerStyle | None:
        """Style of a LER `fareklasse`; None for `ikke farlig` and not stated."""
        return next((style for style in self.dangers if style.value == value), None)

    def status(self, value: str | None) -> StatusStyle | None:
        """Style of a LER `driftsstatus`; None for `i drift` and not stated."""
        return next((style for style in self.statuses if style.value == value), None)

    def accuracy(self, value: str | None) -> AccuracyStyle:
        """Style of a LER `noejagtighedsklasse`; nothing and unheard-of values give unknown, which is the worst."""
        by_value = {style.value: style for style in self.accuracies}
        return by_value.get(value or UNKNOWN) or by_value[UNKNOWN]

    def security(self, value: str) -> SecurityStyle:
        """Style of a security class; KeyError for one that there is not."""
        return {style.value: style for style in self.securities}[value]

    def size_factor(self, denominator: float) -> float:
        """What widths and marks are multiplied with on a map of scale 1:denominator."""
        return min((factor for beyond, factor in self.small_scales if denominator > beyond), default=1.0)


@cache
def load_styles(theme: str = DEFAULT_THEME) -> Styles:
    """The style source of the platform in a theme; NotFoundError for one that it has not, InputError for a wrong entry."""
    return read_styles(files("ler.packages").joinpath("styles.toml").read_text(encoding="utf-8"), theme)


def read_styles(toml: str, theme: str = DEFAULT_THEME) -> Styles:
    """Read and check a style source; InputError for anything missing, wrong or not to be told apart."""
    try:
        reader = Reader(tomllib.loads(toml), "styles")
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"Style source is not TOML: {error}") from error
    themes = {table.text("value"): table for table in reader.tables("theme")}
    if theme not in themes:
        raise NotFoundError(f"There is no theme {theme!r}: {', '.join(themes)}")
    styles = Styles(
        background=reader.colour("background"),
        halo=reader.colour("halo"),
        halo_mm=reader.number("halo_mm"),
        minimum_contrast=reader.number("minimum_contrast"),
        small_scales=tuple(
            (table.number("beyond_denominator"), table.share("factor"))
            for table in reader.tables("small_scale")
        ),
        utilities=_themed([UtilityStyle.read(table) for table in reader.tables("utility")], themes[theme]),
        duct=_read_duct(reader.inner("duct")),
        trace=_read_trace(reader.inner("trace")),
        component=_read_component(reader.inner("component")),
        dangers=tuple(_read_danger(table) for table in reader.tables("danger")),
        statuses=tuple(_read_status(table) for table in reader.tables("status")),
        band=_read_band(reader.inner("band")),
        accuracies=tuple(AccuracyStyle.read(table) for table in reader.tables("accuracy")),
        securities=tuple(SecurityStyle.read(table) for table in reader.tables("security")),
        plain=tuple(PlainStyle.read(table) for table in reader.tables("plain")),
        area=_read_area(reader.inner("area")),
        outside=_read_outside(reader.inner("outside")),
        street=FillStyle(reader.inner("street").colour("fill"), 1.0, Name.read(reader.inner("street"))),
        themes=tuple((name, Name.read(table)) for name, table in themes.items()),
        theme=theme,
    )
    _check(styles, shared_colours=themes[theme].flag("shared_colours"))
    return styles


def _themed(utilities: list[UtilityStyle], theme: Reader) -> tuple[UtilityStyle, ...]:
    """The utilities in the colours of a theme; what it does not name keeps its own."""
    own = {table.text("value"): table for table in theme.tables("colours")}
    if unheard := own.keys() - {utility.value for utility in utilities}:
        raise InputError(f"Style source: {theme.place} colours {sorted(unheard)}, which is no utility type.")
    return tuple(
        replace(
            utility,
            colour=own[utility.value].colour("colour"),
            casing=own[utility.value].colour("casing") if "casing" in own[utility.value].table else None,
        )
        if utility.value in own
        else utility
        for utility in utilities
    )


def _read_duct(reader: Reader) -> DuctStyle:
    return DuctStyle(
        feature_types=frozenset(str(item) for item in reader.items("feature_types")),
        width_mm=reader.number("width_mm"),
        wall_mm=reader.number("wall_mm"),
        fill=reader.colour("fill"),
        name=Name.read(reader),
    )


def _read_trace(reader: Reader) -> TraceStyle:
    return TraceStyle(
        feature_types=frozenset(str(item) for item in reader.items("feature_types")),
        width_mm=reader.number("width_mm"),
        opacity=reader.share("opacity"),
        line_factor=reader.number("line_factor"),
        name=Name.read(reader),
    )


def _read_component(reader: Reader) -> ComponentStyle:
    marks = reader.inner("marks")
    for feature_type in marks.table:
        if marks.text(feature_type) not in MARKS:
            raise InputError(f"Style source: {marks.place}.{feature_type} is not one of {sorted(MARKS)}.")
    return ComponentStyle(
        size_mm=reader.number("size_mm"),
        outline_mm=reader.number("outline_mm"),
        opacity=reader.share("opacity"),
        marks=tuple((feature_type, marks.text(feature_type)) for feature_type in marks.table),
        name=Name.read(reader),
    )


def _read_danger(reader: Reader) -> DangerStyle:
    return DangerStyle(
        value=reader.text("value"),
        rank=int(reader.number("rank")),
        margin_mm=reader.number("margin_mm"),
        fill=reader.colour("fill"),
        edge=reader.colour("edge"),
        edge_mm=reader.number("edge_mm"),
        triangle_filled=reader.flag("triangle_filled"),
        triangle_every_mm=reader.number("triangle_every_mm"),
        name=Name.read(reader),
    )


def _read_status(reader: Reader) -> StatusStyle:
    if "{}" not in reader.text("label"):
        raise InputError(f"Style source: {reader.place}.label has no place {{}} for the letter.")
    return StatusStyle(
        value=reader.text("value"),
        width_factor=reader.number("width_factor"),
        core_factor=reader.share("core_factor"),
        grey_share=reader.share("grey_share"),
        cross_every_mm=reader.number("cross_every_mm"),
        label=reader.text("label"),
        name=Name.read(reader),
    )


def _read_band(reader: Reader) -> BandStyle:
    return BandStyle(
        fill=reader.colour("fill"),
        edge=reader.colour("edge"),
        edge_mm=reader.number("edge_mm"),
        hatch=reader.colour("hatch"),
        hatch_mm=reader.number("hatch_mm"),
        hatch_spacing_mm=reader.number("hatch_spacing_mm"),
        name=Name.read(reader),
        unknown=Name.read(reader, "unknown"),
    )


def _read_area(reader: Reader) -> AreaStyle:
    return AreaStyle(
        outline=reader.colour("outline"),
        outline_mm=reader.number("outline_mm"),
        hatch=reader.colour("hatch"),
        hatch_opacity=reader.share("hatch_opacity"),
        hatch_mm=reader.number("hatch_mm"),
        hatch_spacing_mm=reader.number("hatch_spacing_mm"),
        name=Name.read(reader),
    )


def _read_outside(reader: Reader) -> FillStyle:
    return FillStyle(reader.colour("veil"), reader.share("veil_opacity"), Name.read(reader))


def _check(styles: Styles, *, shared_colours: bool) -> None:
    values = {utility.value for utility in styles.utilities}
    if not {OTHER, UNKNOWN} <= values or len(values) < len(styles.utilities):
        raise InputError("Style source: each utility type stands once, and other and unknown among them.")
    for one, two in combinations(styles.utilities, 2):
        same_colour = one.colour == two.colour and not shared_colours
        if one.letter == two.letter or one.dash_mm == two.dash_mm or same_colour:
            raise InputError(f"Style source: {one.value} and {two.value} share a letter, dash or colour.")
    for utility in styles.utilities:
        _check_visible(utility, styles)


def _check_visible(utility: UtilityStyle, styles: Styles) -> None:
    grounds = (styles.background, styles.street.fill)
    if min(contrast(utility.ink, ground) for ground in grounds) < styles.minimum_contrast:
        raise InputError(f"Style source: {utility.value} cannot be seen on its background.")
    if utility.casing and contrast(utility.casing, utility.colour) < _DARK_CASING_CONTRAST:
        raise InputError(f"Style source: the casing of {utility.value} is too near to its colour.")
