"""CQL2 text, read into the form that CQL2 JSON has.

Written here because no library will do: `docs/decisions/0033-cql2-text-is-read-by-our-own-parser.md`. Each character is
looked at once, nesting is counted before it is entered, whole numbers stay exact and all escapes of the standard are known.
What is read is the grammar only; whether names, kinds and values fit is asked by `compiler`.
"""

import re
from typing import Final, Never

from geoapi.ogc.cql2.limits import MOST_CHARACTERS, MOST_LEVELS
from geoapi.ogc.cql2.terms import FilterError

_NAME_START: Final = (
    r":_A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1ffe\u200c-\u200d\u2070-\u218f"
    r"\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_TOKEN: Final = re.compile(
    r"[ \t\r\n]*(?:"
    r"(?P<number>(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)"
    rf"|(?P<name>[{_NAME_START}][{_NAME_START}.0-9\u0300-\u036f\u203f-\u2040]*+)"
    r"|(?P<text>'(?:[^'\\]|''|\\.)*+')"
    r'|(?P<quoted>"(?:[^"]|"")++")'
    r"|(?P<sign><>|!=|<=|>=|[<>=+\-*/%^(),])"
    r"|(?P<end>\Z))",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(r"''|\\(.)", re.DOTALL)
_ESCAPED: Final = dict(zip("abtnvfr'\\", "\a\b\t\n\v\f\r'\\", strict=True))
_OR, _AND, _COMPARISON, _SUM, _PRODUCT, _POWER = range(1, 7)
_SIGNS: Final = {
    **dict.fromkeys(("=", "<>", "!=", "<", ">", "<=", ">="), _COMPARISON),
    **dict.fromkeys(("+", "-"), _SUM),
    **dict.fromkeys(("*", "/", "%"), _PRODUCT),
    "^": _POWER,
}
_WORDS: Final = {
    "OR": _OR,
    "AND": _AND,
    "DIV": _PRODUCT,
    **dict.fromkeys(("LIKE", "BETWEEN", "IN", "IS", "NOT"), _COMPARISON),
}
_GEOMETRIES: Final = {
    kind.upper(): kind
    for kind in (
        *("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"),
        "GeometryCollection",
    )
}
_LISTS: Final = {"LineString": 1, "MultiPoint": 1, "Polygon": 2, "MultiLineString": 2, "MultiPolygon": 3}
"""How many levels of lists lie around the positions of a geometry."""


def read_text(text: str) -> object:
    """Return the filter as CQL2 JSON. FilterError `filter-too-long`, `filter-too-deep` or `filter-syntax`, with the place."""
    if len(text) > MOST_CHARACTERS:
        raise FilterError("filter-too-long", f"the filter has more than {MOST_CHARACTERS} characters")
    return _Reader(text).filter()


class _Reader:
    """One reading of one text."""

    def __init__(self, text: str) -> None:
        self._tokens = [*_tokens(text)]
        self._at = 0
        self._level = 0

    def filter(self) -> object:
        found = self._expression(_OR)
        if self._kind != "end":
            raise self._unexpected("an operator or the end of the filter")
        return found

    # Tokens

    @property
    def _kind(self) -> str:
        return self._tokens[self._at][0]

    @property
    def _word(self) -> str:
        """The keyword or sign that comes next, in capitals; empty for texts, numbers and quoted names."""
        kind, token, _ = self._tokens[self._at]
        return token.upper() if kind in ("name", "sign") else ""

    def _take(self) -> str:
        token = self._tokens[self._at][1]
        self._at += 1
        return token

    def _accept(self, word: str) -> bool:
        if self._word == word:
            self._at += 1
            return True
        return False

    def _require(self, word: str) -> None:
        if not self._accept(word):
            raise self._unexpected(f"`{word}`")

    def _opens(self) -> bool:
        """Whether a parenthesis follows what comes next."""
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)][:2] == ("sign", "(")

    def _unexpected(self, what: str) -> FilterError:
        kind, token, place = self._tokens[self._at]
        found = "the end" if kind == "end" else f"`{token[:40]}`"
        return FilterError("filter-syntax", f"{what} is expected, not {found}", f"character {place}")

    def _deeper(self) -> None:
        self._level += 1
        if self._level > MOST_LEVELS:
            place = self._tokens[self._at][2]
            raise FilterError(
                "filter-too-deep", f"the filter nests deeper than {MOST_LEVELS} levels", f"character {place}"
            )

    # Expressions, by precedence

    def _expression(self, least: int) -> object:
        left = self._operand()
        while True:
            word = self._word
            binds = _SIGNS.get(word) or _WORDS.get(word, 0)
            if binds < least or not binds:
                return left
            if binds == _COMPARISON:
                left = self._comparison(left)
            elif binds == _POWER:
                left = self._power(left)
            else:
                self._take()
                left = _joined(word.lower(), left, self._expression(binds + 1))

    def _power(self, base: object) -> object:
        """Powers bind to the right: 2^3^2 is 2^9."""
        self._take()
        self._deeper()
        exponent = self._expression(_POWER)
        self._level -= 1
        return {"op": "^", "args": [base, exponent]}

    def _comparison(self, left: object) -> object:
        if self._accept("IS"):
            negated = self._accept("NOT")
            self._require("NULL")
            return _negated({"op": "isNull", "args": [left]}, negated)
        if self._word in _SIGNS:
            sign = self._take().replace("!=", "<>")
            return {"op": sign, "args": [left, self._expression(_SUM)]}
        negated = self._accept("NOT")
        if self._accept("LIKE"):
            return _negated({"op": "like", "args": [left, self._expression(_SUM)]}, negated)
        if self._accept("BETWEEN"):
            low = self._expression(_SUM)
            self._require("AND")
            return _negated({"op": "between", "args": [left, low, self._expression(_SUM)]}, negated)
        if self._accept("IN"):
            self._require("(")
            return _negated({"op": "in", "args": [left, self._listed()]}, negated)
        raise self._unexpected("`LIKE`, `BETWEEN` or `IN`")

    def _operand(self) -> object:
        kind, token, _ = self._tokens[self._at]
        match kind:
            case "number":
                return _number(self._take())
            case "text":
                return _unescaped(self._take())
            case "quoted":
                return {"property": self._take()[1:-1].replace('""', '"')}
            case "name":
                return self._named(token.upper())
            case "sign" if self._word in ("(", "+", "-"):
                return self._signed(self._take())
        raise self._unexpected("a property, a value or `(`")

    def _signed(self, sign: str) -> object:
        """What follows a parenthesis or a plus or minus before an operand."""
        if sign == "(":
            if self._accept(")"):
                return []
            self._deeper()
            found = self._expression(_OR)
            self._level -= 1
            if self._word == ",":
                self._take()
                return [found, *self._listed()]
            self._require(")")
            return found
        if self._kind == "number":
            value = _number(self._take())
            return -value if sign == "-" else value
        if sign == "+":
            raise self._unexpected("a number")
        self._deeper()
        found = self._operand()
        self._level -= 1
        return {"op": "*", "args": [-1, found]}

    def _named(self, word: str) -> object:
        """Read what a name begins: a truth value, NOT, a literal with a word before it, a call or a property."""
        geometry = _GEOMETRIES.get(word)
        if geometry and (self._opens() or self._tokens[self._at + 1][1].upper() in ("Z", "EMPTY")):
            return self._geometry()
        if self._opens() and word not in ("NOT", "AND", "OR"):
            name = self._take()
            self._take()
            return self._called(name, word)
        if word in ("TRUE", "FALSE"):
            self._take()
            return word == "TRUE"
        if word == "NULL":
            raise self._unexpected("a value (write `IS NULL` to ask for what has none)")
        if word == "NOT":
            self._take()
            self._deeper()
            found = self._expression(_COMPARISON)
            self._level -= 1
            return {"op": "not", "args": [found]}
        return {"property": self._take()}

    def _called(self, name: str, word: str) -> object:
        arguments = [] if self._accept(")") else self._listed(of_lists=word.startswith("A_"))
        match word, arguments:
            case "DATE" | "TIMESTAMP", [str(given)]:
                return {word.lower(): given}
            case "INTERVAL" | "BBOX", _:
                return {word.lower(): arguments}
        return {"op": name.lower(), "args": arguments}

    def _listed(self, *, of_lists: bool = False) -> list[object]:
        """Return what stands between commas, up to the parenthesis that ends it.

        Among arguments that are lists, parentheses around one text make a list, not the text.
        """
        self._deeper()
        found: list[object] = []
        while not found or self._accept(","):
            if of_lists and self._accept("("):
                found.append([] if self._accept(")") else self._listed())
            else:
                found.append(self._expression(_OR))
        self._level -= 1
        self._require(")")
        return found

    # Geometries

    def _geometry(self) -> object:
        kind = _GEOMETRIES.get(self._word)
        if kind is None:
            raise self._unexpected("a geometry")
        self._take()
        self._accept("Z")
        if self._word == "EMPTY":
            raise self._unexpected("a geometry that is not empty")
        if kind == "GeometryCollection":
            self._deeper()
            self._require("(")
            parts = [self._geometry()]
            while self._accept(","):
                parts.append(self._geometry())
            self._require(")")
            self._level -= 1
            return {"type": kind, "geometries": parts}
        if kind == "Point":
            self._require("(")
            position = self._position()
            self._require(")")
            return {"type": kind, "coordinates": position}
        return {"type": kind, "coordinates": self._positions(_LISTS[kind], points=kind == "MultiPoint")}

    def _positions(self, levels: int, *, points: bool) -> list[object]:
        self._require("(")
        found: list[object] = []
        while True:
            if levels > 1:
                found.append(self._positions(levels - 1, points=False))
            elif points and self._accept("("):
                found.append(self._position())
                self._require(")")
            else:
                found.append(self._position())
            if not self._accept(","):
                break
        self._require(")")
        return found

    def _position(self) -> list[object]:
        found: list[object] = []
        while self._kind == "number" or self._word in ("+", "-"):
            sign = self._take() if self._kind == "sign" else "+"
            if self._kind != "number":
                raise self._unexpected("a number")
            value = _number(self._take())
            found.append(-value if sign == "-" else value)
        return found


