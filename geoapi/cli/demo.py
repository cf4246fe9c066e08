"""`ler demo`: the whole main job on a made-up town."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from geoapi.cli.console import results, say, settings_of
from geoapi.demo.show import Shown, show


def demo(
    ctx: typer.Context,
    *,
    out: Annotated[Path, typer.Option(help="Folder for what is made.")] = Path("demo-out"),
) -> None:
    """Make a town, upload its owners' networks, ask about three dig sites; leaves packages and maps."""
    say("A made-up town goes through the same doors as real owners and diggers.")
    shown = show(
        out, settings_of(ctx), datetime.now(UTC).date(), lambda what, took: say(f"{took:7.2f} s  {what}")
    )
    tell(shown, out)
    say(
        f"To look around in it: LER_DATABASE_NAME={settings_of(ctx).database_name}_demo ler serve --with-worker, and for a "
        f"token of an owner LER_DATABASE_NAME={settings_of(ctx).database_name}_demo ler token add --owner 99000401"
    )


def tell(shown: Shown, out: Path) -> None:
    """Print what was made, and where."""
    table = Table(
        "Dig site", "Area", "Owners asked", "with lines", "Features", "Packages", "Map, beside the packages"
    )
    for site, answered, picture in shown.sites:
        with_lines = [o for o in answered.owners if o.feature_count]
        table.add_row(
            site.name,
            f"{site.area.area:,.0f} m²",
            str(len(answered.owners)),
            str(len(with_lines)),
            str(answered.packages[0].feature_count),
            str(len(answered.packages)),
            str(picture),
        )
    results().print(table)
    features = sum(len(owner.features) for owner in shown.town.owners)
    results().print(f"{len(shown.networks)} owners with {features:,} features in {out / 'networks'}")
