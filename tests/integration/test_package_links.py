"""Links to packages in the database: each organisation sees its own, nobody a secret; what ends them."""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from ler.db import tables
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.access import Scope
from ler.services.tokens import create_token, revoke_token
from tests.entering import enter_package
from tests.integration.test_db_world import World, square, world

__all__ = ["world"]

KEEP = text("SELECT ler.keep_package_link(:package, :token, :secret, interval '1 day', :most)")
FIND = text("SELECT package_id, organisation_id FROM ler.find_package_link(:secret)")


@dataclass
class Scene:
    """Two diggers, each with a package and a link to it in package_link."""

    diggers: list[UUID] = field(default_factory=list)
    packages: list[UUID] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    token_ids: list[UUID] = field(default_factory=list)


def keep(connection: Connection, package: UUID, token: UUID, secret: str, most: int = 20) -> UUID:
    values = {"package": package, "token": token, "secret": secret, "most": most}
    made: UUID = connection.execute(KEEP, values).scalar_one()
    return made


@pytest.fixture
def scene(world: World) -> Scene:
    made = Scene()
    for number in (0, 1):
        digger = world.organisation(f"digger {number}")
        request = world.request(digger, square(0, 0, 10, 10))
        world.match(digger, request)
        with world.acting(None, role="ler_worker", request=request) as connection:
            assert enter_package(connection, request, sha256=str(number) * 64) == "entered"
        with world.acting(PLATFORM_OPERATOR) as connection:
            made.tokens.append(create_token(connection, digger, scopes=[*Scope], days=1))
        with world.acting(digger) as connection:
            made.packages.append(connection.execute(select(tables.package.c.id)).scalar_one())
            made.token_ids.append(connection.execute(select(tables.access_token.c.id)).scalar_one())
            keep(connection, made.packages[-1], made.token_ids[-1], str(number) * 64)
        made.diggers.append(digger)
    return made


@pytest.mark.parametrize("role", ["ler_app", "ler_readonly"])
def test_each_sees_its_own_and_nobody_a_secret(world: World, scene: Scene, role: str) -> None:
    for digger, package in zip(scene.diggers, scene.packages, strict=True):
        with world.acting(digger, role=role) as connection:
            assert connection.execute(select(tables.package_link.c.package_id)).scalars().all() == [package]
    with world.acting(None, role=role) as connection:
        assert connection.execute(select(tables.package_link.c.id)).all() == []
    for statement in (
        select(tables.package_link.c.secret_sha256),
        tables.package_link.insert().values(secret_sha256="a" * 64),
        tables.package_link.update().values(secret_sha256="a" * 64),
        tables.package_link.delete(),
    ):
        with pytest.raises(ProgrammingError), world.acting(scene.diggers[0], role=role) as connection:
            connection.execute(statement)


def test_a_link_is_found_by_its_secret_until_it_expires_or_its_token_is_revoked(
    world: World, scene: Scene
) -> None:
    with world.acting(None) as connection:
        assert connection.execute(FIND, {"secret": "1" * 64}).one() == (scene.packages[1], scene.diggers[1])
        assert connection.execute(FIND, {"secret": "2" * 64}).all() == []
    with world.acting(PLATFORM_OPERATOR) as connection:
        revoke_token(connection, scene.tokens[1].split("_")[2])
    with world.database.connect() as superuser:
        superuser.execute(
            "UPDATE ler.package_link SET created_at = now() - interval '9 days', expires_at = now()"
            " WHERE package_id = %s",
            [scene.packages[0]],
        )
    with world.acting(None) as connection:
        for secret in ("0" * 64, "1" * 64):
            assert connection.execute(FIND, {"secret": secret}).all() == []


def test_links_are_made_and_ended_for_the_own_package_only_and_are_few(world: World, scene: Scene) -> None:
    mine, theirs = scene.packages
    for package, token in ((theirs, scene.token_ids[0]), (mine, uuid4())):
        with pytest.raises(DBAPIError, match="no such package"), world.acting(scene.diggers[0]) as connection:
            keep(connection, package, token, "a" * 64)
    with pytest.raises(DBAPIError, match="too many"), world.acting(scene.diggers[0]) as connection:
        keep(connection, mine, scene.token_ids[0], "a" * 64, most=1)
    end = text("SELECT ler.end_package_link(:package, :link)")
    with world.acting(scene.diggers[0]) as connection:
        link = connection.execute(select(tables.package_link.c.id)).scalar_one()
    for digger, ended in ((scene.diggers[1], False), (scene.diggers[0], True), (scene.diggers[0], False)):
        with world.acting(digger) as connection:
            assert connection.execute(end, {"package": mine, "link": link}).scalar_one() is ended


def test_links_go_with_the_package_when_its_request_is_erased(world: World, scene: Scene) -> None:
    with world.database.connect() as superuser:
        superuser.execute(
            "UPDATE ler.excavation_request SET state = 'ended', period_from = '2000-01-01', period_to = '2000-01-01'"
            " WHERE requester_id = %s",
            [scene.diggers[0]],
        )
    with world.acting(None, role="ler_worker") as connection:
        assert connection.execute(text("SELECT ler.erase_requests(10, 100)")).scalar_one() == 1
    with world.database.connect() as superuser:
        left = superuser.execute("SELECT package_id FROM ler.package_link").fetchall()
    assert left == [(scene.packages[1],)]
    with world.acting(None) as connection:
        assert connection.execute(FIND, {"secret": "0" * 64}).all() == []
    with pytest.raises(DBAPIError, match="no such package"), world.acting(scene.diggers[0]) as connection:
        keep(connection, scene.packages[0], scene.token_ids[0], "b" * 64)
