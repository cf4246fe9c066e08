"""The gas networks: distribution in the west of the town, and a transmission line that passes it."""

from itertools import pairwise
from typing import Final

import numpy as np
import shapely

from geoapi.demo.book import Book
from geoapi.demo.laying import Laying, laid, street_layings
from geoapi.demo.mains import Mains, Stretch, Taps, lay
from geoapi.demo.paths import Path, Points, smooth
from geoapi.demo.streets import MAIN_STREET, Plan
from geoapi.demo.terrain import ground
from ler.model import Feature

_KIND: Final = "Gasledning"
_PART: Final = "Gaskomponent"
_EAST: Final = 4.55
"""The network ends in the east at this column of crossings; it overlaps with district heating in the centre."""
_MARKERS_APART: Final = 95.0
_SHORT: Final = 30.0
"""Metres below which a main has no valve of its own."""
_CARE: Final = "40 bar. Ledningsejers tilsyn skal være til stede ved gravning nærmere end 5 m."


def distribution(plan: Plan, book: Book) -> None:
    """Record the 4 bar network of yellow pipes with valves and services, fed from a regulating station."""
    limit = float(plan.place(_EAST, 3.0)[0])

    def wanted(stretch: Stretch) -> bool:
        return float(stretch.path.at(stretch.path.length / 2)[0]) < limit

    mains = lay(plan.streets, "gas").where(wanted)
    layings = street_layings(book.dice, plan.streets, (1983, 2012), renewed=0.1)
    nodes = _nodes(book, mains)
    for number, stretch in enumerate(mains.stretches):
        laying = layings[stretch.street.index]
        known = laying.after_cut_off or book.chance(0.85)
        pipe = book.line(
            _KIND,
            stretch.path.xy,
            laying,
            danger="farlig",
            depth=0.9,
            size=(110.0 if stretch.street.name == MAIN_STREET else 63.0) if known else None,
            voids=("type",) if not known and number % 2 else (),
            type="distributionsledning",
            tryk=4.0,
            medietype="naturgas",
            udvendigFarve=["gul"],
            udvendigMateriale="PE",
        )
        book.join(pipe, start=nodes[stretch.start], end=nodes[stretch.end])
        if number % 4 == 0 and stretch.path.length > _SHORT:
            place = stretch.path.at(4.0)
            valve = book.component(
                _PART, place, laying, depth=0.7, type="ventil", topkote=round(float(ground(place)), 2)
            )
            book.connect(valve, pipe)
    _services(plan, book, mains)
    _feed(plan, book, nodes, mains)


def transmission(plan: Plan, book: Book) -> None:
    """Record a 40 bar steel line on the hill west of the town, with markers, a station and a new bored crossing."""
    route = smooth(
        [
            plan.place(*at)
            for at in ((-2.1, -2.2), (-1.45, -0.4), (-1.25, 1.6), (-1.35, 3.3), (-2.0, 5.2), (-2.4, 7.4))
        ],
        8,
    )
    road = route.station(route.crossing(plan.street(MAIN_STREET).path))
    cuts = (0.0, road - 22.0, road + 22.0, 0.72 * route.length, route.length)
    valves = [_valve(book, route.at(cut), laid(book.dice, 1984)) for cut in cuts]
    for index, (start, end) in enumerate(pairwise(cuts)):
        laying = laid(book.dice, 2024 if index == 1 else 1984)
        pipe = book.line(
            _KIND,
            route.between(start, end).xy,
            laying,
            danger="meget farlig",
            depth=1.6 if index == 1 else 1.2,
            size=324.0,
            type="transmissionsledning",
            tryk=40.0,
            medietype="naturgas",
            sikkerhedshensyn=_CARE,
            udvendigMateriale="stål",
            udvendigFarve=["sort"],
        )
        book.join(pipe, start=valves[index], end=valves[index + 1])
        for station in np.arange(start + 12.0, end, _MARKERS_APART):
            post = book.component(_PART, route.beside(float(station), 1.5), laying, type="afmærkningsstander")
            book.connect(post, pipe)
        if index == 1:
            _crossing(book, route, pipe, (start, end), laying)
    old = laid(book.dice, 1984)
    bed = book.component(
        _PART, route.offset(-9.0).between(120.0, 150.0).xy, old, depth=1.5, type="anodebed - transmission"
    )
    book.connect(bed, next(feature for feature in book.features if feature.type == _KIND))
    book.component(_PART, route.beside(135.0, 1.0), old, type="målepunkt på stålrør")


