"""What to keep away from which line: rules with their sources, read from `clearances.toml`, and what they come to.

A rule states distances for some lines and some work. Of several that hold the strictest of each distance counts; where
none does, the strictest of all that hold for such work, and the result says so. An operator's file adds rules and
replaces those of the same id; an owner's rules count before all others for its own lines. What a work or a line does
not tell - method, activity, class - may be anything, and the strictest of that counts.

How a line in the ground runs - crossing, beside, under - decides what is needed near it, never whether it is told: by
moving away, a line that crossed would else come to lie beside the work, and be nearer than it was. So all that any of
them needs is the farthest distance of each.

Refuses, with every fault named: unknown words, distances that shrink outwards, a rule without a source, and the same rule
twice.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import chain, pairwise, product
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ler.errors import RefusedError

UNKNOWN_PAIR: Final = "unknown-pair"
"""Stands for the rule where there is none."""


class Zone(StrEnum):
    """How near the work comes, from the nearest; each also has the duties of all that follow."""

    NO_MACHINE = "no-machine"
    """Inside the clearance."""
    HAND_DIG = "hand-dig"
    STAND_BY = "stand-by"
    NOTIFY = "notify"
    CLEAR = "clear"


ZONES: Final = tuple(Zone)


class Arrangement(StrEnum):
    """How a line lies to the work."""

    PARALLEL = "parallel"
    """Beside it, or along it under it."""
    CROSSING = "crossing"
    ABOVE = "above"
    """The work lies over a chamber or another component."""
    OVERHEAD = "overhead"
    """A power line in the air."""


_IN_GROUND: Final = (Arrangement.PARALLEL, Arrangement.CROSSING, Arrangement.ABOVE)
_DISTANCES: Final = ("clear", "hand_dig", "stand_by", "notify")

type Metres = Annotated[float, Field(ge=0.0, le=500.0)]
type Distance = Metres | Literal["unknown"] | None


class Rule(BaseModel):
    """One rule as it stands in a file; a list that is absent names all. Distances in metres."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    utilities: frozenset[str] | None = None
    """`power`, or with a class `power.low`."""
    activities: frozenset[str] | None = None
    methods: frozenset[str] | None = None
    arrangements: frozenset[Arrangement] | None = None
    clear: Distance = None
    hand_dig: Distance = None
    stand_by: Distance = None
    notify: Distance = None
    source: str = Field(min_length=1, max_length=300)
    clause: str = Field(min_length=1, max_length=500)
    verified: bool
    valid_from: date | None = None
    da: str = Field(min_length=1, max_length=300)
    en: str = Field(min_length=1, max_length=300)

    @property
    def distances(self) -> tuple[Distance, Distance, Distance, Distance]:
        """Clear, hand-dig, stand-by, notify."""
        return self.clear, self.hand_dig, self.stand_by, self.notify


@dataclass(frozen=True, slots=True)
class LineClass:
    """A class of a utility by voltage, pressure or LER type; bounds are inclusive, None: no bound."""

    da: str
    en: str
    at_most_kv: float | None = None
    at_most_bar: float | None = None
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Utility:
    """A kind of line of its own in the rules."""

    da: str
    theme: str | None = None
    """LER forsyningsart."""
    classes: Mapping[str, LineClass] = field(default_factory=dict)
    """From the lowest."""


@dataclass(frozen=True, slots=True)
class Sort:
    """Methods or activities that the rules do not tell apart."""

    codes: tuple[str, ...]
    own_tolerance: float = 0.0
    """How far the work itself may be off, m."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    utility: dict[str, Utility] = {}
    method: dict[str, Sort] = {}
    activity: dict[str, Sort] = {}
    rule: list[Rule] = []


@dataclass(frozen=True, slots=True)
class Needed:
    """What is needed between a work and a line, m: clear <= hand_dig <= stand_by <= notify."""

    distances_m: tuple[float, float, float, float]
    rules: tuple[str, str, str, str]
    """Which rule each distance comes from; the nearer one's where no rule asks for more."""
    unverified: tuple[bool, bool, bool, bool]
    """Of which the figure was not read at its source, or stands for one that is not known."""
    assumed: frozenset[str]
    """What had to be taken for the worst: `pair` (no rule), `class`, `method`, `activity`, `distance`."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a distance is asked for."""

    kinds: frozenset[str]
    """Of the line, as `power.low`; several when it may be, or serves, any of them."""
    arrangement: Arrangement
    activity: str | None
    """A key of `Clearances.activities`; None: any of them."""
    method: str | None
    owner_id: UUID | None = None
    class_known: bool = True


