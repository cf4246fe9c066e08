"""Geometry in bodies: GeoJSON in EPSG:25832, or by east and north in degrees when `CRS84` is said."""

import math
from typing import Annotated, Any, Final, Literal

import shapely
from pydantic import BaseModel, ConfigDict, Field
from pyproj import Transformer
from shapely import Point
from shapely.geometry.base import BaseGeometry

from geoapi.problems import ProblemError, ProblemException
from ler.domain.dig_area import Coverage

type Crs = Literal["EPSG:25832", "CRS84"]
type CrsField = Annotated[Crs, Field(description="Of the geometries in the body.")]

MOST_POSITIONS: Final = 10_000
_DECIMALS: Final = 4


class GeometryBody(BaseModel):
    """A GeoJSON geometry of one part."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["Point", "LineString", "Polygon"]
    coordinates: list[Any]


def read_geometry(
    given: GeometryBody, crs: Crs, coverage: Coverage, pointer: str, *, kinds: tuple[str, ...]
) -> BaseGeometry:
    """Return the geometry in EPSG:25832 and of one of these kinds, heights (DVR90) kept.

    A problem `geometry-invalid` that points into the body for any other, and for what lies outside of the coverage.
    """
    if given.type not in kinds:
        raise _refused(pointer, f"a {' or a '.join(kinds)} is wanted")
    try:
        shape: BaseGeometry = shapely.geometry.shape(given.model_dump())
    except (ValueError, TypeError, IndexError, AttributeError, OverflowError, shapely.errors.ShapelyError):
        raise _refused(pointer, "the coordinates are none of a GeoJSON geometry") from None
    positions = shapely.get_coordinates(shape)
    if shape.is_empty or len(positions) > MOST_POSITIONS:
        raise _refused(pointer, f"1 to {MOST_POSITIONS} positions are wanted")
    if crs == "CRS84":
        transformer = Transformer.from_crs("OGC:CRS84", 25832, always_xy=True)
        moved = shapely.transform(shape, lambda it: _moved(transformer, it), include_z=shape.has_z)
    else:
        moved = shape
    west, south, east, north = moved.bounds
    if not all(math.isfinite(one) for one in moved.bounds) or not (
        coverage[0] <= west <= east <= coverage[2] and coverage[1] <= south <= north <= coverage[3]
    ):
        raise _refused(
            pointer, f"it does not lie where the register covers; its coordinates are read as {crs}"
        )
    if not moved.is_valid or (not isinstance(moved, Point) and moved.length == 0):
        raise _refused(pointer, f"it is not valid: {shapely.is_valid_reason(moved)}")
    return moved


def geometry_view(shape: BaseGeometry | None) -> dict[str, Any] | None:
    """Return a geometry in EPSG:25832 as GeoJSON, rounded to 0.1 mm."""
    if shape is None:
        return None
    mapped = shapely.geometry.mapping(shape)
    return {"type": mapped["type"], "coordinates": _rounded(mapped["coordinates"])}


def _rounded(value: Any) -> Any:  # noqa: ANN401 - nested as deep as the kind of geometry is
    if isinstance(value, float):
        return round(value, _DECIMALS)
    return [_rounded(one) for one in value if not (isinstance(one, float) and math.isnan(one))]


def _moved(transformer: Transformer, positions: Any) -> Any:  # noqa: ANN401 - arrays, as shapely gives them
    positions = positions.copy()
    positions[:, 0], positions[:, 1] = transformer.transform(positions[:, 0], positions[:, 1])
    return positions


def _refused(pointer: str, detail: str) -> ProblemException:
    errors = (ProblemError("geometry-invalid", detail, pointer),)
    return ProblemException("geometry-invalid", detail, errors=errors)
