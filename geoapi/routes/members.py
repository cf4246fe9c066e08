"""Members: the people who may act for an organisation."""

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.parameters import body_of, read_json
from geoapi.register_http import API, View, check_unchanged, make_once, moment, shown, whose
from ler.domain.access import Scope
from ler.services.members import Member, add_member, change_member, end_member, get_member, list_members
from ler.services.tokens import Principal

type Reader = Annotated[Principal, Depends(May(Scope.REGISTER_READ))]
type Writer = Annotated[Principal, Depends(May(Scope.REGISTER_WRITE))]
type Body = Annotated[bytes, Depends(body_of)]
type IfMatch = Annotated[str | None, Header()]

PATH: Final = f"{API}/members"
_ONE: Final = f"{PATH}/{{member_id}}"


class Person(BaseModel):
    """A member as filled in."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    email: str
    language: Annotated[Literal["da", "en"], Field(description="Of notices and pages.")] = "da"
    administrator: Annotated[
        bool, Field(description="May change the organisation's entry, its members and its tokens.")
    ] = False


class NewMember(Person):
    """A member that is entered."""

    organisation: Annotated[UUID | None, Field(strict=False, description="As the operator: of which.")] = None


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    new = {"requestBody": {"content": {"application/json": {"schema": NewMember.model_json_schema()}}}}
    changed = {"requestBody": {"content": {"application/json": {"schema": Person.model_json_schema()}}}}
    app.add_api_route(PATH, listing, methods=["GET"], summary="Members of your organisation")
    app.add_api_route(
        PATH, enter, methods=["POST"], status_code=201, summary="Enter a member", openapi_extra=new
    )
    app.add_api_route(_ONE, show, methods=["GET"], summary="One member")
    app.add_api_route(_ONE, change, methods=["PUT"], summary="Change a member", openapi_extra=changed)
    app.add_api_route(_ONE, end, methods=["DELETE"], summary="End a member")


def listing(
    request: Request,
    caller: Reader,
    *,
    organisation: UUID | None = None,
    ended: Annotated[bool, Query(description="With those that have ended.")] = False,
) -> Response:
    """List the members of the calling organisation, or as the operator of any."""
    wanted = whose(caller, organisation)
    with caller_transaction(request, caller) as connection:
        found = list_members(connection, wanted, ended=ended)
    return JSONResponse({"members": [member_view(one) for one in found]})


def enter(
    request: Request, caller: Writer, body: Body, idempotency_key: Annotated[str | None, Header()] = None
) -> Response:
    """Enter a member of the calling organisation, or as the operator of any."""
    given = read_json(NewMember, body)
    organisation = whose(caller, given.organisation)

    def make(connection: Connection) -> View:
        person = given.model_dump(exclude={"organisation"})
        return member_view(add_member(connection, caller.organisation_id, organisation, **person))

    return make_once(request, caller, PATH, make, key=idempotency_key, body=body)


def show(request: Request, caller: Reader, member_id: UUID) -> Response:
    """Show a member, one that has ended too."""
    with caller_transaction(request, caller) as connection:
        return shown(member_view(get_member(connection, member_id)))


def change(
    request: Request, caller: Writer, member_id: UUID, body: Body, if_match: IfMatch = None
) -> Response:
    """Change a member; what it may do changes with its next call."""
    given = read_json(Person, body)
    with caller_transaction(request, caller) as connection:
        check_unchanged(if_match, member_view(get_member(connection, member_id)))
        changed = change_member(connection, caller.organisation_id, member_id, **given.model_dump())
    return shown(member_view(changed))


def end(request: Request, caller: Writer, member_id: UUID) -> Response:
    """End a member at once; what it did stays recorded."""
    with caller_transaction(request, caller) as connection:
        return shown(member_view(end_member(connection, caller.organisation_id, member_id)))


def member_view(found: Member) -> View:
    """Return a member as its organisation sees it."""
    return {
        "id": str(found.id),
        "organisation": str(found.organisation_id),
        "name": found.name,
        "email": found.email,
        "language": found.language,
        "administrator": found.administrator,
        "created_at": moment(found.created_at),
        "ended_at": moment(found.ended_at),
        "links": {"self": f"{PATH}/{found.id}"},
    }
