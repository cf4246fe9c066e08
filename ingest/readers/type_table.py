"""A feature type as the reader needs it: every attribute found by its element's name, with what is usual for it."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ler.model import NAMESPACES, Attribute, FeatureType, Kind, Model, Value

MAX_KNOWN: Final = 5_000
"""Texts of one attribute that are remembered with their values."""

GML: Final = f"{NAMESPACES['gml']}}}"

STANDARD: Final[Mapping[str, int]] = {
    GML + name: position
    for position, name in enumerate(
        (
            "metaDataProperty",
            "description",
            "descriptionReference",
            "identifier",
            "name",
            "boundedBy",
            "location",
        ),
        start=-7,
    )
}
"""Elements that GML gives every feature before its own, in their order."""

REPEATED: Final = frozenset({GML + "metaDataProperty", GML + "name"})
"""Those of them that may stand more than once."""

BEFORE_ALL: Final = -8

_REMEMBERED: Final = frozenset(
    {
        Kind.CODE,
        Kind.INTEGER,
        Kind.SHARE,
        Kind.BOOLEAN,
        Kind.DATE,
        Kind.TIME,
        Kind.DATETIME,
        Kind.MEASURE,
    }
)


@dataclass(slots=True)
class Column:
    """One attribute: its place, its usual XML attributes, and the texts whose values are known."""

    attribute: Attribute
    name: str
    position: int
    bit: int
    many: bool
    usual: dict[str, str]
    """XML attributes that need no second look."""
    longest: int
    """A text that is no longer is its own value; -1 for other kinds."""
    remembers: bool
    known: dict[str, Value] = field(default_factory=dict)

    def remember(self, text: str, value: Value) -> None:
        """Know the value of a text without reading it again."""
        if self.remembers and len(self.known) < MAX_KNOWN:
            self.known[text] = value


@dataclass(frozen=True, slots=True)
class TypeTable:
    """One feature type: its attributes by element name, and which of them must be there."""

    feature_type: FeatureType
    columns: Mapping[str, Column]
    required: int
    """Sum of the bits of the attributes that must be there."""

    @property
    def name(self) -> str:
        """The feature type's name."""
        return self.feature_type.name


def make_tables(model: Model) -> Mapping[str, TypeTable]:
    """The table of every type of a model by the type's name; the texts it learns are those of one file."""
    return {name: _table(feature_type) for name, feature_type in model.types.items()}


def plain(tag: str) -> str:
    """A name in Clark notation as the stream gives it."""
    return tag.removeprefix("{")


def _table(feature_type: FeatureType) -> TypeTable:
    columns = {plain(attribute.tag): _column(attribute) for attribute in feature_type.attributes}
    required = sum(column.bit for column in columns.values() if column.attribute.min_count)
    return TypeTable(feature_type, columns, required)


def _column(attribute: Attribute) -> Column:
    fixed_unit = attribute.kind is Kind.MEASURE and attribute.unit
    longest = (attribute.max_length or sys.maxsize) if attribute.kind is Kind.TEXT else -1
    return Column(
        attribute=attribute,
        name=attribute.name,
        position=attribute.position,
        bit=1 << attribute.position,
        many=attribute.many,
        usual={"uom": attribute.unit} if fixed_unit else {},
        longest=longest,
        remembers=attribute.kind in _REMEMBERED and bool(fixed_unit or attribute.kind is not Kind.MEASURE),
    )
