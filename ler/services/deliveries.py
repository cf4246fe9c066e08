"""Deliveries: what a matched request brought, read for the packages, and the packages that were made of it.

The caller's transaction works for one request (`ler.db.engine.transaction(..., request=...)` as the worker role); it
sees that request and nothing else.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import shapely
from geoalchemy2 import WKBElement
from geoalchemy2.shape import to_shape
from shapely import MultiPolygon
from sqlalchemy import select
from sqlalchemy.engine import Connection

from ler.blobs import BlobStore
from ler.db.rows import row_to_feature
from ler.db.tables import (
    answer_attachment,
    answer_withheld,
    interest_area,
    network_version,
    organisation,
    owner_answer,
    owner_request,
    package_drawing,
    package_feature,
)
from ler.domain.states import OwnerState
from ler.errors import BlobDamagedError, UnavailableError
from ler.model import ANSWER, Feature
from ler.packages.content import (
    AreaStatus,
    Contact,
    Deliver,
    DeliveredAttachment,
    DeliveredDrawing,
    Delivery,
    OwnerStatus,
)
from ler.services.answers import appointment_of
from ler.services.contacts import list_request_contacts


def list_owner_statuses(
    connection: Connection, request_id: UUID, store: BlobStore | None = None
) -> list[OwnerStatus]:
    """Return every owner that the request asked, by CVR number, with the answers that hold.

    `store` holds drawings and attachments. UnavailableError when there are such and no store; one whose file is gone has no
    path.
    """
    areas = _areas(connection, request_id)
    deliveries = _deliveries(connection, request_id, areas, store)
    contacts = list_request_contacts(connection, request_id)
    columns = organisation.c
    owners = select(columns.id, columns.cvr, columns.name, columns.email, columns.phone).where(
        columns.id.in_(areas)
    )
    return [
        OwnerStatus(
            id=row.id,
            cvr=row.cvr,
            name=row.name,
            email=row.email,
            phone=row.phone,
            interest_areas=tuple(area.status.registration_number for area in areas[row.id]),
            deliveries=deliveries.get(row.id, []),
            areas=tuple(area.status for area in areas[row.id]),
            contacts=[
                Contact(one.name, one.email, one.phone, one.utility_type, one.purpose)
                for one in contacts.get(row.id, ())
            ],
        )
        for row in connection.execute(owners.order_by(columns.cvr))
    ]


def list_drawing_files(connection: Connection, request_id: UUID) -> list[tuple[UUID, str]]:
    """Return the owner and the digest of every drawing's file that the request's packages need, each once."""
    columns = package_drawing.c
    query = select(columns.owner_id, columns.cog_sha256).where(columns.request_id == request_id).distinct()
    rows = connection.execute(query.order_by(columns.owner_id, columns.cog_sha256))
    return [(row.owner_id, row.cog_sha256) for row in rows]


def read_answers(
    connection: Connection, request_id: UUID, store: BlobStore | None, answers: Collection[UUID]
) -> dict[UUID, Delivery]:
    """Return these answers of a request, whether they hold still or not, with what they deliver."""
    areas = _areas(connection, request_id)
    found = _deliveries(connection, request_id, areas, store, {*answers})
    return {one.answer_id: one for deliveries in found.values() for one in deliveries}


@dataclass(frozen=True, slots=True)
class _Area:
    """An interest area that was asked."""

    id: UUID
    answered: bool
    status: AreaStatus


def _areas(connection: Connection, request_id: UUID) -> dict[UUID, list[_Area]]:
    """The interest areas that were asked, by owner and registration number."""
    asked = owner_request.c
    query = (
        select(
            *(asked.owner_id, asked.interest_area_id, asked.state, asked.due_at, asked.dispensed),
            *(asked.late, asked.answered_at, asked.appointment, interest_area.c.registration_number),
        )
        .join(interest_area, interest_area.c.id == asked.interest_area_id)
        .where(asked.request_id == request_id)
        .order_by(interest_area.c.registration_number)
    )
    by_owner: dict[UUID, list[_Area]] = {}
    for row in connection.execute(query):
        state = OwnerState(row.state)
        status = AreaStatus(
            registration_number=row.registration_number,
            # Fetching it changes nothing of what a package says, and not the revision of the request.
            state=OwnerState.ASKED if state is OwnerState.ACKNOWLEDGED else state,
            due_at=row.due_at,
            dispensed=row.dispensed,
            late=row.late,
            appointment=appointment_of(row.appointment),
        )
        by_owner.setdefault(row.owner_id, []).append(
            _Area(row.interest_area_id, row.answered_at is not None, status)
        )
    return by_owner


def _deliveries(
    connection: Connection,
    request_id: UUID,
    areas: Mapping[UUID, list[_Area]],
    store: BlobStore | None,
    wanted: set[UUID] | None = None,
) -> dict[UUID, list[Delivery]]:
    """The answers wanted, or those that hold, by owner and area."""
    answer, version = owner_answer.c, network_version.c
    query = (
        select(owner_answer, version.number, version.published_at)
        .add_columns(version.source_sha256.label("version_sha256"), version.header.label("version_header"))
        .add_columns(answer_withheld.c.answer_id.label("withheld"), answer_withheld.c.marking_area)
        .outerjoin(network_version, version.id == answer.version_id)
        .outerjoin(answer_withheld, answer_withheld.c.answer_id == answer.id)
        .where(answer.request_id == request_id)
        .where(answer.replaced_at.is_(None) if wanted is None else answer.id.in_(wanted))
    )
    rows = connection.execute(query).all()
    drawings = _drawings(connection, request_id, store)
    features = _features(connection, request_id, {row.id for row in rows})
    attachments = _attachments(connection, request_id, store)
    # Taken back or not: an area with an answer of its own is not spoken for by one for all areas.
    own = select(answer.interest_area_id).where(answer.request_id == request_id)
    apart = {*connection.execute(own.where(answer.interest_area_id.is_not(None))).scalars()}
    by_owner: dict[UUID, list[Delivery]] = {}
    for row in rows:
        covered = [
            area.status.registration_number
            for area in areas.get(row.owner_id, [])
            if area.id == row.interest_area_id
            or (row.interest_area_id is None and area.answered and area.id not in apart)
        ]
        found = features.get(row.id, [])
        by_owner.setdefault(row.owner_id, []).append(
            Delivery(
                answer_id=row.id,
                answer_type=row.answer_type,
                version=row.number,
                published_at=row.published_at,
                source_sha256=row.source_sha256 or row.version_sha256,
                header=_header(row.header or row.version_header or {}),
                features=[row_to_feature(one) for one in found],
                clipped=frozenset(one["gml_id"] for one in found if one["clipped"]),
                left_out_references=sum(one["left_out_references"] for one in found),
                # Drawings lie on the platform, and go with what it answers.
                drawings=drawings.get(row.owner_id, []) if row.given_by == "platform" else [],
                interest_areas=tuple(covered),
                revision=row.revision,
                answered_at=row.answered_at,
                valid_until=row.valid_until,
                further_information=row.further_information,
                expected_time=row.expected_time,
                attachments=attachments.get(row.id, []),
                withholds=row.withheld is not None,
                marking_area=_cells(row.marking_area),
            )
        )
    return {
        owner: sorted(found, key=lambda one: (min(one.interest_areas, default=0), str(one.answer_id)))
        for owner, found in by_owner.items()
    }


def _attachments(
    connection: Connection, request_id: UUID, store: BlobStore | None
) -> dict[UUID, list[DeliveredAttachment]]:
    columns = answer_attachment.c
    query = select(answer_attachment).where(columns.request_id == request_id).order_by(columns.path)
    by_answer: dict[UUID, list[DeliveredAttachment]] = {}
    for row in connection.execute(query):
        if store is None:
            raise UnavailableError("The request has attachments, and there is no store of files.")
        by_answer.setdefault(row.answer_id, []).append(
            DeliveredAttachment(
                path=row.path,
                file=_path(store, row.sha256),
                sha256=row.sha256,
                size_bytes=row.size_bytes,
                format=row.format,
                media_type=row.media_type,
                address_id=row.address_id,
            )
        )
    return by_answer


def _drawings(
    connection: Connection, request_id: UUID, store: BlobStore | None
) -> dict[UUID, list[DeliveredDrawing]]:
    query = select(package_drawing).where(package_drawing.c.request_id == request_id)
    by_owner: dict[UUID, list[DeliveredDrawing]] = {}
    for row in connection.execute(query.order_by(package_drawing.c.owner_id, package_drawing.c.name)):
        if store is None:
            raise UnavailableError("The request has drawings, and there is no store of files.")
        by_owner.setdefault(row.owner_id, []).append(
            DeliveredDrawing(
                name=row.name,
                path=_path(store, row.cog_sha256),
                sha256=row.cog_sha256,
                deliver=Deliver(row.deliver),
                resolution_m=row.resolution_m,
                accuracy_m=row.accuracy_m,
                taken_on=row.taken_on,
                valid_from=row.valid_from,
                valid_to=row.valid_to,
                gml_ids=tuple(row.gml_ids),
            )
        )
    return by_owner


def _path(store: BlobStore, sha256: str) -> Path | None:
    try:
        return store.path(sha256)
    except BlobDamagedError:
        return None


def _features(connection: Connection, request_id: UUID, answers: set[UUID]) -> dict[UUID, list[Any]]:
    columns = package_feature.c
    query = select(package_feature).where(columns.request_id == request_id, columns.answer_id.in_(answers))
    by_answer: dict[UUID, list[Any]] = {}
    for row in connection.execute(
        query.order_by(package_feature.c.answer_id, package_feature.c.seq)
    ).mappings():
        by_answer.setdefault(row["answer_id"], []).append(row)
    return by_answer


def _cells(stored: WKBElement | None) -> MultiPolygon | None:
    return None if stored is None else MultiPolygon(list(shapely.get_parts(to_shape(stored))))


def _header(stored: dict[str, Any]) -> Feature:
    return Feature(ANSWER, "svar", dict(stored.get("attributes", {})), dict(stored.get("voids", {})))
