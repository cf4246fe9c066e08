"""Finds, in our own source, the sentences that problem documents may tell: what they say, with `{}` for each value in them.

Refuses to guess: what it cannot follow to a text is reported with its place, so that the list of what is looked at stays whole.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_NOT_TOLD_OVER_HTTP: Final = (
    "geoapi/cli",
    "geoapi/demo",
    "geoapi/cluster.py",
    "geoapi/dev_issuer.py",
    "geoapi/dig_request.py",
    "geoapi/postgresql.py",
    "geoapi/routes/answer_page.py",
    "ler/calendar_of_denmark.py",
    "ler/client",
    "ler/packages/exchange.py",
    "ler/packages/exports",
    "ler/packages/files.py",
    "ler/packages/gml.py",
    "ler/packages/map_",
    "ler/packages/plan_",
    "ler/packages/style",
    "ingest/convert.py",
    "ingest/drawings/faults.py",
    "ingest/exchange.py",
    "ingest/load.py",
    "ingest/mapped/attributes.py",
    "ingest/mapped/geometry.py",
    "ingest/mapping/suggest.py",
    "ingest/quality/picture.py",
    "conflicts/batch",
    "conflicts/windows/figures.py",
)
"""Code of commands, of making packages, of what the operator gives at the start, and what has Danish texts of its own."""
_AT: Final = {
    "RefusedError": 1,
    "InputError": 0,
    "ProblemException": 1,
    "ProblemError": 1,
    "Problem": 1,
    "Fault": 2,
    "FilterError": 1,
    "UnreadableFileError": 1,
    "MappingFaultError": 1,
    "__init__": 1,
    "refusals": 0,
}
"""At which place each of them takes what is told."""
_READ_BY_PYDANTIC: Final = (
    "geoapi/damage_bodies.py",
    "geoapi/moments.py",
    "geoapi/parameters.py",
    "geoapi/request_bodies.py",
    "geoapi/routes/",
)
"""Where a ValueError is told as what is wrong with a field."""
_YIELDS_FAULTS: Final = ("ler/domain/damages.py", "conflicts/clearances.py")
"""Where faults are yielded: as the last of three, and as one text."""
_SENTENCE: Final = re.compile("[a-z].* | .*[a-z]", re.DOTALL)
"""More than a name: a word and a space."""
_GAPS: Final = re.compile(r"(\{\})+")


type _Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence and where it stands."""

    text: str
    place: str


@dataclass
class _Module:
    name: str
    tree: ast.Module
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    functions: dict[str, _Function] = field(default_factory=dict)
    tellers: list[ast.Call | ast.Yield] = field(default_factory=list)
    """What may tell something."""

    @property
    def neighbourhood(self) -> str:
        """Where a public function of the module is called by its name."""
        return "/".join(self.name.split("/")[:2])

    def __post_init__(self) -> None:
        for parent in ast.walk(self.tree):
            for child in ast.iter_child_nodes(parent):
                self.parents[child] = parent
            if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
                self.functions[parent.name] = parent
            elif isinstance(parent, ast.Call | ast.Yield):
                self.tellers.append(parent)

    def around(self, node: ast.AST) -> _Function | None:
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                return node
        return None


class _NotFollowedError(Exception):
    pass


class _ParameterError(Exception):
    """The text is a parameter of a function: whoever calls it tells."""


@cache
def _modules() -> Sequence[_Module]:
    return tuple(_read())


def texts() -> Iterator[str]:
    """Yield every text and every piece of one that stands in the code."""
    for module in _modules():
        for node in module.parents:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _read() -> Iterator[_Module]:
    for room in ("geoapi", "ler", "ingest", "conflicts"):
        for file in sorted((ROOT / room).rglob("*.py")):
            name = file.relative_to(ROOT).as_posix()
            if not name.startswith(_NOT_TOLD_OVER_HTTP):
                yield _Module(name, ast.parse(file.read_text(encoding="utf-8")))


def _texts(node: ast.expr, module: _Module) -> list[str]:
    """The texts that an expression may be; none for what was told by another call."""
    match node:
        case ast.Constant(value=str(text)):
            found = [text]
        case ast.JoinedStr():
            found = [
                "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
            ]
        case ast.BinOp(op=ast.Add()):
            pairs = product(_texts(node.left, module), _texts(node.right, module))
            found = ["".join(pair) for pair in pairs]
        case ast.Name(id=name):
            found = _named(node, name, module)
        case ast.Call(func=ast.Name(id=name)) if name in module.functions:
            found = _texts_of_all(_returned(module.functions[name]), module)
        case _:
            found = _texts_of_all(_choices(node), module)
    return found


def _texts_of_all(nodes: Iterable[ast.expr], module: _Module) -> list[str]:
    return [text for one in nodes for text in _texts(one, module)]


