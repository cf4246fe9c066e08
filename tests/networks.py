"""Networks compared feature by feature, with the tolerances that each format needs."""

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
import shapely

from geoapi.demo.town import build_town
from ler.model import Feature
from ler.packages.exports.export import ExportFormat

COORDINATES_M = {
    ExportFormat.GEOPACKAGE: 0.0,  # doubles as they are
    ExportFormat.GEOPARQUET: 0.0,
    ExportFormat.FLATGEOBUF: 0.0,
    ExportFormat.SHAPEFILE: 0.0,
    ExportFormat.GEOJSON: 0.00005 + 1e-9,  # text with four decimals, as our GML has
    ExportFormat.CSV: 0.00005 + 1e-9,
    ExportFormat.DXF: 1e-8,  # text with the digits of a double, written and read by two libraries
}
TURNS_RINGS = {ExportFormat.SHAPEFILE}
"""Formats that demand outer rings clockwise: there an area is the same area, its vertices in another order."""


@cache
def town_networks() -> dict[str, Sequence[Feature]]:
    """Every owner of the demonstration town by CVR number."""
    return {owner.cvr: owner.features for owner in build_town().owners}


def differences(given: Iterable[Feature], found: Iterable[Feature], format_: ExportFormat) -> list[str]:
    """What is not the same, in words; nothing where the networks are equal."""
    back = {feature.gml_id: feature for feature in found}
    told = []
    for feature in given:
        other = back.pop(feature.gml_id, None)
        if other is None:
            told.append(f"{feature.gml_id} is missing")
            continue
        for name in ("type", "attributes", "voids", "unread"):
            one, two = getattr(feature, name), getattr(other, name)
            if one != two:
                told.append(f"{feature.gml_id}: {name} {one!r} became {two!r}")
        if not _same_place(feature, other, format_):
            told.append(f"{feature.gml_id}: {feature.geometry} became {other.geometry}")
    return told + [f"{gml_id} is new" for gml_id in back]


def _same_place(one: Feature, other: Feature, format_: ExportFormat) -> bool:
    if one.geometry is None or other.geometry is None:
        return one.geometry is other.geometry
    if one.geometry.geom_type != other.geometry.geom_type or not other.geometry.has_z:
        return False
    positions = [shapely.get_coordinates(f.geometry, include_z=True) for f in (one, other)]
    if format_ in TURNS_RINGS and "Polygon" in one.geometry.geom_type:
        positions = [np.unique(found, axis=0) for found in positions]
    if positions[0].shape != positions[1].shape:
        return False
    before, after = positions
    return bool(np.allclose(before, after, rtol=0, atol=COORDINATES_M[format_], equal_nan=True))