def _valve(book: Book, place: Points, laying: Laying) -> Feature:
    return book.component(
        _PART, place, laying, depth=1.0, type="ventil", topkote=round(float(ground(place)) + 0.3, 2)
    )


def _crossing(book: Book, route: Path, pipe: Feature, span: tuple[float, float], laying: Laying) -> None:
    """The bored crossing under the main road: casing, protection plates and a drawing."""
    casing = book.line(
        "Foeringsroer",
        route.between(span[0] + 8.0, span[1] - 8.0).xy,
        laying,
        danger="ikke farlig",
        depth=1.55,
        size=508.0,
        forsyningsart=["gas"],
        udvendigMateriale="stål",
        udnyttelsesgrad=0.41,
    )
    book.contain(casing, pipe)
    for station in (span[0] + 3.0, span[1] - 7.0):
        sides = [route.beside(station + a, b) for a, b in ((0.0, -0.6), (4.0, -0.6), (4.0, 0.6), (0.0, 0.6))]
        plate = book.component(
            _PART, shapely.Polygon(sides), laying, depth=1.1, type="beskyttelsesplade", materiale="beton"
        )
        book.connect(plate, pipe)
    middle = route.at(sum(span) / 2)
    drawing = book.attachment(
        "Boreprofil, krydsning af Storegade", "bilag/boreprofil.pdf", "PDF", middle, date="2024-10-02"
    )
    book.attach(pipe, drawing)
    book.note("Styret boring under vejen", middle + np.array([6.0, 7.0]), pipe, middle)


def _nodes(book: Book, mains: Mains) -> dict[int, Feature]:
    result = {}
    for node, degree in sorted(mains.degrees().items()):
        kind = {1: "slutmuffe", 2: "punkt på rør"}.get(degree, "tee")
        laying = laid(book.dice, book.dice.randint(1984, 2015))
        result[node] = book.component(_PART, mains.nodes[node], laying, depth=0.9, type=kind)
    return result


def _services(plan: Plan, book: Book, mains: Mains) -> None:
    taps = Taps([(stretch.street, stretch.path, stretch) for stretch in mains.stretches])
    for plot in plan.plots:
        entry = plot.entry(-2.4)
        tap = taps.find(plot.street, entry)
        if tap is None or book.chance(0.3):
            continue
        laying = laid(book.dice, book.dice.randint(1984, 2019))
        closed = book.chance(0.2)
        pipe = book.line(
            _KIND,
            np.array([tap.point, entry]),
            laying,
            danger="farlig",
            depth=0.75,
            size=32.0 if laying.after_cut_off or book.chance(0.8) else None,
            type="stikledning",
            tryk=4.0,
            medietype="naturgas",
            driftsstatus="permanent ude af drift" if closed else laying.status,
        )
        tapping = book.component(_PART, tap.point, laying, depth=0.9, type="anboring")
        book.join(pipe, start=tapping)


def _feed(plan: Plan, book: Book, nodes: dict[int, Feature], mains: Mains) -> None:
    """The regulating station at the transmission line and the 19 bar main that brings its gas to the town."""
    old, place = laid(book.dice, 1984), plan.place(-1.1, 3.25)
    corners = place + np.array([[-5.0, -3.0], [5.0, -3.0], [5.0, 3.0], [-5.0, 3.0]])
    station = book.component(_PART, shapely.Polygon(corners), old, type="MR-station", udnyttelsesgrad=0.35)
    way = plan.street(MAIN_STREET).way("gas")
    first = min(
        (node for node in nodes),
        key=lambda node: float(np.hypot(*(mains.nodes[node] - plan.place(0.0, 3.0)))),
    )
    along = way.between(way.station(place), way.station(mains.nodes[first])).offset(-0.35)
    feed = book.line(
        _KIND,
        np.vstack((place, along.xy, mains.nodes[first])),
        old,
        danger="meget farlig",
        depth=1.1,
        size=168.0,
        type="fordelingsledning",
        tryk=19.0,
        medietype="naturgas",
        udvendigMateriale="stål",
    )
    book.join(feed, start=station, end=nodes[first])
