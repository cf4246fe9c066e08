"""The tile matrix sets in which tiles are offered, and which of their tiles can hold anything.

`WebMercatorQuad` is OGC's, read from the definitions that come with pygeoapi. `View1` is the grid of the public Danish map
services (WMTS in EPSG:25832 of Dataforsyningen and Datafordeler): 256 pixels from (120000, 6500000), 1638.4 m a pixel at the
top, halved at each step down to 0.2 m, so that tiles lie exactly on those maps. Its matrices are numbered 0 to 13 here.

Tiles are numbered from the north west. Refused is what lies outside of a matrix, or where the platform has no coverage:
these limits are the same for everybody, and say nothing of what is there.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import floor
from typing import Any, Final

from geoapi.ogc.crs import STORAGE, Crs, around, crs_of
from geoapi.ogc.formats import JSON
from geoapi.ogc.links import link
from geoapi.problems import Language
from ler.errors import NotFoundError

type Bounds = tuple[float, float, float, float]
"""West, south, east, north."""

PIXELS: Final = 256
"""A tile's side, by which matrices tell their resolution."""
_DEEPEST_MERCATOR: Final = 22
"""Beyond it, a step of a tile (1/4096) is finer than the millimetre that items tell."""
_LONGEST: Final = 9
"""Digits of a number that can be a row or column."""
_PIXEL_M: Final = 0.00028
"""Of the standard's scale denominators."""
_VIEW1_TOP_M: Final = 1638.4
_VIEW1_ORIGIN: Final = (120_000.0, 6_500_000.0)
_VIEW1_MATRICES: Final = 14
_TITLES: Final[dict[str, dict[Language, str]]] = {
    "WebMercatorQuad": {"en": "Web maps of the world", "da": "Webkort over verden"},
    "View1": {
        "en": "Public Danish map services (UTM 32)",
        "da": "De offentlige danske korttjenester (UTM 32)",
    },
}


@dataclass(frozen=True, slots=True)
class TileMatrix:
    """One step of a set: `columns` by `rows` tiles, of so many units of its system a pixel."""

    id: str
    cell_size: float
    origin: tuple[float, float]
    columns: int
    rows: int

    @property
    def span(self) -> float:
        """A tile's side in units of the system."""
        return self.cell_size * PIXELS


@dataclass(frozen=True, slots=True)
class Tile:
    """A place in a set."""

    tms: "TileMatrixSet"
    matrix: TileMatrix
    row: int
    column: int

    @property
    def bounds(self) -> Bounds:
        """Its box in the set's system."""
        west = self.matrix.origin[0] + self.column * self.matrix.span
        north = self.matrix.origin[1] - self.row * self.matrix.span
        return west, north - self.matrix.span, west + self.matrix.span, north


@dataclass(frozen=True, slots=True)
class Limits:
    """The rows and columns of a matrix in which there can be anything, all included."""

    matrix: TileMatrix
    first_row: int
    last_row: int
    first_column: int
    last_column: int

    @property
    def described(self) -> dict[str, Any]:
        """As the standard writes them."""
        return {
            "tileMatrix": self.matrix.id,
            "minTileRow": self.first_row,
            "maxTileRow": self.last_row,
            "minTileCol": self.first_column,
            "maxTileCol": self.last_column,
        }


@dataclass(frozen=True, slots=True, eq=False)
class TileMatrixSet:
    """A grid for all scales."""

    id: str
    uri: str | None
    """Where it is registered; None: with us alone."""
    crs: Crs
    axes: tuple[str, str]
    matrices: tuple[TileMatrix, ...]

    def uri_at(self, root: str) -> str:
        """Return its registered address, or ours."""
        return self.uri or self.address(root)

    def address(self, root: str) -> str:
        """Return where we describe it."""
        return f"{root}/tileMatrixSets/{self.id}"

    def title(self, language: Language) -> str:
        """Return what it is for."""
        return _TITLES[self.id][language]


@cache
def tile_matrix_sets() -> dict[str, TileMatrixSet]:
    """Return every set by its name, in the order in which they are listed."""
    return {one.id: one for one in (_web_mercator(), _view1())}


