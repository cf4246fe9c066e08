"""What is somebody else's is on no surface of the OGC API: bytes never show it, and answers are those of a world without.

Every wrong role asks for every collection, in every form, in a world without the secret, and again when it is there. Both
answers must be the same, so "forbidden" and "empty" cannot be told apart, and neither can counts, extents or tags.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import shapely

from geoapi.ogc.collections import all_collections
from geoapi.ogc.crs import OFFERED, transformer
from geoapi.ogc.families import family_collections
from geoapi.ogc.formats import LER_ITEMS
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.access import Scope
from ler.domain.roles import Role
from ler.services.grants import grant_role
from tests.acceptance.guard_rows.damages import DAMAGE, DAMAGES
from tests.acceptance.guard_rows.deviations import DEVIATIONS, UNKNOWN
from tests.sensitive_scene import withhold_something
from tests.service import Service
from tests.world import water_pipe

MARK = "HEMMELIGT"
LINE = "hemmelig.1"
CVR = "10000077"
PLACE = (574_512.375, 6_224_487.625)
"""Of the secret line's beginning, by whose digits bytes are searched."""
DIGITS = ("574512.375", "6224487.625", "574512.37", "6224487.62")
PLANNED = "/ogc/collections/planned-works/items"
SEARCHED = ("gml_id", "title", "reference", "purpose", "remark", "id_ler", "sikkerhedshensyn", "description")
ZOOMS = {"WebMercatorQuad": range(1, 20, 6), "View1": range(1, 14, 6)}

type Answers = dict[str, tuple[int, bytes]]


def degrees() -> tuple[float, float]:
    found: tuple[float, float] = transformer(25832, 4326).transform(*PLACE)
    return found


ALIKE = frozenset(one.name for one in family_collections(all_collections()["package-features"])) - {
    "lines-water",
    "components-water",
}
"""Collections that read what `package-features` reads, by another type: of them one form each."""


def surfaces() -> Iterator[str]:
    """Every address, in every form, that could show the secret."""
    yield from ("/ogc", "/ogc/collections", "/ogc/openapi", "/ogc/conformance", "/ogc/processes", "/ogc/jobs")
    yield from ("/ogc/tileMatrixSets", "/ogc/tiles", "/ogc/styles", "/ogc/package.qlr")
    for name in all_collections():
        yield from [f"/ogc/collections/{name}/items"] if name in ALIKE else of_collection(name)
    for tms in ZOOMS:
        yield from (f"/ogc/tiles/{tms}", *(f"/ogc/tiles/{tms}/{tile}" for tile in tiles(tms)))


def of_collection(name: str) -> Iterator[str]:
    here = f"/ogc/collections/{name}"
    items = f"{here}/items"
    collection = all_collections()[name]
    yield from (here, f"{here}/schema", f"{here}/queryables", f"{here}/tiles", f"{here}/styles", items)
    yield from (f"{items}?f={one.name}" for one in LER_ITEMS)
    yield from (f"{items}/{LINE}", f"{items}/{uuid4()}", f"{items}?limit=1", f"{items}?offset=1")
    lon, lat = degrees()
    yield f"{items}?bbox={lon - 0.001},{lat - 0.001},{lon + 0.001},{lat + 0.001}"
    near = ",".join(str(one) for one in (PLACE[0] - 5, PLACE[1] - 5, PLACE[0] + 5, PLACE[1] + 5))
    yield f"{items}?bbox={near}&bbox-crs={OFFERED[1].uri}&crs={OFFERED[2].uri}&f=json"
    yield f"{items}?datetime=2000-01-01/.."
    yield f"{items}?skipGeometry=true"
    if collection.geometry != "none":
        yield f"{items}?filter=S_INTERSECTS(geom,POINT({lon} {lat}))"
        asked = {
            "op": "s_disjoint",
            "args": [{"property": "geom"}, {"type": "Point", "coordinates": [lon, lat]}],
        }
        yield f"{items}?filter-lang=cql2-json&filter={json.dumps(asked)}"
    queryables = [one.name for one in collection.properties if one.kind is not None]
    for one in queryables:
        if one in SEARCHED:
            yield f"{items}?filter={one} LIKE '%25{MARK}%25' OR {one} = '{LINE}'"
            yield f"{items}?{one}={LINE}"
    yield f"{items}?sortby=-{queryables[0]},{queryables[-1]}" if collection.properties[-1].kind else items
    for tms in ZOOMS:
        yield from (f"{here}/tiles/{tms}", *(f"{here}/tiles/{tms}/{tile}" for tile in tiles(tms)))


