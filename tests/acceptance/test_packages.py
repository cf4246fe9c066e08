"""Packages over HTTP, made by a real worker: partial and whole, in parts, unchanged, of others, damaged."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from lxml import etree
from shapely import box

from ler.blobs import FolderStore
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.services.tokens import revoke_token
from tests.answers import VALVE, WATER, answer
from tests.packages import Asked, ask, central, manifest_of, opened
from tests.service import AREA, Service, eventually, execute

SILENT = "Stille Ejer"


SERVICE_SETTINGS = {"LER_STREAMS_PER_ORGANISATION": "2"}


@pytest.fixture(scope="module", autouse=True)
def owners(worked: Service, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two central owners, one that has published nothing, and a worker."""
    folder = tmp_path_factory.mktemp("networks")
    for number in (1, 2):
        central(worked, folder, number)
    worked.world.owner("40000000", SILENT, area=box(575000, 6224000, 575050, 6224050))


def trail(service: Service, action: str, object_id: UUID | str) -> list[dict[str, object]]:
    with service.world.database.connect() as connection:
        rows = connection.execute(
            "SELECT actor, details FROM ler.audit_event WHERE action = %s AND object_id = %s ORDER BY id",
            [action, object_id],
        ).fetchall()
    return [{"actor": actor, **details} for actor, details in rows]


def test_a_partial_package_is_usable_at_once_and_says_in_words_who_is_missing(asked: Asked) -> None:
    package = asked.packed()
    assert package["complete"] is False
    (missing, *_) = package["notices"]
    assert missing["code"] == "answers-missing"
    assert missing["da"].startswith("GRAV IKKE: 1 af 3 ledningsejere mangler at svare.")
    assert missing["en"].startswith("DO NOT DIG: 1 owner missing of 3.")
    assert missing["owners"][0]["da"].startswith(
        f"{SILENT} (12345678, 40000000@example.dk): skal svare senest "
    )
    members = opened(asked.download(package).content)
    text = members["Laes_mig.txt"].decode()
    assert missing["da"] in text
    assert missing["en"] in members["README.txt"].decode()
    assert "CET" in text
    status = etree.fromstring(members["LedningsejerStatusListe.xml"])
    told = {
        one.findtext("Navn"): one.findtext("Interesseområde/Status")
        for one in status.iterfind("Ledningsejer")
    }
    assert told == {
        "Central 1": "ledningsoplysninger udleveret",
        "Central 2": "ledningsoplysninger udleveret",
        SILENT: "ikke besvaret",
    }


def test_a_whole_package_names_nobody_as_missing(service: Service) -> None:
    found = ask(service, area=box(575060, 6224060, 575090, 6224090))
    package = found.packed()
    assert package["complete"] is True
    assert [one["code"] for one in package["notices"]] == ["all-answered", "no-lines"]
    assert (
        package["feature_count"]
        == manifest_of(found.download(package).content)["owners"][0]["feature_count"] * 2
    )


def test_the_manifest_is_the_same_inside_and_beside(asked: Asked) -> None:
    package = asked.packed()
    beside = asked.client.http.get(package["manifest"])
    assert beside.json() == manifest_of(asked.download(package).content)
    known = asked.client.http.get(package["manifest"], headers={"If-None-Match": beside.headers["ETag"]})
    assert (known.status_code, known.content) == (304, b"")


