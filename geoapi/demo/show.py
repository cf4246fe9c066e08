"""The demonstration: a made-up town goes through the same doors as real owners and diggers, step by step.

It lives in a database of its own, emptied each time: made-up lines never meet real ones.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter
from typing import Final

import shapely
from shapely import MultiPolygon

from conflicts.owner_tables import set_table
from geoapi.cluster import Cluster
from geoapi.database import Databases, open_databases
from geoapi.demo.owners import DemoOwner
from geoapi.demo.precautions import demo_areas, demo_tables
from geoapi.demo.sites import DemoSite
from geoapi.demo.town import Town, build_town
from geoapi.dig_request import Answered, answer_request
from geoapi.packing import package_options
from geoapi.site_map import lay_out_maps
from geoapi.stores import blob_store
from ingest.area_file import read_area_file
from ingest.load import publish_network
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.dig_area import Coverage, dig_area
from ler.errors import RefusedError
from ler.packages.gml import Answer, write_answer
from ler.rules_in_force import area_limits
from ler.services.registry import get_owner, register_interest_area, register_owner
from ler.services.requests import NewRequest
from ler.settings import Settings

NETWORKS: Final = "networks"
SITES: Final = "sites"
STREETS: Final = "streets.gpkg"

type Tell = Callable[[str, float], None]
"""Told what was done and how many seconds it took."""


@dataclass(slots=True)
class Shown:
    """What the demonstration made."""

    town: Town
    networks: list[Path] = field(default_factory=list)
    sites: list[tuple[DemoSite, Answered, Path]] = field(default_factory=list)
    """Each site with its answers and its map, which lies beside its packages."""


def show(out: Path, settings: Settings, today: date, tell: Tell) -> Shown:
    """Run the whole demonstration into `out`; what an earlier one left there is replaced.

    RefusedError when the database is kept elsewhere: a demonstration empties its database.
    """
    if settings.database_url:
        raise RefusedError(
            "demo-elsewhere",
            "LER_DATABASE_URL is set; the demonstration makes and empties a database of its own: unset it",
        )
    _clear(out)
    name = f"{settings.database_name}_demo"
    with _timed(tell, "a database of its own, empty, with tables and roles"):
        cluster = Cluster(settings.home)
        cluster.start()
        cluster.drop_database(name)
        databases_of = open_databases(settings, name=name)
    with databases_of as databases:
        with _timed(tell, "a made-up town with its networks"):
            shown = Shown(build_town())
        with _timed(tell, "the owners' networks written as LER GML 2.2.0"):
            shown.networks = [_write_network(owner, out / NETWORKS) for owner in shown.town.owners]
        with _timed(tell, "owners and interest areas registered"):
            _register(databases, shown.town, settings.coverage)
        with _timed(tell, "networks uploaded and published"):
            for path, owner in zip(shown.networks, shown.town.owners, strict=True):
                _upload(databases, owner, path, settings)
        with _timed(tell, "precautions of two owners set"):
            _set_precautions(databases, shown.town)
        with _timed(tell, "the town's streets written as a base map"):
            options = replace(package_options(settings), base_map=_write_streets(shown.town, out / STREETS))
        for site in shown.town.sites:
            with _timed(tell, f"{site.name}: asked, matched, clipped, packed and drawn"):
                folder = out / SITES / site.slug
                wanted = _request(site, folder, settings, today)
                answered = answer_request(
                    databases,
                    PLATFORM_OPERATOR,
                    wanted,
                    folder,
                    store=blob_store(settings),
                    options=options,
                )
                picture, _ = lay_out_maps(folder, answered)
                shown.sites.append((site, answered, picture))
    return shown


def _clear(out: Path) -> None:
    for part in (NETWORKS, SITES):
        if (out / part).is_dir():
            shutil.rmtree(out / part)
        (out / part).mkdir(parents=True)


def _write_network(owner: DemoOwner, folder: Path) -> Path:
    path = folder / f"{owner.cvr}.gml"
    with path.open("wb") as stream:
        write_answer(stream, Answer(owner.cvr, owner.name, owner.header, owner.features))
    return path


def _write_streets(town: Town, path: Path) -> Path:
    path.unlink(missing_ok=True)
    import geopandas  # noqa: PLC0415 - help does not wait for it

    streets = geopandas.GeoSeries(town.streets, crs="EPSG:25832")
    streets.to_file(path, driver="GPKG", layer="streets", engine="pyogrio")
    return path


def _register(databases: Databases, town: Town, coverage: Coverage) -> None:
    with transaction(databases.app, PLATFORM_OPERATOR) as connection:
        for owner in town.owners:
            owner_id = register_owner(
                connection, cvr=owner.cvr, name=owner.name, email=owner.email, phone=owner.phone
            )
            parts = [
                part for part in shapely.get_parts(owner.interest_area) if isinstance(part, shapely.Polygon)
            ]
            register_interest_area(
                connection,
                owner_id,
                utility_types=owner.utility_types,
                area=MultiPolygon(parts),
                coverage=coverage,
            )


def _upload(databases: Databases, owner: DemoOwner, path: Path, settings: Settings) -> None:
    with transaction(databases.app, PLATFORM_OPERATOR) as connection:
        found = get_owner(connection, owner.cvr)
    with transaction(databases.app, found.id) as connection:
        publish_network(connection, found, path, settings, approve=True)


def _set_precautions(databases: Databases, town: Town) -> None:
    areas = demo_areas(town.sites)
    for cvr, rows in demo_tables(town.sites).items():
        with transaction(databases.app, PLATFORM_OPERATOR) as connection:
            owner_id = get_owner(connection, cvr).id
        named = {name for row in rows for name in row.areas}
        with transaction(databases.app, owner_id) as connection:
            set_table(connection, owner_id, rows, {name: areas[name] for name in areas if name in named})


def _request(site: DemoSite, folder: Path, settings: Settings, today: date) -> NewRequest:
    """What somebody asks who has drawn the site: the area goes through a file, as any."""
    folder.mkdir(parents=True)
    path = folder / "area.geojson"
    path.write_text(json.dumps(shapely.geometry.mapping(site.area)) + "\n", encoding="utf-8")
    return NewRequest(
        area=dig_area(read_area_file(path), coverage=settings.coverage, limits=area_limits(settings)),
        period_from=today + timedelta(days=7),
        period_to=today + timedelta(days=21),
        purpose=site.purpose,
        description=site.description,
        work=site.work,
        clip_buffer_m=settings.clip_buffer_m,
        unknown_accuracy_m=settings.band_accuracy_m,
    )


@contextmanager
def _timed(tell: Tell, what: str) -> Iterator[None]:
    began = perf_counter()
    yield
    tell(what, perf_counter() - began)
