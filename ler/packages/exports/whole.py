"""Formats that hold one table: GeoJSON, GeoParquet and CSV, with the feature type in a column.

GeoJSON and CSV know no NaN: there an unknown height is -99, as in the LER encoding, and the mapping says so.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import shapely

from ler.model import UNKNOWN_HEIGHT, Attribute, Feature, Model
from ler.model.values import format_number
from ler.packages.exports.tables import (
    CRS,
    ID_COLUMN,
    ONLY_LAYER,
    TYPE_COLUMN,
    Written,
    WrittenLayer,
    attribute_columns,
    geometries_of,
    rules_of,
    sheet_safe,
    unknown_heights,
    used_attributes,
)

COORDINATE_DECIMALS: Final = 4
"""Coordinates are written as text to 0.1 mm."""
_CSV_GEOMETRY: Final = "WKT"


def write_geojson(path: Path, features: Sequence[Feature], model: Model) -> Written:
    """Write GeoJSON in EPSG:7416, which it says in the member `crs`: metres and heights are no RFC 7946."""
    options: dict[str, Any] = {
        "RFC7946": "NO",
        "COORDINATE_PRECISION": str(COORDINATE_DECIMALS),
        "SIGNIFICANT_FIGURES": "17",
        "WRITE_NAME": "YES",
    }
    frame, attributes = _frame(features, model)
    pyogrio.write_dataframe(frame, path, driver="GeoJSON", geometry_type="Unknown", layer_options=options)
    return _written(features, attributes, unknown_heights())


def write_geoparquet(path: Path, features: Sequence[Feature], model: Model) -> Written:
    """Write GeoParquet 1.0 with WKB."""
    frame, attributes = _frame(features, model, unknown=None)
    frame.to_parquet(path, index=False, compression="zstd")
    return _written(features, attributes, {"heights": {"unknown": []}})


def write_csv(path: Path, features: Sequence[Feature], model: Model) -> Written:
    """Write CSV with the geometry as WKT; a text that a spreadsheet would run gets ' in front."""
    frame, attributes = _frame(features, model)
    shapes = shapely.to_wkt(np.asarray(frame.geometry, dtype=object), rounding_precision=COORDINATE_DECIMALS)
    columns = [name for name in frame.columns if name != "geometry"]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow([*columns, _CSV_GEOMETRY])
        table = [[_csv_cell(cell) for cell in frame[name].astype("object")] for name in columns]
        for row in zip(*table, (shape or "" for shape in shapes), strict=True):
            writer.writerow(row)
    keys = {
        "crs": CRS,
        "encoding": "utf-8",
        "spreadsheet": True,
        "csv": {"separator": ",", "geometry": _CSV_GEOMETRY, "line_breaks": True},
        **unknown_heights(),
    }
    return _written(features, attributes, keys)


def _csv_cell(cell: Any) -> str:  # noqa: ANN401 - whatever a column holds
    if cell is None or cell is pd.NA or cell != cell:  # noqa: PLR0124 - NaN
        return ""
    if isinstance(cell, str):
        return sheet_safe(cell)
    if isinstance(cell, bool | np.bool_):
        return "true" if cell else "false"
    return format_number(float(cell))


def _frame(
    features: Sequence[Feature], model: Model, *, unknown: float | None = UNKNOWN_HEIGHT
) -> tuple[geopandas.GeoDataFrame, dict[str, list[Attribute]]]:
    attributes = used_attributes(features, model)
    columns: dict[str, Any] = {
        TYPE_COLUMN: [feature.type for feature in features],
        ID_COLUMN: [feature.gml_id for feature in features],
    }
    columns |= dict(attribute_columns(features, attributes, model))
    shapes = geometries_of(features, unknown=unknown)
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs=CRS), attributes


def _written(
    features: Sequence[Feature], attributes: dict[str, list[Attribute]], keys: dict[str, Any]
) -> Written:
    return Written([WrittenLayer(ONLY_LAYER, "", rules_of(attributes))], len(features), keys=keys)
