"""GeoPackage out: a layer a feature type, opened by QGIS, ArcGIS and GDAL without any help.

Columns are named as in the LER model; a list is one text with the values parted by `; `, a contact one text. What was
void is NULL and its name stands in the column `void`. Besides the feature types there are the layers `Graveomraade`
(the dig area), `Ledningsejere` (every owner and interest area that was asked, with its answer and due time) and, when
there are such, `Paavisningsomraade` (cells of a grid in which lines must be pointed out on site).
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any, Final

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import shapely

from ler.domain.legal_time import local
from ler.model import Attribute, Feature, FeatureType, Kind, Model, Value, load_model
from ler.model.values import format_value
from ler.packages.advice import status_of
from ler.packages.content import OwnerStatus, RequestInfo

CRS: Final = "EPSG:7416"
AREA_LAYER: Final = "Graveomraade"
OWNERS_LAYER: Final = "Ledningsejere"
MARKING_LAYER: Final = "Paavisningsomraade"

PANDAS_TYPES: Final[dict[Kind, Any]] = {
    Kind.INTEGER: "Int64",
    Kind.SHARE: "float64",
    Kind.BOOLEAN: "boolean",
    Kind.MEASURE: "float64",
    Kind.LEVEL: "float64",
}
GEOMETRY_TYPES: Final = {"curve": "MultiLineString Z", "curves": "MultiLineString Z", "point": "Point Z"}

# What GDAL is told is told the process: two at once would date each other's layers.
_WRITING: Final = Lock()

type Row = tuple[OwnerStatus, Feature, bool]
"""Owner, feature, and whether only a part of it is delivered."""


def write_geopackage(
    path: Path, request: RequestInfo, owners: Sequence[OwnerStatus], model: Model | None = None
) -> dict[str, int]:
    """Write the answers of one or more owners; returns the number of rows of each feature layer.

    The file must not exist yet. The same content gives the same bytes.
    """
    model = model or load_model()
    with _WRITING, _dated(request.created_at):
        write_layer(path, AREA_LAYER, _area_frame(request), "Polygon")
        write_layer(path, OWNERS_LAYER, _owners_frame(owners), None)
        if (marking := _marking_frame(owners)) is not None:
            write_layer(path, MARKING_LAYER, marking, "MultiPolygon")
        return {
            feature_type.name: _write_layer(path, feature_type, rows)
            for feature_type, rows in _by_type(owners, model)
        }


@contextmanager
def _dated(moment: datetime) -> Iterator[None]:
    """GDAL stamps layers with the present time unless it is told another, and waits for the disk at each of them.

    The file goes into a package, which is kept durably as a whole: waiting took three quarters of the time.
    """
    options = {"OGR_CURRENT_DATE": _stamp(moment), "OGR_SQLITE_SYNCHRONOUS": "OFF"}
    pyogrio.set_gdal_config_options(options)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(dict.fromkeys(options))


def _by_type(owners: Sequence[OwnerStatus], model: Model) -> Iterator[tuple[FeatureType, list[Row]]]:
    rows: dict[str, list[Row]] = {}
    for owner in owners:
        for delivery in owner.deliveries:
            for feature in delivery.features:
                row = (owner, feature, feature.gml_id in delivery.clipped)
                rows.setdefault(feature.type, []).append(row)
    return ((model.types[name], rows[name]) for name in sorted(rows))


def _write_layer(path: Path, feature_type: FeatureType, rows: list[Row]) -> int:
    columns: dict[str, Any] = {
        "owner_cvr": [owner.cvr for owner, _, _ in rows],
        "owner_name": [owner.name for owner, _, _ in rows],
        "gml_id": [feature.gml_id for _, feature, _ in rows],
    }
    for attribute in feature_type.attributes:
        if attribute.kind is not Kind.GEOMETRY:
            values: list[Any] = [
                _cell(attribute, feature.attributes.get(attribute.name)) for _, feature, _ in rows
            ]
            columns[attribute.name] = pd.array(values, dtype=column_type(attribute))
    columns["void"] = pd.array([", ".join(feature.voids) or None for _, feature, _ in rows], dtype="object")
    columns["clipped"] = [clipped for _, _, clipped in rows]
    geometries = np.array([feature.geometry for _, feature, _ in rows], dtype=object)
    frame = geopandas.GeoDataFrame(columns, geometry=geometries, crs=CRS)
    kind = feature_type.geometry.geometry if feature_type.geometry else "any"
    write_layer(path, feature_type.name, frame, GEOMETRY_TYPES.get(kind, "Unknown"))
    return len(rows)


def column_type(attribute: Attribute) -> Any:  # noqa: ANN401 - a name that pandas knows a type by
    """Return the type of the column that holds an attribute."""
    scalar = not attribute.many and (attribute.kind is not Kind.MEASURE or bool(attribute.unit))
    return PANDAS_TYPES.get(attribute.kind, "object") if scalar else "object"


def _cell(attribute: Attribute, value: Value) -> Value:
    if isinstance(value, list):
        return "; ".join(str(_cell(attribute, one)) for one in value)
    if isinstance(value, dict):
        if attribute.kind is Kind.MEASURE:
            return f"{format_value(attribute, value['value'])} {value['uom']}"
        return json.dumps({k: v for k, v in value.items() if k != "gml_id"}, ensure_ascii=False)
    return value


def _area_frame(request: RequestInfo) -> geopandas.GeoDataFrame:
    columns = {
        "order_number": [request.order_number],
        "period_from": [request.period_from.isoformat()],
        "period_to": [request.period_to.isoformat()],
        "purpose": [request.purpose],
        "description": pd.array([request.description], dtype="object"),
    }
    return geopandas.GeoDataFrame(columns, geometry=[request.area], crs="EPSG:25832")


def _owners_frame(owners: Sequence[OwnerStatus]) -> pd.DataFrame:
    asked = [(owner, area, owner.answer_for(area)) for owner in owners for area in owner.areas]
    return pd.DataFrame(
        {
            "cvr": [owner.cvr for owner, _, _ in asked],
            "name": [owner.name for owner, _, _ in asked],
            "interest_area": [area.registration_number for _, area, _ in asked],
            "status": [status_of(owner, area) for owner, area, _ in asked],
            "answer": pd.array([a.answer_type if a else None for _, _, a in asked], dtype="object"),
            "due_at": pd.array([_legal(area.due_at) for _, area, _ in asked], dtype="object"),
            "late": [area.late for _, area, _ in asked],
            "features": [len(answer.features) if answer else 0 for _, _, answer in asked],
            "withholds": [answer is not None and answer.withholds for _, _, answer in asked],
            "information": pd.array(
                [a.further_information if a else None for _, _, a in asked], dtype="object"
            ),
            "email": pd.array([owner.email for owner, _, _ in asked], dtype="object"),
            "phone": pd.array([owner.phone for owner, _, _ in asked], dtype="object"),
        }
    )


def _marking_frame(owners: Sequence[OwnerStatus]) -> geopandas.GeoDataFrame | None:
    """The cells in which owners must point lines out, with what they say of them; None when there are none."""
    found = [
        (owner, answer, answer.marking_area)
        for owner in owners
        for answer in owner.deliveries
        if answer.marking_area is not None
    ]
    if not found:
        return None
    columns = {
        "owner_cvr": [owner.cvr for owner, _, _ in found],
        "owner_name": [owner.name for owner, _, _ in found],
        "information": pd.array([answer.further_information for _, answer, _ in found], dtype="object"),
        "email": pd.array([owner.email for owner, _, _ in found], dtype="object"),
        "phone": pd.array([owner.phone for owner, _, _ in found], dtype="object"),
    }
    return geopandas.GeoDataFrame(columns, geometry=[area for _, _, area in found], crs="EPSG:25832")


def _legal(moment: datetime | None) -> str | None:
    return local(moment).isoformat(timespec="minutes") if moment else None


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


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
