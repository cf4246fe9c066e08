"""An owner's precautions: a decision table that says what it asks for near its lines, for which work.

A row holds when all that it names is met: by the request, and by a line that was delivered. A line that is not told holds
no row, so that a table tells nothing of lines that are withheld. What is not known may be anything, and so meets: an unknown
depth, method or distance silences no row. Every row that holds is a hit, with what was not known; of an owner's hits of
one theme the one of the lowest priority number is the highest, and what who digs is shown.

Pure: the words of a table, faults and hits are values; who reads files and keeps tables is elsewhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from ler.domain.work_codes import OTHER

THEME: Final = "theme-unknown"
CLASS: Final = "class-unknown"
DANGER: Final = "danger-unknown"
ACTIVITY: Final = "activity-unknown"
METHOD: Final = "method-unknown"
DIG_DEPTH: Final = "dig-depth-unknown"
PLACE: Final = "place-unknown"


@dataclass(frozen=True, slots=True)
class PrecautionRow:
    """A row: when it holds, and the measure. A set that is empty, or a bound that is None, names nothing."""

    priority: int
    """Unique in its table; 1 comes before 2."""
    da: str
    en: str
    themes: frozenset[str] = frozenset()
    """LER values (forsyningsart)."""
    classes: frozenset[str] = frozenset()
    """By voltage or pressure, as clearances have them: `power.high`."""
    danger_classes: frozenset[str] = frozenset()
    """LER values (fareklasse)."""
    request_kinds: frozenset[str] = frozenset()
    activities: frozenset[str] = frozenset()
    """Kinds of work (`ler.domain.work_codes`)."""
    methods: frozenset[str] = frozenset()
    depth_from_m: float | None = None
    """Of the deepest place of the dig; both ends belong to it."""
    depth_to_m: float | None = None
    within_m: float | None = None
    """A line meets it that may be nearer than this, in space, from outside to outside."""
    areas: frozenset[str] = frozenset()
    """Names of the owner's areas; a line meets it that may lie in one of them."""
    valid_from: date | None = None
    """First day of a dig for which it holds; None: always."""
    contact: str | None = None
    notice_days: int | None = None
    """How many working days before the dig the owner wants to be told."""

    @property
    def names_something(self) -> bool:
        """Whether it says when it holds; one that always does would only be noise."""
        sets = self.themes | self.classes | self.danger_classes | self.request_kinds | self.activities
        bounds = (self.depth_from_m, self.depth_to_m, self.within_m)
        return bool(sets | self.methods | self.areas) or any(one is not None for one in bounds)


@dataclass(frozen=True, slots=True)
class AskedWork:
    """What a request says of the work; None: not told."""

    request_kind: str
    activity: str | None = None
    method: str | None = None
    depth_m: float | None = None
    on: date | None = None
    """First day of the dig; None: rows of any day hold."""


@dataclass(frozen=True, slots=True)
class NearLine:
    """A delivered line and how near it may be. Metres, from outside to outside."""

    number: int
    """Place of the line among those given."""
    gml_id: str
    theme: str | None
    """One of its LER values (forsyningsart); None: not told."""
    classes: frozenset[str]
    """All that it may be."""
    class_known: bool
    danger_class: str | None
    least_m: float
    """In space: 0 of what may lie in the dig."""
    most_m: float | None = None
    """In the plane; None: nobody knows."""
    areas: frozenset[str] | None = frozenset()
    """The owner's areas that it may lie in; None: it has no place, and may lie in any."""
    unknown: frozenset[str] = frozenset()
    """What of its distance was taken for the worst."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that holds for lines of one theme."""

    row: PrecautionRow
    theme: str | None
    nearest: NearLine
    lines: int
    """How many lines meet it."""
    reasons: tuple[str, ...]
    """What of the request and of the nearest line was not known; sorted."""


def find_hits(rows: Iterable[PrecautionRow], work: AskedWork, lines: Sequence[NearLine]) -> list[Hit]:
    """Return the rows of one owner that hold for its lines, by theme, the highest first."""
    found: list[Hit] = []
    for row in rows:
        unknown = _met_by_work(row, work)
        if unknown is None:
            continue
        by_theme: dict[str | None, list[tuple[NearLine, frozenset[str]]]] = {}
        for line in lines:
            of_line = _met_by_line(row, line)
            if of_line is not None:
                by_theme.setdefault(line.theme, []).append((line, of_line))
        for theme, met in by_theme.items():
            nearest, of_nearest = min(met, key=lambda one: (one[0].least_m, len(one[1]), one[0].gml_id))
            count = len({line.number for line, _ in met})
            found.append(Hit(row, theme, nearest, count, tuple(sorted(unknown | of_nearest))))
    return sorted(found, key=lambda hit: (hit.theme or "", hit.row.priority))


def highest(hits: Iterable[Hit]) -> dict[str | None, Hit]:
    """Return of each theme the hit that is shown."""
    found: dict[str | None, Hit] = {}
    for hit in hits:
        if hit.theme not in found or hit.row.priority < found[hit.theme].row.priority:
            found[hit.theme] = hit
    return found


def _met_by_work(row: PrecautionRow, work: AskedWork) -> frozenset[str] | None:
    """What is not known of a work that may meet a row; None of one that surely does not."""
    if row.request_kinds and work.request_kind not in row.request_kinds:
        return None
    if row.valid_from is not None and work.on is not None and work.on < row.valid_from:
        return None
    unknown = set()
    for wanted, told, code in ((row.activities, work.activity, ACTIVITY), (row.methods, work.method, METHOD)):
        if not wanted or told in wanted:
            continue
        if told not in (None, OTHER):
            return None
        unknown.add(code)
    if row.depth_from_m is not None or row.depth_to_m is not None:
        if work.depth_m is None:
            unknown.add(DIG_DEPTH)
        elif not _between(row.depth_from_m, work.depth_m, row.depth_to_m):
            return None
    return frozenset(unknown)


def _met_by_line(row: PrecautionRow, line: NearLine) -> frozenset[str] | None:
    """What is not known of a line that may meet a row; None of one that surely does not."""
    kind, place = _met_by_kind(row, line), _met_by_place(row, line)
    return None if kind is None or place is None else kind | place


def _met_by_kind(row: PrecautionRow, line: NearLine) -> frozenset[str] | None:
    unknown = set()
    for wanted, told, code in (
        (row.themes, line.theme, THEME),
        (row.danger_classes, line.danger_class, DANGER),
    ):
        if not wanted or told in wanted:
            continue
        if told is not None:
            return None
        unknown.add(code)
    if row.classes:
        if row.classes.isdisjoint(line.classes):
            return None
        unknown |= set() if line.class_known else {CLASS}
    return frozenset(unknown)


def _met_by_place(row: PrecautionRow, line: NearLine) -> frozenset[str] | None:
    unknown = set()
    if row.areas:
        if line.areas is None:
            unknown.add(PLACE)
        elif row.areas.isdisjoint(line.areas):
            return None
    if row.within_m is not None:
        if line.least_m >= row.within_m:
            return None
        unknown |= line.unknown
    return frozenset(unknown)


def _between(least: float | None, value: float, most: float | None) -> bool:
    return (least is None or least <= value) and (most is None or value <= most)
