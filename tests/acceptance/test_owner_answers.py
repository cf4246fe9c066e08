"""Owners fetch what they are asked and answer it over HTTP, with LER GML and other files."""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import shapely

from ler.blobs import FolderStore
from ler.db.engine import transaction
from ler.domain.access import Scope
from ler.packages.content import OwnerStatus
from ler.packages.package import write_consolidated_package, write_owner_package
from ler.services.deliveries import list_owner_statuses
from ler.services.requests import get_request
from tests.acceptance.guard_rows.answers import MEETING, NO_LINES, PATH, ask_owner, place
from tests.answers import CRS, HEADER, answer
from tests.service import Service, execute, stored
from tests.world import manifest, unpack

PDF = b"%PDF-1.7 a plan"


@pytest.fixture
def owner(service: Service) -> UUID:
    return service.owner()


@pytest.fixture
def http(service: Service, owner: UUID) -> httpx.Client:
    return service.client(service.token(owner)).http


def pipe(owner: UUID, gml_id: str, *offsets: tuple[float, float], more: str = "") -> str:
    """A pipe at a place from the corner of the owner's area, as a member."""
    east, north = place(owner)
    positions = " ".join(f"{east + x} {north + y} 1.5" for x, y in offsets)
    return f"""<ler:ledningMember><ler:Vandledning gml:id="{gml_id}">
<ler:driftsstatus>i drift</ler:driftsstatus>
<ler:etableringstidspunkt>1978-05</ler:etableringstidspunkt>
<ler:fareklasse>ikke farlig</ler:fareklasse>
<ler:noejagtighedsklasse>&lt;= 0.25 m</ler:noejagtighedsklasse>
<ler:noejagtighedsklasseVertikal xsi:nil="true" nilReason="unknown"/>
{more}
<ler:geometri><gml:LineString gml:id="g-{gml_id}" srsName="{CRS}" srsDimension="3"><gml:posList>{positions}</gml:posList></gml:LineString></ler:geometri>
<ler:udvendigDiameter uom="mm">110</ler:udvendigDiameter>
<ler:tvaersnitsform>cirkulær</ler:tvaersnitsform>
</ler:Vandledning></ler:ledningMember>"""


def gml(owner: UUID, *members: str, header: str = HEADER) -> bytes:
    return answer(*(members or (pipe(owner, "p", (1, 1), (5, 5)),)), header=header).encode()


def post(
    http: httpx.Client,
    asked: dict[str, str],
    body: dict[str, Any] | None = None,
    *,
    key: str = "",
    files: list[tuple[str, tuple[str, bytes]]] | None = None,
) -> httpx.Response:
    """Send an answer: as JSON, or as a form when there are files."""
    path = f"{PATH}/{asked['owner_request_id']}/answers"
    headers = {"Idempotency-Key": key or uuid4().hex}
    if files is None:
        return http.post(path, json=body, headers=headers)
    data = {"answer": json.dumps(body)} if body is not None else {}
    return http.post(path, data=data, files=files, headers=headers)


def statuses(service: Service, asked: dict[str, str]) -> list[OwnerStatus]:
    request = UUID(asked["request_id"])
    store = FolderStore(service.blobs)
    with transaction(service.world.databases.worker, None, request) as connection:
        return list_owner_statuses(connection, request, store)


