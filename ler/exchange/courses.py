"""Where lines without a geometry of their own lie: models that demand a place of every object get that."""

from collections.abc import Sequence

from shapely.geometry.base import BaseGeometry

from ler.model import Feature


def find_courses(features: Sequence[Feature]) -> dict[str, BaseGeometry]:
    """The course of what lies in a duct, a trace or another line: that of what it lies in, as KLIC's own examples have it."""
    containers: dict[str, Feature] = {}
    for feature in features:
        told = feature.attributes.get("indeholdtLedning")
        for target in told if isinstance(told, list) else ():
            containers.setdefault(str(target), feature)
    found = {}
    for feature in features:
        around, passed = containers.get(feature.gml_id), {feature.gml_id}
        while around is not None and around.geometry is None and around.gml_id not in passed:
            passed.add(around.gml_id)
            around = containers.get(around.gml_id)
        if around is not None and around.geometry is not None:
            found[feature.gml_id] = around.geometry
    return found
