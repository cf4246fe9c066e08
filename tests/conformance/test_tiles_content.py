"""What stands in tiles, against the features of the database, moved and clipped by pyproj and shapely."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from psycopg import sql
from psycopg.rows import namedtuple_row
from pyproj import Transformer
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from geoapi.ogc.collections import all_collections
from geoapi.ogc.tile_matrix_sets import tile_at
from geoapi.ogc.tile_statement import tile_statement
from ler.db.reading import Statement
from ler.domain.access import Scope
from ler.settings import Settings
from tests.conformance.scene import Suite
from tests.service import Service, execute
from tests.tile_places import Place, place_of

MVT = "application/vnd.mapbox-vector-tile"
EXTENT, MARGIN = 4096, 64
ROUNDING, EDGE = 1.5, 8
CENTRE = (575100.0, 6224200.0)
Geometries = Mapping[str, BaseGeometry]


@pytest.fixture(scope="module")
def network(platform: Service, inhabitant: UUID) -> Geometries:
    """The features that have a place, by their ids."""
    with platform.world.database.connect() as connection:
        rows = connection.execute(
            sql.SQL(
                "SELECT gml_id, ST_AsBinary(ST_Force2D(geom)) FROM ler.network_feature"
                " WHERE geom IS NOT NULL AND owner_id = %s"
            ),
            [inhabitant],
        ).fetchall()
    return {str(gml_id): shapely.from_wkb(bytes(wkb)) for gml_id, wkb in rows}


def layer_of(suite: Suite, tms: str, place: Place) -> list[dict[str, Any]]:
    answer = suite.get(f"/ogc/collections/network/tiles/{tms}/{place.path}", MVT)
    assert answer.status_code == 200, answer.text
    decoded = mapbox_vector_tile.decode(answer.content, default_options={"y_coord_down": True})
    assert [*decoded] == ["network"]
    assert decoded["network"]["extent"] == EXTENT
    features: list[dict[str, Any]] = decoded["network"]["features"]
    return features


@cache
def to_system(srid: int) -> Transformer:
    return Transformer.from_crs(25832, srid, always_xy=True)


def drawn(geometry: BaseGeometry, place: Place, margin: float = MARGIN) -> BaseGeometry:
    """A geometry of EPSG:25832 in the steps of a tile, clipped to what lies so far around it."""
    west, _, east, north = place.box
    steps = EXTENT / (east - west)

    def move(positions: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        x, y = to_system(place.srid).transform(positions[:, 0], positions[:, 1])
        return np.column_stack(((x - west) * steps, (north - y) * steps))

    window = shapely.box(-margin, -margin, EXTENT + margin, EXTENT + margin)
    return shapely.intersection(shapely.transform(geometry, move), window)


@pytest.mark.parametrize(
    ("tms", "matrix"), [("WebMercatorQuad", 14), ("WebMercatorQuad", 17), ("View1", 8), ("View1", 11)]
)
def test_a_detailed_tile_is_an_exact_clip(suite: Suite, network: Geometries, tms: str, matrix: int) -> None:
    place = place_of(tms, matrix, *CENTRE)
    found = {one["properties"]["id"]: shape(one["geometry"]) for one in layer_of(suite, tms, place)}
    inside = {name: drawn(one, place, MARGIN - EDGE) for name, one in network.items()}
    around = {name: drawn(one, place, MARGIN + EDGE) for name, one in network.items()}
    # What is smaller than a step may round to nothing; all else is there, and nothing that is elsewhere.
    assert {name for name, one in inside.items() if is_drawn(one)} <= {*found}
    assert {*found} <= {name for name, one in around.items() if not one.is_empty}
    for name, one in found.items():
        # Rounding to steps moves a line by 0.7; where it is cut at the edge, along the edge.
        assert shapely.covers(shapely.buffer(drawn(network[name], place, 2 * MARGIN), ROUNDING), one), name
        assert inside[name].is_empty or shapely.covers(shapely.buffer(one, ROUNDING), inside[name]), name


def is_drawn(geometry: BaseGeometry) -> bool:
    return geometry.length > 2 or ("Point" in geometry.geom_type and not geometry.is_empty)


def test_a_tile_tells_what_the_items_tell(suite: Suite) -> None:
    items = suite.json("/ogc/collections/network/items", "application/geo+json", limit=1000)["features"]
    by_id = {one["id"]: one["properties"] for one in items}
    for one in layer_of(suite, "WebMercatorQuad", place_of("WebMercatorQuad", 14, *CENTRE)):
        told = dict(one["properties"])
        item = by_id[told.pop("id")].items()
        plain = {name: value for name, value in item if value is not None and not isinstance(value, dict)}
        assert told == {
            name: ";".join(value) if isinstance(value, list) else value for name, value in plain.items()
        }


def test_generalised_tiles_have_no_more_than_the_items(suite: Suite, network: Geometries) -> None:
    place = place_of("WebMercatorQuad", 11, *CENTRE)
    features = layer_of(suite, "WebMercatorQuad", place)
    assert {one["properties"]["id"] for one in features} <= {*network}
    for one in features:
        name, geometry = one["properties"]["id"], shape(one["geometry"])
        assert shapely.get_num_coordinates(geometry) <= shapely.get_num_coordinates(network[name])
        # A quarter of a pixel of 16 steps, the rounding, and its chords.
        near = shapely.buffer(drawn(network[name], place, 2 * MARGIN), 4 + ROUNDING)
        assert shapely.covers(near, geometry), name


def test_full_tiles_are_thinned_and_keep_what_is_long(
    platform: Service, inhabitant: UUID, network: Geometries
) -> None:
    coverage = Settings().coverage
    place = place_of("WebMercatorQuad", 10, *CENTRE)
    matrix, row, column = map(str, place.numbers)
    tile = tile_at("WebMercatorQuad", matrix, row, column, coverage)
    collection = all_collections()["network"]

    def ids(most: int) -> set[str]:
        statement = tile_statement(collection, tile, coverage, most)
        rows = read(platform, inhabitant, statement)
        layer = mapbox_vector_tile.decode(bytes(rows[0].tile))["network"]
        return {one["properties"]["id"] for one in layer["features"]}

    everything, half, few = ids(10_000), ids(len(network) // 2 + 1), ids(10)
    assert few < half < everything
    span = (place.box[2] - place.box[0]) * 0.6 / 64
    long = {name for name, one in network.items() if max(np.ptp(shapely.get_coordinates(one), axis=0)) > span}
    assert long & everything <= few


def read(platform: Service, owner: UUID, statement: Statement) -> list[Any]:
    """What a statement gives to an organisation, asked for past the service."""
    with platform.world.database.connect() as connection:
        connection.execute(sql.SQL("SET search_path = ler, public, postgis"))
        connection.execute(
            sql.SQL(
                "SELECT set_config('ler.principal', owner_id::text, false), set_config('ler.pinned', '1', false),"
                " set_config('ler.pinned_dataset', id::text, false) FROM ler.network_dataset WHERE owner_id = %s"
            ),
            [owner],
        )
        return (
            connection.cursor(row_factory=namedtuple_row)
            .execute(statement.sql.encode(), statement.values)
            .fetchall()
        )


def test_tiles_are_kept_by_who_got_them(platform: Service, suite: Suite, stranger: Suite) -> None:
    place = place_of("WebMercatorQuad", 14, *CENTRE)
    for address in (
        f"/ogc/collections/network/tiles/WebMercatorQuad/{place.path}",
        f"/ogc/tiles/WebMercatorQuad/{place.path}",
    ):
        answer = suite.get(address, MVT)
        assert answer.headers["Cache-Control"] == "private, no-cache"
        known = {"If-None-Match": answer.headers["ETag"]}
        assert suite.http.get(address, headers=known).status_code == 304
        head = suite.http.head(address)
        assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", answer.headers["ETag"])
        # Another owner has none of it: nothing of the network, and of all collections what is open to everybody.
        reader = platform.client(platform.token(platform.owner(), Scope.NETWORK_READ))
        other = reader.http.get(address, headers=known)
        open_to_all = stranger.http.get(address)
        assert other.status_code in {200, 204}
        assert other.content == (b"" if open_to_all.status_code != 200 else open_to_all.content)
    assert (
        stranger.http.get(
            f"/ogc/collections/network/tiles/WebMercatorQuad/{place.path}", headers=known
        ).status_code
        == 401
    )


def test_older_versions_have_tiles(suite: Suite) -> None:
    address = f"/ogc/collections/network/tiles/View1/{place_of('View1', 8, *CENTRE).path}"
    assert suite.get(address, MVT, as_of=1).content == suite.get(address, MVT).content
    assert suite.get(address, MVT, as_of=99).status_code == 404
    assert suite.get(address, MVT, crs="x").status_code == 400
    assert suite.get(address, MVT, f="png").status_code == 400


def test_what_an_owner_takes_back_is_gone_at_once(platform: Service, suite: Suite) -> None:  # noqa: ARG001 - that there is a network
    requester = platform.owner()
    platform.asks(requester)
    http = platform.client(platform.token(requester)).http
    tile = f"/ogc/collections/package-features/tiles/WebMercatorQuad/{place_of('WebMercatorQuad', 16, 575050, 6224050).path}"
    items = "/ogc/collections/package-features/items"
    known = {address: http.get(address).headers["ETag"] for address in (tile, items)}
    for address, tag in known.items():
        assert http.get(address, headers={"If-None-Match": tag}).status_code == 304
    execute(platform, "UPDATE ler.owner_answer SET replaced_at = now() WHERE requester_id = %s", requester)
    assert http.get(tile, headers={"If-None-Match": known[tile]}).status_code == 204
    answer = http.get(items, headers={"If-None-Match": known[items]})
    assert (answer.status_code, answer.json()["features"]) == (200, [])
