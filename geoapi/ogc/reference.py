"""The table of who sees which collection, for `docs/reference/ogc-api.md`: made of the collections themselves.

`python -m geoapi.ogc.reference` prints it; a test keeps the page the same.
"""

from collections.abc import Iterator
from typing import Final

from geoapi.ogc.collections import Collection, all_collections

_HEAD: Final = ("Collection", "Features", "Who sees it", "Geometry", "`datetime`", "`as-of`")


def access_table() -> str:
    """Return the table as Markdown."""
    return "\n".join(_row(cells) for cells in _cells()) + "\n"


def _cells() -> Iterator[tuple[str, ...]]:
    yield _HEAD
    yield ("---",) * len(_HEAD)
    for one in all_collections().values():
        yield (
            f"`{one.name}`",
            one.descriptions["en"],
            _who(one),
            _geometry(one),
            ", ".join(f"`{column}`" for column in one.time) or "-",
            "yes" if one.pinned else "-",
        )


def _who(one: Collection) -> str:
    if one.own:
        return f"everybody; what is an owner's, its tokens with `{one.own}`"
    return f"tokens with `{one.scope}`" if one.scope else "everybody"


def _geometry(one: Collection) -> str:
    return "-" if one.geometry == "none" else one.geometry


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(access_table(), end="")  # noqa: T201 - it is what the command gives
