"""Findings get the place of their feature, whichever of the two comes first."""

import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from ingest.findings import Finding, Findings
from ingest.placing import Place, Places, place_of
from ler.model import Feature

LINE = shapely.LineString([(0, 0, 1), (10, 0, float("nan")), (10, 10, 2)])
SHAPES: dict[str, tuple[BaseGeometry, Place | None]] = {
    "line": (LINE, (10, 0)),
    "lines": (shapely.MultiLineString([LINE, LINE]), (10, 0)),
    "point": (shapely.Point(1, 2, 3), (1, 2)),
    "points": (shapely.MultiPoint([(1, 2, 3), (4, 5, 6)]), (1, 2)),
    "surface": (shapely.box(0, 0, 4, 2), (2, 1)),
    "bow tie": (shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]), (0, 0)),
    "line of no length": (shapely.LineString([(3, 4), (3, 4)]), (3, 4)),
    "nothing": (shapely.GeometryCollection(), None),
}


@pytest.mark.parametrize(("geometry", "place"), SHAPES.values(), ids=SHAPES.keys())
def test_the_place_of_a_geometry(geometry: BaseGeometry, place: Place | None) -> None:
    assert place_of(geometry) == place


def test_a_finding_before_its_feature_gets_a_place_and_others_keep_theirs() -> None:
    findings = Findings()
    places = Places(findings)
    findings.add(Finding("a", 1, "l.1"))
    findings.add(Finding("a", 2, "l.2"))
    places.take(Feature("Vandledning", "l.1", geometry=LINE))
    findings.add(Finding("b", 2, "l.2", place=(7, 7)))
    findings.add(Finding("c", 3, ""))
    places.take(Feature("Vandledning", "l.2"))
    places.take(Feature("Vandledning", "", geometry=LINE))
    places.take(Feature("Vandledning", "l.3", geometry=LINE))
    places.give()
    assert [(finding.code, finding.place) for finding in findings.kept] == [
        ("a", (10, 0)),
        ("a", None),
        ("b", (7, 7)),
        ("c", None),
    ]
