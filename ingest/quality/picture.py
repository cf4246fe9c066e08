"""The quality of a network as a picture: a bar for each figure with its number, and the score over the versions.

Everything is said in letters and lengths; colour repeats it. PNG, SVG or PDF by the name of the file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import cairocffi

from ingest.quality.figures import BY_LENGTH, WEIGHTS, Group
from ingest.quality.measure import VersionQuality
from ingest.rules.catalogue import Language
from ler.errors import RefusedError
from ler.packages.map_canvas import (
    MUTED,
    Box,
    draw_panel,
    draw_text,
    prepare_context,
    set_colour,
)

_WIDTH_MM, _HEIGHT_MM = 180.0, 150.0
_DPI: Final = 144
_MM_PER_INCH: Final = 25.4
_POINTS_PER_MM: Final = 72 / _MM_PER_INCH
_MARGIN: Final = 9.0
_BAR: Final = Box(66.0, 40.0, 68.0, 4.4)
_STEP: Final = 7.6
_CHART: Final = Box(20.0, 114.0, 150.0, 24.0)
_FILL, _TRACK, _EDGE, _GRID = "#1f6f8b", "#eef1f3", "#98a2ab", "#d5dade"
_MOST_VERSIONS: Final = 24
_LABELLED: Final = 10


class _Words(NamedTuple):
    title: str
    of_100: str
    version: str
    facts: str
    figures: Mapping[str, str]
    weight: str
    by_length: str
    none: str
    over_time: str
    thousands: str
    decimal: str


_WORDS: Final[Mapping[Language, _Words]] = {
    "en": _Words(
        title="Quality of the network: {}",
        of_100="of 100",
        version="Version {}, {}",
        facts="{} features, {} km of lines and traces",
        figures={
            "horizontal_accuracy": "Horizontal accuracy known",
            "depth_or_height": "Depth or heights known",
            "without_findings": "Features without findings",
            "vertical_accuracy": "Vertical accuracy known",
            "established": "Time of establishment known",
            "outer_size": "Outer size known",
            "references": "References that resolve",
            "material": "Material known",
        },
        weight="weight {}",
        by_length="by length",
        none="nothing to count",
        over_time="Score over the versions",
        thousands=",",
        decimal=".",
    ),
    "da": _Words(
        title="Ledningsnettets kvalitet: {}",
        of_100="af 100",
        version="Version {}, {}",
        facts="{} objekter, {} km ledninger og traceer",
        figures={
            "horizontal_accuracy": "Kendt vandret nøjagtighed",
            "depth_or_height": "Kendt dybde eller kote",
            "without_findings": "Objekter uden anmærkninger",
            "vertical_accuracy": "Kendt lodret nøjagtighed",
            "established": "Kendt etableringstidspunkt",
            "outer_size": "Kendt udvendig størrelse",
            "references": "Henvisninger, der findes",
            "material": "Kendt materiale",
        },
        weight="vægt {}",
        by_length="efter længde",
        none="intet at tælle",
        over_time="Kvalitet over versionerne",
        thousands=".",
        decimal=",",
    ),
}


def draw_quality(
    history: Sequence[VersionQuality], owner: str, path: Path, language: Language = "en"
) -> None:
    """Draw the last version's figures, and the score of all, oldest first; `owner` is the name at the top.

    RefusedError for a file that is no .png, .svg or .pdf, and for a network that was never measured.
    """
    if not history:
        raise RefusedError("quality-missing", "no version of this network has been measured; upload it first")
    width, height = (side * _POINTS_PER_MM for side in (_WIDTH_MM, _HEIGHT_MM))
    surface: cairocffi.Surface
    match path.suffix.lower():
        case ".png":
            scale = _DPI / _MM_PER_INCH
            pixels = [round(side * scale) for side in (_WIDTH_MM, _HEIGHT_MM)]
            surface = cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, *pixels)
        case ".svg":
            scale, surface = _POINTS_PER_MM, cairocffi.SVGSurface(str(path), width, height)
        case ".pdf":
            scale, surface = _POINTS_PER_MM, cairocffi.PDFSurface(str(path), width, height)
        case _:
            raise RefusedError("picture-format", f"{path.name}: give a file that ends in .png, .svg or .pdf")
    context = cairocffi.Context(surface)
    context.scale(scale, scale)
    prepare_context(context)
    draw_panel(context, Box(0, 0, _WIDTH_MM, _HEIGHT_MM), fill="#ffffff")
    words = _WORDS[language]
    _draw_head(context, history[-1], owner, words)
    for number, name in enumerate(WEIGHTS):
        _draw_bar(context, _BAR.top + number * _STEP, name, history[-1].quality.total, words)
    _draw_history(context, history[-_MOST_VERSIONS:], words)
    if isinstance(surface, cairocffi.ImageSurface):
        surface.write_to_png(str(path))
    surface.finish()


def _draw_head(context: cairocffi.Context, latest: VersionQuality, owner: str, words: _Words) -> None:
    total = latest.quality.total
    draw_text(
        context,
        words.title.format(owner),
        _MARGIN,
        14.0,
        size_mm=5.0,
        bold=True,
        width_mm=_WIDTH_MM - 2 * _MARGIN,
    )
    version = words.version.format(latest.number, latest.measured_at.date().isoformat())
    features = f"{total.features:,}".replace(",", words.thousands)
    facts = words.facts.format(features, _number(total.length_m / 1000, words))
    draw_text(context, version, _MARGIN, 23.0, size_mm=3.4, colour=MUTED)
    draw_text(context, facts, _MARGIN, 28.8, size_mm=3.4, colour=MUTED)
    draw_text(
        context,
        _number(latest.score, words),
        _WIDTH_MM - _MARGIN - 17.5,
        30.0,
        size_mm=13.0,
        bold=True,
        align="right",
    )
    draw_text(context, words.of_100, _WIDTH_MM - _MARGIN, 30.0, size_mm=4.0, colour=MUTED, align="right")


def _draw_bar(context: cairocffi.Context, top: float, name: str, total: Group, words: _Words) -> None:
    share = total.share(name)
    base = top + 3.5
    draw_text(context, words.figures[name], _MARGIN, base, size_mm=3.5, width_mm=_BAR.left - _MARGIN - 3.0)
    track = Box(_BAR.left, top, _BAR.width, _BAR.height)
    draw_panel(context, track, fill=_TRACK, edge=_EDGE, edge_mm=0.2)
    if share:
        draw_panel(context, Box(track.left, top, track.width * share, track.height), fill=_FILL)
    told = words.none if share is None else f"{_number(100 * share, words)} %"
    draw_text(
        context,
        told,
        track.right + (17.5 if share is not None else 3.0),
        base,
        size_mm=3.5,
        bold=share is not None,
        align="right" if share is not None else "left",
    )
    if share is not None:
        weight = words.weight.format(f"{WEIGHTS[name]:g}")
        draw_text(context, weight, _WIDTH_MM - _MARGIN, base - 1.0, size_mm=2.4, colour=MUTED, align="right")
        if name in BY_LENGTH:
            draw_text(
                context,
                words.by_length,
                _WIDTH_MM - _MARGIN,
                base + 1.7,
                size_mm=2.4,
                colour=MUTED,
                align="right",
            )


def _draw_history(context: cairocffi.Context, history: Sequence[VersionQuality], words: _Words) -> None:
    draw_text(context, words.over_time, _MARGIN, _CHART.top - 5.0, size_mm=3.8, bold=True)
    for score in (0, 50, 100):
        y = _CHART.bottom - _CHART.height * score / 100
        context.move_to(_CHART.left, y)
        context.line_to(_CHART.right, y)
        set_colour(context, _GRID)
        context.set_line_width(0.2)
        context.stroke()
        draw_text(context, str(score), _CHART.left - 2.0, y + 1.1, size_mm=2.9, colour=MUTED, align="right")
    step = _CHART.width / max(1, len(history))
    places = [
        (_CHART.left + step * (number + 0.5), _CHART.bottom - _CHART.height * one.score / 100)
        for number, one in enumerate(history)
    ]
    for x, y in places:
        context.line_to(x, y)
    set_colour(context, _FILL)
    context.set_line_width(0.5)
    context.stroke()
    every = -(-len(history) // _LABELLED)
    for number, ((x, y), one) in enumerate(zip(places, history, strict=True)):
        context.arc(x, y, 0.9, 0, 6.2832)
        set_colour(context, _FILL)
        context.fill()
        if (len(history) - 1 - number) % every == 0:
            draw_text(
                context,
                _number(one.score, words),
                x,
                y - 1.8,
                size_mm=2.9,
                bold=True,
                align="centre",
                halo=True,
            )
            draw_text(context, str(one.number), x, _CHART.bottom + 4.2, size_mm=2.9, align="centre")
            day = one.measured_at.date().isoformat()
            draw_text(context, day, x, _CHART.bottom + 7.8, size_mm=2.3, colour=MUTED, align="centre")


def _number(value: float, words: _Words) -> str:
    return f"{value:.1f}".replace(".", words.decimal)
