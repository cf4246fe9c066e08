"""Owners whose lines may lie in the area although their interest areas end beside it: asked, and nothing leaks of it."""

from collections.abc import Iterator

import pytest
import shapely
from sqlalchemy import text

from ler.db import tables
from ler.domain.roles import Role
from ler.model import Feature
from tests.databases import Database
from tests.integration.sensitive import MARKING, NEVER, RESTRICTED, rule, told
from tests.integration.test_db_world import World, at, cable, line, square

AREA = square(0, 0, 100, 15)
BESIDE = square(0, -50, 100, -1)
"""An interest area that ends a metre from the dig."""
BAND_M = 0.6
"""Half a band of the cables below: 0.50 m, and half of 0.20 m."""


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    made = World(database)
    yield made
    made.close()


def away(distance_m: float, gml_id: str = "near", **told: object) -> Feature:
    accuracy = {"noejagtighedsklasse": "<= 0.50 m", **told}
    return cable(gml_id, line((10, -distance_m, 0), (90, -distance_m, 0)), **accuracy)  # type: ignore[arg-type]


def asked(world: World, **values: object) -> dict[str, tuple[str | None, int | None]]:
    """Ask, with bands unless told otherwise; return each owner asked and its answer."""
    digger = world.organisation("digger")
    request = world.request(digger, AREA, **{"unknown_accuracy_m": 5.0, **values})
    answers = world.match(digger, request)
    with world.acting(tables.PLATFORM_OPERATOR) as connection:
        names = {
            row.id: row.name for row in connection.execute(text("SELECT id, name FROM ler.organisation"))
        }
    return {names[one.owner_id]: (one.answer_type, one.feature_count) for one in answers.values()}


def test_an_owner_is_asked_whose_band_reaches_in_and_no_other(world: World) -> None:
    for name, feature in {
        "reaches": away(BAND_M - 0.01),
        "ends": away(BAND_M + 0.01),
        "unbounded": away(5.09, noejagtighedsklasse="> 2.00 m"),
        "manual": away(0.3),
        "ended": away(0.3),
        "text": Feature("TextAnnotation", "note", {}, {}, line((10, -0.3, 0), (90, -0.3, 0))),
    }.items():
        world.publish(world.owner(name, BESIDE), [feature])
    two = world.owner("two", square(0, -500, 100, -100))
    nearest = world.interest_area(two, BESIDE)
    world.publish(two, [away(0.3)])
    world.owner("nothing published", BESIDE)
    with world.database.connect() as connection:
        for what, name in (("answered_by = 'owner'", "manual"), ("ended_at = now()", "ended")):
            connection.execute(
                f"UPDATE ler.interest_area AS i SET {what} FROM ler.organisation AS o"  # noqa: S608 - words from here
                " WHERE o.id = i.owner_id AND o.name = %s",
                [name],
            )
    assert asked(world) == dict.fromkeys(
        ("reaches", "unbounded", "two"), ("ledningsoplysninger udleveret", 1)
    )
    assert asked(world, unknown_accuracy_m=None) == {}
    assert asked(world, utility_types=["vand"]) == {}
    with world.acting(two) as connection:
        places = (
            connection.execute(text("SELECT DISTINCT interest_area_id FROM ler.owner_request"))
            .scalars()
            .all()
        )
    assert places == [nearest]


def test_what_was_taken_away_asks_nobody(world: World) -> None:
    owner = world.owner("owner", BESIDE)
    world.publish(owner, [away(0.3)])
    world.publish(owner, [away(30, "far")])
    assert asked(world) == {}


def test_who_asks_for_orientation_is_told_the_same_owners(world: World) -> None:
    world.publish(world.owner("reaches", BESIDE), [away(0.3)])
    world.publish(world.owner("ends", BESIDE), [away(0.7)])
    authority = world.organisation("town", role=Role.AUTHORITY)
    request = world.request(authority, AREA, kind="orientation", unknown_accuracy_m=5.0)
    with world.acting(authority) as connection:
        connection.execute(text("SELECT ler.name_owners(:request)"), {"request": request})
        named = connection.execute(text("SELECT owners_named FROM ler.excavation_request")).scalar_one()
    assert [(one["name"], one["utility_types"]) for one in named] == [("reaches", ["el"])]


@pytest.mark.parametrize(("kind", "joined"), [(RESTRICTED, False), (MARKING, True), (NEVER, True)])
@pytest.mark.parametrize("place", [BESIDE, square(-50, -50, 150, 50)], ids=["area beside", "area there"])
def test_a_withheld_line_that_is_moved_within_its_cells_changes_no_answer(
    world: World, kind: str, place: shapely.Polygon, *, joined: bool
) -> None:
    owner, digger = world.owner("owner", place), world.organisation("digger")
    rule(world, owner, kind, feature_types=["Elledning"])
    # Its cells end at the edge of the first dig, 0.55 m from the second, 0.65 m from the third and 7 m from the last.
    digs = [square(0, edge, 100, 15) for edge in (0, 0.55, 0.65, 7)]
    answers = []
    for away_m in (0.01, 0.59, 6.6, 19.9):
        end = Feature("Elkomponent", "end", {"type": "muffe"}, {}, shapely.Point(*at((10, -away_m, 0))))
        secret = away(away_m, "secret", **({"startkomponent": ["end"]} if joined else {}))
        world.publish(owner, [secret, *([end] if joined else [])])
        given = []
        for dig in digs:
            request = world.request(digger, dig, unknown_accuracy_m=5.0)
            world.match(digger, request)
            found = told(world, digger, request, owner)
            assert found is None or found.features == set()
            given.append(found and (found.type, found.words, found.cells, found.state))
        answers.append(given)
    assert answers.count(answers[0]) == len(answers)
    # The joint's band is 6.5 m.
    warned = ["Grav ikke" in str(found) for found in answers[0]]
    assert warned == [True, True, joined, False]


def test_a_public_line_is_delivered_beside_a_withheld_one_that_is_told_of(world: World) -> None:
    owner, digger = world.owner("owner", BESIDE), world.organisation("digger")
    world.publish(owner, [away(0.3, "secret"), Feature("Vandledning", "plain", {}, {}, away(0.3).geometry)])
    rule(world, owner, MARKING, feature_types=["Elledning"])
    request = world.request(digger, AREA, unknown_accuracy_m=5.0)
    world.match(digger, request)
    found = told(world, digger, request, owner)
    assert found is not None
    assert (found.type, found.features) == (
        "udtaget til påvisning - ledningsoplysninger udleveret",
        {"plain"},
    )
