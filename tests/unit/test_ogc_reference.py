"""The page about the OGC API: its table is made of the collections, its lists are those of the code."""

from pathlib import Path

from geoapi.ogc.conformance import CLASSES
from geoapi.ogc.crs import OFFERED
from geoapi.ogc.query import ITEMS, PINNED
from geoapi.ogc.reference import access_table

PAGE = (Path(__file__).parents[2] / "docs/reference/ogc-api.md").read_text(encoding="utf-8")


def test_the_table_of_access_is_what_the_collections_say() -> None:
    assert access_table() in PAGE, "python -m geoapi.ogc.reference"


def test_every_parameter_and_system_is_named() -> None:
    named = [f"`{name}`" for name in (*ITEMS, PINNED)] + [one.uri for one in OFFERED]
    assert not [name for name in named if name not in PAGE]


def test_every_class_stands_in_the_row_of_its_standard() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    for one in CLASSES:
        standard, _, name = one.partition("/spec/")[2].partition("/conf/")
        assert any(f"`{standard}`" in row and f"`{name}`" in row for row in rows), one