def test_a_download_goes_on_where_it_broke_off_and_is_not_repeated(asked: Asked) -> None:
    package = asked.packed()
    whole = asked.download(package)
    assert whole.status_code == 200
    assert hashlib.sha256(whole.content).hexdigest() == package["sha256"]
    assert whole.headers["ETag"] == f'"{package["sha256"]}"'
    assert whole.headers["Content-Type"] == "application/zip"
    assert package["file_name"] in whole.headers["Content-Disposition"]
    tag, size = whole.headers["ETag"], len(whole.content)

    parts = [asked.download(package, Range=f"bytes={start}-{start + 999}") for start in range(0, size, 1000)]
    assert {part.status_code for part in parts} == {206}
    assert b"".join(part.content for part in parts) == whole.content
    assert asked.download(package, Range="bytes=-7").content == whole.content[-7:]
    assert asked.download(package, Range="bytes=5-", If_Range=tag).content == whole.content[5:]
    assert asked.download(package, Range="bytes=5-", If_Range='"other"').content == whole.content
    for odd in ("bytes=0-1,4-5", "bytes=9-1", "lines=1-2", "bytes=a-b", "bytes=1"):
        assert asked.download(package, Range=odd).content == whole.content, odd
    beyond = asked.download(package, Range=f"bytes={size}-")
    assert (beyond.status_code, beyond.json()["type"]) == (416, "/problems/range-beyond-end")
    assert beyond.headers["Content-Range"] == f"bytes */{size}"

    for known in (tag, f'"x", W/{tag}', "*"):
        assert asked.download(package, If_None_Match=known).status_code == 304
    head = asked.client.http.head(package["file"])
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, str(size), b"")


def test_every_download_is_in_the_trail_and_what_gave_no_byte_is_not(service: Service, asked: Asked) -> None:
    package = asked.packed()
    before = len(trail(service, "requester:package:download", package["id"]))
    asked.download(package)
    asked.download(package, Range="bytes=0-9")
    asked.download(package, If_None_Match="*")
    asked.client.http.head(package["file"])
    found = trail(service, "requester:package:download", package["id"])[before:]
    assert [one.get("range") for one in found] == [None, "bytes=0-9"]
    assert {one["actor"] for one in found} == {asked.requester}
    assert {one["sha256"] for one in found} == {package["sha256"]}


def test_anothers_package_is_not_there(service: Service, asked: Asked) -> None:
    package = asked.packed()
    other = service.program().http
    for address in (
        package["file"],
        package["manifest"],
        f"{asked.address}/packages",
        f"{asked.address}/events",
    ):
        theirs, nobodys = (
            other.get(address),
            other.get(address.replace(package["id"], str(uuid4())).replace(str(asked.id), str(uuid4()))),
        )
        assert (theirs.status_code, nobodys.status_code) == (404, 404)
        assert {**theirs.json(), "instance": ""} == {**nobodys.json(), "instance": ""}


def test_an_owner_gets_a_copy_of_what_it_delivered_and_of_nothing_else(
    service: Service, asked: Asked
) -> None:
    with service.world.database.connect() as connection:
        rows = connection.execute(
            "SELECT q.id, o.id, o.name FROM ler.owner_request AS q JOIN ler.organisation AS o ON o.id = q.owner_id"
            " WHERE q.request_id = %s",
            [asked.id],
        ).fetchall()
    asked_of = {name: (f"/api/v1/owner-requests/{question}/package", owner) for question, owner, name in rows}
    address, owner = asked_of["Central 1"]
    mine = service.client(service.token(owner)).http.get(address)
    assert mine.status_code == 200
    told = manifest_of(mine.content)
    assert [one["name"] for one in told["owners"]] == ["Central 1"]
    for secret in (b"Central 2", SILENT.encode()):
        assert not any(secret in content for content in opened(mine.content).values())
    assert service.client(service.token(owner)).http.get(asked_of["Central 2"][0]).status_code == 404
    assert service.client(service.token(asked.requester)).http.get(address).status_code == 404
    silent, owner = asked_of[SILENT]
    assert (
        service.client(service.token(owner)).http.get(silent).json()["type"] == "/problems/package-not-made"
    )


def test_each_answer_makes_one_more_revision_and_the_old_one_stays(service: Service) -> None:
    found = ask(service)
    first = found.packed()
    execute(service, "UPDATE ler.excavation_request SET revision = revision + 1 WHERE id = %s", found.id)
    second = found.packed(2)
    listed = found.listed()["packages"]
    consolidated = [one for one in listed if one["kind"] == "consolidated"]
    assert [(one["revision"], one["current"]) for one in consolidated] == [(2, True), (1, False)]
    assert found.download(first).status_code == 200
    assert manifest_of(found.download(second).content)["revision"] == 2
    # The owners' own answers are the same: no new package of theirs.
    assert {one["revision"] for one in listed if one["kind"] == "owner"} == {1}


