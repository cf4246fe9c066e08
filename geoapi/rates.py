"""How often an organisation may call, by kind of call; counted in the database, so for all processes together.

What a caller has left is told with every answer, in the headers `RateLimit-*`; when nothing is left, `Retry-After`
says when there will be.
"""

from enum import StrEnum
from math import ceil
from typing import Any, Final

from fastapi import Request
from sqlalchemy import text
from sqlalchemy.engine import Connection

from geoapi.platform import platform_of
from geoapi.problems import ProblemException
from ler.services.principals import Principal
from ler.settings import Settings

_COUNT: Final = text("SELECT * FROM ler.count_call(:token, :bucket, :most)")


class CallClass(StrEnum):
    """Calls that are counted together."""

    READ = "read"
    WRITE = "write"
    CONTENT = "content"
    """Parts of files: many small ones are the way over a bad line."""


def call_class(method: str, path: str) -> CallClass:
    """Return as what a call is counted."""
    if method in {"GET", "HEAD", "OPTIONS"}:
        return CallClass.READ
    return CallClass.CONTENT if path.endswith("/content") else CallClass.WRITE


def most_calls(settings: Settings, of: CallClass) -> int:
    """Return how many calls of a kind an organisation may make in a minute."""
    return {
        CallClass.READ: settings.reads_per_minute,
        CallClass.WRITE: settings.writes_per_minute,
        CallClass.CONTENT: settings.parts_per_minute,
    }[of]


def count_call(connection: Connection, request: Request, caller: Principal) -> ProblemException | None:
    """Count a call against the organisation whose token it is; return why it is refused, None when it is not."""
    kind = call_class(request.method, request.scope["path"])
    most = most_calls(platform_of(request).settings, kind)
    values = {"token": caller.token_id, "bucket": f"{kind} {caller.calling_id}", "most": most}
    row: Any = connection.execute(_COUNT, values).one()
    headers = {
        "RateLimit-Limit": f"{most}, {most};w=60",
        "RateLimit-Remaining": str(row.left_over),
        "RateLimit-Reset": str(ceil(row.full_in_s)),
    }
    request.state.rate_headers = headers
    if row.taken:
        return None
    return ProblemException("rate-limited", headers={"Retry-After": str(max(1, ceil(row.wait_s)))})
