"""An area in a file of layers: GeoPackage, Shapefile in a ZIP, DXF, KML and the others that owners send networks in.

The file passes the gate and is read in a process that may die. It should hold the area and nothing else: what else is in
it is refused, never passed over, since it may be what they meant.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from ingest.child.layers import LayerInfo
from ingest.child.limits import ChildLimits
from ingest.crs import STORAGE_EPSG, ReferenceSystem, common_system, system_of
from ingest.gate.formats import Format, GatedFile
from ingest.gate.gate import gate_file
from ingest.gate.limits import MIB, GateLimits
from ingest.readers.vector import AREA_FORMATS, FAULT, RECORD, WKB, VectorFile, open_vector
from ler.errors import RefusedError

MAX_FEATURES: Final = 1000
"""Features of a file with an area, before it is asked how many parts an area may have."""

_GATE: Final = GateLimits(
    max_file_bytes=8 * MIB, max_unpacked_bytes=64 * MIB, max_layers=20, max_dxf_entities=10_000
)
_CHILD: Final = ChildLimits(memory_mb=1024, cpu_s=20, silence_s=30.0, file_mb=64, batch_rows=256)
_RING: Final = 4
"""Positions of the smallest closed line."""


def read_layers(path: Path, crs: str | None) -> list[tuple[BaseGeometry, ReferenceSystem]]:
    """Return the geometries of a file, each with its system. RefusedError.

    `crs` names the system of a file that does not say it. A drawing (DXF) never does, and is in EPSG:25832 unless
    another is named; KML is in degrees of WGS 84, always.
    """
    gated = gate_file(path, _GATE)
    if gated.format not in AREA_FORMATS:
        raise RefusedError("format-not-supported", f"{path.name} is {gated.format}, which holds no area")
    with open_vector(gated, limits=_CHILD) as vector:
        found = []
        for layer in vector.layers():
            if layer.geometry_type is not None and layer.feature_count:
                system = _system(gated, layer, crs)
                found += [(geometry, system) for geometry in _geometries(vector, layer, gated.format)]
    if len(found) > MAX_FEATURES:
        raise _too_many(len(found))
    return found


def _system(gated: GatedFile, layer: LayerInfo, crs: str | None) -> ReferenceSystem:
    stated = "EPSG:4326" if gated.format is Format.KML else layer.crs
    if stated is None and crs is None and gated.format is Format.DXF:
        return system_of(STORAGE_EPSG)
    return common_system(stated, crs, where=f"the layer {layer.name!r}")


def _geometries(vector: VectorFile, layer: LayerInfo, format_: Format) -> Iterator[BaseGeometry]:
    if layer.feature_count > MAX_FEATURES:
        raise _too_many(layer.feature_count)
    for batch in vector.batches(layer.name):
        columns = (batch.column(name).to_pylist() for name in (RECORD, WKB, FAULT))
        for record, wkb, fault in zip(*columns, strict=True):
            if fault:
                raise RefusedError(
                    str(fault), f"layer {layer.name!r}, record {record}: its geometry cannot be used"
                )
            yield _closed(shapely.from_wkb(wkb)) if format_ is Format.DXF else shapely.from_wkb(wkb)


def _closed(geometry: BaseGeometry) -> BaseGeometry:
    """Drawing programs know no polygons: a line that ends where it began is one."""
    if geometry.geom_type == "LineString" and geometry.is_closed and len(geometry.coords) >= _RING:
        return Polygon(geometry.coords)
    return geometry


def _too_many(count: int) -> RefusedError:
    return RefusedError(
        "area-too-many-parts",
        f"the file has {count:,} features: leave only the area in it, at most {MAX_FEATURES:,}",
    )
