"""Workers killed at every step of a job, and a service killed in a call that waits: one effect, or none."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from ler.faults import EXIT, POINTS
from tests.databases import Database
from tests.service import Service, eventually, open_service
from tests.world import open_world

EXCAVATION = "/ogc/processes/excavation-request/execution"
BODY = {
    "inputs": {
        "area_wkt": "POLYGON((575000 6224000,575050 6224000,575050 6224050,575000 6224050,575000 6224000))",
        "period_from": "2026-12-10",
        "period_to": "2026-12-20",
        "purpose": "a new cable",
    }
}
STEPS = [name for name in POINTS if name.startswith("job.") and name != "job.told"]
WORST = "job.before-commit"
"""All is done and nothing kept: looked at each day, the other steps at night."""
WORKER = [name if name == WORST else pytest.param(name, marks=pytest.mark.nightly) for name in STEPS]


@pytest.fixture
def service(database: Database, tmp_path: Path) -> Iterator[Service]:
    with open_world(database) as world, open_service(world, tmp_path) as made:
        yield made


@pytest.mark.parametrize("fault", WORKER)
def test_a_worker_is_killed(service: Service, fault: str) -> None:
    service.serve()
    http = service.program().http
    job = http.post(EXCAVATION, json=BODY, headers={"Prefer": "respond-async"}).headers["Location"]
    worker = service.work(fault=fault)
    assert worker.wait(timeout=60) == EXIT
    service.work()
    eventually(lambda: http.get(job).json()["status"] == "successful")
    receipt = http.get(f"{job}/results").json()["receipt"]["value"]
    assert [one["id"] for one in http.get("/api/v1/requests").json()["requests"]] == [receipt["id"]]


@pytest.mark.nightly
@pytest.mark.parametrize("fault", [WORST, "job.after-commit"])
def test_a_service_is_killed_in_a_call_that_waits(service: Service, fault: str) -> None:
    process = service.serve(fault=fault)
    token = service.token(service.owner())
    key = {"Idempotency-Key": uuid4().hex}
    with pytest.raises(httpx.TransportError):
        service.client(token).http.post(EXCAVATION, json=BODY, headers=key)
    assert process.wait(timeout=60) == EXIT
    service.serve()
    http = service.client(token).http
    found = http.get("/api/v1/requests").json()["requests"]
    jobs = http.get("/ogc/jobs").json()["jobs"]
    assert len(found) == len(jobs) == (fault == "job.after-commit")
    receipt = http.post(EXCAVATION, json=BODY, headers=key).json()["receipt"]["value"]
    assert [one["id"] for one in http.get("/api/v1/requests").json()["requests"]] == [receipt["id"]]
