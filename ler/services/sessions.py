"""Logins of people: whom an issuer of theirs means, and the session that a browser keeps as a cookie.

A session is a token of the kind `session`: one table, one gate, ended at once like any other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection

from ler.db.functions import refusals
from ler.domain.access import Scope
from ler.errors import NotFoundError, RefusedError
from ler.services.token_format import Kind, new_secret

_FIND: Final = text("SELECT * FROM ler.find_accounts(:issuer, :subject, :email)")
_BEGIN: Final = text(
    "SELECT ler.begin_session(:account_id, :issuer, :subject, :email, :prefix, :sha256, :scopes, :life, :idle_s, :acr,"
    " :amr)"
)
_BEGINNING: Final[Mapping[str, str | tuple[str, str]]] = {
    "LE404": ("member-unknown", "You are no member of an organisation here.")
}


@dataclass(frozen=True, slots=True)
class Login:
    """Who logged in, by the word of the issuer and in its words."""

    issuer: str
    subject: str
    email: str | None
    """None unless the issuer has made sure of it."""
    acr: str | None
    amr: Sequence[str]


@dataclass(frozen=True, slots=True)
class Membership:
    """A member that somebody is, and of what."""

    account_id: UUID
    organisation_id: UUID
    cvr: str | None
    name: str


class SeveralMembershipsError(RefusedError):
    """Somebody is a member of several organisations and has not said for which one."""

    def __init__(self, memberships: Sequence[Membership]) -> None:
        super().__init__(
            "organisation-needed", "You are a member of several organisations. Say for which one you log in."
        )
        self.memberships = memberships


def find_membership(connection: Connection, login: Login, cvr: str | None) -> Membership:
    """Return as which member somebody comes; the transaction acts for nobody.

    `cvr` says of which organisation, needed when there are several. RefusedError `member-unknown` when there is none,
    SeveralMembershipsError when it was not said.
    """
    values = {"issuer": login.issuer, "subject": login.subject, "email": login.email}
    found = [Membership(*row) for row in connection.execute(_FIND, values)]
    if cvr:
        found = [one for one in found if one.cvr == cvr]
    if not found:
        raise RefusedError("member-unknown", "You are no member of an organisation here.")
    if len(found) > 1:
        raise SeveralMembershipsError(found)
    return found[0]


def begin_session(
    connection: Connection, member: Membership, login: Login, *, life: timedelta, idle: timedelta
) -> str:
    """Begin a session; return what the browser keeps. It carries all that its person may do.

    It ends after `life`, and when it is not used for `idle`. The first login of a member ties it to that person for
    good. RefusedError `member-unknown` when it has become somebody else's meanwhile.
    """
    made = new_secret(Kind.SESSION)
    values = {
        "account_id": member.account_id,
        "issuer": login.issuer,
        "subject": login.subject,
        "email": login.email,
        "prefix": made.prefix,
        "sha256": made.sha256,
        "scopes": sorted(str(scope) for scope in Scope),
        "life": life,
        "idle_s": round(idle.total_seconds()),
        "acr": login.acr,
        "amr": list(login.amr),
    }
    try:
        with refusals(_BEGINNING):
            connection.execute(_BEGIN, values)
    except NotFoundError as error:
        raise RefusedError("member-unknown", str(error)) from error
    return made.token
