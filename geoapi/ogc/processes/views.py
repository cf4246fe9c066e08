"""How jobs are shown: the status document, and what came of them as one document, by itself, or in parts."""

import json
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from geoapi.ogc.processes.process import Process, Value
from ler.domain.jobs import JobStatus
from ler.services.jobs import Job

RESULTS: Final = "http://www.opengis.net/def/rel/ogc/1.0/results"
_BOX: Final = frozenset({"bbox", "crs"})
_BOUNDARY: Final = "ler-part"


def job_address(root: str, job_id: UUID) -> str:
    """Return where a job is asked for."""
    return f"{root}/jobs/{job_id}"


def status_view(job: Job, root: str) -> dict[str, Any]:
    """Return the status document of a job."""
    address = job_address(root, job.id)
    told = {
        "type": "process",
        "jobID": str(job.id),
        "processID": job.process,
        "status": str(job.status),
        "message": job.message,
        "progress": job.progress,
        "created": _moment(job.created_at),
        "started": _moment(job.started_at),
        "finished": _moment(job.finished_at),
        "updated": _moment(job.updated_at),
    }
    links = [_link("self", address)]
    if not job.ended:
        links.append(_link("monitor", address))
    if job.status is JobStatus.SUCCESSFUL:
        links.append({"rel": RESULTS, "href": f"{address}/results", "title": "Results"})
    return {name: value for name, value in told.items() if value is not None} | {"links": links}


def wanted_results(job: Job, results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs that were asked for, in that order, of those that there are."""
    return {name: results[name] for name in job.wanted["outputs"] if name in results}


def results_document(process: Process, job: Job, results: Mapping[str, Any], root: str) -> dict[str, Any]:
    """Return the outputs that were asked for as one document: values, or links to where they are."""
    return {
        name: _reference(job, name, process.outputs[name], root)
        if job.wanted["outputs"][name] == "reference"
        else _inline(value)
        for name, value in wanted_results(job, results).items()
    }


def raw_value(described: Value, value: Any, *, as_json: bool) -> tuple[bytes, str]:  # noqa: ANN401 - any JSON
    """Return one output by itself, and its media type; `as_json`: a text as JSON, where nothing else is taken."""
    if described.binary:
        return b64decode(value), described.media_type
    if isinstance(value, str) and not as_json:
        told = described.media_type
        return value.encode(), "text/plain" if told == "application/json" else told
    told = "application/json" if as_json or isinstance(value, str) else described.media_type
    return json.dumps(value, ensure_ascii=False).encode(), told


def raw_parts(process: Process, job: Job, results: Mapping[str, Any], root: str) -> tuple[bytes, str]:
    """Return several outputs by themselves, in parts, and the media type of the whole."""
    boundary = f"{_BOUNDARY}-{job.id.hex}"
    content = b""
    for name, value in wanted_results(job, results).items():
        described = process.outputs[name]
        if job.wanted["outputs"][name] == "reference":
            part, headers = b"", {"Content-Location": f"{job_address(root, job.id)}/results/{name}"}
        else:
            part, media_type = raw_value(described, value, as_json=False)
            headers = {"Content-Type": media_type}
        head = "".join(f"{key}: {told}\r\n" for key, told in (headers | {"Content-ID": f"<{name}>"}).items())
        content += f"--{boundary}\r\n{head}\r\n".encode() + part + b"\r\n"
    return content + f"--{boundary}--\r\n".encode(), f'multipart/related; boundary="{boundary}"'


def _inline(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """A value in a document. An object is wrapped, so that it is no link by chance; a bounding box is not."""
    if isinstance(value, dict) and not (value and value.keys() <= _BOX):
        return {"value": value, "mediaType": "application/json"}
    return value


def _reference(job: Job, name: str, described: Value, root: str) -> dict[str, str]:
    return {"href": f"{job_address(root, job.id)}/results/{name}", "type": described.media_type}


def _link(rel: str, href: str) -> dict[str, str]:
    return {"rel": rel, "type": "application/json", "href": href}


def _moment(at: datetime | None) -> str | None:
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
