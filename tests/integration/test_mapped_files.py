"""Files of every format through the gate, the reading process, the mapping and the rules, as owners will send them."""

import json
import subprocess
import zipfile
from pathlib import Path

import geopandas
import pytest
import shapely

from ingest.mapping import parse_mapping
from ingest.open_source import draft_mapping, open_source
from ler.errors import RefusedError
from ler.packages.exports.export import ExportFormat, export_features
from ler.packages.exports.layers import write_layer
from ler.settings import Settings
from tests.commands import in_process
from tests.networks import differences, town_networks

SETTINGS = Settings()
OWNERS = ("99000101", "99000103", "99000402")


@pytest.mark.parametrize("cvr", OWNERS)
@pytest.mark.parametrize("format_", ExportFormat)
def test_a_network_comes_back_through_the_gate(tmp_path: Path, format_: ExportFormat, cvr: str) -> None:
    given = town_networks()[cvr]
    written = export_features(tmp_path / f"net{format_.suffix}", format_, given)
    with open_source(written.path, mapping=written.mapping, settings=SETTINGS) as source:
        assert differences(given, source, format_) == []
    assert dict(source.findings.counts) == {}


@pytest.mark.parametrize("format_", [f for f in ExportFormat if f is not ExportFormat.SHAPEFILE])
def test_a_draft_reads_our_own_files(tmp_path: Path, format_: ExportFormat) -> None:
    given = town_networks()["99000501"]
    written = export_features(tmp_path / f"net{format_.suffix}", format_, given)
    mapping = parse_mapping(draft_mapping(written.path, settings=SETTINGS))
    with open_source(written.path, mapping=mapping, settings=SETTINGS) as source:
        assert differences(given, source, format_) == []
    assert source.findings.errors == 0


def ler(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return in_process(words, folder, {})


def test_an_owner_drafts_checks_and_reads(tmp_path: Path) -> None:
    lines = [shapely.LineString([(575000, 6224000 + y), (575010, 6224000 + y)]) for y in range(3)]
    columns = {
        "NR": [1, 2, 3],
        "Status": ["i drift", "I DRIFT", "ukendt"],
        "Diameter_m": [0.11, 0.2, 0.3],
        "Anlagt": ["13-05-2004"] * 3,
        "Bem": ["a", "b", None],
    }
    frame = geopandas.GeoDataFrame(columns, geometry=lines, crs="EPSG:25832")
    write_layer(tmp_path / "net.gpkg", "Vandrør", frame, "LineString")

    drafted = ler(tmp_path, "mapping", "suggest", "net.gpkg", "--out", "net.yaml")
    assert (drafted.returncode, drafted.stdout) == (0, ""), drafted.stderr
    draft = (tmp_path / "net.yaml").read_text(encoding="utf-8")
    for line in (
        "type: Vandledning",
        "id: {column: NR, prefix: id-}",
        "udvendigDiameter: {column: Diameter_m, unit: m}",
        'etableringstidspunkt: {column: Anlagt, date: "%d-%m-%Y"}',
        '"I DRIFT": "i drift"',
        "# ukendt: which of: under etablering | i drift | permanent ude af drift",
        "# fareklasse: required, and no column was found",
        "# noejagtighedsklasseVertikal: required of lines with a geometry, and no column was found",
        "# not used: column Bem (a, b)",
    ):
        assert line in draft

    checked = ler(tmp_path, "mapping", "check", "net.yaml", "net.gpkg")
    assert (checked.returncode, checked.stdout) == (0, "Vandrør: Vandledning, 3 attributes\n")

    found = ler(tmp_path, "check", "net.gpkg", "--mapping", "net.yaml", "--json")
    report = json.loads(found.stdout)["files"][0]
    assert (found.returncode, report["features"]) == (1, {"Vandledning": 3})
    told = {(finding["layer"], finding["line"], finding["rule"]) for finding in report["findings"]}
    assert ("Vandrør", 3, "mapping-code-unknown") in told
    assert ("Vandrør", 1, "value-missing") in told
    assert ("Vandrør", 0, "mapping-column-unused") in told


def test_a_file_without_its_mapping_is_told_to_need_one(tmp_path: Path) -> None:
    (tmp_path / "net.csv").write_text("NR,WKT\n1,POINT (575000 6224000)\n", encoding="utf-8")
    found = ler(tmp_path, "check", "net.csv")
    assert found.returncode == 2
    assert "ler mapping suggest net.csv" in found.stdout


def test_a_drawing_needs_its_system_to_be_said(tmp_path: Path) -> None:
    written = export_features(tmp_path / "net.dxf", ExportFormat.DXF, town_networks()["99000602"])
    text = written.mapping.read_text(encoding="utf-8").replace("crs: EPSG:7416\n", "")
    mapping = parse_mapping(text)
    with (
        pytest.raises(RefusedError) as refused,
        open_source(written.path, mapping=mapping, settings=SETTINGS),
    ):
        pass
    assert refused.value.code == "crs-missing"
    with open_source(written.path, mapping=mapping, crs="EPSG:7416", settings=SETTINGS) as source:
        assert differences(town_networks()["99000602"], source, ExportFormat.DXF) == []


def test_gml_takes_no_mapping(tmp_path: Path) -> None:
    (tmp_path / "net.gml").write_text("<x/>", encoding="utf-8")
    (tmp_path / "m.yaml").write_text("mapping: 1\nlayers: []\n", encoding="utf-8")
    with (
        pytest.raises(RefusedError),
        open_source(tmp_path / "net.gml", mapping=tmp_path / "m.yaml", settings=SETTINGS),
    ):
        pass


def test_shapefiles_beside_another_dataset_are_refused(tmp_path: Path) -> None:
    written = export_features(tmp_path / "net.zip", ExportFormat.SHAPEFILE, town_networks()["99000402"])
    with zipfile.ZipFile(written.path, "a") as archive:
        archive.writestr("more.geojson", "{}")
    with (
        pytest.raises(RefusedError, match=r"more\.geojson") as refused,
        open_source(written.path, mapping=written.mapping, settings=SETTINGS),
    ):
        pass
    assert refused.value.code == "archive-ambiguous"


def test_a_shapefile_among_several_must_be_whole(tmp_path: Path) -> None:
    written = export_features(tmp_path / "net.zip", ExportFormat.SHAPEFILE, town_networks()["99000402"])
    broken = tmp_path / "broken.zip"
    with zipfile.ZipFile(written.path) as archive, zipfile.ZipFile(broken, "w") as copy:
        for name in archive.namelist():
            if name != "punkter.prj":
                copy.writestr(name, archive.read(name))
    with (
        pytest.raises(RefusedError, match=r"\.prj") as refused,
        open_source(broken, mapping=written.mapping, settings=SETTINGS),
    ):
        pass
    assert refused.value.code == "shapefile-incomplete"
