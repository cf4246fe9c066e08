"""The last pages of the plan: every owner that was asked, what it answered and when, of when its data are, whom to call.

All that the sheets have no room for stands here, the warnings in full.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

import cairocffi

from ler.packages.advice import ALL_ANSWERED, advise, moment_text, status_of
from ler.packages.content import OwnerStatus
from ler.packages.contents import Contents
from ler.packages.map_canvas import (
    INK,
    MUTED,
    WARNING,
    Box,
    clean,
    draw_panel,
    draw_text,
    prepare_context,
    set_font,
    wrap,
)
from ler.packages.map_sheet import Subject
from ler.packages.map_texts import Said, grouped
from ler.packages.verification import verification_url

SHEET: Final = Box(0, 0, 297, 210)

_MARGIN_MM = 12.0
_TOP_MM, _BOTTOM_MM = 26.0, 198.0
_SIZE_MM, _LINE_MM, _GAP_MM = 2.6, 3.6, 2.0
_HEADS: Final = (
    (Said("Tegn", "Letters"), 18.0),
    (Said("Ledningsejer", "Owner"), 56.0),
    (Said("Svar", "Answer"), 54.0),
    (Said("Besvaret", "Answered"), 35.0),
    (Said("Data fra", "Data of"), 35.0),
    (Said("Antal", "Features"), 15.0),
    (Said("Kontakt", "Contact"), 60.0),
)
"""Heads of the columns and their widths, mm."""


@dataclass(frozen=True, slots=True)
class _Block:
    """What is not torn between pages: lines of cells, each with its distance from the margin, mm."""

    lines: Sequence[Sequence[tuple[float, str]]]
    colour: str = INK
    bold: bool = False
    ruled: bool = True

    @property
    def height_mm(self) -> float:
        return _LINE_MM * len(self.lines) + _GAP_MM


def owners_pages(context: cairocffi.Context, contents: Contents, subject: Subject) -> list[list[_Block]]:
    """What stands on each of the pages, which are A4 across; the context measures the letters."""
    prepare_context(context)
    heads = _Block(
        _cells(
            [head.both if head.da == head.en else head.da for head, _ in _HEADS],
            [head.en for head, _ in _HEADS],
        ),
        MUTED,
    )
    rows = [_row(context, owner, subject) for owner in contents.owners]
    pages: list[list[_Block]] = [[]]
    room = _BOTTOM_MM - _TOP_MM
    for block in (*_warnings(context, contents), heads, *rows):
        if pages[-1] and block.height_mm > room:
            pages.append([heads])
            room = _BOTTOM_MM - _TOP_MM - heads.height_mm
        pages[-1].append(block)
        room -= block.height_mm
    return pages


def draw_owners_page(
    context: cairocffi.Context, contents: Contents, blocks: Sequence[_Block], which: str
) -> None:
    """Draw one of the pages on a context whose unit is a millimetre; `which` says which of how many it is."""
    prepare_context(context)
    draw_panel(context, SHEET, fill="#ffffff")
    request, right = contents.request, SHEET.width - _MARGIN_MM
    title = Said(f"Ledningsejere, forespørgsel {request.order_number}", "Owners that were asked").both
    draw_text(context, title, _MARGIN_MM, 16, size_mm=5, bold=True)
    draw_text(context, which, right, 16, size_mm=3.2, align="right")
    told = moment_text(request.changed_at or request.created_at)
    words = f"{Said('Udgave', 'Revision').both} {request.revision} · {told}"
    url = verification_url(contents)
    draw_text(context, f"{words} · {url}" if url else words, _MARGIN_MM, 21.5, size_mm=2.6, colour=MUTED)
    y = _TOP_MM
    for block in blocks:
        if block.ruled:
            draw_panel(context, Box(_MARGIN_MM, y - 0.3, right - _MARGIN_MM, 0.12), fill=MUTED)
        for number, line in enumerate(block.lines, start=1):
            for x, cell in line:
                draw_text(
                    context,
                    cell,
                    _MARGIN_MM + x,
                    y + _LINE_MM * number - 0.6,
                    size_mm=_SIZE_MM,
                    colour=block.colour,
                    bold=block.bold,
                )
        y += block.height_mm


def _warnings(context: cairocffi.Context, contents: Contents) -> Iterator[_Block]:
    width = SHEET.width - 2 * _MARGIN_MM
    for advice in advise(contents.request, contents.owners):
        colour = INK if advice.code == ALL_ANSWERED else WARNING
        for words, lines in (
            (advice.da, [da for da, _ in advice.lines]),
            (advice.en, [en for _, en in advice.lines]),
        ):
            set_font(context, _SIZE_MM, bold=True)
            yield _Block(
                [[(0, line)] for line in wrap(context, words, width, 3)], colour, bold=True, ruled=False
            )
            set_font(context, _SIZE_MM)
            for line in lines:
                yield _Block([[(4, one)] for one in wrap(context, line, width - 4, 4)], ruled=False)


def _row(context: cairocffi.Context, owner: OwnerStatus, subject: Subject) -> _Block:
    letters = [
        label
        for (_, name), label in sorted(subject.scene.labels.items(), key=lambda one: one[1])
        if name == clean(owner.name)
    ]
    contact = owner.contacts[0] if owner.contacts else None
    answered = [moment_text(one.answered_at) for one in owner.deliveries if one.answered_at]
    data = [moment_text(one.published_at) for one in owner.deliveries if one.published_at]
    cells = (
        [", ".join(letters)],
        [owner.name, f"CVR {owner.cvr}"],
        [f"{area.registration_number}: {status_of(owner, area)}" for area in owner.areas],
        answered,
        data,
        [grouped(owner.feature_count)],
        [
            one
            for one in (
                (contact.name, contact.phone, contact.email) if contact else (owner.phone, owner.email)
            )
            if one
        ],
    )
    set_font(context, _SIZE_MM)
    wrapped = [
        [line for words in cell for line in wrap(context, words, width - 2, 3)]
        for cell, (_, width) in zip(cells, _HEADS, strict=True)
    ]
    return _Block(_cells(*zip_longest(*wrapped, fillvalue="")), WARNING if owner.missing else INK)


def _cells(*lines: Sequence[str]) -> list[list[tuple[float, str]]]:
    """Lines of one word for each column, put in their places."""
    places = [sum(width for _, width in _HEADS[:number]) for number in range(len(_HEADS))]
    return [[(x, cell) for x, cell in zip(places, line, strict=True) if cell] for line in lines]
