"""Processes as pygeoapi describes them: it is given what each is, and never runs one nor keeps a job.

Inputs and outputs are put into its description by us: it takes any object whose only name is a language's code for a
text in that language, and properties of schemas are often called `id`.
"""

from collections.abc import Iterable
from typing import Any, Final

from pygeoapi.process.base import BaseProcessor
from pygeoapi.process.manager.base import BaseManager

from geoapi.ogc.processes.process import Process, Value
from geoapi.problems import Language

MANAGER: Final = {"name": "geoapi.ogc.processes.described.Manager"}
_PROCESSOR: Final = "geoapi.ogc.processes.described.Described"


class Described(BaseProcessor):  # type: ignore[misc] # pygeoapi has no types
    """A process that is described and not run."""

    def __init__(self, definition: dict[str, Any]) -> None:
        super().__init__(definition, definition["metadata"])


class Manager(BaseManager):  # type: ignore[misc] # as above
    """A manager of jobs that has none: ours are in our own tables."""

    def __init__(self, definition: dict[str, Any]) -> None:
        super().__init__(definition)
        self.is_async = True


def process_resources(visible: Iterable[Process]) -> dict[str, Any]:
    """Return the processes for the configuration of pygeoapi."""
    return {
        one.id: {
            "type": "process",
            "processor": {
                "name": _PROCESSOR,
                "metadata": {
                    "version": one.version,
                    "id": one.id,
                    "title": dict(one.titles),
                    "description": dict(one.descriptions),
                    "jobControlOptions": [str(mode) for mode in one.modes]
                    + (["dismiss"] if one.asynchronous else []),
                    "outputTransmission": ["value", "reference"],
                    "links": [],
                    "inputs": {},
                    "outputs": {},
                },
            },
        }
        for one in visible
    }


def inputs_description(process: Process, language: Language) -> dict[str, Any]:
    """Return the inputs and outputs of a process, as its description has them."""
    return {
        "inputs": {
            name: _described(one, language) | {"minOccurs": int(one.required), "maxOccurs": 1}
            for name, one in process.inputs.items()
        },
        "outputs": {name: _described(one, language) for name, one in process.outputs.items()},
    }


def _described(value: Value, language: Language) -> dict[str, Any]:
    told = {"description": value.descriptions[language]} if value.descriptions else {}
    return {"title": value.titles[language], **told, "schema": dict(value.schema)}
