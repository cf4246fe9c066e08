"""What a worker does with uploads: check, publish, and sweep up what dead workers and absent owners have left.

A worker holds an upload by a lock of its own database session, which ends with the process however that dies; who gets
the lock of an upload that is being worked on knows that nobody works on it. Work is one transaction, which commits with
the upload's new state or leaves nothing. So each task may run twice, late, or never: the sweep calls for it again.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event as Flag
from threading import Lock
from time import monotonic
from typing import Any, Final
from uuid import UUID

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from geoapi.pipeline import Checked, Pipeline
from geoapi.platform import Platform
from geoapi.problems import problem_of
from geoapi.records import Records
from ingest.compare import Verdict
from ingest.report.stored import refusal_to_stored, to_stored
from ingest.stage import NetworkRefusedError
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.uploads import WAITING, WORKED_ON, Actor, Event, State
from ler.errors import LerError, NotFoundError, RefusedError
from ler.faults import point
from ler.jobs import queue_upload
from ler.services.networks import sweep_staging
from ler.services.registry import get_organisation
from ler.services.uploads import Upload, forget_version, get_upload, move, record_progress
from ler.services.windows import expire_windows

_LOG: Final = logging.getLogger("ler.worker")

MOST_ATTEMPTS: Final = 3
"""Failures of ours after which an upload is given up."""

_PROGRESS_EVERY_S: Final = 0.5
_TRY_AGAIN_S: Final = 5.0
_BUSY_S: Final = 2.0
_TIDY_EVERY_S: Final = 3600.0
_RECHECKED: Final = frozenset({"version-stale", "version-not-staged", "staging-lost"})
"""Refusals to publish that another check puts right."""

_HOLD: Final = text("SELECT pg_try_advisory_lock(hashtextextended(:upload, 2))")
_LET_GO: Final = text("SELECT pg_advisory_unlock(hashtextextended(:upload, 2))")
_AT_WORK: Final = text("SELECT * FROM ler.uploads_at_work()")
_WITH_FILES: Final = text("SELECT ler.uploads_with_files(:ids, :keep)")
_FORGET_KEYS: Final = text("SELECT ler.forget_old_keys()")
_FORGET_ACCESS: Final = text("SELECT ler.forget_access()")
_MARK_LATE: Final = text("SELECT ler.mark_late()")
_END_REQUESTS: Final = text("SELECT ler.end_requests(:most)")
_ERASE_REQUESTS: Final = text("SELECT ler.erase_requests(:years, :most)")
_MOST_REQUESTS: Final = 500
"""Requests that end, or are erased, in one sweep: the first sweep after midnight must not hold all of them locked."""
# A check lasts as long as the file is large.
_NO_LIMITS: Final = (
    text("SET LOCAL statement_timeout = 0"),
    text("SET LOCAL idle_in_transaction_session_timeout = 0"),
)
_GIVEN_UP: Final = {"code": "internal", "message": "It failed on our side, several times."}


class StoppingError(LerError):
    """The worker is to stop; the upload goes back to where it waited."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found to do."""

    expired: int = 0
    taken_back: int = 0
    called: int = 0
    discarded: int = 0
    files: int = 0
    late: int = 0
    ended: int = 0
    erased: int = 0