def test_a_supplement_and_a_correction_are_told_as_changes_and_to_the_holder(service: Service) -> None:
    found = ask(service)
    first = found.packed()
    with service.world.database.connect() as connection:
        question, silent = connection.execute(
            "SELECT q.id, o.id FROM ler.owner_request AS q JOIN ler.organisation AS o ON o.id = q.owner_id"
            " WHERE q.request_id = %s AND o.name = %s",
            [found.id, SILENT],
        ).fetchone() or (None, None)
    owner = service.client(service.token(silent)).http

    def give(water: str, **more: object) -> None:
        files = [("gml", ("svar.gml", answer(water, VALVE).encode()))]
        given = owner.post(
            f"/api/v1/owner-requests/{question}/answers",
            data={"answer": json.dumps(more)},
            files=files,
            headers={"Idempotency-Key": uuid4().hex},
        )
        assert given.status_code == 201, given.text

    def changes(package: dict[str, Any], **query: str | int) -> dict[str, Any]:
        answered = found.client.http.get(package["changes"], params=query)
        assert answered.status_code == 200, answered.text
        told: dict[str, Any] = answered.json()
        return told

    give(WATER)
    second = found.packed(2)
    assert (first["complete"], second["complete"]) == (False, True)
    supplement = changes(second)
    assert (supplement["old"]["revision"], supplement["new"]["revision"]) == (1, 2)
    (late,) = [one for one in supplement["owners"] if one["state_changed"]]
    assert (late["name"], late["old"]["answered"], late["new"]["answered"]) == (SILENT, False, True)
    assert {one["change"] for one in supplement["features"]} == {"added"}

    give(WATER.replace("6224000", "6224001").replace(">110<", ">125<"), update=True)
    third = found.packed(3)
    (corrected,) = changes(third)["features"]
    assert (corrected["change"], corrected["gml_id"], corrected["moved_m"]) == ("moved", "vand.1", 1.0)
    assert corrected["attributes"] == [{"name": "udvendigDiameter", "old": 110.0, "new": 125.0}]
    assert {one["change"] for one in changes(third, since=1)["features"]} == {"added"}
    drawn = found.client.http.get(third["changes"], headers={"Accept": "application/geo+json"}).json()
    assert [one["properties"]["was"] for one in drawn["features"]] == [False, True]
    events = found.client.http.get(f"{found.address}/events").json()["events"]
    assert [one["kind"] for one in events if (one["owner"] or {}).get("name") == SILENT][-2:] == [
        "owner.answered",
        "owner.corrected",
    ]

    (delivery, *_) = owner.get("/api/v1/deliveries").json()["deliveries"]
    assert [one["revision"] for one in delivery["packages"]] == [3, 2]
    for one in delivery["packages"]:
        assert hashlib.sha256(owner.get(one["file"]).content).hexdigest() == one["sha256"]

    others = found.client.http.get(
        third["changes"], params={"since_request": str(service.asks(service.owner()))}
    )
    assert others.status_code == 404
    renewed = Asked(found.client, found.requester, service.asks(found.requester))
    told = changes(renewed.packed(), since_request=str(found.id))
    assert told["same_area"]
    assert {(one["change"], one["gml_id"]) for one in told["features"]} == {
        ("removed", "vand.1"),
        ("removed", "ventil.1"),
    }


