"""What a digger must see of every delivered feature: where it may lie, whether in the dig area, and how deep.

One value a feature, in the order of the package. Everything is taken from what was delivered and from the terrain that
the operator chose; what is not known is said to be so, and no number stands for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from ler.domain.uncertainty import Band, WorstCase, band_of
from ler.model import Feature, load_model
from ler.packages.content import Delivery, OwnerStatus

if TYPE_CHECKING:
    from ler.packages.contents import Contents

TOUCH_M: Final = 0.001
"""What is clipped at the border of the dig area lies in it, though its last vertex is rounded."""


class CoverUnknown(StrEnum):
    """Why no depth of cover is told."""

    NO_TERRAIN = "no-terrain-model"
    """The operator has chosen none."""
    NOT_BURIED = "not-buried"
    """Not a line, trace or component, or one above ground."""
    NO_GEOMETRY = "no-geometry"
    NO_HEIGHTS = "no-heights"
    """A vertex or more has no height."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How deep it lies, as its owner gave it. Depths are from the terrain of then, levels DVR90, all in metres."""

    indicative_m: float | None
    """Expected depth of its top when it was laid (vejledendeDybde): not measured."""
    top_min_m: float | None
    top_max_m: float | None
    """Lowest and highest level of its top: of the vertices that have a height, or topkote of a component."""
    bottom_m: float | None
    """Level of a component's lowest point (bundkote)."""
    level: str | None
    """LER niveau: below, partly below or above ground."""

    def words(self, language: Literal["da", "en"]) -> str:
        """Say it in a line."""
        danish = language == "da"
        said = []
        if self.level is not None:
            said.append(self.level if danish else _LEVELS.get(self.level, self.level))
        if self.indicative_m is not None:
            depth = _metres(self.indicative_m, danish=danish)
            said.append(
                f"vejledende dybde {depth} m (ikke målt)"
                if danish
                else f"indicative depth {depth} m (not measured)"
            )
        if self.top_min_m is not None and self.top_max_m is not None:
            ends = dict.fromkeys(_metres(end, danish=danish) for end in (self.top_min_m, self.top_max_m))
            said.append(
                f"overside i kote {' til '.join(ends)} m (DVR90)"
                if danish
                else f"top at level {' to '.join(ends)} m (DVR90)"
            )
        if self.bottom_m is not None:
            bottom = _metres(self.bottom_m, danish=danish)
            said.append(
                f"bund i kote {bottom} m (DVR90)" if danish else f"bottom at level {bottom} m (DVR90)"
            )
        return "; ".join(said)


@dataclass(frozen=True, slots=True)
class Cover:
    """How much earth lies above its top, m, by the terrain model: least and most; None and the reason when unknown."""

    min_m: float | None = None
    max_m: float | None = None
    uncertainty_m: float | None = None
    """Both may be off by this much."""
    unknown: CoverUnknown | None = None


@dataclass(frozen=True, slots=True)
class Assessed:
    """A delivered feature and what is to be seen of it."""

    owner: OwnerStatus
    delivery: Delivery
    feature: Feature
    utility_type: str
    """LER forsyningsart, the primary one; empty when unknown or none."""
    danger: str | None
    """LER fareklasse."""
    in_dig_area: bool | None
    """Whether it is drawn in the dig area; None without a geometry."""
    distance_m: float | None
    """From where it is drawn to the dig area, 0 inside; None without a geometry."""
    band: Band
    depth: Depth | None
    """None when nothing is told of it."""
    cover: Cover

    @property
    def may_be_in_dig_area(self) -> bool:
        """Whether its band reaches the dig area; so it is where nobody knows its place."""
        return self.distance_m is None or self.distance_m <= self.band.half_width_m


def assess(contents: "Contents") -> Sequence[Assessed]:
    """Assess every feature of a package, in its order; `contents.assessed` keeps the result."""
    delivered = list(contents.features())
    distances = distances_m(contents.request.area, [feature.geometry for _, _, feature in delivered])
    worst, types = WorstCase(), load_model().types
    found = []
    for (owner, delivery, feature), distance in zip(delivered, distances, strict=True):
        feature_type, danger = types[feature.type], feature.attributes.get("fareklasse")
        one = Assessed(
            owner,
            delivery,
            feature,
            utility_type=next(iter(feature.utility_types(feature_type)), ""),
            danger=danger if isinstance(danger, str) else None,
            in_dig_area=None if distance is None else distance == 0,
            distance_m=distance,
            band=band_of(feature, feature_type, worst),
            depth=depth_of(feature),
            cover=Cover(unknown=CoverUnknown.NO_TERRAIN),
        )
        found.append(one)
    return found


def distances_m(area: BaseGeometry, geometries: Sequence[BaseGeometry | None]) -> list[float | None]:
    """Return how far each geometry is from the area, m; 0 of what touches it, None of what has no geometry."""
    shapely.prepare(area)
    found = shapely.distance(area, np.array([*geometries, None], dtype=object))[:-1]
    found[found <= TOUCH_M] = 0.0
    return [None if np.isnan(distance) else round(float(distance), 3) for distance in found]


def depth_of(feature: Feature) -> Depth | None:
    """Return what its owner told of its depth; None when that is nothing. The level of a vertex is that of the top."""
    indicative, level = _number(feature, "vejledendeDybde"), feature.attributes.get("niveau")
    top, bottom = _number(feature, "topkote"), _number(feature, "bundkote")
    tops = [top] if top is not None else _heights(feature)
    if indicative is None and not isinstance(level, str) and bottom is None and not tops:
        return None
    return Depth(
        None if indicative is None else indicative / 1000,
        min(tops, default=None),
        max(tops, default=None),
        bottom,
        level if isinstance(level, str) else None,
    )


def _heights(feature: Feature) -> list[float]:
    # Only the level of Elkomponent says what its level is of, and it may be its bottom or its middle.
    if feature.geometry is None or feature.attributes.get("relativNiveau") in {"bund", "midt"}:
        return []
    heights = shapely.get_coordinates(feature.geometry, include_z=True)[:, 2]
    known = heights[~np.isnan(heights)]
    return [float(known.min()), float(known.max())] if len(known) else []


def _number(feature: Feature, name: str) -> float | None:
    value = feature.attributes.get(name)
    return float(value) if isinstance(value, int | float) else None


_LEVELS: Final = {
    "delvist under terræn": "partly below ground",
    "over terræn": "above ground",
    "under terræn": "below ground",
}


def _metres(value: float, *, danish: bool) -> str:
    text = f"{value:.2f}"
    return text.replace(".", ",") if danish else text
