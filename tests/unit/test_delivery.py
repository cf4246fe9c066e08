"""How often notices are tried, where webhooks may go, what notices say."""

import socket
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from geoapi.delivery.mails import Link, make_mail
from geoapi.delivery.targets import all_public, check_target
from geoapi.delivery.texts import told_kinds, words_of
from geoapi.delivery.webhooks import new_secret, signed_headers
from ler.domain.delivery import PAUSES, Channel, pause_after
from ler.errors import RefusedError
from ler.services.outbox import Outgoing
from ler.settings import Settings

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ID = UUID(int=7)


def outgoing(kind: str = "owner.asked", **more: object) -> Outgoing:
    values: dict[str, object] = {
        "id": ID,
        "attempt": 1,
        "channel": Channel.WEBHOOK,
        "address": "https://example.org/hook",
        "language": "da",
        "payload": '{"type":"owner.asked"}',
        "secret": None,
        "old_secret": None,
        "code": None,
        "notice_id": ID,
        "kind": kind,
        "at": AT,
        "organisation_id": ID,
        "request_id": ID,
        "owner_id": ID,
        "data": {},
    }
    return Outgoing(**{**values, **more})  # type: ignore[arg-type]


def test_ten_tries_fall_into_the_two_hours_of_the_clock() -> None:
    at, tries = timedelta(0), 1
    while (at := at + pause_after(tries)) <= timedelta(hours=2):
        tries += 1
    assert tries >= 9
    assert pause_after(1) == timedelta(seconds=5)
    assert pause_after(500) == PAUSES[-1]


def test_what_failed_together_does_not_come_together_and_a_wish_to_wait_is_heard() -> None:
    assert pause_after(3, chance=0.0) < pause_after(3, chance=1.0)
    assert pause_after(1, hold=timedelta(minutes=7)) == timedelta(minutes=7)
    assert pause_after(1, hold=timedelta(days=7)) == timedelta(hours=1)
    assert pause_after(8, hold=timedelta(seconds=1)) == PAUSES[-1]


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),  # noqa: S104
        *("224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1"),
        *("fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"),
        *("2001:0:7f00:1::", "2001:db8::1", "fe80::1%eth0", "not an address"),
    ],
)
def test_no_neighbour_is_out_in_the_world(address: str) -> None:
    assert not all_public([address])
    assert not all_public(["93.184.216.34", address]), "one of several is enough"


def test_out_in_the_world() -> None:
    assert all_public(["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
    assert not all_public([])


@pytest.mark.parametrize(
    "address",
    [
        "http://93.184.216.34/x",
        "https://127.0.0.1/x",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://[::1]/x",
        "https://localhost/x",
        "https://169.254.169.254/latest/meta-data",
        "https://user:secret@93.184.216.34/",
        "https://93.184.216.34/#part",
        "https://93.184.216.34/ x",
        "https://93.184.216.34/\\x",
        "https:///x",
        "ftp://93.184.216.34/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:5432/",
        "https://93.184.216.34:99999/",
        "https://[::1",
        "https://ærø.example/",
        "x",
        "https://93.184.216.34/" + "x" * 2000,
    ],
)
def test_an_address_that_leads_inwards_is_refused(address: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check_target(address, loopback=False)
    assert refused.value.code == "webhook-target"


def test_a_name_is_judged_by_all_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {
        "good.example": ["93.184.216.34"],
        "mixed.example": ["93.184.216.34", "10.0.0.1"],
        "gone.example": [],
    }

    def resolve(host: str, port: int, **_: object) -> list[object]:
        if not names[host]:
            raise socket.gaierror
        return [(0, 0, 0, "", (address, port)) for address in names[host]]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    check_target("https://good.example/hook", loopback=False)
    for host in ("mixed.example", "gone.example"):
        with pytest.raises(RefusedError):
            check_target(f"https://{host}/hook", loopback=False)


def test_a_receiver_verifies_by_the_standards_own_library_and_refuses_a_forgery() -> None:
    now = datetime.now(UTC)
    old, new = new_secret(), new_secret()
    sent = outgoing(secret=new, old_secret=old)
    headers = signed_headers(sent, now)
    body = sent.payload or ""
    for secret in (old, new):
        Webhook(secret).verify(body, headers)
    forgeries = [
        (new_secret(), body, headers),
        (new, body + " ", headers),
        (new, body, headers | {"webhook-id": "msg_x"}),
        (new, body, signed_headers(sent, now - timedelta(minutes=10))),
        (new, body, signed_headers(sent, now + timedelta(minutes=10))),
    ]
    for secret, content, given in forgeries:
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(content, given)


KINDS = sorted(told_kinds())


@pytest.mark.parametrize("kind", [*KINDS, "something.new"])
@pytest.mark.parametrize("language", ["da", "en"])
def test_every_notice_has_words_in_both_languages_whatever_it_says(kind: str, language: str) -> None:
    for data in (
        {},
        {
            "order_number": 12,
            "due_at": "2026-11-24T12:00:00+00:00",
            "owner_name": "Nordby Net",
            "percent": 50,
        },
    ):
        words = words_of(kind, data, "da" if language == "da" else "en", code="ABC")
        assert words.subject
        assert words.happened
        assert words.to_do
        assert "{" not in words.subject + words.happened + words.to_do


def test_a_partial_package_says_do_not_dig() -> None:
    words = words_of("package.ready", {"order_number": 12, "owners_missing": 2, "revision": 1}, "en")
    assert words.subject == "Do not dig yet: 2 owners are missing (12)"
    assert (
        words_of("package.ready", {"order_number": 12, "revision": 3}, "da").subject
        == "Ledningspakken er klar (12)"
    )


def test_due_times_are_told_in_legal_time() -> None:
    words = words_of("owner.asked", {"order_number": 1, "due_at": "2026-07-24T12:05:00+00:00"}, "da")
    assert words.subject == "Graveforespørgsel 1: svar senest 24. juli 2026 kl. 14.05"


def test_a_mail_escapes_what_it_tells_and_keeps_its_head_in_one_line() -> None:
    data = {"order_number": 1, "owner_name": "<script>x</script>\r\nBcc: all@example.dk"}
    mail = make_mail(
        outgoing("owner.late", channel=Channel.EMAIL, address="a@example.dk", payload=None, data=data),
        [Link("Request", "https://example.dk/?a=1&b=2")],
        Settings(mail_from="ler@example.dk"),
    )
    from email import message_from_string, policy  # noqa: PLC0415 - used here alone

    read = message_from_string(mail, policy=policy.default)
    assert read["Bcc"] is None
    assert "\n" not in read["Subject"]
    html = read.get_body(("html",))
    plain = read.get_body(("plain",))
    assert html is not None
    assert plain is not None
    assert "<script>" not in html.get_content()
    assert "&lt;script&gt;" in html.get_content()
    assert "a=1&amp;b=2" in html.get_content()
    assert "<script>" in plain.get_content()
    assert read["Message-ID"] == f"<{ID}@example.dk>"
    assert read["Auto-Submitted"] == "auto-generated"
