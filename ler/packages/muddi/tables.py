"""MUDDI as GeoPackage: a layer a class, in EPSG:7416 with unknown heights as NaN; nothing of a feature is lost."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd

from ler.exchange.account import Account
from ler.exchange.tables import load_muddi
from ler.model import Feature, Model
from ler.packages.exports.tables import attribute_columns, used_attributes
from ler.packages.geopackage import SRS
from ler.packages.geopackage_file import Column, Geometries, new_geopackage
from ler.packages.muddi.objects import NETWORK, MuddiObject, muddi_objects

_UNDATED: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The date of every layer: when the file was written is no property of the network."""
_REAL: Final = frozenset({"diameter"})
_TYPES: Final = {"Float64": "REAL", "float64": "REAL", "Int64": "INTEGER", "boolean": "BOOLEAN"}


def write_muddi_geopackage(
    path: Path, features: Sequence[Feature], model: Model, *, owner: str
) -> tuple[int, Account]:
    """Write the file; returns how many features of LER are in it, and what was lost. The same features, the same bytes."""
    account = Account()
    by_class: dict[str, list[MuddiObject]] = {}
    for one in muddi_objects(features, model, owner=owner, account=account):
        by_class.setdefault(one.kind, []).append(one)
    with new_geopackage(path, _UNDATED) as file:
        for kind in sorted(by_class):
            members = by_class[kind]
            shapes = [one.feature.geometry for one in members]
            file.add_layer(kind, list(_columns(members, model)), Geometries("GEOMETRY", SRS, shapes, z=2))
    return sum(len(objects) for kind, objects in by_class.items() if kind != NETWORK), account


def _columns(objects: Sequence[MuddiObject], model: Model) -> Iterator[Column]:
    for name in objects[0].properties:
        yield Column(name, "REAL" if name in _REAL else "TEXT", [one.properties[name] for one in objects])
    members = [one.feature for one in objects]
    if not members[0].type:
        return
    prefix = load_muddi()["prefix"]
    yield Column(f"{prefix}type_name", "TEXT", [feature.type for feature in members])
    for name, cells in attribute_columns(members, used_attributes(members, model), model):
        yield Column(f"{prefix}{name}", _TYPES.get(str(cells.dtype), "TEXT"), _plain(cells))


def _plain(cells: Any) -> list[Any]:  # noqa: ANN401 - an array of pandas
    return [None if missing else cell for cell, missing in zip(cells.tolist(), pd.isna(cells), strict=True)]
