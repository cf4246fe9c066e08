"""Interest areas: where an owner has lines. Known by their registration number (LER indberetningsNr)."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.parameters import body_of, read_json
from geoapi.problems import ProblemException
from geoapi.register_http import API, View, area_of, area_view, make_once, moment, whose
from ler.domain.access import Scope
from ler.domain.registration import AreaForm
from ler.errors import NotFoundError, RefusedError
from ler.services.areas import (
    InterestArea,
    create_area,
    end_area,
    get_area,
    list_areas,
    list_revisions,
    revise_area,
)
from ler.services.tokens import Principal

type Reader = Annotated[Principal, Depends(May(Scope.REGISTER_READ))]
type Writer = Annotated[Principal, Depends(May(Scope.REGISTER_WRITE))]
type Body = Annotated[bytes, Depends(body_of)]
type Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
type IfMatch = Annotated[str | None, Header()]

PATH: Final = f"{API}/interest-areas"
_ONE: Final = f"{PATH}/{{number}}"


class Area(BaseModel):
    """An interest area as LER's own interface takes it (integration 27)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    utility_types: Annotated[
        list[str],
        Field(
            max_length=20, description="Forsyningsart, or 'other: <word>' for what the list does not have."
        ),
    ]
    remark: Annotated[str | None, Field(description="Bemærkning; may be empty, must be there.")] = None
    contact_person: Annotated[str | None, Field(description="This or `contact_address`.")] = None
    contact_address: str | None = None
    contact_email: str | None = None
    voluntary: Annotated[bool, Field(description="Registered without a duty to (§ 6).")] = False
    answered_by: Annotated[
        Literal["platform", "owner"] | None,
        Field(description="From the published network, or by the owner itself; its owner says so."),
    ] = None
    crs: Annotated[str | None, Field(max_length=100, description="Of `area`, when it is not EPSG:25832.")] = (
        None
    )

    @property
    def form(self) -> AreaForm:
        """The fields without the polygon."""
        return AreaForm(
            utility_types=tuple(self.utility_types),
            remark=self.remark,
            contact_person=self.contact_person,
            contact_address=self.contact_address,
            contact_email=self.contact_email,
            voluntary=self.voluntary,
        )


class NewArea(Area):
    """An interest area with its polygon."""

    area: Annotated[dict[str, Any], Field(description="GeoJSON with polygons.")]
    owner: Annotated[UUID | None, Field(strict=False, description="As the operator: whose it is.")] = None


class ChangedArea(Area):
    """An interest area as it is to be; without `area` it stays where it is."""

    area: dict[str, Any] | None = None


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    new = {"requestBody": {"content": {"application/json": {"schema": NewArea.model_json_schema()}}}}
    changed = {"requestBody": {"content": {"application/json": {"schema": ChangedArea.model_json_schema()}}}}
    app.add_api_route(PATH, listing, methods=["GET"], summary="Interest areas")
    app.add_api_route(
        PATH, enter, methods=["POST"], status_code=201, summary="Enter an interest area", openapi_extra=new
    )
    app.add_api_route(_ONE, show, methods=["GET"], summary="One interest area")
    app.add_api_route(_ONE, change, methods=["PUT"], summary="Enter its next revision", openapi_extra=changed)
    app.add_api_route(_ONE, end, methods=["DELETE"], status_code=204, summary="End an interest area")
    app.add_api_route(f"{_ONE}/revisions", history, methods=["GET"], summary="All that it ever said")


def listing(
    request: Request,
    caller: Reader,
    *,
    owner: UUID | None = None,
    ended: Annotated[bool, Query(description="Those that have ended, as they were last.")] = False,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
) -> Response:
    """List interest areas by number: the caller's own; the operator and auditors see all, or those of `owner`."""
    with caller_transaction(request, caller) as connection:
        found = list_areas(connection, owner_id=owner, after=cursor, limit=limit + 1, ended=ended)
    page: View = {"interest_areas": [interest_area_view(one) for one in found[:limit]]}
    if len(found) > limit:
        asked = f"&owner={owner}" if owner else ""
        asked += "&ended=true" if ended else ""
        page["next"] = f"{PATH}?limit={limit}&cursor={found[limit - 1].registration_number}{asked}"
    return JSONResponse(page)


def enter(
    request: Request, caller: Writer, body: Body, idempotency_key: Annotated[str | None, Header()] = None
) -> Response:
    """Enter an area in which an owner has lines: whoever digs there asks it from now on."""
    given = read_json(NewArea, body)
    owner = whose(caller, given.owner)
    area = area_of(request, given.area, given.crs)

    def make(connection: Connection) -> View:
        made = create_area(
            connection, caller.organisation_id, owner, given.form, area, answered_by=given.answered_by
        )
        return interest_area_view(made)

    return make_once(request, caller, PATH, make, key=idempotency_key, body=body)


def show(request: Request, caller: Reader, number: Number) -> Response:
    """Show the revision of an interest area that holds."""
    with caller_transaction(request, caller) as connection:
        return _shown(get_area(connection, number))


def change(
    request: Request, caller: Writer, number: Number, body: Body, if_match: IfMatch = None
) -> Response:
    """Enter the next revision under the same number. Who was asked for the old one stays asked."""
    given = read_json(ChangedArea, body)
    area = area_of(request, given.area, given.crs) if given.area is not None else None
    with caller_transaction(request, caller) as connection:
        found = _unchanged(get_area(connection, number), if_match)
        made = revise_area(
            connection,
            caller.organisation_id,
            number,
            given.form,
            area,
            answered_by=given.answered_by,
            seen=found.revision,
        )
    return _shown(made)


def end(request: Request, caller: Writer, number: Number, if_match: IfMatch = None) -> Response:
    """End an interest area. Nobody who digs there from now on asks its owner for it."""
    with caller_transaction(request, caller) as connection:
        found = _unchanged(get_area(connection, number), if_match)
        end_area(connection, caller.organisation_id, number, seen=found.revision)
    return Response(status_code=204)


def history(request: Request, caller: Reader, number: Number) -> Response:
    """Show every revision of an interest area, the oldest first."""
    with caller_transaction(request, caller) as connection:
        found = list_revisions(connection, number)
    if not found:
        raise NotFoundError
    return JSONResponse({"revisions": [interest_area_view(one) for one in found]})


def interest_area_view(found: InterestArea) -> View:
    """Return an interest area as its owner sees it."""
    path = f"{PATH}/{found.registration_number}"
    return {
        "id": str(found.id),
        "number": found.registration_number,
        "revision": found.revision,
        "owner": str(found.owner_id),
        "utility_types": list(found.utility_types),
        "remark": found.remark,
        "contact_person": found.contact_person,
        "contact_address": found.contact_address,
        "contact_email": found.contact_email,
        "voluntary": found.voluntary,
        "answered_by": found.answered_by,
        "area": area_view(found.area),
        "valid_from": moment(found.created_at),
        "ended_at": moment(found.ended_at),
        "links": {"self": path, "revisions": f"{path}/revisions"},
    }


def _shown(found: InterestArea) -> Response:
    return JSONResponse(interest_area_view(found), headers={"ETag": _tag(found)})


def _unchanged(found: InterestArea, if_match: str | None) -> InterestArea:
    if if_match is None:
        raise ProblemException("precondition-required")
    tags = {one.strip() for one in if_match.split(",")}
    if "*" not in tags and _tag(found) not in tags:
        raise RefusedError("precondition-failed", "the interest area has changed since you read it")
    return found


def _tag(found: InterestArea) -> str:
    return f'"r{found.revision}-{found.answered_by}"'
