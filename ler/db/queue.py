"""The job queue's tables and functions, those of procrastinate, in a schema of their own: `queue`.

Installed and brought up to date by our migration, acting as `ler_owner`. The web role has no right on it at all: it
adds a job by `ler.queue_upload`, in the transaction of the change that the job is about. `ler_worker` takes jobs out.
"""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psycopg
from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, text

from ler.errors import UnavailableError

SCHEMA: Final = "queue"

_MADE_BY: Final = "procrastinate "
_FILE: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)_\d+_\w+\.sql")
_GRANTS: Final = f"""
    REVOKE ALL ON SCHEMA {SCHEMA} FROM PUBLIC, ler_app, ler_readonly;
    REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {SCHEMA} FROM PUBLIC, ler_app, ler_readonly;
    GRANT USAGE ON SCHEMA {SCHEMA} TO ler_worker;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {SCHEMA} TO ler_worker;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA {SCHEMA} TO ler_worker;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {SCHEMA} TO ler_worker;
"""


def install_queue(connection: Connection) -> None:
    """Make the queue's schema, or apply what its library has changed since; the user must be able to be `ler_owner`.

    Which version made it is the schema's comment. Raises UnavailableError when the connection is lost.
    """
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise UnavailableError("The connection to the database was lost while migrating.")
    found = connection.execute(
        text("SELECT obj_description(to_regnamespace(:name), 'pg_namespace')"), {"name": SCHEMA}
    ).scalar_one_or_none()
    installed = version("procrastinate")
    if found is None:
        driver.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA} AUTHORIZATION ler_owner")
        scripts = [SchemaManager.get_schema()]
    else:
        scripts = _changes_since(found.removeprefix(_MADE_BY))
    with connection.begin_nested():
        driver.execute(f"SET LOCAL ROLE ler_owner; SET LOCAL search_path = {SCHEMA}")
        for script in scripts:
            # Without parameters the driver sends the file as it is, percent signs too.
            driver.execute(script.encode())
        driver.execute(_GRANTS)
        driver.execute(f"COMMENT ON SCHEMA {SCHEMA} IS '{_MADE_BY}{installed}'")
        driver.execute("RESET ROLE; RESET search_path")


def _changes_since(made_by: str) -> list[str]:
    before = _numbers(made_by)
    folder = Path(SchemaManager.get_migrations_path())
    files = sorted(path for path in folder.iterdir() if (match := _FILE.fullmatch(path.name)) and
                   tuple(int(part) for part in match.groups()) > before)  # fmt: skip
    return [path.read_text(encoding="utf-8") for path in files]


def _numbers(text_: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text_)[:3])
