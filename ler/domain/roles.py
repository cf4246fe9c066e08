"""Who may do what: roles, what each permits, and how that bounds a token and a mandate.

A grant gives an organisation a role for an area and a time. What a call may do is what its token carries *and* what
the roles permit that are granted at that moment; by mandate, what the mandate names *and* what the roles permit of
the organisation that gave it. Nothing here adds a right that one of them lacks.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from ler.domain.access import Scope


class Role(StrEnum):
    """What an organisation is to the register."""

    OWNER = "owner"
    """Ledningsejer: has lines, registers where, and answers (LAW § 2, or of free will § 6)."""
    PROVIDER = "provider"
    """Tjenesteyder: acts for others by mandate (API 00-210). Alone it may do nothing but keep its own entry."""
    EXCAVATOR = "excavator"
    """Graveaktør: must ask before it digs."""
    PRIVATE = "private"
    """A private person: may ask, and may wish to stay unnamed."""
    AUTHORITY = "authority"
    """Authority or researcher with a declaration: learns who has lines, and asks nobody (ler.dk P.5.1). Its requests are
    for orientation: the database refuses others, until it has the role of an excavator besides."""
    OPERATOR = "operator"
    """Runs the register. Sees what it keeps of others, never their networks."""
    AUDITOR = "auditor"
    """Supervision: reads the register, the audit trail and damages, and changes nothing."""


_KEPT_BY_ALL: Final = frozenset(
    {
        Scope.AUDIT_READ,
        Scope.NOTICE_READ,
        Scope.NOTICE_WRITE,
        Scope.REGISTER_READ,
        Scope.REGISTER_WRITE,
        Scope.TOKEN_WRITE,
    }
)
"""The own entry, the own notices, the own tokens, and what was recorded of one's own acts."""

_SCOPES: Final = {str(one): one for one in Scope}
_ASKING: Final = frozenset({Scope.REQUEST_READ, Scope.REQUEST_WRITE, Scope.DAMAGE_READ, Scope.DAMAGE_WRITE})
_PLANNING: Final = frozenset({Scope.WORK_READ, Scope.WORK_WRITE})

PERMISSIONS_OF: Final[Mapping[Role, frozenset[Scope]]] = {
    Role.OWNER: _KEPT_BY_ALL
    | _PLANNING
    | {
        Scope.ANSWER_READ,
        Scope.ANSWER_WRITE,
        Scope.DAMAGE_READ,
        Scope.DAMAGE_WRITE,
        Scope.NETWORK_APPROVE,
        Scope.NETWORK_READ,
        Scope.NETWORK_UPLOAD,
    },
    Role.PROVIDER: _KEPT_BY_ALL,
    Role.EXCAVATOR: _KEPT_BY_ALL | _ASKING | _PLANNING,
    Role.PRIVATE: _KEPT_BY_ALL | _ASKING,
    Role.AUTHORITY: _KEPT_BY_ALL | _PLANNING | {Scope.REQUEST_READ, Scope.REQUEST_WRITE, Scope.DAMAGE_READ},
    Role.OPERATOR: _KEPT_BY_ALL | _ASKING | _PLANNING,
    Role.AUDITOR: frozenset(
        {
            Scope.AUDIT_READ,
            Scope.DAMAGE_READ,
            Scope.NOTICE_READ,
            Scope.REGISTER_READ,
            Scope.TOKEN_WRITE,
        }
    ),
}
"""What each role permits. What a scope reaches is bounded further by whose rows are asked for."""

ADMINISTRATORS_ONLY: Final = frozenset({Scope.REGISTER_WRITE, Scope.TOKEN_WRITE})
"""What of its organisation's rights a member has only as administrator."""

NEVER_BY_MANDATE: Final = frozenset({Scope.TOKEN_WRITE})
"""What nobody can do for another: handing out tokens would outlive the mandate."""

MANDATABLE: Final = frozenset(Scope) - NEVER_BY_MANDATE
"""What a mandate may name."""


def permitted(roles: Iterable[Role]) -> frozenset[Scope]:
    """Return what these roles permit together."""
    return frozenset().union(*(PERMISSIONS_OF[role] for role in roles))


def permitted_to_member(roles: Iterable[Role], *, administrator: bool) -> frozenset[Scope]:
    """Return what these roles of an organisation permit to one of its members."""
    scopes = permitted(roles)
    return scopes if administrator else scopes - ADMINISTRATORS_ONLY


def permitted_by_mandate(named: Iterable[Scope], roles_of_giver: Iterable[Role]) -> frozenset[Scope]:
    """Return what a provider may do for another: what the mandate names and the giver's roles permit."""
    return frozenset(named) & permitted(roles_of_giver) & MANDATABLE


_ROLES: Final = {str(one): one for one in Role}


def known_roles(stored: Iterable[str]) -> frozenset[Role]:
    """Return the roles among these names; one that this version of the program does not know permits nothing."""
    return frozenset(_ROLES[name] for name in stored if name in _ROLES)


def known_scopes(stored: Iterable[str]) -> frozenset[Scope]:
    """Return the scopes among these names; one that this version of the program does not know grants nothing."""
    return frozenset(_SCOPES[name] for name in stored if name in _SCOPES)
