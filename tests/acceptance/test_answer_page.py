"""An owner without a system answers on the page behind its link: in both languages, without a script, once."""

import html
import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from lxml import etree

from ler.db.engine import transaction
from ler.services.answer_links import make_answer_link
from ler.services.answers import AnswerRevision, get_asked, list_revisions
from tests.acceptance.guard_rows.answers import ask_owner
from tests.acceptance.test_owner_answers import gml
from tests.service import Service, execute

type Files = list[tuple[str, tuple[str, bytes]]]


@pytest.fixture
def owner(service: Service) -> UUID:
    return service.owner()


def link(service: Service, owner: UUID, asked: dict[str, str]) -> str:
    with transaction(service.world.databases.app, owner) as connection:
        return make_answer_link(connection, UUID(asked["owner_request_id"]), timedelta(hours=1))


def revisions(service: Service, owner: UUID, asked: dict[str, str]) -> list[AnswerRevision]:
    with transaction(service.world.databases.app, owner) as connection:
        return list_revisions(connection, get_asked(connection, UUID(asked["owner_request_id"])))


def get(service: Service, path: str, language: str = "da") -> httpx.Response:
    return httpx.get(f"{service.url}{path}", headers={"Accept-Language": language})


def post(service: Service, path: str, fields: dict[str, Any], files: Files | None = None) -> httpx.Response:
    """Send the form as a browser does: a field in which no file was chosen is a file without name and content."""
    sent = files or [("gml", ("", b"")), ("attachment", ("", b""))]
    parts = [(f'name="{name}"', str(value).encode()) for name, value in fields.items()]
    parts += [(f'name="{name}"; filename="{file}"', content) for name, (file, content) in sent]
    body = b"".join(
        b"--limit\r\nContent-Disposition: form-data; " + header.encode() + b"\r\n\r\n" + content + b"\r\n"
        for header, content in parts
    )
    headers = {"Accept-Language": "da", "Content-Type": "multipart/form-data; boundary=limit"}
    return httpx.post(f"{service.url}{path}", content=body + b"--limit--\r\n", headers=headers)


def told(page: httpx.Response) -> list[str]:
    """The faults that a page tells."""
    found = re.search(r'class="faults">(.*?)</section>', page.text, re.DOTALL)
    return (
        [html.unescape(one) for one in re.findall(r">([^<>]+)<", found[1]) if one.strip()][1:]
        if found
        else []
    )


def test_the_page_tells_what_is_asked_in_the_readers_language(service: Service, owner: UUID) -> None:
    asked = ask_owner(service, owner)
    path = link(service, owner, asked)
    danish, english = get(service, path), get(service, path, "en")
    assert (danish.status_code, english.status_code) == (200, 200)
    assert 'lang="da"' in danish.text
    assert "Svarfrist" in danish.text
    assert "Answer by" in english.text
    assert "Answer by" in get(service, f"{path}?language=en").text
    assert danish.headers["Cache-Control"] == "no-store"
    assert danish.headers["Referrer-Policy"] == "no-referrer"
    assert "script" not in danish.headers["Content-Security-Policy"]
    assert "<script" not in danish.text
    area = get(service, f"{path}/area").json()
    assert area["features"][0]["geometry"]["type"] == "Polygon"
    # Looking is not fetching: mail programs follow links.
    with transaction(service.world.databases.app, owner) as connection:
        assert get_asked(connection, UUID(asked["owner_request_id"])).acknowledged_at is None


def test_the_page_is_whole_and_each_field_has_its_label(service: Service, owner: UUID) -> None:
    page = get(service, link(service, owner, ask_owner(service, owner)))
    tree = etree.HTML(page.text)
    assert tree.xpath("string(/html/@lang)") == "da"
    assert len(tree.xpath("//h1")) == 1
    labelled = {*tree.xpath("//label/@for")}
    fields = tree.xpath("//input[not(@type='hidden')]|//textarea")
    assert len(fields) > 12
    for field in fields:
        assert field.get("id") in labelled, field.get("name")
        for described in (field.get("aria-describedby") or "").split():
            assert tree.xpath(f"//*[@id='{described}']")
    identifiers = tree.xpath("//@id")
    assert len(identifiers) == len({*identifiers})
    assert tree.xpath("//fieldset[not(legend)]") == []


def test_an_owner_answers_sees_it_and_corrects(service: Service, owner: UUID) -> None:
    asked = ask_owner(service, owner)
    path = link(service, owner, asked)
    sent = post(service, path, {"type": "NO_LINES", "revision": "0"})
    assert (sent.status_code, sent.headers["Location"]) == (303, path)
    page = get(service, path)
    assert "Svaret er modtaget" in page.text
    assert "Ret dit svar" in page.text
    (first,) = revisions(service, owner, asked)
    assert (first.type.name, first.given_by) == ("NO_LINES", "owner")

    twice = post(service, path, {"type": "NO_LINES", "revision": "0"})
    assert (twice.status_code, told(twice)) == (
        422,
        ["Der er svaret i mellemtiden. Se svaret, og ret det om nødvendigt."],
    )
    corrected = post(
        service,
        path,
        {
            "type": "SITE_MARKING",
            "revision": "1",
            "further_information": "Ring\r\nførst",
            "starts_at": "2099-12-01T09:00",
            "ends_at": "2099-12-01T10:00",
            "place": "Ved pumpen",
            "meeting_contact": "Bo",
            "name": "Bo",
            "phone": "12345678",
            "valid_until": "2099-12-31",
        },
    )
    assert corrected.status_code == 303, told(corrected)
    newest, _ = revisions(service, owner, asked)
    assert (newest.revision, newest.further_information) == (2, "Ring\nførst")
    with transaction(service.world.databases.app, owner) as connection:
        met = get_asked(connection, UUID(asked["owner_request_id"])).appointment
    assert met is not None
    assert (met.starts_at.isoformat(), met.place) == ("2099-12-01T08:00:00+00:00", "Ved pumpen")
    stale = post(service, path, {"type": "NO_LINES", "revision": "1"})
    assert stale.status_code == 422
    assert len(revisions(service, owner, asked)) == 2


