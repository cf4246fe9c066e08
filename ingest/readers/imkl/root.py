"""Whether a file is IMKL, by its root; and which member of a delivery of KLIC holds the network, by its name."""

import re
from pathlib import Path
from typing import Final

from ingest.readers.prolog import Prolog, read_prolog
from ler.exchange.tables import load_imkl

DELIVERY_NAME: Final = re.compile(r"(.*/)?GI_gebiedsinformatielevering_[^/]*\.xml", re.IGNORECASE | re.ASCII)
"""The one XML file of a KLIC delivery that holds the owners' networks."""
_COLLECTION: Final = "FeatureCollection"
_ARCHIVE: Final = ".zip"


def is_imkl(prolog: Prolog) -> bool:
    """Whether the root is a collection of GML that declares the namespace of IMKL."""
    raw = load_imkl().raw
    spaces = {raw["namespace"], *raw["older_namespaces"]}
    is_collection = (prolog.namespace, prolog.name) == (raw["namespaces"]["gml"], _COLLECTION)
    return is_collection and not spaces.isdisjoint(prolog.namespaces)


def holds_imkl(path: Path) -> bool:
    """Whether a file is IMKL, or an archive, which is a KLIC delivery or nothing that is converted."""
    if path.suffix.lower() == _ARCHIVE:
        return True
    return path.is_file() and is_imkl(read_prolog(path))
