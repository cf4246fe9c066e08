"""Notices with a real worker, real receivers and a real mail server: killed, hanging, refusing, gone; none is lost."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from standardwebhooks import Webhook

from ler.db.tables import PLATFORM_OPERATOR
from ler.faults import EXIT
from tests.databases import Database
from tests.notices import MailServer, Receiver, mail_server, receiver
from tests.service import Client, Service, eventually, execute, open_service
from tests.world import open_world

pytestmark = pytest.mark.nightly

PATH = "/api/v1/notice-endpoints"


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with mail_server() as made:
        yield made


@pytest.fixture
def service(database: Database, tmp_path: Path, mails: MailServer) -> Iterator[Service]:
    settings = {
        "LER_WEBHOOK_LOOPBACK": "true",
        "LER_NOTICE_POLL_S": "0.1",
        "LER_NOTICE_TIMEOUT_S": "3",
        "LER_WATCH_S": "0.3",
        **mails.settings(),
    }
    with open_world(database) as world, open_service(world, tmp_path, **settings) as made:
        yield made


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def program(service: Service) -> tuple[UUID, Client]:
    owner = service.owner()
    return owner, service.client(service.token(owner))


def add(client: Client, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the body
    made = client.http.post(PATH, json=body, headers={"Idempotency-Key": uuid4().hex})
    assert made.status_code == 201, made.text
    return dict(made.json())


def tell(service: Service, audience: UUID, kind: str = "owner.late", **data: object) -> str:
    """Write a notice as the triggers do, with all that follows from it."""
    with service.world.database.connect() as connection:
        row = connection.execute(
            "INSERT INTO ler.notice (audience_id, kind, data) VALUES (%s, %s, %s::jsonb) RETURNING id",
            [audience, kind, json.dumps(data)],
        ).fetchone()
    assert row is not None
    return f"msg_{row[0].hex}"


def outbox(service: Service, columns: str = "state, attempts, fault") -> list[tuple[Any, ...]]:
    with service.world.database.connect() as connection:
        return connection.execute(
            f"SELECT {columns} FROM ler.outbox ORDER BY created_at"  # noqa: S608 - our columns
        ).fetchall()


def hurry(service: Service) -> None:
    """As if the pauses were over."""
    execute(service, "UPDATE ler.outbox SET next_try_at = now() - interval '1 s' WHERE state = 'waiting'")


def test_a_webhook_is_signed_thin_and_sent_at_once(service: Service, hook: Receiver) -> None:
    service.serve()
    service.work()
    owner, client = program(service)
    endpoint = add(client, url=hook.url())
    began = time.monotonic()
    notice = tell(service, owner, "owner.asked", order_number=7)
    eventually(lambda: notice in hook.ids())
    assert time.monotonic() - began < 10
    call = hook.calls[0]
    assert Webhook(endpoint["secret"]).verify(call.body, call.headers)["type"] == "owner.asked"
    assert json.loads(call.body)["data"]["order_number"] == 7
    assert len(call.body) < 20_000
    eventually(lambda: outbox(service) == [("delivered", 1, None)])
    told = client.http.get(f"{PATH}/{endpoint['id']}/deliveries").json()["deliveries"]
    assert [(one["type"], one["state"], one["status"]) for one in told] == [("owner.asked", "delivered", 204)]
    assert "secret" not in client.http.get(f"{PATH}/{endpoint['id']}").json()
    with service.world.database.connect() as connection:
        kept = connection.execute("SELECT secret FROM ler.notice_endpoint").fetchall()
    assert [row[0][:7] for row in kept] == ["sealed:"]


def test_a_renewed_key_signs_beside_the_old_one(service: Service, hook: Receiver) -> None:
    service.serve()
    service.work()
    owner, client = program(service)
    endpoint = add(client, url=hook.url())
    new = client.http.post(f"{PATH}/{endpoint['id']}/secret").json()["secret"]
    tell(service, owner)
    eventually(lambda: len(hook.calls) == 1)
    for secret in (endpoint["secret"], new):
        Webhook(secret).verify(hook.calls[0].body, hook.calls[0].headers)


@pytest.mark.parametrize("fault", ["notice.claimed", "notice.sent", "notice.recorded"])
def test_a_killed_worker_loses_no_notice_and_repeats_it_byte_by_byte(
    service: Service, hook: Receiver, fault: str
) -> None:
    service.serve()
    owner, client = program(service)
    add(client, url=hook.url())
    notice = tell(service, owner)
    worker = service.work(fault=fault)
    assert worker.wait(timeout=30) == EXIT
    began = time.monotonic()
    service.work()
    eventually(lambda: outbox(service, "state") == [("delivered",)], 75)
    assert time.monotonic() - began < 65
    assert {call.headers["webhook-id"] for call in hook.calls} == {notice}
    assert len({call.body for call in hook.calls}) == 1
    assert len(hook.calls) == (2 if fault == "notice.sent" else 1)


def test_a_worker_killed_between_the_making_of_a_mail_and_its_sending_sends_the_same(
    service: Service, mails: MailServer
) -> None:
    service.serve()
    owner, _ = program(service)
    tell(service, owner)
    assert service.work(fault="notice.mail-kept").wait(timeout=30) == EXIT
    kept = outbox(service, "payload")[0][0]
    execute(service, "UPDATE ler.outbox SET taken_until = now()")
    service.work()
    eventually(lambda: len(mails.mails) == 1)
    assert mails.mails[0]["Message-ID"] in kept
    assert outbox(service, "payload")[0][0] == kept


def test_receivers_that_hang_or_fail_hold_up_nobody_else(service: Service, hook: Receiver) -> None:
    release = threading.Event()
    faults = {
        "/500": (500, {}, b""),
        "/302": (302, {"Location": hook.url("/secret")}, b""),
        "/429": (429, {"Retry-After": "1800"}, b""),
        "/large": (500, {}, b"x" * 20_000_000),
    }

    def answer(call: Any) -> tuple[int, dict[str, str], bytes]:  # noqa: ANN401 - Received
        if call.path == "/hangs":
            release.wait(20)
        return faults.get(call.path, (204, {}, b""))

    hook.answer = answer
    service.serve()
    bad, theirs = program(service)
    good, mine = program(service)
    for path in (*faults, "/hangs"):
        add(theirs, url=hook.url(path))
    add(theirs, url="http://127.0.0.1:9/closed")
    add(theirs, url=hook.url("/tls").replace("http:", "https:"))
    add(mine, url=hook.url("/good"))
    for _ in range(20):
        tell(service, bad, "owner.asked", quiet=True)
    wanted = {tell(service, good, "owner.asked", quiet=True) for _ in range(20)}
    service.work()
    try:
        began = time.monotonic()
        eventually(lambda: {c.headers["webhook-id"] for c in hook.calls if c.path == "/good"} >= wanted)
        assert time.monotonic() - began < 30
        eventually(lambda: len({fault for _, fault in outbox(service, "state, fault")} - {None}) >= 6)
    finally:
        release.set()
    assert not [call for call in hook.calls if call.path == "/secret"], "no redirect is followed"
    with service.world.database.connect() as connection:
        found = connection.execute(
            "SELECT DISTINCT split_part(address, '/', 4), fault FROM ler.outbox WHERE fault IS NOT NULL"
        ).fetchall()
        held = connection.execute(
            "SELECT hold_until > now() + interval '20 min' FROM ler.notice_endpoint WHERE address LIKE '%/429'"
        ).fetchone()
    assert {
        *(("500", "status"), ("302", "redirect"), ("429", "throttled"), ("large", "status")),
        *(("hangs", "timeout"), ("closed", "unreachable"), ("tls", "tls")),
    } <= set(found)
    assert held == (True,)
    assert len([call for call in hook.calls if call.path == "/429"]) <= 2, "it asked to be left alone"


def test_a_receiver_that_is_gone_is_disabled_and_told_by_mail(
    service: Service, hook: Receiver, mails: MailServer
) -> None:
    hook.answer = lambda _: (410, {}, b"")
    service.serve()
    service.work()
    owner, client = program(service)
    endpoint = add(client, url=hook.url())
    tell(service, owner, "owner.late", order_number=5)
    eventually(lambda: client.http.get(f"{PATH}/{endpoint['id']}").json()["state"] == "disabled")
    # The notice itself, which must not be lost, and that the receiver is gone.
    eventually(lambda: len(mails.mails) == 2)
    assert any("5" in mail["Subject"] for mail in mails.mails)
    tell(service, owner, "owner.asked", quiet=True)
    time.sleep(1)
    assert len(hook.calls) == 1


def test_a_receiver_that_has_failed_for_hours_is_paused_and_comes_back(
    service: Service, hook: Receiver, mails: MailServer
) -> None:
    hook.answer = lambda _: (500, {}, b"")
    service.serve()
    service.work()
    owner, client = program(service)
    endpoint = add(client, url=hook.url())
    notice = tell(service, owner, "owner.asked", quiet=True)
    eventually(lambda: len(hook.calls) == 1)
    eventually(lambda: outbox(service, "attempts, taken_until") == [(1, None)])
    execute(
        service, "UPDATE ler.notice_endpoint SET failures = 9, failing_since = now() - interval '7 hours'"
    )
    hurry(service)
    eventually(lambda: client.http.get(f"{PATH}/{endpoint['id']}").json()["state"] == "paused")
    eventually(lambda: len(mails.mails) == 1)
    with service.world.database.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM ler.outbox WHERE channel = 'webhook' AND next_try_at < now() + interval '1 s'"
        ).fetchone()
    assert row == (0,)
    hook.answer = lambda _: (200, {}, b"")
    hurry(service)
    eventually(lambda: client.http.get(f"{PATH}/{endpoint['id']}").json()["state"] == "active")
    assert hook.ids().count(notice) == 3


def test_what_no_webhook_took_four_times_goes_by_mail_too(
    service: Service, hook: Receiver, mails: MailServer
) -> None:
    hook.answer = lambda _: (500, {}, b"")
    service.serve()
    service.work()
    owner, client = program(service)
    add(client, url=hook.url())
    tell(service, owner, "owner.late", order_number=5)
    for tries in range(1, 5):
        eventually(lambda tries=tries: len(hook.calls) >= tries)  # type: ignore[misc]
        eventually(lambda: outbox(service, "taken_until")[0] == (None,))
        assert (len(mails.mails) == 0) or tries == 4
        hurry(service)
    eventually(lambda: len(mails.mails) == 1)


def test_a_mail_server_that_puts_off_is_tried_again_and_one_that_refuses_is_told_to_the_operator(
    service: Service, mails: MailServer
) -> None:
    mails.refusal = "451 try later"
    service.serve()
    service.work()
    owner, _ = program(service)
    tell(service, owner, "owner.late", order_number=1)
    eventually(lambda: outbox(service) == [("waiting", 1, "put-off")])
    mails.refusal = None
    hurry(service)
    eventually(lambda: len(mails.mails) == 1)
    mails.refusal = "550 no such user"
    tell(service, owner, "owner.late", order_number=2)
    eventually(lambda: ("failed", 1, "refused") in outbox(service))
    with service.world.database.connect() as connection:
        rows = connection.execute(
            "SELECT data->>'fault' FROM ler.notice WHERE audience_id = %s AND kind = 'notice.undelivered'",
            [PLATFORM_OPERATOR],
        ).fetchall()
    assert rows == [("refused",)]


def test_a_dead_queue_changes_nothing(service: Service, hook: Receiver) -> None:
    service.serve()
    owner, client = program(service)
    add(client, url=hook.url())
    execute(service, "ALTER TABLE queue.procrastinate_jobs RENAME TO away")
    service.work()
    notice = tell(service, owner)
    eventually(lambda: notice in hook.ids())


def test_a_lost_database_is_waited_for(service: Service, hook: Receiver) -> None:
    service.serve()
    service.work()
    owner, client = program(service)
    add(client, url=hook.url())
    eventually(lambda: len(outbox(service)) == 0)
    execute(
        service,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    notice = tell(service, owner)
    eventually(lambda: notice in hook.ids())


def test_two_workers_send_each_notice_once(service: Service, hook: Receiver) -> None:
    service.serve()
    owner, client = program(service)
    add(client, url=hook.url())
    wanted = [tell(service, owner, "owner.asked", quiet=True) for _ in range(30)]
    service.work()
    service.work()
    eventually(lambda: {state for (state,) in outbox(service, "state")} == {"delivered"})
    assert sorted(hook.ids()) == sorted(wanted)


def test_a_name_that_turns_inwards_later_is_not_followed(database: Database, tmp_path: Path) -> None:
    """Registered while it led into the world; judged again each time something is sent."""
    with ExitStack() as stack:
        hook = stack.enter_context(receiver())
        world = stack.enter_context(open_world(database))
        service = stack.enter_context(open_service(world, tmp_path, LER_NOTICE_POLL_S="0.1"))
        owner = service.owner()
        with world.database.connect() as connection:
            connection.execute(
                "INSERT INTO ler.notice_endpoint (organisation_id, channel, address, secret)"
                " VALUES (%s, 'webhook', %s, 'whsec_c2VjcmV0')",
                [owner, f"http://localhost:{hook.port}/hook"],
            )
        service.work()
        tell(service, owner)
        eventually(lambda: ("waiting", 1, "webhook-target") in outbox(service))
        assert hook.calls == []


def test_an_address_of_mail_gets_its_code_and_then_what_it_wants(service: Service, mails: MailServer) -> None:
    service.serve()
    service.work()
    owner, client = program(service)
    endpoint = add(client, email="somebody@example.dk", language="en", kinds=["owner.*"])
    eventually(lambda: len(mails.to("somebody@example.dk")) == 1)
    code = mails.mails[0]["Subject"].rpartition(" ")[2]
    wrong = client.http.post(f"{PATH}/{endpoint['id']}/confirm", json={"code": "WRONG"})
    assert wrong.status_code == 400
    right = client.http.post(f"{PATH}/{endpoint['id']}/confirm", json={"code": code})
    assert right.json()["state"] == "active"
    due = datetime(2026, 12, 1, 9, 0, tzinfo=UTC).isoformat()
    tell(service, owner, "owner.late", order_number=8, due_at=due)
    tell(service, owner, "upload.published")
    eventually(lambda: len(mails.mails) == 2)
    assert "Do not dig" in mails.mails[1]["Subject"]
    body = mails.mails[1].get_body(("plain",))
    assert body is not None
    assert "1 December 2026 at 10:00" in body.get_content()
