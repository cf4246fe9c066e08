"""The package: one ZIP with what an owner, or all owners together, know of a dig area, and a manifest of it.

The same content gives the same bytes: members stand in a fixed order with a fixed date, and nothing in them is taken
from the clock or from chance. A package is written beside its final name and moved there whole.

An owner's package tells of that owner's answers alone, so that it stays as it is while others answer.
"""

import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import shapely

from ler.packages.advice import advice_text, advise
from ler.packages.attachments import LaidAttachment, lay_attachments
from ler.packages.consolidated import write_consolidated, write_status_list
from ler.packages.content import Delivery, OwnerStatus, RequestInfo
from ler.packages.drawings import LaidDrawing, lay_drawings
from ler.packages.files import free_name, slug
from ler.packages.geopackage import write_geopackage
from ler.packages.gml import Answer, write_answer
from ler.packages.manifest import digest_of, make_manifest
from ler.packages.recipe import Recipe, to_recipe

MANIFEST: Final = "manifest.json"
ADVICE: Final = "Laes_mig.txt"
STATUS_LIST: Final = "LedningsejerStatusListe.xml"

_ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)


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
    recipe: Recipe = field(default_factory=dict)
    """What it can be made from again."""


def owner_request(request: RequestInfo) -> RequestInfo:
    """Return the request as an owner's package tells of it: without what other owners' answers change."""
    return replace(request, revision=1, changed_at=None)


def write_owner_package(folder: Path, request: RequestInfo, owner: OwnerStatus) -> Package:
    """Write the package of one owner that has answered. ValueError when it has not."""
    if not owner.deliveries:
        raise ValueError(f"{owner.name} has not answered request {request.order_number}")
    name = f"Ledningspakke_{request.order_number}_{_folder_name(owner)}.zip"
    return _write(folder / name, owner_request(request), [owner], owner.id)


def write_consolidated_package(folder: Path, request: RequestInfo, owners: Sequence[OwnerStatus]) -> Package:
    """Write the package of all owners that were asked, those that have not answered named as missing."""
    return _write(folder / f"Ledningspakke_{request.order_number}.zip", request, owners, None)


@dataclass(slots=True)
class _Making:
    """A package while it is made."""

    workshop: Path
    request: RequestInfo
    owners: Sequence[OwnerStatus]
    folders: Mapping[str, str]
    """Folder of each owner, with its slash, by the owner's id; empty in its own package."""
    members: dict[str, int] = field(default_factory=dict)
    """How many features each holds, by name, in the order of the archive."""
    taken: set[str] = field(default_factory=lambda: {MANIFEST})
    drawings: dict[UUID, list[LaidDrawing]] = field(default_factory=dict)
    attachments: dict[UUID, list[LaidAttachment]] = field(default_factory=dict)

    def add(self, wanted: str, folder: str = "") -> Path:
        """Return where a member is to be written."""
        name = free_name(wanted, self.taken, folder)
        self.members[name] = 0
        path = self.workshop / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def count(self, path: Path, features: int) -> None:
        """Say how many features a member holds."""
        self.members[str(path.relative_to(self.workshop))] = features


def _write(path: Path, request: RequestInfo, owners: Sequence[OwnerStatus], owner_id: UUID | None) -> Package:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".ledningspakke-") as name:
        workshop = Path(name)
        making = _Making(workshop, request, owners, _folders(owners) if owner_id is None else {})
        _write_members(making, owner_id)
        manifest = make_manifest(
            workshop,
            making.members,
            request,
            owners,
            owner_id=owner_id,
            drawings=making.drawings,
            attachments=making.attachments,
        )
        (workshop / MANIFEST).write_text(
            json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )
        archive = workshop / "package.zip"
        _zip(archive, workshop, [MANIFEST, *making.members])
        digest, size = digest_of(archive)
        archive.replace(path)
    count = sum(owner["feature_count"] for owner in manifest["owners"])
    return Package(path, digest, size, count, manifest, owner_id, to_recipe(request, owners))


def _write_members(making: _Making, owner_id: UUID | None) -> None:
    request, owners = making.request, making.owners
    advice = advice_text(request, advise(request, owners))
    making.add(ADVICE).write_bytes(advice.encode())
    if owner_id is None:
        with making.add(STATUS_LIST).open("wb") as stream:
            write_status_list(stream, owners)
    area = making.add(f"Graveforespoergsel_{request.order_number}.geojson")
    area.write_text(_area_geojson(request), encoding="utf-8")
    making.count(area, 1)
    if owner_id is None:
        collection = making.add("consolidated.gml")
        folders = {name: folder.rstrip("/") for name, folder in making.folders.items()}
        with collection.open("wb") as stream:
            making.count(collection, write_consolidated(stream, request, owners, folders))
    table = making.add("consolidated.gpkg" if owner_id is None else "ledningsoplysninger.gpkg")
    making.count(table, sum(write_geopackage(table, request, owners).values()))
    for owner in owners:
        _write_owner(making, owner, making.folders.get(str(owner.id), ""))


def _write_owner(making: _Making, owner: OwnerStatus, folder: str) -> None:
    """Write an owner's own files: its answers as they are, its attachments, its drawings."""
    for delivery in owner.deliveries:
        answer = Answer(owner.cvr, owner.name, delivery.answer_header(), delivery.features)
        path = making.add(_answer_name(delivery, several=len(owner.deliveries) > 1), folder)
        with path.open("wb") as stream:
            making.count(path, write_answer(stream, answer))
    attachments = lay_attachments(making.workshop, owner, making.taken, folder)
    drawings = lay_drawings(making.workshop, making.request, owner, making.taken, folder)
    making.attachments[owner.id], making.drawings[owner.id] = attachments, drawings
    making.members |= {
        name: 0 for name in (*(a.member for a in attachments), *(d.member for d in drawings)) if name
    }


def _answer_name(delivery: Delivery, *, several: bool) -> str:
    return f"ledningsoplysninger-{min(delivery.interest_areas)}.gml" if several else "ledningsoplysninger.gml"


def _folders(owners: Sequence[OwnerStatus]) -> dict[str, str]:
    taken: set[str] = set()
    return {str(owner.id): f"{free_name(_folder_name(owner), taken)}/" for owner in owners}


def _folder_name(owner: OwnerStatus) -> str:
    return "-".join(part for part in (owner.cvr, slug(owner.name)) if part)


def _area_geojson(request: RequestInfo) -> str:
    document = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}},
        "features": [
            {
                "type": "Feature",
                "properties": {
                    "order_number": request.order_number,
                    "kind": str(request.kind),
                    "purpose": request.purpose,
                    "description": request.description,
                    "period_from": request.period_from.isoformat(),
                    "period_to": request.period_to.isoformat(),
                },
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
