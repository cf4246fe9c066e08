"""Owners that may answer within five working days: given by the operator, counted when they are asked, said in what is delivered."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR, audit_event, dispensation, owner_request
from ler.domain.answers import AnswerType
from ler.domain.faults import FaultsError
from ler.errors import NotFoundError, RefusedError
from ler.rules_in_force import due_by_default_rules, manual_due, ordinary_due
from ler.services.answers import NewAnswer, give_answer, list_asked
from ler.services.dispensations import end_dispensation, give_dispensation, list_dispensations
from ler.settings import Settings
from tests.databases import Database
from tests.integration.test_command_line import AREA, PERIOD, area_file, ler
from tests.world import World, manifest, open_world, unpack

REASON = "one person, who is away three days a week"


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with open_world(database) as made:
        yield made


def give(world: World, owner: UUID, **times: datetime | None) -> UUID:
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        return give_dispensation(connection, PLATFORM_OPERATOR, owner, REASON, **times).id


def asked(world: World, folder: Path) -> dict[UUID, tuple[datetime, datetime, bool]]:
    """Ask everybody; by owner when it received it, until when it must answer, and whether it is dispensed."""
    request = world.ask(AREA, folder / "out").request
    columns = owner_request.c
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        rows = connection.execute(
            select(columns.owner_id, columns.received_at, columns.due_at, columns.dispensed).where(
                columns.request_id == request.id
            )
        )
        return {row.owner_id: (row.received_at, row.due_at, row.dispensed) for row in rows}


@pytest.mark.parametrize(
    ("received", "due"),
    [
        # A Tuesday: Wednesday to Friday, Monday, Tuesday.
        ("2026-11-24T10:00+01:00", "2026-12-01T16:00+01:00"),
        # A Sunday: Monday to Friday.
        ("2026-11-22T12:00+01:00", "2026-11-27T16:00+01:00"),
        # The Wednesday before Easter: Tuesday to Friday, and Monday.
        ("2026-04-01T15:00+02:00", "2026-04-13T16:00+02:00"),
        # Over the nights when clocks are moved: Monday to Wednesday, and two days after Easter; Monday to Friday.
        ("2026-03-27T15:30+01:00", "2026-04-08T16:00+02:00"),
        ("2026-10-23T15:30+02:00", "2026-10-30T16:00+01:00"),
        # The Tuesday before Christmas: the 23rd, 28th, 29th, 30th, and 4 January.
        ("2026-12-22T09:00+01:00", "2027-01-04T16:00+01:00"),
    ],
)
def test_five_working_days_as_counted_by_hand(received: str, due: str) -> None:
    moment, wanted = datetime.fromisoformat(received).astimezone(UTC), datetime.fromisoformat(due)
    for rule in (ordinary_due(Settings()), manual_due(Settings()), due_by_default_rules):
        assert rule(moment, dispensed=True) == wanted


def test_each_owner_has_the_deadline_that_is_its_own(world: World, tmp_path: Path) -> None:
    names = ("with", "without", "over", "later", "ended")
    owners = {name: world.owner(f"1000000{number}", name) for number, name in enumerate(names)}
    now = datetime.now(UTC)
    give(world, owners["with"], valid_to=now + timedelta(days=300))
    give(world, owners["over"], valid_from=now - timedelta(days=9), valid_to=now - timedelta(days=1))
    give(world, owners["later"], valid_from=now + timedelta(days=1))
    ended = give(world, owners["ended"])
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        end_dispensation(connection, PLATFORM_OPERATOR, ended)

    found = asked(world, tmp_path)

    assert {name: found[owner][2] for name, owner in owners.items()} == {
        name: name == "with" for name in names
    }
    for received, due, dispensed in found.values():
        assert due == due_by_default_rules(received, dispensed=dispensed)
    assert found[owners["with"]][1] > found[owners["without"]][1]


def test_a_dispensation_changes_nothing_of_what_was_asked_before(world: World, tmp_path: Path) -> None:
    owner = world.owner("10000001")
    before = asked(world, tmp_path / "before")[owner]
    held = give(world, owner)
    during = asked(world, tmp_path / "during")[owner]
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        end_dispensation(connection, PLATFORM_OPERATOR, held)
    with transaction(world.databases.app, owner) as connection:
        kept = {one.received_at: (one.due_at, one.dispensed) for one in list_asked(connection, most=10)}
    assert kept == {received: (due, dispensed) for received, due, dispensed in (before, during)}
    assert (before[2], during[2]) == (False, True)


def test_taken_out_for_manual_handling_it_keeps_the_longer_deadline(world: World, tmp_path: Path) -> None:
    owner = world.owner("10000001")
    give(world, owner)
    _, due, _ = asked(world, tmp_path)[owner]
    with transaction(world.databases.app, owner) as connection:
        (one,) = list_asked(connection, most=10)
        assert one.dispensed
        expected = datetime.now(UTC) + timedelta(days=1)
        taken_out = NewAnswer(AnswerType.MANUAL, expected_time=expected)
        give_answer(connection, one.id, taken_out, manual_due(Settings()))
        (after,) = list_asked(connection, most=10)
    assert (after.state.value, after.due_at) == ("taken-out", due)


def test_receipt_package_and_trail_say_so(world: World, tmp_path: Path) -> None:
    world.owner("10000001", "Hurtig Vand")
    world.owner("10000002", "Lille Vand")
    given = ler(world, tmp_path, "dispensation", "add", "10000002", REASON, "--from", "2026-01-01")
    assert given.returncode == 0, given.stderr
    answer = ler(world, tmp_path, "request", area_file(tmp_path), *PERIOD, "--out", "out", "--json")
    told = json.loads(answer.stdout)["receipt"]
    assert {owner["cvr"]: owner["dispensation"] for owner in told["owners"]} == {
        "10000001": False,
        "10000002": True,
    }
    received = datetime.fromisoformat(told["received_at"])
    due = due_by_default_rules(received, dispensed=True).replace(microsecond=0)
    assert datetime.fromisoformat(told["owners"][1]["due_at"]) == due

    (package,) = (tmp_path / "out").glob("*.zip")
    said = {owner["cvr"]: owner["areas"][0]["dispensation"] for owner in manifest(package)["owners"]}
    assert said == {"10000001": False, "10000002": True}
    words = "\n".join(
        path.read_text(encoding="utf-8-sig")
        for path in unpack(package, tmp_path / "unpacked").values()
        if path.suffix == ".txt"
    )
    assert words.count("(ejeren har dispensation)") == words.count("(the owner has a dispensation)") == 1

    listed = json.loads(ler(world, tmp_path, "dispensation", "list", "10000002", "--json").stdout)
    assert [one["id"] for one in listed] == [given.stdout.strip()]
    assert ler(world, tmp_path, "dispensation", "end", given.stdout.strip()).returncode == 0
    again = ler(world, tmp_path, "dispensation", "end", given.stdout.strip())
    assert again.returncode == 2
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        actions = connection.execute(
            select(audit_event.c.action).where(audit_event.c.object_id == UUID(given.stdout.strip()))
        ).scalars()
        assert sorted(actions) == ["operator:dispensation:end", "operator:dispensation:give"]


def test_only_the_operator_gives_and_ends_and_each_sees_its_own(world: World) -> None:
    owners = [world.owner(f"1000000{number}") for number in range(2)]
    held = [give(world, owner) for owner in owners]
    for owner, own in zip(owners, held, strict=True):
        with transaction(world.databases.app, owner) as connection:
            assert [one.id for one in list_dispensations(connection)] == [own]
            with pytest.raises(RefusedError):
                give_dispensation(connection, owner, owner, REASON)
            with pytest.raises(RefusedError):
                end_dispensation(connection, owner, own)
    with transaction(world.databases.app, PLATFORM_OPERATOR, provider=owners[0]) as connection:
        with pytest.raises(RefusedError) as refused:
            give_dispensation(connection, PLATFORM_OPERATOR, owners[0], REASON)
        assert refused.value.code == "role-missing"
    # The database refuses as well.
    for acting, provider in ((owners[0], None), (PLATFORM_OPERATOR, owners[0])):
        with (
            pytest.raises(DBAPIError),
            transaction(world.databases.app, acting, provider=provider) as connection,
        ):
            connection.execute(dispensation.insert().values(owner_id=owners[0], reason="x").inline())
    with transaction(world.databases.app, owners[0]) as connection:
        assert connection.execute(text("UPDATE ler.dispensation SET valid_to = now()")).rowcount == 0
    with transaction(world.databases.app, None) as connection:
        assert list_dispensations(connection) == []


@pytest.mark.parametrize(("begins", "ends"), [(2, 1), (1, 1), (None, -1)])
def test_a_time_that_ends_before_it_begins(world: World, begins: int | None, ends: int) -> None:
    owner, now = world.owner("10000001"), datetime.now(UTC)
    with pytest.raises(RefusedError) as refused:
        give(
            world,
            owner,
            valid_from=now + timedelta(days=begins) if begins is not None else None,
            valid_to=now + timedelta(days=ends),
        )
    assert refused.value.code == "period-invalid"


def test_a_reason_is_said_and_an_end_is_of_something(world: World) -> None:
    owner = world.owner("10000001")
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        with pytest.raises(FaultsError):
            give_dispensation(connection, PLATFORM_OPERATOR, owner, "  ")
        with pytest.raises(NotFoundError):
            end_dispensation(connection, PLATFORM_OPERATOR, owner)
