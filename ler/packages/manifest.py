"""The manifest of a package: what it is made of, for programs, and what is to be known before anybody digs."""

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import shapely

from ler.domain.attachments import media_type_of
from ler.model import VERSIONS
from ler.packages.addresses import sketches_in
from ler.packages.advice import advise, is_complete, status_of
from ler.packages.attachments import LaidAttachment
from ler.packages.content import AreaStatus, Delivery, OwnerStatus, RequestInfo
from ler.packages.contents import Contents
from ler.packages.files import LaidMember
from ler.packages.signature import public_line
from ler.packages.verification import verification_code
from ler.signing import SigningKey

if TYPE_CHECKING:
    from ler.packages.drawings import LaidDrawing  # who reads a manifest lays none

FORMAT: Final = "ler-package/3"
SOFTWARE: Final = "ler 0.1.0"

_MEDIA_TYPES: Final = {
    ".dxf": "image/vnd.dxf",
    ".fgb": "application/flatgeobuf",
    ".gml": "application/gml+xml; version=3.2",
    ".gpkg": "application/geopackage+sqlite3",
    ".geojson": "application/geo+json",
    ".html": "text/html; charset=utf-8",
    ".pdf": "application/pdf",
    ".pgw": "text/plain; charset=us-ascii",
    ".png": "image/png",
    ".qgz": "application/zip",
    ".tif": "image/tiff; application=geotiff; profile=cloud-optimized",
    ".tiff": "image/tiff; application=geotiff; profile=cloud-optimized",
    ".txt": "text/plain; charset=utf-8",
    ".xml": "application/xml",
}


def make_manifest(
    members: Mapping[str, LaidMember],
    contents: Contents,
    *,
    drawings: Mapping[UUID, Sequence["LaidDrawing"]],
    attachments: Mapping[UUID, Sequence[LaidAttachment]],
) -> dict[str, Any]:
    """Return the manifest of a package of these members."""
    request, owners = contents.request, contents.owners
    told = _request_entry(request)
    whole: dict[str, Any] = {"revision": request.revision, "changed_at": _timestamp(changed_at(request))}
    return {
        "format": FORMAT,
        "kind": "consolidated" if contents.consolidated else "owner",
        "software": SOFTWARE,
        "model": f"LER GML {VERSIONS[-1]}",
        **(whole if contents.consolidated else {}),
        "signed_by": _signer_entry(contents.options.signer),
        "verification_code": verification_code(contents),
        "complete": is_complete(owners),
        **({"base_map": contents.base_map.entry()} if contents.consolidated else {}),
        "notices": [one.document() for one in advise(request, owners)],
        "request": told,
        "request_sha256": hash_of(told),
        "assessment": _assessment_entry(contents),
        **({} if contents.warnings is None else {"warnings": _warning_entries(contents)}),
        "owners": [_owner_entry(owner, drawings[owner.id], attachments[owner.id]) for owner in owners],
        "addresses": _address_entries(contents),
        "members": [_member_entry(name, member) for name, member in members.items()],
    }


def hash_of(entry: dict[str, Any]) -> str:
    """Return the SHA-256 of an entry of the manifest: of its JSON in UTF-8, names sorted, nothing between the parts."""
    text = json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def changed_at(request: RequestInfo) -> datetime:
    """Return of when the content is that a package of the request tells."""
    return request.changed_at or request.created_at


def _signer_entry(signer: SigningKey | None) -> dict[str, str] | None:
    return {"key_id": signer.key_id, "public_key": public_line(signer.public)} if signer else None


def _request_entry(request: RequestInfo) -> dict[str, Any]:
    return {
        "id": str(request.id),
        "order_number": request.order_number,
        "order_reference": request.order_reference,
        "kind": str(request.kind),
        "already_started": request.already_started,
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
        "address_ids": [str(one) for one in request.address_ids],
    }


def _assessment_entry(contents: Contents) -> dict[str, Any]:
    """What was found of the features as a whole, and what was assumed and used for it."""
    lines = [one for one in contents.assessed if one.has_band]
    return {
        "in_dig_area": sum(one.in_dig_area is True for one in lines),
        "near": sum(one.in_dig_area is False for one in lines),
        "band_known": sum(one.band.known for one in lines),
        "band_unknown": sum(not one.band.known for one in lines),
        "unknown_accuracy_m": contents.options.unknown_accuracy_m,
        "terrain": contents.covers.document(),
    }


def _warning_entries(contents: Contents) -> list[dict[str, Any]]:
    """All precautions that hold, of which the letter shows the first, and the nearest zone."""
    cvr = {owner.id: owner.cvr for owner in contents.owners}
    entries = []
    for one in contents.warnings or ():
        told = dataclasses.asdict(one)
        entries.append({"cvr": cvr[told.pop("owner_id")], **told})
    return entries


def _owner_entry(
    owner: OwnerStatus, drawings: Sequence["LaidDrawing"], attachments: Sequence[LaidAttachment]
) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "cvr": owner.cvr,
        "name": owner.name,
        "email": owner.email,
        "phone": owner.phone,
        "contacts": [dataclasses.asdict(contact) for contact in owner.contacts],
        "interest_areas": list(owner.interest_areas),
        "areas": [_area_entry(owner, area) for area in owner.areas],
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


def _address_entries(contents: Contents) -> list[dict[str, Any]]:
    return [
        {
            "address_id": str(address_id),
            "sketches": [{"cvr": one.owner.cvr, "member": one.member} for one in sketches],
        }
        for address_id, sketches in sketches_in(contents).items()
    ]


def _dataset(deliveries: Sequence[Delivery]) -> dict[str, Any]:
    """From which publication of the owner's network the platform answered, if it did."""
    found = next((one for one in deliveries if not one.given_by_owner), None)
    return {
        "dataset_version": found.version if found else None,
        "dataset_published_at": _timestamp(found.published_at) if found and found.published_at else None,
        "dataset_source_sha256": found.source_sha256 if found else None,
    }


def _area_entry(owner: OwnerStatus, area: AreaStatus) -> dict[str, Any]:
    meeting = area.appointment
    return {
        "registration_number": area.registration_number,
        "state": str(area.state),
        "status": status_of(owner, area),
        "due_at": _timestamp(area.due_at) if area.due_at else None,
        "dispensation": area.dispensed,
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
        "withholds": delivery.withholds,
        "marking_area_wkt": shapely.to_wkt(delivery.marking_area, trim=True)
        if delivery.marking_area
        else None,
        "expected_time": _timestamp(delivery.expected_time) if delivery.expected_time else None,
        "source_sha256": delivery.source_sha256,
        "feature_count": len(delivery.features),
        "feature_counts": delivery.counts(),
        "clipped_count": len(delivery.clipped),
        "references_left_out": delivery.left_out_references,
    }


def _member_entry(name: str, member: LaidMember) -> dict[str, Any]:
    digest, size = member.digest()
    return {
        "path": name,
        "media_type": _MEDIA_TYPES.get(Path(name).suffix.lower()) or media_type_of(name),
        "size_bytes": size,
        "sha256": digest,
        "feature_count": member.feature_count,
    }


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
