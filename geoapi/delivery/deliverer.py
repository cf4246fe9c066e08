"""The loops of the worker that send notices and watch the clock, beside its queue and held up by nothing in it.

Whether there is something to do is asked of our tables twice a second: a dead queue changes nothing. What a process took
and did not finish falls back by itself when its lease is over.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

import httpcore
from jinja2 import TemplateError
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from geoapi.clocks import look_at_clocks
from geoapi.delivery.mails import Link, make_mail, send_mail
from geoapi.delivery.webhooks import send_webhook, webhook_pool
from ler.db.engine import transaction
from ler.domain.calendar import WorkingClock
from ler.domain.deadlines import NoticePlan, clock_of
from ler.domain.delivery import Channel, Result, Verdict, pause_after
from ler.domain.legal_time import legal_day
from ler.errors import LerError, UnavailableError
from ler.faults import point
from ler.rules_in_force import deadline_rules, working_calendar
from ler.services.answer_links import make_answer_link
from ler.services.outbox import (
    Outgoing,
    claim_deliveries,
    forget_deliveries,
    keep_payload,
    record_delivery,
    tell_changes,
)
from ler.services.reminders import remind_owners
from ler.settings import Settings
from ler.signing import KeyFolder

_LOG: Final = logging.getLogger("ler.notices")

A_LANE: Final = 2
"""Notices under way to one place at a time."""

LEASE: Final = timedelta(seconds=40)
"""For which a worker has what it took: longer than a try may last, and short enough to be found again in a minute."""

_MAILS_AT_ONCE: Final = 4
_THREADS: Final = 4
_LOOKED_THROUGH: Final = 200
_REMINDED: Final = 500
_MOST_TURNS: Final = 50
_FORGET_EVERY: Final = timedelta(hours=1)
_NOW: Final = text("SELECT clock_timestamp()")
_MARK_LATE: Final = text("SELECT ler.mark_late()")

type LinksOf = Callable[[Outgoing], list[Link]]


class Deliverer:
    """Sends what is in the outbox by one channel, for one worker process, with threads of its own.

    One for each channel: a mail server that hangs holds up no webhook.
    """

    def __init__(self, engine: Engine, settings: Settings, channel: Channel, links_of: LinksOf) -> None:
        self._engine = engine
        self._settings = settings
        self._channel = channel
        self._links_of = links_of
        self._at_once = settings.notices_at_once if channel is Channel.WEBHOOK else _MAILS_AT_ONCE
        self._chance = Random()  # noqa: S311 - spreads tries, keeps no secret
        self._sending: set[asyncio.Task[None]] = set()
        self._behind = timedelta()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"notices-{channel}")

    async def run(self, stopping: asyncio.Event) -> None:
        """Send until told to stop; what is under way then comes to its end."""
        with self._threads:
            async with webhook_pool(loopback=self._settings.webhook_loopback, most=self._at_once) as pool:
                while not stopping.is_set():
                    free = self._at_once - len(self._sending)
                    taken = await self._take(free) if free else []
                    for outgoing in taken:
                        task = asyncio.create_task(self._deliver(pool, outgoing))
                        self._sending.add(task)
                        task.add_done_callback(self._sending.discard)
                    if not taken:
                        await _pause(stopping, self._settings.notice_poll_s)
                if self._sending:
                    await asyncio.wait(self._sending)

    async def _take(self, most: int) -> list[Outgoing]:
        def take() -> list[Outgoing]:
            with transaction(self._engine, None) as connection:
                claimed = claim_deliveries(connection, self._channel, most=most, a_lane=A_LANE, lease=LEASE)
                if claimed:
                    self._behind = connection.execute(_NOW).scalar_one() - datetime.now(UTC)
                return claimed

        try:
            taken = await self._in_thread(take)
        except (LerError, DBAPIError) as error:
            _LOG.warning("the outbox is not available: %s", type(error).__name__)
            return []
        if taken:
            point("notice.claimed")
        return taken

    async def _deliver(self, pool: httpcore.AsyncConnectionPool, outgoing: Outgoing) -> None:
        try:
            result = await self._send(pool, outgoing)
            point("notice.sent")
            await self._in_thread(lambda: self._record(outgoing, result))
            point("notice.recorded")
        except (LerError, DBAPIError) as error:
            # It falls back when its lease is over, and is then sent again.
            _LOG.warning("what came of a notice was not written down: %s", type(error).__name__)
        except Exception:  # noqa: BLE001 - whatever it is, other notices must go out
            _LOG.warning("a notice could not be sent", exc_info=True)

    async def _send(self, pool: httpcore.AsyncConnectionPool, outgoing: Outgoing) -> Result:
        if self._channel is Channel.WEBHOOK:
            # Receivers refuse what is signed with another time than theirs, and the machine's may be wrong.
            now = datetime.now(UTC) + self._behind
            try:
                signed = await self._in_thread(lambda: self._with_keys(outgoing))
            except UnavailableError as error:
                _LOG.warning("a webhook's key cannot be read: %s", error)
                return Result(Verdict.AGAIN, fault="key")
            return await send_webhook(pool, signed, timeout_s=self._settings.notice_timeout_s, now=now)
        if self._settings.smtp_host is None:
            return Result(Verdict.OFF, fault="mail-off")
        return await self._in_thread(lambda: self._send_mail(outgoing))

    def _with_keys(self, outgoing: Outgoing) -> Outgoing:
        keys = KeyFolder(self._settings.key_folder)
        secret, old = (kept and keys.unseal(kept) for kept in (outgoing.secret, outgoing.old_secret))
        return replace(outgoing, secret=secret, old_secret=old)

    def _send_mail(self, outgoing: Outgoing) -> Result:
        payload = outgoing.payload
        if payload is None:
            try:
                made = make_mail(outgoing, self._links_of(outgoing), self._settings)
            except (TemplateError, ValueError, TypeError):
                _LOG.warning("a mail of the kind %s could not be made", outgoing.kind, exc_info=True)
                return Result(Verdict.NEVER, fault="mail-not-made")
            with transaction(self._engine, None) as connection:
                payload = keep_payload(connection, outgoing.id, made)
            point("notice.mail-kept")
        return send_mail(outgoing, payload, self._settings)

    async def _in_thread[T](self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _record(self, outgoing: Outgoing, result: Result) -> None:
        pause = pause_after(outgoing.attempt, chance=self._chance.random(), hold=result.hold)
        with transaction(self._engine, None) as connection:
            record_delivery(connection, outgoing.id, result, pause)
        if result.verdict is not Verdict.DELIVERED:
            _LOG.info(
                "notice %s by %s: %s %s, try %s",
                *(outgoing.notice_id, outgoing.channel, result.fault, result.status, outgoing.attempt),
            )


class Clockwork:
    """Looks after deadlines and after changes in the areas of valid requests, for one worker process."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._plan = NoticePlan(
            management_after=timedelta(hours=settings.silence_management_h),
            operator_after=timedelta(hours=settings.silence_operator_h),
        )
        self._forgot_at = datetime.min.replace(tzinfo=UTC)

    async def run(self, stopping: asyncio.Event) -> None:
        """Look until told to stop."""
        while not stopping.is_set():
            try:
                await asyncio.to_thread(self.turn)
            except (LerError, DBAPIError) as error:
                _LOG.warning("deadlines were not looked at this time: %s", type(error).__name__)
            except Exception:  # noqa: BLE001 - the next look may go better
                _LOG.warning("deadlines were not looked at this time", exc_info=True)
            await _pause(stopping, self._settings.watch_s)

    def turn(self) -> None:
        """Look once: mark who is late, remind and escalate, and tell what has changed."""
        with transaction(self._engine, None) as connection:
            now = look_at_clocks(lambda: connection.execute(_NOW).scalar_one())
            connection.execute(_MARK_LATE)
        remind_owners(self._engine, self.clock_of, self._plan, most=_REMINDED)
        for _ in range(_MOST_TURNS):
            with transaction(self._engine, None) as connection:
                if not tell_changes(connection, most=_LOOKED_THROUGH):
                    break
        if now - self._forgot_at > _FORGET_EVERY:
            self._forgot_at = now
            with transaction(self._engine, None) as connection:
                forget_deliveries(connection, timedelta(days=self._settings.notice_keep_days))

    def clock_of(self, received_at: datetime) -> WorkingClock:
        """Return the working clock that runs for what was received then."""
        calendar = working_calendar(self._settings, legal_day(received_at).year)
        return clock_of(received_at, calendar, deadline_rules(self._settings))


def links_in(settings: Settings, engine: Engine) -> LinksOf:
    """Return what makes the links of a mail: to answer without an account, and to the request for who asked."""
    life = timedelta(hours=settings.answer_link_hours)

    def links(outgoing: Outgoing) -> list[Link]:
        danish = outgoing.language == "da"
        asked, about = outgoing.data.get("owner_request_id"), outgoing.request_id
        if about is None:
            return []
        if outgoing.owner_id != outgoing.organisation_id:
            address = f"{settings.public_address}/api/v1/requests/{about}"
            return [Link("Forespørgslen" if danish else "The request", address)]
        if outgoing.kind in _ANSWERABLE and asked:
            with transaction(engine, None, request=about) as connection:
                path = make_answer_link(connection, UUID(asked), life)
            return [Link("Svar her" if danish else "Answer here", f"{settings.public_address}{path}")]
        return []

    return links


_ANSWERABLE: Final = frozenset({"owner.asked", "owner.reminder", "owner.silent", "owner.marking_asked"})


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return
