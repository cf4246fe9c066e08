"""What a staged network would change in the published one, and whether that looks like what its owner means.

Set operations in the database over content hashes (`ler/db/sql/compare.sql`); nothing of either network comes here but
counts and lengths. A comparison refuses nothing: it says what to ask the owner about.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final, Self
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from ler.settings import Settings

_FAR_M: Final = 1000.0
"""A network whose features moved so far, median, is not the same network in the same system, uniform or not."""

_MOST: Final = 0.5
"""From this share of moved features on, the network moved."""

_UNIFORM: Final = 0.1
"""A shift counts as uniform when half of the features keep within this share of it, or within a centimetre."""


class Verdict(StrEnum):
    """What is to become of a staged version."""

    APPROVE = "approve"
    NEEDS_APPROVAL = "needs_approval"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Amount:
    """So many features, so many metres of line in the plane."""

    count: int = 0
    length_m: float = 0.0

    def __add__(self, other: "Amount") -> "Amount":
        """Both together."""
        return Amount(self.count + other.count, self.length_m + other.length_m)


@dataclass(frozen=True, slots=True)
class TypeChange:
    """What changes in the features of one type. A feature is in one of added, removed, moved and changed at most."""

    before: Amount = Amount()
    after: Amount = Amount()
    added: Amount = Amount()
    removed: Amount = Amount()
    moved: Amount = Amount()
    """Features whose geometry is another one; lengths are the new ones."""
    changed: Amount = Amount()
    """Features of which only attributes are others."""
    lost_place: int = 0
    """Moved features that had a geometry and have none now."""

    def __add__(self, other: "TypeChange") -> "TypeChange":
        """Both together."""
        return TypeChange(
            *(getattr(self, name) + getattr(other, name) for name in TypeChange.__dataclass_fields__)
        )


@dataclass(frozen=True, slots=True)
class Shift:
    """How the moved features moved, as one."""

    share: float
    """Share of the features with a place before and after that moved, 0 to 1."""
    east_m: float
    north_m: float
    """Median displacement."""
    spread_m: float
    """Median distance from that displacement."""

    @property
    def distance_m(self) -> float:
        """Length of the median displacement."""
        return float((self.east_m**2 + self.north_m**2) ** 0.5)

    @property
    def uniform(self) -> bool:
        """Whether the features moved together."""
        return self.spread_m <= max(0.01, _UNIFORM * self.distance_m)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What publishing a version would change."""

    base_number: int | None
    """The published version it was compared with; None when there is none."""
    types: dict[str, TypeChange] = field(default_factory=dict)
    """By feature type, only those that are in either."""
    header_changed: bool = False
    """Whether the answer's own attributes, or the version of the model, are others."""
    shift: Shift | None = None
    duplicates: int = 0
    """Features with exactly the type and geometry of another one, beyond those that the base has."""

    @property
    def total(self) -> TypeChange:
        """All types together."""
        return sum(self.types.values(), TypeChange())

    @property
    def unchanged(self) -> bool:
        """Whether publishing would change nothing at all."""
        total = self.total
        parts = total.added, total.removed, total.moved, total.changed
        return self.base_number is not None and not self.header_changed and not any(p.count for p in parts)

    def to_json(self) -> dict[str, Any]:
        """The comparison as it is stored and told."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The comparison that `to_json` gave."""
        types = {name: _type_change(it) for name, it in stored["types"].items()}
        shift = Shift(**stored["shift"]) if stored["shift"] else None
        return cls(**{**stored, "types": types, "shift": shift})


@dataclass(frozen=True, slots=True)
class Decision:
    """What a comparison advises, and why."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    """Codes: replacement-empty, replacement-large-change, replacement-shifted, replacement-duplicates,
    approval-required."""


_TOTALS: Final = text("""
    SELECT s.feature_type, count(*) AS features, coalesce(sum(ST_Length(s.geom)), 0) AS length_m
    FROM ler.staged_feature AS s
    WHERE s.version_id = :version
    GROUP BY s.feature_type
""")
_BASE_TOTALS: Final = text("""
    SELECT f.feature_type, count(*) AS features, coalesce(sum(ST_Length(f.geom)), 0) AS length_m
    FROM ler.network_feature AS f
    WHERE f.removed_in IS NULL
        AND f.dataset_id = (SELECT v.dataset_id FROM ler.network_version AS v WHERE v.id = :version)
    GROUP BY f.feature_type
