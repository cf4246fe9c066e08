"""The lines, traces and components that lie there, as arrays: where, how well that is known, and which rules are theirs.

What has no place of its own has that of the line or trace that contains it; what has none at all may be anywhere. A
class that a line does not tell may be any of its utility, of a component any of the lines that it is joined to.
Notes, dimension lines and attachments are left out: they lie nowhere in the ground.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple
from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from conflicts.clearances import Clearances, Utility, kinds_of_utility
from ler.domain.uncertainty import Band, band_of, has_band
from ler.model import Feature, load_model

type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]
type Geometries = NDArray[np.object_]

_JOINTS: Final = ("startkomponent", "slutkomponent")


class Delivered(NamedTuple):
    """A feature and whose it is."""

    owner_id: UUID | None
    feature: Feature


class Kinds(NamedTuple):
    """Which kinds of the rules a line may be."""

    kinds: frozenset[str]
    known: bool
    """Whether its class is told: it is all of these, not one of them."""


@dataclass(frozen=True)
class Existing:
    """Lines, traces and components, in the order in which they were given."""

    numbers: Sequence[int]
    """Place of each among what was given."""
    delivered: Sequence[Delivered]
    geometries: Geometries
    """In the plane; None of what has no place."""
    half_m: Floats
    """Half width of the band."""
    nearer_m: Floats
    """How much nearer its outside is than the middle, at least: half the outer size where that is known, else 0."""
    off_m: Floats
    """What its position may be off."""
    bands: Sequence[Band]
    kinds: Sequence[Kinds]
    is_component: Flags
    is_overhead: Flags
    """Power lines in the air."""

    @cached_property
    def tree(self) -> shapely.STRtree:
        """An index of the places."""
        return shapely.STRtree(self.geometries)

    @cached_property
    def placeless(self) -> NDArray[np.int64]:
        """Places of those that have no place on the ground."""
        return np.flatnonzero(shapely.is_missing(self.geometries))

    @cached_property
    def widest_m(self) -> float:
        """Half the widest band."""
        return float(self.half_m.max(initial=0.0))

    def only(self, places: NDArray[np.int64]) -> "Existing":
        """Return some of them, in the order of `places`."""
        chosen = places.tolist()
        return Existing(
            [self.numbers[place] for place in chosen],
            [self.delivered[place] for place in chosen],
            self.geometries[places],
            self.half_m[places],
            self.nearer_m[places],
            self.off_m[places],
            [self.bands[place] for place in chosen],
            [self.kinds[place] for place in chosen],
            self.is_component[places],
            self.is_overhead[places],
        )

    @property
    def extent(self) -> BaseGeometry | None:
        """A box around all that they may be in, EPSG:25832; None: nothing has a place."""
        if all(geometry is None for geometry in self.geometries):
            return None
        bounds = shapely.total_bounds(self.geometries)
        margin_m = self.widest_m + 1.0
        around: BaseGeometry = shapely.box(*(bounds + np.array([-margin_m, -margin_m, margin_m, margin_m])))
        return around

    def of_owners(self, owners: Collection[UUID]) -> "Existing":
        """Return those of these owners."""
        kept = np.array([one.owner_id in owners for one in self.delivered], dtype=bool)
        return self.only(np.flatnonzero(kept))


def existing_of(
    delivered: Sequence[Delivered], clearances: Clearances, unknown_accuracy_m: float
) -> Existing:
    """Return what lies in the ground or above it. `unknown_accuracy_m`: where no class bounds a position."""
    types = load_model().types
    numbers = [n for n, one in enumerate(delivered) if has_band(types[one.feature.type])]
    chosen = [delivered[n] for n in numbers]
    places = _places(chosen)
    bands = [band_of(delivered_there.feature, types[delivered_there.feature.type], unknown_accuracy_m)
             for delivered_there in places]  # fmt: skip
    kinds = _kinds_of(chosen, clearances)
    off = [unknown_accuracy_m if band.accuracy_m is None else band.accuracy_m for band in bands]
    return Existing(
        numbers,
        chosen,
        shapely.force_2d(_array([place.feature.geometry for place in places])),
        np.array([band.half_width_m for band in bands], dtype=np.float64),
        np.array([(band.outer_m or 0.0) / 2 for band in bands], dtype=np.float64),
        np.array(off, dtype=np.float64),
        bands,
        kinds,
        np.array([types[one.feature.type].is_a("Ledningskomponent") for one in chosen], dtype=bool),
        np.array([_is_overhead(one.feature) for one in chosen], dtype=bool),
    )


def _array(geometries: Sequence[BaseGeometry | None]) -> Geometries:
    return np.array([*geometries, None], dtype=object)[:-1]


def _places(chosen: Sequence[Delivered]) -> list[Delivered]:
    """Of each what tells its place: itself, what contains it, or what contains that."""
    holders: dict[tuple[UUID | None, str], Delivered] = {}
    for one in chosen:
        for held in _ids(one.feature, "indeholdtLedning"):
            holders.setdefault((one.owner_id, held), one)
    found = []
    for one in chosen:
        place, seen = one, {one.feature.gml_id}
        while place.feature.geometry is None:
            holder = holders.get((place.owner_id, place.feature.gml_id))
            if holder is None or holder.feature.gml_id in seen:
                break
            seen.add(holder.feature.gml_id)
            place = holder
        found.append(place if place.feature.geometry is not None else one)
    return found


def _ids(feature: Feature, name: str) -> list[str]:
    value = feature.attributes.get(name)
    return [str(one) for one in (value if isinstance(value, list) else [value]) if one is not None]


def _kinds_of(chosen: Sequence[Delivered], clearances: Clearances) -> list[Kinds]:
    own = [_own_kinds(one.feature, clearances.utilities) for one in chosen]
    joined: dict[tuple[UUID | None, str], set[str]] = {}
    by_id = {(one.owner_id, one.feature.gml_id): kinds for one, kinds in zip(chosen, own, strict=True)}
    for one, kinds in zip(chosen, own, strict=True):
        if kinds.known:
            for name in _JOINTS:
                for joint in _ids(one.feature, name):
                    joined.setdefault((one.owner_id, joint), set()).update(kinds.kinds)
    found = []
    for one, kinds in zip(chosen, own, strict=True):
        if not kinds.known:
            lines = [by_id.get((one.owner_id, line)) for line in _ids(one.feature, "tilknyttetLedning")]
            told = joined.get((one.owner_id, one.feature.gml_id), set()) | {
                kind for line in lines if line is not None and line.known for kind in line.kinds
            }
            held = [by_id.get((one.owner_id, line)) for line in _ids(one.feature, "indeholdtLedning")]
            told |= _held(kinds, held)
            # Of its own utility only: a component of power is none of gas, whatever it is joined to.
            if told & kinds.kinds:
                found.append(Kinds(frozenset(told & kinds.kinds), known=True))
                continue
        found.append(kinds)
    return found


def _held(kinds: Kinds, held: Sequence[Kinds | None]) -> set[str]:
    """What a duct or trace is by the lines in it: of each of its utilities some, and the class of every one is told."""
    found: set[str] = set()
    for line in held:
        if line is None or not line.known:
            return set()
        found |= line.kinds & kinds.kinds
    utilities = {kind.partition(".")[0] for kind in kinds.kinds}
    return found if utilities == {kind.partition(".")[0] for kind in found} else set()


def _own_kinds(feature: Feature, utilities: Mapping[str, Utility]) -> Kinds:
    by_theme = {utility.theme: name for name, utility in utilities.items() if utility.theme}
    names = {
        by_theme.get(theme, "unknown") for theme in feature.utility_types(load_model().types[feature.type])
    }
    found: set[str] = set()
    known = True
    for name in names or {"unknown"}:
        utility = utilities.get(name)
        if utility is None or not utility.classes:
            found.add(name)
            continue
        told = _classes(feature, utility)
        known = known and bool(told)
        found |= {f"{name}.{one}" for one in told} or set(kinds_of_utility(name, utility))
    return Kinds(frozenset(found), known)


def _classes(feature: Feature, utility: Utility) -> set[str]:
    """The class by voltage or pressure, and that by type: both when they differ, the stricter then counts."""
    found = {name for name, one in utility.classes.items() if feature.attributes.get("type") in one.types}
    for attribute, bound in (("spaendingsniveau", "at_most_kv"), ("tryk", "at_most_bar")):
        value = feature.attributes.get(attribute)
        bounded = any(getattr(one, bound) is not None for one in utility.classes.values())
        if bounded and isinstance(value, int | float) and value > 0:
            found.add(
                next(
                    name
                    for name, one in utility.classes.items()
                    if getattr(one, bound) is None or value <= getattr(one, bound)
                )
            )
    return found


def _is_overhead(feature: Feature) -> bool:
    return feature.type == "Elledning" and (
        feature.attributes.get("niveau") == "over terræn" or feature.attributes.get("type") == "luftledning"
    )
