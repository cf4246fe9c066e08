"""Jobs as their organisation finds them: listed, looked at, their results fetched, and dismissed.

A job is seen by who may run its process for the organisation that it was called for; to all others there is none, and
they are answered as for a job that there never was.
"""

from typing import Any, Final
from uuid import UUID

from fastapi import Request, Response

from geoapi.auth import acting
from geoapi.cursors import cursor_of, place_of
from geoapi.ogc.crs import unusable
from geoapi.ogc.endpoint import route
from geoapi.ogc.html import words
from geoapi.ogc.links import addressed
from geoapi.ogc.processes.answers import (
    described_answer,
    output_answer,
    results_answer,
    standard_problem,
    status_answer,
)
from geoapi.ogc.processes.documents import results_of
from geoapi.ogc.processes.registry import PROCESSES, visible_processes
from geoapi.ogc.processes.running import problem_from
from geoapi.ogc.processes.views import status_view, wanted_results
from geoapi.ogc.query import check_known
from geoapi.ogc.site import gate_of, language, root_of
from geoapi.ogc.times import span_of
from geoapi.platform import platform_of
from geoapi.problems import Problem, ProblemException, problem_response
from ler.db.reading import Statement
from ler.domain.jobs import JobStatus
from ler.errors import NotFoundError
from ler.services.jobs import COLUMNS, Job, dismiss_job, get_job, job_of
from ler.services.principals import Principal

DEFAULT_LIMIT: Final = 10
LARGEST_LIMIT: Final = 1000
_LONGEST_S: Final = 10**9
_SHOWN: Final = frozenset({"f", "lang"})
PARAMETERS: Final = _SHOWN | frozenset(
    {"limit", "cursor", "type", "processID", "status", "datetime", "minDuration", "maxDuration"}
)
_LIST: Final = (
    f"SELECT {COLUMNS} FROM ler.ogc_job AS j WHERE process = ANY(%(processes)s)"
    " AND (%(statuses)s::text[] IS NULL OR status = ANY(%(statuses)s))"
    " AND created_at >= coalesce(%(start)s::timestamptz, '-infinity')"
    " AND created_at <= coalesce(%(end)s::timestamptz, 'infinity')"
    " AND (%(least)s::numeric IS NULL OR extract(epoch FROM coalesce(finished_at, now()) - started_at) >= %(least)s)"
    " AND (%(most)s::numeric IS NULL OR extract(epoch FROM coalesce(finished_at, now()) - started_at) <= %(most)s)"
    " AND (%(at)s::timestamptz IS NULL OR (created_at, id) < (%(at)s::timestamptz, %(after)s::uuid))"
    " ORDER BY created_at DESC, id DESC LIMIT %(limit)s"
)
_ONE: Final = f"SELECT {COLUMNS} FROM ler.ogc_job WHERE id = %(job)s"


def read_job(request: Request, caller: Principal, job_id: UUID) -> Job:
    """Return a job of a caller that is known, as it is now."""
    with acting(platform_of(request), caller) as connection:
        return get_job(connection, job_id)


def _list(request: Request) -> Response:
    check_known(request.query_params, PARAMETERS)
    given = request.query_params
    limit = _whole(given.get("limit"), "limit", DEFAULT_LIMIT, 1)
    wanted = _filter(request, limit)
    caller = gate_of(request).read(request).caller
    if caller is None:
        raise ProblemException("token-missing")
    named = given["processID"].split(",") if "processID" in given else None
    seen = [one.id for one in visible_processes(caller) if named is None or one.id in named]
    read = gate_of(request).read(request, Statement(_LIST, wanted | {"processes": seen}))
    jobs = [job_of(row) for row in read.rows[0]]
    root = root_of(request)
    links = [_link("self", f"{root}/jobs", dict(given))]
    if len(jobs) > limit:
        last = jobs[limit - 1]
        place = {"cursor": cursor_of(last.created_at, last.id)}
        links.append(_link("next", f"{root}/jobs", dict(given) | place))
    document = {"jobs": [status_view(one, root) for one in jobs[:limit]], "links": links}
    return described_answer(request, document, words(language(request)).jobs)


