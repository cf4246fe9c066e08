"""The engine that carries partitions to workers: Dask, started here or joined as a cluster (decision 36).

Nothing else of the platform imports it, and it is imported when a batch runs. What is sent to workers are functions and
values; a scheduler runs whatever it is sent, so ours listens on this machine only and speaks TLS with keys of its own, and
a cluster that is joined must be closed to others by its operator.
"""

import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

import dask.config
from distributed import Client, Future, KilledWorker, LocalCluster, Worker, wait
from distributed.comm import CommClosedError

from ler.errors import UnavailableError

_AHEAD: Final = 2
"""Partitions given to each worker at a time: one that it works on and one that waits. Results are taken as they come, so
that no more than these are held anywhere."""
_HERE: Final = "127.0.0.1"
_PATIENCE_S: Final = 10
"""For a scheduler to answer, and to have a worker."""

_SETTINGS: Final[Mapping[str, Any]] = {
    # Pages that tell anybody what is worked on are served by default.
    **{f"distributed.{part}.http.routes": [] for part in ("scheduler", "worker", "nanny")},
    "distributed.worker.preload": [__name__],
    # What an owner's partitions share is sent once, however much it is.
    "distributed.admin.large-graph-warning-threshold": "10 GB",
}


def dask_setup(_worker: Worker) -> None:
    """Let a worker that is started here outlive Ctrl-C, which a terminal sends to it as well: it ends when it is told to."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Engine:
    """A Dask cluster that is joined."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def executor(self) -> Executor:
        """Return it as an executor of the standard library, of which `map` is all that can be called."""
        return _Mapping(self)

    def each[S, T, R](
        self, function: Callable[[S, T], R], jobs: Iterable[tuple[S, T]]
    ) -> Iterator[tuple[int, R | Exception]]:
        """Give what the function makes of each pair, as it is done: the pair's number, and the result or the error.

        What follows each other with the same first value gets it sent to each worker once. Pairs are taken from `jobs` when
        there is room for them. UnavailableError when there are no workers any more, and none come.
        """
        numbered = enumerate(_shared(self._client, jobs))
        going: dict[Future[R], int] = {}

        def start(count: int) -> None:
            for number, (told, item) in islice(numbered, count):
                going[self._client.submit(function, told, item, pure=False)] = number

        start(_AHEAD * max(1, self.workers))
        while going:
            for future in self._done_of([*going]):
                number = going.pop(future)
                error: Any = future.exception()
                yield number, future.result() if error is None else error
                future.release()
                start(1)

    def _done_of[R](self, going: list[Future[R]]) -> Iterable[Future[R]]:
        """Wait for some of them: Dask itself would wait for ever where no workers are left, and none of them asks why."""
        while True:
            try:
                done: Iterable[Future[R]] = wait(
                    going, timeout=_PATIENCE_S, return_when="FIRST_COMPLETED"
                ).done
            except TimeoutError:
                _want_workers(
                    self._client,
                    "The Dask cluster has lost all its workers; do they have the same version of ler?",
                )
            else:
                return done

    def on_each_worker[R](self, function: Callable[[], R]) -> list[R]:
        """Call a function in each worker's process; return what it gives there."""
        return [*self._client.run(function).values()]

    @property
    def workers(self) -> int:
        """How many partitions are worked on at once."""
        return sum(self._client.nthreads().values())


class _Mapping(Executor):
    """Dask's own waits for ever where no workers are left."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def map(self, fn: Callable[..., Any], *iterables: Iterable[Any], **_given: object) -> Iterator[Any]:
        """Give what the function makes of each, in their order; the error of the first that failed."""
        jobs = ((fn, values) for values in zip(*iterables, strict=False))
        for _, made in sorted(self._engine.each(_call, jobs), key=lambda one: one[0]):
            if isinstance(made, Exception):
                raise made
            yield made


def _call[R](function: Callable[..., R], values: tuple[Any, ...]) -> R:
    return function(*values)


def _shared[S, T](client: Client, jobs: Iterable[tuple[S, T]]) -> Iterator[tuple[Any, T]]:
    last: S | None = None
    told: Any = None
    for shared, item in jobs:
        if shared is not last:
            # A task, which is done again when the workers that hold its result are gone; what is scattered would be lost.
            last, told = shared, client.submit(_same, shared, pure=False)
        yield told, item


def _same[S](value: S) -> S:
    return value


@contextmanager
def open_engine(*, workers: int, scheduler: str | None = None) -> Iterator[Engine]:
    """Start so many processes, or join the cluster of a scheduler.

    UnavailableError when that does not answer or has no workers, or when it or the workers die while they are used.
    """
    if scheduler is None:
        with (
            dask.config.set(_SETTINGS),
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                security=True,
                protocol="tls",
                host=_HERE,
                dashboard_address=f"{_HERE}:0",
                worker_dashboard_address=f"{_HERE}:0",
                scheduler_kwargs={"dashboard": False},
            ) as cluster,
            Client(cluster) as client,
            _told_plainly(),
        ):
            yield Engine(client)
        return
    try:
        client = Client(scheduler, timeout=_PATIENCE_S)
    except (OSError, ValueError) as error:
        raise UnavailableError(f"No Dask scheduler answers at {scheduler}.") from error
    with client, _told_plainly():
        _want_workers(client, f"The Dask scheduler at {scheduler} has no workers.")
        yield Engine(client)


def _want_workers(client: Client, otherwise: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_PATIENCE_S)
    except TimeoutError as error:
        raise UnavailableError(otherwise) from error


@contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except KilledWorker as error:
        raise UnavailableError(
            "Worker after worker died of the same task; is its memory too small?"
        ) from error
    except (CommClosedError, CancelledError) as error:
        raise UnavailableError("The Dask scheduler is gone.") from error
