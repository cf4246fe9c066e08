"""A small world for integration tests: owners with networks in a database, and dig areas to ask about."""

import io
import json
import subprocess
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import shapely
from psycopg import sql
from shapely import MultiPolygon, Polygon, box

from geoapi.database import Databases
from geoapi.dig_request import Answered, answer_request
from ingest.load import publish_network
from ingest.stage import Staged
from ler.blobs import FolderStore
from ler.db.engine import create_engine, create_read_pool, transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.roles import Role
from ler.model import ANSWER, Feature
from ler.packages.gml import Answer, write_answer
from ler.services.registry import (
    get_owner,
    register_interest_area,
    register_organisation,
    register_owner,
)
from ler.services.requests import NewRequest
from ler.settings import Settings
from tests.databases import Database

EVERYWHERE = box(574000, 6223000, 576000, 6225000)
SETTINGS = Settings()


@contextmanager
def open_world(database: Database) -> Iterator["World"]:
    app, worker = create_engine(database.url("ler_app")), create_engine(database.url("ler_worker"))
    reads = create_read_pool(database.url("ler_app"))
    try:
        yield World(database, Databases(app, worker, reads))
    finally:
        reads.close()
        for engine in (app, worker):
            engine.dispose()


@dataclass(frozen=True)
class World:
    database: Database
    databases: Databases

    def owner(
        self,
        cvr: str,
        name: str = "Nordby Net",
        area: Polygon | None = EVERYWHERE,
        utility_types: Sequence[str] = ("vand",),
    ) -> UUID:
        """Register an owner, with an interest area unless that is None."""
        with transaction(self.databases.app, PLATFORM_OPERATOR) as connection:
            owner_id = register_owner(
                connection, cvr=cvr, name=name, email=f"{cvr}@example.dk", phone="12345678"
            )
            if area is not None:
                register_interest_area(
                    connection,
                    owner_id,
                    utility_types=utility_types,
                    area=MultiPolygon([area]),
                    coverage=SETTINGS.coverage,
                )
        return owner_id

    def requester(self, name: str, *, role: Role = Role.EXCAVATOR, cvr: str | None = None) -> UUID:
        """Register somebody who asks."""
        with transaction(self.databases.app, PLATFORM_OPERATOR) as connection:
            return register_organisation(connection, name=name, roles=[role], cvr=cvr)

    def upload(self, cvr: str, path: Path, *, settings: Settings = SETTINGS, **more: Any) -> Staged:  # noqa: ANN401 - options of publish_network
        """Stage a file and publish it, whatever it changes; unless it changes nothing."""
        with transaction(self.databases.app, PLATFORM_OPERATOR) as connection:
            owner = get_owner(connection, cvr)
        with transaction(self.databases.app, owner.id) as connection:
            return publish_network(connection, owner, path, settings, **{"approve": True} | more).staged

    def network(self, cvr: str, folder: Path, *features: Feature) -> Staged:
        """Publish features as an owner's network, by way of a file."""
        path = folder / f"{cvr}.gml"
        with path.open("wb") as stream:
            write_answer(stream, Answer(cvr, "x", header(), features))
        return self.upload(cvr, path)

    def ask(self, area: Polygon, out: Path, **changes: Any) -> Answered:  # noqa: ANN401 - fields of NewRequest, or a store
        store = changes.pop("store", None) or FolderStore(out.parent / "kept")
        wanted = NewRequest(area, date(2026, 12, 1), date(2026, 12, 14), "test")
        return answer_request(self.databases, PLATFORM_OPERATOR, replace(wanted, **changes), out, store=store)

    def counts(self) -> dict[str, int]:
        """Rows of every table, as the superuser sees them."""
        with self.database.connect() as connection:
            names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'ler'").fetchall()
            # One statement: a snapshot, and no round trip a table.
            every = sql.SQL(" UNION ALL ").join(
                sql.SQL("SELECT {}, count(*) FROM ler.{}").format(sql.Literal(name), sql.Identifier(name))
                for (name,) in names
            )
            return {str(name): int(count) for name, count in connection.execute(every).fetchall()}


def header() -> Feature:
    attributes = {"id": "3f7b3a52-6d1b-4a5e-9a3c-0f6e4c1d2b90", "type": "ledningsoplysninger udleveret"}
    return Feature(ANSWER, "svar.1", {**attributes})


def water_pipe(gml_id: str, *positions: tuple[float, float, float], **more: Any) -> Feature:  # noqa: ANN401 - attributes
    attributes = {
        "driftsstatus": "i drift",
        "etableringstidspunkt": "1990",
        "fareklasse": "ikke farlig",
        "noejagtighedsklasse": "<= 0.50 m",
        "noejagtighedsklasseVertikal": "<= 0.50 m",
        "tvaersnitsform": "cirkulær",
    }
    return Feature("Vandledning", gml_id, attributes | more, geometry=shapely.LineString(positions))


def valve(gml_id: str, *position: float, **more: Any) -> Feature:  # noqa: ANN401 - attributes
    return Feature("Vandkomponent", gml_id, {"type": "ventil"} | more, geometry=shapely.Point(position))


def unpack(path: Path, folder: Path) -> dict[str, Path]:
    """The members of a package, by name."""
    with zipfile.ZipFile(path) as package:
        package.extractall(folder)
        return {name: folder / name for name in package.namelist()}


def manifest(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as package:
        found: dict[str, Any] = json.loads(package.read("manifest.json"))
        return found


def layers(path: Path) -> dict[str, int]:
    """Feature counts of a GeoPackage by layer, as Debian's own ogrinfo tells them; without how QGIS draws them."""
    done = subprocess.run(["ogrinfo", "-so", "-al", str(path)], capture_output=True, text=True, check=True)
    assert done.stderr == "", done.stderr
    names = [line.partition(": ")[2] for line in done.stdout.splitlines() if line.startswith("Layer name")]
    counted = [
        int(line.partition(": ")[2]) for line in done.stdout.splitlines() if line.startswith("Feature Count")
    ]
    found = dict(zip(names, counted, strict=True))
    found.pop("layer_styles", None)
    return found


def holds(path: Path, text: str) -> bool:
    """Whether any member of a package, or of the databases in it, holds the text."""
    with zipfile.ZipFile(path) as package:
        return any(text.encode() in io.BytesIO(package.read(name)).getvalue() for name in package.namelist())
