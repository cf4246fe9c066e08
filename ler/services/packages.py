"""Packages that were made: entered once, listed, found again for their download, and mended from what they are made of.

Making them is the worker's, who sees one request (`ler.db.engine.transaction(..., request=...)`); reading them is the
requester's, and the owner's its own.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.engine import Connection, Row

from ler.db.functions import record_event, refusals
from ler.db.tables import excavation_request, organisation, owner_answer, owner_request, package
from ler.domain.states import RequestState
from ler.errors import NotFoundError
from ler.packages.recipe import Recipe

if TYPE_CHECKING:
    from ler.packages.package import Package  # who lists packages makes none

_ENTER: Final = text("SELECT ler.enter_packages(:request, :revision, CAST(:packages AS jsonb), :finished)")
_MENDED: Final = text("SELECT ler.enter_mended(:package, :sha256, :size_bytes, CAST(:manifest AS jsonb))")
_CALL_FOR_MENDING: Final = text("SELECT ler.call_for_mending(:package)")
_CALL_FOR_OWNER_PACKAGES: Final = text("SELECT ler.call_for_owner_packages()")
_CALL_FOR_PACKAGES: Final = text("SELECT ler.call_for_packages()")
_TELL_OF_STUCK: Final = text("SELECT ler.tell_of_stuck_packages(:request)")
_FIND_DELIVERED: Final = text("SELECT * FROM ler.find_delivered(:code, :digest)")
_DOWNLOADS: Final = text("SELECT * FROM ler.package_downloads(:package, :most)")
_KEPT: Final = text("SELECT order_number, request_id, sha256 FROM ler.packages_kept(:after, :most)")


class Entered(StrEnum):
    """What came of entering packages."""

    ENTERED = "entered"
    STALE = "stale"
    """The request has moved on: another package is due."""
    OVER = "over"
    """The request was cancelled: nobody wants one."""


@dataclass(frozen=True, slots=True)
class PackingState:
    """How far the packages of a request are."""

    state: RequestState
    revision: int
    packed_revision: int
    whole_revision: int
    """Of the newest package of all owners; 0 when there is none."""
    changed_at: datetime

    @property
    def whole_left(self) -> bool:
        """Whether the newest revision has no package of all owners yet, and somebody wants it."""
        return self.left_to_make and self.whole_revision < self.revision

    @property
    def owners_left(self) -> bool:
        """Whether there is the package of all, and the owners' own are wanted still."""
        return self.left_to_make and not self.whole_left

    @property
    def left_to_make(self) -> bool:
        """Whether the newest revision has not all its packages yet, and somebody wants them."""
        over = self.state in {RequestState.CANCELLED, RequestState.ERASED}
        return self.packed_revision < self.revision and not over


@dataclass(frozen=True, slots=True)
class StoredPackage:
    """A package that was made."""

    id: UUID
    request_id: UUID
    owner_id: UUID | None
    """None: the consolidated package of all owners."""
    owner_cvr: str | None
    owner_name: str | None
    revision: int
    file_name: str
    sha256: str
    size_bytes: int
    feature_count: int
    manifest: dict[str, Any]
    created_at: datetime
    current: bool
    """Whether no newer one of its kind was made."""


@dataclass(frozen=True, slots=True)
class DeliveredPackage:
    """What anybody may know of a package who holds it."""

    consolidated: bool
    revision: int
    """Of the request, when it was made."""
    made_at: datetime
    complete: bool | None
    """Whether nobody that was asked owed an answer; None when it does not say."""
    newest: bool
    """Whether no newer one of its kind was made."""


@dataclass(frozen=True, slots=True)
class Download:
    """A package, or a part of it, that was handed out."""

    at: datetime
    action: str
    actor: UUID | None
    account_id: UUID | None
    """The person; None for a program."""
    provider_id: UUID | None
    """Who acted for the organisation."""
    package_id: UUID
    revision: int
    consolidated: bool
    part: str | None
    """The range of its bytes; None for the whole."""
    link_id: str | None
    """The link by which it was fetched; None: with a token."""


