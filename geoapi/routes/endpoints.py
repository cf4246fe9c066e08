"""Where an organisation wants to be told: webhooks with keys, and addresses of e-mail that their holders confirm."""

import secrets
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.delivery.targets import check_target
from geoapi.delivery.webhooks import new_secret
from geoapi.parameters import body_of, read_json
from geoapi.platform import platform_of
from geoapi.problems import ProblemException
from ler.domain.access import Scope
from ler.domain.delivery import Channel, EndpointState
from ler.services.idempotency import KeptAnswer, answer_once, check_key
from ler.services.notices import (
    Delivery,
    Endpoint,
    NewEndpoint,
    add_endpoint,
    change_endpoint,
    confirm_endpoint,
    get_endpoint,
    list_deliveries,
    list_endpoints,
    remove_endpoint,
    renew_endpoint_secret,
    try_endpoint,
)
from ler.services.tokens import Principal
from ler.signing import KeyFolder

type Reader = Annotated[Principal, Depends(May(Scope.NOTICE_READ))]
type Writer = Annotated[Principal, Depends(May(Scope.NOTICE_WRITE))]
type Kinds = Annotated[
    list[Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}\.([a-z_]{1,40}|\*)$")]],
    Field(min_length=1, max_length=50, description="Kinds of notices, or groups like `owner.*`."),
]

PATH: Final = "/api/v1/notice-endpoints"
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE_LENGTH: Final = 10
_MAIL: Final = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$"


class EndpointRequest(BaseModel):
    """A place to send notices to."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: Annotated[str | None, Field(min_length=9, max_length=2000)] = None
    email: Annotated[str | None, Field(max_length=254, pattern=_MAIL)] = None
    kinds: Kinds | None = None
    language: Literal["da", "en"] = "da"
    escalation: Annotated[bool, Field(description="Told only when your own organisation stays silent.")] = (
        False
    )

    @model_validator(mode="after")
    def _one_place(self) -> "EndpointRequest":
        if (self.url is None) == (self.email is None):
            raise ValueError("give either url or email")
        return self


class EndpointChange(BaseModel):
    """What an endpoint is told from now on; what is left out stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kinds: Kinds | None = None
    language: Literal["da", "en"] | None = None
    escalation: bool | None = None
    in_use: bool | None = None


class Confirmation(BaseModel):
    """The code that was sent to an address of e-mail."""

    model_config = ConfigDict(extra="forbid", strict=True)

    code: Annotated[str, StringConstraints(min_length=1, max_length=40)]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    one = f"{PATH}/{{endpoint_id}}"
    for method, path, route, status, model, summary in (
        ("GET", PATH, listing, 200, None, "List the places to which notices are sent"),
        ("POST", PATH, add, 201, EndpointRequest, "Add a place; the key of a webhook is shown once"),
        ("GET", one, show, 200, None, "One place and how it does"),
        ("PATCH", one, change, 200, EndpointChange, "Change what a place is told, or take it into use"),
        ("DELETE", one, remove, 204, None, "Remove a place"),
        ("GET", f"{one}/deliveries", deliveries, 200, None, "What was sent to a place lately"),
        ("POST", f"{one}/confirm", confirm, 200, Confirmation, "Confirm an address of e-mail by its code"),
        ("POST", f"{one}/secret", renew, 200, None, "Make another key; the old one signs for a day more"),
        ("POST", f"{one}/test", test, 202, None, "Send a notice that says nothing"),
    ):
        body: dict[str, Any] | None = None
        if model is not None:
            schema = {"application/json": {"schema": model.model_json_schema()}}
            body = {"requestBody": {"content": schema, "required": True}}
        app.add_api_route(
            path,
            route,
            methods=[method],
            status_code=status,
            summary=summary,
            openapi_extra=body,
            response_model=None,
        )


def listing(request: Request, caller: Reader) -> Response:
    """List the places of the caller's organisation."""
    with caller_transaction(request, caller) as connection:
        found = list_endpoints(connection)
    return JSONResponse({"endpoints": [endpoint_view(one) for one in found]})


