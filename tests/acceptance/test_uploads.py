"""An owner's upload from announcement to publication, over HTTP with a real worker."""

import sqlite3
from pathlib import Path
from uuid import uuid4

import pytest

from tests.answers import answer
from tests.service import UPLOADS, Client, Service, eventually, execute

GML = answer().encode()
FAULTY = answer().replace("Vandledning", "Vandl\u00e6kning").encode()


@pytest.fixture
def client(worked: Service) -> Client:
    return worked.program()


def decide(client: Client, address: str, what: str) -> int:
    tag = client.http.get(address).headers["ETag"]
    return client.http.post(f"{address}/{what}", headers={"If-Match": tag}).status_code


def test_from_announcement_to_publication(client: Client) -> None:
    address = client.upload(GML)
    waiting = client.wait(address, "needs_approval")
    assert waiting["reasons"] == ["owner-decides"]
    assert client.http.get(f"{address}/comparison").status_code == 200
    assert decide(client, address, "approve") == 202
    published = client.wait(address, "published")
    assert (published["version"], published["features"]) == (1, 2)


def test_what_looks_in_order_is_published_without_asking_when_the_owner_wants_that(client: Client) -> None:
    address = client.upload(GML, auto_approve=True)
    assert client.wait(address, "published")["version"] == 1


def test_a_rejected_version_leaves_nothing_staged(worked: Service) -> None:
    owner = worked.owner()
    client = worked.client(worked.token(owner))
    address = client.upload(GML)
    client.wait(address, "needs_approval")
    assert decide(client, address, "reject") == 200
    assert client.state(address) == "discarded"

    def gone() -> bool:
        with worked.world.database.connect() as connection:
            row = connection.execute(
                "SELECT count(*) FROM ler.staged_feature WHERE owner_id = %s", [owner]
            ).fetchone()
        return row == (0,) and not (worked.files / address.rpartition("/")[2]).exists()

    eventually(gone)


def test_a_file_with_faults_is_rejected_and_all_its_faults_are_told(client: Client) -> None:
    address = client.upload(FAULTY)
    found = client.wait(address, "rejected")
    assert found["problem"]["type"] == "/problems/network-refused"
    assert found["problem"]["status"] == 422
    danish = client.http.get(address, headers={"Accept-Language": "da"}).json()
    assert danish["problem"]["title"] == "Filen har fejl"
    report = client.http.get(f"{address}/report").json()["files"][0]
    assert report["errors"] > 0
    assert report["findings"][0]["message"]


def test_a_report_comes_as_json_page_or_geopackage(client: Client, tmp_path: Path) -> None:
    address = client.upload(FAULTY, name="vand <b>.gml")
    client.wait(address, "rejected")
    page = client.http.get(f"{address}/report", headers={"Accept": "text/html", "Accept-Language": "da"})
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Language"] == "da"
    assert "vand &lt;b&gt;.gml" in page.text
    assert "<b>" not in page.text
    package = client.http.get(f"{address}/report", headers={"Accept": "application/geopackage+sqlite3"})
    path = tmp_path / "report.gpkg"
    path.write_bytes(package.content)
    with sqlite3.connect(path) as connection:
        tables = {name for (name,) in connection.execute("SELECT table_name FROM gpkg_contents")}
    connection.close()
    assert tables == {"findings", "findings_without_place"}
    assert client.http.get(f"{address}/report", headers={"Accept": "image/png"}).status_code == 406


def test_a_decision_is_about_the_state_that_was_read(client: Client) -> None:
    announced = client.announce(GML)
    address, before = announced.headers["Location"], announced.headers["ETag"]
    client.part(address, GML, 0, complete=True)
    client.wait(address, "needs_approval")
    now = client.http.get(address).headers["ETag"]

    def approve(**headers: str) -> str:
        answer = client.http.post(f"{address}/approve", headers=headers)
        return f"{answer.status_code} {answer.json().get('type', '')}"

    assert approve() == "428 /problems/precondition-required"
    assert approve(**{"If-Match": before}) == "412 /problems/precondition-failed"
    assert approve(**{"If-Match": now}) == "202 "
    assert approve(**{"If-Match": now}) == "412 /problems/precondition-failed"
    client.wait(address, "published")
    assert approve(**{"If-Match": "*"}) == "409 /problems/upload-state"


