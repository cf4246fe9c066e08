"""A network replaced while a request is matched with it, and two replacements at once: one version or the other, and none lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from conflicts.match import match_request
from ler.db import functions
from ler.db.engine import create_engine, transaction
from ler.errors import RefusedError
from ler.model import Feature
from tests.answers import VALVE, WATER, answer
from tests.databases import SharedCluster
from tests.gates import Gate, at_function, at_trigger, closed_gate
from tests.integration.sensitive import MARKING, RESTRICTED, rule
from tests.integration.test_db_world import World, cable, line, square, world
from tests.service import Service, eventually, open_service
from tests.world import open_world

__all__ = ["world"]

AREA = square(0, 0, 100, 100)
STEPS = (
    "match_geometries",
    "withhold_lines",
    "match_companions",
    "take_out_withheld",
    "withhold_companions",
    "leave_out_references",
    "forget_withheld_references",
    "tell_withheld",
    "match_drawings",
    "settle_request",
)
"""What a match does after it has chosen the versions, in that order."""

Told = frozenset[tuple[object, ...]]
"""What a package holds, without what differs from request to request."""


def network(tag: str, north: float) -> list[Feature]:
    """A network of which everything says its version and lies where only that version has it."""
    mine = {"etableringstidspunkt": tag}
    return [
        *(cable(f"a{n}", line((n, north, 1), (n + 2, north, 1)), **mine) for n in range(0, 90, 10)),
        cable(
            "crossing", line((-20, north + 1, 1), (120, north + 1, 1)), bilag=["doc", f"doc-{tag}"], **mine
        ),
        cable("secret", line((30, north + 2, 1), (40, north + 2, 1)), fareklasse="meget farlig", **mine),
        cable("shown", line((50, north + 3, 1), (60, north + 3, 1)), fareklasse="farlig", **mine),
        cable("only-" + tag, line((70, north + 4, 1), (80, north + 4, 1)), **mine),
        Feature(
            "Ledningstrace",
            "trace",
            {"indeholdtLedning": ["inside", "a0", f"gone-{tag}"]},
            {},
            line((5, north + 5, 1), (95, north + 5, 1)),
        ),
        cable("inside", None, **mine),
        document("doc", tag),
        document(f"doc-{tag}", tag),
        document("everybodys", tag),
    ]


def document(name: str, tag: str) -> Feature:
    return Feature("Informationsressource", name, {"sti": f"{name}-{tag}.pdf", "titel": tag}, {}, None)


@dataclass
class Scene:
    world: World
    owner: UUID
    digger: UUID

    def publish(self, tag: str, north: float) -> None:
        self.world.publish(self.owner, network(tag, north))

    def dig(self) -> Told:
        """Ask, and return what is delivered."""
        request = self.world.request(self.digger, AREA)
        self.world.match(self.digger, request)
        return self.delivered(request)

    def delivered(self, request: UUID) -> Told:
        told = (
            "SELECT p.owner_id, p.seq, p.gml_id, p.established, p.attributes::text, ST_AsEWKT(p.geom), p.clipped,"
            " p.left_out_references FROM ler.package_feature AS p WHERE p.request_id = %s"
        )
        answers = (
            "SELECT a.owner_id, a.answer_type, a.feature_count, v.number, a.further_information,"
            " ST_AsEWKT(w.marking_area) FROM ler.owner_answer AS a"
            " LEFT JOIN ler.network_version AS v ON v.id = a.version_id"
            " LEFT JOIN ler.answer_withheld AS w ON w.answer_id = a.id WHERE a.request_id = %s"
        )
        with self.world.database.connect() as connection:
            return frozenset(
                row for query in (told, answers) for row in connection.execute(query, [request]).fetchall()
            )


@pytest.fixture
def scene(world: World) -> Scene:
    owner, other = world.owner("owner"), world.owner("other")
    made = Scene(world, owner, world.organisation("digger"))
    world.publish(other, network("other", 40), name="another")
    rule(world, owner, RESTRICTED, danger_classes=["meget farlig"])
    rule(world, owner, MARKING, danger_classes=["farlig"])
    made.publish("1978", 10)
    return made


def matched(scene: Scene, gate: Gate) -> tuple[Told, Told]:
    """Let a match come to the gate, replace the network meanwhile, and let it go on: what it tells, and the next one."""
    request = scene.world.request(scene.digger, AREA)
    with ThreadPoolExecutor(1) as pool:
        match = pool.submit(scene.world.match, scene.digger, request)
        gate.await_arrival()
        scene.publish("2026", 60)
        gate.open()
        match.result()
    return scene.delivered(request), scene.dig()


@pytest.mark.parametrize("step", STEPS)
def test_a_network_replaced_at_any_step_of_a_match_is_matched_as_it_was(scene: Scene, step: str) -> None:
    old = scene.dig()
    with closed_gate(scene.world.database) as gate:
        at_function(scene.world.database, step)
        during, after = matched(scene, gate)
    assert during == old, "all of it of the version that was chosen"
    assert after != old
    assert_one_version(after, "2026")


@pytest.mark.parametrize(
    ("table", "event", "tag"),
    [
        ("excavation_request", "UPDATE", "2026"),
        ("owner_request", "INSERT", "2026"),
        ("owner_answer", "INSERT", "1978"),
        ("package_feature", "INSERT", "1978"),
        ("withheld_feature", "INSERT", "1978"),
        ("package_feature", "UPDATE", "1978"),
        ("owner_answer", "UPDATE", "1978"),
        ("owner_request", "UPDATE", "1978"),
    ],
)
def test_which_version_is_matched_is_chosen_in_one_moment(
    scene: Scene, table: str, event: str, tag: str
) -> None:
    old = scene.dig()
    with closed_gate(scene.world.database) as gate:
        at_trigger(scene.world.database, table, event)
        during, new = matched(scene, gate)
    assert during == (old if tag == "1978" else new)
    assert_one_version(during, tag)


def assert_one_version(told: Told, tag: str) -> None:
    """Nothing of the replaced owner's is of another version, and what must not be shown is not (I5, I6)."""
    said = " ".join(str(row) for row in told)
    other = {"1978": "2026", "2026": "1978"}[tag]
    assert tag in said
    assert other not in said
    names = {row[2] for row in told if len(row) == 8}
    assert {"a0", "crossing", "inside", "everybodys", f"only-{tag}", f"doc-{tag}", "trace"} <= names


