"""Programs that prove who they are by a key of theirs, and get a token for it that lives for an hour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import shapely
from shapely import MultiPolygon
from sqlalchemy import func, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from ler.db.functions import record_event, refusals
from ler.db.tables import SRID, access_token, client, client_key
from ler.domain.access import Scope
from ler.domain.roles import known_scopes
from ler.errors import NotFoundError, RefusedError
from ler.services.principals import Principal
from ler.services.token_format import Kind, new_secret

MOST_KEYS: Final = 5
"""Keys of one client that are valid at a time: enough to change them without a pause."""

_LONGEST_NAME: Final = 100
_KEYS: Final = text("SELECT * FROM ler.client_keys(:client)")
_ISSUE: Final = text(
    "SELECT ler.issue_client_token(:client, :kid, :jti, :expires_at, :leeway, :prefix, :sha256, :scopes, :life)"
)


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A public key of a client. Moments are aware UTC."""

    kid: str
    jwk: Mapping[str, Any]
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Client:
    """A program of an organisation."""

    id: UUID
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None
    bounded: bool
    """Whether its tokens may ask only within an area."""
    keys: tuple[ClientKey, ...]


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """What a client's assertion is judged by."""

    organisation_id: UUID
    scopes: frozenset[Scope]
    keys: Mapping[str, Mapping[str, Any]]
    """Public keys (JWK) by kid."""
    now: datetime
    """By the database, aware UTC."""


@dataclass(frozen=True, slots=True)
class Proof:
    """An assertion of a client that was found good, before it is known whether it was used."""

    client_id: UUID
    kid: str
    jti: str
    expires_at: datetime


class ClientRefusedError(RefusedError):
    """The client is unknown or ended, or its assertion was used before."""

    def __init__(self, reason: str) -> None:
        super().__init__("client-invalid", "The client is unknown or its assertion is not valid.")
        self.reason = reason
        """For the audit trail; the caller is not told."""
        self.organisation_id: UUID | None = None
        """Whose client it is, when there is one."""


def register_client(
    connection: Connection,
    caller: Principal,
    *,
    name: str,
    scopes: Sequence[Scope],
    keys: Sequence[Mapping[str, Any]],
    area: MultiPolygon | None = None,
) -> UUID:
    """Register a program of the caller's organisation, with no more than the caller has; the caller acts.

    `keys` are public, as `geoapi.assertions.check_public_key` lets them in. RefusedError for a name that is none,
    scopes that the caller has not, a caller that is bounded by an area or acts for another, or no or too many keys.
    """
    _check_may_register(caller, scopes)
    return enter_client(
        connection,
        caller.organisation_id,
        name=name,
        scopes=scopes,
        keys=keys,
        area=area,
        by=str(caller.token_id),
    )


def enter_client(
    connection: Connection,
    organisation_id: UUID,
    *,
    name: str,
    scopes: Sequence[Scope],
    keys: Sequence[Mapping[str, Any]],
    by: str,
    area: MultiPolygon | None = None,
) -> UUID:
    """Register a program of the acting organisation; `by` is recorded. RefusedError as `register_client` says.

    What the program may do is bounded by what its organisation may at that moment, whatever its scopes.
    """
    if not scopes:
        raise RefusedError("scope-missing", f"a client needs a scope: {', '.join(Scope)}")
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise RefusedError("name-invalid", f"a name is 1 to {_LONGEST_NAME} printable characters")
    if not keys:
        raise RefusedError("key-invalid", "a client needs a key to sign with")
    values = {
        "owner_id": organisation_id,
        "name": name.strip(),
        "scopes": sorted({str(scope) for scope in scopes}),
        "area": shapely.to_wkb(shapely.set_srid(area, SRID), hex=True, include_srid=True) if area else None,
    }
    client_id: UUID = connection.execute(client.insert().values(values).returning(client.c.id)).scalar_one()
    record_event(
        connection,
        "auth:client:add",
        actor=organisation_id,
        object_id=client_id,
        details={"scopes": values["scopes"], "by": by},
    )
    for key in keys:
        add_key(connection, organisation_id, client_id, key)
    return client_id


