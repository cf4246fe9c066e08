"""The QGIS project and the styles in the GeoPackage, without QGIS: `make test-qgis` asks that program itself."""

import sqlite3
import xml.etree.ElementTree as ET  # our own output
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
import time_machine

from ler.packages.contents import Contents
from ler.packages.geopackage import write_geopackage
from ler.packages.qgis_project import write_project
from tests.package_samples import sample


@pytest.fixture(scope="module")
def contents() -> Contents:
    return Contents(*sample(200))


def project(folder: Path, contents: Contents) -> ET.Element:
    path = folder / "consolidated.qgz"
    write_project(path, contents)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["consolidated.qgs"]
        return ET.fromstring(archive.read("consolidated.qgs"))  # noqa: S314


def test_dangers_stand_on_top_and_the_dig_area_below(tmp_path: Path, contents: Contents) -> None:
    groups = project(tmp_path, contents).findall("layer-tree-group/layer-tree-group")
    assert [group.get("name") for group in groups] == [
        "Farlige ledninger",
        "Påvises på stedet",
        "Komponenter",
        "Ledninger",
        "Usikkerhed",
        "Graveområde",
    ]
    first = [layer.get("name") for layer in groups[0]][1:]
    assert first == ["Elledning, meget farlig", "Gasledning, farlig"]
    assert "Elledning" not in [layer.get("name") for layer in groups[3]]  # all of it is dangerous
    assert "Føringsrør" in [layer.get("name") for layer in groups[3]]


def test_each_layer_is_a_table_beside_it_and_stands_once_in_the_tree(
    tmp_path: Path, contents: Contents
) -> None:
    document = project(tmp_path, contents)
    sources = [str(found.text) for found in document.iter("datasource")]
    ids = [str(found.text) for found in document.iterfind("projectlayers/maplayer/id")]
    assert sorted(ids) == sorted(str(found.get("id")) for found in document.iter("layer-tree-layer"))
    assert len(set(ids)) == len(ids)
    assert all(source.startswith("./consolidated.gpkg|layername=") for source in sources)
    write_geopackage(tmp_path / "consolidated.gpkg", contents)
    with closing(sqlite3.connect(tmp_path / "consolidated.gpkg")) as database:
        tables = {name for (name,) in database.execute("SELECT table_name FROM gpkg_contents")}
        styled = dict(database.execute("SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault"))
    used = {source.split("layername=")[1].split("|")[0] for source in sources}
    assert used == set(styled) == tables - {"Ledningsejere", "layer_styles"}
    assert all(ET.fromstring(qml).find("renderer-v2") is not None for qml in styled.values())  # noqa: S314


def test_nothing_asked_or_found_is_a_project_of_the_area(tmp_path: Path, contents: Contents) -> None:
    names = [
        one.get("name") for one in project(tmp_path, Contents(contents.request, [])).iter("layer-tree-layer")
    ]
    assert names == ["Graveområde"]


def test_the_same_contents_give_the_same_project_at_any_time(tmp_path: Path, contents: Contents) -> None:
    for name, moment in (("1", "2026-01-02T03:04:05Z"), ("2", "2031-07-08T09:10:11Z")):
        (tmp_path / name).mkdir()
        with time_machine.travel(moment, tick=False):
            write_project(tmp_path / name / "consolidated.qgz", contents)
    assert (tmp_path / "1/consolidated.qgz").read_bytes() == (tmp_path / "2/consolidated.qgz").read_bytes()
