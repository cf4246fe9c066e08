"""Where webhooks may go: to https addresses out in the world, never to our own machines or their neighbours.

A name is resolved once for each connection, every address it has is judged, and the connection is made to the address
that was judged: a name that points elsewhere a moment later changes nothing. Checked when an endpoint is registered and
again each time something is sent.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import httpcore

from ler.errors import LerError, RefusedError

_LONGEST: Final = 2000
_TRANSLATED: Final = tuple(
    ipaddress.ip_network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
"""In which an address of the old internet is hidden: of a machine that may be a neighbour."""


class TargetRefusedError(LerError):
    """The address leads to where webhooks must not go."""


def check_target(address: str, *, loopback: bool) -> None:
    """RefusedError `webhook-target` for an address that is no https address of a host in the world.

    `loopback` lets plain http and this machine pass, for development and tests. Asks the name service.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _unusable("it is no address") from None
    schemes = {"https", "http"} if loopback else {"https"}
    if len(address) > _LONGEST or not address.isascii() or any(c <= " " or c == "\\" for c in address):
        raise _unusable("it is no address")
    if parts.scheme not in schemes:
        raise _unusable("it must begin with https://")
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise _unusable("it must name a host, and have neither user nor fragment")
    try:
        found = socket.getaddrinfo(host, port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise _unusable(f"the host {host} is not known") from None
    if not loopback and not all_public(str(one[4][0]) for one in found):
        raise _unusable(f"the host {host} is not out in the world")


def all_public(addresses: Iterable[str]) -> bool:
    """Whether there are addresses, and all of them are out in the world."""
    judged = [_is_public(address) for address in addresses]
    return bool(judged) and all(judged)


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to judged addresses only. TLS is spoken with the name that was asked for."""

    def __init__(self, *, loopback: bool) -> None:
        self._loopback = loopback
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as the library calls it
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, judge and connect. TargetRefusedError; httpcore.ConnectError when the name is not known."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        addresses = [str(one[4][0]) for one in found]
        if not self._loopback and not all_public(addresses):
            raise TargetRefusedError
        return await self._inner.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - as the library calls it
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """TargetRefusedError: no webhook goes to a socket of this machine."""
        del path, timeout, socket_options
        raise TargetRefusedError

    async def sleep(self, seconds: float) -> None:
        """Wait between the tries to connect."""
        await asyncio.sleep(seconds)


def _is_public(address: str) -> bool:
    # Of an address with a zone (fe80::1%eth0) the zone says where it leads: to a neighbour.
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return _is_public(str(found.ipv4_mapped))
        if any(found in network for network in _TRANSLATED):
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def _unusable(why: str) -> RefusedError:
    return RefusedError(
        "webhook-target",
        f"The address cannot be used for a webhook: {why}. Give an https:// address of a server out in the world.",
    )
