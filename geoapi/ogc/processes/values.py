"""Inputs and outputs that several processes have: areas as GeoJSON, and places in degrees."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from geoapi.ogc.crs import STORAGE_SRID, transformer
from geoapi.ogc.processes.process import Schema, Value
from ingest.area_file import read_area_document
from ler.domain.faults import Fault, FaultsError
from ler.errors import RefusedError

AREA: Final[Schema] = {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}}
"""GeoJSON: a geometry, a feature or a collection."""
CRS: Final = Value(
    {
        "en": "Coordinate system of the area; EPSG:25832 when nothing is said",
        "da": "Områdets koordinatsystem; EPSG:25832, når intet er sagt",
    },
    {"type": "string", "pattern": "^(EPSG:[0-9]{4,6}|CRS84)$"},
    required=False,
)

_DECIMALS: Final = 9
"""Of degrees: a tenth of a millimetre."""


def read_area(inputs: Mapping[str, Any], *, lines: bool = False) -> list[BaseGeometry]:
    """Return the geometries of the input `area` in EPSG:25832. FaultsError points to it."""
    try:
        return read_area_document(inputs["area"], inputs.get("crs"), lines=lines)
    except RefusedError as refused:
        raise FaultsError([Fault(refused.code, "/area", str(refused))]) from None


def in_degrees(geometry: BaseGeometry | None) -> dict[str, Any] | None:
    """Return a geometry of EPSG:25832 as GeoJSON in CRS84, in the plane."""
    if geometry is None:
        return None
    to_degrees = transformer(STORAGE_SRID, 4326)

    def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(to_degrees.transform(points[:, 0], points[:, 1])).round(_DECIMALS)

    return dict(mapping(shapely.transform(shapely.force_2d(geometry), moved)))
