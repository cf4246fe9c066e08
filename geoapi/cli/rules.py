"""`ler rules`: what the platform checks, and how each fault is mended."""

import difflib
import json
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from geoapi.cli.console import ReportingGroup, results
from geoapi.cli.language import LanguageOption, language_of
from ingest.rules.catalogue import Rule, load_rules
from ler.errors import InputError, NotFoundError
from ler.model import VERSIONS

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="The rules that files are checked against: list and explain them.",
)

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
_WORDS = {
    "da": ("Regel", "Alvor", "Oprindelse", "Versioner", "Grundlag", "Hvad er galt", "Sådan rettes det"),
    "en": ("Rule", "Severity", "Origin", "Versions", "Basis", "What is wrong", "How to mend it"),
}


@app.command(name="list")
def list_(
    *,
    model: Annotated[str | None, typer.Option(help="Only the rules of this version of the model.")] = None,
    as_json: AsJson = False,
    language: LanguageOption = None,
) -> None:
    """List the rules."""
    if model is not None and model not in VERSIONS:
        raise InputError(f"{model} is not a version of the model; known: {', '.join(VERSIONS)}")
    rules = [rule for rule in load_rules().values() if model is None or rule.applies_to(model)]
    rules.sort(key=lambda rule: rule.name.casefold())
    if as_json:
        results().print_json(json.dumps([_row(rule) for rule in rules]))
        return
    told_in = language_of(language)
    rule_word, severity, origin, versions, basis, *_ = _WORDS[told_in]
    table = Table(rule_word, severity, origin, versions, basis)
    for rule in rules:
        table.add_row(
            Text(rule.name), str(rule.severity), rule.origin, _versions(rule), Text(rule.basis_in(told_in))
        )
    results().print(table)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="RULE", help="The rule's name, as a report gives it.")],
    *,
    as_json: AsJson = False,
    language: LanguageOption = None,
) -> None:
    """Explain one rule: what it wants, on what basis, and how to mend a file that breaks it."""
    rules = load_rules()
    rule = rules.get(name)
    if rule is None:
        raise NotFoundError(f"There is no rule {name}.{_near(name, list(rules))}")
    if as_json:
        results().print_json(json.dumps(_row(rule)))
        return
    told_in = language_of(language)
    facts = (
        rule.name,
        str(rule.severity),
        rule.origin,
        _versions(rule),
        rule.basis_in(told_in),
        rule.says[told_in],
        rule.mend[told_in],
    )
    width = max(map(len, _WORDS[told_in]))
    for word, fact in zip(_WORDS[told_in], facts, strict=True):
        results().print(Text(f"{word:{width}}  {fact}"))


def _row(rule: Rule) -> dict[str, Any]:
    return {
        "rule": rule.name,
        "severity": str(rule.severity),
        "origin": rule.origin,
        "since": rule.since,
        "until": rule.until,
        "basis": rule.basis,
        "says": dict(rule.says),
        "mend": dict(rule.mend),
    }


def _versions(rule: Rule) -> str:
    return rule.since if rule.since == rule.until else f"{rule.since} - {rule.until}"


def _near(name: str, known: list[str]) -> str:
    """A sentence with the names that may have been meant, letter case and the class before the dot aside."""
    by_folded: dict[str, list[str]] = {}
    for one in known:
        by_folded.setdefault(one.casefold(), []).append(one)
        by_folded.setdefault(one.casefold().rpartition(".")[2], []).append(one)
    close = difflib.get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.5)
    names = list(dict.fromkeys(one for folded in close for one in by_folded[folded]))[:5]
    return f" Did you mean {', '.join(names)}?" if names else " See: ler rules list"
