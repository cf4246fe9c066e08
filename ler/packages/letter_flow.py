"""A letter laid out on sheets of paper: lines broken to their width, rows filled into pages. Lengths in millimetres.

A word longer than its line is broken wherever it must be, so that nothing runs off the sheet.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ler.packages.figures import Figure
from ler.packages.letter_parts import (
    Block,
    Facts,
    Items,
    Letter,
    Line,
    Notice,
    Paragraph,
    Run,
    Section,
    Table,
    Weight,
)

PAGE_WIDTH: Final = 210.0
PAGE_HEIGHT: Final = 297.0
LEFT: Final = 18.0
TOP: Final = 24.0
WIDTH: Final = PAGE_WIDTH - 2 * LEFT
ROOM: Final = PAGE_HEIGHT - TOP - 20.0
"""For rows, on each page."""

_SIZE: Final = 3.2
_SPACING: Final = 1.35
_PADDING: Final = 1.2
_LABEL: Final = 46.0
_HEADINGS: Final = {"H1": (6.0, 5.0), "H2": (4.6, 6.0), "H3": (3.7, 4.0)}
"""Size of the letters, and the space before."""
_MOST_CELL_LINES: Final = 30
"""Longer texts are cut in tables; the owner's own part has them whole."""

type Width = Callable[[str, bool], float]
"""How wide a text is in letters of size 1, plain or bold."""


class Piece(NamedTuple):
    """Text on a line: `x` from the left of the rows, `y` of its baseline from the top of its row."""

    x: float
    y: float
    text: str
    size: float = _SIZE
    bold: bool = False
    href: str | None = None


class Row(NamedTuple):
    """What stays together on a page."""

    height: float
    pieces: Sequence[Piece] = ()
    tag: str = "P"
    """Of PDF's standard structure."""
    block: int = 0
    """Rows of one block follow each other with the same number."""
    keep: bool = False
    """Not the last of a page."""
    weight: Weight | None = None
    """Painted as a notice."""
    ruled: bool = False
    """A line below."""
    head: tuple["Row", ...] = ()
    """Rows that stand above it again on a new page."""
    figure: Figure | None = None


@dataclass(slots=True)
class Page:
    """A sheet."""

    letter: Letter
    rows: list[Row] = field(default_factory=list)


def lay_out(letter: Letter, states: Sequence[Notice], width: Width) -> list[Page]:
    """Return the pages of a letter, which begins with `states`."""
    return _paginate(letter, list(_Flow(width).rows(letter, states)))


def _paginate(letter: Letter, rows: Sequence[Row]) -> list[Page]:
    pages = [Page(letter)]
    used = 0.0
    for number, row in enumerate(rows):
        needed = row.height
        following = number
        while rows[following].keep and following + 1 < len(rows):
            following += 1
            needed += rows[following].height
        if used + needed > ROOM and pages[-1].rows:
            kept = list(row.head)
            pages.append(Page(letter, kept))
            used = sum(one.height for one in kept)
        pages[-1].rows.append(row)
        used += row.height
    return pages


