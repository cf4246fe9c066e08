"""The ways in which features are drawn, for maps and for styles in other languages."""

from enum import Enum


class Kind(Enum):
    """How a feature is drawn."""

    LINE = "line"
    DUCT = "duct"
    TRACE = "trace"
    COMPONENT = "component"
