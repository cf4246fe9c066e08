"""GeoPackage out: a layer a feature type, opened by QGIS, ArcGIS and GDAL without any help.

Columns are named as in the LER model; a list is one text with the values parted by `; `, a contact one text. What was
void is NULL and its name stands in the column `void`. Besides the feature types there are the layers `Graveomraade`
(the dig area, which says whether the package is complete), `Ledningsejere` (every owner and interest area that was asked, with its answer and due time) and, when
there are such, `Paavisningsomraade` (cells of a grid in which lines must be pointed out on site). Lines, traces and
components have columns of what was found of them besides: place, band and cover. The bands are no layer of their own:
they follow from a column, and their outlines took more room and time than all else.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from ler.domain.legal_time import local
from ler.domain.uncertainty import has_band
from ler.model import Attribute, FeatureType, Kind, Value, load_model
from ler.model.values import format_value
from ler.packages.advice import status_of
from ler.packages.area_properties import area_properties
from ler.packages.assessment import Assessed
from ler.packages.content import OwnerStatus, RequestInfo
from ler.packages.contents import Contents
from ler.packages.geopackage_file import Column, Geometries, GeoPackageFile, new_geopackage
from ler.packages.geopackage_styles import add_layer_styles

AREA_LAYER: Final = "Graveomraade"
OWNERS_LAYER: Final = "Ledningsejere"
MARKING_LAYER: Final = "Paavisningsomraade"

COLUMN_TYPES: Final = {
    Kind.INTEGER: "INTEGER",
    Kind.SHARE: "REAL",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.MEASURE: "REAL",
    Kind.LEVEL: "REAL",
}
SRS: Final = 7416
AREA_SRS: Final = 25832
_SHAPES: Final = {"curve": ("MULTILINESTRING", 1), "curves": ("MULTILINESTRING", 1), "point": ("POINT", 1)}
_ANY: Final = ("GEOMETRY", 2)


def write_geopackage(path: Path, contents: Contents) -> dict[str, int]:
    """Write the answers of one or more owners; returns the number of rows of each feature layer.

    The file must not exist yet. The same content gives the same bytes.
    """
    request, owners = contents.request, contents.owners
    with new_geopackage(path, request.created_at) as file:
        file.add_layer(
            AREA_LAYER, _area_columns(request, owners), Geometries("POLYGON", AREA_SRS, [request.area], z=0)
        )
        file.add_layer(OWNERS_LAYER, _owners_columns(owners), None)
        _add_marking(file, owners)
        counts = {
            feature_type.name: _add_features(file, feature_type, rows)
            for feature_type, rows in _by_type(contents.assessed)
        }
        marking = [MARKING_LAYER] if any(d.marking_area for owner in owners for d in owner.deliveries) else []
        tables = [AREA_LAYER, *marking, *counts]
        add_layer_styles(file, tables, contents.options.theme, request.created_at)
        return counts


def _by_type(delivered: Sequence[Assessed]) -> Iterator[tuple[FeatureType, list[Assessed]]]:
    types = load_model().types
    rows: dict[str, list[Assessed]] = {}
    for one in delivered:
        rows.setdefault(one.feature.type, []).append(one)
    return ((types[name], rows[name]) for name in sorted(rows))


def _add_features(file: GeoPackageFile, feature_type: FeatureType, rows: list[Assessed]) -> int:
    columns = [
        Column("owner_cvr", "TEXT", [row.owner.cvr for row in rows]),
        Column("owner_name", "TEXT", [row.owner.name for row in rows]),
        Column("gml_id", "TEXT", [row.feature.gml_id for row in rows]),
        *(
            Column(attribute.name, column_type(attribute), _cells(attribute, rows))
            for attribute in feature_type.attributes
            if attribute.kind is not Kind.GEOMETRY
        ),
        Column("void", "TEXT", [", ".join(row.feature.voids) or None for row in rows]),
        Column("clipped", "BOOLEAN", [row.feature.gml_id in row.delivery.clipped for row in rows]),
        *(_assessed_columns(rows) if has_band(feature_type) else ()),
    ]
    shapes = [row.feature.geometry for row in rows]
    kind, z = _SHAPES.get(feature_type.geometry.geometry, _ANY) if feature_type.geometry else _ANY
    file.add_layer(feature_type.name, columns, Geometries(kind, SRS, shapes, z))
    return len(rows)


def _assessed_columns(rows: list[Assessed]) -> Iterator[Column]:
    yield Column("in_dig_area", "BOOLEAN", [row.in_dig_area for row in rows])
    yield Column("distance_m", "REAL", [row.distance_m for row in rows])
    yield Column("band_half_width_m", "REAL", [row.band.half_width_m for row in rows])
    yield Column("band_known", "BOOLEAN", [row.band.known for row in rows])
    for name in ("min_m", "max_m", "uncertainty_m"):
        yield Column(f"cover_{name}", "REAL", [getattr(row.cover, name) for row in rows])
    yield Column("cover_unknown", "TEXT", [row.cover.unknown and str(row.cover.unknown) for row in rows])


def column_type(attribute: Attribute) -> str:
    """Return the type of the column that holds an attribute; what may be a list, or has units of its own, is text."""
    scalar = not attribute.many and (attribute.kind is not Kind.MEASURE or bool(attribute.unit))
    return COLUMN_TYPES.get(attribute.kind, "TEXT") if scalar else "TEXT"


def _cells(attribute: Attribute, rows: list[Assessed]) -> list[Value]:
    name = attribute.name
    given = [row.feature.attributes.get(name) for row in rows]
    if column_type(attribute) != "TEXT":
        return given
    return [value if value is None or type(value) is str else _cell(attribute, value) for value in given]


def _cell(attribute: Attribute, value: Value) -> Value:
    if isinstance(value, list):
        return "; ".join(str(_cell(attribute, one)) for one in value)
    if isinstance(value, dict):
        if attribute.kind is Kind.MEASURE:
            return f"{format_value(attribute, value['value'])} {value['uom']}"
        return json.dumps({k: v for k, v in value.items() if k != "gml_id"}, ensure_ascii=False)
    return value


def _area_columns(request: RequestInfo, owners: Sequence[OwnerStatus]) -> list[Column]:
    """One row: the request, and whether the package is complete."""
    types = {"order_number": "INTEGER", "revision": "INTEGER", "complete": "BOOLEAN"}
    told = area_properties(request, owners)
    return [Column(name, types.get(name, "TEXT"), [value]) for name, value in told.items()]


def _owners_columns(owners: Sequence[OwnerStatus]) -> list[Column]:
    asked = [(owner, area, owner.answer_for(area)) for owner in owners for area in owner.areas]
    return [
        Column("cvr", "TEXT", [owner.cvr for owner, _, _ in asked]),
        Column("name", "TEXT", [owner.name for owner, _, _ in asked]),
        Column("interest_area", "INTEGER", [area.registration_number for _, area, _ in asked]),
        Column("status", "TEXT", [status_of(owner, area) for owner, area, _ in asked]),
        Column("answer", "TEXT", [answer and answer.answer_type for _, _, answer in asked]),
        Column("due_at", "TEXT", [_legal(area.due_at) for _, area, _ in asked]),
        Column("late", "BOOLEAN", [area.late for _, area, _ in asked]),
        Column("features", "INTEGER", [len(answer.features) if answer else 0 for _, _, answer in asked]),
        Column("withholds", "BOOLEAN", [answer is not None and answer.withholds for _, _, answer in asked]),
        Column("information", "TEXT", [answer and answer.further_information for _, _, answer in asked]),
        Column("email", "TEXT", [owner.email for owner, _, _ in asked]),
        Column("phone", "TEXT", [owner.phone for owner, _, _ in asked]),
    ]


def _add_marking(file: GeoPackageFile, owners: Sequence[OwnerStatus]) -> None:
    """The cells in which owners must point lines out, with what they say of them; no layer when there are none."""
    found = [
        (owner, answer, answer.marking_area)
        for owner in owners
        for answer in owner.deliveries
        if answer.marking_area is not None
    ]
    if not found:
        return
    columns = [
        Column("owner_cvr", "TEXT", [owner.cvr for owner, _, _ in found]),
        Column("owner_name", "TEXT", [owner.name for owner, _, _ in found]),
        Column("information", "TEXT", [answer.further_information for _, answer, _ in found]),
        Column("email", "TEXT", [owner.email for owner, _, _ in found]),
        Column("phone", "TEXT", [owner.phone for owner, _, _ in found]),
    ]
    areas = [area for _, _, area in found]
    file.add_layer(MARKING_LAYER, columns, Geometries("MULTIPOLYGON", AREA_SRS, areas, z=0))


def _legal(moment: datetime | None) -> str | None:
    return local(moment).isoformat(timespec="minutes") if moment else None
