"""`ler db`: the private database cluster and its tables.

With `LER_DATABASE_URL` set the database is kept elsewhere: no command here starts, stops or empties it.
"""

import re
from typing import Annotated

import psycopg
import typer
from psycopg.conninfo import conninfo_to_dict

from geoapi.cli.console import ReportingGroup, results, say, settings_of
from geoapi.cluster import Cluster
from ler.db.migrate import migrate as apply_migrations
from ler.errors import InputError, UnavailableError
from ler.settings import Settings

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="The private database: start it, stop it, bring its tables up to date.",
)


@app.command()
def start(ctx: typer.Context) -> None:
    """Start the private database server; the first time, make it."""
    cluster = _private_cluster(settings_of(ctx))
    started = cluster.start()
    say(
        f"The database server {'has been started' if started else 'runs already'}; socket in {cluster.socket_dir}"
    )


@app.command()
def stop(ctx: typer.Context) -> None:
    """Stop the private database server."""
    cluster = _private_cluster(settings_of(ctx))
    stopped = cluster.stop()
    say(f"The database server {'has been stopped' if stopped else 'did not run'}.")


@app.command()
def status(ctx: typer.Context) -> None:
    """Tell whether the database runs, its versions and where it is."""
    settings = settings_of(ctx)
    told = _told_by_url(settings.database_url) if settings.database_url else _told_by_cluster(settings)
    width = max(len(name) for name in told)
    for name, value in told.items():
        results().print(f"{name:{width}}  {value}", markup=False)


@app.command()
def migrate(ctx: typer.Context) -> None:
    """Bring the tables up to date; of a private database, start and create it first."""
    settings = settings_of(ctx)
    _say_applied(apply_migrations(settings.database_url or _ready_database(settings)))


@app.command()
def reset(
    ctx: typer.Context,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete all data: drop the private database and create it anew, with empty tables."""
    settings = settings_of(ctx)
    cluster = _private_cluster(settings)
    if not yes:
        typer.confirm(f"Delete all data in the database {settings.database_name}?", abort=True, err=True)
    cluster.start()
    cluster.drop_database(settings.database_name)
    _say_applied(apply_migrations(_ready_database(settings)))


def _private_cluster(settings: Settings) -> Cluster:
    if settings.database_url:
        raise InputError(
            "LER_DATABASE_URL is set: the database is kept elsewhere, and this command leaves it alone."
            " Unset it to use the private database."
        )
    return Cluster(settings.home)


def _ready_database(settings: Settings) -> str:
    cluster = _private_cluster(settings)
    cluster.start()
    cluster.ensure_database(settings.database_name)
    return cluster.url(settings.database_name)


def _say_applied(revisions: list[str]) -> None:
    for revision in revisions:
        results().print(revision, markup=False)
    say(f"{len(revisions)} revisions applied." if revisions else "The tables are up to date.")


def _told_by_cluster(settings: Settings) -> dict[str, str]:
    told = Cluster(settings.home).status()
    return {
        "state": f"running (process {told.pid})" if told.running else "stopped",
        "postgresql": told.version or "not installed",
        "postgis": told.postgis or "not installed",
        "database": settings.database_name,
        "data": str(told.data_dir),
        "socket": str(told.socket_dir),
        "log": str(told.log_file),
    }


def _told_by_url(url: str) -> dict[str, str]:
    # The address may hold a password, so that no part of it is shown but the place.
    try:
        address = re.sub(r"^postgres(?:ql)?(?:\+\w+)?://", "postgresql://", url)
        parts = conninfo_to_dict(address)
    except psycopg.ProgrammingError:
        raise InputError(
            "LER_DATABASE_URL is no address like postgresql+psycopg://user@host/database"
        ) from None
    place = f"{parts.get('dbname', '')} on {parts.get('host', 'the default socket')}"
    try:
        with psycopg.connect(address, connect_timeout=5) as connection:
            postgis = connection.execute(
                "SELECT coalesce(installed_version, 'not created') FROM pg_available_extensions WHERE name = 'postgis'"
            ).fetchone()
            version = connection.info.parameter_status("server_version")
    except psycopg.Error:
        raise UnavailableError(
            f"The database {place} does not answer or refuses the login of LER_DATABASE_URL; its own log tells why."
        ) from None
    return {
        "state": "kept elsewhere (LER_DATABASE_URL), answers",
        "postgresql": version or "unknown",
        "postgis": postgis[0] if postgis else "not installed",
        "database": place,
    }
