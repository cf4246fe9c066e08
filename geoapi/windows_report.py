"""The report of a plan of windows: figures, and of each window a map, a timeline and its works; as a page and for print.

The windows that save most are drawn; the figures are of all.
"""

from datetime import UTC, datetime, time
from pathlib import Path
from typing import Final, Literal

from conflicts.windows.proposals import Proposal
from geoapi.pages.shared import words_of
from geoapi.windows_desk import Planned, total_of
from geoapi.windows_drawing import timeline, window_map
from ler.packages.letter_html import page_of
from ler.packages.letter_parts import (
    Block,
    Facts,
    Items,
    Letter,
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

type Language = Literal["da", "en"]

MOST_DRAWN: Final = 100
"""Windows that are drawn; a browser is slow with more."""

_FIGURES: Final = (
    *("works", "windows", "works_in_windows", "moved"),
    *("days_saved", "surface_saved_m2", "openings_saved", "saved_dkk"),
)
_SHARES: Final = (0.08, 0.46, 0.28, 0.18)


def windows_report(planned: Planned, language: Language, *, most: int = MOST_DRAWN) -> str:
    """Return the report as a page in a language, with the `most` windows that save most drawn."""
    return page_of([compose_windows(planned, language, most=most)])


def write_windows_pdf(path: Path, planned: Planned, language: Language, *, most: int = MOST_DRAWN) -> None:
    """Write the same for print, dated by the day of the plan."""
    moment = datetime.combine(planned.brief.today, time(0), UTC)
    write_pdf(path, [compose_windows(planned, language, most=most)], moment)


def compose_windows(planned: Planned, language: Language, *, most: int) -> Letter:
    """Return what both say."""
    words = words_of("windows")[language]
    best = sorted(planned.proposals, key=lambda one: (-one.benefit.dkk, one.start, one.pilot.id))[:most]
    findings = [given(one.da if language == "da" else one.en) for one in planned.plan.findings]
    sections = [
        Section(said(words.in_all), [Paragraph(said(words.intro)), _figures(planned, words, language)])
    ]
    if findings:
        sections.append(Section(said(words.findings), [Items(findings)]))
    sections += [_window(number, one, words, language) for number, one in enumerate(best, 1)]
    sources = [said(f"{name}: {source}") for name, source in sorted(planned.brief.prices.sources.items())]
    sections.append(Section(said(words.sources), [Items(sources)]))
    return Letter(
        language=language,
        name=words.language,
        title=words.title,
        state=Notice(Weight.CARE, words.state),
        date=words.date.format(day=planned.brief.today),
        notices=(),
        sections=sections,
        page=words.page,
    )


def _figures(planned: Planned, words: Words, language: Language) -> Facts:
    number, total = _danish if language == "da" else _english, total_of(planned)
    rows = [(getattr(words, name), [said(number(total[name]))]) for name in _FIGURES]
    rows += [(getattr(words, name), [said(f"{number(100 * total[name])} %")]) for name in ("mean_gap", "gap")]
    return Facts(rows)


def _window(turn: int, one: Proposal, words: Words, language: Language) -> Section:
    number = _danish if language == "da" else _english
    reason = one.reason_da if language == "da" else one.reason_en
    rows = [
        (
            said(str(place)),
            given(member.work.title),
            said(f"{member.placement.start} – {member.placement.end}"),
            said(f"{member.placement.moved_days:+d}" if member.placement.moved_days else "0"),
        )
        for place, member in enumerate(one.members, 1)
    ]
    blocks: list[Block] = [
        Paragraph(said(f"{reason} {words.within} {number(100 * one.gap)} %.")),
        window_map(one, words),
        timeline(one.members, one.pilot.id, words),
        Table(words.in_order, (words.order, words.work, words.days, words.moves), rows, _SHARES),
    ]
    title = (*said(f"{turn}. "), *given(one.pilot.title), *said(f": {one.start} – {one.end}"))
    return Section(title, blocks)


def _english(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _danish(value: float) -> str:
    return _english(value).translate(str.maketrans(",.", ".,"))
