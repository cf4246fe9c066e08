"""Features valid from one version to another, instead of a copy of the whole network for each; staging and quality.

A version that was published keeps its features, one interval a version. What was only staged is given up: it was
never compared with anything, and its owner has the file.
"""

from itertools import batched
from typing import Any, Final

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from ler.db.rows import content_hash, row_to_feature

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TEXTS: Final = (
    *("feature_type", "gml_id", "utility_type", "operational_status", "ownership", "established"),
    *("danger_class", "ler_id", "drawing_method", "horizontal_accuracy", "vertical_accuracy"),
    *("registered_from", "precautions"),
)
_COLUMNS: Final = ", ".join((*_TEXTS, "indicative_depth_mm", "level", "attributes", "voids", "geom"))
_BATCH: Final = 5000

# Of two published versions of a dataset the later had the higher number, unless somebody published by hand: the current
# one then gets a number of its own, since the features of higher versions have ended.
_RENUMBER: Final = """
    UPDATE ler.network_version AS v SET number = last.number + 1
    FROM (SELECT dataset_id, max(number) AS number FROM ler.network_version GROUP BY dataset_id) AS last
    WHERE v.state = 'published' AND v.dataset_id = last.dataset_id AND EXISTS (
        SELECT FROM ler.network_version AS o
        WHERE o.dataset_id = v.dataset_id AND o.state = 'superseded' AND o.number > v.number
    )
"""

# Each version's seq goes on where that of the version before it ended.
_SHIFT: Final = """
    CREATE TEMP TABLE ler_shift ON COMMIT DROP AS
    SELECT v.id, v.dataset_id, v.number, v.state,
        (sum(coalesce(l.last, 0) + 1) OVER (PARTITION BY v.dataset_id ORDER BY v.number) - coalesce(l.last, 0))::bigint
            AS first
    FROM ler.network_version AS v
    LEFT JOIN (
        SELECT version_id, max(seq)::bigint AS last FROM ler.network_feature_0001 GROUP BY version_id
    ) AS l ON l.version_id = v.id
    WHERE v.state IN ('published', 'superseded')
"""

_MOVE: Final = f"""
    INSERT INTO ler.network_feature (owner_id, dataset_id, seq, added_in, removed_in, content_hash, {_COLUMNS})
    SELECT f.owner_id, s.dataset_id, s.first + f.seq, s.number,
        CASE s.state WHEN 'superseded' THEN s.number + 1 END, h.content_hash,
        {", ".join(f"f.{name}" for name in _COLUMNS.split(", "))}
    FROM ler.network_feature_0001 AS f
    JOIN pg_temp.ler_shift AS s ON s.id = f.version_id
    JOIN pg_temp.ler_hash AS h ON h.version_id = f.version_id AND h.seq = f.seq
    ORDER BY f.geom
"""  # noqa: S608 - names of our columns

_MOVE_BACK: Final = f"""
    INSERT INTO ler.network_feature_0001 (owner_id, version_id, seq, {_COLUMNS})
    SELECT f.owner_id, v.id, f.seq::integer, {", ".join(f"f.{name}" for name in _COLUMNS.split(", "))}
    FROM ler.network_feature AS f
    JOIN ler.network_version AS v ON v.dataset_id = f.dataset_id
        AND v.number >= f.added_in AND (f.removed_in IS NULL OR v.number < f.removed_in)
    WHERE v.state IN ('published', 'superseded') AND v.purged_at IS NULL
    ORDER BY f.geom
"""  # noqa: S608 - names of our columns


