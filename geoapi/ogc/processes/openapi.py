"""Processes and jobs in the description of the API (OpenAPI 3.0): what pygeoapi says of its own is not what ours answer."""

from collections.abc import Iterable
from typing import Any, Final

from geoapi.ogc.processes.jobs import DEFAULT_LIMIT, LARGEST_LIMIT
from geoapi.ogc.processes.process import Process
from ler.domain.jobs import JobStatus

_TEXT: Final = {"type": "string"}
_TIME: Final = {"type": "string", "format": "date-time"}
_ADDRESS: Final = {"type": "string", "format": "uri"}
_LINK: Final = {
    "type": "object",
    "required": ["href"],
    "properties": {"href": _TEXT, "rel": _TEXT, "type": _TEXT, "hreflang": _TEXT, "title": _TEXT},
}
_LINKS: Final = {"type": "array", "items": _LINK}
_SUMMARY: Final = {
    "type": "object",
    "required": ["id", "version"],
    "properties": {
        "id": _TEXT,
        "version": _TEXT,
        "title": _TEXT,
        "description": _TEXT,
        "jobControlOptions": {
            "type": "array",
            "items": {"type": "string", "enum": ["sync-execute", "async-execute", "dismiss"]},
        },
        "outputTransmission": {"type": "array", "items": {"type": "string", "enum": ["value", "reference"]}},
        "links": _LINKS,
    },
}
_DESCRIBED: Final = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["schema"],
        "properties": {"schema": {"type": "object"}},
    },
}
STATUS_INFO: Final = {
    "type": "object",
    "required": ["jobID", "status", "type"],
    "properties": {
        "processID": _TEXT,
        "type": {"type": "string", "enum": ["process"]},
        "jobID": _TEXT,
        "status": {"type": "string", "enum": [str(status) for status in JobStatus]},
        "message": _TEXT,
        "created": _TIME,
        "started": _TIME,
        "finished": _TIME,
        "updated": _TIME,
        "progress": {"type": "integer", "minimum": 0, "maximum": 100},
        "links": _LINKS,
    },
}
JOB_LIST: Final = {
    "type": "object",
    "required": ["jobs", "links"],
    "properties": {"jobs": {"type": "array", "items": STATUS_INFO}, "links": _LINKS},
}
PROCESS_LIST: Final = {
    "type": "object",
    "required": ["processes", "links"],
    "properties": {"processes": {"type": "array", "items": _SUMMARY}, "links": _LINKS},
}
PROCESS: Final = {
    "allOf": [
        _SUMMARY,
        {
            "type": "object",
            "required": ["inputs", "outputs"],
            "properties": {"inputs": _DESCRIBED, "outputs": _DESCRIBED},
        },
    ]
}
EXCEPTION: Final = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "instance": _TEXT,
    },
}
_CALL: Final = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "inputs": {"type": "object", "additionalProperties": True},
        "outputs": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "transmissionMode": {"type": "string", "enum": ["value", "reference"], "default": "value"}
                },
            },
        },
        "response": {"type": "string", "enum": ["raw", "document"]},
        "subscriber": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"successUri": _ADDRESS, "inProgressUri": _ADDRESS, "failedUri": _ADDRESS},
        },
    },
}
RESULTS: Final = {"type": "object", "additionalProperties": True}
_JOB: Final = {
    "name": "jobId",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}
_WORD: Final = {"name": "lang", "in": "query", "schema": {"type": "string", "enum": ["da", "en"]}}


