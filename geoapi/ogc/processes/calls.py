"""Tells whoever a caller named (`subscriber`) that its job runs, has succeeded or has failed.

Sent by the one sender of webhooks, with all that it refuses. Not signed: a caller has no key with us. It is told at least
once, of the newest only; who does not listen is tried for some minutes, and finds the job where it is.
"""

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any, Final
from uuid import uuid5

import httpcore
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from geoapi.delivery.deliverer import LEASE
from geoapi.delivery.webhooks import send_webhook, webhook_pool
from geoapi.ogc.processes.documents import results_of
from geoapi.ogc.processes.registry import PROCESSES
from geoapi.ogc.processes.views import results_document, status_view
from geoapi.ogc.site import ROOT
from geoapi.platform import Platform
from ler.db.engine import transaction
from ler.domain.delivery import Channel, Verdict, pause_after
from ler.domain.jobs import JobStatus
from ler.errors import LerError
from ler.services.jobs import COLUMNS, Job, job_of
from ler.services.outbox import Outgoing

_LOG: Final = logging.getLogger("ler.worker")
_CLAIM: Final = text(
    f"SELECT {COLUMNS}, call_attempts, coalesce(CASE status WHEN 'successful' THEN success_uri"
    " WHEN 'failed' THEN failed_uri ELSE in_progress_uri END, '') AS address"
    " FROM ler.claim_job_calls(:most, :lease)"
)
_RECORD: Final = text("SELECT ler.record_job_call(:job, :told_at, :done, :pause)")
_AT_ONCE: Final = 4
_MOST_TRIES: Final = 6
"""Within about twenty minutes."""
_LARGEST: Final = 1 << 20
"""Bytes of results that are sent; of larger ones the status is, with a link to them."""


class JobCalls:
    """Sends what is due, for one worker process."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._root = platform.origin + ROOT

    async def run(self, stopping: asyncio.Event) -> None:
        """Send until told to stop; what is under way then comes to its end."""
        settings = self._platform.settings
        async with webhook_pool(loopback=settings.webhook_loopback, most=_AT_ONCE) as pool:
            while not stopping.is_set():
                try:
                    taken = await asyncio.to_thread(self._take)
                    await asyncio.gather(*(self._tell(pool, *one) for one in taken))
                except (LerError, DBAPIError) as error:
                    _LOG.warning("nobody is told of jobs this time: %s", type(error).__name__)
                    taken = []
                if not taken:
                    await _pause(stopping, settings.notice_poll_s)

    def _take(self) -> list[tuple[Job, int, str]]:
        with transaction(self._platform.databases.worker, None) as connection:
            rows = connection.execute(_CLAIM, {"most": _AT_ONCE, "lease": LEASE}).all()
        return [(job_of(row[:-2]), row.call_attempts, row.address) for row in rows]

    async def _tell(self, pool: httpcore.AsyncConnectionPool, job: Job, attempt: int, address: str) -> None:
        outgoing = await asyncio.to_thread(self._outgoing, job, attempt, address)
        result = await send_webhook(pool, outgoing, timeout_s=self._platform.settings.notice_timeout_s)
        done = result.verdict is Verdict.DELIVERED
        if not done:
            _LOG.info("nobody was told of job %s: %s %s", job.id, result.fault, result.status)
        over = attempt >= _MOST_TRIES or result.verdict in {Verdict.GONE, Verdict.NEVER}
        pause = None if over else pause_after(attempt, hold=result.hold)
        await asyncio.to_thread(self._record, job, pause, done=done)

    def _record(self, job: Job, pause: timedelta | None, *, done: bool) -> None:
        values = {"job": job.id, "told_at": job.updated_at, "done": done, "pause": pause}
        with transaction(self._platform.databases.worker, None) as connection:
            connection.execute(_RECORD, values)

    def _outgoing(self, job: Job, attempt: int, address: str) -> Outgoing:
        return Outgoing(
            id=job.id,
            attempt=attempt,
            channel=Channel.WEBHOOK,
            address=address,
            language=job.language,
            payload=self._body(job),
            secret=None,
            old_secret=None,
            code=None,
            # The same at every try of the same state, by which a receiver knows it again.
            notice_id=uuid5(job.id, f"{job.status} {job.updated_at.isoformat()}"),
            kind="job",
            at=job.updated_at,
            organisation_id=job.organisation_id,
            request_id=None,
            owner_id=None,
            data={},
        )

    def _body(self, job: Job) -> str:
        status: Any = status_view(job, self._root)
        process = PROCESSES.get(job.process)
        if job.status is JobStatus.SUCCESSFUL and process is not None:
            results = results_of(self._platform.store, job)
            told = json.dumps(results_document(process, job, results, self._root), ensure_ascii=False)
            if len(told) <= _LARGEST:
                return told
        return json.dumps(status, ensure_ascii=False)


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return
