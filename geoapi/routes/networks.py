"""The caller's own network: which versions there are and were."""

from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Query, Request, Response
from starlette.responses import JSONResponse

from geoapi.auth import May
from geoapi.platform import platform_of
from ler.db.engine import transaction
from ler.domain.access import Scope
from ler.services.networks import Version, list_versions
from ler.services.tokens import Principal

type Reader = Annotated[Principal, Depends(May(Scope.NETWORK_READ))]

VERSIONS: Final = "/api/v1/network/versions"


def add_routes(app: FastAPI) -> None:
    """Add the route."""
    app.add_api_route(
        VERSIONS, versions, methods=["GET"], summary="Versions of the own network, newest first"
    )


def versions(
    request: Request,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    """List versions, the newest first, those below the number `before`; `next` leads to the following page."""
    with transaction(platform_of(request).databases.app, caller.owner_id) as connection:
        every = list_versions(connection, caller.owner_id)
    found = [version for version in every if before is None or version.number < before]
    page: dict[str, Any] = {"versions": [_view(version) for version in found[:limit]]}
    if len(found) > limit:
        page["next"] = f"{VERSIONS}?limit={limit}&before={found[limit - 1].number}"
    return JSONResponse(page)


def _view(version: Version) -> dict[str, Any]:
    return {
        "number": version.number,
        "state": version.state,
        "mode": version.mode,
        "file_name": version.source_name,
        "sha256": version.source_sha256,
        "model": version.model_version,
        "features": version.feature_count,
        "decision": version.decision,
        "reasons": list(version.decision_reasons),
        "created_at": version.created_at.isoformat(),
        "published_at": version.published_at.isoformat() if version.published_at else None,
        "purged_at": version.purged_at.isoformat() if version.purged_at else None,
    }
