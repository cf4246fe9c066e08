"""Where findings lie: a point of the feature that each is about, for maps.

What is wrong with a feature is often known before its geometry is read. The places of those findings are filled in when
the feature has come; no file is read twice for it, and memory grows with the findings that are kept.
"""

from dataclasses import dataclass, field, replace

import shapely
from shapely.geometry.base import BaseGeometry

from ingest.findings import Findings
from ler.model import Feature

type Place = tuple[float, float]
"""Easting and northing, EPSG:25832, metres."""


def place_of(geometry: BaseGeometry) -> Place | None:
    """Return a point of the geometry: the middle of a line, the vertex of a point, a point inside a surface.

    Of several parts the first; None for an empty geometry. The ends of lines are avoided, since lines meet there.
    """
    parts = shapely.get_parts(geometry)
    if not len(parts):
        return None
    part = shapely.force_2d(parts[0])
    point = part.interpolate(0.5, normalized=True) if isinstance(part, shapely.LineString) else part
    if isinstance(part, shapely.Polygon):
        point = part.representative_point() if part.is_valid else shapely.Point(part.exterior.coords[0])
    return (float(point.x), float(point.y))


@dataclass(slots=True)
class Places:
    """Fills in the places of a file's findings: `take` every feature in the order of the file, then `give`."""

    findings: Findings
    _seen: int = 0
    _wanted: set[str] = field(default_factory=set)
    _found: dict[str, Place] = field(default_factory=dict)

    def take(self, feature: Feature) -> None:
        """Remember the place of a feature that a finding is waiting for."""
        kept = self.findings.kept
        if len(kept) > self._seen:
            self._wanted.update(finding.gml_id for finding in kept[self._seen :] if finding.place is None)
            self._seen = len(kept)
        if feature.gml_id in self._wanted and feature.geometry is not None:
            place = place_of(feature.geometry)
            if place and feature.gml_id:
                self._found.setdefault(feature.gml_id, place)

    def give(self) -> None:
        """After the last feature: put the places into the findings that have none."""
        self.findings.kept[:] = [
            replace(finding, place=self._found[finding.gml_id])
            if finding.place is None and finding.gml_id in self._found
            else finding
            for finding in self.findings.kept
        ]
