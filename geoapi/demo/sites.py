"""Three places to dig in the demonstration town: a crossing, a service line and a long trench."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from geoapi.demo.paths import Points, trail
from geoapi.demo.streets import MAIN_STREET, Plan
from ler.domain.request_rules import Work

_TRENCH_LENGTH: Final = 500.0
_TRENCH_HALF_WIDTH: Final = 1.25


@dataclass(frozen=True, slots=True)
class DemoSite:
    """A place to dig."""

    name: str
    slug: str
    purpose: str
    description: str
    """At most 100 characters, as in an excavation request."""
    area: shapely.Polygon
    """EPSG:25832."""
    work: Work
    """What is done, how, and how deep."""


def choose_sites(plan: Plan) -> tuple[DemoSite, ...]:
    """The three sites of the town."""
    return (_crossing(plan), _service(plan), _trench(plan))


def _crossing(plan: Plan) -> DemoSite:
    main, side = plan.street(MAIN_STREET).path, plan.street("Torvegade").path
    middle = main.crossing(side)
    along = main.heading(main.station(middle))
    across = np.array([-along[1], along[0]])
    corners = [
        middle + a * along + b * across for a, b in ((-12.5, -6.0), (12.5, -6.0), (12.5, 6.0), (-12.5, 6.0))
    ]
    return DemoSite(
        "Krydset Storegade/Torvegade",
        "kryds",
        "Ombygning af kryds",
        "Nye kantsten, signaler og belægning i krydset ved Torvet",
        _polygon(corners),
        Work("road", None, "open-trench", 0.6),
    )


def _service(plan: Plan) -> DemoSite:
    street = plan.street("Møllevej")
    main = street.way("water")
    wish = street.path.station(plan.place(5.4, 5.0))
    candidates = [
        plot
        for plot in plan.plots
        if plot.street.name == street.name and plot.side == -1 and plot.use == "villa"
    ]
    plot = min(candidates, key=lambda plot: abs(plot.station - wish))
    end = plot.entry(-0.9)
    foot = main.at(main.station(end))
    along = (end - foot) / np.hypot(*(end - foot))
    start = foot - 0.6 * along
    end = start + 15.0 * along
    side = np.array([-along[1], along[0]])
    corners = [start + side, end + side, end - side, start - side]
    return DemoSite(
        "Stikledning på Møllevej",
        "stik",
        "Stikledning",
        "Udskiftning af stikledning til vand fra hovedledningen i vejen til huset",
        _polygon(corners),
        Work("replacement", None, "open-trench", 1.2),
    )


def _trench(plan: Plan) -> DemoSite:
    ways = [
        plan.street(name).path.offset(-plan.street(name).edge + 1.0)
        for name in ("Kirkegade", "Rebslagergade", "Fiskergade")
    ]
    route = trail(plan.place(4.55, 2.0), ways, plan.place(7.95, 4.0)).between(0.0, _TRENCH_LENGTH)
    simple = shapely.simplify(route.line, 0.05)
    area = simple.buffer(_TRENCH_HALF_WIDTH, cap_style="flat", join_style="mitre", mitre_limit=2.0)
    return DemoSite(
        "Fibergrav Kirkegade-Rebslagergade-Fiskergade",
        "trace",
        "Nedlægning af fiberrør",
        "500 m ny rende i fortovet: Kirkegade, Rebslagergade og Fiskergade",
        _polygon(shapely.get_coordinates(area.exterior)[:-1]),
        Work("new-line", None, "open-trench", 0.6),
    )


def _polygon(corners: Points | list[Points]) -> shapely.Polygon:
    return shapely.Polygon(np.round(np.array(corners, dtype=np.float64), 2))
