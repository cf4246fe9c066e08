"""`ler windows batch`: the windows of all planned works, planned by the workers of the batch engine, into files.

The plan is that of `ler windows propose`: works are put into components here, and components are planned anywhere.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import shapely
import typer

from conflicts.batch.engine import open_engine
from conflicts.batch.window_rows import write_clashes, write_placements, write_windows
from conflicts.windows.plan import Brief
from conflicts.work_conflicts import find_work_conflicts
from geoapi.cli.acting import acting_as
from geoapi.cli.conflicts_batch import Scheduler, Workers, new_folder
from geoapi.cli.console import messages, say, settings_of
from geoapi.windows_desk import brief_entered, keep_proposals, planned_by
from ingest.area_file import read_area_file
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.legal_time import legal_day
from ler.domain.work_conflicts import WorkConflict
from ler.rules_in_force import calendar_between
from ler.settings import Settings


def batch(
    ctx: typer.Context,
    *,
    out: Annotated[Path, typer.Option(help="New folder for GeoParquet files.")],
    by: Annotated[
        str, typer.Option("--by", help="Who coordinates: CVR number or id; else the operator.")
    ] = str(PLATFORM_OPERATOR),
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the proposals, so that they can be invited.")
    ] = False,
    area: Annotated[
        Path | None, typer.Option(help="Only works that touch the area of this file (EPSG:25832).")
    ] = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
) -> None:
    """Plan all works that are entered; write what clashes, which windows they make, and when each is done."""
    settings = settings_of(ctx)
    place = None if area is None else shapely.union_all(read_area_file(area))
    with new_folder(out) as folder, messages().status("planning"):
        with acting_as(ctx, by) as (connection, _):
            brief = brief_entered(connection, settings, legal_day(datetime.now(UTC)), area=place)
        clashes = _clashes(brief, settings)
        with open_engine(workers=workers, scheduler=scheduler) as engine, engine.executor() as executor:
            planned = planned_by(brief, workers=executor)
        write_clashes(folder / "clashes.parquet", clashes)
        write_windows(folder / "windows.parquet", planned.proposals)
        write_placements(
            folder / "placements.parquet", brief.works, planned.plan.placements, planned.proposals
        )
        if keep:
            with acting_as(ctx, by) as (connection, found):
                keep_proposals(connection, found.id, planned)
    say(f"{len(brief.works)} works, {len(clashes)} clashes, {len(planned.proposals)} windows")
    for one in planned.plan.findings:
        say(one.en)


def _clashes(brief: Brief, settings: Settings) -> list[WorkConflict]:
    works = brief.works
    if not works:
        return []
    first, last = min(one.earliest_start for one in works), max(one.latest_end for one in works)
    calendar = calendar_between(settings, first, last)
    return find_work_conflicts(
        works, brief.restrictions, calendar=calendar, adjacent_m=settings.adjacent_works_m
    )
