"""What an owner asks to be kept from its own lines, more or less than the rules that hold for all."""

from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Header, Path, Query, Request, Response
from pydantic import RootModel
from sqlalchemy.engine import Connection
from starlette.responses import JSONResponse

from conflicts.clearances import Rule, read_rule
from conflicts.owner_rules import OwnerRule, add_owner_rule, end_owner_rule, list_owner_rules
from geoapi.auth import May, caller_transaction
from geoapi.parameters import body_of, read_json
from geoapi.register_http import API, View, make_once, moment, shown
from ler.domain.access import Scope
from ler.errors import NotFoundError
from ler.services.tokens import Principal

type Reader = Annotated[Principal, Depends(May(Scope.NETWORK_READ))]
type Ruler = Annotated[Principal, Depends(May(Scope.NETWORK_APPROVE))]
type Name = Annotated[str, Path(max_length=64, description="The rule's id.")]

PATH: Final = f"{API}/clearances"


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    one = f"{PATH}/{{rule}}"
    schema = {"content": {"application/json": {"schema": Rule.model_json_schema()}}, "required": True}
    app.add_api_route(PATH, rules, methods=["GET"], summary="Own clearances that hold")
    app.add_api_route(
        PATH,
        add,
        methods=["POST"],
        status_code=201,
        summary="Say what is to be kept from the own lines",
        openapi_extra={"requestBody": schema},
    )
    app.add_api_route(one, show, methods=["GET"], summary="One of the own clearances that hold")
    app.add_api_route(one, end, methods=["DELETE"], status_code=204, summary="End an own clearance")


def rules(
    request: Request,
    caller: Reader,
    *,
    ended: Annotated[bool, Query(description="Those too that have ended.")] = False,
) -> Response:
    """List the caller's rules, by id; nobody else sees them, but what they make of a conflict."""
    with caller_transaction(request, caller) as connection:
        found = list_owner_rules(connection, caller.organisation_id)
    return JSONResponse({"clearances": [_rule_view(one) for one in found if ended or one.ended_at is None]})


def add(
    request: Request,
    caller: Ruler,
    body: Annotated[bytes, Depends(body_of)],
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Let a rule hold for the caller's lines from the next package on."""
    rule = read_rule(read_json(RootModel[dict[str, Any]], body).root)

    def make(connection: Connection) -> View:
        add_owner_rule(connection, caller.organisation_id, rule)
        return _rule_view(_holding(connection, caller, rule.id))

    return make_once(request, caller, PATH, make, key=idempotency_key, body=body)


def show(request: Request, caller: Reader, rule: Name) -> Response:
    """Show one of the caller's rules that hold."""
    with caller_transaction(request, caller) as connection:
        return shown(_rule_view(_holding(connection, caller, rule)))


def end(request: Request, caller: Ruler, rule: Name) -> Response:
    """End a rule; what was found by it in packages that were made stays as it is."""
    with caller_transaction(request, caller) as connection:
        end_owner_rule(connection, caller.organisation_id, rule)
    return Response(status_code=204)


def _holding(connection: Connection, caller: Principal, name: str) -> OwnerRule:
    found = list_owner_rules(connection, caller.organisation_id)
    for one in found:
        if one.rule.id == name and one.ended_at is None:
            return one
    raise NotFoundError


def _rule_view(found: OwnerRule) -> View:
    said = found.rule.model_dump(mode="json", exclude_none=True)
    return {
        **{name: sorted(value) if isinstance(value, list) else value for name, value in said.items()},
        "created_at": moment(found.created_at),
        "ended_at": moment(found.ended_at),
        "links": {"self": f"{PATH}/{found.rule.id}"},
    }
