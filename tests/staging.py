"""Fills `ler.staged_feature` for tests of the network checks and of quality."""

from collections.abc import Iterable
from uuid import UUID

from ler.db.rows import feature_to_row
from ler.model import Feature, load_model
from tests.databases import Database

_TABLE = """
    CREATE UNLOGGED TABLE IF NOT EXISTS ler.staged_feature (
        version_id uuid NOT NULL, owner_id uuid NOT NULL, seq integer NOT NULL, line integer NOT NULL,
        content_hash uuid,
        LIKE ler.package_feature INCLUDING DEFAULTS
    );
"""

COLUMNS = (
    "version_id", "owner_id", "seq", "line", "feature_type", "gml_id", "utility_type", "operational_status",
    "ownership", "established", "danger_class", "ler_id", "drawing_method", "horizontal_accuracy",
    "vertical_accuracy", "registered_from", "precautions", "indicative_depth_mm", "level", "attributes", "voids",
    "geom",
)


def make_staging(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(
            "CREATE UNLOGGED TABLE IF NOT EXISTS ler.staged_feature AS"
            " SELECT n.*, 0 AS line FROM ler.network_feature AS n WITH NO DATA;"
            " ALTER TABLE ler.staged_feature ADD PRIMARY KEY (version_id, seq);"
            " ALTER TABLE ler.staged_feature ENABLE ROW LEVEL SECURITY;"
            " CREATE POLICY own ON ler.staged_feature USING (owner_id = (SELECT ler.principal()));"
            " GRANT SELECT ON ler.staged_feature TO ler_app"
        )


def stage(database: Database, features: Iterable[Feature], version_id: UUID, owner_id: UUID) -> None:
    types = load_model().types
    names = ", ".join(COLUMNS)
    with database.connect() as connection, connection.cursor() as cursor:
        with cursor.copy(f"COPY ler.staged_feature ({names}) FROM STDIN") as copy:
            for seq, feature in enumerate(features, start=1):
                row = feature_to_row(
                    feature, types[feature.type], owner_id=owner_id, version_id=version_id, seq=seq
                )
                geom = row["geom"]
                row |= {"line": feature.line or seq, "geom": geom.hex() if geom is not None else None}
                copy.write_row([row[name] for name in COLUMNS])
