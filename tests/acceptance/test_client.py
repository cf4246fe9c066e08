"""`ler.client` against a service and a worker: what it reads is what there is, and what is refused it tells."""

from pathlib import Path
from typing import Any

import geopandas
import httpx
import pytest
import shapely
from pyproj import Transformer
from shapely import LineString, box

from ler.client import Client, ProblemError, features
from ler.client.connection import Connection, path_of
from ler.client.packages import fetch_package
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.roles import Role
from ler.errors import InputError, RefusedError, UnavailableError
from ler.services.grants import grant_role
from tests.answers import answer
from tests.requests import AREA, PERIOD
from tests.service import NO_TLS, Service
from tests.world import water_pipe

CVR = "30005501"
PIPES = 25
DAYS = (PERIOD["period_from"], PERIOD["period_to"])
WORK = {
    "title": "Ny vandledning",
    "activity": "vand",
    "method": "open-trench",
    "duration_days": 5,
    "earliest_start": "2027-03-01",
    "latest_end": "2027-05-01",
}


class Breaking(httpx.HTTPTransport):
    """Breaks the line in the middle of each of the first packages."""

    def __init__(self, times: int) -> None:
        super().__init__(verify=NO_TLS)
        self.left = times
        self.ranges: list[str | None] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if "/packages/" in request.url.path and request.method == "GET":
            self.ranges.append(request.headers.get("Range"))
            if self.left:
                self.left -= 1
                content = response.read()
                headers = [one for one in response.headers.raw if one[0].lower() != b"content-length"]
                return httpx.Response(
                    response.status_code, headers=headers, stream=_Half(content[: len(content) // 2])
                )
        return response


class _Half(httpx.SyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Any:  # noqa: ANN401 - an iterator of bytes
        yield self._content
        raise httpx.ReadError("lost")


@pytest.fixture(scope="module")
def token(worked: Service, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of an owner that digs in its own network."""
    made = worked.world.owner(CVR)
    with transaction(worked.world.databases.app, PLATFORM_OPERATOR) as connection:
        grant_role(connection, made, Role.EXCAVATOR)
    west, south, _, north = AREA.bounds
    pipes = [
        water_pipe(f"p{n}", (west + 2 + 3 * n, south - 5, 1), (west + 3 + 3 * n, north + 5, 1))
        for n in range(PIPES)
    ]
    worked.world.network(CVR, tmp_path_factory.mktemp("network"), *pipes)
    return worked.token(made)


@pytest.fixture(scope="module")
def client(worked: Service, token: str) -> Any:  # noqa: ANN401 - an iterator of Client
    with Client(worked.url, token, transport=httpx.HTTPTransport(verify=NO_TLS)) as made:
        yield made


def test_ten_lines_ask_wait_fetch_and_read(
    client: Client, worked: Service, token: str, tmp_path: Path
) -> None:
    area = geopandas.GeoSeries([AREA], crs="EPSG:25832").to_crs("EPSG:4326")
    request = client.ask(area, DAYS, "Fjernvarme til nr. 12")
    assert request.receipt["area_m2"] == pytest.approx(AREA.area, rel=1e-4)
    assert request.wait(60).receipt["state"] == "complete"
    fetched = request.package(tmp_path / "package.zip")
    assert (fetched.path, fetched.complete) == (tmp_path / "package.zip", True)
    asked = client.requests()
    assert request.id in asked.index
    assert asked.geometry[request.id].symmetric_difference(AREA).area < 1.0
    lines = client.lines()
    assert (len(lines), lines.crs.to_epsg()) == (PIPES, 25832)
    assert set(lines["objekttype"]) == {"Vandledning"}
    assert len(request.features()) == PIPES
    # The same over a line that breaks: gone on with from where it was.
    line = Breaking(2)
    with Client(worked.url, token, transport=line, pause=lambda _: None) as flaky:
        again = flaky.request(request.id).package(tmp_path / "again")
    assert again.path.read_bytes() == fetched.path.read_bytes()
    assert [*(tmp_path / "again").iterdir()] == [again.path]
    assert line.ranges[0] is None
    assert all(one and one.startswith("bytes=") for one in line.ranges[1:])
    assert len(line.ranges) == 3
    with pytest.raises(RefusedError, match="signed by the key"):
        request.package(tmp_path, keys=["RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"])
    assert request.cancel()["state"] == "cancelled"
    with pytest.raises(RefusedError) as over:
        request.wait(60)
    assert over.value.code == "request-over"


def test_pages_lose_nothing_in_any_system(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "_PAGE", 7)
    found = client.features("network")
    assert (len(found), found.index.is_unique) == (PIPES, True)
    for crs, always_xy in (("EPSG:4326", 4326), ("OGC:CRS84", 4326), ("EPSG:3857", 3857)):
        moved = client.features("network", crs=crs)
        assert moved.crs == geopandas.GeoSeries(crs=crs).crs
        move: Any = Transformer.from_crs(25832, always_xy, always_xy=True).transform
        flat = shapely.force_2d(found.geometry.loc[moved.index].to_numpy())
        wanted = shapely.transform(flat, move, interleaved=False)
        tolerance = 1e-7 if always_xy == 4326 else 0.01
        assert all(a.equals_exact(b, tolerance) for a, b in zip(moved.geometry, wanted, strict=True)), crs
        left, bottom, right, top = map(float, moved.total_bounds)
        west = box(left, bottom, (left + right) / 2, top)
        assert 0 < len(client.features("network", bbox=west, crs=crs)) < PIPES
    heights = client.features("network", crs="EPSG:7416")
    assert heights.geometry.has_z.all()
    some = client.features("network", filter="objekttype = 'Vandledning'", properties="objekttype")
    assert (len(some), {*some.columns}) == (PIPES, {"objekttype", "geometry"})


def test_an_empty_answer_has_its_columns(client: Client) -> None:
    none = client.features("network", filter="objekttype = 'Elledning'")
    assert (len(none), none.crs.to_epsg()) == (0, 25832)
    assert {"objekttype", "driftsstatus", "geometry"} <= set(none.columns)
    assert client.features("requests", datetime=(None, "1990-01-01T00:00:00Z")).empty
    assert {"network", "requests"} <= {one["id"] for one in client.collections()}


def test_works_are_changed_by_the_version_that_was_read(client: Client) -> None:
    line = LineString([(575_000, 6_224_000), (575_100, 6_224_050)])
    made = client.works.create(line, WORK)
    assert made.geometry == line
    degrees = client.works.get(made.id, crs="EPSG:4326")
    assert degrees.geometry is not None
    assert degrees.geometry.bounds[0] < 20 < degrees.geometry.bounds[1]
    changed = client.works.change(made, {"title": "Anden"}, degrees.geometry, crs="EPSG:4326")
    assert changed.properties["title"] == "Anden"
    assert client.works.get(made.id).geometry.equals_exact(line, 0.01)  # type: ignore[union-attr] # it has one
    with pytest.raises(ProblemError) as stale:
        client.works.change(made, {"title": "Tredje"})
    assert (stale.value.code, stale.value.status) == ("precondition-failed", 412)
    client.works.end(client.works.get(made.id))
    with pytest.raises(ProblemError) as wrong:
        client.works.create(line, WORK | {"latest_end": "2027-02-01"})
    assert "/properties/latest_end" in str(wrong.value)
    assert wrong.value.document["status"] == wrong.value.status == 422


def test_a_network_is_uploaded_and_a_faulty_one_refused(
    worked: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("LER_TOKEN", worked.token(worked.owner()))
    file, told = tmp_path / "net.gml", list[str]()
    with Client(worked.url, transport=httpx.HTTPTransport(verify=NO_TLS)) as owner:
        file.write_bytes(answer().encode())
        made = owner.upload(file, told=lambda what, *_: told.append(what), auto_approve=True)
        assert (made["state"], made["features"]) == ("published", 2)
        assert {"sending", "published"} <= set(told)
        file.write_bytes(answer().replace("Vandledning", "Vandlækning").encode())
        with pytest.raises(ProblemError) as refused:
            owner.upload(file, auto_approve=True)
        assert refused.value.document["type"].endswith("network-refused")


def test_processes_run_at_once_and_as_jobs(client: Client) -> None:
    inputs = {"message": "hej", "thing": {"a": 1}, "numbers": [1, 2]}
    assert client.process("echo", inputs).items() >= inputs.items()
    job = client.start("echo", inputs)
    assert job.wait(60).items() >= inputs.items()
    assert job.status["status"] == "successful"
    job.dismiss()
    with pytest.raises(ProblemError) as gone:
        job.results()
    assert gone.value.status == 410
    with pytest.raises(ProblemError) as wrong:
        client.process("echo", {"ratio": "much"})
    assert wrong.value.document["errors"][0]["pointer"] == "/inputs/ratio"


def test_the_token_goes_to_the_service_alone() -> None:
    assert path_of("https://elsewhere.example/ogc/collections?a=b&c=%20d") == "/ogc/collections?a=b&c=%20d"


def test_no_token_and_systems_without_a_number_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LER_TOKEN", raising=False)
    with pytest.raises(InputError, match="LER_TOKEN"):
        Client("http://127.0.0.1:1")
    with pytest.raises(InputError, match="no number"):
        features.Query(crs="+proj=utm +zone=32 +ellps=bessel").parameters()


def test_pages_and_packages_that_do_not_come_whole_are_refused(tmp_path: Path) -> None:
    def half(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/items"):
            return httpx.Response(200, json={"features": [], "numberReturned": 1, "links": []})
        return httpx.Response(200, content=b"half")

    listed = {
        "being_made": False,
        "packages": [
            {
                "kind": "consolidated",
                "sha256": "0" * 64,
                "file": "/p",
                "file_name": "../up.zip",
                "revision": 1,
                "complete": True,
                "notices": [],
            }
        ],
    }
    with httpx.Client(base_url="http://x", transport=httpx.MockTransport(half)) as http:
        connection = Connection(http, pause=lambda _: None)
        with pytest.raises(UnavailableError, match="whole"):
            features.read_features(connection, "network", features.Query())
        with pytest.raises(UnavailableError, match="whole"):
            fetch_package(connection, listed, tmp_path)
    assert not list(tmp_path.iterdir())
