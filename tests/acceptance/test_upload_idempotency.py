"""The same call twice, one after the other and at once: done once, answered alike."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from ler.db.engine import transaction
from tests.answers import answer
from tests.service import UPLOADS, Service, execute

GML = answer().encode()


def uploads(service: Service) -> int:
    return service.world.counts()["upload"]


def test_a_repeated_call_gets_the_first_answer(service: Service) -> None:
    client = service.program()
    before = uploads(service)
    first = client.announce(GML, key="abc")
    again = client.announce(GML, key="abc")
    assert uploads(service) == before + 1
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers


def test_the_key_with_another_body_is_refused(service: Service) -> None:
    client = service.program()
    client.announce(GML, key="abc")
    before = uploads(service)
    other = client.announce(GML + b" ", key="abc")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert uploads(service) == before


def test_a_key_is_its_owners_own(service: Service) -> None:
    first, second = service.program().announce(GML, key="k"), service.program().announce(GML, key="k")
    assert first.headers["Location"] != second.headers["Location"]
    assert "Idempotency-Replayed" not in second.headers


def test_many_at_once_are_one(service: Service) -> None:
    owner = service.owner()
    token = service.token(owner)
    clients = [service.client(token) for _ in range(8)]
    before = uploads(service)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda client: client.announce(GML, key="same"), clients))
    assert uploads(service) == before + 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.headers["Location"] for answer in answers if answer.status_code == 201}) == 1
    for one in answers:
        if one.status_code == 409:
            assert one.json()["type"] == "/problems/idempotency-in-progress"
            assert one.headers["Retry-After"] == "1"


def test_while_the_first_call_is_at_work_the_second_is_told_to_wait(service: Service) -> None:
    owner = service.owner()
    client = service.client(service.token(owner))
    key = uuid4().hex
    with transaction(service.world.databases.app, owner) as connection:
        connection.exec_driver_sql(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", (f"{owner} POST {UPLOADS} {key}",)
        )
        assert client.announce(GML, key=key).status_code == 409
    assert client.announce(GML, key=key).status_code == 201


def test_an_old_key_may_be_used_anew(service: Service) -> None:
    client = service.program()
    first = client.announce(GML, key="old")
    execute(service, "UPDATE ler.idempotency_key SET expires_at = now() WHERE key = %s", "old")
    second = client.announce(GML, key="old")
    assert second.status_code == 201
    assert first.headers["Location"] != second.headers["Location"]