def add(
    request: Request,
    caller: Writer,
    body: Annotated[bytes, Depends(body_of)],
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Add a place. A webhook is used at once; to an address of e-mail a code is sent first."""
    key = check_key(idempotency_key)
    wanted = read_json(EndpointRequest, body)
    if wanted.url is not None:
        check_target(wanted.url, loopback=platform_of(request).settings.webhook_loopback)
    secret = new_secret() if wanted.url is not None else None
    sealed = _keys(request).seal(secret) if secret else None
    code = None if secret else new_code()
    new = NewEndpoint(
        Channel.WEBHOOK if secret else Channel.EMAIL,
        wanted.url or wanted.email or "",
        wanted.kinds,
        wanted.language,
        wanted.escalation,
    )
    shown: dict[str, str] = {}
    with caller_transaction(request, caller) as connection:

        def work() -> KeptAnswer:
            made = get_endpoint(connection, add_endpoint(connection, new, secret=sealed, code=code))
            if secret:
                shown["secret"] = secret
            headers = {"Location": f"{PATH}/{made.id}"}
            # The key is not kept with the answer: whoever lost it makes another.
            return KeptAnswer(HTTPStatus.CREATED, headers, endpoint_view(made))

        answer = answer_once(
            connection, caller.organisation_id, route=f"POST {PATH}", key=key, body=body, work=work
        )
    replayed = {"Idempotency-Replayed": "true"} if answer.replayed else {}
    headers = answer.headers | replayed | {"Cache-Control": "no-store"}
    return JSONResponse(answer.body | shown, answer.status, headers=headers)


def show(request: Request, caller: Reader, endpoint_id: UUID) -> Response:
    """Show a place: its state, and how long it has failed."""
    with caller_transaction(request, caller) as connection:
        found = get_endpoint(connection, endpoint_id)
    return JSONResponse(endpoint_view(found))


def change(
    request: Request, caller: Writer, endpoint_id: UUID, body: Annotated[bytes, Depends(body_of)]
) -> Response:
    """Change what a place is told; `in_use` takes it out of use, or into it after it was paused or disabled."""
    wanted = read_json(EndpointChange, body)
    with caller_transaction(request, caller) as connection:
        before = get_endpoint(connection, endpoint_id)
        if wanted.in_use is None and before.state not in {EndpointState.ACTIVE, EndpointState.PAUSED}:
            raise ProblemException("endpoint-state", f"the endpoint is {before.state}")
        change_endpoint(
            connection,
            endpoint_id,
            kinds=wanted.kinds if "kinds" in wanted.model_fields_set else before.kinds,
            language=wanted.language or before.language,
            escalation=before.escalation if wanted.escalation is None else wanted.escalation,
            in_use=wanted.in_use is not False,
        )
        found = get_endpoint(connection, endpoint_id)
    return JSONResponse(endpoint_view(found))


def remove(request: Request, caller: Writer, endpoint_id: UUID) -> Response:
    """Remove a place; what waits for it and must not be lost goes to the organisation's own address."""
    with caller_transaction(request, caller) as connection:
        remove_endpoint(connection, endpoint_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def deliveries(
    request: Request, caller: Reader, endpoint_id: UUID, limit: Annotated[int, Query(ge=1, le=100)] = 50
) -> Response:
    """List what was sent to a place lately, and what came of it."""
    with caller_transaction(request, caller) as connection:
        found = list_deliveries(connection, endpoint_id, limit=limit)
    return JSONResponse({"deliveries": [_delivery_view(one) for one in found]})


def confirm(
    request: Request, caller: Writer, endpoint_id: UUID, body: Annotated[bytes, Depends(body_of)]
) -> Response:
    """Take an address of e-mail into use by the code that was sent to it."""
    wanted = read_json(Confirmation, body)
    with caller_transaction(request, caller) as connection:
        # Counted even when it is wrong, so refused only after the transaction.
        right = confirm_endpoint(connection, endpoint_id, wanted.code.strip().upper())
        found = get_endpoint(connection, endpoint_id)
    if not right:
        raise ProblemException("field-invalid", "it is another code")
    return JSONResponse(endpoint_view(found))


def renew(request: Request, caller: Writer, endpoint_id: UUID) -> Response:
    """Make another key, shown once; for a day payloads are signed by both."""
    secret = new_secret()
    with caller_transaction(request, caller) as connection:
        renew_endpoint_secret(connection, endpoint_id, _keys(request).seal(secret))
        found = get_endpoint(connection, endpoint_id)
    return JSONResponse(endpoint_view(found) | {"secret": secret}, headers={"Cache-Control": "no-store"})


def test(request: Request, caller: Writer, endpoint_id: UUID) -> Response:
    """Send a notice that says nothing, by way of the outbox as every other."""
    with caller_transaction(request, caller) as connection:
        try_endpoint(connection, endpoint_id)
        found = get_endpoint(connection, endpoint_id)
    return JSONResponse(endpoint_view(found), HTTPStatus.ACCEPTED)


def new_code() -> str:
    """Return a code that confirms an address of e-mail."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))


def endpoint_view(one: Endpoint) -> dict[str, Any]:
    """Return a place as its organisation sees it."""
    path = f"{PATH}/{one.id}"
    return {
        "id": str(one.id),
        "channel": str(one.channel),
        "url" if one.channel is Channel.WEBHOOK else "email": one.address,
        "kinds": list(one.kinds) if one.kinds is not None else None,
        "language": one.language,
        "escalation": one.escalation,
        "state": str(one.state),
        "reason": one.reason,
        "failures": one.failures,
        "failing_since": one.failing_since.isoformat() if one.failing_since else None,
        "delivered_at": one.delivered_at.isoformat() if one.delivered_at else None,
        "created_at": one.created_at.isoformat(),
        "links": {"self": path, "deliveries": f"{path}/deliveries", "test": f"{path}/test"},
    }


def _delivery_view(one: Delivery) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "notice_id": str(one.notice_id),
        "type": one.kind,
        "state": str(one.state),
        "attempts": one.attempts,
        "next_try_at": one.next_try_at.isoformat() if one.state == "waiting" else None,
        "status": one.status,
        "fault": one.fault,
        "created_at": one.created_at.isoformat(),
        "done_at": one.done_at.isoformat() if one.done_at else None,
    }


def _keys(request: Request) -> KeyFolder:
    return KeyFolder(platform_of(request).settings.key_folder)
