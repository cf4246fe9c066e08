"""Filters by chance, asked of PostGIS and of geopandas: the same features, or a refusal; never an error of the database."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from geoapi.ogc.cql2 import CRS84, Filter, FilterError, Language, compile_filter
from tests.cql2_filters import FILTERS, Node, broken_texts, broken_trees, text_of
from tests.cql2_oracle import Oracle
from tests.cql2_world import QUERYABLES, Table, features, features_in_table
from tests.databases import SharedCluster

OF_SIZE = {"number-range", "division-by-zero"}
"""What a filter that is in order may be refused for: numbers that no double can hold."""
EXAMPLES, AT_NIGHT = 120, 6_000


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return Oracle(features())


@pytest.fixture(scope="module")
def table(shared_cluster: SharedCluster, empty_template: str) -> Iterator[Table]:
    with features_in_table(shared_cluster, empty_template, features()) as made:
        yield made


def compiled(given: str | Node, lang: Language, crs: str = CRS84) -> Filter | FilterError:
    try:
        return compile_filter(given, QUERYABLES, lang=lang, crs=crs)
    except FilterError as error:
        return error


def agree(table: Table, oracle: Oracle, node: Node, crs: str) -> None:
    """Text and JSON of a filter are the same filter, and find what geopandas finds."""
    text = text_of(node)
    made = compiled(json.dumps(node), "cql2-json", crs)
    if isinstance(made, FilterError):
        assert made.reason in OF_SIZE, (text, made)
        return
    assert compiled(text, "cql2-text", crs) == made, text
    found, expected = table.ids(made.sql, made.values), oracle.ids(node, crs)
    differing = set(found) ^ set(expected)
    assert all(oracle.unsure(node, crs, row) for row in differing), (text, crs, sorted(differing))


def never_an_error(table: Table, broken: str | Node) -> None:
    """A filter with a fault is refused, or is another filter that the database answers."""
    made = compiled(broken, "cql2-text" if isinstance(broken, str) else "cql2-json")
    if isinstance(made, Filter):
        table.ids(made.sql, made.values)
    else:
        assert len(str(made)) < 2000


@settings(max_examples=EXAMPLES, deadline=None)
@given(FILTERS)
def test_a_filter_finds_what_geopandas_finds(table: Table, oracle: Oracle, made: tuple[Node, str]) -> None:
    agree(table, oracle, *made)


@settings(max_examples=EXAMPLES, deadline=None)
@given(broken_texts() | broken_trees())
def test_a_broken_filter_is_refused_or_answered(table: Table, broken: str | Node) -> None:
    never_an_error(table, broken)


@pytest.mark.nightly
@settings(max_examples=AT_NIGHT, deadline=None)
@given(FILTERS)
def test_thousands_of_filters_find_what_geopandas_finds(
    table: Table, oracle: Oracle, made: tuple[Node, str]
) -> None:
    agree(table, oracle, *made)


@pytest.mark.nightly
@settings(max_examples=AT_NIGHT, deadline=None)
@given(broken_texts() | broken_trees())
def test_thousands_of_broken_filters_are_refused_or_answered(table: Table, broken: str | Node) -> None:
    never_an_error(table, broken)
