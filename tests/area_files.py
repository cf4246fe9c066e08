"""Files with a dig area in every format that one may be sent in."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyogrio.raw
import shapely
from ezdxf.filemanagement import new as new_drawing
from pyproj import Transformer
from shapely import Polygon


def geojson(folder: Path, area: Polygon) -> Path:
    return _saved(folder / "area.geojson", json.dumps(shapely.geometry.mapping(area)))


def wkt(folder: Path, area: Polygon) -> Path:
    return _saved(folder / "area.wkt", area.wkt)


def geopackage(folder: Path, area: Polygon) -> Path:
    return _written(folder / "area.gpkg", area, "GPKG")


def shapefile(folder: Path, area: Polygon) -> Path:
    _written(folder / "area.shp", area, "ESRI Shapefile")
    packed = folder / "area.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(folder.glob("area.*")):
            if part != packed:
                archive.write(part, part.name)
    return packed


def dxf(folder: Path, area: Polygon) -> Path:
    """As a drawing program has it: a closed line."""
    drawing = new_drawing()
    drawing.modelspace().add_lwpolyline([(x, y) for x, y in area.exterior.coords[:-1]], close=True)
    path = folder / "area.dxf"
    drawing.saveas(path)
    return path


def kml(folder: Path, area: Polygon) -> Path:
    """The corners in degrees come from pyproj directly, not by our own way."""
    turn = Transformer.from_crs(25832, 4326, always_xy=True)
    corners = " ".join(
        f"{x:.10f},{y:.10f},0" for x, y in (turn.transform(x, y) for x, y, *_ in area.exterior.coords)
    )
    ring = f"<outerBoundaryIs><LinearRing><coordinates>{corners}</coordinates></LinearRing></outerBoundaryIs>"
    return _saved(
        folder / "area.kml",
        '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        f"<Placemark><name>Grav</name><Polygon>{ring}</Polygon></Placemark></Document></kml>",
    )


FILES: dict[str, Callable[[Path, Polygon], Path]] = {
    "geojson": geojson,
    "wkt": wkt,
    "gpkg": geopackage,
    "shapefile": shapefile,
    "dxf": dxf,
    "kml": kml,
}


def _saved(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _written(path: Path, geometry: Polygon, driver: str) -> Path:
    pyogrio.raw.write(
        path,
        shapely.to_wkb([geometry]),
        field_data=[],
        fields=[],
        geometry_type=geometry.geom_type,
        crs="EPSG:25832",
        driver=driver,
    )
    return path
