"""One operation as OpenAPI describes it, with the errors that all have."""

from typing import Any, Final

from geoapi.ogc.openapi_texts import words
from geoapi.problems import Language

type Node = dict[str, Any]

GUARDED: Final[list[Node]] = [{"bearer": []}, {"basic": []}]
OPEN: Final[list[Node]] = [{}, *GUARDED]
SERVICE: Final = "service"


def operation(
    name: str,
    summary: str,
    language: Language,
    content: Node,
    *,
    given: list[Node],
    tag: str = SERVICE,
    security: list[Node] | None = None,
    headers: Node | None = None,
) -> Node:
    """Return a GET operation with our problems as errors; `name` is its operationId, which nothing else has."""
    answer = {"description": words("responses", "ok", language), "content": content}
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "tags": [tag],
            "parameters": given,
            "responses": {
                "200": answer | ({"headers": headers} if headers else {}),
                "304": {"description": words("responses", "unchanged", language)},
                **{
                    status: {"$ref": f"#/components/responses/problem-{status}"}
                    for status in ("400", "401", "404", "default")
                },
            },
        }
        | ({"security": security} if security else {})
    }
