"""GeoPackage of a whole network: a layer a feature type, as in the packages, but with everything kept."""

from collections.abc import Sequence
from pathlib import Path

import geopandas

from ler.model import Feature, Model
from ler.packages.exports.tables import (
    ID_COLUMN,
    Written,
    WrittenLayer,
    attribute_columns,
    geometries_of,
    rules_of,
    used_attributes,
)
from ler.packages.geopackage import CRS, GEOMETRY_TYPES, write_layer


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
