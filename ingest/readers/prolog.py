"""The first look at an XML file: that it is XML, in an encoding we trust, without a DOCTYPE, and what its root is.

Expat reads up to the root's start tag and stops. Any DOCTYPE is refused here, before a parser that knows entities
sees a byte: entities have no use in GML and are the road of every known attack (external files, expansion bombs).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.parsers import expat

from ler.errors import RefusedError

MAX_PROLOG_BYTES: Final = 1 << 20
"""A root's start tag further in than this is not an honest file."""

_CHUNK: Final = 1 << 16
_SEPARATOR: Final = " "
_ENCODINGS: Final = frozenset({"utf-8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "iso-8859-1"})


class UnreadableFileError(RefusedError):
    """The file cannot be read at all; nothing after the place can be trusted. `line` is 0 where none can be given."""

    def __init__(self, code: str, message: str, line: int = 0) -> None:
        super().__init__(code, message if line == 0 else f"line {line}: {message}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Prolog:
    """What stands before the content: the root's namespace, local name and attributes."""

    namespace: str
    name: str
    attributes: dict[str, str]


class _RootReached(Exception):  # noqa: N818 - a signal to stop reading, not an error
    def __init__(self, prolog: Prolog) -> None:
        super().__init__()
        self.prolog = prolog


def read_prolog(path: Path) -> Prolog:
    """Return the root of the XML file without reading further. UnreadableFileError says why it cannot be done."""
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)

    def refuse_doctype(*_: object) -> None:
        raise UnreadableFileError(
            "xml-doctype-forbidden",
            "the file has a DOCTYPE; LER GML needs none, and none is accepted: remove it",
            parser.CurrentLineNumber,
        )

    def check_declaration(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            raise UnreadableFileError(
                "encoding-unsupported",
                f"the encoding {encoding!r} is not supported: save the file as UTF-8",
                parser.CurrentLineNumber,
            )

    def stop_at_root(name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(_SEPARATOR)
        raise _RootReached(Prolog(namespace, local, attributes))

    parser.XmlDeclHandler = check_declaration
    parser.StartDoctypeDeclHandler = refuse_doctype
    parser.StartElementHandler = stop_at_root
    try:
        _feed(parser, path)
    except _RootReached as reached:
        return reached.prolog
    except expat.ExpatError as error:
        raise UnreadableFileError(
            "xml-not-well-formed", f"this is not XML: {expat.ErrorString(error.code)}", error.lineno
        ) from None
    raise UnreadableFileError("xml-limit", f"no element within the first {MAX_PROLOG_BYTES // 1024} KiB")


def _feed(parser: expat.XMLParserType, path: Path) -> None:
    with path.open("rb") as stream:
        for _ in range(MAX_PROLOG_BYTES // _CHUNK):
            chunk = stream.read(_CHUNK)
            parser.Parse(chunk, not chunk)