""")
_CHANGES: Final = """
    SELECT c.feature_type, c.kind, count(*) AS features,
        coalesce(sum(ST_Length(coalesce(c.new_geom, c.old_geom))), 0) AS length_m,
        count(*) FILTER (WHERE c.kind = 'moved' AND c.new_geom IS NULL) AS lost_place
    FROM {changes} AS c
    GROUP BY c.feature_type, c.kind
"""
_STAGED_CHANGES: Final = text(_CHANGES.format(changes="ler.staged_changes(:version)"))
_VERSION_CHANGES: Final = text(_CHANGES.format(changes="ler.version_changes(:dataset, :old, :new)"))
_VERSION_TOTALS: Final = text("""
    SELECT f.feature_type, count(*) AS features, coalesce(sum(ST_Length(f.geom)), 0) AS length_m
    FROM ler.network_feature AS f
    WHERE f.dataset_id = :dataset AND ler.is_valid_in(:number, f.added_in, f.removed_in)
    GROUP BY f.feature_type
""")
_SHIFT: Final = text("""
    WITH moved AS MATERIALIZED (
        SELECT
            (ST_XMin(c.new_geom) + ST_XMax(c.new_geom) - ST_XMin(c.old_geom) - ST_XMax(c.old_geom)) / 2 AS east_m,
            (ST_YMin(c.new_geom) + ST_YMax(c.new_geom) - ST_YMin(c.old_geom) - ST_YMax(c.old_geom)) / 2 AS north_m
        FROM ler.staged_changes(:version) AS c
        WHERE c.kind = 'moved' AND c.old_geom IS NOT NULL AND c.new_geom IS NOT NULL
    ),
    middle AS MATERIALIZED (
        SELECT count(*) AS features,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY m.east_m) AS east_m,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY m.north_m) AS north_m
        FROM moved AS m
    )
    SELECT min(d.features) AS features, min(d.east_m) AS east_m, min(d.north_m) AS north_m,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY sqrt((m.east_m - d.east_m) ^ 2 + (m.north_m - d.north_m) ^ 2))
            AS spread_m
    FROM moved AS m, middle AS d
""")
_PLACED: Final = text(
    "SELECT count(*) FROM ler.staged_feature AS s WHERE s.version_id = :version AND s.geom IS NOT NULL"
)
_TWINS: Final = """
    SELECT coalesce(sum(t.features - 1), 0)::bigint
    FROM (
        SELECT count(*) AS features
        FROM {rows}
        GROUP BY g.feature_type, g.geom
        HAVING count(*) > 1
    ) AS t
"""
_STAGED_TWINS: Final = text(
    _TWINS.format(rows="ler.staged_feature AS g WHERE g.version_id = :version AND g.geom IS NOT NULL")
)
_BASE_TWINS: Final = text(
    _TWINS.format(
        rows="ler.network_feature AS g WHERE g.removed_in IS NULL AND g.geom IS NOT NULL"
        " AND g.dataset_id = (SELECT v.dataset_id FROM ler.network_version AS v WHERE v.id = :version)"
    )
)
# What differs in every file that a system writes: the answer's own number, and when it is due.
_HEADER: Final = text("""
    SELECT v.base_number,
        b.id IS NOT NULL AND (
            v.model_version <> b.model_version
            OR v.header #- '{attributes,id}' #- '{attributes,forventetAfleveringstidspunkt}'
                <> b.header #- '{attributes,id}' #- '{attributes,forventetAfleveringstidspunkt}'
        ) AS header_changed
    FROM ler.network_version AS v
    LEFT JOIN ler.network_version AS b ON b.dataset_id = v.dataset_id AND b.number = v.base_number
    WHERE v.id = :version
