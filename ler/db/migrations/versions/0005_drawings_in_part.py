"""What of a drawing is delivered is its owner's choice, and a requester is told nothing of what lies outside the area."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES = ("drawing", "package_drawing")


def upgrade() -> None:
    """Add the choice; of drawings that were delivered whole before it was there, it says so."""
    for table in _TABLES:
        default = "clipped" if table == "drawing" else "whole"
        op.add_column(
            table,
            sa.Column("deliver", sa.Text(), server_default=sa.text(f"'{default}'"), nullable=False),
            schema="ler",
        )
        op.create_check_constraint(
            op.f(f"ck_{table}_deliver"), table, "deliver IN ('clipped', 'whole')", schema="ler"
        )
    op.alter_column("package_drawing", "deliver", server_default=None, schema="ler")
    op.add_column("drawing", sa.Column("placement", ARRAY(sa.Double()), nullable=True), schema="ler")
    op.create_check_constraint(
        op.f("ck_drawing_placement"), "drawing", "cardinality(placement) = 6", schema="ler"
    )
    op.drop_column("package_drawing", "preview_sha256", schema="ler")
    op.drop_column("package_drawing", "geom", schema="ler")


def downgrade() -> None:
    """Take the choice away. The older program delivers every drawing whole: remove those that must not be, first."""
    for table in _TABLES:
        op.drop_column(table, "deliver", schema="ler")
    op.drop_column("drawing", "placement", schema="ler")
    shape = Geometry("MULTIPOLYGON", srid=25832, spatial_index=False)
    for column in (sa.Column("preview_sha256", sa.Text()), sa.Column("geom", shape)):
        op.add_column("package_drawing", column, schema="ler")
    op.execute(
        "UPDATE ler.package_drawing AS p SET preview_sha256 = d.preview_sha256, geom = d.geom"
        " FROM ler.drawing AS d WHERE d.id = p.drawing_id"
    )
    # Of a drawing that its owner has removed since nobody knows them any more.
    op.execute("DELETE FROM ler.package_drawing WHERE preview_sha256 IS NULL")
    for name in ("preview_sha256", "geom"):
        op.alter_column("package_drawing", name, nullable=False, schema="ler")
    op.create_check_constraint(
        op.f("ck_package_drawing_preview_sha256"),
        "package_drawing",
        "preview_sha256 ~ '^[0-9a-f]{64}$'",
        schema="ler",
    )
