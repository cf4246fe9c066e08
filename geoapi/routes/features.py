"""The caller's own features, as they are or as they were: GeoJSON by the page, or the whole version as LER GML."""

import math
import os
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

import numpy as np
import shapely
from fastapi import Depends, FastAPI, Query, Request, Response
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry
from sqlalchemy.engine import Connection
from starlette.background import BackgroundTask
from starlette.responses import JSONResponse, StreamingResponse

from geoapi.auth import May, caller_transaction
from geoapi.moments import moment_of
from geoapi.negotiation import media_type_of
from geoapi.problems import ProblemError, ProblemException
from ler.domain.access import Scope
from ler.errors import RefusedError
from ler.model import Feature
from ler.services.network_files import write_network_gml
from ler.services.networks import Version, find_version_at, read_page
from ler.services.registry import get_organisation
from ler.services.tokens import Principal

type Reader = Annotated[Principal, Depends(May(Scope.NETWORK_READ))]
type Crs = Literal["EPSG:25832", "EPSG:4326"]
type Box = tuple[float, float, float, float]

PATH: Final = "/api/v1/network/features"
GEOJSON: Final = "application/geo+json"
GML: Final = "application/gml+xml"
TYPE: Final = "objekttype"
"""The property with the feature type, called as in the exports: `type` is an attribute of the model."""

_FORMS: Final = (GEOJSON, GML)
_CONTENT_CRS: Final[dict[Crs, str]] = {
    "EPSG:25832": "<http://www.opengis.net/def/crs/EPSG/0/25832>",
    # GeoJSON has east before north, which EPSG:4326 has not.
    "EPSG:4326": "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>",
}
_GML_CRS: Final = "<http://www.opengis.net/def/crs/EPSG/0/7416>"
_DECIMALS: Final[dict[Crs, int]] = {"EPSG:25832": 4, "EPSG:4326": 9}
"""0.1 mm both."""
_BOX_NUMBERS: Final = 4
_PIECE: Final = 1 << 18
"""Bytes of a file that are sent at a time."""


def add_routes(app: FastAPI) -> None:
    """Add the route."""
    app.add_api_route(
        PATH,
        features,
        methods=["GET"],
        summary="Features of the own network, as it is or as it was",
        response_model=None,
    )


def features(
    request: Request,
    caller: Reader,
    *,
    as_of: Annotated[
        str | None,
        Query(alias="as-of", max_length=40, description="A date, a time, or the number of a version; now."),
    ] = None,
    bbox: Annotated[
        str | None, Query(max_length=200, description="West, south, east, north in the crs asked for.")
    ] = None,
    crs: Crs = "EPSG:25832",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
) -> Response:
    """Give a page of features; `next` leads on in the same version, whatever is published meanwhile.

    An unknown height is left out of its position. With `Accept: application/gml+xml` the whole version as one file.
    """
    wanted = media_type_of(request.headers.get("accept"), (*_FORMS, "application/json"))
    if wanted is None:
        raise ProblemException("not-acceptable", f"there is {' and '.join(_FORMS)}")
    moment = _moment(as_of)
    box = _box(bbox, crs) if bbox is not None else None
    if wanted == GML and (box or after or "limit" in request.query_params or crs != "EPSG:25832"):
        raise ProblemException("parameter-invalid", f"{GML} is the whole version in its own system")
    with caller_transaction(request, caller) as connection:
        version = find_version_at(connection, caller.organisation_id, moment)
        if wanted == GML:
            return _whole(connection, caller.organisation_id, version)
        found = read_page(
            connection, caller.organisation_id, version.number, limit=limit + 1, after=after, box=box
        )
    page: dict[str, Any] = {
        "type": "FeatureCollection",
        "version": version.number,
        "features": _views([feature for _, feature in found[:limit]], crs),
    }
    if len(found) > limit:
        asked = {"as-of": version.number, "crs": crs, "limit": limit, "after": found[limit - 1][0]}
        page["next"] = f"{PATH}?{urlencode(asked | ({'bbox': bbox} if bbox else {}), safe=':,')}"
    headers = {"Content-Crs": _CONTENT_CRS[crs], "Vary": "Accept"}
    return JSONResponse(page, media_type=GEOJSON, headers=headers)


