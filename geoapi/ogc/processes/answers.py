"""Answers of processes and jobs: status documents, results in the form that was asked for, and problems of the standard."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request, Response

from geoapi.ogc.formats import HTML, PAGES, format_of
from geoapi.ogc.html import document_page
from geoapi.ogc.processes.documents import results_of
from geoapi.ogc.processes.process import Process
from geoapi.ogc.processes.views import (
    job_address,
    raw_parts,
    raw_value,
    results_document,
    status_view,
    wanted_results,
)
from geoapi.ogc.site import language, root_of
from geoapi.platform import platform_of
from geoapi.problems import ProblemException
from ler.services.jobs import Job

_EXCEPTIONS: Final = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0"
_HEADERS: Final = {
    "Cache-Control": "private, no-store",
    "Vary": "Accept, Authorization, Cookie, Ler-Acting-For",
}
_JSON: Final = "application/json"


def standard_problem(slug: str) -> ProblemException:
    """Return a problem that the standard has a name for: `no-such-process`, `no-such-job` or `result-not-ready`."""
    return ProblemException(slug, members={"type": f"{_EXCEPTIONS}/{slug}"})


def json_answer(
    document: Any,  # noqa: ANN401 - any JSON
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a document."""
    content = json.dumps(document, ensure_ascii=False).encode()
    return Response(content, status, headers=_HEADERS | dict(headers or {}), media_type=_JSON)


def described_answer(
    request: Request,
    document: Mapping[str, Any],
    title: str,
    headers: Mapping[str, str] | None = None,
    *,
    template: str = "document",
) -> Response:
    """Return a document as JSON, or as a page for who asks for one."""
    if format_of(request, PAGES).media_type != HTML:
        return json_answer(document, headers=headers)
    page = document_page(request, template, language(request), document, title)
    return Response(page[0], headers=_HEADERS | dict(headers or {}) | page[1], media_type=HTML)


def status_answer(
    request: Request, job: Job, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the status document of a job."""
    return json_answer(status_view(job, root_of(request)), status, headers)


def results_answer(
    request: Request, process: Process, job: Job, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the results of a job that succeeded, in the form that its call asked for."""
    results = results_of(platform_of(request).store, job)
    root, response = root_of(request), job.wanted["response"]
    names = [*wanted_results(job, results)]
    if response == "document" or (len(names) != 1 and not _in_parts(request, response)):
        return json_answer(results_document(process, job, results, root), headers=headers)
    if len(names) != 1:
        content, media_type = raw_parts(process, job, results, root)
        return _raw(content, media_type, headers)
    if job.wanted["outputs"][names[0]] == "reference":
        link = f'<{job_address(root, job.id)}/results/{names[0]}>; rel="{names[0]}"'
        return Response(
            status_code=HTTPStatus.NO_CONTENT, headers=_HEADERS | dict(headers or {}) | {"Link": link}
        )
    return output_answer(request, process, names[0], results[names[0]], headers)


def output_answer(
    request: Request,
    process: Process,
    name: str,
    value: Any,  # noqa: ANN401 - any JSON
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return one output by itself."""
    content, media_type = raw_value(process.outputs[name], value, as_json=_takes_json_only(request))
    return _raw(content, media_type, headers)


def _in_parts(request: Request, response: str | None) -> bool:
    """Whether several outputs are answered in parts: where that was said, and a document is not all that is taken."""
    accepted = request.headers.get("accept", "")
    if "multipart/related" in accepted:
        return True
    return response == "raw" and not _takes_json_only(request)


def _takes_json_only(request: Request) -> bool:
    return request.headers.get("accept", "").partition(";")[0].strip().lower() == _JSON


def _raw(content: bytes, media_type: str, headers: Mapping[str, str] | None) -> Response:
    told = _HEADERS | dict(headers or {}) | {"Content-Type": media_type}
    return Response(content, headers=told)
