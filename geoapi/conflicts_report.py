"""The report of a dig's conflicts: a map, a table with the rules and their sources, and sections; as a page and for print.

It tells the conflicts that it is given, with their own figures, and works none out. What is left out for want of room is
counted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final, Literal

from conflicts.clearances import UNKNOWN_PAIR, ZONES, Clearances, Zone
from conflicts.dig import Dig, footprints
from conflicts.sections import STRETCH_M, Section, Told, sections
from conflicts.words import ZONE_WORDS
from conflicts.zones import together
from geoapi.conflict_map import conflict_map
from geoapi.pages.shared import words_of
from geoapi.section_drawing import ZONE_COLOURS, metres, section_figure
from ler.model import load_model
from ler.packages.figures import Ellipse, Figure, Paint
from ler.packages.figures import Words as Lettering
from ler.packages.letter_flow import WIDTH
from ler.packages.letter_html import page_of
from ler.packages.letter_parts import (
    Block,
    Facts,
    Letter,
    Line,
    Notice,
    Paragraph,
    Table,
    Weight,
    Words,
    given,
    said,
)
from ler.packages.letter_parts import Section as Part
from ler.packages.letter_pdf import write_pdf

type Language = Literal["da", "en"]

MOST_SECTIONS: Final = 20
MOST_ROWS: Final = 1_000
_SHARES: Final = (0.05, 0.2, 0.1, 0.13, 0.34, 0.18)
_RULE_SHARES: Final = (0.3, 0.7)
_SECTION_SHARES: Final = (0.06, 0.3, 0.14, 0.28, 0.22)
_UNDATED: Final = date(1980, 1, 1)
"""Of files that belong to no day, as in the packages."""


@dataclass(frozen=True)
class Reported:
    """A dig and its conflicts."""

    name: str
    dig: Dig
    told: Sequence[Told]
    """Numbered from 1, in this order."""
    clearances: Clearances


def conflicts_report(reported: Reported, language: Language) -> str:
    """Return the report as a page."""
    return page_of([compose_conflicts(reported, language)])


def write_conflicts_pdf(path: Path, reported: Reported, language: Language) -> None:
    """Write the same for print, dated by the day of whose rules it tells."""
    moment = datetime.combine(reported.dig.on or _UNDATED, time(0), UTC)
    write_pdf(path, [compose_conflicts(reported, language)], moment)


def compose_conflicts(reported: Reported, language: Language) -> Letter:
    """Return what both say."""
    words = words_of("conflicts")[language]
    day = reported.dig.on
    found = sections(reported.dig, reported.told, reported.clearances)
    chosen = _chosen(found)
    parts = [
        Part(said(words.in_all), [_in_all(reported, words, language)]),
        Part(said(words.where), _map(reported, chosen, words, language)),
    ]
    if reported.told:
        parts.append(Part(said(words.conflicts), _table(reported, words, language)))
    if chosen:
        parts.append(_sections(reported, chosen, len(found), words, language))
    return Letter(
        language=language,
        name=words.language,
        title=words.title.format(name=reported.name),
        state=Notice(Weight.CARE, words.state),
        date=words.no_date if day is None else words.date.format(day=day),
        notices=(),
        sections=parts,
        page=words.page,
    )


def _chosen(found: Sequence[Section]) -> dict[str, Section]:
    """The sections with the nearest zones, by their letters, in their order along the dig."""

    def nearest(place: int) -> tuple[int, int]:
        zones = [Zone(mark.told.row["zone"]) for mark in found[place].along.marks]
        return min(map(ZONES.index, zones)), place

    places = sorted(sorted(range(len(found)), key=nearest)[:MOST_SECTIONS])
    return {chr(ord("A") + number): found[place] for number, place in enumerate(places)}


def _in_all(reported: Reported, words: Words, language: Language) -> Block:
    if not reported.told:
        return Paragraph(said(words.none))
    counted = Counter(Zone(one.row["zone"]) for one in reported.told)
    depth_m = reported.dig.depth_m
    rows: list[tuple[str, Sequence[Line]]] = [
        (words.conflicts, [said(str(len(reported.told)))]),
        *((ZONE_WORDS[zone][language], [said(str(counted[zone]))]) for zone in ZONES if counted[zone]),
        (words.probability, [said(f"{together([one.row['probability'] for one in reported.told]):.0%}")]),
        (words.depth_told, [said(words.untold if depth_m is None else f"{metres(depth_m, words)} m")]),
    ]
    return Facts(rows)


def _map(
    reported: Reported, chosen: Mapping[str, Section], words: Words, language: Language
) -> Sequence[Block]:
    parts = footprints(reported.dig, reported.clearances)
    figure, left = conflict_map(parts, reported.told, chosen, words)
    blocks: list[Block] = [Paragraph(said(words.map_intro)), figure, _legend(words, language)]
    if left:
        blocks.append(Paragraph(said(words.map_left.format(count=left))))
    placeless = sum(one.row["geom"] is None for one in reported.told)
    if placeless:
        blocks.append(Paragraph(said(words.map_none.format(count=placeless))))
    return blocks


def _legend(words: Words, language: Language) -> Figure:
    figure = Figure(words.zones, ", ".join(ZONE_WORDS[zone][language] for zone in ZONES[:-1]), WIDTH, 5.0)
    for number, zone in enumerate(ZONES[:-1]):
        x = 2 + number * WIDTH / 4
        figure.marks.append(Ellipse(x, 2.5, 1.4, 1.4, Paint(ZONE_COLOURS[zone])))
        figure.marks.append(Lettering(x + 2.6, 3.5, ZONE_WORDS[zone][language], 2.8))
    return figure


def _table(reported: Reported, words: Words, language: Language) -> Sequence[Block]:
    rows = [
        (
            said(str(one.number)),
            (*given(one.row["owner_name"]), *said(f": {_kind(one, language)} "), *given(one.row["gml_id"])),
            said(ZONE_WORDS[Zone(one.row["zone"])][language]),
            said(_distance(one, words)),
            said(one.row[f"reason_{language}"]),
            _rule(one, words),
        )
        for one in reported.told[:MOST_ROWS]
    ]
    head = (words.number, words.line, words.zone, words.distance, words.why, words.rule)
    blocks: list[Block] = [Table(words.table, head, rows, _SHARES)]
    if len(reported.told) > MOST_ROWS:
        left = len(reported.told) - MOST_ROWS
        blocks.append(Paragraph(said(words.rows_left.format(most=MOST_ROWS, count=left))))
    # Each once: they are longer than all else that is told of a conflict.
    rules = {
        (_rule(one, words), given(_source(one, reported.clearances, words)))
        for one in reported.told[:MOST_ROWS]
    }
    rules_told = sorted(rules, key=lambda rule: "".join(str(part) for line in rule for part in line))
    return [*blocks, Table(words.rules, (words.rule, words.source), rules_told, _RULE_SHARES)]


def _kind(one: Told, language: Language) -> str:
    kind = one.row["feature_type"]
    return str(kind if language == "da" else load_model().types[kind].label)


def _interval(least: float | None, most: float | None, words: Words) -> str:
    ends = [words.unknown if end is None else metres(end, words) for end in (least, most)]
    return str(words.beside.format(least=ends[0], most=ends[1]))


def _distance(one: Told, words: Words) -> str:
    told = _interval(one.row["distance_min_m"], one.row["distance_max_m"], words)
    if one.top_m is None:
        return f"{told}; {words.depth_unknown}"
    least, most = (metres(end, words) for end in one.top_m)
    return f"{told}; {words.below.format(least=least, most=most)}"


def _rule(one: Told, words: Words) -> Line:
    """Its id, and whether its source was not looked at."""
    mark = said(f" {words.unverified}") if one.row["unverified"] else ()
    return (*given(one.row["rule"]), *mark)


def _source(one: Told, clearances: Clearances, words: Words) -> str:
    """Where a rule was read; of an owner's own that we may not read, that it is one."""
    name, owner = one.row["rule"], one.row["owner_id"]
    known = {rule.id: rule for rule in (*clearances.rules, *clearances.of_owners.get(owner, ()))}
    if name == UNKNOWN_PAIR:
        return str(words.no_source)
    if name in known:
        return f"{known[name].source}, {known[name].clause}"
    return str(words.own_rule)


