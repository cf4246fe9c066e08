"""What a digger must see of every delivered feature: where it may lie, whether in the dig area, and how deep.

One value a feature, in the order of the package. Everything is taken from what was delivered and from the terrain that
the operator chose; what is not known is said to be so, and no number stands for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ler.domain.uncertainty import NO_BAND, Band, band_of, has_band
from ler.model import Feature, FeatureType, load_model
from ler.model.schema import UNKNOWN_HEIGHT
from ler.packages.content import Delivery, OwnerStatus
from ler.packages.cover import Cover, Covers, covers_of
from ler.packages.terrain import open_terrain

if TYPE_CHECKING:
    from ler.packages.contents import Contents

_MM_PER_M: Final = 1000
TOUCH_M: Final = 0.001
"""What is clipped at the border of the dig area lies in it, though its last vertex is rounded."""


@dataclass(frozen=True, slots=True)
class Heights:
    """Lowest and highest of the vertices of a geometry that have a height."""

    lowest_m: float
    highest_m: float
    in_part: bool
    """Whether others have none."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How deep it lies, as its owner gave it. Depths are from the terrain of then, levels DVR90, all in metres."""

    indicative_m: float | None
    """Expected depth of its top when it was laid (vejledendeDybde): not measured."""
    top_min_m: float | None
    top_max_m: float | None
    """Lowest and highest level of its top: of the vertices that have a height, or topkote of a component."""
    in_part: bool
    """Whether some of its vertices have no height."""
    drawn_m: float | None
    """Lowest level at which a component is drawn that has no topkote; the model does not say of what it is."""
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
            if self.in_part:
                said[-1] += ", kote mangler for en del" if danish else ", in part without levels"
        if self.drawn_m is not None:
            drawn = _metres(self.drawn_m, danish=danish)
            said.append(f"tegnet i kote {drawn} m (DVR90)" if danish else f"drawn at level {drawn} m (DVR90)")
        if self.bottom_m is not None:
            bottom = _metres(self.bottom_m, danish=danish)
            said.append(
                f"bund i kote {bottom} m (DVR90)" if danish else f"bottom at level {bottom} m (DVR90)"
            )
        return "; ".join(said)


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
    def has_band(self) -> bool:
        """Whether it is a line, trace or component: not a note, a dimension line or an attachment."""
        return self.band is not NO_BAND

    @property
    def may_be_in_dig_area(self) -> bool:
        """Whether its band reaches the dig area; so it is of a line of which nobody knows the place."""
        if not self.has_band:
            return self.in_dig_area is True
        return self.distance_m is None or self.distance_m <= self.band.half_width_m


def assess(contents: "Contents") -> Sequence[Assessed]:
    """Assess every feature of a package, in its order; `contents.assessed` keeps the result."""
    delivered = list(contents.features())
    geometries = [feature.geometry for _, _, feature in delivered]
    distances, heights = distances_m(contents.request.area, geometries), heights_of(geometries)
    unknown_m, types = contents.options.unknown_accuracy_m, load_model().types
    found = []
    for (owner, delivery, feature), distance, height, cover in zip(
        delivered, distances, heights, contents.covers.each, strict=True
    ):
        feature_type, danger = types[feature.type], feature.attributes.get("fareklasse")
        one = Assessed(
            owner,
            delivery,
            feature,
            utility_type=next(iter(feature.utility_types(feature_type)), ""),
            danger=danger if isinstance(danger, str) else None,
            in_dig_area=None if distance is None else distance == 0,
            distance_m=distance,
            band=band_of(feature, feature_type, unknown_m),
            depth=depth_of(feature, feature_type, height),
            cover=cover,
        )
        found.append(one)
    return found


def distances_m(area: BaseGeometry, geometries: Sequence[BaseGeometry | None]) -> list[float | None]:
    """Return how far each geometry is from the area, m; 0 of what touches it, None of what has no geometry."""
    shapely.prepare(area)
    found = shapely.distance(area, _array(geometries))
    found[found <= TOUCH_M] = 0.0
    return [None if np.isnan(distance) else round(float(distance), 3) for distance in found]


def measure_cover(contents: "Contents") -> Covers:
    """Compute the cover of every feature, in the order of the package; `contents.covers` keeps the result."""
    options = contents.options
    terrain = (
        None if options.terrain is None else open_terrain(options.terrain, is_dvr90=options.terrain_is_dvr90)
    )
    features = [feature for _, _, feature in contents.features()]
    return covers_of(features, terrain, options.terrain_accuracy_m)


def depth_of(feature: Feature, feature_type: FeatureType, heights: Heights | None) -> Depth | None:
    """Return what its owner told of its depth; None when that is nothing.

    The heights are those of its geometry: of the top of a line or trace, and nobody says of what in a component.
    """
    indicative, bottom = _number(feature, "vejledendeDybde"), _number(feature, "bundkote")
    top, level = _number(feature, "topkote"), feature.attributes.get("niveau")
    drawn = None
    in_part = False
    lowest = highest = top
    if top is None and heights is not None:
        if feature_type.is_a("Ledningskomponent"):
            drawn = heights.lowest_m
        else:
            lowest, highest, in_part = heights.lowest_m, heights.highest_m, heights.in_part
    told = (indicative, level, bottom, lowest, drawn)
    if not has_band(feature_type) or all(one is None for one in told):
        return None
    return Depth(
        None if indicative is None else indicative / _MM_PER_M,
        lowest,
        highest,
        in_part=in_part,
        drawn_m=drawn,
        bottom_m=bottom,
        level=level if isinstance(level, str) else None,
    )


def heights_of(geometries: Sequence[BaseGeometry | None]) -> list[Heights | None]:
    """Return the heights of each geometry, None where there are none."""
    points, of = shapely.get_coordinates(_array(geometries), include_z=True, return_index=True)
    known = ~(np.isnan(points[:, 2]) | (points[:, 2] == UNKNOWN_HEIGHT))
    lowest, highest = np.full(len(geometries), np.inf), np.full(len(geometries), -np.inf)
    np.minimum.at(lowest, of[known], points[known, 2])
    np.maximum.at(highest, of[known], points[known, 2])
    missing = np.bincount(of[~known], minlength=len(geometries)) > 0
    return [
        Heights(low, high, part) if low <= high else None
        for low, high, part in zip(lowest.tolist(), highest.tolist(), missing.tolist(), strict=True)
    ]


def _array(geometries: Sequence[BaseGeometry | None]) -> NDArray[np.object_]:
    return np.array([*geometries, None], dtype=object)[:-1]


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
