"""Whether a database was last migrated by a program with the same SQL, as the comment on its schema says.

Apart from `ler.db.migrate`, whose libraries no command shall wait for that finds its database as it must be.
"""

from hashlib import sha256
from importlib.metadata import version
from importlib.resources import as_file, files

import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool


def is_migrated(url: str) -> bool:
    """Whether a migration would apply what is there already; not when the server does not answer."""
    engine = sa.create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            found = connection.execute(
                text("SELECT obj_description(to_regnamespace('ler'), 'pg_namespace')")
            ).scalar_one_or_none()
    except OperationalError:
        return False
    finally:
        engine.dispose()
    return found == this_program()


def this_program() -> str:
    """Name all that a migration applies by a digest: our SQL and what applies it, the queue's version."""
    digest = sha256(version("procrastinate").encode())
    with as_file(files(__package__)) as folder:
        for path in sorted(
            [*folder.glob("*.py"), *folder.glob("migrations/**/*.py"), *folder.glob("sql/**/*.sql")]
        ):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder).as_posix()} {len(content)} ".encode() + content)
    return f"migrated by {digest.hexdigest()}"
