"""What a worker does with packages: make them, mend them, and look for those that are missing.

A request whose packages cannot be made is tried again later and later, so that it keeps nobody else waiting.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from time import monotonic
from typing import Final
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from geoapi.packing import mend_packages, pack_owners, pack_whole, package_options
from geoapi.platform import Platform
from geoapi.problems import problem_of
from ler.db.engine import transaction
from ler.errors import LerError
from ler.jobs import BUILD_OWNER_PACKAGES, BUILD_PACKAGES, MEND_PACKAGES
from ler.packages.contents import PackageOptions
from ler.services.drawings import database_time, sweep_blobs
from ler.services.packages import (
    call_for_owner_packages,
    call_for_packages,
    list_kept,
    tell_of_stuck_packages,
)

_LOG: Final = logging.getLogger("ler.worker")

_FIRST_WAIT_S: Final = 5.0
_LONGEST_WAIT_S: Final = 600.0
_TOLD_AFTER: Final = 3
"""Failures after which the operator is told, 15 s after the first."""
_LOOK_EVERY_S: Final = 3600.0
_KEEP_STRAY: Final = timedelta(hours=24)
"""How old a file is that no row names before it is removed: older than any work that may still enter it."""
_REQUESTS_AT_A_TIME: Final = 500


@dataclass
class PackageWork:
    """The tasks, for one worker process."""

    platform: Platform
    _failures: dict[tuple[str, UUID], tuple[int, float]] = field(default_factory=dict)
    """Of tasks about a request that could not be done: how often, and from when on to try again."""
    _guard: Lock = field(default_factory=Lock)
    _looked_at: float | None = None

    def build(self, request_id: UUID) -> None:
        """Make the package of all owners of a request, and call for their own when those are left to make."""
        databases, store = self.platform.databases, self.platform.store

        def build() -> None:
            if pack_whole(databases, store, request_id, options=self._options):
                with transaction(databases.worker, None, request=request_id) as connection:
                    call_for_owner_packages(connection)

        self._patiently(BUILD_PACKAGES, request_id, build)

    def build_owners(self, request_id: UUID) -> None:
        """Make the owners' own packages of a request that are left to make."""
        databases, store = self.platform.databases, self.platform.store
        self._patiently(
            BUILD_OWNER_PACKAGES,
            request_id,
            lambda: pack_owners(databases, store, request_id, options=self._options),
        )

    def mend(self, request_id: UUID) -> None:
        """Make those of a request's packages again whose files are lost or damaged."""
        databases, store = self.platform.databases, self.platform.store
        self._patiently(
            MEND_PACKAGES, request_id, lambda: mend_packages(databases, store, request_id, self._options)
        )

    @property
    def _options(self) -> PackageOptions:
        return package_options(self.platform.settings)

    def sweep(self) -> int:
        """Call for packages that are left to make, whose call was lost; return for how many requests."""
        with transaction(self.platform.databases.worker, None) as connection:
            return call_for_packages(connection)

    def look_for_lost(self) -> int:
        """Once an hour: remove files that nobody keeps, and mend the packages whose files are not in the store.

        Returns of how many requests packages were mended.
        """
        now = monotonic()
        if self._looked_at is not None and now - self._looked_at < _LOOK_EVERY_S:
            return 0
        self._looked_at = now
        self._sweep_store()
        store, after, mended = self.platform.store, -1, 0
        while True:
            with transaction(self.platform.databases.worker, None) as connection:
                kept = list_kept(connection, after, _REQUESTS_AT_A_TIME)
            for request_id in {request_id for _, request_id, sha256 in kept if not store.has(sha256)}:
                self.mend(request_id)
                mended += 1
            if not kept:
                return mended
            after = kept[-1][0]

    def _sweep_store(self) -> None:
        """Remove what killed workers have left half made, and what no row names."""
        with transaction(self.platform.databases.worker, None) as connection:
            swept = sweep_blobs(connection, self.platform.store, database_time(connection) - _KEEP_STRAY)
        if swept.blobs or swept.unfinished:
            _LOG.info("removed from the store: %s files, %s unfinished ones", swept.blobs, swept.unfinished)

    def _tell(self, request_id: UUID) -> None:
        try:
            with transaction(self.platform.databases.worker, None) as connection:
                tell_of_stuck_packages(connection, request_id)
        except (LerError, DBAPIError):
            _LOG.exception("the operator could not be told of request %s", request_id)

    def _patiently(self, task: str, request_id: UUID, work: Callable[[], object]) -> None:
        with self._guard:
            failures, not_before = self._failures.get((task, request_id), (0, 0.0))
        if monotonic() < not_before:
            return  # the sweep calls again
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever it is, others must not wait for it
            wait_s = min(_FIRST_WAIT_S * 2**failures, _LONGEST_WAIT_S)
            if problem_of(error).slug in {"unavailable", "storage-full"}:
                _LOG.warning("packages of request %s wait: %s", request_id, type(error).__name__)
            else:
                _LOG.exception(
                    "packages of request %s failed, time %s", request_id, failures + 1, exc_info=error
                )
            with self._guard:
                self._failures[task, request_id] = (failures + 1, monotonic() + wait_s)
            if failures + 1 == _TOLD_AFTER:
                self._tell(request_id)
        else:
            with self._guard:
                self._failures.pop((task, request_id), None)
