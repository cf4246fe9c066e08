"""The main job on real PostGIS: a network goes in, an area is asked about, packages come out."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import shapely
from shapely import Polygon, box

from conflicts.stored import find_conflicts
from ingest.load import NetworkRefusedError, publish_network
from ingest.readers.prolog import UnreadableFileError
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.errors import RefusedError
from ler.model import Feature
from ler.packages.content import DELIVERED, NO_LINES
from ler.packages.contents import DEFAULT_OPTIONS
from ler.packages.package import write_consolidated_package
from ler.services.registry import get_owner
from tests.answers import WATER, answer, read
from tests.databases import Database
from tests.official import SAMPLES, needs_samples, needs_schemas, schema_errors
from tests.world import SETTINGS, World, holds, layers, manifest, open_world, unpack, valve, water_pipe

AREA = box(575000, 6224000, 575100, 6224100)


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with open_world(database) as made:
        yield made


def by_id(features: list[Feature]) -> dict[str, Feature]:
    return {feature.gml_id: feature for feature in features}


def same_place(one: Feature, other: Feature) -> bool:
    if one.geometry is None or other.geometry is None:
        return one.geometry is other.geometry
    before, after = (shapely.get_coordinates(f.geometry, include_z=True) for f in (one, other))
    return np.allclose(before, after, rtol=0, atol=1e-4, equal_nan=True)  # 0.1 mm


@needs_samples
@needs_schemas
def test_a_real_answer_comes_out_equal_valid_and_with_the_same_counts(world: World, tmp_path: Path) -> None:
    world.owner("12345678")
    source = SAMPLES / "answer_all_types_2.2.0.gml"
    before, _ = read(source)
    assert world.upload("12345678", source).feature_count == len(before) == 13

    answered = world.ask(box(574990, 6223990, 575060, 6224020), tmp_path / "out")

    consolidated, owners = answered.packages
    members = unpack(owners.path, tmp_path / "owner")
    assert schema_errors(members["ledningsoplysninger.gml"]) == []
    after, reader = read(members["ledningsoplysninger.gml"])
    assert reader.readable
    assert [f.gml_id for f in after] == [f.gml_id for f in before]
    for one, other in zip(before, after, strict=True):
        assert (one.type, one.attributes, one.voids) == (other.type, other.attributes, other.voids)
        assert same_place(one, other), one.gml_id
    assert reader.header.attributes["gyldigTil"] == "2026-12-31"

    both = unpack(consolidated.path, tmp_path / "all")
    whole = both["12345678-nordby-net/ledningsoplysninger.gml"]
    assert whole.read_bytes() == members["ledningsoplysninger.gml"].read_bytes()
    counted = layers(both["consolidated.gpkg"])
    assert counted.pop("Graveomraade") == 1
    assert counted.pop("Ledningsejere") == 1
    assert counted == manifest(consolidated.path)["owners"][0]["feature_counts"]
    assert sum(counted.values()) == 13


def test_the_manifest_tells_the_digest_of_each_member_and_where_it_came_from(
    world: World, tmp_path: Path
) -> None:
    world.owner("12345678", "Vand & Varme")
    first = world.network(
        "12345678", tmp_path, water_pipe("former-pipe", (575010, 6224010, 1), (575020, 6224010, 1))
    )
    second = world.network(
        "12345678", tmp_path, water_pipe("new", (575010, 6224010, 1), (575020, 6224010, 1))
    )
    answered = world.ask(AREA, tmp_path / "out", description="Grøft til nr. 12")
    told = manifest(answered.packages[0].path)
    for member in told["members"]:
        path = unpack(answered.packages[0].path, tmp_path / "all")[member["path"]]
        assert member["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert member["size_bytes"] == path.stat().st_size
    (owner,) = told["owners"]
    assert (first.number, second.number, owner["dataset_version"]) == (1, 2, 2)
    assert (
        owner["dataset_source_sha256"] == hashlib.sha256((tmp_path / "12345678.gml").read_bytes()).hexdigest()
    )
    assert told["request"]["description"] == "Grøft til nr. 12"
    assert told["complete"] is True
    assert not holds(answered.packages[0].path, "former-pipe")


def test_a_line_is_clipped_and_stays_one_feature_and_a_line_outside_is_nowhere(
    world: World, tmp_path: Path
) -> None:
    world.owner("12345678")
    world.network(
        "12345678",
        tmp_path,
        water_pipe("crossing", (574950, 6224050, 1), (575050, 6224050, 3), (575150, 6224050, float("nan"))),
        water_pipe("pipe-outside", (575100.01, 6224000, 1), (575200, 6224050, 1)),
        water_pipe("touching", (575100, 6224050, 1), (575200, 6224050, 1)),
        valve("valve-outside", 575100.5, 6224050, 1),
    )
    answered = world.ask(AREA, tmp_path / "out")
    for package in answered.packages:
        for name in ("pipe-outside", "touching", "valve-outside"):
            assert not holds(package.path, name)
    members = unpack(answered.packages[1].path, tmp_path / "owner")
    (line,), _ = read(members["ledningsoplysninger.gml"])
    assert line.gml_id == "crossing"
    assert shapely.get_coordinates(line.geometry, include_z=True)[:2].tolist() == [
        [575000, 6224050, 2],
        [575050, 6224050, 3],
    ]
    last = shapely.get_coordinates(line.geometry, include_z=True)[2]
    assert last[:2].tolist() == [575100, 6224050]
    assert np.isnan(last[2])
    (delivery,) = answered.owners[0].deliveries
    assert delivery.clipped == {"crossing"}


@needs_schemas
def test_a_line_that_leaves_and_comes_back_is_one_feature_and_two_members(
    world: World, tmp_path: Path
) -> None:
    world.owner("12345678")
    pipe = water_pipe(
        "u", (575010, 6224090, 1), (575010, 6224150, 1), (575050, 6224150, 1), (575050, 6224090, 1)
    )
    world.network("12345678", tmp_path, pipe)
    answered = world.ask(AREA, tmp_path / "out")
    members = unpack(answered.packages[1].path, tmp_path / "owner")
    assert schema_errors(members["ledningsoplysninger.gml"]) == []
    assert layers(members["ledningsoplysninger.gpkg"])["Vandledning"] == 1
    assert manifest(answered.packages[1].path)["owners"][0]["feature_counts"] == {"Vandledning": 1}
    pieces, _ = read(members["ledningsoplysninger.gml"])
    assert [piece.gml_id for piece in pieces] == ["u", "u_2"]
    assert [piece.geometry.length for piece in pieces if piece.geometry] == [10, 10]


def test_who_is_asked_is_decided_by_interest_area_alone(world: World, tmp_path: Path) -> None:
    pipe = water_pipe("p", (575010, 6224010, 1), (575020, 6224010, 1))
    far = water_pipe("far", (575500, 6224500, 1), (575520, 6224500, 1))
    world.owner("10000001", "With lines")
    world.owner("10000002", "Without interest", area=None)
    world.owner("10000003", "Interested elsewhere", area=box(575200, 6224200, 575300, 6224300))
    world.owner("10000004", "Without lines here")
    world.owner("10000005", "Not yet published")
    for cvr in ("10000001", "10000002", "10000003"):
        world.network(cvr, tmp_path, pipe)
    world.network("10000004", tmp_path, far)

    answered = world.ask(AREA, tmp_path / "out")

    told = {o.cvr: next(iter(o.answer_types), None) for o in answered.owners}
    assert told == {"10000001": DELIVERED, "10000004": NO_LINES, "10000005": None}
    assert [owner.name for owner in answered.missing] == ["Not yet published"]
    consolidated = manifest(answered.packages[0].path)
    assert consolidated["complete"] is False
    assert {o["cvr"]: o["answer"] for o in consolidated["owners"]} == told
    assert len(answered.packages) == 3
    for name in ("Without interest", "Interested elsewhere"):
        assert not holds(answered.packages[0].path, name)


@needs_schemas
def test_no_lines_is_said_in_a_valid_answer(world: World, tmp_path: Path) -> None:
    world.owner("12345678")
    world.network("12345678", tmp_path, water_pipe("far", (575500, 6224500, 1), (575520, 6224500, 1)))
    answered = world.ask(AREA, tmp_path / "out")
    members = unpack(answered.packages[1].path, tmp_path / "owner")
    assert schema_errors(members["ledningsoplysninger.gml"]) == []
    features, reader = read(members["ledningsoplysninger.gml"])
    assert features == []
    assert reader.header.attributes["type"] == NO_LINES
    assert layers(members["ledningsoplysninger.gpkg"]) == {"Graveomraade": 1, "Ledningsejere": 1}


def test_references_to_what_is_not_delivered_are_left_out_and_counted(world: World, tmp_path: Path) -> None:
    world.owner("12345678")
    pipe = water_pipe(
        "p", (575010, 6224010, 1), (575200, 6224010, 1), startkomponent="here", slutkomponent="there"
    )
    network = (pipe, valve("here", 575010, 6224010, 1), valve("there", 575200, 6224010, 1))
    world.network("12345678", tmp_path, *network)
    answered = world.ask(AREA, tmp_path / "out")
    features, reader = read(unpack(answered.packages[1].path, tmp_path / "owner")["ledningsoplysninger.gml"])
    assert reader.readable
    assert by_id(features)["p"].attributes["startkomponent"] == "here"
    assert "slutkomponent" not in by_id(features)["p"].attributes
    assert manifest(answered.packages[1].path)["owners"][0]["references_left_out"] == 1


def test_the_buffer_of_the_operator_brings_what_lies_near(world: World, tmp_path: Path) -> None:
    world.owner("12345678")
    world.network("12345678", tmp_path, water_pipe("near", (575101.9, 6224010, 1), (575101.9, 6224020, 1)))
    assert world.ask(AREA, tmp_path / "exact").packages[0].feature_count == 0
    assert world.ask(AREA, tmp_path / "near", clip_buffer_m=2.0).packages[0].feature_count == 1


def test_two_owners_with_the_same_names_are_both_in_the_consolidated_package(
    world: World, tmp_path: Path
) -> None:
    for cvr in ("10000001", "10000002"):
        world.owner(cvr)
        world.network(cvr, tmp_path, water_pipe("p", (575010, 6224010, 1), (575020, 6224010, 1)))
    answered = world.ask(AREA, tmp_path / "out")
    assert (
        layers(unpack(answered.packages[0].path, tmp_path / "all")["consolidated.gpkg"])["Vandledning"] == 2
    )


def test_the_same_request_packed_again_gives_the_same_bytes(world: World, tmp_path: Path) -> None:
    world.owner("12345678")
    world.network("12345678", tmp_path, water_pipe("p", (575010, 6224010, 1), (575200, 6224010, 1)))
    answered = world.ask(AREA, tmp_path / "out")
    with transaction(world.databases.worker, None, request=answered.request.id) as connection:
        found = find_conflicts(connection, answered.request, answered.owners, DEFAULT_OPTIONS)
    warnings = found.warnings()
    assert warnings
    again = write_consolidated_package(
        tmp_path / "again", answered.request, answered.owners, warnings=warnings
    )
    assert again.sha256 == answered.packages[0].sha256


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("not XML", UnreadableFileError),
        (answer().replace("?>", "?><!DOCTYPE x>", 1), UnreadableFileError),
        ("<html/>", UnreadableFileError),
        (answer()[:-60], UnreadableFileError),
        (answer().replace(">i drift<", ">i luften<"), NetworkRefusedError),
        (answer(""), RefusedError),
    ],
)
def test_a_refused_file_leaves_nothing_and_the_old_network_answers(
    world: World, tmp_path: Path, text: str, refusal: type[RefusedError]
) -> None:
    world.owner("12345678")
    world.network("12345678", tmp_path, water_pipe("p", (575010, 6224010, 1), (575020, 6224010, 1)))
    before = world.counts()
    path = tmp_path / "bad.gml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(refusal):
        world.upload("12345678", path)
    assert world.counts() == before
    assert world.ask(AREA, tmp_path / "out").packages[0].feature_count == 1


def test_many_faults_in_the_middle_of_a_large_file_leave_nothing(world: World, tmp_path: Path) -> None:
    world.owner("12345678")
    good = [
        WATER.replace("vand.1", f"vand.{n}")
        .replace('"g1"', f'"g1.{n}"')
        .replace('<ler:slutkomponent xlink:href="#ventil.1"/>', "")
        for n in range(500)
    ]
    good[400] = good[400].replace(">1978-05<", ">1978-13<")
    path = tmp_path / "large.gml"
    path.write_text(answer(*good), encoding="utf-8")
    before = world.counts()
    with pytest.raises(NetworkRefusedError) as refused:
        world.upload("12345678", path)
    assert refused.value.findings.errors == 1
    assert world.counts() == before


def test_of_two_uploads_at_once_the_second_is_refused(world: World, tmp_path: Path) -> None:
    owner_id = world.owner("12345678")
    pipe = water_pipe("p", (575010, 6224010, 1), (575020, 6224010, 1))
    world.network("12345678", tmp_path, pipe)
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        owner = get_owner(connection, "12345678")
    with transaction(world.databases.app, owner_id) as connection:
        publish_network(connection, owner, tmp_path / "12345678.gml", SETTINGS)
        with pytest.raises(RefusedError) as refused:
            world.upload("12345678", tmp_path / "12345678.gml")
    assert refused.value.code == "dataset-busy"
    assert world.upload("12345678", tmp_path / "12345678.gml").number == 3


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"purpose": "  "}, "purpose-missing"),
        ({"description": "x" * 101}, "description-invalid"),
        ({"purpose": "a\x00b"}, "text-invalid"),
    ],
)
def test_a_request_that_cannot_be_leaves_nothing(
    world: World, tmp_path: Path, changes: dict[str, str], code: str
) -> None:
    before = world.counts()
    with pytest.raises(RefusedError) as refused:
        world.ask(AREA, tmp_path / "out", **changes)
    assert refused.value.code == code
    assert world.counts() == before
    assert list(tmp_path.iterdir()) == []


def test_a_concave_area_and_a_hole_are_respected(world: World, tmp_path: Path) -> None:
    world.owner("12345678")
    world.network(
        "12345678", tmp_path, valve("in-hole", 575050, 6224050, 1), valve("in-ring", 575010, 6224010, 1)
    )
    ring = Polygon(AREA.exterior.coords, [box(575040, 6224040, 575060, 6224060).exterior.coords])
    answered = world.ask(ring, tmp_path / "out")
    assert holds(answered.packages[1].path, "in-ring")
    assert not holds(answered.packages[1].path, "in-hole")
