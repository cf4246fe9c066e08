"""The worker process: takes jobs from the queue, sweeps every few seconds, and ends in order when told to.

The queue is procrastinate's; it wakes us and counts heartbeats. Whether there is work is asked of our tables. A lost
database is waited for. Told to stop, it hands back what it has begun: at 10 s statements are cancelled, at 25 s the
process goes whatever runs, which the sweep of the next worker treats as it does a killed one.
"""

import asyncio
import contextlib
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import procrastinate
from procrastinate.jobs import Status
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from geoapi.delivery.deliverer import Clockwork, Deliverer, links_in
from geoapi.ogc.processes.calls import JobCalls
from geoapi.ogc.processes.running import JobWork
from geoapi.package_work import PackageWork
from geoapi.work import Work
from ler.db.queue import SCHEMA
from ler.domain.delivery import Channel
from ler.errors import LerError
from ler.jobs import (
    BUILD_OWNER_PACKAGES,
    BUILD_PACKAGES,
    CHECK_UPLOAD,
    JOBS,
    MEND_PACKAGES,
    OWNER_PACKAGES,
    PUBLISH_UPLOAD,
    QUEUE,
    REQUESTS,
    RUN_JOB,
)

_LOG: Final = logging.getLogger("ler.worker")
_CANCEL_AFTER_S: Final = 10.0
_LEAVE_AFTER_S: Final = 25.0
_STALLED_S: Final = 30.0
_RECONNECT_S: Final = 2.0
_POLL_S: Final = 5.0
_OLD_JOBS_H: Final = 24
_PACKAGES_AT_A_TIME: Final = 2
"""A request whose drawings are made again for minutes holds one place only."""
_JOBS_AT_A_TIME: Final = 2


@dataclass(frozen=True, slots=True)
class Lane:
    """A queue whose jobs never wait for those of another."""

    queue: str
    concurrency: int
    add_tasks: Callable[[procrastinate.App], None]


def run_worker(work: Work, packages: PackageWork, *, concurrency: int, sweep_s: float) -> None:
    """Work until SIGTERM or SIGINT; `concurrency` is of the uploads."""
    jobs = JobWork(work.platform, lambda: work.stopping)
    lanes = (
        Lane(QUEUE, concurrency, lambda app: add_tasks(app, work)),
        Lane(REQUESTS, _PACKAGES_AT_A_TIME, lambda app: add_package_tasks(app, packages)),
        Lane(OWNER_PACKAGES, 1, lambda app: add_package_tasks(app, packages)),
        Lane(JOBS, _JOBS_AT_A_TIME, lambda app: add_job_tasks(app, jobs)),
    )
    sweeps = (packages.sweep, work.sweep, jobs.sweep, packages.look_for_lost, work.tidy, work.keep_records)
    asyncio.run(_Worker(work, lanes, sweeps, sweep_s=sweep_s).run())


def queue_app(engine: Engine) -> procrastinate.App:
    """Return the queue as `ler_worker` sees it, over connections of its own."""
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connector = procrastinate.PsycopgConnector(
        conninfo=url,
        kwargs={"options": f"-c search_path={SCHEMA} -c role=ler_worker", "connect_timeout": 5},
        min_size=1,
        max_size=4,
        timeout=10.0,
    )
    return procrastinate.App(connector=connector)


def add_tasks(app: procrastinate.App, work: Work) -> None:
    """Give the queue the tasks it calls; a task that fails does so in our tables, never in the queue's."""

    def task(name: str, run: Callable[[UUID, UUID], None]) -> None:
        def called(upload_id: str, owner_id: str) -> None:
            try:
                run(UUID(upload_id), UUID(owner_id))
            except (LerError, DBAPIError):
                # The upload stands where it stood; the sweep calls again.
                _LOG.warning("%s of upload %s was left for the sweep", name, upload_id, exc_info=True)

        app.task(name=name, queue=QUEUE)(called)

    task(CHECK_UPLOAD, work.check)
    task(PUBLISH_UPLOAD, work.publish)


