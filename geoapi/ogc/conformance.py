"""The conformance classes that the OGC API declares; each has its tests in `tests/conformance`."""

from typing import Final

_FEATURES: Final = "http://www.opengis.net/spec/ogcapi-features"
_COMMON: Final = "http://www.opengis.net/spec/ogcapi-common"
_TILES: Final = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf"
_JSONFG: Final = "http://www.opengis.net/spec/json-fg-1/1.0/conf"
_RECORDS: Final = "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf"
_CQL2: Final = "http://www.opengis.net/spec/cql2/1.0/conf"
_PROCESSES: Final = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf"

CLASSES: Final = (
    f"{_COMMON}-1/1.0/conf/core",
    f"{_COMMON}-1/1.0/conf/landing-page",
    f"{_COMMON}-1/1.0/conf/json",
    f"{_COMMON}-1/1.0/conf/html",
    f"{_COMMON}-1/1.0/conf/oas30",
    f"{_COMMON}-2/1.0/conf/collections",
    f"{_FEATURES}-1/1.0/conf/core",
    f"{_FEATURES}-1/1.0/conf/geojson",
    f"{_FEATURES}-1/1.0/conf/html",
    f"{_FEATURES}-1/1.0/conf/oas30",
    f"{_FEATURES}-2/1.0/conf/crs",
    f"{_FEATURES}-3/1.0/conf/queryables",
    f"{_FEATURES}-3/1.0/conf/queryables-query-parameters",
    f"{_FEATURES}-3/1.0/conf/filter",
    f"{_FEATURES}-3/1.0/conf/features-filter",
    f"{_FEATURES}-5/1.0/conf/schemas",
    f"{_FEATURES}-5/1.0/conf/advanced-property-roles",
    f"{_FEATURES}-5/1.0/conf/returnables-and-receivables",
    f"{_FEATURES}-5/1.0/conf/queryables",
    f"{_FEATURES}-5/1.0/conf/sortables",
    f"{_FEATURES}-6/0.0/conf/properties",
    f"{_FEATURES}-8/0.0/conf/sorting",
    f"{_FEATURES}-8/0.0/conf/features-sorting",
    f"{_JSONFG}/core",
    f"{_RECORDS}/record-core",
    f"{_RECORDS}/record-core-query-parameters",
    f"{_RECORDS}/json",
    f"{_RECORDS}/html",
    f"{_FEATURES}-4/1.0/conf/create-replace-delete",
    f"{_FEATURES}-4/1.0/conf/update",
    f"{_FEATURES}-4/1.0/conf/optimistic-locking-etags",
    f"{_FEATURES}-4/1.0/conf/features",
    f"{_CQL2}/cql2-text",
    f"{_CQL2}/cql2-json",
    f"{_CQL2}/basic-cql2",
    f"{_CQL2}/advanced-comparison-operators",
    f"{_CQL2}/case-insensitive-comparison",
    f"{_CQL2}/accent-insensitive-comparison",
    f"{_CQL2}/basic-spatial-functions",
    f"{_CQL2}/basic-spatial-functions-plus",
    f"{_CQL2}/spatial-functions",
    f"{_CQL2}/temporal-functions",
    f"{_CQL2}/array-functions",
    f"{_CQL2}/property-property",
    f"{_CQL2}/arithmetic",
    f"{_TILES}/core",
    f"{_TILES}/tileset",
    f"{_TILES}/tilesets-list",
    f"{_TILES}/dataset-tilesets",
    f"{_TILES}/geodata-tilesets",
    f"{_TILES}/collections-selection",
    f"{_TILES}/mvt",
    f"{_TILES}/oas30",
    f"{_PROCESSES}/core",
    f"{_PROCESSES}/ogc-process-description",
    f"{_PROCESSES}/json",
    f"{_PROCESSES}/oas30",
    f"{_PROCESSES}/job-list",
    f"{_PROCESSES}/callback",
    f"{_PROCESSES}/dismiss",
)
