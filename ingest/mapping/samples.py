"""What stands in a layer: the first records, column by column, for the draft of a mapping."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import shapely

from ingest.mapped.columns import EXTENDED_COLUMN, Columns
from ingest.mapped.vector import LayerLike, VectorLike
from ingest.mapping.cells import Notation, cell_text

MOST_RECORDS: Final = 5000
MOST_VALUES: Final = 40
APPLICATION: Final = "LER"
"""Of extended data in drawings: the one that our own drawings have."""


@dataclass(slots=True)
class ColumnSample:
    """One column: how many cells hold something, and the different ones."""

    name: str
    filled: int = 0
    values: dict[str, int] = field(default_factory=dict)
    """The first different texts, each with how often it stood."""
    different: int = 0

    @property
    def unique(self) -> bool:
        """Whether no text stands twice."""
        return self.filled > 0 and self.different == self.filled

    def numbers(self) -> list[float]:
        """The values that are numbers."""
        found = []
        for value in self.values:
            try:
                found.append(float(value.replace(",", ".")))
            except ValueError:
                continue
        return found


@dataclass(slots=True)
class LayerSample:
    """One layer."""

    info: LayerLike
    records: int = 0
    columns: dict[str, ColumnSample] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)
    heights: set[float] = field(default_factory=set)
    """Heights that often stand for unknown."""
    place: tuple[float, float] | None = None
    extended: bool = False


def sample_layer(vector: VectorLike, info: LayerLike) -> LayerSample:
    """Read the first records of a layer."""
    sample = LayerSample(info, columns={field.name: ColumnSample(field.name) for field in info.fields})
    seen: dict[str, set[str]] = {name: set() for name in sample.columns}
    for batch in _first(vector.batches(info.name)):
        columns = Columns(batch, APPLICATION)
        names = list(dict.fromkeys(columns.names()))
        sample.extended |= EXTENDED_COLUMN in names and len(names) > len(
            [name for name in names if name in batch.schema.names]
        )
        for name in names:
            column = sample.columns.setdefault(name, ColumnSample(name))
            _take_cells(column, columns.cells(name), seen.setdefault(name, set()))
        sample.records += columns.size
        _take_places(sample, columns)
    return sample


def _first(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    left = MOST_RECORDS
    for batch in batches:
        yield batch.slice(0, left)
        left -= batch.num_rows
        if left <= 0:
            return


def _take_cells(column: ColumnSample, cells: list[object], seen: set[str]) -> None:
    for cell in cells:
        text = cell_text(cell, Notation())
        if text:
            column.filled += 1
            seen.add(text)
            if text in column.values or len(column.values) < MOST_VALUES:
                column.values[text] = column.values.get(text, 0) + 1
    column.different = len(seen)


def _take_places(sample: LayerSample, columns: Columns) -> None:
    with np.errstate(invalid="ignore"):  # what is not finite is told when the file is read
        shapes = shapely.from_wkb(columns.wkb(), on_invalid="ignore")
    shapes = shapes[~shapely.is_missing(shapes)]
    sample.kinds |= {shape.geom_type.removeprefix("Multi") for shape in shapes}
    positions = shapely.get_coordinates(shapes, include_z=True)
    if not len(positions):
        return
    sample.place = sample.place or (float(positions[0, 0]), float(positions[0, 1]))
    heights = positions[:, 2]
    for code in (-99.0, -999.0, -9999.0, 0.0):
        if np.count_nonzero(heights == code) > len(heights) // 100:
            sample.heights.add(code)
