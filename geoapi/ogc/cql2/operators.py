"""The operators and functions that filters may use, and what is said of others."""

from typing import Final

from geoapi.ogc.cql2.moments import RELATIONS
from geoapi.ogc.cql2.terms import FilterError

COMPARISONS: Final = ("=", "<>", "<", ">", "<=", ">=")
ARITHMETIC: Final = ("+", "-", "*", "/", "%", "div", "^")
SPATIAL: Final = {
    "s_contains": "ST_Contains",
    "s_crosses": "ST_Crosses",
    "s_disjoint": "ST_Intersects",
    "s_equals": "ST_Equals",
    "s_intersects": "ST_Intersects",
    "s_overlaps": "ST_Overlaps",
    "s_touches": "ST_Touches",
    "s_within": "ST_Within",
}
"""With the function of PostGIS; disjoint is what does not intersect."""
ARRAYS: Final = {
    "a_containedBy": "{0} <@ {1}",
    "a_contains": "{0} @> {1}",
    "a_equals": "{0} @> {1} AND {0} <@ {1}",
    "a_overlaps": "{0} && {1}",
}
"""In SQL, as relations of sets."""
FOLDS: Final = ("accenti", "casei")
FUNCTIONS: Final = (*sorted(ARRAYS), *FOLDS, *sorted(SPATIAL), *sorted(RELATIONS))
"""All functions that there are."""
PREDICATES: Final = frozenset(
    (*("and", "or", "not", "like", "between", "in", "isNull"), *COMPARISONS, *SPATIAL, *ARRAYS, *RELATIONS)
)
"""All operators that give a truth value."""


def misused(op: str, place: str) -> FilterError:
    """Return what to say of an operator that is unknown, or that is known but does not stand here like this."""
    if op in FOLDS:
        return FilterError("predicate-expected", f"{op} gives a text, to be compared with another", place)
    if op in ARITHMETIC:
        return FilterError("predicate-expected", f"`{op}` gives a number, to be compared with another", place)
    if op in PREDICATES:
        return FilterError("arguments", f"`{op}` does not have these arguments", place)
    return FilterError(
        "function-unknown", f"there is no function {op[:60]!r}, only: {', '.join(FUNCTIONS)}", place
    )