def add_package_tasks(app: procrastinate.App, packages: PackageWork) -> None:
    """Give the queue the tasks about packages."""

    def task(name: str, queue: str, run: Callable[[UUID], None]) -> None:
        def called(request_id: str) -> None:
            run(UUID(request_id))

        app.task(name=name, queue=queue)(called)

    task(BUILD_PACKAGES, REQUESTS, packages.build)
    task(MEND_PACKAGES, REQUESTS, packages.mend)
    task(BUILD_OWNER_PACKAGES, OWNER_PACKAGES, packages.build_owners)


def add_job_tasks(app: procrastinate.App, jobs: JobWork) -> None:
    """Give the queue the task of the OGC API's jobs, which fails as those of uploads do."""

    def called(job_id: str, organisation_id: str) -> None:
        try:
            jobs.run(UUID(job_id), UUID(organisation_id))
        except (LerError, DBAPIError):
            # The job stands where it stood; the sweep calls again.
            _LOG.warning("job %s was left for the sweep", job_id, exc_info=True)

    app.task(name=RUN_JOB, queue=JOBS)(called)


class _Worker:
    def __init__(
        self, work: Work, lanes: Sequence[Lane], sweeps: Sequence[Callable[[], object]], *, sweep_s: float
    ) -> None:
        self._work = work
        self._lanes = lanes
        self._sweeps = sweeps
        self._sweep_s = sweep_s
        self._stopping = asyncio.Event()
        self._taking: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        platform = self._work.platform
        engine, settings = platform.databases.worker, platform.settings
        beside = [
            asyncio.create_task(self._sweep_on()),
            *(
                asyncio.create_task(
                    Deliverer(engine, settings, channel, links_in(settings, engine)).run(self._stopping)
                )
                for channel in Channel
            ),
            asyncio.create_task(Clockwork(engine, settings).run(self._stopping)),
            asyncio.create_task(JobCalls(platform).run(self._stopping)),
        ]
        await asyncio.gather(*(self._take_on(lane) for lane in self._lanes))
        await asyncio.gather(*beside)

    async def _take_on(self, lane: Lane) -> None:
        while not self._stopping.is_set():
            taking = asyncio.create_task(self._take_jobs(lane))
            self._taking.add(taking)
            with contextlib.suppress(asyncio.CancelledError):
                await taking
            self._taking.discard(taking)
            await self._pause(_RECONNECT_S)

    async def _take_jobs(self, lane: Lane) -> None:
        app = queue_app(self._work.platform.databases.worker)
        lane.add_tasks(app)
        try:
            async with app.open_async():
                await app.run_worker_async(
                    queues=[lane.queue],
                    concurrency=lane.concurrency,
                    install_signal_handlers=False,
                    fetch_job_polling_interval=_POLL_S,
                    delete_jobs="successful",
                )
        except (procrastinate.exceptions.ProcrastinateException, OSError) as error:
            _LOG.warning("the queue is not available (%s); trying again", type(error).__name__)

    async def _sweep_on(self) -> None:
        while not self._stopping.is_set():
            for sweep in self._sweeps:
                with _told_later():
                    _LOG.debug("swept: %s", await asyncio.to_thread(sweep))
            with _told_later():
                await self._sweep_jobs()
            await self._pause(self._sweep_s)

    async def _sweep_jobs(self) -> None:
        """End the jobs of workers that are no more: what they were about is called for anew by our own sweep."""
        app = queue_app(self._work.platform.databases.worker)
        async with app.open_async():
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_S):
                await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
            await app.job_manager.delete_old_jobs(nb_hours=_OLD_JOBS_H, include_failed=True)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _stop(self) -> None:
        self._stopping.set()
        self._work.stop()
        _later(_CANCEL_AFTER_S, self._work.cancel)
        _later(_LEAVE_AFTER_S, os._exit, 1)
        for taking in self._taking:
            taking.cancel()


@contextlib.contextmanager
def _told_later() -> Iterator[None]:
    """A sweep that fails is told of, and made again with the next."""
    try:
        yield
    except (LerError, DBAPIError, procrastinate.exceptions.ProcrastinateException, OSError) as error:
        _LOG.warning("no sweep this time: %s", type(error).__name__)


def _later(seconds: float, what: Callable[..., Any], *arguments: Any) -> None:  # noqa: ANN401 - handed on as they are
    timer = threading.Timer(seconds, what, arguments)
    timer.daemon = True
    timer.start()
