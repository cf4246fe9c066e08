"""What differs between two packages: features added, removed, moved and changed, and how far each owner is.

Two revisions of one request, or packages of two requests whose areas overlap, of which only what lies in both areas is
compared. Features are known by their owner and gml:id, or by LER's `id` where the owner made new gml:ids. A feature with
another geometry is moved, whatever else differs; one of which only attributes differ is changed: the words are those of
versions of a network. Refuses packages whose areas have nothing in common.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from ler.errors import RefusedError
from ler.model import Feature, Kind, load_model

TOLERANCE_M: Final = 0.002
"""What is no move, in plan and height: coordinates of a GML file are whole millimetres, and a cut rounds once more."""

_EDGE_M: Final = 0.01
"""How far within both areas packages of different areas are compared, so that no edge is a difference."""


class Change(StrEnum):
    """What happened to a feature."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Side:
    """One of two packages: its manifest and the features delivered, by the CVR number of their owner."""

    manifest: Mapping[str, Any]
    features: Mapping[str, Sequence[Feature]]

    @property
    def owners(self) -> dict[str, Mapping[str, Any]]:
        """What the manifest tells of each owner, by CVR number."""
        return {str(one["cvr"]): one for one in self.manifest["owners"]}

    @property
    def reach(self) -> BaseGeometry | None:
        """The dig area and what lies in reach of it, EPSG:25832; None when nothing is told of it."""
        asked = self.manifest.get("request", {})
        if "area_wkt" not in asked:
            return None
        area: BaseGeometry = shapely.from_wkt(asked["area_wkt"])
        return shapely.buffer(area, asked["clip_buffer_m"]) if asked["clip_buffer_m"] > 0 else area


@dataclass(frozen=True, slots=True)
class FeatureChange:
    """A feature that is not as it was."""

    owner_cvr: str
    change: Change
    old: Feature | None
    new: Feature | None
    moved_m: float | None = None
    """In plan, m (Hausdorff distance); None when it did not move in plan, or had no place before or has none now."""
    raised_m: float | None = None
    """The largest change of a height, m; None when no height that is known on both sides changed."""
    attributes: Sequence[tuple[str, Any, Any]] = ()
    """Name, old and new value; None where there is none."""

    @property
    def feature(self) -> Feature:
        """As it is, or was."""
        found = self.new or self.old
        if found is None:
            raise ValueError("a change is of a feature")
        return found


@dataclass(frozen=True, slots=True)
class OwnerChange:
    """How far an owner was and is; None: it was not asked."""

    cvr: str
    name: str
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
    counts: Mapping[Change, int]

    @property
    def state_changed(self) -> bool:
        """Whether it answered otherwise, or from another publication."""
        return self.old != self.new


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs, owners by CVR number and features in the order of their owner's answer."""

    old: Side
    new: Side
    same_area: bool
    owners: Sequence[OwnerChange]
    features: Sequence[FeatureChange]

    @property
    def is_none(self) -> bool:
        """Whether both say the same."""
        return not self.features and not any(one.state_changed for one in self.owners)


def compare(old: Side, new: Side) -> Difference:
    """Compare two packages. RefusedError `packages-apart` when their areas have nothing in common."""
    common = _common(old, new)
    if common is not None:
        old, new = (Side(one.manifest, _cut(one.features, common)) for one in (old, new))
    features: list[FeatureChange] = []
    owners: list[OwnerChange] = []
    before, after = old.owners, new.owners
    for cvr in sorted({*before, *after}):
        found = list(
            _Comparing(cvr, cut=common is not None).changes(
                old.features.get(cvr, ()), new.features.get(cvr, ())
            )
        )
        features += found
        counts = Counter(one.change for one in found)
        name = str((after.get(cvr) or before[cvr])["name"])
        states = (_state(before.get(cvr)), _state(after.get(cvr)))
        owners.append(OwnerChange(cvr, name, *states, {kind: counts[kind] for kind in Change}))
    return Difference(old, new, common is None, owners, features)


def _common(old: Side, new: Side) -> BaseGeometry | None:
    """Where both packages tell something; None when they are of the same area."""
    first, second = old.reach, new.reach
    if first is None or second is None or first.equals_exact(second, 1e-4):
        return None
    common = shapely.buffer(shapely.intersection(first, second), -_EDGE_M)
    if common.is_empty:
        raise RefusedError("packages-apart", "the areas of the two packages have nothing in common")
    return common


def _cut(features: Mapping[str, Sequence[Feature]], common: BaseGeometry) -> dict[str, list[Feature]]:
    """Return what of the features lies within; what has no place is left as it is."""
    shapely.prepare(common)
    return {cvr: list(_cut_ones(found, common)) for cvr, found in features.items()}


def _cut_ones(features: Sequence[Feature], common: BaseGeometry) -> Iterator[Feature]:
    shapes = np.array([*(one.geometry for one in features), None], dtype=object)[:-1]
    inside, touching = shapely.covers(common, shapes), shapely.intersects(common, shapes)
    for feature, whole, part in zip(features, inside, touching, strict=True):
        if feature.geometry is None or whole:
            yield feature
        elif part:
            geometry = shapely.intersection(feature.geometry, common)
            cut = Feature(feature.type, feature.gml_id, feature.attributes, feature.voids)
            cut.geometry = geometry
            yield cut


