"""`ler check`, `ler rules`, `ler model` and `ler convert` as a person meets them: exit codes, one message."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from geoapi.cli import COMMANDS
from ingest.rules.catalogue import load_rules
from ler.model import load_model
from ler.model.json_schema import feature_schema
from tests.answers import VALVE, WATER, answer
from tests.commands import in_process
from tests.official import needs_schemas, schema_errors

RULE = "Ledning.driftsstatusVoidrestriktion"
HEAVY = (
    "sqlalchemy",
    "geopandas",
    "pandas",
    "psycopg",
    "alembic",
    "rasterio",
    "cairocffi",
    "pyproj",
    "pyogrio",
)


def ler(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, in an English terminal of no colours unless told another."""
    return in_process(words, folder, {"NO_COLOR": "1", "LC_ALL": "C.UTF-8", **environment})


def saved(folder: Path, text: str, name: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return name


@pytest.fixture
def clean(tmp_path: Path) -> str:
    return saved(tmp_path, answer(), "clean.gml")


@pytest.fixture
def faulty(tmp_path: Path) -> str:
    return saved(tmp_path, answer(WATER.replace("i drift", "i fart"), VALVE), "faulty.gml")


@pytest.fixture
def unreadable(tmp_path: Path) -> str:
    return saved(tmp_path, answer()[:500], "broken.gml")


def test_a_clean_file_ends_with_0(tmp_path: Path, clean: str) -> None:
    done = ler(tmp_path, "check", clean)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "clean.gml: LER 2.2.0, 2 features, clean\n"


def test_findings_end_with_1_and_are_told_with_place_and_remedy(tmp_path: Path, faulty: str) -> None:
    done = ler(tmp_path, "check", faulty)
    assert (done.returncode, done.stderr) == (1, "")
    rule = load_rules()["attribute-code"]
    head, _, title, mend, place = done.stdout.splitlines()
    assert head == "faulty.gml: LER 2.2.0, 2 features, 1 errors"
    assert title == f"error attribute-code, once ({rule.basis})"
    assert mend.startswith(f"  How to mend it: {rule.mend['en'].partition('{')[0]}")
    assert "permanent ude af drift" in mend
    assert "vand.1" in place
    assert "i fart" in place


def test_a_file_that_cannot_be_read_ends_with_2(tmp_path: Path, unreadable: str) -> None:
    done = ler(tmp_path, "check", unreadable)
    assert done.returncode == 2
    assert "cannot be read" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["missing.gml", "."])
def test_what_is_no_file_ends_with_2(tmp_path: Path, name: str) -> None:
    done = ler(tmp_path, "check", name)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_of_several_files_the_worst_decides(tmp_path: Path, clean: str, faulty: str, unreadable: str) -> None:
    assert ler(tmp_path, "check", clean, faulty).returncode == 1
    done = ler(tmp_path, "check", unreadable, clean, faulty, "--json")
    assert done.returncode == 2
    outcomes = {file["file"]: file["outcome"] for file in json.loads(done.stdout)["files"]}
    assert outcomes == {"broken.gml": "unreadable", "clean.gml": "clean", "faulty.gml": "findings"}


def test_reports_can_be_combined(tmp_path: Path, faulty: str) -> None:
    done = ler(tmp_path, "check", faulty, "--json", "--html", "r.html", "--gpkg", "r.gpkg")
    assert done.returncode == 1, done.stderr
    (finding,) = json.loads(done.stdout)["files"][0]["findings"]
    assert (finding["rule"], finding["gml_id"]) == ("attribute-code", "vand.1")
    assert "i fart" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert subprocess.run(["ogrinfo", "r.gpkg"], cwd=tmp_path, check=True, capture_output=True).stderr == b""
    assert done.stderr.split() == ["r.html", "r.gpkg"]


def test_the_language_is_that_of_the_system(tmp_path: Path, clean: str) -> None:
    assert "fejlfri" in ler(tmp_path, "check", clean, LC_ALL="", LANG="da_DK.UTF-8").stdout
    assert "clean" in ler(tmp_path, "check", clean, LC_ALL="", LANG="de_DE.UTF-8").stdout
    assert "clean" in ler(tmp_path, "check", clean, "--language", "en", LANG="da_DK.UTF-8").stdout


