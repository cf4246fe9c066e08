"""The audit trail read: listed, followed along its chain, written out.

Who acts sees what its policies show it: an organisation its own acts, the operator and auditors all, and the chain.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TextIO
from uuid import UUID

from sqlalchemy import Text, cast, func, or_, select, text
from sqlalchemy.engine import Connection, Engine

from ler.db.engine import transaction
from ler.db.tables import audit_event, audit_link, audit_unsealed
from ler.domain.audit import Break, Fault, Head, Link, Walked, event_text, walk
from ler.errors import NotFoundError, RefusedError

_AT_ONCE: Final = 2000
"""Rows fetched, or sealed in one transaction."""

_SEAL: Final = text("SELECT ler.seal_audit(:most)")
_READS_ALL: Final = text("SELECT ler.reads_all_audit()")
# A trail of years takes as long as it takes.
_NO_LIMITS: Final = (
    text("SET LOCAL statement_timeout = 0"),
    text("SET LOCAL idle_in_transaction_session_timeout = 0"),
)
# Not to be fooled by what was put in beside the chain: events that no link and no waiting row knows.
_OUTSIDE: Final = text("""
    SELECT e.id
    FROM ler.audit_event AS e
    WHERE NOT EXISTS (SELECT FROM ler.audit_link AS l WHERE l.event_id = e.id)
        AND NOT EXISTS (SELECT FROM ler.audit_unsealed AS u WHERE u.event_id = e.id)
    ORDER BY e.id
    LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One act, as it is shown."""

    key: UUID
    at: datetime
    actor: UUID | None
    account: UUID | None
    provider: UUID | None
    action: str
    object_id: UUID | None
    details: Mapping[str, Any]
    number: int | None
    """Place in the chain; None when it is not sealed yet, and for who may not read the chain."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events; None for any."""

    action: str | None = None
    """An action, or its beginning with a colon at the end: `requester:`."""
    object_id: UUID | None = None
    actor: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of a verification."""

    head: Head
    broken: Break | None
    waiting: int
    """Events that the next sweep seals."""


def seal(engine: Engine) -> int:
    """Put all that was committed into the chain, as the worker; return how many events."""
    sealed = 0
    while True:
        with transaction(engine, None) as connection:
            some: int = connection.execute(_SEAL, {"most": _AT_ONCE}).scalar_one()
        sealed += some
        if some < _AT_ONCE:
            return sealed


def audits(connection: Connection) -> bool:
    """Whether the acting organisation may read the whole trail."""
    return bool(connection.execute(_READS_ALL).scalar_one())


def list_audit_events(
    connection: Connection, wanted: Wanted, *, limit: int, before: UUID | None = None
) -> list[AuditEvent]:
    """Return the newest events that the acting organisation may see, or those before the one of key `before`.

    NotFoundError for a `before` that it does not see.
    """
    columns = audit_event.c
    query = select(audit_event, audit_link.c.number).outerjoin(
        audit_link, audit_link.c.event_id == columns.id
    )
    if before is not None:
        place = connection.execute(select(columns.id).where(columns.key == before)).scalar()
        if place is None:
            raise NotFoundError
        query = query.where(columns.id < place)
    if wanted.action is not None and wanted.action.endswith(":"):
        query = query.where(func.starts_with(columns.action, wanted.action))
    elif wanted.action is not None:
        query = query.where(columns.action == wanted.action)
    for column, value in ((columns.object_id, wanted.object_id), (columns.actor, wanted.actor)):
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(columns.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(columns.at < wanted.until)
    if not audits(connection):
        # As the policies say, once more: written out, there is an index for it.
        acting = func.ler.principal()
        query = query.where(or_(columns.actor == acting, columns.provider_id == acting))
    rows = connection.execute(query.order_by(columns.id.desc()).limit(limit))
    return [
        AuditEvent(
            key=row.key,
            at=row.at,
            actor=row.actor,
            account=row.account_id,
            provider=row.provider_id,
            action=row.action,
            object_id=row.object_id,
            details=row.details,
            number=row.number,
        )
        for row in rows
    ]


def get_head(connection: Connection) -> Head:
    """Return the last link; NotFoundError for who may not read the chain."""
    _check_auditor(connection)
    columns = audit_link.c
    row = connection.execute(
        select(columns.number, columns.digest).order_by(columns.number.desc()).limit(1)
    ).first()
    return Head(row.number, bytes(row.digest)) if row else Head()


def count_waiting(connection: Connection) -> int:
    """Return how many events the next sweep seals; NotFoundError for who may not read the chain."""
    _check_auditor(connection)
    return connection.execute(select(func.count()).select_from(audit_unsealed)).scalar_one()


def find_head(connection: Connection, number: int) -> Head:
    """Return the link of a number, 0 for the beginning; NotFoundError when there is none."""
    if number == 0:
        return Head()
    columns = audit_link.c
    digest = connection.execute(select(columns.digest).where(columns.number == number)).scalar()
    if digest is None:
        raise NotFoundError(f"The chain has no link {number}.")
    return Head(number, bytes(digest))


def read_links(connection: Connection, after: int = 0) -> Generator[Link]:
    """Return the links after a number, each with its event, in the order of the chain and in constant memory."""
    columns = audit_event.c
    query = (
        select(
            audit_link.c.number,
            audit_link.c.event_id,
            audit_link.c.digest,
            columns.id,
            columns.key,
            columns.at,
            columns.actor,
            columns.account_id,
            columns.provider_id,
            columns.action,
            columns.object_id,
            cast(columns.details, Text).label("details"),
        )
        .outerjoin(audit_event, columns.id == audit_link.c.event_id)
        .where(audit_link.c.number > after)
        .order_by(audit_link.c.number)
    )
    for statement in _NO_LIMITS:
        connection.execute(statement)
    with connection.execute(query, execution_options={"yield_per": _AT_ONCE}) as rows:
        for row in rows:
            event = None
            if row.id is not None:
                event = event_text(
                    event_id=row.id,
                    key=row.key,
                    at=row.at,
                    actor=row.actor,
                    account=row.account_id,
                    provider=row.provider_id,
                    action=row.action,
                    object_id=row.object_id,
                    details=row.details,
                )
            yield Link(row.number, row.event_id, bytes(row.digest), event)


def verify_trail(
    connection: Connection, witnesses: Mapping[int, bytes] | None = None, *, after: int = 0
) -> Verified:
    """Follow the chain after a number and name the first link that does not hold; all events are looked for in it.

    `witnesses` are digests by number, kept outside of the database. NotFoundError for who may not read the chain.
    """
    _check_auditor(connection)
    start = find_head(connection, after)
    with closing(read_links(connection, after)) as links:
        walked = walk(links, start, witnesses)
    broken = walked.broken
    if broken is None:
        outside = connection.execute(_OUTSIDE).scalar()
        broken = None if outside is None else Break(Fault.UNKNOWN_EVENT, 0, outside)
    return Verified(walked.head, broken, count_waiting(connection))


def verify_since(connection: Connection, last: Head | None) -> Walked:
    """Follow the chain from a head that somebody else keeps, `last`, or from its beginning.

    NotFoundError for who may not read the chain.
    """
    _check_auditor(connection)
    start = last or Head()
    columns = audit_link.c
    digest = connection.execute(select(columns.digest).where(columns.number == start.number)).scalar()
    if start.number and digest is None:
        head = get_head(connection)
        return Walked(head, Break(Fault.CUT, head.number + 1, until=start.number))
    if start.number and digest != start.digest:
        return Walked(Head(), Break(Fault.REWRITTEN, 1, until=start.number))
    with closing(read_links(connection, start.number)) as links:
        return walk(links, start)


def export_trail(connection: Connection, out: TextIO, *, after: int = 0) -> Head:
    """Write the links after a number, one JSON document a line; return the last one.

    Whoever has the file can verify it without us: see docs/reference/audit.md. RefusedError `audit-broken` for a link
    whose event is gone; NotFoundError for who may not read the chain.
    """
    _check_auditor(connection)
    head = find_head(connection, after)
    with closing(read_links(connection, after)) as links:
        for link in links:
            if link.event is None:
                raise RefusedError("audit-broken", f"link {link.number}: event {link.event_id} was deleted")
            out.write(link.line(head.digest) + "\n")
            head = Head(link.number, link.digest)
    return head


def verify_export(lines: Iterable[str], witnesses: Mapping[int, bytes] | None = None) -> Walked:
    """Follow an exported chain, or a part of it. RefusedError `audit-file` for a file that is none or empty."""
    read = (Link.read(line.rstrip("\n")) for line in lines)
    first = next(read, None)
    if first is None:
        raise RefusedError("audit-file", "the file is empty")
    link, previous = first

    def links() -> Iterator[Link]:
        yield link
        for one, _ in read:
            yield one

    return walk(links(), Head(link.number - 1, previous), witnesses)


def _check_auditor(connection: Connection) -> None:
    if not audits(connection):
        raise NotFoundError
