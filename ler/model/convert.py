"""From one version of the LER model to another: what can stay, what is lost, and what somebody must add.

Driven by the two models alone. Nothing is ever invented: an attribute that the newer version demands is told, not
filled in, and not marked as unknown either, since only its owner can say that it is unknown.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from ler.model.feature import Feature, Value
from ler.model.schema import VERSIONS, Attribute, Kind, Model


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


@dataclass(frozen=True, slots=True)
class _Plan:
    """What becomes of the attributes of one feature type, by name."""

    gone: frozenset[str]
    never_void: frozenset[str]
    """May not be void in the target; the demanded ones among them must then be added."""
    demanded: frozenset[str]
    other_meaning: frozenset[str]
    added: tuple[Attribute, ...]
    """Only the target has them, and demands them, perhaps of features with a geometry only."""
    inline: tuple[Attribute, ...]


@dataclass(slots=True)
class Conversion:
    """Converts features one by one and keeps account; the account grows with the model, not with the file."""

    source: Model
    target: Model
    account: dict[Changed, Told] = field(default_factory=dict)
    _plans: dict[str, _Plan] = field(default_factory=dict)

    def convert(self, feature: Feature) -> Feature:
        """Return the feature as the target version can hold it; what it could not keep goes to the account."""
        plan = self._plans.get(feature.type)
        if plan is None:
            plan = self._plans[feature.type] = _plan(feature.type, self.source, self.target)
        for change, name in _changes(feature, plan):
            changed = Changed(change, feature.type, name)
            told = self.account.setdefault(changed, Told(0, feature.gml_id, feature.line))
            told.count += 1
        attributes = {name: value for name, value in feature.attributes.items() if name not in plan.gone}
        for attribute in plan.inline:
            value = attributes.get(attribute.name)
            if isinstance(value, dict):
                attributes[attribute.name] = self._inline(attribute, value)
        voids = {
            name: reason
            for name, reason in feature.voids.items()
            if name not in plan.gone and name not in plan.never_void
        }
        return replace(feature, attributes=attributes, voids=voids)

    def _inline(self, attribute: Attribute, value: dict[str, Value]) -> Value:
        attributes = {name: one for name, one in value.items() if name != "gml_id"}
        inner = Feature(attribute.target, str(value["gml_id"]), attributes)
        return {"gml_id": inner.gml_id, **self.convert(inner).attributes}

    def count(self, *changes: Change) -> int:
        """How many attributes of features met one of the changes."""
        return sum(told.count for changed, told in self.account.items() if changed.change in changes)

    @property
    def faithful(self) -> bool:
        """Whether nothing was lost and nothing must be added."""
        return not self.count(Change.VALUE_LOST, Change.VOID_LOST, Change.TO_ADD)


def _changes(feature: Feature, plan: _Plan) -> Iterator[tuple[Change, str]]:
    for name in feature.attributes:
        if name in plan.gone:
            yield Change.VALUE_LOST, name
        elif name in plan.other_meaning:
            yield Change.OTHER_MEANING, name
    for name in feature.voids:
        if name in plan.gone:
            yield Change.VALUE_LOST, name
        elif name in plan.never_void:
            yield Change.VOID_LOST, name
            if name in plan.demanded and name not in feature.attributes:
                yield Change.TO_ADD, name
    for attribute in plan.added:
        if attribute.min_count or feature.geometry is not None:
            yield Change.TO_ADD, attribute.name


def _plan(name: str, source: Model, target: Model) -> _Plan:
    before = {attribute.name for attribute in source.types[name].attributes}
    after = {attribute.name: attribute for attribute in target.types[name].attributes}
    versions = sorted(VERSIONS.index(model.version) for model in (source, target))
    return _Plan(
        gone=frozenset(before - after.keys()),
        never_void=frozenset(a.name for a in after.values() if not a.void),
        demanded=frozenset(a.name for a in after.values() if a.min_count),
        other_meaning=frozenset(
            a.name for a in after.values() if versions[0] < VERSIONS.index(a.meaning_since) <= versions[1]
        ),
        added=tuple(a for a in after.values() if a.name not in before and (a.min_count or a.with_geometry)),
        inline=tuple(a for a in after.values() if a.kind is Kind.INLINE),
    )
