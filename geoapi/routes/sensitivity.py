"""Lines that are not shown to everybody: the own rules, and one's word on what was withheld by them."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import numpy as np
import shapely
from fastapi import Depends, FastAPI, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from shapely import MultiPolygon, Polygon
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.kept_answers import kept_response
from geoapi.parameters import body_of, read_json
from geoapi.platform import platform_of
from geoapi.problems import ProblemError, ProblemException
from ler.domain.access import Scope
from ler.domain.dig_area import check_place
from ler.domain.faults import FaultsError
from ler.domain.sensitivity import SensitivityClass, SensitivityRule
from ler.services.idempotency import KeptAnswer, answer_once, check_key
from ler.services.sensitivity import (
    LONGEST_REASON,
    KeptRule,
    WithheldAnswer,
    count_shown,
    decide_withheld,
    end_links,
    end_rule,
    list_rules,
    list_withheld,
    list_withheld_lines,
    make_rule,
)
from ler.services.tokens import Principal

type Reader = Annotated[Principal, Depends(May(Scope.NETWORK_READ))]
type Ruler = Annotated[Principal, Depends(May(Scope.NETWORK_APPROVE))]
type AnswerReader = Annotated[Principal, Depends(May(Scope.ANSWER_READ))]
type Answerer = Annotated[Principal, Depends(May(Scope.ANSWER_WRITE))]
type Body = Annotated[bytes, Depends(body_of)]
type Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]

RULES: Final = "/api/v1/sensitivity-rules"
WITHHELD: Final = "/api/v1/withheld"
_MOST: Final = 100


class RuleRequest(BaseModel):
    """A rule: it meets the features that have all that it names."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sensitivity: Annotated[
        Literal["restricted", "site-marking", "never"],
        Field(
            alias="class",
            description="restricted: delivered when the owner says yes to the request; site-marking: pointed out on"
            " site; never: must not be stored.",
        ),
    ]
    feature_types: Annotated[list[Name], Field(max_length=100)] = []
    utility_types: Annotated[list[Name], Field(max_length=100)] = []
    danger_classes: Annotated[list[Name], Field(max_length=100)] = []
    gml_ids: Annotated[list[Name], Field(max_length=10_000)] = []
    area: Annotated[
        dict[str, Any] | None, Field(description="GeoJSON Polygon or MultiPolygon in EPSG:25832.")
    ] = None
    reason: Annotated[str, StringConstraints(max_length=LONGEST_REASON)] = ""


class Decision(BaseModel):
    """The owner's word."""

    model_config = ConfigDict(extra="forbid", strict=True)

    deliver: Annotated[bool, Field(description="Whether this requester gets the restricted lines.")]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    app.add_api_route(RULES, rules, methods=["GET"], summary="Own rules on sensitive lines, the newest first")
    app.add_api_route(
        RULES,
        add_rule,
        methods=["POST"],
        status_code=201,
        summary="Make a rule on sensitive lines",
        openapi_extra=_body(RuleRequest),
    )
    app.add_api_route(
        f"{RULES}/{{rule_id}}", remove_rule, methods=["DELETE"], status_code=204, summary="End a rule"
    )
    app.add_api_route(
        f"{RULES}/{{rule_id}}/shown",
        shown,
        methods=["GET"],
        summary="How much of what was delivered shows lines that a rule meets",
    )
    app.add_api_route(
        f"{RULES}/{{rule_id}}/end-links",
        end_links_to_shown,
        methods=["POST"],
        summary="End the links to packages that show lines which a rule meets",
    )
    app.add_api_route(
        WITHHELD, withheld, methods=["GET"], summary="Own answers that await one's word, the newest first"
    )
    app.add_api_route(
        f"{WITHHELD}/{{answer_id}}", lines, methods=["GET"], summary="What an answer did not show"
    )
    app.add_api_route(
        f"{WITHHELD}/{{answer_id}}/decision",
        decide,
        methods=["POST"],
        summary="Say whether the requester gets the restricted lines",
        openapi_extra=_body(Decision),
    )


def rules(
    request: Request,
    caller: Reader,
    *,
    ended: Annotated[bool, Query(description="Those too that were ended.")] = False,
) -> Response:
    """List the caller's rules; the operator's hold for all owners and are shown to the operator alone."""
    with caller_transaction(request, caller) as connection:
        found = list_rules(connection, ended=ended)
    return JSONResponse({"rules": [_rule_view(one) for one in found]})


