"""A section through a dig drawn: the surface, what is dug, and each line where it is and may be, with the distance it asks for.

Lengths of the figure are millimetres, of what it shows metres; it is as high as every other, so height and width have
scales of their own. What is not known is drawn open: a dig of unknown depth has no bottom, a line a column from
the surface down. A bore is dashed, with how far it may stray; its pits are open.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from conflicts.clearances import Arrangement, Zone
from conflicts.sections import Mark, Section, View
from ler.packages.figures import Clip, Ellipse, Figure, Paint, Words, line, rectangle
from ler.packages.figures import Mark as Drawn
from ler.packages.letter_flow import WIDTH
from ler.packages.map_canvas import INK, MUTED
from ler.packages.map_scale import scale_bar

ZONE_COLOURS: Final[Mapping[Zone, str]] = {
    Zone.NO_MACHINE: "#a80012",
    Zone.HAND_DIG: "#b45309",
    Zone.STAND_BY: "#6b3fa0",
    Zone.NOTIFY: "#00608c",
    Zone.CLEAR: "#4a525b",
}
HEIGHT: Final = 64.0
_TOP: Final = 6.0
_BOTTOM: Final = 8.0
_SCALE: Final = 8.0
"""Width of the depths beside a view."""
_ACROSS: Final = 60.0
_SKY_M: Final = 0.7
_LEAST_M: Final = 1.5
_MOST_M: Final = 6.0
"""Depths that are drawn."""
_FINE_M: Final = 3.0
_AIR: Final = "#eef4f9"
_EARTH: Final = "#efe6d8"
_DUG: Final = "#ffffff"
_BORE: Final = Paint(_DUG, INK, 0.35, (1.6, 1.0), 0.6)
_STRAY: Final = Paint(_DUG, MUTED, 0.25, (0.5, 0.7), 0.45)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A view's place in the figure."""

    view: View
    left: float
    width: float
    deepest_m: float

    @property
    def mm_per_m(self) -> float:
        return self.width / (self.view.right_m - self.view.left_m)

    @property
    def mm_per_m_down(self) -> float:
        return (HEIGHT - _TOP - _BOTTOM) / (self.deepest_m + _SKY_M)

    @property
    def box(self) -> tuple[float, float, float, float]:
        return self.left, _TOP, self.width, HEIGHT - _TOP - _BOTTOM

    @property
    def bottom(self) -> float:
        return HEIGHT - _BOTTOM

    def x(self, at_m: float) -> float:
        return self.left + (at_m - self.view.left_m) * self.mm_per_m

    def y(self, depth_m: float) -> float:
        return _TOP + (depth_m + _SKY_M) * self.mm_per_m_down


def metres(value: float, words: Any) -> str:  # noqa: ANN401 - texts
    """Say metres to the centimetre, as the language writes them."""
    return f"{value:.2f}".replace(".", words.decimal)


def section_figure(section: Section, name: str, depth_m: float | None, words: Any) -> Figure:  # noqa: ANN401 - texts
    """Draw a section across the dig and along it; `depth_m` is that of the dig, None where nobody told it."""
    deepest_m = _deepest_m(section, depth_m)
    sheets = (
        _Sheet(section.across, 0.0, _ACROSS, deepest_m),
        _Sheet(section.along, _ACROSS + _SCALE, WIDTH - _ACROSS - 2 * _SCALE, deepest_m),
    )
    figure = Figure(words.section.format(name=name), _told(section, depth_m, words), WIDTH, HEIGHT)
    for sheet in sheets:
        figure.marks.extend(_view(sheet, name, depth_m, words))
    return figure


def _deepest_m(section: Section, depth_m: float | None) -> float:
    tops = [
        mark.told.top_m[1]
        for view in (section.along, section.across)
        for mark in view.marks
        if mark.told.top_m
    ]
    dug_m = depth_m or 0.0
    return min(
        max(_LEAST_M, dug_m + 0.5, *(dug_m + top + 0.5 for top in tops), 0.0), max(_MOST_M, dug_m + 0.5)
    )


