"""Processes of the OGC API: run at once, or as jobs that are followed to their end."""

from time import monotonic
from typing import Any, Final
from uuid import uuid4

from ler.client.connection import Connection, pauses
from ler.client.features import OGC
from ler.client.problem import ProblemError
from ler.errors import UnavailableError

_OVER: Final = frozenset({"successful", "failed", "dismissed"})


class Job:
    """A run of a process that somebody else does."""

    def __init__(self, connection: Connection, status: dict[str, Any]) -> None:
        self._connection = connection
        self.id = str(status["jobID"])
        self.status = status
        """What was told last: `status`, `progress` in per cent, `message`."""

    def refresh(self) -> dict[str, Any]:
        """Ask how far it is."""
        self.status = self._connection.call("GET", self._address).json()
        return self.status

    def wait(self, timeout_s: float = 3600.0) -> dict[str, Any]:
        """Return the results, by name, once they are there; ProblemError when it failed or was dismissed."""
        until = monotonic() + timeout_s
        waits = pauses()
        while self.refresh()["status"] not in _OVER:
            if monotonic() > until:
                raise UnavailableError(f"The job {self.id} has not ended after {timeout_s:.0f} s.")
            self._connection.pause(next(waits))
        return self.results()

    def results(self) -> dict[str, Any]:
        """Return the results, by name; ProblemError while there are none."""
        return unwrapped(self._connection.call("GET", f"{self._address}/results").json())

    def dismiss(self) -> None:
        """Take it back, or its results away."""
        self.status = self._connection.call("DELETE", self._address).json()

    @property
    def _address(self) -> str:
        return f"{OGC}/jobs/{self.id}"


def start(connection: Connection, process: str, inputs: dict[str, Any]) -> Job:
    """Start a process as a job, once even if the answer is lost."""
    made = _executed(connection, process, inputs, Prefer="respond-async")
    return Job(connection, made)


def run(connection: Connection, process: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Run a process and return its results, by name; one that only goes as a job is waited for."""
    made = _executed(connection, process, inputs)
    return Job(connection, made).wait() if "jobID" in made else unwrapped(made)


def _executed(connection: Connection, process: str, inputs: dict[str, Any], **headers: str) -> dict[str, Any]:
    body = {"inputs": inputs, "response": "document"}
    headers |= {"Idempotency-Key": uuid4().hex}
    address = f"{OGC}/processes/{process}/execution"
    answer = connection.call("POST", address, json=body, headers=headers)
    if not answer.headers["Content-Type"].startswith("application/json"):
        raise ProblemError({}, answer.status_code)
    read: dict[str, Any] = answer.json()
    return read


def unwrapped(results: dict[str, Any]) -> dict[str, Any]:
    """Return results without the `value` in which documents wrap objects."""
    return {
        name: one["value"] if isinstance(one, dict) and "value" in one else one
        for name, one in results.items()
    }
