"""The acting owner's own network around a dig: what it must know of its own lines before anybody asks.

It is read by the rights of who acts, so nobody sees anybody else's lines by it. For many digs there are batches.
"""

from typing import Final

import shapely
from geoalchemy2.shape import from_shape
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from conflicts.clearances import Clearances
from conflicts.dig import Dig, footprints
from conflicts.existing import Delivered
from ler.db.rows import row_to_feature
from ler.db.tables import SRID, network_dataset, network_feature, network_version
from ler.domain.uncertainty import LARGEST_OUTER_M
from ler.errors import RefusedError

_MOST: Final = 200_000
"""Lines that are held in memory for one dig."""


def lines_near(
    connection: Connection, dig: Dig, clearances: Clearances, unknown_accuracy_m: float
) -> list[Delivered]:
    """Return the lines of the acting owner's current network that may conflict with a dig, and what has no place.

    RefusedError `area-too-large` when there are more than can be looked at at once.
    """
    feature, version, dataset = network_feature.c, network_version.c, network_dataset.c
    query = (
        select(network_feature)
        .join(network_dataset, dataset.id == feature.dataset_id)
        .join(network_version, version.id == dataset.current_version_id)
        .where(
            feature.added_in <= version.number,
            (feature.removed_in.is_(None)) | (feature.removed_in > version.number),
        )
        .order_by(feature.owner_id, feature.seq)
        .limit(_MOST + 1)
    )
    # Far enough for every rule, the widest band and the largest line of unknown size; exact distances follow.
    parts = footprints(dig, clearances)
    ground = shapely.union_all([part.geometry for part in parts])
    around_m = max(part.half_m + part.tolerance_m for part in parts)
    reach_m = clearances.farthest_m + max(unknown_accuracy_m, 2.0) + max(LARGEST_OUTER_M.values()) + around_m
    near = func.ST_DWithin(feature.geom, from_shape(ground, srid=SRID), reach_m)
    rows = connection.execute(query.where(near | feature.geom.is_(None))).mappings().all()
    if len(rows) > _MOST:
        raise RefusedError("area-too-large", f"more than {_MOST:,} lines lie around the dig")
    return [Delivered(row["owner_id"], row_to_feature(dict(row))) for row in rows]
