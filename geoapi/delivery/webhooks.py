"""Webhooks by Standard Webhooks: signed, thin, the same bytes under the same id at every try; no redirect is followed."""

import asyncio
import ssl
from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from secrets import token_bytes
from typing import Final

import httpcore
from standardwebhooks import Webhook

from geoapi.delivery.targets import GuardedBackend, TargetRefusedError
from ler.domain.delivery import Result, Verdict
from ler.services.outbox import Outgoing

_MOST_ANSWER_BYTES: Final = 64 << 10
"""Of an answer, which nobody reads, before the connection is closed."""

_ANSWER_S: Final = 1.0
_GONE: Final = 410
_THROTTLING: Final = frozenset({429, 503})


def new_secret() -> str:
    """Return a key for signing: 32 random bytes, as the standard writes them."""
    return f"whsec_{b64encode(token_bytes(32)).decode()}"


def webhook_pool(*, loopback: bool, most: int) -> httpcore.AsyncConnectionPool:
    """Return what webhooks are sent through; each connection is judged anew and used once."""
    return httpcore.AsyncConnectionPool(
        ssl_context=ssl.create_default_context(),
        max_connections=most,
        max_keepalive_connections=0,
        network_backend=GuardedBackend(loopback=loopback),
    )


async def send_webhook(
    pool: httpcore.AsyncConnectionPool, outgoing: Outgoing, *, timeout_s: float, now: datetime | None = None
) -> Result:
    """Send a notice once. Whatever a receiver does, it has so many seconds, and this returns what came of it."""
    body = (outgoing.payload or "").encode()
    headers: list[tuple[bytes | str, bytes | str]] = [
        *{
            "Content-Type": "application/json",
            "User-Agent": "ler",
            "Accept": "*/*",
            **signed_headers(outgoing, now or datetime.now(UTC)),
        }.items()
    ]
    limits = dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)
    try:
        async with (
            asyncio.timeout(timeout_s),
            pool.stream(
                "POST", outgoing.address, headers=headers, content=body, extensions={"timeout": limits}
            ) as response,
        ):
            await _read_a_little(response)
            return _result(response.status, dict(response.headers), now or datetime.now(UTC))
    except TargetRefusedError:
        return Result(Verdict.AGAIN, fault="webhook-target")
    except (TimeoutError, httpcore.TimeoutException):
        return Result(Verdict.AGAIN, fault="timeout")
    except (ssl.SSLError, httpcore.ConnectError) as error:
        return Result(Verdict.AGAIN, fault="tls" if _is_tls(error) else "unreachable")
    except (OSError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol):
        return Result(Verdict.AGAIN, fault="connection")


def signed_headers(outgoing: Outgoing, now: datetime) -> dict[str, str]:
    """Return the headers by which a receiver knows that it is us, and that it has seen a notice before."""
    message_id = f"msg_{outgoing.notice_id.hex}"
    body = outgoing.payload or ""
    secrets = [secret for secret in (outgoing.secret, outgoing.old_secret) if secret]
    signatures = [Webhook(secret).sign(message_id, now, body) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        **({"webhook-signature": " ".join(signatures)} if signatures else {}),
    }


async def _read_a_little(response: httpcore.Response) -> None:
    """Let a receiver finish a short answer; what it says, and how slowly, does not matter."""
    received = 0
    with suppress(TimeoutError, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        async with asyncio.timeout(_ANSWER_S):
            async for chunk in response.aiter_stream():
                received += len(chunk)
                if received > _MOST_ANSWER_BYTES:
                    return


def _result(status: int, headers: dict[bytes, bytes], now: datetime) -> Result:
    if 200 <= status < 300:  # noqa: PLR2004 - the class of success
        return Result(Verdict.DELIVERED, status)
    if status == _GONE:
        return Result(Verdict.GONE, status, "gone")
    if status in _THROTTLING:
        named = {name.lower(): value for name, value in headers.items()}
        asked = named.get(b"retry-after", b"").decode("latin-1")
        return Result(Verdict.AGAIN, status, "throttled", hold=_wait(asked, now))
    return Result(Verdict.AGAIN, status, "redirect" if 300 <= status < 400 else "status")  # noqa: PLR2004


def _wait(retry_after: str, now: datetime) -> timedelta | None:
    """How long a receiver asks to be left alone: seconds, or until a date."""
    if retry_after.isdecimal():
        return timedelta(seconds=min(int(retry_after[:9]), 86400))
    try:
        wait = parsedate_to_datetime(retry_after) - now
    except (ValueError, TypeError):
        return None
    return wait if wait > timedelta(0) else None


def _is_tls(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
