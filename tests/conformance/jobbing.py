"""A service with a worker for the tests of processes, and the calls that the official suite makes of `echo`.

The schemas are written from OGC 18-062r2: `statusInfo.yaml`, `jobList.yaml`, `processList.yaml`, `process.yaml` and
`exception.yaml` of its Part 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.databases import SharedCluster
from tests.service import Service, eventually, open_service
from tests.world import open_world

ECHO = "/ogc/processes/echo/execution"
JSON = {"Accept": "application/json"}
ASYNC = {"Prefer": "respond-async"}
EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
RESULTS = "http://www.opengis.net/def/rel/ogc/1.0/results"

_TEXT: dict[str, Any] = {"type": "string"}
_TIME: dict[str, Any] = {"type": "string", "format": "date-time"}


def _object(required: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - schemas
    return {"type": "object", "required": required.split(), "properties": properties}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_LINKS = _list(
    _object("href", href={**_TEXT, "pattern": "^http"}, rel=_TEXT, type=_TEXT, hreflang=_TEXT, title=_TEXT)
)
_MODES = _list({"enum": ["sync-execute", "async-execute", "dismiss"]})
_SUMMARY = _object(
    "id version",
    id=_TEXT,
    version=_TEXT,
    title=_TEXT,
    description=_TEXT,
    jobControlOptions=_MODES,
    outputTransmission=_list({"enum": ["value", "reference"]}),
    links=_LINKS,
)
_VALUES = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": _object(
        "title schema",
        title=_TEXT,
        schema={"type": "object"},
        minOccurs={"type": "integer", "minimum": 0},
        maxOccurs={"type": "integer", "minimum": 1},
    ),
}
STATUS = _object(
    "jobID status type",
    type={"const": "process"},
    jobID=_TEXT,
    processID=_TEXT,
    status={"enum": ["accepted", "running", "successful", "failed", "dismissed"]},
    message=_TEXT,
    progress={"type": "integer", "minimum": 0, "maximum": 100},
    created=_TIME,
    started=_TIME,
    finished=_TIME,
    updated=_TIME,
    links=_LINKS,
)
SCHEMAS = {
    "status": STATUS,
    "jobs": _object("jobs links", jobs=_list(STATUS), links=_LINKS),
    "processes": _object("processes links", processes=_list(_SUMMARY), links=_LINKS),
    "process": {"allOf": [_SUMMARY, _object("inputs outputs", inputs=_VALUES, outputs=_VALUES)]},
    "exception": _object(
        "type", type=_TEXT, title=_TEXT, status={"type": "integer"}, detail=_TEXT, instance=_TEXT
    ),
    "conformance": _object("conformsTo", conformsTo=_list(_TEXT)),
}


def check(name: str, document: object) -> None:
    """Fail where a document is not as the standard has it."""
    validator = Draft202012Validator(SCHEMAS[name], format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert [error.message for error in validator.iter_errors(document)] == []


@dataclass
class Jobbing:
    """One organisation's view of processes and jobs."""

    service: Service
    organisation: UUID
    http: httpx.Client

    def json(self, address: str, status: int = 200) -> Any:  # noqa: ANN401 - JSON
        answer = self.http.get(address, headers=JSON)
        assert answer.status_code == status, answer.text
        # A client that takes nothing but JSON is told of problems in JSON.
        assert answer.headers["Content-Type"] == "application/json"
        return answer.json()

    def execute(self, body: dict[str, Any], status: int = 200, **headers: str) -> httpx.Response:
        answer = self.http.post(ECHO, json=body, headers=JSON | headers)
        assert answer.status_code == status, answer.text
        return answer

    def started(self, body: dict[str, Any], address: str = ECHO) -> str:
        """Call for a job; return where it is."""
        answer = self.http.post(address, json=body, headers=JSON | ASYNC)
        assert answer.status_code == 201, answer.text
        check("status", answer.json())
        assert answer.headers["Preference-Applied"] == "respond-async"
        return str(answer.headers["Location"])

    def ended(self, job: str) -> dict[str, Any]:
        """The status of a job when it has ended."""
        found: dict[str, Any] = {}

        def there() -> bool:
            found.update(self.json(job))
            return found["status"] not in {"accepted", "running"}

        eventually(there)
        return found

    @cached_property
    def echo(self) -> dict[str, Any]:
        return dict(self.json("/ogc/processes/echo"))


@pytest.fixture(scope="session")
def jobs_service(
    shared_cluster: SharedCluster, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The service with a worker; it may call this machine."""
    with (
        shared_cluster.database(migrated_template) as database,
        open_world(database) as world,
        open_service(world, tmp_path_factory.mktemp("jobs"), LER_WEBHOOK_LOOPBACK="1") as made,
    ):
        made.serve()
        made.work()
        yield made


@pytest.fixture(scope="session")
def jobbing(jobs_service: Service) -> Jobbing:
    organisation = jobs_service.owner()
    return Jobbing(jobs_service, organisation, jobs_service.client(jobs_service.token(organisation)).http)


def types_of(schema: dict[str, Any]) -> list[str]:
    """The types of an input as the suite reads them: of one schema, or of each of several."""
    parts = schema.get("oneOf", [schema])
    return [part["type"] for part in parts if "type" in part]


def is_box(schema: dict[str, Any]) -> bool:
    return any(part.get("format") == "ogc-bbox" for part in schema.get("allOf", []))


def texts(described: dict[str, Any]) -> dict[str, Any]:
    """What the suite gives every input that takes a text, whatever else it says of it."""
    return {
        name: "teststring" for name, one in described["inputs"].items() if "string" in types_of(one["schema"])
    }


def by_value(described: dict[str, Any], *names: str) -> dict[str, Any]:
    """Outputs asked for by value: those named, or all."""
    return {name: {"transmissionMode": "value"} for name in names or described["outputs"]}


def call(described: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The call that most tests of the suite make."""
    return {"inputs": texts(described), "outputs": by_value(described)} | more
