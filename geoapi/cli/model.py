"""`ler model`: the feature types and attributes of the data model, and their JSON schemas."""

import difflib
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from geoapi.cli.console import ReportingGroup, results, say
from ler.errors import InputError, NotFoundError, RefusedError
from ler.model import VERSIONS, FeatureType, Model, load_model
from ler.model.json_schema import feature_schema
from ler.model.reference import holds, occurs

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="The data model: its feature types, attributes and codes, and the JSON schema of each type.",
)

TypeName = Annotated[str, typer.Argument(metavar="TYPE", help="A feature type, e.g. Vandledning.")]
Version = Annotated[str, typer.Option("--model", help="Version of the model.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command(name="list")
def list_(*, version: Version = VERSIONS[-1], as_json: AsJson = False) -> None:
    """List the feature types that features can have."""
    types = sorted(_concrete(_model(version)), key=lambda one: one.name)
    if as_json:
        rows = [
            {"type": one.name, "label": one.label, "ancestors": list(one.ancestors), "member": one.member}
            for one in types
        ]
        results().print_json(json.dumps(rows))
        return
    table = Table("Type", "English", "A kind of", "Attributes")
    for one in types:
        table.add_row(one.name, one.label, ", ".join(one.ancestors[:1]), str(len(one.attributes)))
    results().print(table)


@app.command()
def show(name: TypeName, *, version: Version = VERSIONS[-1], as_json: AsJson = False) -> None:
    """Show the attributes of one type, in the order in which they stand in a file."""
    feature_type = _type(name, _model(version))
    if as_json:
        results().print_json(json.dumps(_rows(feature_type)))
        return
    results().print(Text(f"{feature_type.name} ({feature_type.label}), LER {version}", style="bold"))
    table = Table("Attribute", "English", "Holds", "Number", "Void")
    for row in _rows(feature_type):
        table.add_row(
            Text(row["attribute"]),
            row["label"],
            Text(row["holds"]),
            row["number"],
            "yes" if row["void"] else "",
        )
    results().print(table)
    for code_list in {a.code_list.name: a.code_list for a in feature_type.attributes if a.code_list}.values():
        codes = [f"{code} ({label})" for code, label in code_list.values.items()]
        codes += ["other: ..."] if code_list.open else []
        results().print(Text(f"\n{code_list.name}: {', '.join(codes)}"))


@app.command()
def schema(name: TypeName, *, version: Version = VERSIONS[-1]) -> None:
    """Print the JSON schema (draft 2020-12) of the properties of one type."""
    model = _model(version)
    results().print_json(json.dumps(feature_schema(_type(name, model), model)))


@app.command()
def schemas(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where they go; made when it is not there.")
    ],
    *,
    version: Version = VERSIONS[-1],
) -> None:
    """Write the JSON schema of every type to a folder, as TYPE.json."""
    model = _model(version)
    if folder.exists() and not folder.is_dir():
        raise RefusedError("folder-missing", f"{folder} is no folder")
    folder.mkdir(parents=True, exist_ok=True)
    for feature_type in _concrete(model):
        text = json.dumps(feature_schema(feature_type, model), ensure_ascii=False, indent=2)
        (folder / f"{feature_type.name}.json").write_text(f"{text}\n", encoding="utf-8")
    say(str(folder))


def _model(version: str) -> Model:
    if version not in VERSIONS:
        raise InputError(f"{version} is not a version of the model; known: {', '.join(VERSIONS)}")
    return load_model(version)


def _concrete(model: Model) -> list[FeatureType]:
    return [one for one in model.types.values() if not one.abstract]


def _type(name: str, model: Model) -> FeatureType:
    if name in model.types:
        return model.types[name]
    by_folded = {known.casefold(): known for known in model.types}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.5)
    names = ", ".join(by_folded[one] for one in close)
    raise NotFoundError(
        f"There is no type {name}. " + (f"Did you mean {names}?" if names else "See: ler model list")
    )


def _rows(feature_type: FeatureType) -> list[dict[str, Any]]:
    return [
        {
            "attribute": attribute.name,
            "label": attribute.label,
            "holds": holds(attribute),
            "number": occurs(attribute),
            "void": attribute.void,
            "unit": attribute.unit,
            "codes": list(attribute.code_list.values) if attribute.code_list else [],
        }
        for attribute in feature_type.attributes
    ]
