"""`echo`: gives back what it was given. For whoever tries out a client, and for the tests of the standard."""

import time
from typing import Final

from geoapi.ogc.processes.process import Process, Results, Schema, Task, Value

LONGEST_PAUSE_S: Final = 10
_STEP_S: Final = 0.2

BBOX: Final[Schema] = {
    "allOf": [
        {"format": "ogc-bbox"},
        {
            "type": "object",
            "required": ["bbox"],
            "properties": {
                "bbox": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
                "crs": {"type": "string", "format": "uri"},
            },
        },
    ]
}
"""A bounding box, as the standard writes one."""

_ECHOED: Final = {
    "message": Value(
        {"en": "A text", "da": "En tekst"}, {"type": "string", "maxLength": 10_000}, required=False
    ),
    "numbers": Value(
        {"en": "Whole numbers", "da": "Hele tal"},
        {"type": "array", "items": {"type": "integer"}, "maxItems": 1000},
        required=False,
    ),
    "ratio": Value({"en": "A number", "da": "Et tal"}, {"type": "number"}, required=False),
    "flag": Value({"en": "Yes or no", "da": "Ja eller nej"}, {"type": "boolean"}, required=False),
    "thing": Value(
        {"en": "An object, or a text", "da": "Et objekt eller en tekst"},
        {"oneOf": [{"type": "string"}, {"type": "object"}]},
        required=False,
    ),
    "bbox": Value({"en": "A bounding box", "da": "En afgrænsende firkant"}, BBOX, required=False),
    "bytes": Value(
        {"en": "Bytes", "da": "Bytes"},
        {
            "type": "string",
            "contentEncoding": "base64",
            "contentMediaType": "application/octet-stream",
            "maxLength": 200_000,
        },
        required=False,
    ),
}


def _echo(task: Task) -> Results:
    pause_s = task.inputs.get("pause", 0)
    started = time.monotonic()
    while (left_s := pause_s - (time.monotonic() - started)) > 0:
        task.tell(round(100 * (1 - left_s / pause_s)), {"en": "Waiting", "da": "Venter"}[task.language])
        time.sleep(min(left_s, _STEP_S))
    return {name: value for name, value in task.inputs.items() if name in _ECHOED}


PROCESS: Final = Process(
    id="echo",
    version="1.0.0",
    titles={"en": "Echo", "da": "Ekko"},
    descriptions={
        "en": "Gives back what it was given, after a pause if one is asked for.",
        "da": "Giver det tilbage, den fik, efter en pause, hvis der bedes om en.",
    },
    inputs=_ECHOED
    | {
        "pause": Value(
            {"en": "How long to wait first, s", "da": "Hvor længe der først ventes, s"},
            {"type": "number", "minimum": 0, "maximum": LONGEST_PAUSE_S},
            required=False,
        )
    },
    outputs=_ECHOED,
    work=_echo,
)
