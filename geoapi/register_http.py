"""What the routes of the register share: a thing made once, a change of what was read, and areas in JSON."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import shapely
from fastapi import Request, Response
from shapely import MultiPolygon
from sqlalchemy.engine import Connection
from starlette.responses import JSONResponse

from geoapi.auth import caller_transaction
from geoapi.kept_answers import kept_response
from geoapi.platform import platform_of
from geoapi.problems import ProblemException
from ingest.area_file import read_area_document
from ler.db.tables import PLATFORM_OPERATOR
from ler.errors import RefusedError
from ler.services.areas import merged_area
from ler.services.idempotency import KeptAnswer, answer_once, check_key
from ler.services.tokens import Principal

API: Final = "/api/v1"

type View = dict[str, Any]


def make_once(
    request: Request,
    caller: Principal,
    path: str,
    make: Callable[[Connection], View],
    *,
    key: str | None,
    body: bytes,
) -> Response:
    """Answer a POST that makes something: 201 and where it is, the same again for the same key."""
    checked = check_key(key)
    with caller_transaction(request, caller) as connection:

        def work() -> KeptAnswer:
            view = make(connection)
            return KeptAnswer(
                HTTPStatus.CREATED, {"Location": view["links"]["self"], "ETag": tag(view)}, view
            )

        answer = answer_once(
            connection, caller.organisation_id, route=f"POST {path}", key=checked, body=body, work=work
        )
    return kept_response(answer)


def shown(view: View) -> Response:
    """Return a thing with the tag of what it says."""
    return JSONResponse(view, headers={"ETag": tag(view)})


def tag(view: Mapping[str, Any]) -> str:
    """Return the tag of what a view says; it tells nothing that the view does not."""
    said = json.dumps(view, sort_keys=True, ensure_ascii=False)
    return f'"{sha256(said.encode()).hexdigest()[:32]}"'


def check_unchanged(if_match: str | None, view: View) -> None:
    """Refuse a change of something that is not any more what the caller read, or of which it does not say so."""
    if if_match is None:
        raise ProblemException("precondition-required")
    tags = {one.strip() for one in if_match.split(",")}
    if "*" not in tags and tag(view) not in tags:
        raise RefusedError("precondition-failed", "this has changed since you read it; read it again")


def whose(caller: Principal, asked: UUID | None) -> UUID:
    """Return the organisation that a call is about: the caller's own, or as the operator any that it names."""
    if asked is None or asked == caller.organisation_id:
        return caller.organisation_id
    if caller.organisation_id != PLATFORM_OPERATOR:
        raise RefusedError("role-missing", "only the operator of the register may name another organisation")
    return asked


def area_of(request: Request, document: dict[str, Any], crs: str | None) -> MultiPolygon:
    """Return the area of a GeoJSON document, in EPSG:25832; RefusedError."""
    parts = read_area_document(document, crs)
    return merged_area(parts, platform_of(request).settings.coverage)


def area_view(area: MultiPolygon) -> View:
    """Return an area as GeoJSON, to the millimetre, with the system that it is in."""
    rounded = shapely.set_precision(area, 0.001)
    return {
        **shapely.geometry.mapping(rounded if rounded.is_valid and not rounded.is_empty else area),
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}},
    }


def moment(at: datetime | None) -> str | None:
    """Return a moment as text."""
    return at.isoformat() if at else None
