"""Contacts of owners, by kind of line and purpose; and whom a requester turns to about a request."""

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.parameters import body_of, read_json
from geoapi.register_http import API, View, check_unchanged, make_once, moment, shown
from ler.domain.access import Scope
from ler.domain.contacts import ContactForm
from ler.services.contacts import (
    OwnerContact,
    add_contact,
    change_contact,
    get_contact,
    list_contacts,
    list_request_contacts,
    remove_contact,
)
from ler.services.requests import get_request
from ler.services.tokens import Principal

type Reader = Annotated[Principal, Depends(May(Scope.REGISTER_READ))]
type Writer = Annotated[Principal, Depends(May(Scope.REGISTER_WRITE))]
type Requester = Annotated[Principal, Depends(May(Scope.REQUEST_READ))]
type Body = Annotated[bytes, Depends(body_of)]
type IfMatch = Annotated[str | None, Header()]
type Purpose = Literal["dig", "planning", "emergency", "damage"]

PATH: Final = f"{API}/contacts"
_ONE: Final = f"{PATH}/{{contact_id}}"


class Contact(BaseModel):
    """Whom to turn to (LER Kontaktprofil), for what, and in which turn."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    email: str | None = None
    phone: Annotated[str | None, Field(description="This, `email`, or both.")] = None
    utility_type: Annotated[str | None, Field(description="Forsyningsart; null: for all.")] = None
    purpose: Annotated[Purpose | None, Field(description="null: for all.")] = None
    rank: Annotated[int, Field(description="1: whom to try first.")] = 1

    @property
    def form(self) -> ContactForm:
        """The fields as the services take them."""
        return ContactForm(**self.model_dump())


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    body = {"requestBody": {"content": {"application/json": {"schema": Contact.model_json_schema()}}}}
    app.add_api_route(PATH, listing, methods=["GET"], summary="Your contacts")
    app.add_api_route(
        PATH, enter, methods=["POST"], status_code=201, summary="Enter a contact", openapi_extra=body
    )
    app.add_api_route(_ONE, show, methods=["GET"], summary="One contact")
    app.add_api_route(_ONE, change, methods=["PUT"], summary="Change a contact", openapi_extra=body)
    app.add_api_route(_ONE, remove, methods=["DELETE"], status_code=204, summary="Remove a contact")
    app.add_api_route(
        f"{API}/requests/{{request_id}}/contacts",
        of_request,
        methods=["GET"],
        summary="Whom to turn to about a request",
    )


def listing(request: Request, caller: Reader) -> Response:
    """List the caller's contacts."""
    with caller_transaction(request, caller) as connection:
        found = list_contacts(connection, caller.organisation_id)
    return JSONResponse({"contacts": [contact_view(one) for one in found]})


def enter(
    request: Request, caller: Writer, body: Body, idempotency_key: Annotated[str | None, Header()] = None
) -> Response:
    """Enter a contact of the calling owner."""
    given = read_json(Contact, body)

    def make(connection: Connection) -> View:
        return contact_view(add_contact(connection, caller.organisation_id, given.form))

    return make_once(request, caller, PATH, make, key=idempotency_key, body=body)


def show(request: Request, caller: Reader, contact_id: UUID) -> Response:
    """Show one of the caller's contacts."""
    with caller_transaction(request, caller) as connection:
        return shown(contact_view(get_contact(connection, contact_id, caller.organisation_id)))


def change(
    request: Request, caller: Writer, contact_id: UUID, body: Body, if_match: IfMatch = None
) -> Response:
    """Change one of the caller's contacts; packages that are made from now on show it."""
    given = read_json(Contact, body)
    owner = caller.organisation_id
    with caller_transaction(request, caller) as connection:
        check_unchanged(if_match, contact_view(get_contact(connection, contact_id, owner)))
        return shown(contact_view(change_contact(connection, owner, contact_id, given.form)))


def remove(request: Request, caller: Writer, contact_id: UUID) -> Response:
    """Remove one of the caller's contacts; nothing of it is kept."""
    with caller_transaction(request, caller) as connection:
        remove_contact(connection, caller.organisation_id, contact_id)
    return Response(status_code=204)


def of_request(
    request: Request,
    caller: Requester,
    request_id: UUID,
    purpose: Annotated[Purpose | None, Query(description="Else the kind of the request.")] = None,
) -> Response:
    """Show by owner whom to turn to, at once after the request was sent; whom to try first stands first."""
    with caller_transaction(request, caller) as connection:
        get_request(connection, request_id)
        found = list_request_contacts(connection, request_id, purpose)
    owners = [
        {"owner": str(owner), "contacts": [contact_of_owner(one) for one in contacts]}
        for owner, contacts in sorted(found.items())
    ]
    return JSONResponse({"owners": owners})


def contact_of_owner(found: ContactForm) -> View:
    """Return a contact as those see it who turn to it."""
    fields = "name", "email", "phone", "utility_type", "purpose", "rank"
    return {field: getattr(found, field) for field in fields}


def contact_view(found: OwnerContact) -> View:
    """Return a contact as its owner sees it."""
    links = {"self": f"{PATH}/{found.id}"}
    return {
        "id": str(found.id),
        **contact_of_owner(found),
        "changed_at": moment(found.changed_at),
        "links": links,
    }
