"""What is told to whom, in the transaction of the act: by triggers, and nothing of it twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from ler.db import tables
from ler.model import Feature
from ler.services.notices import Notice, list_newest_notices, list_notices
from ler.services.requests import cancel_request
from tests.integration.sensitive import MARKING, RESTRICTED, rule
from tests.integration.test_db_world import World, cable, line, square, world
from tests.notices import data_of, told

__all__ = ["world"]

AREA = square(0, 0, 100, 100)
INSIDE = cable("a", line((1, 1, 0), (9, 9, 0)))
OUTSIDE = cable("far", line((500, 1, 0), (509, 9, 0)))
SOON = datetime.now(UTC) + timedelta(days=30)


@pytest.fixture
def digger(world: World) -> UUID:
    return world.organisation("The Digger", cvr="11111111", email="digger@example.dk")


def ask(world: World, digger: UUID, **values: object) -> UUID:
    request = world.request(digger, AREA, **values)
    with world.database.connect() as connection:
        connection.execute(
            "UPDATE ler.excavation_request SET period_to = now() + interval '9 days' WHERE id = %s", [request]
        )
    world.match(digger, request)
    return request


def tell_changes(world: World) -> int:
    turns = 0
    while turns < 50:
        with world.acting(None, role="ler_worker") as connection:
            if not connection.execute(text("SELECT ler.tell_changes(2)")).scalar_one():
                return turns
        turns += 1
    raise AssertionError("it never came to an end")


def forget_changes(world: World) -> None:
    """As if all that was registered and published had been told long ago."""
    with world.database.connect() as connection:
        connection.execute("UPDATE ler.change_task SET done_at = now()")


def feed(world: World, audience: UUID, after: int = 0) -> list[Notice]:
    with world.acting(audience) as connection:
        return list_notices(connection, after=after, limit=1000)


def test_a_request_is_told_to_those_it_concerns(world: World, digger: UUID) -> None:
    silent, central = world.owner("silent"), world.owner("central")
    world.publish(central, [INSIDE])
    forget_changes(world)
    request = ask(world, digger)
    assert told(world, digger) == ["request.created", "owner.answered"]
    assert told(world, silent) == ["owner.asked"]
    assert told(world, central) == ["owner.asked"]
    asked = {owner: data_of(world, owner, "owner.asked")[0] for owner in (silent, central)}
    assert asked[central]["quiet"], "nothing is left to do for it"
    assert not asked[silent]["quiet"]
    assert {"owner_request_id", "due_at", "kind", "registration_number"} <= set(asked[silent])
    with world.database.connect() as connection:
        numbers = connection.execute(
            "SELECT number FROM ler.notice WHERE request_id = %s ORDER BY 1", [request]
        ).fetchall()
    assert [number for (number,) in numbers] == [1, 2, 3, 4]


def test_what_is_rolled_back_is_not_told(world: World, digger: UUID) -> None:
    world.owner("silent")
    request = world.request(digger, AREA)
    with pytest.raises(ZeroDivisionError), world.acting(digger) as connection:  # noqa: PT012 - the block is what fails
        from conflicts.match import match_request  # noqa: PLC0415

        match_request(connection, request)
        raise ZeroDivisionError
    assert told(world, digger) == []


def test_notices_hold_no_geometry_and_no_person(world: World) -> None:
    digger = world.organisation("Jens Jensen", email="jens@example.dk")
    owner = world.owner("Hans Hansen")
    ask(world, digger, contact_person="Per Persen", contact_email="per@example.dk")
    with world.database.connect() as connection:
        connection.execute(
            "UPDATE ler.owner_request SET due_at = now() - interval '1 s', received_at = now() - interval '1 d'"
        )
        connection.execute("SELECT ler.mark_late()")
        rows = connection.execute("SELECT data::text, audience_id FROM ler.notice").fetchall()
    assert {audience for _, audience in rows} == {digger, owner}
    for data, _ in rows:
        for secret in ("Jens", "Hans", "Per", "@", "POLYGON", "coordinates", "700"):
            assert secret not in data


def test_cancelling_tells_each_owner_once(world: World, digger: UUID) -> None:
    owner = world.owner("two areas")
    world.interest_area(owner, square(-500, -500, 500, 500))
    request = ask(world, digger)
    assert told(world, owner) == ["owner.asked"] * 2
    with world.acting(digger) as connection:
        cancel_request(connection, request)
    assert told(world, owner).count("request.cancelled") == 1
    assert told(world, digger).count("request.cancelled") == 1
    with world.database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM ler.answer_watch").fetchone() == (0,)


def test_late_owners_are_told_to_the_requester_once_and_move_the_revision(world: World, digger: UUID) -> None:
    world.owner("silent")
    request = ask(world, digger)
    with world.database.connect() as connection:
        before = connection.execute("SELECT revision FROM ler.excavation_request").fetchone()
        connection.execute(
            "UPDATE ler.owner_request SET received_at = received_at - interval '9 days', due_at = now() - interval '1 s'"
        )
        for marked in (1, 0):
            assert connection.execute("SELECT ler.mark_late()").fetchone() == (marked,)
        after = connection.execute(
            "SELECT revision FROM ler.excavation_request WHERE id = %s", [request]
        ).fetchone()
    assert told(world, digger).count("owner.late") == 1
    assert before is not None
    assert after == (before[0] + 1,)


def test_marking_late_waits_for_nobody(world: World, digger: UUID) -> None:
    """Whoever holds a request may need what the sweep holds: the sweep goes on to the next."""
    world.owner("silent")
    held, free = ask(world, digger), ask(world, digger)
    with world.database.connect() as connection:
        connection.execute(
            "UPDATE ler.owner_request SET received_at = received_at - interval '9 days', due_at = now() - interval '1 s'"
        )
    with world.database.connect() as holder, world.database.connect() as sweep:
        holder.execute("BEGIN")
        holder.execute("SELECT FROM ler.excavation_request WHERE id = %s FOR UPDATE", [held])
        sweep.execute("SET lock_timeout = '1s'")
        assert sweep.execute("SELECT ler.mark_late()").fetchone() == (1,)
        holder.execute("ROLLBACK")
        late = sweep.execute("SELECT request_id FROM ler.owner_request WHERE late").fetchall()
        assert late == [(free,)]
        assert sweep.execute("SELECT ler.mark_late()").fetchone() == (1,)


def test_answers_are_told_as_first_as_corrected_and_as_withdrawn(world: World, digger: UUID) -> None:
    owner = world.owner("The Owner")
    request = ask(world, digger)

    def answer(revision: int, answer_type: str = "ingen ledninger i graveområde") -> None:
        with world.database.connect() as connection:
            connection.execute("UPDATE ler.owner_answer SET replaced_at = now() WHERE replaced_at IS NULL")
            connection.execute(
                "INSERT INTO ler.owner_answer (request_id, requester_id, owner_id, answer_type, revision, given_by)"
                " VALUES (%s, %s, %s, %s, %s, 'owner')",
                [request, digger, owner, answer_type, revision],
            )

    answer(1, "udtaget til manuel behandling")
    answer(2)
    answer(3)
    with world.database.connect() as connection:
        connection.execute(
            "UPDATE ler.owner_answer SET withdrawn_at = now(), replaced_at = now() WHERE revision = 3"
        )
    assert told(world, digger)[1:] == [
        "owner.answered",
        "owner.answered",
        "owner.corrected",
        "owner.withdrawn",
    ]


def test_a_publication_is_told_to_those_whose_areas_it_changes(world: World, digger: UUID) -> None:
    owner = world.owner("The Owner")
    world.publish(owner, [INSIDE, OUTSIDE])
    ask(world, digger)
    forget_changes(world)
    world.publish(owner, [INSIDE, cable("far", line((500, 1, 0), (509, 8, 0)))])
    tell_changes(world)
    assert "network.changed" not in told(world, digger), "nothing has changed where it digs"

    moved = cable("a", line((1, 1, 0), (9, 8, 0)))
    version = world.publish(owner, [moved, cable("new", line((5, 5, 0), (6, 6, 0)))])
    assert "network.changed" not in told(world, digger), "the publication waits for nobody"
    tell_changes(world)
    world.publish(owner, [moved])
    tell_changes(world)
    first, second = data_of(world, digger, "network.changed")
    counts = ("added", "removed", "changed")
    assert tuple(first[name] for name in counts) == (1, 0, 1)
    assert first["version_id"] == str(version)
    assert tuple(second[name] for name in counts) == (0, 1, 0)
    assert not first["withheld"]
    assert tell_changes(world) == 0


@pytest.mark.parametrize("kind", [MARKING, RESTRICTED])
def test_of_lines_that_are_not_shown_it_is_told_that_something_changed_in_their_cells(
    world: World, digger: UUID, kind: str
) -> None:
    owner = world.owner("The Owner")
    rule(world, owner, kind, gml_ids=["secret"])
    plain = cable("plain", line((1, 90, 0), (9, 90, 0)))
    # In the cells along the edge of the dig, outside of it; the trace around the line is as secret.
    places = [line((101, y, 0), (109, y, 0)) for y in (3, 4, 19)]
    versions = [
        [
            plain,
            cable("secret", place),
            Feature("Foeringsroer", "duct", {"indeholdtLedning": ["secret"]}, {}, place),
        ]
        for place in places
    ]
    world.publish(owner, versions[0])
    ask(world, digger)
    forget_changes(world)
    for features in versions[1:]:
        world.publish(owner, features)
        tell_changes(world)
    world.publish(owner, [plain, cable("secret", line((150, 1, 0), (159, 1, 0)))])
    world.publish(owner, [plain, cable("secret", line((151, 1, 0), (159, 1, 0)))])
    tell_changes(world)
    given = data_of(world, digger, "network.changed")
    assert [{name: one[name] for name in ("added", "removed", "changed", "withheld")} for one in given] == [
        {"added": 0, "removed": 0, "changed": 0, "withheld": True}
    ] * 3


def test_who_asked_after_a_publication_is_not_told_of_it(world: World, digger: UUID) -> None:
    owner = world.owner("The Owner")
    world.publish(owner, [INSIDE])
    world.publish(owner, [])
    ask(world, digger)
    tell_changes(world)
    assert "network.changed" not in told(world, digger)


def test_a_request_matched_against_the_old_version_while_it_was_replaced_is_told(
    world: World, digger: UUID
) -> None:
    """Its transaction is not seen by the first look, and is open for long: the second look comes when it has ended."""
    owner = world.owner("The Owner")
    world.publish(owner, [INSIDE])
    forget_changes(world)
    request = world.request(digger, AREA)
    with world.database.connect() as connection:
        connection.execute(
            "UPDATE ler.excavation_request SET period_to = now() + interval '9 days' WHERE id = %s", [request]
        )
    with world.acting(digger) as slow:
        slow.execute(
            text("SELECT * FROM ler.match_request(:request, :due)"), {"request": request, "due": SOON}
        )
        world.publish(owner, [])
        looks = tell_changes(world)
        assert looks >= 1
        assert "network.changed" not in told(world, digger)
        assert tell_changes(world) == 0, "the second look waits for the open transaction"
    tell_changes(world)
    assert told(world, digger).count("network.changed") == 1


def test_a_new_owner_is_told_while_the_request_is_valid(world: World, digger: UUID) -> None:
    known = world.owner("known")
    ask(world, digger)
    over = ask(world, digger)
    with world.database.connect() as connection:
        connection.execute("UPDATE ler.excavation_request SET period_to = '2026-05-08' WHERE id = %s", [over])
    water = ask(world, digger, utility_types=["vand"])
    forget_changes(world)
    world.interest_area(known, square(-10, -10, 10, 10))
    world.owner("elsewhere", square(500, 500, 600, 600))
    new = world.owner("new", square(-10, -10, 10, 10))
    tell_changes(world)
    with world.database.connect() as connection:
        rows = connection.execute(
            "SELECT owner_id, request_id FROM ler.notice WHERE kind = 'owner.appeared'"
        ).fetchall()
    assert [owner for owner, _ in rows] == [new]
    assert {request for _, request in rows}.isdisjoint({over, water})
    assert tell_changes(world) == 0


def test_a_feed_has_no_gaps_and_misses_nothing_that_is_committed_late(world: World, digger: UUID) -> None:
    world.owner("silent")
    first = ask(world, digger)
    with world.database.connect() as slow:
        slow.execute("BEGIN")
        slow.execute("SELECT FROM ler.excavation_request WHERE id = %s FOR UPDATE", [first])
        slow.execute("UPDATE ler.owner_request SET state = 'acknowledged' WHERE request_id = %s", [first])
        ask(world, digger)
        seen = feed(world, digger)
        slow.execute("COMMIT")
    late = feed(world, digger, after=seen[-1].position)
    assert [one.kind for one in late] == ["owner.acknowledged"]
    assert late[0].at < seen[-1].at, "an older time, and a later place"
    assert [one.position for one in [*seen, *late]] == list(range(1, len(seen) + 2))
    with world.acting(digger) as connection:
        newest = list_newest_notices(connection, limit=2)
    assert [one.position for one in newest] == [len(seen) + 1, len(seen)]


def test_readers_at_once_give_each_notice_one_place(world: World, digger: UUID) -> None:
    world.owner("silent")
    for _ in range(5):
        ask(world, digger)
    with ThreadPoolExecutor(5) as pool:
        feeds = list(pool.map(lambda _: [one.id for one in feed(world, digger)], range(5)))
    assert all(one == feeds[0] for one in feeds)
    assert len(set(feeds[0])) == 5


def test_nobody_sees_what_another_is_told(world: World, digger: UUID) -> None:
    owner = world.owner("silent")
    ask(world, digger)
    assert [one.kind for one in feed(world, owner)] == ["owner.asked"]
    assert [one.kind for one in feed(world, digger)] == ["request.created"]
    assert feed(world, tables.PLATFORM_OPERATOR) == []
