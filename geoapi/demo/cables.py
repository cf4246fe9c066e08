"""Power cables of others than the local grid: a 60 kV transmission line, and the municipality's street lights."""

from typing import Final

import numpy as np
import shapely

from geoapi.demo.book import Book
from geoapi.demo.laying import laid, street_layings
from geoapi.demo.paths import Path, trail
from geoapi.demo.streets import MAIN_STREET, Plan

_KIND: Final = "Elledning"
_LIGHTS_APART: Final = 31.0


def street_lights(plan: Plan, book: Book) -> None:
    """Record lamp posts along every street, the cables from one to the next, and their cabinets."""
    layings = street_layings(book.dice, plan.streets, (1966, 2021), renewed=0.2)
    for street in plan.streets:
        way = street.way("light", beyond=0.0)
        laying = layings[street.index]
        count = max(2, round((way.length - 16.0) / _LIGHTS_APART))
        stops = np.linspace(8.0, way.length - 8.0, count)
        cabinet = book.component(
            "Elkomponent", way.beside(stops[0] - 2.5, -0.4), laying, type="tændskab/gadelys"
        )
        previous, start = cabinet, way.beside(stops[0] - 2.5, -0.4)
        here = stops[0] - 2.5
        for stop in stops:
            post = book.component("Elkomponent", way.at(stop), laying, type="belysningsarmatur")
            xy = np.vstack((start, way.between(here, stop).xy[1:]))
            size = 22.0 if laying.after_cut_off or book.chance(0.7) else None
            cable = book.line(
                _KIND,
                xy,
                laying,
                danger="farlig",
                depth=0.5,
                size=size,
                type="vejbelysningskabel",
                spaendingsniveau=0.4,
            )
            book.join(cable, start=previous, end=post)
            previous, start, here = post, way.at(stop), float(stop)


def transmission(plan: Plan, book: Book) -> None:
    """Record a 60 kV line: overhead from the south, then cables through the town to a station at the harbour."""
    laying, old = laid(book.dice, 2024), laid(book.dice, 1974)
    torvegade = plan.street("Torvegade")
    ways = [torvegade.way("transmission"), plan.street(MAIN_STREET).way("transmission")]
    harbour = plan.street("Havnegade")
    end = harbour.path.beside(harbour.path.station(plan.place(8.0, 3.0)), -26.0)
    foot = ways[0].at(14.0)
    route = trail(foot, ways, end)
    corners = end + np.array([[-7.0, -5.0], [7.0, -5.0], [7.0, 5.0], [-7.0, 5.0]])
    station = book.component(
        "Elkomponent", shapely.Polygon(corners), old, type="station", spaendingsniveau=60.0
    )
    south = [plan.place(4.1, -0.25), plan.place(4.3, -1.1), plan.place(4.7, -2.3)]
    masts = [
        book.component(
            "Elkomponent", place, old, type="højspændingsmast", spaendingsniveau=60.0, niveau="over terræn"
        )
        for place in south
    ]
    for index in range(len(masts) - 1):
        span = book.line(
            _KIND,
            np.array(south[index : index + 2]),
            old,
            danger="meget farlig",
            depth=-11.0,
            size=None,
            type="luftledning",
            spaendingsniveau=60.0,
            niveau="over terræn",
        )
        span.attributes.pop("vejledendeDybde", None)
        book.join(span, start=masts[index], end=masts[index + 1])
    cable = Path(np.vstack((south[0], route.xy, end)))
    half = 0.62 * cable.length
    pit = book.component(
        "Elkomponent",
        shapely.Point(cable.at(half)).buffer(1.8, quad_segs=2),
        laying,
        depth=1.1,
        type="muffegrube",
        spaendingsniveau=60.0,
    )
    pieces = (
        (cable.between(0.0, half), laying, masts[0], pit, "forsyningskabel"),
        (cable.between(half, cable.length), old, pit, station, "KB-kabel"),
    )
    for piece, when, first, last, kind in pieces:
        line = book.line(
            _KIND,
            piece.xy,
            when,
            danger="meget farlig",
            depth=1.1,
            size=118.0,
            type=kind,
            spaendingsniveau=60.0,
            antalKabler=3,
            afdaekning="dækplader af beton",
            sikkerhedshensyn="60 kV. Al gravning nærmere end 5 m skal aftales med ledningsejer mindst 8 dage før.",
        )
        book.join(line, start=first, end=last)
        signal = book.line(
            "Telekommunikationsledning",
            np.vstack((piece.xy[:1], piece.offset(0.35).xy, piece.xy[-1:])),
            when,
            danger="ikke farlig",
            depth=1.1,
            size=16.0,
            type="fiberkabel",
        )
        book.join(signal, start=first, end=last)
        plate = book.component("Elkomponent", piece.between(30.0, 62.0).xy, when, depth=0.9, type="jernplade")
        book.connect(plate, line)
        drawing = book.attachment(
            "Længdeprofil 60 kV", f"bilag/laengdeprofil_{line.gml_id}.dwg", "DWG", creator=["Tegnestuen"]
        )
        book.attach(line, drawing)
