"""Whether a file is IMKL, by its root; and which member of a delivery of KLIC holds the network, by its name."""

import re
from typing import Final

from ingest.readers.prolog import Prolog
from ler.exchange.tables import load_imkl

DELIVERY_NAME: Final = re.compile(r"(.*/)?GI_gebiedsinformatielevering_[^/]*\.xml", re.IGNORECASE | re.ASCII)
"""The one XML file of a KLIC delivery that holds the owners' networks."""
_COLLECTION: Final = "FeatureCollection"


def is_imkl(prolog: Prolog) -> bool:
    """Whether the root is a collection of GML that declares the namespace of IMKL."""
    raw = load_imkl().raw
    spaces = {raw["namespace"], *raw["older_namespaces"]}
    is_collection = (prolog.namespace, prolog.name) == (raw["namespaces"]["gml"], _COLLECTION)
    return is_collection and not spaces.isdisjoint(prolog.namespaces)
