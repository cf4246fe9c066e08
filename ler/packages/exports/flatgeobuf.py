"""FlatGeobuf: one table, with the feature type in a column, handed to GDAL as Arrow without a detour over frames.

Without a spatial index, which would change the order of the records and cannot hold a feature without a place. The
driver takes a ring with NaN for not closed: an unknown height is -99, as in the LER encoding.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyogrio
import shapely
from numpy.typing import NDArray

from ler.model import UNKNOWN_HEIGHT, Feature, Model
from ler.packages.exports.tables import (
    CRS,
    ID_COLUMN,
    ONLY_LAYER,
    TYPE_COLUMN,
    Cells,
    Written,
    WrittenLayer,
    attribute_cells,
    rules_of,
    unknown_heights,
    used_attributes,
)

_GEOMETRY: Final = "geometry"
_TYPES: Final = {"object": pa.string(), "Int64": pa.int64(), "float64": pa.float64(), "boolean": pa.bool_()}


def write_flatgeobuf(path: Path, features: Sequence[Feature], model: Model) -> Written:
    """Write features of one or more kinds of geometry.

    A file of mixed kinds with heights can only be written as collections of one: the driver has no "any kind with Z".
    """
    kinds = {feature.geometry.geom_type for feature in features if feature.geometry is not None}
    shapes = np.array([*(feature.geometry for feature in features), None], dtype=object)[:-1]
    if len(kinds) > 1:
        there = np.flatnonzero(~shapely.is_missing(shapes))
        shapes[there] = shapely.geometrycollections(shapes[there], indices=np.arange(len(there)))
    kind = "GeometryCollection" if len(kinds) != 1 else kinds.pop()
    save_flatgeobuf(path, shapes, feature_cells(features, model), kind)
    rules = rules_of(used_attributes(features, model))
    return Written([WrittenLayer(ONLY_LAYER, "", rules)], len(features), keys=unknown_heights())


def feature_cells(features: Sequence[Feature], model: Model, further: Sequence[Cells] = ()) -> list[Cells]:
    """Return the columns of a table of features: type, identifier, `further` ones, and their attributes."""
    return [
        Cells(TYPE_COLUMN, [feature.type for feature in features]),
        Cells(ID_COLUMN, [feature.gml_id for feature in features]),
        *further,
        *attribute_cells(features, used_attributes(features, model), model),
    ]


def save_flatgeobuf(path: Path, shapes: NDArray[np.object_], columns: Sequence[Cells], kind: str) -> None:
    """Write a table whose geometries, None where there is none, are all of a kind."""
    known = shapely.transform(shapes, lambda xyz: np.nan_to_num(xyz, nan=UNKNOWN_HEIGHT), include_z=True)
    arrays: list[Any] = [pa.array(column.values, type=_TYPES[column.kind]) for column in columns]
    arrays.append(pa.array(shapely.to_wkb(known, flavor="iso"), type=pa.binary()))
    fields = [pa.field(column.name, _TYPES[column.kind]) for column in columns]
    fields.append(pa.field(_GEOMETRY, pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"}))
    pyogrio.write_arrow(
        pa.Table.from_arrays(arrays, schema=pa.schema(fields)),
        path,
        driver="FlatGeobuf",
        geometry_name=_GEOMETRY,
        geometry_type=f"{kind} Z",
        crs=CRS,
        layer_options={"SPATIAL_INDEX": "NO"},
    )
