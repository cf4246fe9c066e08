"""Files of the store as answers: verified before the first byte is sent, in parts where a caller goes on with one.

The descriptor that was read through is the one that is sent from: nothing that happens to the store meanwhile changes
what a caller gets.
"""

import os
import re
from collections.abc import Mapping
from typing import BinaryIO, Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from geoapi.problems import ProblemException

_RANGE: Final = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))", re.ASCII)
_UNCHANGED: Final = 304


def entity_tag(sha256: str) -> str:
    """Return the entity tag of a file that is known by its digest."""
    return f'"{sha256}"'


def is_known(request: Request, tag: str) -> bool:
    """Whether the caller has what has that tag already (If-None-Match, RFC 9110)."""
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    known = {one.strip().removeprefix("W/") for one in given[:4000].split(",")}
    return "*" in known or tag in known


def unchanged(headers: Mapping[str, str]) -> Response:
    """Say that the caller has it already."""
    return Response(status_code=_UNCHANGED, headers=dict(headers))


def range_of(request: Request, tag: str, size_bytes: int) -> str | None:
    """Return the one range that is asked for; None for the whole file.

    Several ranges, or what is none, are answered with the whole file, as RFC 9110 lets one. ProblemException for a
    range that lies beyond the end.
    """
    given = request.headers.get("range", "")
    found = _RANGE.fullmatch(given.replace(" ", ""))
    if_range = request.headers.get("if-range")
    if not found or (if_range is not None and if_range != tag):
        return None
    first, last, length = found.groups()
    beyond = int(first) >= size_bytes if first else not int(length)
    if beyond or not size_bytes:
        raise ProblemException("range-beyond-end", headers={"Content-Range": f"bytes */{size_bytes}"})
    if first and last and int(last) < int(first):
        return None
    return given


class KeptFile(FileResponse):
    """Sends an open file and closes it, whatever becomes of the connection."""

    def __init__(
        self,
        stream: BinaryIO,
        *,
        media_type: str,
        filename: str,
        headers: Mapping[str, str],
        part: str | None,
    ) -> None:
        self._stream = stream
        self._part = part
        super().__init__(
            f"/dev/fd/{stream.fileno()}",
            media_type=media_type,
            filename=filename,
            headers=dict(headers),
            stat_result=os.fstat(stream.fileno()),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; ranges that were not taken up are not seen."""
        kept = [
            (name, value) for name, value in Headers(scope=scope).raw if name not in {b"range", b"if-range"}
        ]
        if self._part:
            kept.append((b"range", self._part.encode("latin-1")))
        try:
            await super().__call__({**scope, "headers": kept}, receive, send)
        finally:
            self._stream.close()
