"""What comes before a body is bounded, however it comes, and what comes after it is read as it should be."""

import socket
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from geoapi.protocol import LARGEST_HEAD
from tests.service import Service

_ENDLESS = {
    "address": b"GET /",
    "header": b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: ",
    "after-an-answer": b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /",
}


def _connected(service: Service) -> socket.socket:
    where = urlsplit(service.url)
    return socket.create_connection((where.hostname, where.port), timeout=20)


@pytest.mark.parametrize("name", _ENDLESS)
def test_a_head_that_does_not_end_is_refused_and_not_kept(service: Service, name: str) -> None:
    with _connected(service) as caller:
        caller.sendall(_ENDLESS[name])
        sent = 0
        with pytest.raises(OSError, match=r"reset|pipe"):  # noqa: PT012 - whichever of the sendings it is
            while sent < 100 * LARGEST_HEAD:
                sent += caller.send(b"x" * 8192)
        assert sent < 100 * LARGEST_HEAD


def test_a_long_head_and_calls_one_after_another_are_answered(service: Service) -> None:
    where = urlsplit(service.url)
    caller = HTTPConnection(str(where.hostname), where.port, timeout=20)
    with closing(caller):
        for _ in range(5):
            caller.request("GET", "/healthz", headers={"X-Long": "x" * (LARGEST_HEAD // 2)})
            answer = caller.getresponse()
            assert (answer.status, bool(answer.read())) == (200, True)
