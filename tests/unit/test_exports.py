"""Networks written in every format and read again through the mapping that is written beside them."""

import csv
import json
import subprocess
from pathlib import Path
from typing import Any

import ezdxf.filemanagement
import pytest
import shapely

from ingest.mapped_source import MappedSource
from ingest.mapping import read_mapping
from ler.errors import InputError, RefusedError
from ler.model import Feature
from ler.packages.exports.export import ExportFormat, export_features
from ler.settings import Settings
from tests.networks import differences, town_networks
from tests.vectors import open_file

COVERAGE = Settings().coverage
OWNERS = [
    "99000101",
    "99000102",
    "99000103",
    "99000201",
    "99000202",
    "99000203",
    "99000204",
    "99000301",
    "99000302",
    "99000401",
    "99000402",
    "99000403",
    "99000501",
    "99000601",
    "99000602",
    "99000603",
]


def exported(folder: Path, format_: ExportFormat, *features: Feature) -> Path:
    return export_features(folder / f"net{format_.suffix}", format_, features).path


def read_again(path: Path) -> MappedSource:
    mapping = read_mapping(path.with_name(f"{path.name}.mapping.yaml"))
    return MappedSource(open_file(path, mapping.csv), mapping, coverage=COVERAGE)


def pipe(gml_id: str = "l-1", **attributes: Any) -> Feature:  # noqa: ANN401 - fields of any kind
    given: dict[str, Any] = {
        "driftsstatus": "i drift",
        "fareklasse": "ikke farlig",
        "etableringstidspunkt": "2001",
    }
    line = shapely.LineString([(575000, 6224000, 1.25), (575010.1234, 6224000, float("nan"))])
    return Feature("Vandledning", gml_id, given | attributes, {"tvaersnitsform": None}, line)


def test_the_town_has_these_owners() -> None:
    assert list(town_networks()) == OWNERS


@pytest.mark.parametrize("cvr", OWNERS)
@pytest.mark.parametrize("format_", ExportFormat)
def test_an_owners_network_comes_back_as_it_was(tmp_path: Path, format_: ExportFormat, cvr: str) -> None:
    given = town_networks()[cvr]
    written = export_features(tmp_path / f"net{format_.suffix}", format_, given)
    source = read_again(written.path)
    assert differences(given, source, format_) == []
    assert written.feature_count == len(given)
    assert dict(source.findings.counts) == {}


AWKWARD: dict[str, dict[str, Any]] = {
    "formulas": {"udvendigMateriale": "=cmd|' /C calc'!A0"},
    "plus": {"udvendigMateriale": "+45 12"},
    "minus": {"udvendigMateriale": "-1+1"},
    "at": {"udvendigMateriale": "@SUM(A1)"},
    "tab": {"udvendigMateriale": "\tx"},
    "apostrophe": {"udvendigMateriale": "'=1"},
    "quoted formula": {"udvendigMateriale": "''+x"},
    "separators in a list": {"udvendigFarve": ["rød; gul", "blå\\", ";", "a, b"]},
    "emoji": {"udvendigMateriale": "🚰 vand"},
    "right to left": {"udvendigMateriale": "a\u202eb\u200bc"},
    "decomposed": {"udvendigMateriale": "A\u030a er ikke Å"},
    "long": {"sikkerhedshensyn": ("Pas på! æøå " * 41).strip()},
    "long without blanks": {"sikkerhedshensyn": "æ" * 500},
    "lines": {"sikkerhedshensyn": 'en "linje"\nog en til'},
    "injection": {"udvendigMateriale": "'; DROP TABLE %_\\ $1 ${jndi}"},
    "blanks": {"udvendigMateriale": " x "},
    "numbers": {"udvendigDiameter": 0.1, "vejledendeDybde": 1e-9, "udnyttelsesgrad": 0.33},
    "large": {"udvendigDiameter": 123456789.125},
    "truth": {"liggerILedning": False, "indeholderLedninger": True},
    "before": {"etableringstidspunkt": "before 2023-07-01"},
    "moment": {"registreringFra": "2024-02-29T23:59:59+01:00"},
    "moment in utc": {"registreringFra": "2024-02-29T23:59:59Z"},
    "number as text": {"id": "007", "udvendigMateriale": "1e5"},
    "contact": {
        "kontaktprofilTilTekniskeSpoergsmaal": {"gml_id": "k", "navn": 'Å "x"', "telefonnummer": "+45 1"}
    },
}


@pytest.mark.parametrize("case", AWKWARD)
@pytest.mark.parametrize("format_", ExportFormat)
def test_awkward_values_come_back_as_they_were(tmp_path: Path, format_: ExportFormat, case: str) -> None:
    given = [pipe("l-1", **AWKWARD[case]), pipe("l-2")]
    source = read_again(exported(tmp_path, format_, *given))
    if format_ is ExportFormat.SHAPEFILE and case == "blanks":
        given[0].attributes["udvendigMateriale"] = "x"  # it pads texts with blanks: those are nobody's
    assert differences(given, source, format_) == []
    assert dict(source.findings.counts) == {}


