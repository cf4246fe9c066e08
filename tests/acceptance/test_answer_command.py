"""`ler answer`: the same at a service and in the own database."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from geoapi.cli.answer import app
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.services.registry import get_organisation
from tests.acceptance.guard_rows.answers import ask_owner
from tests.acceptance.test_owner_answers import gml
from tests.service import Service

NO_LINES = "ingen ledninger i graveområde"
SITE_MARKING = "udtaget til påvisning - ledningsoplysninger udleveres ikke"


ADDRESS = "0a3f50a0-0001-32b8-e044-0003ba298018"


class Command:
    """`ler answer` for one owner, at the service or in the database behind it."""

    def __init__(self, service: Service, folder: Path, owner: UUID, *, remote: bool) -> None:
        self._environment = {
            "NO_COLOR": "1",
            "LC_ALL": "C.UTF-8",
            "LER_DATABASE_URL": service.world.database.url(),
            "LER_BLOB_DIR": str(service.blobs),
            "LER_KEY_DIR": str(service.keys),
        }
        if remote:
            token = folder / "token"
            token.write_text(service.token(owner), encoding="utf-8")
            self._where = ["--server", service.url, "--token-file", str(token)]
        else:
            with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
                self._where = ["--owner", str(get_organisation(connection, owner).cvr)]

    def __call__(self, *words: str, code: int = 0) -> Result:
        done = CliRunner(env=self._environment).invoke(app, [*words, *self._where])
        assert done.exit_code == code, done.output
        return done


@pytest.fixture(params=["remote", "local"])
def command(request: pytest.FixtureRequest, service: Service, owner: UUID, tmp_path: Path) -> Command:
    return Command(service, tmp_path, owner, remote=request.param == "remote")


@pytest.fixture
def owner(service: Service) -> UUID:
    return service.owner()


def test_an_owner_answers_from_the_command_line(
    service: Service, owner: UUID, command: Command, tmp_path: Path
) -> None:
    asked = ask_owner(service, owner, address_ids=[UUID(ADDRESS)])["owner_request_id"]
    (one,) = json.loads(command("list", "--json").stdout)
    assert (one["id"], one["state"]) == (asked, "asked")
    assert "acknowledged" in command("acknowledge", asked).stdout
    refused = command("give", asked, "--type", NO_LINES, "--update", code=2)
    assert "13-310" in refused.stderr
    assert "answered" in command("give", asked, "--type", NO_LINES).stdout
    assert json.loads(command("list", "--json").stdout) == []
    assert len(json.loads(command("list", "--all", "--json").stdout)) == 1

    net, plan = tmp_path / "net.gml", tmp_path / "plan.pdf"
    net.write_bytes(gml(owner))
    plan.write_bytes(b"%PDF-1.7")
    given = command("give", asked, "--gml", str(net), "--sketch", f"{ADDRESS}={plan}", "--update", "--json")
    assert json.loads(given.stdout)["revision"] == 2
    assert "withdrawn" in command("withdraw", asked, "--reason", "forkert").stdout
    command("give", asked, "--type", SITE_MARKING, "--update")
    meeting = ("--starts", "2099-12-01T09:00", "--ends", "2099-12-01T10:00", "--place", "x", "--contact", "y")
    assert "to-be-marked" in command("appoint", asked, *meeting).stdout
    assert "marked" in command("mark", asked).stdout
    shown = json.loads(command("show", asked).stdout)
    assert [one["revision"] for one in shown["answers"]] == [3, 2, 1]
    assert shown["answers"][1]["attachment_addresses"] == {"plan.pdf": ADDRESS}


def test_what_is_wrong_is_told_and_nothing_is_given(
    service: Service, owner: UUID, command: Command, tmp_path: Path
) -> None:
    asked = ask_owner(service, owner)["owner_request_id"]
    net = tmp_path / "net.gml"
    net.write_bytes(gml(owner).replace(b"cirkul\xc3\xa6r", b"rund"))
    assert "rund" in command("give", asked, "--gml", str(net), code=2).stderr
    assert "contact" in command("give", asked, "--type", NO_LINES, "--contact-phone", "1", code=2).stderr
    assert (
        "not-a-date" in command("give", asked, "--type", NO_LINES, "--expected", "not-a-date", code=2).stderr
    )
    other = ask_owner(service, service.owner())["owner_request_id"]
    assert "no such owner request" in command("show", other, code=2).stderr
    assert json.loads(command("show", asked).stdout)["answers"] == []


def test_a_link_is_made_for_the_own_owner(service: Service, owner: UUID, tmp_path: Path) -> None:
    asked = ask_owner(service, owner)["owner_request_id"]
    made = Command(service, tmp_path, owner, remote=False)("link", asked).stdout.strip()
    address, _, secret = made.partition("/answer/")
    assert address.startswith("http://")
    assert service.client(None).http.get(f"/answer/{secret}").status_code == 200
