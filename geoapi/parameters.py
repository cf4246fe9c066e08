"""What callers put into addresses, headers and bodies, read strictly: what is not understood is refused, not ignored."""

import json
from collections.abc import Container, Iterable, Iterator
from datetime import date
from typing import Annotated, Any, Never

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, ValidationError
from starlette.datastructures import QueryParams

from geoapi.problems import ProblemError, ProblemException
from ler.domain.legal_time import parse_date
from ler.errors import RefusedError


def _day(value: object) -> date:
    if not isinstance(value, str):
        raise ValueError("a date is a text, like 2026-12-01")  # noqa: TRY004 - the one error that pydantic knows
    try:
        return parse_date(value)
    except RefusedError as refused:
        raise ValueError(str(refused)) from None


type Day = Annotated[date, BeforeValidator(_day)]
"""A date of a body, in the one form in which it is taken."""


async def only_known_parameters(request: Request) -> None:
    """Refuse a query parameter that the route does not have, and one that is given twice."""
    route = request.scope.get("route")
    known = {*_names(route.dependant)} if isinstance(route, APIRoute) else set()
    check_names(request.query_params, known)


def check_names(parameters: QueryParams, known: Container[str]) -> None:
    """Refuse a query parameter that is not known, and one that is given twice."""
    given = [name for name, _ in parameters.multi_items()]
    unknown = [name for name in dict.fromkeys(given) if name not in known]
    if unknown:
        errors = [
            ProblemError("parameter-unknown", "there is no such parameter", f"query/{name[:100]}")
            for name in unknown
        ]
        raise ProblemException("parameter-unknown", errors=errors)
    if len(set(given)) < len(given):
        raise ProblemException("parameter-invalid", "a parameter was given twice")


async def body_of(request: Request) -> bytes:
    """Return the body; its size is limited by `geoapi.middleware`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ProblemException("json-invalid", "the Content-Type must be application/json")
    return await request.body()


def read_json[Model: BaseModel](model: type[Model], body: bytes) -> Model:
    """Return the body as the model wants it; a problem that points to each field that is wrong."""
    try:
        document = json.loads(body, parse_constant=_no_constant, object_pairs_hook=_no_repetition)
    except (ValueError, RecursionError):
        raise ProblemException("json-invalid") from None
    if not all(_is_text(text) for text in _texts(document)):
        raise ProblemException("text-invalid")
    try:
        return model.model_validate(document)
    except ValidationError as error:
        errors = [
            ProblemError(
                "field-unknown" if one["type"] == "extra_forbidden" else "field-invalid",
                one["msg"].removeprefix("Value error, "),
                "".join(f"/{_escaped(part)}" for part in one["loc"]) or "/",
            )
            for one in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise ProblemException("field-invalid", errors=errors) from None


def _names(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for one in dependant.dependencies:
        yield from _names(one)


def _no_constant(name: str) -> Never:
    raise ValueError(name)


def _no_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is repeated")
    return found


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _is_text(text: str) -> bool:
    """PostgreSQL keeps neither NUL nor a lone surrogate."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _escaped(part: str | int) -> str:
    return str(part)[:100].replace("~", "~0").replace("/", "~1")
