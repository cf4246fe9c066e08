"""A request that was sent, from its receipt to its package."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from ler.client.connection import Connection, pauses
from ler.client.features import STORAGE, Query, read_features
from ler.client.packages import Fetched, check_signature, fetch_package, newest_of
from ler.errors import InputError, RefusedError, UnavailableError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

PATH: Final = "/api/v1/requests"
_OVER: Final = frozenset({"cancelled", "ended", "erased"})

type Day = str | date


class Request:
    """A request of one's own. Raises ProblemError, and UnavailableError when the service is away."""

    def __init__(self, connection: Connection, receipt: dict[str, Any]) -> None:
        self._connection = connection
        self.receipt = receipt
        """As the service told it last: `state`, `owners`, `price`, `progress`, `warnings`."""
        self.id = str(receipt["id"])
        self.order_number = int(receipt["order_number"])

    def refresh(self) -> dict[str, Any]:
        """Ask how it stands."""
        self.receipt = self._connection.call("GET", self._address).json()
        return self.receipt

    def wait(self, timeout_s: float = 3600.0) -> "Request":
        """Wait until everybody has answered and the package of that is made.

        UnavailableError names how many are missing when the time is over; RefusedError `request-over` when it was given up.
        """
        until = monotonic() + timeout_s
        waits = pauses()
        while True:
            if self.refresh()["state"] in _OVER:
                raise RefusedError("request-over", f"the request is {self.receipt['state']}")
            if self._is_packed():
                return self
            if monotonic() > until:
                missing = self.receipt["progress"]["missing"]
                raise UnavailableError(
                    f"After {timeout_s:.0f} s there is no complete package: {missing} owe an answer."
                )
            self._connection.pause(next(waits))

    def package(self, target: Path | str = ".", *, keys: Sequence[str] = ()) -> Fetched:
        """Fetch the newest package into a folder or as a `.zip`, complete or not; gone on with where it was interrupted.

        Its digest and its signature are checked, by `keys` (lines of minisign) or the keys that the service publishes.
        `complete` of what is returned says whether anybody owes an answer; if so: do not dig.
        """
        fetched = fetch_package(self._connection, self._packages(), Path(target))
        check_signature(self._connection, fetched.path, keys)
        return fetched

    def features(self, *, crs: Any = STORAGE, **more: Any) -> "GeoDataFrame":  # noqa: ANN401 - as pyproj and the service take them
        """Return all that was delivered for it."""
        query = Query(filter=f"order_number = {self.order_number}", crs=crs, more=more)
        return read_features(self._connection, "package-features", query)

    def cancel(self) -> dict[str, Any]:
        """Give it up; its price stays."""
        self.receipt = self._connection.once("POST", f"{self._address}/cancel").json()
        return self.receipt

    @property
    def _address(self) -> str:
        return f"{PATH}/{self.id}"

    def _packages(self) -> dict[str, Any]:
        listed: dict[str, Any] = self._connection.call("GET", f"{self._address}/packages").json()
        return listed

    def _is_packed(self) -> bool:
        listed = self._packages()
        newest = newest_of(listed)
        return newest is not None and bool(newest["complete"]) and not listed["being_made"]


def send(
    connection: Connection,
    area: Any,  # noqa: ANN401 - a geometry or a frame
    period: tuple[Day, Day],
    purpose: str,
    **more: Any,  # noqa: ANN401
) -> Request:
    """Send a request, once even if the answer is lost."""
    first, last = map(str, period)
    body = area_body(area) | {"period_from": first, "period_to": last, "purpose": purpose} | more
    made = connection.call("POST", PATH, json=body, headers={"Idempotency-Key": uuid4().hex})
    return Request(connection, made.json())


def area_body(area: Any) -> dict[str, Any]:  # noqa: ANN401 - see below
    """Return the fields of an area: a shapely geometry in EPSG:25832, a frame or series of geopandas, or GeoJSON."""
    if isinstance(area, dict):
        return {"area": area}
    if isinstance(area, BaseGeometry):
        return {"area": mapping(area)}
    crs = getattr(area, "crs", None)
    if crs is None:
        raise InputError("An area is a geometry of shapely, GeoJSON, or a frame of geopandas with a crs.")
    return {"area": mapping(area.to_crs(STORAGE).union_all())}
