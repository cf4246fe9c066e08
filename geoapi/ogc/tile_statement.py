"""A tile of a collection as one SQL statement, in which PostGIS writes the layer (Mapbox Vector Tile 2).

A tile says no more than the items do: their id, and the properties that are no objects; geometry in 4,096 steps a side,
with a margin of 64 so that nothing is cut where a line is drawn wide. Lists are texts with `;` between.

Where a pixel (of 256) is wider than 10 m - up to zoom 13 of web maps -, tiles are for finding one's way and are
generalised: bends finer than a quarter of a pixel are left out; and where a tile would hold more than 10,000 features,
those that are shorter than 1/64 of its side are thinned, one in 2, 4, 8 ... by a hash of their ids, so that the same ones
stay at all scales. From zoom 14 on everything is there.
"""

from typing import Any, Final

from geoapi.ogc.collections import Collection, Property
from geoapi.ogc.cql2 import Kind
from geoapi.ogc.crs import STORAGE_SRID, moved_box
from geoapi.ogc.tile_matrix_sets import PIXELS, Bounds, Tile
from ler.db.reading import Statement

EXTENT: Final = 4096
MARGIN: Final = 64
DETAILED_M: Final = 10.0
"""Tiles with pixels of at most so many metres are complete."""
MOST_FEATURES: Final = 10_000
_FINEST_BEND: Final = 4
"""So many parts of a pixel."""
_LONG: Final = 64
"""So many parts of a tile's side."""
_CASTS: Final = {
    Kind.INTEGER: "({})::bigint",
    Kind.NUMBER: "({})::float8",
    Kind.BOOLEAN: "({})::boolean",
    Kind.STRINGS: "array_to_string({}, ';')",
    Kind.DATE: "to_json({}) #>> '{{}}'",
    Kind.DATETIME: "to_json({}) #>> '{{}}'",
}
_EMPTY: Final[Bounds] = (0.0, 0.0, -1.0, -1.0)


def tile_statement(
    collection: Collection, tile: Tile, coverage: Bounds, most: int = MOST_FEATURES
) -> Statement:
    """Return the statement of a layer; its row: `tile`, bytes, none where nothing is there; `features`; `tag`.

    `most`: above so many features, a tile that is not detailed is thinned.
    """
    srid = tile.tms.crs.srid
    detailed = tile.matrix.cell_size <= DETAILED_M
    box = searched(tile, coverage)
    west, south, east, north = tile.bounds
    values: dict[str, Any] = {
        "layer": collection.name,
        "west": west,
        "south": south,
        "east": east,
        "north": north,
    }
    values |= dict(zip(("w", "s", "e", "n"), box or _EMPTY, strict=True))
    # Boxes are made once, not for each row.
    place = f"f.geom && (SELECT ST_MakeEnvelope(%(w)s, %(s)s, %(e)s, %(n)s, {STORAGE_SRID}))"
    source = f"FROM {collection.source} AS f WHERE {place}" + (
        f" AND {collection.where}" if collection.where else ""
    )
    flat = "ST_Force2D(f.geom)"
    thinned = counted = ""
    if not detailed and box is not None:
        width = box[2] - box[0]
        values |= {"bend": width / PIXELS / _FINEST_BEND, "long": width / _LONG, "most": most}
        flat = f"ST_Simplify({flat}, %(bend)s, true)"
        counted = f"WITH counted AS (SELECT {_SHARE} AS share {source})"
        thinned = f" AND ({_IS_LONG} OR {_sampled(collection)})"
    drawn = flat if srid == STORAGE_SRID else f"ST_Transform({flat}, {srid})"
    bounds = f"(SELECT ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, {srid}))"
    geometry = f"ST_AsMVTGeom({drawn}, {bounds}, {EXTENT}, {MARGIN}, true) AS geom"
    tag = collection.tag or "SELECT NULL"
    # OFFSET 0: else each geometry is drawn twice, for the layer and to be counted.
    return Statement(
        f"""
        {counted}
        SELECT ST_AsMVT(t, %(layer)s, {EXTENT}, 'geom') AS tile, count(t.geom) AS features, ({tag}) AS tag
        FROM (SELECT {geometry}, {_told(collection)} {source}{thinned} OFFSET 0) AS t
        """,
        values,
        binary=True,
    )


def told_properties(collection: Collection) -> tuple[Property, ...]:
    """Return the properties that features of a tile have."""
    return tuple(one for one in collection.properties if one.kind is not None)


def searched(tile: Tile, coverage: Bounds) -> Bounds | None:
    """Return the box in EPSG:25832 in which features of a tile lie, its margin included; None: none can."""
    margin = tile.matrix.span * MARGIN / EXTENT
    west, south, east, north = tile.bounds
    ring = moved_box((west - margin, south - margin, east + margin, north + margin), tile.tms.crs, coverage)
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    return (min(xs), min(ys), max(xs), max(ys)) if ring else None


_SHARE: Final = "1::bigint << greatest(ceil(log(2, greatest(count(*), 1) / %(most)s::numeric)), 0)::integer"
"""One in so many."""
_IS_LONG: Final = "greatest(ST_XMax(f.geom) - ST_XMin(f.geom), ST_YMax(f.geom) - ST_YMin(f.geom)) > %(long)s"


def _sampled(collection: Collection) -> str:
    return f"hashtextextended({collection.id}, 0) & ((SELECT c.share FROM counted AS c) - 1) = 0"


def _told(collection: Collection) -> str:
    told = {one.name: _value(one) for one in told_properties(collection)}
    return ", ".join(f'{value} AS "{name}"' for name, value in ({"id": collection.id} | told).items())


def _value(one: Property) -> str:
    return _CASTS.get(one.kind or Kind.STRING, "{}").format(one.column)
