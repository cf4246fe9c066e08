"""Two worlds that differ only in what may not be shown look the same to who digs: every row, count, error and estimate."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ler.db import tables
from ler.model import Feature
from tests.databases import Database, SharedCluster
from tests.integration.sensitive import MARKING, NEVER, RESTRICTED, rule
from tests.integration.test_db_access import count
from tests.integration.test_db_world import World, at, cable, line, square

AREA = square(0, 0, 10, 10)
ROLES = ("ler_app", "ler_readonly")
ONE = [cable("secret", line((2, 2, 0), (3, 3, 0)))]
OTHERS: dict[str, list[Feature]] = {
    "elsewhere in the cell": [cable("secret", line((13, 15, 0), (18, 19, 0)))],
    "more of them": [cable(f"secret {n}", line((1 + n, 1, 0), (2 + n, 9, 0))) for n in range(6)],
    "with things of its own": [
        cable("secret", line((1, 1, 0), (9, 9, 0)), startkomponent="secret end", bilag=["secret paper"]),
        Feature("Elkomponent", "secret end", {"type": "muffe"}, {}, shapely.Point(*at((1, 1, 0))[0])),
        Feature("Informationsressource", "secret paper", {"sti": "hemmelig.pdf"}, {}, None),
        Feature("Foeringsroer", "secret duct", {"indeholdtLedning": ["secret"]}, {}, line((1, 1, 0), (9, 9, 0))),
    ],
}  # fmt: skip
PLAIN = Feature("Vandledning", "plain", {}, {}, line((1, 8, 0), (9, 8, 0)))
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+\+00:00")


def dig(world: World, secrets: Sequence[Feature], kind: str) -> tuple[UUID, UUID]:
    """An owner with secrets, and somebody who digs beside them; returns the digger and the request."""
    owner, digger = world.owner("owner"), world.organisation("digger")
    world.publish(owner, [PLAIN, *secrets])
    rule(world, owner, kind, feature_types=["Elledning"])
    request = world.request(digger, AREA)
    world.match(digger, request)
    return digger, request


def seen(world: World, digger: UUID, role: str) -> dict[str, list[str]]:
    """Every row that the digger sees of every table, without what chance and the clock put into it."""
    found = {}
    for table in tables.metadata.sorted_tables:
        try:
            with world.acting(digger, role=role) as connection:
                query = f"SELECT to_jsonb(t) FROM ler.{table.name} AS t"  # noqa: S608 - names of our tables
                rows = connection.execute(text(query)).scalars().all()
        except DBAPIError as error:
            assert isinstance(error.orig, psycopg.errors.InsufficientPrivilege), table.name  # noqa: PT017
            continue
        found[table.name] = sorted(_still(row) for row in rows)
    return found


def _still(row: dict[str, Any]) -> str:
    kept = {
        name: value
        for name, value in row.items()
        if not name.endswith("_at") and name not in {"at", "order_number", "seq"}
    }
    return _MOMENT.sub("WHEN", _ID.sub("ID", str(sorted(kept.items()))))


@contextmanager
def other_world(cluster: SharedCluster, template: str) -> Iterator[World]:
    with cluster.database(template) as database:
        made = World(database)
        yield made
        made.close()


@pytest.mark.parametrize("kind", [RESTRICTED, MARKING, NEVER])
@pytest.mark.parametrize("others", OTHERS)
def test_who_digs_sees_the_same_wherever_in_a_cell_and_however_many_lines_are_withheld(
    database: Database, shared_cluster: SharedCluster, migrated_template: str, kind: str, others: str
) -> None:
    one = World(database)
    with other_world(shared_cluster, migrated_template) as other:
        diggers = [dig(one, ONE, kind)[0], dig(other, OTHERS[others], kind)[0]]
        for role in ROLES:
            rows, others_rows = seen(one, diggers[0], role), seen(other, diggers[1], role)
            assert rows["owner_answer"], "an empty table would prove nothing"
            assert len(rows["package_feature"]) == 1
            assert rows == others_rows
            assert "secret" not in str(rows)
            assert "hemmelig" not in str(rows)
    one.close()


@pytest.mark.parametrize("role", ROLES)
def test_no_filter_of_a_digger_errs_on_what_it_may_not_see(database: Database, role: str) -> None:
    world = World(database)
    digger, _ = dig(world, ONE, RESTRICTED)
    with world.database.connect() as superuser:
        for table in ("withheld_feature", "sensitivity_rule", "network_feature"):
            assert count(superuser, table), "an empty table would prove nothing"
    for query in (
        "SELECT count(*) FROM ler.withheld_feature WHERE 1 / (length(gml_id) - 6) > 0",
        "SELECT count(*) FROM ler.withheld_feature WHERE gml_id::int > 0",
        "SELECT count(*) FROM ler.network_feature WHERE 1 / (length(gml_id) - 6) > 0",
        "SELECT count(*) FROM ler.network_feature WHERE gml_id::int > 0",
        "SELECT count(*) FROM ler.sensitivity_rule WHERE feature_types[1]::int > 0",
        "SELECT count(*) FROM ler.owner_answer AS a JOIN ler.withheld_feature AS w ON w.answer_id = a.id WHERE w.seq / 0 > 0",
        "SELECT count(*) FROM ler.withheld_feature AS w WHERE ST_X(ST_Centroid(w.cells)) / 0 > 0",
    ):  # fmt: skip
        with world.acting(digger, role=role) as connection:
            assert connection.execute(text(query)).scalar_one() == 0, query
    for query in (
        "SELECT ST_EstimatedExtent('ler', 'withheld_feature', 'cells')",
        "SELECT ST_EstimatedExtent('ler', 'answer_withheld', 'marking_area')",
        "SELECT _postgis_stats('ler.withheld_feature'::regclass, 'cells')",
        "SELECT ler.class_of(f, '{}') FROM ler.network_feature AS f",
    ):
        with (
            pytest.raises(DBAPIError, match="permission denied"),
            world.acting(digger, role=role) as connection,
        ):
            connection.execute(text(query))
    with world.database.connect() as superuser:
        superuser.execute("ANALYZE ler.withheld_feature, ler.sensitivity_rule, ler.answer_withheld")
    with world.acting(digger, role=role) as connection:
        stats = connection.execute(
            text(
                "SELECT tablename FROM pg_stats WHERE schemaname = 'ler'"
                " AND tablename IN ('withheld_feature', 'sensitivity_rule', 'answer_withheld', 'network_feature')"
            )
        ).all()
        assert stats == []
    world.close()


def test_a_withheld_line_leaves_no_trace_in_the_audit_of_who_digs(database: Database) -> None:
    world = World(database)
    digger, request = dig(world, ONE, RESTRICTED)
    with world.acting(tables.PLATFORM_OPERATOR) as connection:
        details = connection.execute(
            text("SELECT details FROM ler.audit_event WHERE actor = :digger AND object_id = :request"),
            {"digger": digger, "request": request},
        ).scalars()
        assert [one["features"] for one in details if "features" in one] == [1]
    world.close()
