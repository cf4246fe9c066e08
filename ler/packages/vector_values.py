"""What every vector member says of a feature besides its LER attributes: whose it is and what a digger must see.

The values have the same names in GeoJSON, FlatGeobuf and DXF. None where it is not known or makes no sense.
"""

from collections.abc import Sequence
from typing import Any, Final

from ler.domain.uncertainty import has_band
from ler.model import load_model
from ler.packages.assessment import Assessed
from ler.packages.exports.tables import Cells

TYPES: Final[dict[str, str]] = {
    "owner_cvr": "object",
    "owner_name": "object",
    "utility_type": "object",
    "clipped": "boolean",
    "in_dig_area": "boolean",
    "distance_m": "float64",
    "band_half_width_m": "float64",
    "band_known": "boolean",
    "indicative_depth_m": "float64",
    "top_min_m": "float64",
    "top_max_m": "float64",
    "bottom_m": "float64",
    "cover_min_m": "float64",
    "cover_max_m": "float64",
    "cover_uncertainty_m": "float64",
    "cover_unknown": "object",
}
"""Every value with the type of its column."""


def is_network(feature_type: str) -> bool:
    """Whether features of the type lie in the ground."""
    return has_band(load_model().types[feature_type])


def told_of(one: Assessed) -> dict[str, Any]:
    """Return the values of one feature, fit for JSON, those of `TYPES` in that order."""
    depth, cover = one.depth, one.cover
    network = is_network(one.feature.type)
    return {
        "owner_cvr": one.owner.cvr,
        "owner_name": one.owner.name,
        "utility_type": one.utility_type or "unknown" if network else None,
        "clipped": one.feature.gml_id in one.delivery.clipped,
        "in_dig_area": one.in_dig_area,
        "distance_m": one.distance_m,
        "band_half_width_m": one.band.half_width_m if network else None,
        "band_known": one.band.known if network else None,
        "indicative_depth_m": depth and depth.indicative_m,
        "top_min_m": depth and depth.top_min_m,
        "top_max_m": depth and depth.top_max_m,
        "bottom_m": depth and depth.bottom_m,
        "cover_min_m": cover.min_m,
        "cover_max_m": cover.max_m,
        "cover_uncertainty_m": cover.uncertainty_m,
        "cover_unknown": None if cover.unknown is None else str(cover.unknown),
    }


def told_cells(assessed: Sequence[Assessed]) -> list[Cells]:
    """Return the same as columns of a table."""
    rows = [told_of(one) for one in assessed]
    return [Cells(name, [row[name] for row in rows], kind) for name, kind in TYPES.items()]
