"""Lines that must never be stored are refused in an owner's own answer too, and one that its owner gives ends what waited."""

import pytest
from sqlalchemy import text

from ler.domain.answers import AnswerType
from ler.domain.states import OwnerState
from ler.services.answers import NewAnswer
from tests.integration.sensitive import NEVER, RESTRICTED, decide, rule, told
from tests.integration.test_db_world import World, square, world
from tests.integration.test_owner_answers import AREA, CROSSING, INSIDE, ask, give, refusal, update

__all__ = ["world"]


def test_an_answer_with_a_forbidden_line_is_refused_and_nothing_of_it_stays(world: World) -> None:
    owner, _, _ = ask(world)
    rule(world, None, NEVER, area=square(140, 40, 160, 60))
    answer = NewAnswer(AnswerType.DELIVERED, features=[INSIDE, CROSSING])
    assert refusal(world, owner, answer) == "line-forbidden"
    with world.database.connect() as connection:
        row = connection.execute("SELECT count(*) FROM ler.package_feature").fetchone()
    assert row == (0,)
    assert give(world, owner, NewAnswer(AnswerType.DELIVERED, features=[INSIDE])).state is OwnerState.ANSWERED


def test_the_owners_own_answer_ends_what_waited_for_its_word(world: World) -> None:
    owner, digger = world.owner("owner"), world.organisation("digger")
    world.publish(owner, [INSIDE, CROSSING])
    rule(world, owner, RESTRICTED, gml_ids=["a"])
    request = world.request(digger, AREA)
    world.match(digger, request)
    waiting = told(world, digger, request, owner)
    assert waiting is not None
    assert waiting.awaits_owner
    given = give(world, owner, update(NewAnswer(AnswerType.DELIVERED, features=[CROSSING])))
    assert given.state is OwnerState.ANSWERED
    with pytest.raises(Exception, match="nothing awaits a decision"):
        decide(world, owner, waiting.answer_id, deliver=True)
    with world.acting(digger) as connection:
        rows = connection.execute(
            text(
                "SELECT f.gml_id FROM ler.package_feature AS f JOIN ler.owner_answer AS a ON a.id = f.answer_id"
                " WHERE a.replaced_at IS NULL"
            )
        ).scalars()
        assert [*rows] == ["b"]
