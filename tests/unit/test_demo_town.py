"""The demonstration town: the same each time, complete, valid by the model, and worth digging in."""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import shapely

from geoapi.demo.owners import DemoOwner
from geoapi.demo.terrain import ground
from geoapi.demo.town import Town, build_town
from ingest.findings import Severity
from ler.model import Feature, Kind, load_model
from ler.packages.gml import Answer, write_answer
from tests.answers import read
from tests.official import needs_schemas, schema_errors

MODEL = load_model()
SILENT = "Antenneforeningen Torvet"
FAR = "Strandengens Drænlag"
OWN = {"ejet af udleverende ledningsejer", None}
PREDEFINED = set(MODEL.code_lists["Forsyningsart"].values)


@cache
def town() -> Town:
    return build_town()


def features() -> Iterator[tuple[DemoOwner, Feature]]:
    return ((owner, feature) for owner in town().owners for feature in owner.features)


def is_line(feature: Feature) -> bool:
    return MODEL.types[feature.type].is_a("LedningEllerLedningstrace")


def fingerprint(made: Town) -> list[object]:
    return [
        [shapely.to_wkb(area) for area in (*made.streets, *made.buildings, made.sea)],
        [(site.name, site.description, shapely.to_wkb(site.area)) for site in made.sites],
        [
            (owner.cvr, owner.name, shapely.to_wkb(owner.interest_area), owner.header.attributes)
            for owner in made.owners
        ],
        [
            (f.gml_id, f.type, f.attributes, f.voids, f.geometry and shapely.to_wkb(f.geometry))
            for owner in made.owners
            for f in owner.features
        ],
    ]


def test_the_same_seed_gives_the_same_town() -> None:
    assert fingerprint(build_town()) == fingerprint(town())


@pytest.mark.parametrize("seed", [1, 2026])
def test_another_seed_gives_another_town_of_the_same_kind(seed: int) -> None:
    other = build_town(seed)
    assert fingerprint(other)[0] != fingerprint(town())[0]
    assert len(other.owners) == len(town().owners)
    assert 5_000 <= sum(len(owner.features) for owner in other.owners) <= 12_000


def test_it_has_the_size_and_the_variety_that_was_asked_for() -> None:
    counts = Counter(feature.type for _, feature in features())
    assert set(counts) == {feature_type.name for feature_type in MODEL.concrete()}
    assert len(counts) == 23
    assert 5_000 <= counts.total() <= 12_000
    owners = town().owners
    assert len(owners) >= 13
    assert len({owner.cvr for owner in owners}) == len(owners)
    assert {kind for owner in owners for kind in owner.utility_types} >= PREDEFINED | {"other: trykluft"}


def test_owners_are_made_up_and_serve_what_they_say() -> None:
    for owner in town().owners:
        assert owner.cvr.isdigit()
        assert len(owner.cvr) == 8
        assert owner.cvr.startswith("99")
        assert owner.email.endswith(".example")
        assert len(owner.email) <= 50
        assert len(owner.phone) <= 15
        served = {kind for f in owner.features for kind in f.utility_types(MODEL.types[f.type])}
        assert served == set(owner.utility_types), owner.name


@pytest.mark.parametrize("number", range(16))
def test_each_owners_file_reads_back_without_a_finding(number: int, tmp_path: Path) -> None:
    owner = town().owners[number]
    path = tmp_path / "owner.gml"
    with path.open("wb") as stream:
        write_answer(stream, Answer(owner.cvr, owner.name, owner.header, owner.features))
    again, reader = read(path)
    assert [finding for finding in reader.findings.kept if finding.severity is Severity.ERROR] == []
    assert reader.header.attributes == owner.header.attributes
    before = {f.gml_id: (f.type, f.attributes, f.voids, f.geometry is None) for f in owner.features}
    after = {f.gml_id: (f.type, f.attributes, f.voids, f.geometry is None) for f in again}
    assert before == after


@needs_schemas
@pytest.mark.parametrize("number", range(16))
def test_each_owners_file_is_officially_valid(number: int, tmp_path: Path) -> None:
    owner = town().owners[number]
    path = tmp_path / "owner.gml"
    with path.open("wb") as stream:
        write_answer(stream, Answer(owner.cvr, owner.name, owner.header, owner.features))
    assert schema_errors(path) == []


