"""A drawing from an owner's file: checked, copied, and made into what is kept and delivered.

The file is copied into a folder of its own first, under a name of ours: what is checked is what is kept, nothing that
lies beside the owner's file is read, and its name never reaches a parser.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import shapely
from shapely import MultiPolygon

from ingest.drawings.faults import Fault, Faults
from ingest.drawings.launcher import run_child
from ingest.drawings.limits import DEFAULT_LIMITS, DrawingLimits
from ingest.drawings.signature import MEDIA_TYPES, driver_of
from ingest.drawings.world_file import Placement, find_world_file, read_world_file
from ingest.findings import Finding, Findings
from ingest.severity import Severity
from ler.errors import RefusedError

type Coverage = tuple[float, float, float, float]

_HARMLESS: Final = (".aux.xml", ".ovr", ".xml")
"""What programs lay beside a picture and what cannot change how it looks."""
_MASK: Final = ".msk"
_ANYWHERE: Final = (-1e9, -1e9, 1e9, 1e9)
"""It was asked once where it lies."""


class DrawingRefusedError(RefusedError):
    """The drawing has faults; `findings` tells all of them."""

    def __init__(self, name: str, findings: Findings) -> None:
        super().__init__("drawing-refused", f"{name} has {findings.errors} faults; nothing was stored")
        self.findings = findings


@dataclass(frozen=True, slots=True)
class MadeDrawing:
    """A drawing as it is to be kept; the files lie in the work folder that the caller gave."""

    original: Path
    """The owner's file, byte for byte."""
    media_type: str
    """Of the original."""
    cog: Path
    """Cloud Optimized GeoTIFF, EPSG:25832, 8-bit grey or RGB with transparency where it is not valid."""
    preview: Path
    """PNG."""
    columns: int
    rows: int
    resolution_m: float
    """Ground length of a pixel's side."""
    source_epsg: int
    accuracy_m: float | None
    """What the change of reference system may be off; None when nobody knows."""
    compression: str
    """Of the COG: `deflate` (lossless) or `jpeg`."""
    resampled: bool
    """Whether the pixels had to be computed anew for EPSG:25832."""
    bounds: tuple[float, float, float, float]
    footprint: MultiPolygon
    """EPSG:25832; covers every valid pixel."""
    placement: Placement | None
    """Of the world file that was used; None when the original says itself where it lies."""
    findings: Findings
    """Warnings only."""


def make_drawing(
    path: Path,
    folder: Path,
    *,
    coverage: Coverage,
    crs: str | None = None,
    world_file: Path | None = None,
    limits: DrawingLimits = DEFAULT_LIMITS,
) -> MadeDrawing:
    """Check a GeoTIFF, or a TIFF, PNG or JPEG with a world file, and make in the empty `folder` what is kept of it.

    `crs` (`EPSG:25832`) is needed when the file does not say it. A world file beside the picture is found by its name.
    `coverage` is west, south, east, north of what the platform covers, EPSG:25832.

    Raises DrawingRefusedError for faults of the drawing, RefusedError for a file that is none, is too large, or kills
    its reader.
    """
    driver = driver_of(path)
    size = path.stat().st_size
    if size > limits.max_bytes:
        raise RefusedError(
            "body-too-large", f"{path.name} has {size:,} bytes; at most {limits.max_bytes:,} are read"
        )
    faults = Faults()
    _look_beside(path, faults)
    beside = world_file or find_world_file(path, driver)
    placement = read_world_file(beside, faults) if beside else None
    if faults.refused:
        raise DrawingRefusedError(path.name, _findings(faults.all))
    original = folder / "original"
    shutil.copyfile(path, original)
    return _draw(
        original, driver, placement, crs, coverage=coverage, limits=limits, faults=faults, name=path.name
    )


def make_again(
    original: Path,
    placement: Placement | None,
    epsg: int,
    *,
    limits: DrawingLimits = DEFAULT_LIMITS,
) -> MadeDrawing:
    """Make a drawing again from what was kept of it: the original, alone in its folder, its place and its system.

    The same version of the platform makes the same bytes. Raises as `make_drawing` does.
    """
    return _draw(
        original,
        driver_of(original),
        placement,
        f"EPSG:{epsg}",
        coverage=_ANYWHERE,
        limits=limits,
        faults=Faults(),
        name=original.name,
    )


def _draw(
    original: Path,
    driver: str,
    placement: Placement | None,
    crs: str | None,
    *,
    coverage: Coverage,
    limits: DrawingLimits,
    faults: Faults,
    name: str,
) -> MadeDrawing:
    folder = original.parent
    cog, preview = folder / "drawing.tif", folder / "preview.png"
    # All that the child writes lies in a folder of its own, which goes however it ends: the original is beyond its reach.
    with tempfile.TemporaryDirectory(dir=folder, prefix="steps-") as place:
        steps = Path(place)
        job = {
            "source": str(original),
            "driver": driver,
            "cog": str(steps / cog.name),
            "preview": str(steps / preview.name),
            "work": str(steps),
            "placement": placement,
            "crs": crs,
            "coverage": coverage,
        }
        result = run_child(job, limits, steps)
        findings = _findings([*faults.all, *(_fault(told) for told in result["faults"])])
        if findings.errors:
            raise DrawingRefusedError(name, findings)
        for made in (cog, preview):
            (steps / made.name).replace(made)
    return _made(
        result["drawn"],
        original=original,
        media_type=MEDIA_TYPES[driver],
        cog=cog,
        preview=preview,
        placement=placement,
        findings=findings,
    )


def _made(
    drawn: dict[str, Any],
    *,
    original: Path,
    media_type: str,
    cog: Path,
    preview: Path,
    placement: Placement | None,
    findings: Findings,
) -> MadeDrawing:
    footprint = shapely.from_wkt(drawn["footprint_wkt"])
    west, south, east, north = drawn["bounds"]
    kept = ("columns", "rows", "resolution_m", "source_epsg", "accuracy_m", "compression", "resampled")
    return MadeDrawing(
        original=original,
        media_type=media_type,
        cog=cog,
        preview=preview,
        bounds=(west, south, east, north),
        footprint=footprint,
        placement=placement,
        findings=findings,
        **{name: drawn[name] for name in kept},
    )


def _look_beside(path: Path, faults: Faults) -> None:
    """Tell of files that other programs would have read with this one: they are not read here."""
    names = {
        f"{base}{suffix}".lower(): suffix for base in {path.name, path.stem} for suffix in (*_HARMLESS, _MASK)
    }
    for found in sorted(path.parent.iterdir()):
        suffix = names.get(found.name.lower())
        if suffix == _MASK:
            faults.error("drawing-mask-beside", found.name)
        elif suffix:
            faults.warn("drawing-sidecar", found.name)


def _fault(told: dict[str, Any]) -> Fault:
    return Fault(told["code"], told["found"], told["wanted"], Severity(told["severity"]))


def _findings(faults: list[Fault]) -> Findings:
    findings = Findings()
    for fault in faults:
        findings.add(Finding(fault.code, 0, severity=fault.severity, found=fault.found, wanted=fault.wanted))
    return findings
