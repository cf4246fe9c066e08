"""Where a drawing lies: its reference system, its corners in EPSG:25832, and the grid it is brought to.

Runs in the child: text about reference systems comes from the file and goes to a native parser.
"""

import math
import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from affine import Affine
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from pyproj.transformer import TransformerGroup

from ingest.drawings.faults import Faults
from ingest.drawings.limits import DrawingLimits
from ingest.drawings.world_file import is_plane

STORAGE_EPSG: Final = 25832
KNOWN_EPSG: Final = (25832, 25833, 4258, 4326, 3857)
_SAME_DATUM: Final = (25832, 25833, 4258)
_GIVEN: Final = re.compile(r"(?:EPSG:)?([0-9]{4,6})", re.IGNORECASE)
_CONFIDENCE: Final = 70
"""Of 100: a GeoTIFF names a system by its parts and often leaves the authority out."""
_STEPS: Final = 21
"""Points a side: an edge that is straight in degrees is bent in metres."""

type Coverage = tuple[float, float, float, float]
type Points = np.ndarray[tuple[int, int], np.dtype[np.float64]]
"""(n, 2), x and y."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pixels of a source lie."""

    epsg: int
    transform: Affine
    """Of the source, from the corner of the upper left pixel, in the source's system."""
    resolution_m: float
    """Ground length of the shorter side of a pixel in the middle of the drawing."""
    outline: Points
    """(n, 2) the border in EPSG:25832, closed."""
    exact: bool
    """Whether the pixels lie in the storage system's grid, north up and square, and need not be computed anew."""
    accuracy_m: float | None
    """What the change of system may be off; None when nobody knows."""


def read_epsg(wkt: str | None, given: str | None, faults: Faults) -> int | None:
    """Return the horizontal system of a drawing from the file's own words or those of the owner, which must agree."""
    before = len(faults.all)
    asked = _given_epsg(given, faults) if given else None
    stated = _stated_epsg(wkt, faults) if wkt else None
    if len(faults.all) > before:
        return None
    if asked and stated and asked != stated:
        faults.error("drawing-crs-mixed", f"EPSG:{stated}", f"EPSG:{asked}")
        return None
    if not asked and not stated:
        faults.error("drawing-crs-missing", "", _known())
    return asked or stated


def find_place(
    transform: Affine,
    epsg: int,
    size: tuple[int, int],
    *,
    limits: DrawingLimits,
    coverage: Coverage,
    faults: Faults,
) -> Place | None:
    """Return where a source of `size` (columns, rows) lies; None, and a fault, when that cannot be."""
    numbers = (transform.a, transform.b, transform.c, transform.d, transform.e, transform.f)
    if not all(map(math.isfinite, numbers)) or not is_plane(
        transform.a, transform.b, transform.d, transform.e
    ):
        faults.error("drawing-georeference-invalid", " ".join(f"{number:g}" for number in numbers))
        return None
    if not _lies_right(transform, epsg, size, coverage, faults):
        return None
    transformer = Transformer.from_crs(epsg, STORAGE_EPSG, always_xy=True)
    outline = _moved(transformer, _border(transform, size))
    across, along = _ground_steps(transformer, transform, size)
    resolution = min(across, along)
    if not limits.min_resolution_m <= resolution <= max(across, along) <= limits.max_resolution_m:
        wanted = f"{limits.min_resolution_m} – {limits.max_resolution_m} m"
        faults.error("drawing-resolution", f"{across:g} x {along:g} m", wanted)
        return None
    extent = float(np.ptp(outline, axis=0).max())
    if extent > limits.max_extent_m:
        faults.error("drawing-extent", f"{extent / 1000:,.1f} km", f"{limits.max_extent_m / 1000:,.0f} km")
        return None
    return Place(epsg, transform, resolution, outline, _is_exact(transform, epsg), _accuracy(epsg))


def target_grid(place: Place, *, finer: bool) -> tuple[Affine, int, int]:
    """Return the grid in EPSG:25832 to compute the drawing anew in: its transform, columns and rows.

    `finer` makes it so much finer that, however the drawing is turned, every pixel of the source holds the centre of
    one of the target: a line of one pixel's width does not break.
    """
    resolution = place.resolution_m / math.sqrt(2) if finer else place.resolution_m
    west, south = (math.floor(value / resolution) * resolution for value in place.outline.min(axis=0))
    east, north = place.outline.max(axis=0)
    columns, rows = math.ceil((east - west) / resolution), math.ceil((north - south) / resolution)
    return Affine(resolution, 0, west, 0, -resolution, south + rows * resolution), columns, rows


