"""From a dig area to packages: the whole main job, one step after the other.

The request is entered and matched in one transaction, acting for the requester; the packages are built in another,
by the worker, from what the match stored.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy.engine import Connection

from conflicts.match import match_request
from geoapi.database import Databases
from geoapi.drawing_repair import mend_drawings
from ler.blobs import FolderStore
from ler.db.engine import transaction
from ler.domain.request_rules import DigKind, RequestLimits
from ler.errors import RefusedError
from ler.packages.content import OwnerStatus, RequestInfo
from ler.packages.package import Package, write_consolidated_package, write_owner_package
from ler.rules_in_force import Due, due_by_default_rules
from ler.services.deliveries import list_drawing_files, list_owner_statuses, record_package
from ler.services.requests import DEFAULT_LIMITS, NewRequest, check_request, create_request, name_owners

type Step = Callable[[str], None]
"""Told what begins now."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A request with all that came of it."""

    request: RequestInfo
    owners: list[OwnerStatus]
    packages: list[Package]
    """The consolidated one first."""

    @property
    def missing(self) -> list[OwnerStatus]:
        """Owners that were asked and have not answered: no digging before they have."""
        return [owner for owner in self.owners if not owner.answered]


def send_request(
    connection: Connection,
    requester_id: UUID,
    wanted: NewRequest,
    *,
    limits: RequestLimits = DEFAULT_LIMITS,
    due: Due = due_by_default_rules,
    free_renewal_days: int = 0,
) -> RequestInfo:
    """Enter a request and ask its owners in the caller's transaction; of one for orientation the owners are named only.

    `due` says until when owners must answer, from the database's time. RefusedError for a request that cannot be.
    """
    made = create_request(connection, requester_id, wanted, limits, free_renewal_days=free_renewal_days)
    if wanted.kind is DigKind.ORIENTATION:
        name_owners(connection, made.id)
    else:
        match_request(connection, made.id, due)
    return made


def answer_request(
    databases: Databases,
    requester_id: UUID,
    wanted: NewRequest,
    out: Path,
    step: Step = lambda _: None,
    *,
    limits: RequestLimits = DEFAULT_LIMITS,
    store: FolderStore | None = None,
    due: Due = due_by_default_rules,
) -> Answered:
    """Enter the request, match it, and write the packages into `out`, which is made when it is not there.

    `store` holds the owners' drawings, `due` says until when owners must answer. RefusedError for a request or a folder that cannot be, before anything is stored.
    """
    check_request(wanted, limits)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RefusedError("folder-invalid", f"{out} cannot be used as a folder: {error.strerror}") from None
    step("Asking the owners and matching their networks")
    with transaction(databases.app, requester_id) as connection:
        request = send_request(connection, requester_id, wanted, limits=limits, due=due)
    if store:
        with transaction(databases.worker, None, request=request.id) as connection:
            files = list_drawing_files(connection, request.id)
        # Between transactions: making a large drawing again takes minutes.
        mend_drawings(databases.app, store, files)
    with transaction(databases.worker, None, request=request.id) as connection:
        owners = list_owner_statuses(connection, request.id, store)
        step("Writing the consolidated package")
        packages = [write_consolidated_package(out, request, owners)]
        complete = all(owner.answered for owner in owners)
        for owner in owners:
            if owner.deliveries:
                step(f"Writing the package of {owner.name}")
                packages.append(write_owner_package(out, request, owner, complete=complete))
        for package in packages:
            record_package(connection, request.id, package)
    return Answered(request, owners, packages)
