"""What a filter may have at most. Asked before anything of it is worked on, so that no filter is dear to refuse."""

from typing import Final

MOST_CHARACTERS: Final = 2048
"""Of CQL2 text."""
MOST_JSON_CHARACTERS: Final = 16_384
"""Of CQL2 JSON, which says the same in four to eight times the characters."""
MOST_LEVELS: Final = 32
"""Of parentheses, calls and operators within each other."""
MOST_TERMS: Final = 500
"""Operators, properties and values together."""
MOST_VERTICES: Final = 1000
"""Of all geometries together, as they were given."""
MOST_STRAIGHT_VERTICES: Final = 50_000
"""Of one geometry after its edges were cut into pieces short enough to follow their course in EPSG:25832."""
MOST_SPATIAL: Final = 16
"""Spatial predicates."""
MOST_FOLDED: Final = 40
"""Uses of casei and accenti, which cost a row more than anything else."""