def test_an_owner_fetches_answers_and_corrects(service: Service, owner: UUID, http: httpx.Client) -> None:
    asked = ask_owner(service, owner)
    (one,) = http.get(PATH, params={"state": "open"}).json()["owner_requests"]
    assert (one["id"], one["state"], one["owes_answer"]) == (asked["owner_request_id"], "asked", True)
    assert shapely.geometry.shape(one["request"]["area"]).area == 100
    assert one["requester"]["name"]
    path = one["links"]["self"]
    assert [http.post(f"{path}/acknowledge").json()["state"] for _ in range(2)] == ["acknowledged"] * 2
    first = post(http, asked, NO_LINES)
    assert first.status_code == 201
    assert first.json()["state"] == "answered"
    again = post(http, asked, NO_LINES)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/answer-already-delivered")
    update = {
        "type": "ledningsoplysninger udleveres ikke",
        "update": True,
        "further_information": "Ring først",
        "contact": {"name": "Vagten", "phone": "12345678"},
        "valid_until": "2099-01-31",
    }
    corrected = post(http, asked, update)
    assert (corrected.status_code, corrected.json()["revision"]) == (201, 2)
    revisions = http.get(f"{path}/answers").json()["answers"]
    assert [(one["revision"], one["holds"], one["type"]) for one in revisions] == [
        (2, True, "ledningsoplysninger udleveres ikke"),
        (1, False, "ingen ledninger i graveområde"),
    ]
    assert http.get(PATH, params={"state": "open"}).json() == {"owner_requests": []}
    taken_back = http.post(f"{path}/withdraw", json={"reason": "forkert"})
    assert (taken_back.status_code, taken_back.json()["state"]) == (200, "withdrawn")
    assert http.post(f"{path}/withdraw", json={}).json()["type"] == "/problems/event-not-possible"


def test_a_gml_answer_is_checked_clipped_and_delivered_with_its_files(
    service: Service, owner: UUID, http: httpx.Client, tmp_path: Path
) -> None:
    asked = ask_owner(service, owner)
    attachment = (
        '<ler:bilagMember><ler:Informationsressource gml:id="doc"><dcterms:title>Plan</dcterms:title>'
        '<ler:format type="application/pdf">PDF</ler:format><ler:sti>planer/plan.pdf</ler:sti>'
        "</ler:Informationsressource></ler:bilagMember>"
    )
    content = gml(
        owner,
        pipe(owner, "inside", (1, 1), (5, 5)),
        pipe(owner, "crossing", (5, 5), (15, 5)),
        pipe(owner, "outside", (20, 20), (25, 25)),
        attachment,
    )
    files = [
        ("gml", ("svar.gml", content)),
        ("attachment", ("plan.pdf", PDF)),
        ("attachment", ("snit.dxf", b"0\nEOF\n")),
    ]
    missing = post(http, asked, files=files[:1])
    assert (missing.status_code, missing.json()["errors"][0]["code"]) == (422, "attachment-missing")
    given = post(http, asked, {"valid_until": "2099-01-31"}, files=files)
    assert given.status_code == 201, given.text
    told = given.json()
    assert (told["feature_count"], told["clipped"], told["outside"]) == (3, 1, 1)
    assert {one["code"] for one in told["warnings"]} >= {"answer-clipped", "answer-outside"}

    (status,) = statuses(service, asked)
    (delivery,) = status.deliveries
    assert delivery.source_sha256 == hashlib.sha256(content).hexdigest()
    assert [one.path for one in delivery.attachments] == ["planer/plan.pdf", "snit.dxf"]
    request = UUID(asked["request_id"])
    with transaction(service.world.databases.worker, None, request) as connection:
        info = get_request(connection, request)
    package = write_owner_package(tmp_path, info, status)
    members = unpack(package.path, tmp_path / "members")
    assert members["planer/plan.pdf"].read_bytes() == PDF
    assert b"outside" not in members["ledningsoplysninger.gml"].read_bytes()
    assert b"2099-01-31" in members["ledningsoplysninger.gml"].read_bytes()
    whole = write_consolidated_package(tmp_path / "whole", info, [status])
    (place,) = [name for name in unpack(whole.path, tmp_path / "all") if name.endswith("/plan.pdf")]
    assert place.startswith(f"{status.cvr}-")
    assert place.endswith("/planer/plan.pdf")
    (entry,) = manifest(whole.path)["owners"]
    assert (entry["answered"], entry["answers"][0]["given_by"]) == (True, "owner")
    assert [one["missing"] for one in entry["attachments"]] == [None, None]


