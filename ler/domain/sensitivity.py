"""Lines that are not shown to everybody who asks: what an owner's rules say of a feature, and what is told instead.

Which classes there are and what each delivers is in `SensitivityClass`. Whether something is withheld is decided by the
cells of a fixed grid that the asked area touches, the same cells for every request: asked often and in small pieces,
the platform still tells no more of a line than the cells it runs through.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor
from typing import Final

import shapely
from shapely import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry

from ler.domain.answers import AnswerType
from ler.domain.faults import Fault
from ler.model import Feature, load_model

CELL_M: Final = 20.0
"""Side of a cell of the grid, m; its lines lie at whole multiples in EPSG:25832. The database has it too."""

MOST_NAMES: Final = 10_000
"""gml:ids that one rule may name."""

_SHOWN: Final = 200
_DANGER: Final = "Fareklasse"
_UTILITIES: Final = "Forsyningsart"


class SensitivityClass(StrEnum):
    """What may be told of a line; of several that rules give it the strictest holds, the last of these."""

    NORMAL = "normal"
    """Delivered to everybody who asks. What no rule meets is of this class; no rule gives it."""
    RESTRICTED = "restricted"
    """Delivered when its owner has said yes to the one request; until then it is told that something lies there."""
    SITE_MARKING = "site-marking"
    """Pointed out on site: told are the cells that it runs through, and whom to call."""
    NEVER = "never"
    """Must not be stored here: a file that holds it is refused. What came before the rule is never delivered."""


STRICTNESS: Final = tuple(SensitivityClass)
"""From the mildest to the strictest."""


@dataclass(frozen=True, slots=True)
class SensitivityRule:
    """Which features are of a class: those that meet all that the rule names; it names one thing at least."""

    sensitivity: SensitivityClass
    feature_types: frozenset[str] = frozenset()
    utility_types: frozenset[str] = frozenset()
    """LER values (forsyningsart); one of a duct's or trace's is enough."""
    danger_classes: frozenset[str] = frozenset()
    gml_ids: frozenset[str] = frozenset()
    area: MultiPolygon | None = None
    """EPSG:25832; touching counts. What has no place of its own does not meet it."""

    def meets(self, feature: Feature) -> bool:
        """Whether the rule holds for a feature with geometry in EPSG:25832."""
        kind = load_model().types[feature.type]
        return (
            (not self.feature_types or feature.type in self.feature_types)
            and (not self.gml_ids or feature.gml_id in self.gml_ids)
            and (not self.danger_classes or feature.attributes.get("fareklasse") in self.danger_classes)
            and (not self.utility_types or not self.utility_types.isdisjoint(feature.utility_types(kind)))
            and (self.area is None or _touches(self.area, feature.geometry))
        )


def class_of(rules: Collection[SensitivityRule], feature: Feature) -> SensitivityClass:
    """Return the strictest class that the rules give a feature."""
    given = (rule.sensitivity for rule in rules if rule.meets(feature))
    return max(given, key=STRICTNESS.index, default=SensitivityClass.NORMAL)


def rule_faults(rule: SensitivityRule) -> list[Fault]:
    """Return what is wrong with a rule that somebody wrote."""
    return list(_rule_faults(rule))


def cells_of(geometry: BaseGeometry, cell_m: float = CELL_M) -> list[Polygon]:
    """Return the cells of the grid that a geometry in the plane touches, from south-west to north-east.

    What lies on a line of the grid touches the cells on both sides.
    """
    west, south, east, north = geometry.bounds
    shapely.prepare(geometry)
    return [
        cell
        for column in range(floor(west / cell_m) - 1, floor(east / cell_m) + 1)
        for row in range(floor(south / cell_m) - 1, floor(north / cell_m) + 1)
        if geometry.intersects(cell := _cell(column, row, cell_m))
    ]


@dataclass(frozen=True, slots=True)
class Withheld:
    """What of an owner's lines is not in its answer, in one request."""

    classes: frozenset[SensitivityClass] = frozenset()
    refused: bool = False
    """The owner has said no to the restricted ones. Before it says yes or no it owes its answer."""

    @property
    def awaits_owner(self) -> bool:
        """Whether the owner must still say yes or no."""
        return SensitivityClass.RESTRICTED in self.classes and not self.refused


def answer_type_of(feature_count: int, withheld: Withheld) -> AnswerType:
    """Return the kind of answer that the platform gives for an owner: never "no lines" where some are withheld.

    Lines that are delivered beside others that nobody is told of make an answer "to be pointed out", which keeps
    everybody from digging: "not told" may hold no lines, and "delivered" would be taken for all there is.
    """
    if withheld.awaits_owner:
        return AnswerType.MANUAL
    if not withheld.classes:
        return AnswerType.DELIVERED if feature_count else AnswerType.NO_LINES
    if feature_count:
        return AnswerType.SITE_MARKING_WITH_LINES
    if SensitivityClass.SITE_MARKING in withheld.classes:
        return AnswerType.SITE_MARKING
    return AnswerType.WITHHELD


def _touches(area: MultiPolygon, geometry: BaseGeometry | None) -> bool:
    return geometry is not None and bool(area.intersects(geometry))


def _cell(column: int, row: int, cell_m: float) -> Polygon:
    return box(column * cell_m, row * cell_m, (column + 1) * cell_m, (row + 1) * cell_m)


def _rule_faults(rule: SensitivityRule) -> Iterator[Fault]:
    if rule.sensitivity is SensitivityClass.NORMAL:
        yield Fault("rule-class", "/class", "a line is normal when no rule meets it: end the rule that does")
    named: tuple[Sequence[object], ...] = (
        *(tuple(rule.feature_types), tuple(rule.utility_types)),
        *(tuple(rule.danger_classes), tuple(rule.gml_ids)),
    )
    if not any(named) and rule.area is None:
        yield Fault(
            "rule-empty",
            "",
            "name what the rule meets: feature types, utility types, danger classes, gml:ids or an area",
        )
    model = load_model()
    known = {feature_type.name for feature_type in model.concrete()}
    for name in sorted(rule.feature_types - known):
        yield Fault(
            "feature-type-unknown", "/feature_types", f"the model has no feature type {name[:_SHOWN]}"
        )
    for member, values, code_list in (
        ("utility_types", rule.utility_types, model.code_lists[_UTILITIES]),
        ("danger_classes", rule.danger_classes, model.code_lists[_DANGER]),
    ):
        for value in sorted(value for value in values if value not in code_list):
            wanted = ", ".join(code_list.values)
            yield Fault("attribute-code", f"/{member}", f"{value[:_SHOWN]} is none of: {wanted}")
    if len(rule.gml_ids) > MOST_NAMES:
        yield Fault("rule-too-long", "/gml_ids", f"a rule names at most {MOST_NAMES} gml:ids; make several")
    if any(not name for name in rule.gml_ids):
        yield Fault("field-invalid", "/gml_ids", "a gml:id is not empty")
    if rule.area is not None and (rule.area.is_empty or not rule.area.is_valid):
        yield Fault("geometry-invalid", "/area", "the area is not a valid polygon")
