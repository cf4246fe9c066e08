"""MUDDI as JSON-FG and GeoPackage: read by GDAL with equal counts and places, and by what the standard says of members."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely

from ingest.crs import projection_to
from ler.errors import RefusedError
from ler.exchange.account import Account, Fate
from ler.exchange.tables import load_muddi
from ler.model import Feature, load_model
from ler.packages.exchange import Exchanged, ExchangeFormat, exchange_features
from ler.packages.muddi.objects import MuddiObject, muddi_objects, system_id
from tests.networks import town_networks

MODEL = load_model()
OWNER = "99000201"
"""Ducts and cables in them, cabinets, manholes."""


def written(folder: Path, format_: ExchangeFormat, features: list[Feature] | None = None) -> Exchanged:
    given = town_networks()[OWNER] if features is None else features
    path = folder / f"net.{'gpkg' if format_ is ExchangeFormat.MUDDI_GEOPACKAGE else 'json'}"
    return exchange_features(path, format_, given, MODEL, owner=OWNER, projection_to=projection_to)


def objects(features: list[Feature] | None = None) -> list[MuddiObject]:
    given = list(town_networks()[OWNER]) if features is None else features
    return muddi_objects(given, MODEL, owner=OWNER, account=Account())


def test_gdal_reads_the_geopackage_with_equal_counts_places_and_values(tmp_path: Path) -> None:
    made = written(tmp_path, ExchangeFormat.MUDDI_GEOPACKAGE)
    wanted: dict[str, list[MuddiObject]] = {}
    for one in objects():
        wanted.setdefault(one.kind, []).append(one)
    layers = {str(name) for name in pyogrio.list_layers(made.path)[:, 0]}
    assert layers == wanted.keys() >= {"network", "network_link", "network_node", "container", "access"}
    for kind, members in wanted.items():
        frame = pyogrio.read_dataframe(made.path, layer=kind)
        assert frame.crs.to_epsg() == 7416 or frame.crs.sub_crs_list[0].to_epsg() == 25832
        assert list(frame.columns)[: 3 + len(load_muddi()["properties"][kind])] == list(members[0].properties)
        for row, one in zip(frame.itertuples(index=False), members, strict=True):
            before = shapely.get_coordinates(one.feature.geometry, include_z=True)
            after = shapely.get_coordinates(row.geometry, include_z=True)
            assert np.array_equal(before, after, equal_nan=True)
            told = {name: getattr(row, name) for name in one.properties}
            same = [value if value is not None and value == value else None for value in told.values()]  # noqa: PLR0124
            assert same == list(one.properties.values())
    assert made.feature_count == sum(len(members) for kind, members in wanted.items() if kind != "network")


def test_all_that_ler_knows_of_a_feature_stands_beside(tmp_path: Path) -> None:
    document = json.loads(written(tmp_path, ExchangeFormat.MUDDI_GEOJSON).path.read_text(encoding="utf-8"))
    found = {feature["properties"]["record_id"]: feature for feature in document["features"]}
    for feature in town_networks()[OWNER]:
        if feature.type != "Informationsressource":
            beside = {
                k.removeprefix("ler_"): v
                for k, v in found[feature.gml_id]["properties"].items()
                if k.startswith("ler_")
            }
            assert beside.pop("type_name") == feature.type
            assert beside.pop("void", []) == sorted(feature.voids)
            assert beside == feature.attributes


def test_json_fg_has_the_members_of_the_standard(tmp_path: Path) -> None:
    made = written(tmp_path, ExchangeFormat.MUDDI_GEOJSON)
    document = json.loads(made.path.read_text(encoding="utf-8"))
    assert document["type"] == "FeatureCollection"
    assert "http://www.opengis.net/spec/json-fg-1/1.0/conf/core" in document["conformsTo"]
    assert document["coordRefSys"] == "http://www.opengis.net/def/crs/EPSG/0/25832"
    assert made.accuracy_m == 1.0
    ids = [feature["id"] for feature in document["features"]]
    assert len(set(ids)) == len(ids) == len(objects())
    for feature, one in zip(document["features"], objects(), strict=True):
        assert feature.keys() == {"type", "id", "featureType", "time", "place", "geometry", "properties"}
        assert feature["type"] == "Feature"
        assert feature["featureType"] in load_muddi()["properties"]
        check_places(feature, one.feature)


def check_places(feature: dict[str, Any], given: Feature) -> None:
    """Metres in `place`, with heights where all are known; degrees near Aarhus in `geometry`."""
    place = shapely.from_geojson(json.dumps(feature["place"]))
    before = shapely.get_coordinates(given.geometry, include_z=True)
    known = bool(np.isfinite(before[:, 2]).all())
    assert feature["place"].get("coordRefSys") == (
        "http://www.opengis.net/def/crs/EPSG/0/7416" if known else None
    )
    after = shapely.get_coordinates(place, include_z=known)
    assert np.allclose(before[:, : after.shape[1]], after, rtol=0, atol=0.00006)
    degrees = shapely.from_geojson(json.dumps(feature["geometry"]))
    assert not degrees.has_z
    west, south, east, north = degrees.bounds
    assert 8 < west <= east < 13 and 54 < south <= north < 58  # noqa: PT018 - one box


def test_gdal_reads_json_fg_class_by_class_with_equal_counts_and_places(tmp_path: Path) -> None:
    made = written(tmp_path, ExchangeFormat.MUDDI_GEOJSON)
    wanted: dict[str, dict[str, Feature]] = {}
    for one in objects():
        wanted.setdefault(one.kind, {})[one.properties["system_id"]] = one.feature
    assert {str(name) for name in pyogrio.list_layers(made.path)[:, 0]} == wanted.keys()
    for kind, features in wanted.items():
        assert pyogrio.read_info(made.path, layer=kind)["driver"] == "JSONFG"
        frame = pyogrio.read_dataframe(made.path, layer=kind)
        assert set(frame["system_id"]) == features.keys()
        assert len(frame) == len(features)
        for row in frame.itertuples(index=False):
            before = shapely.get_coordinates(features[row.system_id].geometry)
            assert np.allclose(before, shapely.get_coordinates(row.geometry), rtol=0, atol=0.00006)


@pytest.mark.parametrize(
    ("told", "time"),
    [
        ("2004-05-13", {"interval": ["2004-05-13", ".."]}),
        ("1987", {"interval": ["1987-01-01", ".."]}),
        ("before 2023-07-01", None),
    ],
)
def test_time_is_since_when_it_is_there(tmp_path: Path, told: str, time: dict[str, list[str]] | None) -> None:
    valve = Feature(
        "Vandkomponent",
        "v",
        {"type": "ventil", "etableringstidspunkt": told},
        {},
        shapely.Point(575000, 6224000, 1),
    )
    document = json.loads(
        written(tmp_path, ExchangeFormat.MUDDI_GEOJSON, [valve]).path.read_text(encoding="utf-8")
    )
    assert document["features"][1]["time"] == time


def test_links_point_to_their_nodes_and_networks(tmp_path: Path) -> None:
    valve = Feature("Vandkomponent", "v", {"type": "ventil"}, {}, shapely.Point(575000, 6224000, 1))
    shape = shapely.LineString([(575000, 6224000, 1), (575010, 6224000, float("nan"))])
    pipe = Feature(
        "Vandledning",
        "l",
        {"startkomponent": "v", "slutkomponent": "gone", "udvendigDiameter": 110.0},
        {},
        shape,
    )
    network, _, link = objects([valve, pipe])
    assert network.properties["commodity_type"] == "vand"
    assert link.properties["network_id"] == network.properties["system_id"]
    assert link.properties["network_node_from_id"] == system_id(OWNER, "v")
    assert link.properties["network_node_to_id"] is None
    assert (link.properties["diameter"], link.properties["diameter_units"]) == (110.0, "mm")
    account = written(tmp_path, ExchangeFormat.MUDDI_GEOJSON, [valve, pipe]).account
    assert [(fate, name) for fate, _, name, _ in account.rows()] == [(Fate.COARSER, "height")]


@pytest.mark.parametrize("format_", ExchangeFormat)
def test_the_same_features_give_the_same_bytes(tmp_path: Path, format_: ExchangeFormat) -> None:
    given = list(town_networks()["99000302"])
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        made.append(written(tmp_path / name, format_, given).path.read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize("format_", ExchangeFormat)
def test_nothing_is_written_over_and_nothing_empty_is_written(
    tmp_path: Path, format_: ExchangeFormat
) -> None:
    with pytest.raises(RefusedError, match="no features"):
        written(tmp_path, format_, [])
    assert list(tmp_path.iterdir()) == []
    for name in ("net.json", "net.gpkg"):
        (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(RefusedError, match="not written over"):
        written(tmp_path, format_)
    assert {path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {"mine"}
