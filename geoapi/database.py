"""The database that commands work on: the private cluster, started and migrated when it is needed, or one kept elsewhere.

Each part of the platform logs in under its own role and so may do no more than that role. A login of
`LER_DATABASE_URL` takes the role on when it connects; it must have been granted the roles.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.engine import Engine, make_url

from geoapi.cluster import Cluster
from ler.db.engine import create_engine
from ler.db.migrate import migrate
from ler.settings import Settings


@dataclass(frozen=True, slots=True)
class Databases:
    """One database through the eyes of two roles."""

    app: Engine
    """Acts for a principal: registers, uploads, requests."""
    worker: Engine
    """Works for one request: builds its packages."""


@contextmanager
def open_databases(settings: Settings, *, name: str | None = None) -> Iterator[Databases]:
    """Give the database of the settings, or that of another `name` beside it; UnavailableError when there is none.

    A private cluster is started, and its database made and migrated, when that has not been done.
    """
    app, worker = (create_engine(url) for url in _urls(settings, name or settings.database_name))
    try:
        yield Databases(app, worker)
    finally:
        app.dispose()
        worker.dispose()


def _urls(settings: Settings, name: str) -> tuple[str, str]:
    if settings.database_url:
        return _as_role(settings.database_url, "ler_app"), _as_role(settings.database_url, "ler_worker")
    cluster = Cluster(settings.home)
    cluster.start()
    cluster.ensure_database(name)
    migrate(cluster.url(name))
    return cluster.url(name, "ler_app"), cluster.url(name, "ler_worker")


def _as_role(url: str, role: str) -> str:
    parsed = make_url(url)
    options = f"{parsed.query.get('options', '')} -c role={role}".strip()
    return parsed.update_query_dict({"options": options}).render_as_string(hide_password=False)
