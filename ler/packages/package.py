"""The package: one ZIP with what an owner, or all owners together, know of a dig area, and a manifest of it.

The same content gives the same bytes: members stand in a fixed order with a fixed date, and nothing in them is taken
from the clock or from chance. A package is written beside its final name and moved there whole.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import shapely

from ler.domain.attachments import media_type_of
from ler.model import VERSIONS
from ler.packages.attachments import LaidAttachment, lay_attachments
from ler.packages.content import AreaStatus, Delivery, OwnerStatus, RequestInfo
from ler.packages.drawings import LaidDrawing, lay_drawings
from ler.packages.geopackage import write_geopackage
from ler.packages.gml import Answer, write_answer, write_collection

FORMAT: Final = "ler-package/1"
MANIFEST: Final = "manifest.json"
SOFTWARE: Final = "ler 0.1.0"

_ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)
_MEDIA_TYPES: Final = {
    ".gml": "application/gml+xml; version=3.2",
    ".gpkg": "application/geopackage+sqlite3",
    ".geojson": "application/geo+json",
    ".tif": "image/tiff; application=geotiff; profile=cloud-optimized",
}


@dataclass(frozen=True, slots=True)
class Package:
    """A finished package file."""

    path: Path
    sha256: str
    size_bytes: int
    feature_count: int
    manifest: dict[str, Any]
    owner_id: UUID | None
    """None for the consolidated package."""


def write_owner_package(folder: Path, request: RequestInfo, owner: OwnerStatus, *, complete: bool) -> Package:
    """Write the package of one owner that has answered. ValueError when it has not.

    `complete` says whether every owner of the request has answered, not this one alone.
    """
    if not owner.deliveries:
        raise ValueError(f"{owner.name} has not answered request {request.order_number}")
    name = f"ledningspakke-{request.order_number}-{owner.cvr}-{_slug(owner.name)}.zip"
    return _write(folder / name, request, [owner], owner.id, complete=complete)


def write_consolidated_package(folder: Path, request: RequestInfo, owners: Sequence[OwnerStatus]) -> Package:
    """Write the package of all owners that were asked, those that have not answered named as missing."""
    complete = bool(owners) and all(owner.answered for owner in owners)
    return _write(
        folder / f"ledningspakke-{request.order_number}.zip", request, owners, None, complete=complete
    )


def _write(
    path: Path, request: RequestInfo, owners: Sequence[OwnerStatus], owner_id: UUID | None, *, complete: bool
) -> Package:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".ledningspakke-") as name:
        workshop = Path(name)
        drawings = {owner.id: lay_drawings(workshop, request, owner) for owner in owners}
        attachments = {owner.id: lay_attachments(workshop, owner) for owner in owners}
        members = _write_members(workshop, request, owners, owner_id)
        members |= {laid.member: 0 for laid in chain(*drawings.values()) if laid.member}
        members |= {laid.member: 0 for laid in chain(*attachments.values()) if laid.member}
        entries = [_owner_entry(owner, drawings[owner.id], attachments[owner.id]) for owner in owners]
        manifest = _manifest(workshop, members, request, entries, owner_id, complete=complete)
        (workshop / MANIFEST).write_text(
            json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )
        archive = workshop / "package.zip"
        _zip(archive, workshop, [MANIFEST, *members])
        digest, size = _digest(archive)
        archive.replace(path)
    return Package(
        path, digest, size, sum(o["feature_count"] for o in manifest["owners"]), manifest, owner_id
    )


def _write_members(
    workshop: Path, request: RequestInfo, owners: Sequence[OwnerStatus], owner_id: UUID | None
) -> dict[str, int]:
    """Write the members; returns how many features each holds, by name."""
    stem = "consolidated" if owner_id is None else "ledningsoplysninger"
    answers = [
        Answer(owner.cvr, owner.name, delivery.answer_header(), delivery.features)
        for owner in owners
        for delivery in owner.deliveries
    ]
    with (workshop / f"{stem}.gml").open("wb") as stream:
        if owner_id is None or len(answers) > 1:
            gml_members = write_collection(stream, answers)
        else:
            gml_members = write_answer(stream, answers[0])
    rows = write_geopackage(workshop / f"{stem}.gpkg", request, owners)
    (workshop / "graveomraade.geojson").write_text(_area_geojson(request), encoding="utf-8")
    return {
        f"{stem}.gml": gml_members,
        f"{stem}.gpkg": sum(rows.values()),
        "graveomraade.geojson": 1,
    }


def _manifest(
    workshop: Path,
    members: dict[str, int],
    request: RequestInfo,
    owners: Sequence[Mapping[str, Any]],
    owner_id: UUID | None,
    *,
    complete: bool,
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "kind": "consolidated" if owner_id is None else "owner",
        "software": SOFTWARE,
        "model": f"LER GML {VERSIONS[-1]}",
        "complete": complete,
        "request": {
            "id": str(request.id),
            "order_number": request.order_number,
            "created_at": _timestamp(request.created_at),
            "period_from": request.period_from.isoformat(),
            "period_to": request.period_to.isoformat(),
            "purpose": request.purpose,
            "description": request.description,
            "crs": "EPSG:25832",
            "area_wkt": shapely.to_wkt(request.area, rounding_precision=4, trim=True),
            "area_m2": round(request.area.area, 1),
            "area_sha256": hashlib.sha256(shapely.to_wkb(request.area)).hexdigest(),
            "clip_buffer_m": request.clip_buffer_m,
        },
        "owners": owners,
        "members": [_member_entry(workshop, name, count) for name, count in members.items()],
    }


def _owner_entry(
    owner: OwnerStatus, drawings: Sequence[LaidDrawing], attachments: Sequence[LaidAttachment]
) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "cvr": owner.cvr,
        "name": owner.name,
        "email": owner.email,
        "phone": owner.phone,
        "interest_areas": list(owner.interest_areas),
        "areas": [_area_entry(area) for area in owner.areas],
        "answered": owner.answered,
        "to_be_marked": owner.to_be_marked,
        "answer": "; ".join(owner.answer_types) or None,
        "answers": [_delivery_entry(delivery) for delivery in owner.deliveries],
        "feature_count": owner.feature_count,
    }
    if not owner.deliveries:
        return entry
    counts = Counter(feature.type for delivery in owner.deliveries for feature in delivery.features)
    return entry | {
        "feature_counts": dict(sorted(counts.items())),
        "clipped_count": sum(len(delivery.clipped) for delivery in owner.deliveries),
        "references_left_out": sum(delivery.left_out_references for delivery in owner.deliveries),
        **_dataset(owner.deliveries),
        "drawings": [laid.entry() for laid in drawings],
        "attachments": [laid.entry() for laid in attachments],
    }


def _dataset(deliveries: Sequence[Delivery]) -> dict[str, Any]:
    """From which publication of the owner's network the platform answered, if it did."""
    found = next((one for one in deliveries if not one.given_by_owner), None)
    return {
        "dataset_version": found.version if found else None,
        "dataset_published_at": _timestamp(found.published_at) if found and found.published_at else None,
        "dataset_source_sha256": found.source_sha256 if found else None,
    }