def _whole(connection: Connection, owner_id: UUID, version: Version) -> Response:
    """The version as a file that was written to its end: no caller gets half a network with status 200."""
    # The file has lost its name before the first byte is sent: nothing is left of it, whatever becomes of this process.
    with tempfile.TemporaryDirectory(prefix="ler-network-") as folder:
        path = Path(folder) / "network.gml"
        write_network_gml(connection, get_organisation(connection, owner_id), version, path)
        content = path.open("rb")
    headers = {
        "Content-Crs": _GML_CRS,
        "Content-Length": str(os.fstat(content.fileno()).st_size),
        "Content-Disposition": f'attachment; filename="network-{version.number}.gml"',
        "Vary": "Accept",
    }
    pieces = iter(partial(content.read, _PIECE), b"")
    return StreamingResponse(
        pieces, media_type=GML, headers=headers, background=BackgroundTask(content.close)
    )


def _moment(given: str | None) -> Any:  # noqa: ANN401 - as `find_version_at` takes it
    try:
        return None if given is None else moment_of(given)
    except RefusedError as error:
        raise _unusable("as-of", str(error)) from None


def _box(given: str, crs: Crs) -> Box:
    """The box in EPSG:25832; of a box in degrees, the one around it."""
    try:
        numbers = [float(number) for number in given.split(",")]
    except ValueError:
        raise _unusable("bbox", "four numbers are wanted") from None
    if len(numbers) != _BOX_NUMBERS or not all(math.isfinite(number) for number in numbers):
        raise _unusable("bbox", "four finite numbers are wanted: west, south, east, north")
    west, south, east, north = numbers
    if west > east or south > north:
        raise _unusable("bbox", "west must not be east of east, nor south north of north")
    if crs == "EPSG:4326":
        moved = _transformer(4326, 25832).transform_bounds(west, south, east, north, densify_pts=21)
        if not all(math.isfinite(number) for number in moved):
            raise _unusable("bbox", "it does not lie on the map of Denmark")
        west, south, east, north = moved
    return west, south, east, north


def _unusable(name: str, detail: str) -> ProblemException:
    errors = (ProblemError("parameter-invalid", detail, f"query/{name}"),)
    return ProblemException("parameter-invalid", detail, errors=errors)


def _transformer(source: int, target: int) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def _views(found: list[Feature], crs: Crs) -> list[dict[str, Any]]:
    shapes = np.array([feature.geometry for feature in found], dtype=object)
    if crs == "EPSG:4326" and len(shapes):
        transformer = _transformer(25832, 4326)

        def moved(positions: np.ndarray) -> np.ndarray:
            # Heights stay what they are: DVR90, or unknown.
            east, north = transformer.transform(positions[:, 0], positions[:, 1])
            return np.column_stack((east, north, positions[:, 2]))

        shapes = shapely.transform(shapes, moved, include_z=True)
    return [_view(feature, shape, crs) for feature, shape in zip(found, shapes, strict=True)]


def _view(feature: Feature, shape: BaseGeometry | None, crs: Crs) -> dict[str, Any]:
    geometry = None
    if shape is not None:
        mapped = shapely.geometry.mapping(shape)
        geometry = {"type": mapped["type"], "coordinates": _told(mapped["coordinates"], _DECIMALS[crs])}
    return {
        "type": "Feature",
        "id": feature.gml_id,
        "geometry": geometry,
        "properties": {TYPE: feature.type, **feature.attributes},
        "voids": feature.voids,
    }


def _told(coordinates: Iterable[Any], decimals: int) -> list[Any]:
    """The coordinates rounded, without heights that are unknown."""
    found = list(coordinates)
    if found and isinstance(found[0], float):
        return [round(number, decimals) for number in found if not math.isnan(number)]
    return [_told(inner, decimals) for inner in found]
