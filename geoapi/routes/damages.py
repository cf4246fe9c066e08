"""Damages: reported by the owners of the lines, one by one or a year at a time; counted for everybody."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.cursors import cursor_of, place_of
from geoapi.damage_bodies import DamageBody, DamagesBody, damages_of, read_csv
from geoapi.damage_views import damage_view, statistics_csv, statistics_view, year_view
from geoapi.kept_answers import kept_response
from geoapi.negotiation import language_of, media_type_of
from geoapi.parameters import body_of, read_json
from geoapi.platform import platform_of
from geoapi.problems import ProblemException
from ler.db.engine import transaction
from ler.domain.access import Scope
from ler.domain.damages import FIRST_YEAR, Damage, damage_codes
from ler.domain.legal_time import legal_day
from ler.services.damages import (
    add_damages,
    get_damage,
    get_statistics,
    list_damages,
    list_years,
    state_no_damages,
    withdraw_damage,
)
from ler.services.idempotency import KeptAnswer, answer_once, check_key
from ler.services.tokens import Principal

type Reader = Annotated[Principal, Depends(May(Scope.DAMAGE_READ))]
type Reporter = Annotated[Principal, Depends(May(Scope.DAMAGE_WRITE))]
type Key = Annotated[str | None, Header()]

PATH: Final = "/api/v1/damages"
STATISTICS: Final = f"{PATH}/statistics"
CODES: Final = f"{PATH}/codes"
_CSV: Final = "text/csv"
_LAST_YEAR: Final = 9998


class YearBody(BaseModel):
    """The statement that a year had no damages."""

    model_config = ConfigDict(extra="forbid", strict=True)

    year: Annotated[int, Field(ge=0, le=_LAST_YEAR)]
    no_damages: bool


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    one, many = _schema(DamageBody), _schema(DamagesBody)
    many["requestBody"]["content"][_CSV] = {"schema": {"type": "string"}}
    created: dict[str, Any] = {"methods": ["POST"], "status_code": 201}
    app.add_api_route(CODES, codes, methods=["GET"], summary="Codes of damages, in Danish and English")
    app.add_api_route(
        STATISTICS,
        statistics,
        methods=["GET"],
        summary="Damages by year, utility type and cause",
        response_model=None,
    )
    app.add_api_route(PATH, report, **created, summary="Report a damage of an own line", openapi_extra=one)
    app.add_api_route(
        f"{PATH}/bulk", report_many, **created, summary="Report many damages, all or none", openapi_extra=many
    )
    app.add_api_route(PATH, listing, methods=["GET"], summary="Reported damages, the newest first")
    app.add_api_route(f"{PATH}/years", years, methods=["GET"], summary="What was reported of each year")
    app.add_api_route(
        f"{PATH}/years",
        state_year,
        methods=["PUT"],
        summary="State that a year had no damages",
        openapi_extra=_schema(YearBody),
    )
    app.add_api_route(f"{PATH}/{{damage_id}}", show, methods=["GET"], summary="One damage")
    app.add_api_route(
        f"{PATH}/{{damage_id}}/withdraw", withdraw, methods=["POST"], summary="Take a report back"
    )


def codes() -> Response:
    """Give the code lists of damage reports. They are inferred: the register's own are not published."""
    told = {
        name: [{"code": code, "da": da, "en": en} for code, (da, en) in entries.items()]
        for name, entries in damage_codes().items()
    }
    return JSONResponse(told | {"inferred": True}, headers={"Cache-Control": "public, max-age=3600"})


def statistics(
    request: Request,
    first: Annotated[int | None, Query(alias="from", ge=FIRST_YEAR, le=_LAST_YEAR)] = None,
    last: Annotated[int | None, Query(alias="to", ge=FIRST_YEAR, le=_LAST_YEAR)] = None,
) -> Response:
    """Give counts to everybody, as JSON or as comma separated values; neither places nor whose lines."""
    this_year = legal_day(datetime.now(UTC)).year
    until = last or max(this_year, first or 0)
    with transaction(platform_of(request).databases.app, None) as connection:
        found = get_statistics(connection, first or min(until, max(FIRST_YEAR, until - 4)), until)
    wanted = media_type_of(request.headers.get("accept"), ("application/json", _CSV))
    if wanted is None:
        raise ProblemException("not-acceptable", f"there is application/json and {_CSV}")
    headers = {"Vary": "Accept, Accept-Language"}
    if wanted == _CSV:
        return Response(statistics_csv(found), media_type=f"{_CSV}; charset=utf-8", headers=headers)
    return JSONResponse(
        statistics_view(found, language_of(request.headers.get("accept-language"))), headers=headers
    )


