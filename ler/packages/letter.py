"""The letter that goes with a package: whether anybody may dig, what needs care, what was asked, who answered what.

For who digs, not for programs: the manifest tells them the same. Nothing in it is guessed; what others wrote stands in
it as plain text. It refuses nothing.
"""

import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from types import SimpleNamespace
from typing import Final

from pyproj import Transformer

from ler.packages.addresses import Sketch, sketches_in
from ler.packages.advice import (
    ALL_ANSWERED,
    MARKING,
    MISSING,
    PLANNING,
    Advice,
    Language,
    advise,
    moment_text,
)
from ler.packages.care import Care, care_of
from ler.packages.contents import Contents
from ler.packages.described import described_in, owners_files
from ler.packages.letter_owners import owners_section
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
    joined,
    member,
    said,
)
from ler.packages.letter_warnings import warnings_blocks
from ler.packages.map_texts import decimal, grouped

_STOPS: Final = frozenset({MISSING, MARKING, PLANNING})
_MOST_PRECAUTIONS: Final = 200
"""In one letter: more than that are not read, and stand in the data."""


def compose_all(contents: Contents) -> list[Letter]:
    """Return the letter in Danish and in English."""
    return [compose(contents, "da"), compose(contents, "en")]


def compose(contents: Contents, language: Language) -> Letter:
    """Return the letter of a consolidated package in one language."""
    words, request = letter_words(language), contents.request
    advice = advise(request, contents.owners)
    notices = [_notice(one, language) for one in advice]
    told = moment_text(request.changed_at or request.created_at)
    return Letter(
        language,
        words.name,
        words.title.format(number=request.order_number, revision=request.revision),
        _state(contents, notices[0] if notices else None, words),
        words.date.format(moment=told),
        notices,
        [
            Section(said(words.care), _care(contents, words, language)),
            Section(said(words.request), [_request(contents, words, language)]),
            owners_section(contents, words, language),
            *_addresses(contents, words),
            Section(said(words.files), _files(contents, words, language)),
        ],
        words.page,
    )


@cache
def letter_words(language: Language) -> Words:
    """Return the words of the letter."""
    read = tomllib.loads(files("ler.packages").joinpath("letter.toml").read_text(encoding="utf-8"))
    return SimpleNamespace(**read[language])


def _state(contents: Contents, first: Notice | None, words: Words) -> Notice:
    """The first line: what forbids digging, and the time by which the last of those who are missing must answer."""
    if first is None:
        return Notice(Weight.CARE, words.no_lines)
    due = max(
        (area.due_at for owner in contents.owners for area in owner.missing if area.due_at), default=None
    )
    if due is None:
        return Notice(first.weight, first.text)
    return Notice(first.weight, words.state.format(words=first.text, due=moment_text(due)))


def _notice(advice: Advice, language: Language) -> Notice:
    weight = Weight.STOP if advice.code in _STOPS else Weight.CARE
    if advice.code == ALL_ANSWERED:
        weight = Weight.DONE
    lines = [da if language == "da" else en for da, en in advice.lines]
    return Notice(weight, advice.da if language == "da" else advice.en, [given(line) for line in lines])


def _found_care(contents: Contents) -> Care:
    return care_of(contents.assessed, contents.owners)


def _care(contents: Contents, words: Words, language: Language) -> list[Block]:
    care = contents.once(_found_care)
    blocks: list[Block] = [Paragraph(said(words.care_intro))]
    if not contents.assessed:
        blocks.append(Paragraph(said(words.no_lines)))
    elif not care.dangers and not care.precautions and not contents.warnings:
        blocks.append(Paragraph(said(words.care_none)))
    blocks += warnings_blocks(contents, words, language)
    if care.dangers:
        blocks.append(_dangers(care, words, language))
    if care.precautions:
        blocks += [Paragraph(said(f"{words.precautions}:")), Items(list(_precautions(care, words, language)))]
    if care.places:
        blocks += [_places(care, words, language), Paragraph(said(words.uncertain_words))]
    return blocks


