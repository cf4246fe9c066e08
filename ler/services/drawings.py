"""Owners' drawings: added, listed, removed, mended. Their files are kept in the blob store.

The caller's transaction acts for the owner (`ler.db.engine.transaction`); another's drawings do not exist for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import shapely
from geoalchemy2.shape import from_shape, to_shape
from shapely import MultiPolygon
from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError

from ler.blobs import BlobStore, Swept
from ler.db.functions import record_event
from ler.db.tables import SRID, drawing
from ler.errors import NotFoundError, RefusedError
from ler.packages.content import Deliver

_LONGEST_NAME: Final = 200
_MOST_LINKS: Final = 10_000
_KNOWN: Final = text("SELECT sha256 FROM ler.known_blobs()")


@dataclass(frozen=True, slots=True)
class DrawingFiles:
    """The files of a drawing that are to be stored, and what was found of them."""

    original: Path
    media_type: str
    cog: Path
    preview: Path
    columns: int
    rows: int
    resolution_m: float
    source_epsg: int
    accuracy_m: float | None
    footprint: MultiPolygon
    """EPSG:25832."""
    placement: tuple[float, ...] | None = None
    """The six numbers of the world file, from the corner of the first pixel; None where the original says its place."""


@dataclass(frozen=True, slots=True)
class DrawingFacts:
    """What the owner says of a drawing."""

    name: str
    """The file's name, as the `sti` of attachments gives it."""
    taken_on: date | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    linked_gml_ids: Sequence[str] = field(default_factory=tuple)
    deliver: Deliver = Deliver.CLIPPED


@dataclass(frozen=True, slots=True)
class Drawing:
    """A stored drawing."""

    id: UUID
    name: str
    original_sha256: str
    cog_sha256: str
    preview_sha256: str
    original_size_bytes: int
    cog_size_bytes: int
    media_type: str
    columns: int
    rows: int
    resolution_m: float
    source_epsg: int
    accuracy_m: float | None
    taken_on: date | None
    valid_from: date | None
    valid_to: date | None
    linked_gml_ids: tuple[str, ...]
    deliver: Deliver
    placement: tuple[float, ...] | None
    created_at: datetime
    footprint: MultiPolygon
    """EPSG:25832."""


def check_facts(facts: DrawingFacts) -> None:
    """Refuse what cannot be said of a drawing, before its file is read. RefusedError."""
    name = facts.name
    if not name or len(name) > _LONGEST_NAME or not name.isprintable() or "/" in name or "\\" in name:
        raise RefusedError(
            "name-invalid", f"a drawing's name is 1 to {_LONGEST_NAME} printable characters, no slash"
        )
    if facts.valid_from and facts.valid_to and facts.valid_from > facts.valid_to:
        raise RefusedError(
            "period-invalid", f"valid from {facts.valid_from} is after valid to {facts.valid_to}"
        )
    if len(facts.linked_gml_ids) > _MOST_LINKS:
        raise RefusedError("drawing-links", f"a drawing is linked to at most {_MOST_LINKS:,} features")


def add_drawing(
    connection: Connection, owner_id: UUID, store: BlobStore, files: DrawingFiles, facts: DrawingFacts
) -> UUID:
    """Keep a drawing's files and enter it.

    The files are durable before the row can be committed. RefusedError for a name that is none or is taken by another
    drawing of the owner, and for dates in the wrong order; UnavailableError when the files cannot be kept.
    """
    check_facts(facts)
    original, cog, preview = (store.put(path) for path in (files.original, files.cog, files.preview))
    values = {
        "owner_id": owner_id,
        "name": facts.name,
        "original_sha256": original.sha256,
        "original_size_bytes": original.size_bytes,
        "cog_sha256": cog.sha256,
        "cog_size_bytes": cog.size_bytes,
        "preview_sha256": preview.sha256,
        "media_type": files.media_type,
        "columns": files.columns,
        "rows": files.rows,
        "resolution_m": files.resolution_m,
        "source_epsg": files.source_epsg,
        "accuracy_m": files.accuracy_m,
        "taken_on": facts.taken_on,
        "valid_from": facts.valid_from,
        "valid_to": facts.valid_to,
        "linked_gml_ids": list(facts.linked_gml_ids),
        "deliver": facts.deliver,
        "placement": files.placement,
        "geom": from_shape(files.footprint, SRID),
    }
    try:
        with connection.begin_nested():
            made: UUID = connection.execute(
                insert(drawing).values(values).returning(drawing.c.id)
            ).scalar_one()
    except IntegrityError:
        raise RefusedError(
            "drawing-name-taken",
            f"you have a drawing {facts.name!r} already: remove it first, or rename the file",
        ) from None
    details = {
        "name": facts.name,
        "deliver": facts.deliver,
        "original_sha256": original.sha256,
        "cog_sha256": cog.sha256,
    }
    record_event(connection, "owner:drawing:add", actor=owner_id, object_id=made, details=details)
    return made


def list_drawings(connection: Connection) -> list[Drawing]:
    """Return the principal's drawings by name."""
    return [_drawing(row) for row in connection.execute(select(drawing).order_by(drawing.c.name))]


def get_drawing(connection: Connection, name: str) -> Drawing:
    """Return the principal's drawing of that name; NotFoundError when it has none."""
    row = connection.execute(select(drawing).where(drawing.c.name == name)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no drawing {name!r}; see: ler drawing list")
    return _drawing(row)


def find_by_file(connection: Connection, cog_sha256: str) -> Drawing | None:
    """Return one of the principal's drawings that is kept as this file; None when it has been removed since."""
    query = select(drawing).where(drawing.c.cog_sha256 == cog_sha256).order_by(drawing.c.created_at).limit(1)
    row = connection.execute(query).one_or_none()
    return _drawing(row) if row else None


def remove_drawing(connection: Connection, owner_id: UUID, name: str) -> UUID:
    """Take a drawing out, so that no later request gets it; those that got it keep it. NotFoundError.

    Its files go with the next sweep, unless something else keeps them.
    """
    gone: UUID | None = connection.execute(
        delete(drawing).where(drawing.c.name == name).returning(drawing.c.id)
    ).scalar_one_or_none()
    if gone is None:
        raise NotFoundError(f"there is no drawing {name!r}; see: ler drawing list")
    record_event(connection, "owner:drawing:remove", actor=owner_id, object_id=gone, details={"name": name})
    return gone


def sweep_blobs(connection: Connection, store: BlobStore, older_than: datetime) -> Swept:
    """Remove from the store what no row keeps and what was put before `older_than`; as the worker role."""
    known = set(connection.execute(_KNOWN).scalars())
    return store.sweep(known, older_than)


def database_time(connection: Connection) -> datetime:
    """Return the time of the database's clock, from which the age of files is counted."""
    now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return now


def _drawing(row: Row[tuple[object, ...]]) -> Drawing:
    values = dict(row._mapping)  # noqa: SLF001 - the public way to a row's columns by name
    footprint = MultiPolygon(list(shapely.get_parts(to_shape(values.pop("geom")))))
    links, deliver = tuple(values.pop("linked_gml_ids")), Deliver(values.pop("deliver"))
    placement = values.pop("placement")
    del values["owner_id"]
    return Drawing(
        **values,
        linked_gml_ids=links,
        deliver=deliver,
        placement=tuple(placement) if placement else None,
        footprint=footprint,
    )
