"""The figures of the law as data: each set with the day from which it holds, each figure with its source.

They lie in `law.toml`. What stands there is what was read; how it is read where it leaves room is a setting.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

from ler.errors import InputError


@dataclass(frozen=True, slots=True)
class DeadlineFigures:
    """How long an owner has, from one day on."""

    valid_from: date
    clock_opens: time
    """Legal local time at which the clock of the two hours starts on a working day."""
    clock_closes: time
    answer_within: timedelta
    """Running time of the clock."""
    outside_hours_by: time
    """When a request that came outside the hours must be answered, on the next working day."""
    manual_working_days: int
    dispensation_working_days: int
    sources: Mapping[str, str]
    """Where each figure of `law.toml` was read, by its name there."""


@dataclass(frozen=True, slots=True)
class FeeFigures:
    """What asking costs, from one day on; in DKK, without VAT."""

    valid_from: date
    price_per_m2: Decimal
    yearly_cap: Decimal
    """The most that one excavator pays for a calendar year."""
    free_m2_a_year: Decimal
    invoice_floor: Decimal
    """A calendar year's total below this is not invoiced."""
    sources: Mapping[str, str]


class _Dated(Protocol):
    @property
    def valid_from(self) -> date: ...


@cache
def deadline_figures() -> tuple[DeadlineFigures, ...]:
    """Every set of figures for deadlines, the earliest first."""
    return tuple(
        DeadlineFigures(
            valid_from=values["valid_from"],
            clock_opens=values["clock_opens"],
            clock_closes=values["clock_closes"],
            answer_within=timedelta(hours=values["answer_hours"]),
            outside_hours_by=values["outside_hours_by"],
            manual_working_days=values["manual_working_days"],
            dispensation_working_days=values["dispensation_working_days"],
            sources=sources,
        )
        for values, sources in _sets("deadlines")
    )


@cache
def fee_figures() -> tuple[FeeFigures, ...]:
    """Every set of figures for fees, the earliest first."""
    return tuple(
        FeeFigures(
            valid_from=values["valid_from"],
            price_per_m2=Decimal(values["price_per_m2"]),
            yearly_cap=Decimal(values["yearly_cap"]),
            free_m2_a_year=Decimal(values["free_m2_a_year"]),
            invoice_floor=Decimal(values["invoice_floor"]),
            sources=sources,
        )
        for values, sources in _sets("fees")
    )


def in_force[T: _Dated](figures: Sequence[T], day: date) -> T:
    """Return the set that holds on a day (legal local date); InputError before the first."""
    holding = [one for one in figures if one.valid_from <= day]
    if not holding:
        raise InputError(
            f"the law's figures of {day} are not known; the first are of {figures[0].valid_from}"
        )
    return max(holding, key=lambda one: one.valid_from)


def _sets(name: str) -> list[tuple[dict[str, Any], dict[str, str]]]:
    text = files(__package__).joinpath("law.toml").read_text(encoding="utf-8")
    return [
        (
            {figure: told["value"] for figure, told in one.items()},
            {figure: told["source"] for figure, told in one.items()},
        )
        for one in tomllib.loads(text)[name]
    ]
