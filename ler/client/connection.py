"""Calls to one service over HTTP: repeated where that is safe, and refused with the service's own words.

The token goes to that service only: of an address in an answer, the path is taken and nothing else.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

import httpx

from ler.client.problem import problem_of
from ler.errors import UnavailableError

TRIES: Final = 8
LONGEST_PAUSE_S: Final = 30.0
_PASSING: Final = frozenset({408, 409, 429, 500, 502, 503, 504})
"""Answers after which the same call may succeed; of 409 only those that say when (Retry-After)."""


class Connection:
    """Calls to one service. Raises ProblemError with the service's words, UnavailableError when it is away."""

    def __init__(self, http: httpx.Client, *, pause: Callable[[float], None] = time.sleep) -> None:
        self.http = http
        self.pause = pause

    def call(self, method: str, address: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - handed on to httpx
        """Call until there is an answer that stands; only for calls that are safe to repeat."""
        for tried in range(TRIES):
            answer = self.attempt(method, address, **more)
            if answer is not None:
                return answer
            self.pause(min(2.0**tried * 0.5, LONGEST_PAUSE_S))
        raise self._away()

    def once(self, method: str, address: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - as above
        """Call once: for what may not be done twice, and for who would rather be told than wait."""
        try:
            answer = self.http.request(method, path_of(address), **more)
        except httpx.TransportError:
            raise self._away() from None
        if answer.is_success:
            return answer
        raise problem_of(answer)

    def attempt(self, method: str, address: str, **more: Any) -> httpx.Response | None:  # noqa: ANN401 - as above
        """Call once; None when it is worth calling again."""
        try:
            answer = self.http.request(method, path_of(address), **more)
        except httpx.TransportError:
            return None
        if answer.is_success:
            return answer
        again = answer.status_code in _PASSING and (
            answer.status_code != HTTPStatus.CONFLICT or "retry-after" in answer.headers or method == "PATCH"
        )
        if again:
            return None
        raise problem_of(answer)

    @contextmanager
    def stream(self, address: str, **headers: str) -> Iterator[httpx.Response]:
        """Read an answer as it comes."""
        try:
            with self.http.stream("GET", path_of(address), headers=headers) as answer:
                if not answer.is_success:
                    answer.read()
                    raise problem_of(answer)
                yield answer
        except httpx.TransportError:
            raise self._away() from None

    def _away(self) -> UnavailableError:
        return UnavailableError(
            f"{self.http.base_url} does not answer. Is the address right? Else try again later."
        )


def path_of(address: str) -> str:
    """Return the path and the query of an address, which may be one of another name of the same service."""
    return httpx.URL(address).raw_path.decode("ascii")


def pauses(*, first_s: float = 0.2, longest_s: float = 10.0) -> Iterator[float]:
    """Yield pauses between two looks at something, in seconds, that become longer; without end."""
    wait_s = first_s
    while True:
        yield wait_s
        wait_s = min(wait_s * 1.5, longest_s)
