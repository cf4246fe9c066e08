"""The whole story by the command line: entered, published, asked, answered by both sorts of owners, fetched, audited."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.area_files import geojson, wkt
from tests.commands import in_process
from tests.life_cycle import CENTRAL, network
from tests.packages import manifest_of
from tests.requests import AREA, PERIOD
from tests.service import Service, eventually

ANSWERING, DIGGER = "40000001", "50000001"
NO_LINES, WITHHELD = "ingen ledninger i graveområde", "ledningsoplysninger udleveres ikke"


class Shell:
    """Somebody at a command line, in a folder of its own."""

    def __init__(self, service: Service, folder: Path) -> None:
        self._folder = folder
        self._environment = {
            "NO_COLOR": "1",
            "COLUMNS": "200",
            "LC_ALL": "C.UTF-8",
            "LER_DATABASE_URL": service.world.database.url(),
            "LER_BLOB_DIR": str(service.blobs),
            "LER_KEY_DIR": str(service.keys),
            "LER_UPLOAD_DIR": str(service.files),
            "LER_AUDIT_DIR": str(service.folder / "audit"),
        }

    def __call__(self, *words: str, token: str = "") -> str:
        more = {"LER_TOKEN": token} if token else {}
        done = in_process(words, self._folder, self._environment | more)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout.strip()


@pytest.fixture
def ler(new_service: Service, tmp_path: Path) -> Shell:
    new_service.settings |= {"LER_AUDIT_DIR": str(new_service.folder / "audit")}
    new_service.serve()
    new_service.work()
    return Shell(new_service, tmp_path)


def test_the_whole_story_by_command(new_service: Service, ler: Shell, tmp_path: Path) -> None:
    server = ("--server", new_service.url)
    ground = wkt(tmp_path, AREA.buffer(50))
    tokens = {}
    for cvr, role in ((CENTRAL[0], "owner"), (ANSWERING, "owner"), (DIGGER, "excavator")):
        ler(
            "organisation",
            "add",
            f"Selskab {cvr}",
            "--role",
            role,
            "--cvr",
            cvr,
            "--email",
            f"{cvr}@example.dk",
        )
        tokens[cvr] = ler("token", "add", "--owner", cvr, "--days", "1")
        if role == "owner":
            contact = ("--person", "Vagten", "--email", f"{cvr}@example.dk")
            ler("area", "add", cvr, str(ground), "--utility-type", "vand", *contact)
            ler("contact", "add", cvr, "Vagten", "--phone", "12345678")
    (tmp_path / "net.gml").write_bytes(network(1))
    ler("check", "net.gml")
    ler("upload", "net.gml", *server, token=tokens[CENTRAL[0]])

    digs = str(geojson(tmp_path, AREA))
    days = ("--from", PERIOD["period_from"], "--to", PERIOD["period_to"], "--purpose", "Stik")
    ler("request", "price", digs, *days, *server, token=tokens[DIGGER])
    sent = json.loads(ler("request", "send", digs, *days, "--json", *server, token=tokens[DIGGER]))
    assert sent["progress"] == {
        "owners": 2,
        "missing": 1,
        "late": 0,
        "to_be_marked": 0,
        "all_answered": False,
    }

    # What there is is fetched at once, and says that nobody may dig yet.
    def fetched() -> dict[str, Any]:
        words = ("request", "fetch", sent["id"], "--out", "packages", "--json", *server)
        found: dict[str, Any] = json.loads(ler(*words, token=tokens[DIGGER]))
        return found

    wait_for_package(new_service, sent["id"], revision=1)
    partial = fetched()
    assert (partial["revision"], partial["complete"]) == (1, False)
    assert partial["notices"][0]["en"].startswith("DO NOT DIG: 1 owner missing of 2")

    (asked,) = json.loads(ler("answer", "list", "--json", *server, token=tokens[ANSWERING]))
    ler("answer", "acknowledge", asked["id"], *server, token=tokens[ANSWERING])
    ler("answer", "give", asked["id"], "--type", NO_LINES, *server, token=tokens[ANSWERING])
    wait_for_package(new_service, sent["id"], revision=2)
    whole = fetched()
    assert (whole["revision"], whole["complete"]) == (2, True)
    manifest = manifest_of((tmp_path / whole["path"]).read_bytes())
    assert [one["name"] for one in manifest["owners"]] == [f"Selskab {CENTRAL[0]}", f"Selskab {ANSWERING}"]
    # The same from the own store.
    own = json.loads(ler("request", "fetch", sent["id"], "--out", "own", "--requester", DIGGER, "--json"))
    assert (tmp_path / own["path"]).read_bytes() == (tmp_path / whole["path"]).read_bytes()
    assert not [*tmp_path.rglob("*.part")]

    corrected = ("--type", WITHHELD, "--text", "Ring først", "--update")
    ler("answer", "give", asked["id"], *corrected, *server, token=tokens[ANSWERING])
    wait_for_package(new_service, sent["id"], revision=3)
    assert "lines-withheld" in {one["code"] for one in fetched()["notices"]}

    seen = json.loads(ler("audit", "seen", "--gml-id", "c1", "--json"))
    assert len(seen["deliveries"]) == 1
    downloads = ler("audit", "list", "--action", "requester:package:download", "--json")
    assert downloads.count("requester:package:download") == 4, downloads
    ler("audit", "checkpoint")
    ler("audit", "verify")


def wait_for_package(service: Service, request: str, *, revision: int) -> None:
    def made() -> bool:
        with service.world.database.connect() as connection:
            row = connection.execute(
                "SELECT packed_revision FROM ler.excavation_request WHERE id = %s", [request]
            ).fetchone()
        assert row is not None
        return int(row[0]) >= revision

    eventually(made)
