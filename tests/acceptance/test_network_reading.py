"""An owner reads its own network over HTTP: features as they are and were, quality, comparisons; nobody else's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyproj import Transformer

from ler.model import Feature
from ler.packages.gml import Answer, write_answer
from tests.answers import read
from tests.service import Client, Service, execute
from tests.world import header, valve, water_pipe

FEATURES = "/api/v1/network/features"
QUALITY = "/api/v1/network/quality"
COMPARISON = "/api/v1/network/comparison"
GML = "application/gml+xml"
SVG = {"Accept": "image/svg+xml"}


def pipes(count: int, length: float = 10.0) -> list[Feature]:
    return [
        water_pipe(f"p{n}", (575_000, 6_224_000 + n, 1.25), (575_000 + length, 6_224_000 + n, float("nan")))
        for n in range(count)
    ]


def document(folder: Path, features: Sequence[Feature]) -> bytes:
    path = folder / "net.gml"
    with path.open("wb") as stream:
        write_answer(stream, Answer("", "", header(), features))
    return path.read_bytes().replace(b'<gml:identifier codeSpace="CVR"></gml:identifier>', b"")


def publish(client: Client, folder: Path, features: Sequence[Feature]) -> str:
    address = client.upload(document(folder, features))
    waiting = client.wait(address, "needs_approval")
    assert waiting["problem"] is None
    tag = client.http.get(address).headers["ETag"]
    assert client.http.post(f"{address}/approve", headers={"If-Match": tag}).status_code == 202
    client.wait(address, "published")
    return address


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("networks")


@pytest.fixture(scope="module")
def owner(worked: Service, folder: Path) -> Client:
    """An owner with two versions: ten pipes and a valve, then the first three pipes, of which one is longer."""
    client = worked.program()
    publish(client, folder, [*pipes(10), valve("v", 575_000, 6_224_100, 1)])
    publish(client, folder, [*pipes(3)[:2], *pipes(3, 12.0)[2:]])
    return client


def every(client: Client, address: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    following: str | None = address
    while following:
        page = client.http.get(following)
        assert page.status_code == 200, page.text
        found += page.json()["features"]
        following = page.json().get("next")
    return found


def slug(answer: httpx.Response) -> str:
    return f"{answer.status_code} {answer.json()['type'].rpartition('/')[2]}"


def test_features_as_they_are(owner: Client) -> None:
    answer = owner.http.get(FEATURES)
    assert answer.headers["Content-Type"] == "application/geo+json"
    assert answer.headers["Content-Crs"] == "<http://www.opengis.net/def/crs/EPSG/0/25832>"
    page = answer.json()
    assert (page["type"], page["version"], "next" in page) == ("FeatureCollection", 2, False)
    assert {one["id"] for one in page["features"]} == {"p0", "p1", "p2"}
    first = next(one for one in page["features"] if one["id"] == "p0")
    assert first["properties"]["objekttype"] == "Vandledning"
    # The second height is not known, and nothing is said of it.
    assert first["geometry"] == {
        "type": "LineString",
        "coordinates": [[575_000, 6_224_000, 1.25], [575_010, 6_224_000]],
    }


def test_pages_hold_every_feature_once_and_stay_in_their_version(owner: Client) -> None:
    found = every(owner, f"{FEATURES}?as-of=1&limit=4")
    assert sorted(one["id"] for one in found) == sorted([*(f"p{n}" for n in range(10)), "v"])
    first = owner.http.get(f"{FEATURES}?limit=2").json()
    assert "as-of=2" in first["next"]
    assert len(every(owner, f"{FEATURES}?as-of=1&limit=11")) == 11


def test_as_of_a_time_or_a_date(owner: Client) -> None:
    published = owner.http.get("/api/v1/network/versions").json()["versions"][1]["published_at"]
    then = owner.http.get(FEATURES, params={"as-of": published})
    assert then.json()["version"] == 1
    assert owner.http.get(f"{FEATURES}?as-of=2099-01-01").json()["version"] == 2
    assert slug(owner.http.get(f"{FEATURES}?as-of=2001-01-01")) == "404 not-found"


def test_a_box_in_metres_and_in_degrees(owner: Client) -> None:
    box = "574999,6224000.5,575011,6224002.5"
    assert {one["id"] for one in every(owner, f"{FEATURES}?bbox={box}")} == {"p1", "p2"}
    assert {one["id"] for one in every(owner, f"{FEATURES}?as-of=1&limit=1&bbox={box}")} == {"p1", "p2"}
    to_degrees = Transformer.from_crs(25832, 4326, always_xy=True)
    west, south = to_degrees.transform(574_999, 6_224_000.6)
    east, north = to_degrees.transform(575_011, 6_224_002.4)
    answer = owner.http.get(f"{FEATURES}?crs=EPSG:4326&bbox={west},{south},{east},{north}")
    assert answer.headers["Content-Crs"] == "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"
    found = {one["id"]: one["geometry"]["coordinates"] for one in answer.json()["features"]}
    assert set(found) == {"p1", "p2"}
    expected = to_degrees.transform(575_000, 6_224_001)
    assert found["p1"][0] == pytest.approx([*expected, 1.25], abs=2e-9)


@pytest.mark.parametrize(
    "query",
    [
        *("bbox=1,2,3", "bbox=1,2,3,nan", "bbox=a,b,c,d", "bbox=3,2,1,4", "bbox=1,4,3,2", "limit=0", "limit=10001"),
        *("crs=EPSG:3857", "as-of=yesterday", "as-of=9999-12-31T23:59-12:00", "as-of=0001-01-01T00:00%2B14:00", "after=-1", "offset=3"),
        "crs=EPSG:4326&bbox=400,400,500,500",
    ],
)  # fmt: skip
def test_a_parameter_that_cannot_be_used_is_refused(owner: Client, query: str) -> None:
    wanted = "parameter-unknown" if query.startswith("offset") else "parameter-invalid"
    assert slug(owner.http.get(f"{FEATURES}?{query}")) == f"400 {wanted}"


def test_a_whole_version_as_ler_gml(owner: Client, tmp_path: Path) -> None:
    answer = owner.http.get(f"{FEATURES}?as-of=1", headers={"Accept": GML})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == GML
    path = tmp_path / "whole.gml"
    path.write_bytes(answer.content)
    found, reader = read(path)
    assert reader.findings.errors == 0
    assert sorted(one.gml_id for one in found) == sorted([*(f"p{n}" for n in range(10)), "v"])
    assert slug(owner.http.get(f"{FEATURES}?limit=3", headers={"Accept": GML})) == "400 parameter-invalid"
    assert slug(owner.http.get(FEATURES, headers={"Accept": "image/png"})) == "406 not-acceptable"


def test_what_is_not_there_or_was_purged(worked: Service, folder: Path) -> None:
    client = worked.program()
    for features in (pipes(2), pipes(3)):
        publish(client, folder, features)
    for number in ("7", "99999999999999999999"):
        assert slug(client.http.get(f"{FEATURES}?as-of={number}")) == "404 not-found"
    execute(
        worked,
        "UPDATE ler.network_version SET purged_at = now() WHERE number = 1 AND owner_id ="
        " (SELECT owner_id FROM ler.access_token WHERE prefix = %s)",
        client.http.headers["Authorization"].split("_")[2],
    )
    assert slug(client.http.get(f"{FEATURES}?as-of=1")) == "410 version-purged"
    assert slug(client.http.get(f"{FEATURES}?as-of=1", headers={"Accept": GML})) == "410 version-purged"
    assert slug(client.http.get(f"{COMPARISON}?from=1&to=2")) == "410 version-purged"


def test_quality_over_the_versions(owner: Client) -> None:
    page = owner.http.get(f"{QUALITY}?limit=1").json()
    assert [one["version"] for one in page["versions"]] == [2]
    (older,) = owner.http.get(page["next"]).json()["versions"]
    assert older["version"] == 1
    assert older["total"]["features"] == 11
    assert 0 < older["score"] <= 100


def test_quality_as_a_picture_in_both_languages(owner: Client) -> None:
    def picture(accept: str, language: str) -> httpx.Response:
        headers = {"Accept": accept, "Accept-Language": language}
        return owner.http.get(f"{QUALITY}/picture", headers=headers)

    danish, english = picture("image/svg+xml", "da"), picture("image/svg+xml", "en")
    assert (danish.headers["Content-Language"], english.headers["Content-Language"]) == ("da", "en")
    assert b"<svg" in danish.content[:200]
    assert danish.content != english.content
    assert picture("image/png", "en").content.startswith(b"\x89PNG")
    assert slug(picture("text/plain", "en")) == "406 not-acceptable"


def test_two_versions_compared_as_figures_and_as_a_map(owner: Client) -> None:
    told = owner.http.get(f"{COMPARISON}?from=1&to=2").json()
    change = told["comparison"]["types"]["Vandledning"]
    assert (change["removed"]["count"], change["moved"]["count"], change["after"]["count"]) == (7, 1, 3)
    drawn = owner.http.get(f"{COMPARISON}?from=1&to=2", headers=SVG)
    assert drawn.headers["Content-Type"].startswith("image/svg+xml")
    assert "removed: 8" in drawn.text
    assert "style-src 'unsafe-inline'" in drawn.headers["Content-Security-Policy"]
    assert slug(owner.http.get(f"{COMPARISON}?from=1&to=9")) == "404 not-found"
    assert slug(owner.http.get(f"{COMPARISON}?from=1")) == "400 parameter-invalid"


def test_the_comparison_of_an_upload_has_a_map_while_it_waits_and_after(
    worked: Service, folder: Path
) -> None:
    client = worked.program()
    first = publish(client, folder, pipes(2))
    assert "added: 2" in client.http.get(f"{first}/comparison", headers=SVG).text
    waiting = client.upload(document(folder, pipes(5)))
    client.wait(waiting, "needs_approval")
    before = client.http.get(f"{waiting}/comparison", headers=SVG)
    assert "added: 3, 0.030 km" in before.text
    assert client.http.get(f"{waiting}/comparison").json()["comparison"]["base_number"] == 1
    tag = client.http.get(waiting).headers["ETag"]
    client.http.post(f"{waiting}/approve", headers={"If-Match": tag})
    client.wait(waiting, "published")
    assert client.http.get(f"{waiting}/comparison", headers=SVG).text == before.text


def test_another_owner_sees_none_of_it(worked: Service, owner: Client) -> None:
    assert owner.http.get(FEATURES).status_code == 200
    other = worked.program()
    for path in (FEATURES, f"{FEATURES}?as-of=1", f"{COMPARISON}?from=1&to=2"):
        assert slug(other.http.get(path)) == "404 not-found"
    assert slug(other.http.get(f"{QUALITY}/picture")) == "404 quality-missing"
    assert other.http.get(QUALITY).json() == {"versions": []}