def test_a_report_with_ten_thousand_findings_stays_readable(tmp_path: Path) -> None:
    broken = [
        WATER.replace("i drift", "i fart").replace("vand.1", f"v.{n}").replace("g1", f"g.{n}")
        for n in range(10_000)
    ]
    done = ler(tmp_path, "check", saved(tmp_path, answer(*broken, VALVE), "many.gml"))
    assert done.returncode == 1
    assert "10,000 errors" in done.stdout
    assert "and 9,995 more" in done.stdout
    assert len(done.stdout.splitlines()) < 20


def test_the_area_is_held_against_the_lines(tmp_path: Path, clean: str) -> None:
    corners = [[575000, 6223990], [575015, 6223990], [575015, 6224010], [575000, 6224010], [575000, 6223990]]
    area = saved(tmp_path, json.dumps({"type": "Polygon", "coordinates": [corners]}), "area.geojson")
    done = ler(tmp_path, "check", clean, "--area", area)
    assert done.returncode == 1
    assert "UtilityGeometryWithinDiggingAreaRule" in done.stdout


def test_the_version_can_be_chosen(tmp_path: Path, clean: str) -> None:
    done = ler(tmp_path, "check", clean, "--model", "2.1.0")
    assert done.returncode == 1
    assert "LER 2.1.0" in done.stdout
    assert "noejagtighedsklasseVertikal" in done.stdout


REFUSED = {
    "version": ("--model", "3.0.0"),
    "area": ("--area", "missing.geojson"),
    "page that is data": ("--html", "clean.gml"),
    "no such folder": ("--gpkg", "missing/r.gpkg"),
}


