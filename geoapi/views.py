"""How uploads are shown in JSON and in headers. All links are paths: what a caller says its host is changes nothing."""

from typing import Any, Final, Literal

from starlette.responses import Response

from geoapi.platform import Platform
from geoapi.problems import Problem
from ler.domain.uploads import State
from ler.services.uploads import Upload, UploadEvent

PATH: Final = "/api/v1/uploads"

SVG: Final = "image/svg+xml"
COMPARISON_FORMS: Final = ("application/json", SVG)
_SVG_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""A picture brings its own style and nothing else."""

_LINKS: Final = ("content", "events", "report", "comparison", "approve", "reject")


def upload_view(upload: Upload, language: Literal["da", "en"]) -> dict[str, Any]:
    """Return an upload as its owner sees it."""
    path = f"{PATH}/{upload.id}"
    return {
        "id": str(upload.id),
        "state": str(upload.state),
        "file_name": upload.file_name,
        "size": upload.size_bytes,
        "received": upload.received_bytes,
        "sha256": upload.sha256,
        "mode": upload.mode,
        "deletes": len(upload.deletes),
        "crs": upload.crs,
        "auto_approve": upload.auto_approve,
        "version": upload.version_number,
        "features": upload.feature_count,
        "reasons": list(upload.reasons),
        "problem": _problem(upload, language),
        "created_at": upload.created_at.isoformat(),
        "changed_at": upload.changed_at.isoformat(),
        "expires_at": upload.expires_at.isoformat() if upload.expires_at else None,
        "links": {"self": path} | {name: f"{path}/{name}" for name in _LINKS},
    }


def event_view(event: UploadEvent) -> dict[str, Any]:
    """Return an event of an upload."""
    return {"number": event.number, "at": event.at.isoformat(), "kind": event.kind, **event.data}


def etag(upload: Upload) -> str:
    """Return the tag of the upload's state; it changes with each move, not with parts and progress."""
    return f'"r{upload.revision}"'


def upload_headers(upload: Upload, platform: Platform) -> dict[str, str]:
    """Return where the file stands, by the draft on resumable uploads."""
    whole = upload.state is not State.RECEIVING
    most = min(upload.size_bytes, platform.largest_bytes)
    limits = f"max-size={most}, min-size=0, max-append-size={most}, max-age={round(platform.patience.parts.total_seconds())}"
    return {
        "Upload-Offset": str(upload.received_bytes),
        "Upload-Complete": "?1" if whole else "?0",
        "Upload-Length": str(upload.size_bytes),
        "Upload-Limit": limits,
    }


def svg_response(document: str) -> Response:
    """Return a map."""
    headers = {"Content-Security-Policy": _SVG_POLICY, "Vary": "Accept"}
    return Response(document, media_type=SVG, headers=headers)


def _problem(upload: Upload, language: Literal["da", "en"]) -> dict[str, Any] | None:
    if upload.problem is None:
        return None
    kept = Problem(str(upload.problem["code"]), str(upload.problem["message"]))
    return kept.document(language, f"{PATH}/{upload.id}")
