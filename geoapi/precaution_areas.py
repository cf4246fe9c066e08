"""An owner's areas of precautions, from a file of polygons that each have a name.

Several polygons of one name are one area. Refused is a file that cannot be read, a polygon without a name or of a bad
place; whether it is a sound polygon is said with the faults of the table.
"""

from collections.abc import Mapping
from pathlib import Path

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from ingest.records_file import read_records
from ler.domain.dig_area import Coverage, check_place
from ler.errors import RefusedError


def read_precaution_areas(path: Path, crs: str | None, coverage: Coverage) -> Mapping[str, BaseGeometry]:
    """Return the areas of a file by name, EPSG:25832. RefusedError."""
    found: dict[str, list[BaseGeometry]] = {}
    for record in read_records(path, crs):
        name = str(record.cells.get("name") or "").strip()
        where = f"{path.name}, {record.layer} {record.number}"
        if not name:
            raise RefusedError("precaution-area-invalid", f"{where}: an area needs a `name`")
        if record.geometry is None:
            raise RefusedError(
                "precaution-area-invalid", f"{where}: its place cannot be used ({record.fault})"
            )
        check_place(record.geometry, coverage)
        found.setdefault(name, []).append(record.geometry)
    return {name: _one(parts) for name, parts in found.items()}


def _one(parts: list[BaseGeometry]) -> BaseGeometry:
    """One area; what is no polygon, or unsound, stays as it is and is told with the faults."""
    single = [one for part in parts for one in shapely.get_parts(part)]
    bad = next((one for one in single if not isinstance(one, Polygon) or not one.is_valid), None)
    whole: BaseGeometry = shapely.union_all(single) if bad is None else bad
    return whole
