"""The attributes of records of one feature type, as a mapping says they are to be read.

What is the same for all records of the type is worked out once; then a column is one flat loop.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.mapped.columns import Coded, Columns, encode
from ingest.mapping.cells import CellReader, Meaning, Notation, Outcome, cell_text, printable
from ingest.mapping.rules import AttributeRule, LayerMapping
from ler.model import Attribute, Feature, FeatureType, Kind, Model, Value

UNKNOWN: Final = "unknown"
"""The reason of a void, where a mapping or a table gives none but says that nobody knows."""


type Rows = NDArray[np.intp]
"""Indices of records in a batch."""

type Tell = Callable[[Feature, str, str, str, str], None]
"""Reports: feature, code, attribute, found, wanted."""


@dataclass(slots=True)
class _Part:
    """Records of one type in a batch: their features, where they stand, and what of them could not be read."""

    features: Sequence[Feature]
    rows: Rows
    columns: Columns
    tell: Tell
    unread: dict[int, set[str]] = field(default_factory=dict)

    def fault(self, feature: Feature, attribute: str, outcome: Outcome, name: str = "") -> None:
        """Tell that an attribute could not be read; `name` is the field of an inline object."""
        self.unread.setdefault(id(feature), set()).add(attribute)
        self.tell(feature, outcome.code, name or attribute, outcome.found, outcome.wanted)


class TypeReader:
    """Fills in the attributes of records that are of one feature type."""

    def __init__(
        self, feature_type: FeatureType, layer: LayerMapping, model: Model, notation: Notation
    ) -> None:
        self.feature_type = feature_type
        self.notation = notation
        self._layer = layer
        own = {attribute.name: attribute for attribute in feature_type.attributes}
        self._own = own
        self._readers = [
            (own[name], rule, _reader(own[name], rule, model, notation))
            for name, rule in layer.attributes.items()
            if name in own
        ]
        self._foreign = [rule for name, rule in layer.attributes.items() if name not in own]
        self._inner = {
            name: [
                (a, inner, CellReader(a, inner, notation))
                for a in model.types[own[name].target].attributes
                if (inner := rule.fields.get(a.name)) is not None
            ]
            for name, rule in layer.attributes.items()
            if name in own and rule.fields
        }
        self.required = frozenset(
            a.name for a in feature_type.attributes if a.min_count and a.kind is not Kind.GEOMETRY
        )

    def fill(self, features: Sequence[Feature], rows: Rows, columns: Columns, tell: Tell) -> None:
        """Read the attributes of the features that are at some rows of a batch."""
        part = _Part(features, rows, columns, tell)
        for attribute, rule, reader in self._readers:
            if rule.fields:
                self._fill_inline(attribute, part)
            else:
                self._fill_one(rule, reader, part)
        if self._layer.voids:
            self._fill_voids(part)
        self._tell_foreign(part)
        for feature in features:
            if found := part.unread.get(id(feature)):
                feature.unread = frozenset(found)
            missing = self.required - feature.attributes.keys()
            if missing and (left := missing - feature.voids.keys() - feature.unread):
                for name in sorted(left):
                    tell(feature, "value-missing", name, "", "")

    def _fill_one(self, rule: AttributeRule, reader: CellReader, part: _Part) -> None:
        attribute = reader.attribute
        name = attribute.name
        copies = attribute.many or attribute.kind in {Kind.INLINE, Kind.MEASURE}
        outcomes = _outcomes(rule, reader, part.rows, part.columns, self.notation)
        for feature, outcome in zip(part.features, outcomes, strict=True):
            meaning = outcome.meaning
            if meaning is Meaning.VALUE:
                value = outcome.value
                feature.attributes[name] = _copy(value, attribute, feature) if copies else value
            elif meaning is Meaning.VOID:
                feature.voids[name] = UNKNOWN
            elif meaning is Meaning.FAULT:
                part.fault(feature, name, outcome)

    def _fill_inline(self, attribute: Attribute, part: _Part) -> None:
        inner = self._inner[attribute.name]
        found = [_outcomes(rule, reader, part.rows, part.columns, self.notation) for _, rule, reader in inner]
        for at, feature in enumerate(part.features):
            value: dict[str, Value] = {}
            for (own, _, _), outcomes in zip(inner, found, strict=True):
                outcome = outcomes[at]
                if outcome.meaning is Meaning.VALUE:
                    value[own.name] = outcome.value
                elif outcome.meaning is Meaning.FAULT:
                    part.fault(feature, attribute.name, outcome, own.name)
            if value:
                feature.attributes[attribute.name] = _copy(value, attribute, feature)

    def _fill_voids(self, part: _Part) -> None:
        rule = self._layer.voids
        if rule is None:
            return
        tell = part.tell
        codes, cells = part.columns.coded(rule.column)
        named = [_named(cell_text(cell, self.notation), rule.separator) for cell in cells]
        for feature, code in zip(part.features, codes[part.rows].tolist(), strict=True):
            for name, reason in named[code] if code >= 0 else ():
                attribute = self._own.get(name)
                if attribute is None or not (attribute.void or attribute.kind is Kind.LEVEL):
                    tell(feature, "mapping-void-unknown", rule.column, printable(name), "")
                elif name in feature.attributes:
                    tell(feature, "void-not-empty", name, printable(str(feature.attributes[name])), "")
                elif attribute.kind is Kind.LEVEL and not attribute.void:
                    feature.attributes[name] = None
                else:
                    feature.voids[name] = reason

    def _tell_foreign(self, part: _Part) -> None:
        """Values of attributes that this type does not have, in a layer of several types."""
        for rule in self._foreign:
            for column in rule.columns:
                codes, cells = part.columns.coded(column)
                mine = codes[part.rows]
                for at in np.flatnonzero(mine >= 0).tolist():
                    if text := cell_text(cells[mine[at]], self.notation):
                        part.tell(part.features[at], "mapping-value-unused", rule.name, printable(text), "")


def _reader(attribute: Attribute, rule: AttributeRule, model: Model, notation: Notation) -> CellReader:
    target = model.types[attribute.target] if attribute.kind is Kind.INLINE else None
    return CellReader(attribute, rule, notation, target)


def _outcomes(
    rule: AttributeRule, reader: CellReader, rows: Rows, columns: Columns, notation: Notation
) -> list[Outcome]:
    """What the cells of some rows became."""
    if not rule.columns:
        return [reader.missing()] * len(rows)
    codes, cells = (
        columns.coded(rule.columns[0]) if len(rule.columns) == 1 else _joined(rule, columns, notation)
    )
    mine = codes[rows]
    # Read what these rows have and no more: other rows of the batch may be of other types.
    used = np.unique(mine)
    known = {code: reader.read(cells[code]) for code in used.tolist() if code >= 0}
    known[-1] = reader.missing()
    return [known[code] for code in mine.tolist()]


def _joined(rule: AttributeRule, columns: Columns, notation: Notation) -> Coded:
    """Several columns as one of texts."""
    parts = [columns.cells(column) for column in rule.columns]
    texts = ([cell_text(cell, notation) for cell in cells] for cells in zip(*parts, strict=True))
    return encode([rule.join.join(text for text in row if text) or None for row in texts])


def _copy(value: Value, attribute: Attribute, feature: Feature) -> Value:
    """A value of a feature's own, which nothing else changes with it."""
    if isinstance(value, list):
        return list(value)
    if isinstance(value, dict):
        if attribute.kind is Kind.INLINE and "gml_id" not in value:
            return {"gml_id": f"{feature.gml_id}.{attribute.target}", **value}
        return dict(value)
    return value


def _named(text: str, separator: str) -> list[tuple[str, str | None]]:
    """Attributes that are void, each with its reason."""
    found: Mapping[str, str | None] = {}
    pieces = [piece.strip() for piece in text.split(separator.strip() or separator)]
    found = {
        name.strip(): reason.strip() or None for name, _, reason in (p.partition("=") for p in pieces) if name
    }
    return list(found.items())
