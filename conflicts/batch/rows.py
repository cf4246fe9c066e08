"""The rows of a batch: conflicts of planned works with an owner's lines, as Arrow tables and GeoParquet files.

Columns carry their units in their names; `geometry` is WKB in EPSG:25832, without heights. A file is written beside and
renamed when it is whole.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pyarrow as pa
import pyproj
import shapely
from pyarrow import parquet

from conflicts.clearances import Clearances
from conflicts.detect import Conflict
from conflicts.stored import conflict_row
from ler.db.tables import SRID
from ler.domain.works import PlannedWork

GEOMETRY: Final = "geometry"

CONFLICTS: Final = pa.schema(
    [
        pa.field("owner_id", pa.string(), nullable=False),
        pa.field("work_id", pa.string(), nullable=False),
        pa.field("work_version", pa.int32(), nullable=False),
        pa.field("network_version", pa.int32(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in ("gml_id", "feature_type")),
        *(pa.field(name, pa.string()) for name in ("utility_type", "danger_class")),
        *(pa.field(name, pa.string(), nullable=False) for name in ("zone", "rule")),
        pa.field("unverified", pa.bool_(), nullable=False),
        pa.field("limit_m", pa.float64(), nullable=False),
        pa.field("arrangement", pa.string(), nullable=False),
        pa.field("angle_deg", pa.float64()),
        pa.field("drawn_m", pa.float64()),
        pa.field("distance_min_m", pa.float64(), nullable=False),
        *(pa.field(name, pa.float64()) for name in ("distance_max_m", "below_min_m", "below_max_m")),
        pa.field("probability", pa.float64(), nullable=False),
        pa.field("reasons", pa.list_(pa.string()), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in ("reason_da", "reason_en")),
        pa.field(GEOMETRY, pa.binary()),
    ]
)
"""As in `ler.line_conflict`: metres, degrees; `geometry` is where, null of a line without a place."""


def conflict_table(
    found: Iterable[tuple[PlannedWork, Conflict, Clearances]], owner_id: UUID, network_version: int
) -> pa.Table:
    """Return conflicts of works, each with the rules that it was found by, as a table of `CONFLICTS`."""
    rows = [_row(work, one, owner_id, network_version, rules) for work, one, rules in found]
    return pa.Table.from_pylist(rows, schema=CONFLICTS)


def _row(
    work: PlannedWork, one: Conflict, owner_id: UUID, network_version: int, clearances: Clearances
) -> dict[str, Any]:
    told = conflict_row(one, clearances)
    del told["geom"]
    where = None if one.geometry is None else shapely.to_wkb(one.geometry)
    return told | {
        "owner_id": str(owner_id),
        "work_id": str(work.id),
        "work_version": work.version,
        "network_version": network_version,
        GEOMETRY: where,
    }


def write_geoparquet(path: Path, table: pa.Table) -> None:
    """Write a table with a column `geometry` as GeoParquet 1.1, zstd."""
    places = table.column(GEOMETRY).to_pylist()
    kinds = {shapely.from_wkb(one).geom_type for one in places if one is not None}
    told = {
        "version": "1.1.0",
        "primary_column": GEOMETRY,
        "columns": {
            GEOMETRY: {
                "encoding": "WKB",
                "geometry_types": sorted(kinds),
                "crs": pyproj.CRS.from_epsg(SRID).to_json_dict(),
            }
        },
    }
    beside = path.with_name(f".{path.name}.part")
    parquet.write_table(
        table.replace_schema_metadata({b"geo": json.dumps(told).encode()}), beside, compression="zstd"
    )
    beside.rename(path)