def test_identifiers_are_unique_and_references_meet_what_they_should() -> None:
    for owner in town().owners:
        types = {feature.gml_id: MODEL.types[feature.type] for feature in owner.features}
        assert len(types) == len(owner.features)
        uuids = [feature.attributes["id"] for feature in owner.features if "id" in feature.attributes]
        assert len(set(uuids)) == len(uuids)
        for feature in owner.features:
            for attribute in MODEL.types[feature.type].attributes:
                if attribute.kind is Kind.REFERENCE and attribute.name in feature.attributes:
                    given = feature.attributes[attribute.name]
                    for target in given if isinstance(given, list) else [given]:
                        assert types[str(target)].is_a(attribute.target)


def test_start_and_end_components_stand_where_the_lines_end() -> None:
    for owner in town().owners:
        places = {feature.gml_id: feature.geometry for feature in owner.features}
        for feature in owner.features:
            for name, end in (("startkomponent", 0), ("slutkomponent", -1)):
                place = places.get(str(feature.attributes.get(name)))
                if place is not None and feature.geometry is not None:
                    point = shapely.Point(shapely.get_coordinates(feature.geometry)[end])
                    assert place.distance(point) <= 0.002, (owner.name, feature.gml_id, name)


def test_geometries_are_simple_three_dimensional_and_in_the_town() -> None:
    kinds = set()
    for _, feature in features():
        geometry = feature.geometry
        if geometry is None:
            continue
        kinds.add((feature.type, geometry.geom_type))
        points = shapely.get_coordinates(geometry, include_z=True)
        assert geometry.has_z
        assert np.array_equal(points, np.round(points, 3), equal_nan=True)
        assert geometry.is_valid
        for part in shapely.get_parts(geometry):
            steps = np.diff(shapely.get_coordinates(part), axis=0)
            assert (steps != 0).any(axis=1).all(), feature.gml_id
        assert shapely.box(573_500, 6_222_800, 576_000, 6_225_400).covers(geometry)
        heights = points[:, 2][~np.isnan(points[:, 2])]
        assert ((heights > -6) & (heights < 45)).all(), feature.gml_id
    assert {kind for name, kind in kinds if name.endswith("komponent")} == {"Point", "LineString", "Polygon"}
    assert {kind for name, kind in kinds if name == "Ledningstrace"} == {"MultiLineString"}
    assert {kind for name, kind in kinds if name == "TextAnnotation"} == {"Point"}


def after_cut_off(time: str) -> bool:
    return not time.startswith("before") and time > {4: "2023", 7: "2023-07", 10: "2023-07-01"}[len(time)]


def test_every_spelling_of_time_occurs_and_none_is_ambiguous() -> None:
    times = [str(f.attributes["etableringstidspunkt"]) for _, f in features() if is_line(f)]
    assert {len(time) for time in times} == {4, 7, 10, len("before 2023-07-01")}
    assert "2023" not in times
    assert {time for time in times if time.startswith("before")} == {"before 2023-07-01"}
    assert min(time[:4] for time in times) <= "1935"
    assert sum(map(after_cut_off, times)) > 500


def broken_rules(feature: Feature, *, contained: bool) -> Iterator[str]:
    """The restrictions of LER 2.2.0 that a line breaks, by their official names."""
    given, voids = feature.attributes, feature.voids
    new = after_cut_off(str(given["etableringstidspunkt"]))
    own = given.get("ejerskabsforhold") in OWN
    built = given.get("driftsstatus") != "under etablering"
    geometry = feature.geometry
    unknown = geometry is not None and bool(
        np.isnan(shapely.get_coordinates(geometry, include_z=True)[:, 2]).any()
    )
    if geometry is None and not contained:
        yield "geometriBetingelse"
    for name in ("noejagtighedsklasse", "noejagtighedsklasseVertikal"):
        if (name in given or name in voids) != (geometry is not None):
            yield f"{name}Betingelse"
        if name in voids and new and own:
            yield f"{name}Voidrestriktion"
    for name in ("driftsstatus", "fareklasse"):
        if name in voids and new:
            yield f"{name}Voidrestriktion"
    yield from broken_size_rules(feature, new=new, strict=new and own and built)
    yield from broken_height_rules(feature, new=new, strict=new and own and built, unknown=unknown)
    if feature.type == "AndenLedning" and given["forsyningsart"] in PREDEFINED:
        yield "forsyningsartRestriktion"
    if (
        feature.type in {"Vandledning", "Telekommunikationsledning"}
        and given.get("fareklasse") == "meget farlig"
    ):
        yield "fareklasseRestriktion"


