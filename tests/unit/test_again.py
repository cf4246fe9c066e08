"""Calls that lost a deadlock are made again a few times, others never."""

import asyncio
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI, Request, Response
from sqlalchemy.exc import DBAPIError

from geoapi import again
from geoapi.again import MOST_TIMES, RepeatingRoute
from geoapi.problems import problem_of, problem_response

FORM = {"content-type": "multipart/form-data; boundary=x"}


class Called:
    """A route that the database breaks off some times."""

    def __init__(self, error: type[psycopg.Error], times: int) -> None:
        self.times = times
        self.calls = 0
        self._error = error

    def run(self) -> dict[str, int]:
        self.calls += 1
        if self.calls <= self.times:
            raise DBAPIError("UPDATE", {}, self._error())
        return {"calls": self.calls}


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(again, "_FIRST_PAUSE_S", 0.0001)


def call(one: Called, *, streams: bool = False, **more: Any) -> httpx.Response:  # noqa: ANN401 - of httpx
    app = FastAPI()
    app.router.route_class = RepeatingRoute

    def answer(request: Request, error: Exception) -> Response:
        return problem_response(request, problem_of(error))

    async def stream() -> dict[str, int]:
        return one.run()

    app.add_exception_handler(DBAPIError, answer)
    app.add_api_route("/", stream if streams else one.run, methods=["POST"])

    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://ler") as http:
            return await http.post("/", **more)

    return asyncio.run(post())


@pytest.mark.parametrize("error", [psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure])
def test_a_call_is_made_again_until_it_comes_through(error: type[psycopg.Error]) -> None:
    one = Called(error, MOST_TIMES - 1)
    answer = call(one)
    assert answer.status_code == 200
    assert answer.json() == {"calls": MOST_TIMES}


def test_a_call_that_never_comes_through_is_left_to_the_caller() -> None:
    one = Called(psycopg.errors.DeadlockDetected, 100)
    answer = call(one)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert one.calls == MOST_TIMES


@pytest.mark.parametrize("error", [psycopg.errors.LockNotAvailable, psycopg.errors.UniqueViolation])
def test_other_failures_are_told_at_once(error: type[psycopg.Error]) -> None:
    one = Called(error, 1)
    assert call(one).status_code >= 500
    assert one.calls == 1


def test_what_cannot_be_read_again_is_not_tried_again() -> None:
    one = Called(psycopg.errors.DeadlockDetected, 1)
    assert call(one, content=b"x", headers=FORM).status_code == 503
    stream = Called(psycopg.errors.DeadlockDetected, 1)
    assert call(stream, streams=True).status_code == 503
    assert (one.calls, stream.calls) == (1, 1)
