"""The life cycle as a page of the documentation, made from the state machines, the answers' rules and the law's figures.

    python -m ler.domain.life_cycle_page > docs/reference/life-cycle.md

writes it anew; a test holds the page to what this module makes.
"""

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Final

from ler.domain.answers import CONTENT_RULES
from ler.domain.deadlines import BeforeOpening, DayEnd, DeadlineKind, Readings, Remainder
from ler.domain.law import deadline_figures, fee_figures
from ler.domain.machine import Machine, mermaid
from ler.domain.states import OWES_ANSWER, OWNER_MACHINE, REQUEST_MACHINE

_HEAD: Final = """# The life cycle of a request

Made by `python -m ler.domain.life_cycle_page` from the code; do not edit. Marks of sources: [LAW] act no. 564 of
10 May 2022; [BEK] executive orders; [OLD] the act until 2022; [API] error codes of LER; [WEB] web pages; [INF] inferred.
How the law is read where it leaves room is in [decision 20](../decisions/0020-reading-the-deadlines.md)."""

_READINGS: Final[Sequence[tuple[str, str, type[StrEnum]]]] = (
    ("remainder", "LER_DEADLINE_REMAINDER", Remainder),
    ("before_opening", "LER_DEADLINE_BEFORE_OPENING", BeforeOpening),
    ("day_end", "LER_DEADLINE_DAY_END", DayEnd),
)


def page() -> str:
    """Return the page in Markdown."""
    return "\n\n".join(
        (
            _HEAD,
            "## The request",
            *_machine(REQUEST_MACHINE),
            "## What it asks of one owner",
            *_machine(OWNER_MACHINE),
            "An owner owes an answer, and nobody may dig, while it is " + _listed(sorted(OWES_ANSWER)) + ".",
            "## The six kinds of answer",
            _answers(),
            "## Deadlines",
            _meanings_table("Deadline", DeadlineKind),
            _deadline_figures(),
            *_readings(),
            "## Fees",
            _fee_figures(),
        )
    )


def _machine[S: StrEnum, E: StrEnum](machine: Machine[S, E]) -> Iterator[str]:
    yield f"```mermaid\n{mermaid(machine)}\n```"
    yield _meanings_table("State", type(machine.start))
    rows = [
        (source, event, step.target, ", ".join(sorted(step.by)))
        for (source, event), step in machine.steps.items()
    ]
    yield _table(("In state", "event", "leads to", "caused by"), rows)


def _answers() -> str:
    rows = [
        (
            f"`{kind}`",
            rule.event,
            rule.features,
            rule.expected_time,
            rule.further_information,
            rule.appointment,
        )
        for kind, rule in CONTENT_RULES.items()
    ]
    head = ("Answer", "event", "lines", "expected time", "further information", "appointment on site")
    return _table(head, rows)


def _deadline_figures() -> str:
    rows = []
    for figures in deadline_figures():
        told = {
            "valid_from": figures.valid_from,
            "clock_opens": figures.clock_opens,
            "clock_closes": figures.clock_closes,
            "answer_hours": figures.answer_within,
            "outside_hours_by": figures.outside_hours_by,
            "manual_working_days": figures.manual_working_days,
            "dispensation_working_days": figures.dispensation_working_days,
        }
        rows += [(f"`{name}`", value, figures.sources[name]) for name, value in told.items()]
    return _table(("Figure", "value", "source"), rows)


def _readings() -> Iterator[str]:
    default = Readings()
    for name, setting, readings in _READINGS:
        chosen = getattr(default, name)
        yield f"`{setting}`, default `{chosen}`: {_meaning_of_class(readings)}"
        yield _meanings_table("Reading", readings)


def _fee_figures() -> str:
    rows = []
    for figures in fee_figures():
        told: dict[str, object] = {"valid_from": figures.valid_from}
        for name in ("price_per_m2", "yearly_cap", "free_m2_a_year", "invoice_floor"):
            told[name] = f"{getattr(figures, name):,}"
        rows += [(f"`{name}`", value, figures.sources[name]) for name, value in told.items()]
    return _table(("Figure", "value (DKK, m²)", "source"), rows)


def _meanings_table(head: str, members: type[StrEnum]) -> str:
    meanings = _meanings(members)
    return _table((head, "meaning"), [(f"`{member}`", meanings.get(member.name, "")) for member in members])


def _meanings(members: type[StrEnum]) -> dict[str, str]:
    """The text below each member in the source: what it means."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(members))).body
    if not isinstance(definition, ast.ClassDef):
        raise TypeError(f"{members} is no class")
    meanings = {}
    for member, text in zip(definition.body, definition.body[1:], strict=False):
        match member, text:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(meaning))):
                meanings[name] = meaning
    return meanings


def _meaning_of_class(members: type[StrEnum]) -> str:
    return inspect.cleandoc(members.__doc__ or "")


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [_row(head), "|" + "---|" * len(head), *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + f" or {words[-1]}"


if __name__ == "__main__":
    sys.stdout.write(page() + "\n")