def add_key(connection: Connection, organisation_id: UUID, client_id: UUID, key: Mapping[str, Any]) -> None:
    """Add a public key to a client of the acting organisation.

    NotFoundError for a client that is not there, ended or another's; RefusedError `kid-taken`, `keys-too-many`.
    """
    # Locked, so that two keys at once are counted one after the other.
    found = connection.execute(
        select(client.c.id)
        .where(client.c.id == client_id, client.c.owner_id == organisation_id, client.c.revoked_at.is_(None))
        .with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFoundError("no such client")
    valid = connection.execute(
        select(func.count()).where(client_key.c.client_id == client_id, client_key.c.revoked_at.is_(None))
    ).scalar_one()
    if valid >= MOST_KEYS:
        raise RefusedError("keys-too-many", f"a client has at most {MOST_KEYS} keys at a time; end one first")
    values = {"client_id": client_id, "owner_id": organisation_id, "kid": key["kid"], "jwk": dict(key)}
    try:
        with connection.begin_nested():
            connection.execute(client_key.insert().values(values))
    except IntegrityError:
        raise RefusedError(
            "kid-taken", f"the client has or had a key {key['kid']!r}; take a new kid"
        ) from None
    record_event(
        connection,
        "auth:client_key:add",
        actor=organisation_id,
        object_id=client_id,
        details={"kid": key["kid"]},
    )


def end_key(connection: Connection, organisation_id: UUID, client_id: UUID, kid: str) -> None:
    """End a key, and all tokens that its client has, at once; the program gets new ones by another key.

    NotFoundError for a key that is not there, ended or another's.
    """
    ended = connection.execute(
        update(client_key)
        .where(
            client_key.c.client_id == client_id,
            client_key.c.owner_id == organisation_id,
            client_key.c.kid == kid,
            client_key.c.revoked_at.is_(None),
        )
        .values(revoked_at=func.now())
    )
    if not ended.rowcount:
        raise NotFoundError("no such key")
    _end_tokens(connection, client_id)
    record_event(
        connection, "auth:client_key:revoke", actor=organisation_id, object_id=client_id, details={"kid": kid}
    )


def end_client(connection: Connection, organisation_id: UUID, client_id: UUID) -> None:
    """End a client and its tokens at once; NotFoundError for one that is not there, ended or another's."""
    ended = connection.execute(
        update(client)
        .where(client.c.id == client_id, client.c.owner_id == organisation_id, client.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    if not ended.rowcount:
        raise NotFoundError("no such client")
    _end_tokens(connection, client_id)
    record_event(connection, "auth:client:revoke", actor=organisation_id, object_id=client_id)


def list_clients(connection: Connection, organisation_id: UUID) -> list[Client]:
    """Return the clients of the acting organisation, the newest first, each with its keys, the oldest first."""
    return _clients(connection, organisation_id)


def get_client(connection: Connection, organisation_id: UUID, client_id: UUID) -> Client:
    """Return a client of the acting organisation; NotFoundError for any other."""
    found = [one for one in _clients(connection, organisation_id) if one.id == client_id]
    if not found:
        raise NotFoundError("no such client")
    return found[0]


def find_client_keys(connection: Connection, client_id: UUID) -> ClientKeys:
    """Return what a client's assertion is judged by; ClientRefusedError for one that has no valid key.

    The transaction acts for nobody.
    """
    row = connection.execute(_KEYS, {"client": client_id}).one_or_none()
    if row is None:
        raise ClientRefusedError("unknown-client")
    return ClientKeys(row.owner_id, known_scopes(row.scopes), row.keys, row.at)


def issue_client_token(
    connection: Connection, proof: Proof, *, scopes: frozenset[Scope], life: timedelta, leeway: timedelta
) -> str:
    """Return the token of a client that proved who it is; the transaction acts for nobody.

    The proof is good once: ClientRefusedError when it was used before, also by another call at this moment.
    """
    made = new_secret(Kind.CLIENT)
    values = {
        "client": proof.client_id,
        "kid": proof.kid,
        "jti": sha256(proof.jti.encode()).hexdigest(),
        "expires_at": proof.expires_at,
        "leeway": leeway,
        "prefix": made.prefix,
        "sha256": made.sha256,
        "scopes": sorted(str(scope) for scope in scopes),
        "life": life,
    }
    try:
        with refusals({"LE404": "The client has ended.", "LE409": ("client-invalid", "used before")}):
            connection.execute(_ISSUE, values)
    except NotFoundError as error:
        raise ClientRefusedError("ended") from error
    except RefusedError as error:
        raise ClientRefusedError("replayed") from error
    return made.token


def _check_may_register(caller: Principal, scopes: Sequence[Scope]) -> None:
    if caller.provider_id is not None:
        raise RefusedError("mandate-not-enough", "a mandate does not reach so far as to register programs")
    if caller.kind is Kind.CLIENT or caller.derived or caller.bounded:
        # What such a token registers would live on after it, and without its bounds.
        raise RefusedError("scope-exceeded", "a token that has bounds or a maker cannot register programs")
    lacking = frozenset(scopes) - caller.carried
    if lacking:
        raise RefusedError(
            "scope-exceeded", f"you cannot hand out what you do not have: {', '.join(sorted(lacking))}"
        )


def _end_tokens(connection: Connection, client_id: UUID) -> None:
    columns = access_token.c
    connection.execute(
        update(access_token)
        .where(columns.client_id == client_id, columns.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )


def _clients(connection: Connection, organisation_id: UUID) -> list[Client]:
    keys: dict[UUID, list[ClientKey]] = {}
    for row in connection.execute(
        select(client_key).where(client_key.c.owner_id == organisation_id).order_by(client_key.c.created_at)
    ):
        keys.setdefault(row.client_id, []).append(ClientKey(row.kid, row.jwk, row.created_at, row.revoked_at))
    columns = client.c
    query = (
        select(
            columns.id,
            columns.name,
            columns.scopes,
            columns.created_at,
            columns.revoked_at,
            columns.area.is_not(None).label("bounded"),
        )
        .where(columns.owner_id == organisation_id)
        .order_by(columns.created_at.desc(), columns.id)
    )
    return [
        Client(
            row.id,
            row.name,
            tuple(row.scopes),
            row.created_at,
            row.revoked_at,
            row.bounded,
            tuple(keys.get(row.id, ())),
        )
        for row in connection.execute(query)
    ]
