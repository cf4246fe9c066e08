"""The map style for everybody: themes and formats without a token, and by command."""

import subprocess
from pathlib import Path

import pytest

from ler.packages.styles import load_styles
from ler.packages.styling.export import export_style
from ler.packages.styling.formats import StyleFormat
from tests.commands import in_process
from tests.service import Service


def test_everybody_gets_every_style_that_is_listed(service: Service) -> None:
    client = service.client(None).http
    listed = client.get("/api/v1/styles").json()["themes"]
    assert [one["theme"] for one in listed] == ["ler", "klic", "apwa"]
    assert listed[1]["name"] == {"da": "KLIC (Nederlandene)", "en": "KLIC (Netherlands)"}
    for one in listed:
        for format_, path in one["formats"].items():
            answer = client.get(path)
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith(StyleFormat(format_).media_type)
            assert answer.content == export_style(load_styles(one["theme"]), StyleFormat(format_))


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("nowhere.json", 404, "not-found"), ("ler.shp", 404, "not-found"), ("ler", 404, "not-found")],
)
def test_a_style_that_there_is_not_is_told_so(service: Service, path: str, status: int, code: str) -> None:
    answer = service.client(None).http.get(f"/api/v1/styles/{path}")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (status, code)


def test_a_style_is_written_by_command(tmp_path: Path) -> None:
    def ler(*words: str) -> subprocess.CompletedProcess[str]:
        return in_process(("styles", *words), tmp_path, {"NO_COLOR": "1"})

    assert [line.split()[0] for line in ler("list").stdout.splitlines()] == ["ler", "klic", "apwa"]
    done = ler("export", "--format", "qml", "--theme", "apwa")
    assert (done.returncode, done.stdout) == (0, "apwa.qml\n")
    assert (tmp_path / "apwa.qml").read_bytes() == export_style(load_styles("apwa"), StyleFormat.QML)
    refused = ler("export", "--format", "sld", "--theme", "nowhere")
    assert refused.returncode == 2
    assert "ler, klic, apwa" in refused.stderr
    assert list(tmp_path.iterdir()) == [tmp_path / "apwa.qml"]