def _view(sheet: _Sheet, name: str, depth_m: float | None, words: Any) -> Iterator[Drawn]:  # noqa: ANN401 - texts
    heading = getattr(words, sheet.view.side).format(name=name)
    yield Words(sheet.left, _TOP - 2, f"{heading}: {_dug_words(depth_m, sheet.view, words)}", 2.6, bold=True)
    left, top, width, height = sheet.box
    surface = sheet.y(0)
    inner: list[Drawn] = [
        rectangle(left, top, width, surface - top, Paint(_AIR)),
        rectangle(left, surface, width, top + height - surface, Paint(_EARTH)),
        *_dug(sheet, depth_m),
        line((left, surface), (left + width, surface), colour="#3f6b2f", width=0.5),
    ]
    for mark in sheet.view.marks:
        inner += _place(sheet, mark, depth_m)
    yield Clip(sheet.box, inner)
    yield rectangle(*sheet.box, Paint(edge=MUTED, width=0.2))
    yield from _numbers(sheet, depth_m, words)
    yield from scale_bar(left, HEIGHT - 2.5, sheet.mm_per_m)
    yield from _scale(sheet, words)


def _scale(sheet: _Sheet, words: Any) -> Iterator[Drawn]:  # noqa: ANN401 - texts
    """Depths below the surface, each metre or half."""
    step_m = 0.5 if sheet.deepest_m <= _FINE_M else 1.0
    right = sheet.left + sheet.width
    for number in range(int(sheet.deepest_m / step_m) + 1):
        y = sheet.y(number * step_m)
        yield line((right, y), (right + 1, y), width=0.25)
        yield Words(right + 1.4, y + 0.8, f"{number * step_m:g} m".replace(".", words.decimal), 2.0)


def _dug_words(depth_m: float | None, view: View, words: Any) -> str:  # noqa: ANN401 - texts
    stray_m = max((opening.stray_m for opening in view.dug), default=0.0)
    known = "" if depth_m is not None else "_unknown"
    told = str(getattr(words, ("bore" if stray_m else "dig") + known))
    return told.format(depth="" if depth_m is None else metres(depth_m, words), stray=metres(stray_m, words))


def _dug(sheet: _Sheet, depth_m: float | None) -> Iterator[Drawn]:
    """Bores below what is open: one may be anywhere above its depth, since it comes up at its pits."""
    for opening in sorted(sheet.view.dug, key=lambda one: (-one.stray_m, one.start_m, one.end_m)):
        start, end = sheet.x(opening.start_m), sheet.x(opening.end_m)
        bottom = sheet.bottom if depth_m is None else sheet.y(depth_m)
        top = sheet.y(0)
        if opening.stray_m:
            # Along a bore it strays out of the drawing's plane, and at its ends into its pits.
            aside = opening.stray_m * sheet.mm_per_m if sheet.view.side == "across" else 0.0
            for left, right, paint in ((start - aside, end + aside, _STRAY), (start, end, _BORE)):
                yield rectangle(left, top, right - left, bottom - top, paint)
            continue
        yield rectangle(start, top, end - start, bottom - top, Paint(_DUG))
        walls = [(start, top), (start, bottom), (end, bottom), (end, top)]
        if depth_m is None:
            yield line(*walls[:2], width=0.4, dash=(1.6, 1.0))
            yield line(*walls[2:], width=0.4, dash=(1.6, 1.0))
        else:
            yield line(*walls, width=0.5)


def _depths(mark: Mark, depth_m: float | None) -> tuple[float, float] | None:
    """Between which depths the top of a line is; None where that is not known.

    What may lie as high as the bottom of the dig may lie anywhere above it.
    """
    top_m = mark.told.top_m
    if top_m is None or depth_m is None:
        return None
    return (depth_m + top_m[0] if top_m[0] > 0 else 0.0), depth_m + top_m[1]


