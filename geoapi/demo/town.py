"""The demonstration town as one value: its map, the owners with all their lines, and three places to dig.

Nothing here is real. The same seed gives the same town to the last identifier and millimetre, on every machine.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

import shapely

from geoapi.demo.owners import DemoOwner, found_owners
from geoapi.demo.sites import DemoSite, choose_sites
from geoapi.demo.streets import lay_out

__all__ = ["DemoOwner", "DemoSite", "Town", "build_town"]

_NAME: Final = "Nordby"


@dataclass(frozen=True, slots=True)
class Town:
    """The town. All geometries are in EPSG:25832; those of features in EPSG:7416."""

    name: str
    streets: list[shapely.Polygon]
    """Road areas, joined where streets meet, with the blocks as holes."""
    buildings: list[shapely.Polygon]
    sea: shapely.Polygon
    owners: tuple[DemoOwner, ...]
    sites: tuple[DemoSite, ...]


def build_town(seed: int = 7) -> Town:
    """Build the town; the same seed gives the same town."""
    plan = lay_out(Random(f"{seed}:{_NAME}"))  # noqa: S311 - a made-up town keeps no secrets, but must come out the same
    return Town(
        name=_NAME,
        streets=list(plan.roads),
        buildings=list(plan.buildings),
        sea=plan.sea,
        owners=found_owners(plan, seed),
        sites=choose_sites(plan),
    )