def test_a_sketch_is_of_an_address_of_the_request(service: Service, owner: UUID, http: httpx.Client) -> None:
    address = uuid4()
    asked = ask_owner(service, owner, address_ids=[address])
    assert http.get(f"{PATH}/{asked['owner_request_id']}").json()["request"]["address_ids"] == [str(address)]
    files = [("attachment", ("stik.pdf", PDF)), ("attachment", ("plan.pdf", PDF))]

    def give(names: dict[str, str]) -> httpx.Response:
        return post(http, asked, NO_LINES | {"attachment_addresses": names}, files=files)

    for names, code in (
        ({"stik.pdf": str(uuid4())}, "address-unknown"),
        ({"skitse.pdf": str(address)}, "attachment-unsent"),
    ):
        refused = give(names)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, code)
    assert give({"stik.pdf": "Torvet 1"}).status_code == 400
    assert give({"stik.pdf": str(address)}).status_code == 201
    (given,) = http.get(f"{PATH}/{asked['owner_request_id']}/answers").json()["answers"]
    assert given["attachment_addresses"] == {"stik.pdf": str(address)}
    (delivery,) = statuses(service, asked)[0].deliveries
    assert [(one.path, one.address_id) for one in delivery.attachments] == [
        ("plan.pdf", None),
        ("stik.pdf", address),
    ]


def test_a_lost_attachment_is_told_in_words(
    service: Service, owner: UUID, http: httpx.Client, tmp_path: Path
) -> None:
    asked = ask_owner(service, owner)
    body = PDF + owner.bytes
    assert post(http, asked, NO_LINES, files=[("attachment", ("a.pdf", body))]).status_code == 201
    FolderStore(service.blobs).delete(hashlib.sha256(body).hexdigest())
    request = UUID(asked["request_id"])
    with transaction(service.world.databases.worker, None, request) as connection:
        info = get_request(connection, request)
    package = write_consolidated_package(tmp_path, info, statuses(service, asked))
    (entry,) = manifest(package.path)["owners"]
    assert entry["attachments"][0]["missing"]["code"] == "attachment-file-lost"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: text.replace("&lt;= 0.25 m", "omtrent"), "attribute-code"),
        (lambda text: text.replace("</ler:Graveforespoergselssvar>", ""), "xml-not-well-formed"),
        (lambda text: text.replace("?>", "?><!DOCTYPE a>", 1), "xml-doctype-forbidden"),
    ],
)
def test_a_file_with_faults_is_refused_whole(
    service: Service, owner: UUID, http: httpx.Client, change: Callable[[str], str], code: str
) -> None:
    asked = ask_owner(service, owner)
    before = stored(service)
    content = change(gml(owner).decode()).encode()
    refused = post(http, asked, files=[("gml", ("a.gml", content))])
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/answer-refused")
    assert code in {one["code"] for one in refused.json()["errors"]}
    assert stored(service) == before


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (("../plan.pdf", PDF), "attachment-path"),
        (("/etc/plan.pdf", PDF), "attachment-path"),
        (("a\\plan.pdf", PDF), "attachment-path"),
        (("plan.exe", b"MZ"), "attachment-type"),
        (("plan.pdf", b"MZ a program"), "attachment-content"),
        (("plan.pdf", b""), "attachment-empty"),
        (("plan", PDF), "attachment-type"),
    ],
)
def test_files_that_may_not_be_attached(
    service: Service, owner: UUID, http: httpx.Client, file: tuple[str, bytes], code: str
) -> None:
    asked = ask_owner(service, owner)
    refused = post(http, asked, NO_LINES, files=[("attachment", file)])
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, code), refused.text
    assert http.get(f"{PATH}/{asked['owner_request_id']}/answers").json() == {"answers": []}


