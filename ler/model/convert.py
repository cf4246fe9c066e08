"""From one version of the LER model to another: what can stay, what is lost, and what somebody must add.

Driven by the two models alone. Nothing is ever invented: an attribute that the newer version demands is told, not
filled in, and not marked as unknown either, since only its owner can say that it is unknown.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from ler.model.feature import Feature, Value
from ler.model.schema import VERSIONS, Attribute, FeatureType, Kind, Model


class Change(StrEnum):
    """What happens to an attribute between two versions."""

    VALUE_LOST = "value-lost"
    """The other version has no such attribute: its value is left out."""
    VOID_LOST = "void-lost"
    """The other version has the attribute, but it may not be void: it is left out."""
    TO_ADD = "to-add"
    """The other version demands the attribute, and this one does not know it."""
    OTHER_MEANING = "other-meaning"
    """The value stays, but the attribute means something else in the other version."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One kind of change to one attribute of one feature type."""

    change: Change
    feature_type: str
    attribute: str


@dataclass(slots=True)
class Told:
    """How often a change was met, and the first feature it was met at."""

    count: int
    gml_id: str
    line: int


@dataclass(slots=True)
class Conversion:
    """Converts features one by one and keeps account; the account grows with the model, not with the file."""

    source: Model
    target: Model
    account: dict[Changed, Told] = field(default_factory=dict)

    def convert(self, feature: Feature) -> Feature:
        """Return the feature as the target version can hold it; what it could not keep goes to the account."""
        before = self.source.types[feature.type]
        after = self.target.types[feature.type]
        for changed in _changes(feature, before, after, (self.source.version, self.target.version)):
            told = self.account.setdefault(changed, Told(0, feature.gml_id, feature.line))
            told.count += 1
        known = {attribute.name: attribute for attribute in after.attributes}
        return replace(
            feature,
            attributes={
                name: self._value(known[name], value)
                for name, value in feature.attributes.items()
                if name in known
            },
            voids={
                name: reason for name, reason in feature.voids.items() if name in known and known[name].void
            },
        )

    def _value(self, attribute: Attribute, value: Value) -> Value:
        if attribute.kind is not Kind.INLINE or not isinstance(value, dict):
            return value
        inner = Feature(
            attribute.target, str(value["gml_id"]), {k: v for k, v in value.items() if k != "gml_id"}
        )
        return {"gml_id": inner.gml_id, **self.convert(inner).attributes}

    def count(self, *changes: Change) -> int:
        """How many attributes of features met one of the changes."""
        return sum(told.count for changed, told in self.account.items() if changed.change in changes)

    @property
    def faithful(self) -> bool:
        """Whether nothing was lost and nothing must be added."""
        return not self.count(Change.VALUE_LOST, Change.VOID_LOST, Change.TO_ADD)


def _changes(
    feature: Feature, before: FeatureType, after: FeatureType, versions: tuple[str, str]
) -> Iterator[Changed]:
    old = {attribute.name: attribute for attribute in before.attributes}
    new = {attribute.name: attribute for attribute in after.attributes}
    for name in feature.attributes:
        if name not in new:
            yield Changed(Change.VALUE_LOST, feature.type, name)
        elif _parted(new[name].meaning_since, versions):
            yield Changed(Change.OTHER_MEANING, feature.type, name)
    for name in feature.voids:
        if name not in new:
            yield Changed(Change.VALUE_LOST, feature.type, name)
        elif not new[name].void:
            yield Changed(Change.VOID_LOST, feature.type, name)
            if new[name].min_count:
                yield Changed(Change.TO_ADD, feature.type, name)
    for name, attribute in new.items():
        if name not in old and _demanded(attribute, feature):
            yield Changed(Change.TO_ADD, feature.type, name)


def _demanded(attribute: Attribute, feature: Feature) -> bool:
    return attribute.min_count > 0 or (attribute.with_geometry and feature.geometry is not None)


def _parted(boundary: str, versions: tuple[str, str]) -> bool:
    """Whether the boundary lies between the two versions."""
    low, high = sorted(VERSIONS.index(version) for version in versions)
    return low < VERSIONS.index(boundary) <= high
