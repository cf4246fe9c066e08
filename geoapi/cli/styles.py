"""`ler styles`: the map style of the platform for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from geoapi.cli.console import ReportingGroup, results
from ler.errors import UnavailableError
from ler.packages.files import write_whole
from ler.packages.styles import DEFAULT_THEME, load_styles
from ler.packages.styling.formats import StyleFormat

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="How lines are drawn, for other programs: list the themes and export them.",
)


@app.command(name="list")
def list_() -> None:
    """List the themes."""
    for theme, name in load_styles().themes:
        results().print(f"{theme:6} {name.en}")


@app.command()
def export(
    *,
    format_: Annotated[
        StyleFormat,
        typer.Option(
            "--format", help="json: MapLibre; qml: QGIS, lines; sld: SLD 1.1; dxf: layers; pdf: legend."
        ),
    ],
    theme: Annotated[str, typer.Option(help="Whose colours: see `ler styles list`.")] = DEFAULT_THEME,
    out: Annotated[
        Path | None, typer.Option(help="The file; else THEME.FORMAT here. Is written over.")
    ] = None,
) -> None:
    """Write the style source in a theme as a file of a format."""
    from ler.packages.styling.export import export_style  # noqa: PLC0415 - help waits for no library that draws

    content = export_style(load_styles(theme), format_)
    path = out or Path(f"{theme}.{format_}")
    try:
        write_whole(path, content)
    except OSError as error:
        raise UnavailableError(f"{path} cannot be written.") from error
    results().print(str(path))
