"""The report of a plan of windows, or of windows that are kept: figures, and of each window a map, a timeline and its works.

As a page and for print. The windows that save most are drawn; the figures are of all that are not over.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

from shapely.geometry.base import BaseGeometry

from conflicts.windows.proposals import Proposal
from geoapi.pages.shared import words_of
from geoapi.windows_desk import Kept, Planned, total_of
from geoapi.windows_drawing import ShownWork, timeline, window_map
from ler.domain.legal_time import local
from ler.domain.windows import WindowState
from ler.domain.works import PlannedWork
from ler.packages.letter_html import page_of
from ler.packages.letter_parts import (
    Block,
    Facts,
    Items,
    Letter,
    Line,
    Notice,
    Paragraph,
    Section,
    Table,
    Weight,
    Words,
    given,
    said,
)
from ler.packages.letter_pdf import write_pdf
from ler.services.windows import StoredWindow

type Language = Literal["da", "en"]

MOST_DRAWN: Final = 100
"""Windows that are drawn; a browser is slow with more."""

_FIGURES: Final = (
    *("works", "windows", "works_in_windows", "moved"),
    *("days_saved", "surface_saved_m2", "openings_saved", "saved_dkk"),
)
_OVER: Final = frozenset({WindowState.DECLINED, WindowState.EXPIRED, WindowState.WITHDRAWN})
_SHARES_OF_BEST: Final = ("mean_gap", "gap")
_SHARES: Final = (0.08, 0.46, 0.28, 0.18)
_SHARES_ASKED: Final = (0.08, 0.36, 0.26, 0.14, 0.16)


def windows_report(planned: Planned, language: Language, *, most: int = MOST_DRAWN) -> str:
    """Return the report as a page in a language, with the `most` windows that save most drawn."""
    return page_of([compose_windows(planned, language, most=most)])


def write_windows_pdf(path: Path, planned: Planned, language: Language, *, most: int = MOST_DRAWN) -> None:
    """Write the same for print, dated by the day of the plan."""
    write_pdf(path, [compose_windows(planned, language, most=most)], _midnight(planned.brief.today))


def kept_report(kept: Kept, language: Language, *, most: int = MOST_DRAWN) -> str:
    """Return the windows that are kept, with what was answered, as a page; the `most` that save most drawn."""
    return page_of([compose_kept(kept, language, most=most)])


def write_kept_pdf(path: Path, kept: Kept, language: Language, *, most: int = MOST_DRAWN) -> None:
    """Write the same for print, dated by its day."""
    write_pdf(path, [compose_kept(kept, language, most=most)], _midnight(kept.today))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), UTC)


def compose_windows(planned: Planned, language: Language, *, most: int) -> Letter:
    """Return what both say of a plan."""
    words = words_of("windows")[language]
    best = sorted(planned.proposals, key=lambda one: (-one.benefit.dkk, one.start, one.pilot.id))[:most]
    findings = [given(one.da if language == "da" else one.en) for one in planned.plan.findings]
    total = total_of(planned)
    sections = [_in_all(total, _SHARES_OF_BEST, words, language)]
    if findings:
        sections.append(Section(said(words.findings), [Items(findings)]))
    sections += [_proposed(turn, one, words, language) for turn, one in enumerate(best, 1)]
    sources = [
        said(f"{getattr(words, f'price_{name}', name)}: {source[language]}")
        for name, source in sorted(planned.brief.prices.sources.items())
    ]
    sections.append(Section(said(words.sources), [Items(sources)]))
    return _letter(words.state, words.date.format(day=planned.brief.today), sections, words, language)


def compose_kept(kept: Kept, language: Language, *, most: int) -> Letter:
    """Return what both say of the windows that are kept."""
    words = words_of("windows")[language]
    best = sorted(kept.windows, key=lambda one: (-_saved(one), one.seq))[:most]
    counted = [one for one in kept.windows if one.state not in _OVER]
    members = [one.member for window in counted for one in window.members]
    windows = [one.window for one in counted]
    total = {
        "windows": len(windows),
        "works_in_windows": len({one.work_id for one in members}),
        "moved": len({one.work_id for one in members if one.moved_days}),
        "days_saved": sum(one.days_saved for one in windows),
        "surface_saved_m2": sum(one.surface_saved_m2 for one in windows),
        "openings_saved": sum(one.openings_saved for one in windows),
        "saved_dkk": sum(_saved(one) for one in counted),
    }
    sections = [_in_all(total, (), words, language)]
    sections += [_kept(turn, one, kept.works, words, language) for turn, one in enumerate(best, 1)]
    return _letter(words.kept, words.kept_date.format(day=kept.today), sections, words, language)


def _saved(window: StoredWindow) -> int:
    return window.window.gain_dkk - window.window.move_dkk


def _letter(state: str, dated: str, sections: list[Section], words: Words, language: Language) -> Letter:
    return Letter(
        language=language,
        name=words.language,
        title=words.title,
        state=Notice(Weight.CARE, state),
        date=dated,
        notices=(),
        sections=sections,
        page=words.page,
    )


def _in_all(total: Mapping[str, float], shares: Sequence[str], words: Words, language: Language) -> Section:
    number = _danish if language == "da" else _english
    rows = [(getattr(words, name), [said(number(total[name]))]) for name in _FIGURES if name in total]
    rows += [(getattr(words, name), [said(f"{number(100 * total[name])} %")]) for name in shares]
    return Section(said(words.in_all), [Paragraph(said(words.intro)), Facts(rows)])


def _proposed(turn: int, one: Proposal, words: Words, language: Language) -> Section:
    works = [
        ShownWork(
            title=member.work.title,
            footprint=member.work.footprint,
            start=member.placement.start,
            end=member.placement.end,
            stands=member.placement.stands,
            moved_days=member.placement.moved_days,
            is_pilot=member.work.id == one.pilot.id,
        )
        for member in one.members
    ]
    number = _danish if language == "da" else _english
    reason = one.reason_da if language == "da" else one.reason_en
    told = f"{reason} {words.within} {number(100 * one.gap)} %."
    title = (*said(f"{turn}. "), *given(one.pilot.title), *said(f": {one.start} – {one.end}"))
    return _window(title, told, one.geometry, works, words)


def _kept(
    turn: int, one: StoredWindow, works: Mapping[UUID, PlannedWork], words: Words, language: Language
) -> Section:
    window, asked = one.window, one.state is not WindowState.PROPOSED
    shown = [
        ShownWork(
            title=stored.title,
            footprint=works[stored.member.work_id].footprint if stored.member.work_id in works else None,
            start=stored.member.start_on,
            end=stored.member.end_on,
            stands=stored.member.stands_on,
            moved_days=stored.member.moved_days,
            is_pilot=stored.member.work_id == window.pilot_work_id,
            answer=stored.answer if asked else None,
        )
        for stored in one.members
    ]
    reason = window.reason_da if language == "da" else window.reason_en
    state = getattr(words, f"state_{one.state.value}")
    if one.state is WindowState.INVITED and one.answer_by is not None:
        state = state.format(until=f"{local(one.answer_by):%Y-%m-%d %H:%M}")
    pilot = next((work.title for work in shown if work.is_pilot), str(window.pilot_work_id))
    title = (*said(f"{turn}. "), *given(pilot), *said(f": {window.start_on} – {window.end_on}"))
    return _window(title, f"{state} {reason}", window.geometry, shown, words)


def _window(title: Line, told: str, place: BaseGeometry, works: Sequence[ShownWork], words: Words) -> Section:
    asked = any(work.answer is not None for work in works)
    heads = (words.order, words.work, words.days, words.moves, *((words.answer,) if asked else ()))
    rows = [
        (
            said(str(turn)),
            given(work.title),
            said(f"{work.start} – {work.end}"),
            said(f"{work.moved_days:+d}" if work.moved_days else "0"),
            *((said(getattr(words, f"answer_{work.answer.value}")),) if work.answer is not None else ()),
        )
        for turn, work in enumerate(works, 1)
    ]
    blocks: list[Block] = [
        Paragraph(said(told)),
        window_map(works, place, words),
        timeline(works, words),
        Table(words.in_order, heads, rows, _SHARES_ASKED if asked else _SHARES),
    ]
    return Section(title, blocks)


def _english(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _danish(value: float) -> str:
    return _english(value).translate(str.maketrans(",.", ".,"))
