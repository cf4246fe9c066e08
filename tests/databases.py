"""One private cluster for all tests of this checkout, and a fresh migrated database for each test that asks.

Runs that overlap share the cluster; the last one to end takes it down. Who uses it is told by shared file locks,
which the system releases for a killed run as well.
"""

import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from geoapi.cluster import Cluster

CHECKOUT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Database:
    """A database of one test."""

    name: str
    cluster: Cluster

    def url(self, role: str = "postgres") -> str:
        """Return its SQLAlchemy address for a role: postgres, ler_app, ler_worker or ler_readonly."""
        return self.cluster.url(self.name, role)

    def connect(self, role: str = "postgres") -> psycopg.Connection:
        """Return a plain psycopg connection in autocommit mode, to be closed by the test."""
        return psycopg.connect(
            host=str(self.cluster.socket_dir), dbname=self.name, user=role, autocommit=True
        )


@dataclass
class SharedCluster:
    """The cluster of this checkout's tests, as one process of a run sees it."""

    name: str = field(
        default_factory=lambda: f"ler-test-{os.geteuid()}-{hashlib.sha256(bytes(CHECKOUT)).hexdigest()[:10]}"
    )
    _in_use: int | None = None

    def __post_init__(self) -> None:
        # Not pytest's own folder: that is closed to the user as whom PostgreSQL runs.
        self.cluster = Cluster(Path("/tmp") / self.name, durable=False)  # noqa: S108 - owner checked by Cluster

    def hold(self) -> None:
        """Keep the cluster from being taken down until `release`, whether it runs yet or not."""
        if self._in_use is None:
            self._in_use = self._open_lock("use")
            fcntl.flock(self._in_use, fcntl.LOCK_SH)

    def release(self) -> None:
        """End the use; the last user takes the cluster down and removes every trace of it."""
        if self._in_use is None:
            return
        try:
            fcntl.flock(self._in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another run goes on
        else:
            if self.cluster.home.exists():
                self.cluster.stop()
                shutil.rmtree(self.cluster.home)
        finally:
            os.close(self._in_use)
            self._in_use = None

    def template(self, session: str, *, migrated: bool) -> str:
        """Return the name of this session's template database; the first process to ask makes it."""
        name = f"template_{'migrated' if migrated else 'empty'}_{session}"
        with self._exclusive("template"):
            self.cluster.start()
            with self._connect() as connection:
                query = "SELECT 1 FROM pg_database WHERE datname = %s"
                if connection.execute(query, [name]).fetchone():
                    return name
                part = f"{name}_part"
                self.cluster.drop_database(part)
                self.cluster.ensure_database(part)
                if migrated:
                    from ler.db.migrate import migrate  # noqa: PLC0415 - tests without tables need no migrations

                    migrate(self.cluster.url(part))
                # A template must have no connections; and renamed only when whole, it is never seen half made.
                rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
                connection.execute(rename.format(sql.Identifier(part), sql.Identifier(name)))
                close = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false")
                connection.execute(close.format(sql.Identifier(name)))
        return name

    @contextmanager
    def database(self, template: str) -> Iterator[Database]:
        """Make a database from a template and drop it at the end, whoever is still connected."""
        name = f"test_{uuid.uuid4().hex[:16]}"
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with self._connect() as connection:
            connection.execute(make.format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield Database(name, self.cluster)
        finally:
            self.cluster.drop_database(name)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.cluster.socket_dir), dbname="postgres", user="postgres", autocommit=True
        )

    @contextmanager
    def _exclusive(self, what: str) -> Iterator[None]:
        descriptor = self._open_lock(what)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _open_lock(self, what: str) -> int:
        path = Path("/tmp") / f"{self.name}.{what}.lock"  # noqa: S108 - opened without following links
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
