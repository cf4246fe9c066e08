"""The identifiers of a file and the references to them, in 8 bytes each however long they are.

Only their hashes are kept. A hash that stands twice, or a reference that no identifier meets, is looked up by reading
the file once more, which gives the texts and their places; a file without such faults is read once.
"""

from array import array
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from ingest.hashes import FewOfMany, met, sort_hashes, twice
from ingest.readers.xml_stream import Element, XmlStream
from ler.model import NAMESPACES

GML_ID: Final = f"{NAMESPACES['gml']}}}id"
HREF: Final = f"{NAMESPACES['xlink']}}}href"


class Lapse(NamedTuple):
    """One identifier that stands twice, or one reference that leads nowhere."""

    element: Element
    name: str
    gml_id: str
    """Of the feature that it stands in."""
    duplicate: bool


class Identifiers:
    """Takes note of every identifier and reference; `lapses` then tells which do not fit together."""

    def __init__(self) -> None:
        self._identifiers = array("q")
        self._references = array("q")

    def add(self, gml_id: str) -> None:
        """Take note of an identifier."""
        self._identifiers.append(hash(gml_id))

    def refer(self, gml_id: str) -> None:
        """Take note of a reference."""
        self._references.append(hash(gml_id))

    def lapses(self, path: Path, references: Collection[str]) -> Iterator[Lapse]:
        """Everything that does not fit together, in the order of the file; nothing can be added any more.

        `references` are the names of the elements that refer.
        """
        identifiers = sort_hashes(self._identifiers)
        targets = sort_hashes(self._references)
        missing = np.unique(targets[~met(targets, identifiers)])
        search = _Search(FewOfMany(twice(identifiers)), FewOfMany(missing), references)
        if not search.needed:
            return
        stream = XmlStream(path)
        for children in stream:
            for child in children:
                yield from search.look(child, "")
        yield from search.look(stream.root, "")


class _Search:
    def __init__(self, doubled: FewOfMany, missing: FewOfMany, references: Collection[str]) -> None:
        self._doubled = doubled
        self._missing = missing
        self._references = references
        self._seen: set[str] = set()

    @property
    def needed(self) -> bool:
        return bool(self._doubled or self._missing)

    def look(self, element: Element, gml_id: str) -> Iterator[Lapse]:
        own = element.attributes.get(GML_ID, "").strip()
        gml_id = gml_id or own
        if own and hash(own) in self._doubled:
            if own in self._seen:
                yield Lapse(element, own, own, duplicate=True)
            self._seen.add(own)
        if element.name in self._references:
            target = element.attributes.get(HREF, "").removeprefix("#")
            if target and hash(target) in self._missing:
                yield Lapse(element, target, gml_id, duplicate=False)
        for child in element.children:
            yield from self.look(child, gml_id)
