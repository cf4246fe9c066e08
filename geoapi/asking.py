"""A request entered and its owners asked, in one transaction: the same for HTTP, commands and the main job."""

from uuid import UUID

from sqlalchemy.engine import Connection

from conflicts.match import match_request
from ler.domain.request_rules import DigKind, RequestLimits
from ler.packages.content import RequestInfo
from ler.rules_in_force import Due, due_by_default_rules
from ler.services.requests import DEFAULT_LIMITS, NewRequest, create_request, name_owners


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
