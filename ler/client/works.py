"""Planned works, edited through the OGC API (Features 4): each change by the version that was read."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from pyproj import CRS
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from ler.client.connection import Connection
from ler.client.features import OGC, STORAGE, north_first, shape_of, turned_round, uri_of

_ITEMS: Final = f"{OGC}/collections/planned-works/items"
_GEOJSON: Final = "application/geo+json"
_PATCH: Final = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Work:
    """A planned work as it was read."""

    id: str
    properties: dict[str, Any]
    geometry: BaseGeometry | None
    """East first, in the system in which it was asked for."""
    etag: str
    """Its version; a change of it needs this."""


class Works:
    """The own planned works of a service. Raises ProblemError with each thing that is wrong, and changes nothing then."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, work_id: str, *, crs: Any = STORAGE) -> Work:  # noqa: ANN401 - as pyproj takes it
        """Read a work."""
        system = CRS.from_user_input(crs)
        headers = {"Accept": _GEOJSON}
        answer = self._connection.call(
            "GET", f"{_ITEMS}/{work_id}", params={"crs": uri_of(system)}, headers=headers
        )
        read = answer.json()
        place = shape_of(read["geometry"], turned=north_first(system))
        return Work(read["id"], read["properties"], place, answer.headers["ETag"])

    def create(self, geometry: BaseGeometry, properties: dict[str, Any], *, crs: Any = STORAGE) -> Work:  # noqa: ANN401
        """Enter a work, once even if the answer is lost; return it as it is there."""
        body = {"type": "Feature", "geometry": _sent(geometry, crs), "properties": properties}
        headers = {"Content-Type": _GEOJSON, "Content-Crs": _content_crs(crs), "Idempotency-Key": uuid4().hex}
        made = self._connection.call("POST", _ITEMS, json=body, headers=headers)
        return self.get(made.json()["id"], crs=crs)

    def change(
        self,
        work: Work,
        properties: dict[str, Any] | None = None,
        geometry: BaseGeometry | None = None,
        *,
        crs: Any = STORAGE,  # noqa: ANN401
    ) -> Work:
        """Change what is named, None takes a value away; `precondition-failed` if somebody else has since."""
        body: dict[str, Any] = {"properties": properties or {}}
        if geometry is not None:
            body["geometry"] = _sent(geometry, crs)
        headers = {"Content-Type": _PATCH, "Content-Crs": _content_crs(crs), "If-Match": work.etag}
        # Once: when the answer is lost and the call repeated, its own change would have made the version another.
        self._connection.once("PATCH", f"{_ITEMS}/{work.id}", json=body, headers=headers)
        return self.get(work.id, crs=crs)

    def end(self, work: Work) -> None:
        """End a work; it stays on record."""
        self._connection.once("DELETE", f"{_ITEMS}/{work.id}", headers={"If-Match": work.etag})


def _sent(geometry: BaseGeometry, crs: Any) -> dict[str, Any]:  # noqa: ANN401
    turned = north_first(CRS.from_user_input(crs))
    return mapping(turned_round(geometry) if turned else geometry)


def _content_crs(crs: Any) -> str:  # noqa: ANN401
    return f"<{uri_of(CRS.from_user_input(crs))}>"
