"""The first look at an XML file: that it is XML, in an encoding we trust, without a DOCTYPE, and what its root is.

Expat reads up to the root's start tag and stops. Any DOCTYPE is refused: entities have no use in GML and are the road
of every known attack (external files, expansion bombs). The parser made here refuses it for the whole file.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.parsers import expat

from ler.errors import RefusedError

MAX_PROLOG_BYTES: Final = 1 << 20
"""A root's start tag further in than this is not an honest file."""

SEPARATOR: Final = "}"
"""Stands between namespace and local name: a name is that of Clark notation without the opening brace."""

_CHUNK: Final = 1 << 16
_UTF_8: Final = "utf-8"
_ENCODINGS: Final = frozenset({_UTF_8, "utf-16", "utf-16le", "utf-16be", "us-ascii", "iso-8859-1"})


class UnreadableFileError(RefusedError):
    """The file cannot be read at all; nothing after the place can be trusted. `line` is 0 where none can be given."""

    def __init__(self, code: str, message: str, line: int = 0, column: int = 0) -> None:
        at = f"line {line}, column {column}: " if column else f"line {line}: " if line else ""
        super().__init__(code, at + message)
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Prolog:
    """What stands before the content: the root's namespace, local name and attributes."""

    namespace: str
    name: str
    attributes: dict[str, str]
    namespaces: frozenset[str] = frozenset()
    """Those that the root declares."""


class _RootReached(Exception):  # noqa: N818 - a signal to stop reading, not an error
    def __init__(self, prolog: Prolog) -> None:
        super().__init__()
        self.prolog = prolog


def make_parser() -> expat.XMLParserType:
    """Return a parser with namespaces that refuses a DOCTYPE and encodings that we do not trust."""
    parser = expat.ParserCreate(namespace_separator=SEPARATOR)

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

    parser.XmlDeclHandler = check_declaration
    parser.StartDoctypeDeclHandler = refuse_doctype
    return parser


def read_prolog(path: Path) -> Prolog:
    """Return the root of the XML file without reading further. UnreadableFileError says why it cannot be done."""
    parser = make_parser()
    declared: set[str] = set()

    def stop_at_root(name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(SEPARATOR)
        raise _RootReached(Prolog(namespace, local, attributes, frozenset(declared)))

    parser.StartNamespaceDeclHandler = lambda _prefix, uri: declared.add(uri or "")
    parser.StartElementHandler = stop_at_root
    try:
        _feed(parser, path)
    except _RootReached as reached:
        return reached.prolog
    except expat.ExpatError as error:
        raise not_well_formed(error, path, "this is not XML") from None
    raise UnreadableFileError("xml-limit", f"no element within the first {MAX_PROLOG_BYTES // 1024} KiB")


def not_well_formed(
    error: expat.ExpatError, path: Path, told: str = "the XML is broken"
) -> UnreadableFileError:
    """Say what the parser stumbled over: bytes of another encoding, or markup."""
    reason = expat.ErrorString(error.code)
    line, column = error.lineno, error.offset + 1
    if reason == expat.errors.XML_ERROR_INVALID_TOKEN and (offset := _wrong_byte(path, error)) is not None:
        return UnreadableFileError(
            "encoding-invalid",
            f"byte {offset} of the file is not UTF-8: save the file as UTF-8",
            line,
            column,
        )
    if reason in {expat.errors.XML_ERROR_INCORRECT_ENCODING, expat.errors.XML_ERROR_UNKNOWN_ENCODING}:
        return UnreadableFileError(
            "encoding-invalid", "the file is not in the encoding that it states: save it as UTF-8", line
        )
    return UnreadableFileError("xml-not-well-formed", f"{told}: {reason}", line, column)


def _wrong_byte(path: Path, error: expat.ExpatError) -> int | None:
    """Offset of the first byte on the line of the error that is not UTF-8."""
    before = 0
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if number == error.lineno:
                try:
                    line.decode(_UTF_8)
                except UnicodeDecodeError as wrong:
                    return before + wrong.start
                return None
            before += len(line)
    return None


def _feed(parser: expat.XMLParserType, path: Path) -> None:
    with path.open("rb") as stream:
        for _ in range(MAX_PROLOG_BYTES // _CHUNK):
            chunk = stream.read(_CHUNK)
            parser.Parse(chunk, not chunk)
