"""The figures of a network's quality and the score made of them: arithmetic only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

WEIGHTS: Final[Mapping[str, float]] = {
    "horizontal_accuracy": 25,
    "depth_or_height": 20,
    "without_findings": 15,
    "vertical_accuracy": 10,
    "established": 10,
    "outer_size": 10,
    "references": 5,
    "material": 5,
}
"""What each figure counts for in the score, of 100. No law states them: half is for what tells a digger where to expect the line,
a fifth for its size and age, a fifth for whether the network agrees with itself."""

BY_LENGTH: Final = frozenset({"horizontal_accuracy", "vertical_accuracy", "depth_or_height"})
"""Figures that count by length in the score: a kilometre of main tells more than a metre of service line."""


@dataclass(frozen=True, slots=True)
class Figure:
    """How many of those that could have something have it; lengths in metres in the plane, 0 for what has none."""

    base: int
    known: int
    base_m: float = 0.0
    known_m: float = 0.0

    @property
    def share(self) -> float | None:
        """Share by number, 0 to 1; None when there is nothing to count."""
        return self.known / self.base if self.base else None

    @property
    def share_by_length(self) -> float | None:
        """Share by length, 0 to 1; None when there is nothing to measure."""
        return min(1.0, self.known_m / self.base_m) if self.base_m else None

    def __add__(self, other: "Figure") -> "Figure":
        """The figure of both."""
        return Figure(
            self.base + other.base,
            self.known + other.known,
            self.base_m + other.base_m,
            self.known_m + other.known_m,
        )


@dataclass(frozen=True, slots=True)
class Group:
    """Features of one type, or all of them."""

    features: int
    length_m: float
    figures: Mapping[str, Figure]

    def share(self, name: str) -> float | None:
        """The share by which a figure counts in the score."""
        figure = self.figures.get(name, Figure(0, 0))
        return figure.share_by_length if name in BY_LENGTH and figure.base_m else figure.share

    @property
    def score(self) -> float | None:
        """0 to 100: the mean of the shares by their weights; what cannot be counted has none. None when nothing can."""
        counted = {name: share for name in WEIGHTS if (share := self.share(name)) is not None}
        weight = sum(WEIGHTS[name] for name in counted)
        return (
            100 * sum(WEIGHTS[name] * share for name, share in counted.items()) / weight if counted else None
        )


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality of one version of a network."""

    total: Group
    types: Mapping[str, Group]
    """By feature type."""

    @property
    def score(self) -> float:
        """0 to 100; an empty network has 0."""
        return self.total.score or 0.0

    def to_json(self) -> dict[str, Any]:
        """The figures as they are stored, and given out."""
        return {
            "weights": dict(WEIGHTS),
            "total": _group_to_json(self.total),
            "types": {name: _group_to_json(group) for name, group in self.types.items()},
        }


def quality_from_json(stored: Mapping[str, Any]) -> Quality:
    """The counterpart of `Quality.to_json`."""
    types = {name: _group_from_json(group) for name, group in stored["types"].items()}
    return Quality(_group_from_json(stored["total"]), types)


def _group_to_json(group: Group) -> dict[str, Any]:
    figures = {
        name: {
            "base": figure.base,
            "known": figure.known,
            "base_m": round(figure.base_m, 3),
            "known_m": round(figure.known_m, 3),
            "share": _rounded(figure.share),
            "share_by_length": _rounded(figure.share_by_length),
        }
        for name, figure in group.figures.items()
    }
    return {"features": group.features, "length_m": round(group.length_m, 3), "figures": figures}


def _group_from_json(stored: Mapping[str, Any]) -> Group:
    figures = {
        name: Figure(given["base"], given["known"], given["base_m"], given["known_m"])
        for name, given in stored["figures"].items()
    }
    return Group(stored["features"], stored["length_m"], figures)


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
