"""What became of values on the way to or from another model: how often, and the first place. Nothing goes in silence."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Fate(StrEnum):
    """What happened to a value or an object."""

    OBJECT_LOST = "object-lost"
    """The other model has no place for the object, or demands what it does not have."""
    VALUE_LOST = "value-lost"
    """The other model has no place for the value."""
    COARSER = "coarser"
    """Something of the value was lost: its precision, some of several."""
    ASSUMED = "assumed"
    """The other model demands what is not known here: an assumption stands there."""
    TO_ADD = "to-add"
    """The other model demands what is not known here, and nothing stands there: somebody must add it."""


@dataclass(slots=True)
class Met:
    """How often it was met, and the first time."""

    count: int
    gml_id: str
    line: int
    value: str


@dataclass(slots=True)
class Account:
    """Grows with the models, not with the file."""

    entries: dict[tuple[Fate, str, str], Met] = field(default_factory=dict)

    def add(
        self, fate: Fate, kind: str, name: str, *, gml_id: str = "", value: object = "", line: int = 0
    ) -> None:
        """Count once: the type or class and the attribute or element."""
        met = self.entries.setdefault((fate, kind, name), Met(0, gml_id, line, str(value)[:40]))
        met.count += 1

    def count(self, *fates: Fate) -> int:
        """How often any of the fates was met."""
        return sum(met.count for (fate, _, _), met in self.entries.items() if fate in fates)

    @property
    def faithful(self) -> bool:
        """Whether nothing was lost and nothing assumed."""
        return not self.entries

    def rows(self) -> Iterator[tuple[Fate, str, str, Met]]:
        """Every entry, the worst fates first."""
        order = list(Fate)
        for fate, kind, name in sorted(self.entries, key=lambda key: (order.index(key[0]), *key[1:])):
            yield fate, kind, name, self.entries[fate, kind, name]
