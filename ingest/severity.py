"""How much a rule weighs: whether a finding keeps a file out."""

from enum import StrEnum


class Severity(StrEnum):
    """Whether a finding keeps the file out."""

    ERROR = "error"
    WARNING = "warning"
