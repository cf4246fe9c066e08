"""OGC API Tiles 1: vector tiles of a collection, and of all that a caller sees. They pass the same gate as items."""

from hashlib import sha256
from typing import Final

from fastapi import Request, Response

from geoapi.ogc.audit import tell_of_reading
from geoapi.ogc.collections import Collection, visible_collections
from geoapi.ogc.crs import unusable
from geoapi.ogc.endpoint import route
from geoapi.ogc.formats import MVT, TILES, format_of
from geoapi.ogc.query import check_known, tile_query
from geoapi.ogc.site import check_visible, find_collection, gate_of, refused_to_who_sees, root_of
from geoapi.ogc.tags import answered, state_tag, unchanged
from geoapi.ogc.tile_matrix_sets import Tile, tile_at
from geoapi.ogc.tile_statement import tile_statement
from geoapi.ogc.versions import pinned_version
from geoapi.platform import platform_of
from ler.errors import NotFoundError

COLLECTIONS: Final = "collections"
"""The parameter that chooses the layers of a tile of the whole."""
_FORMAT: Final = TILES[0].name
_TILE: Final = "tiles/{tms}/{matrix}/{row}/{column}"


def drawable(collection: Collection) -> Collection:
    """Return a collection that has tiles; NotFoundError for one whose features have no place."""
    if not collection.drawn:
        raise NotFoundError("It has no tiles.")
    return collection


async def chosen_collections(request: Request) -> tuple[Collection, ...]:
    """Return those that `collections` names, by their names or addresses, or all that the caller sees and have a place.

    Whether it sees those that are named is for `check_visible`, like for all others.
    """
    given = request.query_params.get(COLLECTIONS)
    if given is None:
        caller = (await gate_of(request).ask(request)).caller
        visible = visible_collections(caller.scopes if caller else frozenset())
        return tuple(one for one in visible if one.drawn)
    names = [name.removeprefix(f"{root_of(request)}/collections/") for name in given.split(",")]
    if len({*names}) < len(names):
        raise unusable(COLLECTIONS, "each may be named once")
    found = tuple([await find_collection(request, name) for name in names])
    async with refused_to_who_sees(request, *found):
        return tuple(drawable(one) for one in found)


async def _tile(request: Request) -> Response:
    """Answer `/collections/{name}/tiles/{tms}/{matrix}/{row}/{column}`."""
    async with gate_of(request).begun(request):
        collection = await find_collection(request, request.path_params["name"])
        async with refused_to_who_sees(request, collection):
            query = tile_query(drawable(collection), request.query_params)
            tile = _place(request)
        return await _drawn(request, tile, (collection,), await pinned_version(request, query))


async def _dataset_tile(request: Request) -> Response:
    """Answer `/tiles/{tms}/{matrix}/{row}/{column}`."""
    check_known(request.query_params, {"f", COLLECTIONS})
    collections = await chosen_collections(request)
    async with refused_to_who_sees(request, *collections):
        tile = _place(request)
    return await _drawn(request, tile, collections, None)


def _place(request: Request) -> Tile:
    """The tile that is asked for."""
    format_of(request, TILES)
    names, coverage = request.path_params, platform_of(request).settings.coverage
    return tile_at(names["tms"], names["matrix"], names["row"], names["column"], coverage)


async def _drawn(
    request: Request, tile: Tile, collections: tuple[Collection, ...], pinned: int | None
) -> Response:
    """The tile, with a layer of each collection."""
    kept = await unchanged(request, collections, pinned, {}, _FORMAT)
    if kept is not None:
        return kept
    coverage = platform_of(request).settings.coverage
    read = await gate_of(request).ask(
        request, *(tile_statement(one, tile, coverage) for one in collections), pinned=pinned
    )
    rows = [rows[0] for rows in read.rows]
    for one, row in zip(collections, rows, strict=True):
        check_visible(request, one, read.caller)
        await tell_of_reading(request, one, read.caller, row.features)
    content = b"".join(row.tile for row in rows if row.features)
    states = {one.tag: row.tag for one, row in zip(collections, rows, strict=True)}
    if None in states:
        states = {None: sha256(content).hexdigest()}
    return answered(request, content, state_tag(request, read.caller, _FORMAT, *states.values()), MVT)


ROUTES: Final = (
    route(f"/collections/{{name}}/{_TILE}", _tile),
    route(f"/{_TILE}", _dataset_tile),
)
