"""The records of one layer to features, as one part of a mapping says."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from ingest.crs import STORAGE_EPSG, Heights, common_system, transformation_from
from ingest.findings import Finding, Findings
from ingest.mapped.attributes import TypeReader
from ingest.mapped.columns import FAULT, NOTE, Columns
from ingest.mapped.geometry import as_the_model_wants, closed_line_to_area, place
from ingest.mapped.ids import Lapses
from ingest.mapped.vector import LayerLike
from ingest.mapping.cells import CellFault, Notation, cell_text, parse_decimal, printable, valid_id
from ingest.mapping.rules import Chosen, LayerMapping, Mapping
from ingest.readers.gml_geometry import ALLOWED, Coverage
from ingest.rules.catalogue import load_rules
from ler.errors import RefusedError
from ler.model import Feature, FeatureType, Kind

_NO_GEOMETRY: Final = "geometry-empty"
_PLAIN_TYPE_IDS: Final = {"curve": {1}, "point": {0}, "curves": {5}, "any": {0, 1, 3}}
"""shapely's numbers of the kinds that need no second look."""


class Desk:
    """What the layers of one file share: where findings go, how the owner writes, whose network it is."""

    def __init__(self, findings: Findings, mapping: Mapping, coverage: Coverage, notation: Notation) -> None:
        self.findings = findings
        self.mapping = mapping
        self.coverage = coverage
        self.notation = notation
        self.stated_owner: str | None = None
        self._rules = load_rules()

    def tell(self, layer: str, code: str, feature: Feature | None = None, **values: Any) -> None:  # noqa: ANN401 - fields
        """Add a finding of a layer, or of one of its features; the catalogue says how much it weighs."""
        of = feature or Feature("", "")
        finding = Finding(
            code=code,
            line=values.pop("line", of.line),
            gml_id=printable(of.gml_id),
            severity=self._rules[code].severity,
            feature_type=of.type,
            layer=layer,
            **values,
        )
        self.findings.add(finding)

    def take_owner(self, layer: str, feature: Feature, cvr: str) -> None:
        """Take note of whose record it is."""
        if self.stated_owner is None:
            self.stated_owner = cvr
        elif cvr != self.stated_owner:
            self.tell(layer, "owner-mixed", feature, found=printable(cvr), wanted=self.stated_owner)


