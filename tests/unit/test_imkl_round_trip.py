"""LER to IMKL and back: equal in all that maps, and what does not map is in the account."""

from pathlib import Path

import numpy as np
import pytest
import shapely

from ingest.crs import projection_to
from ingest.readers.imkl.reader import ImklReader
from ler.exchange.account import Account, Fate
from ler.exchange.tables import load_imkl
from ler.model import Feature, Value, load_model
from ler.packages.imkl import write_imkl
from ler.packages.imkl.plan import make_plan
from ler.settings import Settings
from tests.networks import town_networks

TABLE = load_imkl()
MODEL = load_model()
RD = projection_to(28992)
POSITION_M = 0.002
"""Three decimals of RD, which far from the Netherlands is not true to scale."""
OWNERS = ["99000102", "99000201", "99000301", "99000302", "99000403", "99000501", "99000601", "99000602"]


def back_and_forth(
    path: Path, features: list[Feature], owner: str = "12345678"
) -> tuple[dict[str, Feature], ImklReader, Account]:
    _, account = write_imkl(path, features, MODEL, owner=owner, projection=RD)
    reader = ImklReader(path, coverage=Settings().coverage)
    return {feature.gml_id: feature for feature in reader}, reader, account


def expected(feature: Feature, nodes: set[str], kept: set[str]) -> dict[str, Value]:
    """What of the attributes must come back, by the table and the notes of its rows."""
    feature_type = MODEL.types[feature.type]
    found: dict[str, Value] = {}
    for name, value in feature.attributes.items():
        row = TABLE.field_of(feature_type, name)
        if row is None or not row.element:
            continue
        match name:
            case "etableringstidspunkt":
                value = None if str(value).startswith("before") else f"{value}-01-01"[:10]
            case "vejledendeDybde":
                value = round(float(str(value)) / 10) * 10.0
            case "startkomponent" | "slutkomponent":
                value = value if value in nodes else None
            case "ledningstransporttype":
                value = value if value == "gravitation" else None
            case "indeholdtLedning" | "bilag" if isinstance(value, list):
                value = [one for one in value if one in kept] or None
            case "annotatedFeature":
                value = value if value in kept else None
            case "noejagtighedsklasseVertikal":
                codes = TABLE.codes["depth_accuracy"]
                found_code = codes.read(codes.find(str(value)) or "") or None
                value = found_code if "vejledendeDybde" in feature.attributes else None
            case "registreringFra":
                value = (
                    value if feature.gml_id in nodes or not feature_type.is_a("Ledningskomponent") else None
                )
            case "forsyningsart" if row.form == "theme" and isinstance(value, list):
                value = [value[0]] if value[0] in TABLE.raw["theme_of"] else None
            case "identifier":
                value = value[:1] if isinstance(value, list) else value
            case _ if row.codes:
                codes = TABLE.codes[row.codes]
                value = codes.read(codes.find(str(value)) or "") or None
        if value is not None:
            found[name] = value
    return found


@pytest.mark.parametrize("cvr", OWNERS)
def test_a_network_comes_back_as_far_as_the_models_meet(tmp_path: Path, cvr: str) -> None:
    given = [feature for feature in town_networks()[cvr]]
    plan = make_plan(given, MODEL, TABLE, Account())
    nodes = {gml_id for gml_id, one in plan.features.items() if one.imkl.imkl == "Appurtenance"}
    found, reader, account = back_and_forth(tmp_path / "net.xml", given, cvr)
    assert reader.stated_owner == cvr
    lost = {row[1] for row in account.rows() if row[0] is Fate.OBJECT_LOST}
    for feature in given:
        other = found.get(feature.gml_id)
        if other is None:
            assert feature.type in lost or feature.type == "Informationsressource"
            continue
        assert other.type == feature.type
        wanted = expected(feature, nodes, found.keys() & plan.features.keys())
        got = {
            name: value
            for name, value in other.attributes.items()
            if name != "forsyningsart" or name in wanted
        }
        for name in ("indeholdtLedning", "bilag"):
            assert sorted(map(str, got.pop(name, []) or [])) == sorted(map(str, wanted.pop(name, []) or []))
        assert got == wanted, feature.gml_id
        same_place(plan.features[feature.gml_id].feature, other)


def same_place(given: Feature, found: Feature) -> None:
    assert given.geometry is not None
    assert found.geometry is not None
    flat = shapely.force_2d(given.geometry)
    if MODEL.types[given.type].is_a("Ledningskomponent") and "Line" in flat.geom_type:
        assert found.geometry.geom_type == "Point"
        return
    assert np.isnan(shapely.get_coordinates(found.geometry, include_z=True)[:, 2]).all()
    if isinstance(found.geometry, shapely.LineString) and isinstance(flat, shapely.MultiLineString):
        flat = flat.geoms[0]
    assert shapely.hausdorff_distance(flat, shapely.force_2d(found.geometry)) < POSITION_M


def line(gml_id: str = "l-1", **attributes: Value) -> Feature:
    shape = shapely.LineString([(575000, 6224000, 1.25), (575010, 6224000, float("nan"))])
    told: dict[str, Value] = {"etableringstidspunkt": "2004-05-13", "driftsstatus": "i drift"}
    return Feature("Vandledning", gml_id, told | attributes, {"tvaersnitsform": "unknown"}, shape)


