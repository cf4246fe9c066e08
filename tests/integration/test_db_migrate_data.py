"""A database with networks in it goes to the newest tables and back, and no feature is lost or changes its version."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import psycopg
import pytest
import shapely

from ler.db.migrate import downgrade, migrate
from ler.db.rows import Row, feature_to_row
from ler.model import Feature, load_model
from tests.databases import Database
from tests.integration.test_db_migrate import REVISIONS
from tests.integration.test_db_world import NAN, cable, line

TYPES = load_model().types
COLUMNS = (
    *("owner_id", "version_id", "seq", "feature_type", "gml_id", "utility_type", "operational_status"),
    *("danger_class", "indicative_depth_mm", "attributes", "voids", "geom"),
)
INSERT = (
    f"INSERT INTO ler.network_feature ({', '.join(COLUMNS)})"  # noqa: S608 - the names above
    f" VALUES ({', '.join(['%s'] * (len(COLUMNS) - 1))}, ST_GeomFromEWKB(%s))"
)
LINE = line((0, 0, 1), (5, 5, NAN), (9, 1, 2.25))
PAPER = Feature("Informationsressource", "paper", {"title": "æ", "sti": "a.pdf"})
FEATURES = [
    cable("a", LINE, vejledendeDybde=600.0, spaendingsniveau=0.4, udvendigDiameter=40.0, fareklasse="farlig"),
    cable("b", shapely.MultiLineString([LINE, line((1, 1, 0), (2, 2, 0))]), bilag=["x", "y"]),
    Feature("Elkomponent", "c", {"type": "muffe"}, {"driftsstatus": "unknown"}, shapely.Point(LINE.coords[0])),
    PAPER,
]  # fmt: skip


@pytest.fixture
def old(empty_database: Database) -> Database:
    migrate(empty_database.url())
    downgrade(empty_database.url(), "0001")
    return empty_database


def add_dataset(connection: psycopg.Connection) -> tuple[UUID, UUID]:
    owner, dataset = uuid4(), uuid4()
    connection.execute("INSERT INTO ler.organisation (id, name) VALUES (%s, 'owner')", [owner])
    connection.execute(
        "INSERT INTO ler.network_dataset (id, owner_id, name) VALUES (%s, %s, 'network')", [dataset, owner]
    )
    return owner, dataset


def add_version(
    connection: psycopg.Connection,
    key: tuple[UUID, UUID],
    number: int,
    state: str,
    features: Sequence[Feature],
    *,
    common: Sequence[int] = (),
) -> UUID:
    owner, dataset = key
    version = uuid4()
    connection.execute(
        "INSERT INTO ler.network_version (id, dataset_id, owner_id, number, state, source_name, source_sha256,"
        " model_version, feature_count, common_attachments, published_at)"
        " VALUES (%s, %s, %s, %s, %s, 'x.gml', repeat('0', 64), '2.2.0', %s, %s::integer[],"
        " CASE WHEN %s <> 'staged' THEN now() END)",
        [version, dataset, owner, number, state, len(features), list(common), state],
    )
    for seq, feature in enumerate(features, start=1):
        row = to_row(feature, owner, version, seq)
        connection.execute(INSERT, [row[name] for name in COLUMNS])
    if state == "published":
        connection.execute(
            "UPDATE ler.network_dataset SET current_version_id = %s WHERE id = %s", [version, dataset]
        )
    return version


def to_row(feature: Feature, owner: UUID, version: UUID, seq: int) -> Row:
    return feature_to_row(feature, TYPES[feature.type], owner_id=owner, version_id=version, seq=seq)


VALID = """
    SELECT f.gml_id, f.feature_type, f.attributes, f.voids, ST_AsEWKB(f.geom)
    FROM ler.network_version AS v
    JOIN ler.network_feature AS f ON f.dataset_id = v.dataset_id
        AND f.added_in <= v.number AND (f.removed_in IS NULL OR f.removed_in > v.number)
    WHERE v.id = %s
    ORDER BY f.seq
"""
COPIED = """
    SELECT gml_id, feature_type, attributes, voids, ST_AsEWKB(geom) FROM ler.network_feature
    WHERE version_id = %s ORDER BY seq
