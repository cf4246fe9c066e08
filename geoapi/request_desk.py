"""Requests for programs of ours: the same calls to the own database, or to a service over HTTP, with the same answers.

Either side gives the documents of the API (`geoapi.request_views`) and refuses with RefusedError.
"""

import json
import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

from pydantic import BaseModel
from shapely.geometry.base import BaseGeometry

from geoapi.asking import send_request
from geoapi.database import Databases
from geoapi.package_fetch import fetch_own
from geoapi.parameters import read_json
from geoapi.problems import ProblemException
from geoapi.request_bodies import (
    ExtensionBody,
    Files,
    OrderBody,
    RenewalBody,
    RequestBody,
    again,
    read_order,
    read_request,
)
from geoapi.request_views import ORDERS, PATH, Language, price_view, request_view, summary_view
from geoapi.stores import blob_store
from ingest.area_file import read_area_file
from ler.client.connection import Connection
from ler.client.packages import Fetched, fetch_package
from ler.client.problem import ProblemError
from ler.db.engine import transaction
from ler.errors import InputError, NotFoundError
from ler.rules_in_force import ordinary_due, request_limits
from ler.services.charges import quote
from ler.services.request_reading import (
    RequestFilter,
    find_requests,
    get_stored,
    list_asked_areas,
    list_order,
)
from ler.services.requests import cancel_request, check_request, extend_request, today_of
from ler.settings import Settings

type Document = dict[str, Any]


class Desk(Protocol):
    """Where requests are made."""

    def price(self, body: Document, files: Sequence[Path]) -> Document:
        """Say what a request would cost."""

    def send(self, body: Document, files: Sequence[Path]) -> Document:
        """Send a request and return its receipt."""

    def order(self, body: Document) -> Document:
        """Send requests of several areas."""

    def list(self, limit: int) -> list[Document]:
        """Return the newest requests, in short."""

    def show(self, request_id: UUID) -> Document:
        """Return a request."""

    def fetch(self, request_id: UUID, folder: Path) -> Fetched:
        """Write the newest package of all owners into a folder."""

    def extend(self, request_id: UUID, last_day: str) -> Document:
        """Give a request a later last day."""

    def cancel(self, request_id: UUID) -> Document:
        """Give a request up."""

    def renew(self, request_id: UUID, body: Document) -> Document:
        """Ask again as it was."""


@dataclass(frozen=True, slots=True)
class LocalDesk:
    """The own database, for one requester."""

    databases: Databases
    settings: Settings
    requester_id: UUID
    language: Language

    def price(self, body: Document, files: Sequence[Path]) -> Document:
        """Say what a request would cost."""
        read = _parsed(RequestBody, body)
        with transaction(self.databases.app, self.requester_id) as connection:
            wanted = read_request(read, self.settings, _reader(files), today_of(connection))
            cost = quote(
                connection,
                self.requester_id,
                wanted.order,
                free_renewal_days=self.settings.free_renewal_days,
            )
        return {"price": price_view(cost)}

    def send(self, body: Document, files: Sequence[Path]) -> Document:
        """Send a request and return its receipt."""
        read = _parsed(RequestBody, body)
        with transaction(self.databases.app, self.requester_id) as connection:
            return self._entered(
                connection, read_request(read, self.settings, _reader(files), today_of(connection))
            )

    def order(self, body: Document) -> Document:
        """Send requests of several areas, all or none."""
        read = _parsed(OrderBody, body)
        order_id = uuid4()
        with transaction(self.databases.app, self.requester_id) as connection:
            for wanted in read_order(read, self.settings, today_of(connection), order_id):
                self._entered(connection, wanted)
            made = [self._shown(connection, one.id) for one in list_order(connection, order_id)]
        return {"id": str(order_id), "requests": made}

    def list(self, limit: int) -> list[Document]:
        """Return the newest requests, in short."""
        with transaction(self.databases.app, self.requester_id) as connection:
            found = find_requests(connection, RequestFilter(), limit=limit)
            areas = list_asked_areas(connection, [one.id for one in found])
        return [summary_view(one, areas[one.id]) for one in found]

    def show(self, request_id: UUID) -> Document:
        """Return a request."""
        with transaction(self.databases.app, self.requester_id) as connection:
            return self._shown(connection, request_id)

    def fetch(self, request_id: UUID, folder: Path) -> Fetched:
        """Write the newest package of all owners into a folder."""
        store = blob_store(self.settings)
        return fetch_own(self.databases, store, self.requester_id, request_id, folder)

    def extend(self, request_id: UUID, last_day: str) -> Document:
        """Give a request a later last day."""
        read = _parsed(ExtensionBody, {"period_to": last_day})
        with transaction(self.databases.app, self.requester_id) as connection:
            limits = request_limits(self.settings)
            extend_request(connection, request_id, read.period_to, seen=None, limits=limits)
            return self._shown(connection, request_id)

    def cancel(self, request_id: UUID) -> Document:
        """Give a request up."""
        with transaction(self.databases.app, self.requester_id) as connection:
            cancel_request(connection, request_id)
            return self._shown(connection, request_id)

    def renew(self, request_id: UUID, body: Document) -> Document:
        """Ask again as it was."""
        read = _parsed(RenewalBody, body)
        with transaction(self.databases.app, self.requester_id) as connection:
            wanted = again(get_stored(connection, request_id), read, self.settings, None)
            check_request(wanted, request_limits(self.settings), today=today_of(connection))
            return self._entered(connection, wanted)

    def _entered(self, connection: Any, wanted: Any) -> Document:  # noqa: ANN401 - connection and NewRequest
        made = send_request(
            connection,
            self.requester_id,
            wanted,
            limits=request_limits(self.settings),
            due=ordinary_due(self.settings),
            free_renewal_days=self.settings.free_renewal_days,
        )
        return self._shown(connection, made.id)

    def _shown(self, connection: Any, request_id: UUID) -> Document:  # noqa: ANN401 - as above
        stored = get_stored(connection, request_id)
        areas = list_asked_areas(connection, [request_id])[request_id]
        return request_view(stored, areas, self.language, today_of(connection))


