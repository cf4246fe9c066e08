"""How much may be asked for, and the alarm when it looks like the drawing of a map; how often one may call."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from shapely import MultiPolygon
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from geoapi.problems import problem_of
from ler.db import tables
from ler.db.engine import sqlstate
from ler.domain.roles import Role
from ler.services.grants import end_grant, grant_role, list_grants
from tests.integration.test_db_world import World, square, world

__all__ = ["world"]

OPERATOR = tables.PLATFORM_OPERATOR


def limit(world: World, organisation: UUID, **values: Any) -> None:  # noqa: ANN401 - columns of the limit
    with world.acting(OPERATOR) as connection:
        connection.execute(tables.request_limit.insert().values(owner_id=organisation, **values))


def refused(world: World, digger: UUID, *place: float) -> str:
    with pytest.raises(DBAPIError) as caught:
        world.request(digger, square(*place))
    assert sqlstate(caught.value) in {"LE403", "LE405", "LE429"}
    return problem_of(caught.value).slug


def alarms(world: World) -> list[tuple[UUID, str, dict[str, Any]]]:
    with world.database.connect() as connection:
        return connection.execute("SELECT owner_id, kind, data FROM ler.alarm ORDER BY at").fetchall()


def test_requests_and_areas_of_a_day_and_a_month_have_limits(world: World) -> None:
    digger, other = world.organisation("digger"), world.organisation("other")
    limit(world, digger, requests_per_day=3, area_m2_per_day=1000.0, area_m2_per_month=1500.0)
    world.request(digger, square(0, 0, 10, 90))
    assert refused(world, digger, 0, 0, 10, 11) == "request-limit"
    world.request(digger, square(0, 0, 10, 10))
    with world.database.connect() as connection:
        connection.execute("UPDATE ler.excavation_request SET created_at = now() - interval '25 hours'")
    assert refused(world, digger, 0, 0, 10, 51) == "request-limit"
    for _ in range(3):
        world.request(digger, square(0, 0, 10, 10))
    assert refused(world, digger, 0, 0, 1, 1) == "request-limit"
    world.request(other, square(0, 0, 100, 100))


def test_two_requests_at_once_are_not_both_the_last(world: World) -> None:
    digger = world.organisation("digger")
    limit(world, digger, requests_per_day=1)
    together = Barrier(4)

    def ask(number: int) -> str:
        together.wait(10)
        try:
            world.request(digger, square(number, 0, number + 1, 1))
        except DBAPIError as error:
            return str(sqlstate(error))
        return "asked"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(ask, range(4))) == ["LE429"] * 3 + ["asked"]


def test_a_role_for_an_area_does_not_ask_outside_it(world: World) -> None:
    digger = world.organisation("digger")
    with world.acting(OPERATOR) as connection:
        for one in list_grants(connection, digger):
            end_grant(connection, one.id)
        for west in (0, 100):
            area = MultiPolygon([square(west, 0, west + 100, 100)])
            grant_role(connection, digger, Role.EXCAVATOR, area=area)
    world.request(digger, square(50, 0, 150, 50))
    assert refused(world, digger, 150, 0, 201, 50) == "area-not-granted"


def test_an_authority_asks_owners_only_where_it_is_an_excavator_too(world: World) -> None:
    town = world.organisation("town", role=Role.AUTHORITY)
    with world.acting(OPERATOR) as connection:
        grant_role(connection, town, Role.EXCAVATOR, area=MultiPolygon([square(0, 0, 100, 100)]))
    world.request(town, square(10, 10, 20, 20))
    world.request(town, square(110, 0, 120, 10), kind="orientation")
    assert refused(world, town, 110, 0, 120, 10) == "role-missing"


def test_areas_side_by_side_raise_one_alarm_a_day_and_the_operator_is_told(world: World) -> None:
    digger, other = world.organisation("digger"), world.organisation("other")
    for number in range(3):
        world.request(digger, square(number * 500, 0, number * 500 + 499, 600))
        world.request(other, square(number * 2000, 0, number * 2000 + 499, 600))
        world.request(other, square(0, 0, 499, 600))
    assert alarms(world) == []
    for number in range(3, 6):
        world.request(digger, square(number * 500, 0, number * 500 + 499, 600))
    assert [(owner, kind) for owner, kind, _ in alarms(world)] == [(digger, "tiling")]
    assert alarms(world)[0][2]["requests"] == 4
    with world.database.connect() as connection:
        told = connection.execute(
            "SELECT audience_id, owner_id FROM ler.notice WHERE kind = 'platform.tiling'"
        ).fetchall()
        kept = connection.execute(
            "SELECT actor FROM ler.audit_event WHERE action = 'platform:tiling:alarm'"
        ).fetchall()
    assert (told, kept) == ([(OPERATOR, digger)], [(digger,)])


def test_the_operator_is_mailed_of_areas_side_by_side_once_a_case(world: World) -> None:
    digger = world.organisation("digger")
    with world.database.connect() as connection:
        connection.execute("UPDATE ler.organisation SET email = 'vagt@drift.dk' WHERE id = %s", [OPERATOR])

    def ask_side_by_side(east: float, first: int, after_last: int) -> list[int]:
        for number in range(first, after_last):
            world.request(digger, square(east + number * 500, 0, east + number * 500 + 499, 600))
        with world.database.connect() as connection:
            # A day later, to the database.
            connection.execute("UPDATE ler.alarm SET at = at - interval '25 hours'")
            mailed = connection.execute(
                "SELECT (n.data -> 'requests')::int FROM ler.outbox AS o JOIN ler.notice AS n ON n.id = o.notice_id"
                " WHERE n.kind = 'platform.tiling' AND o.address = 'vagt@drift.dk' ORDER BY o.id"
            ).fetchall()
        return [row[0] for row in mailed]

    assert ask_side_by_side(0, 0, 4) == [4]
    assert ask_side_by_side(0, 4, 6) == [4], "the same case, a day later"
    assert len(alarms(world)) == 2
    assert ask_side_by_side(20_000, 0, 4) == [4, 4], "another, elsewhere"


def take(world: World, bucket: str, most: int) -> Any:  # noqa: ANN401 - a row
    with world.database.connect() as connection:
        return connection.execute("SELECT * FROM ler.take_call(%s, %s)", [bucket, most]).fetchone()


def test_a_bucket_gives_what_is_in_it_and_fills_again(world: World) -> None:
    taken = [take(world, "read a", 5) for _ in range(6)]
    assert [row[0] for row in taken] == [True] * 5 + [False]
    assert [row[1] for row in taken[:5]] == [4, 3, 2, 1, 0]
    assert 0 < taken[5][3] <= 12
    assert take(world, "read b", 5)[0], "another's is its own"
    with world.database.connect() as connection:
        connection.execute("UPDATE ler.call_bucket SET empty_at = empty_at - interval '13 s'")
    assert [take(world, "read a", 5)[0] for _ in range(2)] == [True, False]


def test_calls_at_once_are_all_counted(world: World) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = [*pool.map(lambda _: take(world, "read a", 10)[0], range(24))]
    assert sum(taken) == 10


def test_refusals_are_recorded_until_there_are_too_many(world: World) -> None:
    query = text("SELECT ler.record_refusal('login', NULL, NULL, '{}', 'refused x', 2)")
    goes_on = []
    for _ in range(4):
        with world.acting(None) as connection:
            goes_on.append(connection.execute(query).scalar_one())
    assert goes_on == [True, True, False, False]
    with world.database.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM ler.audit_event WHERE action = 'auth:login:refuse'"
        ).fetchone()
    assert row == (2,)
    with pytest.raises(DBAPIError), world.acting(None) as connection:
        connection.execute(text("SELECT ler.record_refusal('x', NULL, NULL, '{}', 'refused y', 2)"))
