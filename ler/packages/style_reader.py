"""Takes typed values out of the style source, and says which entry is wrong."""

import math
import unicodedata
from dataclasses import dataclass
from typing import Literal, Self, cast

from ler.errors import InputError
from ler.packages.colours import is_colour

type Language = Literal["da", "en"]
type Table = dict[str, object]


class Reader:
    """Takes typed values out of one TOML table and says where one is wrong."""

    def __init__(self, table: object, place: str) -> None:
        if not isinstance(table, dict):
            raise InputError(f"Style source: {place} is not a table.")
        self.table = cast("Table", table)
        self.place = place

    def text(self, key: str) -> str:
        """A text that is not empty, NFC."""
        value = self.table.get(key)
        if not isinstance(value, str) or not value:
            raise InputError(f"Style source: {self.place}.{key} is not a text.")
        return unicodedata.normalize("NFC", value)

    def number(self, key: str) -> float:
        """A number from 0 up."""
        return self._number(self.table.get(key), key)

    def numbers(self, key: str) -> tuple[float, ...]:
        """A list of such numbers."""
        return tuple(self._number(item, key) for item in self.items(key))

    def _number(self, value: object, key: str) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 <= (number := float(cast("float", value))) < math.inf:
            raise InputError(f"Style source: {self.place}.{key} is not a number from 0 up.")
        return number

    def share(self, key: str) -> float:
        """A number within 0..1."""
        value = self.number(key)
        if value > 1:
            raise InputError(f"Style source: {self.place}.{key} is not within 0..1.")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self.table.get(key)
        if not isinstance(value, bool):
            raise InputError(f"Style source: {self.place}.{key} is not true or false.")
        return value

    def colour(self, key: str) -> str:
        """A colour like `#cc1122`."""
        value = self.text(key)
        if not is_colour(value):
            raise InputError(f"Style source: {self.place}.{key} is not a colour like #cc1122.")
        return value

    def items(self, key: str) -> list[object]:
        """A list of anything."""
        value = self.table.get(key)
        if not isinstance(value, list):
            raise InputError(f"Style source: {self.place}.{key} is not a list.")
        return value

    def inner(self, key: str) -> "Reader":
        """The table below a key."""
        return Reader(self.table.get(key), f"{self.place}.{key}")

    def tables(self, key: str) -> list["Reader"]:
        """The tables of a list."""
        return [Reader(item, f"{self.place}.{key}[{i}]") for i, item in enumerate(self.items(key))]


@dataclass(frozen=True, slots=True)
class Name:
    """What a symbol is called in legends."""

    da: str
    en: str

    @classmethod
    def read(cls, reader: Reader, key: str = "name") -> Self:
        """From `name = { da = ..., en = ... }` of the reader's table."""
        inner = reader.inner(key)
        return cls(inner.text("da"), inner.text("en"))

    def in_language(self, language: Language) -> str:
        """The Danish or the English name."""
        return self.da if language == "da" else self.en
