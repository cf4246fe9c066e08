"""Serves a package by the OGC API and lets QGIS open it by one file: `python -m tests.qgis.serve_package FOLDER`.

What QGIS must find is counted in the database.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

from psycopg import sql

from tests.databases import SharedCluster
from tests.service import Service, eventually, open_service
from tests.world import open_world, valve, water_pipe

LOGIN = "lerler1"
_CHECK = Path(__file__).with_name("check_ogc.py")
_COUNTS = (
    "SELECT feature_type, count(*) FROM ler.package_feature WHERE requester_id = %s GROUP BY feature_type"
)


def main(folder: Path) -> int:
    """Return how QGIS ended."""
    cluster = SharedCluster(name="ler-test-qgis")
    cluster.hold()
    try:
        with (
            cluster.database(cluster.template("qgis", migrated=True)) as database,
            open_world(database) as world,
            open_service(world, folder) as service,
        ):
            service.serve()
            service.work()
            return _open(service, folder)
    finally:
        cluster.release()


def _open(service: Service, folder: Path) -> int:
    pipes = [water_pipe(f"p{n}", (575000 + n, 6224001, 1), (575002 + n, 6224099, 1)) for n in range(90)]
    danger = water_pipe(
        "danger", (575000, 6224050, 1), (575099, 6224051, 1), fareklasse="farlig", sikkerhedshensyn="ring"
    )
    valves = [valve(f"v{n}", 575010.0 + n, 6224050.0, 1.0) for n in range(7)]
    service.world.owner("10000001")
    service.world.network("10000001", folder, *pipes, danger, *valves)
    requester = service.owner()
    service.asks(requester)
    token = service.token(requester)
    http = service.client(token).http
    eventually(lambda: http.get("/ogc/collections/package-features/items").json()["numberMatched"] > 0)
    definition = http.get("/ogc/package.qlr", params={"authcfg": LOGIN, "lang": "en"})
    assert definition.status_code == 200, definition.text
    (folder / "ler.qlr").write_bytes(definition.content)
    expected = {"login": LOGIN, "token": token, "layers": _counts(service, requester)}
    (folder / "expected.json").write_text(json.dumps(expected), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.run(["/usr/bin/python3", _CHECK, folder], env=environment, check=False).returncode


def _counts(service: Service, requester: UUID) -> dict[str, int]:
    with service.world.database.connect() as connection:
        found: dict[str, int] = dict(connection.execute(sql.SQL(_COUNTS), [requester]).fetchall())
    return {"lines-water": found["Vandledning"], "components-water": found["Vandkomponent"], "requests": 1}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
