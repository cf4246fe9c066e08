"""`find-network-conflicts`: which lines of one's own network a dig would come too near, before anybody asks."""

from collections.abc import Mapping
from typing import Any, Final

import shapely

from conflicts.dig import Dig
from geoapi.ogc.processes.conflict_views import OUTPUTS, conflict_results
from geoapi.ogc.processes.process import Process, Results, Task, Value
from geoapi.ogc.processes.values import AREA, CRS, read_area
from ler.domain.access import Scope
from ler.domain.work_codes import work_kinds, work_methods


def _find(task: Task) -> Results:
    # They read terrain models, for whose library no other call is to wait.
    from conflicts.clearances import load_clearances  # noqa: PLC0415
    from conflicts.detect import detect  # noqa: PLC0415
    from conflicts.network import lines_near  # noqa: PLC0415
    from conflicts.stored import conflict_row, ground_of, rules_of_owners  # noqa: PLC0415
    from geoapi.packing import package_options  # noqa: PLC0415

    dig = _dig(task.inputs)
    options = package_options(task.platform.settings)
    with task.acting() as connection:
        rules = load_clearances(options.clearances, of_owners=rules_of_owners(connection))
        near = lines_near(connection, dig, rules, options.unknown_accuracy_m)
    found = detect(dig, near, rules, options.unknown_accuracy_m, ground_of(options))
    rows = [{**conflict_row(one, rules), "geom": one.geometry} for one in found]
    return conflict_results(rows, task.language)


def _dig(inputs: Mapping[str, Any]) -> Dig:
    area = shapely.GeometryCollection(read_area(inputs, lines=True))
    return Dig(area, inputs.get("kind"), inputs.get("method"), inputs.get("depth_m"), inputs.get("width_m"))


_METRES: Final = {"type": "number", "minimum": 0, "maximum": 1000}

PROCESS: Final = Process(
    id="find-network-conflicts",
    version="1.0.0",
    titles={"en": "Conflicts with the own network", "da": "Konflikter med eget ledningsnet"},
    descriptions={
        "en": "Tells which lines of the own published network a dig would come too near, and where.",
        "da": "Fortæller, hvilke ledninger i eget offentliggjort net et gravearbejde ville komme for tæt på, og hvor.",
    },
    inputs={
        "area": Value(
            {
                "en": "What is dug: polygons, or lines with a width",
                "da": "Det, der graves: flader, eller linjer",
            },
            AREA,
        ),
        "crs": CRS,
        "kind": Value(
            {"en": "Kind of work", "da": "Arbejdets art"},
            {"type": "string", "enum": sorted(work_kinds())},
            required=False,
        ),
        "method": Value(
            {"en": "How it is dug", "da": "Gravemetode"},
            {"type": "string", "enum": sorted(work_methods())},
            required=False,
        ),
        "depth_m": Value({"en": "Deepest place, m", "da": "Dybeste sted, m"}, _METRES, required=False),
        "width_m": Value(
            {"en": "Width along lines, m", "da": "Bredde langs linjer, m"}, _METRES, required=False
        ),
    },
    outputs=OUTPUTS,
    scope=Scope.NETWORK_READ,
    work=_find,
)
