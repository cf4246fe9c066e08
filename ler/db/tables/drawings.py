"""Owners' georeferenced drawings, and those that were delivered with a request; their files are in the blob store."""

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.schema import SchemaItem

from ler.db.tables.base import SRID, created_at_column, id_column, metadata, uuid_column


def _file_items() -> list[SchemaItem]:
    """The name and the file of a drawing; the requester gets to see them, and `_fact_items`."""
    return [
        Column("name", Text, nullable=False),
        Column("cog_sha256", Text, nullable=False),
        Column("cog_size_bytes", BigInteger, nullable=False),
        CheckConstraint("cog_sha256 ~ '^[0-9a-f]{64}$'", name="cog_sha256"),
        CheckConstraint("deliver IN ('clipped', 'whole')", name="deliver"),
    ]


def _fact_items() -> list[SchemaItem]:
    return [
        Column("resolution_m", Double, nullable=False),
        # What the change of reference system may be off, m; NULL when nobody knows.
        Column("accuracy_m", Double),
        Column("taken_on", Date),
        Column("valid_from", Date),
        Column("valid_to", Date),
    ]


drawing = Table(
    "drawing",
    metadata,
    id_column(),
    uuid_column("owner_id"),
    *_file_items(),
    Column("preview_sha256", Text, nullable=False),
    *_fact_items(),
    # What the drawing shows: it covers every valid pixel.
    Column("geom", Geometry("MULTIPOLYGON", srid=SRID, spatial_index=False), nullable=False),
    # The owner's file as it was given, for the owner alone.
    Column("original_sha256", Text, nullable=False),
    Column("original_size_bytes", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("source_epsg", Integer, nullable=False),
    Column("columns", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    # Features that it belongs to, beside the attachments (Informationsressource) whose `sti` names it.
    Column("linked_gml_ids", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    created_at_column(),
    # Its owner's choice: what lies in the dig area, or all of it.
    Column("deliver", Text, nullable=False, server_default=text("'clipped'::text")),
    # The world file's a, b, c, d, e, f, from the corner of the first pixel: with the original it makes the same
    # drawing again. NULL when the original says itself where it lies.
    Column("placement", ARRAY(Double)),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    # With the owner first: it never tells which names another owner has used.
    UniqueConstraint("owner_id", "name"),
    CheckConstraint("name <> ''", name="name"),
    CheckConstraint("preview_sha256 ~ '^[0-9a-f]{64}$'", name="preview_sha256"),
    CheckConstraint("original_sha256 ~ '^[0-9a-f]{64}$'", name="original_sha256"),
    CheckConstraint("columns > 0 AND rows > 0 AND resolution_m > 0", name="size"),
    CheckConstraint("valid_from <= valid_to", name="valid"),
    CheckConstraint("NOT ST_IsEmpty(geom) AND ST_IsValid(geom)", name="geom"),
    CheckConstraint("cardinality(placement) = 6", name="placement"),
)
# Serves ler.match_drawings: the drawings that a dig area touches.
Index("ix_drawing_geom", drawing.c.geom, postgresql_using="gist")

# Pinned to the request, so that a drawing that is removed later stays in what was delivered. Not what it shows outside
# the dig area: the requester reads this table.
package_drawing = Table(
    "package_drawing",
    metadata,
    uuid_column("request_id"),
    uuid_column("requester_id"),
    uuid_column("owner_id"),
    uuid_column("drawing_id"),
    *_file_items(),
    *_fact_items(),
    Column("deliver", Text, nullable=False),
    # The delivered features that it belongs to; none when it was delivered for its place alone.
    Column("gml_ids", ARRAY(Text), nullable=False),
    PrimaryKeyConstraint("request_id", "owner_id", "drawing_id"),
    ForeignKeyConstraint(
        ["requester_id", "request_id"],
        ["ler.excavation_request.requester_id", "ler.excavation_request.id"],
    ),
)