@dataclass(frozen=True)
class Clearances:
    """All rules in force on a day."""

    rules: Sequence[Rule]
    utilities: Mapping[str, Utility]
    methods: Mapping[str, Sort]
    activities: Mapping[str, Sort]
    of_owners: Mapping[UUID, Sequence[Rule]] = field(default_factory=dict)
    _found: dict[Case, Needed] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Every kind of line: `power.low`, `water`, ..."""
        return tuple(
            kind for name, utility in self.utilities.items() for kind in kinds_of_utility(name, utility)
        )

    @property
    def farthest_m(self) -> float:
        """The largest distance of any rule."""
        every = [*self.rules, *(rule for rules in self.of_owners.values() for rule in rules)]
        return max(
            (one for rule in every for one in rule.distances if isinstance(one, float | int)), default=0.0
        )

    def method_of(self, code: str | None) -> str | None:
        """Return the sort of method of a code of works; None of one that says nothing."""
        return next((name for name, sort in self.methods.items() if code in sort.codes), None)

    def activity_of(self, code: str | None) -> str | None:
        """Return the sort of activity of a kind of work, or laying of a utility type; None of one that says nothing."""
        if code is not None and any(code == utility.theme for utility in self.utilities.values()):
            return "laying"
        return next((name for name, sort in self.activities.items() if code in sort.codes), None)

    def needed(self, case: Case) -> Needed:
        """Return what is needed; the strictest of all that the case may be."""
        if case not in self._found:
            self._found[case] = self._needed(case)
        return self._found[case]

    def with_owners(self, of_owners: Mapping[UUID, Sequence[Rule]]) -> "Clearances":
        """Return these with what owners ask for their own lines. RefusedError when it is not sound."""
        with_them = replace(self, of_owners=of_owners)
        _refuse([fault for rules in of_owners.values() for fault in _faults_of(with_them, rules)])
        return with_them

    def on(self, day: date) -> "Clearances":
        """Return those in force on a day: of each id the newest that is valid by then."""
        return replace(
            self,
            rules=_in_force(self.rules, day),
            of_owners={owner: _in_force(rules, day) for owner, rules in self.of_owners.items()},
        )

    def _needed(self, case: Case) -> Needed:
        assumed = set() if case.class_known else {"class"}
        assumed |= {"method"} if case.method is None else set()
        assumed |= {"activity"} if case.activity is None else set()
        stated: list[list[_Stated]] = [[], [], [], []]
        for one in self._cases(case):
            distances, known = self._stated(one, case.owner_id)
            assumed |= set() if known else {"pair"}
            for place, found in enumerate(distances):
                stated[place] += found
        if case.arrangement in _IN_GROUND:
            for one in self._cases(replace(case, arrangement=Arrangement.ABOVE)):
                stated[-1] += chain.from_iterable(self._stated(one, case.owner_id)[0])
        strictest = [max(one, key=_Stated.rank) if one else None for one in stated]
        if any(one is not None and one.stands_in for one in strictest):
            assumed.add("distance")
        return _filled(strictest, frozenset(assumed))

    def _cases(self, case: Case) -> Iterator["_One"]:
        # No rule was read for what lies under a cover of the work's: all that hold in the ground count.
        above = case.arrangement is Arrangement.ABOVE
        for kind, activity, method in product(
            sorted(case.kinds),
            self.activities if case.activity is None else (case.activity,),
            self.methods if case.method is None else (case.method,),
        ):
            yield _One(kind, _IN_GROUND if above else (case.arrangement,), activity, method)

    def _stated(self, one: "_One", owner_id: UUID | None) -> tuple[list[list["_Stated"]], bool]:
        """What rules say, distance by distance, and whether there is a rule."""
        own = [rule for rule in self.of_owners.get(owner_id, ()) if one.is_of(rule)] if owner_id else []
        general = [rule for rule in self.rules if one.is_of(rule)]
        if not own and not general:
            return [[self._strictest(one, place)] for place in range(4)], False
        found = []
        for place in range(4):
            by_owner = [rule for rule in own if rule.distances[place] is not None]
            said = by_owner or [rule for rule in general if rule.distances[place] is not None]
            found.append([self._read(rule, one, place) for rule in said])
        return found, True

    def _read(self, rule: Rule, one: "_One", place: int) -> "_Stated":
        distance = rule.distances[place]
        if distance == "unknown" or distance is None:
            return replace(self._strictest(one, place), rule=rule.id, stands_in=True)
        return _Stated(distance, rule.id, unverified=not rule.verified)

    def _strictest(self, one: "_One", place: int) -> "_Stated":
        """The largest distance of any rule for such work, whatever the line."""
        said = [
            distance
            for rule in self.rules
            if one.is_of(rule, any_kind=True)
            for distance in rule.distances[: place + 1]
            if isinstance(distance, float | int)
        ]
        return _Stated(max(said, default=0.0), UNKNOWN_PAIR, unverified=True)


@dataclass(frozen=True, slots=True)
class _One:
    """A case of which everything is known."""

    kind: str
    arrangements: tuple[Arrangement, ...]
    """Any of which it may be."""
    activity: str
    method: str

    def is_of(self, rule: Rule, *, any_kind: bool = False) -> bool:
        return (
            (any_kind or rule.utilities is None or self._names_kind(rule.utilities))
            and (rule.activities is None or self.activity in rule.activities)
            and (rule.methods is None or self.method in rule.methods)
            and self._arranged(rule.arrangements)
        )

    def _names_kind(self, utilities: frozenset[str]) -> bool:
        return self.kind in utilities or self.kind.partition(".")[0] in utilities

    def _arranged(self, arrangements: frozenset[Arrangement] | None) -> bool:
        if arrangements is None:
            # What is meant for the ground says nothing of the air.
            return Arrangement.OVERHEAD not in self.arrangements
        return not arrangements.isdisjoint(self.arrangements)


@dataclass(frozen=True, slots=True)
class _Stated:
    distance_m: float
    rule: str
    unverified: bool = False
    stands_in: bool = False
    """For a figure of the rule's that nobody read."""

    def rank(self) -> tuple[float, bool, str]:
        return self.distance_m, not self.unverified, self.rule