def test_two_files_of_one_name_are_refused(service: Service, owner: UUID, http: httpx.Client) -> None:
    asked = ask_owner(service, owner)
    twice = [("attachment", ("a.pdf", PDF)), ("attachment", ("A.PDF", PDF))]
    refused = post(http, asked, NO_LINES, files=twice)
    assert refused.json()["errors"][0]["code"] == "attachment-duplicate"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"type": "nej"}, 400),
        ({"type": "ledningsoplysninger udleveret"}, 422),
        ({"type": "ledningsoplysninger udleveres ikke"}, 422),
        (NO_LINES | {"expected_time": "2099-01-01T10:00:00+01:00"}, 422),
        (NO_LINES | {"expected_time": "2099-01-01T10:00:00"}, 400),
        (NO_LINES | {"expected_time": 4070908800}, 400),
        (NO_LINES | {"valid_until": "2099-01"}, 400),
        (NO_LINES | {"appointment": MEETING}, 422),
        (NO_LINES | {"further_information": "x" * 4001}, 400),
        (NO_LINES | {"further_information": "\0"}, 400),
        (NO_LINES | {"contact": {"name": "x"}}, 422),
        (NO_LINES | {"secret": 1}, 400),
        (NO_LINES | {"update": 1}, 400),
    ],
)
def test_fields_that_cannot_be_are_refused(
    service: Service, owner: UUID, http: httpx.Client, body: dict[str, Any], status: int
) -> None:
    asked = ask_owner(service, owner)
    assert post(http, asked, body).status_code == status
    assert http.get(f"{PATH}/{asked['owner_request_id']}").json()["state"] == "asked"


def test_forms_that_cannot_be_are_refused(service: Service, owner: UUID, http: httpx.Client) -> None:
    asked = ask_owner(service, owner)
    content = gml(owner)
    for files, body in (
        ([("gml", ("a.gml", content)), ("gml", ("b.gml", content))], None),
        ([("else", ("a.gml", content))], NO_LINES),
        ([("answer", ("a.json", b"{}"))], None),
    ):
        refused = post(http, asked, body, files=files)
        assert (refused.status_code, refused.json()["type"]) == (400, "/problems/form-invalid")
    differs = post(http, asked, NO_LINES, files=[("gml", ("a.gml", content))])
    assert differs.json()["type"] == "/problems/answer-type-differs"
    other = gml(owner, header=f'<gml:identifier codeSpace="CVR">87654321</gml:identifier>{HEADER}')
    mismatch = post(http, asked, files=[("gml", ("a.gml", other))])
    assert (mismatch.status_code, mismatch.json()["type"]) == (403, "/problems/owner-mismatch")
    path = f"{PATH}/{asked['owner_request_id']}/answers"
    broken = http.post(
        path,
        content=b"--x\r\nnonsense",
        headers={"Content-Type": "multipart/form-data; boundary=x", "Idempotency-Key": "b"},
    )
    assert broken.status_code in {400, 422}
    many = [("attachment", (f"{number}.pdf", PDF)) for number in range(60)]
    assert post(http, asked, NO_LINES, files=many).status_code in {400, 422}


