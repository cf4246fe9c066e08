"""Who sees and writes what: refusal by default, for every table and role that the catalogue knows."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Executable, select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from ler.db import functions, tables
from ler.db.migrate import VERSION_TABLE, migrate
from ler.db.rows import copy_features
from ler.domain.access import Scope
from ler.domain.uploads import Patience
from ler.errors import NotFoundError, RefusedError
from ler.jobs import queue_upload
from ler.services.idempotency import KeptAnswer, answer_once
from ler.services.tokens import create_token, revoke_token
from ler.services.uploads import NewUpload, create_upload, list_uploads
from tests.entering import enter_package
from tests.integration.test_db_world import World, cable, line, square, world
from tests.integration.test_drawings_matched import add_drawing, drawing_row, match_with_drawings

__all__ = ["world"]

PUBLIC_VIEWS = {"ogc_digging_window", "ogc_planned_work", "ogc_restriction"}
"""What everybody may read, whoever acts: the views say by themselves what that is; `test_planned_works.py` proves it."""

OTHER_SCENES: dict[str, str] = {
    **dict.fromkeys(("account", "contact", "grant", "mandate"), "test_register_access.py"),
    "dispensation": "test_dispensations.py",
    **dict.fromkeys(("object_conflict", "owner_clearance"), "test_conflicts_kept.py"),
    "duct_offer": "test_ducts.py",
    "line_conflict": "test_batch.py",
    **dict.fromkeys(("owner_precaution", "precaution_area", "precaution_hit"), "test_precautions.py"),
    "answer_attachment": "test_answers_access.py",
    "answer_link": "test_answers_access.py",
    **dict.fromkeys(("digging_window", "window_work"), "test_digging_windows.py"),
    "ogc_job": "test_jobs_access.py",
    "package_link": "test_package_links.py",
    **dict.fromkeys(("answer_watch", "change_task", "notice_endpoint", "outbox"), "test_notices_access.py"),
    **dict.fromkeys(("audit_link", "audit_unsealed"), "test_audit.py"),
    **dict.fromkeys(("answer_withheld", "sensitivity_rule", "withheld_feature"), "test_sensitive_access.py"),
    **dict.fromkeys(
        ("alarm", "call_bucket", "client", "client_key", "request_limit", "used_assertion"),
        "test_caller_access.py",
    ),
    **dict.fromkeys(("damage", "damage_free_year", "deviation"), "test_damages_access.py"),
    **dict.fromkeys(("deviation_photo", "line_claim"), "test_damages_access.py"),
    **dict.fromkeys(
        ("area_subscription", "planned_work", "restriction", "work_conflict", "work_judgement"),
        "test_planned_works.py",
    ),
}
"""Tables of which other files of tests prove that each of two tenants sees its own rows only, and by which."""

ROLES = ("ler_app", "ler_worker", "ler_readonly")
FUNCTIONS = (
    *("st_estimatedextent", "st_findextent", "_postgis_stats"),
    *("_postgis_selectivity", "_postgis_join_selectivity", "_postgis_index_extent"),
)


@dataclass
class Scene:
    """Two owners and two diggers; each table holds rows of both."""

    world: World
    owners: tuple[UUID, UUID]
    diggers: tuple[UUID, UUID]
    versions: tuple[UUID, UUID]
    requests: tuple[UUID, UUID]


@pytest.fixture
def scene(world: World) -> Scene:
    owners, diggers, versions, requests = [], [], [], []
    for number, west in enumerate((0, 1000)):
        area = square(west, 0, west + 10, 10)
        owners.append(world.owner(f"owner {number}", area))
        versions.append(world.publish(owners[-1], [cable("same id", line((west, 5, 1), (west + 9, 5, 2)))]))
        measured = world.stage(owners[-1], [cable("staged", None)])
        with world.acting(owners[-1]) as connection:
            connection.execute(
                tables.network_quality.insert().values(
                    version_id=measured, owner_id=owners[-1], score=0.5, figures={}
                )
            )
        _upload_something(world, owners[-1])
        diggers.append(world.organisation(f"digger {number}", cvr=f"1234567{number}"))
        add_drawing(world, owners[-1], "same name.tif", area)
        requests.append(world.request(diggers[-1], area))
        match_with_drawings(world, diggers[-1], requests[-1])
        with world.acting(None, role="ler_worker", request=requests[-1]) as connection:
            assert enter_package(connection, requests[-1]) == "entered"
    with world.database.connect() as connection:
        for owner, request in zip(owners, requests, strict=True):
            connection.execute(
                "INSERT INTO ler.notice (audience_id, kind, request_id, number) VALUES (%s, 'owner.asked', %s, 1)",
                [owner, request],
            )
    return Scene(world, (owners[0], owners[1]), (diggers[0], diggers[1]),
                (versions[0], versions[1]), (requests[0], requests[1]))  # fmt: skip


def _upload_something(world: World, owner: UUID) -> None:
    patience = Patience(parts=timedelta(hours=1), decision=timedelta(hours=1))

    with world.acting(owner) as connection:

        def work() -> KeptAnswer:
            create_upload(connection, owner, NewUpload("a.gml", 9), patience)
            return KeptAnswer(201, {}, {})

        answer_once(connection, owner, route="POST /x", key="the same key", body=b"x", work=work)
    with world.acting(tables.PLATFORM_OPERATOR) as connection:
        create_token(connection, owner, scopes=[*Scope], days=1)


def table_names(connection: psycopg.Connection, kinds: str = "rpm") -> list[str]:
    query = "SELECT relname FROM pg_class WHERE relnamespace = 'ler'::regnamespace AND strpos(%s, relkind::text) > 0"
    return [row[0] for row in connection.execute(query, [kinds])]


def count(connection: psycopg.Connection, table: str) -> int | None:
    """Return the rows that are seen, None when the table may not be read at all."""
    query = sql.SQL("SELECT count(*) FROM ler.{}").format(sql.Identifier(table))
    try:
        row = connection.execute(query).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return None
    assert row is not None
    return int(row[0])


def test_without_a_principal_nobody_sees_or_writes_anything(scene: Scene) -> None:
    database = scene.world.database
    with database.connect() as superuser:
        names = table_names(superuser)
        assert {*names} == {table.name for table in tables.metadata.sorted_tables} | {VERSION_TABLE}
        views = {*table_names(superuser, "v")}
        assert views > PUBLIC_VIEWS
        names = [name for name in names if name not in OTHER_SCENES]
        assert all(count(superuser, name) for name in names), "an empty table would prove nothing"
        for role in ROLES:
            with database.connect(role) as connection:
                assert {name: count(connection, name) for name in names if count(connection, name)} == {}
                assert [name for name in views - PUBLIC_VIEWS if count(connection, name)] == []
                for name in names:
                    for statement in ("DELETE FROM ler.{}", "UPDATE ler.{} SET {} = {}", "TRUNCATE ler.{}"):
                        column = superuser.execute(
                            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass"
                            " AND attnum > 0 AND NOT attisdropped ORDER BY attnum DESC LIMIT 1",
                            [f"ler.{name}"],
                        ).fetchone()
                        assert column is not None
                        parts = [sql.Identifier(name), *[sql.Identifier(column[0])] * 2]
                        query = sql.SQL(statement).format(*parts[: statement.count("{}")])
                        with suppress(psycopg.errors.InsufficientPrivilege):
                            assert connection.execute(query).rowcount == 0
        assert all(count(superuser, name) for name in names)


def test_tables_of_other_scenes_are_tested_there() -> None:
    for name, file in OTHER_SCENES.items():
        assert name in Path(__file__).with_name(file).read_text(encoding="utf-8"), name


def test_every_table_forces_row_level_security_and_belongs_to_the_role_that_cannot_log_in(
    world: World,
) -> None:
    with world.database.connect() as connection:
        rows = connection.execute(
            "SELECT relname, relrowsecurity AND relforcerowsecurity, relowner::regrole::text FROM pg_class"
            " WHERE relnamespace = 'ler'::regnamespace AND relkind IN ('r', 'p')"
        ).fetchall()
        roles = connection.execute(
            "SELECT rolname, rolcanlogin, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb FROM pg_roles"
            " WHERE rolname LIKE 'ler\\_%'"
        ).fetchall()
    assert rows
    assert all(forced and owner == "ler_owner" for _, forced, owner in rows)
    assert {*roles} == {("ler_owner", False, False), *((role, True, False) for role in ROLES)}


def test_a_table_that_was_forgotten_in_the_policies_is_closed(world: World) -> None:
    with world.database.connect() as connection:
        connection.execute("SET ROLE ler_owner")
        connection.execute("CREATE TABLE ler.forgotten AS SELECT 1 AS secret")
        connection.execute("GRANT SELECT ON ler.forgotten TO ler_app")
        connection.execute("RESET ROLE")
        migrate(world.database.url())
        connection.execute("GRANT SELECT ON ler.forgotten TO ler_app")
    with world.database.connect("ler_app") as connection:
        assert count(connection, "forgotten") == 0


@pytest.mark.parametrize("role", ["ler_app", "ler_readonly"])
def test_a_principal_sees_its_own_rows_only(scene: Scene, role: str) -> None:
    def seen(principal: UUID) -> dict[str, set[UUID]]:
        keys = {
            tables.organisation: "id",
            tables.interest_area: "owner_id",
            tables.network_dataset: "owner_id",
            tables.network_version: "owner_id",
            tables.network_feature: "owner_id",
            tables.staged_feature: "owner_id",
            tables.network_quality: "owner_id",
            tables.upload: "owner_id",
            tables.upload_event: "owner_id",
            tables.access_token: "owner_id",
            tables.drawing: "owner_id",
            tables.excavation_request: "id",
            tables.owner_request: "request_id",
            tables.owner_answer: "request_id",
            tables.package_feature: "request_id",
            tables.package_drawing: "request_id",
            tables.package: "request_id",
            tables.notice: "request_id",
        }
        with scene.world.acting(principal, role=role) as connection:
            return {
                table.name: set(connection.execute(select(table.c[key])).scalars())
                for table, key in keys.items()
            }

    for mine in (0, 1):
        owner, digger, request = scene.owners[mine], scene.diggers[mine], scene.requests[mine]
        asked = {
            name: {request}
            for name in ("owner_request", "owner_answer", "package_feature", "package_drawing")
        }
        assert seen(owner) == {
            "organisation": {owner, digger},
            **{name: {owner} for name in ("interest_area", "network_dataset")},
            **{name: {owner} for name in ("network_version", "network_feature")},
            **{name: {owner} for name in ("staged_feature", "network_quality", "drawing")},
            **{name: {owner} for name in ("upload", "upload_event", "access_token")},
            "excavation_request": set(),
            **asked,
            "package": set(),
            "notice": {request},
        }
        assert seen(digger) == {
            "organisation": {owner, digger},
            **{name: set() for name in ("interest_area", "network_dataset")},
            **{name: set() for name in ("network_version", "network_feature")},
            **{name: set() for name in ("staged_feature", "network_quality", "drawing")},
            **{name: set() for name in ("upload", "upload_event", "access_token")},
            "excavation_request": {request},
            **asked,
            "package": {request},
            "notice": {request},
        }
    nobody = seen(uuid4())
    assert not any(nobody.values())


def test_a_worker_sees_its_request_only(scene: Scene) -> None:
    request, owner = scene.requests[0], scene.owners[0]
    with scene.world.acting(None, role="ler_worker", request=request) as connection:
        for table in (
            *(tables.owner_request, tables.owner_answer, tables.package_feature),
            *(tables.package_drawing, tables.package),
        ):
            assert set(connection.execute(select(table.c.request_id)).scalars()) == {request}
        assert connection.execute(select(tables.excavation_request.c.id)).scalars().all() == [request]
        assert connection.execute(select(tables.network_version.c.owner_id)).scalars().all() == [owner]
        assert connection.execute(select(tables.interest_area.c.owner_id)).scalars().all() == [owner]
        organisations = set(connection.execute(select(tables.organisation.c.id)).scalars())
        assert organisations == {owner, scene.diggers[0]}
    for forbidden in (
        *(tables.network_feature, tables.staged_feature, tables.network_quality),
        *(tables.network_dataset, tables.audit_event, tables.drawing),
        *(tables.upload, tables.upload_event, tables.access_token, tables.idempotency_key, tables.notice),
    ):
        with (
            pytest.raises(ProgrammingError),
            scene.world.acting(owner, role="ler_worker", request=request) as connection,
        ):
            connection.execute(select(text("1")).select_from(forbidden))
    with (
        pytest.raises(ProgrammingError),
        scene.world.acting(None, role="ler_worker", request=request) as connection,
    ):
        connection.execute(select(tables.interest_area.c.geom))


def test_writing_for_somebody_else_is_refused(scene: Scene) -> None:
    mine, yours = scene.owners
    world = scene.world
    staged = world.stage(yours, [])
    statements: list[Executable] = [
        tables.organisation.insert().values(name="x"),
        tables.interest_area.insert().values(
            owner_id=yours, utility_types=["el"], geom="SRID=25832;MULTIPOLYGON(((0 0,1 0,1 1,0 0)))"
        ),
        tables.network_dataset.insert().values(owner_id=yours, name="x"),
        tables.network_dataset.update().values(current_version_id=None),
        tables.network_version.update().values(state="superseded"),
        tables.network_version.update().values(published_at=None),
        tables.network_version.insert().values(
            owner_id=mine,
            dataset_id=yours,
            number=1,
            state="published",
            source_name="x",
            source_sha256="0" * 64,
            model_version="2.2.0",
        ),
        tables.network_version.delete(),
        tables.network_feature.insert().values(owner_id=mine, dataset_id=mine, seq=1, added_in=1),
        tables.network_feature.update().values(geom=None),
        tables.network_feature.delete(),
        tables.staged_feature.update().values(geom=None),
        tables.staged_feature.delete(),
        tables.network_quality.insert().values(version_id=staged, owner_id=yours, score=1, figures={}),
        tables.network_quality.insert().values(version_id=staged, owner_id=mine, score=1, figures={}),
        tables.network_quality.update().values(score=1),
        tables.network_quality.delete(),
        drawing_row(yours, "x.tif", square(0, 0, 1, 1)),
        tables.drawing.update().values(owner_id=mine),
        tables.drawing.update().values(geom=None),
        text("INSERT INTO ler.package_drawing (request_id) VALUES (gen_random_uuid())"),
        tables.package_drawing.update().values(name="x"),
        tables.package_drawing.delete(),
        text("SELECT ler.known_blobs()"),
        text("SELECT ler.match_drawings(NULL, NULL, NULL, NULL, NULL)"),
        text("SELECT ler.fill_answers(NULL, NULL, NULL, NULL, NULL, NULL, NULL)"),
        text("INSERT INTO ler.owner_request (request_id) VALUES (gen_random_uuid())"),
        text("INSERT INTO ler.owner_answer (request_id) VALUES (gen_random_uuid())"),
        tables.owner_answer.update().values(answer_type=tables.NO_LINES),
        text("INSERT INTO ler.package_feature (request_id) VALUES (gen_random_uuid())"),
        tables.package_feature.update().values(geom=None),
        tables.package_feature.delete(),
        tables.package.delete(),
        tables.package.insert().values(file_name="x"),
        tables.package.update().values(sha256="0" * 64),
        text("SELECT ler.queue_request(gen_random_uuid())"),
        text("SELECT ler.requests_to_pack()"),
        tables.excavation_request.update().values(matched_at=None),
        tables.excavation_request.update().values(state="complete"),
        tables.excavation_request.update().values(price=0),
        tables.excavation_request.update().values(revision=9),
        tables.notice.insert().values(audience_id=mine, kind="a.b"),
        tables.notice.update().values(kind="a.b"),
        tables.notice.delete(),
        text("SELECT ler.settle_request(gen_random_uuid())"),
        text("SELECT ler.leave_out_references(gen_random_uuid(), '{}')"),
        text("INSERT INTO ler.excavation_request (requester_id, state) VALUES (ler.principal(), 'complete')"),
        tables.owner_request.update().values(state="answered"),
        tables.owner_request.update().values(due_at=text("now() + interval '1 year'")),
        text("SELECT ler.mark_late()"),
        text("SELECT ler.end_requests(1)"),
        text("SELECT ler.erase_requests(1, 1)"),
        tables.excavation_request.delete(),
        tables.audit_event.insert().values(actor=yours, action="a:b:c"),
        tables.audit_event.insert().values(actor=None, action="a:b:c"),
        tables.audit_event.insert().values(actor=mine, action="a:b:c", at="2020-01-01"),
        text("ALTER TABLE ler.network_feature DISABLE ROW LEVEL SECURITY"),
        text("CREATE TABLE ler.x (i int)"),
        text("CREATE TABLE public.x (i int)"),
        text("CREATE FUNCTION public.x() RETURNS int LANGUAGE sql RETURN 1"),
        text("SET ROLE ler_owner"),
        text("SET ROLE postgres"),
    ]
    for statement in statements:
        with pytest.raises(DBAPIError) as caught, world.acting(mine) as connection:
            connection.execute(statement)
        assert (
            "policy" in str(caught.value)
            or "denied" in str(caught.value)
            or "must be owner" in str(caught.value)
        )
    # Somebody else's staged version is as good as absent, and what is published is no longer changed.
    for version in (staged, scene.versions[0]):
        row = {**dict.fromkeys(column.name for column in tables.staged_feature.columns), "seq": 9, "line": 9}
        row |= {"owner_id": mine, "version_id": version, "feature_type": "x", "gml_id": "x"}
        row |= {"content_hash": uuid4()}
        row |= {"attributes": "{}", "voids": "{}"}
        with pytest.raises(NotFoundError), world.acting(mine) as connection:
            copy_features(connection, [row])
        with pytest.raises(DBAPIError, match="row-level security"), world.acting(mine) as connection:
            connection.execute(tables.staged_feature.insert().values(row | {"attributes": {}, "voids": {}}))
        for refused in (functions.publish_version, functions.discard_version):
            with pytest.raises((NotFoundError, RefusedError)), world.acting(mine) as connection:
                refused(connection, version)


def test_a_staged_version_can_be_discarded_once_and_by_its_owner(world: World) -> None:
    owner, other = world.owner("owner"), world.owner("other")
    version = world.stage(owner, [cable("a", line((0, 0, 0), (1, 1, 1)))])
    with pytest.raises(NotFoundError), world.acting(other) as connection:
        functions.discard_version(connection, version)
    with world.acting(owner) as connection:
        functions.discard_version(connection, version)
        assert not connection.execute(select(tables.staged_feature.c.seq)).all()
        assert connection.execute(select(tables.network_version.c.state)).scalars().all() == ["discarded"]
    for refused in (functions.publish_version, functions.discard_version):
        with pytest.raises(RefusedError) as caught, world.acting(owner) as connection:
            refused(connection, version)
        assert caught.value.code == "version-not-staged"


def test_unique_keys_do_not_tell_about_another_owner(scene: Scene) -> None:
    mine, yours = scene.owners
    with scene.world.acting(yours) as connection:
        dataset = connection.execute(select(tables.network_dataset.c.id)).scalar_one()
        number = connection.execute(select(tables.network_version.c.number)).scalars().first()
    messages = set()
    for tried in (dataset, uuid4()):
        with pytest.raises(DBAPIError) as caught, scene.world.acting(mine) as connection:
            connection.execute(
                tables.network_version.insert().values(
                    dataset_id=tried, owner_id=mine, number=number, source_name="x",
                    source_sha256="0" * 64, model_version="2.2.0",
                )
            )  # fmt: skip
        messages.add(str(caught.value).replace(str(tried), ""))
    assert len(messages) == 1


def test_statistics_functions_of_postgis_tell_nothing(scene: Scene) -> None:
    database = scene.world.database
    with database.connect() as superuser:
        superuser.execute("ANALYZE ler.network_feature")
        left = superuser.execute(
            "SELECT p.oid::regprocedure::text, r FROM pg_proc AS p, unnest(%s::text[]) AS r"
            " WHERE proname = ANY (%s) AND has_function_privilege(r, p.oid, 'EXECUTE')",
            [list(ROLES), list(FUNCTIONS)],
        ).fetchall()
    assert left == []
    for role in ROLES:
        with database.connect(role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT ST_EstimatedExtent('ler', 'network_feature', 'geom')")
        with database.connect(role) as connection:
            query = "SELECT 1 FROM pg_stats WHERE schemaname = 'ler' AND tablename LIKE '%feature'"
            assert connection.execute(query).fetchall() == []


def test_functions_are_nobodys_by_default_and_those_with_more_rights_have_a_fixed_path(world: World) -> None:
    with world.database.connect() as connection:
        rows = connection.execute(
            "SELECT p.proname, p.prosecdef, p.proowner::regrole::text,"
            " (SELECT setting FROM unnest(p.proconfig) AS setting WHERE setting LIKE 'search_path=%'),"
            " has_function_privilege('public', p.oid, 'EXECUTE')"
            " FROM pg_proc AS p WHERE p.pronamespace = 'ler'::regnamespace"
        ).fetchall()
    assert {name for name, definer, *_ in rows if definer} == {
        *("match_request", "publish_version", "discard_version", "purge_versions", "sweep_staging"),
        *("find_token", "queue_upload", "uploads_at_work", "uploads_with_files", "forget_old_keys"),
        *("is_ended", "make_token", "client_keys", "issue_client_token", "find_accounts", "begin_session"),
        *("take_call", "count_call", "record_refusal", "check_asking", "watch_tiling", "tell_alarm"),
        "forget_access",
        *("granted_roles", "mandate_of", "providers", "revise_interest_area"),
        *("known_blobs", "cancel_request", "mark_late"),
        *("acknowledge", "give_answer", "withdraw_answer", "appoint", "mark", "ask_to_mark", "asked_of_me"),
        *("choose_answering", "keep_answer_link", "find_answer_link"),
        *("on_request_change", "on_owner_asked", "on_owner_change", "on_answer", "on_package", "on_upload"),
        *("on_publication", "on_interest_area", "tell_changes", "place_notices", "fan_out"),
        *("claim_deliveries", "keep_payload", "record_delivery", "forget_deliveries"),
        *("add_endpoint", "change_endpoint", "remove_endpoint", "renew_endpoint_secret"),
        *("confirm_endpoint", "test_endpoint", "on_duty_change", "watched_owners", "remind_owner"),
        *("await_seal", "seal_audit", "who_has_seen", "who_has_read"),
        *("name_owners", "list_asked_owners", "extend_request", "end_requests", "erase_requests"),
        *("decide_withheld", "rules_in_force", "shown_despite", "end_links_despite"),
        *(
            "queue_request",
            "call_for_package",
            "call_for_packages",
            "call_for_owner_packages",
            "call_for_mending",
            "requests_to_pack",
        ),
        *("packages_kept", "enter_packages", "enter_conflicts", "enter_precautions", "enter_mended"),
        "tell_of_stuck_packages",
        *("find_delivered", "package_downloads", "deliveries_of_me"),
        *("keep_package_link", "end_package_link", "find_package_link"),
        *("take_deviation", "offer_line", "move_deviation", "answer_claim"),
        *("tell_of_deviation", "tell_of_offer"),
        *("damage_statistics", "damage_reporting"),
        *(
            "on_works_planned",
            "on_works_changed",
            "on_work_conflicts",
            "works_near",
            "works_beside",
            "ducts_near_work",
        ),
        *("invite_window", "answer_window", "withdraw_windows", "expire_windows"),
        *("open_reading", "touch_token", "own_lines_in"),
        *("queue_job", "jobs_at_work", "forget_jobs", "claim_job_calls", "record_job_call"),
    }
    for name, definer, owner, path, for_all in rows:
        assert owner == "ler_owner", name
        assert not for_all, name
        if definer:
            # The queue's functions name their tables without a schema.
            ours = "queue" if name in {"queue_job", "queue_upload", "queue_request"} else "public, ler"
            assert path == f"search_path=pg_catalog, {ours}, pg_temp", name


def test_a_temporary_table_does_not_stand_in_for_ours(scene: Scene) -> None:
    world, digger = scene.world, scene.diggers[0]
    request = world.request(digger, square(0, 0, 10, 10))
    with world.acting(digger) as connection:
        for name in ("interest_area", "network_feature", "geometry_columns"):
            connection.execute(text(f"CREATE TEMP TABLE {name} (i int)"))
        row = connection.execute(
            text("SELECT * FROM ler.match_request(:id, now() + interval '1 hour')"), {"id": request}
        ).one()
    assert row.feature_count == 1


def test_the_audit_trail_is_append_only_even_for_its_owner(world: World) -> None:
    owner = world.organisation("owner")
    with world.acting(owner) as connection:
        functions.record_event(
            connection, "web:login:succeed", actor=owner, object_id=owner, details={"a": 1}
        )
        assert connection.execute(select(tables.audit_event.c.actor)).scalars().all() == [owner]
    for role in ("postgres", "ler_owner"):
        for statement in (
            "UPDATE ler.audit_event SET action = 'a:b:c'",
            "DELETE FROM ler.audit_event",
            "TRUNCATE ler.audit_event CASCADE",
        ):
            with world.database.connect() as connection:
                connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                    connection.execute(statement)


def test_a_principal_ends_with_its_transaction(scene: Scene) -> None:
    engine_world = scene.world
    with engine_world.acting(scene.owners[0]) as connection:
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with engine_world.acting(None) as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() == backend
        assert not connection.execute(select(tables.network_feature.c.seq)).all()


def test_uploads_are_their_owners_and_events_are_only_appended(scene: Scene) -> None:
    mine, yours = scene.owners
    with scene.world.acting(yours) as connection:
        theirs = list_uploads(connection, limit=10)[0].id
    with scene.world.acting(mine) as connection:
        ours = list_uploads(connection, limit=10)[0].id
        assert connection.execute(tables.upload.update().values(received_bytes=1)).rowcount == 1
        assert queue_upload(connection, ours, "check_upload")
        assert not queue_upload(connection, ours, "check_upload"), "one job that waits is enough"
    row = {"owner_id": mine, "number": 9, "kind": "state", "data": {}}
    statements: list[Executable] = [
        tables.upload.insert().values(owner_id=yours, file_name="x", size_bytes=1),
        tables.upload.insert().values(owner_id=mine, file_name="x", size_bytes=1, state="approved"),
        tables.upload.update().values(owner_id=yours),
        tables.upload.update().values(file_name="x"),
        tables.upload.delete(),
        tables.upload_event.insert().values(row | {"upload_id": theirs, "owner_id": yours}),
        tables.upload_event.insert().values(row | {"upload_id": theirs}),
        tables.upload_event.update().values(kind="state"),
        tables.upload_event.delete(),
        tables.access_token.insert().values(
            owner_id=mine, prefix="x" * 8, secret_sha256="0" * 64, scopes=["x"], expires_at="2030-01-01"
        ),
        tables.access_token.update().values(expires_at="2030-01-01"),
        tables.access_token.update().values(revoked_at=None),
        tables.access_token.delete(),
        select(tables.access_token.c.secret_sha256),
        tables.idempotency_key.update().values(status=500),
        text("SELECT * FROM ler.uploads_at_work()"),
        text("SELECT * FROM queue.procrastinate_jobs"),
        text("INSERT INTO queue.procrastinate_jobs (task_name) VALUES ('x')"),
    ]
    for statement in statements:
        with pytest.raises(DBAPIError), scene.world.acting(mine) as connection:
            connection.execute(statement)
    for upload_id, task in ((theirs, "check_upload"), (uuid4(), "check_upload"), (ours, "rm -rf")):
        with pytest.raises(NotFoundError), scene.world.acting(mine) as connection:
            queue_upload(connection, upload_id, task)
    with scene.world.acting(mine) as connection:
        assert connection.execute(tables.idempotency_key.delete()).rowcount == 0, "none is old"


def test_a_token_is_found_by_who_is_nobody_yet_and_ended_by_its_owner(scene: Scene) -> None:
    mine, yours = scene.owners
    with scene.world.acting(mine) as connection:
        prefix = connection.execute(select(tables.access_token.c.prefix)).scalar_one()
    with scene.world.acting(None) as connection:
        found = connection.execute(text("SELECT * FROM ler.find_token(:p)"), {"p": prefix}).one()
        assert (found.owner_id, found.expired, found.revoked) == (mine, False, False)
        assert not connection.execute(text("SELECT * FROM ler.find_token('nothing')")).all()
    with pytest.raises(NotFoundError), scene.world.acting(yours) as connection:
        revoke_token(connection, prefix)


def test_a_worker_finds_what_is_left_lying_and_nothing_of_what_was_uploaded(scene: Scene) -> None:
    with scene.world.acting(None, role="ler_worker") as connection:
        rows = connection.execute(text("SELECT * FROM ler.uploads_at_work()")).all()
        assert {row.owner_id for row in rows} == {*scene.owners}
        ids = [row.id for row in rows] + [uuid4()]
        query = text("SELECT ler.uploads_with_files(:ids, interval '1 hour')")
        assert {*connection.execute(query, {"ids": ids}).scalars()} == {row.id for row in rows}
        assert connection.execute(text("SELECT ler.forget_old_keys()")).scalar_one() == 0
