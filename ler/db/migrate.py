"""Brings a database to the tables, functions and rights of this version of the program.

Everything but the making of roles happens in one transaction: no moment exists in which a table is there and its
policies are not. Two migrations of one database wait for each other. It refuses to run against a server without
PostGIS, and it never drops data: going back is `downgrade`, called by hand.

All functions are made anew each time, under a service that calls them; so what starts by itself before every command
asks first whether this very program migrated last (`migrate_if_changed`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import as_file, files
from typing import Final

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from ler.db.queue import install_queue
from ler.db.tables import metadata
from ler.errors import UnavailableError

SQL_FILES: Final = (
    "identity.sql",
    "clip.sql",
    "asking.sql",
    "match.sql",
    "requests.sql",
    "answers.sql",
    "orders.sql",
    "stage.sql",
    "drawings.sql",
    "sensitivity.sql",
    "publish.sql",
    "compare.sql",
    "purge.sql",
    "audit.sql",
    "uploads.sql",
    "register.sql",
    "records.sql",
    "access.sql",
    "notices.sql",
    "changes.sql",
    "outbox.sql",
    "endpoints.sql",
    "watch.sql",
    "packages.sql",
    "shown.sql",
    "conflicts.sql",
    "precautions.sql",
    "deviations.sql",
    "works.sql",
    "ducts.sql",
    "windows.sql",
    "jobs.sql",
    "batch.sql",
    "policies.sql",
    "grants.sql",
    "access/register.sql",
    "access/answers.sql",
    "access/records.sql",
    "access/damages.sql",
    "access/dispensations.sql",
    "access/sensitivity.sql",
    "access/orders.sql",
    "access/access.sql",
    "access/notices.sql",
    "access/packages.sql",
    "access/works.sql",
    "access/ducts.sql",
    "ogc/planned_works.sql",
    "access/windows.sql",
    "ogc/windows.sql",
    "access/conflicts.sql",
    "access/precautions.sql",
    "access/jobs.sql",
    "access/batch.sql",
    "ogc/reading.sql",
    "ogc/views.sql",
    "ogc/conflicts.sql",
    "ogc/precautions.sql",
)
"""Files of `ler/db/sql` in the order in which they are applied after the revisions, acting as `ler_owner`. Before the
revisions comes `reset.sql`, which takes all that these make away: a policy that reads a column would forbid to change
it. `roles.sql` is the very first and `postgis.sql` the last, both acting as the user who migrates."""

VERSION_TABLE: Final = "migration"
"""Table of schema `ler` in which Alembic keeps the revision."""

_LOCK_KEY: Final = 0x6C6572  # "ler"
_LOCK_TIMEOUT: Final = "10s"
_POSTGIS: Final = "@postgis@"
"""Stands in the SQL files for the schema in which PostGIS lives, which is not ours to choose."""

_EXTENSION: Final = "CREATE EXTENSION IF NOT EXISTS postgis"

_TROUBLES: Final = (
    (
        (psycopg.errors.UndefinedFile, psycopg.errors.FeatureNotSupported),
        "PostGIS is not installed on the database server. On Debian: apt-get install postgresql-15-postgis-3",
    ),
    (
        psycopg.errors.InsufficientPrivilege,
        "The user may not prepare the database. Let a superuser migrate it, or make the extension postgis first.",
    ),
    (
        psycopg.errors.LockNotAvailable,
        "Another session keeps our tables locked. Try again when it has ended.",
    ),
    (psycopg.OperationalError, "The database does not answer."),
)


def migrate(url: str) -> list[str]:
    """Bring the database at `url` up to date and return the revisions that were applied, oldest first.

    The user must be a superuser, or may create roles and be the owner of a database that has PostGIS already.
    Raises UnavailableError when the server does not answer, PostGIS is missing, or another session holds a lock on
    our tables for more than 10 s.
    """
    engine = sa.create_engine(url, poolclass=NullPool)
    try:
        return _migrate(engine)
    finally:
        engine.dispose()


def migrate_if_changed(url: str) -> None:
    """Migrate as `migrate` does, unless the last migration of this database was of a program with the same SQL.

    Raises UnavailableError as `migrate` does.
    """
    engine = sa.create_engine(url, poolclass=NullPool)
    try:
        with _told_plainly(), engine.connect() as connection:
            same = _migrated_by(connection) == _this_program()
        if not same:
            _migrate(engine)
    finally:
        engine.dispose()


def downgrade(url: str, revision: str) -> None:
    """Take the database back to an older revision; `base` drops every table and all that is in them.

    Policies and functions are taken away, which closes the tables to all roles until the program that belongs to that
    revision migrates. Raises UnavailableError as `migrate` does.
    """
    engine = sa.create_engine(url, poolclass=NullPool)
    try:
        with _exclusive(engine) as connection:
            postgis = _prepare(connection)
            with _alembic(connection) as config:
                _apply(connection, "reset.sql", postgis)
                connection.exec_driver_sql("COMMENT ON SCHEMA ler IS NULL")
                command.downgrade(config, revision)
    finally:
        engine.dispose()


def _migrate(engine: Engine) -> list[str]:
    # Roles first and alone: another database of this cluster that makes them too waits for as short as possible.
    with _told_plainly(), engine.begin() as connection:
        _apply(connection, "roles.sql", "pg_catalog")
    with _exclusive(engine) as connection:
        postgis = _prepare(connection)
        with _alembic(connection) as config:
            before = _revision(connection)
            _apply(connection, "reset.sql", postgis)
            command.upgrade(config, "head")
            steps = ScriptDirectory.from_config(config).iterate_revisions("head", before or "base")
            applied = [step.revision for step in steps]
        # Before our functions, of which one adds jobs.
        connection.exec_driver_sql("RESET ROLE")
        install_queue(connection)
        connection.exec_driver_sql(f"SET LOCAL search_path = {postgis}, pg_temp")
        connection.exec_driver_sql("SET LOCAL ROLE ler_owner")
        for name in SQL_FILES:
            _apply(connection, name, postgis)
        connection.exec_driver_sql(f"COMMENT ON SCHEMA ler IS '{_this_program()}'")
        connection.exec_driver_sql("RESET ROLE")
        _apply(connection, "postgis.sql", postgis)
    return applied[::-1]


@contextmanager
def _exclusive(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that is alone in migrating its database."""
    with _told_plainly(), engine.begin() as connection:
        connection.execute(text("SELECT set_config('lock_timeout', :value, true)"), {"value": _LOCK_TIMEOUT})
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        yield connection


