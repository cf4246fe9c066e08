"""Deviations: what who digs has found otherwise than it was shown, with photographs; and lines that nobody has shown.

Who acts sees what its policies show: its own reports, those of its lines, and lines that may be its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import numpy as np
import shapely
from geoalchemy2.shape import from_shape, to_shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import insert, select, text, tuple_
from sqlalchemy.engine import Connection

from ler.blobs import Blob
from ler.db.functions import record_event, refusals
from ler.db.tables import PLATFORM_OPERATOR, SRID, deviation, deviation_photo, line_claim
from ler.domain.deviations import FARTHEST_M, DeviationEvent, DeviationKind, DeviationState
from ler.domain.faults import Fault, refuse_faults
from ler.errors import NotFoundError, RefusedError
from ler.model import load_model

_MOVE: Final = text("SELECT ler.move_deviation(:id, :event, :note, :version)")
_CLAIM: Final = text("SELECT ler.answer_claim(:id, :claims)")
_READER: Final = text("SELECT ler.principal() AS id, ler.has_role('auditor') AS audits")
_LONGEST: Final = 1000
_DEEPEST_M: Final = 100.0
_LEAST_ACCURATE_M: Final = 10.0

_REPORTING: Final[Mapping[str, str | tuple[str, str]]] = {
    "LE404": "There is no such request, owner or line.",
    "LE422": ("deviation-elsewhere", f"it lies more than {FARTHEST_M:g} m outside of the request's area"),
}
_MOVING: Final[Mapping[str, str | tuple[str, str]]] = {
    "LE404": "There is no such report.",
    "LE409": ("deviation-settled", "that is not possible any more, or not yet: look at its state"),
    "LE422": ("deviation-not-corrected", "that version of your network is not published, or has nothing new of the line"),
}  # fmt: skip


_OPEN: Final = frozenset(
    {DeviationState.OFFERED, DeviationState.ORPHAN, DeviationState.REPORTED, DeviationState.ACKNOWLEDGED}
)


@dataclass(frozen=True, slots=True)
class NewDeviation:
    """What somebody reports. Geometry in EPSG:25832, with heights where they were measured (DVR90)."""

    kind: DeviationKind
    geometry: BaseGeometry
    measured_on: date
    owner_id: UUID | None = None
    """None for a line that nobody has shown."""
    request_id: UUID | None = None
    gml_id: str | None = None
    accuracy_m: float | None = None
    depth_m: float | None = None
    utility_type: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    """A photograph of a report."""

    number: int
    sha256: str
    size_bytes: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What an owner says to a line that nobody has shown: asked, claimed or denied."""

    owner_id: UUID
    state: str
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Deviation:
    """A report as it is kept."""

    id: UUID
    reporter_id: UUID | None
    """None, as is the request, for an authority: who reported is no concern of who looks after the place."""
    reported: NewDeviation
    offset_m: float | None
    """How far what was measured lies from the line as it was shown, m."""
    state: DeviationState
    note: str | None
    corrected_in: int | None
    created_at: datetime
    changed_at: datetime
    photos: Sequence[Photo] = ()
    claims: Sequence[Claim] = ()


def report_deviation(connection: Connection, reporter_id: UUID, wanted: NewDeviation, *, today: date) -> UUID:
    """Enter a report of the acting organisation, of what it was shown or of an own line.

    FaultsError with pointers; NotFoundError for a request, owner or line that it was not shown; RefusedError
    `deviation-elsewhere`.
    """
    refuse_faults(_faults(wanted, today))
    values = {
        "reporter_id": reporter_id,
        "owner_id": wanted.owner_id,
        "request_id": wanted.request_id,
        "kind": wanted.kind,
        "gml_id": wanted.gml_id,
        "geom": from_shape(_with_heights(wanted.geometry), SRID),
        "measured_on": wanted.measured_on,
        "accuracy_m": wanted.accuracy_m,
        "depth_m": wanted.depth_m,
        "utility_type": wanted.utility_type,
        "description": wanted.description,
    }
    with refusals(_REPORTING):
        made = connection.execute(insert(deviation).values(values).returning(deviation.c.id)).scalar_one()
    details = {"kind": wanted.kind, "owner_id": str(wanted.owner_id) if wanted.owner_id else None}
    record_event(connection, "requester:deviation:add", actor=reporter_id, object_id=made, details=details)
    return UUID(str(made))


