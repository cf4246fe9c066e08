"""The figures by which windows are made and valued: `rules.toml` and `prices.toml`, or an operator's own of that shape.

Refuses a file that lacks a figure or has one that is no number from nothing up.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from ler.domain.works import RoadOccupation, Surface, WorkStatus
from ler.errors import InputError


@dataclass(frozen=True)
class Prices:
    """DKK without VAT, whole; `sources` says of each group where it was read, or that it is assumed, in Danish and English."""

    opening: int
    joining: int
    unplaced: int
    surface_m2: Mapping[Surface, int]
    day: Mapping[RoadOccupation, int]
    move_day: int
    move_agreed_day: int
    sources: Mapping[str, Mapping[Literal["da", "en"], str]]

    def move(self, status: WorkStatus) -> int:
        """What moving a work by one working day costs."""
        return self.move_agreed_day if status is WorkStatus.AGREED else self.move_day


@dataclass(frozen=True)
class WindowRules:
    """How windows are made; what each figure means stands beside it in `rules.toml`."""

    near_m: float
    least_part: float
    opening_part: float
    parallel_m: float
    wait_days: int
    freeze_days: int
    most_works: int
    effort: float
    depth_m: Mapping[str, float]


@cache
def standard_prices() -> Prices:
    """Return the prices that come with the platform."""
    return _prices(tomllib.loads(files(__package__).joinpath("prices.toml").read_text(encoding="utf-8")))


@cache
def standard_rules() -> WindowRules:
    """Return the rules that come with the platform."""
    return WindowRules(**tomllib.loads(files(__package__).joinpath("rules.toml").read_text(encoding="utf-8")))


def read_prices(path: Path) -> Prices:
    """Return the prices of a file; InputError says what is missing or wrong."""
    try:
        return _prices(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"{path} cannot be read") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no TOML file") from error


def _prices(read: Mapping[str, Any]) -> Prices:
    def amount(group: str, name: str = "dkk") -> int:
        value = read.get(group, {}).get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise InputError(f"prices: [{group}] {name} is to be a whole number of DKK, not {value!r}")
        return value

    return Prices(
        opening=amount("opening"),
        joining=amount("joining"),
        unplaced=amount("unplaced"),
        surface_m2={surface: amount("surface_m2", surface) for surface in Surface},
        day={road: amount("day", road) for road in RoadOccupation},
        move_day=amount("move", "planned"),
        move_agreed_day=amount("move", "agreed"),
        sources={name: _source(group) for name, group in read.items()},
    )


def _source(group: Mapping[str, Any]) -> dict[Literal["da", "en"], str]:
    told = group.get("source")
    if told is None:
        return {"da": "ikke oplyst", "en": "not stated"}
    return {"da": str(group.get("source_da", told)), "en": str(told)}
