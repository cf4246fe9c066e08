"""Files in parts: lost connections, wrong offsets and checksums, two writers, and what is too much, too slow or too late."""

import hashlib
import resource
import socket
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from ler.services.uploads import MOST_OPEN
from tests.answers import answer
from tests.service import UPLOADS, Client, Service, eventually, execute, stored

GML = answer().encode() + b" " * 200_000


def digest(content: bytes) -> str:
    return f"sha-256=:{b64encode(hashlib.sha256(content).digest()).decode()}:"


def problem(response: httpx.Response) -> str:
    return f"{response.status_code} {response.json()['type'].rpartition('/')[2]}"


@pytest.fixture
def client(service: Service) -> Client:
    return service.program()


@pytest.fixture
def address(client: Client) -> str:
    return str(client.announce(GML).headers["Location"])


def raw(service: Service, client: Client, address: str, offset: int, said: int) -> socket.socket:
    """A connection on which a part of `said` bytes has been begun."""
    where = urlsplit(service.url)
    connection = socket.create_connection((str(where.hostname), where.port or 80))
    head = (
        f"PATCH {address}/content HTTP/1.1\r\nHost: evil.example\r\nContent-Length: {said}\r\n"
        f"Authorization: {client.http.headers['Authorization']}\r\nUpload-Offset: {offset}\r\n"
        "Content-Type: application/partial-upload\r\n\r\n"
    )
    connection.sendall(head.encode())
    return connection


def test_parts_add_up_to_the_file(service: Service, client: Client) -> None:
    announced = client.announce(GML, sha256=hashlib.sha256(GML).hexdigest())
    address = announced.headers["Location"]
    assert f"max-size={len(GML)}" in announced.headers["Upload-Limit"]
    for start in range(0, len(GML), 50_000):
        assert client.offset(address) == start
        part = GML[start : start + 50_000]
        last = start + 50_000 >= len(GML)
        sent = client.part(address, part, start, complete=last, Content_Digest=digest(part))
        assert sent.status_code == (202 if last else 204), sent.text
    found = client.http.get(address).json()
    assert (found["state"], found["received"]) == ("received", len(GML))
    path = next((service.files / address.rpartition("/")[2]).glob("content*"))
    assert path.read_bytes() == GML
    assert client.http.head(f"{address}/content").headers["Upload-Complete"] == "?1"


def test_what_came_before_the_connection_broke_is_kept(
    service: Service, client: Client, address: str
) -> None:
    for cut in (1, 70_000, 150_000):
        offset = client.offset(address)
        with raw(service, client, address, offset, len(GML) - offset) as connection:
            connection.sendall(GML[offset:cut])
            time.sleep(0.2)
        eventually(lambda cut=cut: client.offset(address) == cut)  # type: ignore[misc] # bound for this round
    assert client.part(address, GML[150_000:], 150_000, complete=True).status_code == 202
    path = next((service.files / address.rpartition("/")[2]).glob("content*"))
    assert path.read_bytes() == GML


def test_a_part_with_a_digest_is_kept_whole_or_not_at_all(client: Client, address: str) -> None:
    client.part(address, GML[:1000], 0)
    wrong = client.part(address, GML[1000:2000], 1000, Content_Digest=digest(b"other"))
    assert problem(wrong) == "422 checksum-mismatch"
    assert wrong.headers["Upload-Offset"] == "1000"
    assert client.offset(address) == 1000
    right = client.part(address, GML[1000:2000], 1000, Content_Digest=digest(GML[1000:2000]))
    assert right.headers["Upload-Offset"] == "2000"


@pytest.mark.parametrize("offset", [0, 999, 1001, 10**14])
def test_a_part_elsewhere_is_told_where_to_go_on(client: Client, address: str, offset: int) -> None:
    client.part(address, GML[:1000], 0)
    sent = client.part(address, b"x", offset)
    assert problem(sent) == "409 upload-offset"
    assert sent.headers["Upload-Offset"] == "1000"
    assert (sent.json()["expected-offset"], sent.json()["provided-offset"]) == (1000, offset)


@pytest.mark.parametrize(
    "headers",
    [
        {"Upload_Offset": "-1"},
        {"Upload_Offset": "1e3"},
        {"Upload_Offset": "9" * 20},
        {"Upload_Complete": "true"},
        {"Content_Digest": "md5=:AAAA:"},
        {"Content_Digest": "sha-256=:AAAA:"},
    ],
)
def test_headers_that_say_nothing_are_refused(client: Client, address: str, headers: dict[str, Any]) -> None:
    assert problem(client.part(address, b"x", 0, **headers)) == "400 header-invalid"
    assert client.offset(address) == 0


def test_a_part_of_another_type_is_refused(client: Client, address: str) -> None:
    assert problem(client.part(address, b"x", 0, Content_Type="text/html")) == "415 format-not-supported"


def test_the_whole_is_checked_against_what_was_announced(client: Client) -> None:
    address = client.announce(GML, sha256="0" * 64).headers["Location"]
    assert problem(client.part(address, GML, 0, complete=True)) == "422 checksum-mismatch"
    assert client.offset(address) == 0
    assert client.state(address) == "receiving"