class _Flow:
    """Rows of a letter, one after another."""

    def __init__(self, width: Width) -> None:
        self.width = width
        self.block = 0

    def rows(self, letter: Letter, states: Sequence[Notice]) -> Iterator[Row]:
        for state in states:
            yield from self._block(state)
        yield from self._heading((Run(letter.title),), "H1")
        yield from self._block(Paragraph((Run(letter.date),)))
        for notice in letter.notices:
            yield from self._block(notice)
        for section in letter.sections:
            yield from self._section(section, "H2")

    def _section(self, section: Section, tag: str) -> Iterator[Row]:
        yield from self._heading(section.title, tag)
        for block in section.blocks:
            yield from self._block(block)
        for inner in section.sections:
            yield from self._section(inner, "H3")

    def _heading(self, line: Line, tag: str) -> Iterator[Row]:
        self.block += 1
        size, before = _HEADINGS[tag]
        yield Row(before, keep=True, block=-self.block)
        for row in self._text(line, WIDTH, size=size, bold=True):
            yield row._replace(tag=tag, keep=True)

    def _block(self, block: Block) -> Iterator[Row]:
        self.block += 1
        match block:
            case Notice():
                yield from self._notice(block)
            case Paragraph():
                yield from self._text(block.line, WIDTH)
            case Items():
                for line in block.lines:
                    yield from self._item(line)
            case Facts():
                for name, values in block.rows:
                    yield from self._fact(name, values)
            case Table():
                yield from self._table(block)
            case Figure():
                yield Row(block.height, tag="Figure", block=self.block, figure=block)
        yield Row(1.6, block=-self.block)

    def _notice(self, notice: Notice) -> Iterator[Row]:
        yield Row(_PADDING, block=self.block, weight=notice.weight, keep=True)
        rows = list(self._text((Run(notice.text),), WIDTH - 8, x=5, bold=True))
        for line in notice.lines:
            rows += self._item(line, x=5, width=WIDTH - 8)
        for row in rows:
            yield row._replace(weight=notice.weight)
        yield Row(_PADDING, block=self.block, weight=notice.weight)

    def _item(self, line: Line, x: float = 0, width: float = WIDTH) -> Iterator[Row]:
        self.block += 1
        rows = list(self._text(line, width - 4, x=x + 4))
        if rows:
            mark = Piece(x, rows[0].pieces[0].y, "•")
            yield rows[0]._replace(pieces=(mark, *rows[0].pieces))
            yield from rows[1:]

    def _fact(self, name: str, values: Sequence[Line]) -> Iterator[Row]:
        self.block += 1
        rows = [row for value in values for row in self._text(value, WIDTH - _LABEL, x=_LABEL)]
        if not rows:
            return
        labels = list(self._text((Run(name),), _LABEL - 2, bold=True))
        for number in range(max(len(rows), len(labels))):
            pieces = [piece for side in (labels, rows) if number < len(side) for piece in side[number].pieces]
            yield rows[0]._replace(pieces=pieces)

    def _table(self, table: Table) -> Iterator[Row]:
        for row in self._text((Run(table.caption),), WIDTH, bold=True):
            yield row._replace(keep=True)
        head = self._table_row(table, [(Run(name),) for name in table.head], bold=True)
        yield head._replace(keep=True)
        for cells in table.rows:
            yield self._table_row(table, cells)._replace(head=(head,))

    def _table_row(self, table: Table, cells: Sequence[Line], *, bold: bool = False) -> Row:
        self.block += 1
        pieces: list[Piece] = []
        x = height = 0.0
        for cell, share in zip(cells, table.shares, strict=True):
            y = _PADDING / 2
            for row in self._cell(cell, share * WIDTH - 2, x, bold=bold):
                pieces += [piece._replace(y=piece.y + y) for piece in row.pieces]
                y += row.height
            height = max(height, y)
            x += share * WIDTH
        return Row(height + _PADDING, pieces, block=self.block, ruled=True)

    def _cell(self, cell: Line, width: float, x: float, *, bold: bool) -> list[Row]:
        rows = list(self._text(cell, width, x=x, bold=bold))
        if len(rows) <= _MOST_CELL_LINES:
            return rows
        last = rows[_MOST_CELL_LINES - 1]
        return [*rows[: _MOST_CELL_LINES - 1], last._replace(pieces=[last.pieces[0]._replace(text="…")])]

    def _text(
        self, line: Line, width: float, *, x: float = 0, size: float = _SIZE, bold: bool = False
    ) -> Iterator[Row]:
        """Break a line of runs; a row for each part of it."""
        height, baseline = size * _SPACING, size * 1.05
        for parts in self._break(line, width / size, bold=bold):
            pieces, at = [], x
            for run, words, wide in parts:
                pieces.append(Piece(at, baseline, words, size, bold, run.href))
                at += wide * size
            yield Row(height, pieces, block=self.block)

    def _break(self, line: Line, width: float, *, bold: bool) -> Iterator[list[tuple[Run, str, float]]]:
        """Yield what of the runs stands in each line, with its width, in letters of size 1."""
        whole = [(run, run.text, self.width(run.text, bold)) for run in line]
        if whole and sum(wide for _, _, wide in whole) <= width:
            yield whole
            return
        parts: list[tuple[Run, str, float]] = []
        used = 0.0
        for run in line:
            for word in self._words(run.text, width, bold=bold):
                wide = self.width(word, bold)
                if parts and used + wide > width and word != " ":
                    yield parts
                    parts, used = [], 0.0
                if parts and parts[-1][0] is run:
                    _, words, before = parts[-1]
                    parts[-1] = (run, words + word, before + wide)
                else:
                    parts.append((run, word, wide))
                used += wide
        if parts:
            yield parts

    def _words(self, text: str, width: float, *, bold: bool) -> Iterator[str]:
        """Yield the words with the space after them, too long ones in pieces."""
        for number, word in enumerate(text.split(" ")):
            if number:
                yield " "
            while self.width(word, bold) > width and len(word) > 1:
                fits = len(word)
                while fits > 1 and self.width(word[:fits], bold) > width:
                    fits = max(1, min(fits - 1, int(fits * width / self.width(word[:fits], bold))))
                yield word[:fits]
                word = word[fits:]  # noqa: PLW2901 - what is left of it
            if word:
                yield word
