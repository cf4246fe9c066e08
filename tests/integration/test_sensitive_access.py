"""Who sees and changes rules on sensitive lines, and who is told what of withheld ones."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import Executable, Table, select, text
from sqlalchemy.exc import DBAPIError

from ler.db import tables
from tests.integration.sensitive import MARKING, RESTRICTED, rule
from tests.integration.test_db_world import World, cable, line, square, world

__all__ = ["world"]

OPERATOR = tables.PLATFORM_OPERATOR
TABLES = (tables.sensitivity_rule, tables.answer_withheld, tables.withheld_feature)
SECRET, MARKED = line((1, 1, 0), (9, 9, 0)), line((1, 9, 0), (9, 1, 0))


@pytest.fixture
def tenants(world: World) -> list[tuple[UUID, UUID, UUID]]:
    """Two owners, each with rules, a digger of its own, and that one's request."""
    made = []
    for number, west in enumerate((0, 1000)):
        area = square(west, 0, west + 10, 10)
        owner = world.owner(f"owner {number}", area)
        world.publish(
            owner,
            [
                cable("secret", line((west + 1, 1, 0), (west + 9, 9, 0))),
                cable("marked", line((west + 1, 9, 0), (west + 9, 1, 0))),
            ],
        )
        rule(world, owner, RESTRICTED, gml_ids=["secret"])
        rule(world, owner, MARKING, gml_ids=["marked"])
        digger = world.organisation(f"digger {number}", cvr=f"1234567{number}")
        request = world.request(digger, area)
        world.match(digger, request)
        made.append((owner, digger, request))
    rule(world, None, RESTRICTED, utility_types=["gas"])
    return made


def seen(world: World, table: Table, principal: UUID | None, role: str = "ler_app") -> list[object]:
    with world.acting(principal, role=role) as connection:
        return list(connection.execute(select(table.c.owner_id)).scalars())


@pytest.mark.parametrize("role", ["ler_app", "ler_readonly"])
def test_rules_and_withheld_lines_are_their_owners(
    world: World, tenants: list[tuple[UUID, UUID, UUID]], role: str
) -> None:
    for owner, digger, _ in tenants:
        assert seen(world, tables.sensitivity_rule, owner, role) == [owner, owner]
        assert seen(world, tables.withheld_feature, owner, role) == [owner, owner]
        assert seen(world, tables.answer_withheld, owner, role) == [owner]
        assert seen(world, tables.sensitivity_rule, digger, role) == []
        assert seen(world, tables.withheld_feature, digger, role) == []
        assert seen(world, tables.answer_withheld, digger, role) == [owner]
    assert seen(world, tables.sensitivity_rule, OPERATOR, role) == [None]
    for table in TABLES:
        for nobody in (None, uuid4()):
            assert seen(world, table, nobody, role) == []
    assert seen(world, tables.withheld_feature, OPERATOR, role) == []


def test_a_worker_is_told_what_it_puts_into_the_package(
    world: World, tenants: list[tuple[UUID, UUID, UUID]]
) -> None:
    owner, _, request = tenants[0]
    with world.acting(None, role="ler_worker", request=request) as connection:
        assert connection.execute(select(tables.answer_withheld.c.owner_id)).scalars().all() == [owner]
    for table in (tables.sensitivity_rule, tables.withheld_feature):
        with (
            pytest.raises(DBAPIError, match="permission denied"),
            world.acting(owner, role="ler_worker", request=request) as connection,
        ):
            connection.execute(select(text("1")).select_from(table))


def test_nobody_writes_for_another_or_changes_what_was_said(
    world: World, tenants: list[tuple[UUID, UUID, UUID]]
) -> None:
    (owner, digger, _), (other, _, _) = tenants
    rules = tables.sensitivity_rule
    statements: dict[str, list[Executable]] = {
        "denied": [
            rules.update().values(gml_ids=["x"]),
            rules.update().values({"class": "restricted"}),
            rules.delete(),
            rules.insert().values(owner_id=owner, gml_ids=["x"], ended_at=text("now()"), **{"class": RESTRICTED}),
            *(table.delete() for table in TABLES[1:]),
            tables.answer_withheld.update().values(awaits_owner=False),
            tables.withheld_feature.update().values(inside=False),
            text("INSERT INTO ler.answer_withheld (answer_id) VALUES (gen_random_uuid())"),
            text("INSERT INTO ler.withheld_feature (answer_id) VALUES (gen_random_uuid())"),
            text("SELECT ler.take_out_withheld(NULL)"),
            text("SELECT ler.tell_withheld(NULL, false)"),
            text("SELECT * FROM ler.sensitive_near(NULL, 1, NULL, NULL)"),
            text("SELECT ler.class_of(NULL, NULL)"),
            text("SELECT ler.shared_cells(area, area) FROM ler.sensitivity_rule"),
        ],
        "row-level security": [
            rules.insert().values(owner_id=other, gml_ids=["x"], **{"class": RESTRICTED}),
            rules.insert().values(owner_id=None, gml_ids=["x"], **{"class": RESTRICTED}),
            rules.update().values(ended_at=None),
        ],
        "constraint": [
            rules.insert().values(owner_id=owner, **{"class": RESTRICTED}),
            rules.insert().values(owner_id=owner, gml_ids=[], **{"class": RESTRICTED}),
            rules.insert().values(owner_id=owner, gml_ids=["x"], **{"class": "normal"}),
        ],
    }  # fmt: skip
    for said, refused in statements.items():
        for statement in refused:
            with pytest.raises(DBAPIError) as caught, world.acting(owner) as connection:
                connection.execute(statement)
            assert said in str(caught.value)
    with world.acting(owner) as connection:
        assert connection.execute(rules.update().values(ended_at=text("now()"))).rowcount == 2
        assert connection.execute(rules.update().values(ended_at=text("now()"))).rowcount == 0, "once"
    assert len(seen(world, rules, other)) == 2
    with world.acting(digger) as connection:
        assert connection.execute(rules.update().values(ended_at=text("now()"))).rowcount == 0


def test_a_file_is_judged_by_ones_own_rules_and_the_operators(
    world: World, tenants: list[tuple[UUID, UUID, UUID]]
) -> None:
    query = text("SELECT owner_id FROM ler.rules_in_force()")
    for owner, digger, _ in tenants:
        with world.acting(owner) as connection:
            assert {*connection.execute(query).scalars()} == {owner, None}
        with world.acting(digger) as connection:
            assert [*connection.execute(query).scalars()] == [None]
    with world.acting(None) as connection:
        assert connection.execute(query).all() == []


def test_without_a_principal_no_table_can_be_changed(
    world: World, tenants: list[tuple[UUID, UUID, UUID]]
) -> None:
    del tenants
    for role in ("ler_app", "ler_worker", "ler_readonly"):
        for table in TABLES:
            with pytest.raises(DBAPIError, match="denied"), world.acting(None, role=role) as connection:
                connection.execute(table.delete())
