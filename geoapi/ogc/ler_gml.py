"""Features of the LER model as LER GML in EPSG:7416, as the official schema of the model wants them.

An unknown height is -99, as LER has it. Features of several answers stand in one document, whose identifiers begin with
their answer's: two owners may give the same. A document has all attributes of its features; what would leave some out,
or bring them into another system, is refused.
"""

import io
from collections.abc import Sequence
from typing import Any, Final

from geoapi.ogc.crs import OFFERED, unusable
from geoapi.ogc.query import Query
from geoapi.ogc.writers import Body, Page, Writer, crs_header, paging_headers
from ler.db.rows import COLUMNS, row_to_feature
from ler.model import ANSWER, Feature, Value
from ler.packages.gml import write_parts

_CRS: Final = next(one for one in OFFERED if one.heights)
_OWN: Final = "network"
"""The collection whose features are all of one owner."""
_HEADER: Final[dict[str, Value]] = {
    "type": "ledningsoplysninger udleveret",
    "typeSupplerendeInfo": "Uddrag fra OGC API, ikke et svar på en graveforespørgsel.",
}
"""What the schema wants of every document, and that this one is no answer."""


def _row(query: Query) -> str:
    """The expression that writes a row as an object: what `row_to_feature` reads, and whose answer it is of."""
    answer = "NULL::text" if query.collection.name == _OWN else "f.answer_id::text"
    columns = ", ".join(
        f"f.{one}" for one in ("feature_type", "gml_id", *COLUMNS.values(), "attributes", "voids")
    )
    told = f"{answer} AS answer, {columns}, encode(ST_AsEWKB(f.geom), 'hex') AS geom"
    return f"(SELECT row_to_json(p)::text FROM (SELECT {told}) AS p)"


def _page(page: Page) -> Body:
    stream = io.BytesIO()
    name = f"ogc-{page.query.collection.name}"
    write_parts(stream, Feature(ANSWER, name, {"id": name, **_HEADER}), _parts(page.listed))
    return stream.getvalue(), crs_header(_CRS) | paging_headers(page)


def _parts(rows: Sequence[dict[str, Any]]) -> dict[str, list[Feature]]:
    """The features of each answer, by what their identifiers begin with."""
    found: dict[str, list[Feature]] = {}
    for row in rows:
        prefix = f"svar-{row['answer']}." if row["answer"] else ""
        found.setdefault(prefix, []).append(row_to_feature(row))
    return found


def _prepared(query: Query) -> Query:
    if len(query.properties) < len(query.collection.properties):
        raise unusable("properties", "LER GML has all attributes of a feature")
    if not query.geometry:
        raise unusable("skipGeometry", "LER GML has the geometry of a feature")
    return query


GML_WRITER: Final = Writer(_row, _page, prepared=_prepared)
