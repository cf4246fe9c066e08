"""`excavation-request`: what a request would cost, and sending it; the same as POST /api/v1/requests, with its inputs."""

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from geoapi.asking import send_request
from geoapi.ogc.processes.process import Process, Results, Schema, Task, Value
from geoapi.parameters import read_json
from geoapi.problems import Language
from geoapi.request_bodies import RequestBody, read_request
from geoapi.request_views import price_view, request_view
from ler.domain.access import Scope
from ler.rules_in_force import ordinary_due, request_limits
from ler.services.charges import quote
from ler.services.request_reading import get_stored, list_asked_areas
from ler.services.requests import today_of

PRICE_ONLY: Final = "price_only"

_TITLES: Final[Mapping[str, Mapping[Language, str]]] = {
    "area": {"en": "Where: GeoJSON", "da": "Hvor: GeoJSON"},
    "area_wkt": {"en": "Where: WKT", "da": "Hvor: WKT"},
    "crs": {"en": "Coordinate system of the area", "da": "Områdets koordinatsystem"},
    "corridor_width_m": {"en": "Width of the corridor along lines, m", "da": "Tracébredde langs linjer, m"},
    "kind": {"en": "Kind of request", "da": "Forespørgslens art"},
    "already_started": {"en": "Whether digging has begun", "da": "Om gravearbejdet er begyndt"},
    "period_from": {"en": "First day", "da": "Første dag"},
    "period_to": {"en": "Last day", "da": "Sidste dag"},
    "purpose": {"en": "Purpose", "da": "Formål"},
    "description": {"en": "Description", "da": "Beskrivelse"},
    "utility_types": {"en": "Kinds of lines that are asked about", "da": "Forsyningsarter, der spørges om"},
    "address_ids": {
        "en": "Addresses of whose house connections sketches are asked for (DAR)",
        "da": "Adresser, hvis stikledninger der ønskes skitser af (DAR)",
    },
    "order_reference": {"en": "Order reference", "da": "Ordrereference"},
    "no_order_reference": {"en": "There is no order reference", "da": "Der er ingen ordrereference"},
    "contact": {"en": "Whom owners turn to", "da": "Hvem ejerne kan henvende sig til"},
    "work": {"en": "What is done there", "da": "Hvad der skal laves"},
    "declared": {
        "en": "Declared to be for orientation only",
        "da": "Erklæret udelukkende at være til orientering",
    },
}


def _enter(task: Task, connection: Connection) -> Results:
    settings, caller = task.platform.settings, task.caller
    fields = {name: value for name, value in task.inputs.items() if name != PRICE_ONLY}
    body = read_json(RequestBody, json.dumps(fields).encode())
    wanted = read_request(body, settings, None, today_of(connection))
    free_days = settings.free_renewal_days
    cost = quote(connection, caller.organisation_id, wanted.order, free_renewal_days=free_days)
    price = {"price": price_view(cost)}
    if task.inputs.get(PRICE_ONLY):
        return price
    made = send_request(
        connection,
        caller.organisation_id,
        wanted,
        limits=request_limits(settings),
        due=ordinary_due(settings),
        free_renewal_days=free_days,
    )
    areas = list_asked_areas(connection, [made.id])[made.id]
    receipt = request_view(get_stored(connection, made.id), areas, task.language, today_of(connection))
    return price | {"receipt": receipt}


def _inputs() -> dict[str, Value]:
    model = RequestBody.model_json_schema()
    shared = model.get("$defs", {})
    return {
        name: Value(_titles(name), _inlined(schema, shared), required=name in model["required"])
        for name, schema in model["properties"].items()
    }


def _titles(name: str) -> Mapping[Language, str]:
    plain = name.replace("_", " ").capitalize()
    return _TITLES.get(name, {"en": plain, "da": plain})


def _inlined(schema: Any, shared: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any part of a schema
    """A schema without references, which a description of a process has no place for."""
    match schema:
        case {"$ref": str(reference), **rest}:
            return _inlined(shared[reference.rpartition("/")[2]] | rest, shared)
        case dict():
            return {name: _inlined(part, shared) for name, part in schema.items() if name != "title"}
        case list():
            return [_inlined(part, shared) for part in schema]
    return schema


_OBJECT: Final[Schema] = {"type": "object"}

PROCESS: Final = Process(
    id="excavation-request",
    version="1.0.0",
    titles={"en": "Excavation request", "da": "Graveforespørgsel"},
    descriptions={
        "en": "Sends a request to every owner of lines in an area and gives its receipt, or says what it would cost.",
        "da": "Sender en forespørgsel til alle ledningsejere i et område og giver kvitteringen, eller siger prisen.",
    },
    inputs=_inputs()
    | {
        PRICE_ONLY: Value(
            {"en": "Say the price only; nothing is sent", "da": "Sig kun prisen; intet sendes"},
            {"type": "boolean", "default": False},
            required=False,
        )
    },
    outputs={
        "price": Value({"en": "The price", "da": "Prisen"}, _OBJECT),
        "receipt": Value(
            {"en": "The request as it was sent", "da": "Forespørgslen, som den blev sendt"}, _OBJECT
        ),
    },
    scope=Scope.REQUEST_WRITE,
    enter=_enter,
)
