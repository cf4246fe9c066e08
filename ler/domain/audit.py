"""The chain of the audit trail: each link is a digest of the link before and of one event.

No event can be changed, taken away, put in or moved without every later link being another. Pure: links come in from wherever they are kept, a database or a file, and what is told of them depends on them alone.
The chain is made by the database (`ler/db/sql/records.sql`); this is the second opinion, which does not ask it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final, Self
from uuid import UUID

from ler.errors import RefusedError

START: Final = bytes(32)
"""What stands for the digest before the first link."""

_LINE: Final = re.compile(
    r'\{"number": ([1-9][0-9]{0,17}), "previous": "([0-9a-f]{64})", "hash": "([0-9a-f]{64})", "event": (\{.*\})\}'
)
_EVENT_ID: Final = re.compile(r'\{"id": ([1-9][0-9]{0,17}), ')


class Fault(StrEnum):
    """How a chain can be broken."""

    CHANGED = "changed"
    """The event is not the one that was sealed: it was changed, or another is in its place."""
    EVENT_GONE = "event-gone"
    """There is a link and no event."""
    LINK_GONE = "link-gone"
    """A number is missing in the chain."""
    UNKNOWN_EVENT = "unknown-event"
    """There is an event that neither has a link nor waits for one."""
    REWRITTEN = "rewritten"
    """The chain fits itself, and not a checkpoint that was signed: it was made anew after a change."""
    CUT = "cut"
    """The chain ends before a checkpoint that was signed."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain, or of a part of it."""

    number: int = 0
    digest: bytes = START


@dataclass(frozen=True, slots=True)
class Link:
    """One link as it is found."""

    number: int
    event_id: int
    digest: bytes
    event: str | None
    """The event as `event_text` writes it; None when there is none of that id."""

    @classmethod
    def read(cls, line: str) -> tuple[Self, bytes]:
        """Read a line that `line` has written; return the link and the digest before it. RefusedError `audit-file`."""
        match = _LINE.fullmatch(line)
        event_id = _EVENT_ID.match(match[4]) if match else None
        if match is None or event_id is None:
            raise RefusedError("audit-file", "a line is none of an exported audit trail")
        return cls(int(match[1]), int(event_id[1]), bytes.fromhex(match[3]), match[4]), bytes.fromhex(
            match[2]
        )

    def line(self, previous: bytes) -> str:
        """Return the link as a line of JSON that holds its event letter by letter, as it went into the digest."""
        hexes = f'"previous": "{previous.hex()}", "hash": "{self.digest.hex()}"'
        return f'{{"number": {self.number}, {hexes}, "event": {self.event}}}'


@dataclass(frozen=True, slots=True)
class Break:
    """The first place at which a chain does not hold."""

    fault: Fault
    number: int
    """Of the link; 0 for an event without one."""
    event_id: int | None = None
    until: int | None = None
    """The last link that may be concerned, when there are several."""

    def __str__(self) -> str:
        event = f"event {self.event_id}"
        match self.fault:
            case Fault.CHANGED:
                return f"link {self.number}: {event} is not the one that was sealed; it was changed or moved"
            case Fault.EVENT_GONE:
                return f"link {self.number}: {event} was deleted"
            case Fault.LINK_GONE:
                return f"link {self.number} was deleted"
            case Fault.UNKNOWN_EVENT:
                return f"{event} was put in or taken out of the chain: it has no link and waits for none"
            case Fault.REWRITTEN:
                return (
                    f"links {self.number} to {self.until} were made anew: they do not fit a signed checkpoint"
                )
            case Fault.CUT:
                return f"links {self.number} to {self.until} were cut off: a signed checkpoint knows them"


@dataclass(frozen=True, slots=True)
class Walked:
    """What was found along a chain."""

    head: Head
    """The last link that holds."""
    broken: Break | None


def event_text(
    *,
    event_id: int,
    key: UUID,
    at: datetime,
    actor: UUID | None,
    account: UUID | None,
    provider: UUID | None,
    action: str,
    object_id: UUID | None,
    details: str,
) -> str:
    """Return an event letter by letter as it goes into the digest: JSON with its members in this order.

    `details` is the text of PostgreSQL's jsonb, whose form is fixed. `ler.audit_text` in the database writes the same.
    """
    moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return (
        f'{{"id": {event_id}, "key": "{key}", "at": "{moment}", "actor": {_quoted(actor)},'
        f' "account": {_quoted(account)}, "provider": {_quoted(provider)}, "action": "{action}",'
        f' "object": {_quoted(object_id)}, "details": {details}}}'
    )


def link_digest(previous: bytes, event: str) -> bytes:
    """Return the digest of a link: SHA-256 of the 32 bytes before it and the event's text in UTF-8."""
    return sha256(previous + event.encode()).digest()


def walk(
    links: Iterable[Link], start: Head | None = None, witnesses: Mapping[int, bytes] | None = None
) -> Walked:
    """Follow a chain from `start` and return where it ends or breaks.

    `witnesses` are digests by number that somebody keeps elsewhere, such as signed checkpoints.
    """
    head = start or Head()
    known = {number: digest for number, digest in (witnesses or {}).items() if number > head.number}
    vouched = head.number
    for link in links:
        fault = _fault(link, head)
        if fault:
            gone = fault is Fault.LINK_GONE
            broken = Break(fault, head.number + 1, None if gone else link.event_id)
            return Walked(head, broken)
        head = Head(link.number, link.digest)
        witness = known.pop(link.number, None)
        if witness is not None and witness != link.digest:
            return Walked(head, Break(Fault.REWRITTEN, vouched + 1, until=link.number))
        if witness is not None:
            vouched = link.number
    if known:
        return Walked(head, Break(Fault.CUT, head.number + 1, until=max(known)))
    return Walked(head, None)


def _fault(link: Link, head: Head) -> Fault | None:
    if link.number != head.number + 1:
        return Fault.LINK_GONE
    if link.event is None:
        return Fault.EVENT_GONE
    return None if link_digest(head.digest, link.event) == link.digest else Fault.CHANGED


def _quoted(value: UUID | None) -> str:
    return "null" if value is None else f'"{value}"'
