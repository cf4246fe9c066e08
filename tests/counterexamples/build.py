"""Writes the counterexamples of every version beside this file: `python -m tests.counterexamples.build`.

`<version>/valid/<base>.gml` keeps every rule; `<version>/<rule>.gml` differs from its base in one place and breaks that
rule and no other. `expected.json` says which findings each file must give.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.rules.catalogue import load_rules
from ler.model import VERSIONS, load_model
from tests.counterexamples.bases import BASES, write_base
from tests.counterexamples.changes import ALSO, CHANGES

HOME: Final = Path(__file__).parent


@dataclass(frozen=True)
class Example:
    """One file: where it lies, what it holds, what must be found in it."""

    path: str
    version: str
    rule: str
    """Empty for a valid base."""
    text: str
    findings: tuple[tuple[str, str], ...]
    """Code and attribute of each finding."""


def examples() -> Iterator[Example]:
    """Every file, in the order of the versions."""
    for version in VERSIONS:
        model = load_model(version)
        bases = {name: write_base(base, model) for name, base in BASES.items() if base.since <= version}
        for name, text in bases.items():
            yield Example(f"{version}/valid/{name}.gml", version, "", text, ())
        rules = load_rules()
        for row in CHANGES:
            rule = rules[row.rule]
            if rule.applies_to(version):
                findings = [(rule.reported_as, row.attribute)]
                if row.rule in ALSO:
                    findings.append(ALSO[row.rule])
                yield Example(
                    path=f"{version}/{row.rule}.gml",
                    version=version,
                    rule=row.rule,
                    text=row.change(bases[row.base]),
                    findings=tuple(sorted(findings)),
                )


def expected(made: list[Example]) -> str:
    """What each file must give, as the text of `expected.json`."""
    table = {example.path: [list(finding) for finding in example.findings] for example in made}
    return json.dumps(table, ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    """Write all files anew, and remove those that nothing makes any more."""
    for old in HOME.rglob("*.gml"):
        old.unlink()
    made = list(examples())
    for example in made:
        path = HOME / example.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example.text, encoding="utf-8")
    (HOME / "expected.json").write_text(expected(made), encoding="utf-8")


if __name__ == "__main__":
    main()
