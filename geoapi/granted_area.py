"""The area for which a token or a program is made, as callers give it: GeoJSON in EPSG:25832."""

import json
from typing import Annotated, Any, Final

import shapely
from pydantic import Field
from shapely import MultiPolygon, Polygon
from shapely.errors import GEOSException

from ler.domain.dig_area import Coverage, check_place
from ler.errors import RefusedError

_MOST_CORNERS: Final = 20_000
_KINDS: Final = ("Polygon", "MultiPolygon")

type AREA_FIELD = Annotated[
    dict[str, Any] | None,
    Field(
        description="GeoJSON Polygon or MultiPolygon, EPSG:25832: where it may be used to ask. Else where the caller may."
    ),
]


def area_of(document: dict[str, Any] | None, coverage: Coverage) -> MultiPolygon | None:
    """Return the area, EPSG:25832; None for none.

    RefusedError `geometry-invalid` for what is no valid polygon of at most 20 000 corners, and as `check_place` says.
    """
    if document is None:
        return None
    if {*document} != {"type", "coordinates"} or document["type"] not in _KINDS:
        raise RefusedError(
            "geometry-invalid", "the area is a GeoJSON Polygon or MultiPolygon and nothing more"
        )
    try:
        shape = shapely.from_geojson(json.dumps(document))
    except (GEOSException, ValueError, TypeError) as error:
        raise RefusedError("geometry-invalid", "the area is no GeoJSON that can be read") from error
    area = MultiPolygon([shape]) if isinstance(shape, Polygon) else shape
    if not isinstance(area, MultiPolygon) or area.is_empty or area.has_z:
        raise RefusedError("geometry-invalid", "the area is a polygon in the plane")
    if shapely.get_num_coordinates(area) > _MOST_CORNERS:
        raise RefusedError("geometry-invalid", f"the area has more than {_MOST_CORNERS} corners")
    if not area.is_valid:
        raise RefusedError("geometry-invalid", f"the area is not valid: {shapely.is_valid_reason(area)}")
    check_place(area, coverage)
    return area
