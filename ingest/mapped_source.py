"""Any file of records, through its owner's mapping: a `Source` in constant memory, batch by batch.

Nothing is dropped in silence: a column or a layer that nobody mapped, a record that no `where` chooses, a value that
cannot be read are findings. Refused before a record is read are files that do not have what the mapping speaks of, and
files whose coordinate system is missing, unknown or not the one that was said.
"""

from collections.abc import Iterator
from difflib import get_close_matches

import numpy as np

from ingest.crs import Transformation
from ingest.findings import Findings
from ingest.mapped.columns import Columns
from ingest.mapped.ids import RecordIds
from ingest.mapped.layer import Desk, LayerReader
from ingest.mapped.vector import LayerLike, VectorLike
from ingest.mapping.cells import Notation
from ingest.mapping.rules import ONLY_LAYER, Mapping
from ingest.readers.gml_geometry import Coverage
from ler.errors import RefusedError
from ler.model import ANSWER, Feature


class MappedSource:
    """Iterate over it once to get the features; then `findings` are complete.

    `crs` names the coordinate system of a file that does not say it, or adds heights to what it says. Raises
    RefusedError `field-mapping`, `crs-missing`, `crs-mixed`, `crs-unsupported`.
    """

    def __init__(
        self, vector: VectorLike, mapping: Mapping, *, coverage: Coverage, crs: str | None = None
    ) -> None:
        self.vector = vector
        self.mapping = mapping
        self.model = mapping.model
        self.findings = Findings()
        self.header = Feature(ANSWER, "")
        notation = Notation(mapping.decimal, mapping.thousands, mapping.strip, mapping.spreadsheet)
        self._desk = Desk(self.findings, mapping, coverage, notation)
        self._layers = _readers(vector, mapping, self._desk, crs)

    @property
    def stated_owner(self) -> str | None:
        """CVR number in the column that the mapping names; known when the last feature has come."""
        return self._desk.stated_owner

    @property
    def transformations(self) -> dict[str, Transformation]:
        """How the coordinates of each layer are brought to EPSG:25832, with the accuracy in metres."""
        return {info.name: parts[0].transformation for info, parts in self._layers if parts}

    def __iter__(self) -> Iterator[Feature]:
        """Yield the features, layer by layer, in the order of the records."""
        ids = RecordIds()
        for note in self.vector.notes:
            self._desk.tell(note.layer, note.code, found=note.found)
        for info, parts in self._layers:
            if parts:
                yield from self._read_layer(info, parts, ids)
            elif info.feature_count:
                self._desk.tell(info.name, "mapping-layer-unused", found=f"{info.feature_count:,}")
        self._check_ids(ids)
        self.findings.sort()

    def _read_layer(self, info: LayerLike, parts: list[LayerReader], ids: RecordIds) -> Iterator[Feature]:
        used = frozenset[str]().union(*(part.known_columns for part in parts))
        told: set[str] = set()
        parts[0].tell_transformation()
        for batch in self.vector.batches(info.name):
            columns = Columns(batch, _application(parts))
            for name in columns.names():
                if name not in used and name not in told:
                    told.add(name)
                    self._desk.tell(info.name, "mapping-column-unused", attribute=name)
            chosen = np.zeros(columns.size, dtype=bool)
            for part in parts:
                mask = part.chosen(columns)
                chosen |= mask
                features = part.read(columns, np.flatnonzero(mask))
                for feature in features:
                    ids.add(feature.gml_id, info.name)
                    for _, target in part.targets(feature):
                        ids.refer(target, info.name)
                yield from features
            for record in columns.records[~chosen].tolist():
                self._desk.tell(info.name, "mapping-record-unused", line=record)

    def _check_ids(self, ids: RecordIds) -> None:
        """Tell of identifiers that stand twice and references that lead nowhere, reading those layers once more."""
        lapses = ids.lapses()
        if lapses is None:
            return
        first: dict[str, Feature] = {}
        for info, parts in self._layers:
            if info.name in lapses.layers:
                for batch in self.vector.batches(info.name):
                    columns = Columns(batch, _application(parts))
                    for part in parts:
                        part.tell_lapses(columns, lapses, first)


def _readers(
    vector: VectorLike, mapping: Mapping, desk: Desk, crs: str | None
) -> list[tuple[LayerLike, list[LayerReader]]]:
    """Each layer of the file with what reads it."""
    layers = {layer.name: layer for layer in vector.layers()}
    only = len(layers) == 1
    for part in mapping.layers:
        if part.layer not in layers and not (only and part.layer == ONLY_LAYER):
            close = get_close_matches(part.layer, layers, n=3, cutoff=0.5) or sorted(layers)[:5]
            raise RefusedError(
                "field-mapping",
                f"the file has no layer {part.layer!r} (mapping, line {part.line}); it has: {', '.join(close)}",
            )
    return [
        (info, [LayerReader(desk, part, info, crs) for part in mapping.of_layer(name, only=only)])
        for name, info in layers.items()
    ]


def _application(parts: list[LayerReader]) -> str:
    return next((part.layer.extended for part in parts if part.layer.extended), "")