def _place(sheet: _Sheet, mark: Mark, depth_m: float | None) -> Iterator[Drawn]:
    row, x = mark.told.row, sheet.x(mark.at_m)
    colour = ZONE_COLOURS[Zone(row["zone"])]
    half, limit_m = mark.half_m * sheet.mm_per_m, row["limit_m"]
    ring = half + limit_m * sheet.mm_per_m
    around, band = Paint(colour, colour, 0.25, (0.9, 0.7), 0.07), Paint(colour, colour, 0.35, opacity=0.28)
    depths = _depths(mark, depth_m)
    if row["arrangement"] == Arrangement.OVERHEAD:
        y = sheet.y(-_SKY_M / 2)
        yield Ellipse(x, y, max(half, 0.8), 1.2, band)
        yield Ellipse(x, y, 0.8, 0.8, Paint(colour))
    elif depths is None:
        top, beyond = sheet.y(0), sheet.bottom + 5
        yield rectangle(x - ring, top, 2 * ring, beyond - top, around)
        yield rectangle(x - half, top, 2 * half, beyond - top, Paint(colour, colour, 0.35, (2.0, 1.0), 0.22))
        yield line((x, top), (x, beyond), colour=colour, width=0.3, dash=(0.4, 0.8))
    else:
        y, tall = (sheet.y(depths[0]) + sheet.y(depths[1])) / 2, (sheet.y(depths[1]) - sheet.y(depths[0])) / 2
        yield Ellipse(x, y, ring, tall + limit_m * sheet.mm_per_m_down, around)
        yield Ellipse(x, y, max(half, 0.8), max(tall, 0.8), band)
        yield Ellipse(x, y, 0.8, 0.8, Paint(colour))


def _numbers(sheet: _Sheet, depth_m: float | None, words: Any) -> Iterator[Drawn]:  # noqa: ANN401 - texts
    """The number of each line above the surface, on as many lines as they need; a question mark for an unknown depth."""
    free = [sheet.left] * 3
    shown = (
        mark for mark in sheet.view.marks if sheet.left <= sheet.x(mark.at_m) <= sheet.left + sheet.width
    )
    unknown = False
    for mark in shown:
        x, text = sheet.x(mark.at_m), str(mark.told.number)
        wide = 2.0 * len(text) + 2
        row = next((number for number, end in enumerate(free) if x - wide / 2 >= end), 0)
        free[row] = x + wide / 2 + 0.4
        y = _TOP + 3.4 + 3.6 * row
        colour = ZONE_COLOURS[Zone(mark.told.row["zone"])]
        yield line((x, y), (x, sheet.y(0)), colour=colour, width=0.2)
        yield rectangle(x - wide / 2, y - 2.6, wide, 3.4, Paint("#ffffff", colour, 0.3))
        yield Words(x, y, text, 2.6, bold=True, colour=colour, align="centre")
        if _depths(mark, depth_m) is None and mark.told.row["arrangement"] != Arrangement.OVERHEAD:
            unknown = True
            yield Words(x, sheet.bottom - 4.6, "?", 3.6, bold=True, colour=colour, align="centre")
    if unknown:
        yield Words(
            sheet.left + sheet.width, HEIGHT - 2.5, f"? {words.depth_unknown}", 2.3, bold=True, align="right"
        )


def _told(section: Section, depth_m: float | None, words: Any) -> str:  # noqa: ANN401 - texts
    parts = [_dug_words(depth_m, section.across, words)]
    for view in (section.across, section.along):
        for mark in view.marks:
            depths = _depths(mark, depth_m)
            where = (
                words.depth_unknown
                if depths is None
                else words.depth.format(*(metres(one, words) for one in depths))
            )
            parts.append(f"{mark.told.number}: ± {metres(mark.half_m, words)} m, {where}")
    return "; ".join(parts)
