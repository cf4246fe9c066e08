"""One organisation that owns a network, digs in it, and has something in every collection; and its view of the OGC API.

`Suite` reads as the official suites do: everything by links and by the API definition, each answer once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import shapely
from psycopg import sql
from pyproj import Transformer

from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.roles import Role
from ler.model import Feature, Kind, load_model
from ler.services.grants import grant_role
from tests.acceptance.guard_rows.damages import DAMAGE, DAMAGES
from tests.acceptance.guard_rows.deviations import DEVIATIONS, UNKNOWN
from tests.networks import town_networks
from tests.service import Service
from tests.world import EVERYWHERE, water_pipe

CVR = "10000001"
UTILITIES = ("el", "vand", "gas", "fjernvarme/fjernkøling", "afløb", "telekommunikation", "olie")
PIPES = 150
SOME = 8
"""Features of each type."""
HOMELESS = "pipe.7"
"""A feature that has lost its place."""
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
GEOJSON = "application/geo+json"
_HYPHENED = {name.replace("-", "_"): name for name in ("bbox-crs", "filter-lang", "filter-crs", "as-of")}


def inhabit(service: Service, folder: Path) -> UUID:
    """Give an organisation something in every collection; all of it lies within 1 km."""
    world = service.world
    owner = world.owner(CVR, "Nordby Net", area=EVERYWHERE, utility_types=UTILITIES)
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        grant_role(connection, owner, Role.EXCAVATOR)
    world.network(CVR, folder, *network())
    with world.database.connect() as connection:
        connection.execute(
            sql.SQL("UPDATE ler.network_feature SET geom = NULL WHERE gml_id = %s"), [HOMELESS]
        )
    for number in range(3):
        service.asks(owner, shapely.box(574000 + 100 * number, 6223200, 575600, 6224600))
    http = service.client(service.token(owner)).http
    for number in range(3):
        place = {"type": "Point", "coordinates": [575000 + number * 70, 6224100]}
        _post(http, DAMAGES, DAMAGE | {"reference": f"S-{number}", "place": place})
        _post(http, DEVIATIONS, UNKNOWN | {"geometry": place})
        _post(http, "/ogc/collections/planned-works/items", work(number))
    return owner


def work(number: int) -> dict[str, Any]:
    """A planned work, as it is entered."""
    east, north = 10.2 + number / 1000, 56.155
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [[east, north], [east + 0.002, north + 0.001]]},
        "properties": {
            "title": f"Ny vandledning {number}",
            "activity": "vand",
            "method": "open-trench",
            "duration_days": 5 + number,
            "earliest_start": "2027-03-01",
            "latest_end": "2027-05-01",
        },
    }


def network() -> list[Feature]:
    """Some of each type of line and component of the demonstration town, without what they refer to, and pipes."""
    some: dict[str, list[Feature]] = {}
    for cvr, features in town_networks().items():
        for one in features:
            of_type = some.setdefault(one.type, [])
            if one.geometry is not None and len(of_type) < SOME:
                of_type.append(replace(one, gml_id=f"o{cvr}.{one.gml_id}", attributes=_own(one)))
    pipes = (
        water_pipe(
            f"pipe.{n}", (575000 + n % 15 * 30, 6224000 + n // 15 * 30, 1.5), (575020 + n, 6224500, 2.0)
        )
        for n in range(PIPES)
    )
    return [*(one for of_type in some.values() for one in of_type), *pipes]


def _own(one: Feature) -> dict[str, Any]:
    kinds = {each.name: each.kind for each in load_model().types[one.type].attributes}
    return {name: value for name, value in one.attributes.items() if kinds[name] is not Kind.REFERENCE}


def _post(http: httpx.Client, path: str, body: dict[str, Any]) -> None:
    form = GEOJSON if body.get("type") == "Feature" else "application/json"
    headers = {"Idempotency-Key": uuid4().hex, "Content-Type": form}
    answer = http.post(path, json=body, headers=headers)
    assert answer.status_code == 201, answer.text


@dataclass
class Suite:
    """What a caller sees; each answer is asked for once."""

    http: httpx.Client
    _kept: dict[tuple[Any, ...], httpx.Response] = field(default_factory=dict)

    def get(self, url: str, accept: str = "application/json", /, **given: Any) -> httpx.Response:  # noqa: ANN401 - values of parameters
        """Return an answer; names of parameters with hyphens are given with underscores."""
        params = {_HYPHENED.get(name, name): str(value) for name, value in given.items()}
        key = (url, accept, *params.items())
        if key not in self._kept:
            # httpx drops what stands in the address when parameters are given.
            asked = httpx.URL(url, params=httpx.URL(url).params.merge(params))
            self._kept[key] = self.http.get(asked, headers={"Accept": accept})
        return self._kept[key]

    def json(self, url: str, accept: str = "application/json", /, **given: Any) -> dict[str, Any]:  # noqa: ANN401
        answer = self.get(url, accept, **given)
        assert answer.status_code == 200, (url, given, answer.text)
        assert media_type(answer) == accept, (url, answer.headers["Content-Type"])
        found: dict[str, Any] = answer.json()
        return found

    @cached_property
    def landing(self) -> dict[str, Any]:
        return self.json("/ogc/")

    @cached_property
    def api(self) -> dict[str, Any]:
        link = linked(self.landing, "service-desc")
        answer = self.get(link["href"], link["type"])
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    @cached_property
    def conformance(self) -> list[str]:
        return list(self.json(linked(self.landing, "conformance")["href"])["conformsTo"])

    @cached_property
    def listed(self) -> dict[str, Any]:
        return self.json(linked(self.landing, "data")["href"])

    @cached_property
    def collections(self) -> list[dict[str, Any]]:
        """The collections of features, as the official suite chooses them."""
        return [
            one
            for one in self.listed["collections"]
            if one.get("itemType", "feature") == "feature" and linked(one, "items")
        ]

    @cached_property
    def spatial(self) -> list[dict[str, Any]]:
        return [one for one in self.collections if "spatial" in one["extent"]]

    def collection(self, name: str) -> dict[str, Any]:
        return next(one for one in self.collections if one["id"] == name)

    def items(self, collection: Mapping[str, Any], /, **given: Any) -> dict[str, Any]:  # noqa: ANN401
        return self.json(linked(collection, "items", GEOJSON)["href"], GEOJSON, **given)

    def refused(self, url: str, /, **given: Any) -> None:  # noqa: ANN401
        """See that a call is refused, and by a problem document that names the place."""
        answer = self.get(url, GEOJSON, **given)
        assert answer.status_code == 400, (url, given, answer.text)
        assert media_type(answer) == "application/problem+json"
        assert answer.json()["status"] == 400

    def item(self, collection: Mapping[str, Any]) -> str | None:
        """The address of the first feature of a collection."""
        features = self.items(collection)["features"]
        return f"{linked(collection, 'items', GEOJSON)['href']}/{features[0]['id']}" if features else None

    def with_features(self) -> Iterator[tuple[dict[str, Any], str]]:
        """Collections that hold something, and the address of their first feature."""
        for one in self.collections:
            address = self.item(one)
            if address:
                yield one, address

    def parameters(self, path: str) -> dict[str, dict[str, Any]]:
        """The parameters that the API definition has for a path."""
        found = (resolved(self.api, one) for one in self.api["paths"][path]["get"]["parameters"])
        return {one["name"]: one for one in found}


def linked(document: Mapping[str, Any], rel: str, type_: str | None = None) -> dict[str, Any]:
    """The first link of a relation and a media type; empty where there is none."""
    links = document["links"]
    return next((one for one in links if one["rel"] == rel and type_ in {None, one.get("type")}), {})


def resolved(document: Mapping[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """What a node of an OpenAPI document is, where it is a reference."""
    while "$ref" in node:
        found: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def media_type(answer: httpx.Response) -> str:
    return answer.headers["Content-Type"].partition("; charset")[0]


def moved(places: Any, source: str, target: str) -> Any:  # noqa: ANN401 - positions as numpy has them
    """Positions of one system of the API in another; east first within, in the order of each system outside."""
    return _transformer(_authority(source), _authority(target)).transform(places[0], places[1])


@cache
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(source, target)


def _authority(uri: str) -> str:
    *_, authority, _, code = uri.split("/")
    return f"{authority}:{code}"


def corners(collection: Mapping[str, Any], crs: str) -> tuple[float, float, float, float]:
    """The extent of a collection in another system, made of two corners, as the official suite makes it."""
    west, south, east, north = collection["extent"]["spatial"]["bbox"][0]
    first, second = moved((west, south), CRS84, crs), moved((east, north), CRS84, crs)
    return round(first[0], 7), round(first[1], 7), round(second[0], 7), round(second[1], 7)
