"""The database that commands work on: the private cluster, started and migrated when it is needed, or one kept elsewhere.

Each part of the platform logs in under its own role and so may do no more than that role. A login of
`LER_DATABASE_URL` takes the role on when it connects; it must have been granted the roles.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy.engine import Engine

from geoapi.cluster import Cluster
from ler.db.engine import create_engine, create_read_pool
from ler.db.reading import ReadPool
from ler.settings import Settings

_KEPT_CONNECTIONS: Final = 8
_FOR_SLOW_READS: Final = 6
"""Connections that read beside those in usual use (`ler.db.turns`)."""


@dataclass(frozen=True, slots=True)
class Databases:
    """One database through the eyes of two roles; of one of them twice."""

    app: Engine
    """Acts for a principal: registers, uploads, requests."""
    worker: Engine
    """Works for one request: builds its packages."""
    reads: ReadPool
    """Reads for a principal what the OGC API shows."""


@contextmanager
def open_databases(settings: Settings, *, name: str | None = None) -> Iterator[Databases]:
    """Give the database of the settings, or that of another `name` beside it; UnavailableError when there is none.

    A private cluster is started, and its database made and migrated, when this program has not done that.
    """
    name = name or settings.database_name
    if not settings.database_url:
        _make_ready(settings, name)
    app, worker = (_engine(settings, name, role) for role in ("ler_app", "ler_worker"))
    usual = settings.ogc_reads_at_once or (os.cpu_count() or 1) + 1
    reads = create_read_pool(
        _url(settings, name, "ler_app"),
        role="ler_app" if settings.database_url else None,
        size=usual + _FOR_SLOW_READS,
        usual=usual,
        statement_timeout_s=settings.ogc_timeout_s,
    )
    try:
        yield Databases(app, worker, reads)
    finally:
        reads.close()
        for engine in (app, worker):
            engine.dispose()


def _engine(settings: Settings, name: str, role: str) -> Engine:
    # Kept open, none beyond them: one that is closed after its use costs the next caller a login. Each upload holds
    # two, one for its work and one for what it tells.
    return create_engine(
        _url(settings, name, role),
        role=role if settings.database_url else None,
        pool_size=_KEPT_CONNECTIONS + 2 * settings.worker_concurrency,
        max_overflow=0,
    )


def _url(settings: Settings, name: str, role: str) -> str:
    return settings.database_url or Cluster(settings.home).url(name, role)


def _make_ready(settings: Settings, name: str) -> None:
    from ler.db.migrate import migrate_if_changed  # noqa: PLC0415 - Alembic and the queue, for our own cluster only

    cluster = Cluster(settings.home)
    cluster.start()
    cluster.ensure_database(name)
    migrate_if_changed(cluster.url(name))
