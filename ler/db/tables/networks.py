"""Networks as their owners delivered them: datasets, their versions, and the features valid in them.

A candidate version is staged beside the network, whole. Publishing it adds the features that are new and says of those
that are not in it that they ended; what was published before stays readable as it was. The pointer of the dataset says
which version answers requests.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
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
    Column("common_attachments", ARRAY(BigInteger), nullable=False, server_default=text("'{}'::bigint[]")),
    created_at_column(),
    Column("published_at", DateTime(timezone=True)),
    # Whether the file was the whole network, or what is new, changed and gone in it.
    Column("mode", Text, nullable=False, server_default=text("'full'")),
    # Number of the version that was current when this one was staged, with which it was compared; NULL when there was
    # none. Another one being current since, this one can no longer be published.
    Column("base_number", Integer),
    # What ingest.compare found: added, removed, moved, changed, by feature type.
    Column("comparison", JSONB),
    # How many findings of each code the file had.
    Column("findings", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    # What the comparison advises, and why: codes.
    Column("decision", Text),
    Column("decision_reasons", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    # When its features were removed for good: nobody may read them any more, and no answer refers to them.
    Column("purged_at", DateTime(timezone=True)),
    ForeignKeyConstraint(
        ["dataset_id", "owner_id"], ["ler.network_dataset.id", "ler.network_dataset.owner_id"]
    ),
    # With the owner first: it never tells which numbers another owner has used.
    UniqueConstraint("owner_id", "dataset_id", "number"),
    UniqueConstraint("id", "dataset_id"),
    UniqueConstraint("id", "owner_id"),
    CheckConstraint("state IN ('staged', 'published', 'superseded', 'discarded')", name="state"),
    CheckConstraint("(state IN ('staged', 'discarded')) = (published_at IS NULL)", name="published_at"),
    CheckConstraint("purged_at IS NULL OR state = 'superseded'", name="purged_at"),
    CheckConstraint("mode IN ('full', 'delta')", name="mode"),
    CheckConstraint("base_number < number", name="base_number"),
    CheckConstraint("decision IN ('approve', 'needs_approval', 'unchanged')", name="decision"),
    CheckConstraint("jsonb_typeof(comparison) = 'object'", name="comparison"),
    CheckConstraint("jsonb_typeof(findings) = 'object'", name="findings"),
    CheckConstraint("number > 0", name="number"),
    CheckConstraint("feature_count >= 0", name="feature_count"),
    CheckConstraint("source_sha256 ~ '^[0-9a-f]{64}$'", name="source_sha256"),
    CheckConstraint("jsonb_typeof(header) = 'object'", name="header"),
)


def _geometry_checks() -> list[CheckConstraint]:
    return [
        CheckConstraint(
            "GeometryType(geom) IN ('POINT', 'LINESTRING', 'POLYGON', 'MULTIPOINT', 'MULTILINESTRING',"
            " 'MULTIPOLYGON', 'GEOMETRYCOLLECTION')",
            name="geom_type",
        ),
        # A riser is a line without length in the plane, which counts as invalid there and is welcome all the same.
        CheckConstraint(
            "NOT ST_IsEmpty(geom) AND"
            " (ST_IsValid(geom) OR ST_Dimension(geom) = 1 AND starts_with(ST_IsValidReason(geom), 'Too few points'))",
            name="geom",
        ),
    ]


network_feature = Table(
    "network_feature",
    metadata,
    uuid_column("owner_id"),
    uuid_column("dataset_id"),
    Column("seq", BigInteger, nullable=False),
    # Numbers of versions: the first that holds the feature as it is here, and the first after it that does not.
    Column("added_in", Integer, nullable=False),
    Column("removed_in", Integer),
    # 128 bits of type, attributes, voids and geometry (ler.db.rows.content_hash).
    uuid_column("content_hash"),
    *feature_items(),
    # Serves reading one dataset in the order of its files, and the attachments common to all answers.
    PrimaryKeyConstraint("dataset_id", "seq"),
    # Serves following references, and comparing. Keys hold the dataset first, so that they never tell whether somebody
    # else has the same gml:id. No index holds removed_in: ending a feature then touches no index.
    UniqueConstraint("dataset_id", "gml_id", "added_in"),
    # No foreign key: checking it took a quarter of the time of a publication. Only ler.publish_version writes here, and
    # takes dataset and owner, by which rows are guarded, from the version, which has that key.
    CheckConstraint("added_in > 0", name="added_in"),
    CheckConstraint("removed_in > added_in", name="removed_in"),
    *_geometry_checks(),
    # Room on each page for the new row that an ended feature leaves beside its old one.
    postgresql_with={"fillfactor": 90},
)

# Serves ler.match_request: the features of all owners in a dig area.
Index("ix_network_feature_geom", network_feature.c.geom, postgresql_using="gist")
# Serves boxes of the OGC API, which find what has no place too: by the index above, that takes 10 ms of a million lines.
Index(
    "ix_network_feature_placeless",
    network_feature.c.dataset_id,
    postgresql_where=network_feature.c.geom.is_(None),
)

# Unlogged: a crash empties it, and what was staged must be uploaded again; feature_count tells that it did.
staged_feature = Table(
    "staged_feature",
    metadata,
    uuid_column("version_id"),
    uuid_column("owner_id"),
    seq_column(),
    # Line of the file, or number of the record, from 1; 0 for a feature that a delta leaves as it was.
    Column("line", Integer, nullable=False),
    uuid_column("content_hash"),
    *feature_items(),
    # Serves reading one version in file order.
    PrimaryKeyConstraint("version_id", "seq"),
    # Serves following references within a version. It holds the version first: see network_feature.
    UniqueConstraint("version_id", "gml_id"),
    # No foreign key, as above: the policy lets an owner write for its own staged versions only, under its own name.
    *_geometry_checks(),
    prefixes=["UNLOGGED"],
)

network_quality = Table(
    "network_quality",
    metadata,
    uuid_column("version_id"),
    uuid_column("owner_id"),
    # From 0 to 100.
    Column("score", Double, nullable=False),
    Column("figures", JSONB, nullable=False),
    created_at_column(),
    PrimaryKeyConstraint("version_id"),
    ForeignKeyConstraint(
        ["version_id", "owner_id"], ["ler.network_version.id", "ler.network_version.owner_id"]
    ),
    CheckConstraint("jsonb_typeof(figures) = 'object'", name="figures"),
)
