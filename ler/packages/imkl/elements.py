"""The attributes of one feature as elements of IMKL, as the table says; what it does not hold goes to the account."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ler.exchange.account import Account, Fate
from ler.exchange.identifiers import full_id
from ler.exchange.tables import DANGER_PREFIX, DUMMY_TIME, Field, ImklTable
from ler.model import Kind, Value
from ler.model.values import BEFORE, format_number
from ler.packages.imkl.markup import link_element, measure_element, text_element, void_element
from ler.packages.imkl.plan import Plan, Planned

DEPTH_DECIMALS: Final = 2

_NODE: Final = "Appurtenance"
_DAY_LETTERS: Final = len("2024-05-13")

type Elements = dict[str, list[str]]
"""By name; several of one name in their order."""


@dataclass(slots=True)
class _Found:
    """What the attributes of one feature became so far."""

    elements: Elements = field(default_factory=dict)
    depth: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, str] = field(default_factory=dict)
    words: dict[tuple[str, int], str] = field(default_factory=dict)
    """Lines of texts, by element and place."""


class ElementWriter:
    """Turns attributes into elements, feature by feature."""

    def __init__(self, table: ImklTable, plan: Plan, owner: str, account: Account) -> None:
        self._table = table
        self._plan = plan
        self._owner = owner
        self._account = account

    def elements(self, planned: Planned) -> tuple[Elements, dict[str, str], dict[str, str]]:
        """Return the elements, those of the depth, and the nodes (startNode, endNode) of its links."""
        found = _Found()
        component = planned.imkl.kind in {"node", "container"}
        for attribute in planned.feature_type.attributes:
            if attribute.kind is not Kind.GEOMETRY:
                row = self._table.field_of(planned.feature_type, attribute.name)
                element = (row.nodes if component else row.element) if row else ""
                self._take(planned, attribute.name, row if element else None, element, found)
        for element in dict.fromkeys(element for element, _ in found.words):
            lines = [
                text for (name, _), text in sorted(found.words.items(), key=_by_order) if name == element
            ]
            found.elements[element] = [text_element(element, "\n".join(lines))]
        if planned.imkl.kind != "extra":
            begin = text_element("net:beginLifespanVersion", DUMMY_TIME)
            found.elements.setdefault("net:beginLifespanVersion", [begin])
        return found.elements, self._depth(planned, found.depth), found.nodes

    def _take(self, planned: Planned, name: str, row: Field | None, element: str, found: _Found) -> None:
        """Put one attribute where it belongs."""
        value = planned.feature.attributes.get(name)
        if row is None:
            if value is not None:
                self._lost(planned, name, value)
        elif name in planned.feature.voids:
            self._void(row, element, found.elements)
        elif value is None or row.form in {"theme", "extras"}:
            return
        elif row.form == "words":
            found.words[element, _WORD_ORDER.get(name, 0)] = _words(name, value)
        elif row.form == "depth":
            found.depth[name] = str(value)
        elif row.form == "node":
            if self._node(planned, name, value):
                found.nodes[element] = full_id(self._owner, str(value))
        else:
            for told, text in self._several(planned, row, element, value):
                found.elements.setdefault(told, []).append(text)

    def _several(self, planned: Planned, row: Field, element: str, value: Value) -> list[tuple[str, str]]:
        """The elements of one attribute, each with its name."""
        if row.form == "contents":
            return self._contents(planned, value)
        if row.form == "first":
            values = value if isinstance(value, list) else [value]
            if len(values) > 1:
                self._account.add(
                    Fate.COARSER, planned.feature.type, row.ler, gml_id=planned.feature.gml_id, value=value
                )
            return [(element, text_element(element, str(values[0])))] if values else []
        text = self._one(planned, row, element, value)
        return [(element, text)] if text else []

    def _one(self, planned: Planned, row: Field, element: str, value: Value) -> str:
        match row.form:
            case "code" | "word":
                codes = self._table.codes[row.codes]
                code = codes.find(str(value))
                if code is None:
                    return self._lost(planned, row.ler, value)
                if codes.back.get(code.casefold()) != value:
                    self._coarser(planned, row.ler, value)
                return (
                    text_element(element, code)
                    if row.form == "word"
                    else link_element(element, codes.address + code)
                )
            case "time":
                return self._time(planned, row, element, str(value))
            case "measure":
                return measure_element(element, round(float(str(value)) * row.factor, 9), row.unit)
            case "dimension":
                told = value if isinstance(value, dict) else {"value": value, "uom": ""}
                number = format_number(float(str(told["value"])))
                return text_element(element, f"{number} {told['uom']}".strip())
            case _:
                return text_element(element, str(value))

    def _time(self, planned: Planned, row: Field, element: str, value: str) -> str:
        if value.startswith(BEFORE):
            self._lost(planned, row.ler, value)
            return void_element(element, unknown=True)
        if len(value) < _DAY_LETTERS:
            self._coarser(planned, row.ler, value)
        day = f"{value}-01-01"[:_DAY_LETTERS] if len(value) < _DAY_LETTERS else value
        return text_element(element, f"{day}T00:00:00")

    def _void(self, row: Field, element: str, elements: Elements) -> None:
        """Say that nobody knows, where IMKL has a word for it."""
        if row.form == "code" and self._table.codes[row.codes].unknown:
            codes = self._table.codes[row.codes]
            elements[element] = [link_element(element, codes.address + codes.unknown)]
        elif element.startswith("us-net"):
            elements[element] = [void_element(element, unknown=True)]

    def _contents(self, planned: Planned, value: Value) -> list[tuple[str, str]]:
        found = []
        allowed = planned.imkl.order
        for target in value if isinstance(value, list) else [value]:
            element = self._plan.containment(str(target))
            if element in allowed:
                found.append((element, link_element(element, full_id(self._owner, str(target)))))
            else:
                self._lost(planned, "indeholdtLedning", target)
        return found

    def _node(self, planned: Planned, name: str, value: Value) -> bool:
        target = self._plan.features.get(str(value))
        if target is not None and target.imkl.imkl == _NODE:
            return True
        self._lost(planned, name, value)
        return False

    def _depth(self, planned: Planned, told: Mapping[str, str]) -> dict[str, str]:
        """Depth in metres and its accuracy, as a DiepteTovMaaiveld has them."""
        depth, accuracy = told.get("vejledendeDybde"), told.get("noejagtighedsklasseVertikal")
        if depth is None:
            if accuracy is not None:
                self._lost(planned, "noejagtighedsklasseVertikal", accuracy)
            return {}
        codes = self._table.codes["depth_accuracy"]
        code = codes.find(accuracy) if accuracy else None
        if accuracy and codes.read(code or "") != accuracy:
            self._coarser(planned, "noejagtighedsklasseVertikal", accuracy)
        metres = round(float(depth) / 1000, DEPTH_DECIMALS)
        if metres != float(depth) / 1000:
            self._coarser(planned, "vejledendeDybde", depth)
        return {
            "imkl:diepteNauwkeurigheid": link_element(
                "imkl:diepteNauwkeurigheid", codes.address + (code or codes.unknown)
            ),
            "imkl:dieptePeil": measure_element("imkl:dieptePeil", metres, "m"),
        }

    def _lost(self, planned: Planned, name: str, value: Value) -> str:
        feature = planned.feature
        self._account.add(Fate.VALUE_LOST, feature.type, name, gml_id=feature.gml_id, value=value)
        return ""

    def _coarser(self, planned: Planned, name: str, value: Value) -> None:
        feature = planned.feature
        self._account.add(Fate.COARSER, feature.type, name, gml_id=feature.gml_id, value=value)


_WORD_ORDER: Final = {"type": 0, "supplerendeInfo": 0, "fareklasse": 1, "sikkerhedshensyn": 2}


def _words(name: str, value: Value) -> str:
    return f"{DANGER_PREFIX}{value}" if name == "fareklasse" else str(value)


def _by_order(item: tuple[tuple[str, int], str]) -> int:
    return item[0][1]
