"""The clearances as a page of the documentation, made from the rules.

    python -m conflicts.reference > docs/reference/clearances.md

writes it anew; a test holds the page to what this module makes.
"""

import sys
from itertools import product
from typing import Final

from conflicts.clearances import Arrangement, Case, Clearances, Rule, load_clearances

_HEAD: Final = """# Clearances: the rules, and where they come from

Made from [`conflicts/clearances.toml`](../../conflicts/clearances.toml) by `python -m conflicts.reference`; do not edit. How
they are applied is in [conflicts](conflicts.md). Distances in metres, from the outside of the line to the outside of the
trench or bore. *Unverified* rules count like others, and every conflict by one of them says so: its figure was not read
at the source that is named, or was not found at all. No source that was read says since when its rule holds.

| duty | within its distance |
|---|---|
| clear | no machine, and nothing of the work, but as the owner says |
| hand dig | by hand or vacuum only |
| stand by | the owner is present |
| notify | the owner is told first |
"""


def reference() -> str:
    """Return the page."""
    found = load_clearances()
    rules = "\n".join(_section(rule) for rule in found.rules)
    return f"{_HEAD}\n{_classes(found)}\n{_without(found)}\n## Rules\n\n{rules}"


def _section(rule: Rule) -> str:
    distances = zip(("clear", "hand dig", "stand by", "notify"), rule.distances, strict=True)
    said = ", ".join(
        f"{name} {one if one == 'unknown' else f'{one:.2f}'}" for name, one in distances if one is not None
    )
    facts = [
        ("Distances", said),
        ("Lines", _listed(rule.utilities)),
        ("Activities", _listed(rule.activities)),
        ("Methods", _listed(rule.methods)),
        ("Arrangements", _listed(rule.arrangements, every="parallel, crossing, above")),
        ("Source", rule.source),
        ("What it says", rule.clause),
        ("Valid from", rule.valid_from.isoformat() if rule.valid_from else "not said"),
        ("Verified", "yes" if rule.verified else "**no**"),
    ]
    return f"### {rule.id}\n\n" + "\n".join(f"- **{title}**: {text}" for title, text in facts) + "\n"


def _listed(words: frozenset[str] | frozenset[Arrangement] | None, every: str = "all") -> str:
    return every if words is None else ", ".join(sorted(str(one) for one in words))


def _classes(found: Clearances) -> str:
    rows = [
        (f"{name}.{key}", one.en, _bound(one.at_most_kv, "kV"), _bound(one.at_most_bar, "bar"), ", ".join(one.types))
        for name, utility in found.utilities.items()
        for key, one in utility.classes.items()
    ]  # fmt: skip
    lines = "\n".join(
        f"| `{kind}` | {text} | {kv} | {bar} | {types} |" for kind, text, kv, bar, types in rows
    )
    return f"""## Classes

Bounds are our choice. A line whose type and pressure say different things is of both, and the stricter counts.

| class | | voltage | pressure | LER type |
|---|---|---|---|---|
{lines}
"""


def _bound(value: float | None, unit: str) -> str:
    return "" if value is None else f"to {value:g} {unit}"


def _without(found: Clearances) -> str:
    ground = [one for one in Arrangement if one is not Arrangement.OVERHEAD]
    missing = [
        f"`{kind}`"
        for kind in found.kinds
        if any(
            "pair" in found.needed(Case(frozenset({kind}), one, activity, method)).assumed
            for one, activity, method in product(ground, found.activities, found.methods)
        )
    ]
    return f"""## Lines without a rule

Nobody's rule was read for {", ".join(missing)}: the strictest of all that hold for such work stands in its place. Energinet
refers to BEK 1112/2016 for its own cables, which was not read.
"""


def main() -> None:
    """Write the page to standard output."""
    sys.stdout.write(reference())


if __name__ == "__main__":
    main()
