"""Filters in CQL2 (OGC 21-065r2), as text and as JSON, made to SQL with parameters.

Nothing of what a caller writes becomes SQL: names are looked up in the collection's queryables, values are parameters.
Refused, before the database is asked: what is too long, too deep or too much; unknown names; values of the wrong kind;
geometries, dates and numbers that are none. No filter makes a statement fail, whatever the rows hold.
"""

from geoapi.ogc.cql2.compiler import compile_filter
from geoapi.ogc.cql2.geometry import SYSTEMS
from geoapi.ogc.cql2.operators import FUNCTIONS
from geoapi.ogc.cql2.schema import queryables_schema
from geoapi.ogc.cql2.terms import CRS84, Filter, FilterError, Kind, Language, Queryable

__all__ = [
    "CRS84",
    "FUNCTIONS",
    "SYSTEMS",
    "Filter",
    "FilterError",
    "Kind",
    "Language",
    "Queryable",
    "compile_filter",
    "queryables_schema",
]