def get_packing_state(connection: Connection, request_id: UUID) -> PackingState:
    """Return how far the packages of a request are that the job may see; NotFoundError for any other."""
    columns, answer, asked = excavation_request.c, owner_answer.c, owner_request.c
    answered = select(func.max(func.greatest(answer.answered_at, answer.replaced_at))).where(
        answer.request_id == request_id
    )
    late = select(func.max(asked.due_at)).where(
        asked.request_id == request_id, asked.late, asked.due_at <= func.now()
    )
    whole = select(func.coalesce(func.max(package.c.revision), 0)).where(
        package.c.request_id == request_id, package.c.owner_id.is_(None)
    )
    query = select(
        columns.state,
        columns.revision,
        columns.packed_revision,
        whole.scalar_subquery().label("whole_revision"),
        func.greatest(
            columns.created_at, columns.matched_at, answered.scalar_subquery(), late.scalar_subquery()
        ).label("changed_at"),
    ).where(columns.id == request_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFoundError(f"no request {request_id}")
    return PackingState(
        RequestState(row.state), row.revision, row.packed_revision, row.whole_revision, row.changed_at
    )


def newest_recipes(connection: Connection, request_id: UUID) -> dict[UUID | None, tuple[int, Recipe]]:
    """Return of each owner, None for all together, the newest package's revision and what it was made of."""
    columns = package.c
    query = (
        select(columns.owner_id, columns.revision, columns.recipe)
        .ext(distinct_on(columns.owner_id))
        .where(columns.request_id == request_id)
        .order_by(columns.owner_id, columns.revision.desc())
    )
    return {row.owner_id: (row.revision, row.recipe) for row in connection.execute(query)}


def enter_packages(
    connection: Connection, request_id: UUID, revision: int, made: Sequence["Package"], *, finished: bool
) -> Entered:
    """Enter packages whose files are kept, each once; `finished` when the revision has no other."""
    packages = [
        {
            "owner_id": str(one.owner_id) if one.owner_id else None,
            "file_name": one.path.name,
            "sha256": one.sha256,
            "size_bytes": one.size_bytes,
            "feature_count": one.feature_count,
            "manifest": one.manifest,
            "recipe": one.recipe,
        }
        for one in made
    ]
    values = {
        "request": request_id,
        "revision": revision,
        "packages": json.dumps(packages),
        "finished": finished,
    }
    return Entered(connection.execute(_ENTER, values).scalar_one())


def enter_mended(connection: Connection, package_id: UUID, made: "Package") -> None:
    """Say that a package's file was made again."""
    values = {
        "package": package_id,
        "sha256": made.sha256,
        "size_bytes": made.size_bytes,
        "manifest": json.dumps(made.manifest),
    }
    connection.execute(_MENDED, values)


def tell_of_stuck_packages(connection: Connection, request_id: UUID) -> bool:
    """Tell the operator that a request's packages cannot be made; False when that was told, or is not so any more."""
    return bool(connection.execute(_TELL_OF_STUCK, {"request": request_id}).scalar_one())


def list_recipes(connection: Connection, request_id: UUID) -> list[tuple[StoredPackage, Recipe]]:
    """Return every package of the job's request with what it was made of, the oldest first."""
    rows = connection.execute(_packages(request_id).add_columns(package.c.recipe)).all()
    return [(_stored(row), row.recipe) for row in reversed(rows)]


def list_packages(connection: Connection, request_id: UUID) -> list[StoredPackage]:
    """Return the packages of a request that the acting principal may see, the newest and the consolidated ones first."""
    return [_stored(row) for row in connection.execute(_packages(request_id))]


def get_package(connection: Connection, package_id: UUID) -> StoredPackage:
    """Return a package that the acting principal may see; NotFoundError for any other."""
    request_id = connection.execute(
        select(package.c.request_id).where(package.c.id == package_id)
    ).scalar_one_or_none()
    found = list_packages(connection, request_id) if request_id else []
    wanted = next((one for one in found if one.id == package_id), None)
    if wanted is None:
        raise NotFoundError(f"no package {package_id}")
    return wanted


def find_owners_package(
    connection: Connection, owner_request_id: UUID, owner_id: UUID, revision: int | None = None
) -> StoredPackage | None:
    """Return the newest package of an owner's own answers, or that of a revision of the request; None when there is none.

    NotFoundError for others' requests.
    """
    request_id = connection.execute(
        select(owner_request.c.request_id).where(
            owner_request.c.id == owner_request_id, owner_request.c.owner_id == owner_id
        )
    ).scalar_one_or_none()
    if request_id is None:
        raise NotFoundError(f"no owner request {owner_request_id}")
    found = list_packages(connection, request_id)
    own = [one for one in found if one.owner_id == owner_id]
    return next((one for one in own if (one.current if revision is None else one.revision == revision)), None)


def find_delivered(
    connection: Connection, *, code: str | None = None, sha256: str | None = None
) -> DeliveredPackage | None:
    """Return what there is to know of a package by its printed code or its file's digest; nobody acts."""
    row = connection.execute(_FIND_DELIVERED, {"code": code, "digest": sha256}).one_or_none()
    return DeliveredPackage(*row) if row else None


def record_download(
    connection: Connection, actor: UUID, stored: StoredPackage, part: str | None, link_id: UUID | None = None
) -> None:
    """Enter into the trail that a package, or a part of its bytes, is handed out, to a token or by a link."""
    details = {
        "request_id": str(stored.request_id),
        "owner_id": str(stored.owner_id) if stored.owner_id else None,
        "revision": stored.revision,
        "sha256": stored.sha256,
        **({"range": part} if part else {}),
        **({"link_id": str(link_id)} if link_id else {}),
    }
    record_event(connection, "requester:package:download", actor=actor, object_id=stored.id, details=details)


def list_downloads(connection: Connection, package_id: UUID, *, most: int) -> list[Download]:
    """Return who fetched a package that the acting principal may see, the newest first; NotFoundError for any other.

    For an owner and the package of its own answers also who fetched packages of all owners that held them.
    """
    with refusals({"LE404": "There is no such package."}):
        rows = connection.execute(_DOWNLOADS, {"package": package_id, "most": most}).all()
    return [Download(*row) for row in rows]


def call_for_mending(connection: Connection, package_id: UUID) -> bool:
    """Call a worker to make a package again that the acting principal may see; False when it was called before."""
    with refusals({"LE404": "There is no such package."}):
        return bool(connection.execute(_CALL_FOR_MENDING, {"package": package_id}).scalar_one())


def call_for_owner_packages(connection: Connection) -> bool:
    """Call for the owners' own packages of the job's request; False when none are left or a call waits already."""
    return bool(connection.execute(_CALL_FOR_OWNER_PACKAGES).scalar_one())


def call_for_packages(connection: Connection) -> int:
    """Call workers for the packages that are left to make; return for how many requests they were not called yet."""
    return int(connection.execute(_CALL_FOR_PACKAGES).scalar_one())


def list_kept(connection: Connection, after: int, most: int) -> list[tuple[int, UUID, str]]:
    """Return order number, request and digest of packages that the store ought to have, of `most` requests."""
    rows = connection.execute(_KEPT, {"after": after, "most": most})
    return [(row.order_number, row.request_id, row.sha256) for row in rows]


def _packages(request_id: UUID) -> Any:  # noqa: ANN401 - a select whose columns mypy cannot tell
    columns = package.c
    newest = func.max(columns.revision).over(partition_by=columns.owner_id)
    return (
        select(
            *(columns.id, columns.request_id, columns.owner_id, columns.revision, columns.file_name),
            *(columns.sha256, columns.size_bytes, columns.feature_count, columns.manifest),
            columns.created_at,
            organisation.c.cvr,
            organisation.c.name,
            (columns.revision == newest).label("current"),
        )
        .outerjoin(organisation, organisation.c.id == columns.owner_id)
        .where(columns.request_id == request_id)
        .order_by(columns.revision.desc(), columns.owner_id.nulls_first())
    )


def _stored(row: Row[Any]) -> StoredPackage:
    return StoredPackage(
        id=row.id,
        request_id=row.request_id,
        owner_id=row.owner_id,
        owner_cvr=row.cvr,
        owner_name=row.name,
        revision=row.revision,
        file_name=row.file_name,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        feature_count=row.feature_count,
        manifest=row.manifest,
        created_at=row.created_at,
        current=row.current,
    )