def test_a_call_that_is_repeated_is_done_once(service: Service, owner: UUID, http: httpx.Client) -> None:
    asked = ask_owner(service, owner)
    files = [("gml", ("a.gml", gml(owner))), ("attachment", ("a.pdf", PDF))]
    first, second = (post(http, asked, key="the-same", files=files) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert first.json() == second.json()
    other = post(http, asked, NO_LINES | {"update": True}, key="the-same")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert len(http.get(f"{PATH}/{asked['owner_request_id']}/answers").json()["answers"]) == 1
    without = http.post(f"{PATH}/{asked['owner_request_id']}/answers", json=NO_LINES)
    assert without.json()["type"] == "/problems/idempotency-key-invalid"


def test_of_first_answers_at_the_last_second_one_counts(
    service: Service, owner: UUID, http: httpx.Client
) -> None:
    asked = ask_owner(service, owner)
    execute(
        service,
        "UPDATE ler.owner_request SET received_at = now() - interval '1 day', due_at = now() + interval '1 second'"
        " WHERE id = %s",
        asked["owner_request_id"],
    )
    with ThreadPoolExecutor(4) as threads:
        told = [*threads.map(lambda _: post(http, asked, NO_LINES), range(4))]
    assert sorted(one.status_code for one in told) == [201, 409, 409, 409]
    assert {one.json().get("type") for one in told if one.status_code == 409} == {
        "/problems/answer-already-delivered"
    }


def test_an_answer_after_its_time_is_kept_and_marked(
    service: Service, owner: UUID, http: httpx.Client
) -> None:
    asked = ask_owner(service, owner)
    execute(
        service,
        "UPDATE ler.owner_request SET received_at = now() - interval '1 day', due_at = now() - interval '1 second'"
        " WHERE id = %s",
        asked["owner_request_id"],
    )
    given = post(http, asked, NO_LINES)
    assert (given.status_code, given.json()["late"]) == (201, True)
    assert [one["code"] for one in given.json()["warnings"]] == ["answer-late"]
    assert http.get(f"{PATH}/{asked['owner_request_id']}").json()["late"] is True
    (status,) = statuses(service, asked)
    assert (status.answered, status.areas[0].late) == (True, True)


def test_lines_are_pointed_out_by_appointment_and_asked_for_again(
    service: Service, owner: UUID, http: httpx.Client
) -> None:
    digger = service.owner()
    asked = ask_owner(service, owner, digger)
    path = f"{PATH}/{asked['owner_request_id']}"
    kind = "udtaget til påvisning - ledningsoplysninger udleveres ikke"
    assert post(http, asked, {"type": kind}).json()["state"] == "to-be-marked"
    met = http.put(f"{path}/appointment", json=MEETING)
    assert (met.status_code, met.json()["appointment"]["place"]) == (200, "x")
    assert (
        http.put(f"{path}/appointment", json=MEETING | {"ends_at": MEETING["starts_at"]}).status_code == 422
    )
    assert http.post(f"{path}/mark", json={"note": "pæle"}).json()["state"] == "marked"
    digs = service.client(service.token(digger)).http
    again = digs.post(f"{path}/ask-to-mark", json={"reason": "hullet er tomt"})
    assert (again.status_code, again.json()["state"]) == (200, "to-be-marked")
    shown = http.get(path).json()
    assert (shown["marking"]["reason"], shown["appointment"]) == ("hullet er tomt", None)
    assert http.post(f"{path}/ask-to-mark", json={"reason": "x"}).status_code == 404
    assert digs.get(path).status_code == 404


def test_an_owner_that_chose_to_answer_itself_is_asked(
    service: Service, owner: UUID, http: httpx.Client
) -> None:
    asked = ask_owner(service, owner)
    address = f"/api/v1/interest-areas/{asked['interest_area_id']}/answering"
    assert http.put(address, json={"answered_by": "owner"}).json()["answered_by"] == "owner"
    assert http.put(address, json={"answered_by": "nobody"}).status_code == 400
    with service.world.database.connect() as connection:
        row = connection.execute(
            "SELECT answered_by FROM ler.interest_area WHERE id = %s", [asked["interest_area_id"]]
        ).fetchone()
    assert row == ("owner",)


def test_pages_lead_through_everything(service: Service, owner: UUID, http: httpx.Client) -> None:
    for _ in range(3):
        ask_owner(service, owner)
    address, seen = f"{PATH}?state=open&limit=1", []
    while address:
        page = http.get(address).json()
        seen += [one["id"] for one in page["owner_requests"]]
        address = page.get("next", "")
    assert len(seen) == len(set(seen)) >= 3
    assert http.get(PATH, params={"cursor": "nonsense"}).json()["type"] == "/problems/parameter-invalid"
    assert http.get(PATH, params={"state": "cancelled"}).status_code == 400


def test_who_may_only_read_may_not_answer(service: Service, owner: UUID) -> None:
    asked = ask_owner(service, owner)
    reading = service.client(service.token(owner, Scope.ANSWER_READ)).http
    assert reading.get(PATH).status_code == 200
    assert post(reading, asked, NO_LINES).status_code == 403
