"""The tables of IMKL and MUDDI, loaded: which class, element and code stands for which of LER.

Refuses tables that speak of what the LER model does not have; what they leave out is the business of a test.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from ler.model import Feature, FeatureType, load_model

WHOLE: Final = "whole"
COARSER: Final = "coarser"
LOST: Final = "lost"

OTHER_CODE: Final = "other: "
"""How a code of an open list begins that the list does not have."""
DUMMY_TIME: Final = "1970-01-01T00:00:00Z"
"""Stands where IMKL demands the beginning of an object's life and LER has none; IMKL allows a dummy."""
DANGER_PREFIX: Final = "fareklasse: "
"""How the danger class stands in a text of IMKL, on a line of its own."""


@dataclass(frozen=True, slots=True)
class Field:
    """One attribute of LER, for some types or all that have it, and the element of IMKL that it becomes."""

    ler: str
    types: Sequence[str]
    element: str
    """Prefix and name; empty where it is lost. A path where the element stands in an object of its own."""
    nodes: str
    """The element in components, where it is another."""
    form: str
    codes: str
    otherwise: str
    """The element that is read where `element` says nothing."""
    unit: str
    factor: float
    """LER's number times this is the other's."""
    kept: str
    source: str
    note: str

    def belongs_to(self, feature_type: FeatureType) -> bool:
        """Whether the row speaks of that type."""
        return not self.types or any(feature_type.is_a(name) for name in self.types)


@dataclass(frozen=True, slots=True)
class ImklClass:
    """A class of IMKL, and the LER type that becomes it."""

    ler: str
    imkl: str
    inspire: str
    kind: str
    """`lines` (with UtilityLinks), `node`, `container` or `extra`."""
    order: Sequence[str]
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class Codes:
    """A code list both ways."""

    address: str
    """Of the list, with a slash at the end; empty where the word itself stands."""
    values: Mapping[str, str]
    back: Mapping[str, str]
    """An empty word is a code that says that nobody knows."""
    unknown: str
    fold: bool
    source: str

    def find(self, word: str) -> str | None:
        """Return the other model's code for a word of LER."""
        return self.values.get(word.casefold() if self.fold else word)

    def read(self, code: str) -> str | None:
        """Return LER's word for a code or its address, "" for one that says that nobody knows; None for a stranger."""
        return self.back.get(last_word(code).casefold())


@dataclass(frozen=True, slots=True)
class ImklTable:
    """IMKL 2.0 against LER."""

    raw: Mapping[str, Any]
    fields: Sequence[Field]
    classes: Sequence[ImklClass]
    codes: Mapping[str, Codes]
    kinds: Mapping[str, Codes]
    """By LER type of the component."""

    def field_of(self, feature_type: FeatureType, attribute: str) -> Field | None:
        """Return the row of an attribute of a type, the first that fits."""
        return next((f for f in self.fields if f.ler == attribute and f.belongs_to(feature_type)), None)

    def class_of(self, feature_type: FeatureType) -> ImklClass | None:
        """Return the class that features of a type become, components an Appurtenance."""
        return next((c for c in self.classes if feature_type.is_a(c.ler)), None)

    def classes_named(self, imkl: str) -> Sequence[ImklClass]:
        """Return the rows of a class of IMKL."""
        return [c for c in self.classes if c.imkl == imkl]

    def theme_of(self, feature: Feature, utility: str) -> tuple[str, bool]:
        """Return the theme of the network that a feature belongs to, and whether it had to be assumed."""
        rule = self.raw["theme_of"].get(utility)
        if rule is None:
            return "overig", bool(utility)
        told = feature.attributes.get(rule.get("by", ""))
        if told is None:
            return rule["unknown"], "by" in rule
        if "is" in rule:
            return rule["is"].get(told, rule["unknown"]), told not in rule["is"]
        number = float(str(told))
        return next((theme for bound, theme in rule["upto"] if number <= bound), rule["else"]), False


def last_word(address: str) -> str:
    """Return the code at the end of its address."""
    return address.rstrip("/").rpartition("/")[2]


@cache
def load_imkl() -> ImklTable:
    """Return the table. ValueError for an attribute that no type of LER has."""
    raw = tomllib.loads(files(__package__).joinpath("imkl.toml").read_text(encoding="utf-8"))
    model = load_model()
    known = {attribute.name for feature_type in model.types.values() for attribute in feature_type.attributes}
    fields = [_field(row) for row in raw["field"]]
    if strange := [row.ler for row in fields if row.ler not in known]:
        raise ValueError(f"LER has no attribute {', '.join(strange)}")
    classes = [ImklClass(note=row.pop("note", ""), **row) for row in raw["class"]]
    return ImklTable(
        raw,
        fields,
        classes,
        {name: _codes(row, raw["addresses"]) for name, row in raw["codes"].items()},
        {name: _codes(row, raw["addresses"]) for name, row in raw["kinds"].items()},
    )


@cache
def load_muddi() -> Mapping[str, Any]:
    """Return the table of MUDDI as it stands."""
    return tomllib.loads(files(__package__).joinpath("muddi.toml").read_text(encoding="utf-8"))


def _field(row: Mapping[str, Any]) -> Field:
    element = row.get("element", "")
    return Field(
        ler=row["ler"],
        types=row.get("types", ()),
        element=element,
        nodes=row.get("nodes", element),
        form=row.get("form", ""),
        codes=row.get("codes", ""),
        otherwise=row.get("otherwise", ""),
        unit=row.get("unit", ""),
        factor=row.get("factor", 1),
        kept=row.get("kept", LOST),
        source=row.get("source", ""),
        note=row.get("note", ""),
    )


def _codes(row: Mapping[str, Any], addresses: Mapping[str, str]) -> Codes:
    where, _, name = row["list"].partition(":")
    fold = row.get("fold", False)
    back: dict[str, str] = {}
    for word, code in row["values"].items():
        back.setdefault(code.casefold(), word)
    back |= {code.casefold(): word for code, word in row.get("read", {}).items()}
    return Codes(
        address=f"{addresses[where]}/{name}/" if name else "",
        values={word.casefold() if fold else word: code for word, code in row["values"].items()},
        back=back,
        unknown=row.get("unknown", ""),
        fold=fold,
        source=row.get("source", "lists, klic"),
    )