@pytest.mark.parametrize("words", REFUSED.values(), ids=REFUSED.keys())
def test_a_refusal_is_one_message(tmp_path: Path, clean: str, words: tuple[str, ...]) -> None:
    done = ler(tmp_path, "check", clean, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    assert (tmp_path / clean).read_text(encoding="utf-8") == answer()


def test_a_report_that_cannot_be_written_is_one_message(tmp_path: Path, clean: str) -> None:
    (tmp_path / "r.html").mkdir()
    done = ler(tmp_path, "check", clean, "--html", "r.html")
    assert done.returncode == 2
    assert done.stderr == "Error: r.html: Is a directory\n"


def test_checking_imports_no_library_that_it_does_not_need(tmp_path: Path, clean: str) -> None:
    code = (
        "import sys\nfrom geoapi.cli import app\n"
        f"try:\n app(['check', '{clean}'])\nexcept SystemExit as end:\n assert end.code == 0\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_command_is_in_the_help(tmp_path: Path) -> None:
    done = ler(tmp_path, "--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert command in done.stdout


def test_rules_are_listed_and_explained(tmp_path: Path) -> None:
    listed = json.loads(ler(tmp_path, "rules", "list", "--json").stdout)
    assert {row["rule"] for row in listed} == set(load_rules())
    older = json.loads(ler(tmp_path, "rules", "list", "--json", "--model", "2.0.0").stdout)
    assert 0 < len(older) < len(listed)
    assert RULE in ler(tmp_path, "rules", "list").stdout
    shown = ler(tmp_path, "rules", "show", RULE, "--language", "da")
    assert load_rules()[RULE].mend["da"] in shown.stdout
    assert json.loads(ler(tmp_path, "rules", "show", RULE, "--json").stdout)["rule"] == RULE


@pytest.mark.parametrize(
    "name", ["driftsstatusVoidrestriktion", RULE.lower(), "Ledning.driftstatusVoidrestriktion"]
)
def test_near_names_are_suggested(tmp_path: Path, name: str) -> None:
    done = ler(tmp_path, "rules", "show", name)
    assert done.returncode == 2
    assert RULE in done.stderr


def test_the_types_of_the_model_are_listed_and_shown(tmp_path: Path) -> None:
    model = load_model()
    listed = json.loads(ler(tmp_path, "model", "list", "--json").stdout)
    assert {row["type"] for row in listed} == {t.name for t in model.types.values() if not t.abstract}
    assert "Vandledning" in ler(tmp_path, "model", "list").stdout
    shown = json.loads(ler(tmp_path, "model", "show", "Vandledning", "--json").stdout)
    assert [row["attribute"] for row in shown] == [a.name for a in model.types["Vandledning"].attributes]
    assert "i drift (in operation)" in ler(tmp_path, "model", "show", "Vandledning").stdout


def test_the_schemas_of_every_version_are_given_out(tmp_path: Path) -> None:
    older = load_model("2.0.0")
    schema = ler(tmp_path, "model", "schema", "Vandledning", "--model", "2.0.0").stdout
    assert json.loads(schema) == feature_schema(older.types["Vandledning"], older)
    assert ler(tmp_path, "model", "schemas", "out/all").returncode == 0
    written = {path.stem: json.loads(path.read_text("utf-8")) for path in (tmp_path / "out/all").iterdir()}
    model = load_model()
    assert written == {t.name: feature_schema(t, model) for t in model.types.values() if not t.abstract}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["schema", "vandledningen"], "Did you mean Vandledning"),
        (["show", "Q"], "ler model list"),
        (["list", "--model", "3.0"], "2.2.0"),
        (["schemas", "clean.gml"], "no folder"),
        (["schemas", "clean.gml/x"], "clean.gml"),
    ],
)
def test_a_wrong_question_about_the_model_is_one_message(
    tmp_path: Path, clean: str, words: list[str], told: str
) -> None:
    done = ler(tmp_path, "model", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert told in done.stderr
    assert (tmp_path / clean).read_text("utf-8") == answer()


@needs_schemas
def test_conversion_tells_what_is_lost(tmp_path: Path, clean: str) -> None:
    done = ler(tmp_path, "convert", clean, "old.gml", "--to", "2.1.0")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "Vandledning.noejagtighedsklasseVertikal: 1, lost, LER 2.1.0 has no such attribute (first vand.1, line 5)",
        "Vandledning.noejagtighedsklasse: 1, kept, but means something else in LER 2.1.0: look through the values (first vand.1, line 5)",
    ]
    assert schema_errors(tmp_path / "old.gml", "2.1.0") == []
    back = ler(tmp_path, "convert", "old.gml", "new.gml", "--to", "2.2.0", "--json")
    assert back.returncode == 1
    told = json.loads(back.stdout)
    assert {name: told[name] for name in ("format", "from", "to", "features", "faithful", "not_kept")} == {
        "format": "ler-convert/1",
        "from": "2.1.0",
        "to": "2.2.0",
        "features": 2,
        "faithful": False,
        "not_kept": {},
    }
    assert told["changes"][0] == {
        "change": "to-add",
        "feature_type": "Vandledning",
        "attribute": "noejagtighedsklasseVertikal",
        "count": 1,
        "first": {"gml_id": "vand.1", "line": 3},
    }


def test_a_faithful_conversion_ends_with_0(tmp_path: Path, clean: str) -> None:
    done = ler(tmp_path, "convert", clean, "same.gml", "--to", "2.2.0", "--language", "da")
    assert (done.returncode, done.stdout) == (0, "")
    assert "Intet gik tabt" in done.stderr


CONVERSIONS = {
    "faulty": ("faulty.gml", "out.gml", "--to", "2.1.0"),
    "broken": ("broken.gml", "out.gml", "--to", "2.1.0"),
    "missing": ("missing.gml", "out.gml", "--to", "2.1.0"),
    "version": ("clean.gml", "out.gml", "--to", "3.0.0"),
    "there already": ("clean.gml", "faulty.gml", "--to", "2.1.0"),
    "no such folder": ("clean.gml", "missing/out.gml", "--to", "2.1.0"),
}


@pytest.mark.usefixtures("clean", "faulty", "unreadable")
@pytest.mark.parametrize("words", CONVERSIONS.values(), ids=CONVERSIONS.keys())
def test_a_refused_conversion_leaves_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = ler(tmp_path, "convert", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
