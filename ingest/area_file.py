"""An area in a file: the polygons of a GeoJSON, and lines where they are asked for, in EPSG:25832.

RFC 7946 says that GeoJSON is in degrees; people who dig save metres. Neither is guessed: metres are read as
EPSG:25832, anything else only when it is named, and degrees that nobody named are refused later by their size.
"""

import json
import math
from pathlib import Path
from typing import Any, Final

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from ingest.crs import STORAGE_EPSG, ReferenceSystem, find_system, require_finite, system_of, transform
from ler.errors import RefusedError

MAX_BYTES: Final = 8 << 20

_POLYGONS: Final = frozenset({"Polygon", "MultiPolygon"})
_LINES: Final = frozenset({"LineString", "MultiLineString"})


def read_area_file(path: Path, crs: str | None = None, *, lines: bool = False) -> list[BaseGeometry]:
    """Return the geometries of a GeoJSON file in EPSG:25832, x east and y north in metres.

    `crs` names the system of the coordinates when the file does not; it must agree with the file when both do. Lines
    are refused unless they are asked for. Raises RefusedError.
    """
    document = _document(path)
    stated = _stated_crs(document)
    wanted = find_system(crs) if crs else None
    if stated and wanted and stated.epsg != wanted.epsg:
        raise RefusedError("crs-mixed", f"the file says {stated.name}, --crs says {wanted.name}")
    if stated and not wanted and stated.epsg != STORAGE_EPSG:
        raise RefusedError(
            "crs-out-of-area",
            f"the file is in {stated.name}, wanted EPSG:25832; say --crs {stated.name} to convert it",
        )
    allowed = _POLYGONS | _LINES if lines else _POLYGONS
    geometries = [_geometry(item, allowed) for item in _geometry_objects(document)]
    if not geometries:
        raise RefusedError("geometry-empty", f"{path.name} holds no geometry")
    return [_to_storage(geometry, wanted or system_of(STORAGE_EPSG)) for geometry in geometries]


def _document(path: Path) -> dict[str, Any]:
    def refuse(constant: str) -> float:
        raise RefusedError("json-invalid", f"{path.name}: {constant} is not a JSON number")

    try:
        if path.stat().st_size > MAX_BYTES:
            raise RefusedError("body-too-large", f"{path.name} is larger than {MAX_BYTES >> 20} MiB")
        document = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=refuse)
    except OSError as error:
        raise RefusedError("file-missing", f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RefusedError("encoding-invalid", f"{path.name} is not UTF-8 text") from None
    except (json.JSONDecodeError, RecursionError) as error:
        place = (
            f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        )
        raise RefusedError("json-invalid", f"{path.name} is not GeoJSON: it is not JSON{place}") from None
    if not isinstance(document, dict) or "type" not in document:
        raise RefusedError("json-invalid", f"{path.name} is not GeoJSON: it has no type")
    return document


def _geometry_objects(document: dict[str, Any]) -> list[Any]:
    match document["type"]:
        case "FeatureCollection":
            features = document.get("features")
            if not isinstance(features, list):
                raise RefusedError("json-invalid", "the feature collection has no list of features")
            return [item.get("geometry") if isinstance(item, dict) else None for item in features]
        case "Feature":
            return [document.get("geometry")]
        case _:
            return [document]


def _geometry(item: Any, allowed: frozenset[str]) -> BaseGeometry:  # noqa: ANN401 - whatever the file holds
    if not isinstance(item, dict) or str(item.get("type")) not in allowed:
        kind = item.get("type") if isinstance(item, dict) else None
        raise RefusedError("geometry-type", f"the area must be a Polygon, found {kind or 'no geometry'}")
    try:
        geometry: BaseGeometry = shapely.force_2d(shape(item))
    except Exception:  # noqa: BLE001 - shapely raises what numpy and GEOS raise; all mean the same here
        raise RefusedError("geometry-malformed", "its coordinates cannot be read") from None
    if not all(map(math.isfinite, shapely.get_coordinates(geometry).ravel())):
        raise RefusedError("coordinate-not-finite", "a coordinate is not finite")
    return geometry


def _stated_crs(document: dict[str, Any]) -> ReferenceSystem | None:
    member = document.get("crs")
    if member is None:
        return None
    properties = member.get("properties") if isinstance(member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str):
        raise RefusedError("crs-unsupported", "the crs member names no system")
    return find_system(name)


def _to_storage(geometry: BaseGeometry, system: ReferenceSystem) -> BaseGeometry:
    moved = shapely.transform(geometry, lambda xy: transform(system, xy))
    require_finite(shapely.get_coordinates(moved), "the area")
    return moved
