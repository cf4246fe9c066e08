"""What a requester sends, field by field, and the request that it makes; area and fields are judged together.

Every fault is told with a JSON pointer into what was sent: of the fields' kinds by the model, of what they say by
`ler.domain.request_rules`, of the area by `ler.domain.dig_area`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from geoapi.parameters import Day
from ingest.area_file import read_area_document, read_area_wkt
from ler.domain.dig_area import dig_area
from ler.domain.faults import Fault, FaultsError
from ler.domain.request_rules import MOST_ADDRESSES, Contact, DigKind, Work
from ler.errors import RefusedError
from ler.rules_in_force import area_limits, request_limits
from ler.services.request_reading import StoredRequest
from ler.services.requests import NewRequest, check_request
from ler.settings import Settings

MOST_AREAS: Final = 100
"""Areas of one order."""

type Files = Callable[[str | None, bool], list[BaseGeometry]]
"""Reads the files that came with the request, in a coordinate system, with or without lines."""


type Line = Annotated[str, StringConstraints(max_length=1000)]
type Kind = Annotated[DigKind, Field(strict=False)]
type AddressIds = Annotated[
    list[Annotated[UUID, Field(strict=False)]],
    Field(
        max_length=1000,
        description="DAR ids of addresses whose house connections are asked for; "
        f"at most {MOST_ADDRESSES}, each once.",
    ),
]
"""Longer lists than are taken come as far as the rule that says how many are."""


class ContactBody(BaseModel):
    """Whom owners turn to."""

    model_config = ConfigDict(extra="forbid", strict=True)

    email: Line
    person: Line = ""
    address: Line = ""
    phone: Line = ""


class WorkBody(BaseModel):
    """What is done there; the codes are those that GET /api/v1/limits lists."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Line | None = None
    kind_other: Line | None = None
    method: Line | None = None
    depth_m: float | None = None


class AreaBody(BaseModel):
    """Where: one of the three; a file that comes with the request is the fourth."""

    model_config = ConfigDict(extra="forbid", strict=True)

    area: Annotated[
        dict[str, Any] | None,
        Field(description="GeoJSON: a geometry, a feature or a collection. Several polygons must overlap."),
    ] = None
    area_wkt: Annotated[str | list[str] | None, Field(description="WKT, or a list of it.")] = None
    crs: Annotated[
        str | None,
        Field(
            pattern=r"^(EPSG:[0-9]{4,6}|CRS84)$",
            description="Coordinate system of the area; EPSG:25832 when nothing is said.",
        ),
    ] = None
    corridor_width_m: Annotated[
        float | None, Field(description="Whole width of the corridor along lines, m.")
    ] = None


