"""GeoJSON as RFC 7946 has it: longitude and latitude in WGS 84, fit for every web map.

Positions have no height: RFC 7946 means heights above the ellipsoid, ours are DVR90. What is known of the height stands
in the properties. Longitude and latitude are rounded to nine decimals, 0.1 mm; ETRS89 is taken for WGS 84, as the
register does, which is some decimetres in this century. Attributes have their LER names and are JSON of their own
kind: a list is a list. What was void stands in `void` with its reason.
"""

import json
from pathlib import Path
from typing import Any

import shapely

from ler.model import Feature
from ler.packages.contents import Contents
from ler.packages.degrees import to_degrees
from ler.packages.exports.tables import ID_COLUMN, TYPE_COLUMN, VOID_COLUMN
from ler.packages.vector_values import told_of


def write_geojson(path: Path, contents: Contents) -> int:
    """Write every feature; returns how many. One without a place has the geometry null."""
    assessed = contents.assessed
    shapes = shapely.to_geojson(to_degrees([one.feature.geometry for one in assessed]))
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
    features = (
        f'{{"type":"Feature","geometry":{shape or "null"},'
        f'"properties":{encode(properties_of(one.feature, told_of(one)))}}}'
        for one, shape in zip(assessed, shapes, strict=True)
    )
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('{"type":"FeatureCollection","features":[')
        file.writelines(f"{',' if number else ''}\n{feature}" for number, feature in enumerate(features))
        file.write("\n]}\n")
    return len(assessed)


def properties_of(feature: Feature, told: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of a feature, fit for JSON: its type, our values, then its attributes by LER name."""
    return {
        TYPE_COLUMN: feature.type,
        ID_COLUMN: feature.gml_id,
        **{name: value for name, value in told.items() if value is not None},
        **feature.attributes,
        **({VOID_COLUMN: feature.voids} if feature.voids else {}),
    }
