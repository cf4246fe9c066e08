"""Collections of the OGC API as tables of geopandas: page after page by the links `next`, none lost.

Coordinates come as geopandas has them, east before north, whatever order the axes of their system have; the frame's `crs`
says which system that is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx
import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from ler.client.connection import Connection
from ler.errors import InputError, UnavailableError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

OGC: Final = "/ogc"
STORAGE: Final = "EPSG:25832"
_PAGE: Final = 10_000
"""Features of a page; the service gives no more."""

type Box = tuple[float, float, float, float]
type Time = str | tuple[str | None, str | None]


@dataclass(frozen=True)
class Query:
    """What is asked of a collection."""

    bbox: Box | BaseGeometry | None = None
    """In the system `crs`, east first: west, south, east, north; or what has bounds."""
    filter: str | None = None
    """CQL2 text; its geometries are in `crs` too, in the order of its axes."""
    datetime: Time | None = None
    """A time or an interval (RFC 3339); None in a pair leaves that side open."""
    crs: Any = STORAGE
    """Whatever pyproj understands."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further parameters: `sortby`, `properties`, `as-of`, or a queryable."""

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of a call."""
        system = CRS.from_user_input(self.crs)
        uri = uri_of(system)
        found: dict[str, Any] = {"limit": _PAGE, "crs": uri}
        if self.bbox is not None:
            west, south, east, north = self.bbox.bounds if isinstance(self.bbox, BaseGeometry) else self.bbox
            box = (south, west, north, east) if north_first(system) else (west, south, east, north)
            found |= {"bbox": ",".join(map(str, box)), "bbox-crs": uri}
        if self.filter is not None:
            found |= {"filter": self.filter, "filter-lang": "cql2-text", "filter-crs": uri}
        if self.datetime is not None:
            pair = isinstance(self.datetime, tuple)
            found["datetime"] = "/".join(one or ".." for one in self.datetime) if pair else self.datetime
        return found | dict(self.more)


def read_features(connection: Connection, collection: str, query: Query) -> "GeoDataFrame":
    """Return all features, by their ids; without a feature, a frame with the columns that they would have."""
    from geopandas import GeoDataFrame  # noqa: PLC0415 - a second, for commands that need no table

    ids: list[str] = []
    rows: list[dict[str, Any]] = []
    places: list[BaseGeometry | None] = []
    for one in each_feature(connection, collection, query):
        ids.append(one["id"])
        rows.append(one["properties"])
        places.append(one["geometry"])
    columns = None if rows else _columns(connection, collection)
    frame = GeoDataFrame(
        rows, index=ids, columns=columns, geometry=places, crs=CRS.from_user_input(query.crs)
    )
    frame.index.name = "id"
    return frame


def each_feature(connection: Connection, collection: str, query: Query) -> Iterator[dict[str, Any]]:
    """Yield features as they come: `id`, `properties`, and `geometry` of shapely, or None.

    UnavailableError for a page that has not as many as it says, or is in another system than it was asked for in.
    """
    system = CRS.from_user_input(query.crs)
    turned = north_first(system)
    wanted = f"<{uri_of(system)}>"
    address = f"{OGC}/collections/{collection}/items"
    parameters: dict[str, Any] | None = query.parameters()
    headers = {"Accept": "application/geo+json"}
    while True:
        answer = connection.call("GET", address, params=parameters, headers=headers)
        page = answer.json()
        if len(page["features"]) != page["numberReturned"]:
            raise UnavailableError("A page of features did not arrive whole. Read them again.")
        if answer.headers.get("Content-Crs", wanted) != wanted:
            raise UnavailableError(
                f"The service answers in {answer.headers['Content-Crs']}, not in {wanted}."
            )
        for feature in page["features"]:
            yield feature | {"geometry": shape_of(feature["geometry"], turned=turned)}
        following = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
        if following is None:
            return
        # The link has the parameters; given again, they would take their place.
        address, parameters = following, None


def shape_of(geometry: dict[str, Any] | None, *, turned: bool) -> BaseGeometry | None:
    """Return a GeoJSON geometry east first, of one whose first axis may go north."""
    if geometry is None:
        return None
    read = shapely.geometry.shape(geometry)
    return turned_round(read) if turned else read


def turned_round(geometry: BaseGeometry) -> BaseGeometry:
    """Return a geometry with its first two axes in the other order."""
    order = [1, 0, 2] if geometry.has_z else [1, 0]
    return shapely.transform(geometry, lambda it: it[:, order], include_z=geometry.has_z)


def north_first(system: CRS) -> bool:
    """Whether positions in a system have their northing or latitude first, outside of GIS."""
    return bool(system.axis_info) and system.axis_info[0].direction == "north"


def uri_of(system: CRS) -> str:
    """Return the URI by which the OGC API names a system. InputError for one that no authority has a number for."""
    found = system.to_authority(min_confidence=100)
    if found is None:
        raise InputError(
            f"{system.name} has no number at EPSG or OGC; bring what you have into another system"
        )
    authority, code = found
    version = "1.3" if authority == "OGC" else "0"
    return f"http://www.opengis.net/def/crs/{authority}/{version}/{code}"


def _columns(connection: Connection, collection: str) -> list[str]:
    address = str(httpx.URL(f"{OGC}/collections/{collection}/schema"))
    described = connection.call("GET", address, headers={"Accept": "application/schema+json"}).json()
    apart = {"id", "primary-geometry"}
    return [name for name, one in described["properties"].items() if one.get("x-ogc-role") not in apart]
