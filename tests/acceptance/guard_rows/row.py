"""How the guard test calls one route."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from tests.service import Service

type Make = Callable[[Service, UUID, str], dict[str, str]]
"""Makes, with a token of an organisation, what an address names; returns the values of its placeholders."""


@dataclass(frozen=True)
class Row:
    """How a route is called, and what whose thing it is is answered."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    json: dict[str, object] | None = None
    content: bytes | None = None
    query: dict[str, str] = field(default_factory=dict)
    make: Make | None = None
    """None: the address names nothing of anybody's."""
    files: dict[str, tuple[str, bytes, str]] | None = None
    """Parts of a form: name of the file, content, media type."""

    shared: bool = False
    """Whether every organisation may see what the address names, so that whose it is is no secret."""

    @property
    def personal(self) -> bool:
        """Whether the address names something that others must not find."""
        return self.make is not None and not self.shared