def process_paths(visible: Iterable[Process]) -> dict[str, Any]:
    """Return the paths of processes and jobs, for who sees these processes."""
    ids = [one.id for one in visible]
    process = {"name": "processID", "in": "path", "required": True, "schema": {"type": "string", "enum": ids}}
    execution = {
        "parameters": [process, _WORD, *_headers()],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _CALL}}},
        "responses": {
            **_told("200", "Results", RESULTS),
            **_told("201", "A job that will tell", STATUS_INFO, {"Location": {"schema": _ADDRESS}}),
            **_problems("400", "401", "404", "409", "422", "429"),
        },
        "callbacks": {
            "jobCompleted": _callback("successUri", "Results of the job", RESULTS),
            "jobInProgress": _callback("inProgressUri", "How far the job is", STATUS_INFO),
            "jobFailed": _callback("failedUri", "How the job ended", STATUS_INFO),
        },
    }
    output = {"name": "output", "in": "path", "required": True, "schema": _TEXT}
    jobs = {
        "/jobs": {"get": _read("getJobs", "Your jobs, the newest first", JOB_LIST, _filters())},
        "/jobs/{jobId}": {
            "get": _read("getStatus", "One job", STATUS_INFO, [_JOB], "401", "404"),
            "delete": _read("dismiss", "Take a job back", STATUS_INFO, [_JOB], "401", "404"),
        },
        "/jobs/{jobId}/results": {
            "get": _read("getResult", "What came of a job", RESULTS, [_JOB], "401", "404", "410")
        },
        "/jobs/{jobId}/results/{output}": {
            "get": _read("getOutput", "One output by itself", {}, [_JOB, output], "401", "404", "410")
        },
    }
    processes = {
        "/processes": {
            "get": _read(
                "getProcesses", "The processes you may run", PROCESS_LIST, [_limit(10_000, 10_000), _WORD]
            )
        },
        "/processes/{processID}": {
            "get": _read("getProcessDescription", "One process", PROCESS, [process, _WORD], "401", "404")
        },
        "/processes/{processID}/execution": {
            "post": {"tags": ["processes"], "summary": "Run a process", "operationId": "execute"} | execution
        },
    }
    return processes | jobs


def _filters() -> list[dict[str, Any]]:
    def listed(name: str, items: dict[str, Any]) -> dict[str, Any]:
        schema = {"type": "array", "items": items}
        return {"name": name, "in": "query", "style": "form", "explode": False, "schema": schema}

    whole = {"type": "integer", "minimum": 0}
    return [
        _limit(DEFAULT_LIMIT, LARGEST_LIMIT),
        listed("type", {"type": "string", "enum": ["process"]}),
        listed("processID", _TEXT),
        listed("status", STATUS_INFO["properties"]["status"]),  # type: ignore[index] # the schema above
        {"name": "datetime", "in": "query", "schema": _TEXT},
        {"name": "minDuration", "in": "query", "schema": whole},
        {"name": "maxDuration", "in": "query", "schema": whole},
        {"name": "cursor", "in": "query", "schema": _TEXT},
    ]


def _limit(default: int, largest: int) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 1, "maximum": largest, "default": default}
    return {"name": "limit", "in": "query", "style": "form", "explode": False, "schema": schema}


def _headers() -> list[dict[str, Any]]:
    return [
        {
            "name": "Prefer",
            "in": "header",
            "schema": _TEXT,
            "description": "respond-async, respond-sync, wait=n",
        },
        {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}},
    ]


def _read(
    operation: str, summary: str, schema: dict[str, Any], parameters: list[dict[str, Any]], *refused: str
) -> dict[str, Any]:
    return {
        "tags": ["processes"],
        "summary": summary,
        "operationId": operation,
        "parameters": parameters,
        "responses": _told("200", summary, schema) | _problems(*(refused or ("400", "401"))),
    }


def _told(
    status: str, said: str, schema: dict[str, Any], headers: dict[str, Any] | None = None
) -> dict[str, Any]:
    told = {"description": said, "content": {"application/json": {"schema": schema}}}
    return {status: told | ({"headers": headers} if headers else {})}


def _problems(*statuses: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": EXCEPTION}, "application/json": {"schema": EXCEPTION}}
    return {status: {"description": "A problem document", "content": content} for status in statuses}


def _callback(name: str, said: str, schema: dict[str, Any]) -> dict[str, Any]:
    body = {"content": {"application/json": {"schema": schema}}}
    answer = {"200": {"description": "Heard"}}
    return {
        f"{{$request.body#/subscriber/{name}}}": {
            "post": {"summary": said, "requestBody": body, "responses": answer}
        }
    }
