"""An area that somebody gives: a document of GeoJSON, texts of WKT, or a file of these or of layers; in EPSG:25832.

RFC 7946 says that GeoJSON is in degrees; people who dig save metres. Neither is guessed: metres are read as
EPSG:25832, anything else only when it is named, and degrees that nobody named are refused later by their size.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from ingest.area_layers import read_layers
from ingest.area_wkt import looks_like_wkt, read_wkt, split_wkt
from ingest.crs import STORAGE_EPSG, ReferenceSystem, find_system, require_finite, system_of, transform
from ler.errors import RefusedError

MAX_BYTES: Final = 8 << 20

_POLYGONS: Final = frozenset({"Polygon", "MultiPolygon"})
_LINES: Final = frozenset({"LineString", "MultiLineString"})
_MEASURED: Final = frozenset({"Point", "LineString"})
_HEAD: Final = 4096
_JSON_ENDINGS: Final = frozenset({".geojson", ".json"})
_TEXT_ENDINGS: Final = frozenset({".wkt", ".txt"})


def read_area_file(path: Path, crs: str | None = None, *, lines: bool = False) -> list[BaseGeometry]:
    """Return the geometries of a file in EPSG:25832, x east and y north in metres.

    GeoJSON, WKT, GeoPackage, Shapefile in a ZIP, DXF, KML. `crs` names the system of the coordinates when the file does
    not; it must agree with the file when both do. Lines are refused unless they are asked for. Raises RefusedError.
    """
    head = _head(path)
    if path.suffix.lower() in _JSON_ENDINGS or head.startswith("{"):
        return read_area_document(_document(path), crs, lines=lines)
    if path.suffix.lower() in _TEXT_ENDINGS or looks_like_wkt(head):
        return read_area_wkt(split_wkt(_text(path)), crs, lines=lines)
    return [
        _to_storage(_flat(geometry, _allowed(lines=lines)), system)
        for geometry, system in _something(read_layers(path, crs), path.name)
    ]


def read_area_document(
    document: dict[str, Any], crs: str | None = None, *, lines: bool = False
) -> list[BaseGeometry]:
    """Return the geometries of a GeoJSON document in EPSG:25832. RefusedError; `crs` as for a file."""
    stated = _stated_crs(document)
    wanted = _wanted(stated, crs)
    allowed = _allowed(lines=lines)
    geometries = [_geometry(item, allowed) for item in _geometry_objects(document)]
    return [_to_storage(geometry, wanted) for geometry in _something(geometries, "the area")]


def read_area_wkt(texts: Sequence[str], crs: str | None = None, *, lines: bool = False) -> list[BaseGeometry]:
    """Return the geometries of texts of WKT in EPSG:25832. RefusedError; `crs` as for a file."""
    geometries, stated = read_wkt(texts)
    wanted = _wanted(find_system(stated) if stated else None, crs)
    allowed = _allowed(lines=lines)
    return [_to_storage(_flat(geometry, allowed), wanted) for geometry in _something(geometries, "the area")]


def read_measured_file(path: Path, crs: str | None = None) -> BaseGeometry:
    """Return the one Point or LineString of a GeoJSON file in EPSG:25832; RefusedError for anything else.

    Heights (DVR90) are kept where the file is in EPSG:25832; `crs` as for an area.
    """
    document = _document(path)
    system = _wanted(_stated_crs(document), crs)
    items = _geometry_objects(document)
    if len(items) != 1:
        raise RefusedError("geometry-invalid", f"{path.name}: one geometry is wanted, found {len(items)}")
    flat = _geometry(items[0], _MEASURED)
    return shape(items[0]) if system.epsg == STORAGE_EPSG else _to_storage(flat, system)


def _wanted(stated: ReferenceSystem | None, crs: str | None) -> ReferenceSystem:
    """The system of coordinates of which the file says `stated` and its sender `crs`."""
    wanted = find_system(crs) if crs else None
    if stated and wanted and stated.epsg != wanted.epsg:
        raise RefusedError("crs-mixed", f"the file says {stated.name}, --crs says {wanted.name}")
    if stated and not wanted and stated.epsg != STORAGE_EPSG:
        raise RefusedError(
            "crs-out-of-area",
            f"the file is in {stated.name}, wanted EPSG:25832; say --crs {stated.name} to convert it",
        )
    return wanted or system_of(STORAGE_EPSG)


def _allowed(*, lines: bool) -> frozenset[str]:
    return _POLYGONS | _LINES if lines else _POLYGONS


def _something[Found](found: list[Found], name: str) -> list[Found]:
    if not found:
        raise RefusedError("geometry-empty", f"{name} holds no geometry")
    return found


def _head(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD).decode("utf-8-sig", errors="replace").lstrip()
    except OSError as error:
        raise RefusedError("file-missing", f"{path}: {error.strerror}") from None


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RefusedError("body-too-large", f"{path.name} is larger than {MAX_BYTES >> 20} MiB")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RefusedError("file-missing", f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RefusedError("encoding-invalid", f"{path.name} is not UTF-8 text") from None


def _document(path: Path) -> dict[str, Any]:
    def refuse(constant: str) -> float:
        raise RefusedError("json-invalid", f"{path.name}: {constant} is not a JSON number")

    try:
        document = json.loads(_text(path), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        place = (
            f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        )
        raise RefusedError("json-invalid", f"{path.name} is not GeoJSON: it is not JSON{place}") from None
    if not isinstance(document, dict) or "type" not in document:
        raise RefusedError("json-invalid", f"{path.name} is not GeoJSON: it has no type")
    return document


def _geometry_objects(document: dict[str, Any]) -> list[Any]:
    match document.get("type"):
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
        raise _other_type(str(kind) if kind else "no geometry", allowed)
    try:
        geometry: BaseGeometry = shape(item)
    except Exception:  # noqa: BLE001 - shapely raises what numpy and GEOS raise; all mean the same here
        raise RefusedError("geometry-malformed", "its coordinates cannot be read") from None
    return _flat(geometry, allowed)


def _flat(geometry: BaseGeometry, allowed: frozenset[str]) -> BaseGeometry:
    if geometry.geom_type not in allowed:
        raise _other_type(geometry.geom_type, allowed)
    flat: BaseGeometry = shapely.force_2d(geometry)
    if not all(map(math.isfinite, shapely.get_coordinates(flat).ravel())):
        raise RefusedError("coordinate-not-finite", "a coordinate is not finite")
    return flat


def _other_type(found: str, allowed: frozenset[str]) -> RefusedError:
    if allowed == _MEASURED:
        return RefusedError("geometry-type", f"a Point or a LineString is wanted, found {found[:40]}")
    wanted = "a Polygon or a LineString" if allowed & _LINES else "a Polygon"
    return RefusedError("geometry-type", f"the area must be {wanted}, found {found[:40]}")


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
