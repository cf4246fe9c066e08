"""Dispensations: leave of an owner to answer within days instead of hours, given by the operator."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.moments import Moment
from geoapi.parameters import body_of, read_json
from geoapi.register_http import API, View, make_once, moment, shown
from ler.domain.access import Scope
from ler.services.dispensations import (
    Dispensation,
    end_dispensation,
    get_dispensation,
    give_dispensation,
    list_dispensations,
)
from ler.services.register_acts import require_operator
from ler.services.registry import get_organisation
from ler.services.tokens import Principal

type Reader = Annotated[Principal, Depends(May(Scope.REGISTER_READ))]
type Writer = Annotated[Principal, Depends(May(Scope.REGISTER_WRITE))]

PATH: Final = f"{API}/dispensations"


class NewDispensation(BaseModel):
    """Whose owner's deadline is longer, why and for how long."""

    model_config = ConfigDict(extra="forbid", strict=True)

    organisation: Annotated[UUID, Field(strict=False)]
    reason: Annotated[str, Field(min_length=1, max_length=500, description="The special circumstances.")]
    valid_from: Moment | None = None
    valid_to: Annotated[Moment | None, Field(description="The first moment at which it holds no longer.")] = (
        None
    )


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    one = f"{PATH}/{{dispensation_id}}"
    schema = {"content": {"application/json": {"schema": NewDispensation.model_json_schema()}}}
    app.add_api_route(PATH, listing, methods=["GET"], summary="Dispensations that were given")
    app.add_api_route(
        PATH,
        give,
        methods=["POST"],
        status_code=201,
        summary="Give an owner a dispensation",
        openapi_extra={"requestBody": schema},
    )
    app.add_api_route(one, show, methods=["GET"], summary="One dispensation")
    app.add_api_route(one, end, methods=["DELETE"], summary="End a dispensation")


def listing(request: Request, caller: Reader, organisation: UUID | None = None) -> Response:
    """List dispensations: the caller's own; the operator and auditors see all, or those of `organisation`."""
    with caller_transaction(request, caller) as connection:
        found = list_dispensations(connection, organisation)
    return JSONResponse({"dispensations": [dispensation_view(one) for one in found]})


def give(
    request: Request,
    caller: Writer,
    body: Annotated[bytes, Depends(body_of)],
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Give a dispensation; the operator's act. What the owner was asked before keeps its due time."""
    require_operator(caller.organisation_id)
    given = read_json(NewDispensation, body)

    def make(connection: Connection) -> View:
        get_organisation(connection, given.organisation)
        made = give_dispensation(
            connection,
            caller.organisation_id,
            given.organisation,
            given.reason,
            valid_from=given.valid_from,
            valid_to=given.valid_to,
        )
        return dispensation_view(made)

    return make_once(request, caller, PATH, make, key=idempotency_key, body=body)


def show(request: Request, caller: Reader, dispensation_id: UUID) -> Response:
    """Show a dispensation, one that has ended too."""
    with caller_transaction(request, caller) as connection:
        return shown(dispensation_view(get_dispensation(connection, dispensation_id)))


def end(request: Request, caller: Writer, dispensation_id: UUID) -> Response:
    """End a dispensation at once; the operator's act. Who was asked while it held keeps its time."""
    with caller_transaction(request, caller) as connection:
        return shown(dispensation_view(end_dispensation(connection, caller.organisation_id, dispensation_id)))


def dispensation_view(found: Dispensation) -> View:
    """Return a dispensation."""
    return {
        "id": str(found.id),
        "organisation": str(found.owner_id),
        "reason": found.reason,
        "valid_from": moment(found.valid_from),
        "valid_to": moment(found.valid_to),
        "links": {"self": f"{PATH}/{found.id}"},
    }
