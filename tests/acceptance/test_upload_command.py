"""`ler upload --server` and the client behind it, over lines that fail."""

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import httpx
import pytest

from ler.client import uploads as upload_client
from ler.client.connection import Connection
from ler.client.uploads import Resumption, UploadClient
from ler.errors import RefusedError, UnavailableError
from tests.answers import answer
from tests.service import Service

GML = answer().encode() + b" " * 100_000
FAULTY = answer().replace("Vandledning", "Vandl\u00e6kning").encode()
WANTED = {"auto_approve": True}


def told(*_: object) -> None:
    """Nobody watches."""


class Flaky(httpx.HTTPTransport):
    """Loses a third of the calls before they leave and a third of the answers."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._chance = Random(seed)
        self.lost = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        what = self._chance.choice(("call", "answer", "nothing"))
        if what == "call":
            self.lost += 1
            raise httpx.ConnectError("lost")
        response = super().handle_request(request)
        if what == "answer":
            response.read()
            self.lost += 1
            raise httpx.ReadError("lost")
        return response


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_client, "PART_BYTES", 20_000)


def ler(service: Service, folder: Path, token: str, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "token").write_text(token + "\n", encoding="utf-8")
    environment = os.environ | {"XDG_STATE_HOME": str(folder / "state"), "NO_COLOR": "1"}
    program = [sys.executable, "-m", "geoapi.cli", "upload", *words]
    program += ["--server", service.url, "--token-file", "token"]
    return subprocess.run(
        program, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def uploads(service: Service, owner: object) -> int:
    with service.world.database.connect() as connection:
        row = connection.execute("SELECT count(*) FROM ler.upload WHERE owner_id = %s", [owner]).fetchone()
    assert row is not None
    return int(row[0])


def test_a_file_is_uploaded_and_published(worked: Service, tmp_path: Path) -> None:
    token = worked.token(worked.owner())
    (tmp_path / "net.gml").write_bytes(GML)
    done = ler(worked, tmp_path, token, "net.gml")
    assert done.returncode == 0, done.stderr
    assert "published version 1 with 2 features" in done.stdout
    assert not list((tmp_path / "state").rglob("*.json"))
    again = ler(worked, tmp_path, token, "net.gml", "--json")
    assert json.loads(again.stdout)["upload"]["state"] == "unchanged"
    assert token not in done.stdout + done.stderr + again.stdout + again.stderr


def test_a_file_with_faults_is_refused_with_its_faults(worked: Service, tmp_path: Path) -> None:
    (tmp_path / "net.gml").write_bytes(FAULTY)
    done = ler(worked, tmp_path, worked.token(worked.owner()), "net.gml")
    assert done.returncode == 2
    assert "error: line " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_token_and_a_bad_address_are_told_plainly(service: Service, tmp_path: Path) -> None:
    (tmp_path / "net.gml").write_bytes(GML)
    refused = ler(service, tmp_path, "ler_pat_nonsense", "net.gml")
    assert refused.returncode == 2
    assert "token is not valid" in refused.stderr
    missing = ler(service, tmp_path, "x", "other.gml")
    assert (missing.returncode, "is not a file" in missing.stderr) == (2, True)


@pytest.mark.parametrize("seed", range(3))
def test_lost_calls_and_answers_change_nothing(worked: Service, tmp_path: Path, seed: int) -> None:
    owner = worked.owner()
    file = tmp_path / "net.gml"
    file.write_bytes(GML)
    transport = Flaky(seed)
    headers = {"Authorization": f"Bearer {worked.token(owner)}"}
    with httpx.Client(base_url=worked.url, headers=headers, transport=transport, timeout=30) as http:
        client = UploadClient(Connection(http, pause=lambda _: None))
        kept = Resumption.of(tmp_path / "state", worked.url, file)
        for _ in range(5):
            try:
                found = client.upload(file, kept, WANTED, told)
                break
            except UnavailableError:
                kept = Resumption.of(tmp_path / "state", worked.url, file)
    assert found["state"] == "published"
    assert transport.lost > 5
    assert uploads(worked, owner) == 1


def test_an_interrupted_upload_is_taken_up_where_it_was(worked: Service, tmp_path: Path) -> None:
    owner = worked.owner()
    file = tmp_path / "net.gml"
    file.write_bytes(GML)
    offsets: list[int] = []

    def interrupt(what: str, done: int, _: int) -> None:
        if what == "sending":
            offsets.append(done)
            if len(offsets) == 3:
                raise KeyboardInterrupt

    headers = {"Authorization": f"Bearer {worked.token(owner)}"}
    with httpx.Client(base_url=worked.url, headers=headers, timeout=30) as http:
        client = UploadClient(Connection(http))
        with pytest.raises(KeyboardInterrupt):
            client.upload(file, Resumption.of(tmp_path, worked.url, file), WANTED, interrupt)
        kept = Resumption.of(tmp_path, worked.url, file)
        assert kept.address is not None
        found = client.upload(file, kept, WANTED, interrupt)
    assert found["state"] == "published"
    assert offsets[:5] == [0, 20_000, 40_000, 40_000, 60_000]
    assert uploads(worked, owner) == 1


def test_another_file_of_the_same_name_is_another_upload(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "net.gml"
    file.write_bytes(GML)
    first = Resumption.of(tmp_path, service.url, file)
    first.save()
    assert Resumption.of(tmp_path, service.url, file).key == first.key
    assert Resumption.of(tmp_path, "https://other.example", file).key != first.key
    file.write_bytes(GML + b" ")
    assert Resumption.of(tmp_path, service.url, file).key != first.key
    first.path.write_bytes(b"[]")
    file.write_bytes(GML)
    assert Resumption.of(tmp_path, service.url, file).address is None


def test_what_the_server_refuses_is_not_tried_again(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "net.gml"
    file.write_bytes(GML)
    calls: list[httpx.Request] = []
    headers = {"Authorization": f"Bearer {service.token(service.owner())}"}
    hooks = {"request": [calls.append]}
    kept = Resumption.of(tmp_path, service.url, file)
    with (
        httpx.Client(base_url=service.url, headers=headers, event_hooks=hooks, timeout=30) as http,
        pytest.raises(RefusedError) as caught,
    ):
        UploadClient(Connection(http)).upload(file, kept, {"mode": "half"}, told)
    assert caught.value.code == "field-invalid"
    assert len(calls) == 1