@pytest.mark.parametrize("how", ["gone", "one bit"])
def test_a_damaged_package_is_not_handed_out_and_is_made_again_with_the_same_bytes(
    service: Service, asked: Asked, how: str
) -> None:
    package = asked.packed()
    before = asked.download(package).content
    place = FolderStore(service.folder / "blobs").path(package["sha256"])
    if how == "gone":
        place.unlink()
    else:
        data = bytearray(before)
        data[len(data) // 2] ^= 1
        place.write_bytes(data)
    refused = asked.download(package)
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/package-damaged")
    assert refused.headers["Retry-After"] == "2"
    eventually(lambda: asked.download(package).status_code == 200)
    assert asked.download(package).content == before
    (mended, *_) = trail(service, "worker:package:mend", asked.id)[-1:]
    assert mended["sha256"] == mended["before"] == package["sha256"]


def notify(service: Service, asked: Asked, number: int, kind: str) -> None:
    execute(
        service,
        "INSERT INTO ler.notice (audience_id, kind, request_id, number) VALUES (%s, %s, %s, %s)",
        *(asked.requester, kind, asked.id, number),
    )


def numbers(stream: httpx.Response) -> Iterator[int]:
    return (int(line[4:]) for line in stream.iter_lines() if line.startswith("id: "))


def last_number(asked: Asked) -> int:
    found = asked.client.http.get(f"{asked.address}/events").json()["events"]
    return max((int(one["number"]) for one in found), default=0)


def test_events_come_as_they_happen_and_go_on_after_the_last_one_seen(service: Service) -> None:
    found = ask(service)
    found.packed()
    start = last_number(found)
    address = f"{found.address}/events"
    accept = {"Accept": "text/event-stream", "Last-Event-ID": str(start)}
    notify(service, found, start + 1, "owner.answered")
    with found.client.http.stream("GET", address, headers=accept) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        seen = numbers(stream)
        assert next(seen) == start + 1
        notify(service, found, start + 2, "package.ready")
        assert next(seen) == start + 2
        execute(service, "UPDATE ler.excavation_request SET state = 'ended' WHERE id = %s", found.id)
        assert [number for number in seen if number <= start + 2] == []
    listed = found.client.http.get(f"{address}?after={start + 1}").json()["events"]
    assert [one["kind"] for one in listed] == ["package.ready"]


def test_a_stream_ends_when_its_token_is_revoked(service: Service) -> None:
    found = ask(service)
    token = service.token(found.requester)
    client = service.client(token)
    with client.http.stream(
        "GET", f"{found.address}/events", headers={"Accept": "text/event-stream"}
    ) as stream:
        lines = stream.iter_lines()
        next(lines)
        with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
            revoke_token(connection, token.split("_")[2])
        assert all(not line.startswith("event: token") for line in lines), "the end of the stream is reached"


def test_an_organisation_has_so_many_streams_and_others_have_theirs(service: Service, asked: Asked) -> None:
    accept = {"Accept": "text/event-stream"}
    address = f"{asked.address}/events"
    with (
        asked.client.http.stream("GET", address, headers=accept) as one,
        asked.client.http.stream("GET", address, headers=accept) as two,
    ):
        open_still = [one.iter_lines(), two.iter_lines()]
        assert [next(lines) for lines in open_still] == [": events"] * 2
        third = asked.client.http.get(address, headers=accept)
        assert (third.status_code, third.json()["type"]) == (429, "/problems/streams-too-many")
        other = ask(service)
        with other.client.http.stream("GET", f"{other.address}/events", headers=accept) as stream:
            assert stream.status_code == 200
        assert asked.client.http.get(address).status_code == 200

    def free_again() -> bool:
        with asked.client.http.stream("GET", address, headers=accept) as stream:
            return stream.status_code == 200

    eventually(free_again)


def test_a_cancelled_request_gets_no_more_packages(service: Service) -> None:
    found = ask(service)
    found.packed()
    execute(
        service,
        "UPDATE ler.excavation_request SET state = 'cancelled', revision = revision + 1 WHERE id = %s",
        found.id,
    )
    listed = found.listed()
    assert (listed["state"], listed["being_made"]) == ("cancelled", False)
    assert {one["revision"] for one in listed["packages"]} == {1}


def test_a_request_that_meets_nobody_gets_a_package_that_says_so(service: Service) -> None:
    found = ask(service, area=box(600000, 6200000, 600010, 6200010))
    package = found.packed()
    assert [one["code"] for one in package["notices"]] == ["nobody-asked"]
    assert AREA.disjoint(box(600000, 6200000, 600010, 6200010))
    assert package["feature_count"] == 0


def test_each_package_is_entered_and_kept_once(service: Service, asked: Asked) -> None:
    store = FolderStore(service.folder / "blobs")
    packages = asked.listed()["packages"]
    assert len({one["id"] for one in packages}) == len(packages) == 3
    for one in packages:
        with store.open(one["sha256"], verify=True) as stream:
            assert len(stream.read()) == one["size_bytes"]
    assert len(trail(service, "worker:package:add", asked.id)) == 3