"""


def test_every_published_version_keeps_its_features_there_and_back(old: Database) -> None:
    with old.connect() as connection:
        mine, yours = add_dataset(connection), add_dataset(connection)
        versions = [
            add_version(connection, mine, 1, "superseded", FEATURES, common=[4]),
            add_version(connection, mine, 3, "superseded", [*FEATURES[1:], cable("new", LINE)], common=[3]),
            add_version(connection, mine, 4, "published", FEATURES[:3]),
            add_version(connection, yours, 1, "published", [cable("a", LINE)]),
        ]
        staged = add_version(connection, mine, 5, "staged", FEATURES)
        before = [connection.execute(COPIED, [version]).fetchall() for version in versions]
        assert [len(rows) for rows in before] == [4, 4, 3, 1]
    assert migrate(old.url()) == REVISIONS[1:]
    with old.connect() as connection:
        assert [connection.execute(VALID, [version]).fetchall() for version in versions] == before
        states = connection.execute(
            "SELECT state FROM ler.network_version WHERE id = %s", [staged]
        ).fetchone()
        assert states == ("discarded",)
        common = connection.execute(
            "SELECT v.number, f.gml_id FROM ler.network_version AS v, unnest(v.common_attachments) AS a (seq)"
            " JOIN ler.network_feature AS f ON f.seq = a.seq WHERE v.dataset_id = f.dataset_id ORDER BY 1"
        ).fetchall()
        assert common == [(1, "paper"), (3, "paper")]
        current = connection.execute(
            "SELECT f.gml_id FROM ler.network_feature AS f JOIN ler.network_dataset AS d ON d.id = f.dataset_id"
            " WHERE d.owner_id = %s AND f.removed_in IS NULL ORDER BY 1", [mine[0]]
        ).fetchall()  # fmt: skip
        assert current == [("a",), ("b",), ("c",)]
    downgrade(old.url(), "0001")
    with old.connect() as connection:
        assert [connection.execute(COPIED, [version]).fetchall() for version in versions] == before


def test_what_was_stored_before_is_known_again(old: Database) -> None:
    with old.connect() as connection:
        add_version(connection, add_dataset(connection), 1, "published", FEATURES)
    migrate(old.url())
    with old.connect() as connection:
        rows = connection.execute("SELECT gml_id, content_hash FROM ler.network_feature").fetchall()
    assert dict(rows) == {
        each.gml_id: to_row(each, uuid4(), uuid4(), 1)["content_hash"] for each in FEATURES
    }  # fmt: skip


def test_a_version_published_after_a_higher_one_stays_the_current_one(old: Database) -> None:
    with old.connect() as connection:
        mine = add_dataset(connection)
        low = add_version(connection, mine, 1, "published", [cable("low", LINE)])
        high = add_version(connection, mine, 2, "superseded", [cable("high", LINE)])
    migrate(old.url())
    with old.connect() as connection:
        for version, name in ((low, "low"), (high, "high")):
            assert [row[0] for row in connection.execute(VALID, [version]).fetchall()] == [name]
        current = connection.execute(
            "SELECT gml_id FROM ler.network_feature WHERE removed_in IS NULL"
        ).fetchall()
    assert current == [("low",)]  # fmt: skip


def add_owner(connection: psycopg.Connection) -> UUID:
    """An organisation and an interest area with the same key."""
    owner = uuid4()
    connection.execute("INSERT INTO ler.organisation (id, name) VALUES (%s, 'owner')", [owner])
    connection.execute(
        "INSERT INTO ler.interest_area (id, owner_id, utility_types, geom)"
        " VALUES (%s, %s, '{el}', ST_Multi(ST_MakeEnvelope(0, 0, 1, 1, 25832)))",
        [owner, owner],
    )
    return owner


def test_requests_that_were_matched_before_come_into_their_states_there_and_back(
    empty_database: Database,
) -> None:
    migrate(empty_database.url())
    downgrade(empty_database.url(), "0005")
    matched, silent, unmatched = uuid4(), uuid4(), uuid4()
    with empty_database.connect() as connection:
        requester, answers, says_nothing = (add_owner(connection) for _ in range(3))
        for request, at in ((matched, "2026-01-02"), (silent, "2026-01-02"), (unmatched, None)):
            connection.execute(
                "INSERT INTO ler.excavation_request (id, requester_id, area, period_from, period_to, purpose,"
                " matched_at) VALUES (%s, %s, ST_MakeEnvelope(0, 0, 1, 1, 25832), now(), now(), 'x', %s)",
                [request, requester, at],
            )
        for request, owner in ((matched, answers), (silent, answers), (silent, says_nothing)):
            connection.execute(
                "INSERT INTO ler.owner_request (request_id, requester_id, owner_id, interest_area_id, created_at)"
                " VALUES (%s, %s, %s, %s, '2026-01-02')",
                [request, requester, owner, owner],
            )
            if owner == answers:
                connection.execute(
                    "INSERT INTO ler.owner_answer (request_id, requester_id, owner_id, answer_type, answered_at)"
                    " VALUES (%s, %s, %s, 'ingen ledninger i graveområde', '2026-01-03')",
                    [request, requester, owner],
                )
        before = connection.execute(ASKED).fetchall()
    assert migrate(empty_database.url())[0] == "0006"
    with empty_database.connect() as connection:
        states = connection.execute("SELECT id, state, price FROM ler.excavation_request").fetchall()
        assert {row[0]: row[1:] for row in states} == {
            matched: ("complete", None),
            silent: ("open", None),
            unmatched: ("open", None),
        }
        asked = connection.execute(
            "SELECT owner_id, state, received_at = created_at, answered_at::date::text, due_at, late"
            " FROM ler.owner_request WHERE request_id = %s",
            [silent],
        ).fetchall()
        assert {row[0]: row[1:] for row in asked} == {
            answers: ("answered", True, "2026-01-03", None, False),
            says_nothing: ("asked", True, None, None, False),
        }
        assert connection.execute("SELECT ler.mark_late()").fetchone() == (0,)
    downgrade(empty_database.url(), "0005")
    with empty_database.connect() as connection:
        assert connection.execute(ASKED).fetchall() == before


ASKED = """
    SELECT r.id, r.matched_at, r.purpose, q.id, q.owner_id, q.created_at, a.answer_type
    FROM ler.excavation_request AS r
    LEFT JOIN ler.owner_request AS q ON q.request_id = r.id
    LEFT JOIN ler.owner_answer AS a ON a.request_id = r.id AND a.owner_id = q.owner_id
    ORDER BY r.id, q.id
"""
