"""The description of the HTTP API (OpenAPI 3.1): the framework's, put right where it does not know what we answer.

It does not know our problem documents, which stand for every answer that is no success, nor how callers say who they are;
and it leaves the parts of a body's schema where nobody who reads the document finds them.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from warnings import catch_warnings, filterwarnings

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

type Document = dict[str, Any]

PROBLEM: Final[Document] = {
    "title": "Problem",
    "description": "What went wrong, as in RFC 9457.",
    "type": "object",
    "required": ["type", "title", "status", "mend"],
    "properties": {
        "type": {"type": "string", "description": "Address of what is to be known of this kind."},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "mend": {"type": "string", "description": "What to do."},
        "errors": {
            "type": "array",
            "maxItems": 100,
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                    "pointer": {"type": "string"},
                },
            },
        },
        "errors_total": {"type": "integer", "minimum": 0},
    },
}
_SCHEMES: Final[Document] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An access token."},
    "basic": {"type": "http", "scheme": "basic", "description": "The same as the password."},
}
OTHER_FORMS: Final[Mapping[str, tuple[str, ...]]] = {
    "/api/v1/audit/export": ("application/x-ndjson",),
    "/api/v1/damages/statistics": ("text/csv",),
    "/api/v1/deviations/{deviation_id}/photos/{number}/content": ("image/jpeg", "image/png"),
    "/api/v1/events": ("text/event-stream",),
    "/api/v1/feeds/deadlines.ics": ("text/calendar",),
    "/api/v1/feeds/notices.atom": ("application/atom+xml",),
    "/api/v1/feeds/windows.ics": ("text/calendar",),
    "/api/v1/network/comparison": ("image/svg+xml",),
    "/api/v1/network/features": ("application/geo+json", "application/gml+xml"),
    "/api/v1/network/quality/picture": ("image/svg+xml", "image/png"),
    "/api/v1/owner-requests/{owner_request_id}/package": ("application/zip",),
    "/api/v1/packages/{package_id}": ("application/zip",),
    "/api/v1/packages/{package_id}/changes": ("application/geo+json",),
    "/api/v1/requests/{request_id}/events": ("text/event-stream",),
    "/api/v1/uploads/{upload_id}/comparison": ("image/svg+xml",),
    "/api/v1/uploads/{upload_id}/events": ("text/event-stream",),
    "/api/v1/uploads/{upload_id}/report": ("text/html", "application/geopackage+sqlite3"),
    "/download/{secret}": ("application/zip",),
    "/problems": ("text/html",),
    "/verify": ("text/html",),
    "/verify/{code}": ("text/html",),
    "/problems/{slug}": ("text/html",),
}
"""Media types of what a path gives when all is well, beside JSON; a caller chooses by `Accept` where there are several."""
_METHODS: Final = ("get", "put", "post", "delete", "patch", "head", "options")
_METHOD_AT_END: Final = re.compile(f"_({'|'.join(_METHODS)})$")
_REFERENCE: Final = "$ref"
_LOCAL: Final = "#/$defs/"
_SHARED: Final = "#/components/schemas/"


def describe(app: FastAPI, public: Iterable[str]) -> Document:
    """Return the description of an application; `public` are the paths that need no token."""
    with catch_warnings():
        # Of two methods of one route, which get names of their own below.
        filterwarnings("ignore", "Duplicate Operation ID", UserWarning)
        document = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            routes=app.routes,
            separate_input_output_schemas=False,
        )
    schemas: Document = document.setdefault("components", {}).setdefault("schemas", {})
    for framework in ("HTTPValidationError", "ValidationError"):
        schemas.pop(framework, None)
    open_paths = {*public}
    for path, methods in document["paths"].items():
        for method, operation in ((name, methods[name]) for name in _METHODS if name in methods):
            operation["operationId"] = f"{_METHOD_AT_END.sub('', operation['operationId'])}_{method}"
            _tell_problems(operation)
            _tell_forms(operation, OTHER_FORMS.get(path, ()))
            if path not in open_paths:
                operation["security"] = [{name: []} for name in _SCHEMES]
            _share_definitions(operation, schemas)
    schemas["Problem"] = PROBLEM
    document["components"]["securitySchemes"] = _SCHEMES
    return document


def _tell_problems(operation: Document) -> None:
    responses: Document = operation.setdefault("responses", {})
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    responses.setdefault(
        "default",
        {
            "description": "A problem.",
            "content": {"application/problem+json": {"schema": {_REFERENCE: f"{_SHARED}Problem"}}},
        },
    )


def _tell_forms(operation: Document, forms: Iterable[str]) -> None:
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            response.setdefault("content", {}).update({form: {"schema": {}} for form in forms})


def _share_definitions(operation: Document, schemas: Document) -> None:
    """Put the definitions within the schemas of a body beside all others, under names of their own."""
    for schema in _schemas_with_definitions(operation.get("requestBody")):
        definitions: Mapping[str, Any] = schema.pop("$defs")
        owner = schema.get("title") or operation["operationId"]
        names = {f"{_LOCAL}{name}": f"{_SHARED}{owner}.{name}" for name in definitions}
        _rename(schema, names)
        for name, definition in definitions.items():
            _rename(definition, names)
            schemas[f"{owner}.{name}"] = definition


def _schemas_with_definitions(node: object) -> list[Document]:
    """Return them, the innermost first."""
    if isinstance(node, list):
        return [found for inner in node for found in _schemas_with_definitions(inner)]
    if not isinstance(node, dict):
        return []
    within = [found for inner in node.values() for found in _schemas_with_definitions(inner)]
    return [*within, node] if "$defs" in node else within


def _rename(node: object, names: Mapping[str, str]) -> None:
    if isinstance(node, dict):
        found = node.get(_REFERENCE)
        if isinstance(found, str) and found in names:
            node[_REFERENCE] = names[found]
        for inner in node.values():
            _rename(inner, names)
    elif isinstance(node, list):
        for inner in node:
            _rename(inner, names)
