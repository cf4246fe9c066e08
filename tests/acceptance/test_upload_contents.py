"""Rows of the catalogue of bad input that concern what a whole network is: each answered as the problem of the upload."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ler.packages.exports.export import ExportFormat, export_features
from tests.answers import VALVE, WATER, answer
from tests.faults.test_upload_faults import network
from tests.service import Client, Service, stored
from tests.world import water_pipe

GML = answer().encode()


@dataclass(frozen=True)
class Rejected:
    """A file that cannot be used."""

    name: str
    problem: str
    """Status and slug."""
    content: bytes
    file_name: str = "net.gml"


REJECTED = [
    Rejected("1 doctype", "422 xml-doctype-forbidden", b'<!DOCTYPE x [<!ENTITY a "b">]>\n' + GML[39:]),
    Rejected("14 truncated", "422 xml-not-well-formed", GML[:-200]),
    Rejected("12 encoding", "422 encoding-invalid", GML.replace("cirkulær".encode(), b"cirkul\xe6r")),
    Rejected("15 wrong root", "415 format-not-supported", b"<html><body>no</body></html>"),
    Rejected(
        "16 VRT",
        "415 format-not-supported",
        b"<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer>"
        b"</OGRVRTDataSource>",
    ),
    Rejected("28 gzip", "415 format-not-supported", b"\x1f\x8b\x08" + b"\0" * 50, "net.zip"),
    Rejected("80 id twice", "422 network-refused", answer(WATER, VALVE, VALVE.replace("g2", "g3")).encode()),
    Rejected("83 no code", "422 network-refused", GML.replace(b"i drift", b"i arbejde")),
    Rejected("73 date", "422 network-refused", GML.replace(b"1978-05", b"1978-02-30")),
    Rejected("45 NaN", "422 network-refused", GML.replace(b"575010 ", b"NaN ")),
    Rejected("55 degrees", "422 network-refused", GML.replace(b"575000 6224000", b"12.5 55.7")),
]


@pytest.fixture(scope="module")
def client(worked: Service) -> Client:
    return worked.program()


def problem(found: dict[str, Any]) -> str:
    told = found["problem"]
    return f"{told['status']} {told['type'].rpartition('/')[2]}"


@pytest.mark.parametrize("row", REJECTED, ids=lambda row: row.name)
def test_what_is_rejected_leaves_nothing_but_its_report(
    worked: Service, client: Client, row: Rejected
) -> None:
    # The owner is told that its file was rejected.
    own = {"upload", "upload_event", "idempotency_key", "files on disk", "access_token", "notice", "outbox"}
    before = stored(worked)
    address = client.upload(row.content, name=row.file_name, auto_approve=True)
    found = client.wait(address, "rejected")
    assert problem(found) == row.problem, found
    told = client.http.get(f"{address}/report").json()["files"][0]
    assert told["outcome"] in {"findings", "unreadable"}
    after = stored(worked)
    assert {name: n for name, n in after.items() if name not in own} == {
        name: n for name, n in before.items() if name not in own
    }
    assert client.http.get(found["problem"]["type"]).status_code == 200
    assert client.http.get("/healthz").status_code == 200


def test_80_an_id_that_stands_twice_is_told_with_its_line(client: Client) -> None:
    address = client.upload(answer(WATER, VALVE, VALVE.replace("g2", "g3")).encode())
    client.wait(address, "rejected")
    findings = client.http.get(f"{address}/report").json()["files"][0]["findings"]
    assert any(finding["gml_id"] == "ventil.1" and finding["line"] > 0 for finding in findings)


def test_81_an_id_that_another_owner_uses_is_free(worked: Service) -> None:
    for _ in range(2):
        client = worked.program()
        found = client.wait(client.upload(GML, auto_approve=True), "published")
        assert (found["version"], found["features"]) == (1, 2)


def test_82_a_file_of_another_owner_is_refused(client: Client) -> None:
    found = client.wait(client.upload(network(3)), "rejected")
    assert problem(found) == "403 owner-mismatch"


def test_84_nothing_takes_a_network_away_but_what_says_so(worked: Service) -> None:
    client = worked.program()
    client.wait(client.upload(GML, auto_approve=True), "published")
    empty = answer("").encode()
    refused = client.wait(client.upload(empty, auto_approve=True), "rejected")
    assert problem(refused) == "409 replacement-empty"


def test_85_a_large_change_waits_for_its_owner(worked: Service) -> None:
    client = worked.program()
    client.wait(client.upload(GML, auto_approve=True), "published")
    smaller = answer(WATER.replace('<ler:slutkomponent xlink:href="#ventil.1"/>', "")).encode()
    found = client.wait(client.upload(smaller, auto_approve=True), "needs_approval")
    assert found["reasons"] == ["replacement-large-change"]
    comparison = client.http.get(found["links"]["comparison"]).json()["comparison"]
    assert comparison["types"]["Vandkomponent"]["removed"]["count"] == 1


def test_the_same_again_publishes_nothing_and_says_so(worked: Service) -> None:
    client = worked.program()
    client.wait(client.upload(GML, auto_approve=True), "published")
    found = client.wait(client.upload(GML, auto_approve=True), "unchanged")
    assert found["version"] is None


def test_a_delta_changes_what_it_holds_and_takes_away_what_it_names(worked: Service) -> None:
    client = worked.program()
    client.wait(client.upload(GML, auto_approve=True), "published")
    changed = answer(
        WATER.replace("1978-05", "1979-05").replace('<ler:slutkomponent xlink:href="#ventil.1"/>', "")
    )
    address = client.upload(changed.encode(), mode="delta", deletes=["ventil.1"])
    found = client.wait(address, "needs_approval")
    assert found["features"] == 1
    first = client.announce(GML, mode="delta", deletes=["x"])
    assert first.json()["deletes"] == 1


@pytest.mark.parametrize("format_", ExportFormat)
def test_other_formats_are_read_with_their_mapping(
    worked: Service, tmp_path: Path, format_: ExportFormat
) -> None:
    client = worked.program()
    pipes = [water_pipe(f"p{n}", (575000, 6224000 + n, 1), (575010, 6224000 + n, 2)) for n in range(5)]
    made = export_features(tmp_path / f"net{format_.suffix}", format_, pipes)
    mapping = made.mapping.read_text(encoding="utf-8")
    address = client.upload(made.path.read_bytes(), name=made.path.name, mapping=mapping, auto_approve=True)
    found = client.wait(address, "published")
    assert found["features"] == 5
    page = client.http.get(f"{address}/report", headers={"Accept": "text/html"})
    assert page.status_code == 200


def test_a_format_without_or_with_a_bad_mapping_is_refused(client: Client) -> None:
    content = b"id,geom\n1,POINT (575000 6224000)\n"
    without = client.wait(client.upload(content, name="net.csv"), "rejected")
    assert problem(without) == "422 mapping-missing"
    assert "suggest content.csv" in str(without), "where files lie here is nobody's business"
    bad = client.announce(content, name="net.csv", mapping="mapping: 1\nlayers: 7")
    assert (bad.status_code, bad.json()["type"]) == (422, "/problems/mapping-invalid")
    assert "line 2" in bad.json()["detail"]
    unwanted = client.wait(client.upload(GML, crs="EPSG:25832"), "rejected")
    assert problem(unwanted) == "422 mapping-not-wanted"
