"""Networks that only few have: an oil pipe from the harbour, compressed air, and waste suction."""

from typing import Final

import numpy as np
import shapely

from geoapi.demo.book import Book
from geoapi.demo.laying import laid
from geoapi.demo.paths import Path, Points, smooth, trail
from geoapi.demo.streets import MAIN_STREET, Plan
from ler.model import Feature

_AIR: Final = "other: trykluft"
_WASTE: Final = "other: affaldssug"


def oil(plan: Plan, book: Book) -> None:
    """Record the old pipe from the oil depot at the harbour to the central heating plant behind the square."""
    old, repaired = laid(book.dice, 1962), laid(book.dice, 2024)
    depot = plan.place(8.45, 3.3)
    tanks = [
        book.component(
            "Oliekomponent",
            shapely.Point(depot + shift).buffer(9.0, quad_segs=4),
            old,
            type="tank",
            materiale="stål",
        )
        for shift in (np.array([0.0, 0.0]), np.array([0.0, 22.0]))
    ]
    ways = [
        plan.street("Havnegade").way("oil"),
        plan.street(MAIN_STREET).way("oil"),
        plan.street("Torvegade").way("oil"),
    ]
    end = plan.place(4.0, 3.62)
    route = trail(depot, ways, end)
    boiler = book.component(
        "Oliekomponent", route.at(route.length) + np.array([9.0, 2.0]), old, type="påfyldningsstuds"
    )
    whole = Path(np.vstack((depot, route.xy, route.at(route.length) + np.array([9.0, 2.0]))))
    cuts = (0.0, 0.38 * whole.length, 0.55 * whole.length, whole.length)
    ends: list[Feature] = [tanks[0]]
    ends += [
        book.component("Oliekomponent", whole.at(cut), old, depth=1.0, type="ventil") for cut in cuts[1:-1]
    ]
    ends.append(boiler)
    for index, laying in enumerate((old, repaired, old)):
        pipe = book.line(
            "Olieledning",
            whole.between(cuts[index], cuts[index + 1]).xy,
            laying,
            danger="farlig",
            depth=1.0,
            size=168.0 if index else None,
            type="fyringsolie",
            tryk=6.0,
            udvendigMateriale="stål",
            driftsstatus="permanent ude af drift" if ends[index + 1] is boiler else "i drift",
        )
        book.join(pipe, start=ends[index], end=ends[index + 1])
    pump = book.component("Oliekomponent", whole.at(14.0), old, depth=0.8, type="pumpe", udnyttelsesgrad=0.1)
    book.connect(pump, pipe)
    drawing = book.attachment(
        "Olieledning, plan", "bilag/olieledning.tif", "TIFF", whole.at(40.0), date="1962"
    )
    book.attach(pipe, drawing)


def compressed_air(plan: Plan, book: Book) -> None:
    """Record the compressed-air network of the harbour's workshops, with a branch to a workshop by the square."""
    laying, old = laid(book.dice, 2024), laid(book.dice, 1971)
    plant = plan.place(8.35, 2.1)
    corners = plant + np.array([[-4.0, -3.0], [4.0, -3.0], [4.0, 3.0], [-4.0, 3.0]])
    compressor = book.component(
        "AndenKomponent",
        shapely.Polygon(corners),
        old,
        forsyningsart=_AIR,
        type="kompressor",
        udnyttelsesgrad=0.6,
    )
    harbour, main = plan.street("Havnegade").way("air"), plan.street(MAIN_STREET).way("air")
    routes = (
        (trail(plant, [harbour], plan.place(8.0, 0.6)), old, 60.3),
        (trail(plant, [harbour], plan.place(8.0, 4.6)), laid(book.dice, 1996), 60.3),
        (trail(plant, [harbour, main], plan.place(3.85, 3.0)), laying, 48.3),
    )
    for number, (route, when, size) in enumerate(routes):
        pipe = book.line(
            "AndenLedning",
            np.vstack((plant, route.xy)),
            when,
            danger="farlig",
            depth=0.7,
            size=size,
            type="trykluftledning",
            forsyningsart=_AIR,
            udvendigMateriale="rustfrit stål",
            udnyttelsesgrad=0.3,
        )
        valve = book.component(
            "AndenKomponent", route.at(route.length), when, depth=0.7, forsyningsart=_AIR, type="ventil"
        )
        book.join(pipe, start=compressor, end=valve)
        for station in np.arange(25.0 + 7 * number, route.length - 10.0, 60.0):
            branch = np.array(
                [route.at(float(station)), route.beside(float(station), 7.5 if number else -9.0)]
            )
            _branch(book, branch, pipe)


def waste_suction(plan: Plan, book: Book) -> None:
    """Record a waste-suction network between blocks of flats in the north-west and its terminal."""
    laying = laid(book.dice, 2025)
    terminal_at = plan.place(0.05, 4.75)
    terminal = book.component(
        "AndenKomponent",
        shapely.Point(terminal_at).buffer(6.0, quad_segs=2),
        laying,
        forsyningsart=_WASTE,
        type="terminal",
    )
    route = smooth(
        [
            terminal_at,
            plan.place(0.35, 4.5),
            plan.place(0.9, 4.42),
            plan.place(1.5, 4.5),
            plan.place(1.75, 4.72),
        ]
    )
    pipe = book.line(
        "AndenLedning",
        route.xy,
        laying,
        danger="ikke farlig",
        depth=1.4,
        size=530.0,
        type="affaldssug",
        forsyningsart=_WASTE,
        udvendigMateriale="stål",
    )
    inlet = book.component(
        "AndenKomponent", route.at(route.length), laying, forsyningsart=_WASTE, type="nedkast"
    )
    book.join(pipe, start=terminal, end=inlet)
    for station in np.arange(20.0, route.length - 8.0, 34.0):
        end = route.beside(float(station), 9.0)
        branch = book.line(
            "AndenLedning",
            np.array([end, route.at(float(station))]),
            laying,
            danger="ikke farlig",
            depth=1.3,
            size=(560.0, 560.0),
            shape="kvadratisk",
            type="affaldssug",
            forsyningsart=_WASTE,
        )
        book.join(
            branch, start=book.component("AndenKomponent", end, laying, forsyningsart=_WASTE, type="nedkast")
        )


def _branch(book: Book, xy: Points, pipe: Feature) -> None:
    laying = laid(book.dice, book.dice.randint(1965, 2026))
    outlet = book.component("AndenKomponent", xy[-1], laying, depth=0.2, forsyningsart=_AIR, type="udtag")
    line = book.line(
        "AndenLedning",
        xy,
        laying,
        danger=None if laying.before(1980) else "farlig",
        depth=0.6,
        size=None if laying.before(1980) else 33.7,
        shape=None if laying.before(1980) else "cirkulær",
        type="trykluftstik",
        forsyningsart=_AIR,
    )
    book.join(line, end=outlet)
    book.connect(outlet, pipe)
