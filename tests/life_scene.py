"""The town in which the life of requests is played: owners of several kinds, two who dig, and a database emptied between
two plays; what is stored, read past all policies and as each organisation sees it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final, LiteralString
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import Connection

from geoapi.database import Databases
from geoapi.delivery.deliverer import Clockwork
from geoapi.network_pipeline import NetworkPipeline
from geoapi.package_work import PackageWork
from geoapi.platform import Platform, upload_files
from geoapi.work import Work
from ler.db.engine import transaction
from ler.domain.access import Scope
from ler.domain.roles import MANDATABLE, Role
from ler.model import Feature
from ler.services.answers import NewAttachment, choose_answering
from ler.services.mandates import end_mandate, give_mandate
from ler.services.principals import Principal, acting_for
from ler.settings import Settings
from tests.integration.test_db_world import World, cable, line, square
from tests.life_things import Area, Line

PLACES: Final = {"w": square(0, 0, 100, 100), "e": square(200, 0, 300, 100), "we": square(0, 0, 300, 100)}
AGENT: Final = "30000000"
FAR: Final = square(5000, 5000, 5100, 5100)

_STORED: Final[LiteralString] = """
SELECT json_build_object(
    'requests', (SELECT json_object_agg(id, json_build_object(
        'state', state, 'revision', revision, 'packed', packed_revision, 'last_event', last_event,
        'days', period_to - period_from)) FROM ler.excavation_request),
    'duties', (SELECT json_object_agg(id, json_build_object(
        'state', state, 'late', late, 'request', request_id, 'reminded', reminded_percent)) FROM ler.owner_request),
    'answers', (SELECT json_object_agg(a.id, json_build_object(
        'request', a.request_id, 'owner', a.owner_id, 'area', a.interest_area_id, 'kind', a.answer_type, 'revision', a.revision,
        'by', a.given_by, 'holds', a.replaced_at IS NULL, 'withdrawn', a.withdrawn_at IS NOT NULL, 'version', v.number,
        'lines', (SELECT coalesce(json_agg(json_build_array(p.gml_id, p.established)), '[]')
                  FROM ler.package_feature AS p WHERE p.answer_id = a.id),
        'files', (SELECT coalesce(json_agg(json_build_array(f.path, f.sha256)), '[]')
                  FROM ler.answer_attachment AS f WHERE f.answer_id = a.id)))
        FROM ler.owner_answer AS a LEFT JOIN ler.network_version AS v ON v.id = a.version_id),
    'packages', (SELECT json_agg(json_build_array(request_id, owner_id, revision)) FROM ler.package),
    'notices', (SELECT json_agg(json_build_array(
        audience_id, kind || coalesce(CASE WHEN kind = 'package.ready' THEN ' ' || (data ->> 'revision') END, ''),
        request_id, owner_id, number) ORDER BY number) FROM ler.notice),
    'acts', (SELECT json_agg(json_build_array(action, object_id)) FROM ler.audit_event
        WHERE action ~ '^(owner:owner|requester:|ler:excavation|ler:owner_request|worker:)'),
    'by_agent', (SELECT json_agg(json_build_array(action, object_id)) FROM ler.audit_event
        WHERE provider_id IS NOT NULL AND action ~ '^(owner:owner|requester:|ler:excavation)'),
    'jobs', (SELECT json_agg(args ->> 'request_id') FROM queue.procrastinate_jobs
        WHERE task_name = 'build_packages' AND status = 'todo')
) AS stored
"""
_SEEN: Final[LiteralString] = """
SELECT (SELECT count(*) FROM ler.excavation_request WHERE requester_id <> ler.principal())
    + (SELECT count(*) FROM ler.owner_request WHERE ler.principal() NOT IN (requester_id, owner_id))
    + (SELECT count(*) FROM ler.owner_answer WHERE ler.principal() NOT IN (requester_id, owner_id))
    + (SELECT count(*) FROM ler.package_feature WHERE ler.principal() NOT IN (requester_id, owner_id))
    + (SELECT count(*) FROM ler.package AS p WHERE p.owner_id IS DISTINCT FROM ler.principal()
        AND p.request_id NOT IN (SELECT id FROM ler.excavation_request WHERE requester_id = ler.principal()))
    + (SELECT count(*) FROM ler.notice WHERE audience_id <> ler.principal()) AS others,
    (SELECT array_agg(id) FROM ler.owner_request) AS duties,
    (SELECT array_agg(id) FROM ler.excavation_request) AS requests,
    (SELECT array_agg(id) FROM ler.asked_of_me(NULL, NULL, NULL, NULL, 1000)) AS asked
