"""The table `layer_styles`, from which QGIS takes how it draws the tables of a GeoPackage that it opens."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from ler.model import Feature, load_model
from ler.packages.geopackage_file import Column, GeoPackageFile
from ler.packages.styling.parts import Shape
from ler.packages.styling.tables import table_style

TABLE: Final = "layer_styles"


def add_layer_styles(file: GeoPackageFile, tables: Sequence[str], theme: str, moment: datetime) -> None:
    """Add a default style for each of the tables, dated by an aware moment; those of components are for their points."""
    styles = [table_style(theme, table, main_shape(table)) for table in tables]
    written = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
    count = len(tables)
    columns = [
        Column("f_table_catalog", "TEXT", [""] * count),
        Column("f_table_schema", "TEXT", [""] * count),
        Column("f_table_name", "TEXT", tables),
        Column("f_geometry_column", "TEXT", ["geom"] * count),
        Column("styleName", "TEXT", [theme] * count),
        Column("styleQML", "TEXT", [style.qml for style in styles]),
        Column("styleSLD", "TEXT", [""] * count),
        Column("useAsDefault", "BOOLEAN", [True] * count),
        Column("description", "TEXT", list(tables)),
        Column("owner", "TEXT", [""] * count),
        Column("ui", "TEXT", [None] * count),
        Column("update_time", "DATETIME", [written] * count),
    ]
    file.add_layer(TABLE, columns, None)


def main_shape(table: str) -> Shape:
    """Return the shape of most features of a table."""
    feature_type = load_model().types.get(table)
    if feature_type is None:
        return Shape.AREA
    geometry = feature_type.geometry.geometry if feature_type.geometry else "any"
    return Shape.LINE if geometry in {"curve", "curves"} else Shape.POINT


def shape_of(feature: Feature) -> Shape | None:
    """Return the shape of a feature; None where it has no place."""
    if feature.geometry is None:
        return None
    kind = feature.geometry.geom_type
    return Shape.AREA if "Polygon" in kind else Shape.POINT if "Point" in kind else Shape.LINE