def _dangers(care: Care, words: Words, language: Language) -> Table:
    rows = [
        (
            said(one.danger.name.in_language(language)),
            said(one.utility.name.in_language(language)),
            given(one.owner.name),
            *(said(grouped(count, language)) for count in (one.inside, one.reaching, one.total)),
        )
        for one in care.dangers
    ]
    return Table(words.dangers, words.danger_head, rows, (0.13, 0.19, 0.27, 0.16, 0.14, 0.11))


def _precautions(care: Care, words: Words, language: Language) -> Iterator[Line]:
    for one in care.precautions[:_MOST_PRECAUTIONS]:
        count = words.precaution_count.format(count=grouped(one.count, language))
        yield joined([given(one.owner.name), (*given(one.text), *said(count))], ": ")
    more = len(care.precautions) - _MOST_PRECAUTIONS
    if more > 0:
        yield said(words.precautions_more.format(count=grouped(more, language)))


def _places(care: Care, words: Words, language: Language) -> Table:
    rows = [
        (
            given(one.owner.name),
            said(grouped(one.total, language)),
            said(grouped(one.unknown, language)),
            said(f"{decimal(one.farthest_m, language)} m"),
        )
        for one in care.places
    ]
    return Table(words.uncertain, words.uncertain_head, rows, (0.4, 0.15, 0.2, 0.25))


def _request(contents: Contents, words: Words, language: Language) -> Facts:
    request = contents.request
    west, south, east, north = request.area.bounds
    inside = request.area.representative_point()
    longitude, latitude = _to_degrees().transform(inside.x, inside.y)
    changed = moment_text(request.changed_at or request.created_at)
    rows: list[tuple[str, Line]] = [
        (words.order_number, said(str(request.order_number))),
        (words.order_reference, given(request.order_reference or "")),
        (words.kind, said(words.kinds[str(request.kind)])),
        (words.started, said(words.yes) if request.already_started else ()),
        (words.period, said(words.period_value.format(first=request.period_from, last=request.period_to))),
        (words.purpose, given(request.purpose)),
        (words.description, given(request.description or "")),
        (
            words.area,
            said(
                words.area_value.format(
                    area=grouped(round(request.area.area), language),
                    middle=f"{latitude:.6f}, {longitude:.6f}",
                )
            ),
        ),
        (words.bounds, said(f"{west:.0f}, {south:.0f} – {east:.0f}, {north:.0f}")),
        (words.buffer, said(words.buffer_value.format(buffer=decimal(request.clip_buffer_m, language)))),
        (words.asked_at, said(moment_text(request.created_at))),
        (words.revision, said(words.revision_value.format(revision=request.revision, moment=changed))),
    ]
    return Facts([(name, [line]) for name, line in rows if line])


def _addresses(contents: Contents, words: Words) -> Iterator[Section]:
    found = sketches_in(contents)
    if not found:
        return
    rows = [
        (given(address_id), *row)
        for address_id, sketches in found.items()
        for row in [_sketch(one, words) for one in sketches] or [((), said(words.no_sketch))]
    ]
    table = Table(words.sketches, words.sketches_head, rows, (0.34, 0.22, 0.44))
    yield Section(said(words.addresses), [Paragraph(said(words.addresses_intro)), table])


def _sketch(sketch: Sketch, words: Words) -> tuple[Line, Line]:
    return given(sketch.owner.name), member(sketch.member) if sketch.member else said(words.lost)


def _files(contents: Contents, words: Words, language: Language) -> Sequence[Block]:
    rows = [
        (member(name), said(one.words[language]), said(one.opens[language]))
        for name, one in described_in(contents)
    ]
    return [
        Paragraph(said(words.files_intro)),
        Table(words.files, words.files_head, rows, (0.34, 0.4, 0.26)),
        Paragraph(said(owners_files(contents, language))),
    ]


@cache
def _to_degrees() -> Transformer:
    return Transformer.from_crs("EPSG:25832", "EPSG:4258", always_xy=True)