@pytest.mark.parametrize(
    ("table", "event"),
    [
        ("network_feature", "UPDATE"),
        ("network_feature", "INSERT"),
        ("staged_feature", "DELETE"),
        ("network_version", "UPDATE"),
        ("network_dataset", "UPDATE"),
        ("audit_event", "INSERT"),
    ],
)
def test_at_every_step_of_a_publication_requests_are_matched_with_what_was(
    scene: Scene, table: str, event: str
) -> None:
    """And without waiting: whoever waits for a lock longer than a second fails."""
    old = scene.dig()
    staged = scene.world.stage(scene.owner, network("2026", 60))
    engine = create_engine(scene.world.database.url("ler_app"), lock_timeout_s=1.0)

    def publish() -> None:
        with scene.world.acting(scene.owner) as connection:
            # The gate stands in the way of this session alone.
            connection.execute(text("SELECT set_config('ler.gate', 'on', true)"))
            functions.publish_version(connection, staged)

    try:
        with closed_gate(scene.world.database) as gate, ThreadPoolExecutor(1) as pool:
            at_trigger(scene.world.database, table, event, only_for="ler.gate")
            publishing = pool.submit(publish)
            gate.await_arrival()
            request = scene.world.request(scene.digger, AREA)
            with transaction(engine, scene.digger) as connection:
                match_request(connection, request)
            assert scene.delivered(request) == old
            gate.open()
            publishing.result()
    finally:
        engine.dispose()
    assert_one_version(scene.dig(), "2026")


@pytest.mark.parametrize(
    ("table", "event", "waits"),
    [
        ("owner_request", "INSERT", False),
        ("owner_answer", "INSERT", True),
        ("package_feature", "INSERT", True),
        ("owner_answer", "UPDATE", True),
    ],
)
@pytest.mark.parametrize("before", ["platform", "owner"])
def test_an_owner_that_takes_answering_over_meanwhile_is_asked_or_answered_for_whole(
    scene: Scene, table: str, event: str, before: str, *, waits: bool
) -> None:
    """Never both: an answer in the package of an owner that is waited for, or an owner that answered nothing."""
    database = scene.world.database
    after = {"platform": "owner", "owner": "platform"}[before]
    choose(scene, before)
    request = scene.world.request(scene.digger, AREA)
    with closed_gate(database) as gate, ThreadPoolExecutor(2) as pool:
        at_trigger(database, table, event)
        match = pool.submit(scene.world.match, scene.digger, request)
        gate.await_arrival()
        choice = pool.submit(choose, scene, after)
        if waits:  # until those that were asked have been asked
            gate.await_arrival(2)
        else:
            choice.result()
        gate.open()
        match.result()
        choice.result()
    with database.connect() as connection:
        row = connection.execute(
            "SELECT q.state, q.answered_at IS NOT NULL, a.id IS NOT NULL, r.state FROM ler.owner_request AS q"
            " JOIN ler.excavation_request AS r ON r.id = q.request_id"
            " LEFT JOIN ler.owner_answer AS a ON a.request_id = q.request_id AND a.owner_id = q.owner_id"
            " WHERE q.request_id = %s AND q.owner_id = %s",
            [request, scene.owner],
        ).fetchone()
    # The rules of the scene withhold a line, which the owner must decide on; asked is who answers itself.
    by_platform = (before if waits else after) == "platform"
    assert row == (("taken-out", True, True, "open") if by_platform else ("asked", False, False, "open"))


