"""Values of attributes as the columns of the OGC API read them: what is of another type than the model says is no value."""

import json

import pytest
from psycopg import sql

from geoapi.ogc.collections import all_collections
from geoapi.ogc.cql2 import Kind
from tests.databases import Database

NEITHER: tuple[object, ...] = ("abc", "7", None, [], [7], {}, {"a": 1})
KINDS: dict[Kind, dict[object, object]] = {
    Kind.INTEGER: {7: 7, -3: -3, 1.5: None, 1e30: None, True: None},
    Kind.NUMBER: {7: 7.0, 1.5: 1.5, True: None},
    Kind.BOOLEAN: {True: True, False: False, 7: None},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_of_another_type_is_none_and_fails_nothing(database: Database, kind: Kind) -> None:
    column, name = next(
        (one.column, one.name)
        for collection in all_collections().values()
        for one in collection.properties
        if one.kind is kind and "f.attributes" in one.column
    )
    values = [*KINDS[kind].items(), *((one, None) for one in NEITHER)]
    documents = [json.dumps({name: value}) for value, _ in values] + ["{}", f'{{"{name}": 1e400}}']
    query = sql.SQL(
        "SELECT {} FROM unnest(%s::jsonb[]) WITH ORDINALITY AS f (attributes, n) ORDER BY f.n"
    ).format(sql.SQL(column))
    with database.connect() as connection:
        found = connection.execute(query, [documents]).fetchall()
    assert [one for (one,) in found] == [*(told for _, told in values), None, None]
