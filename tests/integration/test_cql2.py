"""Filters by chance, asked of PostGIS and of geopandas: the same features, or a refusal; never an error of the database."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoapi.ogc.cql2 import Filter, FilterError, compile_filter
from tests.cql2_filters import FILTERS, Node, broken_texts, broken_trees, text_of
from tests.cql2_oracle import Oracle
from tests.cql2_world import QUERYABLES, Table, features, features_in_table
from tests.databases import SharedCluster

OF_SIZE = {"number-range", "division-by-zero"}
"""What a filter that is in order may be refused for: numbers that no double can hold."""
EXAMPLES, AT_NIGHT = 200, 6_000


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return Oracle(features())


@pytest.fixture(scope="module")
def table(shared_cluster: SharedCluster, empty_template: str) -> Iterator[Table]:
    with features_in_table(shared_cluster, empty_template, features()) as made:
        yield made


def agree(table: Table, oracle: Oracle, node: Node, crs: str) -> None:
    """Text and JSON of a filter are the same filter, and find what geopandas finds."""
    text = text_of(node)
    try:
        made = compile_filter(json.dumps(node), QUERYABLES, lang="cql2-json", crs=crs)
    except FilterError as error:
        assert error.reason in OF_SIZE, (text, error)
        return
    assert compile_filter(text, QUERYABLES, lang="cql2-text", crs=crs) == made, text
    found, expected = table.ids(made.sql, made.values), oracle.ids(node, crs)
    differing = set(found) ^ set(expected)
    assert all(oracle.unsure(node, crs, row) for row in differing), (text, crs, sorted(differing))


def never_an_error(table: Table, given: str | Node) -> None:
    """A filter with a fault is refused, or is another filter that the database answers."""
    try:
        made = compile_filter(
            given, QUERYABLES, lang="cql2-text" if isinstance(given, str) else "cql2-json"
        )
    except FilterError as error:
        assert len(str(error)) < 2000
        return
    assert isinstance(made, Filter)
    table.ids(made.sql, made.values)


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
@given(st.one_of(broken_texts(), broken_trees()))
def test_thousands_of_broken_filters_are_refused_or_answered(table: Table, broken: str | Node) -> None:
    never_an_error(table, broken)