def choose(scene: Scene, answered_by: str) -> None:
    with scene.world.acting(scene.owner) as connection:
        area = connection.execute(
            text("SELECT id FROM ler.interest_area WHERE owner_id = ler.principal()")
        ).scalar()
        connection.execute(text("SELECT ler.choose_answering(:area, :by)"), {"area": area, "by": answered_by})


def test_of_two_publications_from_one_version_one_is_told_to_compare_again(scene: Scene) -> None:
    """And nothing of the other is lost: it is staged anew upon what was published."""
    staged = [scene.world.stage(scene.owner, network(tag, 60)) for tag in ("2026", "2027")]
    together = Barrier(2)

    def publish(version: UUID) -> str:
        together.wait(10)
        try:
            with scene.world.acting(scene.owner) as connection:
                functions.publish_version(connection, version)
        except RefusedError as refused:
            return refused.code
        return "published"

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(publish, staged))
    assert sorted(outcomes) == ["published", "version-stale"]
    won = ("2026", "2027")[outcomes.index("published")]
    lost = ("2027", "2026")[outcomes.index("published")]
    assert {row[3] for row in scene.dig() if len(row) == 8} - {None} == {won, "other"}
    scene.publish(lost, 60)
    assert {row[3] for row in scene.dig() if len(row) == 8} - {None} == {lost, "other"}
    with scene.world.database.connect() as connection:
        states = connection.execute(
            "SELECT number, state FROM ler.network_version WHERE owner_id = %s ORDER BY number", [scene.owner]
        ).fetchall()
    assert [state for _, state in states].count("published") == 1
    assert states[-1][1] == "published"


@pytest.fixture(scope="module")
def service(
    shared_cluster: SharedCluster, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    with (
        shared_cluster.database(migrated_template) as database,
        open_world(database) as made,
        open_service(made, tmp_path_factory.mktemp("service"), LER_WORKER_CONCURRENCY="2") as service,
    ):
        service.serve()
        service.work()
        yield service


def pipe(name: str) -> str:
    return (
        WATER.replace("vand.1", name).replace('"g1"', f'"g-{name}"').replace("b80c8fef", name.ljust(8, "0"))
    )


def test_changes_of_one_owner_at_once_are_all_in_the_network_at_the_end(service: Service) -> None:
    """Each is checked upon what the others have published by then: none is lost, none is refused (I1, I2)."""
    program = service.program()
    first = program.upload(answer(pipe("a0"), VALVE).encode(), auto_approve=True)
    program.wait(first, "published", "needs_approval")
    names = [f"b{n}" for n in range(4)]
    together = Barrier(len(names))

    def change(name: str) -> str:
        together.wait(20)
        return program.upload(answer(pipe(name)).encode(), mode="delta", auto_approve=True)

    with ThreadPoolExecutor(len(names)) as pool:
        addresses = list(pool.map(change, names))
    for address in addresses:
        approve_until_published(program.http, address)
    features = program.http.get("/api/v1/network/features").json()["features"]
    found = {one["id"] for one in features}
    assert {"a0", "ventil.1", *names} <= found
    versions = program.http.get("/api/v1/network/versions").json()["versions"]
    assert sorted(one["state"] for one in versions if one["state"] == "published") == ["published"]


def approve_until_published(http: httpx.Client, address: str) -> None:
    def there() -> bool:
        found = http.get(address)
        state = found.json()["state"]
        assert state not in {"rejected", "failed", "discarded", "unchanged"}, found.text
        if state == "needs_approval":
            http.post(f"{address}/approve", headers={"If-Match": found.headers["ETag"]})
        return bool(state == "published")

    eventually(there)


def test_an_upload_that_is_decided_on_twice_at_once_is_decided_on_once(service: Service) -> None:
    program = service.program()
    address = program.upload(answer(pipe("a0"), VALVE).encode())
    program.wait(address, "needs_approval")
    tag = program.http.get(address).headers["ETag"]
    together = Barrier(4)

    def decide(verb: str) -> int:
        together.wait(20)
        return program.http.post(f"{address}/{verb}", headers={"If-Match": tag}).status_code

    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(decide, ["approve", "reject"] * 2))
    assert len([code for code in codes if code < 300]) == 1, codes
    assert {code for code in codes if code >= 300} <= {409, 412}, codes
    approved = min(codes[::2]) < 300
    program.wait(address, "published" if approved else "discarded")
