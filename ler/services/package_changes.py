"""What differs between two packages of the same requester, from what is stored of them and not from their files.

As the caller: the manifests and features that its policies show it. Refuses revisions of which no package was made.
"""

from collections import defaultdict
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.engine import Connection

from ler.db.rows import row_to_feature
from ler.db.tables import package_feature
from ler.errors import NotFoundError, RefusedError
from ler.packages.difference import Difference, Side, compare
from ler.services.packages import StoredPackage, get_package, list_packages


def compare_with_former(connection: Connection, package_id: UUID, *, since: int | None = None) -> Difference:
    """Compare a package with that of an earlier revision of its request, by default the one before it.

    NotFoundError for a package or revision that is not there, or not for the acting principal.
    """
    new = get_package(connection, package_id)
    former = (
        one
        for one in _of_kind(connection, new.request_id, new.owner_id)
        if (one.revision < new.revision if since is None else one.revision == since)
    )
    old = next(former, None)
    if old is None:
        raise NotFoundError(f"no package {'before that' if since is None else f'of revision {since}'}")
    return compare(_side(connection, old), _side(connection, new))


def compare_with_request(connection: Connection, package_id: UUID, other_request: UUID) -> Difference:
    """Compare a package with the newest one of another request, in what their areas have in common.

    NotFoundError as above; RefusedError `packages-apart`.
    """
    new = get_package(connection, package_id)
    old = next(iter(_of_kind(connection, other_request, new.owner_id)), None)
    if old is None:
        raise NotFoundError(f"no package of request {other_request}")
    return compare(_side(connection, old), _side(connection, new))


def _of_kind(connection: Connection, request_id: UUID, owner_id: UUID | None) -> list[StoredPackage]:
    """The newest first."""
    return [one for one in list_packages(connection, request_id) if one.owner_id == owner_id]


def _side(connection: Connection, stored: StoredPackage) -> Side:
    """Read what a package was made of; an answer that was replaced since keeps its features."""
    owners = stored.manifest["owners"]
    owner_of = {UUID(one["answer_id"]): str(owner["cvr"]) for owner in owners for one in owner["answers"]}
    columns = package_feature.c
    query = (
        select(package_feature)
        .where(columns.request_id == stored.request_id, columns.answer_id.in_(owner_of))
        .order_by(columns.answer_id, columns.seq)
    )
    features = defaultdict(list)
    for row in connection.execute(query).mappings():
        features[owner_of[row["answer_id"]]].append(row_to_feature(dict(row)))
    for owner in owners:
        if len(features[str(owner["cvr"])]) != owner["feature_count"]:
            raise RefusedError("package-erased", "what the package delivered is not kept any more")
    return Side(stored.manifest, features)
