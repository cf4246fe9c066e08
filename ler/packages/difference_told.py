"""The difference of two packages as JSON and as GeoJSON, for programs and maps."""

from collections.abc import Mapping
from typing import Any, Final

from shapely.geometry import mapping

from ler.packages.advice import Language
from ler.packages.degrees import to_degrees
from ler.packages.difference import Change, Difference, FeatureChange, Side

WORDS: Final[Mapping[Language, Mapping[Change, str]]] = {
    "da": {
        Change.ADDED: "tilføjet",
        Change.REMOVED: "fjernet",
        Change.MOVED: "flyttet",
        Change.CHANGED: "ændret",
    },
    "en": {kind: str(kind) for kind in Change},
}


def document(difference: Difference, most: int | None = None) -> dict[str, Any]:
    """Return it for JSON, with `most` features at most and how many were left off."""
    told = difference.features if most is None else difference.features[:most]
    return {
        "old": _package(difference.old),
        "new": _package(difference.new),
        "same_area": difference.same_area,
        "owners": [
            {
                "cvr": one.cvr,
                "name": one.name,
                "state_changed": one.state_changed,
                "old": one.old,
                "new": one.new,
                "counts": {str(kind): count for kind, count in one.counts.items()},
            }
            for one in difference.owners
        ],
        "features": [_properties(one) | {"attributes": _attributes(one)} for one in told],
        "left_off": len(difference.features) - len(told),
    }


def geojson(difference: Difference) -> dict[str, Any]:
    """Return what changed as RFC 7946 has it: as it is, and with `was` true also as it was where it moved."""
    drawn = [(one, one.feature.geometry, False) for one in difference.features]
    drawn += [
        (one, one.old.geometry, True)
        for one in difference.features
        if one.change is Change.MOVED and one.old is not None
    ]
    placed = [(one, geometry, was) for one, geometry, was in drawn if geometry is not None]
    shapes = [mapping(shape) for shape in to_degrees([geometry for _, geometry, _ in placed])]
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "geometry": shape, "properties": {**_properties(one), "was": was}}
            for (one, _, was), shape in zip(placed, shapes, strict=True)
        ],
    }


def _package(side: Side) -> dict[str, Any]:
    manifest = side.manifest
    return {
        "order_number": manifest.get("request", {}).get("order_number"),
        "kind": manifest.get("kind"),
        "revision": manifest.get("revision"),
        "changed_at": manifest.get("changed_at"),
        "complete": manifest.get("complete"),
    }


def _properties(one: FeatureChange) -> dict[str, Any]:
    feature = one.feature
    return {
        "change": str(one.change),
        "owner_cvr": one.owner_cvr,
        "feature_type": feature.type,
        "gml_id": feature.gml_id,
        "moved_m": one.moved_m,
        "raised_m": one.raised_m,
        "danger": feature.attributes.get("fareklasse"),
    }


def _attributes(one: FeatureChange) -> list[dict[str, Any]]:
    return [{"name": name, "old": old, "new": new} for name, old, new in one.attributes]