def _status(request: Request) -> Response:
    job, _ = _found(request, _SHOWN)
    return described_answer(request, status_view(job, root_of(request)), f"{job.process}: {job.status}")


def _results(request: Request) -> Response:
    job, _ = _found(request)
    refusal = _no_results(request, job)
    return refusal or results_answer(request, PROCESSES[job.process], job)


def _output(request: Request) -> Response:
    job, _ = _found(request)
    refusal = _no_results(request, job)
    if refusal is not None:
        return refusal
    results = wanted_results(job, results_of(platform_of(request).store, job))
    name = request.path_params["output"]
    if name not in results:
        raise ProblemException("no-such-output")
    return output_answer(request, PROCESSES[job.process], name, results[name])


def _dismiss(request: Request) -> Response:
    job, caller = _found(request)
    try:
        with acting(platform_of(request), caller) as connection:
            return status_answer(request, dismiss_job(connection, job.id))
    except NotFoundError:  # forgotten in this moment
        raise standard_problem("no-such-job") from None


def _found(request: Request, known: frozenset[str] = frozenset()) -> tuple[Job, Principal]:
    """The job that an address names. A problem for who may not see it, as if it were not there."""
    check_known(request.query_params, known)
    try:
        statements = [Statement(_ONE, {"job": UUID(request.path_params["job"])})]
    except ValueError:
        statements = []
    read = gate_of(request).read(request, *statements)
    if read.caller is None:
        raise ProblemException("token-missing")
    rows = read.rows[0] if statements else []
    job = job_of(rows[0]) if rows else None
    if job is None or job.process not in {one.id for one in visible_processes(read.caller)}:
        raise standard_problem("no-such-job")
    return job, read.caller


def _no_results(request: Request, job: Job) -> Response | None:
    """Why a job has no results; None when it has."""
    match job.status:
        case JobStatus.SUCCESSFUL:
            return None
        case JobStatus.FAILED:
            return problem_response(
                request, problem_from(job.problem) if job.problem else Problem("internal")
            )
        case JobStatus.DISMISSED:
            raise ProblemException("job-dismissed")
    raise standard_problem("result-not-ready")


def _filter(request: Request, limit: int) -> dict[str, Any]:
    given = request.query_params
    statuses = given["status"].split(",") if "status" in given else None
    if statuses is not None and not {*statuses} <= {str(one) for one in JobStatus}:
        raise unusable("status", f"one or more of {', '.join(JobStatus)}, with a comma between them")
    if any(word != "process" for word in given.get("type", "process").split(",")):
        raise unusable("type", "all jobs are of the type process")
    span = span_of(given["datetime"]) if "datetime" in given else None
    at, after = place_of(given["cursor"]) if "cursor" in given else (None, None)
    return {
        "statuses": statuses,
        "start": span and span.start,
        "end": span and span.end,
        "least": _whole(given.get("minDuration"), "minDuration", None, 0),
        "most": _whole(given.get("maxDuration"), "maxDuration", None, 0),
        "at": at,
        "after": after,
        "limit": limit + 1,
    }


def _whole[Default: int | None](given: str | None, name: str, default: Default, least: int) -> int | Default:
    if given is None:
        return default
    if not (given.isascii() and given.isdecimal()) or not least <= int(given[:12]) <= _LONGEST_S:
        raise unusable(name, f"a whole number from {least} is wanted")
    return min(int(given), LARGEST_LIMIT) if name == "limit" else int(given)


def _link(rel: str, address: str, given: dict[str, str]) -> dict[str, str]:
    return {"rel": rel, "type": "application/json", "href": addressed(address, given)}


ROUTES: Final = (
    route("/jobs", _list),
    route("/jobs/{job}", _status),
    route("/jobs/{job}", _dismiss, methods=["DELETE"]),
    route("/jobs/{job}/results", _results),
    route("/jobs/{job}/results/{output}", _output),
)
"""Of one job, by method: Starlette asks the next route when a method does not fit."""
