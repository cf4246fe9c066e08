"""`ler request VERB` against the own database and against a service: the same requests, the same words, the same refusals."""

import json
import subprocess
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.area_files import geojson, kml
from tests.commands import in_process
from tests.requests import AREA, PERIOD, body
from tests.service import Service

DAYS = ("--from", PERIOD["period_from"], "--to", PERIOD["period_to"])
ASK = (*DAYS, "--purpose", "Stik")

_CVRS = count(40000001)

type Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def asked(service: Service) -> Service:
    service.world.owner("27182818", "Sydby El", area=AREA.buffer(2000), utility_types=["el"])
    return service


@pytest.fixture(params=["own database", "service"])
def ler(request: pytest.FixtureRequest, asked: Service, tmp_path: Path) -> Command:
    """The command, for a new requester."""
    remote = request.param == "service"
    cvr = str(next(_CVRS))
    organisation = asked.world.requester("Grav A/S", cvr=cvr)
    environment = {"NO_COLOR": "1", "COLUMNS": "200", "LC_ALL": "C.UTF-8"}
    if remote:
        words = ("--server", asked.url)
        environment["LER_TOKEN"] = asked.token(organisation)
        environment["LER_DATABASE_URL"] = "postgresql+psycopg://nobody@/nothing"
    else:
        words = ("--requester", cvr)
        environment["LER_DATABASE_URL"] = asked.world.database.url()

    def run(verb: str, *more: str) -> subprocess.CompletedProcess[str]:
        return in_process(("request", verb, *more, *words), tmp_path, environment)

    return run


def done(answer: subprocess.CompletedProcess[str]) -> Any:  # noqa: ANN401 - a document
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_the_life_of_a_request_by_command(ler: Command, tmp_path: Path) -> None:
    area = str(kml(tmp_path, AREA))
    cost = ler("price", area, *ASK)
    assert cost.stdout.startswith("35.00 DKK for 5000"), cost.stderr
    work = "--work", "new-line", "--method", "open-trench", "--depth", "1.2"
    sent = ler("send", area, *ASK, "--description", "Til nr. 12", *work)
    assert sent.returncode == 0, sent.stderr
    assert "Sydby El" in sent.stdout
    assert "DO NOT DIG: 1 owner missing of 1: Sydby El (12345678)" in sent.stderr
    request = sent.stdout.split()[-1]
    shown = done(ler("show", request, "--json"))
    assert shown["description"] == "Til nr. 12"
    assert shown["work"] == {"kind": "new-line", "kind_other": None, "method": "open-trench", "depth_m": 1.2}
    assert request in ler("list").stdout
    later = done(ler("extend", request, "--to", "2027-06-01", "--json"))
    assert later["period_to"] == "2027-06-01"
    renewed = done(ler("renew", request, *DAYS, "--json"))
    assert (renewed["renews"], renewed["state"]) == (request, "open")
    assert done(ler("cancel", request, "--json"))["state"] == "cancelled"
    over = ler("cancel", request)
    assert (over.returncode, over.stdout) == (2, "")
    assert "cancelled or over already" in over.stderr
    assert ler("show", "0" * 8 + "-0000-4000-8000-" + "0" * 12).returncode == 2


def test_an_order_by_command(ler: Command, tmp_path: Path) -> None:
    path = tmp_path / "order.json"
    fields = {name: value for name, value in body().items() if name != "area"}
    areas = [{"area": body()["area"], "description": f"grav {number}"} for number in range(3)]
    path.write_text(json.dumps({**fields, "areas": areas}), encoding="utf-8")
    made = done(ler("order", path.name, "--json"))
    assert [one["description"] for one in made["requests"]] == ["grav 0", "grav 1", "grav 2"]
    path.write_text(json.dumps({**fields, "areas": [*areas, {"area_wkt": "POINT(1 1)"}]}), encoding="utf-8")
    refused = ler("order", path.name)
    assert refused.returncode == 2
    assert "found Point" in refused.stderr
    assert len(done(ler("list", "--json"))) == 3


def test_faults_are_told_and_nothing_is_entered(ler: Command, tmp_path: Path) -> None:
    area = str(geojson(tmp_path, AREA))
    refused = ler(
        "send", area, "--from", PERIOD["period_to"], "--to", PERIOD["period_from"], "--purpose", " "
    )
    assert refused.returncode == 2
    assert "ends" in refused.stderr
    assert "purpose may not be empty" in refused.stderr
    assert ler("send", area, "--from", "soon", "--to", "later", "--purpose", "x").returncode == 2
    assert done(ler("list", "--json")) == []
