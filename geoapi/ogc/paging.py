"""The links of a page of features: to itself, its other formats, its collection, and the pages beside it."""

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import Request

from geoapi.ogc.formats import JSON, Format
from geoapi.ogc.links import addressed, link, own_links
from geoapi.ogc.query import PINNED, Query, cursor_of
from geoapi.ogc.site import language, root_of


def page_links(
    request: Request,
    query: Query,
    last_key: Any,  # noqa: ANN401 - a key of the collection
    pinned: int | None,
    *,
    chosen: Format,
    offered: Sequence[Format],
) -> Iterator[dict[str, str]]:
    """Yield the links; `pinned`: the version in which the pages after this one stay."""
    told_in = language(request)
    collection = f"{root_of(request)}/collections/{query.collection.name}"
    here = f"{collection}/items"
    given = dict(request.query_params)
    yield from own_links(here, given, chosen, offered, told_in)
    yield link("collection", collection, JSON, told_in, told=True)
    kept = {name: value for name, value in given.items() if name not in {"offset", "cursor"}}
    if pinned is not None:
        kept[PINNED] = str(pinned)
    if query.offset:
        before = {"offset": str(max(query.offset - query.limit, 0))}
        yield link("prev", addressed(here, kept | before), chosen.media_type, told_in)
    if last_key is not None:
        # Sorted by something else than the key, a page has no other place than its number.
        number = {"offset": str(query.offset + query.limit)}
        place = number if query.sorting else {"cursor": cursor_of(last_key)}
        yield link("next", addressed(here, kept | place), chosen.media_type, told_in)