def add_rule(
    request: Request,
    caller: Ruler,
    body: Body,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Make a rule for the caller's own network; it holds for what is asked and uploaded from now on."""
    key = check_key(idempotency_key)
    wanted = read_json(RuleRequest, body)
    rule = _rule(request, wanted)
    with caller_transaction(request, caller) as connection:

        def work() -> KeptAnswer:
            made = make_rule(connection, caller.organisation_id, rule, reason=wanted.reason)
            kept = next(one for one in list_rules(connection) if one.id == made)
            return KeptAnswer(HTTPStatus.CREATED, {"Location": f"{RULES}/{made}"}, _rule_view(kept))

        try:
            answer = answer_once(
                connection, caller.organisation_id, route=f"POST {RULES}", key=key, body=body, work=work
            )
        except FaultsError as error:
            raise _faulty(error) from None
    return kept_response(answer)


def remove_rule(request: Request, caller: Ruler, rule_id: UUID) -> Response:
    """End a rule: what it withheld is delivered to who asks from now on."""
    with caller_transaction(request, caller) as connection:
        end_rule(connection, caller.organisation_id, rule_id)
    return Response(status_code=204)


def shown(request: Request, caller: Reader, rule_id: UUID) -> Response:
    """Count what was delivered before the rule and shows lines that it meets: it stays delivered."""
    with caller_transaction(request, caller) as connection:
        return JSONResponse(asdict(count_shown(connection, rule_id)))


def end_links_to_shown(request: Request, caller: Ruler, rule_id: UUID) -> Response:
    """End all links to packages that show such lines, whoever made them; their makers are told."""
    with caller_transaction(request, caller) as connection:
        return JSONResponse({"links": end_links(connection, rule_id)})


def withheld(
    request: Request,
    caller: AnswerReader,
    *,
    all_: Annotated[
        bool, Query(alias="all", description="Those too on which the word is given or none is needed.")
    ] = False,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 20,
) -> Response:
    """List the caller's answers that did not show all it has there."""
    with caller_transaction(request, caller) as connection:
        found = list_withheld(connection, waiting=not all_)
    return JSONResponse({"answers": [_answer_view(one) for one in found[:limit]], "total": len(found)})


def lines(request: Request, caller: AnswerReader, answer_id: UUID) -> Response:
    """Tell the owner, and nobody else, which of its features an answer did not show."""
    with caller_transaction(request, caller) as connection:
        found = list_withheld_lines(connection, answer_id)
    told = [{"gml_id": one.gml_id, "class": one.sensitivity.value, "inside": one.inside} for one in found]
    return JSONResponse({"answer_id": str(answer_id), "features": told})


def decide(request: Request, caller: Answerer, answer_id: UUID, body: Body) -> Response:
    """Say yes, and the lines are delivered in a new answer; say no, and a new answer says that they are not."""
    wanted = read_json(Decision, body)
    with caller_transaction(request, caller) as connection:
        made = decide_withheld(connection, answer_id, deliver=wanted.deliver)
    return JSONResponse({"answer_id": str(made), "replaces": str(answer_id)})


def _body(model: type[BaseModel]) -> dict[str, Any]:
    return {
        "requestBody": {
            "content": {"application/json": {"schema": model.model_json_schema()}},
            "required": True,
        }
    }


def _rule(request: Request, wanted: RuleRequest) -> SensitivityRule:
    area = None if wanted.area is None else _area(wanted.area)
    if area is not None and area.is_valid and not area.is_empty:
        check_place(area, platform_of(request).settings.coverage)
    return SensitivityRule(
        SensitivityClass(wanted.sensitivity),
        feature_types=frozenset(wanted.feature_types),
        utility_types=frozenset(wanted.utility_types),
        danger_classes=frozenset(wanted.danger_classes),
        gml_ids=frozenset(wanted.gml_ids),
        area=area,
    )


def _area(given: dict[str, Any]) -> MultiPolygon:
    try:
        shape = shapely.geometry.shape(given)
    except Exception:  # noqa: BLE001 - it raises what it meets: of any type, on any document that is no geometry
        shape = None
    if not isinstance(shape, Polygon | MultiPolygon) or not np.isfinite(shapely.get_coordinates(shape)).all():
        raise _field("geometry-invalid", "/area", "the area is a GeoJSON Polygon or MultiPolygon")
    return MultiPolygon([part for part in shapely.get_parts(shapely.force_2d(shape)) if not part.is_empty])


def _field(code: str, pointer: str, detail: str) -> ProblemException:
    return ProblemException("field-invalid", detail, errors=(ProblemError(code, detail, pointer),))


def _faulty(error: FaultsError) -> ProblemException:
    errors = tuple(ProblemError(one.code, one.message, one.pointer) for one in error.faults)
    return ProblemException("field-invalid", str(error), errors=errors)


def _rule_view(kept: KeptRule) -> dict[str, Any]:
    rule = kept.rule
    return {
        "id": str(kept.id),
        "class": rule.sensitivity.value,
        "feature_types": sorted(rule.feature_types),
        "utility_types": sorted(rule.utility_types),
        "danger_classes": sorted(rule.danger_classes),
        "gml_ids": sorted(rule.gml_ids),
        "area": None if rule.area is None else shapely.geometry.mapping(rule.area),
        "for": "all owners" if kept.owner_id is None else "own network",
        "reason": kept.reason,
        "shown": f"{RULES}/{kept.id}/shown",
        "created_at": kept.created_at.isoformat(),
        "ended_at": kept.ended_at.isoformat() if kept.ended_at else None,
    }


def _answer_view(found: WithheldAnswer) -> dict[str, Any]:
    path = f"{WITHHELD}/{found.answer_id}"
    return {
        "answer_id": str(found.answer_id),
        "request_id": str(found.request_id),
        "requester": found.requester,
        "answer": found.answer_type,
        "answered_at": found.answered_at.isoformat(),
        "awaits_decision": found.awaits_owner,
        "features_delivered": found.features,
        "links": {"self": path, "decision": f"{path}/decision"},
    }
