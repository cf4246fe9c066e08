"""Tokens for programs that prove who they are by a signed assertion (RFC 6749 section 4.4, RFC 7523)."""

from datetime import timedelta
from typing import Annotated, Any, Final
from urllib.parse import parse_qs

from fastapi import Depends, FastAPI, Request, Response
from starlette.responses import JSONResponse

from geoapi.assertions import ALGORITHMS, LEEWAY, AssertionRefusedError, claimed_client, read_assertion
from geoapi.platform import platform_of
from geoapi.problems import ProblemException
from ler.db.engine import transaction
from ler.domain.access import Scope
from ler.domain.roles import known_scopes
from ler.services.clients import ClientKeys, ClientRefusedError, Proof, find_client_keys, issue_client_token

PATH: Final = "/oauth/token"
METADATA: Final = "/.well-known/oauth-authorization-server"

_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_GRANT_TYPE: Final = "client_credentials"
_FORM: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 10
_FIELDS: Final[dict[str, Any]] = {
    "grant_type": {"type": "string", "enum": [_GRANT_TYPE]},
    "client_assertion_type": {"type": "string", "enum": [_ASSERTION_TYPE]},
    "client_assertion": {"type": "string", "description": "A JWT that the client signed."},
    "client_id": {"type": "string"},
    "scope": {"type": "string", "description": "Fewer than the client has, with spaces between them."},
}
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        _FORM: {
            "schema": {
                "type": "object",
                "properties": _FIELDS,
                "required": ["grant_type", "client_assertion_type", "client_assertion"],
            }
        }
    },
}


class ClientProblemException(ProblemException):
    """What is answered to a program that proved nothing."""

    def __init__(self, error: AssertionRefusedError | ClientRefusedError) -> None:
        super().__init__("client-invalid", str(error), members=_error("invalid_client"))
        self.reason = error.reason
        """For the audit trail; the caller is not told."""
        self.organisation_id = error.organisation_id


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    app.add_api_route(
        PATH,
        token,
        methods=["POST"],
        summary="A token for a program, by an assertion that it signed",
        openapi_extra={"requestBody": _BODY},
    )
    app.add_api_route(METADATA, metadata, methods=["GET"], summary="How programs get tokens (RFC 8414)")


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form, each given once."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise ProblemException(
            "field-invalid", f"the Content-Type must be {_FORM}", members=_error("invalid_request")
        )
    try:
        fields = parse_qs(
            (await request.body()).decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except ValueError:
        raise ProblemException(
            "field-invalid", "the form cannot be read", members=_error("invalid_request")
        ) from None
    if any(len(values) > 1 for values in fields.values()):
        raise ProblemException("field-invalid", "a field was given twice", members=_error("invalid_request"))
    return {name: values[0] for name, values in fields.items()}


def token(request: Request, form: Annotated[dict[str, str], Depends(form_of)]) -> Response:
    """Give a program a token for an assertion, which is good once."""
    try:
        return _token(request, form)
    except (AssertionRefusedError, ClientRefusedError) as error:
        raise ClientProblemException(error) from error


def metadata(request: Request) -> dict[str, Any]:
    """Tell programs how they get tokens."""
    origin = platform_of(request).origin
    return {
        "issuer": origin,
        "token_endpoint": origin + PATH,
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "grant_types_supported": [_GRANT_TYPE],
        "response_types_supported": [],
        "scopes_supported": sorted(Scope),
    }


def _token(request: Request, form: dict[str, str]) -> Response:
    platform = platform_of(request)
    assertion = _assertion(form)
    life = timedelta(minutes=platform.settings.client_token_minutes)
    with transaction(platform.databases.app, None) as connection:
        # In one transaction, under one clock: what is found valid is used up in the same moment.
        client_id = claimed_client(assertion)
        if form.get("client_id", str(client_id)) != str(client_id):
            raise AssertionRefusedError("client-id")
        known = find_client_keys(connection, client_id)
        audiences = platform.origin + PATH, platform.origin
        try:
            read = read_assertion(assertion, known.keys, audiences=audiences, now=known.now)
            scopes = _scopes(form, known)
            proof = Proof(read.client_id, read.kid, read.jti, read.expires_at)
            made = issue_client_token(connection, proof, scopes=scopes, life=life, leeway=LEEWAY)
        except (AssertionRefusedError, ClientRefusedError) as error:
            error.organisation_id = known.organisation_id
            raise
    told = {
        "access_token": made,
        "token_type": "Bearer",
        "expires_in": round(life.total_seconds()),
        "scope": " ".join(sorted(scopes)),
    }
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


def _assertion(form: dict[str, str]) -> str:
    if "grant_type" not in form:
        raise ProblemException(
            "field-invalid", "the field grant_type is missing", members=_error("invalid_request")
        )
    if form.get("grant_type") != _GRANT_TYPE:
        raise ProblemException("grant-type-unsupported", members=_error("unsupported_grant_type"))
    if form.get("client_assertion_type") != _ASSERTION_TYPE:
        raise AssertionRefusedError("type")
    return form.get("client_assertion", "")


def _scopes(form: dict[str, str], known: ClientKeys) -> frozenset[Scope]:
    """What the program asks for; all that it has when it does not say."""
    if not form.get("scope", "").strip():
        return known.scopes
    asked = form["scope"].split()
    scopes = known_scopes(asked)
    if len(scopes) < len({*asked}) or not scopes <= known.scopes:
        raise ProblemException(
            "scope-exceeded", "the client does not have these scopes", members=_error("invalid_scope")
        )
    return scopes


def _error(name: str) -> dict[str, str]:
    """As OAuth clients look for it, beside our own words (RFC 6749 section 5.2)."""
    return {"error": name}
