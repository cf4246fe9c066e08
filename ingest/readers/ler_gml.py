"""LER GML in: an owner's file, feature by feature, in constant memory.

The file is fed to lxml in chunks; after each, the root's finished children are read and dropped, so that the largest
single member, not the file, decides how much memory is used.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lxml import etree

from ingest.findings import Finding, Findings, Severity
from ingest.readers.gml_feature import Coverage, FeatureReader
from ingest.readers.gml_geometry import line_of
from ingest.readers.prolog import UnreadableFileError, read_prolog
from ler.model import ANSWER, NAMESPACES, VERSIONS, Feature, Model, load_model

MAX_MEMBER_BYTES: Final = 32 << 20
"""Largest single member of a file: 100,000 vertices take a third of it."""

_CHUNK: Final = 1 << 18
_LER: Final = "{" + NAMESPACES["ler"] + "}"
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_IDENTIFIER: Final = "{" + NAMESPACES["gml"] + "}identifier"
_NAME: Final = "{" + NAMESPACES["gml"] + "}name"
_NAMESPACE_1: Final = "http://data.gov.dk/schemas/LER/1/gml"


class LerGmlReader:
    """Iterate over it once to get the features; then `header` and `findings` are complete.

    Raises UnreadableFileError, at construction or while iterating, when the file cannot be read at all: not XML, a
    DOCTYPE, another root, a version of the model that we do not know, a file that breaks off.
    """

    def __init__(self, path: Path, *, coverage: Coverage) -> None:
        self.path = path
        self.findings = Findings()
        self.model = _model_of(path)
        self.header = Feature(ANSWER, "")
        self.stated_owner: str | None = None
        """CVR number that the file itself names, as the platform's own packages do."""
        self._features = FeatureReader(self.model, coverage, self.findings)
        self._members = list(self.model.members.items())
        self._reached = -1
        self._header_elements: list[etree._Element] | None = []

    def __iter__(self) -> Iterator[Feature]:
        """Yield the features in the order of the file."""
        for child in self._children():
            feature = self._read_child(child)
            if feature is not None:
                yield feature
        self._close_header()
        self._features.check_references()

    def _children(self) -> Iterator[etree._Element]:
        """The root's child elements, each given away when it is complete."""
        root: etree._Element | None = None
        waiting = 0
        for chunk, parser in self._chunks():
            if root is None:
                root = next((element for _, element in parser.read_events()), None)
                if root is None:
                    continue
                self._start(root)
            waiting += len(chunk)
            last = 0 if not chunk else 1  # while the file goes on, the last child may still be growing
            while len(root) > last:
                child = root[0]
                yield child
                root.remove(child)
                waiting = 0
            if waiting > MAX_MEMBER_BYTES:
                raise UnreadableFileError(
                    "xml-limit", f"one member is larger than {MAX_MEMBER_BYTES >> 20} MiB"
                )

    def _chunks(self) -> Iterator[tuple[bytes, etree.XMLPullParser]]:
        """Each chunk after the parser has taken it; an empty one at the end of the file."""
        parser = etree.XMLPullParser(
            events=("start",),
            tag=_LER + ANSWER,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            with self.path.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    parser.feed(chunk)
                    yield chunk, parser
            parser.close()
            yield b"", parser
        except etree.XMLSyntaxError as error:
            line, _ = error.position
            raise UnreadableFileError(
                "xml-not-well-formed", f"the XML is broken: {error.msg}", line
            ) from None

    def _start(self, root: etree._Element) -> None:
        self.header.gml_id = root.get("{" + NAMESPACES["gml"] + "}id", "")
        self.header.line = line_of(root)

    def _read_child(self, child: etree._Element) -> Feature | None:
        position = next((i for i, (name, _) in enumerate(self._members) if child.tag == _LER + name), None)
        if position is None:
            self._read_header_child(child)
            return None
        self._close_header()
        if position < self._reached:
            name = self._members[position][0]
            self._features.report("element-misplaced", f"{name} stands too late: the order is fixed", child)
        self._reached = max(position, self._reached)
        return self._read_member(child, self._members[position][1])

    def _read_member(self, child: etree._Element, wanted: str) -> Feature | None:
        elements = list(child)
        feature_type = self.model.by_tag.get(str(elements[0].tag)) if len(elements) == 1 else None
        if feature_type is None or feature_type.abstract or not feature_type.is_a(wanted):
            found = ", ".join(etree.QName(element).localname for element in elements) or "nothing"
            self._features.report("member-wrong", f"one {wanted} wanted here, found {found}", child)
            return None
        return self._features.read(elements[0], feature_type)

    def _read_header_child(self, child: etree._Element) -> None:
        if child.tag == _IDENTIFIER and child.get("codeSpace") == "CVR":
            self.stated_owner = child.text
        elif child.tag == _NAME:
            pass  # the owner's name, which the register knows
        elif self._header_elements is None:
            name = etree.QName(child).localname
            self._features.report("element-misplaced", f"{name} may not stand after the members", child)
        else:
            self._header_elements.append(child)

    def _close_header(self) -> None:
        if self._header_elements is not None:
            self._features.fill(self.header, self._header_elements, self.model.answer)
            self._header_elements = None
            self._check_answer_id()

    def _check_answer_id(self) -> None:
        given = self.header.attributes.get("id")
        if given is not None and not _UUID.fullmatch(str(given)):
            message = f"the answer's id is {given!r}, wanted a UUID (ITU-T X.667)"
            self.findings.add(Finding("idRestriktion", message, self.header.line, self.header.gml_id))

    @property
    def readable(self) -> bool:
        """Whether nothing was found that keeps the file out."""
        return not any(severity is Severity.ERROR for severity, _ in self.findings.counts)


def _model_of(path: Path) -> Model:
    """The version of the model that a file says it follows."""
    prolog = read_prolog(path)
    if prolog.namespace == _NAMESPACE_1:
        raise UnreadableFileError(
            "version-unsupported", "this is LER 1; files of LER 2.0.0 to 2.2.0 are read"
        )
    if (prolog.namespace, prolog.name) != (NAMESPACES["ler"], ANSWER):
        raise UnreadableFileError(
            "format-not-supported",
            f"the root is {prolog.name!r} in namespace {prolog.namespace!r}, "
            f"wanted {ANSWER!r} in {NAMESPACES['ler']!r}: an LER GML answer",
        )
    stated = prolog.attributes.get("schemaVersion")
    if stated is None:
        raise UnreadableFileError(
            "version-missing", "the root has no schemaVersion; write schemaVersion='2.2.0'"
        )
    version = next((v for v in reversed(VERSIONS) if stated in {v, v.removesuffix(".0")}), None)
    if version is None:
        known = ", ".join(VERSIONS)
        raise UnreadableFileError(
            "version-unsupported", f"schemaVersion is {stated!r}; known versions: {known}"
        )
    return load_model(version)
