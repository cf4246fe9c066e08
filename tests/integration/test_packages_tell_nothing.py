"""Two worlds that differ only in what is withheld give packages of the same bytes: members, counts, boxes, pictures."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from shapely import box

from geoapi.dig_request import Answered
from ler.db.engine import transaction
from ler.domain.sensitivity import SensitivityClass, SensitivityRule
from ler.model import Feature
from ler.packages.content import Delivery, OwnerStatus
from ler.packages.package import Package, write_consolidated_package, write_owner_package
from ler.services.sensitivity import make_rule
from tests.databases import Database, SharedCluster
from tests.decoded import views
from tests.world import World, open_world, unpack, valve, water_pipe

AREA: Final = box(575000, 6224000, 575060, 6224060)
AT: Final = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
KINDS: Final = {f"1000000{n}": kind for n, kind in enumerate(list(SensitivityClass)[1:])}
ONE: Final = [water_pipe("withheldxq-1", (575005, 6224007.125, 1.5), (575035, 6224007.125, 1.5))]
MORE: Final = [
    *(
        water_pipe(
            f"withheldxq-{n}", (575003, 6224001 + 3 * n, n), (575037, 6224002 + 3 * n, n), fareklasse="farlig"
        )
        for n in range(1, 6)
    ),
    valve("withheldxq-valve", 575011.5, 6224012.5, 0.5, tilknyttetLedning=["withheldxq-1"]),
]
PLAIN: Final = [
    water_pipe("plain", (575005, 6224050, 1.5), (575055, 6224050, 1.5), startkomponent="valve"),
    valve("valve", 575005, 6224050, 1.5),
]


def answered(world: World, folder: Path, hidden: Sequence[Feature]) -> Answered:
    """An owner for each way of withholding, with hidden and plain lines in one area, and one that hides nothing."""
    folder.mkdir()
    for cvr, kind in KINDS.items():
        owner = world.owner(cvr, f"Nordby {kind}")
        world.network(cvr, folder, *hidden, *PLAIN)
        names = frozenset(feature.gml_id for feature in hidden)
        with transaction(world.databases.app, owner) as connection:
            make_rule(connection, owner, SensitivityRule(kind, gml_ids=names))
    world.owner("20000000", "Nordby Vand")
    world.network("20000000", folder, *PLAIN)
    return world.ask(AREA, folder / "out")


def packages(folder: Path, found: Answered) -> list[Package]:
    """The packages, made as if chance and the clock had been the same in both worlds."""
    request = replace(found.request, id=UUID(int=1), order_number=7, created_at=AT, changed_at=AT)
    owners = [_still(number, owner) for number, owner in enumerate(found.owners)]
    return [
        write_consolidated_package(folder, request, owners),
        *(write_owner_package(folder, request, owner) for owner in owners),
    ]


def _still(number: int, owner: OwnerStatus) -> OwnerStatus:
    return replace(
        owner,
        id=UUID(int=100 + number),
        areas=[replace(area, due_at=area.due_at and AT) for area in owner.areas],
        deliveries=[_at_rest(number, delivery) for delivery in owner.deliveries],
    )


def _at_rest(number: int, delivery: Delivery) -> Delivery:
    # The digest of the owner's file is of all that it holds, and tells nothing of what that is.
    return replace(
        delivery, answer_id=UUID(int=200 + number), published_at=AT, answered_at=AT, source_sha256="0" * 64
    )


@contextmanager
def other_world(cluster: SharedCluster, template: str) -> Iterator[World]:
    with cluster.database(template) as database, open_world(database) as made:
        yield made


def test_packages_are_the_same_however_many_lines_are_withheld_and_whatever_they_are(
    database: Database, shared_cluster: SharedCluster, migrated_template: str, tmp_path: Path
) -> None:
    with open_world(database) as one, other_world(shared_cluster, migrated_template) as other:
        found = [
            packages(tmp_path / f"made-{name}", answered(world, tmp_path / name, hidden))
            for name, world, hidden in (("one", one, ONE), ("more", other, MORE))
        ]
    first, second = found
    assert len(first) == len(second) == len(KINDS) + 2
    assert first[0].feature_count == (len(KINDS) + 1) * len(PLAIN)
    for number, (mine, others) in enumerate(zip(first, second, strict=True)):
        members, others_members = (
            unpack(package.path, tmp_path / f"{side}-{number}")
            for side, package in (("a", mine), ("b", others))
        )
        assert members.keys() == others_members.keys()
        for name, path in members.items():
            content = path.read_bytes()
            assert content == others_members[name].read_bytes(), (mine.path.name, name)
            assert not any(b"withheldxq" in view for view in views(content)), (mine.path.name, name)
        assert mine.sha256 == others.sha256
        assert mine.recipe == others.recipe