def test_an_owner_sends_lines_and_a_plan(service: Service, owner: UUID) -> None:
    addresses = [uuid4(), uuid4()]
    asked = ask_owner(service, owner, address_ids=addresses)
    path = link(service, owner, asked)
    fields = [f"sketch-{one}" for one in addresses]
    assert all(f'name="{field}"' in get(service, path).text for field in fields)
    files = [
        *[("gml", ("net.gml", gml(owner))), ("attachment", ("plan.pdf", b"%PDF-1.7"))],
        *[(fields[0], ("stik.pdf", b"%PDF-1.7")), (fields[1], ("", b""))],
    ]
    sent = post(service, path, {"type": "DELIVERED", "revision": "0"}, files)
    assert sent.status_code == 303, told(sent)
    (one,) = revisions(service, owner, asked)
    assert (one.feature_count, one.attachments) == (1, ("plan.pdf", "stik.pdf"))
    assert one.addresses == {"stik.pdf": addresses[0]}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "type"),
        ({"type": "else"}, "type"),
        ({"type": "DELIVERED"}, "gml"),
        ({"type": "WITHHELD"}, "further_information"),
        ({"type": "NO_LINES", "expected_time": "2099-12-01T09:00"}, "expected_time"),
        ({"type": "MANUAL", "expected_time": "2001-12-01T09:00"}, "expected_time"),
        ({"type": "SITE_MARKING", "starts_at": "2099-12-01T09:00"}, "ends_at"),
        ({"type": "NO_LINES", "phone": "1"}, "name"),
        ({"type": "NO_LINES", "valid_until": "snart"}, "valid_until"),
    ],
)
def test_what_is_wrong_is_told_beside_what_was_filled_in(
    service: Service, owner: UUID, fields: dict[str, str], field: str
) -> None:
    asked = ask_owner(service, owner)
    page = post(service, link(service, owner, asked), {"revision": "0"} | fields)
    assert page.status_code == 422
    tree = etree.HTML(page.text)
    assert f"#{field}" in tree.xpath("//*[@role='alert']//a/@href"), told(page)
    assert tree.xpath(f"//*[@id='{field}']"), "the link leads somewhere"
    assert revisions(service, owner, asked) == []


def test_what_was_filled_in_is_kept_and_is_text(service: Service, owner: UUID) -> None:
    fields = {"type": "WITHHELD", "place": "<b>Æ</b>", "name": '"><script>', "revision": "0"}
    page = post(service, link(service, owner, ask_owner(service, owner)), fields)
    tree = etree.HTML(page.text)
    assert tree.xpath("string(//*[@id='place']/@value)") == "<b>Æ</b>"
    assert tree.xpath("string(//*[@id='name']/@value)") == '"><script>'
    assert tree.xpath("string(//input[@checked]/@value)") == "WITHHELD"
    assert tree.xpath("//script|//b") == []
    assert "Feltet skal udfyldes." in told(page)[0]


def test_faults_of_a_file_are_told_on_the_page(service: Service, owner: UUID) -> None:
    asked = ask_owner(service, owner)
    faulty = gml(owner).replace(b"cirkul\xc3\xa6r", b"rund")
    page = post(
        service,
        link(service, owner, asked),
        {"type": "DELIVERED", "revision": "0"},
        [("gml", ("a.gml", faulty))],
    )
    assert page.status_code == 422
    assert any("rund" in one for one in told(page))


def test_links_that_are_not_valid_are_told_alike(service: Service, owner: UUID) -> None:
    asked = ask_owner(service, owner)
    path = link(service, owner, asked)
    changed = path[:-1] + ("A" if path[-1] != "A" else "B")
    execute(
        service,
        "UPDATE ler.answer_link SET created_at = now() - interval '2 hours', expires_at = now() - interval '1 hour'"
        " WHERE owner_request_id = %s",
        asked["owner_request_id"],
    )
    wrong = (path, changed, "/answer/x", f"/answer/{'a' * 43}")
    answers = [get(service, address + suffix) for address in wrong for suffix in ("", "/area")]
    answers += [post(service, address, {"type": "NO_LINES", "revision": "0"}) for address in wrong]
    for one in answers:
        assert (one.status_code, one.json()["type"]) == (404, "/problems/link-invalid")
    assert revisions(service, owner, asked) == []


def test_a_request_that_is_over_takes_no_answer(service: Service, owner: UUID) -> None:
    asked = ask_owner(service, owner)
    path = link(service, owner, asked)
    execute(service, "UPDATE ler.owner_request SET state = 'ended' WHERE id = %s", asked["owner_request_id"])
    page = get(service, path)
    assert (page.status_code, "<form" in page.text) == (200, False)
    assert post(service, path, {"type": "NO_LINES", "revision": "0"}).status_code == 422


def test_the_secret_is_in_no_log_and_in_no_row(service: Service, owner: UUID) -> None:
    path = link(service, owner, ask_owner(service, owner))
    get(service, path)
    secret = path.rpartition("/")[2]
    assert not any(secret in line for line in service.said())
    assert any('"path": "/answer/..."' in line for line in service.said())
    with service.world.database.connect() as connection:
        rows = connection.execute("SELECT to_jsonb(l)::text FROM ler.answer_link AS l").fetchall()
    assert not any(secret in row[0] for row in rows)