@dataclass(slots=True)
class _Comparing:
    """The features of one owner."""

    cvr: str
    cut: bool
    """The areas differ, so that what only refers to something may be there for its sake."""

    def changes(self, old: Sequence[Feature], new: Sequence[Feature]) -> Iterator[FeatureChange]:
        pairs = _paired(old, new)
        moves = _moves([(before, after) for before, after in pairs if before and after])
        for before, after in pairs:
            if before is None or after is None:
                alone = before or after
                if alone is not None and (alone.geometry is not None or not self.cut):
                    yield FeatureChange(self.cvr, Change.REMOVED if before else Change.ADDED, before, after)
                continue
            move = next(moves)
            attributes = self._attributes(before, after)
            if move is not None:
                yield FeatureChange(self.cvr, Change.MOVED, before, after, *move, attributes)
            elif attributes:
                yield FeatureChange(self.cvr, Change.CHANGED, before, after, attributes=attributes)

    def _attributes(self, old: Feature, new: Feature) -> list[tuple[str, Any, Any]]:
        if old.attributes == new.attributes and old.voids == new.voids:
            return []
        ignored = _references(new.type) if self.cut else frozenset()
        names = {*old.attributes, *new.attributes, *old.voids, *new.voids} - ignored
        told = ((name, _told(old, name), _told(new, name)) for name in sorted(names))
        return [(name, before, after) for name, before, after in told if before != after]


def _told(feature: Feature, name: str) -> Any:  # noqa: ANN401 - a value of any kind
    if name in feature.voids:
        return {"void": feature.voids[name]}
    return feature.attributes.get(name)


def _references(type_name: str) -> frozenset[str]:
    """Attributes that name other features: which of them are delivered depends on the area."""
    attributes = load_model().types[type_name].attributes
    return frozenset(one.name for one in attributes if one.kind is Kind.REFERENCE)


def _paired(old: Sequence[Feature], new: Sequence[Feature]) -> list[tuple[Feature | None, Feature | None]]:
    """Pair the features, those of the new package in its order, then what is gone."""
    by_gml_id: dict[tuple[str, str], list[Feature]] = defaultdict(list)
    for before in old:
        by_gml_id[before.type, before.gml_id].append(before)
    pairs: list[tuple[Feature | None, Feature | None]] = []
    alone: list[int] = []
    for now in new:
        waiting = by_gml_id.get((now.type, now.gml_id))
        if not waiting:
            alone.append(len(pairs))
        pairs.append((waiting.pop(0) if waiting else None, now))
    left = [one for waiting in by_gml_id.values() for one in waiting]
    by_id = _unique([(one, one) for one in left])
    wanted = _unique([(new_one, place) for place in alone if (new_one := pairs[place][1]) is not None])
    for key in by_id.keys() & wanted.keys():
        pairs[wanted[key]] = (by_id[key], pairs[wanted[key]][1])
    taken = {id(one) for one, _ in pairs}
    return pairs + [(one, None) for one in left if id(one) not in taken]


def _unique[T](features: Sequence[tuple[Feature, T]]) -> dict[tuple[str, str], T]:
    """Return by type and LER id those that are the only one of it."""
    keys = Counter(_key(feature) for feature, _ in features)
    return {key: value for feature, value in features if (key := _key(feature))[1] and keys[key] == 1}


def _key(feature: Feature) -> tuple[str, str]:
    return feature.type, str(feature.attributes.get("id") or "")


type Move = tuple[float | None, float | None]


def _moves(pairs: Sequence[tuple[Feature, Feature]]) -> Iterator[Move | None]:
    """Yield of each pair how far it moved; None when it did not."""
    old = np.array([*(before.geometry for before, _ in pairs), None], dtype=object)[:-1]
    new = np.array([*(after.geometry for _, after in pairs), None], dtype=object)[:-1]
    # Most features are as they were: looked at all at once, without their heights.
    alike = shapely.equals_exact(old, new, TOLERANCE_M)
    for before, after, same in zip(old, new, alike, strict=True):
        yield _move(before, after, same=bool(same))


def _move(old: BaseGeometry | None, new: BaseGeometry | None, *, same: bool) -> Move | None:
    if old is None or new is None:
        return None if old is new else (None, None)
    plan = 0.0 if same else float(shapely.hausdorff_distance(shapely.force_2d(old), shapely.force_2d(new)))
    before, after = (shapely.get_coordinates(one, include_z=True)[:, 2] for one in (old, new))
    if len(before) != len(after):
        before, after = _ends(before), _ends(after)
    became_known = bool((np.isnan(before) != np.isnan(after)).any())
    rises = np.abs(after - before)
    known = rises[~np.isnan(rises)]
    height = float(known.max()) if len(known) else 0.0
    if plan <= TOLERANCE_M and height <= TOLERANCE_M and not became_known:
        return None
    return (
        round(plan, 3) if plan > TOLERANCE_M else None,
        round(height, 3) if height > TOLERANCE_M else None,
    )


def _ends(heights: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The lowest and the highest, of lines that have not the same number of vertices."""
    known = heights[~np.isnan(heights)]
    return np.array([known.min(), known.max()] if len(known) else [np.nan, np.nan])


def _state(entry: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What of an owner's entry in the manifest tells how far it is."""
    if entry is None:
        return None
    return {
        "answered": entry.get("answered"),
        "to_be_marked": entry.get("to_be_marked"),
        "answer": entry.get("answer"),
        "answer_ids": [one["answer_id"] for one in entry.get("answers", [])],
        "dataset_version": entry.get("dataset_version"),
        "areas": [
            {"registration_number": one["registration_number"], "status": one["status"]}
            for one in entry.get("areas", [])
        ],
    }
