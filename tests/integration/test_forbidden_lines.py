"""Lines that must never be stored, at the door: what rules meet is refused, and nothing of it is left."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from shapely import MultiPolygon, box

from geoapi.database import Databases
from ingest.findings import Finding
from ingest.stage import Mode, NetworkRefusedError
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.sensitivity import SensitivityClass, SensitivityRule
from ler.errors import NotFoundError, RefusedError
from ler.model import Feature
from ler.packages.gml import Answer, write_answer
from ler.services.sensitivity import end_rule, list_rules, make_rule, rules_in_force
from tests.databases import Database
from tests.world import World, header, open_world, valve, water_pipe

CVR, OTHER = "12345678", "87654321"
NEVER = SensitivityClass.NEVER
BARRACKS = MultiPolygon([box(575000, 6224000, 575100, 6224100)])
OUTSIDE = water_pipe("outside", (574500, 6223500, 1), (574510, 6223500, 1))
INSIDE = water_pipe("inside", (575010, 6224010, 1), (575020, 6224010, 1))
COUNTED = ("network_feature", "staged_feature", "network_version", "network_quality", "network_dataset")


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with open_world(database) as made:
        yield made


def forbid(databases: Databases, owner: UUID | None, rule: SensitivityRule) -> None:
    principal = owner or PLATFORM_OPERATOR
    with transaction(databases.app, principal) as connection:
        make_rule(connection, owner, rule, reason="§ 3")


def counted(world: World) -> dict[str, int]:
    counts = world.counts()
    return {name: counts[name] for name in COUNTED}


def refused(world: World, folder: Path, *features: Feature) -> list[Finding]:
    before = counted(world)
    with pytest.raises(NetworkRefusedError) as caught:
        world.network(CVR, folder, *features)
    assert counted(world) == before
    return caught.value.findings.kept


def test_a_file_with_a_forbidden_line_is_refused_whole_and_its_place_is_not_told(
    world: World, tmp_path: Path
) -> None:
    owner = world.owner(CVR)
    world.owner(OTHER)
    forbid(world.databases, owner, SensitivityRule(NEVER, gml_ids=frozenset({"inside"})))
    odd = water_pipe("inside", (575010, 6224010, 1), (575020, 6224010, 1), udvendigDiameter=-5.0)
    found = refused(world, tmp_path, OUTSIDE, odd)
    assert {one.code for one in found} >= {"line-forbidden"}
    forbidden = next(one for one in found if one.code == "line-forbidden")
    assert (forbidden.gml_id, forbidden.feature_type) == ("inside", "Vandledning")
    assert forbidden.line > 0
    assert {one.place for one in found if one.gml_id == "inside"} == {None}
    assert "must never be in the register" in str(forbidden)
    assert world.network(OTHER, tmp_path, INSIDE).number == 1, "another owner's rule is its own"


def test_the_operators_rule_holds_for_every_owner_and_by_place(world: World, tmp_path: Path) -> None:
    world.owner(CVR)
    forbid(world.databases, None, SensitivityRule(NEVER, area=BARRACKS))
    assert [one.gml_id for one in refused(world, tmp_path, OUTSIDE, INSIDE, valve("valve", 575050, 6224050, 1))] == [
        "inside",
        "valve",
    ]  # fmt: skip
    assert world.network(CVR, tmp_path, OUTSIDE).feature_count == 1


def test_a_delta_may_not_leave_alone_what_was_forbidden_since(world: World, tmp_path: Path) -> None:
    world.owner(CVR)
    world.network(CVR, tmp_path, INSIDE, OUTSIDE)
    forbid(world.databases, None, SensitivityRule(NEVER, area=BARRACKS))
    path = tmp_path / "delta.gml"
    with path.open("wb") as stream:
        added = water_pipe("another", (574600, 6223500, 1), (574610, 6223500, 1))
        write_answer(stream, Answer(CVR, "x", header(), [added]))
    with pytest.raises(NetworkRefusedError) as caught:
        world.upload(CVR, path, mode=Mode.DELTA)
    assert [(one.code, one.gml_id) for one in caught.value.findings.kept] == [("line-forbidden", "inside")]
    staged = world.upload(CVR, path, mode=Mode.DELTA, deletes=["inside"])
    assert staged.feature_count == 2


def test_rules_are_made_told_and_ended_by_whose_they_are(world: World) -> None:
    owner, other = world.owner(CVR), world.owner(OTHER)
    app = world.databases.app
    named = SensitivityRule(
        SensitivityClass.RESTRICTED,
        feature_types=frozenset({"Elledning"}),
        utility_types=frozenset({"el"}),
        danger_classes=frozenset({"farlig"}),
        gml_ids=frozenset({"a", "b"}),
        area=BARRACKS,
    )
    with transaction(app, owner) as connection:
        made = make_rule(connection, owner, named, reason=" by contract ")
        with pytest.raises(RefusedError) as caught:
            make_rule(connection, owner, SensitivityRule(SensitivityClass.RESTRICTED))
        assert caught.value.code == "rule-empty"
        with pytest.raises(RefusedError) as caught:
            make_rule(connection, owner, named, reason="x\0")
        assert caught.value.code == "text-invalid"
    forbid(world.databases, None, SensitivityRule(NEVER, area=BARRACKS))
    with transaction(app, owner) as connection:
        kept = list_rules(connection)
        assert [(one.id, one.owner_id, one.rule, one.reason) for one in kept] == [
            (made, owner, named, "by contract")
        ]
        assert {one.sensitivity for one in rules_in_force(connection)} == {named.sensitivity, NEVER}
    with pytest.raises(NotFoundError), transaction(app, other) as connection:
        end_rule(connection, other, made)
    with transaction(app, owner) as connection:
        end_rule(connection, owner, made)
        assert list_rules(connection) == []
        assert [one.ended_at is not None for one in list_rules(connection, ended=True)] == [True]
        with pytest.raises(NotFoundError):
            end_rule(connection, owner, made)
