"""What the work comes too near, in the letter: a row for each owner and utility, its nearest zone and its highest precaution.

Only the highest is shown; all that hold stand in the manifest. Nothing is added to what was found before the package was made.
"""

from ler.packages.advice import Language
from ler.packages.contents import Contents
from ler.packages.letter_parts import Block, Line, Paragraph, Table, Words, given, joined, said
from ler.packages.map_texts import decimal, grouped
from ler.packages.styles import load_styles
from ler.packages.warnings import NearestZone, UtilityWarning


def warnings_blocks(contents: Contents, words: Words, language: Language) -> list[Block]:
    """Return the table with its explanation; nothing when there is nothing to warn of, or nobody looked."""
    if not contents.warnings:
        return []
    names = {owner.id: owner.name for owner in contents.owners}
    rows = [
        (
            given(names[one.owner_id]),
            said(load_styles().utility(one.utility_type).name.in_language(language)),
            _zone(one.zone, words, language) if one.zone else (),
            _measure(one, words, language),
        )
        for one in contents.warnings
    ]
    table = Table(words.warnings, words.warnings_head, rows, (0.19, 0.21, 0.3, 0.3))
    return [table, Paragraph(said(words.warnings_words))]


def _zone(zone: NearestZone, words: Words, language: Language) -> Line:
    name = zone.da if language == "da" else zone.en
    told = words.warning_zone.format(
        zone=name[:1].upper() + name[1:],
        limit=decimal(zone.limit_m, language),
        least=decimal(zone.least_m, language),
        lines=grouped(zone.lines, language),
    )
    return said(told)


def _measure(warning: UtilityWarning, words: Words, language: Language) -> Line:
    if not warning.precautions:
        return ()
    shown, *others = warning.precautions
    notice = words.warning_notice.format(days=shown.notice_days) if shown.notice_days else ""
    more = words.warning_more.format(count=grouped(len(others), language)) if others else ""
    return joined(
        [
            given(shown.da if language == "da" else shown.en),
            said(notice) if notice else (),
            given(shown.contact or ""),
            said(more) if more else (),
        ],
        "; ",
    )