@dataclass
class Work:
    """The tasks, for one worker process; `stop` ends what runs, and what was begun is handed back."""

    platform: Platform
    pipeline: Pipeline
    _stopping: Flag = field(default_factory=Flag)
    _running: set[Connection] = field(default_factory=set)
    _guard: Lock = field(default_factory=Lock)
    _tidied_at: float | None = None

    def check(self, upload_id: UUID, owner_id: UUID) -> None:
        """Check an upload that waits for it; nothing when it does not wait or somebody else is at it."""
        with self._held(upload_id) as held:
            upload = self._begin(upload_id, owner_id, Event.CLAIM) if held else None
            if upload is None:
                return
            point("check.claimed")
            try:
                self._check(upload)
            except Exception as error:  # noqa: BLE001 - whatever it is, the upload must leave this state
                self._give_back(upload, error, Event.HAND_BACK)
            point("check.after-commit")

    def publish(self, upload_id: UUID, owner_id: UUID) -> None:
        """Publish an upload that is approved; nothing when it is not or somebody else is at it."""
        with self._held(upload_id) as held:
            upload = self._begin(upload_id, owner_id, Event.PUBLISH) if held else None
            if upload is None:
                return
            point("publish.claimed")
            try:
                with self._transaction(owner_id) as connection:
                    self.pipeline.publish(connection, upload)
                    self._move(connection, upload_id, Event.FINISH)
                    point("publish.before-commit")
            except Exception as error:  # noqa: BLE001 - as above
                self._give_back(upload, error, Event.LOSE_HOLD)
            point("publish.after-commit")

    def sweep(self) -> Swept:
        """Look after every upload that is not at its end, files that nobody needs, and owners whose time to answer is up."""
        engine = self.platform.databases.worker
        with transaction(engine, None) as connection:
            rows = connection.execute(_AT_WORK).all()
            connection.execute(_FORGET_KEYS)
            connection.execute(_FORGET_ACCESS)
            late = connection.execute(_MARK_LATE).scalar_one()
            expire_windows(connection)
        ended, erased = self._end_requests()
        done = {"expired": 0, "taken_back": 0, "called": 0, "discarded": 0}
        for row in rows:
            try:
                what = self._look_after(row.id, row.owner_id, State(row.state), overdue=row.overdue)
            except (LerError, DBAPIError):
                # It moved by itself since, or the database is busy: the next sweep sees it as it is then.
                _LOG.info("the sweep left upload %s for later", row.id, exc_info=True)
                continue
            if what:
                done[what] += 1
        return Swept(**done, files=self._sweep_files(), late=late, ended=ended, erased=erased)

    def tidy(self) -> None:
        """Once an hour: discard staged versions that can no longer be published, whoever staged them."""
        now = monotonic()
        if self._tidied_at is not None and now - self._tidied_at < _TIDY_EVERY_S:
            return
        self._tidied_at = now
        with self._transaction(PLATFORM_OPERATOR) as connection:
            sweep_staging(connection, self.platform.settings.keep_staged_days)

    def keep_records(self) -> None:
        """Seal the audit trail, and sign it when it is time."""
        Records(self.platform).keep()

    def stop(self) -> None:
        """Let running work end at its next step and be handed back."""
        self._stopping.set()

    def cancel(self) -> None:
        """End the statements that run: a step inside the database would go on for as long as it takes."""
        with self._guard:
            running = [*self._running]
        for connection in running:
            driver = connection.connection.driver_connection
            if isinstance(driver, psycopg.Connection):
                with suppress(psycopg.Error):
                    driver.cancel_safe(timeout=5)

    def _check(self, upload: Upload) -> None:
        path = self.platform.files.path(upload.id, upload.file_name)
        if not path.is_file():
            raise RefusedError("upload-content-lost", "the file was lost on our side; upload it again")
        with self._transaction(upload.owner_id) as connection:
            owner = get_organisation(connection, upload.owner_id)
            checked = self.pipeline.check(connection, owner, upload, path, self._progress(upload))
            point("check.staged")
            self._settle(connection, upload, checked)
            point("check.before-commit")

    def _settle(self, connection: Connection, upload: Upload, checked: Checked) -> None:
        asked = checked.verdict is Verdict.APPROVE and not upload.auto_approve
        event = {
            Verdict.APPROVE: Event.ASK_OWNER if asked else Event.APPROVE_BY_POLICY,
            Verdict.NEEDS_APPROVAL: Event.ASK_OWNER,
            Verdict.UNCHANGED: Event.FIND_UNCHANGED,
        }[checked.verdict]
        values = {
            "version_id": checked.version_id,
            "version_number": checked.version_number,
            "feature_count": checked.feature_count,
            "report": checked.report,
            "comparison": checked.comparison,
            "reasons": [*checked.reasons, *(("owner-decides",) if asked else ())],
            "attempts": 0,
        }
        self._move(connection, upload.id, event, values)

    def _give_back(self, upload: Upload, error: Exception, hand_back: Event) -> None:
        """Put the upload where it goes after work that did not succeed: rejected, waiting again, or given up."""
        event, delay_s = hand_back, 0.0
        values: dict[str, Any] = {"attempts": upload.attempts - 1}
        if isinstance(error, StoppingError) or self._stopping.is_set():
            _LOG.info("upload %s is handed back: the worker stops", upload.id)
        elif isinstance(error, RefusedError) and error.code == "dataset-busy":
            delay_s = _BUSY_S
        elif isinstance(error, RefusedError) and hand_back is Event.HAND_BACK:
            event, values = Event.REJECT_FILE, _rejection(error)
        elif isinstance(error, RefusedError) and error.code in _RECHECKED:
            event, values = Event.RECHECK, {"version_id": None, "comparison": None}
        elif isinstance(error, RefusedError):
            event, values = Event.GIVE_UP, {"problem": {"code": error.code, "message": str(error)}}
        elif problem_of(error).slug == "unavailable":
            _LOG.warning("upload %s waits: the database is not available", upload.id)
            delay_s = _TRY_AGAIN_S
        else:
            _LOG.exception("upload %s failed, attempt %s", upload.id, upload.attempts, exc_info=error)
            values, delay_s = {}, _TRY_AGAIN_S
            if upload.attempts >= MOST_ATTEMPTS:
                event, values = Event.GIVE_UP, {"problem": _GIVEN_UP}
        with self._transaction(upload.owner_id) as connection:
            if event is Event.RECHECK:
                self.pipeline.discard(connection, upload)
            self._move(connection, upload.id, event, values, delay_s=delay_s)

    def _look_after(self, upload_id: UUID, owner_id: UUID, state: State, *, overdue: bool) -> str | None:
        if state in WORKED_ON:
            return self._take_back(upload_id, owner_id, state)
        with transaction(self.platform.databases.app, owner_id) as connection:
            if overdue:
                self._move(connection, upload_id, Event.EXPIRE)
                return "expired"
            if state in WAITING:
                return "called" if queue_upload(connection, upload_id, WAITING[state]) else None
            upload = get_upload(connection, upload_id)
            if not upload.ended:
                return None
            connection.execute(_NO_LIMITS[0])
            self.pipeline.discard(connection, upload)
            forget_version(connection, upload_id)
            return "discarded"

    def _take_back(self, upload_id: UUID, owner_id: UUID, state: State) -> str | None:
        """Take an upload back whose worker has died: it holds the upload no more."""
        event = Event.HAND_BACK if state is State.CHECKING else Event.LOSE_HOLD
        with self._held(upload_id) as held:
            if not held:
                return None
            with transaction(self.platform.databases.app, owner_id) as connection:
                # A file that kills its worker each time must not go round for ever.
                upload = get_upload(connection, upload_id)
                given_up = upload.attempts >= MOST_ATTEMPTS
                values = {"problem": _GIVEN_UP} if given_up else {}
                self._move(connection, upload_id, Event.GIVE_UP if given_up else event, values)
        return "taken_back"

    def _end_requests(self) -> tuple[int, int]:
        """End what is over, and erase what is old; in a transaction of its own, so that neither waits for uploads."""
        years = self.platform.settings.keep_requests_years
        with transaction(self.platform.databases.worker, None) as connection:
            ended = connection.execute(_END_REQUESTS, {"most": _MOST_REQUESTS}).scalar_one()
            erasing = {"years": years, "most": _MOST_REQUESTS}
            erased = connection.execute(_ERASE_REQUESTS, erasing).scalar_one()
        return ended, erased

    def _sweep_files(self) -> int:
        ids = self.platform.files.ids()
        if not ids:
            return 0
        keep = timedelta(hours=self.platform.settings.upload_keep_hours)
        with transaction(self.platform.databases.worker, None) as connection:
            needed = {*connection.execute(_WITH_FILES, {"ids": ids, "keep": keep}).scalars()}
        return sum(self.platform.files.remove(upload_id) for upload_id in ids if upload_id not in needed)

    def _begin(self, upload_id: UUID, owner_id: UUID, event: Event) -> Upload | None:
        with transaction(self.platform.databases.app, owner_id) as connection:
            try:
                attempts = get_upload(connection, upload_id).attempts
                return self._move(connection, upload_id, event, {"attempts": attempts + 1})
            except (NotFoundError, RefusedError):
                return None  # done already, taken back, or never there

    def _move(
        self,
        connection: Connection,
        upload_id: UUID,
        event: Event,
        values: dict[str, Any] | None = None,
        *,
        delay_s: float = 0.0,
    ) -> Upload:
        actor = Actor.CLOCK if event is Event.EXPIRE else Actor.WORKER
        patience = self.platform.patience
        return move(connection, upload_id, event, actor, patience=patience, values=values, delay_s=delay_s)

    def _progress(self, upload: Upload) -> "_Progress":
        return _Progress(self, upload)

    def tell_progress(self, upload: Upload, features: int) -> None:
        """Append how many features have been read, in a transaction of its own; StoppingError when to stop."""
        if self._stopping.is_set():
            raise StoppingError
        with transaction(self.platform.databases.app, upload.owner_id) as connection:
            record_progress(connection, upload.id, upload.owner_id, {"features": features})

    @property
    def stopping(self) -> bool:
        """Whether the worker is to stop."""
        return self._stopping.is_set()

    @contextmanager
    def _transaction(self, owner_id: UUID) -> Iterator[Connection]:
        with transaction(self.platform.databases.app, owner_id) as connection:
            for statement in _NO_LIMITS:
                connection.execute(statement)
            with self._guard:
                self._running.add(connection)
            try:
                yield connection
            finally:
                with self._guard:
                    self._running.discard(connection)

    @contextmanager
    def _held(self, upload_id: UUID) -> Iterator[bool]:
        values = {"upload": str(upload_id)}
        engine = self.platform.databases.app.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            held = bool(connection.execute(_HOLD, values).scalar_one())
            try:
                yield held
            finally:
                if held:
                    # A connection that is broken has given the lock up with its session.
                    with suppress(DBAPIError):
                        connection.execute(_LET_GO, values)


class _Progress:
    """Tells of progress twice a second, and stops the work when the worker is to stop."""

    def __init__(self, work: Work, upload: Upload) -> None:
        self._work = work
        self._upload = upload
        self._told_at = 0.0

    def __call__(self, features: int) -> None:
        """Take how many features have been read."""
        if self._work.stopping:
            raise StoppingError
        now = monotonic()
        if now - self._told_at >= _PROGRESS_EVERY_S:
            self._told_at = now
            self._work.tell_progress(self._upload, features)
            point("check.staging")


def _rejection(error: RefusedError) -> dict[str, Any]:
    problem = {"code": error.code, "message": str(error)}
    if isinstance(error, NetworkRefusedError):
        return {"problem": problem, "report": to_stored(error.findings)}
    line = getattr(error, "line", 0)
    return {"problem": problem, "report": refusal_to_stored(error.code, str(error), line)}
