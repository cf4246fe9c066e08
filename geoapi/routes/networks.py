"""The caller's own network: which versions there are and were, what differs between them, how much they tell."""

import tempfile
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Query, Request, Response
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.comparisons import compare_numbers
from geoapi.negotiation import language_of, media_type_of
from geoapi.problems import ProblemException
from geoapi.views import COMPARISON_FORMS, SVG, svg_response
from ingest.quality import list_quality
from ingest.report.changes_map import draw_changes
from ler.domain.access import Scope
from ler.services.networks import Version, list_versions
from ler.services.registry import get_organisation
from ler.services.tokens import Principal

type Reader = Annotated[Principal, Depends(May(Scope.NETWORK_READ))]
type Limit = Annotated[int, Query(ge=1, le=100)]
type Before = Annotated[int | None, Query(ge=1, le=2**31 - 1)]

VERSIONS: Final = "/api/v1/network/versions"
QUALITY: Final = "/api/v1/network/quality"
COMPARISON: Final = "/api/v1/network/comparison"

_PICTURES: Final = {SVG: ".svg", "image/png": ".png"}


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    for path, work, summary in (
        (VERSIONS, versions, "Versions of the own network, newest first"),
        (QUALITY, quality, "How much the own network tells of itself, version by version, newest first"),
        (f"{QUALITY}/picture", quality_picture, "The same as a picture"),
        (COMPARISON, comparison, "What differs between two versions of the own network"),
    ):
        app.add_api_route(path, work, methods=["GET"], summary=summary)


def versions(
    request: Request,
    caller: Reader,
    limit: Limit = 20,
    before: Before = None,
) -> Response:
    """List versions, the newest first, those below the number `before`; `next` leads to the following page."""
    with caller_transaction(request, caller) as connection:
        every = list_versions(connection, caller.organisation_id)
    found = [version for version in every if before is None or version.number < before]
    page: dict[str, Any] = {"versions": [_view(version) for version in found[:limit]]}
    if len(found) > limit:
        page["next"] = f"{VERSIONS}?limit={limit}&before={found[limit - 1].number}"
    return JSONResponse(page)


def quality(request: Request, caller: Reader, limit: Limit = 20, before: Before = None) -> Response:
    """Give score and figures of the versions, the newest first; `next` leads to the following page."""
    with caller_transaction(request, caller) as connection:
        history = list_quality(connection, caller.organisation_id)
    found = [one for one in reversed(history) if before is None or one.number < before]
    page: dict[str, Any] = {"versions": [one.to_json() for one in found[:limit]]}
    if len(found) > limit:
        page["next"] = f"{QUALITY}?limit={limit}&before={found[limit - 1].number}"
    return JSONResponse(page)


def quality_picture(request: Request, caller: Reader) -> Response:
    """Draw the figures of the last version and the score of all, in Danish or English."""
    wanted = media_type_of(request.headers.get("accept"), tuple(_PICTURES))
    if wanted is None:
        raise ProblemException("not-acceptable", f"there is {' and '.join(_PICTURES)}")
    language = language_of(request.headers.get("accept-language"))
    with caller_transaction(request, caller) as connection:
        history = list_quality(connection, caller.organisation_id)
        owner = get_organisation(connection, caller.organisation_id)
    from ingest.quality.picture import draw_quality  # noqa: PLC0415 - most callers want figures

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"quality{_PICTURES[wanted]}"
        draw_quality(history, owner.name, path, language)
        content = path.read_bytes()
    headers = {"Content-Language": language, "Vary": "Accept, Accept-Language"}
    return Response(content, media_type=wanted, headers=headers)


def comparison(
    request: Request,
    caller: Reader,
    first: Annotated[int, Query(alias="from", ge=1, le=2**31 - 1)],
    second: Annotated[int, Query(alias="to", ge=1, le=2**31 - 1)],
) -> Response:
    """Tell what differs between two versions, as JSON or as a map; the newer may be one that waits for approval."""
    wanted = media_type_of(request.headers.get("accept"), COMPARISON_FORMS)
    if wanted is None:
        raise ProblemException("not-acceptable", f"there is {' and '.join(COMPARISON_FORMS)}")
    with caller_transaction(request, caller) as connection:
        compared, read_changes = compare_numbers(connection, caller.organisation_id, first, second)
        if wanted != SVG:
            told = {"from": first, "to": second, "comparison": compared.to_json()}
            return JSONResponse(told, headers={"Vary": "Accept"})
        changes = read_changes()
    return svg_response(draw_changes(changes, compared, f"version {first} to {second}"))


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