def _tokens(text: str) -> list[tuple[str, str, int]]:
    """Return kind, text and place (counted from 1) of each token; the last is of kind `end`."""
    found: list[tuple[str, str, int]] = []
    at = 0
    while not found or found[-1][0] != "end":
        token = _TOKEN.match(text, at)
        if token is None:
            _unreadable(text, at)
        kind = str(token.lastgroup)
        start = token.start(kind)
        if found and kind in ("name", "number") and start == at and found[-1][0] in ("number", "name"):
            _unreadable(text, at)
        found.append((kind, token[kind], start + 1))
        at = token.end()
    return found


def _unreadable(text: str, at: int) -> Never:
    while text[at] in " \t\r\n":
        at += 1
    what = "a text without its closing quotation mark" if text[at] in "'\"" else f"`{text[at]}`"
    raise FilterError("filter-syntax", f"{what} cannot be read", f"character {at + 1}")


def _number(token: str) -> int | float:
    return int(token) if token.isdecimal() else float(token)


def _unescaped(token: str) -> str:
    """The value of a text; an escape that the standard does not know keeps its backslash, as LIKE wants it."""
    return _ESCAPE.sub(
        lambda found: "'" if found[1] is None else _ESCAPED.get(found[1], found[0]), token[1:-1]
    )


def _joined(op: str, left: object, right: object) -> object:
    """Return two operands under an operator; a chain of the same AND or OR is one list."""
    match left:
        case {"op": same, "args": list(args)} if same == op and op in ("and", "or"):
            return {"op": op, "args": [*args, right]}
    return {"op": op, "args": [left, right]}


def _negated(predicate: object, negated: bool) -> object:  # noqa: FBT001 - reads as said
    return {"op": "not", "args": [predicate]} if negated else predicate
