"""GeoPackage of a whole network: a layer a feature type, as in the packages, but with everything kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import geopandas
import pandas as pd
import pyogrio
import shapely

from ler.model import Feature, Model
from ler.packages.exports.tables import (
    CRS,
    ID_COLUMN,
    Written,
    WrittenLayer,
    attribute_columns,
    geometries_of,
    rules_of,
    used_attributes,
)

GEOMETRY_TYPES: Final = {"curve": "MultiLineString Z", "curves": "MultiLineString Z", "point": "Point Z"}


def write_network_geopackage(path: Path, features: Sequence[Feature], model: Model) -> Written:
    """Write the file; unknown heights are NaN."""
    by_type: dict[str, list[Feature]] = {}
    for feature in features:
        by_type.setdefault(feature.type, []).append(feature)
    layers = []
    for name in sorted(by_type):
        members = by_type[name]
        attributes = used_attributes(members, model)
        columns = {ID_COLUMN: [feature.gml_id for feature in members]}
        columns |= dict(attribute_columns(members, attributes, model))
        frame = geopandas.GeoDataFrame(columns, geometry=geometries_of(members), crs=CRS)
        geometry = model.types[name].geometry
        kind = GEOMETRY_TYPES.get(geometry.geometry if geometry else "any", "Unknown")
        write_layer(path, name, frame, kind)
        layers.append(WrittenLayer(name, name, rules_of(attributes)))
    return Written(layers, len(features), keys={"heights": {"unknown": []}})


def write_layer(path: Path, layer: str, frame: pd.DataFrame, geometry_type: str | None) -> None:
    """Write one layer, into the file that is there or a new one."""
    several = geometry_type is not None and geometry_type.startswith("Multi")
    if several and isinstance(frame, geopandas.GeoDataFrame):
        frame = frame.set_geometry([_multiple(geometry) for geometry in frame.geometry], crs=frame.crs)
    started = path.exists()
    # Version 1.3 is what GDAL 3.6 (Debian 12) and QGIS 3.22 read without a warning; nothing newer is used.
    options = {} if started else {"VERSION": "1.3"}
    pyogrio.write_dataframe(
        frame,
        path,
        layer=layer,
        driver="GPKG",
        append=started,
        geometry_type=geometry_type,
        dataset_options=options,
    )


def _multiple(
    geometry: shapely.geometry.base.BaseGeometry | None,
) -> shapely.geometry.base.BaseGeometry | None:
    return shapely.MultiLineString([geometry]) if isinstance(geometry, shapely.LineString) else geometry
