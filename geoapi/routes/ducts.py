"""Empty ducts: to whom an owner offers its own, and what is offered near a work of the caller."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.ducts_view import ducts_view
from geoapi.parameters import body_of, read_json
from geoapi.register_http import API, View, make_once, moment, shown
from ler.domain.access import Scope
from ler.services.ducts import (
    DuctOffer,
    end_duct_offer,
    get_duct_offer,
    list_duct_offers,
    list_ducts_near,
    offer_ducts,
)
from ler.services.tokens import Principal

type Reader = Annotated[Principal, Depends(May(Scope.NETWORK_READ))]
type Offerer = Annotated[Principal, Depends(May(Scope.NETWORK_APPROVE))]
type Planner = Annotated[Principal, Depends(May(Scope.WORK_READ))]

OFFERS: Final = f"{API}/duct-offers"
NEAR: Final = f"{API}/works/{{work_id}}/ducts"


class NewOffer(BaseModel):
    """To whom which ducts are offered."""

    model_config = ConfigDict(extra="forbid", strict=True)

    cvr: Annotated[
        str | None,
        Field(description="CVR number of the organisation to which; absent: to all that register works."),
    ] = None
    most_used: Annotated[
        float,
        Field(description="Share of the capacity (udnyttelsesgrad) used at most; 0: empty ducts only."),
    ] = 0.0
    shows_place: Annotated[
        bool,
        Field(description="Whether it is shown where near a work they run; else only that there are some."),
    ] = False
    contact: Annotated[
        str | None, Field(description="Whom to turn to; absent: phone and address of the register.")
    ] = None


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    one = f"{OFFERS}/{{offer_id}}"
    schema = {"content": {"application/json": {"schema": NewOffer.model_json_schema()}}}
    app.add_api_route(OFFERS, offers, methods=["GET"], summary="Own offers of ducts that hold")
    app.add_api_route(
        OFFERS,
        offer,
        methods=["POST"],
        status_code=201,
        summary="Offer the own ducts near works",
        openapi_extra={"requestBody": schema},
    )
    app.add_api_route(one, show, methods=["GET"], summary="One of the own offers")
    app.add_api_route(one, end, methods=["DELETE"], status_code=204, summary="End an offer")
    app.add_api_route(NEAR, near, methods=["GET"], summary="Ducts that are offered near an own work")


def offers(request: Request, caller: Reader) -> Response:
    """List the caller's offers that hold; nobody else sees them."""
    with caller_transaction(request, caller) as connection:
        found = list_duct_offers(connection)
    return JSONResponse({"offers": [_offer_view(one) for one in found]})


def offer(
    request: Request,
    caller: Offerer,
    body: Annotated[bytes, Depends(body_of)],
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Offer the caller's ducts to one organisation or to all that register works; without an offer nobody is told of any."""
    wanted = read_json(NewOffer, body)

    def make(connection: Connection) -> View:
        return _offer_view(
            offer_ducts(
                connection,
                caller.organisation_id,
                cvr=wanted.cvr,
                most_used=wanted.most_used,
                shows_place=wanted.shows_place,
                contact=wanted.contact,
            )
        )

    return make_once(request, caller, OFFERS, make, key=idempotency_key, body=body)


def show(request: Request, caller: Reader, offer_id: UUID) -> Response:
    """Show one of the caller's offers, one that has ended too."""
    with caller_transaction(request, caller) as connection:
        return shown(_offer_view(get_duct_offer(connection, offer_id)))


def end(request: Request, caller: Offerer, offer_id: UUID) -> Response:
    """End an offer at once; what was told is not taken back."""
    with caller_transaction(request, caller) as connection:
        end_duct_offer(connection, caller.organisation_id, offer_id)
    return Response(status_code=204)


def near(request: Request, caller: Planner, work_id: UUID) -> Response:
    """Tell what is offered to the caller near a work of its own: nothing and nothing for it are told alike."""
    with caller_transaction(request, caller) as connection:
        found = list_ducts_near(connection, caller.organisation_id, work_id)
    return JSONResponse({"work": str(work_id), "ducts": [ducts_view(one) for one in found]})


def _offer_view(found: DuctOffer) -> View:
    return {
        "id": str(found.id),
        "cvr": found.cvr,
        "most_used": found.most_used,
        "shows_place": found.shows_place,
        "contact": found.contact,
        "created_at": moment(found.created_at),
        "ended_at": moment(found.ended_at),
        "links": {"self": f"{OFFERS}/{found.id}"},
    }
