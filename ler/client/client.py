"""The client: one service, one token, what can be asked of it."""

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

from ler.client import asking, jobs
from ler.client.connection import Connection
from ler.client.features import OGC, STORAGE, Box, Query, Time, read_features
from ler.client.problem import ProblemError
from ler.client.uploads import Resumption, Told, UploadClient, resumption_folder
from ler.client.works import Works
from ler.errors import InputError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry

TOKEN_VARIABLE: Final = "LER_TOKEN"  # noqa: S105 - the name of a variable, no secret
_LINES: Final = frozenset({"LineString", "MultiLineString"})


class Client:
    """A program of one organisation at one service; use it in one thread, as a context or with `close`.

    The token is an argument or in LER_TOKEN, and goes nowhere but to the service. Raises ProblemError with the problem
    document of what is refused, UnavailableError when the service is away, InputError for what cannot be sent at all.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        language: str = "en",
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] | None = None,
    ) -> None:
        given = (token or os.environ.get(TOKEN_VARIABLE, "")).strip()
        if not given:
            raise InputError(f"A token is needed: as an argument, or {TOKEN_VARIABLE} in the environment.")
        headers = {"Authorization": f"Bearer {given}", "Accept-Language": language}
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=120.0, transport=transport)
        self._connection = Connection(self._http, **({"pause": pause} if pause else {}))
        self.works = Works(self._connection)
        """The own planned works."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all connections."""
        self._http.close()

    def ask(
        self,
        area: Any,  # noqa: ANN401 - a geometry or a frame
        period: tuple[asking.Day, asking.Day],
        purpose: str,
        **more: Any,  # noqa: ANN401
    ) -> asking.Request:
        """Ask what lies in an area: a geometry in EPSG:25832, a frame of geopandas, or GeoJSON; first and last day.

        `more`: further fields of a request, such as `kind`, `description`, `crs` of GeoJSON, `corridor_width_m`.
        """
        return asking.send(self._connection, area, period, purpose, **more)

    def request(self, request_id: str) -> asking.Request:
        """Return an own request by its id."""
        read = self._connection.call("GET", f"{asking.PATH}/{request_id}")
        return asking.Request(self._connection, read.json())

    def requests(self, **query: Any) -> "GeoDataFrame":  # noqa: ANN401 - as `features`
        """Return the own requests."""
        return self.features("requests", **query)

    def lines(self, **query: Any) -> "GeoDataFrame":  # noqa: ANN401 - as `features`
        """Return all lines that were delivered for the own valid requests."""
        found = self.features("package-features", **query)
        return found[found.geom_type.isin(_LINES)]

    def features(
        self,
        collection: str,
        *,
        bbox: "Box | BaseGeometry | None" = None,
        filter: str | None = None,  # noqa: A002 - as the standard calls it
        datetime: Time | None = None,
        crs: Any = STORAGE,  # noqa: ANN401
        **more: Any,  # noqa: ANN401 - parameters of the collection
    ) -> "GeoDataFrame":
        """Return all features of a collection, by their ids, in a coordinate system; `Query` says what may be asked."""
        return read_features(self._connection, collection, Query(bbox, filter, datetime, crs, more))

    def collections(self) -> list[dict[str, Any]]:
        """Return the collections that the token may see: `id`, `title`, `description`, `extent`, `crs`."""
        answer = self._connection.call("GET", f"{OGC}/collections", headers={"Accept": "application/json"})
        found: list[dict[str, Any]] = answer.json()["collections"]
        return found

    def upload(self, path: Path | str, *, told: Told | None = None, **wanted: Any) -> dict[str, Any]:  # noqa: ANN401
        """Upload a network and return what became of it; gone on with where an earlier try was interrupted.

        `told` is called with what is being done, how far it is and of how much. `wanted`: fields of an upload, such as
        `auto_approve`, `crs`, `mode`. ProblemError for a file that is refused.
        """
        file = Path(path)
        if not file.is_file():
            raise InputError(f"{file} is not a file")
        kept = Resumption.of(resumption_folder(), self.url, file)
        found = UploadClient(self._connection).upload(file, kept, wanted, told or _nobody)
        if found["problem"]:
            raise ProblemError(found["problem"], found["problem"].get("status", 422))
        return found

    def process(self, process: str, inputs: dict[str, Any]) -> dict[str, Any]:
        """Run a process to its end and return its results, by name."""
        return jobs.run(self._connection, process, inputs)

    def start(self, process: str, inputs: dict[str, Any]) -> jobs.Job:
        """Start a process as a job."""
        return jobs.start(self._connection, process, inputs)


def _nobody(_what: str, _done: int, _total: int, /) -> None:
    """Nobody watches."""
