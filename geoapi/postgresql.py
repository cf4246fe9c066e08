"""Finds the machine's own PostgreSQL and PostGIS and the user who runs it; says what to install where they are missing.

It only looks; starting a server is the work of `geoapi.cluster`.
"""

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ler.errors import UnavailableError

OLDEST_MAJOR = 15
"""The oldest PostgreSQL that the platform is tested with (Debian 12)."""

_SERVER_USER = "postgres"
_PROGRAMS = ("initdb", "pg_ctl", "pg_isready", "postgres")
_PATTERNS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
_QUIET = {"LC_ALL": "C", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


@dataclass(frozen=True)
class Installation:
    """One PostgreSQL server on this machine."""

    bindir: Path
    version: str
    major: int
    postgis: str | None
    """Version of PostGIS that can be created in it, None when there is none."""

    def program(self, name: str) -> str:
        """Return the full path of one of its programs."""
        return str(self.bindir / name)


def find_installation(
    folders: Sequence[Path] | None = None, *, major: int | None = None
) -> Installation | None:
    """Return the newest usable server, or the one of `major`; `folders` replaces the usual places."""
    found = [
        it
        for folder in dict.fromkeys(_usual_folders() if folders is None else folders)
        if (it := _inspect(folder)) is not None and (it.major == major if major else it.major >= OLDEST_MAJOR)
    ]
    return max(found, key=lambda it: (it.major, it.postgis is not None), default=None)


def get_installation(folders: Sequence[Path] | None = None, *, major: int | None = None) -> Installation:
    """Return a server with PostGIS, or raise UnavailableError with the line that installs what is missing."""
    found = find_installation(folders, major=major)
    if found is None:
        what = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST_MAJOR} or newer"
        reason = ", which made the database cluster on this machine," if major else ""
        raise UnavailableError(f"{what}{reason} is not installed. Run: {install_line(major)}")
    if found.postgis is None:
        raise UnavailableError(
            f"PostGIS for PostgreSQL {found.major} ({found.bindir}) is not installed."
            f" Run: {install_line(found.major)}"
        )
    return found


def install_line(major: int | None) -> str:
    """Return the command that installs PostgreSQL and PostGIS, of one major version or the distribution's own."""
    # Debian's metapackage follows the release: 15 in Debian 12, 17 in Debian 13.
    packages = (
        f"postgresql-{major} postgresql-{major}-postgis-3" if major else "postgresql postgresql-postgis"
    )
    return f"sudo apt-get update && sudo apt-get install -y {packages}"


def server_account() -> pwd.struct_passwd:
    """Return the user as whom PostgreSQL runs: `postgres` for root, whom it refuses to serve, else oneself."""
    if os.geteuid() != 0:
        return account(os.geteuid())
    try:
        return pwd.getpwnam(_SERVER_USER)
    except KeyError:
        raise UnavailableError(
            f"There is no user {_SERVER_USER}, as whom PostgreSQL would run; its package makes one."
        ) from None


def account(number: int) -> pwd.struct_passwd:
    """Return a user of this machine; UnavailableError for a number without a name, which PostgreSQL refuses."""
    try:
        return pwd.getpwuid(number)
    except KeyError:
        raise UnavailableError(
            f"The user with number {number} has no entry in the system's user list, which PostgreSQL needs."
        ) from None


def _usual_folders() -> list[Path]:
    folders = [path for pattern in _PATTERNS for path in Path("/").glob(pattern.removeprefix("/"))]
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    config = shutil.which("pg_config")
    if config:
        folders.append(Path(_output(config, "--bindir")))
    return folders


def _inspect(bindir: Path) -> Installation | None:
    if not all((bindir / name).is_file() for name in _PROGRAMS):
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)(\S*)", _output(str(bindir / "postgres"), "--version"))
    if version is None:
        return None
    major = int(version[1])
    return Installation(bindir, version[1] + version[2], major, _postgis(bindir, major))


def _postgis(bindir: Path, major: int) -> str | None:
    # pg_config is in a package of its own on some systems; Debian's folder is then the likely one.
    config = bindir / "pg_config"
    told = _output(str(config), "--sharedir") if config.is_file() else ""
    share = Path(told or f"/usr/share/postgresql/{major}")
    try:
        control = (share / "extension" / "postgis.control").read_text(encoding="utf-8")
    except OSError:
        return None
    version = re.search(r"^default_version\s*=\s*'([^']+)'", control, re.MULTILINE)
    return version[1] if version else None


def _output(program: str, option: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a program that was found on this machine, a fixed option, no shell
            [program, option], capture_output=True, text=True, check=False, timeout=30, env=_QUIET
        )
    except OSError:
        return ""
    return done.stdout.strip()
