"""`ler package diff`: what differs between two packages on disk, without a database or a network."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table
from rich.text import Text

from geoapi.cli.acting import AsJson
from geoapi.cli.console import results, say, settings_of
from geoapi.cli.language import Chosen, LanguageOption, language_of
from geoapi.package_sides import read_side
from ler.packages.difference import Change, Difference, FeatureChange, OwnerChange, compare
from ler.packages.difference_told import WORDS, document, geojson

_MOST_ROWS: Final = 200
_TEXTS: Final[Mapping[Chosen, Mapping[str, Any]]] = {
    "da": {
        "owners": ("Ledningsejer", "Før", "Nu", "Tilføjet", "Fjernet", "Flyttet", "Ændret"),
        "features": ("Ledningsejer", "Ændring", "Type", "gml:id", "Meter", "Attributter"),
        "not_asked": "ikke spurgt",
        "missing": "MANGLER",
        "answered": "besvaret",
        "up": "højde",
        "more": "Og {count} andre: brug --json eller --map.",
        "areas": "Områderne er ikke de samme: kun det, der ligger i begge, er sammenlignet.",
        "none": "Pakkerne siger det samme.",
    },
    "en": {
        "owners": ("Owner", "Before", "Now", "Added", "Removed", "Moved", "Changed"),
        "features": ("Owner", "Change", "Type", "gml:id", "Metres", "Attributes"),
        "not_asked": "not asked",
        "missing": "MISSING",
        "answered": "answered",
        "up": "height",
        "more": "And {count} others: use --json or --map.",
        "areas": "The areas are not the same: only what lies in both is compared.",
        "none": "The packages say the same.",
    },
}


def diff(
    ctx: typer.Context,
    old: Annotated[Path, typer.Argument(help="A package's ZIP or folder, or an owner's GML file.")],
    new: Annotated[Path, typer.Argument(help="The newer one; of another request when the areas overlap.")],
    *,
    map_file: Annotated[
        Path | None, typer.Option("--map", help="GeoJSON file for what changed, with the property `change`.")
    ] = None,
    language: LanguageOption = None,
    as_json: AsJson = False,
) -> None:
    """Tell what was added, removed, moved and changed, owner by owner, and who answered otherwise."""
    coverage = settings_of(ctx).coverage
    found = compare(read_side(old, coverage), read_side(new, coverage))
    if map_file is not None:
        map_file.write_text(json.dumps(geojson(found), ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        results().print_json(json.dumps(document(found)))
    else:
        _tell(found, language_of(language))


def _tell(found: Difference, language: Chosen) -> None:
    texts = _TEXTS[language]
    if not found.same_area:
        say(texts["areas"])
    if found.is_none:
        say(texts["none"])
        return
    owners = Table(*texts["owners"])
    for owner in found.owners:
        counts = (str(owner.counts[kind] or "-") for kind in Change)
        owners.add_row(Text(owner.name), *(_state(one, texts) for one in (owner.old, owner.new)), *counts)
    results().print(owners)
    if found.features:
        results().print(_features(found, language))
    if len(found.features) > _MOST_ROWS:
        say(texts["more"].format(count=len(found.features) - _MOST_ROWS))


def _state(state: Mapping[str, Any] | None, texts: Mapping[str, Any]) -> Text:
    if state is None:
        return Text(texts["not_asked"])
    if state["answered"] is False:
        return Text(texts["missing"], style="bold red")
    return Text(state["answer"] or texts["answered"])


def _features(found: Difference, language: Chosen) -> Table:
    names = {one.cvr: _name(one) for one in found.owners}
    table = Table(*_TEXTS[language]["features"])
    for one in found.features[:_MOST_ROWS]:
        table.add_row(
            Text(names[one.owner_cvr]),
            WORDS[language][one.change],
            one.feature.type,
            Text(one.feature.gml_id),
            _metres(one, language),
            Text("; ".join(f"{name}: {_value(old)} → {_value(new)}" for name, old, new in one.attributes)),
        )
    return table


def _name(owner: OwnerChange) -> str:
    return owner.name or owner.cvr


def _metres(one: FeatureChange, language: Chosen) -> str:
    told = [f"{one.moved_m:.3f}"] if one.moved_m is not None else []
    if one.raised_m is not None:
        told.append(f"{_TEXTS[language]['up']} {one.raised_m:.3f}")
    return ", ".join(told)


def _value(value: Any) -> str:  # noqa: ANN401 - of any kind
    return (
        "-" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    )
