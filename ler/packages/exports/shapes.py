"""Shapefiles in a ZIP: points, lines and areas in a file each, since a shapefile holds one kind of geometry.

The format cuts what it cannot hold, so it is not left to: names of columns are shortened to ten letters here, long texts
are spread over several columns, truth values are words. Features without a geometry stand with the lines. An unknown
height is -99, since the format has no NaN.
"""

import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import geopandas
import pandas as pd
import pyogrio

from ler.model import UNKNOWN_HEIGHT, Feature, Model
from ler.packages.exports.tables import (
    CRS,
    ID_COLUMN,
    TYPE_COLUMN,
    VOID_COLUMN,
    Rule,
    Written,
    WrittenLayer,
    attribute_columns,
    geometries_of,
    rules_of,
    unknown_heights,
    used_attributes,
)

_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "Point": ("punkter", "Point Z"),
    "MultiPoint": ("punktgrupper", "MultiPoint Z"),
    "LineString": ("linjer", "LineString Z"),
    "MultiLineString": ("linjer", "LineString Z"),
    "Polygon": ("flader", "Polygon Z"),
    "MultiPolygon": ("flader", "Polygon Z"),
}
_WITHOUT: Final = "linjer"
_MEMBERS: Final = ("shp", "shx", "dbf", "prj", "cpg")
_NAME_LETTERS: Final = 10
_TEXT_BYTES: Final = 250
"""Of a text in one column; the format has room for 254."""
_LETTERS: Final = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa"})
_FIXED_DATE: Final = (1980, 1, 1, 0, 0, 0)


def write_shapefiles(path: Path, features: Sequence[Feature], model: Model) -> Written:
    """Write the ZIP."""
    groups: dict[str, list[Feature]] = {}
    kinds: dict[str, str] = {}
    for feature in features:
        kind = "" if feature.geometry is None else feature.geometry.geom_type
        name, geometry_type = _KINDS.get(kind, (_WITHOUT, "LineString Z"))
        groups.setdefault(name, []).append(feature)
        kinds[name] = geometry_type
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".ler-shapes-") as folder:
        layers = [
            _write(Path(folder) / f"{name}.shp", groups[name], model, kinds[name]) for name in sorted(groups)
        ]
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(groups):
                for ending in _MEMBERS:
                    member = zipfile.ZipInfo(f"{name}.{ending}", _FIXED_DATE)
                    member.compress_type = zipfile.ZIP_DEFLATED
                    archive.writestr(member, (Path(folder) / f"{name}.{ending}").read_bytes())
    return Written(layers, len(features), keys=unknown_heights())


def _write(path: Path, features: Sequence[Feature], model: Model, geometry_type: str) -> WrittenLayer:
    attributes = used_attributes(features, model)
    rules = rules_of(attributes)
    names = _short_names([TYPE_COLUMN, ID_COLUMN, VOID_COLUMN, *attributes])
    columns: dict[str, Any] = {
        names[TYPE_COLUMN]: [feature.type for feature in features],
        names[ID_COLUMN]: [feature.gml_id for feature in features],
    }
    taken = set(names.values())
    for name, cells in attribute_columns(features, attributes, model):
        pieces = list(_spread(cells))
        called = [names[name], *_further(names[name], len(pieces) - 1, taken)]
        columns |= dict(zip(called, pieces, strict=True))
        if name in rules:
            rules[name] = _renamed(rules[name], called)
    shapes = geometries_of(features, unknown=UNKNOWN_HEIGHT)
    frame = geopandas.GeoDataFrame(columns, geometry=shapes, crs=CRS)
    pyogrio.write_dataframe(
        frame,
        path,
        driver="ESRI Shapefile",
        geometry_type=geometry_type,
        encoding="UTF-8",
        layer_options={"DBF_DATE_LAST_UPDATE": "2000-01-01"},
    )
    return WrittenLayer(
        path.stem, "", rules, {name: names[name] for name in (TYPE_COLUMN, VOID_COLUMN, ID_COLUMN)}
    )


def _renamed(rule: Rule, called: Sequence[str]) -> Rule:
    return rule | {"column": called[0] if len(called) == 1 else list(called)}


def _short_names(names: Sequence[str]) -> dict[str, str]:
    """Names of ten letters, each its own."""
    short: dict[str, str] = {}
    for name in names:
        plain = name.translate(_LETTERS)
        called, number = plain[:_NAME_LETTERS], 1
        while called.lower() in {other.lower() for other in short.values()}:
            number += 1
            called = f"{plain[: _NAME_LETTERS - len(str(number)) - 1]}_{number}"
        short[name] = called
    return short


def _further(name: str, count: int, taken: set[str]) -> Iterator[str]:
    """Names of the columns that hold the rest of long texts."""
    for letter in range(count):
        called = f"{name[: _NAME_LETTERS - 2]}{chr(ord('b') + letter)}_"
        while called in taken:
            called = f"{called[:-2]}{called[-2:].swapcase()}x"[:_NAME_LETTERS]
        taken.add(called)
        yield called


def _spread(cells: Any) -> Iterator[Any]:  # noqa: ANN401 - a column of pandas
    """A column as one or more that the format can hold."""
    if cells.dtype == "boolean":
        yield pd.array([None if cell is pd.NA else str(bool(cell)).lower() for cell in cells], dtype="object")
        return
    if cells.dtype != "object":
        yield cells
        return
    pieces = [_cut(cell) if isinstance(cell, str) else [] for cell in cells]
    for at in range(max(1, *map(len, pieces))):
        yield pd.array([piece[at] if at < len(piece) else None for piece in pieces], dtype="object")


def _cut(text: str) -> list[str]:
    """A text in pieces that fit, none of which begins or ends with a blank that the format would drop."""
    pieces: list[str] = []
    while len(text.encode()) > _TEXT_BYTES:
        end = len(text.encode()[:_TEXT_BYTES].decode(errors="ignore"))
        while end > 1 and (text[end - 1].isspace() or text[end].isspace()):
            end -= 1
        pieces.append(text[:end])
        text = text[end:]
    return [*pieces, text]
