"""From an owner's layers, columns and codes to the LER model: a YAML file that the owner writes once.

`read_mapping` reads and checks it against the model, `ingest.mapped_source.MappedSource` applies it.
"""

from ingest.mapping.reading import parse_mapping, read_mapping
from ingest.mapping.rules import CsvDialect, LayerMapping, Mapping

__all__ = ["CsvDialect", "LayerMapping", "Mapping", "parse_mapping", "read_mapping"]
