"""The checks of whole networks: each rule at its tolerance, and all of them against brute force."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from uuid import UUID

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geoapi.demo.town import build_town
from ingest.findings import Finding, Findings
from ingest.network_checks import NetworkCheckSettings, check_network
from ingest.network_checks.rules import RULES
from ingest.rules.catalogue import load_rules
from ingest.severity import Severity
from ler.model import Feature
from tests.databases import SharedCluster
from tests.network_oracle import Found, Oracle
from tests.network_samples import (
    CASES,
    NAN,
    OFF_GRID,
    STREET,
    TOLERANCES,
    Case,
    X,
    Y,
    line,
    networks,
)
from tests.staging import MODEL, found_in, staged
from tests.world import World, open_world

WITH_OTHER = {
    "reference-unresolved",
    "reference-wrong-type",
    "line-outside-container",
    "line-outside-duct-height",
    "component-apart-from-line-end",
    "connected-line-apart",
    "container-utility-differs",
    "duplicate-content",
    "duplicate-geometry",
    "lines-overlap",
    "line-end-gap",
}


@pytest.fixture(scope="module")
def world(shared_cluster: SharedCluster, migrated_template: str) -> Iterator[World]:
    with shared_cluster.database(migrated_template) as database, open_world(database) as world:
        yield world


@pytest.fixture(scope="module")
def owner(world: World) -> UUID:
    return world.owner("12345678")


def told(finding: Finding) -> Found:
    other = re.split(r": ", finding.found.removeprefix("#"))[0] if finding.code in WITH_OTHER else ""
    return finding.code, finding.gml_id, finding.attribute, other


def brute(features: Sequence[Feature], tolerances: NetworkCheckSettings = TOLERANCES) -> Counter[Found]:
    return Oracle(features, tolerances).findings()


@pytest.mark.parametrize("case", CASES, ids=[f"{number}-{case[0]}" for number, case in enumerate(CASES)])
def test_a_rule_keeps_to_its_tolerance(world: World, owner: UUID, case: Case) -> None:
    code, kept, broken = case
    assert [told(f) for f in found_in(world, owner, kept) if f.code == code] == []
    assert brute(kept) == Counter(map(told, found_in(world, owner, kept)))
    found = found_in(world, owner, broken)
    assert [f.code for f in found].count(code) == 1
    assert brute(broken) == Counter(map(told, found))


def test_every_rule_has_an_example_and_can_be_told(world: World, owner: UUID) -> None:
    assert {case[0] for case in CASES} == {rule.code for rule in RULES}
    for code, _, broken in CASES:
        rule = load_rules()[code]
        finding = next(f for f in found_in(world, owner, broken) if f.code == code)
        assert finding.severity is rule.severity
        assert finding.line > 0
        assert finding.feature_type == next(f.type for f in broken if f.gml_id == finding.gml_id)
        has_place = next(f.geometry is not None for f in broken if f.gml_id == finding.gml_id)
        assert (finding.place is not None) == has_place
        assert finding.place is None or shapely.Point(finding.place).distance(shapely.Point(X, Y)) < 30
        assert all(
            "{" not in text(finding, "da") and text(finding, "en") for text in (rule.message, rule.remedy)
        )


def test_errors_keep_a_network_out_and_warnings_do_not() -> None:
    errors = {rule.code for rule in RULES if load_rules()[rule.code].severity is Severity.ERROR}
    assert errors == {"reference-unresolved", "reference-wrong-type", "line-zero-length"}


def test_all_are_counted_and_some_are_told(world: World, owner: UUID) -> None:
    features = [line(f"a{n:03}", (0, n), (0, n)) for n in range(30)]
    findings = Findings(cap=7)
    with staged(world, owner, features) as (connection, version_id):
        check_network(connection, version_id, findings, MODEL)
    assert findings.counts[Severity.ERROR, "line-zero-length"] == findings.errors == 30
    assert [f.gml_id for f in findings.kept if f.code == "line-zero-length"] == [f"a{n:03}" for n in range(7)]


def test_what_the_check_of_the_file_has_told_is_not_told_again(world: World, owner: UUID) -> None:
    findings = Findings()
    findings.add(Finding("ManglendeGmlIdHenvisningRule", 1, "a"))
    with staged(world, owner, [line("a", *STREET, bilag=["b"])]) as (connection, version_id):
        check_network(connection, version_id, findings, MODEL)
    assert [f.code for f in findings.kept] == ["ManglendeGmlIdHenvisningRule"]


def test_a_reference_to_a_contact_in_a_feature_resolves(world: World, owner: UUID) -> None:
    contact = {"gml_id": "k", "navn": "Driften", "telefonnummer": "12345678"}
    features = [
        line("a", *STREET, kontaktprofilTilTekniskeSpoergsmaal=contact),
        line("b", (0, 5), (9, 5), kontaktprofilTilTekniskeSpoergsmaal={**contact, "navn": "Vagten"}),
        Feature(
            "TextAnnotation", "t", {"text": "x", "annotatedFeature": "k"}, geometry=shapely.Point(X, Y, 0)
        ),
    ]
    assert found_in(world, owner, features) == []
    wrong = [*features, line("c", (0, 9), (9, 9), bilag=["k"])]
    assert [told(f) for f in found_in(world, owner, wrong)] == [("reference-wrong-type", "c", "bilag", "k")]


def test_the_place_of_a_crossing_is_where_the_line_first_meets_itself(world: World, owner: UUID) -> None:
    features = [line("a", (0, 0), (10, 0), (10, 10), (5, -5), (20, -5), (9, 20))]
    (finding,) = found_in(world, owner, features)
    assert finding.place == pytest.approx((X + 20 / 3, Y))


def test_features_without_place_or_with_several_parts_or_surfaces(world: World, owner: UUID) -> None:
    square = shapely.Polygon([(X, Y, 1), (X + 4, Y, 1), (X + 4, Y + 4, 1), (X, Y + 4, 1)])
    ways = shapely.MultiLineString(
        [[(X + 4, Y + 2, NAN), (X + 9, Y + 2, 1)], [(X + 6, Y + 2, 1), (X + 6, Y + 9, 1)]]
    )
    features = [
        Feature(
            "Elkomponent", "station", {"type": "station", "tilknyttetLedning": ["a", "b"]}, geometry=square
        ),
        Feature("Ledningstrace", "t", {"forsyningsart": ["el"], "indeholdtLedning": ["b"]}, geometry=ways),
        line("a", (4, 2), (9, 9), kind="Elledning", startkomponent="station"),
        line("b", kind="Elledning", startkomponent="station", slutkomponent="station"),
        Feature("Informationsressource", "doc"),
        Feature("Informationsressource", "plan", geometry=shapely.MultiPolygon([square])),
        Feature("Vandkomponent", "two", geometry=shapely.MultiPoint([(X, Y, 1), (X + 1, Y, NAN)])),
        Feature(
            "Vandkomponent", "mixed", geometry=shapely.GeometryCollection([square, shapely.Point(X, Y, 1)])
        ),
    ]
    assert found_in(world, owner, features) == []
    assert brute(features) == Counter()


def test_nobody_checks_the_network_of_another(world: World, owner: UUID) -> None:
    other = world.owner("87654321", "Sydby Net")
    features = [line("a", *STREET, bilag=["nowhere"])]
    with staged(world, owner, features) as (connection, version_id):
        connection.exec_driver_sql(f"SELECT set_config('ler.principal', '{other}', true)")
        findings = Findings()
        check_network(connection, version_id, findings, MODEL)
        assert findings.kept == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(networks())
def test_sql_and_brute_force_agree(world: World, owner: UUID, features: list[Feature]) -> None:
    found = Counter(map(told, found_in(world, owner, features, OFF_GRID)))
    assert found == brute(features, OFF_GRID)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(networks(), st.randoms(use_true_random=False))
def test_the_order_of_features_never_matters(
    world: World, owner: UUID, features: list[Feature], dice: Random
) -> None:
    shuffled = dice.sample(features, len(features))
    found, again = (
        Counter((told(f), f.found, f.wanted) for f in found_in(world, owner, some, OFF_GRID))
        for some in (features, shuffled)
    )
    assert found == again


def test_the_demo_town_has_no_errors_and_brute_force_finds_its_warnings(world: World) -> None:
    warnings: Counter[str] = Counter()
    for number, company in enumerate(build_town().owners):
        owner_id = world.owner(f"{10_000_000 + number}", company.name, None)
        found = found_in(world, owner_id, company.features)
        assert not [f for f in found if f.severity is Severity.ERROR], company.name
        warnings.update(f.code for f in found)
        if len(company.features) < 200:  # every line against every other takes minutes for the large ones
            assert Counter(map(told, found)) == brute(company.features), company.name
    assert warnings == {"connected-line-apart": 18, "line-end-gap": 2, "lines-overlap": 1}