def broken_size_rules(feature: Feature, *, new: bool, strict: bool) -> Iterator[str]:
    stated = feature.attributes.keys() | feature.voids.keys()
    diameter, sides = {"udvendigDiameter"}, {"udvendigBredde", "udvendigHoejde"}
    if strict and feature.voids.keys() & (diameter | sides):
        yield "udvendigDiameterVoidrestriktion"
    kind = MODEL.types[feature.type]
    if kind.is_a("Roerledning") or feature.type == "AndenLedning":
        if "tvaersnitsform" in feature.voids:
            if new:
                yield "TvaersnitsformRestriktionEfterSkaeringsDato"
            return
        due, banned = (
            (diameter, sides) if feature.attributes["tvaersnitsform"] == "cirkulær" else (sides, diameter)
        )
        if stated & banned:
            yield "udvendigBreddeBetingelse"
        if new and not due <= stated:
            yield "udvendigDiameterBetingelse"
    elif feature.type in {"Elledning", "Telekommunikationsledning"} and new and not diameter <= stated:
        yield "udvendigDiameterBetingelse"


def broken_height_rules(feature: Feature, *, new: bool, strict: bool, unknown: bool) -> Iterator[str]:
    served = feature.utility_types(MODEL.types[feature.type])
    shallow = bool(served) and served[0] in {"el", "telekommunikation"}
    pipe = MODEL.types[feature.type].is_a("Roerledning") or feature.type == "AndenLedning"
    if pipe and strict and unknown and not shallow:
        yield "geometriVertikaleKoordinaterRestriktion"
    if shallow and new and unknown:
        if "vejledendeDybde" not in feature.attributes.keys() | feature.voids.keys():
            yield "vejledendeDybdeBetingelse"
        if strict and "vejledendeDybde" in feature.voids:
            yield "vejledendeDybdeVoidrestriktion"


def test_lines_keep_the_restrictions_of_the_model() -> None:
    broken = Counter[tuple[str, str]]()
    for owner in town().owners:
        held = {
            str(line)
            for feature in owner.features
            if isinstance(lines := feature.attributes.get("indeholdtLedning"), list)
            for line in lines
        }
        for feature in filter(is_line, owner.features):
            for rule in broken_rules(feature, contained=feature.gml_id in held):
                broken[feature.type, rule] += 1
    assert not broken


def test_components_keep_the_restrictions_of_the_model() -> None:
    for _, feature in features():
        given, kind = feature.attributes, feature.attributes.get("type")
        if feature.type == "AndenKomponent":
            assert given["forsyningsart"] not in PREDEFINED
        if feature.type == "Afloebskomponent":
            assert "broendform" not in given or kind == "brønd"
            assert "bundlaengde" not in given or given["broendform"] in {"kvadratisk", "rektangulær"}
        if feature.type == "Elkomponent":
            assert "relativNiveau" not in given or kind == "rørblok"
        if feature.type == "Vandkomponent":
            assert "anborsted" not in given or kind == "tilslutningspunkt"
            assert "stutskote" not in given or kind in {"tapsted", "ventil"}
            assert "tapstedstype" not in given or kind == "tapsted"
        if feature.type == "Informationsressource":
            path, form = str(given["sti"]), str(given["format"])
            assert not path.startswith("/")
            suffixes = {"JPEG": {"jpg", "jpeg"}, "TIFF": {"tif", "tiff"}}.get(form, {form.lower()})
            assert path.rpartition(".")[2] in suffixes


