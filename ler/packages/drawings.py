"""Owners' drawings among the members of a package: what of each lies in the dig area, and in words why one is missing."""

import hashlib
import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import shapely
from shapely import MultiPolygon, Polygon

from ler.packages.content import Deliver, DeliveredDrawing, Delivery, OwnerStatus, RequestInfo
from ler.packages.files import free_name, relative_path

FOLDER: Final = "tegninger"
"""Folder, in that of the owner, of drawings that no attachment's path says another place for."""

_QUARTER_STEPS: Final = 16
"""Sides of a quarter of a circle, as in `ler.reach`."""
_log = logging.getLogger(__name__)

OUTSIDE: Final = "drawing-outside-area"
LOST: Final = "drawing-file-lost"
WORDS: Final = {
    OUTSIDE: {
        "da": "Tegningen viser intet i graveområdet. Ejeren har ikke frigivet resten af den.",
        "en": "The drawing shows nothing in the dig area. Its owner has not given the rest of it free.",
    },
    LOST: {
        "da": "Tegningens fil er beskadiget eller gået tabt hos platformen. Bed ledningsejeren om tegningen, før du graver.",
        "en": "The drawing's file is damaged or was lost by the platform. Ask the owner for the drawing before you dig.",
    },
}


@dataclass(frozen=True, slots=True)
class LaidDrawing:
    """A drawing as it is in a package, or is not."""

    drawing: DeliveredDrawing
    member: str | None
    """Name in the package; None when it is missing."""
    missing: str | None = None
    """Code of `WORDS`."""

    def entry(self) -> dict[str, Any]:
        """What the manifest tells of it."""
        drawing = self.drawing
        days = {name: getattr(drawing, name) for name in ("taken_on", "valid_from", "valid_to")}
        return {
            "name": drawing.name,
            "member": self.member,
            "deliver": str(drawing.deliver),
            "missing": {"code": self.missing, **WORDS[self.missing]} if self.missing else None,
            "resolution_m": drawing.resolution_m,
            "accuracy_m": drawing.accuracy_m,
            **{name: day.isoformat() if day else None for name, day in days.items()},
            "gml_ids": list(drawing.gml_ids),
        }


def lay_drawings(
    workshop: Path, request: RequestInfo, owner: OwnerStatus, taken: set[str], folder: str = ""
) -> list[LaidDrawing]:
    """Lay an owner's drawings into the folder in which a package is made, cut to the dig area unless given whole.

    `taken` are the names of members in lower case, to which theirs are added; `folder` is the owner's, with its slash.
    """
    members = _members(owner, taken, folder)
    return [_laid(workshop, member, drawing, reach(request)) for member, drawing in members]


def without_lost(owner: OwnerStatus) -> OwnerStatus:
    """Return the owner without the files of drawings and attachments that are damaged or gone."""
    return replace(owner, deliveries=tuple(_without_lost(delivery) for delivery in owner.deliveries))


def _without_lost(delivery: Delivery) -> Delivery:
    if not delivery.drawings and not delivery.attachments:
        return delivery
    return replace(
        delivery,
        drawings=[
            one if _is_whole(one.path, one.sha256) else replace(one, path=None) for one in delivery.drawings
        ],
        attachments=[
            one if _is_whole(one.file, one.sha256) else replace(one, file=None)
            for one in delivery.attachments
        ],
    )


def reach(request: RequestInfo) -> Polygon | MultiPolygon:
    """Where a request is answered: the dig area and what lies within its clip buffer, as `ler.reach` has it."""
    if request.clip_buffer_m <= 0:
        return request.area
    # The sides of the buffer's arcs touch the circle, and its corners lie outside.
    wide = request.clip_buffer_m / math.cos(math.pi / (4 * _QUARTER_STEPS))
    return shapely.buffer(request.area, wide, quad_segs=_QUARTER_STEPS)


def _laid(
    workshop: Path, member: str, drawing: DeliveredDrawing, area: Polygon | MultiPolygon
) -> LaidDrawing:
    if drawing.path is None or not _is_whole(drawing.path, drawing.sha256):
        return LaidDrawing(drawing, None, LOST)
    place = workshop / member
    place.parent.mkdir(parents=True, exist_ok=True)
    if drawing.deliver is Deliver.WHOLE:
        place.symlink_to(drawing.path)
        return LaidDrawing(drawing, member)
    from rasterio.errors import RasterioError  # noqa: PLC0415 - few packages have drawings

    from ler.packages.cog import write_clipped  # noqa: PLC0415 - as above

    try:
        part = write_clipped(drawing.path, area, place)
    except RasterioError as error:
        _log.warning("the drawing %s cannot be read: %s", drawing.sha256, error)
        return LaidDrawing(drawing, None, LOST)
    return LaidDrawing(drawing, member) if part else LaidDrawing(drawing, None, OUTSIDE)


def _is_whole(path: Path | None, sha256: str) -> bool:
    if path is None:
        return False
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == sha256
    except OSError:
        return False


def _members(owner: OwnerStatus, taken: set[str], folder: str) -> Iterator[tuple[str, DeliveredDrawing]]:
    """Name the members of an owner's drawings, so that no two meet in one file, on Windows too."""
    for delivery in owner.deliveries:
        for drawing in delivery.drawings:
            yield free_name(_place(delivery, drawing), taken, folder), drawing


def _place(delivery: Delivery, drawing: DeliveredDrawing) -> str:
    """Where the attachment that a drawing belongs to says that its file lies."""
    for feature in delivery.features:
        if feature.type == "Informationsressource" and feature.gml_id in drawing.gml_ids:
            path = relative_path(str(feature.attributes.get("sti", "")))
            if path and path.name == drawing.name:
                return str(path.with_name(drawing.file_name))
    return f"{FOLDER}/{drawing.file_name}"
