"""What differs between packages, for requesters; what was delivered of their data, for owners."""

from datetime import UTC
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import FastAPI, Query, Request, Response
from starlette.responses import JSONResponse

from geoapi.auth import caller_transaction
from geoapi.cursors import cursor_of, place_of
from geoapi.negotiation import media_type_of
from geoapi.problems import ProblemException
from geoapi.routes.packages import OWNERS_PACKAGE, PACKAGE, Owner, Reader
from ler.packages.difference_told import document, geojson
from ler.services.package_changes import compare_with_former, compare_with_request
from ler.services.package_deliveries import OwnersDelivery, list_deliveries

DELIVERIES: Final = "/api/v1/deliveries"

_MOST_FEATURES: Final = 10_000
_FORMS: Final = ("application/json", "application/geo+json")


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    app.add_api_route(
        f"{PACKAGE}/changes",
        changes,
        methods=["GET"],
        summary="What differs from an earlier package, or from that of another request",
        response_model=None,
    )
    app.add_api_route(
        DELIVERIES, deliveries, methods=["GET"], summary="What was delivered of one's own data, newest first"
    )


def changes(
    request: Request,
    caller: Reader,
    package_id: UUID,
    *,
    since: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    since_request: UUID | None = None,
    limit: Annotated[int, Query(ge=0, le=_MOST_FEATURES)] = 1000,
) -> Response:
    """Compare with that of an earlier revision, by default the one before; or with another request's newest one.

    As JSON, `limit` features at most, or all that has a place as GeoJSON.
    """
    if since is not None and since_request is not None:
        raise ProblemException("parameter-invalid", "`since` and `since_request` exclude each other")
    wanted = media_type_of(request.headers.get("accept"), _FORMS)
    if wanted is None:
        raise ProblemException("not-acceptable", f"there is {' and '.join(_FORMS)}")
    with caller_transaction(request, caller) as connection:
        if since_request is not None:
            found = compare_with_request(connection, package_id, since_request)
        else:
            found = compare_with_former(connection, package_id, since=since)
    headers = {"Vary": "Accept"}
    if wanted == "application/geo+json":
        return JSONResponse(geojson(found), headers=headers, media_type=wanted)
    return JSONResponse(document(found, limit), headers=headers)


def deliveries(
    request: Request,
    caller: Owner,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """List the packages of the caller's own answers, request by request; `next` leads to the following page."""
    with caller_transaction(request, caller) as connection:
        found = list_deliveries(connection, most=limit + 1, before=place_of(cursor) if cursor else None)
    page: dict[str, Any] = {"deliveries": [_view(one) for one in found[:limit]]}
    if len(found) > limit:
        last = found[limit - 1]
        page["next"] = f"{DELIVERIES}?limit={limit}&cursor={cursor_of(last.asked_at, last.request_id)}"
    return JSONResponse(page)


def _view(one: OwnersDelivery) -> dict[str, Any]:
    file = OWNERS_PACKAGE.format(owner_request_id=one.owner_request_ids[0])
    return {
        "order_number": one.order_number,
        "owner_requests": [str(asked) for asked in one.owner_request_ids],
        "asked_at": one.asked_at.astimezone(UTC).isoformat(),
        "requester": one.requester_name,
        "period_from": one.period_from.isoformat(),
        "period_to": one.period_to.isoformat(),
        "purpose": one.purpose,
        "packages": [
            {
                "id": str(it.package_id),
                "revision": it.revision,
                "made_at": it.made_at.astimezone(UTC).isoformat(),
                "feature_count": it.feature_count,
                "size_bytes": it.size_bytes,
                "sha256": it.sha256,
                "file": f"{file}?revision={it.revision}",
            }
            for it in one.revisions
        ],
        "downloads": f"{file}/downloads",
    }
