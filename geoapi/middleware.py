"""What surrounds every answer: a number, a line in the log, safe headers, and limits on what a caller may send.

Plain ASGI, outside of the framework, so that it holds for whatever the framework does. The log has no query, no header
and no body: those may hold secrets or somebody's lines.
"""

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Final
from uuid import uuid4

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geoapi.problems import Problem, problem_response
from ler.errors import RefusedError

ACCESS_LOG: Final = logging.getLogger("ler.access")
_ERRORS: Final = logging.getLogger("ler.http")

_KEPT_SHORT: Final = ("/answer/", "/download/")
"""After them comes a secret."""

_HEADERS: Final = {
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cache-control": b"no-store",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}
"""Sent with every answer that does not say otherwise."""


class Surroundings:
    """The outermost layer: number, log line, headers; an error nobody foresaw becomes a problem document."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = uuid4().hex
        scope.setdefault("state", {})["request_id"] = number
        started = time.perf_counter()
        seen: dict[str, int] = {}

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen["status"] = message["status"]
                message = {**message, "headers": _with_headers(message["headers"], scope["state"])}
            await send(message)

        try:
            await self._app(scope, receive, told)
        except Exception:  # noqa: BLE001 - the last place where a caller can still be answered
            _ERRORS.exception("request %s failed", number)
            if "status" not in seen:
                answer = problem_response(Request(scope), Problem("internal"))
                await answer(scope, receive, told)
        finally:
            _log(scope, seen.get("status", 0), time.perf_counter() - started)


class BodyLimit:
    """Refuses bodies that are too large, whether their length was told or not, and callers that fall silent.

    `file_routes` is for the paths that take files, by pattern: the most bytes of each, whose own limits may be narrower
    still.
    """

    def __init__(
        self, app: ASGIApp, *, most_bytes: int, file_routes: Mapping[str, int], timeout_s: float
    ) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._file_routes = file_routes
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._most_of(scope)
        if _content_length(scope) > most:
            await problem_response(Request(scope), Problem("body-too-large"))(scope, receive, send)
            return
        came = 0
        whole = False

        async def limited() -> Message:
            nonlocal came, whole
            if whole:  # what comes now is the end of the connection, for which one may wait
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), self._timeout_s)
            except TimeoutError:
                raise RefusedError(
                    "body-too-slow", f"nothing came for {self._timeout_s:g} s; send again"
                ) from None
            came += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if came > most:
                raise RefusedError("body-too-large", f"the body is larger than {most} bytes")
            return message

        await self._app(scope, limited, send)

    def _most_of(self, scope: Scope) -> int:
        if scope["method"] in {"GET", "HEAD"}:
            return self._most_bytes
        patterns = (
            most for pattern, most in self._file_routes.items() if fnmatchcase(scope["path"], pattern)
        )
        return next(patterns, self._most_bytes)


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def _with_headers(headers: Any, state: dict[str, Any]) -> list[tuple[bytes, bytes]]:  # noqa: ANN401 - as ASGI gives them
    names = {name.lower() for name, _ in headers}
    extra = [(name, value) for name, value in _HEADERS.items() if name not in names]
    # What the caller has left, when it is known whose call it is.
    rates = [(name.lower().encode(), value.encode()) for name, value in state.get("rate_headers", {}).items()]
    return [*headers, *extra, *rates, (b"x-request-id", state["request_id"].encode())]


def _told_path(path: str) -> str:
    """The path without the secret that stands in the address of an owner's page, or of a link to a package."""
    return next((f"{start}..." for start in _KEPT_SHORT if path.startswith(start)), path)


def _log(scope: Scope, status: int, seconds: float) -> None:
    state: dict[str, Any] = scope["state"]
    token = f'"{state["token_id"]}"' if "token_id" in state else "null"
    ACCESS_LOG.info(
        f'{{"request": "{state["request_id"]}", "method": {json.dumps(scope["method"])},'
        f' "path": {json.dumps(_told_path(scope["path"]))}, "status": {status}, "ms": {seconds * 1000:.1f},'
        f' "token": {token}}}'
    )
