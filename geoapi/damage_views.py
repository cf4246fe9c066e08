"""How damages and deviations are shown in JSON, over HTTP and by commands."""

from typing import Any, Final

from geoapi.geojson import geometry_view
from ler.domain.damages import damage_codes
from ler.services.damages import Statistics, StoredDamage, Year
from ler.services.deviations import Deviation

DEVIATIONS: Final = "/api/v1/deviations"


def damage_view(one: StoredDamage) -> dict[str, Any]:
    """Return a report as JSON has it."""
    it = one.damage
    return {
        "id": str(one.id),
        "owner_id": str(one.owner_id),
        "reference": it.reference,
        "utility_type": it.utility_type,
        "happened_on": it.happened_on.isoformat(),
        "date_is": it.date_is,
        "place": geometry_view(it.place),
        "cause": it.cause,
        "caused_by": it.caused_by,
        "caused_by_cvr": it.caused_by_cvr,
        "caused_by_name": it.caused_by_name,
        "order_number": it.order_number,
        "gml_id": it.gml_id,
        "environment": it.environment,
        "repair_cost": None if it.repair_cost is None else float(it.repair_cost),
        "administration_cost": None if it.administration_cost is None else float(it.administration_cost),
        "description": it.description,
        "created_at": one.created_at.isoformat(),
        "withdrawn_at": one.withdrawn_at.isoformat() if one.withdrawn_at else None,
    }


def year_view(year: Year) -> dict[str, Any]:
    """Return what was said of a year."""
    return {
        "year": year.year,
        "damages": year.damages,
        "no_damages": year.none,
        "reported": year.reported,
        "due_before": year.due.isoformat(),
    }


def statistics_view(found: Statistics, language: str) -> dict[str, Any]:
    """Return the counts with the words of their causes."""
    texts = {code: da if language == "da" else en for code, (da, en) in damage_codes()["causes"].items()}
    return {
        "counts": [
            {"year": year, "utility_type": kind, "cause": cause, "text": texts[cause], "damages": damages}
            for year, kind, cause, damages in found.counts
        ],
        "owners": [
            {"year": year, "with_damages": some, "without_damages": none, "not_reported": silent}
            for year, some, none, silent in found.reporting
        ],
    }


def statistics_csv(found: Statistics) -> str:
    """Return the counts as comma separated values; every value is of a code list or a number."""
    lines = ["year,utility_type,cause,damages"]
    lines += [f"{year},{kind},{cause},{damages}" for year, kind, cause, damages in found.counts]
    return "\r\n".join(lines) + "\r\n"


def deviation_view(one: Deviation) -> dict[str, Any]:
    """Return a report as JSON has it; the geometry in EPSG:25832."""
    it = one.reported
    path = f"{DEVIATIONS}/{one.id}"
    return {
        "id": str(one.id),
        "state": str(one.state),
        "kind": str(it.kind),
        "reporter_id": str(one.reporter_id) if one.reporter_id else None,
        "owner_id": str(it.owner_id) if it.owner_id else None,
        "request_id": str(it.request_id) if it.request_id else None,
        "gml_id": it.gml_id,
        "geometry": geometry_view(it.geometry),
        "measured_on": it.measured_on.isoformat(),
        "accuracy_m": it.accuracy_m,
        "depth_m": it.depth_m,
        "offset_m": None if one.offset_m is None else round(one.offset_m, 3),
        "utility_type": it.utility_type,
        "description": it.description,
        "note": one.note,
        "corrected_in": one.corrected_in,
        "photos": [
            {"number": photo.number, "sha256": photo.sha256, "size": photo.size_bytes, "media_type": photo.media_type,
             "path": f"{path}/photos/{photo.number}/content"}
            for photo in one.photos
        ],
        "claims": [
            {"owner_id": str(it.owner_id), "state": it.state,
             "answered_at": it.answered_at.isoformat() if it.answered_at else None}
            for it in one.claims
        ],
        "created_at": one.created_at.isoformat(),
        "changed_at": one.changed_at.isoformat(),
    }  # fmt: skip
