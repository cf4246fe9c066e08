"""FlatGeobuf of all features in one table, EPSG:7416, positions as they were delivered.

Attributes have their LER names and are written as in an export of a network (`ler.packages.exports`); an unknown
height is -99. There is no spatial index: it cannot hold a feature without a place, and a package's file is small.
"""

from pathlib import Path

from ler.model import load_model
from ler.packages.contents import Contents
from ler.packages.exports.whole import save_flatgeobuf, table_of
from ler.packages.vector_values import told_columns


def write_flatgeobuf(path: Path, contents: Contents) -> int:
    """Write every feature; returns how many."""
    assessed = contents.assessed
    frame, _ = table_of([one.feature for one in assessed], load_model(), told_columns(assessed))
    save_flatgeobuf(path, frame)
    return len(assessed)
