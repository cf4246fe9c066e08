"""A comparison of two states of a network, as a table for the terminal."""

from typing import Final

from rich.table import Table

from geoapi.cli.console import results
from ingest.compare import Amount, Comparison, TypeChange

_KINDS: Final = ("before", "after", "added", "removed", "moved", "changed")


def tell_comparison(comparison: Comparison) -> None:
    """Print what changes, a row a feature type, with numbers of features and kilometres of line."""
    base = comparison.base_number
    title = "A first version" if base is None else f"Compared with version {base}"
    table = Table("Feature type", *(kind.capitalize() for kind in _KINDS), title=title)
    for name, change in comparison.types.items():
        table.add_row(name, *_cells(change))
    if len(comparison.types) > 1:
        table.add_row("all", *_cells(comparison.total))
    results().print(table)
    if comparison.header_changed:
        results().print("What the file says of itself (contact, validity, model version) is different.")
    if (shift := comparison.shift) is not None:
        results().print(
            f"{shift.share:.0%} of the features moved, median {shift.east_m:+.3f} m east and {shift.north_m:+.3f} m"
            f" north{', all alike' if shift.uniform else ''}."
        )
    if comparison.duplicates:
        results().print(f"{comparison.duplicates:,} features lie exactly on another one of their type.")


def _cells(change: TypeChange) -> list[str]:
    return [_cell(getattr(change, kind)) for kind in _KINDS]


def _cell(amount: Amount) -> str:
    if not amount.count:
        return "-"
    return f"{amount.count:,}" + (f" ({amount.length_m / 1000:,.3f} km)" if amount.length_m else "")