def test_of_two_uploads_the_one_approved_last_is_published(client: Client) -> None:
    first, second = client.upload(GML), client.upload(GML.replace(b">1978-05<", b">1979-05<"))
    for address in (first, second):
        client.wait(address, "needs_approval")
    assert decide(client, second, "approve") == 202
    client.wait(second, "published")
    # Compared with a version that is no longer the current one: it is compared anew, and its owner decides anew.
    assert decide(client, first, "approve") == 202
    eventually(lambda: client.state(first) == "needs_approval")
    assert decide(client, first, "approve") == 202
    assert client.wait(first, "published")["version"] > client.http.get(second).json()["version"]


def test_a_staged_network_that_a_crash_of_the_database_took_is_checked_again(worked: Service) -> None:
    owner = worked.owner()
    client = worked.client(worked.token(owner))
    address = client.upload(GML)
    client.wait(address, "needs_approval")
    # As PostgreSQL does with a table that is not logged, when it recovers.
    execute(worked, "DELETE FROM ler.staged_feature WHERE owner_id = %s", owner)
    assert decide(client, address, "approve") == 202
    states = ["receiving", "received", "checking", "needs_approval", "approved", "publishing"]
    wanted = [*states, "received", "checking", "needs_approval"]

    def told() -> list[str]:
        found = client.http.get(f"{address}/events").json()["events"]
        return [one["state"] for one in found if one["kind"] == "state"]

    eventually(lambda: told() == wanted)
    assert decide(client, address, "approve") == 202
    client.wait(address, "published")


def test_an_upload_can_be_taken_back_until_it_is_worked_on(service: Service) -> None:
    client = service.program()
    address = client.announce(GML).headers["Location"]
    assert client.http.delete(address).json()["state"] == "discarded"
    assert client.http.delete(address).status_code == 409
    assert client.part(address, GML, 0).status_code == 409


def test_the_list_goes_through_all_uploads_once(service: Service) -> None:
    client = service.program()
    made = [client.announce(GML).headers["Location"] for _ in range(5)]
    seen: list[str] = []
    address: str | None = f"{UPLOADS}?limit=2"
    pages = 0
    while address:
        page = client.http.get(address).json()
        seen += [one["links"]["self"] for one in page["uploads"]]
        address = page.get("next")
        pages += 1
    assert seen == made[::-1]
    assert pages == 3


def test_versions_of_the_own_network_are_listed_and_no_others(worked: Service) -> None:
    first, second = worked.program(), worked.program()
    for year in (b"1978", b"1979", b"1980"):
        first.wait(
            first.upload(GML.replace(b">1978-05<", b">" + year + b"<"), auto_approve=True), "published"
        )
    page = first.http.get("/api/v1/network/versions?limit=2").json()
    assert [(one["number"], one["state"]) for one in page["versions"]] == [
        (3, "published"),
        (2, "superseded"),
    ]
    rest = first.http.get(page["next"]).json()
    assert [one["number"] for one in rest["versions"]] == [1]
    assert "next" not in rest
    assert second.http.get("/api/v1/network/versions").json() == {"versions": []}


def test_an_undecided_upload_expires(worked: Service) -> None:
    client = worked.program()
    address = client.upload(GML)
    client.wait(address, "needs_approval")
    identity = address.rpartition("/")[2]
    execute(worked, "UPDATE ler.upload SET expires_at = now() - interval '1 s' WHERE id = %s", identity)
    assert decide(client, address, "approve") == 410
    client.wait(address, "expired")


def test_an_upload_of_nobody_is_found_by_nobody(service: Service) -> None:
    client = service.program()
    for path in (uuid4(), "nonsense", "%00"):
        answer = client.http.get(f"{UPLOADS}/{path}")
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