@contextmanager
def _alembic(connection: Connection) -> Iterator[Config]:
    """Give Alembic's configuration for the revisions of this package, and act as the owner of our tables."""
    with as_file(files(__package__).joinpath("migrations")) as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        connection.exec_driver_sql("SET LOCAL ROLE ler_owner")
        yield config


def _migrated_by(connection: Connection) -> str | None:
    """Give what the last migration of this database wrote down of its program, if any."""
    found: str | None = connection.execute(
        text("SELECT obj_description(to_regnamespace('ler'), 'pg_namespace')")
    ).scalar_one_or_none()
    return found


def _this_program() -> str:
    """Name all that a migration applies by a digest: our SQL and what applies it, the queue's version."""
    digest = sha256(version("procrastinate").encode())
    with as_file(files(__package__)) as folder:
        for path in sorted(
            [*folder.glob("*.py"), *folder.glob("migrations/**/*.py"), *folder.glob("sql/**/*.sql")]
        ):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder).as_posix()} {len(content)} ".encode() + content)
    return f"migrated by {digest.hexdigest()}"


def _revision(connection: Connection) -> str | None:
    options = {"version_table": VERSION_TABLE, "version_table_schema": metadata.schema}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def _prepare(connection: Connection) -> str:
    """Make PostGIS and the schema, put PostGIS on the search path, and return the schema it lives in, quoted."""
    connection.exec_driver_sql(_EXTENSION)
    postgis: str = connection.execute(
        text(
            "SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
            " WHERE e.extname = 'postgis'"
        )
    ).scalar_one()
    connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS ler AUTHORIZATION ler_owner")
    if postgis != "public":
        # Everybody may use public, and finds it; another schema must be opened and put on the path of our roles.
        roles = "ler_owner", "ler_app", "ler_worker", "ler_readonly"
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {postgis} TO {', '.join(roles)}")
        database = connection.execute(text("SELECT quote_ident(current_database())")).scalar_one()
        for role in roles:
            connection.exec_driver_sql(
                f'ALTER ROLE {role} IN DATABASE {database} SET search_path = "$user", public, {postgis}'
            )
    connection.exec_driver_sql(f"SET LOCAL search_path = {postgis}, pg_temp")
    return postgis


def _apply(connection: Connection, name: str, postgis: str) -> None:
    source = files(__package__).joinpath("sql", name).read_text(encoding="utf-8")
    driver = connection.connection.driver_connection
    if driver is None:
        raise UnavailableError("The connection to the database was lost while migrating.")
    # Without parameters the driver sends the file as it is, with all its statements and percent signs.
    driver.execute(source.replace(_POSTGIS, postgis))


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Turn what is wrong with the server, and not with us, into words for its operator."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        for kinds, message in _TROUBLES:
            if isinstance(cause, kinds):
                raise UnavailableError(message) from error
        raise
