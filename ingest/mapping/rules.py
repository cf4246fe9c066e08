"""A mapping in memory: what each layer of an owner's file becomes, checked against the model already."""

from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from typing import Final

from ler.model import Attribute, Model, Value

UNKNOWN_HEIGHTS: Final = (-99.0, -999.0, -9999.0, 0.0)
"""Heights that stand for "unknown" where a mapping says nothing; 0 only where all of a geometry lies at 0."""

ONLY_LAYER: Final = "*"
"""Stands for the layer of a file that has one: in formats of one table its name means nothing."""


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """How a CSV file is written."""

    separator: str | None = None
    """Between fields; None where the first line tells it."""
    geometry: str | None = None
    """Column that holds the geometry as WKT; None where its name tells it."""
    line_breaks: bool = False
    """Whether quoted fields may go over lines."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Records whose cell of a column is one of some texts."""

    column: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class TypeRule:
    """Which feature type a record is: always the same, or by a cell."""

    constant: str = ""
    column: str = ""
    codes: Table[str, str | None] | None = None
    """Owner's code -> feature type, None for records that are left out; None as a whole where the cell is the type."""


@dataclass(frozen=True, slots=True)
class IdRule:
    """What the `gml:id` of a record is made of."""

    columns: tuple[str, ...]
    prefix: str = ""
    separator: str = "-"


@dataclass(frozen=True, slots=True)
class AttributeRule:
    """Where the value of one attribute comes from, and how it is read."""

    name: str
    line: int
    """Of the mapping, for messages."""
    columns: tuple[str, ...] = ()
    join: str = ""
    """Between the cells of several columns."""
    constant: Value = None
    """Used for every record where there is no column, and for an empty cell where there is one."""
    codes: Table[str, str | None] | None = None
    """Owner's code -> text of the LER value; None where the code means nothing."""
    unit: str = ""
    dates: tuple[str, ...] = ()
    """Patterns of dates as in `strptime`, tried in turn."""
    split: str = ""
    escape: str = ""
    """Character before a separator that is part of a value."""
    json: bool = False
    prefix: str = ""
    """Put before the target of a reference."""
    unknown: frozenset[str] = frozenset()
    """Cells that say that nobody knows: the attribute is void, a level unknown."""
    absent: frozenset[str] = frozenset()
    """Cells that say nothing."""
    void: bool = False
    """Whether the attribute is void, with the reason unknown, for every record without a value."""
    fields: Table[str, "AttributeRule"] = field(default_factory=dict)
    """Of an inline object."""

    def all_columns(self) -> frozenset[str]:
        """Every column that the rule reads."""
        inner = [rule.all_columns() for rule in self.fields.values()]
        return frozenset(self.columns).union(*inner)


@dataclass(frozen=True, slots=True)
class VoidRule:
    """A column that names the attributes of a record that are void, each perhaps with a reason: `name=reason`."""

    column: str
    separator: str = ","


@dataclass(frozen=True, slots=True)
class HeightRule:
    """What heights mean."""

    unknown: tuple[float, ...] = UNKNOWN_HEIGHTS
    stated: bool = False
    """Whether the mapping itself says so; what is only assumed is told of."""
    column: str = ""
    """Column with the height of all of the geometry, metres above DVR90; empty where the geometry has its own."""
    ignore: bool = False
    """Whether the third coordinate is no height at all."""


@dataclass(frozen=True, slots=True)
class LayerMapping:
    """What the records of one layer become, or some of them."""

    layer: str
    line: int
    type: TypeRule
    id: IdRule
    attributes: Table[str, AttributeRule]
    where: tuple[Chosen, ...] = ()
    crs: str | None = None
    owner: str = ""
    """Column with the owner's CVR number."""
    heights: HeightRule = HeightRule()
    voids: VoidRule | None = None
    areas: Chosen | None = None
    """Records whose closed lines are areas, in formats that know no areas."""
    unplaced: Chosen | None = None
    """Records whose geometry is only where they are written, not where they lie."""
    extended: str = ""
    """Application whose extended data (DXF) hold a JSON object with further columns."""
    ignore: frozenset[str] = frozenset()
    """Columns that are known, and not wanted."""

    def type_names(self, model: Model) -> tuple[str, ...]:
        """Every feature type that a record may become."""
        if self.type.constant:
            return (self.type.constant,)
        if self.type.codes is not None:
            return tuple(sorted({name for name in self.type.codes.values() if name}))
        return tuple(sorted(t.name for t in model.concrete()))

    def all_columns(self) -> frozenset[str]:
        """Every column that the layer must have."""
        single = {
            self.type.column,
            self.owner,
            self.heights.column,
            *(chosen.column for chosen in self.where),
        }
        single |= {self.voids.column if self.voids else "", self.areas.column if self.areas else ""}
        single |= {self.unplaced.column if self.unplaced else ""}
        rules = [rule.all_columns() for rule in self.attributes.values()]
        return frozenset(single - {""}).union(self.id.columns, *rules)


@dataclass(frozen=True, slots=True)
class Mapping:
    """An owner's mapping, whole."""

    model: Model
    layers: tuple[LayerMapping, ...]
    crs: str | None = None
    override_crs: bool = False
    """Whether `crs` stands against what the file says."""
    encoding: str | None = None
    """Of the texts of a shapefile or CSV; None where the file says it, or UTF-8."""
    csv: CsvDialect | None = None
    decimal: str = "."
    thousands: str = ""
    strip: bool = True
    """Whether blanks around a cell are none of its value."""
    spreadsheet: bool = False
    """Whether a leading ' before = + - @ or a tab only kept a spreadsheet from running the cell."""

    def of_layer(self, name: str, *, only: bool = False) -> list[LayerMapping]:
        """What is said of one layer of the file, or of the `only` one."""
        return [layer for layer in self.layers if layer.layer == name or (only and layer.layer == ONLY_LAYER)]


def attribute_of(model: Model, types: tuple[str, ...], name: str) -> Attribute | None:
    """Return the attribute of the first of some types that has it."""
    for type_name in types:
        for attribute in model.types[type_name].attributes:
            if attribute.name == name:
                return attribute
    return None
