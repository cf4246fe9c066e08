"""Writes what QGIS is to open: `python -m tests.qgis.make_package FOLDER`, with the project's own interpreter."""

import json
import sys
from collections import Counter
from pathlib import Path

from ler.packages.contents import Contents
from ler.packages.members import MEMBERS
from ler.packages.styles import load_styles
from ler.packages.styling.export import export_style
from ler.packages.styling.formats import StyleFormat
from tests.package_samples import sample

COUNT = 300
_OPENED = (".gpkg", ".qgz", ".fgb", ".geojson")


def main(folder: Path) -> None:
    """Write the members of a package that QGIS opens, the styles of all themes, and what must be found."""
    request, owners = sample(COUNT)
    contents = Contents(request, owners)
    for member in MEMBERS:
        if (
            member.is_in(contents)
            and member.name.startswith("consolidated")
            and member.name.endswith(_OPENED)
        ):
            member.write(folder / member.name, contents)
    for theme, _ in load_styles().themes:
        for format_ in (StyleFormat.QML, StyleFormat.SLD):
            (folder / f"{theme}.{format_}").write_bytes(export_style(load_styles(theme), format_))
    counts = Counter(one.feature.type for one in contents.assessed)
    (folder / "expected.json").write_text(json.dumps(counts), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
