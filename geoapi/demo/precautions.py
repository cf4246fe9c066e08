"""The precautions of two owners of the demonstration town; their rows lie in `precautions.toml`."""

import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from conflicts.owner_tables import read_table
from geoapi.demo.sites import DemoSite
from ler.domain.precautions import PrecautionRow

_AROUND_M: Final = 30.0


def demo_areas(sites: Sequence[DemoSite]) -> Mapping[str, BaseGeometry]:
    """Return the areas that rows name: the surroundings of the crossing at the market place, EPSG:25832."""
    return {"torvet": shapely.box(*sites[0].area.buffer(_AROUND_M).bounds)}


def demo_tables(sites: Sequence[DemoSite]) -> dict[str, list[PrecautionRow]]:
    """Return the rows of each owner that has any, by its CVR number."""
    text = files(__package__).joinpath("precautions.toml").read_text(encoding="utf-8")
    return {cvr: read_table(table, demo_areas(sites)) for cvr, table in tomllib.loads(text).items()}
