"""What a rule sees of one feature, and what it says of it.

A rule is a function from a `Case` to the `Broken` that it found, or None. It neither reports nor remembers: the engine
does, so that each rule is a few lines and can be read beside the official text.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from ingest.rules.settings import RuleSettings
from ler.model import VERSIONS, Feature, Value

TELLS_NO_HEIGHT: Final = frozenset({"el", "telekommunikation"})
"""Primary utility types whose lines may tell an indicative depth instead of heights."""


class Stage(IntEnum):
    """The features that a rule speaks of; each stage is a part of the one before it."""

    ALWAYS = 0
    NEW = 1
    """Established after the cut-off date."""
    NEW_OWN = 2
    """And owned by the owner that delivers."""
    NEW_OWN_BUILT = 3
    """And not still being established."""


class Broken(NamedTuple):
    """How a rule is broken, in values that need no language."""

    attribute: str
    found: str = ""
    wanted: str = ""


class Case:
    """One feature under examination; the engine turns the same case to feature after feature."""

    __slots__ = ("area", "attributes", "cutoff", "cutoff_year", "feature", "settings", "unread", "voids")

    def __init__(self, settings: RuleSettings, area: BaseGeometry | None = None) -> None:
        self.settings = settings
        self.area = area
        """The dig area with its tolerance, prepared; None when it is not known."""
        self.cutoff = settings.cutoff.isoformat()
        self.cutoff_year = str(settings.cutoff.year)
        self.turn_to(Feature("", ""))

    def turn_to(self, feature: Feature) -> None:
        """Look at this feature from now on."""
        self.feature = feature
        self.attributes: Mapping[str, Value] = feature.attributes
        self.voids: Mapping[str, str | None] = feature.voids
        self.unread = feature.unread

    def given(self, name: str) -> bool:
        """Whether the attribute stands in the file; one that could not be read does."""
        return (
            name in self.attributes
            or (name in self.voids and self.settings.void_is_given)
            or name in self.unread
        )

    def has_text(self, name: str) -> bool:
        """Whether a text stands in the file that says something."""
        value = self.attributes.get(name)
        if value is None:
            return name in self.unread
        return self.settings.blank_is_given or bool(str(value).strip())

    def number(self, name: str) -> float | None:
        """The number of an attribute that was given with a value."""
        value = self.attributes.get(name)
        return float(value) if isinstance(value, (int, float)) else None

    @property
    def has_geometry(self) -> bool:
        """Whether the line has a geometry of its own, readable or not."""
        return self.feature.geometry is not None or "geometri" in self.unread

    @property
    def primary_utility(self) -> str | None:
        """The first forsyningsart; None when it was not given or is void."""
        values = self.attributes.get("forsyningsart")
        first = values[0] if isinstance(values, list) and values else values
        return first if isinstance(first, str) else None

    def heights_unknown(self, *, any_vertex: bool) -> bool:
        """Whether one vertex, or every vertex, of the geometry has no known height; False without a geometry."""
        if self.feature.geometry is None:
            return False
        coordinates = shapely.get_coordinates(self.feature.geometry, include_z=True)
        # Eastings and northings are finite, so that the sum tells of an unknown height three times as fast as isnan.
        if not math.isnan(np.add.reduce(coordinates, axis=None)):
            return False
        return any_vertex or bool(np.isnan(coordinates[:, 2]).all())


type Check = Callable[[Case], Broken | None]


@dataclass(frozen=True, slots=True)
class Restriction:
    """One check under its name in the catalogue; where versions differ, one name has several."""

    name: str
    check: Check
    stage: Stage = Stage.ALWAYS
    since: str = VERSIONS[0]
    until: str = VERSIONS[-1]
    classes: tuple[str, ...] = ()
    """Feature types of the model whose features it speaks of; empty: the class in the name."""


def not_void(attribute: str) -> Check:
    """The attribute may not be void."""

    def check(case: Case) -> Broken | None:
        return Broken(attribute, "void") if attribute in case.voids else None

    return check


def required(attribute: str) -> Check:
    """The attribute must be given."""

    def check(case: Case) -> Broken | None:
        return None if case.given(attribute) else Broken(attribute)

    return check


def only_with_type(attribute: str, *types: str) -> Check:
    """The attribute may only be given when the component's type is one of these."""
    wanted = ", ".join(types)

    def check(case: Case) -> Broken | None:
        if not case.given(attribute) or "type" in case.unread or case.attributes.get("type") in types:
            return None
        return Broken(attribute, str(case.attributes.get("type", "")), wanted)

    return check
