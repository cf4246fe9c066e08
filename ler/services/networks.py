"""Owners' networks: which versions there were, what was in them at a time, and the upkeep of both.

The transaction acts for the owner, who sees its own network and nobody else's; for upkeep it may act for the operator,
who tidies up everybody's and sees none.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.engine import Connection

from ler.db.functions import refusals
from ler.db.rows import row_to_feature
from ler.db.tables import network_dataset, network_version
from ler.errors import NotFoundError, RefusedError
from ler.model import ANSWER, Feature

_AT_ONCE: Final = 2000
"""Rows fetched at once: a network is read in constant memory."""

_UNREADABLE: Final[Mapping[str, str | tuple[str, str]]] = {
    "LE404": "There is no such version.",
    "LE410": ("version-purged", "The features of that version have been removed: it was too old, and in no package."),
    "LE422": ("keep-too-short", "Versions are kept for one day at least."),
}  # fmt: skip


_PAGE: Final = """
    SELECT f.*
    FROM ler.network_as_of(CAST(:owner AS uuid), CAST(:number AS integer)) AS f
    WHERE f.seq > :after {within}
    ORDER BY f.seq
    LIMIT :limit
"""
_WITHIN: Final = """
        AND f.geom && ST_MakeEnvelope(:west, :south, :east, :north, 25832)
        AND ST_Intersects(f.geom, ST_MakeEnvelope(:west, :south, :east, :north, 25832))
"""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an owner's network."""

    id: UUID
    dataset_id: UUID
    number: int
    state: str
    """staged, published, superseded or discarded."""
    mode: str
    """full or delta."""
    source_name: str
    source_sha256: str
    model_version: str
    feature_count: int
    created_at: datetime
    published_at: datetime | None
    purged_at: datetime | None
    decision: str | None
    decision_reasons: tuple[str, ...]
    comparison: dict[str, Any] | None
    header: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tidied:
    """What upkeep removed."""

    versions: int
    features: int


def list_versions(connection: Connection, owner_id: UUID) -> list[Version]:
    """Return all versions of an owner's network, newest first."""
    return [_version(row) for row in connection.execute(_versions(owner_id))]


def get_version(connection: Connection, owner_id: UUID, number: int) -> Version:
    """Return one version of an owner's network; NotFoundError when there is none of that number."""
    row = connection.execute(_versions(owner_id).where(network_version.c.number == number)).first()
    if row is None:
        raise NotFoundError(f"There is no version {number} of this network.")
    return _version(row)


def find_version_at(connection: Connection, owner_id: UUID, as_of: datetime | int | None = None) -> Version:
    """Return the version that answered requests at a time, the one of a number, or, for None, the current one.

    Raises NotFoundError when there was none, RefusedError `time-without-zone` for a time without a time zone.
    """
    if isinstance(as_of, datetime) and as_of.tzinfo is None:
        raise RefusedError("time-without-zone", "a time must say in which time zone it is")
    if isinstance(as_of, int):
        return get_version(connection, owner_id, as_of)
    asked = {"owner": owner_id, "at": as_of}
    number = connection.execute(
        text("SELECT ler.version_at(:owner, coalesce(CAST(:at AS timestamptz), 'infinity'))"), asked
    ).scalar()
    if number is None:
        raise NotFoundError("No network was published then.")
    return get_version(connection, owner_id, number)


def read_network(
    connection: Connection,
    owner_id: UUID,
    as_of: datetime | int | None = None,
    *,
    types: Sequence[str] = (),
) -> Generator[Feature, None, None]:
    """Read an owner's network as it was: at a time, in the version of a number, or, for None, as it is.

    Features by type - those of `types` first and in that order - and in the order in which they were published, in
    constant memory; geometry in EPSG:25832. Read to the end within the transaction. Raises NotFoundError for a version
    that was never published, RefusedError `version-purged` for one that is no longer kept.
    """
    version = find_version_at(connection, owner_id, as_of)
    query = text(
        "SELECT f.* FROM ler.network_as_of(CAST(:owner AS uuid), CAST(:number AS integer)) AS f"
        " ORDER BY array_position(CAST(:types AS text[]), f.feature_type), f.feature_type, f.seq"
    )
    asked = {"owner": owner_id, "number": version.number, "types": list(types)}
    with (
        refusals(_UNREADABLE),
        connection.execute(query, asked, execution_options={"yield_per": _AT_ONCE}) as rows,
    ):
        for row in rows.mappings():
            yield row_to_feature(dict(row))


def read_page(
    connection: Connection,
    owner_id: UUID,
    number: int,
    *,
    limit: int,
    after: int = 0,
    box: tuple[float, float, float, float] | None = None,
) -> list[tuple[int, Feature]]:
    """Read the next features of a version after a place in it, each with its own place, which rises.

    `box` (west, south, east, north in EPSG:25832) leaves those whose geometry meets it. Raises what `read_network` raises.
    """
    query = _PAGE.format(within=_WITHIN if box else "")
    asked: dict[str, Any] = {"owner": owner_id, "number": number, "after": after, "limit": limit}
    asked |= dict(zip(("west", "south", "east", "north"), box or (), strict=False))
    with refusals(_UNREADABLE):
        rows = connection.execute(text(query), asked).mappings().all()
    return [(row["seq"], row_to_feature(dict(row))) for row in rows]


def header_of(version: Version) -> Feature:
    """Return the answer (Graveforespoergselssvar) that the version's file was."""
    stored = version.header
    return Feature(ANSWER, "svar", dict(stored.get("attributes", {})), dict(stored.get("voids", {})))


def purge_versions(connection: Connection, keep_days: int) -> Tidied:
    """Remove the features of versions that ended `keep_days` days ago and that no answer refers to.

    Acting for an owner, its own; for the operator, everybody's. RefusedError for less than a day.
    """
    return _tidy(connection, "SELECT * FROM ler.purge_versions(:days)", keep_days)


def sweep_staging(connection: Connection, keep_days: int) -> Tidied:
    """Discard staged versions that can no longer be published or that nobody decided on for `keep_days` days.

    Acting for an owner, its own; for the operator, everybody's. RefusedError for less than a day.
    """
    return _tidy(connection, "SELECT * FROM ler.sweep_staging(:days)", keep_days)


def _tidy(connection: Connection, query: str, keep_days: int) -> Tidied:
    with refusals(_UNREADABLE):
        row = connection.execute(text(query), {"days": keep_days}).one()
    return Tidied(row.versions, row.features)


def _versions(owner_id: UUID) -> Any:  # noqa: ANN401 - a statement, whose type lists all its columns
    columns = network_version.c
    wanted = [columns[name] for name in Version.__dataclass_fields__]
    return (
        select(*wanted)
        .join(network_dataset, network_dataset.c.id == columns.dataset_id)
        .where(columns.owner_id == owner_id)
        # Of two datasets, the one that is published.
        .order_by(network_dataset.c.current_version_id.is_(None), columns.number.desc())
    )


def _version(row: Any) -> Version:  # noqa: ANN401 - a row of the statement above
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public way to a row's columns
    return Version(**values | {"decision_reasons": tuple(values["decision_reasons"])})
