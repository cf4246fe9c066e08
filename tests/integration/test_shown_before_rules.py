"""What was delivered before a rule on sensitive lines: counted for who made the rule, and the links to it ended."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.access import Scope
from ler.errors import NotFoundError
from ler.services.sensitivity import Shown, count_shown, end_links, end_rule
from ler.services.tokens import create_token
from tests.entering import enter_package
from tests.integration.sensitive import MARKING, rule
from tests.integration.test_db_world import World, cable, line, square, world
from tests.integration.test_package_links import keep
from tests.notices import data_of

__all__ = ["world"]

AREA = square(0, 0, 10, 10)
SECRET = cable("secret", line((1, 1, 0), (20, 20, 0)))


def deliver(world: World, owner: UUID, *, links: int) -> tuple[UUID, UUID]:
    """A request with packages of all owners and of one, and links to the first; returns digger and request."""
    digger = world.organisation("digger", cvr="11111111")
    request = world.request(digger, AREA)
    world.match(digger, request)
    with world.acting(None, role="ler_worker", request=request) as connection:
        for whose, digest in ((None, uuid4()), (owner, uuid4())):
            assert enter_package(connection, request, owner=whose, sha256=digest.hex * 2) == "entered"
    with world.acting(PLATFORM_OPERATOR) as connection:
        create_token(connection, digger, scopes=[*Scope], days=1)
    with world.acting(digger) as connection:
        package = connection.execute(text("SELECT id FROM ler.package WHERE owner_id IS NULL")).scalar_one()
        token = connection.execute(text("SELECT id FROM ler.access_token")).scalar_one()
        for _ in range(links):
            keep(connection, package, token, uuid4().hex * 2)
    return digger, request


def shown(world: World, whom: UUID, made: UUID) -> Shown:
    with world.acting(whom) as connection:
        return count_shown(connection, made)


def test_what_shows_the_lines_is_counted_and_its_links_ended(world: World) -> None:
    owner, other = world.owner("owner", square(0, 0, 50, 50)), world.owner("other")
    world.publish(owner, [SECRET, cable("plain", line((1, 5, 0), (9, 5, 0)))])
    world.publish(other, [cable("plain", line((1, 6, 0), (9, 6, 0)))])
    digger, request = deliver(world, owner, links=2)
    # Where the line goes on, outside of what was delivered.
    made = rule(world, owner, MARKING, area=square(15, 15, 30, 30))
    elsewhere = rule(world, owner, MARKING, gml_ids=["other"])
    for_all = rule(world, None, MARKING, gml_ids=["secret"])
    of_other = rule(world, other, MARKING, gml_ids=["secret"])
    assert shown(world, owner, made) == shown(world, PLATFORM_OPERATOR, for_all) == Shown(1, 2, 2)
    assert shown(world, owner, elsewhere) == shown(world, other, of_other) == Shown(0, 0, 0)
    for whom, theirs in ((other, made), (digger, made), (owner, for_all), (PLATFORM_OPERATOR, made)):
        for act in (count_shown, end_links):
            with pytest.raises(NotFoundError), world.acting(whom) as connection:
                act(connection, theirs)

    with world.database.connect() as connection:
        connection.execute("UPDATE ler.excavation_request SET state = 'ended' WHERE id = %s", [request])
    assert shown(world, owner, made) == Shown(0, 0, 2)
    for whose, ended in ((elsewhere, 0), (made, 2), (made, 0)):
        with world.acting(owner) as connection:
            assert end_links(connection, whose) == ended
    (told,) = data_of(world, digger, "package.links_ended")
    assert told["links"] == 2
    with world.acting(digger) as connection:
        assert connection.execute(text("SELECT count(*) FROM ler.package_link")).scalar_one() == 0
        assert connection.execute(text("SELECT count(*) FROM ler.package")).scalar_one() == 2
    with world.acting(owner) as connection:
        end_rule(connection, owner, made)
    with pytest.raises(NotFoundError):
        shown(world, owner, made)