AWKWARD: dict[str, dict[str, Value]] = {
    "danger and precautions": {
        "fareklasse": "meget farlig",
        "sikkerhedshensyn": "Ring først & <tal>\nto linjer",
    },
    "danger alone": {"fareklasse": "farlig"},
    "precautions alone": {"sikkerhedshensyn": 'fareklasse: ukendt "ord"'},
    "depth": {"vejledendeDybde": 850.0, "noejagtighedsklasseVertikal": "<= 1.00 m"},
    "numbers": {"udvendigDiameter": 110.5},
    "moment": {"registreringFra": "2024-02-29T23:59:59+01:00"},
    "identifier": {"id": "Ø 17/æ"},
    "material in other letters": {"udvendigMateriale": "Støbejern"},
}


@pytest.mark.parametrize("case", AWKWARD)
def test_awkward_values_come_back(tmp_path: Path, case: str) -> None:
    given = line("æ-1.x_x41_", **AWKWARD[case])
    found, _, _ = back_and_forth(tmp_path / "net.xml", [given])
    wanted = given.attributes | ({"udvendigMateriale": "støbejern"} if "material" in case else {})
    assert found[given.gml_id].attributes == wanted


def test_what_is_void_comes_back_void_and_what_ler_demands_is_void_where_imkl_says_nothing(
    tmp_path: Path,
) -> None:
    given = line()
    del given.attributes["driftsstatus"]
    given.voids |= dict.fromkeys(("driftsstatus", "udvendigDiameter", "noejagtighedsklasse"), "unknown")
    found, reader, _ = back_and_forth(tmp_path / "net.xml", [given])
    demanded = ("fareklasse", "noejagtighedsklasseVertikal", "tvaersnitsform")
    assert found["l-1"].voids == dict.fromkeys(
        ("driftsstatus", "udvendigDiameter", "noejagtighedsklasse", *demanded), "unknown"
    )
    assert reader.findings.errors == 0


def test_what_is_lost_is_counted_by_field_with_its_first_place(tmp_path: Path) -> None:
    features = [
        line(f"l-{n}", udvendigFarve=["blå"], etableringstidspunkt="before 2023-07-01") for n in (1, 2)
    ]
    _, _, account = back_and_forth(tmp_path / "net.xml", features)
    told = {(fate, kind, name): met for fate, kind, name, met in account.rows()}
    lost = told[Fate.VALUE_LOST, "Vandledning", "udvendigFarve"]
    assert (lost.count, lost.gml_id, lost.value) == (2, "l-1", "['blå']")
    assert told[Fate.VALUE_LOST, "Vandledning", "etableringstidspunkt"].count == 2
    assert told[Fate.VALUE_LOST, "Vandledning", "height"].count == 2
    assert not account.faithful


def test_a_line_in_a_duct_has_the_ducts_course_and_a_place_less_object_is_told(tmp_path: Path) -> None:
    duct = line("d-1")
    duct.type, duct.attributes = (
        "Foeringsroer",
        {"indeholdtLedning": ["t-1"], "forsyningsart": ["telekommunikation"]},
    )
    cable = Feature("Telekommunikationsledning", "t-1", {"type": "fiberkabel"})
    alone = Feature("Telekommunikationsledning", "t-2", {"type": "fiberkabel"})
    found, _, account = back_and_forth(tmp_path / "net.xml", [duct, cable, alone])
    assert found["d-1"].attributes["indeholdtLedning"] == ["t-1"]
    assert found["t-1"].geometry == found["d-1"].geometry
    assert "t-2" not in found
    assert account.count(Fate.ASSUMED) == account.count(Fate.OBJECT_LOST) == 1


def test_pieces_of_a_line_come_back_as_features_of_their_own_and_an_area_as_an_area(tmp_path: Path) -> None:
    pieces = line()
    pieces.geometry = shapely.MultiLineString(
        [[(575000, 6224000, 1), (575010, 6224000, 1)], [(575020, 6224000, 1), (575030, 6224000, 1)]]
    )
    hole = shapely.Polygon(
        shapely.box(575000, 6224000, 575010, 6224010).exterior.coords,
        [shapely.box(575002, 6224002, 575004, 6224004).exterior.coords],
    )
    tank = Feature(
        "Afloebskomponent",
        "b-1",
        {"type": "tank", "etableringstidspunkt": "2001-01-02"},
        {},
        shapely.force_3d(hole, 1.0),
    )
    found, _, _ = back_and_forth(tmp_path / "net.xml", [pieces, tank])
    assert found.keys() == {"l-1", "l-1_2", "b-1"}
    assert found["b-1"].geometry is not None
    assert shapely.force_2d(found["b-1"].geometry).symmetric_difference(hole).area < 40 * POSITION_M


def test_the_same_features_give_the_same_bytes(tmp_path: Path) -> None:
    given = list(town_networks()["99000302"])
    for name in ("a.xml", "b.xml"):
        write_imkl(tmp_path / name, given, MODEL, owner="99000302", projection=RD)
    assert (tmp_path / "a.xml").read_bytes() == (tmp_path / "b.xml").read_bytes()
