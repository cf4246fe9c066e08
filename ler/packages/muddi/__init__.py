"""MUDDI (OGC 23-024) out: the Core classes with LER's own attributes beside them, as JSON-FG and as GeoPackage."""

from ler.packages.muddi.json_fg import write_muddi_json
from ler.packages.muddi.tables import write_muddi_geopackage

__all__ = ["write_muddi_geopackage", "write_muddi_json"]
