"""A drawing that would show a withheld line is withheld with it."""

import pytest
from sqlalchemy import text

from tests.integration.sensitive import MARKING, NEVER, RESTRICTED, decide, rule, told
from tests.integration.test_db_world import World, cable, line, square, world
from tests.integration.test_drawings_matched import add_drawing, attachment, delivered, match_with_drawings

__all__ = ["world"]

AREA = square(0, 0, 95, 10)
SECRET = line((1, 1, 0), (9, 9, 0))
PLAIN = line((61, 5, 0), (70, 5, 0))


@pytest.mark.parametrize("kind", [RESTRICTED, MARKING, NEVER])
def test_what_would_show_the_line_is_withheld_and_the_rest_delivered(world: World, kind: str) -> None:
    owner, other = world.owner("owner"), world.owner("other")
    features = [
        cable("secret", SECRET, bilag=["paper"]),
        cable("plain", PLAIN, bilag=["plan"]),
        attachment("paper", "paper.tif"),
        attachment("plan", "plan.tif"),
    ]
    for each in (owner, other):
        world.publish(each, features)
        add_drawing(world, each, "over both.tif", square(0, 0, 90, 10))
        add_drawing(world, each, "in its cell.tif", square(12, 12, 19, 19))
        add_drawing(world, each, "plain.tif", square(60, 0, 75, 10))
        # Clipped, what is delivered of it does not show the line; whole, it would.
        add_drawing(world, each, "whole.tif", square(60, -100, 75, 10), deliver="whole")
        add_drawing(world, each, "linked.tif", square(60, 0, 75, 10), linked_gml_ids=["secret", "plain"])
        add_drawing(world, each, "paper.tif", square(60, 0, 75, 10))
        add_drawing(world, each, "plan.tif", square(500, 500, 510, 510))
    rule(world, owner, kind, gml_ids=["secret"])
    digger = world.organisation("digger")
    request = world.request(digger, AREA)
    match_with_drawings(world, digger, request)
    with world.acting(digger) as connection:
        rows = connection.execute(text("SELECT owner_id, name FROM ler.package_drawing")).all()
    names = {each: {name for owner_id, name in rows if owner_id == each} for each in (owner, other)}
    assert names[other] == {
        *("over both.tif", "plain.tif", "whole.tif", "linked.tif", "paper.tif", "plan.tif")
    }
    assert names[owner] == {"plain.tif", "whole.tif", "plan.tif"}


def test_a_whole_drawing_that_shows_a_line_elsewhere_is_withheld(world: World) -> None:
    owner = world.owner("owner")
    world.publish(owner, [cable("plain", PLAIN), cable("secret", line((61, -95, 0), (70, -95, 0)))])
    add_drawing(world, owner, "whole.tif", square(60, -100, 75, 10), deliver="whole")
    add_drawing(world, owner, "clipped.tif", square(60, -100, 75, 10))
    rule(world, owner, RESTRICTED, gml_ids=["secret"])
    digger = world.organisation("digger")
    request = world.request(digger, AREA)
    match_with_drawings(world, digger, request)
    assert delivered(world, digger, request).keys() == {"clipped.tif"}
    found = told(world, digger, request, owner)
    assert found is not None
    assert found.type == "ledningsoplysninger udleveret", "nothing is withheld of what was asked for"


def test_the_owners_yes_delivers_the_drawing_too(world: World) -> None:
    owner, digger = world.owner("owner"), world.organisation("digger")
    world.publish(owner, [cable("secret", SECRET), cable("marked", line((41, 5, 0), (49, 5, 0)))])
    add_drawing(world, owner, "secret.tif", square(0, 0, 10, 10), linked_gml_ids=["secret"])
    add_drawing(world, owner, "marked.tif", square(40, 0, 50, 10))
    rule(world, owner, RESTRICTED, gml_ids=["secret"])
    rule(world, owner, MARKING, gml_ids=["marked"])
    request = world.request(digger, AREA)
    assert match_with_drawings(world, digger, request) == 0
    found = told(world, digger, request, owner)
    assert found is not None
    decide(world, owner, found.answer_id, deliver=True)
    assert delivered(world, digger, request) == {"secret.tif": ["secret"]}
