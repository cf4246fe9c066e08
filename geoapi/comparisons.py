"""Two versions of a network held against each other, the newer one published or waiting for its owner's word."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.engine import Connection

from ingest.compare import Comparison, compare_versions
from ingest.report.changes_map import Changes, staged_changes, version_changes
from ler.errors import RefusedError
from ler.services.networks import Version, get_version


def compare_numbers(
    connection: Connection, owner_id: UUID, old: int, new: int
) -> tuple[Comparison, Callable[[], Changes]]:
    """Return the comparison, and what reads the geometries for its map within the same transaction.

    NotFoundError for a version that is not there, RefusedError `version-purged`, `version-unpublished`, and
    `version-stale` for a waiting version that was compared with another one.
    """
    first, second = (get_version(connection, owner_id, number) for number in (old, new))
    if second.state == "staged":
        compared = Comparison.from_json(second.comparison or {"base_number": None, "types": {}})
        if compared.base_number != first.number:
            raise RefusedError(
                "version-stale", f"version {new} was compared with {compared.base_number}, not with {old}"
            )
        return compared, lambda: staged_changes(connection, second.id)
    for version in (first, second):
        _check_readable(version)
    compared = compare_versions(connection, second.dataset_id, old, new)
    return compared, lambda: version_changes(connection, second.dataset_id, old, new)


def changes_of(connection: Connection, owner_id: UUID, number: int, base_number: int | None) -> Changes:
    """Return what a version changed, or would change, against the one it was compared with; None: against nothing.

    The errors of `compare_numbers`.
    """
    version = get_version(connection, owner_id, number)
    if version.state == "staged":
        return staged_changes(connection, version.id)
    _check_readable(version)
    if base_number is not None:
        _check_readable(get_version(connection, owner_id, base_number))
    return version_changes(connection, version.dataset_id, base_number or 0, number)


def _check_readable(version: Version) -> None:
    if version.purged_at is not None:
        raise RefusedError("version-purged", f"the features of version {version.number} have been removed")
    if version.state not in {"published", "superseded"}:
        raise RefusedError("version-unpublished", f"version {version.number} is {version.state}")
