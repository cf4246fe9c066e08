"""Which type of LER an object of IMKL is: by its class, the theme of its network, its product or its kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ingest.readers.identifiers import HREF
from ingest.readers.imkl.values import is_nil, told_text
from ingest.readers.xml_stream import Element
from ler.exchange.tables import OTHER_CODE, ImklTable, last_word
from ler.model import Value, load_model

_TRACES: Final = frozenset({"Kabelbed", "Duct"})
_OIL_GAS: Final = "OlieGasChemicalienPijpleiding"


@dataclass(frozen=True, slots=True)
class LerType:
    """The type of LER, and what of its attributes the class, the theme or the kind says."""

    name: str
    lines: bool
    attributes: Mapping[str, Value] = field(default_factory=dict)
    otherwise: Mapping[str, Value] = field(default_factory=dict)
    """Where the object's own elements do not say it."""
    told: Mapping[str, str] = field(default_factory=dict)
    """Elements, with their values, that LER has no word for."""

    @property
    def contains(self) -> bool:
        """Whether it may hold other lines."""
        return self.name in {"Foeringsroer", "Ledningstrace"}


def type_of(element: Element, theme: str, table: ImklTable) -> LerType | None:
    """Return the type of an object that lies in the ground; None for any other."""
    name = "Kabelbed" if element.local_name in _TRACES else element.local_name
    rows = table.classes_named(name)
    if not rows or rows[0].kind == "extra":
        return None
    themes = table.raw["themes"].get(theme, table.raw["themes"]["overig"])
    if rows[0].kind == "lines":
        return _line(element, rows[0].ler, theme, themes, table)
    return _component(element, name, theme, themes, table)


def _line(element: Element, ler: str, theme: str, themes: Mapping[str, str], table: ImklTable) -> LerType:
    utility = themes["utility"]
    if element.local_name == _OIL_GAS:
        return _oil_or_gas(element, utility, table)
    if ler == "AndenLedning":
        if theme == "wees":
            return LerType("LedningUkendtForsyningsart", True)
        return LerType(ler, True, otherwise={"forsyningsart": f"{OTHER_CODE}{theme or 'overig'}"})
    if ler in {"Foeringsroer", "Ledningstrace"}:
        return LerType(ler, True, otherwise={"forsyningsart": [utility]} if utility else {})
    if theme == "rioolVrijverval":
        return LerType(ler, True, otherwise={"ledningstransporttype": "gravitation"})
    return LerType(ler, True)


def _oil_or_gas(element: Element, utility: str, table: ImklTable) -> LerType:
    products = [
        last_word(told_text(child))
        for child in element.children
        if child.local_name == "oilGasChemicalsProductType" and not is_nil(child)
    ]
    first = products[0] if products else ""
    told = {"oilGasChemicalsProductType": ", ".join(products[1:])} if len(products) > 1 else {}
    if first in table.raw["products"]["gas"] or (not first and utility == "gas"):
        word = table.codes["gas"].read(first) if first else None
        if first and word is None:
            told["oilGasChemicalsProductType"] = ", ".join(products)
        return LerType("Gasledning", True, {"medietype": word} if word else {}, told=told)
    if first in table.raw["products"]["oil"] or not first:
        return LerType(
            "Olieledning", True, told={"oilGasChemicalsProductType": ", ".join(products)} if first else {}
        )
    code = f"{OTHER_CODE}{first}"
    return LerType("AndenLedning", True, {"forsyningsart": code}, told=told)


def _component(
    element: Element, name: str, theme: str, themes: Mapping[str, str], table: ImklTable
) -> LerType:
    ler = themes["component"]
    kinds = table.kinds[ler]
    found: dict[str, Value] = (
        {"forsyningsart": f"{OTHER_CODE}{theme or 'overig'}"} if ler == "AndenKomponent" else {}
    )
    code = name if name != "Appurtenance" else _appurtenance(element.children)
    if code:
        word = kinds.read(code)
        code_list = load_model().types[ler].attribute("type").code_list
        other = f"{OTHER_CODE}{code}"
        found["type"] = word or (other if code_list is not None and other in code_list else code)
    return LerType(ler, False, {}, otherwise=found)


def _appurtenance(children: Sequence[Element]) -> str:
    for child in children:
        if child.local_name == "appurtenanceType" and HREF in child.attributes:
            return last_word(child.attributes[HREF])
    return ""