def move_deviation(
    connection: Connection,
    deviation_id: UUID,
    event: DeviationEvent,
    *,
    note: str | None = None,
    version: int | None = None,
) -> Deviation:
    """Acknowledge, accept, reject or correct a report of an own line, or withdraw an own report.

    NotFoundError for one that is not the acting organisation's to move; RefusedError `deviation-settled`,
    `deviation-not-corrected`; FaultsError for a note that is none.
    """
    if note is not None and not _is_text(note):
        refuse_faults([Fault("text-invalid", "/note", f"it is 1 to {_LONGEST} characters")])
    values = {"id": deviation_id, "event": event, "note": note, "version": version}
    with refusals(_MOVING):
        connection.execute(_MOVE, values)
    return get_deviation(connection, deviation_id)


def answer_claim(connection: Connection, deviation_id: UUID, *, claims: bool) -> DeviationState:
    """Claim or deny a line that nobody has shown; return the state that follows.

    NotFoundError for who was not asked, RefusedError `deviation-settled` when another has claimed it.
    """
    with refusals(_MOVING):
        return DeviationState(connection.execute(_CLAIM, {"id": deviation_id, "claims": claims}).scalar_one())


def get_deviation(connection: Connection, deviation_id: UUID) -> Deviation:
    """Return a report that the acting organisation may see; NotFoundError for any other."""
    found = _read(connection, select(deviation).where(deviation.c.id == deviation_id))
    if not found:
        raise NotFoundError
    return found[0]


def list_deviations(
    connection: Connection,
    *,
    limit: int,
    state: DeviationState | None = None,
    before: tuple[datetime, UUID] | None = None,
) -> list[Deviation]:
    """Return the reports that the acting organisation may see, the newest first."""
    columns = deviation.c
    query = select(deviation).order_by(columns.created_at.desc(), columns.id.desc()).limit(limit)
    if state is not None:
        query = query.where(columns.state == state)
    if before is not None:
        query = query.where(tuple_(columns.created_at, columns.id) < tuple_(*before))
    return _read(connection, query)


def add_photo(
    connection: Connection, reporter_id: UUID, deviation_id: UUID, number: int, blob: Blob, *, media_type: str
) -> None:
    """Enter a photograph whose file is kept already; the same one again changes nothing.

    NotFoundError for a report that is not the acting organisation's; RefusedError `deviation-settled` for one that its
    owner has judged, `photo-taken` for a number or picture that the report has already.
    """
    found = get_deviation(connection, deviation_id)
    if found.reporter_id != reporter_id:
        raise NotFoundError
    made = Photo(number, blob.sha256, blob.size_bytes, media_type)
    if made in found.photos:
        return
    if any(number == one.number or blob.sha256 == one.sha256 for one in found.photos):
        raise RefusedError(
            "photo-taken", "the report has another photograph of that number, or this one already"
        )
    if found.state not in _OPEN:
        raise RefusedError("deviation-settled", f"the report is {found.state}; nothing is added to it")
    values = {
        "deviation_id": deviation_id,
        "number": number,
        "sha256": blob.sha256,
        "size_bytes": blob.size_bytes,
        "media_type": media_type,
    }
    connection.execute(insert(deviation_photo).values(values).inline())
    details = {"number": number, "sha256": blob.sha256}
    record_event(
        connection,
        "requester:deviation_photo:add",
        actor=reporter_id,
        object_id=deviation_id,
        details=details,
    )


