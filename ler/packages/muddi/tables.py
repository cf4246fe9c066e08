"""MUDDI as GeoPackage: a layer a class, in EPSG:7416 with unknown heights as NaN; nothing of a feature is lost."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas
import pandas as pd

from ler.exchange.account import Account
from ler.exchange.tables import load_muddi
from ler.model import Feature, Model
from ler.packages.exports.tables import attribute_columns, geometries_of, used_attributes
from ler.packages.geopackage import CRS, write_layer
from ler.packages.muddi.objects import NETWORK, MuddiObject, muddi_objects


def write_muddi_geopackage(
    path: Path, features: Sequence[Feature], model: Model, *, owner: str
) -> tuple[int, Account]:
    """Write the file; returns how many features of LER are in it, and what was lost."""
    account = Account()
    by_class: dict[str, list[MuddiObject]] = {}
    for one in muddi_objects(features, model, owner=owner, account=account):
        by_class.setdefault(one.kind, []).append(one)
    for kind in sorted(by_class):
        write_layer(path, kind, _frame(by_class[kind], model), "Unknown")
    return sum(len(objects) for kind, objects in by_class.items() if kind != NETWORK), account


def _frame(objects: Sequence[MuddiObject], model: Model) -> geopandas.GeoDataFrame:
    columns: dict[str, Any] = {
        name: pd.array([one.properties[name] for one in objects], dtype=_type_of(name))
        for name in objects[0].properties
    }
    members = [one.feature for one in objects]
    prefix = load_muddi()["prefix"]
    if members[0].type:
        columns[f"{prefix}type_name"] = [feature.type for feature in members]
        attributes = used_attributes(members, model)
        columns |= {f"{prefix}{name}": cells for name, cells in attribute_columns(members, attributes, model)}
    return geopandas.GeoDataFrame(columns, geometry=geometries_of(members), crs=CRS)


def _type_of(name: str) -> Any:  # noqa: ANN401 - a name that pandas knows a type by
    return "float64" if name == "diameter" else "object"
