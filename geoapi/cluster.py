"""The private PostgreSQL cluster: made from the system's own binaries, reached through a unix socket only.

It refuses to serve strangers: no TCP port, folders closed to other users, and `peer` authentication that lets in
the cluster's own user and the user who made it, nobody else. It never removes PostgreSQL's lock file: two servers
on one data folder destroy it, and PostgreSQL alone can tell a stale lock from a live one.
"""

import fcntl
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from geoapi.postgresql import Installation, account, find_installation, get_installation, server_account
from ler.errors import InputError, UnavailableError

ROLES = ("postgres", "ler_app", "ler_worker", "ler_readonly")
"""Who may log in: the superuser, made with the cluster, and three roles that the migrations make."""

_PORT = 5432  # no port is opened; the number is part of the socket's name
_LONGEST_SOCKET = 107  # bytes, PostgreSQL's limit (sun_path less its closing zero)
_LONGEST_LOG = 10_000_000  # bytes; at the next start it is set aside, so at most two such files are kept
_PATIENCE_S = 60.0  # 31 s were seen until the backends of a killed server had ended
_STALE_LOCK = re.compile(
    r'lock file "[^"]+" already exists|pre-existing shared memory block .* is still in use'
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_NOT_OURS = frozenset({"postgres", "template0", "template1"})

_TUNING = """
# Written once, when the cluster was made; yours to edit. Addresses, sockets and durability are given at each start.
shared_buffers = 256MB
max_connections = 100
jit = off
# Whole pages in the log, of which an upload writes one for each page that it touches, take a third of the room.
wal_compression = on
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
"""


@dataclass(frozen=True)
class Status:
    """What can be told about a cluster without changing it."""

    running: bool
    version: str | None
    """Version of the PostgreSQL that serves it or would; None when none is installed."""
    postgis: str | None
    """Version of PostGIS that belongs to that PostgreSQL; None when there is none."""
    data_dir: Path
    socket_dir: Path
    log_file: Path
    pid: int | None
    """Process of the server, None when it does not run."""


class Cluster:
    """A private cluster in the folder `home`, which is made at the first start.

    `durable=False` trades safety against power failure for speed and is for tests only. `binaries` replaces the
    places where PostgreSQL's programs are looked for.
    """

    def __init__(self, home: Path, *, durable: bool = True, binaries: Sequence[Path] | None = None) -> None:
        self.home = home.expanduser().absolute()
        self.data_dir = self.home / "data"
        self.socket_dir = self.home / "socket"
        self.log_file = self.home / "log" / "postgresql.log"
        self._durable = durable
        self._binaries = binaries

    def start(self) -> bool:
        """Start the server, making the cluster if there is none; False when it ran already.

        Raises UnavailableError when PostgreSQL or PostGIS is missing or the server does not come up within 60 s,
        InputError when `home` cannot hold a cluster.
        """
        self._check_home()
        installation = get_installation(self._binaries, major=self._data_major())
        with self._locked():
            if self._accepts(installation):
                return False
            if self._has_data():
                self._check_owner()
            self._make_folders()
            if not self._has_data():
                self._initialise(installation)
            self._start_patiently(installation)
        return True

    def stop(self) -> bool:
        """Stop the server, ending its connections; False when it did not run."""
        self._check_home()
        if not self._has_data():
            return False
        self._check_owner()
        with self._locked():
            # The server's own programs are enough to stop it: PostGIS may have been removed since.
            major = self._data_major()
            installation = find_installation(self._binaries, major=major) or get_installation(
                self._binaries, major=major
            )
            control = [installation.program("pg_ctl"), "-D", str(self.data_dir)]
            if self._run([*control, "status"]).returncode != 0:
                return False
            done = self._run([*control, "stop", "-m", "fast", "-w", "-t", "60"])
            if done.returncode != 0:
                raise UnavailableError(f"The database server did not stop within 60 s. See {self.log_file}")
        return True

    def status(self) -> Status:
        """Tell what is there; raises nothing when parts are missing."""
        installation = find_installation(self._binaries, major=self._data_major())
        running = installation is not None and self._accepts(installation)
        return Status(
            running=running,
            version=installation.version if installation else None,
            postgis=installation.postgis if installation else None,
            data_dir=self.data_dir,
            socket_dir=self.socket_dir,
            log_file=self.log_file,
            pid=self._pid() if running else None,
        )

    def ensure_database(self, name: str) -> bool:
        """Create the database `name` in UTF-8 unless it exists; True when it was created. The server must run."""
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'")
        identifier = sql.Identifier(_checked_name(name))
        with self._connected() as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(query, [name]).fetchone():
                return False
            try:
                connection.execute(statement.format(identifier))
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return False  # another process was quicker
        return True

    def drop_database(self, name: str) -> None:
        """Drop the database `name` if it exists, ending its connections. The server must run."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        identifier = sql.Identifier(_checked_name(name))
        with self._connected() as connection:
            connection.execute(statement.format(identifier))

    def url(self, database: str, role: str = "postgres") -> str:
        """Return the SQLAlchemy address of a database for one of `ROLES`."""
        if role not in ROLES:
            raise InputError(
                f"No role {role!r} may log in to the private cluster; one of {', '.join(ROLES)} may."
            )
        return f"postgresql+psycopg://{role}@/{database}?host={quote(str(self.socket_dir))}"

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        try:
            connection = psycopg.connect(
                host=str(self.socket_dir), port=_PORT, user="postgres", dbname="postgres", autocommit=True
            )
        except psycopg.OperationalError as error:
            # libpq's own words name roles and paths, which belong in the log only.
            raise UnavailableError(
                f"The private database in {self.home} does not answer, or not to this user."
                f" Start it with: ler db start. Its log is {self.log_file}"
            ) from error
        with connection:
            yield connection

    def _check_home(self) -> None:
        socket = self.socket_dir / f".s.PGSQL.{_PORT}"
        length = len(os.fsencode(socket))
        if length > _LONGEST_SOCKET:
            raise InputError(
                f"The path {self.home} is too long: its socket's path has {length} bytes and may have"
                f" {_LONGEST_SOCKET}. Set LER_HOME to a shorter path."
            )
        # A comma separates sockets and hosts in PostgreSQL's settings; the others would need quoting in them.
        if re.search(r"[,\"'\\\x00-\x1f]", str(self.home)):
            raise InputError(
                f"The path {str(self.home)!r} has a comma, quote, backslash or control character in it."
                " Set LER_HOME to another path."
            )
        if not self.home.exists():
            return
        owner = self.home.stat().st_uid
        if owner not in {0, os.geteuid()} or not os.access(self.home, os.R_OK | os.W_OK | os.X_OK):
            raise InputError(
                f"The folder {self.home} belongs to the user with number {owner}."
                " Run the command as its owner, or set LER_HOME to another folder."
            )

    def _has_data(self) -> bool:
        return (self.data_dir / "PG_VERSION").exists()

    def _data_major(self) -> int | None:
        try:
            return int((self.data_dir / "PG_VERSION").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def _pid(self) -> int | None:
        try:
            return int((self.data_dir / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        except (OSError, ValueError, IndexError):
            return None

    def _make_folders(self) -> None:
        server = server_account()
        for folder in (self.socket_dir, self.log_file.parent):
            folder.mkdir(mode=0o700, exist_ok=True)
            os.chown(folder, server.pw_uid, server.pw_gid, follow_symlinks=False)
        if self._run(["test", "-x", str(self.socket_dir)]).returncode != 0:
            raise InputError(
                f"PostgreSQL runs as the user {server.pw_name}, who cannot enter {self.home}."
                " Set LER_HOME to a folder outside root's home, such as /var/lib/ler."
            )

    def _check_owner(self) -> None:
        owner = self.data_dir.stat().st_uid
        server = server_account()
        if owner != server.pw_uid:
            raise UnavailableError(
                f"The cluster in {self.home} belongs to the user with number {owner};"
                f" this command would run it as {server.pw_name}. Run the command as its owner."
            )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the cluster's lock, so that of two commands one waits for the other."""
        if not self.home.is_dir():
            _make_home(self.home)
        try:
            descriptor = os.open(
                self.home / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise InputError(
                f"The folder {self.home} cannot be written to: {error.strerror}. Set LER_HOME to another one."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _initialise(self, installation: Installation) -> None:
        """Make the data folder beside its place and rename it, so that a killed initdb leaves nothing half made."""
        for left in self.home.glob("data.part-*"):
            shutil.rmtree(left, ignore_errors=True)
        if self.data_dir.exists():
            raise InputError(f"{self.data_dir} is no database folder, and it is in the way.")
        server = server_account()
        part = Path(tempfile.mkdtemp(prefix="data.part-", dir=self.home))
        os.chown(part, server.pw_uid, server.pw_gid)
        done = self._run(
            [
                *(installation.program("initdb"), "-D", str(part), "--username=postgres"),
                *("--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"),
                *("--auth-local=peer", "--auth-host=reject"),
                *(() if self._durable else ("--no-sync",)),
            ]
        )
        if done.returncode != 0:
            shutil.rmtree(part, ignore_errors=True)
            raise UnavailableError(
                f"The database cluster in {self.home} could not be made: {done.stderr.strip()}"
            )
        makers = dict.fromkeys((server.pw_name, account(os.geteuid()).pw_name))
        (part / "pg_hba.conf").write_text(f"local all {','.join(ROLES)} peer map=ler\n", encoding="utf-8")
        (part / "pg_ident.conf").write_text(
            "".join(f'ler "{maker}" {role}\n' for maker in makers for role in ROLES), encoding="utf-8"
        )
        with (part / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write(_TUNING)
        part.rename(self.data_dir)

    def _start_patiently(self, installation: Installation) -> None:
        if self.log_file.exists() and self.log_file.stat().st_size > _LONGEST_LOG:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        deadline = time.monotonic() + _PATIENCE_S
        pause_s = 0.1
        while True:
            said_before = self.log_file.stat().st_size if self.log_file.exists() else 0
            if self._launch(installation) or self._accepts(installation):
                return
            said = self._log_since(said_before)
            if not _STALE_LOCK.search(said):
                last = next((line for line in reversed(said.splitlines()) if "FATAL" in line), "")
                raise UnavailableError(f"The database server did not start. {last} See {self.log_file}")
            if time.monotonic() + pause_s > deadline:
                raise UnavailableError(
                    f"Another server, or what is left of one, still holds {self.data_dir} after"
                    f" {_PATIENCE_S:.0f} s. See {self.log_file}; never delete postmaster.pid by hand."
                )
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, 2.0)

    def _launch(self, installation: Installation) -> bool:
        # On the command line, since safety rests on them: no edit of a file, no older file and no moved folder
        # can open a port or leave a real cluster without fsync.
        settings = {
            "listen_addresses": "",
            "port": str(_PORT),
            "unix_socket_directories": str(self.socket_dir),
            "unix_socket_permissions": "0700",
            "fsync": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
        }
        if not self._durable:
            # For tests and measurements, which run many services on one.
            settings |= {"synchronous_commit": "off", "max_connections": "300"}
        options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
        done = self._run(
            [
                *(
                    installation.program("pg_ctl"),
                    "start",
                    "-D",
                    str(self.data_dir),
                    "-l",
                    str(self.log_file),
                ),
                *("-w", "-t", "60", "-o", options),
            ]
        )
        return done.returncode == 0

    def _log_since(self, offset: int) -> str:
        try:
            with self.log_file.open("rb") as log:
                log.seek(offset)
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    def _accepts(self, installation: Installation) -> bool:
        ready = [installation.program("pg_isready"), "-q", "-h", str(self.socket_dir), "-p", str(_PORT)]
        return self._run(ready).returncode == 0

    def _run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a program as the server's user, free of this process's `PG*` variables and working folder."""
        server = server_account()
        as_root = os.geteuid() == 0
        return subprocess.run(  # noqa: S603 - PostgreSQL's programs by full path, arguments as a list, no shell
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env={"LC_ALL": "C", "PATH": os.defpath, "HOME": server.pw_dir},
            umask=0o077,
            user=server.pw_uid if as_root else None,
            group=server.pw_gid if as_root else None,
            extra_groups=[] if as_root else None,
        )


def _make_home(home: Path) -> None:
    """Make the folder; for root it stays root's, and only the server's group may pass through it."""
    try:
        home.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        return  # another process was quicker
    except OSError as error:
        raise InputError(
            f"The folder {home} cannot be made: {error.strerror}. Set LER_HOME to another one."
        ) from error
    if os.geteuid() == 0:
        os.chown(home, 0, server_account().pw_gid)
        home.chmod(0o710)


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name) or name in _NOT_OURS:
        raise InputError(f"{name!r} is no name for a database: use a-z, 0-9 and _, beginning with a letter.")
    return name
