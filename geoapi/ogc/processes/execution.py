"""Calls of processes: proved, judged, and answered with what came of them or with the job that will tell.

A call with an `Idempotency-Key` may be made again when its answer was lost: it finds the job of the first.
"""

import asyncio
from dataclasses import replace
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final

from anyio.to_thread import run_sync
from fastapi import Request, Response

from geoapi.auth import acting
from geoapi.ogc.endpoint import route
from geoapi.ogc.processes.answers import results_answer, standard_problem, status_answer
from geoapi.ogc.processes.call import Call, judged_inputs, read_call
from geoapi.ogc.processes.documents import kept_document
from geoapi.ogc.processes.jobs import read_job
from geoapi.ogc.processes.preference import Preference, preference_of
from geoapi.ogc.processes.process import Process
from geoapi.ogc.processes.references import fetch_references
from geoapi.ogc.processes.registry import PROCESSES, is_visible
from geoapi.ogc.processes.running import run_at_once
from geoapi.ogc.processes.views import job_address
from geoapi.ogc.query import check_known
from geoapi.ogc.site import gate_of, language, root_of
from geoapi.parameters import body_of
from geoapi.platform import platform_of
from geoapi.problems import ProblemException
from ler.domain.jobs import JobStatus
from ler.faults import point
from ler.jobs import queue_job
from ler.services.idempotency import check_key
from ler.services.jobs import Job, NewJob, enter_job, find_by_key
from ler.services.principals import Principal

AT_ONCE: Final = 8
"""Runs of processes at a time for calls that wait: pages and tiles have threads of their own."""
_LOOK_EVERY_S: Final = 0.1


async def execute(request: Request) -> Response:
    """Answer POST `/processes/{process}/execution`."""
    check_known(request.query_params, {"lang"})
    process, caller = await run_sync(_admitted, request)
    body = await body_of(request)
    settings = platform_of(request).settings
    call = await run_sync(lambda: read_call(process, body, loopback=settings.webhook_loopback))
    fetched = await fetch_references(process, call.references, loopback=settings.webhook_loopback)
    new = _new_job(request, process, call, body)
    inputs = await run_sync(judged_inputs, process, {**call.inputs, **fetched})
    preference = preference_of(request.headers.get("prefer"))
    if not preference.by_worker(process):
        threads = request.app.state.process_threads
        job = await run_sync(_run_at_once, request, caller, process, inputs, new, limiter=threads)
        return _answer(request, process, job, preference, by_worker=False)
    job = await run_sync(_entered, request, caller, inputs, new)
    job = await _waited(request, caller, job, preference.wait_s)
    return _answer(request, process, job, preference, by_worker=True)


def process_of(request: Request, caller: Principal | None) -> Process:
    """Return the process that an address names, for who may see it; to others there is none."""
    process = PROCESSES.get(request.path_params["process"])
    if process is None or not is_visible(process, caller):
        raise standard_problem("no-such-process") if caller else ProblemException("token-missing")
    return process


def _admitted(request: Request) -> tuple[Process, Principal]:
    caller = gate_of(request).read(request).caller
    if caller is None:
        raise ProblemException("token-missing")
    return process_of(request, caller), caller


def _new_job(request: Request, process: Process, call: Call, body: bytes) -> NewJob:
    given = request.headers.get("idempotency-key")
    return NewJob(
        process=process.id,
        language=language(request),
        wanted=call.wanted,
        request_sha256=sha256(body).hexdigest(),
        key=None if given is None else check_key(given),
        callbacks=call.callbacks,
        keep_days=platform_of(request).settings.ogc_job_keep_days,
    )


def _run_at_once(
    request: Request, caller: Principal, process: Process, inputs: dict[str, Any], new: NewJob
) -> Job:
    platform = platform_of(request)
    if new.key is not None:
        with acting(platform, caller) as connection:
            found = find_by_key(connection, caller.organisation_id, new)
        if found is not None:
            return found
    return run_at_once(platform, caller, process, inputs, new)


def _entered(request: Request, caller: Principal, inputs: dict[str, Any], new: NewJob) -> Job:
    platform = platform_of(request)
    waiting = replace(new, inputs=kept_document(platform.store, inputs))
    with acting(platform, caller) as connection:
        found = find_by_key(connection, caller.organisation_id, waiting)
        if found is not None:
            return found
        job = enter_job(connection, caller, waiting, most_open=platform.settings.ogc_jobs_open)
        queue_job(connection, job.id)
        point("job.before-commit")
    point("job.after-commit")
    return job


async def _waited(request: Request, caller: Principal, job: Job, wait_s: float) -> Job:
    """The job when it has ended, or when its caller waits no longer."""
    loop = asyncio.get_running_loop()
    until = loop.time() + wait_s
    while not job.ended and loop.time() < until:
        await asyncio.sleep(_LOOK_EVERY_S)
        job = await run_sync(read_job, request, caller, job.id)
    return job


def _answer(
    request: Request, process: Process, job: Job, preference: Preference, *, by_worker: bool
) -> Response:
    address = job_address(root_of(request), job.id)
    headers = preference.applied(by_worker=by_worker)
    if job.status is JobStatus.SUCCESSFUL and (not by_worker or preference.wait_s):
        # Where a preference was told: a client that knows none of them may know no such link either.
        monitor = {"Link": f"<{address}>; rel=monitor"} if preference.said else {}
        return results_answer(request, process, job, headers | monitor)
    return status_answer(request, job, HTTPStatus.CREATED, headers | {"Location": address})


ROUTES: Final = (route("/processes/{process}/execution", execute, methods=("POST",)),)