def upgrade() -> None:
    """Make the new tables and move every published version's features to them."""
    _change_versions()
    op.alter_column("package_feature", "seq", type_=sa.BigInteger(), schema="ler")
    op.rename_table("network_feature", "network_feature_0001", schema="ler")
    for name in ("pk_network_feature", "uq_network_feature_version_id_gml_id"):
        op.drop_constraint(name, "network_feature_0001", schema="ler")
    op.drop_index("ix_network_feature_geom", "network_feature_0001", schema="ler")
    op.create_table(
        "network_feature",
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("dataset_id", sa.UUID(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("added_in", sa.Integer(), nullable=False),
        sa.Column("removed_in", sa.Integer(), nullable=True),
        sa.Column("content_hash", sa.UUID(), nullable=False),
        *_feature_items("network_feature"),
        sa.CheckConstraint("added_in > 0", name=op.f("ck_network_feature_added_in")),
        sa.CheckConstraint("removed_in > added_in", name=op.f("ck_network_feature_removed_in")),
        sa.PrimaryKeyConstraint("dataset_id", "seq", name=op.f("pk_network_feature")),
        sa.UniqueConstraint(
            "dataset_id", "gml_id", "added_in", name=op.f("uq_network_feature_dataset_id_gml_id_added_in")
        ),
        schema="ler",
        postgresql_with={"fillfactor": 90},
    )
    op.create_index(
        "ix_network_feature_geom", "network_feature", ["geom"], schema="ler", postgresql_using="gist"
    )
    op.create_table(
        "staged_feature",
        sa.Column("version_id", sa.UUID(), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.UUID(), nullable=False),
        *_feature_items("staged_feature"),
        sa.PrimaryKeyConstraint("version_id", "seq", name=op.f("pk_staged_feature")),
        sa.UniqueConstraint("version_id", "gml_id", name=op.f("uq_staged_feature_version_id_gml_id")),
        schema="ler",
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "network_quality",
        sa.Column("version_id", sa.UUID(), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("figures", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("jsonb_typeof(figures) = 'object'", name=op.f("ck_network_quality_figures")),
        sa.ForeignKeyConstraint(
            ["version_id", "owner_id"],
            ["ler.network_version.id", "ler.network_version.owner_id"],
            name=op.f("fk_network_quality_version_id_owner_id"),
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_network_quality")),
        schema="ler",
    )
    _move_features()
    op.drop_table("network_feature_0001", schema="ler")
    op.create_index("ix_owner_answer_version_id", "owner_answer", ["version_id"], schema="ler")


def downgrade() -> None:
    """Go back to a copy a version. What was staged or discarded is lost, and so is every measure of quality."""
    op.drop_index("ix_owner_answer_version_id", "owner_answer", schema="ler")
    op.drop_table("network_quality", schema="ler")
    op.drop_table("staged_feature", schema="ler")
    op.execute("DELETE FROM ler.network_version WHERE state IN ('staged', 'discarded')")
    op.create_table(
        "network_feature_0001",
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("version_id", sa.UUID(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        *_feature_items("network_feature"),
        sa.ForeignKeyConstraint(
            ["version_id", "owner_id"],
            ["ler.network_version.id", "ler.network_version.owner_id"],
            name=op.f("fk_network_feature_version_id_owner_id"),
        ),
        schema="ler",
    )
    op.execute(_MOVE_BACK)
    op.drop_table("network_feature", schema="ler")
    op.rename_table("network_feature_0001", "network_feature", schema="ler")
    op.create_primary_key(op.f("pk_network_feature"), "network_feature", ["version_id", "seq"], schema="ler")
    op.create_unique_constraint(
        op.f("uq_network_feature_version_id_gml_id"),
        "network_feature",
        ["version_id", "gml_id"],
        schema="ler",
    )
    op.create_index(
        "ix_network_feature_geom", "network_feature", ["geom"], schema="ler", postgresql_using="gist"
    )
    op.alter_column("package_feature", "seq", type_=sa.Integer(), schema="ler")
    _change_versions_back()


def _change_versions() -> None:
    table = "network_version"
    op.add_column(
        table, sa.Column("mode", sa.Text(), server_default=sa.text("'full'"), nullable=False), schema="ler"
    )
    op.add_column(table, sa.Column("base_number", sa.Integer(), nullable=True), schema="ler")
    op.add_column(table, sa.Column("comparison", JSONB(), nullable=True), schema="ler")
    op.add_column(
        table,
        sa.Column("findings", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        schema="ler",
    )
    op.add_column(table, sa.Column("decision", sa.Text(), nullable=True), schema="ler")
    op.add_column(
        table,
        sa.Column(
            "decision_reasons", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False
        ),
        schema="ler",
    )
    op.add_column(table, sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True), schema="ler")
    _use_bigint_attachments()
    for name in ("state", "published_at"):
        op.drop_constraint(f"ck_{table}_{name}", table, schema="ler")
    checks = {
        "state": "state IN ('staged', 'published', 'superseded', 'discarded')",
        "published_at": "(state IN ('staged', 'discarded')) = (published_at IS NULL)",
        "purged_at": "purged_at IS NULL OR state = 'superseded'",
        "mode": "mode IN ('full', 'delta')",
        "base_number": "base_number < number",
        "decision": "decision IN ('approve', 'needs_approval', 'unchanged')",
        "comparison": "jsonb_typeof(comparison) = 'object'",
        "findings": "jsonb_typeof(findings) = 'object'",
    }
    for name, check in checks.items():
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, check, schema="ler")
    op.execute("UPDATE ler.network_version SET state = 'discarded' WHERE state = 'staged'")


def _use_bigint_attachments() -> None:
    op.alter_column(
        "network_version",
        "common_attachments",
        type_=ARRAY(sa.BigInteger()),
        server_default=sa.text("'{}'::bigint[]"),
        schema="ler",
    )


def _change_versions_back() -> None:
    table = "network_version"
    for name in ("mode", "base_number", "comparison", "findings", "decision", "decision_reasons"):
        op.drop_column(table, name, schema="ler")
    for name in ("state", "published_at", "purged_at"):
        op.drop_constraint(f"ck_{table}_{name}", table, schema="ler")
    op.drop_column(table, "purged_at", schema="ler")
    op.alter_column(
        table,
        "common_attachments",
        type_=ARRAY(sa.Integer()),
        server_default=sa.text("'{}'::integer[]"),
        schema="ler",
    )
    checks = {
        "state": "state IN ('staged', 'published', 'superseded')",
        "published_at": "(state = 'staged') = (published_at IS NULL)",
    }
    for name, check in checks.items():
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, check, schema="ler")


def _feature_items(table: str) -> list[sa.schema.SchemaItem]:
    """The columns and checks of a feature in a network, as of this revision."""
    checks = {
        "geom_type": "GeometryType(geom) IN ('POINT', 'LINESTRING', 'POLYGON', 'MULTIPOINT', 'MULTILINESTRING',"
        " 'MULTIPOLYGON', 'GEOMETRYCOLLECTION')",
        "geom": "NOT ST_IsEmpty(geom) AND"
        " (ST_IsValid(geom) OR ST_Dimension(geom) = 1 AND starts_with(ST_IsValidReason(geom), 'Too few points'))",
        "gml_id": "gml_id <> ''",
        "attributes": "jsonb_typeof(attributes) = 'object'",
        "voids": "jsonb_typeof(voids) = 'object'",
    }
    return [
        *(sa.Column(name, sa.Text(), nullable=name not in {"feature_type", "gml_id"}) for name in _TEXTS),
        sa.Column("indicative_depth_mm", sa.Double(), nullable=True),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("attributes", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("voids", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("geom", Geometry("GEOMETRYZ", srid=25832, dimension=3, spatial_index=False), nullable=True),
        *(sa.CheckConstraint(check, name=op.f(f"ck_{table}_{name}")) for name, check in checks.items()),
    ]


def _move_features() -> None:
    op.execute(_RENUMBER)
    op.execute(_SHIFT)
    _hash_features(op.get_bind())
    op.execute(_MOVE)
    op.execute(
        "UPDATE ler.network_version AS v"
        " SET common_attachments = ARRAY(SELECT s.first + a FROM unnest(v.common_attachments) AS a ORDER BY 1)"
        " FROM pg_temp.ler_shift AS s WHERE s.id = v.id AND v.common_attachments <> '{}'"
    )
    op.execute("DROP TABLE pg_temp.ler_hash, pg_temp.ler_shift")


def _hash_features(connection: sa.Connection) -> None:
    """Hash what is stored as uploads are hashed: the next upload of the same file is then found unchanged."""
    connection.exec_driver_sql(
        "CREATE TEMP TABLE ler_hash (version_id uuid, seq integer, content_hash uuid) ON COMMIT DROP"
    )
    query = f"SELECT version_id, seq, {_COLUMNS} FROM ler.network_feature_0001"  # noqa: S608 - names of our columns
    insert = sa.text(
        "INSERT INTO pg_temp.ler_hash SELECT * FROM unnest("
        "CAST(:versions AS uuid[]), CAST(:seqs AS integer[]), CAST(:hashes AS uuid[]))"
    )
    with connection.execute(sa.text(query), execution_options={"yield_per": _BATCH}) as rows:
        for batch in batched(rows.mappings(), _BATCH):
            values: dict[str, list[Any]] = {
                "versions": [row["version_id"] for row in batch],
                "seqs": [row["seq"] for row in batch],
                "hashes": [content_hash(row_to_feature(dict(row))) for row in batch],
            }
            connection.execute(insert, values)
