"""What is offered near a work as it is told, over HTTP and by command alike."""

from typing import Any

import shapely

from ler.services.ducts import NearbyDucts


def ducts_view(found: NearbyDucts) -> dict[str, Any]:
    """Return ducts near a work; the place as GeoJSON in EPSG:25832, to the millimetre, or None when it is not shown."""
    place = None if found.place is None else shapely.set_precision(found.place, 0.001, mode="pointwise")
    return {
        "kind": found.kind.value,
        "organisation": str(found.organisation_id),
        "organisation_name": found.organisation_name,
        "cvr": found.cvr,
        "contact": found.contact,
        "work_id": None if found.work_id is None else str(found.work_id),
        "ducts": found.ducts,
        "utilisation": found.utilisation,
        "length_m": found.length_m,
        "geometry": None if place is None else shapely.geometry.mapping(place),
    }