def tiles(tms: str) -> Iterator[str]:
    """Tiles with the place, at several zooms."""
    for zoom in ZOOMS[tms]:
        if tms == "View1":
            side, west, north, place = 1638.4 / 2**zoom * 256, 120_000.0, 6_500_000.0, PLACE
        else:
            half = 20_037_508.342789244
            side, west, north = 2 * half / 2**zoom, -half, half
            place = transformer(25832, 3857).transform(*PLACE)
        yield f"{zoom}/{int((north - place[1]) / side)}/{int((place[0] - west) / side)}"


def told(answer: httpx.Response) -> tuple[int, bytes]:
    """What an answer says, without what differs each time: the moment, and numbers of the call."""
    content = re.sub(rb'"timeStamp": ?"[^"]*"', b"", answer.content)
    tag = answer.headers.get("ETag", "")
    return answer.status_code, content + tag.encode()


def look(who: str, http: httpx.Client) -> Answers:
    """What somebody gets; with a bad token the same everywhere, so of that a tenth."""
    asked = [*surfaces()][:: 10 if who == "bad token" else 1]
    return {address: told(http.get(address)) for address in asked}


@pytest.fixture(scope="module")
def people(service: Service, tmp_path_factory: pytest.TempPathFactory) -> dict[str, httpx.Client]:
    """Everybody whose the secret is not."""
    world = service.world

    def organisation(*roles: Role) -> UUID:
        made = service.owner()
        with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
            for role in roles:
                grant_role(connection, made, role)
        return made

    digger = organisation()
    # Has asked where a line is withheld from it, and got another.
    neighbour = service.owner()
    area = withhold_something(world, neighbour, tmp_path_factory.mktemp("neighbour"))
    service.asks(digger, area)
    return {
        "nobody": service.client(None).http,
        "another owner": service.client(service.token(organisation())).http,
        "digger": service.client(service.token(digger)).http,
        "provider": service.client(service.token(organisation(Role.PROVIDER))).http,
        "without scopes": service.client(service.token(organisation(), Scope.NOTICE_READ)).http,
        "bad token": service.client("ler_pat_" + "0" * 46).http,
    }


@pytest.fixture(scope="module")
def victim(service: Service) -> UUID:
    """Whose the secret will be; it is registered from the beginning."""
    made = service.world.owner(CVR, MARK, area=None)
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        grant_role(connection, made, Role.EXCAVATOR)
    return made