@pytest.mark.parametrize("format_", ExportFormat)
def test_levels_that_were_said_to_be_unknown_and_areas_with_holes(
    tmp_path: Path, format_: ExportFormat
) -> None:
    shell = [(575000, 6224000, 1), (575010, 6224000, 1), (575010, 6224010, 1), (575000, 6224010, 1)]
    hole = [(575004, 6224004, 1), (575004, 6224006, 1), (575006, 6224006, 1)]
    place = shapely.Point(575000, 6224000, 2)
    attributes: dict[str, Any] = {"type": "brønd", "topkote": None, "bundkote": 1.5}
    well = Feature("Afloebskomponent", "k-1", attributes, {"broendform": "unknown"}, place)
    basin = Feature("Afloebskomponent", "k-2", {"type": "bassin"}, {}, shapely.Polygon(shell))
    ring = Feature("Afloebskomponent", "k-3", {"type": "tank"}, {}, shapely.Polygon(shell, [hole]))
    # a drawing shows a hole, but knows no area with one
    given = [well, basin] if format_ is ExportFormat.DXF else [well, basin, ring]
    assert differences(given, read_again(exported(tmp_path, format_, *given)), format_) == []


@pytest.mark.parametrize("format_", ExportFormat)
def test_the_same_features_give_the_same_records(tmp_path: Path, format_: ExportFormat) -> None:
    given = town_networks()["99000601"]
    (tmp_path / "again").mkdir()
    one, two = (exported(folder, format_, *given) for folder in (tmp_path, tmp_path / "again"))
    assert [f.gml_id for f in read_again(one)] == [f.gml_id for f in read_again(two)]
    if format_ is not ExportFormat.GEOPACKAGE:  # which stamps its layers with the time
        assert one.read_bytes() == two.read_bytes()


def test_a_spreadsheet_runs_no_cell(tmp_path: Path) -> None:
    given = [pipe(f"l-{number}", **values) for number, values in enumerate(AWKWARD.values())]
    with exported(tmp_path, ExportFormat.CSV, *given).open(encoding="utf-8", newline="") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert "'=cmd|' /C calc'!A0" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_geojson_keeps_a_formula_as_it_is(tmp_path: Path) -> None:
    path = exported(tmp_path, ExportFormat.GEOJSON, pipe(udvendigMateriale="=1+1"))
    assert (
        json.loads(path.read_text(encoding="utf-8"))["features"][0]["properties"]["udvendigMateriale"]
        == "=1+1"
    )


@pytest.mark.parametrize("format_", [f for f in ExportFormat if f is not ExportFormat.GEOPARQUET])
def test_another_program_opens_it_without_a_word(tmp_path: Path, format_: ExportFormat) -> None:
    """The GDAL of Debian 12, which has no driver for GeoParquet."""
    path = exported(tmp_path, format_, *town_networks()["99000602"])
    name = f"/vsizip/{path}" if format_ is ExportFormat.SHAPEFILE else str(path)
    opened = subprocess.run(
        ["ogrinfo", "-ro", "-so", "-al", name], capture_output=True, text=True, check=True
    )
    assert opened.stderr == ""
    assert "Feature Count" in opened.stdout


def test_a_drawing_has_a_layer_a_feature_type(tmp_path: Path) -> None:
    drawing = ezdxf.filemanagement.readfile(
        exported(tmp_path, ExportFormat.DXF, *town_networks()["99000601"])
    )
    kinds = {feature.type for feature in town_networks()["99000601"] if feature.geometry}
    assert {entity.dxf.layer for entity in drawing.modelspace()} >= kinds
    assert not drawing.audit().errors


def test_a_feature_with_more_text_than_a_drawing_holds_is_refused(tmp_path: Path) -> None:
    colours = [f"{number:050}" for number in range(400)]
    with pytest.raises(InputError, match="l-9"):
        exported(tmp_path, ExportFormat.DXF, pipe("l-9", udvendigFarve=colours))
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    path = exported(tmp_path, ExportFormat.CSV, pipe())
    before = path.read_bytes()
    with pytest.raises(RefusedError) as refused:
        exported(tmp_path, ExportFormat.CSV, pipe("l-2"))
    assert refused.value.code == "file-exists"
    assert path.read_bytes() == before


@pytest.mark.parametrize("format_", ExportFormat)
def test_a_network_of_nothing_is_no_file(tmp_path: Path, format_: ExportFormat) -> None:
    with pytest.raises(RefusedError) as refused:
        export_features(tmp_path / f"net{format_.suffix}", format_, [])
    assert refused.value.code == "export-empty"
    assert list(tmp_path.iterdir()) == []
