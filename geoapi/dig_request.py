"""From a dig area to packages: the whole main job, one step after the other.

The request is entered and matched in one transaction, acting for the requester; the packages are made in others, as a
worker makes them, from what the match stored.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from geoapi.asking import send_request
from geoapi.database import Databases
from geoapi.packing import Step, copy_out, pack_request, read_request
from ler.blobs import BlobStore
from ler.db.engine import transaction
from ler.domain.request_rules import RequestLimits
from ler.errors import RefusedError
from ler.packages.content import OwnerStatus, RequestInfo
from ler.packages.contents import DEFAULT_OPTIONS, PackageOptions
from ler.packages.package import Package
from ler.rules_in_force import Due, due_by_default_rules
from ler.services.deliveries import list_owner_statuses
from ler.services.packages import list_packages
from ler.services.requests import DEFAULT_LIMITS, NewRequest, check_request

_LOOK_AGAIN_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Answered:
    """A request with all that came of it."""

    request: RequestInfo
    owners: list[OwnerStatus]
    packages: list[Package]
    """The consolidated one first."""

    @property
    def missing(self) -> list[OwnerStatus]:
        """Owners that were asked and owe an answer: no digging before they have given it."""
        return [owner for owner in self.owners if not owner.answered]


def answer_request(
    databases: Databases,
    requester_id: UUID,
    wanted: NewRequest,
    out: Path,
    step: Step = lambda _: None,
    *,
    store: BlobStore,
    limits: RequestLimits = DEFAULT_LIMITS,
    due: Due = due_by_default_rules,
    options: PackageOptions = DEFAULT_OPTIONS,
) -> Answered:
    """Enter the request, match it, make its packages and copy them into `out`, which is made when it is not there.

    `store` holds drawings and packages, `due` says until when owners must answer. RefusedError for a request or a
    folder that cannot be, before anything is stored.
    """
    check_request(wanted, limits)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RefusedError("folder-invalid", f"{out} cannot be used as a folder: {error.strerror}") from None
    step("Asking the owners and matching their networks")
    with transaction(databases.app, requester_id) as connection:
        request_id = send_request(connection, requester_id, wanted, limits=limits, due=due).id
    # A worker may have been quicker, and be at it.
    while not pack_request(databases, store, request_id, step, options):
        time.sleep(_LOOK_AGAIN_S)
    with transaction(databases.worker, None, request=request_id) as connection:
        _, request = read_request(connection, request_id)
        owners = list_owner_statuses(connection, request_id, store)
        stored = [one for one in list_packages(connection, request_id) if one.current]
    order: dict[UUID | None, int] = {None: -1, **{owner.id: place for place, owner in enumerate(owners)}}
    packages = [
        Package(
            copy_out(store, one, out),
            one.sha256,
            one.size_bytes,
            one.feature_count,
            one.manifest,
            one.owner_id,
        )
        for one in sorted(stored, key=lambda one: order[one.owner_id])
    ]
    return Answered(request, owners, packages)
