"""Deviations over HTTP and by command: from the report with its photographs to the corrected network."""

import io
import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from PIL import Image
from psycopg import sql
from typer.testing import CliRunner, Result

from geoapi.cli import app
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.deviations import LARGEST_PHOTO
from tests.acceptance.guard_rows.deviations import DEVIATIONS, PNG, UNKNOWN
from tests.photographs import photograph
from tests.service import Client, Service
from tests.world import EVERYWHERE, water_pipe

HERE = UNKNOWN | {"geometry": {"type": "Point", "coordinates": [575000, 6224000, 1.5]}}
PIPE = water_pipe("pipe.1", (575000, 6224000, 1), (575100, 6224000, 1))
MOVED = water_pipe("pipe.1", (575000, 6224002, 1), (575100, 6224002, 1))


@pytest.fixture
def site(
    new_service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Service, Client, Client, dict[str, Any]]:
    """A service, the program of an owner, that of who dug, and a report."""
    blobs = str(tmp_path / "blobs")
    new_service.settings |= {"LER_BLOB_DIR": blobs}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LER_BLOB_DIR", blobs)
    monkeypatch.setenv("LER_DATABASE_URL", new_service.world.database.url())
    new_service.serve()
    owner = new_service.world.owner("21000001", area=EVERYWHERE)
    new_service.world.network("21000001", tmp_path, PIPE)
    new_service.world.ask(EVERYWHERE.centroid.buffer(50), tmp_path / "out")
    with new_service.world.database.connect() as connection:
        row = connection.execute(sql.SQL("SELECT id FROM ler.excavation_request")).fetchone()
        assert row is not None
    body = {
        "kind": "misplaced",
        "geometry": {"type": "LineString", "coordinates": [[575000, 6224002], [575010, 6224002.5]]},
        "measured_on": "2026-05-04",
        "owner_id": str(owner),
        "request_id": str(row[0]),
        "gml_id": "pipe.1",
        "accuracy_m": 0.05,
        "description": "Lå to meter nordligere",
    }
    digger = new_service.client(new_service.token(PLATFORM_OPERATOR))
    return new_service, new_service.client(new_service.token(owner)), digger, body


def report(client: Client, body: dict[str, Any]) -> httpx.Response:
    return client.http.post(DEVIATIONS, json=body, headers={"Idempotency-Key": uuid4().hex})


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["deviation", *words], env={"NO_COLOR": "1"})


def test_a_report_leads_to_a_corrected_network(
    site: tuple[Service, Client, Client, dict[str, Any]], tmp_path: Path
) -> None:
    service, owner, digger, body = site
    made = report(digger, body)
    assert made.status_code == 201, made.text
    path, told = made.headers["Location"], made.json()
    assert (told["state"], told["offset_m"], told["geometry"]["coordinates"][1]) == (
        "reported",
        2.5,
        [575010, 6224002.5],
    )

    photo = f"{path}/photos/1/content"
    for _ in range(2):
        assert digger.http.put(photo, content=PNG, headers={"Content-Type": "image/png"}).status_code == 201
    seen = owner.http.get(photo)
    assert seen.headers["Content-Type"] == "image/png"
    with Image.open(io.BytesIO(seen.content)) as kept, Image.open(io.BytesIO(PNG)) as sent:
        assert kept.tobytes() == sent.tobytes()
    assert b"Nikon" in PNG
    assert b"Nikon" not in seen.content
    assert "attachment" in seen.headers["Content-Disposition"]
    for content, kind, status in (
        (photograph("PNG", colour=(1, 2, 3)), "image/png", 409),
        (PNG[:200], "image/png", 422),
        (b"GIF89a", "image/png", 415),
        (PNG, "image/jpeg", 415),
        (PNG, "text/html", 415),
        (PNG + bytes(LARGEST_PHOTO), "image/png", 413),
    ):
        refused = digger.http.put(photo, content=content, headers={"Content-Type": kind})
        assert refused.status_code == status, (kind, refused.text)
    assert owner.http.put(photo, content=PNG, headers={"Content-Type": "image/png"}).status_code == 404

    assert (
        owner.http.get(DEVIATIONS, params={"state": "reported"}).json()["deviations"][0]["id"] == told["id"]
    )
    assert owner.http.post(f"{path}/acknowledge", json={}).json()["state"] == "acknowledged"
    assert (
        owner.http.post(f"{path}/accept", json={"note": "Vi måler efter"}).json()["note"] == "Vi måler efter"
    )
    assert owner.http.post(f"{path}/correct", json={"version": 2}).status_code == 422
    service.world.network("21000001", tmp_path, MOVED)
    assert owner.http.post(f"{path}/correct", json={"version": 2}).json()["state"] == "corrected"
    found = digger.http.get(path).json()
    assert (found["corrected_in"], found["note"], found["photos"][0]["number"]) == (2, "Vi måler efter", 1)
    assert owner.http.post(f"{path}/reject", json={}).status_code == 409
    stranger = service.program()
    assert stranger.http.get(path).status_code == 404
    assert stranger.http.get(photo).status_code == 404


