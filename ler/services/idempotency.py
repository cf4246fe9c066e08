"""Answers kept for repeated calls: the same key and body get the first answer again, and the work is done once.

The answer is kept in the transaction of the work. So there is no half-done state to clean up after a crash: either
both are there or neither, and a caller who does not know calls again with the same key.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.engine import Connection

from ler.db.tables import idempotency_key
from ler.errors import RefusedError

LIFE: Final = timedelta(hours=24)
_LONGEST: Final = 255
_ALONE: Final = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 1))")


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as it is sent: status, headers of its own, and a body of JSON."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]
    replayed: bool = False


def check_key(key: str | None) -> str:
    """Return the key; RefusedError when it is missing, too long, or not made of visible ASCII characters."""
    if not key or len(key) > _LONGEST or not all("!" <= character <= "~" for character in key):
        raise RefusedError(
            "idempotency-key-invalid",
            f"the header Idempotency-Key is needed: 1 to {_LONGEST} visible ASCII characters, new for each call",
        )
    return key


def answer_once(
    connection: Connection,
    owner_id: UUID,
    *,
    route: str,
    key: str,
    body: bytes,
    work: Callable[[], KeptAnswer],
) -> KeptAnswer:
    """Do the work unless it was done under this key; return its answer or the kept one.

    RefusedError `idempotency-in-progress` while another call with the key is at work, `idempotency-key-reused` when
    the key was used with another body.
    """
    digest = sha256(body).hexdigest()
    if not connection.execute(_ALONE, {"name": f"{owner_id} {route} {key}"}).scalar_one():
        raise RefusedError(
            "idempotency-in-progress", "a call with this Idempotency-Key is being answered; ask again"
        )
    kept = idempotency_key.c
    mine = (kept.owner_id == owner_id, kept.route == route, kept.key == key)
    connection.execute(delete(idempotency_key).where(*mine, kept.expires_at <= func.now()))
    row = connection.execute(
        select(kept.request_sha256, kept.status, kept.headers, kept.body).where(*mine)
    ).one_or_none()
    if row is not None:
        if row.request_sha256 != digest:
            raise RefusedError(
                "idempotency-key-reused", "this Idempotency-Key was used with another body; take a new one"
            )
        return KeptAnswer(row.status, row.headers, row.body, replayed=True)
    answer = replace(work(), replayed=False)
    values = {
        "owner_id": owner_id,
        "route": route,
        "key": key,
        "request_sha256": digest,
        "status": answer.status,
        "headers": answer.headers,
        "body": answer.body,
        "expires_at": func.now() + LIFE,
    }
    connection.execute(idempotency_key.insert().values(values))
    return answer
