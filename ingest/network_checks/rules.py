"""The network checks: one rule, one code, one SQL file of that name in `sql/`.

What each says, and whether it keeps a network out, is in the catalogue (`ingest/rules/network.toml`).
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final


@dataclass(frozen=True, slots=True)
class NetworkRule:
    """One check of a whole network."""

    code: str
    told_by: tuple[str, ...] = ()
    """Codes under which the check of the file has told the same faults; where it has, the rule is not run again."""


RULES: Final = (
    NetworkRule("reference-unresolved", told_by=("ManglendeGmlIdHenvisningRule",)),
    NetworkRule("reference-wrong-type", told_by=("reference-wrong-type",)),
    NetworkRule("line-zero-length"),
    NetworkRule("line-outside-container"),
    NetworkRule("line-outside-duct-height"),
    NetworkRule("component-apart-from-line-end"),
    NetworkRule("connected-line-apart"),
    NetworkRule("container-utility-differs"),
    NetworkRule("container-flag-differs"),
    NetworkRule("line-in-several-ducts"),
    NetworkRule("line-crosses-itself"),
    NetworkRule("line-spike"),
    NetworkRule("duplicate-content"),
    NetworkRule("duplicate-geometry"),
    NetworkRule("lines-overlap"),
    NetworkRule("line-end-gap"),
)
"""Every check, in the order in which they run."""

PREPARATIONS: Final = ("features", "references", "parts", "pieces", "neighbours", "duplicates")
"""Files that make the work tables, in their order."""


@cache
def statement(name: str) -> str:
    """The text of `sql/NAME.sql`, with named parameters `%(name)s` and every other percent sign doubled."""
    return files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
