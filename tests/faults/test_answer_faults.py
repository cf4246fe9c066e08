"""The server is killed while an owner answers: called again with the same key, the answer is given exactly once."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ler.faults import EXIT
from tests.acceptance.guard_rows.answers import NO_LINES, PATH, ask_owner
from tests.databases import Database
from tests.service import Service, open_service
from tests.world import open_world


@pytest.fixture
def service(database: Database, tmp_path: Path) -> Iterator[Service]:
    with open_world(database) as world, open_service(world, tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("fault", "replayed"), [("answer.give.before-commit", None), ("answer.give.after-commit", "true")]
)
def test_an_answer_is_given_once(service: Service, fault: str, replayed: str | None) -> None:
    server = service.serve(fault=fault)
    owner = service.owner()
    token = service.token(owner)
    asked = ask_owner(service, owner)
    path = f"{PATH}/{asked['owner_request_id']}/answers"

    def call() -> httpx.Response:
        http = service.client(token).http
        return http.post(path, json=NO_LINES, headers={"Idempotency-Key": "one"})

    with pytest.raises(httpx.TransportError):
        call()
    assert server.wait(timeout=10) == EXIT
    service.serve()
    again = call()
    assert (again.status_code, again.headers.get("Idempotency-Replayed")) == (201, replayed)
    assert len(service.client(token).http.get(path).json()["answers"]) == 1
    with service.world.database.connect() as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM ler.audit_event WHERE action = 'owner:owner_answer:give'),"
            " (SELECT revision FROM ler.excavation_request WHERE id = %s)",
            [asked["request_id"]],
        ).fetchone()
    assert row == (1, 2)
