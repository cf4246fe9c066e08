"""Organisations of the register: what each says of itself, and what the operator says of it."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.parameters import body_of, read_json
from geoapi.register_http import API, View, check_unchanged, make_once, shown
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.access import Scope
from ler.domain.registration import Duty
from ler.domain.roles import Role
from ler.errors import RefusedError
from ler.services.register_acts import require_operator
from ler.services.registry import (
    Entry,
    Name,
    Organisation,
    change_organisation,
    find_by_cvr,
    get_organisation,
    list_organisations,
    register_organisation,
)
from ler.services.tokens import Principal

type Reader = Annotated[Principal, Depends(May(Scope.REGISTER_READ))]
type Writer = Annotated[Principal, Depends(May(Scope.REGISTER_WRITE))]
type Body = Annotated[bytes, Depends(body_of)]

PATH: Final = f"{API}/organisations"
_ONE: Final = f"{PATH}/{{organisation_id}}"


class NewOrganisation(BaseModel):
    """An organisation that the operator enters; without CVR number a private person."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=200)]
    cvr: Annotated[str | None, Field(pattern=r"^[0-9]{8}$")] = None
    email: Annotated[str | None, Field(max_length=254)] = None
    phone: Annotated[str | None, Field(max_length=40)] = None
    roles: Annotated[
        list[Annotated[Role, Field(strict=False)]], Field(min_length=1, description="Granted everywhere.")
    ]
    duties: Annotated[
        list[Annotated[Duty, Field(strict=False)]], Field(description="Why an owner must register.")
    ] = []


class ChangedOrganisation(BaseModel):
    """What is to be changed; what is left out stays. `name` and `duties` are the operator's."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=200)] = ""
    duties: list[Annotated[Duty, Field(strict=False)]] = []
    email: Annotated[str | None, Field(max_length=254)] = None
    phone: Annotated[str | None, Field(max_length=40)] = None
    address: Annotated[str | None, Field(max_length=200)] = None
    language: Literal["da", "en"] = "da"
    anonymous: Annotated[
        bool, Field(description="A private person's wish not to be named to those it asks.")
    ] = False


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    new = {"requestBody": {"content": {"application/json": {"schema": NewOrganisation.model_json_schema()}}}}
    changed = {
        "requestBody": {"content": {"application/json": {"schema": ChangedOrganisation.model_json_schema()}}}
    }
    app.add_api_route(PATH, listing, methods=["GET"], summary="Organisations that you may see")
    app.add_api_route(
        PATH, enter, methods=["POST"], status_code=201, summary="Enter an organisation", openapi_extra=new
    )
    app.add_api_route(_ONE, show, methods=["GET"], summary="One organisation")
    app.add_api_route(
        _ONE, change, methods=["PATCH"], summary="Change an entry of the register", openapi_extra=changed
    )


def listing(
    request: Request,
    caller: Reader,
    cvr: Annotated[str | None, Query(pattern=r"^[0-9]{8}$")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: UUID | None = None,
) -> Response:
    """List the organisations that the caller may see: its own, those it deals with, all providers; the operator sees all."""
    with caller_transaction(request, caller) as connection:
        if cvr:
            one = find_by_cvr(connection, cvr)
            found = [one] if one else []
        else:
            found = list_organisations(connection, after=cursor, limit=limit + 1)
    page: View = {"organisations": [organisation_view(one, caller) for one in found[:limit]]}
    if len(found) > limit:
        page["next"] = f"{PATH}?limit={limit}&cursor={found[limit - 1].id}"
    return JSONResponse(page)


def enter(
    request: Request, caller: Writer, body: Body, idempotency_key: Annotated[str | None, Header()] = None
) -> Response:
    """Enter an organisation with its roles; the operator's act."""
    require_operator(caller.organisation_id)
    given = read_json(NewOrganisation, body)

    def make(connection: Connection) -> View:
        made = register_organisation(
            connection,
            name=given.name,
            roles=given.roles,
            cvr=given.cvr,
            email=given.email,
            phone=given.phone,
            duties=given.duties,
        )
        return organisation_view(get_organisation(connection, made), caller)

    return make_once(request, caller, PATH, make, key=idempotency_key, body=body)


def show(request: Request, caller: Reader, organisation_id: UUID) -> Response:
    """Show an organisation that the caller may see."""
    with caller_transaction(request, caller) as connection:
        return shown(organisation_view(get_organisation(connection, organisation_id), caller))


def change(
    request: Request,
    caller: Writer,
    organisation_id: UUID,
    body: Body,
    if_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Change what an organisation says of itself; its name and duties as the operator only."""
    given = read_json(ChangedOrganisation, body)
    with caller_transaction(request, caller) as connection:
        before = get_organisation(connection, organisation_id)
        if caller.organisation_id not in {organisation_id, PLATFORM_OPERATOR}:
            raise RefusedError(
                "role-missing", "only the organisation itself and the operator change its entry"
            )
        check_unchanged(if_match, organisation_view(before, caller))
        kept = {field: getattr(before, field) for field in Entry.__dataclass_fields__}
        said = given.model_dump(exclude_unset=True)
        entry = Entry(**{field: said.get(field, value) for field, value in kept.items()})
        changed = change_organisation(
            connection, caller.organisation_id, organisation_id, entry, _name(before, said)
        )
    return shown(organisation_view(changed, caller))


def organisation_view(found: Organisation, caller: Principal) -> View:
    """Return an organisation as the caller sees it: of others, how to reach them."""
    view: View = {
        "id": str(found.id),
        "cvr": found.cvr,
        "name": found.name,
        "email": found.email,
        "phone": found.phone,
        "links": {"self": f"{PATH}/{found.id}"},
    }
    if caller.organisation_id in {found.id, PLATFORM_OPERATOR}:
        view |= {
            "address": found.address,
            "language": found.language,
            "anonymous": found.anonymous,
            "duties": list(found.duties),
        }
    return view


def _name(before: Organisation, said: dict[str, Any]) -> Name | None:
    """What the operator is to say anew; None when nothing of it was given."""
    if not {"name", "duties"} & said.keys():
        return None
    return Name(said.get("name", before.name), said.get("duties", [Duty(duty) for duty in before.duties]))
