"""What an owner's table of precautions must be: every fault of it is told with its place, and none is mended.

Refused are rows that say nothing of when they hold, the same priority twice, words that no line or work has, a depth whose
beginning lies below its end, and areas that are no polygon or that nobody drew.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from ler.domain.faults import Fault
from ler.domain.precautions import PrecautionRow

MOST_ROWS: Final = 500
MOST_AREAS: Final = 2_000
_MOST_VERTICES: Final = 10_000
_LONGEST: Final = 500
_DEEPEST_M: Final = 100.0
_FARTHEST_M: Final = 500.0
_MOST_DAYS: Final = 365
_SETS: Final = ("themes", "classes", "danger_classes", "request_kinds", "activities", "methods", "areas")
_BOUNDS: Final = {"depth_from_m": _DEEPEST_M, "depth_to_m": _DEEPEST_M, "within_m": _FARTHEST_M}
_TEXTS: Final = {"da": True, "en": True, "contact": False}
"""Whether it must be there."""
_KEYS: Final = frozenset({"priority", "valid_from", "notice_days", *_SETS, *_BOUNDS, *_TEXTS})


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that rows may use."""

    themes: frozenset[str]
    classes: Mapping[str, str | None]
    """Class -> the theme of its lines."""
    danger_classes: frozenset[str]
    request_kinds: frozenset[str]
    activities: frozenset[str]
    methods: frozenset[str]

    def of(self, name: str) -> frozenset[str]:
        """Return the words of a set of a row."""
        return frozenset(getattr(self, name))


