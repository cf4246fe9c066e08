"""`ler mapping`: from an owner's layers, columns and codes to the LER model, drafted and checked.

Exit code 0: done, 2: the mapping or the file cannot be used, with one message that names the line and the key.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from geoapi.cli.console import results, say, settings_of
from ingest.mapping import Mapping
from ingest.open_source import check_mapping, draft_mapping
from ler.errors import RefusedError

app = typer.Typer(
    help="Say what an owner's layers, columns and codes are in the LER model.",
    add_completion=False,
    no_args_is_help=True,
)


@app.command()
def suggest(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="GeoPackage, shapefile (ZIP), GeoJSON, FlatGeobuf, GeoParquet, CSV, DXF.")
    ],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Write it there; must not exist. Without it, to stdout.")
    ] = None,
) -> None:
    """Draft a mapping from the names and values in a file; what it cannot decide stands in comments."""
    if out is not None and out.exists():
        raise RefusedError("file-exists", f"{out} is there already and is not written over")
    draft = draft_mapping(file, settings=settings_of(ctx))
    if out is None:
        results().print(draft, end="")
        return
    out.write_text(draft, encoding="utf-8")
    say(f"{out}: read it through, then check it with: ler mapping check {out} {file}")


@app.command()
def check(
    ctx: typer.Context,
    mapping: Annotated[Path, typer.Argument(help="The mapping, YAML.")],
    file: Annotated[
        Path | None, typer.Argument(help="A file that it is to fit: its layers and columns.")
    ] = None,
    *,
    crs: Annotated[str | None, typer.Option(help="Coordinate system of a file that does not say it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what it maps as JSON.")] = False,
) -> None:
    """Check a mapping against the LER model, and against the layers and columns of a file."""
    found = check_mapping(mapping, file, crs=crs, settings=settings_of(ctx))
    if as_json:
        results().print_json(json.dumps(_document(found)))
        return
    for layer in found.layers:
        types = (
            ", ".join(layer.type_names(found.model)) if layer.type.codes is not None else layer.type.constant
        )
        what = types or f"by the column {layer.type.column}"
        results().print(f"{layer.layer}: {what}, {len(layer.attributes)} attributes")
    say(f"The mapping fits LER {found.model.version}" + (f" and {file}." if file else "."))


def _document(mapping: Mapping) -> dict[str, object]:
    return {
        "model": mapping.model.version,
        "crs": mapping.crs,
        "layers": [
            {
                "layer": layer.layer,
                "types": list(layer.type_names(mapping.model)),
                "attributes": list(layer.attributes),
            }
            for layer in mapping.layers
        ],
    }
