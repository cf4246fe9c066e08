"""What is refused before anything is stored: rows of the catalogue of bad input that concern the calls themselves.

Each leaves every table and folder as it was and the service alive. Files' contents are the business of other tables.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.acceptance.test_guard import SPOOFED
from tests.answers import answer
from tests.service import UPLOADS, Client, Service, stored

GML = answer().encode()
GOOD: dict[str, Any] = {"file_name": "net.gml", "size": len(GML)}


@dataclass(frozen=True)
class Refused:
    """One bad call and its answer."""

    name: str
    answer: str
    """Status and slug of the problem."""
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    path: str = UPLOADS
    method: str = "POST"


def body(**changes: object) -> bytes:
    return json.dumps(GOOD | changes).encode()


def bad_field(name: str, **changes: object) -> Refused:
    return Refused(name, "400 field-invalid", body(**changes))


REFUSED = [
    # 18: names of data sources where a word is wanted
    *(
        bad_field(f"18 {name}", **{field: name})
        for field in ("crs",)
        for name in ("/vsicurl/http://x/", "WFS:http://x", "PG:dbname=x", "..\\..\\x", "EPSG:25832; --")
    ),
    *(bad_field(f"18 {name}", file_name=name) for name in ("../x.gml", "a/b.gml", "C:\\x.gml", "")),
    bad_field("18 long name", file_name="x" * 256),
    # 47, 72: what is no JSON, and no text
    Refused("47 NaN", "400 json-invalid", b'{"file_name": "a", "size": NaN}'),
    Refused("46 Infinity", "400 json-invalid", b'{"file_name": "a", "size": Infinity}'),
    Refused("47 cut", "400 json-invalid", b'{"file_name": "a"'),
    Refused("47 not UTF-8", "400 json-invalid", b'{"file_name": "\xe6", "size": 1}'),
    Refused("47 deep", "400 json-invalid", b"[" * 100_000),
    Refused("47 repeated", "400 json-invalid", b'{"file_name": "a", "file_name": "b", "size": 1}'),
    Refused("47 no object", "400 field-invalid", b"[]"),
    Refused("47 long number", "400 json-invalid", b'{"file_name": "a", "size": ' + b"9" * 5000 + b"}"),
    Refused("72 surrogate", "400 text-invalid", b'{"file_name": "a\\ud800", "size": 1}'),
    Refused("72 NUL", "400 text-invalid", b'{"file_name": "a\\u0000", "size": 1}'),
    Refused("72 in a name", "400 text-invalid", b'{"file_name": "a", "size": 1, "\\u0000": 1}'),
    Refused("no JSON said", "400 json-invalid", body(), {"Content-Type": "text/plain"}),
    # fields
    bad_field("unknown field", colour="red"),
    bad_field("size 0", size=0),
    bad_field("size text", size="5"),
    bad_field("size fraction", size=5.5),
    bad_field("size true", size=True),
    bad_field("mode", mode="partial"),
    bad_field("sha256", sha256="A" * 64),
    bad_field("deletes in a full upload", deletes=["x"]),
    bad_field("confirm", confirm="everything"),
    bad_field("76 scheme in crs", crs="${jndi:ldap://x}"),
    Refused("larger than any file", "413 body-too-large", body(size=10**15)),
    # 78, 79: parameters
    Refused("79 unknown parameter", "400 parameter-unknown", body(), path=f"{UPLOADS}?limit=1"),
    Refused("78 limit 0", "400 parameter-invalid", b"", path=f"{UPLOADS}?limit=0", method="GET"),
    Refused("78 limit -1", "400 parameter-invalid", b"", path=f"{UPLOADS}?limit=-1", method="GET"),
    Refused("78 limit 10^9", "400 parameter-invalid", b"", path=f"{UPLOADS}?limit=1000000000", method="GET"),
    Refused("78 twice", "400 parameter-invalid", b"", path=f"{UPLOADS}?limit=1&limit=2", method="GET"),
    Refused("78 cursor", "400 parameter-invalid", b"", path=f"{UPLOADS}?cursor=abc", method="GET"),
    Refused(
        "76 cursor",
        "400 parameter-invalid",
        b"",
        path=f"{UPLOADS}?cursor=';DROP TABLE ler.upload--",
        method="GET",
    ),
    Refused("79 unknown, listing", "400 parameter-unknown", b"", path=f"{UPLOADS}?x=1", method="GET"),
    # 90: keys
    Refused("90 no key", "400 idempotency-key-invalid", body(), {"Idempotency-Key": ""}),
    Refused("90 long key", "400 idempotency-key-invalid", body(), {"Idempotency-Key": "x" * 300}),
    Refused("90 key with a space", "400 idempotency-key-invalid", body(), {"Idempotency-Key": "a b"}),
    # 94: large bodies
    Refused("94 large, length told", "413 body-too-large", b" " * (2 << 20)),
    # routing
    Refused("no such route", "404 not-found", b"", path="/api/v1/nothing", method="GET"),
    Refused("no such method", "405 method-not-allowed", b"", method="DELETE"),
    Refused("no such version", "404 not-found", b"", path="/api/v2/uploads", method="GET"),
]


@pytest.fixture(scope="module")
def client(service: Service) -> Client:
    return service.program()


def assert_alive(service: Service, client: Client) -> None:
    assert client.http.get(f"{service.url}/healthz").json() == {"status": "ok", "database": "ok"}


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.name)
def test_what_is_refused_leaves_nothing(service: Service, client: Client, row: Refused) -> None:
    before = stored(service)
    headers = {"Content-Type": "application/json", "Idempotency-Key": row.name.replace(" ", "-")}
    answer = client.http.request(row.method, row.path, content=row.body, headers=headers | row.headers)
    slug = answer.json()["type"].rpartition("/")[2]
    assert f"{answer.status_code} {slug}" == row.answer, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert client.http.get(answer.json()["type"]).status_code == 200
    for word in ("psycopg", "sqlalchemy", "pydantic", "Traceback", "SELECT ", "INSERT "):
        assert word not in answer.text
    assert stored(service) == before
    assert_alive(service, client)


def chunks() -> Any:  # noqa: ANN401 - an iterator that httpx sends without a length
    for _ in range(2 << 10):
        yield b" " * 1024


def test_94_a_large_body_without_a_length_is_refused(service: Service, client: Client) -> None:
    before = stored(service)
    headers = {"Content-Type": "application/json", "Idempotency-Key": "large"}
    answer = client.http.post(UPLOADS, content=chunks(), headers=headers)
    assert answer.status_code == 413
    assert stored(service) == before
    assert_alive(service, client)


NAMES = [
    "kæmpe 🚧.gml",
    "\u202egml.exe",
    "a\u200bb.gml",
    "A\u030a.gml",
    "\u00c5.gml",
    "'; DROP TABLE ler.upload; --.gml",
    "100%_$1 ${jndi}.gml",
    '"><script>alert(1)</script>.gml'.replace("/", ""),
    "=cmd|x.csv",
]


@pytest.mark.parametrize("name", NAMES)
def test_71_76_a_name_is_text_and_nothing_else(service: Service, client: Client, name: str) -> None:
    announced = client.announce(GML, name=name)
    assert announced.status_code == 201, announced.text
    address = announced.headers["Location"]
    assert client.http.get(address).json()["file_name"] == name
    client.part(address, GML, 0, complete=True)
    lying = [path.name for path in (service.files / address.rpartition("/")[2]).iterdir()]
    assert sorted(lying) == [f"content.{name.rpartition('.')[2]}", "lock"]


def test_96_links_do_not_follow_what_a_caller_says_its_host_is(client: Client) -> None:
    made = client.announce(GML).headers["Location"]
    for path in (UPLOADS, made, f"{UPLOADS}/", "/problems"):
        answer = client.http.get(path, headers=SPOOFED)
        assert "evil" not in answer.text + str(answer.headers)


def test_problems_are_told_in_the_callers_language(client: Client) -> None:
    def title(language: str) -> str:
        answer = client.http.get(f"{UPLOADS}/x", headers={"Accept-Language": language})
        assert answer.headers["Content-Language"] in {"da", "en"}
        return str(answer.json()["title"])

    danish, english = "Det findes ikke, eller det er ikke dit", "There is no such thing, or it is not yours"
    assert title("da") == title("da-DK, en;q=0.5") == title("nb, da;q=0.8, en;q=0.3") == danish
    assert title("en") == title("") == title("fr") == title("da;q=0") == title("en, da;q=0.9") == english


def test_every_answer_has_safe_headers_and_a_number(client: Client) -> None:
    numbers = set()
    for path in (UPLOADS, "/healthz", "/nothing", "/problems/not-found"):
        headers = client.http.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "server" not in headers
        numbers.add(headers["X-Request-Id"])
    assert len(numbers) == 4


def test_the_api_describes_itself(service: Service) -> None:
    described = httpx.get(f"{service.url}/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert f"{UPLOADS}/{{upload_id}}/content" in described["paths"]
    assert "file_name" in json.dumps(described["paths"][UPLOADS]["post"]["requestBody"])


def test_the_log_names_calls_and_no_secrets(service: Service) -> None:
    token = service.token(service.owner())
    service.client(token).http.get(f"{UPLOADS}?limit=77&cursor=secretcursor")
    lines = service.said()
    logged = [json.loads(line) for line in lines if line.startswith("{")]
    assert any(line["path"] == UPLOADS and line["status"] == 400 for line in logged)
    assert all({"request", "method", "status", "ms", "token"} <= set(line) for line in logged)
    assert not any("secretcursor" in line or token[-20:] in line for line in lines)
