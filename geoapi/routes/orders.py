"""Orders: requests of up to a hundred areas, entered together or not at all."""

from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, Request, Response
from sqlalchemy.engine import Connection
from starlette.responses import JSONResponse

from geoapi.asking import send_request
from geoapi.auth import caller_transaction
from geoapi.kept_answers import kept_response
from geoapi.negotiation import language_of
from geoapi.parameters import body_of, read_json
from geoapi.platform import platform_of
from geoapi.request_bodies import OrderBody, read_order
from geoapi.request_views import ORDERS, Language, request_view
from geoapi.routes.requests import Key, Reader, Sender
from ler.faults import point
from ler.rules_in_force import ordinary_due, request_limits
from ler.services.idempotency import KeptAnswer, answer_once, check_key
from ler.services.request_reading import list_asked_areas, list_order
from ler.services.requests import today_of

type Body = Annotated[bytes, Depends(body_of)]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    schema = {"content": {"application/json": {"schema": OrderBody.model_json_schema()}}, "required": True}
    app.add_api_route(
        ORDERS,
        create,
        methods=["POST"],
        status_code=201,
        summary="Send requests of several areas, all or none",
        openapi_extra={"requestBody": schema},
    )
    app.add_api_route(f"{ORDERS}/{{order_id}}", show, methods=["GET"], summary="The requests of an order")


def create(request: Request, caller: Sender, body: Body, idempotency_key: Key = None) -> Response:
    """Enter all requests of an order and answer with one receipt; one fault anywhere, and none is entered."""
    key = check_key(idempotency_key)
    settings = platform_of(request).settings
    wanted = read_json(OrderBody, body)
    language = language_of(request.headers.get("accept-language"))
    with caller_transaction(request, caller) as connection:

        def work() -> KeptAnswer:
            order_id = uuid4()
            for one in read_order(wanted, settings, today_of(connection), order_id):
                send_request(
                    connection,
                    caller.organisation_id,
                    one,
                    limits=request_limits(settings),
                    due=ordinary_due(settings),
                )
            headers = {"Location": f"{ORDERS}/{order_id}", "Content-Language": language}
            return KeptAnswer(HTTPStatus.CREATED, headers, _view(connection, order_id, language))

        answer = answer_once(
            connection, caller.organisation_id, route=f"POST {ORDERS}", key=key, body=body, work=work
        )
        point("order.create.before-commit")
    return kept_response(answer)


def show(request: Request, caller: Reader, order_id: UUID) -> Response:
    """Show the requests of an order, in the order of its areas."""
    language = language_of(request.headers.get("accept-language"))
    with caller_transaction(request, caller) as connection:
        view = _view(connection, order_id, language)
    return JSONResponse(view, headers={"Content-Language": language, "Vary": "Accept-Language"})


def _view(connection: Connection, order_id: UUID, language: Language) -> dict[str, Any]:
    found = list_order(connection, order_id)
    areas = list_asked_areas(connection, [one.id for one in found])
    today = today_of(connection)
    return {
        "id": str(order_id),
        "requests": [request_view(one, areas[one.id], language, today) for one in found],
        "price": {
            "amount": str(sum((one.price or Decimal(0) for one in found), Decimal("0.00"))),
            "currency": found[0].currency,
        },
        "all_answered": not any(part.missing for parts in areas.values() for part in parts),
        "links": {"self": f"{ORDERS}/{order_id}"},
    }