def _faults(wanted: NewDeviation, today: date) -> list[Fault]:
    faults = []
    unknown = wanted.kind is DeviationKind.UNKNOWN
    if unknown and (wanted.owner_id or wanted.gml_id):
        faults.append(
            Fault("deviation-owner", "/owner_id", "of an unknown line neither owner nor gml:id is known")
        )
    if not unknown and wanted.owner_id is None:
        faults.append(Fault("deviation-owner", "/owner_id", "whose line it is must be said"))
    if wanted.measured_on > today:
        faults.append(Fault("date-invalid", "/measured_on", "it lies in the future"))
    for name, value, most in (
        ("accuracy_m", wanted.accuracy_m, _LEAST_ACCURATE_M),
        ("depth_m", wanted.depth_m, _DEEPEST_M),
    ):
        if value is not None and not 0 < value <= most:
            faults.append(Fault("field-invalid", f"/{name}", f"it is more than 0 and at most {most:g} m"))
    types = load_model().code_lists["Forsyningsart"]
    if wanted.utility_type is not None and wanted.utility_type not in types:
        faults.append(
            Fault("utility-type-unknown", "/utility_type", "it is no value of the code list Forsyningsart")
        )
    for name, text_ in (("description", wanted.description), ("gml_id", wanted.gml_id)):
        if text_ is not None and not _is_text(text_):
            faults.append(Fault("text-invalid", f"/{name}", f"it is 1 to {_LONGEST} characters"))
    return faults


def _is_text(given: str) -> bool:
    printable = all(one.isprintable() or one == "\n" for one in given)
    return bool(given.strip()) and len(given) <= _LONGEST and printable


def _with_heights(shape: BaseGeometry) -> BaseGeometry:
    """A height that was not measured is NaN, which shapely's own function refuses to write."""
    if shape.has_z:
        return shape

    def unknown(positions: np.ndarray) -> np.ndarray:
        return np.column_stack((positions[:, :2], np.full(len(positions), np.nan)))

    return shapely.transform(shapely.force_3d(shape), unknown, include_z=True)


def _read(connection: Connection, query: Any) -> list[Deviation]:  # noqa: ANN401 - a select
    rows = connection.execute(query).mappings().all()
    ids = [row["id"] for row in rows]
    photos: dict[UUID, list[Photo]] = {}
    of_photos = select(deviation_photo).where(deviation_photo.c.deviation_id.in_(ids))
    for one in connection.execute(of_photos.order_by(deviation_photo.c.number)):
        photos.setdefault(one.deviation_id, []).append(
            Photo(one.number, one.sha256, one.size_bytes, one.media_type)
        )
    claims: dict[UUID, list[Claim]] = {}
    of_claims = select(line_claim).where(line_claim.c.deviation_id.in_(ids))
    for one in connection.execute(of_claims.order_by(line_claim.c.owner_id)):
        claims.setdefault(one.deviation_id, []).append(Claim(one.owner_id, one.state, one.answered_at))
    reader = connection.execute(_READER).one()

    def parties(row: Any) -> set[UUID | None]:  # noqa: ANN401 - a mapping of columns
        asked = {claim.owner_id for claim in claims.get(row["id"], ())}
        return {row["reporter_id"], row["owner_id"], PLATFORM_OPERATOR, *asked}

    return [
        _deviation(
            row if reader.audits or reader.id in parties(row) else {**row, **_UNNAMED},
            photos.get(row["id"], ()),
            claims.get(row["id"], ()),
        )
        for row in rows
    ]


_UNNAMED: Final[dict[str, Any]] = {"reporter_id": None, "request_id": None}


def _deviation(row: Any, photos: Sequence[Photo], claims: Sequence[Claim]) -> Deviation:  # noqa: ANN401 - a mapping of columns
    reported = NewDeviation(
        kind=DeviationKind(row["kind"]),
        geometry=to_shape(row["geom"]),
        **{
            name: row[name]
            for name in (
                *("measured_on", "owner_id", "request_id", "gml_id", "accuracy_m", "depth_m", "utility_type"),
                "description",
            )
        },
    )
    return Deviation(
        row["id"],
        row["reporter_id"],
        reported,
        row["offset_m"],
        DeviationState(row["state"]),
        row["note"],
        row["corrected_in"],
        row["created_at"],
        row["changed_at"],
        photos,
        claims,
    )