def tile_matrix_set(name: str) -> TileMatrixSet:
    """Return the set of that name; NotFoundError for one that there is not."""
    try:
        return tile_matrix_sets()[name]
    except KeyError:
        raise NotFoundError("There is no such tile matrix set.") from None


def tile_at(name: str, matrix: str, row: str, column: str, coverage: Bounds) -> Tile:
    """Return the tile at a place; NotFoundError for what is no number, not in the matrix or beyond the limits."""
    tms = tile_matrix_set(name)
    limits = limits_of(tms, coverage).get(matrix)
    numbers = [int(one) for one in (row, column) if one.isascii() and one.isdigit() and len(one) <= _LONGEST]
    if limits is not None and len(numbers) == 2:  # noqa: PLR2004 - a row and a column
        inside_rows = limits.first_row <= numbers[0] <= limits.last_row
        if inside_rows and limits.first_column <= numbers[1] <= limits.last_column:
            return Tile(tms, limits.matrix, *numbers)
    raise NotFoundError("There is no such tile.")


@cache
def limits_of(tms: TileMatrixSet, coverage: Bounds) -> dict[str, Limits]:
    """Return the limits of each matrix by its name; `coverage` is in EPSG:25832."""
    return {one.id: _limits(one, around(tms.crs.srid, coverage)) for one in tms.matrices}


def described(tms: TileMatrixSet, root: str, language: Language) -> dict[str, Any]:
    """Return the definition as the standard writes it (2D Tile Matrix Set 2.0)."""
    told = {"id": tms.id, "title": tms.title(language), "uri": tms.uri_at(root), "crs": tms.crs.uri}
    return told | {
        "orderedAxes": [*tms.axes],
        "tileMatrices": [
            {
                "id": one.id,
                "scaleDenominator": one.cell_size / _PIXEL_M,
                "cellSize": one.cell_size,
                "pointOfOrigin": [*one.origin],
                "tileWidth": PIXELS,
                "tileHeight": PIXELS,
                "matrixWidth": one.columns,
                "matrixHeight": one.rows,
            }
            for one in tms.matrices
        ],
    }


def listed(root: str, language: Language) -> dict[str, Any]:
    """Return the list of all sets."""
    return {
        "tileMatrixSets": [
            {
                "id": one.id,
                "title": one.title(language),
                "uri": one.uri_at(root),
                "crs": one.crs.uri,
                "links": [link("self", one.address(root), JSON, language, told=True)],
            }
            for one in tile_matrix_sets().values()
        ],
        "links": [link("self", f"{root}/tileMatrixSets", JSON, language, told=True)],
    }


def _limits(matrix: TileMatrix, box: Bounds) -> Limits:
    west, north = matrix.origin

    def place(metres: float, count: int) -> int:
        return min(max(floor(metres / matrix.span), 0), count - 1)

    return Limits(
        matrix,
        place(north - box[3], matrix.rows),
        place(north - box[1], matrix.rows),
        place(box[0] - west, matrix.columns),
        place(box[2] - west, matrix.columns),
    )


def _web_mercator() -> TileMatrixSet:
    definition = files("pygeoapi").joinpath("resources/definitions/tiles/WebMercatorQuad.json")
    found = json.loads(definition.read_text(encoding="utf-8"))
    matrices = tuple(
        TileMatrix(
            one["id"],
            one["cellSize"],
            (one["pointOfOrigin"][0], one["pointOfOrigin"][1]),
            one["matrixWidth"],
            one["matrixHeight"],
        )
        for one in found["tileMatrices"][: _DEEPEST_MERCATOR + 1]
    )
    x, y = found["orderedAxes"]
    return TileMatrixSet(found["id"], found["uri"], crs_of(found["crs"]), (x, y), matrices)


def _view1() -> TileMatrixSet:
    matrices = tuple(
        TileMatrix(str(step), _VIEW1_TOP_M / 2**step, _VIEW1_ORIGIN, 3 * 2**step, 2 * 2**step)
        for step in range(_VIEW1_MATRICES)
    )
    return TileMatrixSet("View1", None, STORAGE, ("E", "N"), matrices)
