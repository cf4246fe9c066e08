"""A YAML document as entries that know their line and key, so that every refusal can name its place.

Every scalar is kept as the text that stands in the file: an owner's code `no` or `01` is that, not a truth value or a
number. Refused are aliases and anchors (they can blow a small file up), tags, keys that stand twice, and a document
that is larger or deeper than a mapping ever is.
"""

from dataclasses import dataclass
from typing import Final

import yaml

from ler.errors import RefusedError

MAX_BYTES: Final = 1 << 20
_DEEPEST: Final = 12
_MOST_NODES: Final = 100_000
_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})
_PLAIN_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "value")
)


class MappingFaultError(RefusedError):
    """A mapping cannot be used; the message says at which line and key, and what would do."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__("mapping-invalid", f"{place}: {message}" if place else message)


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of the document: a text, nothing (None), a list or a table of entries."""

    value: "str | list[Entry] | dict[str, Entry] | None"
    path: str
    line: int
    file: str

    def fault(self, message: str) -> MappingFaultError:
        """Return the refusal of this entry."""
        key = f", {self.path}" if self.path else ""
        return MappingFaultError(f"{self.file}, line {self.line}{key}", message)

    def table(self) -> "dict[str, Entry]":
        """The entries by key. Raises MappingFaultError for anything else."""
        if isinstance(self.value, dict):
            return self.value
        raise self.fault("wanted a table of keys and values")

    def only(self, *keys: str) -> "dict[str, Entry]":
        """The entries by key, none but the named ones. Raises MappingFaultError."""
        table = self.table()
        for key, entry in table.items():
            if key not in keys:
                raise entry.fault(f"unknown key; known here: {', '.join(keys)}")
        return table

    def items(self) -> "list[Entry]":
        """The entries of a list; a single value is a list of one."""
        if isinstance(self.value, list):
            return self.value
        return [self]

    def text(self) -> str:
        """The text. Raises MappingFaultError for anything else, and for nothing."""
        if isinstance(self.value, str):
            return self.value
        raise self.fault("wanted a text")

    def texts(self) -> tuple[str, ...]:
        """The texts of a list, or one text. Raises MappingFaultError."""
        return tuple(item.text() for item in self.items())

    def number(self) -> float:
        """The number. Raises MappingFaultError."""
        try:
            number = float(self.text())
        except ValueError:
            raise self.fault("wanted a number with a decimal point") from None
        if number - number != 0:
            raise self.fault("wanted a finite number")
        return number

    def truth(self) -> bool:
        """Whether true or false. Raises MappingFaultError."""
        if self.value in {"true", "false"}:
            return self.value == "true"
        raise self.fault("wanted true or false")

    def one_of(self, *values: str) -> str:
        """The text, one of those. Raises MappingFaultError."""
        if self.text() not in values:
            raise self.fault(f"wanted one of: {', '.join(values)}")
        return self.text()


def read_document(text: str, file: str) -> Entry:
    """Return the root of a YAML document. Raises MappingFaultError."""
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise MappingFaultError(file, f"larger than {MAX_BYTES >> 20} MiB")
    try:
        _refuse_anchors(text, file)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise MappingFaultError(f"{file}{line}", f"not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError:
        raise MappingFaultError(file, "not YAML: it has a character that YAML does not allow") from None
    if node is None:
        raise MappingFaultError(file, "the file is empty")
    return _entry(node, "", file)


def _refuse_anchors(text: str, file: str) -> None:
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        place = f"{file}, line {event.start_mark.line + 1 if event.start_mark else 1}"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise MappingFaultError(place, "anchors and aliases are not allowed; write the value out")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST or count > _MOST_NODES:
            raise MappingFaultError(place, "deeper or longer than a mapping ever is")


def _entry(node: yaml.Node, path: str, file: str) -> Entry:
    line = node.start_mark.line + 1
    if node.tag not in _PLAIN_TAGS:
        raise MappingFaultError(f"{file}, line {line}", f"the tag {node.tag} is not allowed")
    if isinstance(node, yaml.MappingNode):
        return Entry(_table(node, path, file), path, line, file)
    if isinstance(node, yaml.SequenceNode):
        items = [_entry(item, f"{path}[{at}]", file) for at, item in enumerate(node.value)]
        return Entry(items, path, line, file)
    nothing = isinstance(node, yaml.ScalarNode) and node.style is None and node.value in _NOTHING
    return Entry(None if nothing else str(node.value), path, line, file)


def _table(node: yaml.MappingNode, path: str, file: str) -> dict[str, Entry]:
    table: dict[str, Entry] = {}
    for key, value in node.value:
        place = f"{file}, line {key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode):
            raise MappingFaultError(place, "a key must be a text")
        name = str(key.value)
        if name in table:
            raise MappingFaultError(place, f"the key {name} stands twice")
        table[name] = _entry(value, f"{path}.{name}" if path else name, file)
    return table
