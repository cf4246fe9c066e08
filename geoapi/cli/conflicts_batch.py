"""`ler conflicts batch`: all planned works against the lines of one owner, or of all, each by its own right.

Dask is imported here, when the command runs. It refuses a folder that is there, so that nothing is mixed with what was found
before.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated
from uuid import UUID

import shapely
import typer
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from conflicts.batch.engine import open_engine
from conflicts.batch.run import Batch, Limits, Told, run_batch
from conflicts.batch.task import Source, Yardstick
from conflicts.clearances import load_clearances
from geoapi.cli.acting import acting_as_operator, find_organisation
from geoapi.cli.console import messages, say, settings_of
from geoapi.cluster import Cluster
from ingest.area_file import read_area_file
from ler.domain.works import ACTIVE
from ler.errors import RefusedError
from ler.services.registry import list_owners
from ler.services.works import list_works
from ler.settings import Settings

Workers = Annotated[int, typer.Option(min=1, help="Processes that are started on this machine.")]
Scheduler = Annotated[
    str | None, typer.Option(help="Address of a running Dask scheduler, whose workers are used instead.")
]

_FAILED = 1
"""Exit code when a part is missing."""


def batch(
    ctx: typer.Context,
    *,
    out: Annotated[
        Path | None, typer.Option(help="New folder for GeoParquet files, a folder an owner.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the conflicts in the database, for each owner its own.")
    ] = False,
    organisation: Annotated[
        str | None, typer.Option("--as", help="CVR number or id of one owner; else every owner's network.")
    ] = None,
    area: Annotated[
        Path | None, typer.Option(help="Only works that touch the area of this file (EPSG:25832).")
    ] = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    most_lines: Annotated[
        int, typer.Option(min=100, help="Lines of a partition, about: what a worker holds in memory.")
    ] = Limits().most_lines,
) -> None:
    """Hold all planned works against owners' networks; ends with 0: all of it, 1: partitions are missing."""
    if out is None and not keep:
        raise RefusedError("option-invalid", "say where to: --out FOLDER, --keep, or both")
    settings = settings_of(ctx)
    with acting_as_operator(ctx) as connection:
        place = None if area is None else shapely.union_all(read_area_file(area))
        works = [one.work for one in list_works(connection, statuses=ACTIVE, area=place)]
        owners = (
            [one.id for one, _ in list_owners(connection)]
            if organisation is None
            else [find_organisation(connection, organisation).id]
        )
    with (
        new_folder(out) as folder,
        open_engine(workers=workers, scheduler=scheduler) as engine,
        _progress(owners) as tell,
    ):
        found = run_batch(
            engine,
            Batch(
                works=works,
                every_work=area is None,
                owners=owners,
                source=_source(settings),
                workers_source=_source(settings) if scheduler is None else Source(None),
                yardstick=_yardstick(settings),
                limits=Limits(most_lines=most_lines),
                folder=folder,
                keep=keep,
            ),
            tell,
        )
    say(f"{len(works)} works, {len(found)} networks, {sum(one.rows for one in found)} conflicts")
    failed = [f"owner {one.owner_id}: partition {which}" for one in found for which in one.failed]
    for which in failed:
        say(f"Failed: {which}")
    if failed:
        raise typer.Exit(_FAILED)


@contextmanager
def new_folder(wanted: Path | None) -> Iterator[Path]:
    """Give a folder beside that gets the wanted name when all is done, or goes when it is not; None: it always goes."""
    if wanted is None:
        beside = Path(mkdtemp(prefix="ler-batch-"))
    else:
        if wanted.exists():
            raise RefusedError("option-invalid", f"{wanted} is there already: name a new folder")
        beside = Path(mkdtemp(prefix=f".{wanted.name}-", dir=wanted.resolve().parent))
    try:
        yield beside
        if wanted is not None:
            beside.rename(wanted)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _source(settings: Settings) -> Source:
    if settings.database_url:
        return Source(settings.database_url)
    return Source(Cluster(settings.home).url(settings.database_name, "ler_app"), role=None)


def _yardstick(settings: Settings) -> Yardstick:
    return Yardstick(
        load_clearances(settings.clearances),
        settings.unknown_accuracy_m,
        settings.terrain_model,
        settings.terrain_accuracy_m,
        settings.terrain_is_dvr90,
    )


@contextmanager
def _progress(owners: list[UUID]) -> Iterator[Callable[[Told], None]]:
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=messages(),
        transient=True,
        disable=not messages().is_terminal,
    ) as progress:
        owner_bar = progress.add_task("owners", total=len(owners))
        part_bar = progress.add_task("partitions", total=None)
        seen: dict[UUID, int] = {}

        def tell(told: Told) -> None:
            seen[told.owner_id] = told.done
            progress.update(owner_bar, completed=owners.index(told.owner_id) + (told.done == told.partitions))
            progress.update(part_bar, completed=sum(seen.values()))

        yield tell
