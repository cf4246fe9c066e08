"""Who calls, and what that caller may do at this moment.

Of a token alone nothing follows: what it carries is bounded by the roles that its organisation is granted now, by what
its person may do there, and, for who acts for another, by the mandate. Nothing of it is kept between two calls.
"""

import hmac
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection

from ler.domain.access import Scope
from ler.domain.roles import (
    ADMINISTRATORS_ONLY,
    MANDATABLE,
    Role,
    known_roles,
    known_scopes,
    permitted_to_member,
)
from ler.errors import RefusedError
from ler.services.grants import find_acting_for
from ler.services.token_format import Kind, digest, parse_secret

_FIND: Final = text("SELECT * FROM ler.find_token(CAST(:prefix AS text))")
_FIND_AGAIN: Final = text("SELECT * FROM ler.find_token(CAST(:id AS uuid))")
_NOBODYS: Final = "0" * 64


class Refusal(StrEnum):
    """Why a token was refused: for the audit trail, never for the caller."""

    UNKNOWN = "unknown"
    WRONG_SECRET = "wrong-secret"  # noqa: S105 - a name
    EXPIRED = "expired"
    REVOKED = "revoked"


class TokenRefusedError(RefusedError):
    """The token is not valid: unknown, changed, expired or revoked."""

    def __init__(
        self,
        reason: Refusal = Refusal.UNKNOWN,
        *,
        organisation_id: UUID | None = None,
        token_id: UUID | None = None,
    ) -> None:
        # One text for all: which of them it is helps nobody but who guesses.
        super().__init__("token-invalid", "The token is not valid: unknown, changed, expired or revoked.")
        self.reason = reason
        self.organisation_id = organisation_id
        """Whose token it would have been; None when there is none of that name."""
        self.token_id = token_id


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, and what it may do; given to every service, never guessed."""

    organisation_id: UUID
    """For whom the call is made."""
    token_id: UUID
    scopes: frozenset[Scope]
    account_id: UUID | None = None
    """The person that calls; None: a program of the organisation."""
    provider_id: UUID | None = None
    """The organisation that calls by its mandate; None: the organisation itself."""
    kind: Kind = Kind.PERSONAL
    carried: frozenset[Scope] = frozenset()
    """What its token carries, of which the rest is bounded: what a token that it makes may carry at most."""
    bounded: bool = False
    """Whether its token may ask only within an area."""
    derived: bool = False
    """Whether another token made its token, with which it ends."""
    expires_at: datetime | None = None
    acting_cvr: str | None = None
    """By which number the provider named for whom it acts."""

    @property
    def calling_id(self) -> UUID:
        """The organisation whose token it is."""
        return self.provider_id or self.organisation_id


def verify_token(
    connection: Connection, token: str, kinds: frozenset[Kind] = frozenset({Kind.PERSONAL, Kind.CLIENT})
) -> Principal:
    """Return whose token of these kinds it is and what it may do now; TokenRefusedError, alike for whatever is wrong.

    The transaction acts for nobody. The secret is compared in constant time.
    """
    given = parse_secret(token)
    if given is None or given.kind not in kinds:
        raise TokenRefusedError
    row = connection.execute(_FIND, {"prefix": given.prefix}).one_or_none()
    right = hmac.compare_digest(digest(given.secret), row.secret_sha256 if row else _NOBODYS)
    if row is None or row.kind != given.kind:
        raise TokenRefusedError
    refusal = None if right else Refusal.WRONG_SECRET
    refusal = refusal or (Refusal.REVOKED if row.revoked else Refusal.EXPIRED if row.expired else None)
    if refusal:
        raise TokenRefusedError(refusal, organisation_id=row.owner_id, token_id=row.id)
    return principal_of(row)


def acting_for(connection: Connection, caller: Principal, cvr: str) -> Principal:
    """Return the caller as it acts for another organisation by that one's mandate.

    RefusedError `mandate-missing` when there is none, whoever the number belongs to. A token that is bounded by an area
    is bounded by it here too.
    """
    found = find_acting_for(connection, caller.organisation_id, cvr)
    if found is None or caller.provider_id is not None:
        raise RefusedError("mandate-missing", "there is no mandate by which you act for that organisation")
    return mandated(caller, found.organisation_id, found.scopes, cvr)


def mandated(caller: Principal, organisation_id: UUID, named: frozenset[Scope], cvr: str) -> Principal:
    """Return the caller as it acts for an organisation whose mandate permits `named`."""
    return replace(
        caller,
        organisation_id=organisation_id,
        provider_id=caller.organisation_id,
        scopes=caller.carried & known_scopes(named),
        acting_cvr=cvr,
    )


def find_principal_now(connection: Connection, caller: Principal) -> Principal | None:
    """Return what a caller that was let in before may do by now; None when its token or its mandate has ended."""
    row = connection.execute(_FIND_AGAIN, {"id": caller.token_id}).one_or_none()
    if row is None or row.expired or row.revoked:
        return None
    now = principal_of(row)
    if caller.acting_cvr is None:
        return now
    try:
        return acting_for(connection, now, caller.acting_cvr)
    except RefusedError:
        return None


def principal_of(row: Any) -> Principal:  # noqa: ANN401 - of whichever function gave it
    """Return who calls, by a row of ler.find_token whose secret was proved."""
    own, for_others = _rights(tuple(row.roles), tuple(row.scopes), administrator=row.administrator)
    return Principal(
        organisation_id=row.owner_id,
        token_id=row.id,
        scopes=own,
        account_id=row.account_id,
        kind=Kind(row.kind),
        carried=own | for_others,
        bounded=row.bounded,
        derived=row.derived,
        expires_at=row.expires_at,
    )


@lru_cache(maxsize=1024)
def _rights(
    stored_roles: tuple[str, ...], stored_scopes: tuple[str, ...], *, administrator: bool
) -> tuple[frozenset[Scope], frozenset[Scope]]:
    """What a token with these scopes permits to an organisation with these roles, for itself and for others."""
    roles, carried = known_roles(stored_roles), known_scopes(stored_scopes)
    if not administrator:
        carried -= ADMINISTRATORS_ONLY
    own = carried & permitted_to_member(roles, administrator=administrator)
    # Who acts for others may carry for them what it may not do itself.
    return own, carried & MANDATABLE if Role.PROVIDER in roles else frozenset()
