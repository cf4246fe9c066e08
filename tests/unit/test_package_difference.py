"""What differs between two packages: as values, by hand, and by command over the files that were written."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from shapely import LineString, box
from typer.testing import CliRunner

from geoapi.cli import app
from ler.errors import RefusedError
from ler.model import Feature
from ler.packages.content import DELIVERED, OwnerStatus, RequestInfo
from ler.packages.difference import Change, Difference, Side, compare
from ler.packages.difference_told import document, geojson
from ler.packages.package import write_consolidated_package
from tests.package_samples import SOUTH, WEST, sample

CVR = "12345678"
NAN = float("nan")
type Points = list[tuple[float, float, float]]


def pipe(gml_id: str, points: Points, **attributes: Any) -> Feature:  # noqa: ANN401 - values of LER
    found = Feature("Vandledning", gml_id, {"driftsstatus": "i drift", **attributes})
    found.geometry = LineString([(WEST + x, SOUTH + y, z) for x, y, z in points])
    return found


def side(*features: Feature, east: float = 100, west: float = 0, owner: dict[str, Any] | None = None) -> Side:
    area = box(WEST + west, SOUTH, WEST + east, SOUTH + 100)
    told = {"cvr": CVR, "name": "Vand", "answers": [], **(owner or {})}
    request = {"order_number": 1, "area_wkt": area.wkt, "clip_buffer_m": 0.0}
    return Side({"owners": [told], "request": request}, {CVR: features})


def found(difference: Difference) -> dict[str, tuple[Change, float | None, float | None]]:
    return {one.feature.gml_id: (one.change, one.moved_m, one.raised_m) for one in difference.features}


def test_each_kind_of_change_is_told_and_measured() -> None:
    line: Points = [(10, 10, 1), (20, 10, 1)]
    old = side(
        pipe("same", line),
        pipe("rounded", line),
        pipe("gone", line),
        pipe("aside", line),
        pipe("deeper", line),
        pipe("known", [(10, 10, NAN), (20, 10, 1)]),
        pipe("vertex", line),
        pipe("told", line, udvendigDiameter=110.0, udvendigMateriale="PE"),
        pipe("both", line, udvendigMateriale="PE"),
        pipe("renamed-1", line, id="a"),
    )
    new = side(
        pipe("new", line),
        pipe("renamed-2", line, id="a"),
        pipe("same", line),
        pipe("rounded", [(10.0004, 10, 1), (20, 10, 1.0004)]),
        pipe("aside", [(10, 10, 1), (20, 10.75, 1)]),
        pipe("deeper", [(10, 10, 1), (20, 10, 0.5)]),
        pipe("known", line),
        pipe("vertex", [(10, 10, 1), (15, 10, 1), (20, 10, 1)]),
        pipe("told", line, udvendigDiameter=125.0, udvendigMateriale="PE"),
        pipe("both", [(10, 12, 1), (20, 12, 1)], udvendigMateriale="PVC"),
    )
    difference = compare(old, new)
    assert found(difference) == {
        "new": (Change.ADDED, None, None),
        "gone": (Change.REMOVED, None, None),
        "aside": (Change.MOVED, 0.75, None),
        "deeper": (Change.MOVED, None, 0.5),
        "known": (Change.MOVED, None, None),
        "told": (Change.CHANGED, None, None),
        "both": (Change.MOVED, 2.0, None),
    }
    told = {one.feature.gml_id: list(one.attributes) for one in difference.features}
    assert told["told"] == [("udvendigDiameter", 110.0, 125.0)]
    assert told["both"] == [("udvendigMateriale", "PE", "PVC")]
    (owner,) = difference.owners
    assert dict(owner.counts) == {Change.ADDED: 1, Change.REMOVED: 1, Change.MOVED: 4, Change.CHANGED: 1}
    assert not owner.state_changed
    drawn = geojson(difference)["features"]
    assert sum(one["properties"]["was"] for one in drawn) == 4
    assert len(drawn) == 7 + 4
    assert compare(old, old).is_none


def test_voids_and_answers_that_changed_are_told() -> None:
    before, after = pipe("a", [(1, 1, 1), (2, 2, 1)]), pipe("a", [(1, 1, 1), (2, 2, 1)])
    del after.attributes["driftsstatus"]
    after.voids["driftsstatus"] = "unknown"
    one: dict[str, Any] = {"answered": False, "answer": None}
    other: dict[str, Any] = {"answered": True, "answer": DELIVERED, "answers": [{"answer_id": "2"}]}
    difference = compare(side(before, owner=one), side(after, owner=other))
    assert difference.features[0].attributes == [("driftsstatus", "i drift", {"void": "unknown"})]
    (owner,) = document(difference)["owners"]
    assert owner["state_changed"]
    assert (owner["old"]["answered"], owner["new"]["answer_ids"]) == (False, ["2"])


def test_of_two_areas_only_what_lies_in_both_is_compared() -> None:
    through: Points = [(10, 50, 1), (90, 50, 1)]
    note = Feature("Informationsressource", "note", {"bilag": "x"})
    old = side(pipe("through", [*through, (100, 50, 1)]), pipe("west", [(1, 1, 1), (40, 1, 1)]), note)
    new = side(
        pipe("through", [(50, 50, 1), (150, 50, 1)], indeholdtLedning=["gone"]),
        pipe("east", [(110, 1, 1), (140, 1, 1)]),
        pipe("both", [(60, 1, 1), (140, 1, 1)]),
        west=50,
        east=150,
    )
    difference = compare(old, new)
    assert not difference.same_area
    assert found(difference) == {"both": (Change.ADDED, None, None)}
    with pytest.raises(RefusedError) as refused:
        compare(old, side(west=200, east=300))
    assert refused.value.code == "packages-apart"


def _corrected(request: RequestInfo, owners: list[OwnerStatus]) -> tuple[RequestInfo, list[OwnerStatus]]:
    """The next revision: one line of an owner gone, one moved by 1.5 m."""
    (delivery,) = owners[2].deliveries
    first, second, *rest = delivery.features
    assert second.geometry is not None
    moved = Feature(second.type, second.gml_id, second.attributes, second.voids)
    moved.geometry = LineString([(x + 1.5, y, z) for x, y, z in second.geometry.coords])
    changed = replace(delivery, features=[moved, *rest], clipped=delivery.clipped - {first.gml_id})
    following = [replace(one, deliveries=(changed,)) if one is owners[2] else one for one in owners]
    return replace(request, revision=4), following


def test_the_command_compares_files_folders_and_answers(tmp_path: Path) -> None:
    request, owners = sample(30)
    old = write_consolidated_package(tmp_path / "old", request, owners)
    new = write_consolidated_package(tmp_path / "new", *_corrected(request, owners))
    with ZipFile(new.path) as archive:
        archive.extractall(tmp_path / "out")
    first, second = owners[2].deliveries[0].features[:2]

    def told(*words: str) -> str:
        result = CliRunner().invoke(app, ["package", "diff", *words])
        assert result.exit_code == 0, result.output
        return result.output

    out = json.loads(
        told(str(old.path), str(tmp_path / "out"), "--json", "--map", str(tmp_path / "map.geojson"))
    )
    assert (out["old"]["revision"], out["new"]["revision"], out["same_area"]) == (3, 4, True)
    changes = {(one["change"], one["gml_id"], one["moved_m"]) for one in out["features"]}
    assert changes == {("removed", first.gml_id, None), ("moved", second.gml_id, 1.5)}
    drawn = json.loads((tmp_path / "map.geojson").read_text(encoding="utf-8"))["features"]
    assert [one["properties"]["change"] for one in drawn].count("moved") == 2
    danish = told(str(old.path), str(new.path), "--language", "da")
    assert "flyttet" in danish
    assert owners[2].name in danish
    assert "The packages say the same." in told(str(old.path), str(old.path), "--language", "en")
    answer = next((tmp_path / "out").glob("10000002-*/ledningsoplysninger.gml"))
    with ZipFile(old.path) as archive:
        archive.extractall(tmp_path / "was")
    was = tmp_path / "was" / answer.relative_to(tmp_path / "out")
    alone = json.loads(told(str(was), str(answer), "--json"))
    assert {(one["change"], one["gml_id"]) for one in alone["features"]} == {one[:2] for one in changes}
