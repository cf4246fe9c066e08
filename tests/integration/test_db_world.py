"""A small world in a fresh database, made only with the rights that the web role has; other tests build on it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
import shapely
from geoalchemy2.shape import from_shape
from shapely import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, Engine, Table, insert, select, text

from conflicts.match import OwnerMatch, match_request
from ler.db import functions, tables
from ler.db.engine import create_engine, transaction
from ler.db.rows import copy_features, feature_to_row, row_to_feature
from ler.domain.roles import Role
from ler.model import Feature, Value, load_model
from tests.databases import Database

EAST, NORTH = 700_000.0, 6_170_000.0
NAN = float("nan")


def at(*points: tuple[float, ...]) -> list[tuple[float, ...]]:
    """Return points given from (EAST, NORTH) as full coordinates; a height as third number stays as it is."""
    return [(EAST + p[0], NORTH + p[1], *p[2:]) for p in points]


def square(west: float, south: float, east: float, north: float) -> Polygon:
    return box(EAST + west, NORTH + south, EAST + east, NORTH + north)


def line(*points: tuple[float, ...]) -> shapely.LineString:
    return shapely.LineString(at(*points))


def cable(gml_id: str, geometry: BaseGeometry | None, **attributes: Value) -> Feature:
    return Feature("Elledning", gml_id, {"type": "forsyningskabel", **attributes}, {}, geometry)


@dataclass
class World:
    database: Database
    engines: dict[str, Engine] = field(default_factory=dict)

    @contextmanager
    def acting(
        self, principal: UUID | None, *, role: str = "ler_app", request: UUID | None = None
    ) -> Iterator[Connection]:
        if role not in self.engines:
            self.engines[role] = create_engine(self.database.url(role))
        with transaction(self.engines[role], principal, request) as connection:
            yield connection

    def organisation(self, name: str, *, role: Role = Role.EXCAVATOR, **values: object) -> UUID:
        with self.acting(tables.PLATFORM_OPERATOR) as connection:
            made = self._insert(connection, tables.organisation, name=name, **values)
            self._insert(connection, tables.grant, organisation_id=made, role=role.value)
        return made

    def interest_area(self, owner: UUID, area: Polygon) -> UUID:
        geom = from_shape(MultiPolygon([area]), srid=tables.SRID)
        with self.acting(tables.PLATFORM_OPERATOR) as connection:
            return self._insert(
                connection, tables.interest_area, owner_id=owner, utility_types=["el"], geom=geom
            )

    def owner(self, name: str, area: Polygon | None = None) -> UUID:
        """Register an owner whose interest is the area, or everything within 1 km."""
        owner = self.organisation(name, role=Role.OWNER)
        self.interest_area(owner, area or square(-1000, -1000, 1000, 1000))
        return owner

    def stage(self, owner: UUID, features: Sequence[Feature], *, name: str = "network") -> UUID:
        types = load_model().types
        with self.acting(owner) as connection:
            dataset = connection.execute(
                select(tables.network_dataset.c.id).where(tables.network_dataset.c.name == name)
            ).scalar()
            dataset = dataset or self._insert(connection, tables.network_dataset, owner_id=owner, name=name)
            version = self._insert(
                connection,
                tables.network_version,
                dataset_id=dataset,
                owner_id=owner,
                number=1 + connection.execute(text("SELECT count(*) FROM ler.network_version")).scalar_one(),
                base_number=connection.execute(
                    text(
                        "SELECT v.number FROM ler.network_version AS v"
                        " JOIN ler.network_dataset AS d ON d.current_version_id = v.id WHERE d.id = :dataset"
                    ),
                    {"dataset": dataset},
                ).scalar(),
                source_name=f"{name}.gml",
                source_sha256="0" * 64,
                model_version="2.2.0",
            )
            rows = (
                feature_to_row(each, types[each.type], owner_id=owner, version_id=version, seq=number)
                for number, each in enumerate(features)
            )
            assert copy_features(connection, rows) == len(features)
        return version

    def publish(self, owner: UUID, features: Sequence[Feature], *, name: str = "network") -> UUID:
        version = self.stage(owner, features, name=name)
        with self.acting(owner) as connection:
            assert functions.publish_version(connection, version, confirm_empty=True) == len(features)
        return version

    def request(self, requester: UUID, area: Polygon, **values: object) -> UUID:
        with self.acting(requester) as connection:
            return self._insert(
                connection,
                tables.excavation_request,
                requester_id=requester,
                area=from_shape(area, srid=tables.SRID),
                period_from="2026-05-04",
                period_to="2026-05-08",
                purpose="fibre",
                **values,
            )

    def match(self, requester: UUID, request: UUID) -> dict[UUID, OwnerMatch]:
        with self.acting(requester) as connection:
            return {match.owner_id: match for match in match_request(connection, request)}

    def delivered(self, requester: UUID, request: UUID) -> dict[str, tuple[Feature, Mapping[str, Any]]]:
        """Return the package's features and rows by gml:id."""
        query = select(tables.package_feature).where(tables.package_feature.c.request_id == request)
        with self.acting(requester) as connection:
            rows = connection.execute(query).mappings().all()
        return {row["gml_id"]: (row_to_feature(row), row) for row in map(dict[str, Any], rows)}

    def dig(
        self, features: Sequence[Feature], area: Polygon, **values: object
    ) -> dict[str, tuple[Feature, Mapping[str, Any]]]:
        """Publish one owner's network, dig there, and return what is delivered."""
        owner = self.owner("The Owner")
        self.publish(owner, features)
        digger = self.organisation("The Digger")
        request = self.request(digger, area, **values)
        answer = self.match(digger, request)[owner]
        delivered = self.delivered(digger, request)
        assert answer.feature_count == len(delivered)
        return delivered

    def close(self) -> None:
        for engine in self.engines.values():
            engine.dispose()

    @staticmethod
    def _insert(connection: Connection, table: Table, **values: object) -> UUID:
        made: UUID = connection.execute(insert(table).values(**values).returning(table.c.id)).scalar_one()
        return made


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    made = World(database)
    yield made
    made.close()
