"""The letter as PDF for print: A4, tagged, with text that can be searched and links that can be followed.

Dated by the request's last change, so that the same contents give the same bytes.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Final

import cairocffi

from ler.packages.contents import Contents
from ler.packages.figures import paint_figure
from ler.packages.letter import compose_all
from ler.packages.letter_flow import (
    LEFT,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    TOP,
    WIDTH,
    Page,
    Piece,
    Row,
    Width,
    lay_out,
)
from ler.packages.letter_parts import Letter, Weight
from ler.packages.map_canvas import (
    INK,
    MUTED,
    WARNING,
    Box,
    draw_text,
    prepare_context,
    set_colour,
    set_font,
    show_text,
    text_width,
)

_POINTS_PER_MM: Final = 72 / 25.4
_LINK: Final = "#00468c"
_NOTICES: Final = {
    Weight.STOP: ("#fff1f0", WARNING),
    Weight.CARE: ("#fff8e6", "#8a5a00"),
    Weight.DONE: ("#eef8f0", "#1b6b34"),
}
"""Ground and bar."""
_SMALL: Final = 2.7


def write_letter_pdf(path: Path, contents: Contents) -> int:
    """Write the letter, Danish before English; it holds no features."""
    moment = contents.request.changed_at or contents.request.created_at
    write_pdf(path, contents.once(compose_all), moment)
    return 0


def write_pdf(path: Path, letters: Sequence[Letter], moment: datetime) -> None:
    """Write letters as one file, dated by a moment."""
    surface = cairocffi.PDFSurface(str(path), PAGE_WIDTH * _POINTS_PER_MM, PAGE_HEIGHT * _POINTS_PER_MM)
    context = cairocffi.Context(surface)
    context.scale(_POINTS_PER_MM, _POINTS_PER_MM)
    prepare_context(context)
    told = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    surface.set_metadata(cairocffi.PDF_METADATA_CREATE_DATE, told)
    surface.set_metadata(cairocffi.PDF_METADATA_TITLE, " / ".join(letter.title for letter in letters))
    measure = _measure(context)
    states = [letter.state for letter in letters]
    pages = [
        page
        for number, letter in enumerate(letters)
        for page in lay_out(letter, [] if number else states, measure)
    ]
    _outline(surface, letters, pages)
    for number, page in enumerate(pages, 1):
        _draw_page(context, page, number, len(pages))
        context.show_page()
    surface.finish()


class _Advances(dict[str, float]):
    """How wide letters of size 1 are, each asked for once."""

    def __init__(self, context: cairocffi.Context, *, bold: bool) -> None:
        super().__init__()
        self._context, self._bold = context, bold

    def __missing__(self, letter: str) -> float:
        set_font(self._context, 100.0, bold=self._bold)
        self[letter] = wide = text_width(self._context, letter) / 100
        return wide


def _measure(context: cairocffi.Context) -> Width:
    plain, heavy = _Advances(context, bold=False), _Advances(context, bold=True)
    return lambda text, bold: sum(map((heavy if bold else plain).__getitem__, text))


def _outline(surface: cairocffi.PDFSurface, letters: Sequence[Letter], pages: Sequence[Page]) -> None:
    for letter in letters:
        first = next(number for number, page in enumerate(pages, 1) if page.letter is letter)
        surface.add_outline(cairocffi.PDF_OUTLINE_ROOT, letter.name, f"page={first} pos=[0.0 0.0]")


def _draw_page(context: cairocffi.Context, page: Page, number: int, count: int) -> None:
    top = TOP
    for (_, tag), rows in groupby(page.rows, key=lambda row: (row.block, row.tag)):
        context.tag_begin(tag)
        for row in rows:
            _draw_row(context, row, top)
            top += row.height
        context.tag_end(tag)
    _draw_margins(context, page.letter, number, count)


def _draw_margins(context: cairocffi.Context, letter: Letter, number: int, count: int) -> None:
    """What tells a single sheet from those of other packages, and that nobody may dig on it."""
    right = LEFT + WIDTH
    draw_text(context, letter.title, LEFT, 13, size_mm=_SMALL, colour=MUTED)
    told = letter.page.format(page=number, pages=count)
    draw_text(context, told, right, PAGE_HEIGHT - 10, size_mm=_SMALL, colour=MUTED, align="right")
    if letter.state.weight is Weight.STOP:
        words = letter.notices[0].text
        draw_text(context, words, LEFT, 17.5, size_mm=_SMALL, bold=True, colour=WARNING, width_mm=WIDTH)


def _draw_row(context: cairocffi.Context, row: Row, top: float) -> None:
    if row.weight is not None:
        ground, bar = _NOTICES[row.weight]
        _fill(context, Box(LEFT, top, WIDTH, row.height), ground)
        _fill(context, Box(LEFT, top, 2.0, row.height), bar)
    if row.ruled:
        _fill(context, Box(LEFT, top + row.height - 0.5, WIDTH, 0.15), MUTED)
    if row.figure is not None:
        paint_figure(context, row.figure, LEFT, top)
    for looks, pieces in groupby(row.pieces, key=attrgetter("size", "bold", "href")):
        size, bold, href = looks
        set_font(context, size, bold=bold)
        set_colour(context, _LINK if href else INK)
        for piece in pieces:
            _draw_piece(context, piece, top)


def _draw_piece(context: cairocffi.Context, piece: Piece, top: float) -> None:
    # A path within the package leads nowhere from a PDF: readers ask what it is relative to.
    link = piece.href if piece.href and ":" in piece.href else None
    if link:
        context.tag_begin("Link", f"uri='{link}'")
    context.move_to(LEFT + piece.x, top + piece.y)
    show_text(context, piece.text)
    if link:
        context.tag_end("Link")


def _fill(context: cairocffi.Context, box: Box, colour: str) -> None:
    context.rectangle(box.left, box.top, box.width, box.height)
    set_colour(context, colour)
    context.fill()
