"""Owners answering and requesters asking at once: no error, no lost notice, no double package.

The same for a minute and with 50 owners: `python benchmarks/register_load.py`.
"""

from pathlib import Path

from tests.databases import Database
from tests.notices import receiver
from tests.register_load import SETTINGS, run_load
from tests.register_load_checks import faults_after
from tests.service import open_service
from tests.world import open_world


def test_all_that_was_acknowledged_is_there_once(database: Database, tmp_path: Path) -> None:
    with (
        receiver() as hooks,
        open_world(database) as world,
        open_service(world, tmp_path, **SETTINGS) as service,
    ):
        service.serve()
        service.work()
        load = run_load(service, hooks, owners=10, requesters=4, seconds=5)
        assert faults_after(load) == []
    assert len(load.requests) >= 4
    assert len(load.answers) >= 20
