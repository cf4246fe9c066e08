"""MUDDI as JSON-FG 1.0 (OGC 21-045r1), which every reader of GeoJSON reads too.

`geometry` has longitude and latitude, `place` metres of EPSG:25832, with DVR90 heights (EPSG:7416) where every vertex has
one.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from ler.exchange.account import Account, Fate
from ler.exchange.projection import Projection
from ler.exchange.tables import load_muddi
from ler.model import Feature, Model
from ler.packages.muddi.objects import MuddiObject, muddi_objects

CONFORMS_TO: Final = (
    "http://www.opengis.net/spec/json-fg-1/1.0/conf/core",
    "http://www.opengis.net/spec/json-fg-1/1.0/conf/types-schemas",
)
CRS: Final = "http://www.opengis.net/def/crs/EPSG/0/25832"
CRS_WITH_HEIGHTS: Final = "http://www.opengis.net/def/crs/EPSG/0/7416"
_METRES: Final = 4
_DEGREES: Final = 9
_DAY: Final = len("2024-05-13")


def write_muddi_json(
    path: Path, features: Sequence[Feature], model: Model, *, owner: str, projection: Projection
) -> tuple[int, Account]:
    """Write the document, one feature a line; returns how many features of LER are in it, and what was lost.

    `projection` leads to EPSG:4326, longitude first.
    """
    account = Account()
    objects = muddi_objects(features, model, owner=owner, account=account)
    head = {"type": "FeatureCollection", "conformsTo": CONFORMS_TO, "coordRefSys": CRS}
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(f'{json.dumps(head)[:-1]}, "features": [')
        for number, one in enumerate(objects):
            stream.write(",\n" if number else "\n")
            stream.write(json.dumps(_feature(one, projection, account), ensure_ascii=False, allow_nan=False))
        stream.write("\n]}\n")
    return sum(bool(one.feature.type) for one in objects), account


def _feature(one: MuddiObject, projection: Projection, account: Account) -> dict[str, Any]:
    feature = one.feature
    prefix = load_muddi()["prefix"]
    beside: dict[str, Any] = {f"{prefix}{name}": value for name, value in feature.attributes.items()}
    if feature.voids:
        beside[f"{prefix}void"] = sorted(feature.voids)
    if feature.type:
        beside = {f"{prefix}type_name": feature.type, **beside}
    place = feature.geometry
    if place is None:  # muddi_objects leaves those out
        raise ValueError(feature.gml_id)
    flat = shapely.orient_polygons(shapely.transform(shapely.force_2d(place), projection.apply))
    return {
        "type": "Feature",
        "id": one.properties["system_id"],
        "featureType": one.kind,
        "time": _time(feature),
        "place": _place(feature, place, account),
        "geometry": _written(flat, _DEGREES),
        "properties": {**one.properties, **beside},
    }


def _place(feature: Feature, place: BaseGeometry, account: Account) -> dict[str, Any]:
    known = np.isfinite(shapely.get_coordinates(place, include_z=True)[:, 2])
    if known.all():
        return {**_written(place, _METRES), "coordRefSys": CRS_WITH_HEIGHTS}
    if known.any():
        account.add(Fate.COARSER, feature.type, "height", gml_id=feature.gml_id)
    return _written(shapely.force_2d(place), _METRES)


def _written(geometry: BaseGeometry, decimals: int) -> dict[str, Any]:
    rounded = shapely.transform(
        geometry, lambda positions: positions.round(decimals), include_z=geometry.has_z
    )
    found: dict[str, Any] = json.loads(shapely.to_geojson(rounded))
    return found


def _time(feature: Feature) -> dict[str, list[str]] | None:
    """Since when it is there, to the day; a month or a year begins at its first."""
    told = str(feature.attributes.get("etableringstidspunkt", ""))
    if not told[:1].isdigit():
        return None
    return {"interval": [f"{told}-01-01"[:_DAY] if len(told) < _DAY else told, ".."]}
