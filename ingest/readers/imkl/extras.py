"""Dimensions, annotations and attachments of IMKL as those of LER; any other class has no place in LER and is told."""

from dataclasses import dataclass
from typing import Final

import shapely

from ingest.readers.gml_geometry import Coverage, GeometryFault
from ingest.readers.identifiers import GML_ID
from ingest.readers.imkl.desk import Desk
from ingest.readers.imkl.geometry import read_place
from ingest.readers.imkl.store import Store
from ingest.readers.imkl.values import ValueReader, told_text
from ingest.readers.xml_stream import Element
from ler.exchange.identifiers import read_id
from ler.exchange.tables import last_word
from ler.model import Feature, Model

_ARROWS: Final = {
    "annotatielijn": "line",
    "annotatiepijlenkelgericht": "one directional arrow",
    "annotatiepijldubbelgericht": "two directional arrow",
    "maatvoeringshulplijn": "line",
}
_LABELS: Final = frozenset({"annotatielabel", "maatvoeringslabel"})
_DIMENSIONS: Final = frozenset({"maatvoeringslijn", "maatvoeringspijl"})
_KIND_ELEMENTS: Final = frozenset({"annotatieType", "maatvoeringsType"})


@dataclass(frozen=True, slots=True)
class ExtraReader:
    """Reads them with what the reader of the file has."""

    values: ValueReader
    desk: Desk
    store: Store
    coverage: Coverage
    model: Model

    def read(self, element: Element) -> Feature | None:
        """Return the feature, None for what LER has no place for. Its identifier is still that of the file."""
        chosen = _type_of(element)
        if chosen is None:
            self.desk.tell("imkl-object-unmapped", element, element.local_name)
            return None
        feature = Feature(chosen, element.attributes.get(GML_ID, ""), line=element.line)
        self.desk.turn_to(feature, element.local_name)
        if not self._place(feature, element):
            return None
        own = [child for child in element.children if child.local_name not in _SEEN]
        self.values.fill(feature, self.model.types[chosen], own, component=False)
        if chosen == "LinearAnnotation":
            feature.attributes["type"] = _ARROWS[_kind(element)]
        if chosen == "TextAnnotation" and (owner := self.store.owner_of(feature.gml_id)):
            feature.attributes["annotatedFeature"] = read_id(owner)[1]
        if missing := _NEEDED.get(chosen, frozenset()) - feature.attributes.keys():
            self.desk.tell("imkl-object-unmapped", element, element.local_name, ", ".join(sorted(missing)))
            return None
        return feature

    def _place(self, feature: Feature, element: Element) -> bool:
        """Where it lies, as its type wants it; False where LER has no place for it, which is told."""
        for child in element.children:
            if child.local_name == "ligging":
                try:
                    feature.geometry = read_place(child, self.coverage)
                except GeometryFault as fault:
                    self.desk.tell_fault(fault, "ligging")
                    return False
        place = feature.geometry
        if feature.type == "TextAnnotation" and place is not None:
            if not isinstance(place, shapely.Point):
                feature.geometry = shapely.Point(shapely.get_coordinates(place, include_z=True)[0])
        elif place is None or (feature.type in _LINEAR and not isinstance(place, shapely.LineString)):
            kind = "" if place is None else place.geom_type
            self.desk.tell("imkl-object-unmapped", element, element.local_name, kind)
            return False
        return True


_LINEAR: Final = frozenset({"LinearDimension", "LinearAnnotation"})
_SEEN: Final = frozenset(
    {"identificatie", "beginLifespanVersion", "ligging", "inNetwork", "extraInfoType", *_KIND_ELEMENTS}
)
_NEEDED: Final = {
    "LinearDimension": frozenset({"dimensionalValue"}),
    "TextAnnotation": frozenset({"text"}),
    "Informationsressource": frozenset({"title", "format", "sti"}),
}


def _type_of(element: Element) -> str | None:
    if element.local_name == "ExtraDetailinfo":
        return "Informationsressource"
    kind = _kind(element)
    if kind in _DIMENSIONS:
        return "LinearDimension"
    if kind in _LABELS:
        return "TextAnnotation"
    return "LinearAnnotation" if kind in _ARROWS else None


def _kind(element: Element) -> str:
    return next(
        (
            last_word(told_text(child)).casefold()
            for child in element.children
            if child.local_name in _KIND_ELEMENTS
        ),
        "",
    )
