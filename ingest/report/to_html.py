"""The report as one page of HTML for people: what is wrong, how to mend it, where it lies.

One file that asks no network and no server for anything: style, script and map stand in it, and its policy forbids
all else, so that nothing a file says can run or load. It reads without the script, which only filters.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Final

from ingest.check import CheckResult
from ingest.findings import Finding
from ingest.readers.gml_geometry import Coverage
from ingest.report.content import FileReport, RuleReport
from ingest.report.drawing import Lines, Mark, collect_lines, draw_map
from ingest.report.words import WORDS, Words
from ingest.rules.catalogue import Language
from ler.model import VERSIONS
from ler.packages.files import write_whole

_COLUMNS: Final = (
    ("at", "place"),
    ("id", "object_"),
    ("where", "attribute"),
    ("found", "found"),
    ("wanted", "wanted"),
)
"""Columns of the places, each with the word that stands above it."""

_REMEDIES: Final = 4
"""So many different remedies of one rule stand above its places; more of them stand at each place."""


def write_html_report(
    path: Path, reports: Sequence[FileReport], language: Language, *, coverage: Coverage
) -> None:
    """Write the report of several files; reads each once more for its map. An older report is replaced."""
    page = html_report(reports, language, coverage=coverage)
    write_whole(path, page.encode("utf-8", errors="replace"))


def html_report(reports: Sequence[FileReport], language: Language, *, coverage: Coverage) -> str:
    """Return the page."""
    words = WORDS[language]
    style, script = (
        files(__package__).joinpath(name).read_text(encoding="utf-8") for name in ("report.css", "report.js")
    )
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'"
    )
    title = escape(words.title.format(", ".join(report.path.name for report in reports)))
    numbers = count(1)
    sections = "".join(
        part
        for report in reports
        for part in _file(report, words, coverage, numbers, alone=len(reports) == 1)
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<title>{title}</title>\n<style>{style}</style>\n</head>\n'
        f'<body>\n<a class="skip" href="#files">{escape(words.skip)}</a>\n<main>\n<h1>{title}</h1>\n'
        f'{_filter(words) if any(r.outcome == 1 for r in reports) else ""}<div id="files">{sections}</div>'
        f"</main>\n<script>{script}</script>\n</body>\n</html>\n"
    )


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _filter(words: Words) -> str:
    return (
        '<form id="filter" role="search" hidden>'
        f'<label for="wanted">{escape(words.filter_)}</label>'
        f'<input id="wanted" type="search" placeholder="{escape(words.filter_hint)}" autocomplete="off">'
        f'<p id="nothing" role="status" hidden>{escape(words.nothing_left)}</p></form>\n'
    )


def _file(
    report: FileReport, words: Words, coverage: Coverage, numbers: Iterator[int], *, alone: bool
) -> Iterator[str]:
    yield '<section class="file">' + ("" if alone else f"<h2>{escape(report.path.name)}</h2>\n")
    if report.result is None:
        told = escape(str(report.refusal))
        yield f'<p class="verdict unreadable"><strong>{escape(words.unreadable)}.</strong> {told}</p></section>\n'
        return
    rules = report.rules()
    yield _verdict(report, report.result, words)
    numbered = [[(next(numbers), finding) for finding in rule.findings] for rule in rules]
    if rules:
        yield _summary(rules, numbered, words)
    yield _map(report, report.result, numbered, words, coverage)
    for rule, places in zip(rules, numbered, strict=True):
        yield from _rule(rule, places, words)
    yield "</section>\n"


def _verdict(report: FileReport, result: CheckResult, words: Words) -> str:
    errors, warnings = result.findings.errors, result.findings.warnings
    kind = "error" if errors else "warning" if warnings else "clean"
    parts = [
        words.errors.format(words.figure(errors)) if errors else "",
        words.warnings.format(words.figure(warnings)) if warnings else "",
    ]
    said = ", ".join(part for part in parts if part) or words.clean
    facts = (
        f"{words.model.format(result.version)} · {words.features.format(words.figure(report.feature_count))}"
    )
    return f'<p class="verdict {kind}"><strong>{escape(said)}</strong> <span>{escape(facts)}</span></p>\n'


def _summary(
    rules: Sequence[RuleReport], numbered: Sequence[Sequence[tuple[int, Finding]]], words: Words
) -> str:
    rows = "".join(
        f'<tr><td><span class="badge {rule.severity}">{escape(_severity(rule, words))}</span></td>'
        f'<td><a href="#rule-{places[0][0]}">{escape(rule.rule.name)}</a></td>'
        f'<td class="figure">{words.figure(rule.count)}</td></tr>'
        for rule, places in zip(rules, numbered, strict=True)
    )
    return (
        f'<h3>{escape(words.rules)}</h3>\n<table class="summary"><thead><tr>'
        f'<th scope="col">{escape(words.severity)}</th><th scope="col">{escape(words.rule)}</th>'
        f'<th scope="col" class="figure">{escape(words.count)}</th></tr></thead><tbody>{rows}</tbody></table>\n'
    )


def _severity(rule: RuleReport, words: Words) -> str:
    return words.error if rule.severity == "error" else words.warning


def _map(
    report: FileReport,
    result: CheckResult,
    numbered: Sequence[Sequence[tuple[int, Finding]]],
    words: Words,
    coverage: Coverage,
) -> str:
    found = [pair for places in numbered for pair in places]
    marks = [
        Mark(number, finding.severity, finding.place, f"{finding.code} {finding.gml_id}".strip())
        for number, finding in found
        if finding.place
    ]
    named = {finding.gml_id for _, finding in found if finding.gml_id}
    file = report.source or report.path
    # Of a file that is there no more, or whose model nobody could tell, the marks alone are drawn.
    readable = file.is_file() and result.version in VERSIONS
    lines = (
        collect_lines(file, coverage, named, report.feature_count, result.version) if readable else Lines()
    )
    picture = draw_map(lines, marks, words, f"{words.map_title}: {report.path.name}")
    heading = f"<h3>{escape(words.map_title)}</h3>\n"
    if picture is None:
        return f"{heading}<p>{escape(words.no_map)}</p>\n"
    return (
        f'{heading}<figure><div class="map" tabindex="0" role="region" aria-label="{escape(words.map_title)}">'
        f"{picture}</div><figcaption>{escape(words.map_note)}</figcaption></figure>\n"
    )


def _rule(rule: RuleReport, places: Sequence[tuple[int, Finding]], words: Words) -> Iterator[str]:
    findings = [finding for _, finding in places]
    sayings = [rule.rule.message(finding, words.language) for finding in findings]
    remedies = [rule.rule.remedy(finding, words.language) for finding in findings]
    saying = sayings[0] if len(set(sayings)) == 1 else ""
    distinct = list(dict.fromkeys(remedies))
    together = distinct if len(distinct) <= _REMEDIES else []
    yield (
        f'<section class="rule" id="rule-{places[0][0]}"><h3><span class="badge {rule.severity}">'
        f"{escape(_severity(rule, words))}</span> {escape(rule.rule.name)}"
        f" <small>{escape(words.often(rule.count))}</small></h3>\n"
    )
    if saying:
        yield f"<p>{escape(saying)}</p>\n"
    facts = [
        *((words.mend, remedy) for remedy in together),
        (words.basis, rule.rule.basis_in(words.language)),
    ]
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(fact)}</dd>" for name, fact in facts)
    yield f"<dl>{listed}</dl>\n"
    own = [
        ". ".join(text for text, same in ((says, saying), (remedy, together)) if not same)
        for says, remedy in zip(sayings, remedies, strict=True)
    ]
    yield _places(rule, places, own, words)
    yield "</section>\n"


def _places(rule: RuleReport, places: Sequence[tuple[int, Finding]], own: Sequence[str], words: Words) -> str:
    """The table of the places; `own` is what must be said of each alone. A column that would be empty is left out."""
    caption = words.first_places.format(words.figure(len(places)), words.figure(rule.count))
    shown = f"<caption>{escape(caption)}</caption>" if len(places) < rule.count else ""
    rows = [_cells(finding) for _, finding in places]
    columns = [
        (kind, str(getattr(words, word)), [row[kind] for row in rows])
        for kind, word in _COLUMNS
        if any(row[kind] for row in rows)
    ]
    headings = "".join(f'<th scope="col">{escape(name)}</th>' for _, name, _ in columns)
    body = "".join(
        f'<tr class="at"><th scope="row" id="finding-{number}">{number}</th>'
        + "".join(
            f'<td data-label="{escape(name)}" class="{kind}">{escape(cells[at])}</td>'
            for kind, name, cells in columns
        )
        + "</tr>"
        + (f'<tr class="says"><td></td><td colspan="{len(columns)}">{escape(says)}</td></tr>' if says else "")
        for at, ((number, _), says) in enumerate(zip(places, own, strict=True))
    )
    return (
        f'<table class="places">{shown}<thead><tr><th scope="col">{escape(words.number)}</th>{headings}</tr></thead>'
        f"<tbody>{body}</tbody></table>\n"
    )


def _cells(finding: Finding) -> dict[str, str]:
    line = " ".join(part for part in (finding.layer, str(finding.line or "")) if part)
    return {
        "at": f"{line}:{finding.column}" if finding.column else line,
        "id": finding.gml_id,
        "where": ".".join(part for part in (finding.feature_type, finding.attribute) if part),
        "found": finding.found,
        "wanted": finding.wanted,
    }
