"""Who has seen a line or an area: deliveries, what was fetched of them, and the owner's own reading."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from ler.db import tables
from ler.db.engine import transaction
from ler.db.functions import record_event
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.roles import Role
from ler.errors import NotFoundError, RefusedError
from ler.services.viewers import Question, Viewers, find_viewers
from tests.entering import enter_package
from tests.integration.test_db_world import World, at, cable, line, square, world

__all__ = ["world"]

WEST, EAST = square(0, 0, 10, 10), square(100, 0, 110, 10)
LONG = cable("long", line((1, 1, 0), (109, 1, 0)))
SHORT = cable("short", line((2, 2, 0), (5, 5, 0)))


def ask(world: World, who: UUID, asked: Question, **more: int) -> Viewers:
    with world.acting(who) as connection:
        return find_viewers(connection, who, asked, **more)


def dig(world: World, digger: UUID, area: object) -> UUID:
    request = world.request(digger, area)  # type: ignore[arg-type]
    world.match(digger, request)
    return request


def test_a_line_an_area_and_a_time_are_told_with_who_saw_them(world: World) -> None:
    owner, other = world.owner("owner"), world.owner("other")
    world.publish(owner, [LONG, SHORT])
    world.publish(other, [cable("long", line((3, 3, 0), (4, 4, 0)))])
    first, second = world.organisation("first", cvr="12345678"), world.organisation("second")
    west, east = dig(world, first, WEST), dig(world, second, EAST)

    found = ask(world, owner, Question(owner, ["long"]))
    assert [(one.request_id, one.requester_id, one.lines) for one in found.viewed] == [
        (east, second, ("long",)),
        (west, first, ("long",)),
    ]
    assert (found.viewed[1].requester_cvr, found.viewed[1].requester_name) == ("12345678", "first")
    assert {one.owner_id for one in found.viewed} == {owner}, (
        "another owner's line of that name is another line"
    )
    assert [one.request_id for one in ask(world, owner, Question(owner, ["short"])).viewed] == [west]
    assert ask(world, owner, Question(owner, ["nothing"])).viewed == []

    for area, requests in (
        (square(4, 4, 6, 6), [west]),
        (square(8, 0, 102, 3), [east, west]),
        (square(20, 0, 90, 3), []),  # the line is there, and nobody was shown that part of it
    ):
        assert [one.request_id for one in ask(world, owner, Question(owner, area=area)).viewed] == requests
    assert ask(world, owner, Question(owner, area=square(4, 4, 6, 6))).viewed[0].lines == ("short",)

    now = datetime.now(UTC)
    assert ask(world, owner, Question(owner, ["long"], since=now)).viewed == []
    assert len(ask(world, owner, Question(owner, ["long"], until=now)).viewed) == 2
    limited = ask(world, owner, Question(owner, ["long"]), most=1)
    assert ([one.request_id for one in limited.viewed], limited.more) == ([east], True)


def test_what_was_fetched_is_told_with_who_fetched_it(world: World) -> None:
    owner, digger, person = world.owner("owner"), world.organisation("digger"), uuid4()
    world.publish(owner, [LONG])
    request = dig(world, digger, WEST)
    other = dig(world, digger, WEST)
    with world.acting(None, role="ler_worker", request=request) as connection:
        assert enter_package(connection, request) == "entered"
    with world.acting(digger) as connection:
        made = connection.execute(select(tables.package.c.id)).scalar_one()
    with transaction(world.engines["ler_app"], digger, account=person) as connection:
        record_event(connection, "requester:package:download", actor=digger, object_id=made)
        record_event(connection, "requester:package:look", actor=digger, object_id=made)
    found = {one.request_id: one for one in ask(world, owner, Question(owner, ["long"])).viewed}
    told = found[request].downloads
    assert [(one["actor"], one["account"], one["provider"]) for one in told] == [
        (str(digger), str(person), None)
    ]
    assert found[other].downloads == []


def test_the_owners_own_reading_is_told_where_it_meets(world: World) -> None:
    owner, provider = world.owner("owner"), world.organisation("provider", role=Role.PROVIDER)
    world.publish(owner, [LONG, SHORT, cable("placeless", None)])
    (west, south), (east, north) = at((90, 0), (120, 20))
    with transaction(world.engines["ler_app"], owner, provider=provider) as connection:
        details = {"version": 1, "features": 1, "bbox": [west, south, east, north]}
        record_event(connection, "owner:network:read", actor=owner, details=details)
    with world.acting(owner) as connection:
        record_event(connection, "owner:network:read", actor=owner, details={"version": 2, "features": 9})

    def read(asked: Question) -> list[tuple[int, UUID | None]]:
        return [(one.version, one.provider_id) for one in ask(world, owner, asked).reads]

    assert read(Question(owner, ["long"])) == [(2, None), (1, provider)]
    assert read(Question(owner, ["short"])) == [(2, None)]
    assert read(Question(owner, ["placeless"])) == [(2, None), (1, provider)]
    assert read(Question(owner, area=WEST)) == [(2, None)]
    assert read(Question(owner, area=EAST)) == [(2, None), (1, provider)]
    assert read(Question(owner, ["nothing"])) == []


def test_of_others_lines_nobody_asks_but_who_audits_and_every_question_is_recorded(world: World) -> None:
    owner, other = world.owner("owner"), world.owner("other")
    for one in (owner, other):
        world.publish(one, [SHORT])
    digger, auditor = world.organisation("digger"), world.organisation("auditor", role=Role.AUDITOR)
    dig(world, digger, WEST)
    for who, whose in ((other, owner), (digger, owner), (owner, None), (digger, None), (uuid4(), owner)):
        for asked in (Question(whose, ["short"]), Question(whose, area=WEST)):
            with pytest.raises(NotFoundError):
                ask(world, who, asked)
    for who in (auditor, PLATFORM_OPERATOR):
        assert {one.owner_id for one in ask(world, who, Question(None, ["short"])).viewed} == {owner, other}
        assert {one.owner_id for one in ask(world, who, Question(owner, area=WEST)).viewed} == {owner}
    with world.acting(PLATFORM_OPERATOR) as connection:
        columns = tables.audit_event.c
        recorded = select(columns.actor, columns.object_id).where(columns.action == "audit:viewer:search")
        rows = {(row.actor, row.object_id) for row in connection.execute(recorded)}
    assert rows == {(who, whose) for who in (auditor, PLATFORM_OPERATOR) for whose in (None, owner)}


@pytest.mark.parametrize(
    "asked", [Question(None), Question(None, ["a"], WEST), Question(None, [str(i) for i in range(101)])]
)
def test_a_question_about_nothing_or_too_much_is_refused(world: World, asked: Question) -> None:
    with pytest.raises(RefusedError) as caught:
        ask(world, PLATFORM_OPERATOR, asked)
    assert caught.value.code == "question-invalid"
