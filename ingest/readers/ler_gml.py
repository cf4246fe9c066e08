"""LER GML in: an owner's file, feature by feature, in constant memory.

The root's children are read as soon as they are complete and then dropped, so that the largest single member, not the
file, decides how much memory is used.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ingest.findings import Findings, Severity
from ingest.readers.gml_attributes import AttributeFault, check_root, check_value
from ingest.readers.gml_feature import FeatureReader
from ingest.readers.gml_geometry import Coverage
from ingest.readers.identifiers import GML_ID
from ingest.readers.prolog import Prolog, UnreadableFileError, read_prolog
from ingest.readers.type_table import TypeTable, plain
from ingest.readers.xml_stream import Element, XmlStream
from ler.model import ANSWER, NAMESPACES, VERSIONS, Feature, Kind, Model, load_model

_LER: Final = f"{NAMESPACES['ler']}}}"
_GML: Final = f"{NAMESPACES['gml']}}}"
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_IDENTIFIER: Final = _GML + "identifier"
_NAME: Final = _GML + "name"
_NAMESPACE_1: Final = "http://data.gov.dk/schemas/LER/1/gml"
_VERSION: Final = "schemaVersion"
_ROOT_ATTRIBUTES: Final = frozenset({GML_ID, _VERSION})
_MEMBER_ATTRIBUTES: Final = frozenset({"owns"})


class LerGmlReader:
    """Iterate over it once to get the features; then `header` and `findings` are complete.

    Raises UnreadableFileError, at construction or while iterating, when the file cannot be read at all: not XML, a
    DOCTYPE, another root, a version of the model that we do not know, a file that breaks off. `version` reads the
    file by that version of the model, whatever it says itself.
    """

    def __init__(self, path: Path, *, coverage: Coverage, version: str | None = None) -> None:
        self.path = path
        self.findings = Findings()
        prolog = read_answer_prolog(path)
        self.model = load_model(version) if version else _model_of(prolog)
        self.header = Feature(ANSWER, "")
        self.stated_owner: str | None = None
        """CVR number that the file itself names, as the platform's own packages do."""
        self.stated_name: str | None = None
        """Name of the owner that the file itself gives."""
        self._states_version = _VERSION in prolog.attributes
        self._features = FeatureReader(self.model, coverage, self.findings)
        members = self.model.members.items()
        self._members = {_LER + name: (place, wanted) for place, (name, wanted) in enumerate(members)}
        self._tables = {
            plain(table.feature_type.tag): table
            for table in self._features.tables.values()
            if not table.feature_type.abstract
        }
        self._reached = -1
        self._header_elements: list[Element] | None = []

    def __iter__(self) -> Iterator[Feature]:
        """Yield the features in the order of the file."""
        stream = XmlStream(self.path)
        for children in stream:
            features = [feature for child in children if (feature := self._read_child(child, stream.root))]
            self._features.geometries.flush()
            yield from features
        self._close_header(stream.root)
        self._features.geometries.flush()
        self._check_root(stream.root)
        self._check_identifiers()
        self.findings.sort()

    def _read_child(self, child: Element, root: Element) -> Feature | None:
        member = self._members.get(child.name)
        if member is None:
            self._read_header_child(child)
            return None
        if self._header_elements is not None:
            self._close_header(root)
        place, wanted = member
        if place < self._reached:
            self._features.report("element-misplaced", child, child.local_name)
        self._reached = max(place, self._reached)
        return self._read_member(child, wanted)

    def _read_member(self, child: Element, wanted: str) -> Feature | None:
        if child.attributes:
            self._check_attributes(child, _MEMBER_ATTRIBUTES)
        table = self._tables.get(child.children[0].name) if len(child.children) == 1 else None
        if table is None or not table.feature_type.is_a(wanted) or child.text:
            found = ", ".join(element.local_name for element in child.children[:3])
            self._features.report("member-wrong", child, child.local_name, found or child.stray_text, wanted)
            return None
        return self._features.read(child.children[0], table)

    def _read_header_child(self, child: Element) -> None:
        if self._header_elements is None:
            self._features.report("element-misplaced", child, child.local_name)
            return
        if child.name == _IDENTIFIER and child.attributes.get("codeSpace") == "CVR":
            self.stated_owner = child.text
        elif child.name == _NAME:
            self.stated_name = child.text
        self._header_elements.append(child)

    def _close_header(self, root: Element) -> None:
        """Everything before the first member is there: read it."""
        if self._header_elements is None:
            return
        elements, self._header_elements = self._header_elements, None
        self.header.gml_id = root.attributes.get(GML_ID, "")
        self.header.line = root.line
        own = Element(root.name, root.attributes, root.line, root.column)
        table: TypeTable = self._features.tables[ANSWER]
        self._features.kept_standard = frozenset({_IDENTIFIER, _NAME})
        self._features.fill(self.header, elements, table, own)
        self._features.kept_standard = frozenset()
        given = self.header.attributes.get("id")
        if given is not None and not _UUID.fullmatch(str(given)):
            self._features.report("idRestriktion", root, "id", str(given), "UUID")

    def _check_root(self, root: Element) -> None:
        self._features.turn_to(self.header)
        self._check_attributes(root, _ROOT_ATTRIBUTES)
        if GML_ID in root.attributes:
            self._features.take_identifier(root, root.attributes[GML_ID])
        if not self._states_version:
            self._features.report("version-missing", root, _VERSION, "", self.model.version)
        if root.stray_text:
            self._features.report("text-misplaced", root, root.local_name, root.stray_text)

    def _check_attributes(self, element: Element, own: frozenset[str]) -> None:
        try:
            check_root(element, own)
            for name, value in element.attributes.items():
                check_value(name, value)
        except AttributeFault as fault:
            self._features.report(fault.code, element, element.local_name, fault.found, fault.wanted)

    def _check_identifiers(self) -> None:
        references = {
            plain(attribute.tag)
            for feature_type in self.model.types.values()
            for attribute in feature_type.attributes
            if attribute.kind is Kind.REFERENCE
        }
        for lapse in self._features.identifiers.lapses(self.path, references):
            self._features.turn_to(Feature("", lapse.gml_id))
            if lapse.duplicate:
                self._features.report("id-duplicate", lapse.element, "gml:id", lapse.name)
            else:
                attribute = lapse.element.local_name
                self._features.report("ManglendeGmlIdHenvisningRule", lapse.element, attribute, lapse.name)

    @property
    def readable(self) -> bool:
        """Whether nothing was found that keeps the file out."""
        return not any(severity is Severity.ERROR for severity, _ in self.findings.counts)


