"""Rows of a table with places, from a file in any of the formats of owners: GeoPackage, GeoJSON, shapefile in a ZIP, CSV with WKT.

The file passes the gate and is read in a process that may die, as a network's is. Places come out in EPSG:25832 without
heights. Refused is what cannot be read as a whole; a row whose place cannot be used is told, and the others go on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from ingest.child.layers import OWN_COLUMNS
from ingest.crs import Transformation, common_system, transformation_from
from ingest.gate.gate import gate_file
from ingest.gate.limits import MIB, GateLimits
from ingest.readers.vector import FAULT, FORMATS, RECORD, WKB, LayerInfo, VectorFile, open_vector
from ler.errors import RefusedError

MOST_RECORDS: Final = 20_000

_GATE: Final = GateLimits(max_file_bytes=256 * MIB, max_unpacked_bytes=1024 * MIB, max_layers=20)


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One row."""

    layer: str
    number: int
    """In its layer, from 1."""
    cells: dict[str, object]
    """Column -> text, number, truth value, date or time; None where it holds nothing."""
    geometry: BaseGeometry | None
    """EPSG:25832, two numbers a vertex; None where it cannot be used."""
    fault: str | None
    """The code of what is wrong with its place."""


def read_records(path: Path, crs: str | None = None) -> list[FileRecord]:
    """Return the rows of all layers that have places, in the order of the file. RefusedError.

    `crs` names the system of a file that does not say it; it must agree with the file when both do.
    """
    gated = gate_file(path, _GATE)
    if gated.format not in FORMATS:
        raise RefusedError(
            "format-not-supported", f"{path.name} is {gated.format}, which holds no table of places"
        )
    with open_vector(gated) as vector:
        layers = [one for one in vector.layers() if one.geometry_type is not None and one.feature_count]
        if not layers:
            raise RefusedError("geometry-empty", f"{path.name} holds no row with a place")
        count = sum(layer.feature_count for layer in layers)
        if count > MOST_RECORDS:
            raise RefusedError(
                "feature-limit", f"the file has {count:,} rows, at most {MOST_RECORDS:,} at once: split it"
            )
        return [record for layer in layers for record in _records(vector, layer, crs)]


def _records(vector: VectorFile, layer: LayerInfo, crs: str | None) -> Iterator[FileRecord]:
    way = transformation_from(common_system(layer.crs, crs, where=f"the layer {layer.name!r}"))
    for batch in vector.batches(layer.name):
        for row in batch.to_pylist():
            cells = {name: value for name, value in row.items() if name not in OWN_COLUMNS}
            geometry, fault = _place(row[WKB], row[FAULT], way)
            yield FileRecord(layer.name, row[RECORD], cells, geometry, fault)


def _place(
    wkb: bytes | None, fault: str | None, way: Transformation
) -> tuple[BaseGeometry | None, str | None]:
    if fault or wkb is None:
        return None, fault or "geometry-empty"
    flat = shapely.force_2d(shapely.from_wkb(wkb))
    moved = shapely.transform(
        flat, lambda xy: way.apply(np.column_stack([xy, np.full(len(xy), np.nan)]))[:, :2]
    )
    if not np.isfinite(shapely.get_coordinates(moved)).all():
        return None, "coordinate-not-finite"
    return moved, None