"""


@dataclass
class Scene:
    """Who is there, and how the database is emptied."""

    world: World
    databases: Databases
    settings: Settings
    owners: dict[str, UUID] = field(default_factory=dict)
    diggers: list[UUID] = field(default_factory=list)
    agent: UUID = field(init=False)
    """Who acts for others by their mandates."""
    areas: list[Area] = field(default_factory=list)
    networks: dict[UUID, dict[int, frozenset[Line]]] = field(default_factory=dict)
    cvrs: dict[UUID, str] = field(default_factory=dict)
    numbers: dict[UUID, int] = field(default_factory=dict)
    """The registration numbers of interest areas."""
    _empty: bytes = b""

    def __post_init__(self) -> None:
        self.admin: psycopg.Connection = self.world.database.connect()
        self.admin.execute(
            "SET search_path = queue, public"
        )  # triggers of the queue name their tables without
        self.eyes = psycopg.connect(
            host=str(self.world.database.cluster.socket_dir), dbname=self.world.database.name, user="ler_app"
        )
        platform = Platform(self.settings, self.databases, upload_files(self.settings))
        self.store = platform.store
        self.work = Work(platform, NetworkPipeline(self.settings))
        self.packages = PackageWork(platform)
        self.clockwork = Clockwork(self.databases.worker, self.settings)
        self._settle()

    @property
    def everybody(self) -> list[UUID]:
        return [*self.owners.values(), *self.diggers, self.agent]

    def close(self) -> None:
        self.admin.close()
        self.eyes.close()

    def _settle(self) -> None:
        """Who answers how: by its network, by itself, by both, by itself for two areas, nobody near, not yet."""
        for number, (name, areas) in enumerate(
            {
                "central": [("we", True)],
                "alone": [("we", False)],
                "both": [("we", True), ("e", False)],
                "twice": [("w", False), ("we", False)],
                "far": [],
                "late-comer": [],
            }.items()
        ):
            owner = self.world.organisation(
                name, role=Role.OWNER, cvr=f"1000000{number}", email=f"{name}@example.dk"
            )
            self.owners[name] = owner
            self.cvrs[owner] = f"1000000{number}"
            for place, by_platform in areas:
                self.areas.append(self.appear(owner, place))
                if not by_platform:
                    self.choose(self.areas[-1], by_platform=False)
        self.world.interest_area(self.owners["far"], FAR)
        for number, name in enumerate(("digger", "other")):
            digger = self.world.organisation(name, email="dig@example.dk", cvr=f"2000000{number}")
            self.cvrs[digger] = f"2000000{number}"
            self.diggers.append(digger)
        self.agent = self.world.organisation("agent", role=Role.PROVIDER, cvr=AGENT)
        for name, ids in (("central", ("w1", "w2", "e1")), ("both", ("w3",)), ("far", ("w1",))):
            self.publish(self.owners[name], [(one, "2001") for one in ids])
        self.clockwork.turn()
        self._remember()

    def appear(self, owner: UUID, place: str) -> Area:
        made = self.world.interest_area(owner, PLACES[place])
        row = self.admin.execute(
            "SELECT registration_number FROM ler.interest_area WHERE id = %s", [made]
        ).fetchone()
        assert row is not None
        self.numbers[made] = row[0]
        return Area(made, owner, frozenset(place), by_platform=True)

    def choose(self, area: Area, *, by_platform: bool) -> None:
        with self.acting(area.owner) as connection:
            choose_answering(connection, area.id, "platform" if by_platform else "owner")
        area.by_platform = by_platform

    def publish(self, owner: UUID, lines: Sequence[Line]) -> None:
        self.world.publish(owner, features(lines))
        versions = self.networks.setdefault(owner, {})
        versions[len(versions) + 1] = frozenset(lines)

    def acting(self, principal: UUID, agent: UUID | None = None) -> Any:  # noqa: ANN401 - a context manager of connections
        return transaction(self.databases.app, principal, provider=agent)

    def agent_for(self, who: UUID) -> UUID:
        """Let the agent act for somebody, as the guard of the routes does; RefusedError without a mandate."""
        itself = Principal(self.agent, uuid4(), frozenset(Scope), carried=frozenset(Scope))
        with transaction(self.databases.app, None) as connection:
            admitted = acting_for(connection, itself, self.cvrs[who])
        assert admitted.organisation_id == who
        assert set() < admitted.scopes <= MANDATABLE, "what its giver may do, and may hand on"
        assert admitted.provider_id is not None
        return admitted.provider_id

    def mandate(self, connection: Connection, who: UUID, held: UUID | None) -> UUID:
        """Give the agent a mandate, or end the one that it has."""
        if held is not None:
            return end_mandate(connection, who, held).id
        return give_mandate(connection, who, AGENT, sorted(MANDATABLE)).id

    def keep_plan(self, number: int) -> NewAttachment:
        """Keep a file that goes with an answer, each another."""
        content = f"%PDF-1.7 {number}".encode()
        blob = self.store.put(BytesIO(content))
        return NewAttachment(f"plan-{number}.pdf", "PDF", "application/pdf", blob.sha256, blob.size_bytes)

    def _remember(self) -> None:
        """Keep what every table holds now, and the statements that bring it back."""
        self.work.keep_records()
        found = self.admin.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('ler', 'queue') ORDER BY 1, 2"
        ).fetchall()
        back: list[sql.Composable] = [sql.SQL("SET session_replication_role = replica")]
        self.admin.execute("CREATE SCHEMA kept")
        for schema, name in found:
            table, kept = sql.Identifier(schema, name), sql.Identifier("kept", f"{schema}_{name}")
            self.admin.execute(sql.SQL("CREATE TABLE {} AS SELECT * FROM {}").format(kept, table))
            row = self.admin.execute(sql.SQL("SELECT count(*) FROM {}").format(kept)).fetchone()
            back.append(sql.SQL("DELETE FROM {}").format(table))
            if row != (0,):
                back.append(
                    sql.SQL("INSERT INTO {} OVERRIDING SYSTEM VALUE SELECT * FROM {}").format(table, kept)
                )
        back.append(sql.SQL("SET session_replication_role = origin"))
        # One message: no table is asked for whether it needs it.
        self._empty = sql.SQL(";").join([sql.SQL("BEGIN"), *back, sql.SQL("COMMIT")]).as_bytes(self.admin)

    def empty(self) -> None:
        """Bring the database back to where no request was made yet."""
        self.admin.execute(self._empty)

    def stored(self) -> dict[str, Any]:
        """What is stored, past all policies."""
        row = self.admin.execute(_STORED).fetchone()
        assert row is not None
        found: dict[str, Any] = row[0]
        return found

    def seen_by(self, everybody: Sequence[UUID]) -> list[dict[str, Any]]:
        """What each sees as the web role: rows that are another's, and those it must see."""
        cursor = self.eyes.cursor(row_factory=dict_row)
        seen = []
        with self.eyes.pipeline():
            cursors = []
            for one in everybody:
                self.eyes.execute("SELECT set_config('ler.principal', %s, true)", [str(one)])
                cursors.append(self.eyes.cursor(row_factory=dict_row).execute(_SEEN))
            seen = [one.fetchone() for one in cursors]
        cursor.close()
        self.eyes.rollback()
        return [{name: one[name] for name in one} for one in seen if one is not None]

    def move(self, statement: LiteralString, request: UUID) -> None:
        """Move stored times: no act of anybody, and no trigger must take it for one."""
        self.admin.execute("SET session_replication_role = replica")
        self.admin.execute(statement, {"request": request})
        self.admin.execute("SET session_replication_role = origin")

    def take_job(self, request: UUID) -> bool:
        """Take the job that waits for a request's packages off the queue, as a worker does, or as it is lost."""
        return bool(
            self.admin.execute(
                "DELETE FROM queue.procrastinate_jobs WHERE args ->> 'request_id' = %s"
                " AND task_name = 'build_packages'",
                [str(request)],
            ).rowcount
        )

    def newest_package(self, request: UUID, owner: UUID | None) -> str:
        """The digest of the newest package of an owner, or of all."""
        row = self.admin.execute(
            "SELECT sha256 FROM ler.package WHERE request_id = %s AND owner_id IS NOT DISTINCT FROM %s"
            " ORDER BY revision DESC LIMIT 1",
            [request, owner],
        ).fetchone()
        assert row is not None, (request, owner)
        return str(row[0])


def features(lines: Sequence[Line]) -> list[Feature]:
    """Lines as features; the first letter of the id is the place where it lies, the number tells it apart."""
    return [
        cable(gml_id, line(*_positions(gml_id)), etableringstidspunkt=year) for gml_id, year in sorted(lines)
    ]


def _positions(gml_id: str) -> list[tuple[float, ...]]:
    west, north = {"w": 10.0, "e": 210.0}[gml_id[0]], 10.0 * int(gml_id[1:])
    return [(west, north, 1.0), (west + 9, north, 1.0)]
