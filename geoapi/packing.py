"""Packages of a request, made from what it has by now, kept in the store and entered, each once.

Several workers may be called for one request, or for one that is done: a lock of the worker's database session, which
ends with the process however that dies, lets one of them work, and who works looks again when it has let go. A package
is of one revision of the request; when that moves on meanwhile, the next one is made instead.
"""

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from conflicts.stored import Found, enter_conflicts, find_conflicts
from geoapi.database import Databases
from geoapi.drawing_repair import is_whole, mend_drawings
from ler.blobs import BlobStore
from ler.db.engine import transaction
from ler.faults import point
from ler.packages.content import OwnerStatus, RequestInfo
from ler.packages.contents import DEFAULT_OPTIONS, PackageOptions
from ler.packages.drawings import without_lost
from ler.packages.package import Package, owner_request, write_consolidated_package, write_owner_package
from ler.packages.recipe import Recipe, answers_of, from_recipe, to_recipe, warnings_of
from ler.services.deliveries import list_drawing_files, list_owner_statuses, read_answers
from ler.services.packages import (
    Entered,
    PackingState,
    StoredPackage,
    enter_mended,
    enter_packages,
    get_packing_state,
    list_recipes,
    newest_recipes,
)
from ler.services.requests import get_request
from ler.settings import Settings
from ler.signing import KeyFolder

_LOG: Final = logging.getLogger("ler.worker")

_HOLD: Final = text("SELECT pg_try_advisory_lock(hashtextextended(:request, :part))")
_LET_GO: Final = text("SELECT pg_advisory_unlock(hashtextextended(:request, :part))")
_WHOLE: Final = 4
_OWNERS: Final = 5
"""Held apart: while owners' packages are made, the next package of all need not wait for them."""

type Step = Callable[[str], None]
"""Told what begins now."""


def pack_request(
    databases: Databases,
    store: BlobStore,
    request_id: UUID,
    step: Step = lambda _: None,
    options: PackageOptions = DEFAULT_OPTIONS,
) -> bool:
    """Make what packages of a request are left to make; False when somebody else is at it, who will look again.

    UnavailableError when the store or the database is not to be had.
    """
    while _state(databases, request_id).left_to_make:
        if not (
            pack_whole(databases, store, request_id, step, options)
            and pack_owners(databases, store, request_id, step, options)
        ):
            return False
    return True


def pack_whole(
    databases: Databases,
    store: BlobStore,
    request_id: UUID,
    step: Step = lambda _: None,
    options: PackageOptions = DEFAULT_OPTIONS,
) -> bool:
    """Make the package of all owners when it is left to make; False when somebody else is at it, as above."""
    return _pack_while(
        databases,
        request_id,
        _WHOLE,
        lambda state: state.whole_left,
        lambda: _pack_whole_once(databases, store, request_id, step, options),
    )


def pack_owners(
    databases: Databases,
    store: BlobStore,
    request_id: UUID,
    step: Step = lambda _: None,
    options: PackageOptions = DEFAULT_OPTIONS,
) -> bool:
    """Make the owners' own packages beside the one of all that there is; False when somebody else is at it, as above."""
    return _pack_while(
        databases,
        request_id,
        _OWNERS,
        lambda state: state.owners_left,
        lambda: _pack_owners_once(databases, store, request_id, step, options),
    )


def mend_packages(
    databases: Databases, store: BlobStore, request_id: UUID, options: PackageOptions = DEFAULT_OPTIONS
) -> int:
    """Make those of a request's packages again whose files are lost or damaged; return their number."""
    with transaction(databases.worker, None, request=request_id) as connection:
        found = list_recipes(connection, request_id)
    lost = [(stored, recipe) for stored, recipe in found if not is_whole(store, stored.sha256)]
    if lost:
        _mend_drawings(databases, store, request_id)
    for stored, recipe in lost:
        _LOG.warning("package %s of request %s is made again", stored.sha256, request_id)
        _mend(databases, store, stored, recipe, options)
    return len(lost)


def package_options(settings: Settings) -> PackageOptions:
    """Return what the operator chose for packages. UnavailableError when the key to sign them is not to be had."""
    keys = KeyFolder(settings.key_folder)
    return PackageOptions(
        public_url=settings.public_url,
        terrain=settings.terrain_model,
        terrain_accuracy_m=settings.terrain_accuracy_m,
        terrain_is_dvr90=settings.terrain_is_dvr90,
        unknown_accuracy_m=settings.unknown_accuracy_m,
        clearances=settings.clearances,
        base_map=settings.base_map,
        theme=settings.style_theme,
        signer=keys.signing_key,
        verification_secret=keys.verification_secret,
    )


def read_request(connection: Connection, request_id: UUID) -> tuple[PackingState, RequestInfo]:
    """Return a request as its package tells of it, and how far its packages are."""
    state = get_packing_state(connection, request_id)
    return state, replace(get_request(connection, request_id), changed_at=state.changed_at)


def _pack_while(
    databases: Databases,
    request_id: UUID,
    part: int,
    is_left: Callable[[PackingState], bool],
    pack_once: Callable[[], None],
) -> bool:
    """Pack a part until nothing of it is left; False when somebody else holds it."""
    while is_left(_state(databases, request_id)):
        with _held(databases, request_id, part) as held:
            if not held:
                return False
            pack_once()
    return True


