"""A file of IMKL 2.0 (or 1.2) as a source of LER features, in constant memory.

It is read twice: IMKL keeps the course of a cable, its depth and its theme in objects of their own, which may stand
anywhere in the file; the first reading stores them on disk. The rules of other XML hold: no DOCTYPE, no entity, limits of
depth and size (`xml_stream`).
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from ingest.crs import system_of, transformation_from
from ingest.findings import Findings
from ingest.readers.gml_geometry import GML, Coverage, GeometryFault
from ingest.readers.identifiers import GML_ID
from ingest.readers.imkl.desk import Desk
from ingest.readers.imkl.extras import ExtraReader
from ingest.readers.imkl.geometry import RD_EPSG, read_place
from ingest.readers.imkl.root import is_imkl
from ingest.readers.imkl.store import Store
from ingest.readers.imkl.types import LerType, type_of
from ingest.readers.imkl.values import ValueReader, is_nil, targets, told_text
from ingest.readers.prolog import UnreadableFileError, read_prolog
from ingest.readers.xml_stream import Element, XmlStream
from ler.exchange.account import Account
from ler.exchange.identifiers import read_id
from ler.exchange.tables import last_word, load_imkl
from ler.model import ANSWER, Feature, Model, load_model

_MEMBERS: Final = frozenset({f"{GML}featureMember", f"{GML}featureMembers"})
_NOT_OBJECTS: Final = frozenset({f"{GML}boundedBy", f"{GML}name", f"{GML}description", f"{GML}identifier"})
_LINK, _DEPTH, _FOOTPRINT, _NETWORK = "UtilityLink", "DiepteTovMaaiveld", "ExtraGeometrie", "Utiliteitsnet"
_PARTS: Final = (_LINK, _DEPTH, _FOOTPRINT, _NETWORK)
"""Classes whose objects are read for what points to them."""
_OWNER_LETTERS: Final = 8


class ImklReader:
    """Iterate over it once to get the features; then `findings` and `account` are complete.

    Raises UnreadableFileError, at construction or while iterating, when the file cannot be read at all.
    """

    def __init__(self, path: Path, *, coverage: Coverage) -> None:
        if not is_imkl(read_prolog(path)):
            raise UnreadableFileError("format-not-supported", "the root is no collection of IMKL objects")
        self.path = path
        self.model: Model = load_model()
        self.findings = Findings()
        self.header = Feature(ANSWER, "")
        self.stated_owner: str | None = None
        """CVR number in the identifiers of the objects, where the platform itself wrote them."""
        self._coverage = coverage
        self._table = load_imkl()
        self._desk = Desk(self.findings)
        self._values = ValueReader(self._table, self._desk)
        self._first_owner = ""
        self._store: Store
        self._extras: ExtraReader

    @property
    def account(self) -> Account:
        """What was lost or got coarser, by class and element of IMKL."""
        return self._desk.account

    @property
    def missing(self) -> Counter[tuple[str, str]]:
        """What LER demands and the file does not say, by type and attribute."""
        return self._desk.missing

    def __iter__(self) -> Iterator[Feature]:
        """Yield the features in the order of the file."""
        self._store = Store()
        self._extras = ExtraReader(self._values, self._desk, self._store, self._coverage, self.model)
        with closing(self._store):
            self._tell_accuracy()
            for element in self._objects(first=True):
                self._index(element)
            for element in self._objects():
                yield from self._features(element)
            for gml_id, kind, line in self._store.unused(_PARTS[:-1]):
                self._desk.turn_to(Feature("", gml_id), kind)
                self._desk.tell("imkl-object-unmapped", Element("", {}, line, 0), kind)
        self.findings.sort()

    def _objects(self, *, first: bool = False) -> Iterator[Element]:
        stream = XmlStream(self.path)
        for children in stream:
            for child in children:
                if child.name in _MEMBERS:
                    yield from child.children
                elif first and child.name not in _NOT_OBJECTS:
                    self._desk.tell("imkl-object-unmapped", child, child.local_name)

    def _tell_accuracy(self) -> None:
        way = transformation_from(system_of(RD_EPSG))
        if not way.accurate:
            accuracy = "?" if way.accuracy_m is None else f"{way.accuracy_m:g}"
            self._desk.tell("crs-accuracy", Element("", {}, 0, 0), "", way.source.name, accuracy)

    def _index(self, element: Element) -> None:
        """Store what others point to, and who points to extra information."""
        gml_id = element.attributes.get(GML_ID, "")
        kind = element.local_name
        self._desk.turn_to(Feature("", gml_id), kind)
        content: dict[str, object] = {}
        shape = None
        if kind == _LINK:
            shape = self._place(element, "centrelineGeometry")
            content = {
                name: at for name in ("startNode", "endNode") for _, at in targets(element.children, name)
            }
        elif kind == _FOOTPRINT:
            shape = self._place(element, "vlakgeometrie2D")
            self._tell_others(element, ("vlakgeometrie2D",))
        elif kind == _DEPTH:
            content = self._depth(element)
            self._tell_others(element, ("dieptePeil", "diepteNauwkeurigheid", "diepteAangrijpingspunt"))
        elif kind == _NETWORK:
            theme = next((told_text(child) for child in element.children if child.local_name == "thema"), "")
            content = {"theme": last_word(theme)}
            self._tell_others(element, ("thema", "utilityNetworkType", "authorityRole"))
        if not gml_id:
            self._desk.tell("gml-id-missing", element, "gml:id")
        elif not self._store.add(gml_id, kind, element.line, content, shape):
            self._desk.tell("id-duplicate", element, "gml:id", gml_id)
        for _, target in targets(element.children, "heeftExtraInformatie"):
            self._store.add_extra(target, gml_id)

    def _place(self, element: Element, name: str) -> BaseGeometry | None:
        for child in element.children:
            if child.local_name == name:
                try:
                    return read_place(child, self._coverage)
                except GeometryFault as fault:
                    self._desk.tell_fault(fault, name)
        return None

    def _depth(self, element: Element) -> dict[str, object]:
        found: dict[str, object] = {}
        codes = self._table.codes["depth_accuracy"]
        for child in element.children:
            if child.local_name == "dieptePeil" and not is_nil(child):
                found["depth_mm"] = self._values.number(child, "mm")
            elif child.local_name == "diepteNauwkeurigheid" and (told := told_text(child)):
                word = codes.read(told)
                found["accuracy"] = word or ""
                if word is None:
                    self._desk.tell(
                        "imkl-value-unmapped", child, "", last_word(told), " | ".join(codes.values)
                    )
                elif word and (codes.find(word) or "").casefold() != last_word(told).casefold():
                    self._desk.tell("imkl-value-coarser", child, "", last_word(told), word)
            elif child.local_name == "diepteAangrijpingspunt" and last_word(told_text(child)) != "bovenkant":
                self._desk.tell("imkl-value-unmapped", child, "", last_word(told_text(child)), "bovenkant")
        return found

    def _tell_others(self, element: Element, known: tuple[str, ...]) -> None:
        for child in element.children:
            told = told_text(child)
            if told and child.local_name not in {*known, *_IDENTITY}:
                self._desk.tell("imkl-element-unmapped", child, "", last_word(told))
            elif child.children and child.local_name not in {*known, *_IDENTITY}:
                self._desk.tell("imkl-element-unmapped", child, "", child.children[0].local_name)

    def _features(self, element: Element) -> Iterator[Feature]:
        kind = element.local_name
        if kind in _PARTS:
            return
        gml_id = element.attributes.get(GML_ID, "")
        own = Feature("", gml_id, line=element.line)
        self._desk.turn_to(own, kind)
        chosen = type_of(element, self._theme(element), self._table)
        if chosen is None:
            extra = self._extras.read(element)
            if extra is not None:
                yield self._named(extra, element)
            return
        feature = self._named(Feature(chosen.name, gml_id, line=element.line), element)
        self._desk.turn_to(feature, kind)
        feature_type = self.model.types[chosen.name]
        feature.attributes.update(chosen.attributes)
        self._values.fill(feature, feature_type, element.children, component=not chosen.lines)
        for name, value in chosen.otherwise.items():
            feature.attributes.setdefault(name, value)
        for name in chosen.told:
            self._desk.tell("imkl-value-unmapped", element, name, chosen.told[name], "")
        self._fill_depth(feature, element)
        self._fill_extras(feature, element)
        if chosen.lines:
            yield from self._lines(feature, element, chosen)
        else:
            self._fill_footprint(feature, element)
            self._values.fill_voids(feature, feature_type, element)
            yield feature

    def _theme(self, element: Element) -> str:
        for child, target in targets(element.children, "inNetwork"):
            network = self._store.find(target)
            if network is not None:
                return str(network.content.get("theme", ""))
            self._desk.tell("imkl-reference-missing", child, "", target)
        return ""

    def _named(self, feature: Feature, element: Element) -> Feature:
        """The feature under LER's identifier; who its owner is by it."""
        owner, gml_id = read_id(feature.gml_id)
        prefix = (
            owner
            or feature.gml_id.partition(".")[0] + "." + feature.gml_id.partition(".")[2].partition(".")[0]
        )
        if not self._first_owner:
            self._first_owner = prefix
            self.stated_owner = owner if len(owner) == _OWNER_LETTERS and owner.isdecimal() else None
        elif prefix != self._first_owner:
            self.stated_owner = None
            self._desk.tell("imkl-owners-mixed", element, "gml:id", prefix, self._first_owner)
        return replace(feature, gml_id=gml_id)

    def _fill_depth(self, feature: Feature, element: Element) -> None:
        found = []
        for child, target in targets(element.children, "dieptelegging"):
            depth = self._store.find(target)
            if depth is None:
                self._desk.tell("imkl-reference-missing", child, "", target)
            elif (
                depth.kind != _DEPTH
            ):  # DiepteNAP is a height above the Dutch zero, which nothing here converts
                self._desk.tell("imkl-value-unmapped", child, "", depth.kind, _DEPTH)
            elif depth.content.get("depth_mm") is not None:
                found.append(
                    (float(depth.content["depth_mm"]), str(depth.content.get("accuracy", "")), child)
                )
        if not found:
            return
        found.sort(key=lambda one: one[0])
        feature.attributes["vejledendeDybde"] = found[0][0]
        if found[0][1]:
            feature.attributes["noejagtighedsklasseVertikal"] = found[0][1]
        for depth_mm, _, child in found[1:]:
            self._desk.tell("imkl-value-unmapped", child, "", f"{depth_mm:g} mm", "1 × vejledendeDybde")

    def _fill_extras(self, feature: Feature, element: Element) -> None:
        attachments = []
        for child, target in targets(element.children, "heeftExtraInformatie"):
            extra = self._store.find(target)
            if extra is None:
                self._desk.tell("imkl-reference-missing", child, "", target)
            elif extra.kind == "ExtraDetailinfo":
                attachments.append(read_id(target)[1])
        if attachments:
            feature.attributes["bilag"] = list(attachments)

    def _fill_footprint(self, feature: Feature, element: Element) -> None:
        feature.geometry = self._place(element, "geometry")
        for child, target in targets(element.children, "extraGeometrie"):
            footprint = self._store.find(target)
            if footprint is None:
                self._desk.tell("imkl-reference-missing", child, "", target)
            elif footprint.shape is not None:
                feature.geometry = footprint.shape

    def _lines(self, feature: Feature, element: Element, chosen: LerType) -> Iterator[Feature]:
        """The feature on its course; a course in pieces is as many features, numbered as in our own GML."""
        courses: list[shapely.LineString] = []
        for child, target in targets(element.children, "link"):
            link = self._store.find(target)
            if link is None:
                self._desk.tell("imkl-reference-missing", child, "", target)
                continue
            if isinstance(link.shape, shapely.LineString):
                courses.append(link.shape)
            self._fill_ends(feature, link.content, child)
        self._fill_contents(feature, element, chosen)
        self._values.fill_voids(feature, self.model.types[feature.type], element)
        if chosen.name == "Ledningstrace":
            yield replace(feature, geometry=shapely.MultiLineString(courses) if courses else None)
            return
        pieces = _joined(courses)
        yield replace(feature, geometry=pieces[0] if pieces else None)
        for number, piece in enumerate(pieces[1:], start=2):
            yield replace(feature, gml_id=f"{feature.gml_id}_{number}", geometry=piece)

    def _fill_ends(self, feature: Feature, content: dict[str, object], child: Element) -> None:
        for name, attribute in (("startNode", "startkomponent"), ("endNode", "slutkomponent")):
            target = content.get(name)
            if target is None:
                continue
            if self._store.find(str(target), use=False) is None:
                self._desk.tell("imkl-reference-missing", child, name, str(target))
            else:
                feature.attributes[attribute] = read_id(str(target))[1]

    def _fill_contents(self, feature: Feature, element: Element, chosen: LerType) -> None:
        contained = []
        for name in ("cables", "ducts", "pipes"):
            for child, target in targets(element.children, name):
                if self._store.find(target, use=False) is None:
                    self._desk.tell("imkl-reference-missing", child, "", target)
                elif name == "ducts":  # a trace holds lines only
                    self._desk.tell("imkl-value-unmapped", child, "", target, "Ledning")
                elif chosen.contains:
                    contained.append(read_id(target)[1])
                else:
                    self._desk.tell("imkl-element-unmapped", child, "", target)
        if contained:
            feature.attributes["indeholdtLedning"] = list(contained)


_IDENTITY: Final = frozenset({"identificatie", "beginLifespanVersion", "inNetwork"})


def _joined(lines: list[shapely.LineString]) -> list[shapely.LineString]:
    """Lines that begin where the one before ends, as one."""
    found: list[shapely.LineString] = []
    for line in lines:
        if found:
            before, after = (shapely.get_coordinates(one, include_z=True) for one in (found[-1], line))
            if np.array_equal(before[-1, :2], after[0, :2]):
                found[-1] = shapely.LineString(np.concatenate([before, after[1:]]))
                continue
        found.append(line)
    return found