def _choices(node: ast.expr) -> list[ast.expr]:
    """The expressions of which an expression is one; none when it was told before."""
    match node:
        case ast.IfExp():
            found = [node.body, node.orelse]
        case ast.BoolOp():
            found = node.values
        case ast.Dict():
            found = [one for key, one in zip(node.keys, node.values, strict=True) if not _is_nothing(key)]
        case ast.Tuple():
            found = node.elts[1:2]
        case ast.Subscript(value=value) | ast.Starred(value=value):
            found = [value]
        case ast.Call(func=ast.Attribute(attr="get" | "format", value=value)):
            found = [value]
        case ast.Constant(value=None) | ast.Attribute(attr="message" | "detail" | "msg"):
            found = []
        case ast.Call(func=ast.Name(id="str")):
            found = []
        case _:
            raise _NotFollowedError
    return found


def _returned(function: _Function) -> Iterator[ast.expr]:
    for one in ast.walk(function):
        if isinstance(one, ast.Return) and one.value:
            yield one.value


def _is_nothing(key: ast.expr | None) -> bool:
    """Whether it is the SQLSTATE of which no more is told than `not-found`."""
    return isinstance(key, ast.Constant) and key.value == "LE404"


def _named(node: ast.AST, name: str, module: _Module) -> list[str]:
    within = module.around(node)
    while within is not None:
        if found := _assigned(name, within):
            return [text for one in found for text in _texts(one, module)]
        if name in _parameters(within):
            raise _ParameterError(within.name, _parameters(within).index(name), name)
        within = module.around(within)
    if found := _assigned(name, module.tree, deep=False):
        return [text for one in found for text in _texts(one, module)]
    raise _NotFollowedError


def _assigned(name: str, within: ast.AST, *, deep: bool = True) -> list[ast.expr]:
    found: list[ast.expr] = []
    for one in ast.walk(within) if deep else ast.iter_child_nodes(within):
        match one:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                found.append(value)
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value) if target == name:
                found.append(value)
            case ast.NamedExpr(target=ast.Name(id=target), value=value) if target == name:
                found.append(value)
    return found


def _parameters(function: _Function) -> list[str]:
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


@dataclass
class _Found:
    told: set[Told] = field(default_factory=set)
    lost: set[Told] = field(default_factory=set)
    tellers: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    """Functions of ours that hand on what they are given: by module or neighbourhood and name."""


@cache
def sentences() -> tuple[Sequence[Told], Sequence[Told]]:
    """Return what is told, and the places that could not be followed, both in order."""
    modules = _modules()
    found = _Found()
    known = -1
    while known != len(found.tellers):
        known = len(found.tellers)
        for module in modules:
            _look(module, found)
    return _in_order(found.told), _in_order(found.lost)


def _in_order(found: set[Told]) -> list[Told]:
    return sorted(found, key=lambda one: (one.place, one.text))


def _look(module: _Module, found: _Found) -> None:
    for node in module.tellers:
        told = _what_is_told(node, module, found.tellers)
        if told is None:
            continue
        place = f"{module.name}:{told.lineno}"
        try:
            texts = {_GAPS.sub("{}", text) for text in _texts(told, module)}
            found.told.update(Told(text, place) for text in texts if _SENTENCE.search(text))
            for phrase in _phrases(told):
                with suppress(_NotFollowedError):
                    _texts(phrase, module)
        except _ParameterError as handed_on:
            _hands_on(module, found, *handed_on.args)
        except _NotFollowedError:
            found.lost.add(Told(ast.unparse(told), module.name))


def _phrases(told: ast.expr) -> Iterator[ast.Name]:
    """The values of a sentence that are phrases of ours, by what they are called."""
    for gap in ast.walk(told):
        match gap:
            case ast.FormattedValue(value=ast.Name(id="why" | "what") as phrase):
                yield phrase


def _hands_on(module: _Module, found: _Found, name: str, at: int, parameter: str) -> None:
    if name != "__init__":
        room = module.name if name.startswith("_") else module.neighbourhood
        found.tellers[room, name] = at, parameter


def _what_is_told(
    call: ast.Call | ast.Yield, module: _Module, tellers: Mapping[tuple[str, str], tuple[int, str]]
) -> ast.expr | None:
    match call:
        case ast.Yield(value=ast.Tuple(elts=[_, _, last])) if module.name == _YIELDS_FAULTS[0]:
            return last
        case ast.Yield(value=ast.JoinedStr() as last) if module.name == _YIELDS_FAULTS[1]:
            return last
        case ast.Call():
            return _argument(call, module, tellers)
    return None


def _argument(
    call: ast.Call, module: _Module, tellers: Mapping[tuple[str, str], tuple[int, str]]
) -> ast.expr | None:
    name = _called(call)
    at, keyword = (
        tellers.get((module.name, name))
        or tellers.get((module.neighbourhood, name))
        or (_AT.get(name, -1), "detail")
    )
    if name == "ValueError" and module.name.startswith(_READ_BY_PYDANTIC):
        at = 0
    if at < 0:
        return None
    named = [one.value for one in call.keywords if one.arg == keyword]
    spread = [one for one in call.args[: at + 1] if isinstance(one, ast.Starred)]
    return next(iter([*named, *spread, *call.args[at : at + 1]]), None)


def _called(call: ast.Call) -> str:
    """The name of what is called; none for a call of a constructor that does not give what is told."""
    match call.func:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name, value=value):
            inherited = isinstance(value, ast.Call) and len(call.args) > 1
            return name if name != "__init__" or inherited else ""
    return ""