def _sections(
    reported: Reported, chosen: Mapping[str, Section], count: int, words: Words, language: Language
) -> Part:
    blocks: list[Block] = [Paragraph(said(words.sections_intro.format(stretch=round(STRETCH_M))))]
    if count > len(chosen):
        told = words.sections_left.format(most=MOST_SECTIONS, count=count - len(chosen))
        blocks.append(Paragraph(said(told)))
    inner = [
        Part(
            said(words.section.format(name=name)),
            [
                section_figure(section, name, reported.dig.depth_m, words),
                _lines(section, name, words, language),
            ],
        )
        for name, section in chosen.items()
    ]
    return Part(said(words.sections), blocks, inner)


def _lines(section: Section, name: str, words: Words, language: Language) -> Table:
    rows = []
    for view in (section.across, section.along):
        start_m = view.left_m if view.side == "along" else 0.0
        for mark in view.marks:
            at, half = metres(mark.at_m - start_m, words), metres(mark.half_m, words)
            one = mark.told
            rows.append(
                (
                    said(str(one.number)),
                    (*given(one.row["owner_name"]), *said(f": {_kind(one, language)}")),
                    said(ZONE_WORDS[Zone(one.row["zone"])][language]),
                    said(
                        f"{getattr(words, view.side).format(name=name)}: {words.placed.format(at=at, half=half)}"
                    ),
                    said(_distance(one, words)),
                )
            )
    head = (words.number, words.line, words.zone, words.place, words.distance)
    return Table(words.section_lines, head, rows, _SECTION_SHARES)
