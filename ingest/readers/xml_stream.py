"""XML in constant memory: the root's children, each a small tree with the line and column of every element.

Expat parses; names are those of Clark notation without the opening brace. What no honest file has is refused with
`xml-limit` before it costs memory or time: deep nesting, huge tags, thousands of attributes or names, members without
end. Comments and processing instructions are passed over.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from xml.parsers import expat

from ingest.readers.prolog import UnreadableFileError, make_parser, not_well_formed

MAX_DEPTH: Final = 64
"""Elements inside each other; the deepest geometry of the model needs 17."""

MAX_TAG_BYTES: Final = 1 << 20
"""Largest tag; a longer attribute is no attribute of GML."""

MAX_ATTRIBUTES: Final = 32
MAX_NAMES: Final = 20_000
"""Different names of elements and attributes in one file; the model has 200."""

MAX_CHILD_BYTES: Final = 16 << 20
"""Largest child of the root: 100,000 vertices take a third of it."""

MAX_CHILD_ELEMENTS: Final = 150_000
"""Most elements in one child of the root: 100,000 vertices, each in an element of its own, and room."""

WHITE_SPACE: Final = " \t\r\n"

_CHUNK: Final = 1 << 16
_LOOKAHEAD: Final = 2 * _CHUNK
_OBJECTS_BETWEEN_COLLECTIONS: Final = 50_000
_CHILD_DEPTH: Final = 3
"""Open elements when a child of the root is: document, root, child."""


class Element:
    """One element: `text` is all text of an element without children, else the text between them if not blank."""

    __slots__ = ("attributes", "children", "column", "line", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str], line: int, column: int) -> None:
        self.name = name
        self.attributes = attributes
        self.line = line
        self.column = column
        self.text = ""
        self.children: list[Element] = []

    @property
    def local_name(self) -> str:
        """The name without its namespace."""
        return self.name.rpartition("}")[2]

    @property
    def stray_text(self) -> str:
        """Text where only elements may stand."""
        return self.text.strip(WHITE_SPACE)


class XmlStream:
    """Iterate over it once: each step gives the root's children that were completed by one more piece of the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = Element("", {}, 0, 0)
        """The root, known from the first step on; its children are given away."""
        self._parser = make_parser()
        self._parser.buffer_text = True
        self._parser.buffer_size = _CHUNK
        document = Element("", {}, 0, 0)
        self._open = [document]
        self._texts: list[str] = []
        start, end = self._handlers()
        self._parser.StartElementHandler = start
        self._parser.EndElementHandler = end
        self._parser.CharacterDataHandler = self._texts.append

    def __iter__(self) -> Iterator[list[Element]]:
        """Yield lists of complete children of the root. UnreadableFileError for XML that is broken or hostile."""
        fed = waiting = 0
        try:
            with self.path.open("rb") as stream, _rare_collections():
                while chunk := stream.read(_CHUNK):
                    self._parser.Parse(chunk, False)
                    fed += len(chunk)
                    children = self._take()
                    waiting = 0 if children else waiting + len(chunk)
                    self._check_limits(fed, waiting)
                    yield children
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise not_well_formed(error, self.path) from None
        yield self._take()

    def _handlers(self) -> tuple[Callable[[str, dict[str, str]], None], Callable[[str], None]]:
        """What expat calls at every tag: closures, since they are the busiest lines of the platform."""
        opened, texts, parser = self._open, self._texts, self._parser

        elements = 0

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal elements
            parent = opened[-1]
            if texts:
                parent.text += "".join(texts).strip(WHITE_SPACE)
                texts.clear()
            element = Element(name, attributes, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)
            parent.children.append(element)
            opened.append(element)
            depth = len(opened)
            elements = 0 if depth == _CHILD_DEPTH else elements + 1
            if depth > MAX_DEPTH or elements > MAX_CHILD_ELEMENTS or len(attributes) > MAX_ATTRIBUTES:
                raise _over_limit(element, depth, elements)

        def end(_: str) -> None:
            element = opened.pop()
            if texts:
                text = texts[0] if len(texts) == 1 else "".join(texts)
                texts.clear()
                element.text = element.text + text.strip(WHITE_SPACE) if element.children else text

        return start, end

    def _take(self) -> list[Element]:
        """The root's children that are complete, taken away from it."""
        if not self.root.name:
            if not self._open[0].children:
                return []
            self.root = self._open[0].children[0]
        children = self.root.children
        if len(self._open) < _CHILD_DEPTH:
            complete, self.root.children[:] = children.copy(), []
        else:
            complete, self.root.children[:-1] = children[:-1], []
        return complete

    def _check_limits(self, fed: int, waiting: int) -> None:
        here = self._parser.CurrentLineNumber
        if fed - self._parser.CurrentByteIndex > MAX_TAG_BYTES + _LOOKAHEAD:
            raise UnreadableFileError("xml-limit", f"a tag is larger than {MAX_TAG_BYTES >> 20} MiB", here)
        if len(self._parser.intern) > MAX_NAMES:
            raise UnreadableFileError("xml-limit", f"more than {MAX_NAMES:,} different names", here)
        if waiting > MAX_CHILD_BYTES:
            inside = self._open[-1].local_name
            code = "geometry-limit" if inside in {"posList", "pos"} else "xml-limit"
            raise UnreadableFileError(code, f"one member is larger than {MAX_CHILD_BYTES >> 20} MiB", here)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Let Python look for cycles less often: a tree has none, and the looking took a third of the time of a check."""
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _over_limit(element: Element, depth: int, elements: int) -> UnreadableFileError:
    if depth > MAX_DEPTH:
        told = f"more than {MAX_DEPTH} elements inside each other"
    elif elements > MAX_CHILD_ELEMENTS:
        told = f"a member has more than {MAX_CHILD_ELEMENTS:,} elements"
    else:
        told = f"an element has more than {MAX_ATTRIBUTES} attributes"
    return UnreadableFileError("xml-limit", told, element.line, element.column)