class RequestFields(BaseModel):
    """What a request says besides its area; each may be left out when an older request is copied."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Kind = DigKind.DIG
    already_started: bool = False
    period_from: Day
    period_to: Day
    purpose: Line
    description: Line | None = None
    utility_types: Annotated[list[Line] | None, Field(max_length=50)] = None
    order_reference: Line | None = None
    no_order_reference: bool | None = None
    contact: ContactBody | None = None
    work: WorkBody | None = None
    address_ids: AddressIds = []
    declared: Annotated[
        bool,
        Field(description="Of kind `orientation`: for an authority's work or research; nobody digs on it."),
    ] = False


class RequestBody(AreaBody, RequestFields):
    """One request."""


class OrderArea(AreaBody):
    """One area of an order, with what it says otherwise than the order."""

    description: Line | None = None
    order_reference: Line | None = None
    address_ids: AddressIds = []


class OrderBody(RequestFields):
    """Requests of several areas, which are entered together or not at all."""

    areas: Annotated[list[OrderArea], Field(min_length=1, max_length=MOST_AREAS)]


class ExtensionBody(BaseModel):
    """A later last day."""

    model_config = ConfigDict(extra="forbid", strict=True)

    period_to: Day


class RenewalBody(BaseModel):
    """The period of a request that is asked again as it was."""

    model_config = ConfigDict(extra="forbid", strict=True)

    period_from: Day
    period_to: Day
    declared: bool = False


class CopyBody(AreaBody):
    """What a copy says otherwise; what is left out is as it was."""

    kind: Kind | None = None
    already_started: bool | None = None
    period_from: Day
    period_to: Day
    purpose: Line | None = None
    description: Line | None = None
    utility_types: Annotated[list[Line] | None, Field(max_length=50)] = None
    order_reference: Line | None = None
    contact: ContactBody | None = None
    work: WorkBody | None = None
    address_ids: AddressIds | None = None
    declared: bool = False

    @model_validator(mode="after")
    def _nothing_is_nothing(self) -> "CopyBody":
        for name in ("kind", "already_started", "purpose"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self


def read_area(body: AreaBody, settings: Settings, files: Files | None = None, *, under: str = "") -> Polygon:
    """Return the one polygon that was sent, EPSG:25832. FaultsError points to where it stood, below `under`."""
    given = [name for name in ("area", "area_wkt") if getattr(body, name) is not None]
    if len(given) + (files is not None) != 1:
        told = "send the area as `area` (GeoJSON), as `area_wkt`, or as a file; one of them"
        raise FaultsError([Fault("area-missing" if not given else "area-ambiguous", f"{under}/area", told)])
    pointer = f"{under}/{given[0]}" if given else f"{under}/area"
    lines = body.corridor_width_m is not None
    try:
        if files is not None:
            parts = files(body.crs, lines)
        elif body.area is not None:
            parts = read_area_document(body.area, body.crs, lines=lines)
        else:
            texts = body.area_wkt or ""
            parts = read_area_wkt([texts] if isinstance(texts, str) else texts, body.crs, lines=lines)
        return dig_area(
            parts,
            coverage=settings.coverage,
            limits=area_limits(settings),
            corridor_width_m=body.corridor_width_m,
        )
    except RefusedError as refused:
        if refused.code == "corridor-width":
            pointer = f"{under}/corridor_width_m"
        raise FaultsError([Fault(refused.code, pointer, str(refused))]) from None


def wanted_of(fields: RequestFields, area: Polygon, settings: Settings, **more: Any) -> NewRequest:  # noqa: ANN401 - fields of NewRequest
    """Return the request that fields and area make."""
    values: dict[str, Any] = {
        "area": area,
        "period_from": fields.period_from,
        "period_to": fields.period_to,
        "purpose": fields.purpose,
        "description": fields.description,
        "clip_buffer_m": settings.clip_buffer_m,
        "unknown_accuracy_m": settings.band_accuracy_m,
        "kind": fields.kind,
        "already_started": fields.already_started,
        "utility_types": fields.utility_types,
        "order_reference": fields.order_reference,
        "no_order_reference": fields.no_order_reference,
        "contact": contact_of(fields.contact),
        "work": work_of(fields.work),
        "declared": fields.declared,
        "address_ids": fields.address_ids,
    }
    return NewRequest(**values | more)


def again(
    stored: StoredRequest, body: RenewalBody | CopyBody, settings: Settings, area: Polygon | None
) -> NewRequest:
    """Return a request as an older one was, in another period, with what `body` says otherwise."""
    said = body.model_fields_set
    values: dict[str, Any] = {
        "area": area or stored.area,
        "purpose": stored.purpose,
        "description": stored.description,
        "clip_buffer_m": settings.clip_buffer_m,
        "unknown_accuracy_m": settings.band_accuracy_m,
        "kind": stored.kind,
        "already_started": False,
        "utility_types": stored.utility_types,
        "order_reference": stored.order_reference,
        "contact": stored.contact,
        "work": stored.work,
        "address_ids": stored.address_ids,
        "renews_id": stored.id,
    }
    for name in said - set(AreaBody.model_fields):
        values[name] = getattr(body, name)
    if isinstance(body, CopyBody):
        if "contact" in said:
            values["contact"] = contact_of(body.contact)
        if "work" in said:
            values["work"] = work_of(body.work)
        if "address_ids" in said:
            values["address_ids"] = body.address_ids or ()
    return NewRequest(**values)


def contact_of(body: ContactBody | None) -> Contact | None:
    """Return the contact that was sent."""
    return None if body is None else Contact(body.email, body.person, body.address, body.phone)


def work_of(body: WorkBody | None) -> Work:
    """Return the work that was sent."""
    return Work() if body is None else Work(body.kind, body.kind_other, body.method, body.depth_m)


def read_request(body: RequestBody, settings: Settings, files: Files | None, today: date) -> NewRequest:
    """Return the request that was sent; FaultsError with all that is wrong with area and fields."""
    faults: list[Fault] = []
    area = None
    with gathering(faults):
        area = read_area(body, settings, files)
    wanted = wanted_of(body, area or Polygon(), settings)
    with gathering(faults):
        check_request(wanted, request_limits(settings), today=today)
    if faults:
        raise FaultsError(faults)
    return wanted


def read_order(body: OrderBody, settings: Settings, today: date, order_id: UUID) -> Sequence[NewRequest]:
    """Return the requests of an order; FaultsError with all that is wrong with any of them."""
    faults: list[Fault] = []
    made = []
    for number, part in enumerate(body.areas):
        area = None
        with gathering(faults):
            area = read_area(part, settings, under=f"/areas/{number}")
        own = {
            name: getattr(part, name)
            for name in ("description", "order_reference", "address_ids")
            if name in part.model_fields_set
        }
        wanted = wanted_of(body, area or Polygon(), settings, order_id=order_id, **own)
        found: list[Fault] = []
        with gathering(found):
            check_request(wanted, request_limits(settings), today=today)
        # What all parts say is told once; what one says otherwise, where it stands.
        for fault in found:
            name = fault.pointer.split("/")[1] if "/" in fault.pointer else ""
            told = (
                Fault(fault.code, f"/areas/{number}{fault.pointer}", fault.message) if name in own else fault
            )
            if told not in faults:
                faults.append(told)
        made.append(wanted)
    if faults:
        raise FaultsError(faults)
    return made


@contextmanager
def gathering(faults: list[Fault]) -> Iterator[None]:
    """Keep the faults of a FaultsError in the block, and go on behind it."""
    try:
        yield
    except FaultsError as error:
        faults += error.faults
