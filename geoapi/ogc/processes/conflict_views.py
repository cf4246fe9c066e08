"""Conflicts as results of processes: where each is as GeoJSON, and how many there are of each zone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from conflicts.clearances import ZONES, Zone
from conflicts.zones import together
from geoapi.ogc.processes.process import Results, Value
from geoapi.ogc.processes.values import in_degrees
from geoapi.problems import Language

type Row = Mapping[str, Any]
"""Columns of a conflict; `geom` as a geometry in EPSG:25832 or None."""

_TOLD: Final = (
    *("gml_id", "feature_type", "utility_type", "danger_class", "zone", "rule", "unverified", "limit_m"),
    *(
        "arrangement",
        "angle_deg",
        "drawn_m",
        "distance_min_m",
        "distance_max_m",
        "below_min_m",
        "below_max_m",
    ),
    *("probability", "reasons"),
)
"""Columns that are told; of the sentence that says why, only the one in the caller's language."""

OUTPUTS: Final = {
    "summary": Value(
        {"en": "How many of each zone", "da": "Hvor mange af hver zone"},
        {
            "type": "object",
            "properties": {
                "conflicts": {"type": "integer", "minimum": 0},
                "zones": {"type": "object", "additionalProperties": {"type": "integer"}},
                "probability": {"type": "number", "minimum": 0, "maximum": 1},
            },
            "required": ["conflicts", "zones", "probability"],
        },
    ),
    "conflicts": Value(
        {
            "en": "Each conflict and where it is, nearest zone first",
            "da": "Hver konflikt, nærmeste zone først",
        },
        {"type": "object", "contentMediaType": "application/geo+json"},
    ),
}


def conflict_results(rows: Sequence[Row], language: Language) -> Results:
    """Return the outputs that tell of conflicts; places in CRS84."""
    ordered = sorted(rows, key=lambda row: ZONES.index(Zone(row["zone"])))
    counted = Counter(row["zone"] for row in ordered)
    summary = {
        "conflicts": len(ordered),
        "zones": {str(zone): counted[zone] for zone in ZONES if counted[zone]},
        "probability": together([row["probability"] for row in ordered]),
    }
    features = [_feature(row, language) for row in ordered]
    return {"summary": summary, "conflicts": {"type": "FeatureCollection", "features": features}}


def _feature(row: Row, language: Language) -> dict[str, Any]:
    told = {name: row[name] for name in _TOLD} | {"reason": row[f"reason_{language}"]}
    return {"type": "Feature", "geometry": in_degrees(row["geom"]), "properties": told}
