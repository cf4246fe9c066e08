"""Inputs that a caller names by address: fetched as webhooks are sent, from judged addresses of the world only.

Never from our own machines or their neighbours, never over a redirect, and never more or longer than here is said.
"""

import asyncio
import json
import ssl
from base64 import b64encode
from typing import Any, Final

import httpcore

from geoapi.delivery.targets import GuardedBackend, TargetRefusedError, check_target
from geoapi.ogc.processes.call import Reference
from geoapi.ogc.processes.process import Process
from geoapi.problems import ProblemError, ProblemException
from ler.errors import RefusedError

LARGEST: Final = 8 << 20
"""Bytes of one input."""
MOST: Final = 10
"""Inputs of one call."""
_PATIENCE_S: Final = 10.0
_OK: Final = 200


async def fetch_references(
    process: Process, references: tuple[Reference, ...], *, loopback: bool
) -> dict[str, Any]:
    """Return the values of inputs that lie elsewhere. A problem `reference-unusable` that points to each."""
    if len(references) > MOST:
        raise ProblemException("reference-unusable", f"at most {MOST} inputs may lie elsewhere")
    backend = GuardedBackend(loopback=loopback)
    async with httpcore.AsyncConnectionPool(
        ssl_context=ssl.create_default_context(), max_keepalive_connections=0, network_backend=backend
    ) as pool:
        found = {}
        for one in references:
            try:
                await asyncio.to_thread(check_target, one.href, loopback=loopback)
                found[one.name] = _value(process, one.name, await _fetched(pool, one.href))
            except (RefusedError, ValueError, RecursionError) as error:
                told = ProblemError("reference-unusable", str(error)[:300], f"/inputs/{one.name}/href")
                raise ProblemException("reference-unusable", errors=[told]) from None
        return found


async def _fetched(pool: httpcore.AsyncConnectionPool, address: str) -> bytes:
    headers = [(b"User-Agent", b"ler"), (b"Accept", b"*/*")]
    limits = dict.fromkeys(("connect", "read", "write", "pool"), _PATIENCE_S)
    try:
        async with (
            asyncio.timeout(_PATIENCE_S),
            pool.stream("GET", address, headers=headers, extensions={"timeout": limits}) as answer,
        ):
            if answer.status != _OK:
                raise RefusedError("reference-unusable", f"it answers {answer.status}")
            content = bytearray()
            async for part in answer.aiter_stream():
                content += part
                if len(content) > LARGEST:
                    raise RefusedError("reference-unusable", f"it is larger than {LARGEST >> 20} MiB")
            return bytes(content)
    except (TargetRefusedError, TimeoutError, OSError, httpcore.NetworkError, httpcore.ProtocolError):
        raise RefusedError("reference-unusable", "it cannot be reached") from None
    except (httpcore.TimeoutException, httpcore.UnsupportedProtocol):
        raise RefusedError("reference-unusable", "it does not answer in time") from None


def _value(process: Process, name: str, content: bytes) -> Any:  # noqa: ANN401 - any JSON
    described = process.inputs[name]
    if described.binary:
        return b64encode(content).decode("ascii")
    text = content.decode("utf-8-sig")
    return text if described.schema.get("type") == "string" else json.loads(text)
