"""Deliveries: what a matched request brought, read for the packages, and the packages that were made of it.

The caller's transaction works for one request (`ler.db.engine.transaction(..., request=...)` as the worker role); it
sees that request and nothing else.
"""

from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.engine import Connection

from ler.blobs import BlobStore
from ler.db.functions import record_event
from ler.db.rows import row_to_feature
from ler.db.tables import (
    interest_area,
    network_version,
    organisation,
    owner_answer,
    owner_request,
    package,
    package_drawing,
    package_feature,
)
from ler.errors import BlobDamagedError, UnavailableError
from ler.model import ANSWER, Feature
from ler.packages.content import Deliver, DeliveredDrawing, Delivery, OwnerStatus
from ler.packages.package import Package


def list_owner_statuses(
    connection: Connection, request_id: UUID, store: BlobStore | None = None
) -> list[OwnerStatus]:
    """Return every owner that the request asked, by CVR number, with its delivery when it has answered.

    `store` holds the drawings. UnavailableError when there are drawings and no store; one whose file is gone has no
    path.
    """
    numbers: dict[UUID, list[int]] = {}
    areas = (
        select(owner_request.c.owner_id, interest_area.c.registration_number)
        .join(interest_area, interest_area.c.id == owner_request.c.interest_area_id)
        .where(owner_request.c.request_id == request_id)
        .order_by(interest_area.c.registration_number)
    )
    for owner_id, number in connection.execute(areas):
        numbers.setdefault(owner_id, []).append(number)
    deliveries = _deliveries(connection, request_id, _drawings(connection, request_id, store))
    columns = organisation.c
    owners = select(columns.id, columns.cvr, columns.name, columns.email, columns.phone).where(
        columns.id.in_(numbers)
    )
    return [
        OwnerStatus(
            row.id, row.cvr, row.name, row.email, row.phone, tuple(numbers[row.id]), deliveries.get(row.id)
        )
        for row in connection.execute(owners.order_by(columns.cvr))
    ]


def list_drawing_files(connection: Connection, request_id: UUID) -> list[tuple[UUID, str]]:
    """Return the owner and the digest of every drawing's file that the request's packages need, each once."""
    columns = package_drawing.c
    query = select(columns.owner_id, columns.cog_sha256).where(columns.request_id == request_id).distinct()
    rows = connection.execute(query.order_by(columns.owner_id, columns.cog_sha256))
    return [(row.owner_id, row.cog_sha256) for row in rows]


def record_package(connection: Connection, request_id: UUID, made: Package) -> None:
    """Enter a package that was written."""
    values = {
        "request_id": request_id,
        "owner_id": made.owner_id,
        "file_name": made.path.name,
        "sha256": made.sha256,
        "size_bytes": made.size_bytes,
        "feature_count": made.feature_count,
        "manifest": made.manifest,
    }
    connection.execute(package.insert().values(values))
    details = {"file_name": made.path.name, "sha256": made.sha256}
    record_event(connection, "worker:package:add", actor=None, object_id=request_id, details=details)


def _deliveries(
    connection: Connection, request_id: UUID, drawings: dict[UUID, list[DeliveredDrawing]]
) -> dict[UUID, Delivery]:
    query = (
        select(
            owner_answer.c.id,
            owner_answer.c.owner_id,
            owner_answer.c.answer_type,
            network_version.c.number,
            network_version.c.published_at,
            network_version.c.source_sha256,
            network_version.c.header,
        )
        .join(network_version, network_version.c.id == owner_answer.c.version_id)
        .where(owner_answer.c.request_id == request_id, owner_answer.c.replaced_at.is_(None))
    )
    features = _features(connection, request_id)
    return {
        row.owner_id: Delivery(
            answer_id=row.id,
            answer_type=row.answer_type,
            version=row.number,
            published_at=row.published_at,
            source_sha256=row.source_sha256,
            header=_header(row.header),
            features=[row_to_feature(found) for found in features.get(row.owner_id, [])],
            clipped=frozenset(
                found["gml_id"] for found in features.get(row.owner_id, []) if found["clipped"]
            ),
            left_out_references=sum(found["left_out_references"] for found in features.get(row.owner_id, [])),
            drawings=drawings.get(row.owner_id, []),
        )
        for row in connection.execute(query)
    }


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


def _features(connection: Connection, request_id: UUID) -> dict[UUID, list[Any]]:
    answer = owner_answer.c
    query = (
        select(package_feature)
        .join(owner_answer, answer.id == package_feature.c.answer_id)
        .where(package_feature.c.request_id == request_id, answer.replaced_at.is_(None))
    )
    by_owner: dict[UUID, list[Any]] = {}
    for row in connection.execute(
        query.order_by(package_feature.c.owner_id, package_feature.c.seq)
    ).mappings():
        by_owner.setdefault(row["owner_id"], []).append(row)
    return by_owner


def _header(stored: dict[str, Any]) -> Feature:
    return Feature(ANSWER, "svar", dict(stored.get("attributes", {})), dict(stored.get("voids", {})))