def test_age_shows_in_the_data() -> None:
    lines = [feature for _, feature in features() if is_line(feature)]
    voids = Counter(name for feature in lines for name in feature.voids)
    assert voids.keys() >= {
        "fareklasse",
        "type",
        "udvendigDiameter",
        "noejagtighedsklasse",
        "driftsstatus",
        "tvaersnitsform",
    }
    patterns = Counter[str]()
    for feature in lines:
        if feature.geometry is not None:
            unknown = np.isnan(shapely.get_coordinates(feature.geometry, include_z=True)[:, 2])
            patterns["unknown" if unknown.all() else "mixed" if unknown.any() else "known"] += 1
    assert patterns["unknown"] > 500
    assert patterns["mixed"] > 50
    assert patterns["known"] > 1_000
    assert {f.attributes.get("noejagtighedsklasse") for f in lines} > set(
        MODEL.code_lists["Noejagtighedsklasse"].values
    )
    assert {f.attributes.get("driftsstatus") for f in lines} > set(MODEL.code_lists["Driftsstatus"].values)
    assert {f.attributes.get("fareklasse") for f in lines} > set(MODEL.code_lists["Fareklasse"].values)


def test_gravity_sewers_fall_and_lie_at_usual_depths() -> None:
    company = next(owner for owner in town().owners if owner.name == "Nordby Spildevand A/S")
    sewers = [
        f for f in company.features
        if f.type == "Afloebsledning" and f.attributes.get("ledningstransporttype") == "gravitation"
    ]  # fmt: skip
    assert len(sewers) > 600
    depths = []
    for sewer in sewers:
        points = shapely.get_coordinates(sewer.geometry, include_z=True)
        assert (np.diff(points[:, 2]) < 0).all(), sewer.gml_id
        depths.append(float((ground(points[:, :2]) - points[:, 2]).max()))
    assert max(depths) < 7.0
    assert min(depths) > 0.3
    assert 1.8 < np.median(depths) < 3.5


def test_interest_areas_hold_everything_with_room_to_spare() -> None:
    for owner in town().owners:
        assert owner.interest_area.is_valid
        shapely.prepare(owner.interest_area)
        own = np.array([
            f.geometry for f in owner.features if f.geometry is not None and MODEL.types[f.type].member in
            {"ledningMember", "ledningstraceMember", "ledningskomponentMember"}
        ])  # fmt: skip
        inside = shapely.covers(owner.interest_area, shapely.buffer(shapely.force_2d(own), 5.0))
        assert inside.all(), (owner.name, int((~inside).sum()))


def lines_in(owner: DemoOwner, area: shapely.Polygon) -> int:
    return sum(
        feature.geometry is not None and is_line(feature) and feature.geometry.intersects(area)
        for feature in owner.features
    )


def test_the_sites_are_what_they_claim_to_be() -> None:
    crossing, service, trench = (site.area for site in town().sites)
    for site in town().sites:
        assert site.area.is_valid
        assert len(site.description) <= 100
    assert crossing.area == pytest.approx(12 * 25, rel=0.01)
    assert service.area == pytest.approx(2 * 15, rel=0.01)
    assert trench.area == pytest.approx(500 * 2.5, rel=0.01)
    assert trench.area / trench.convex_hull.area < 0.1
    assert any(building.touches(service) or building.distance(service) < 3 for building in town().buildings)


def test_digging_meets_many_owners() -> None:
    counts = {
        (site.slug, owner.name): lines_in(owner, site.area)
        for site in town().sites
        for owner in town().owners
    }
    packages = [key for key, count in counts.items() if count]
    assert len(packages) >= 12
    assert sum(slug == "kryds" for slug, _ in packages) >= 8
    cut = sum(
        feature.geometry is not None and is_line(feature) and feature.geometry.crosses(site.area)
        for site in town().sites
        for _, feature in features()
    )
    assert cut > 150
    silent = next(owner for owner in town().owners if owner.name == SILENT)
    far = next(owner for owner in town().owners if owner.name == FAR)
    first = town().sites[0]
    assert silent.interest_area.intersects(first.area)
    assert not any(counts[site.slug, SILENT] for site in town().sites)
    assert not any(far.interest_area.intersects(site.area) for site in town().sites)
    for site in town().sites:
        for owner in town().owners:
            assert not counts[site.slug, owner.name] or owner.interest_area.intersects(site.area)