def read_answer_prolog(path: Path) -> Prolog:
    """The root of a file that must be an answer of LER 2."""
    prolog = read_prolog(path)
    if prolog.namespace == _NAMESPACE_1:
        raise UnreadableFileError(
            "version-unsupported", "this is LER 1; files of LER 2.0.0 to 2.2.0 are read"
        )
    if (prolog.namespace, prolog.name) != (NAMESPACES["ler"], ANSWER):
        raise UnreadableFileError(
            "format-not-supported",
            f"the root is {prolog.name[:60]!r} in namespace {prolog.namespace[:60]!r}, "
            f"wanted {ANSWER!r} in {NAMESPACES['ler']!r}: an LER GML answer",
        )
    return prolog


def _model_of(prolog: Prolog) -> Model:
    """The version of the model that a file says it follows."""
    stated = prolog.attributes.get(_VERSION)
    if stated is None:
        raise UnreadableFileError(
            "version-missing", "the root has no schemaVersion; write schemaVersion='2.2.0'"
        )
    version = next((v for v in reversed(VERSIONS) if stated in {v, v.removesuffix(".0")}), None)
    if version is None:
        known = ", ".join(VERSIONS)
        raise UnreadableFileError(
            "version-unsupported", f"schemaVersion is {stated[:40]!r}; known versions: {known}"
        )
    return load_model(version)