def plant(service: Service, victim: UUID, folder: Path) -> httpx.Client:
    """A line, a request, a damage, a deviation, an interest area, a draft and a job, all of them secret."""
    x, y = PLACE
    line = water_pipe(LINE, (x, y, 1.5), (x + 40, y, 1.5))
    service.world.network(CVR, folder, line)
    http = service.client(service.token(victim)).http
    square = shapely.box(x - 20, y - 20, x + 20, y + 20)
    service.asks(victim, square, purpose=MARK)
    key = {"Idempotency-Key": uuid4().hex}
    point = {"type": "Point", "coordinates": [x, y]}
    assert http.post(DAMAGES, json=DAMAGE | {"reference": MARK, "place": point}, headers=key).is_success
    key = {"Idempotency-Key": uuid4().hex}
    assert http.post(DEVIATIONS, json=UNKNOWN | {"geometry": point}, headers=key).is_success
    utm = {"Content-Type": "application/geo+json", "Content-Crs": f"<{OFFERED[1].uri}>"}
    area = {"utility_types": ["vand"], "remark": MARK, "contact_person": "x", "contact_email": "x@example.dk"}
    polygon = json.loads(shapely.to_geojson(square))
    body = {"type": "Feature", "geometry": polygon, "properties": area}
    assert http.post("/ogc/collections/interest-areas/items", json=body, headers=utm).is_success
    work = {"title": MARK, "activity": "vand", "method": "open-trench", "duration_days": 5, "status": "draft"}
    work |= {"earliest_start": "2027-03-01", "latest_end": "2027-05-01", "contact": MARK}
    body = {"type": "Feature", "geometry": point, "properties": work}
    assert http.post(PLANNED, json=body, headers=utm).is_success
    job = http.post(
        "/ogc/processes/echo/execution",
        json={"inputs": {"message": MARK}},
        headers={"Prefer": "respond-async"},
    )
    assert job.status_code == 201, job.text
    return http


def test_secrets_are_on_no_surface_and_change_no_answer(
    service: Service, people: dict[str, httpx.Client], victim: UUID, tmp_path: Path
) -> None:
    before = {who: look(who, http) for who, http in people.items()}
    owner = plant(service, victim, tmp_path)
    job = owner.get("/ogc/jobs").json()["jobs"][0]["jobID"]
    # That it is there is seen by whose it is; without that the test would prove nothing.
    own = owner.get(f"/ogc/collections/network/items?crs={OFFERED[1].uri}").text
    assert LINE in own
    assert DIGITS[0] in own
    assert MARK in owner.get("/ogc/collections/requests/items").text
    after = {who: look(who, http) for who, http in people.items()}
    for who, answers in after.items():
        for address, (status, content) in answers.items():
            assert status < 500, (who, address)
            # What was asked for is told back in links and problems: that alone may name it.
            shown = content.replace(LINE.encode(), b"") if LINE in address else content
            shown = shown.replace(MARK.encode(), b"") if MARK in address else shown
            for secret in (MARK, LINE, *DIGITS):
                assert secret.encode() not in shown, (who, address, secret)
            if not re.search(r"items/[0-9a-f-]{36}$", address):
                assert (status, content) == before[who][address], (who, address)
        for path in (f"/ogc/jobs/{job}", f"/ogc/jobs/{job}/results"):
            absent = path.replace(job, str(uuid4()))
            mine, none = people[who].get(path), people[who].get(absent)
            assert mine.status_code == none.status_code != 200, (who, path)
            assert mine.text.replace(job, "") == none.text.replace(absent.split("/")[3], ""), (who, path)


def test_every_collection_is_there_for_somebody_and_hidden_from_who_lacks_its_scope(service: Service) -> None:
    """The matrix: a token with one scope sees the public collections and those of that scope, no others."""
    organisation = service.owner()
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        for role in (Role.AUTHORITY, Role.AUDITOR):
            grant_role(connection, organisation, role)
    public = {name for name, one in all_collections().items() if one.scope is None}
    seen: dict[str, Any] = {}
    for scope in Scope:
        http = service.client(service.token(organisation, scope)).http
        listed = {one["id"] for one in http.get("/ogc/collections").json()["collections"]}
        wanted = public | {name for name, one in all_collections().items() if one.scope == scope}
        assert listed == wanted, scope
        for name in all_collections():
            status = http.get(f"/ogc/collections/{name}/items?limit=1").status_code
            assert status == (200 if name in wanted else 404), (scope, name)
        seen |= dict.fromkeys(listed, scope)
    assert {*seen} == {*all_collections()}
    nobody = service.client(None).http
    for name in all_collections():
        status = nobody.get(f"/ogc/collections/{name}/items?limit=1").status_code
        assert status == (200 if name in public else 401), name