def _area_entry(area: AreaStatus) -> dict[str, Any]:
    meeting = area.appointment
    return {
        "registration_number": area.registration_number,
        "state": str(area.state),
        "due_at": _timestamp(area.due_at) if area.due_at else None,
        "late": area.late,
        "appointment": {
            "starts_at": _timestamp(meeting.starts_at),
            "ends_at": _timestamp(meeting.ends_at),
            "place": meeting.place,
            "contact": meeting.contact,
        }
        if meeting
        else None,
    }


def _delivery_entry(delivery: Delivery) -> dict[str, Any]:
    return {
        "answer": delivery.answer_type,
        "answer_id": str(delivery.answer_id),
        "revision": delivery.revision,
        "interest_areas": list(delivery.interest_areas),
        "given_by": "owner" if delivery.given_by_owner else "platform",
        "answered_at": _timestamp(delivery.answered_at) if delivery.answered_at else None,
        "valid_until": delivery.valid_until.isoformat() if delivery.valid_until else None,
        "further_information": delivery.further_information,
        "expected_time": _timestamp(delivery.expected_time) if delivery.expected_time else None,
        "source_sha256": delivery.source_sha256,
        "feature_count": len(delivery.features),
        "feature_counts": delivery.counts(),
        "clipped_count": len(delivery.clipped),
        "references_left_out": delivery.left_out_references,
    }


def _member_entry(workshop: Path, name: str, feature_count: int) -> dict[str, Any]:
    digest, size = _digest(workshop / name)
    return {
        "path": name,
        "media_type": _media_type(name),
        "size_bytes": size,
        "sha256": digest,
        "feature_count": feature_count,
    }


def _media_type(name: str) -> str:
    suffix = Path(name).suffix.lower().replace(".tiff", ".tif")
    return _MEDIA_TYPES.get(suffix) or media_type_of(name)


def _area_geojson(request: RequestInfo) -> str:
    document = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}},
        "features": [
            {
                "type": "Feature",
                "properties": {"order_number": request.order_number, "purpose": request.purpose},
                "geometry": shapely.geometry.mapping(request.area),
            }
        ],
    }
    return json.dumps(document, ensure_ascii=False) + "\n"


def _zip(archive: Path, workshop: Path, names: Sequence[str]) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for name in names:
            member = zipfile.ZipInfo(name, _ZIP_DATE)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            member.create_system = 3  # Unix, on whatever system it is written
            member.file_size = (workshop / name).stat().st_size
            with (workshop / name).open("rb") as source, package.open(member, "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)
    with archive.open("rb") as written:
        os.fsync(written.fileno())


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest(), path.stat().st_size


def _slug(name: str) -> str:
    """The name in ASCII for a file name; Danish letters by their usual spelling."""
    spelled = name.lower().replace("æ", "ae").replace("ø", "oe").replace("å", "aa")
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "ledningsejer"


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
