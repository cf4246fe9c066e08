#!/usr/bin/env python3
"""Owners answering and requesters asking at once: what the register does a second, and whether it loses or doubles anything.

    PYTHONPATH=. python benchmarks/register_load.py [--owners 50] [--requesters 10] [--seconds 60]

Over HTTP with processes as in production: `ler serve` and one `ler worker` on a durable cluster of their own in a
temporary folder, and a receiver of webhooks for all owners (`tests/register_load.py` says what everybody does). Callers,
service, worker and database share this machine. Prints a table of the calls; then everything that was acknowledged is
looked for: requests, answers, packages, notices, webhooks, feeds and the audit trail. The exit code is 1 when anything went wrong.
"""

import argparse
import resource
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from geoapi.cluster import Cluster
from ler.db.migrate import migrate
from tests.databases import Database
from tests.notices import receiver
from tests.register_load import SETTINGS, Load, run_load
from tests.register_load_checks import faults_after
from tests.service import Service, open_service
from tests.world import open_world


def main() -> int:
    """Load, print, look."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--owners", type=int, default=50)
    options.add_argument("--requesters", type=int, default=10)
    options.add_argument("--seconds", type=float, default=60.0)
    chosen = options.parse_args()
    with platform() as service, receiver() as hooks:
        load = run_load(
            service, hooks, owners=chosen.owners, requesters=chosen.requesters, seconds=chosen.seconds
        )
        tell(load)
        faults = faults_after(load)
    say(f"{len(faults)} faults" + "".join(f"\n  {fault[:500]}" for fault in faults[:20]))
    return int(bool(faults))


def tell(load: Load) -> None:
    """Print what was done and how long it took."""
    say(
        f"{len(load.owners)} owners and {len(load.requesters)} requesters, asking for {load.seconds:g} s,"
        f" all answered after {load.lasted:.1f} s"
    )
    calls = sum(len(some) for some in load.calls.values())
    say(
        f"{calls} calls, {calls / load.lasted:.0f} a second; {len(load.requests)} requests, {len(load.answers)} answers,"
        f" {len(load.receiver.calls)} webhooks"
    )
    used = resource.getrusage(resource.RUSAGE_SELF)
    say(f"the callers themselves took {used.ru_utime + used.ru_stime:.0f} s of processor time")
    table("call", load.calls, load.lasted)
    table("from the request to", load.waits, load.lasted)


def table(title: str, rows: Mapping[str, Sequence[float]], lasted: float) -> None:
    """Print percentiles, a row each."""
    say(f"\n{title:26}{'count':>8}{'/s':>8}{'p50':>9}{'p95':>9}{'p99':>9}{'max':>9}  ms")
    for name, values in sorted(rows.items()):
        if len(values) > 1:
            shares = statistics.quantiles(values, n=100, method="inclusive")
            told = [shares[49], shares[94], shares[98], max(values)]
            say(
                f"{name:26}{len(values):8}{len(values) / lasted:8.1f}"
                + "".join(f"{1000 * one:9.0f}" for one in told)
            )


@contextmanager
def platform() -> Iterator[Service]:
    """Make a cluster, and start the service and one worker on it."""
    outer = Path(tempfile.mkdtemp(prefix="ler-bench-"))
    outer.chmod(0o755)
    cluster = Cluster(outer / "home")
    try:
        cluster.start()
        cluster.ensure_database("bench")
        migrate(cluster.url("bench", "postgres"))
        with (
            open_world(Database("bench", cluster)) as world,
            open_service(world, outer, **SETTINGS, LER_SWEEP_S="15") as service,
        ):
            service.serve()
            service.work()
            yield service
    finally:
        cluster.stop()
        shutil.rmtree(outer)


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