def test_what_was_not_shown_is_told_as_what_is_not_there(
    site: tuple[Service, Client, Client, dict[str, Any]],
) -> None:
    _, _, digger, body = site
    answers = [
        report(digger, body | change)
        for change in ({"gml_id": "pipe.2"}, {"owner_id": str(uuid4())}, {"request_id": str(uuid4())})
    ]
    assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {
        (404, "/problems/not-found")
    }
    for change, status in (
        ({"geometry": {"type": "Point", "coordinates": [575500, 6224000]}}, 422),
        ({"geometry": {"type": "Polygon", "coordinates": []}}, 422),
        ({"geometry": {"type": "LineString", "coordinates": [[575000, 6224000], [575000, 6224000]]}}, 422),
        ({"measured_on": "2030-01-01"}, 422),
        ({"kind": "unknown"}, 422),
        ({"kind": "else"}, 400),
        ({"accuracy_m": "x"}, 400),
    ):
        assert report(digger, body | change).status_code == status, change


def test_a_line_that_nobody_has_shown_is_claimed(
    site: tuple[Service, Client, Client, dict[str, Any]], tmp_path: Path
) -> None:
    service, owner, digger, _ = site
    made = report(digger, HERE)
    path = made.headers["Location"]
    assert made.json()["state"] == "offered"
    assert made.json()["geometry"]["coordinates"] == [575000, 6224000, 1.5]
    assert service.program().http.post(f"{path}/claim", json={"mine": True}).status_code == 404
    assert owner.http.post(f"{path}/claim", json={"mine": False}).json()["state"] == "orphan"
    assert owner.http.post(f"{path}/claim", json={"mine": True}).json()["state"] == "accepted"
    assert owner.http.post(f"{path}/claim", json={"mine": True}).status_code == 409

    line = tmp_path / "line.geojson"
    line.write_text(json.dumps({"type": "LineString", "coordinates": [[575000, 6224005], [575020, 6224005]]}))
    reported = run("report", str(PLATFORM_OPERATOR), str(line), "--kind", "unknown")
    assert reported.exit_code == 0, reported.output
    number = str(UUID(reported.stdout.strip()))
    assert "accepted" in run("claim", number, "--owner", "21000001", "--mine").stderr
    assert "rejected" in run("judge", number, "reject", "--as", "21000001", "--note", "Alligevel ikke").stderr
    assert json.loads(run("show", number).stdout)[0]["note"] == "Alligevel ikke"
    assert number in run("list", "--state", "rejected").stdout
    assert run("judge", number, "claim", "--as", "21000001").exit_code == 2


def test_a_year_is_reported_and_counted_by_command(
    site: tuple[Service, Client, Client, dict[str, Any]], tmp_path: Path
) -> None:
    assert site[0].url

    def damage(*words: str) -> Result:
        return CliRunner().invoke(app, ["damage", *words], env={"NO_COLOR": "1"})

    file = tmp_path / "year.csv"
    file.write_text(
        "reference,utility_type,happened_on,east,north,cause,caused_by\n"
        "1,vand,2024-05-04,575000,6224000,no-request,excavator\n"
    )
    assert "1 damages" in damage("add", str(file), "--owner", "21000001").stderr
    again = damage("add", str(file), "--owner", "21000001")
    assert again.exit_code == 2
    assert "reference" in again.stderr
    assert damage("none", "2023", "--owner", "21000001").exit_code == 0
    assert damage("none", "2024", "--owner", "21000001").exit_code == 2
    rows = {row["year"]: row for row in json.loads(damage("years", "--owner", "21000001", "--json").stdout)}
    assert (rows[2024]["damages"], rows[2023]["no_damages"]) == (1, True)
    assert "2024,vand,no-request,1" in damage("statistics").stdout
    assert "no-request" in damage("list", "--year", "2024").stdout
    assert "careless-digging" in damage("codes").stdout