def test_an_upload_that_is_said_to_be_complete_and_is_not_goes_on(client: Client, address: str) -> None:
    sent = client.part(address, GML[:10], 0, complete=True)
    assert problem(sent) == "409 upload-incomplete"
    assert sent.headers["Upload-Offset"] == "10"
    assert client.part(address, GML[10:], 10, complete=True).status_code == 202


def test_the_whole_at_once_replaces_what_had_come(client: Client, address: str) -> None:
    client.part(address, b"something else", 0)
    sent = client.http.put(f"{address}/content", content=GML, headers={"Content-Digest": digest(GML)})
    assert sent.status_code == 202
    assert client.http.get(address).json()["sha256"] == hashlib.sha256(GML).hexdigest()


def endless(size: int) -> Iterator[bytes]:
    for _ in range(size // 1000):
        yield b"x" * 1000


def test_more_than_was_announced_is_refused_with_and_without_a_length(
    service: Service, client: Client, address: str
) -> None:
    before = stored(service)
    assert problem(client.part(address, GML + b"x", 0)) == "413 body-too-large"
    sent = client.http.patch(
        f"{address}/content", content=endless(len(GML) + 5000), headers={"Upload-Offset": "0"}
    )
    assert problem(sent) == "413 body-too-large"
    assert client.offset(address) == 0
    after = stored(service)
    assert after | {"files on disk": 0} == before | {"files on disk": 0}


def test_two_writers_at_once_are_one_too_many(service: Service, client: Client, address: str) -> None:
    with raw(service, client, address, 0, 1000) as first:
        first.sendall(GML[:10])
        path = service.files / address.rpartition("/")[2]
        eventually(lambda: any(path.glob("content*")))
        second = client.part(address, GML[:500], 0)
        assert problem(second) == "409 upload-busy"
        assert int(second.headers["Retry-After"]) > 0
    eventually(lambda: client.offset(address) == 10)
    assert client.part(address, GML[10:], 10, complete=True).status_code == 202


def test_who_falls_silent_is_let_go_and_may_go_on(service: Service, client: Client, address: str) -> None:
    with raw(service, client, address, 0, 1000) as connection:
        connection.sendall(GML[:10])
        connection.settimeout(10)
        told = connection.recv(10_000)
    assert b" 408 " in told.split(b"\r\n")[0]
    assert client.offset(address) == 10


def test_an_upload_that_was_not_whole_in_time_is_gone(service: Service, client: Client, address: str) -> None:
    client.part(address, GML[:10], 0)
    identity = address.rpartition("/")[2]
    execute(service, "UPDATE ler.upload SET expires_at = now() - interval '1 h' WHERE id = %s", identity)
    assert client.http.head(f"{address}/content").status_code == 410
    assert problem(client.part(address, GML[10:], 10, complete=True)) == "410 upload-expired"


def test_a_full_disk_is_told_and_what_came_before_is_kept(new_service: Service) -> None:
    server = new_service.serve()
    client = new_service.program()
    content = GML * 20
    address = client.announce(content).headers["Location"]
    client.part(address, content[:1000], 0)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (3 << 20, resource.RLIM_INFINITY))
    sent = client.part(address, content[1000:], 1000, complete=True)
    assert problem(sent) == "507 storage-full"
    assert int(sent.headers["Retry-After"]) > 0
    offset = client.offset(address)
    assert 1000 < offset <= 3 << 20
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert client.part(address, content[offset:], offset, complete=True).status_code == 202
    path = next((new_service.files / address.rpartition("/")[2]).glob("content*"))
    assert path.read_bytes() == content


def test_health_is_told_while_all_connections_are_taken(service: Service) -> None:
    owner = service.owner()
    token = service.token(owner)
    with service.world.database.connect() as blocker:
        blocker.execute("BEGIN; LOCK TABLE ler.upload IN ACCESS EXCLUSIVE MODE")
        with ThreadPoolExecutor(60) as pool:
            clients = [service.client(token) for _ in range(60)]
            waiting = [pool.submit(client.http.get, UPLOADS) for client in clients]
            time.sleep(1)
            began = time.monotonic()
            assert httpx.get(f"{service.url}/healthz", timeout=10).status_code == 200
            assert time.monotonic() - began < 2
            told = {future.result().status_code for future in waiting}
        blocker.execute("ROLLBACK")
    assert told == {503}
    assert service.client(token).http.get(UPLOADS).status_code == 200


def test_too_many_open_uploads_are_refused(service: Service) -> None:
    client = service.program()
    addresses = [client.announce(GML).headers["Location"] for _ in range(MOST_OPEN)]
    assert problem(client.announce(GML)) == "429 uploads-too-many"
    client.http.delete(addresses[0])
    assert client.announce(GML).status_code == 201


def test_a_file_that_was_lost_is_told_and_not_filled_with_nothing(
    service: Service, client: Client, address: str
) -> None:
    client.part(address, GML[:100], 0)
    path = next((service.files / address.rpartition("/")[2]).glob("content*"))
    path.write_bytes(b"")
    assert problem(client.part(address, GML[100:], 100)) == "410 upload-content-lost"
