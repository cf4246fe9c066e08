"""DXF: blocks that hold blocks, counted before anything puts them in their places.

A drawing of a few kilobytes can stand for more lines than there is memory, by blocks inside blocks; one that holds
itself has no end. Only the groups that tell of blocks are looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from ingest.gate.limits import GateLimits
from ler.errors import RefusedError

_LONGEST_LINE: Final = 1 << 16
_KIND, _NAME, _COLUMNS, _ROWS = 0, 2, 70, 71
_MOST_BLOCKS: Final = 100_000
_NO_ENTITIES: Final = frozenset(
    {b"", b"SECTION", b"ENDSEC", b"BLOCK", b"ENDBLK", b"EOF", b"VERTEX", b"SEQEND"}
)


@dataclass(slots=True)
class _Block:
    """What a block, or the drawing itself, holds."""

    entities: int = 0
    inserts: dict[str, int] = field(default_factory=dict)
    """Copies of each block in it."""


def check_dxf(path: Path, limits: GateLimits) -> None:
    """Refuse `dxf-limit`, and text that is no DXF."""
    with path.open("rb") as stream:
        drawing = _Blocks()
        for code, value in _groups(stream):
            drawing.take(code, value)
        drawing.close_entity()
    _Expansion(drawing.blocks, limits).count("", 0)


def _groups(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    line = 0
    while True:
        code, value = stream.readline(_LONGEST_LINE), stream.readline(_LONGEST_LINE)
        line += 2
        if not code.strip() and not value:
            return
        if len(code) == _LONGEST_LINE or len(value) == _LONGEST_LINE:
            raise RefusedError("dxf-limit", f"line {line}: a line is longer than {_LONGEST_LINE >> 10} KiB")
        try:
            yield int(code), value.strip()
        except ValueError:
            raise RefusedError(
                "file-malformed", f"line {line - 1}: a group code is wanted: this is no DXF"
            ) from None


class _Blocks:
    """Every block by its name in capitals; the drawing itself has the empty name."""

    def __init__(self) -> None:
        self.blocks = {"": _Block()}
        self._here = ""
        self._section = b""
        self._start(b"")

    def _start(self, kind: bytes) -> None:
        """Begin an entity."""
        self._kind, self._name, self._columns, self._rows = kind, "", 1, 1

    def take(self, code: int, value: bytes) -> None:
        """Take one group. RefusedError."""
        if code == _KIND:
            self.close_entity()
            self._start(value)
            if value in {b"ENDBLK", b"ENDSEC"}:
                self._here = ""
        elif code == _NAME and self._kind == b"SECTION":
            self._section = value
        elif code == _NAME and self._kind == b"BLOCK" and self._section == b"BLOCKS":
            self._here = _capitals(value)
            self.blocks.setdefault(self._here, _Block())
            if len(self.blocks) > _MOST_BLOCKS:
                raise RefusedError("dxf-limit", f"more than {_MOST_BLOCKS:,} blocks")
        elif self._kind == b"INSERT":
            self._take_insert(code, value)

    def _take_insert(self, code: int, value: bytes) -> None:
        if code == _NAME:
            self._name = _capitals(value)
        elif code == _COLUMNS:
            self._columns = _copies(value)
        elif code == _ROWS:
            self._rows = _copies(value)

    def close_entity(self) -> None:
        """Count the entity that is over."""
        block = self.blocks[self._here]
        if self._kind == b"INSERT":
            block.inserts[self._name] = block.inserts.get(self._name, 0) + self._columns * self._rows
        elif self._section in {b"BLOCKS", b"ENTITIES"} and self._kind not in _NO_ENTITIES:
            block.entities += 1


def _capitals(name: bytes) -> str:
    return name.decode(errors="replace").upper()


def _copies(value: bytes) -> int:
    return max(1, int(value)) if value.lstrip(b"+-").isdigit() else 1


class _Expansion:
    """Counts entities with every block in its place."""

    def __init__(self, blocks: dict[str, _Block], limits: GateLimits) -> None:
        self._blocks = blocks
        self._limits = limits
        self._known: dict[str, tuple[int, int]] = {}
        self._open: set[str] = set()

    def count(self, name: str, depth: int) -> tuple[int, int]:
        """Entities of a block, and how deep blocks lie in it. RefusedError."""
        if name in self._known:
            return self._known[name]
        if name in self._open:
            raise RefusedError("dxf-limit", f"the block {name[:60]!r} holds itself")
        if depth > self._limits.max_dxf_depth:
            raise RefusedError(
                "dxf-limit", f"blocks lie more than {self._limits.max_dxf_depth} deep in each other"
            )
        block = self._blocks.get(name)
        if block is None:
            return 0, 0
        self._open.add(name)
        entities, deepest = block.entities, 0
        for inner, copies in block.inserts.items():
            each, below = self.count(inner, depth + 1)
            entities += copies * each
            deepest = max(deepest, below + 1)
        self._open.discard(name)
        if entities > self._limits.max_dxf_entities or deepest > self._limits.max_dxf_depth:
            raise RefusedError(
                "dxf-limit",
                f"with its blocks in place the drawing has more than {self._limits.max_dxf_entities:,} entities, or "
                f"blocks more than {self._limits.max_dxf_depth} deep: explode blocks, or send parts",
            )
        self._known[name] = entities, deepest
        return self._known[name]
