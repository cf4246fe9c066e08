"""The offline viewer as bytes: what it holds, what it forbids itself, that nothing of others' text can break out of it."""

import base64
import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import shapely
from lxml import html
from shapely import GeometryCollection, LineString, MultiPoint, MultiPolygon, Point, Polygon, box

from ler.model import load_model
from ler.packages.attachments import WORDS
from ler.packages.labels import danish_label
from ler.packages.package import write_consolidated_package
from ler.packages.viewer import write_viewer
from ler.packages.viewer_data import encode_geometries, viewer_data
from tests.viewer_scene import EVIL, scene

PAGE = files("ler.packages").joinpath("viewer_page")
ORIGIN = (575_000.0, 6_224_000.0)


def page(folder: Path) -> Any:  # noqa: ANN401 - lxml's own
    write_viewer(folder / "viewer.html", scene(folder / "snit.pdf"))
    return html.document_fromstring((folder / "viewer.html").read_bytes())


def numbers(text: str) -> list[int]:
    return [int(one) for one in np.frombuffer(base64.b64decode(text), "<i4")]


def test_geometries_of_every_kind_are_told_in_pieces_to_the_millimetre() -> None:
    east, north = ORIGIN
    line = LineString([(east + 1.0004, north + 2), (east - 0.5, north + 2.25)])
    hole = box(east + 1, north + 1, east + 2, north + 2).exterior
    ring = Polygon(box(east, north, east + 3, north + 3).exterior, [hole])
    mixed = GeometryCollection([MultiPoint([(east, north), (east + 1, north)]), MultiPolygon([ring]), line])
    told = encode_geometries([line, None, Point(east, north, 7), mixed, LineString()], ORIGIN)
    assert numbers(told["geometries"]) == [1, 0, 1, 5, 0]
    assert [(one >> 2, one & 3) for one in numbers(told["pieces"])] == [
        *((2, 1), (1, 0)),
        *((1, 0), (1, 0), (5, 2), (5, 3), (2, 1)),
    ]
    steps = np.array(numbers(told["coordinates"])).reshape(-1, 2).cumsum(axis=0)
    assert steps[:3].tolist() == [[1000, 2000], [-500, 2250], [0, 0]]
    assert np.abs(steps[-2:] / 1000 + ORIGIN - shapely.get_coordinates(line)).max() < 0.0005


def test_no_geometry_at_all_is_told_too() -> None:
    told = encode_geometries([None], ORIGIN)
    assert (numbers(told["geometries"]), told["pieces"], told["coordinates"]) == ([0], "", "")


def test_texts_of_others_cannot_leave_the_element_in_which_they_stand(tmp_path: Path) -> None:
    read = page(tmp_path)
    scripts = read.xpath("//script")
    assert [one.get("type") for one in scripts] == ["application/json", "application/json", None]
    data = json.loads(scripts[1].text)
    assert EVIL in data["owners"][0]["name"]
    assert data["features"][0][-1].count(EVIL) == 1
    assert read.xpath("//img") == []
    assert "<" not in scripts[0].text + scripts[1].text


def test_the_page_forbids_itself_every_connection_and_knows_its_own_script(tmp_path: Path) -> None:
    read = page(tmp_path)
    policy = read.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert policy.startswith("default-src 'none'; ")
    for text, kind in ((read.xpath("//script")[2].text, "script"), (read.xpath("//style")[0].text, "style")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert read.xpath("//@src") + read.xpath("//link") == []


def test_features_come_in_order_with_their_columns_and_what_is_unknown(tmp_path: Path) -> None:
    contents = scene(tmp_path / "snit.pdf")
    next(contents.features())[2].voids["etableringstidspunkt"] = "unknown"
    data = viewer_data(contents, 100)
    assert [row[4] for row in data["features"]] == [one.gml_id for _, _, one in contents.features()]
    row = data["features"][0]
    columns = [column[0] for column in data["types"][row[2]]["columns"]]
    assert dict(zip(columns, row[-1], strict=True))["vejledendeDybde"] == 900.0
    assert row[-2] == {"etableringstidspunkt": "unknown"}
    assert data["labels"] == {"0/0": "E2", "0/1": "E1", "1/0": "G", "3/0": "V", "4/0": "A", "6/0": "T"}


def test_attachments_are_linked_where_the_package_lays_them_or_told_to_be_lost(tmp_path: Path) -> None:
    for file, told in ((tmp_path / "snit.pdf", "10000000-ejer/bilag/snit æ.pdf"), (None, WORDS)):
        answer = viewer_data(scene(file), 100)["owners"][0]["answers"][0]
        assert answer["files"] == {"bilag/snit æ.pdf": told}


def test_the_package_holds_the_page_and_every_file_that_it_links(tmp_path: Path) -> None:
    (tmp_path / "snit.pdf").write_bytes(b"pdf")
    contents = scene(tmp_path / "snit.pdf")
    package = write_consolidated_package(tmp_path, contents.request, contents.owners)
    with ZipFile(package.path) as archive:
        names, page = set(archive.namelist()), html.document_fromstring(archive.read("viewer.html"))
    data = json.loads(page.xpath("//script[@id='data']")[0].text)
    links = [link for owner in data["owners"] for one in owner["answers"] for link in one["files"].values()]
    assert len(links) == 1
    assert names.issuperset(links)


def test_above_the_limit_no_feature_is_held_rather_than_some(tmp_path: Path) -> None:
    data = viewer_data(scene(tmp_path / "snit.pdf"), 9)
    assert (data["delivered"], data["features"], data["geometry"]["pieces"]) == (10, [], "")


def test_every_text_is_there_in_both_languages_and_is_used() -> None:
    scripts = {
        one.name: one.read_text(encoding="utf-8") for one in PAGE.iterdir() if one.name.endswith(".js")
    }
    danish, english = scripts.pop("texts.js").split("\n  en: {")
    names = [re.findall(r"(?:^|[{ ])(\w+): '", text, re.MULTILINE) for text in (danish, english)]
    assert names[0] == names[1]
    used = " ".join(scripts.values()) + PAGE.joinpath("page.html").read_text(encoding="utf-8")
    assert [name for name in names[0] if not re.search(rf"['\"]{name}['\"]", used)] == []


def test_the_map_library_is_the_one_that_is_described() -> None:
    vendor = PAGE.joinpath("vendor")
    digest = hashlib.sha256(vendor.joinpath("openlayers.min.js").read_bytes()).hexdigest()
    assert digest in vendor.joinpath("README.md").read_text(encoding="utf-8")


def test_danish_labels_have_danish_letters() -> None:
    assert danish_label("udvendigHoejde") == "Udvendig højde"
    assert danish_label("kontaktprofilTilTekniskeSpoergsmaal") == "Kontaktprofil til tekniske spørgsmål"
    names = {a.name for t in load_model().types.values() for a in t.attributes} | set(load_model().types)
    assert [name for name in names if re.search("ae|oe|aa", danish_label(name), re.IGNORECASE)] == []
