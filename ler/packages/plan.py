"""The plan of a package: a PDF of vectors and real text, sheets at true scale that GIS programs lay in place.

Where there are several sheets an index comes first; the list of owners comes last. The same contents give the same
bytes: the times within are those of the package, the identifiers a digest of the content. Refuses coordinates that are
not finite, and areas that no paper shows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import cairocffi

from ler.errors import UnavailableError
from ler.packages.contents import Contents
from ler.packages.map_canvas import INK, Box, Frame, draw_panel, draw_text, set_colour, set_font, text_width
from ler.packages.map_sheet import Layout, Place, draw_sheet, lay_out
from ler.packages.map_subject import subject_of
from ler.packages.map_texts import map_text
from ler.packages.plan_owners import SHEET as OWNERS_SHEET
from ler.packages.plan_owners import draw_owners_page, owners_pages
from ler.packages.plan_place import lay_in_place
from ler.packages.plan_sheets import Sheets, choose_sheets

POINTS_PER_MM: Final = 72 / 25.4


@dataclass(frozen=True, slots=True)
class _Page:
    layout: Layout
    frame: Frame
    place: Place


def write_plan(path: Path, contents: Contents) -> int:
    """Write the plan; gives how many features have a place on it. UnavailableError when it cannot be written."""
    stream = BytesIO()
    surface = cairocffi.PDFSurface(stream, 1, 1)
    _describe(surface, contents)
    context = cairocffi.Context(surface)
    subject = subject_of(contents)
    shown = contents.request.area.buffer(contents.request.clip_buffer_m)
    sheets = choose_sheets(shown, lambda paper: lay_out(context, paper.box, subject.text))
    pages = list(_pages(sheets))
    for page in pages:
        _begin(surface, context, sheets.paper.box)
        draw_sheet(context, page.layout, page.frame, subject, page.place)
        if page.place.is_index:
            _draw_frames(context, page.frame, sheets)
        surface.show_page()
    lists = owners_pages(context, contents, subject)
    for number, blocks in enumerate(lists, start=1):
        _begin(surface, context, OWNERS_SHEET)
        draw_owners_page(context, contents, blocks, f"{number}/{len(lists)}")
        surface.show_page()
    surface.finish()
    try:
        path.write_bytes(lay_in_place(stream.getvalue(), [page.frame for page in pages]))
    except OSError as error:
        raise UnavailableError(f"The plan {path.name} cannot be written.") from error
    return len(subject.scene.features)


def _describe(surface: cairocffi.PDFSurface, contents: Contents) -> None:
    """Title and times; cairo would take the clock's."""
    request = contents.request
    told = (request.changed_at or request.created_at).isoformat(timespec="seconds")
    surface.set_metadata(
        cairocffi.PDF_METADATA_TITLE, f"Graveforespørgsel {request.order_number}, udgave {request.revision}"
    )
    surface.set_metadata(cairocffi.PDF_METADATA_CREATE_DATE, told)
    surface.set_metadata(cairocffi.PDF_METADATA_MOD_DATE, told)


def _pages(sheets: Sheets) -> Iterator[_Page]:
    count, paper = len(sheets.sheets), sheets.paper.name
    if sheets.index:
        yield _Page(sheets.layout, sheets.index, Place(map_text("index"), paper, is_index=True))
    for sheet in sheets.sheets:
        label = map_text("sheet", number=sheet.number, count=count) if count > 1 else None
        neighbours = {side: map_text("to_sheet", number=number) for side, number in sheet.neighbours.items()}
        yield _Page(sheets.layout, sheet.frame, Place(label, paper, neighbours))


def _begin(surface: cairocffi.PDFSurface, context: cairocffi.Context, sheet: Box) -> None:
    surface.set_size(sheet.width * POINTS_PER_MM, sheet.height * POINTS_PER_MM)
    context.identity_matrix()
    context.scale(POINTS_PER_MM, POINTS_PER_MM)


def _draw_frames(context: cairocffi.Context, frame: Frame, sheets: Sheets) -> None:
    """The sheets' frames on the index, with their numbers."""
    context.set_dash([])
    for sheet in sheets.sheets:
        west, south, east, north = sheet.frame.bounds
        left, top = frame.x_mm(west), frame.y_mm(north)
        box = Box(left, top, frame.x_mm(east) - left, frame.y_mm(south) - top)
        context.new_path()
        context.rectangle(box.left, box.top, box.width, box.height)
        set_colour(context, INK)
        context.set_line_width(0.35)
        context.stroke()
        size = max(3.0, min(8.0, box.height / 3))
        set_font(context, size, bold=True)
        words = str(sheet.number)
        half, x, y = text_width(context, words) / 2 + 1, box.left + box.width / 2, box.top + box.height / 2
        draw_panel(context, Box(x - half, y - 0.55 * size, 2 * half, 1.1 * size), fill="#ffffff", edge=INK)
        draw_text(context, words, x, y + 0.36 * size, size_mm=size, bold=True, align="centre")
