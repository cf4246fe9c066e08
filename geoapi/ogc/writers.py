"""How features become an answer: what PostGIS writes of each, and what is put around it.

One `Writer` for each format of items. What the database wrote is passed on as it is where the format allows it. The
links of a page stand within it, or, in formats that have no place for them, in the header `Link` (RFC 8288).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import Request

from geoapi.ogc.crs import Crs
from geoapi.ogc.formats import Format
from geoapi.ogc.query import Query
from geoapi.ogc.statement import Written, feature_text

type Body = tuple[bytes, dict[str, str]]
"""The content of an answer, and headers of its own."""


@dataclass(frozen=True, slots=True)
class Page:
    """What was found, and what belongs to it."""

    request: Request
    query: Query
    chosen: Format
    features: str
    """What the database wrote of each feature, with commas between."""
    returned: int
    matched: int | None
    """None: more than are counted."""
    links: list[dict[str, str]]

    @property
    def listed(self) -> list[Any]:
        """What was written, read again."""
        found: list[Any] = json.loads(f"[{self.features}]")
        return found


def _no_item(page: Page) -> Body:
    raise ValueError(f"{page.chosen.name} is no format of a single feature")


@dataclass(frozen=True, slots=True)
class Writer:
    """One format of items."""

    written: Written
    page: Callable[[Page], Body]
    item: Callable[[Page], Body] = _no_item
    """Of a single feature, in formats that have one."""
    prepared: Callable[[Query], Query] = lambda query: query
    """Gives what is asked as the format needs it; a problem for what the format cannot say."""


def crs_header(crs: Crs) -> dict[str, str]:
    """Return the header that says in which system an answer is (Features 2)."""
    return {"Content-Crs": f"<{crs.uri}>"}


def paging_headers(page: Page) -> dict[str, str]:
    """Return the links and the numbers of a page as headers, for formats that have no place for them."""
    told = [
        f'<{one["href"]}>; rel="{one["rel"]}"; type="{one["type"]}"'
        for one in page.links
        if one["rel"] in {"self", "next", "prev", "collection"}
    ]
    matched = {} if page.matched is None else {"OGC-NumberMatched": str(page.matched)}
    return {"Link": ", ".join(told), "OGC-NumberReturned": str(page.returned), **matched}


def json_page(page: Page, more: Mapping[str, Any] | None = None) -> bytes:
    """Return a collection of features, with more members before the links."""
    told = {"type": "FeatureCollection", **(more or {})}
    told |= {} if page.matched is None else {"numberMatched": page.matched}
    told |= {
        "numberReturned": page.returned,
        "timeStamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "links": page.links,
    }
    head = json.dumps(told, ensure_ascii=False)[:-1].encode() + b', "features": ['
    return head + page.features.encode() + b"]}"


def _geojson_page(page: Page) -> Body:
    return json_page(page), crs_header(page.query.crs)


def _geojson_item(page: Page) -> Body:
    links = json.dumps(page.links, ensure_ascii=False)
    return f'{page.features[:-1]},"links":{links}}}'.encode(), crs_header(page.query.crs)


GEOJSON_WRITER: Final = Writer(feature_text, _geojson_page, _geojson_item)