def _given_epsg(given: str, faults: Faults) -> int | None:
    found = _GIVEN.fullmatch(given.strip())
    epsg = int(found[1]) if found else None
    if epsg not in KNOWN_EPSG:
        faults.error("drawing-crs-unsupported", given[:40], _known())
        return None
    return epsg


def _stated_epsg(wkt: str, faults: Faults) -> int | None:
    try:
        crs = CRS.from_wkt(wkt)
        # A drawing is flat: the height's half of a compound system says nothing of it.
        horizontal = next((part for part in crs.sub_crs_list if not part.is_vertical), crs)
        epsg = horizontal.to_2d().to_epsg(min_confidence=_CONFIDENCE)
        name = horizontal.name
    except CRSError:
        epsg, name = None, ""
    if epsg not in KNOWN_EPSG:
        faults.error("drawing-crs-unsupported", f"EPSG:{epsg}" if epsg else name[:60], _known())
        return None
    return epsg


def _known() -> str:
    return ", ".join(f"EPSG:{epsg}" for epsg in KNOWN_EPSG)


def _lies_right(
    transform: Affine, epsg: int, size: tuple[int, int], coverage: Coverage, faults: Faults
) -> bool:
    border = _border(transform, size)
    transformer = Transformer.from_crs(epsg, STORAGE_EPSG, always_xy=True)
    if _inside(_moved(transformer, border), coverage):
        return True
    west, south, east, north = (*border.min(axis=0), *border.max(axis=0))
    found = f"{west:.6g} {south:.6g} – {east:.6g} {north:.6g} (EPSG:{epsg})"
    wanted = "EPSG:25832 " + " ".join(f"{value:.0f}" for value in coverage)
    if _inside(_moved(transformer, border[:, ::-1]), coverage):
        faults.error("drawing-axes-swapped", found, wanted)
    elif not CRS.from_epsg(epsg).is_geographic and np.abs(border).max() <= 360:  # noqa: PLR2004 - a full circle
        faults.error("drawing-degrees", found, wanted)
    else:
        faults.error("drawing-outside-coverage", found, wanted)
    return False


def _border(transform: Affine, size: tuple[int, int]) -> Points:
    columns, rows = size
    way = np.linspace(0.0, 1.0, _STEPS)[:-1]
    ring = np.concatenate(
        [
            np.column_stack([way * columns, np.zeros_like(way)]),
            np.column_stack([np.full_like(way, columns), way * rows]),
            np.column_stack([columns - way * columns, np.full_like(way, rows)]),
            np.column_stack([np.zeros_like(way), rows - way * rows]),
        ]
    )
    ring = np.concatenate([ring, ring[:1]])
    return _placed(transform, ring)


def _placed(transform: Affine, pixels: Points) -> Points:
    """Points counted in columns and rows, in the source's system."""
    columns, rows = pixels[:, 0], pixels[:, 1]
    x = transform.a * columns + transform.b * rows + transform.c
    y = transform.d * columns + transform.e * rows + transform.f
    return np.column_stack([x, y])


def _moved(transformer: Transformer, points: Points) -> Points:
    return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))


def _inside(points: Points, coverage: Coverage) -> bool:
    if not np.isfinite(points).all():
        return False
    west, south, east, north = coverage
    (left, bottom), (right, top) = points.min(axis=0), points.max(axis=0)
    return bool(west <= left and right <= east and south <= bottom and top <= north)


def _ground_steps(transformer: Transformer, transform: Affine, size: tuple[int, int]) -> tuple[float, float]:
    column, row = size[0] / 2, size[1] / 2
    pixels = np.array([[column, row], [column + 1, row], [column, row + 1]])
    middle, right, below = _moved(transformer, _placed(transform, pixels))
    return math.dist(middle, right), math.dist(middle, below)


def _is_exact(transform: Affine, epsg: int) -> bool:
    square = math.isclose(transform.a, -transform.e, rel_tol=1e-9)
    return epsg == STORAGE_EPSG and transform.b == transform.d == 0 and transform.a > 0 and square


def _accuracy(epsg: int) -> float | None:
    if epsg in _SAME_DATUM:
        return 0.0  # a projection alone; PROJ calls its accuracy unknown for one of the three
    accuracy = TransformerGroup(epsg, STORAGE_EPSG, always_xy=True).transformers[0].accuracy
    return None if accuracy < 0 else float(accuracy)
