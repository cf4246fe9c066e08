"""Features through the database and back."""

from typing import Any
from uuid import UUID

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from ler.db import functions, tables
from ler.db.rows import copy_features, feature_to_row, row_to_feature
from ler.errors import InputError
from ler.model import Feature, load_model
from tests.integration.test_db_world import NAN, World, cable, line, world
from tests.unit.test_db_rows import as_given, features

__all__ = ["world"]


def read_back(world: World, owner: UUID, version: UUID) -> list[Feature]:
    table = tables.staged_feature
    with world.acting(owner) as connection:
        rows = connection.execute(
            select(table).where(table.c.version_id == version).order_by(table.c.seq)
        ).mappings()
        return [row_to_feature(dict(row)) for row in rows]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.lists(features(), min_size=1, max_size=8, unique_by=lambda feature: feature.gml_id))
def test_any_features_come_back_as_they_were(world: World, data: list[Feature]) -> None:
    # The database takes what is valid in the plane; what is not is refused, not repaired.
    data = [each for each in data if each.geometry is None or each.geometry.is_valid]
    owner = world.organisation("owner")
    assert [as_given(each) for each in read_back(world, owner, world.stage(owner, data))] == [
        as_given(each) for each in data
    ]


def test_raw_columns_can_be_read_too(world: World) -> None:
    owner = world.organisation("owner")
    given_feature = cable("a", line((0, 0, NAN), (1, 1, 2)), vejledendeDybde=600.0)
    world.stage(owner, [given_feature])
    with world.acting(owner) as connection:
        row: Any = connection.execute(text("SELECT * FROM ler.staged_feature")).mappings().one()
        as_bytes: Any = (
            connection.execute(text("SELECT *, ST_AsEWKB(geom) AS ewkb FROM ler.staged_feature"))
            .mappings()
            .one()
        )
    assert isinstance(row["geom"], str)
    assert as_given(row_to_feature(dict(row))) == as_given(given_feature)
    assert as_given(row_to_feature({**as_bytes, "geom": as_bytes["ewkb"]})) == as_given(given_feature)


def test_a_riser_is_a_line(world: World) -> None:
    owner = world.organisation("owner")
    riser = cable("riser", line((5, 5, 0), (5, 5, 3)))
    assert [as_given(each) for each in read_back(world, owner, world.stage(owner, [riser]))] == [
        as_given(riser)
    ]


@pytest.mark.parametrize(
    "bad",
    [
        [cable("a", None), cable("a", None)],
        [cable("", None)],
        [cable("bow", shapely.Polygon([(0, 0, 0), (1, 1, 0), (1, 0, 0), (0, 1, 0)]))],
    ],
)
def test_what_the_table_refuses_is_told_without_the_databases_words(world: World, bad: list[Feature]) -> None:
    owner = world.organisation("owner")
    with pytest.raises(InputError) as caught:
        world.stage(owner, bad)
    assert "ler." not in str(caught.value)


def test_rows_are_stored_along_a_curve_and_keep_their_numbers(world: World) -> None:
    owner = world.organisation("owner")
    version = world.stage(owner, [])
    spread = [
        cable(f"c{i}", line((i * 37 % 101, i * 53 % 103, 0), (i * 37 % 101 + 1, i * 53 % 103, 0)))
        for i in range(500)
    ]
    rows = [
        feature_to_row(each, load_model().types[each.type], owner_id=owner, version_id=version, seq=number)
        for number, each in enumerate(spread)
    ]
    with world.acting(owner) as connection:
        assert copy_features(connection, iter(rows)) == 500
        assert copy_features(connection, []) == 0
        assert functions.publish_version(connection, version) == 500
        physical = (
            connection.execute(text("SELECT gml_id FROM ler.network_feature ORDER BY ctid")).scalars().all()
        )
        along = (
            connection.execute(text("SELECT gml_id FROM ler.network_feature ORDER BY geom")).scalars().all()
        )
        numbered = (
            connection.execute(text("SELECT gml_id FROM ler.network_feature ORDER BY seq")).scalars().all()
        )
    assert physical == along
    assert numbered == [each.gml_id for each in spread]
