"""What of a drawing is delivered is its owner's choice, and a requester is told nothing of what lies outside the area."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_KEPT = (
    "request_id, requester_id, owner_id, drawing_id, name, cog_sha256, cog_size_bytes, resolution_m, accuracy_m,"
    " taken_on, valid_from, valid_to, gml_ids"
)
_DIGEST = "~ '^[0-9a-f]{64}$'"


def upgrade() -> None:
    """Add the choice; of drawings that were delivered before it was there, it says that they were whole."""
    op.add_column(
        "drawing",
        sa.Column("deliver", sa.Text(), server_default=sa.text("'clipped'::text"), nullable=False),
        schema="ler",
    )
    op.add_column("drawing", sa.Column("placement", ARRAY(sa.Double()), nullable=True), schema="ler")
    _check("deliver", "deliver IN ('clipped', 'whole')")
    _check("placement", "cardinality(placement) = 6")
    _set_aside()
    deliver = sa.Column("deliver", sa.Text(), nullable=False)
    _create(
        [],
        [deliver],
        sa.CheckConstraint("deliver IN ('clipped', 'whole')", op.f("ck_package_drawing_deliver")),
    )
    op.execute(
        f"INSERT INTO ler.package_drawing ({_KEPT}, deliver) SELECT {_KEPT}, 'whole' FROM ler.package_drawing_old"  # noqa: S608 - names above
    )
    op.drop_table("package_drawing_old", schema="ler")


def downgrade() -> None:
    """Take the choice away. The older program delivers every drawing whole: remove those that must not be, first.

    Of a delivered drawing that its owner has removed since, nobody knows any more what it showed: it is left out.
    """
    _set_aside()
    preview = sa.Column("preview_sha256", sa.Text(), nullable=False)
    shape = sa.Column("geom", Geometry("MULTIPOLYGON", srid=25832, spatial_index=False), nullable=False)
    _create(
        [preview],
        [shape],
        sa.CheckConstraint(f"preview_sha256 {_DIGEST}", op.f("ck_package_drawing_preview_sha256")),
    )
    kept = ", ".join(f"p.{name.strip()}" for name in _KEPT.split(","))
    op.execute(
        f"INSERT INTO ler.package_drawing ({_KEPT}, preview_sha256, geom) SELECT {kept}, d.preview_sha256, d.geom"  # noqa: S608 - as above
        " FROM ler.package_drawing_old AS p JOIN ler.drawing AS d ON d.id = p.drawing_id"
    )
    op.drop_table("package_drawing_old", schema="ler")
    for name in ("deliver", "placement"):
        op.drop_column("drawing", name, schema="ler")


def _check(name: str, condition: str) -> None:
    op.create_check_constraint(op.f(f"ck_drawing_{name}"), "drawing", condition, schema="ler")


def _set_aside() -> None:
    op.rename_table("package_drawing", "package_drawing_old", schema="ler")
    op.execute("ALTER INDEX ler.pk_package_drawing RENAME TO pk_package_drawing_old")


def _create(behind_the_size: list[Any], behind_the_dates: list[Any], *checks: sa.CheckConstraint) -> None:
    op.create_table(
        "package_drawing",
        *[
            sa.Column(f"{name}_id", sa.UUID(), nullable=False)
            for name in ("request", "requester", "owner", "drawing")
        ],
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cog_sha256", sa.Text(), nullable=False),
        sa.Column("cog_size_bytes", sa.BigInteger(), nullable=False),
        *behind_the_size,
        sa.Column("resolution_m", sa.Double(), nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        *[sa.Column(name, sa.Date(), nullable=True) for name in ("taken_on", "valid_from", "valid_to")],
        *behind_the_dates,
        sa.Column("gml_ids", ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint(f"cog_sha256 {_DIGEST}", name=op.f("ck_package_drawing_cog_sha256")),
        *checks,
        sa.ForeignKeyConstraint(
            ["requester_id", "request_id"],
            ["ler.excavation_request.requester_id", "ler.excavation_request.id"],
            name=op.f("fk_package_drawing_requester_id_request_id"),
        ),
        sa.PrimaryKeyConstraint("request_id", "owner_id", "drawing_id", name=op.f("pk_package_drawing")),
        schema="ler",
    )