@dataclass(frozen=True, slots=True)
class RemoteDesk:
    """A service over HTTP, for the requester of the token that the client carries."""

    connection: Connection

    def price(self, body: Document, files: Sequence[Path]) -> Document:
        """Say what a request would cost."""
        return self._send(f"{PATH}/price", body, files)

    def send(self, body: Document, files: Sequence[Path]) -> Document:
        """Send a request and return its receipt."""
        return self._send(PATH, body, files)

    def order(self, body: Document) -> Document:
        """Send requests of several areas, all or none."""
        return self._send(ORDERS, body, ())

    def list(self, limit: int) -> list[Document]:
        """Return the newest requests, in short."""
        found: list[Document] = self._call("GET", PATH, params={"limit": limit})["requests"]
        return found

    def show(self, request_id: UUID) -> Document:
        """Return a request."""
        return self._call("GET", f"{PATH}/{request_id}")

    def fetch(self, request_id: UUID, folder: Path) -> Fetched:
        """Write the newest package of all owners into a folder."""
        return fetch_package(self.connection, self._call("GET", f"{PATH}/{request_id}/packages"), folder)

    def extend(self, request_id: UUID, last_day: str) -> Document:
        """Give a request a later last day, whatever has happened to it since."""
        headers = {"If-Match": "*"}
        return self._call("PATCH", f"{PATH}/{request_id}", json={"period_to": last_day}, headers=headers)

    def cancel(self, request_id: UUID) -> Document:
        """Give a request up."""
        return self._call("POST", f"{PATH}/{request_id}/cancel")

    def renew(self, request_id: UUID, body: Document) -> Document:
        """Ask again as it was."""
        return self._send(f"{PATH}/{request_id}/renew", body, ())

    def _send(self, path: str, body: Document, files: Sequence[Path]) -> Document:
        # One key for all tries of this call: a request whose answer was lost is not entered twice.
        headers = {"Idempotency-Key": uuid4().hex}
        if not files:
            return self._call("POST", path, json=body, headers=headers)
        with _opened(files) as parts:
            data = {"request": json.dumps(body)}
            return self._call("POST", path, data=data, files=parts, headers=headers)

    def _call(self, method: str, path: str, **more: Any) -> Document:  # noqa: ANN401 - handed on to httpx
        return called(self.connection, "There is no such request.", method, path, **more)


@contextmanager
def _opened(files: Sequence[Path]) -> Iterator[list[tuple[str, Any]]]:
    with ExitStack() as stack:
        yield [
            (
                "area",
                (
                    path.name,
                    stack.enter_context(path.open("rb")),
                    mimetypes.guess_type(path.name)[0] or "application/octet-stream",
                ),
            )
            for path in files
        ]


def _reader(files: Sequence[Path]) -> Files | None:
    if not files:
        return None

    def read(crs: str | None, lines: bool) -> list[BaseGeometry]:  # noqa: FBT001 - the signature of Files
        return [geometry for path in files for geometry in read_area_file(path, crs, lines=lines)]

    return read


def _parsed[Model: BaseModel](model: type[Model], body: Mapping[str, Any]) -> Model:
    """Read a body as the service does. InputError names the fields that cannot be used."""
    try:
        return read_json(model, json.dumps(body).encode())
    except ProblemException as error:
        told = "; ".join(f"{one.pointer}: {one.detail}" for one in error.problem.errors)
        raise InputError(told or "the request cannot be read") from None


def called(connection: Connection, absent: str, method: str, path: str, **more: Any) -> Document:  # noqa: ANN401 - handed on to httpx
    """Call a service once; NotFoundError says `absent` of what is not there, ProblemError what else is refused."""
    try:
        read: Document = connection.once(method, path, **more).json()
    except ProblemError as refused:
        if refused.status == HTTPStatus.NOT_FOUND:
            raise NotFoundError(absent) from None
        raise
    return read
