"""`ler convert` from and to the neighbours' models, with its account and exit codes."""

import json
import zipfile
from pathlib import Path

import pyogrio
import pytest
import shapely
from typer.testing import CliRunner

from geoapi.cli import app
from geoapi.cli.convert import LAYERS
from ler.packages.exports.export import ExportFormat
from tests.answers import COVERAGE, WATER, answer, reader
from tests.imkl import document, line, link, network

RUN = CliRunner()
DANISH = document(
    network("water"),
    line("Waterleiding"),
    link().replace(
        "155000 463000 155010.5 463000 155020 463005", "454704.909 918597.384 454714.909 918597.384"
    ),
)
"""RD of a place at 575000 6224000 in EPSG:25832, which lies in the coverage."""


def convert(*words: str) -> tuple[int, str]:
    result = RUN.invoke(app, ["convert", *words])
    return result.exit_code, result.output


def test_imkl_becomes_ler_gml_that_says_what_is_to_be_added(tmp_path: Path) -> None:
    (tmp_path / "in.xml").write_text(DANISH, encoding="utf-8")
    code, told = convert(
        str(tmp_path / "in.xml"), str(tmp_path / "out.gml"), "--to", "2.2.0", "--language", "en"
    )
    assert code == 1
    assert "out.gml: 1 features" in told.replace("\n", "")
    assert "accuracy of 0.25 m" in told
    assert "Graveforespoergselssvar.id: 1, to be added" in told
    (pipe,) = reader(tmp_path / "out.gml")
    assert pipe.type == "Vandledning"
    assert pipe.geometry is not None
    west, south, east, north = COVERAGE
    assert west < pipe.geometry.bounds[0] < east
    assert south < pipe.geometry.bounds[1] < north


def test_ler_becomes_imkl_and_the_account_is_json(tmp_path: Path) -> None:
    (tmp_path / "in.gml").write_text(answer(), encoding="utf-8")
    code, told = convert(str(tmp_path / "in.gml"), str(tmp_path / "out.xml"), "--to", "imkl", "--json")
    assert code == 1
    report = json.loads(told)
    assert report["format"] == "ler-exchange/1"
    assert report["features"] == 2
    rows = {(row["fate"], row["of"], row["field"]): row for row in report["fields"]}
    assert rows["coarser", "Vandledning", "etableringstidspunkt"]["first"] == {
        "gml_id": "vand.1",
        "line": 0,
        "value": "1978-05",
    }
    assert convert(str(tmp_path / "out.xml"), str(tmp_path / "net.json"), "--to", "muddi-geojson")[0] == 1
    features = json.loads((tmp_path / "net.json").read_text(encoding="utf-8"))["features"]
    assert sorted(feature["featureType"] for feature in features) == [
        "network",
        "network_link",
        "network_node",
    ]


def test_a_delivery_is_converted_from_its_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.writestr("GI_gebiedsinformatielevering_1_V2.xml", DANISH)
    assert convert(str(tmp_path / "in.zip"), str(tmp_path / "out.gml"), "--to", "2.2.0")[0] == 1
    assert len(list(reader(tmp_path / "out.gml"))) == 1


@pytest.mark.parametrize(
    ("text", "to", "told"),
    [
        (DANISH.replace("454704.909 918597.384", "1 2"), "2.2.0", "faults"),
        (answer(WATER.replace("575000 6224000", "1 2")), "imkl", "faults"),
        (DANISH, "2.0.0", "convert the copy to 2.0.0 then"),
        (DANISH, "klic", "muddi-geojson"),
    ],
)
def test_a_file_with_faults_and_a_stranger_are_refused(tmp_path: Path, text: str, to: str, told: str) -> None:
    (tmp_path / "in.xml").write_text(text, encoding="utf-8")
    code, output = convert(str(tmp_path / "in.xml"), str(tmp_path / "out"), "--to", to)
    assert code == 2
    assert told in " ".join(output.split())
    assert not (tmp_path / "out").exists()


def test_check_reads_imkl_and_tells_every_value_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "in.xml").write_text(DANISH.replace("underground", "onGroundSurface"), encoding="utf-8")
    result = RUN.invoke(app, ["check", str(tmp_path / "in.xml"), "--language", "en"])
    assert result.exit_code == 1
    assert "imkl-value-coarser" in result.output
    assert "onGroundSurface" in result.output


def test_an_owners_file_becomes_layers_for_cad_and_gis_that_are_read_again(tmp_path: Path) -> None:
    assert list(LAYERS) == list(ExportFormat)
    (tmp_path / "in.gml").write_text(answer(), encoding="utf-8")
    code, told = convert(
        str(tmp_path / "in.gml"), str(tmp_path / "out.zip"), "--to", "shapefile", "--language", "en"
    )
    assert code == 0
    assert "2 features" in told.replace("\n", " ")
    assert (tmp_path / "out.zip.mapping.yaml").is_file()
    (pipe,) = [one for one in reader(tmp_path / "in.gml") if one.type == "Vandledning"]
    (row,) = pyogrio.read_dataframe(f"/vsizip/{tmp_path / 'out.zip'}/linjer.shp").itertuples()
    assert pipe.geometry is not None
    assert shapely.equals_exact(shapely.force_2d(row.geometry), shapely.force_2d(pipe.geometry), 1e-6)