def _state(databases: Databases, request_id: UUID) -> PackingState:
    with transaction(databases.worker, None, request=request_id) as connection:
        return get_packing_state(connection, request_id)


@dataclass(frozen=True, slots=True)
class _Read:
    """A request with what was answered, and the owners whose own package is to be made."""

    state: PackingState
    request: RequestInfo
    owners: list[OwnerStatus]
    changed: list[OwnerStatus]

    @property
    def is_current(self) -> bool:
        return self.request.revision == self.state.revision


def _read(databases: Databases, store: BlobStore, request_id: UUID) -> _Read:
    point("package.claimed")
    _mend_drawings(databases, store, request_id)
    with transaction(databases.worker, None, request=request_id) as connection:
        state, request = read_request(connection, request_id)
        asked = list_owner_statuses(connection, request_id, store)
        made_before = newest_recipes(connection, request_id)
    point("package.read")
    owners = [without_lost(owner) for owner in asked]
    return _Read(state, request, owners, _changed_owners(request, owners, made_before))


def _pack_whole_once(
    databases: Databases, store: BlobStore, request_id: UUID, step: Step, options: PackageOptions
) -> None:
    read = _read(databases, store, request_id)
    if not (read.is_current and read.state.whole_left):
        return
    step("Looking for conflicts")
    with transaction(databases.worker, None, request=request_id) as connection:
        conflicts = find_conflicts(connection, read.request, read.owners, options)
    step("Writing the consolidated package")
    _enter(databases, store, read.request, lambda folder: [
        write_consolidated_package(folder, read.request, read.owners, options, conflicts.warnings())
    ], finished=not read.changed, conflicts=conflicts)  # fmt: skip
    point("package.after-commit")


def _pack_owners_once(
    databases: Databases, store: BlobStore, request_id: UUID, step: Step, options: PackageOptions
) -> None:
    read = _read(databases, store, request_id)
    if not (read.is_current and read.state.owners_left):
        return
    step("Writing the owners' packages")
    _enter(databases, store, read.request, lambda folder: [
        write_owner_package(folder, read.request, owner, options) for owner in read.changed
    ], finished=True)  # fmt: skip
    point("package.finished")


def _changed_owners(
    request: RequestInfo, owners: Sequence[OwnerStatus], made_before: dict[UUID | None, tuple[int, Recipe]]
) -> list[OwnerStatus]:
    """The owners whose own package is to be made: it would say something else than the one that there is."""
    told = owner_request(request)
    return [
        owner
        for owner in owners
        if owner.deliveries and made_before.get(owner.id, (0, {}))[1] != to_recipe(told, [owner])
    ]


def _enter(
    databases: Databases,
    store: BlobStore,
    request: RequestInfo,
    write: Callable[[Path], list[Package]],
    *,
    finished: bool,
    conflicts: Found | None = None,
) -> None:
    with store.workshop() as folder:
        made = write(folder)
        point("package.written" if made and made[0].owner_id is None else "package.owners-kept")
        for one in made:
            store.put(one.path)
    point("package.kept")
    with transaction(databases.worker, None, request=request.id) as connection:
        entered = enter_packages(connection, request.id, request.revision, made, finished=finished)
        if conflicts is not None and entered is Entered.ENTERED:
            enter_conflicts(connection, request.id, request.revision, conflicts)
        point("package.before-commit")


def _mend_drawings(databases: Databases, store: BlobStore, request_id: UUID) -> None:
    """Between transactions: making a large drawing again takes minutes."""
    with transaction(databases.worker, None, request=request_id) as connection:
        files = list_drawing_files(connection, request_id)
    if files:
        mend_drawings(databases.app, store, files)


def _mend(
    databases: Databases, store: BlobStore, stored: StoredPackage, recipe: Recipe, options: PackageOptions
) -> None:
    with transaction(databases.worker, None, request=stored.request_id) as connection:
        area = get_request(connection, stored.request_id).area
        answers = read_answers(connection, stored.request_id, store, answers_of(recipe))
    request, owners = from_recipe(recipe, area, answers)
    point("package.mending")
    with store.workshop() as folder:
        if stored.owner_id is None:
            made = write_consolidated_package(folder, request, owners, options, warnings_of(recipe))
        else:
            made = write_owner_package(folder, request, owners[0], options)
        store.put(made.path)
    if made.sha256 != stored.sha256:
        _LOG.error("package %s of request %s is packed otherwise today", stored.sha256, stored.request_id)
    with transaction(databases.worker, None, request=stored.request_id) as connection:
        enter_mended(connection, stored.id, made)


def copy_out(store: BlobStore, stored: StoredPackage, folder: Path) -> Path:
    """Copy a package's file into a folder, under the name that it is known by. BlobDamagedError when it is lost."""
    target = folder / stored.file_name
    aside = folder / f".{stored.file_name}.part"
    try:
        with store.open(stored.sha256, verify=True) as source, aside.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
    return target


@contextmanager
def _held(databases: Databases, request_id: UUID, part: int) -> Iterator[bool]:
    values = {"request": str(request_id), "part": part}
    engine = databases.worker.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        held = bool(connection.execute(_HOLD, values).scalar_one())
        try:
            yield held
        finally:
            if held:
                # A connection that is broken has given the lock up with its session.
                with suppress(DBAPIError):
                    connection.execute(_LET_GO, values)
