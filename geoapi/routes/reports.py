"""What was found in an uploaded file: the report of `ler check`, as JSON, as a page, or as a GeoPackage."""

import tempfile
from pathlib import Path
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import Depends, FastAPI, Request, Response
from starlette.responses import HTMLResponse, JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.negotiation import language_of, media_type_of
from geoapi.platform import Platform, platform_of
from geoapi.problems import ProblemException
from geoapi.views import PATH
from ingest.open_source import GML_ENDINGS
from ingest.report.content import FileReport
from ingest.report.stored import from_stored
from ingest.report.to_json import json_report
from ler.domain.access import Scope
from ler.services.tokens import Principal
from ler.services.uploads import get_report, get_upload

type Reader = Annotated[Principal, Depends(May(Scope.NETWORK_READ))]

GEOPACKAGE: Final = "application/geopackage+sqlite3"
_FORMS: Final = ("application/json", "text/html", GEOPACKAGE)
_PAGE_POLICY: Final = "frame-ancestors 'none'"
_DRAWN_BYTES: Final = 64 << 20
"""Of larger files the page draws the findings alone: reading them again would keep the caller waiting."""
_NO_FILE: Final = "none"


def add_routes(app: FastAPI) -> None:
    """Add the route."""
    app.add_api_route(
        f"{PATH}/{{upload_id}}/report", report, methods=["GET"], summary="What was found in the file"
    )


def report(request: Request, caller: Reader, upload_id: UUID) -> Response:
    """Give the report of an upload whose check has ended."""
    wanted = media_type_of(request.headers.get("accept"), _FORMS)
    if wanted is None:
        raise ProblemException("not-acceptable", f"there is {', '.join(_FORMS)}")
    platform = platform_of(request)
    with caller_transaction(request, caller) as connection:
        upload = get_upload(connection, upload_id)
        stored = get_report(connection, upload_id)
    if stored is None:
        raise ProblemException("not-ready", f"the upload is {upload.state}; there is no report")
    language = language_of(request.headers.get("accept-language"))
    source = platform.files.path(upload.id, upload.file_name)
    readable = source.suffix in GML_ENDINGS and source.is_file() and source.stat().st_size <= _DRAWN_BYTES
    drawn = source if readable else source.with_name(_NO_FILE)
    response = _told(from_stored(stored, upload.file_name, drawn), wanted, language, platform)
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept, Accept-Language"
    return response


def _told(
    found: FileReport, wanted: str, language: Literal["da", "en"], platform: Platform
) -> Response:  # fmt: skip
    if wanted == "application/json":
        return JSONResponse(json_report([found], language))
    if wanted == GEOPACKAGE:
        from ingest.report.to_geopackage import write_geopackage_report  # noqa: PLC0415 - geopandas takes a second

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report.gpkg"
            write_geopackage_report(path, [found], language)
            content = path.read_bytes()
        disposition = {"Content-Disposition": 'attachment; filename="report.gpkg"'}
        return Response(content, media_type=GEOPACKAGE, headers=disposition)
    from ingest.report.to_html import html_report  # noqa: PLC0415 - most callers want JSON

    page = html_report([found], language, coverage=platform.settings.coverage)
    # The page carries a policy of its own, which names its style and script by their digests.
    return HTMLResponse(
        page.encode("utf-8", errors="replace"), headers={"Content-Security-Policy": _PAGE_POLICY}
    )
