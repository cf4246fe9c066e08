"""The report as a GeoPackage, to be opened beside the network it is about.

The layer `findings` has a point for each finding that has a place; the table `findings_without_place` has the others,
with the same columns. EPSG:25832.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import geopandas
import pandas as pd
import pyogrio
import shapely

from ingest.report.content import FileReport
from ingest.report.to_json import finding_row
from ingest.rules.catalogue import Language

LAYER: Final = "findings"
TABLE: Final = "findings_without_place"
CRS: Final = "EPSG:25832"

_NUMBERS: Final = ("line", "column")
_TEXTS: Final = (
    "file",
    "rule",
    "severity",
    "layer",
    "gml_id",
    "feature_type",
    "attribute",
    "found",
    "wanted",
    "message",
    "mend",
    "basis",
)


def write_geopackage_report(path: Path, reports: Sequence[FileReport], language: Language) -> int:
    """Write the listed findings of several files; returns how many have a place. An older report is replaced."""
    rows = [row for report in reports if report.result for row in _rows(report, language)]
    placed = [row for row in rows if row["place"] is not None]
    others = [row for row in rows if row["place"] is None]
    points = geopandas.GeoSeries([shapely.Point(row["place"]) for row in placed], crs=CRS)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".ler-report-") as folder:
        workshop = Path(folder) / "report.gpkg"
        # Version 1.3 is what GDAL 3.6 (Debian 12) and QGIS 3.22 read without a warning; nothing newer is used.
        pyogrio.write_dataframe(
            geopandas.GeoDataFrame(_columns(placed), geometry=points),
            workshop,
            layer=LAYER,
            driver="GPKG",
            geometry_type="Point",
            dataset_options={"VERSION": "1.3"},
        )
        pyogrio.write_dataframe(_columns(others), workshop, layer=TABLE, driver="GPKG", append=True)
        workshop.replace(path)
    return len(placed)


def _rows(report: FileReport, language: Language) -> list[dict[str, Any]]:
    kept = report.result.findings.kept if report.result else []
    return [finding_row(finding, language) | {"file": str(report.path)} for finding in kept]


def _columns(rows: list[dict[str, Any]]) -> pd.DataFrame:
    texts = {name: pd.array([row[name] or None for row in rows], dtype="object") for name in _TEXTS}
    numbers = {name: pd.array([row[name] or None for row in rows], dtype="Int64") for name in _NUMBERS}
    return pd.DataFrame(texts | numbers)
