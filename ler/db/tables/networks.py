"""Networks as their owners delivered them: datasets, their versions, and the features of each version.

A dataset is replaced by moving its pointer to a new version, never by deleting or changing features in place.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from ler.db.tables.base import (
    created_at_column,
    feature_items,
    id_column,
    metadata,
    seq_column,
    uuid_column,
)

network_dataset = Table(
    "network_dataset",
    metadata,
    id_column(),
    uuid_column("owner_id"),
    Column("name", Text, nullable=False),
    uuid_column("current_version_id", nullable=True),
    created_at_column(),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    # The pointer can only point to a version of this dataset.
    ForeignKeyConstraint(
        ["current_version_id", "id"],
        ["ler.network_version.id", "ler.network_version.dataset_id"],
        use_alter=True,
    ),
    UniqueConstraint("owner_id", "name"),
    UniqueConstraint("id", "owner_id"),
    CheckConstraint("name <> ''", name="name"),
)

# An answer pins one version and a package one set of gml:ids an owner: a second published dataset would be left out
# of every package without a word, so it is refused. Serves ler.match_request: the current version of an owner.
Index(
    "uq_network_dataset_published",
    network_dataset.c.owner_id,
    unique=True,
    postgresql_where=network_dataset.c.current_version_id.is_not(None),
)

network_version = Table(
    "network_version",
    metadata,
    id_column(),
    uuid_column("dataset_id"),
    uuid_column("owner_id"),
    Column("number", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'staged'")),
    Column("source_name", Text, nullable=False),
    Column("source_sha256", Text, nullable=False),
    Column("model_version", Text, nullable=False),
    # Attributes and voids of the answer (Graveforespoergselssvar) that the file was.
    Column("header", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("feature_count", Integer, nullable=False, server_default=text("0")),
    # seq of the attachments that no feature refers to and that lie nowhere: they belong to every answer. Found once,
    # at publication, since finding them means to read the whole version.
    Column("common_attachments", ARRAY(Integer), nullable=False, server_default=text("'{}'::integer[]")),
    created_at_column(),
    Column("published_at", DateTime(timezone=True)),
    ForeignKeyConstraint(
        ["dataset_id", "owner_id"], ["ler.network_dataset.id", "ler.network_dataset.owner_id"]
    ),
    # With the owner first: it never tells which numbers another owner has used.
    UniqueConstraint("owner_id", "dataset_id", "number"),
    UniqueConstraint("id", "dataset_id"),
    UniqueConstraint("id", "owner_id"),
    CheckConstraint("state IN ('staged', 'published', 'superseded')", name="state"),
    CheckConstraint("(state = 'staged') = (published_at IS NULL)", name="published_at"),
    CheckConstraint("number > 0", name="number"),
    CheckConstraint("feature_count >= 0", name="feature_count"),
    CheckConstraint("source_sha256 ~ '^[0-9a-f]{64}$'", name="source_sha256"),
    CheckConstraint("jsonb_typeof(header) = 'object'", name="header"),
)

network_feature = Table(
    "network_feature",
    metadata,
    uuid_column("owner_id"),
    uuid_column("version_id"),
    seq_column(),
    *feature_items(),
    # Serves reading one version in file order, and the attachments common to all answers.
    PrimaryKeyConstraint("version_id", "seq"),
    # Serves following references within a version. Keys hold the version first, so that they never tell whether
    # somebody else has the same gml:id.
    UniqueConstraint("version_id", "gml_id"),
    # The owner written beside each feature, by which rows are guarded, is the version's owner.
    ForeignKeyConstraint(
        ["version_id", "owner_id"], ["ler.network_version.id", "ler.network_version.owner_id"]
    ),
    CheckConstraint(
        "GeometryType(geom) IN ('POINT', 'LINESTRING', 'POLYGON', 'MULTIPOINT', 'MULTILINESTRING', 'MULTIPOLYGON',"
        " 'GEOMETRYCOLLECTION')",
        name="geom_type",
    ),
    # A riser is a line without length in the plane, which counts as invalid there and is welcome all the same.
    CheckConstraint(
        "NOT ST_IsEmpty(geom) AND"
        " (ST_IsValid(geom) OR ST_Dimension(geom) = 1 AND starts_with(ST_IsValidReason(geom), 'Too few points'))",
        name="geom",
    ),
)

# Serves ler.match_request: the features of all owners in a dig area.
Index("ix_network_feature_geom", network_feature.c.geom, postgresql_using="gist")
