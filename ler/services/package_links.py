"""Links by which a package is fetched without a token, for some days: a secret for one package, kept as a hash.

A link ends with its time, with the token, program or person that made it, with the package, and when its maker ends it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.engine import Connection

from ler.db.functions import record_event, refusals
from ler.db.tables import package_link
from ler.errors import NotFoundError
from ler.services.link_secrets import find_by_secret, new_secret
from ler.services.principals import Principal

DOWNLOAD: Final = "/download"
"""Path, before the secret."""
MOST_LINKS: Final = 20
"""Of a package, that can be used at a time."""

_KEEP: Final = text("SELECT ler.keep_package_link(:package, :token, :digest, :life, :most)")
_END: Final = text("SELECT ler.end_package_link(:package, :link)")
_FIND: Final = text("SELECT * FROM ler.find_package_link(:digest)")


@dataclass(frozen=True, slots=True)
class PackageLink:
    """A link, without its secret."""

    id: UUID
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class FoundLink:
    """What a secret is for."""

    id: UUID
    package_id: UUID
    organisation_id: UUID
    """For which whoever holds it fetches the package."""


def make_package_link(
    connection: Connection, maker: Principal, package_id: UUID, life: timedelta
) -> tuple[PackageLink, str]:
    """Make a link and return it with its path, which is shown this once.

    NotFoundError for a package that the maker may not see; RefusedError `package-links` when it has `MOST_LINKS`.
    """
    secret, digest = new_secret()
    values = {
        "package": package_id,
        "token": maker.token_id,
        "digest": digest,
        "life": life,
        "most": MOST_LINKS,
    }
    with refusals({"LE404": "There is no such package.", "LE409": ("package-links", f"{MOST_LINKS} links")}):
        link_id = connection.execute(_KEEP, values).scalar_one()
    made = next(one for one in list_package_links(connection, package_id) if one.id == link_id)
    details = {"link_id": str(made.id), "expires_at": made.expires_at.isoformat()}
    record_event(
        connection,
        "requester:package_link:add",
        actor=maker.organisation_id,
        object_id=package_id,
        details=details,
    )
    return made, f"{DOWNLOAD}/{secret}"


def list_package_links(connection: Connection, package_id: UUID) -> list[PackageLink]:
    """Return the acting organisation's links to a package that have not expired, the newest first."""
    columns = package_link.c
    rows = connection.execute(
        select(columns.id, columns.created_at, columns.expires_at)
        .where(columns.package_id == package_id, columns.expires_at > func.now())
        .order_by(columns.created_at.desc(), columns.id)
    )
    return [PackageLink(*row) for row in rows]


def end_package_link(connection: Connection, actor: UUID, package_id: UUID, link_id: UUID) -> None:
    """End a link of the acting organisation. NotFoundError."""
    if not connection.execute(_END, {"package": package_id, "link": link_id}).scalar_one():
        raise NotFoundError(f"no link {link_id}")
    record_event(
        connection,
        "requester:package_link:remove",
        actor=actor,
        object_id=package_id,
        details={"link_id": str(link_id)},
    )


def find_package_link(connection: Connection, secret: str) -> FoundLink:
    """Return what a secret is for; nobody acts. RefusedError `link-invalid`, whatever is wrong with it."""
    return FoundLink(*find_by_secret(connection, _FIND, secret))
