"""LER to IMKL and back: equal in all that maps, and what does not map is in the account."""

from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Meeting:
    """What can be pointed to in the file: nodes, and everything."""

    nodes: frozenset[str]
    kept: frozenset[str]


type Rule = Callable[[Value, Feature, Meeting], Value]


def day(value: Value, _: Feature, __: Meeting) -> Value:
    return None if str(value).startswith("before") else f"{value}-01-01"[:10]


def to_the_centimetre(value: Value, _: Feature, __: Meeting) -> Value:
    return round(float(str(value)) / 10) * 10.0


def of_the_depth(value: Value, feature: Feature, _: Meeting) -> Value:
    codes = TABLE.codes["depth_accuracy"]
    found = codes.read(codes.find(str(value)) or "") or None
    return found if "vejledendeDybde" in feature.attributes else None


def only_nodes(value: Value, _: Feature, meeting: Meeting) -> Value:
    return value if value in meeting.nodes else None


def only_kept(value: Value, _: Feature, meeting: Meeting) -> Value:
    if isinstance(value, list):
        return [one for one in value if one in meeting.kept] or None
    return value if value in meeting.kept else None


def not_of_containers(value: Value, feature: Feature, meeting: Meeting) -> Value:
    component = MODEL.types[feature.type].is_a("Ledningskomponent")
    return value if feature.gml_id in meeting.nodes or not component else None


def first_known(value: Value, _: Feature, __: Meeting) -> Value:
    if not isinstance(value, list):
        return value
    return [value[0]] if value[0] in TABLE.raw["theme_of"] else None


RULES: dict[str, Rule] = {
    "etableringstidspunkt": day,
    "vejledendeDybde": to_the_centimetre,
    "noejagtighedsklasseVertikal": of_the_depth,
    "startkomponent": only_nodes,
    "slutkomponent": only_nodes,
    "ledningstransporttype": lambda value, _, __: value if value == "gravitation" else None,
    "indeholdtLedning": only_kept,
    "bilag": only_kept,
    "annotatedFeature": only_kept,
    "registreringFra": not_of_containers,
    "forsyningsart": first_known,
    "identifier": lambda value, _, __: value[:1] if isinstance(value, list) else value,
}
"""What comes back of values that are kept in part, by the notes of their rows; whatever has codes by its codes."""


def expected(feature: Feature, meeting: Meeting) -> dict[str, Value]:
    """What of the attributes must come back."""
    found: dict[str, Value] = {}
    for name, told in feature.attributes.items():
        row = TABLE.field_of(MODEL.types[feature.type], name)
        if row is None or not row.element:
            continue
        value = told
        if name in RULES:
            value = RULES[name](told, feature, meeting)
        elif row.codes:
            codes = TABLE.codes[row.codes]
            value = codes.read(codes.find(str(told)) or "") or None
        if value is not None:
            found[name] = value
    return found


@pytest.mark.parametrize("cvr", OWNERS)
def test_a_network_comes_back_as_far_as_the_models_meet(tmp_path: Path, cvr: str) -> None:
    given = list(town_networks()[cvr])
    plan = make_plan(given, MODEL, TABLE, Account())
    found, reader, account = back_and_forth(tmp_path / "net.xml", given, cvr)
    assert reader.stated_owner == cvr
    nodes = frozenset(gml_id for gml_id, one in plan.features.items() if one.imkl.imkl == "Appurtenance")
    meeting = Meeting(nodes, frozenset(found.keys() & plan.features.keys()))
    lost = {row[1] for row in account.rows() if row[0] is Fate.OBJECT_LOST}
    for feature in given:
        other = found.get(feature.gml_id)
        if other is None:
            assert feature.type in lost or feature.type == "Informationsressource"
            continue
        assert other.type == feature.type
        wanted = expected(feature, meeting)
        got = {
            name: value
            for name, value in other.attributes.items()
            if name != "forsyningsart" or name in wanted
        }
        assert in_any_order(got) == in_any_order(wanted), feature.gml_id
        same_place(plan.features[feature.gml_id].feature, other)


def in_any_order(attributes: dict[str, Value]) -> dict[str, object]:
    """Lists of references have no order of their own."""
    return {
        name: sorted(map(str, told)) if isinstance(told, list) else told for name, told in attributes.items()
    }


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