def kinds_of_utility(name: str, utility: Utility) -> tuple[str, ...]:
    """Return the kinds of a utility: one a class, or itself."""
    return tuple(f"{name}.{one}" for one in utility.classes) or (name,)


def load_clearances(
    operators: Path | None = None, *, of_owners: Mapping[UUID, Sequence[Rule]] | None = None
) -> Clearances:
    """Return our rules with those of the operator's file and of owners.

    RefusedError, naming every fault, for a file that cannot be read or is not sound.
    """
    ours = _ours()
    if operators is not None:
        try:
            text = operators.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RefusedError("clearances-unreadable", f"{operators} cannot be read") from error
        theirs = _read(text, str(operators))
        if theirs.utility or theirs.method or theirs.activity:
            raise RefusedError("clearances-invalid", f"{operators}: rules only, no new utilities or methods")
        replaced = {rule.id for rule in theirs.rule}
        ours = replace(ours, rules=(*(one for one in ours.rules if one.id not in replaced), *theirs.rule))
        _refuse([*_faults_of(ours, ours.rules)])
    return ours.with_owners(of_owners) if of_owners else ours


def read_rule(values: Mapping[str, Any]) -> Rule:
    """Return the rule of these values. RefusedError, naming every fault, when it is none, or not for our lines."""
    try:
        rule = TypeAdapter(Rule).validate_python(dict(values))
    except ValidationError as error:
        raise RefusedError("clearances-invalid", _told(error)) from None
    _refuse(list(_faults_of(_ours(), [rule])))
    return rule


@cache
def _ours() -> Clearances:
    read = _read(
        files(__package__).joinpath("clearances.toml").read_text(encoding="utf-8"), "clearances.toml"
    )
    found = Clearances(tuple(read.rule), read.utility, read.method, read.activity)
    _refuse([*_faults_of(found, found.rules)])
    return found


def _read(text: str, name: str) -> _File:
    try:
        return _File.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise RefusedError("clearances-invalid", f"{name}: {error}") from error
    except ValidationError as error:
        raise RefusedError("clearances-invalid", f"{name}: {_told(error)}") from None


def _told(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())


def _refuse(faults: Sequence[str]) -> None:
    if faults:
        raise RefusedError("clearances-invalid", "; ".join(faults))


def _faults_of(found: Clearances, rules: Sequence[Rule]) -> Iterator[str]:
    known = {"utilities": {*found.kinds, *found.utilities}, "methods": {*found.methods}, "activities": {*found.activities}}  # fmt: skip
    seen: set[tuple[str, date | None]] = set()
    for rule in rules:
        if (rule.id, rule.valid_from) in seen:
            yield f"{rule.id}: stands there twice"
        seen.add((rule.id, rule.valid_from))
        for name, words in known.items():
            if unknown := (getattr(rule, name) or frozenset()) - words:
                yield f"{rule.id}: {name} {sorted(unknown)} are none of {sorted(words)}"
        if all(one is None for one in rule.distances):
            yield f"{rule.id}: states no distance"
        said = [one for one in rule.distances if isinstance(one, float | int)]
        if any(nearer > farther for nearer, farther in pairwise(said)):
            yield f"{rule.id}: clear <= hand_dig <= stand_by <= notify does not hold"


def _in_force(rules: Iterable[Rule], day: date) -> tuple[Rule, ...]:
    newest: dict[str, Rule] = {}
    for rule in sorted(rules, key=lambda one: one.valid_from or date.min):
        if rule.valid_from is None or rule.valid_from <= day:
            newest[rule.id] = rule
    return tuple(newest[name] for name in sorted(newest))


def _filled(stated: Sequence[_Stated | None], assumed: frozenset[str]) -> Needed:
    """Outer distances that nobody asks for, or asks for less, are those of what lies nearer."""
    last = _Stated(0.0, "")
    filled = []
    for one in stated:
        if one is not None and one.distance_m > last.distance_m:
            last = one
        filled.append(last)
    a, b, c, d = filled
    return Needed(
        (a.distance_m, b.distance_m, c.distance_m, d.distance_m),
        (a.rule, b.rule, c.rule, d.rule),
        (a.unverified, b.unverified, c.unverified, d.unverified),
        assumed,
    )
