"""Figures of reports: drawn once as a list of strokes and words, written as SVG into a page and painted on a sheet of PDF.

Lengths are millimetres from the figure's top left corner. A figure loads nothing and has no style of its own: it looks
the same in both, and its bytes are the same for the same strokes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import pi

import cairocffi
from markupsafe import Markup, escape

from ler.packages.map_canvas import FONT, INK, Align, draw_text, kept, set_colour
from ler.packages.plain_text import plain

type Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Paint:
    """How a shape is filled and drawn around; colours as `#rrggbb`."""

    fill: str | None = None
    edge: str | None = None
    width: float = 0.25
    dash: tuple[float, ...] = ()
    opacity: float = 1.0
    """Of the fill."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Polylines, or rings when they are closed; a ring in a ring is a hole."""

    paths: Sequence[Sequence[Point]]
    paint: Paint
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Centre and half axes."""

    x: float
    y: float
    half_width: float
    half_height: float
    paint: Paint


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text with its baseline at y."""

    x: float
    y: float
    text: str
    size: float = 2.6
    bold: bool = False
    colour: str = INK
    align: Align = "left"


@dataclass(frozen=True, slots=True)
class Clip:
    """What of other marks lies in a rectangle: left, top, width, height."""

    box: tuple[float, float, float, float]
    marks: Sequence["Mark"]


type Mark = Shape | Ellipse | Words | Clip


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with what it is called and what it shows, for who cannot see it."""

    title: str
    description: str
    width: float
    height: float
    marks: list[Mark] = field(default_factory=list)


def rectangle(left: float, top: float, width: float, height: float, paint: Paint) -> Shape:
    """Return a rectangle."""
    right, bottom = left + width, top + height
    return Shape([[(left, top), (right, top), (right, bottom), (left, bottom)]], paint, closed=True)


def line(*points: Point, colour: str = INK, width: float = 0.25, dash: tuple[float, ...] = ()) -> Shape:
    """Return a polyline."""
    return Shape([points], Paint(edge=colour, width=width, dash=dash))


def figure_svg(figure: Figure) -> Markup:
    """Return the figure as an SVG element, which has no ids, so that a page may hold many."""
    body = "".join(_svg(figure.marks))
    return Markup(  # noqa: S704 - numbers of ours, and words that were escaped
        f'<svg role="img" width="100%" viewBox="0 0 {_n(figure.width)} {_n(figure.height)}">'
        f"<title>{escape(plain(figure.title))}</title><desc>{escape(plain(figure.description))}</desc>{body}</svg>"
    )


def paint_figure(context: cairocffi.Context, figure: Figure, left: float, top: float) -> None:
    """Paint the figure on a sheet whose unit is one millimetre."""
    with kept(context):
        context.translate(left, top)
        _paint_all(context, figure.marks)


def _svg(marks: Sequence[Mark]) -> Iterator[str]:
    for mark in marks:
        match mark:
            case Shape():
                end = "Z" if mark.closed else ""
                ways = "".join(f"M{' '.join(f'{_n(x)},{_n(y)}' for x, y in way)}{end}" for way in mark.paths)
                yield f'<path d="{ways}"{_paint(mark.paint)} fill-rule="evenodd"/>'
            case Ellipse():
                yield (
                    f'<ellipse cx="{_n(mark.x)}" cy="{_n(mark.y)}" rx="{_n(mark.half_width)}"'
                    f' ry="{_n(mark.half_height)}"{_paint(mark.paint)}/>'
                )
            case Words():
                anchor = {"left": "start", "centre": "middle", "right": "end"}[mark.align]
                heavy = ' font-weight="bold"' if mark.bold else ""
                yield (
                    f'<text x="{_n(mark.x)}" y="{_n(mark.y)}" font-size="{_n(mark.size)}" fill="{mark.colour}"'
                    f' text-anchor="{anchor}"{heavy} font-family="{FONT}, sans-serif">{escape(plain(mark.text))}</text>'
                )
            case Clip():
                left, top, width, height = map(_n, mark.box)
                yield (
                    f'<svg x="{left}" y="{top}" width="{width}" height="{height}" viewBox="{left} {top} {width} {height}">'
                )
                yield from _svg(mark.marks)
                yield "</svg>"


def _paint(paint: Paint) -> str:
    told = f' fill="{paint.fill or "none"}"'
    if paint.fill and paint.opacity < 1:
        told += f' fill-opacity="{_n(paint.opacity)}"'
    if paint.edge:
        told += f' stroke="{paint.edge}" stroke-width="{_n(paint.width)}"'
        if paint.dash:
            told += f' stroke-dasharray="{" ".join(map(_n, paint.dash))}"'
    return told


def _n(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _paint_all(context: cairocffi.Context, marks: Sequence[Mark]) -> None:
    for mark in marks:
        match mark:
            case Shape():
                context.new_path()
                for way in mark.paths:
                    context.move_to(*way[0])
                    for x, y in way[1:]:
                        context.line_to(x, y)
                    if mark.closed:
                        context.close_path()
                _apply(context, mark.paint)
            case Ellipse():
                context.new_path()
                if mark.half_width > 0 and mark.half_height > 0:
                    with kept(context):
                        context.translate(mark.x, mark.y)
                        context.scale(mark.half_width, mark.half_height)
                        context.arc(0, 0, 1, 0, 2 * pi)
                _apply(context, mark.paint)
            case Words():
                draw_text(
                    context, mark.text, mark.x, mark.y,
                    size_mm=mark.size, bold=mark.bold, colour=mark.colour, align=mark.align,
                )  # fmt: skip
            case Clip():
                with kept(context):
                    context.rectangle(*mark.box)
                    context.clip()
                    _paint_all(context, mark.marks)


def _apply(context: cairocffi.Context, paint: Paint) -> None:
    context.set_fill_rule(cairocffi.FILL_RULE_EVEN_ODD)
    if paint.fill:
        set_colour(context, paint.fill, paint.opacity)
        context.fill_preserve()
    if paint.edge:
        set_colour(context, paint.edge)
        context.set_line_width(paint.width)
        context.set_dash(list(paint.dash))
        context.stroke()
    context.new_path()
    context.set_dash([])
