"""The members of a package that tell of all its owners, each by its own writer, in the order of the archive.

A writer is given a path and the contents, writes that file and returns how many features it holds. It takes nothing
from the clock, from chance or from the order of sets, so that the same contents give the same bytes.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Final

import shapely

from ler.packages import readme
from ler.packages.area_properties import area_properties
from ler.packages.consolidated import write_consolidated, write_status_list
from ler.packages.contents import Contents
from ler.packages.dxf import write_dxf
from ler.packages.flatgeobuf import write_areas, write_lines, write_points
from ler.packages.geojson import write_geojson
from ler.packages.geopackage import write_geopackage
from ler.packages.letter_html import write_letter_html
from ler.packages.letter_pdf import write_letter_pdf
from ler.packages.map_picture import write_overview, write_world_file
from ler.packages.plan import write_plan
from ler.packages.qgis_project import write_project
from ler.packages.viewer import write_viewer


class Of(Enum):
    """Which packages have a member."""

    CONSOLIDATED = auto()
    OWNER = auto()
    BOTH = auto()


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a package."""

    name: str
    """Within the archive; `{order}` stands for the request's order number."""
    write: Callable[[Path, Contents], int]
    """Writes it and returns how many features it holds."""
    of: Of = Of.CONSOLIDATED

    def is_in(self, contents: Contents) -> bool:
        """Whether this package has it."""
        return self.of is Of.BOTH or (self.of is Of.CONSOLIDATED) == contents.consolidated

    def name_in(self, contents: Contents) -> str:
        """What it is called there."""
        return self.name.format(order=contents.request.order_number)


def _write_status_list(path: Path, contents: Contents) -> int:
    with path.open("wb") as stream:
        write_status_list(stream, contents.owners)
    return 0


def _write_area(path: Path, contents: Contents) -> int:
    request = contents.request
    document = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}},
        "features": [
            {
                "type": "Feature",
                "properties": area_properties(request, contents.owners),
                "geometry": shapely.geometry.mapping(request.area),
            }
        ],
    }
    path.write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1


def _write_consolidated(path: Path, contents: Contents) -> int:
    folders = {owner: folder.rstrip("/") for owner, folder in contents.folders.items()}
    with path.open("wb") as stream:
        return write_consolidated(stream, contents.request, contents.owners, folders)


def _write_geopackage(path: Path, contents: Contents) -> int:
    return sum(write_geopackage(path, contents).values())


MEMBERS: Final = (
    Member("Laes_mig.txt", readme.write_danish, Of.BOTH),
    Member("README.txt", readme.write_english, Of.BOTH),
    Member("Foelgebrev.html", write_letter_html),
    Member("Foelgebrev.pdf", write_letter_pdf),
    Member("viewer.html", write_viewer),
    Member("LedningsejerStatusListe.xml", _write_status_list),
    Member("Graveforespoergsel_{order}.geojson", _write_area, Of.BOTH),
    Member("consolidated.gml", _write_consolidated),
    Member("consolidated.gpkg", _write_geopackage),
    Member("consolidated.qgz", write_project),
    Member("consolidated.geojson", write_geojson),
    Member("consolidated-lines.fgb", write_lines),
    Member("consolidated-points.fgb", write_points),
    Member("consolidated-areas.fgb", write_areas),
    Member("consolidated.dxf", write_dxf),
    Member("ledningsoplysninger.gpkg", _write_geopackage, Of.OWNER),
    Member("plan.pdf", write_plan),
    Member("overview.png", write_overview),
    Member("overview.pgw", write_world_file),
)