def report(
    request: Request, caller: Reporter, body: Annotated[bytes, Depends(body_of)], idempotency_key: Key = None
) -> Response:
    """Enter one damage."""
    coverage = platform_of(request).settings.coverage
    given = read_json(DamageBody, body).damage(coverage, "")
    return _entered(request, caller, [given], "", body=body, key=idempotency_key)


async def csv_or_json(request: Request) -> tuple[str, bytes]:
    """Return the media type, one of ours, and the body."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in {"application/json", _CSV}:
        raise ProblemException("json-invalid", f"the Content-Type must be application/json or {_CSV}")
    return given, await request.body()


def report_many(
    request: Request,
    caller: Reporter,
    content: Annotated[tuple[str, bytes], Depends(csv_or_json)],
    idempotency_key: Key = None,
) -> Response:
    """Enter the damages of a file: all, or none and every fault of it."""
    kind, body = content
    coverage = platform_of(request).settings.coverage
    given = read_csv(body) if kind == _CSV else damages_of(read_json(DamagesBody, body), coverage)
    return _entered(request, caller, list(given), "/damages", body=body, key=idempotency_key)


def listing(
    request: Request,
    caller: Reader,
    *,
    year: Annotated[int | None, Query(ge=FIRST_YEAR, le=_LAST_YEAR)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """List one's own damages; an authority those of its area, supervision all. `next` leads on."""
    before = place_of(cursor) if cursor else None
    with caller_transaction(request, caller) as connection:
        found = list_damages(connection, limit=limit + 1, year=year, before=before)
    page: dict[str, Any] = {"damages": [damage_view(one) for one in found[:limit]]}
    if len(found) > limit:
        last = found[limit - 1]
        narrowed = f"&year={year}" if year else ""
        page["next"] = f"{PATH}?limit={limit}{narrowed}&cursor={cursor_of(last.created_at, last.id)}"
    return JSONResponse(page)


def years(request: Request, caller: Reader) -> Response:
    """Tell of each year what the caller has reported, and by when it must."""
    with caller_transaction(request, caller) as connection:
        found = list_years(connection, caller.organisation_id, today=legal_day(datetime.now(UTC)))
    return JSONResponse({"years": [year_view(one) for one in found]})


def state_year(request: Request, caller: Reporter, body: Annotated[bytes, Depends(body_of)]) -> Response:
    """State that a year that is over had no damages. A damage that is reported later withdraws the statement."""
    given = read_json(YearBody, body)
    if not given.no_damages:
        raise ProblemException("field-invalid", "only `true` can be stated; report damages instead")
    today = legal_day(datetime.now(UTC))
    with caller_transaction(request, caller) as connection:
        stated = state_no_damages(connection, caller.organisation_id, given.year, today=today)
    return JSONResponse(year_view(stated))


def show(request: Request, caller: Reader, damage_id: UUID) -> Response:
    """Show one damage."""
    with caller_transaction(request, caller) as connection:
        found = get_damage(connection, damage_id)
    return JSONResponse(damage_view(found))


def withdraw(request: Request, caller: Reporter, damage_id: UUID) -> Response:
    """Take a report back; it counts no more, and may be made anew under the same reference."""
    with caller_transaction(request, caller) as connection:
        found = withdraw_damage(connection, caller.organisation_id, damage_id)
    return JSONResponse(damage_view(found))


def _entered(
    request: Request, caller: Principal, given: list[Damage], base: str, *, body: bytes, key: str | None
) -> Response:
    known = check_key(key)
    with caller_transaction(request, caller) as connection:

        def work() -> KeptAnswer:
            ids = add_damages(
                connection,
                caller.organisation_id,
                given,
                today=legal_day(datetime.now(UTC)),
                coverage=platform_of(request).settings.coverage,
                base=base,
            )
            if not base:
                path = f"{PATH}/{ids[0]}"
                return KeptAnswer(
                    HTTPStatus.CREATED, {"Location": path}, damage_view(get_damage(connection, ids[0]))
                )
            return KeptAnswer(HTTPStatus.CREATED, {}, {"damages": [str(one) for one in ids]})

        route = f"POST {PATH}{'/bulk' if base else ''}"
        answer = answer_once(connection, caller.organisation_id, route=route, key=known, body=body, work=work)
    return kept_response(answer)


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"content": content, "required": True}}
