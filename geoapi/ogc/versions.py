"""Which version of a network a query is about."""

from fastapi import Request

from geoapi.ogc.query import Query
from geoapi.ogc.site import check_visible, gate_of
from ler.db.reading import Statement
from ler.errors import NotFoundError


async def pinned_version(request: Request, query: Query) -> int | None:
    """Return the number of the version that is asked for; None for the present one.

    NotFoundError when nothing was published then, or it is no longer kept, or is not the caller's.
    """
    if query.as_of is None:
        return None
    by_number = isinstance(query.as_of, int)
    condition = "v.number = %(at)s" if by_number else "v.number = ler.version_at(ler.principal(), %(at)s)"
    statement = Statement(
        "SELECT v.number FROM ler.network_version AS v JOIN ler.network_dataset AS d ON d.id = v.dataset_id"
        " WHERE v.owner_id = ler.principal() AND d.current_version_id IS NOT NULL AND v.purged_at IS NULL"
        f" AND v.published_at IS NOT NULL AND {condition}",
        {"at": query.as_of},
    )
    read = await gate_of(request).ask(request, statement)
    check_visible(request, query.collection, read.caller)
    if not read.rows[0]:
        raise NotFoundError("There is no such version.")
    return int(read.rows[0][0].number)