""")


def compare_staged(connection: Connection, version_id: UUID) -> Comparison:
    """Compare a staged version with the published one of its dataset; the transaction must act for the owner."""
    asked = {"version": version_id}
    head = connection.execute(_HEADER, asked).one()
    with hash_joins(connection):
        after = _amounts(connection, _TOTALS, asked)
        if head.base_number is None:
            types = {name: TypeChange(after=amount, added=amount) for name, amount in sorted(after.items())}
            return Comparison(None, types, duplicates=_count(connection, _STAGED_TWINS, asked))
        before = _amounts(connection, _BASE_TOTALS, asked)
        types = _types(connection, _STAGED_CHANGES, asked, before, after)
        comparison = Comparison(head.base_number, types, head.header_changed)
        total = comparison.total
        shift = _shift(connection, asked) if total.moved.count else None
        duplicates = 0
        if total.added.count or total.moved.count:
            duplicates = _count(connection, _STAGED_TWINS, asked)
            duplicates = max(0, duplicates - _count(connection, _BASE_TWINS, asked)) if duplicates else 0
    return Comparison(head.base_number, types, head.header_changed, shift, duplicates)


def compare_versions(connection: Connection, dataset_id: UUID, old: int, new: int) -> Comparison:
    """Compare two published versions of a dataset by their numbers; the transaction must act for the owner."""
    asked = {"dataset": dataset_id, "old": old, "new": new}
    with hash_joins(connection):
        before = _amounts(connection, _VERSION_TOTALS, {"dataset": dataset_id, "number": old})
        after = _amounts(connection, _VERSION_TOTALS, {"dataset": dataset_id, "number": new})
        return Comparison(old, _types(connection, _VERSION_CHANGES, asked, before, after))


def decide(comparison: Comparison, settings: Settings) -> Decision:
    """Judge a comparison by the settings: publish, ask the owner first, or do nothing."""
    if comparison.unchanged:
        return Decision(Verdict.UNCHANGED)
    reasons = tuple(_suspicions(comparison, settings))
    if settings.auto_approve == "never":
        reasons = (*reasons, "approval-required")
    asks = reasons and settings.auto_approve != "always"
    return Decision(Verdict.NEEDS_APPROVAL if asks else Verdict.APPROVE, reasons)


def _type_change(stored: Mapping[str, Any]) -> TypeChange:
    amounts: dict[str, Any] = {
        key: Amount(**value) if isinstance(value, Mapping) else value for key, value in stored.items()
    }
    return TypeChange(**amounts)


@contextmanager
def hash_joins(connection: Connection) -> Iterator[None]:
    """Let two networks be joined by hashing: the planner knows nothing of rows that were staged a moment ago."""
    connection.execute(text("SET LOCAL enable_nestloop = off"))
    connection.execute(text("SET LOCAL work_mem = '64MB'"))
    yield
    # After an error the transaction is over, and so are its settings.
    connection.execute(text("SET LOCAL enable_nestloop TO DEFAULT"))
    connection.execute(text("SET LOCAL work_mem TO DEFAULT"))


def _suspicions(comparison: Comparison, settings: Settings) -> Iterator[str]:
    total = comparison.total
    if total.after.count == 0:
        yield "replacement-empty"
    gone = total.removed.count + total.lost_place
    shorter_m = total.before.length_m - total.after.length_m
    most = settings.suspicious_removed_share
    if (
        gone > most * total.before.count
        or max(total.removed.length_m, shorter_m) > most * total.before.length_m
    ):
        yield "replacement-large-change"
    shift = comparison.shift
    if shift and shift.share > _MOST and _is_large(shift, settings):
        yield "replacement-shifted"
    if comparison.duplicates > settings.suspicious_duplicate_share * total.after.count:
        yield "replacement-duplicates"


def _is_large(shift: Shift, settings: Settings) -> bool:
    return shift.distance_m >= _FAR_M or (shift.uniform and shift.distance_m >= settings.suspicious_shift_m)


def _amounts(connection: Connection, query: TextClause, asked: Mapping[str, object]) -> dict[str, Amount]:
    rows = connection.execute(query, asked)
    return {row.feature_type: Amount(row.features, row.length_m) for row in rows}


def _types(
    connection: Connection,
    query: TextClause,
    asked: Mapping[str, object],
    before: Mapping[str, Amount],
    after: Mapping[str, Amount],
) -> dict[str, TypeChange]:
    found: dict[str, dict[str, Any]] = {
        name: {"before": before.get(name, Amount()), "after": after.get(name, Amount())}
        for name in sorted(before.keys() | after.keys())
    }
    for row in connection.execute(query, asked):
        change = found[row.feature_type]
        change[row.kind] = Amount(row.features, row.length_m)
        change["lost_place"] = change.get("lost_place", 0) + row.lost_place
    return {name: TypeChange(**change) for name, change in found.items()}


def _shift(connection: Connection, asked: Mapping[str, object]) -> Shift | None:
    row = connection.execute(_SHIFT, asked).one()
    if not row.features:
        return None
    placed = _count(connection, _PLACED, asked)
    return Shift(row.features / max(placed, row.features), row.east_m, row.north_m, row.spread_m)


def _count(connection: Connection, query: TextClause, asked: Mapping[str, object]) -> int:
    return int(connection.execute(query, asked).scalar_one())
