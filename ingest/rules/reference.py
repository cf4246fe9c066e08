"""The reference of all rules as a page of the documentation, made from the catalogue.

    python -m ingest.rules.reference tests/counterexamples > docs/reference/rules.md

writes it anew; a test holds the page to what this module makes.
"""

import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Final

from ingest.rules.catalogue import ORIGINS, Rule, load_rules
from ler.model import VERSIONS

_TITLES: Final = {
    "schema": "Rules of the schema",
    "restriction": "Restrictions of the LER data model",
    "server": "Rules of the official server",
    "platform": "Rules of this platform",
}
_HEAD: Final = """# The rules that a file is checked by

Made from the catalogue in [`ingest/rules`](../../ingest/rules) by `python -m ingest.rules.reference tests/counterexamples`;
do not edit.
Names are the official ones where there is one. *What it says* is the sentence of a finding: words in braces stand for
the values that the finding carries. A counterexample is a small file that breaks the rule and nothing else; it lies in
[`tests/counterexamples`](../../tests/counterexamples), in the folder of each version that has the rule. How the texts
are read where they leave room is in [decision 8](../decisions/0008-unclear-restrictions.md).
"""


def reference(rules: Iterable[Rule], counterexamples: Collection[str]) -> str:
    """Return the page: one section a rule, by origin and name; the second argument names the rules with a file."""
    by_name = sorted(rules, key=lambda rule: rule.name.casefold())
    parts = [_HEAD]
    for origin in ORIGINS:
        chosen = [rule for rule in by_name if rule.origin == origin]
        if chosen:
            parts.append(f"## {_TITLES[origin]}\n")
            parts.extend(_section(rule, example=rule.name in counterexamples) for rule in chosen)
    return "\n".join(parts)


def _section(rule: Rule, *, example: bool) -> str:
    facts = [
        ("Versions", _versions(rule)),
        ("Severity", str(rule.severity)),
        ("What it says", rule.says["en"]),
        ("In Danish", rule.says["da"]),
        ("How to mend it", rule.mend["en"]),
        ("Basis", rule.basis),
    ]
    if "." in rule.name:
        facts.insert(0, ("Class", rule.name.partition(".")[0]))
    if rule.reported_as != rule.name:
        facts.append(("Reported as", f"`{rule.reported_as}`, by the reader"))
    if example:
        facts.append(("Counterexample", f"`{rule.name}.gml`"))
    lines = "\n".join(f"- **{title}**: {text}" for title, text in facts)
    return f"### {rule.name}\n\n{lines}\n"


def _versions(rule: Rule) -> str:
    having: Sequence[str] = [version for version in VERSIONS if rule.applies_to(version)]
    return having[0] if len(having) == 1 else f"{having[0]} to {having[-1]}"


def counterexamples_in(folder: Path) -> frozenset[str]:
    """The rules that have a file in one of the folders of the versions."""
    return frozenset(path.stem for version in VERSIONS for path in (folder / version).glob("*.gml"))


def main() -> None:
    """Write the page to standard output; the argument is the folder of the counterexamples."""
    sys.stdout.write(reference(load_rules().values(), counterexamples_in(Path(sys.argv[1]))))


if __name__ == "__main__":
    main()