def judge_table(
    document: object, areas: Mapping[str, BaseGeometry], words: Vocabulary
) -> tuple[list[PrecautionRow], list[Fault]]:
    """Return the rows of a table, and all that is wrong with it. `areas` by name, EPSG:25832.

    A `valid_from` or `areas` beside the rows holds for those that say none of their own.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("row"), list) or not document["row"]:
        return [], [Fault("precaution-shape", "", "a table is wanted with a list `row` of at least one row")]
    faults = [*_unknown_keys(document, frozenset({"row", "valid_from", "areas"}), ""), *_area_faults(areas)]
    if len(document["row"]) > MOST_ROWS:
        faults.append(Fault("precaution-size", "/row", f"a table may have {MOST_ROWS} rows"))
        return [], faults
    shared = {name: document[name] for name in ("valid_from", "areas") if name in document}
    rows = []
    for number, given in enumerate(document["row"]):
        read = _Reader(f"/row/{number}", words, areas)
        row = read.row(given, shared)
        faults += read.faults
        if row is not None and not read.faults:
            rows.append(row)
    faults += _twice(document["row"])
    return rows, faults


def row_document(row: PrecautionRow) -> dict[str, Any]:
    """Return a row as it stands in a table, fit for JSON."""
    found: dict[str, Any] = {"priority": row.priority}
    found |= {name: sorted(getattr(row, name)) for name in _SETS if getattr(row, name)}
    found |= {
        name: getattr(row, name) for name in (*_BOUNDS, "notice_days") if getattr(row, name) is not None
    }
    found |= {"valid_from": row.valid_from.isoformat()} if row.valid_from else {}
    return found | {name: getattr(row, name) for name in _TEXTS if getattr(row, name) is not None}


def read_row(document: Mapping[str, Any]) -> PrecautionRow:
    """Return the row that `row_document` wrote: it was judged when it was set."""
    sets = {name: frozenset(document.get(name, ())) for name in _SETS}
    day = document.get("valid_from")
    return PrecautionRow(**{**document, **sets, "valid_from": date.fromisoformat(day) if day else None})


class _Reader:
    """Reads one row, and gathers what is wrong with it."""

    def __init__(self, pointer: str, words: Vocabulary, areas: Mapping[str, BaseGeometry]) -> None:
        self.faults: list[Fault] = []
        self._pointer, self._words, self._areas = pointer, words, areas

    def row(self, given: object, shared: Mapping[str, object]) -> PrecautionRow | None:
        if not isinstance(given, Mapping) or not given:
            self._say("precaution-row-empty", "", "the row is empty")
            return None
        self.faults += _unknown_keys(given, _KEYS, self._pointer)
        told = {**shared, **given}
        sets = {name: self._set(name, told.get(name, [])) for name in _SETS}
        row = PrecautionRow(
            priority=self._whole("priority", told.get("priority"), 1_000_000, needed=True) or 0,
            **{name: self._text(name, told.get(name), needed=needed) for name, needed in _TEXTS.items()},  # type: ignore[arg-type]
            **sets,  # type: ignore[arg-type]
            **{name: self._metres(name, told.get(name), most) for name, most in _BOUNDS.items()},  # type: ignore[arg-type]
            valid_from=self._day(told.get("valid_from")),
            notice_days=self._whole("notice_days", told.get("notice_days"), _MOST_DAYS, needed=False),
        )
        self._check(row)
        return row

    def _check(self, row: PrecautionRow) -> None:
        if not row.names_something:
            self._say("precaution-row-empty", "", "the row says nothing of when it holds")
        if None not in (row.depth_from_m, row.depth_to_m) and row.depth_from_m > row.depth_to_m:  # type: ignore[operator]
            self._say("precaution-depth", "/depth_from_m", "depth_from_m is more than depth_to_m")
        if row.within_m == 0:
            self._say("precaution-shape", "/within_m", "no line is nearer than 0 m: within_m must be more")
        themes = {self._words.classes.get(one) for one in row.classes & self._words.classes.keys()}
        if row.themes and not themes <= row.themes:
            self._say("precaution-class", "/classes", "no line of the row's themes is of that class")

    def _set(self, name: str, given: object) -> frozenset[str]:
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            self._say("precaution-shape", f"/{name}", f"{name} must be a list of words")
            return frozenset()
        known = frozenset(self._areas) if name == "areas" else self._words.of(name)
        hint = ", ".join(sorted(known)[:30]) or "none"
        for word in dict.fromkeys(given):
            if word in known or (name == "themes" and word.startswith("other: ")):
                continue  # The list of utility types is open: what is none of them is told with its kind.
            wrong = "precaution-area-unknown" if name == "areas" else "precaution-word-unknown"
            self._say(wrong, f"/{name}", f"{word!r} is none of: {hint}")
        return frozenset(given)

    def _text(self, name: str, given: object, *, needed: bool) -> str | None:
        if given is None and not needed:
            return None
        if not isinstance(given, str) or not given.strip() or len(given) > _LONGEST:
            self._say("precaution-shape", f"/{name}", f"{name} must be words, at most {_LONGEST} characters")
            return ""
        return given.strip()

    def _metres(self, name: str, given: object, most: float) -> float | None:
        if given is None:
            return None
        if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= most:
            self._say("precaution-shape", f"/{name}", f"{name} must be metres, 0 to {most:g}")
            return None
        return float(given)

    def _whole(self, name: str, given: object, most: int, *, needed: bool) -> int | None:
        if given is None and not needed:
            return None
        if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= most:
            self._say("precaution-shape", f"/{name}", f"{name} must be a whole number, 1 to {most:,}")
            return None
        return given

    def _day(self, given: object) -> date | None:
        try:
            return date.fromisoformat(given) if isinstance(given, str) else _day(given)
        except (TypeError, ValueError):
            self._say("precaution-shape", "/valid_from", "valid_from must be a day, as 2027-01-31")
            return None

    def _say(self, code: str, pointer: str, message: str) -> None:
        self.faults.append(Fault(code, self._pointer + pointer, f"{self._pointer}{pointer}: {message}"))


def _day(given: object) -> date | None:
    if given is not None and type(given) is not date:
        raise TypeError
    return given


def _unknown_keys(given: Mapping[str, object], known: frozenset[str], pointer: str) -> Iterator[Fault]:
    for name in sorted(map(str, given.keys() - known)):
        yield Fault("precaution-shape", f"{pointer}/{name}", f"{pointer}/{name}: there is no such field")


def _twice(rows: Sequence[object]) -> Iterator[Fault]:
    seen: dict[object, int] = {}
    for number, row in enumerate(rows):
        priority = row.get("priority") if isinstance(row, Mapping) else None
        if isinstance(priority, int) and seen.setdefault(priority, number) != number:
            pointer = f"/row/{number}/priority"
            message = f"{pointer}: row {seen[priority]} has priority {priority} too"
            yield Fault("precaution-priority-double", pointer, message)


def _area_faults(areas: Mapping[str, BaseGeometry]) -> Iterator[Fault]:
    if len(areas) > MOST_AREAS:
        yield Fault("precaution-size", "/areas", f"a table may have {MOST_AREAS:,} areas")
        return
    for name, area in areas.items():
        pointer = f"/areas/{name}"
        if area.geom_type not in {"Polygon", "MultiPolygon"} or area.is_empty:
            yield Fault("precaution-area-invalid", pointer, f"{pointer}: {area.geom_type} is no polygon")
        elif shapely.get_num_coordinates(area) > _MOST_VERTICES:
            message = f"{pointer}: more than {_MOST_VERTICES:,} vertices: simplify it"
            yield Fault("precaution-size", pointer, message)
        elif not area.is_valid:
            yield Fault("precaution-area-invalid", pointer, f"{pointer}: {explain_validity(area)}")