class LayerReader:
    """Reads the records of one layer that one part of the mapping chooses."""

    def __init__(self, desk: Desk, layer: LayerMapping, info: LayerLike, crs: str | None) -> None:
        mapping = desk.mapping
        self.layer = layer
        self.name = info.name
        self._desk = desk
        self._notation = desk.notation
        self._readers: dict[str, TypeReader] = {}
        self._height_warned = False
        fields = [field.name for field in info.fields]
        if not layer.extended:
            _require_columns(layer, info.name, fields)
        told = crs or layer.crs or mapping.crs
        if info.geometry_type is None and not (info.crs or told):
            told = f"EPSG:{STORAGE_EPSG}"  # a table without places
        system = common_system(
            info.crs, told, where=f"the layer {info.name!r}", override=mapping.override_crs
        )
        self.transformation = transformation_from(system)
        self.known_columns = layer.all_columns() | layer.ignore
        if layer.extended:
            self.known_columns |= set(fields)
        self.references = tuple(
            {
                name
                for type_name in layer.type_names(mapping.model)
                for name in layer.attributes
                for a in mapping.model.types[type_name].attributes
                if a.name == name and a.kind is Kind.REFERENCE
            }
        )

    def tell_transformation(self) -> None:
        """Say once how exactly the layer's coordinates are known after the transformation."""
        way = self.transformation
        if not way.accurate:
            accuracy = "?" if way.accuracy_m is None else f"{way.accuracy_m:g}"
            self._desk.tell(self.name, "crs-accuracy", found=way.source.name, wanted=accuracy)
        if way.heights is Heights.LOST:
            self._desk.tell(self.name, "crs-height-lost", found=way.source.name)

    def chosen(self, columns: Columns) -> NDArray[np.bool_]:
        """Which records of a batch this part of the mapping speaks of."""
        mask = np.ones(columns.size, dtype=bool)
        for rule in self.layer.where:
            mask &= self._is_one_of(rule, columns)
        return mask

    def _is_one_of(self, rule: Chosen, columns: Columns) -> NDArray[np.bool_]:
        codes, cells = columns.coded(rule.column)
        fits = np.array(
            [*(cell_text(cell, self._notation) in rule.values for cell in cells), "" in rule.values]
        )
        found: NDArray[np.bool_] = fits[codes]
        return found

    def read(self, columns: Columns, rows: NDArray[np.intp]) -> list[Feature]:
        """Return the features of some rows, in their order."""
        features = self._records(columns, rows, tell=True)
        kept = [(row, feature) for row, feature in zip(rows.tolist(), features, strict=True) if feature]
        self._fill(columns, kept)
        if kept:
            self._place(columns, kept)
            self._take_owners(columns, kept)
        return [feature for _, feature in kept]

    def targets(self, feature: Feature) -> Iterator[tuple[str, str]]:
        """Every reference of a feature: its attribute and what it refers to."""
        for name in self.references:
            value = feature.attributes.get(name)
            for target in value if isinstance(value, list) else [value] if value else ():
                yield name, str(target)

    def tell_lapses(self, columns: Columns, lapses: Lapses, first: dict[str, Feature]) -> None:
        """Read the identifiers of a batch once more, and tell which do not fit together.

        `first` remembers the features whose identifier another has too.
        """
        for feature in self._identify(columns, np.flatnonzero(self.chosen(columns))):
            if hash(feature.gml_id) in lapses.twice and feature.gml_id:
                before = first.setdefault(feature.gml_id, feature)
                if before is not feature:
                    found = f"{printable(feature.gml_id)} (record {before.line} too)"
                    self._tell(feature, "id-duplicate", "gml:id", found, "")
            for name, target in self.targets(feature):
                if hash(target) in lapses.missing:
                    self._tell(feature, "ManglendeGmlIdHenvisningRule", name, printable(target), "")

    def _identify(self, columns: Columns, rows: NDArray[np.intp]) -> list[Feature]:
        """Return the features of some rows with their references only, telling nothing."""
        features = self._records(columns, rows, tell=False)
        kept = [(row, feature) for row, feature in zip(rows.tolist(), features, strict=True) if feature]
        self._fill(columns, kept, tell=False)
        return [feature for _, feature in kept]

    def _records(self, columns: Columns, rows: NDArray[np.intp], *, tell: bool) -> list[Feature | None]:
        """A feature a row, with its type, identifier and number; None for records that are left out."""
        types = self._types(columns, rows, tell=tell)
        ids = self._identifiers(columns, rows)
        records = columns.records[rows].tolist()
        features = [
            Feature(type_name, gml_id, line=record) if type_name else None
            for type_name, gml_id, record in zip(types, ids, records, strict=True)
        ]
        if tell:
            for feature in features:
                if feature is not None:
                    self._check_id(feature)
        return features

    def _types(self, columns: Columns, rows: NDArray[np.intp], *, tell: bool) -> list[str | None]:
        rule = self.layer.type
        if rule.constant:
            return [rule.constant] * len(rows)
        names = self.layer.type_names(self._desk.mapping.model)
        known: dict[str, str | None] = dict(rule.codes) if rule.codes is not None else {n: n for n in names}
        codes, cells = columns.coded(rule.column)
        texts = [*(cell_text(cell, self._notation) for cell in cells), ""]
        found = [known.get(text) for text in texts]
        strange = [text not in known for text in texts]
        chosen = codes[rows].tolist()
        if tell and any(strange):
            wanted = " | ".join(list(known)[:20])
            for row, code in zip(rows.tolist(), chosen, strict=True):
                if strange[code]:
                    self._desk.tell(
                        self.name,
                        "mapping-type-unknown",
                        line=int(columns.records[row]),
                        attribute=rule.column,
                        found=printable(texts[code]),
                        wanted=wanted,
                    )
        return [found[code] for code in chosen]

    def _identifiers(self, columns: Columns, rows: NDArray[np.intp]) -> list[str]:
        rule = self.layer.id
        parts = []
        for column in rule.columns:
            codes, cells = columns.coded(column)
            texts = [*(cell_text(cell, self._notation).strip() for cell in cells), ""]
            parts.append([texts[code] for code in codes[rows].tolist()])
        prefix = rule.prefix
        if len(parts) == 1:
            return [prefix + text if text else "" for text in parts[0]]
        return [
            prefix + rule.separator.join(texts) if all(texts) else "" for texts in zip(*parts, strict=True)
        ]

    def _check_id(self, feature: Feature) -> None:
        if not feature.gml_id:
            self._tell(feature, "gml-id-missing", "gml:id", "", "")
        elif not valid_id(feature.gml_id):
            self._tell(feature, "gml-id-invalid", "gml:id", printable(feature.gml_id), "")

    def _tell(self, feature: Feature, code: str, attribute: str, found: str, wanted: str) -> None:
        self._desk.tell(self.name, code, feature, attribute=attribute, found=found, wanted=wanted)

    def _fill(self, columns: Columns, kept: list[tuple[int, Feature]], *, tell: bool = True) -> None:
        by_type: dict[str, list[tuple[int, Feature]]] = {}
        for row, feature in kept:
            by_type.setdefault(feature.type, []).append((row, feature))
        for type_name, members in by_type.items():
            reader = self._reader(type_name)
            rows = np.array([row for row, _ in members], dtype=np.intp)
            features = [feature for _, feature in members]
            reader.fill(features, rows, columns, self._tell if tell else _say_nothing)

    def _reader(self, type_name: str) -> TypeReader:
        reader = self._readers.get(type_name)
        if reader is None:
            model = self._desk.mapping.model
            reader = TypeReader(model.types[type_name], self.layer, model, self._notation)
            self._readers[type_name] = reader
        return reader

    def _place(self, columns: Columns, kept: list[tuple[int, Feature]]) -> None:
        rows = [row for row, _ in kept]
        with np.errstate(invalid="ignore"):  # what is not finite is told, record by record
            shapes = shapely.from_wkb(columns.wkb()[rows], on_invalid="ignore")
        if self.layer.areas:
            self._close_areas(shapes, columns, rows)
        if self.layer.unplaced:
            shapes[self._is_one_of(self.layer.unplaced, columns)[rows]] = None
        heights = self.layer.heights
        given = self._heights(columns, kept) if heights.column else None
        placed = place(shapes, self.transformation, heights, self._desk.coverage, given)
        if (
            placed.heights_given
            and self.transformation.heights is Heights.ASSUMED
            and not self._height_warned
        ):
            self._height_warned = True
            wanted = f"{self.transformation.source.epsg}+5799"
            self._desk.tell(self.name, "crs-height-assumed", wanted=wanted)
        faulty = set()
        for fault in placed.faults:
            feature = kept[fault.at][1]
            faulty.add(fault.at)
            self._tell(feature, fault.code, self._geometry_name(feature), fault.found, fault.wanted)
        for told in placed.warnings:
            if told.at not in faulty:
                feature = kept[told.at][1]
                self._tell(feature, told.code, self._geometry_name(feature), told.found, told.wanted)
        self._give(kept, placed.geometries, faulty, columns)

    def _close_areas(self, shapes: NDArray[np.object_], columns: Columns, rows: list[int]) -> None:
        if self.layer.areas is None:
            return
        for at in np.flatnonzero(self._is_one_of(self.layer.areas, columns)[rows]).tolist():
            if shapes[at] is not None:
                shapes[at] = closed_line_to_area(shapes[at])

    def _heights(self, columns: Columns, kept: list[tuple[int, Feature]]) -> NDArray[np.float64]:
        cells = columns.cells(self.layer.heights.column)
        found = np.full(len(kept), np.nan)
        for at, (row, feature) in enumerate(kept):
            text = cell_text(cells[row], self._notation)
            if text:
                try:
                    found[at] = parse_decimal(text, self._notation)
                except CellFault as fault:
                    self._tell(feature, fault.code, self.layer.heights.column, printable(text), fault.wanted)
        return found

    def _geometry_name(self, feature: Feature) -> str:
        attribute = self._desk.mapping.model.types[feature.type].geometry
        return attribute.name if attribute else ""

    def _give(
        self,
        kept: list[tuple[int, Feature]],
        geometries: NDArray[np.object_],
        faulty: set[int],
        columns: Columns,
    ) -> None:
        """Give each feature its geometry, or tell why it has none."""
        of_file, notes = columns.own(FAULT), columns.own(NOTE)
        types = self._desk.mapping.model.types
        kinds = shapely.get_type_id(geometries).tolist()
        for at, ((row, feature), geometry, kind) in enumerate(
            zip(kept, geometries.tolist(), kinds, strict=True)
        ):
            if notes[row]:
                self._tell(feature, _known_code(notes[row]), self._geometry_name(feature), "", "")
            if geometry is None:
                if at not in faulty:
                    self._tell_none(feature, types[feature.type], of_file[row])
                _mark_unread(
                    feature, types[feature.type], at in faulty or of_file[row] not in {None, _NO_GEOMETRY}
                )
                continue
            attribute = types[feature.type].geometry
            allowed = attribute.geometry if attribute else "any"
            if kind in _PLAIN_TYPE_IDS[allowed]:
                feature.geometry = geometry
            elif (fitting := as_the_model_wants(geometry, allowed)) is not None:
                feature.geometry = fitting
            else:
                _mark_unread(feature, types[feature.type], faulty=True)
                wanted = " | ".join(ALLOWED[allowed])
                name = self._geometry_name(feature)
                self._tell(feature, "geometriDatatyperestriktion", name, geometry.geom_type, wanted)

    def _tell_none(self, feature: Feature, feature_type: FeatureType, fault: str | None) -> None:
        """A record without a geometry: a fault of the file, a value that is missing, or as it may be."""
        attribute = feature_type.geometry
        if attribute is None:
            return
        if fault and fault != _NO_GEOMETRY:
            self._tell(feature, _known_code(fault), attribute.name, "", "")
        elif attribute.min_count:
            self._tell(feature, _NO_GEOMETRY if fault else "value-missing", attribute.name, "", "")

    def _take_owners(self, columns: Columns, kept: list[tuple[int, Feature]]) -> None:
        if not self.layer.owner:
            return
        cells = columns.cells(self.layer.owner)
        for row, feature in kept:
            if cvr := cell_text(cells[row], self._notation).strip():
                self._desk.take_owner(self.name, feature, cvr)


def _require_columns(layer: LayerMapping, name: str, fields: Sequence[str]) -> None:
    twice = {name for name in fields if fields.count(name) > 1}
    if twice & layer.all_columns():
        names = ", ".join(sorted(twice))
        raise RefusedError("field-mapping", f"the layer {name!r} has more than one column {names}")
    for column in sorted(layer.all_columns() - set(fields)):
        close = get_close_matches(column, fields, n=3, cutoff=0.5) or list(fields)[:10]
        raise RefusedError(
            "field-mapping",
            f"the layer {name!r} has no column {column!r} (mapping, from line {layer.line}); "
            f"it has: {', '.join(close)}",
        )


def _known_code(code: str | None) -> str:
    """The code of the reader of files, where the catalogue has it."""
    return code if code and code in load_rules() else "geometry-malformed"


def _mark_unread(feature: Feature, feature_type: FeatureType, faulty: bool) -> None:  # noqa: FBT001 - a plain fact
    if faulty and feature_type.geometry:
        feature.unread |= {feature_type.geometry.name}


def _say_nothing(_feature: Feature, _code: str, _attribute: str, _found: str, _wanted: str) -> None:
    """The second time a record is read, what is wrong with it has been told."""
