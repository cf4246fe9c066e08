"""What the tables share: the schema, the names of constraints, and the columns of a LER feature."""

from typing import Any, Final

from geoalchemy2 import Geometry
from sqlalchemy import CheckConstraint, Column, DateTime, Double, Integer, MetaData, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.schema import SchemaItem

SCHEMA: Final = "ler"
SRID: Final = 25832
"""ETRS89 / UTM zone 32N: easting and northing in metres. Heights are DVR90 in metres; NaN when nobody knows."""

metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)


def uuid_column(name: str, *, nullable: bool = False) -> Column[Any]:
    """Return a column that holds the key of another row."""
    return Column(name, PG_UUID(as_uuid=True), nullable=nullable)


def id_column() -> Column[Any]:
    """Return the primary key: made by the database, random, so that it tells nothing about other rows."""
    return Column("id", PG_UUID(as_uuid=True), primary_key=True, server_default=text("gen_random_uuid()"))


def created_at_column() -> Column[Any]:
    """Return the time of the transaction that made the row."""
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def feature_items() -> list[SchemaItem]:
    """Return the columns and checks of one LER feature, the same for networks and for packages.

    The attributes that every LER line and component shares have columns of their own, named in English; the mapping
    is `ler.db.rows.COLUMNS`. They hold the value as delivered: `established` may be `before 2023-07-01`.
    """
    texts = (
        *("utility_type", "operational_status", "ownership", "established", "danger_class", "ler_id"),
        *("drawing_method", "horizontal_accuracy", "vertical_accuracy", "registered_from", "precautions"),
    )
    return [
        Column("feature_type", Text, nullable=False),
        Column("gml_id", Text, nullable=False),
        *(Column(name, Text) for name in texts),
        Column("indicative_depth_mm", Double),
        Column("level", Text),
        Column("attributes", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
        Column("voids", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
        Column("geom", Geometry("GEOMETRYZ", srid=SRID, dimension=3, spatial_index=False)),
        CheckConstraint("gml_id <> ''", name="gml_id"),
        CheckConstraint("jsonb_typeof(attributes) = 'object'", name="attributes"),
        CheckConstraint("jsonb_typeof(voids) = 'object'", name="voids"),
    ]


def seq_column() -> Column[Any]:
    """Return the feature's place in its file, counted from 0 or 1 as the reader likes."""
    return Column("seq", Integer, nullable=False)
