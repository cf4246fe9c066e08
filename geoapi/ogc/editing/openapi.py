"""Editing as OpenAPI describes it: create, replace, change and end the features of the collections that may be edited."""

from collections.abc import Iterator
from typing import Any, Final

from geoapi.ogc.collections import Collection
from geoapi.ogc.crs import CRS84, OFFERED
from geoapi.ogc.editing.body import FEATURE, PATCH
from geoapi.ogc.editing.editor import Editor
from geoapi.ogc.editing.routes import EDITORS, ITEM_METHODS, ITEMS_METHODS
from geoapi.ogc.openapi_operation import GUARDED, OPEN, Node
from geoapi.ogc.openapi_parameters import reference
from geoapi.ogc.openapi_texts import words
from geoapi.ogc.schemas import property_schema
from geoapi.problems import Language

_REFUSED: Final = ("400", "401", "403", "404", "409", "415", "422")
_OF_VERSION: Final = ("412", "428")
_OWN: Final = frozenset({"400", "401", "404"})
"""Problems that have a description of their own in the document."""


def editing_paths(visible: tuple[Collection, ...], language: Language) -> Node:
    """Return the operations that edit, by path; the operations that read the same paths stand elsewhere."""
    found: Node = {}
    for one in visible:
        if editor := EDITORS.get(one.name):
            items = f"/collections/{one.name}/items"
            found[items] = dict(_of_items(one, editor, language))
            found[f"{items}/{{featureId}}"] = dict(_of_item(one, editor, language))
    return found


def _of_items(one: Collection, editor: Editor, language: Language) -> Iterator[tuple[str, Node]]:
    made = {
        "description": words("responses", "created", language),
        "headers": {"Location": {"schema": {"type": "string", "format": "uri"}}},
        "content": {"application/json": {"schema": _object({"id": {"type": "string"}}, "id")}},
    }
    yield (
        "post",
        _operation(
            *("create", one, language),
            given=[_header("Content-Crs", _crs(), language), _header("Idempotency-Key", _key(), language)],
            answers={"201": made},
            body=_whole(one, editor, language),
        ),
    )
    yield "options", _options(one, language, ITEMS_METHODS, [])


def _of_item(one: Collection, editor: Editor, language: Language) -> Iterator[tuple[str, Node]]:
    version = [reference("featureId"), _header("If-Match", {"type": "string"}, language, required=True)]
    place = [*version, _header("Content-Crs", _crs(), language)]
    more: Any = {
        "answers": {"204": {"description": words("responses", "edited", language)}},
        "refused": _REFUSED + _OF_VERSION,
    }
    whole, patch = _whole(one, editor, language), _patch(one, editor, language)
    yield "put", _operation("replace", one, language, given=place, body=whole, **more)
    yield "patch", _operation("update", one, language, given=place, body=patch, **more)
    yield "delete", _operation("delete", one, language, given=version, **more)
    yield "options", _options(one, language, ITEM_METHODS, [reference("featureId")])


def _operation(
    name: str,
    one: Collection,
    language: Language,
    *,
    given: list[Node],
    answers: Node,
    refused: tuple[str, ...] = _REFUSED,
    body: Node | None = None,
) -> Node:
    problems = {
        status: {"$ref": f"#/components/responses/problem-{status if status in _OWN else 'default'}"}
        for status in (*refused, "default")
    }
    return {
        "operationId": f"{name}.{one.name}",
        "summary": words("operations", name, language, one.titles[language]),
        "tags": [one.name],
        "parameters": given,
        "responses": answers | problems,
        "security": GUARDED,
    } | ({"requestBody": {"required": True, "content": body}} if body else {})


def _options(one: Collection, language: Language, methods: str, given: list[Node]) -> Node:
    allow = {"Allow": {"schema": {"type": "string", "enum": [methods]}}}
    answer = {"204": {"description": words("responses", "allowed", language), "headers": allow}}
    name = "optionsOfItem" if given else "options"
    return _operation(name, one, language, given=given, answers=answer, refused=()) | {"security": OPEN}


def _whole(one: Collection, editor: Editor, language: Language) -> Node:
    """The body of a feature; what else it says is passed over, so that one may be sent back as it was read."""
    schema = _object(
        {
            "type": {"type": "string", "enum": ["Feature"]},
            "geometry": _geometry(),
            "properties": _properties(one, editor, language),
        },
        *("type", "geometry", "properties"),
    )
    return {name: {"schema": schema} for name in FEATURE}


def _patch(one: Collection, editor: Editor, language: Language) -> Node:
    """The body of a merge patch (RFC 7396)."""
    schema = _object({"geometry": _geometry(), "properties": _properties(one, editor, language)})
    return {name: {"schema": schema} for name in PATCH}


def _properties(one: Collection, editor: Editor, language: Language) -> Node:
    shown = {
        each.name: property_schema(each, language) | {"nullable": True}
        for each in one.properties
        if each.name in editor.writable
    }
    # What only its owner is shown elsewhere is text, all of it.
    hidden = sorted(editor.writable - shown.keys())
    return _object(shown | {name: {"type": "string", "nullable": True} for name in hidden})


def _geometry() -> Node:
    return {"allOf": [{"$ref": "#/components/schemas/geometry"}]}


def _object(properties: Node, *required: str) -> Node:
    return {"type": "object", "properties": properties} | ({"required": [*required]} if required else {})


def _crs() -> Node:
    return {"type": "string", "enum": [f"<{one.uri}>" for one in OFFERED], "default": f"<{CRS84.uri}>"}


def _key() -> Node:
    return {"type": "string", "minLength": 1, "maxLength": 255}


def _header(name: str, schema: Node, language: Language, *, required: bool = False) -> Node:
    described = words("parameters", name, language)
    return {"name": name, "in": "header", "required": required, "description": described, "schema": schema}
