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
from ler.services.packages import StoredPackage, list_packages


def compare_revisions(
    connection: Connection, request_id: UUID, revision: int, *, since: int | None = None
) -> Difference:
    """Compare a request's consolidated package with that of an earlier revision, by default the one before it.

    NotFoundError for a revision without a package, and for requests of others.
    """
    found = _consolidated(connection, request_id)
    new = _of_revision(found, revision)
    if since is None:
        since = next((one.revision for one in found if one.revision < revision), None)
        if since is None:
            raise NotFoundError(f"no package before revision {revision}")
    return compare(_side(connection, _of_revision(found, since)), _side(connection, new))


def compare_requests(
    connection: Connection, request_id: UUID, revision: int, *, since_request: UUID
) -> Difference:
    """Compare a request's package with the newest one of another request, in what their areas have in common.

    NotFoundError as above; RefusedError `packages-apart`.
    """
    new = _of_revision(_consolidated(connection, request_id), revision)
    old = next(iter(_consolidated(connection, since_request)), None)
    if old is None:
        raise NotFoundError(f"no package of request {since_request}")
    return compare(_side(connection, old), _side(connection, new))


def _consolidated(connection: Connection, request_id: UUID) -> list[StoredPackage]:
    """The newest first."""
    return [one for one in list_packages(connection, request_id) if one.owner_id is None]


def _of_revision(found: list[StoredPackage], revision: int) -> StoredPackage:
    wanted = next((one for one in found if one.revision == revision), None)
    if wanted is None:
        raise NotFoundError(f"no package of revision {revision}")
    return wanted


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
