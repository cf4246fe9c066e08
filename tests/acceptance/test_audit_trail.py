"""The audit trail over HTTP and by command, with a real worker that seals and signs it."""

import json
from pathlib import Path

import pytest
from psycopg import sql
from typer.testing import CliRunner, Result

from geoapi.cli import app
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.audit import Link, link_digest
from ler.domain.roles import Role
from ler.services.registry import get_owner
from tests.service import Client, Service, eventually
from tests.world import EVERYWHERE, water_pipe

AUDIT = "/api/v1/audit"
PIPE = water_pipe("pipe.1", (575000, 6224000, 1), (575100, 6224000, 1))


@pytest.fixture
def audited(new_service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service and a worker that signs whatever it has sealed."""
    new_service.settings |= {"LER_AUDIT_DIR": str(tmp_path / "audit"), "LER_CHECKPOINT_MINUTES": "0"}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LER_DATABASE_URL", new_service.world.database.url())
    for name, value in new_service.settings.items():
        monkeypatch.setenv(name, value)
    new_service.serve()
    new_service.work()
    return new_service


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["audit", *words], env={"NO_COLOR": "1"})


def auditor(service: Service) -> Client:
    return service.client(service.token(service.world.requester("Auditor", role=Role.AUDITOR)))


def waits_for_seal(client: Client) -> dict[str, object]:
    """The chain, once all is sealed and signed."""
    found: dict[str, object] = {}

    def done() -> bool:
        found.update(client.http.get(f"{AUDIT}/chain").json())
        checkpoints = found["checkpoints"]
        assert isinstance(checkpoints, list)
        return found["waiting"] == 0 and bool(checkpoints) and checkpoints[-1]["number"] == found["number"]

    eventually(done)
    return found


def tamper(service: Service, statement: str) -> None:
    with service.world.database.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(sql.SQL(statement))


def test_the_trail_is_sealed_signed_and_verified_by_others(audited: Service, tmp_path: Path) -> None:
    program, supervisor = audited.program(), auditor(audited)
    chain = waits_for_seal(supervisor)
    assert chain["number"] == chain["checkpoints"][-1]["number"]  # type: ignore[index]

    exported = supervisor.http.get(f"{AUDIT}/export")
    assert exported.headers["Content-Type"] == "application/x-ndjson"
    previous, head = bytes(32), b""
    for line in exported.content.decode().rstrip("\n").split("\n"):
        link, before = Link.read(line)
        assert before == previous
        assert link.event is not None
        previous = head = link_digest(before, link.event)
    assert head.hex() == chain["hash"]
    rest = supervisor.http.get(f"{AUDIT}/export", params={"after": str(chain["number"])})
    assert (rest.status_code, rest.content) == (200, b"")
    for path in ("chain", "export"):
        assert program.http.get(f"{AUDIT}/{path}").status_code == 404
    assert supervisor.http.get(f"{AUDIT}/export", params={"after": "99999"}).status_code == 404

    held = run("verify")
    assert held.exit_code == 0, held.output
    assert f"{chain['number']} links hold" in held.stderr
    out = tmp_path / "audit.jsonl"
    assert run("export", "--out", str(out)).exit_code == 0
    assert run("verify", "--file", str(out)).exit_code == 0
    key = tmp_path / "key.pem"
    key.write_text(run("key").stdout)
    assert run("verify", "--public-key", str(key)).exit_code == 0


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (
            "UPDATE ler.audit_event SET at = now() WHERE id = {event}",
            "link 2: event 2 is not the one that was sealed",
        ),
        ("DELETE FROM ler.audit_event WHERE id = {event}", "link 2: event 2 was deleted"),
        ("DELETE FROM ler.audit_link WHERE number = 2", "link 2 was deleted"),
        (
            "DELETE FROM ler.audit_link WHERE number >= 3; DELETE FROM ler.audit_event WHERE id >= 3",
            "were cut off: a signed checkpoint knows them",
        ),
        (
            "UPDATE ler.audit_link SET event_id = CASE event_id WHEN 2 THEN -1 ELSE 2 END WHERE number IN (2)",
            "link 2",
        ),
    ],
)
def test_tampering_is_named_and_nothing_is_signed_over_it(
    audited: Service, statement: str, named: str
) -> None:
    for _ in range(3):
        audited.owner()
    waits_for_seal(auditor(audited))
    tamper(audited, statement.replace("{event}", "2"))
    broken = run("verify")
    assert broken.exit_code == 1, broken.output
    assert named in broken.stdout


def test_everybody_reads_its_own_acts_page_by_page(audited: Service) -> None:
    program, other, supervisor = audited.program(), audited.program(), auditor(audited)
    for number in range(3):
        program.announce(b"x", name=f"{number}.gml")
        program.http.get("/api/v1/network/versions")
    audited.world.network("20000001", audited.folder, PIPE)
    for _ in range(3):
        assert (
            program.http.get(
                "/api/v1/network/features", params={"bbox": "574000,6223000,576000,6225000"}
            ).status_code
            == 200
        )
    first = program.http.get(AUDIT, params={"action": "owner:network:", "limit": "2"}).json()
    assert [event["action"] for event in first["events"]] == ["owner:network:read"] * 2
    assert first["events"][0]["details"] == {
        "version": 1,
        "features": 1,
        "bbox": [574000, 6223000, 576000, 6225000],
    }
    assert "number" not in first["events"][0]
    rest = program.http.get(first["next"]).json()
    assert len(rest["events"]) == 1
    assert "next" not in rest
    assert len({event["id"] for event in first["events"] + rest["events"]}) == 3
    assert other.http.get(AUDIT, params={"action": "owner:network:"}).json() == {"events": []}
    assert other.http.get(AUDIT, params={"before": first["events"][0]["id"]}).status_code == 404
    assert len(supervisor.http.get(AUDIT, params={"action": "owner:network:read"}).json()["events"]) == 3
    for wrong in ({"limit": "0"}, {"action": "x"}, {"since": "yesterday"}, {"before": "1"}, {"page": "2"}):
        assert program.http.get(AUDIT, params=wrong).status_code == 400


def test_who_has_seen_a_line_is_answered_by_one_call(audited: Service, tmp_path: Path) -> None:
    owner = audited.world.owner("21000001", area=EVERYWHERE)
    audited.world.network("21000001", tmp_path, PIPE)
    audited.world.ask(EVERYWHERE.centroid.buffer(50), tmp_path / "out")
    program = audited.client(audited.token(owner))
    area = {
        "type": "Polygon",
        "coordinates": [[[574990, 6223990], [575010, 6223990], [575010, 6224010], [574990, 6223990]]],
    }
    for asked in ({"gml_ids": ["pipe.1"]}, {"area": area}, {"gml_ids": ["pipe.1"], "owner": "21000001"}):
        found = program.http.post(f"{AUDIT}/viewers", json=asked)
        assert found.status_code == 200, found.text
        told = found.json()
        assert [(one["requester_id"], one["lines"]) for one in told["deliveries"]] == [
            (str(PLATFORM_OPERATOR), ["pipe.1"])
        ]
        assert not told["more"]
    assert auditor(audited).http.post(f"{AUDIT}/viewers", json={"gml_ids": ["pipe.1"]}).json()["deliveries"]
    other = audited.program()
    assert other.http.post(f"{AUDIT}/viewers", json={"gml_ids": ["pipe.1"]}).json()["deliveries"] == []
    assert (
        other.http.post(f"{AUDIT}/viewers", json={"gml_ids": ["pipe.1"], "owner": "21000001"}).status_code
        == 404
    )
    bow_tie = {
        "type": "Polygon",
        "coordinates": [
            [[574990, 6223990], [575010, 6224010], [575010, 6223990], [574990, 6224010], [574990, 6223990]]
        ],
    }
    for wrong, status in (
        ({}, 422),
        ({"gml_ids": ["a"], "area": area}, 422),
        ({"area": bow_tie}, 422),
        ({"area": area, "crs": "CRS84"}, 422),
        ({"area": {"type": "Point", "coordinates": [575000, 6224000]}}, 422),
        ({"area": {"type": "Polygon", "coordinates": [["x"]]}}, 422),
        ({"area": {"type": "Polygon", "coordinates": []}}, 422),
        ({"gml_ids": [1]}, 400),
        ({"gml_ids": ["a"], "since": "2026-01-01"}, 400),
    ):
        refused = program.http.post(f"{AUDIT}/viewers", json=wrong)
        assert refused.status_code == status, (wrong, refused.text)

    with transaction(audited.world.databases.app, PLATFORM_OPERATOR) as connection:
        assert get_owner(connection, "21000001").id == owner
    told = json.loads(run("seen", "--owner", "21000001", "--gml-id", "pipe.1", "--json").stdout)
    assert len(told["deliveries"]) == 1
    shown = run("seen", "--gml-id", "pipe.1")
    assert "Platform operator" in shown.stdout
    assert (
        json.loads(run("list", "--action", "audit:", "--json", "--limit", "1").stdout)[0]["action"]
        == "audit:viewer:search"
    )
