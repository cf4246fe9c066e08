"""The catalogue of hostile files through the whole service: sent over HTTP, read by the worker, each refused by its name.

`tests/hostile` holds each file against the gate and its time and memory; here nothing of it may stay, nobody may be
called, and the next owner must be served.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import pytest

from ingest.rules.catalogue import load_rules
from ingest.severity import Severity
from tests.answers import answer
from tests.hostile.file_cases import ACCEPTED, CASES, Case
from tests.hostile.listener import Listener
from tests.service import Client, Service, eventually

MAPPING: Final = """
mapping: 1
model: 2.2.0
csv: {geometry: wkt}
layers:
  - layer: "*"
    type: Vandkomponent
    id: {column: COLUMN, prefix: v-}
    attributes:
      type: {constant: ventil}
"""

STATED: Final = {"csv": "EPSG:25832"}
"""Coordinate systems that the owner names, since files of this kind cannot."""

NAMED: Final = {"geojson": "navn"}
"""The column that holds the identifier, where it is not `nr`."""

DEPARTURES: Final = {
    # Several shapefiles of one archive are its layers; a mapping that speaks of one layer does not fit them.
    "27 two shapefiles": "field-mapping",
}

LARGE: Final = 8 << 20
"""Bytes from which on a file costs more to send than it shows: the gate's own tests hold those."""

SENT: Final = {
    f"{case.id} ({case.name})": case
    for case in CASES
    if not case.beside and not case.memory and case.code != ACCEPTED
}


@dataclass(frozen=True)
class Outcome:
    """What became of one hostile file."""

    upload: dict[str, Any]
    codes: frozenset[str]
    """The refusal's name and every finding's."""
    stored: dict[str, int]
    """Rows of the owner that sent it, by table."""


@dataclass(frozen=True)
class _Sent:
    owner: UUID
    client: Client
    address: str


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


@pytest.fixture(scope="module")
def outcomes(worked: Service, listener: Listener) -> dict[str, Outcome]:
    """All of them are sent at once, each by an owner of its own: hostile files never come alone."""
    url = f"http://127.0.0.1:{listener.port}/x"
    sent = {name: made for name, case in SENT.items() if (made := _send(worked, case, url))}
    for one in sent.values():
        eventually(lambda one=one: one.client.state(one.address) not in {"received", "checking"}, 300)  # type: ignore[misc]
    return {name: _outcome(worked, one) for name, one in sent.items()}


def _send(service: Service, case: Case, url: str) -> _Sent | None:
    content = case.make(url)
    content = content if isinstance(content, bytes) else content.encode()
    if not 0 < len(content) < LARGE:
        return None
    owner = service.owner()
    client = service.client(service.token(owner))
    kind = case.name.rpartition(".")[2]
    more = {"crs": STATED[kind]} if kind in STATED else {}
    if kind != "gml":
        more["mapping"] = MAPPING.replace("COLUMN", NAMED.get(kind, "nr"))
    return _Sent(owner, client, client.upload(content, name=case.name, auto_approve=True, **more))


def _outcome(service: Service, sent: _Sent) -> Outcome:
    found = sent.client.http.get(sent.address).json()
    report = sent.client.http.get(f"{sent.address}/report").json()
    findings = {finding["rule"] for told in report["files"] for finding in told.get("findings", ())}
    problem = found["problem"] or {"type": ""}
    codes = {problem["type"].rpartition("/")[2], *(error["code"] for error in problem.get("errors", ()))}
    return Outcome(found, frozenset(codes | findings), _stored(service, sent.owner))


def _stored(service: Service, owner: UUID) -> dict[str, int]:
    tables = ("network_version", "staged_feature", "network_feature", "network_quality")
    with service.world.database.connect() as connection:
        counted = {}
        for name in tables:
            row = connection.execute(
                f"SELECT count(*) FROM ler.{name} WHERE owner_id = %s",  # noqa: S608 - names of our tables
                [owner],
            ).fetchone()
            assert row is not None
            counted[name] = row[0]
    return counted


@pytest.mark.parametrize("name", SENT)
def test_a_hostile_file_is_refused_by_name_and_leaves_nothing(
    name: str, outcomes: dict[str, Outcome]
) -> None:
    case = SENT[name]
    if name not in outcomes:
        content = case.make("http://127.0.0.1/x")
        # The service takes no empty file; the gate's own tests hold the large ones.
        assert len(content) == 0 or len(content) >= LARGE
        return
    outcome = outcomes[name]
    assert DEPARTURES.get(case.id, case.code) in outcome.codes, outcome.upload["problem"]
    if outcome.upload["state"] == "published":
        assert load_rules()[case.code].severity is Severity.WARNING
    else:
        assert outcome.upload["state"] == "rejected"
        assert set(outcome.stored.values()) == {0}, outcome.stored


def test_nobody_was_called_and_the_next_owner_is_served(
    worked: Service, outcomes: dict[str, Outcome], listener: Listener
) -> None:
    assert len(outcomes) > 100
    assert listener.hits == 0
    listener.hear_yourself()
    client = worked.program()
    address = client.upload(answer().encode(), auto_approve=True)
    assert client.wait(address, "published")["features"] == 2
    assert client.http.get("/healthz").status_code == 200
