"""What a collection needs so that its features can be edited."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shapely.geometry.base import BaseGeometry
from sqlalchemy.engine import Connection

from ler.domain.access import Scope
from ler.services.principals import Principal
from ler.settings import Settings

type Values = Mapping[str, Any]
"""The properties of a feature, by the names that the collection has for them."""


@dataclass(frozen=True, slots=True)
class Acting:
    """Who edits, and where it is done."""

    connection: Connection
    caller: Principal
    settings: Settings


class Editor(Protocol):
    """Edits the features of one collection; each raises LerErrors that name what is wrong, and changes nothing then."""

    scope: Scope
    """What a caller needs."""
    writable: frozenset[str]
    """The properties that a caller may say; of others of the collection what is sent is passed over."""

    def create(self, acting: Acting, values: Values, geometry: BaseGeometry) -> str:
        """Enter a feature, geometry in EPSG:25832; return its id."""

    def replace(
        self, acting: Acting, item: str, values: Values, geometry: BaseGeometry, version: int
    ) -> None:
        """Say a feature anew, all of it."""

    def change(
        self, acting: Acting, item: str, patch: Values, geometry: BaseGeometry | None, version: int
    ) -> None:
        """Change what a merge patch names; the place when one is given."""

    def end(self, acting: Acting, item: str, version: int) -> None:
        """Take a feature away."""
