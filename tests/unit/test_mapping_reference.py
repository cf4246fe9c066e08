"""The page on mappings: its example is read, and it names every key, unit and system."""

import csv
import io
import json
import re
from pathlib import Path

import shapely

from ingest.crs import KNOWN_EPSG
from ingest.mapped_source import MappedSource
from ingest.mapping import parse_mapping, reading
from ingest.mapping.units import units_of
from ler.settings import Settings
from tests.vectors import Table, Tables

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "mapping.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def test_the_example_gives_what_the_page_says() -> None:
    header, *rows = csv.reader(io.StringIO(block("csv")), delimiter=";")
    columns = {name: [row[at] or None for row in rows] for at, name in enumerate(header)}
    shapes = [shapely.from_wkt(text) for text in columns.pop("GEOM")]
    source = MappedSource(
        Tables([Table("ror", columns, shapes, None)]),
        parse_mapping(block("yaml")),
        coverage=Settings().coverage,
    )
    features = list(source)
    told = [
        {name: getattr(f, name) for name in ("type", "gml_id", "attributes", "voids")} for f in features[:2]
    ]
    assert told == json.loads(block("json"))
    assert [str(finding) for finding in source.findings.kept] == block("text").splitlines()


def test_the_page_names_every_key() -> None:
    keys = {*reading._TOP, *reading._LAYER, *reading._ATTRIBUTE}  # noqa: SLF001 - the only list of them
    assert {key for key in keys if f"`{key}`" not in PAGE} == set()


def test_the_page_names_every_system_and_unit() -> None:
    assert {epsg for epsg in KNOWN_EPSG if f"EPSG:{epsg}" not in PAGE} == set()
    line = next(line for line in PAGE.splitlines() if line.startswith("| `unit`"))
    units = {unit for wanted in ("mm", "kV", "bar", "share", "level") for unit in units_of(wanted)} - {"1"}
    assert {unit for unit in units if unit not in line} == set()
