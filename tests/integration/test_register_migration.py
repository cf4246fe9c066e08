"""A database from before roles: everybody gets the roles that it had without a name, and areas find their numbers back."""

from uuid import UUID, uuid4

import psycopg

from ler.db.migrate import downgrade, migrate
from ler.db.tables import PLATFORM_OPERATOR
from tests.databases import Database

BEFORE = "0007"
ADD_AREA = (
    "INSERT INTO ler.interest_area (owner_id, utility_types, geom)"
    " VALUES (%s, '{el}', ST_Multi(ST_MakeEnvelope(0, 0, 1, 1, 25832)))"
)
ADD_REQUEST = (
    "INSERT INTO ler.excavation_request (requester_id, area, period_from, period_to, purpose)"
    " VALUES (%s, ST_MakeEnvelope(0, 0, 1, 1, 25832), now(), now(), 'x') RETURNING id"
)


def add(connection: psycopg.Connection, cvr: str | None = None) -> UUID:
    key = uuid4()
    connection.execute("INSERT INTO ler.organisation (id, cvr, name) VALUES (%s, %s, 'x')", [key, cvr])
    return key


def test_everybody_gets_the_roles_that_it_had(empty_database: Database) -> None:
    migrate(empty_database.url())
    downgrade(empty_database.url(), BEFORE)
    with empty_database.connect() as connection:
        registered = add(connection, "12345678")
        with_area, with_network, digs, nothing = (add(connection) for _ in range(4))
        connection.execute(ADD_AREA, [with_area])
        connection.execute(ADD_AREA, [with_area])
        connection.execute(
            "INSERT INTO ler.network_dataset (owner_id, name) VALUES (%s, 'n')", [with_network]
        )
        for requester in (digs, digs, registered):
            connection.execute(ADD_REQUEST, [requester])
    migrate(empty_database.url())
    with empty_database.connect() as connection:
        granted = connection.execute('SELECT organisation_id, role FROM ler."grant" ORDER BY role').fetchall()
        holding = connection.execute(
            "SELECT array_agg(o.id) FROM ler.organisation AS o WHERE ler.granted_roles(o.id) <> '{}'"
        ).fetchone()
    assert sorted(map(str, granted)) == sorted(
        map(
            str,
            [
                (PLATFORM_OPERATOR, "operator"),
                *((owner, "owner") for owner in (registered, with_area, with_network)),
                *((digger, "excavator") for digger in (registered, digs)),
            ],
        )
    )
    assert holding is not None
    assert nothing not in holding[0]


def test_going_back_keeps_the_newest_of_a_number_and_what_was_asked_about(empty_database: Database) -> None:
    migrate(empty_database.url())
    with empty_database.connect() as connection:
        owner = add(connection, "12345678")
        connection.execute(ADD_AREA, [owner])
        for _ in range(2):
            connection.execute(
                "SELECT set_config('ler.principal', %s, false), ler.revise_interest_area(i.id, i.revision, NULL, NULL,"
                " NULL, NULL, NULL, NULL, NULL) FROM ler.interest_area AS i WHERE i.ended_at IS NULL",
                [str(owner)],
            )
        first, _, newest = connection.execute(
            "SELECT id, registration_number FROM ler.interest_area ORDER BY revision"
        ).fetchall()
        row = connection.execute(ADD_REQUEST, [owner]).fetchone()
        assert row is not None
        connection.execute(
            "INSERT INTO ler.owner_request (request_id, requester_id, owner_id, interest_area_id)"
            " VALUES (%s, %s, %s, %s)",
            [row[0], owner, owner, first[0]],
        )
    downgrade(empty_database.url(), BEFORE)
    with empty_database.connect() as connection:
        rows = connection.execute("SELECT id, registration_number FROM ler.interest_area").fetchall()
    left = {row[0]: row[1] for row in rows}
    assert set(left) == {first[0], newest[0]}
    assert left[newest[0]] == newest[1]
    assert left[first[0]] != newest[1]
