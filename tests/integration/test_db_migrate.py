"""Migrations: the tables are what `ler.db.tables` says, twice is once, and there is a way back."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.pool import NullPool

from ler.db import migrate as migrations
from ler.db import tables
from ler.db.migrate import VERSION_TABLE, downgrade, migrate, migrate_if_changed
from ler.errors import UnavailableError
from tests.databases import Database

REVISIONS = [
    script.revision
    for script in ScriptDirectory(str(Path(migrations.__file__).parent / "migrations")).walk_revisions()
][::-1]

type Catalogue = list[tuple[object, ...]]

COLUMNS = """
    SELECT c.relname, c.relpersistence, c.reloptions, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
        pg_get_expr(d.adbin, d.adrelid)
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind = 'r' AND a.attnum > 0
    ORDER BY c.relname, a.attnum
"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint
    -- Triggers that are kept in the catalogue as constraints are no part of a table: they come with the functions.
    WHERE connamespace = %(schema)s::regnamespace AND contype <> 't'
    ORDER BY 1, 2
"""
INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = %(schema)s ORDER BY 1, 2"


def catalogue(connection: psycopg.Connection, schema: str) -> Catalogue:
    """Return columns, constraints and indexes of a schema, without its name and Alembic's table."""
    rows = [
        row
        for query in (COLUMNS, CONSTRAINTS, INDEXES)
        for row in connection.execute(query, {"schema": schema})
    ]
    without = [
        tuple(re.sub(rf"\b{schema}\.", "", v) if isinstance(v, str) else v for v in row) for row in rows
    ]
    return [row for row in without if row[0] != VERSION_TABLE]


def test_the_migrations_make_what_the_tables_describe(database: Database) -> None:
    engine = sa.create_engine(database.url(), poolclass=NullPool)
    with engine.begin() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": lambda name, kind, _: (
                    name == "ler" if kind == "schema" else name != VERSION_TABLE
                ),
                "compare_type": True,
                "compare_server_default": True,
            },
        )
        assert compare_metadata(context, tables.metadata) == []
        # Alembic compares neither checks nor the opclass of an index; the catalogue knows all.
        connection.execute(sa.text("CREATE SCHEMA described"))
        tables.metadata.create_all(connection.execution_options(schema_translate_map={"ler": "described"}))
    engine.dispose()
    with database.connect() as plain:
        described = catalogue(plain, "described")
        assert len(described) > 150
        assert catalogue(plain, "ler") == described


def test_migrating_twice_changes_nothing(database: Database) -> None:
    with database.connect() as connection:
        before = catalogue(connection, "ler")
        assert migrate(database.url()) == []
        assert catalogue(connection, "ler") == before


def test_a_command_leaves_the_functions_of_a_running_service_alone(database: Database) -> None:
    functions = "SELECT array_agg(oid ORDER BY oid) FROM pg_proc WHERE pronamespace = 'ler'::regnamespace"
    with database.connect() as connection:
        before = connection.execute(functions).fetchone()
        migrate_if_changed(database.url())
        assert connection.execute(functions).fetchone() == before
        connection.execute("COMMENT ON SCHEMA ler IS 'migrated by another program'")
        migrate_if_changed(database.url())
        assert connection.execute(functions).fetchone() != before


def test_there_is_a_way_back(empty_database: Database) -> None:
    assert migrate(empty_database.url()) == REVISIONS
    downgrade(empty_database.url(), "base")
    with empty_database.connect() as connection:
        assert catalogue(connection, "ler") == []
    assert migrate(empty_database.url()) == REVISIONS
    with empty_database.connect() as connection:
        row = connection.execute("SELECT id, name, cvr FROM ler.organisation").fetchall()
    assert row == [(tables.PLATFORM_OPERATOR, "Platform operator", None)]


def test_two_migrations_at_once_wait_for_each_other(empty_database: Database) -> None:
    with ThreadPoolExecutor() as pool:
        applied = list(pool.map(migrate, [empty_database.url()] * 3))
    assert sorted(applied) == [[], [], REVISIONS]


def test_a_user_without_rights_is_told_plainly(empty_database: Database) -> None:
    with pytest.raises(UnavailableError, match="superuser"):
        migrate(empty_database.url("ler_app"))


def test_no_server_is_told_plainly() -> None:
    with pytest.raises(UnavailableError, match="does not answer"):
        migrate("postgresql+psycopg://postgres@/ler?host=/nowhere")


def test_missing_postgis_is_told_plainly(empty_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ler.db.migrate._EXTENSION", "CREATE EXTENSION IF NOT EXISTS postgis_that_is_missing")
    with pytest.raises(UnavailableError, match="PostGIS is not installed"):
        migrate(empty_database.url())
    with empty_database.connect() as connection:
        row = connection.execute("SELECT to_regnamespace('ler')").fetchone()
    assert row == (None,)


def test_postgis_may_live_in_a_schema_of_its_own(empty_database: Database) -> None:
    with empty_database.connect() as connection:
        connection.execute('CREATE SCHEMA "Post GIS"')
        connection.execute('CREATE EXTENSION postgis SCHEMA "Post GIS"')
        migrate(empty_database.url())
        connection.execute("SET search_path = pg_catalog")
        row = connection.execute(
            """SELECT "Post GIS".ST_AsText(ler.clip("Post GIS".ST_GeomFromEWKT('LINESTRING Z (0 0 1, 4 0 NaN, 8 0 2)'),
            "Post GIS".ST_GeomFromEWKT('POLYGON ((1 -1, 6 -1, 6 1, 1 1, 1 -1))')))"""
        ).fetchone()
    assert row == ("LINESTRING Z (1 0 NaN,4 0 NaN,6 0 NaN)",)
    with empty_database.connect("ler_app") as connection:
        connection.execute("SELECT ST_Area(NULL::geometry)")
