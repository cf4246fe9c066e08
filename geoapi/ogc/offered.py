"""In which formats the items of a collection are offered."""

from geoapi.ogc.collections import Collection
from geoapi.ogc.families import feature_type_of
from geoapi.ogc.formats import ITEM, ITEMS, LER_ITEMS, RECORDS, Format

_MIXED = frozenset({"network", "package-features"})


def formats_of_items(collection: Collection) -> tuple[Format, ...]:
    """Return the formats of a page of items, the default first."""
    if collection.record:
        return RECORDS
    is_ler = collection.name in _MIXED or feature_type_of(collection) is not None
    return LER_ITEMS if is_ler else ITEMS


def formats_of_item(collection: Collection) -> tuple[Format, ...]:
    """Return the formats of one item, the default first."""
    return RECORDS if collection.record else ITEM
