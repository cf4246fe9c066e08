"""Features as callers send them: GeoJSON, its geometry in the system that `Content-Crs` names, brought to EPSG:25832."""

import json
import math
from typing import Any, Final, Literal

import numpy as np
import shapely
from fastapi import Request
from pydantic import BaseModel, ConfigDict
from shapely.geometry.base import BaseGeometry

from geoapi.geojson import MOST_POSITIONS
from geoapi.ogc.collections import Collection
from geoapi.ogc.crs import CRS84, STORAGE_SRID, Crs, crs_of, transformer
from geoapi.ogc.editing.editor import Editor
from geoapi.parameters import read_json
from geoapi.problems import ProblemError, ProblemException

FEATURE: Final = ("application/geo+json", "application/json")
PATCH: Final = ("application/merge-patch+json", "application/json")


class _Feature(BaseModel):
    """A whole feature; what else a feature that was read has, such as links, is passed over."""

    model_config = ConfigDict(extra="ignore", strict=True)

    type: Literal["Feature"]
    geometry: dict[str, Any]
    properties: dict[str, Any]


class _Patch(BaseModel):
    """What of a feature is changed."""

    model_config = ConfigDict(extra="ignore", strict=True)

    geometry: dict[str, Any] | None = None
    properties: dict[str, Any] = {}


def whole_feature(
    request: Request, body: bytes, collection: Collection, editor: Editor
) -> tuple[dict[str, Any], BaseGeometry]:
    """Return properties and geometry of a feature; a problem that points to what is wrong."""
    _check_type(request, FEATURE)
    read = read_json(_Feature, body)
    return _values(read.properties, collection, editor), _geometry(request, read.geometry)


def patched_feature(
    request: Request, body: bytes, collection: Collection, editor: Editor
) -> tuple[dict[str, Any], BaseGeometry | None]:
    """Return the properties that a merge patch (RFC 7396) names, and the geometry if it has one."""
    _check_type(request, PATCH)
    read = read_json(_Patch, body)
    if "geometry" in read.model_fields_set and read.geometry is None:
        raise _no_place("a feature has a place: it can be changed, not taken away")
    geometry = None if read.geometry is None else _geometry(request, read.geometry)
    return _values(read.properties, collection, editor), geometry


def _check_type(request: Request, taken: tuple[str, ...]) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in taken:
        raise ProblemException("format-not-supported", f"the Content-Type must be {' or '.join(taken)}")


def _values(given: dict[str, Any], collection: Collection, editor: Editor) -> dict[str, Any]:
    known = editor.writable | {one.name for one in collection.properties}
    unknown = [name for name in given if name not in known]
    if unknown:
        errors = [
            ProblemError("field-unknown", "there is no such property", f"/properties/{name[:100]}")
            for name in unknown
        ]
        raise ProblemException("field-invalid", errors=errors)
    return {name: value for name, value in given.items() if name in editor.writable}


def _geometry(request: Request, given: dict[str, Any]) -> BaseGeometry:
    crs = _content_crs(request)
    try:
        shape: BaseGeometry = shapely.from_geojson(json.dumps(given))
        flat = shapely.force_2d(shape)
    except (shapely.errors.ShapelyError, ValueError, TypeError, RecursionError):
        raise _no_place("it is no GeoJSON geometry") from None
    positions = shapely.get_coordinates(flat)
    if flat.is_empty or len(positions) > MOST_POSITIONS:
        raise _no_place(f"1 to {MOST_POSITIONS} positions are wanted")
    moved = shapely.transform(flat, lambda it: _moved(it, crs))
    if not all(math.isfinite(one) for one in moved.bounds):
        raise _no_place("its coordinates are none in their system; Content-Crs says which that is")
    return moved


def _moved(positions: np.ndarray, crs: Crs) -> np.ndarray:
    east, north = (positions[:, 1], positions[:, 0]) if crs.flipped else (positions[:, 0], positions[:, 1])
    if crs.srid == STORAGE_SRID:
        return np.column_stack((east, north))
    return np.column_stack(transformer(crs.srid, STORAGE_SRID).transform(east, north))


def _content_crs(request: Request) -> Crs:
    given = request.headers.get("content-crs")
    return CRS84 if given is None else crs_of(given.strip().strip("<>"), "content-crs")


def _no_place(detail: str) -> ProblemException:
    return ProblemException(
        "geometry-invalid", detail, errors=(ProblemError("geometry-invalid", detail, "/geometry"),)
    )
