"""Proof over HTTP: the worker signs what it makes, anybody asks whether it is genuine, and who fetched it is told."""

from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from ler.packages.signature import public_of
from ler.packages.verification import grouped
from ler.packages.verify import Trust, TrustedKeys, verify_package
from tests.packages import Asked, ask, central, manifest_of
from tests.service import Service, execute

KEYS = "/.well-known/ler-keys.json"
PUBLIC = "https://ler.example"


SERVICE_SETTINGS = {"LER_PUBLIC_URL": PUBLIC}


@pytest.fixture(scope="module", autouse=True)
def owners(worked: Service, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A central owner, and a worker."""
    central(worked, tmp_path_factory.mktemp("network"), 1)


def told(service: Service, code: str, **headers: str) -> httpx.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return service.client(None).http.get(f"/verify/{code}", headers=given)


def test_what_a_worker_made_is_verified_by_the_published_key(
    service: Service, asked: Asked, tmp_path: Path
) -> None:
    package = tmp_path / "package.zip"
    package.write_bytes(asked.download(asked.packed()).content)
    (key,) = service.client(None).http.get(KEYS).json()["keys"]
    verdict = verify_package(package, TrustedKeys([public_of(key["minisign"])], Trust.GIVEN))
    assert (verdict.flaws, verdict.key_id) == ((), key["key_id"])


def test_anybody_learns_by_code_or_digest_that_a_package_was_delivered_and_nothing_else(
    service: Service, asked: Asked
) -> None:
    package = asked.packed()
    content = asked.download(package).content
    code = manifest_of(content)["verification_code"]
    assert package["verification_code"] == code
    for name in (code, grouped(code).lower(), sha256(content).hexdigest()):
        found = told(service, name, accept="application/json").json()
        assert found.pop("made_at")
        assert found == {
            "delivered": True,
            "kind": "consolidated",
            "revision": 1,
            "complete": True,
            "newest": True,
        }
    unknown = told(service, f"{'A' * 24}", accept="application/json")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/package-unknown")
    assert told(service, str(asked.id)).status_code == 404


def test_a_page_tells_it_in_both_languages(service: Service, asked: Asked) -> None:
    package = asked.packed()
    code = package["verification_code"]
    page = told(service, code, accept_language="da")
    assert (page.status_code, page.headers["Content-Language"]) == (200, "da")
    assert "er leveret af denne platform" in page.text
    assert grouped(code) in page.text
    for secret in (str(asked.id), str(asked.listed()["packages"][0]["id"]), "Central", "575"):
        assert secret not in page.text
    # A package that says that somebody is missing, and then one that another took the place of.
    execute(
        service,
        "UPDATE ler.package SET manifest = manifest || '{\"complete\": false}' WHERE id = %s",
        package["id"],
    )
    assert "DO NOT DIG" in told(service, code).text
    execute(
        service,
        "INSERT INTO ler.package (request_id, file_name, sha256, size_bytes, feature_count, manifest, revision)"
        " SELECT request_id, file_name, sha256, size_bytes, feature_count, '{}', 9 FROM ler.package WHERE id = %s",
        package["id"],
    )
    assert "there is a newer one" in told(service, code).text
    client = service.client(None).http
    assert client.get("/verify", params={"code": grouped(code)}).status_code == 200
    wrong = client.get("/verify", params={"code": "<script>", "language": "da"})
    assert (wrong.status_code, "Nej." in wrong.text, "<script>" in wrong.text) == (404, True, False)


def test_requester_and_owner_see_who_fetched(service: Service) -> None:
    asked = ask(service)
    package = asked.packed()
    own = next(one for one in asked.listed()["packages"] if one["kind"] == "owner")
    asked.download(package)
    asked.download(package, range="bytes=0-9")
    asked.client.http.head(package["file"])
    found = asked.client.http.get(f"{package['file']}/downloads").json()["downloads"]
    assert [(one["actor"], one["range"], one["revision"]) for one in found] == [
        (str(asked.requester), "bytes=0-9", 1),
        (str(asked.requester), None, 1),
    ]
    assert asked.client.http.get(f"{own['file']}/downloads").json() == {"downloads": []}
    with service.world.database.connect() as connection:
        (owner, owner_request) = connection.execute(
            "SELECT owner_id, id FROM ler.owner_request WHERE request_id = %s", [asked.id]
        ).fetchone() or (None, None)
    client = service.client(service.token(owner)).http
    seen = client.get(f"/api/v1/owner-requests/{owner_request}/package/downloads").json()["downloads"]
    assert [one["kind"] for one in seen] == ["consolidated", "consolidated"]
    other = service.client(service.token(service.owner())).http
    assert other.get(f"{package['file']}/downloads").status_code == 404


def test_a_link_gives_the_package_without_a_token_until_it_is_ended_and_every_use_is_told(
    service: Service,
) -> None:
    asked = ask(service)
    package = asked.packed()
    links = f"{package['file']}/links"
    made = asked.client.http.post(links, json={"days": 2})
    assert made.status_code == 201
    link = made.json()
    assert link["url"].startswith(f"{PUBLIC}/download/")
    path = link["url"].removeprefix(PUBLIC)
    anybody = service.client(None).http
    got = anybody.get(path)
    assert (got.status_code, sha256(got.content).hexdigest()) == (200, package["sha256"])
    assert anybody.get(path, headers={"Range": "bytes=0-9"}).content == got.content[:10]
    assert anybody.head(path).headers["Content-Length"] == str(len(got.content))
    told = asked.client.http.get(f"{package['file']}/downloads").json()["downloads"]
    assert [(one["link"], one["range"]) for one in told] == [(link["id"], "bytes=0-9"), (link["id"], None)]
    listed = asked.client.http.get(links).json()["links"]
    assert [one["id"] for one in listed] == [link["id"]]
    assert "url" not in listed[0]
    assert not any(path in line for line in service.said())
    assert asked.client.http.post(links, json={"days": 8}).status_code == 400
    assert asked.client.http.delete(f"{links}/{link['id']}").status_code == 204
    gone = anybody.get(path)
    assert (gone.status_code, gone.json()["type"]) == (404, "/problems/link-invalid")
