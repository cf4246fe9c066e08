"""The owner's decision about a checked upload: what it would change, and yes or no.

A decision is about one state, named by `If-Match`: of two that meet, the second is told that something has changed.
"""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Request, Response
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.comparisons import changes_of
from geoapi.negotiation import language_of, media_type_of
from geoapi.platform import platform_of
from geoapi.problems import ProblemException
from geoapi.views import COMPARISON_FORMS, PATH, SVG, etag, svg_response, upload_view
from ingest.compare import Comparison
from ingest.report.changes_map import draw_changes
from ler.domain.access import Scope
from ler.domain.uploads import Actor, Event, State
from ler.errors import RefusedError
from ler.faults import point
from ler.services.tokens import Principal
from ler.services.uploads import Upload, approve_upload, get_upload, move

type Reader = Annotated[Principal, Depends(May(Scope.NETWORK_READ))]
type Decider = Annotated[Principal, Depends(May(Scope.NETWORK_APPROVE))]
type IfMatch = Annotated[str | None, Header()]

_ANY: Final = "*"


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    path = f"{PATH}/{{upload_id}}"
    app.add_api_route(
        f"{path}/comparison", comparison, methods=["GET"], summary="What an upload would change"
    )
    app.add_api_route(f"{path}/approve", approve, methods=["POST"], summary="Publish it")
    app.add_api_route(f"{path}/reject", reject, methods=["POST"], summary="Do not publish it")


def comparison(request: Request, caller: Reader, upload_id: UUID) -> Response:
    """Show what publishing would change against the version that is published, or did change: JSON, or a map."""
    wanted = media_type_of(request.headers.get("accept"), COMPARISON_FORMS)
    if wanted is None:
        raise ProblemException("not-acceptable", f"there is {' and '.join(COMPARISON_FORMS)}")
    with caller_transaction(request, caller) as connection:
        found = get_upload(connection, upload_id)
        if found.comparison is None:
            raise ProblemException("not-ready", f"the upload is {found.state}; there is no comparison")
        if wanted != SVG:
            told = {"comparison": found.comparison, "reasons": list(found.reasons)}
            return JSONResponse(told, headers={"ETag": etag(found), "Vary": "Accept"})
        if found.version_number is None:
            raise ProblemException("not-ready", f"the upload is {found.state}; there is nothing to draw")
        compared = Comparison.from_json(found.comparison)
        changes = changes_of(connection, caller.organisation_id, found.version_number, compared.base_number)
    base = "nothing" if compared.base_number is None else f"version {compared.base_number}"
    return svg_response(draw_changes(changes, compared, f"{base} to version {found.version_number}"))


def approve(request: Request, caller: Decider, upload_id: UUID, if_match: IfMatch = None) -> Response:
    """Publish the upload; a worker does so next, in one short transaction."""
    platform = platform_of(request)
    with caller_transaction(request, caller) as connection:
        found = _to_decide(get_upload(connection, upload_id), if_match)
        moved = approve_upload(connection, upload_id, found.revision, platform.patience)
    point("upload.approve.after-commit")
    return _moved(request, moved, 202)


def reject(request: Request, caller: Decider, upload_id: UUID, if_match: IfMatch = None) -> Response:
    """Do not publish the upload; what it staged is taken away."""
    platform = platform_of(request)
    with caller_transaction(request, caller) as connection:
        found = _to_decide(get_upload(connection, upload_id), if_match)
        moved = move(
            connection,
            upload_id,
            Event.REJECT,
            Actor.OWNER,
            patience=platform.patience,
            revision=found.revision,
        )
    return _moved(request, moved, 200)


def _to_decide(found: Upload, if_match: str | None) -> Upload:
    if if_match is None:
        raise ProblemException("precondition-required")
    tags = {tag.strip() for tag in if_match.split(",")}
    if _ANY not in tags and etag(found) not in tags:
        raise RefusedError(
            "precondition-failed", "the upload has changed since you read it; read it again and decide anew"
        )
    if found.state is State.EXPIRED or (found.state is State.NEEDS_APPROVAL and found.overdue):
        raise RefusedError("upload-expired", "the decision did not come in time; begin a new upload")
    return found


def _moved(request: Request, moved: Upload, status: int) -> Response:
    view = upload_view(moved, language_of(request.headers.get("accept-language")))
    return JSONResponse(view, status, headers={"ETag": etag(moved)})
