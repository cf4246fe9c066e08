"""Files of answers and links to answer by: each tenant sees its own, and nobody writes them but by the functions."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from ler.db import tables
from ler.domain.answers import AnswerType
from ler.services.answers import NewAnswer, NewAttachment, get_asked, give_answer, list_asked
from tests.integration.test_db_world import World, square, world
from tests.integration.test_owner_answers import MANUAL_DUE

__all__ = ["world"]

FILE = NewAttachment("plan.pdf", "PDF", "application/pdf", "0" * 64, 9)
KEEP_LINK = text("SELECT ler.keep_answer_link(:asked, :secret, :until)")
FIND_LINK = text("SELECT * FROM ler.find_answer_link(:secret)")
UNTIL = datetime.now(UTC) + timedelta(days=3)


@dataclass
class Scene:
    """Two owners and two diggers, with rows of both in answer_attachment and answer_link."""

    owners: list[UUID]
    diggers: list[UUID]
    requests: list[UUID]
    asked: list[UUID]


@pytest.fixture
def scene(world: World) -> Scene:
    made = Scene([], [], [], [])
    for number, west in enumerate((0, 1000)):
        area = square(west, 0, west + 10, 10)
        made.owners.append(world.owner(f"owner {number}", area))
        made.diggers.append(world.organisation(f"digger {number}"))
        made.requests.append(world.request(made.diggers[-1], area))
        world.match(made.diggers[-1], made.requests[-1])
        with world.acting(made.owners[-1]) as connection:
            (one,) = list_asked(connection, most=5)
            made.asked.append(one.id)
            answer = NewAnswer(AnswerType.NO_LINES, attachments=[FILE])
            give_answer(connection, one.id, answer, MANUAL_DUE)
            connection.execute(KEEP_LINK, {"asked": one.id, "secret": str(number) * 64, "until": UNTIL})
    return made


@pytest.mark.parametrize("role", ["ler_app", "ler_readonly"])
def test_each_sees_its_own(world: World, scene: Scene, role: str) -> None:
    for mine in (0, 1):
        for principal, links in ((scene.owners[mine], {scene.asked[mine]}), (scene.diggers[mine], set())):
            with world.acting(principal, role=role) as connection:
                files = connection.execute(select(tables.answer_attachment.c.request_id)).scalars()
                assert {*files} == {scene.requests[mine]}
                found = connection.execute(select(tables.answer_link.c.owner_request_id)).scalars()
                assert {*found} == links
    with world.acting(None, role=role) as connection:
        assert connection.execute(select(tables.answer_attachment.c.path)).all() == []
        assert connection.execute(select(tables.answer_link.c.id)).all() == []


def test_the_worker_sees_the_files_of_its_request_and_no_link(world: World, scene: Scene) -> None:
    with world.acting(None, role="ler_worker", request=scene.requests[0]) as connection:
        files = connection.execute(select(tables.answer_attachment.c.request_id)).scalars()
        assert {*files} == {scene.requests[0]}
        with pytest.raises(ProgrammingError), connection.begin_nested():
            connection.execute(select(tables.answer_link.c.id))


def test_nobody_writes_them_and_nobody_reads_a_secret(world: World, scene: Scene) -> None:
    statements = (
        text("INSERT INTO ler.answer_attachment (path) VALUES ('x')"),
        tables.answer_attachment.update().values(path="x"),
        tables.answer_attachment.delete(),
        tables.answer_link.insert().values(secret_sha256="a" * 64),
        tables.answer_link.update().values(expires_at=UNTIL),
        tables.answer_link.delete(),
        select(tables.answer_link.c.secret_sha256),
        text("SELECT ler.lock_owner_request(gen_random_uuid(), gen_random_uuid())"),
        text("SELECT ler.take_features(NULL, '[]', NULL)"),
        tables.owner_request.update().values(marked_at=UNTIL),
        tables.interest_area.update().values(answered_by="owner"),
    )
    for statement in statements:
        with pytest.raises(ProgrammingError), world.acting(scene.owners[0]) as connection:
            connection.execute(statement)


def test_a_link_is_found_by_its_secret_until_it_expires(world: World, scene: Scene) -> None:
    with world.acting(None) as connection:
        assert connection.execute(FIND_LINK, {"secret": "1" * 64}).one() == (
            scene.asked[1],
            scene.owners[1],
        )
        assert connection.execute(FIND_LINK, {"secret": "2" * 64}).all() == []
    with world.database.connect() as connection:
        connection.execute(
            "UPDATE ler.answer_link SET created_at = now() - interval '9 days', expires_at = now()"
        )
    with world.acting(None) as again:
        assert again.execute(FIND_LINK, {"secret": "1" * 64}).all() == []


def test_links_are_made_for_the_owner_and_for_the_job_of_the_request_only(world: World, scene: Scene) -> None:
    values = {"asked": scene.asked[0], "secret": "a" * 64, "until": UNTIL}
    for principal, role, request in (
        (scene.owners[1], "ler_app", None),
        (scene.diggers[0], "ler_app", None),
        (None, "ler_app", None),
        (None, "ler_worker", scene.requests[1]),
    ):
        with (
            pytest.raises(DBAPIError) as caught,
            world.acting(principal, role=role, request=request) as connection,
        ):
            connection.execute(KEEP_LINK, values)
        assert getattr(caught.value.orig, "sqlstate", None) == "LE404"
    with world.acting(None, role="ler_worker", request=scene.requests[0]) as connection:
        connection.execute(KEEP_LINK, values)


def test_what_an_owner_reads_of_a_request_holds_nothing_of_other_owners(world: World, scene: Scene) -> None:
    also = world.owner("also asked", square(0, 0, 10, 10))
    request = world.request(scene.diggers[0], square(0, 0, 10, 10))
    world.match(scene.diggers[0], request)
    with world.acting(also) as connection:
        (one,) = list_asked(connection, most=5)
        assert get_asked(connection, one.id) == one
        assert connection.execute(select(tables.owner_request.c.owner_id)).scalars().all() == [also]
