"""The local power grid: substations on a ring of 10 kV, cabinets and cables at 0.4 kV, a service cable a house."""

from itertools import pairwise
from typing import Final

import numpy as np
import shapely

from geoapi.demo.book import Book
from geoapi.demo.laying import laid, street_layings
from geoapi.demo.mains import Mains, lay
from geoapi.demo.paths import Path, Points, crossings, trail
from geoapi.demo.streets import MAIN_STREET, Plan, Street
from ler.model import Feature

_KIND: Final = "Elledning"
_CABINETS_APART: Final = 62.0
_JOINTS_APART: Final = 170.0
_OLD: Final = 1985
_RING: Final = (
    # street, place of its substation along it, as a share of its length
    ("Vestergade", 0.55),
    ("Møllevej", 0.12),
    ("Møllevej", 0.55),
    ("Møllevej", 0.9),
    ("Havnegade", 0.55),
    ("Havnegade", 0.12),
    ("Smedegade", 0.8),
    ("Smedegade", 0.42),
    ("Smedegade", 0.07),
)
_RING_STREETS: Final = (
    "Vestergade",
    "Skolegade",
    "Lindevej",
    "Møllevej",
    "Havnegade",
    "Kirkegade",
    "Brogade",
    "Smedegade",
)


def distribution(plan: Plan, book: Book) -> None:
    """Record the whole grid of the local company."""
    cabinets = _low_voltage(plan, book)
    stations = _ring(plan, book)
    _feeders(plan, book, stations, cabinets)
    _services(plan, book, cabinets)
    _shared_trace(plan, book)


type _Cabinets = dict[int, list[tuple[float, Points, Feature]]]
"""By street number: station along the low-voltage way, place, component."""


def _low_voltage(plan: Plan, book: Book) -> _Cabinets:
    mains = lay(plan.streets, "low voltage")
    layings = street_layings(book.dice, plan.streets, (1958, 2020))
    nodes = _cabinets_at_nodes(book, mains)
    cabinets: _Cabinets = {}
    for stretch in mains.stretches:
        street, path = stretch.street, stretch.path
        laying = (
            layings[street.index] if book.chance(0.85) else laid(book.dice, book.dice.randint(1962, 2026))
        )
        count = max(1, round(path.length / _CABINETS_APART))
        stops = np.linspace(0.0, path.length, count + 1)
        row = [nodes[stretch.start]]
        row += [
            book.component("Elkomponent", path.at(stop), laying, type="kabelskab", spaendingsniveau=0.4)
            for stop in stops[1:-1]
        ]
        row.append(nodes[stretch.end])
        way = street.way("low voltage")
        for index, (start, end) in enumerate(pairwise(stops)):
            old = laying.before(_OLD)
            cable = book.line(
                _KIND,
                path.between(start, end).xy,
                laying,
                danger="farlig",
                depth=0.7,
                size=None if old else 48.0,
                voids=("type",) if old and book.chance(0.3) else (),
                type="forsyningskabel",
                spaendingsniveau=0.4,
                antalKabler=1,
                kabeltype="APB 3x95 Cu" if old else "PEX 4x150 Al",
            )
            if old:
                cable.attributes["afdaekning"] = "mursten"
            book.join(cable, start=row[index], end=row[index + 1])
        for stop, cabinet in zip(stops, row, strict=True):
            place = path.at(stop)
            cabinets.setdefault(street.index, []).append((way.station(place), place, cabinet))
    _crossing_ducts(plan, book)
    return cabinets


def _cabinets_at_nodes(book: Book, mains: Mains) -> dict[int, Feature]:
    result = {}
    for node in sorted(mains.degrees()):
        laying = laid(book.dice, book.dice.randint(1985, 2025))
        result[node] = book.component(
            "Elkomponent", mains.nodes[node], laying, type="kabelskab", spaendingsniveau=0.4
        )
    return result


def _crossing_ducts(plan: Plan, book: Book) -> None:
    """Lay ducts under the main street where the low-voltage cables of the side streets cross it."""
    main = plan.street(MAIN_STREET)
    for street in plan.streets:
        if street is main:
            continue
        way = street.way("low voltage")
        for point in crossings(way, main.path):
            laying = laid(book.dice, book.dice.randint(1998, 2026))
            station = way.station(point)
            half = main.kerb + 0.9
            across = way.between(max(0.0, station - half), min(way.length, station + half)).offset(0.25)
            duct = book.line(
                "Foeringsroer",
                across.xy,
                laying,
                danger="ikke farlig",
                depth=0.9,
                size=110.0,
                forsyningsart=["el"],
                udvendigFarve=["rød"],
                udvendigMateriale="PE",
            )
            spare = book.line(
                _KIND,
                None,
                laying,
                danger="farlig",
                size=48.0,
                type="forsyningskabel",
                spaendingsniveau=0.4,
                vejledendeDybde=900.0,
            )
            book.contain(duct, spare)


def _ring(plan: Plan, book: Book) -> list[tuple[Points, Feature]]:
    """Build the substations, and the 10 kV cables between them with a joint where a drum of cable ended."""
    stations: list[tuple[Points, Feature, Street]] = []
    for name, share in _RING:
        street = plan.street(name)
        place = street.path.beside(share * street.path.length, -street.edge - 2.4)
        laying = laid(book.dice, book.dice.randint(1968, 2022))
        along = street.path.heading(share * street.path.length)
        across = np.array([-along[1], along[0]])
        corners = [
            place + a * along + b * across for a, b in ((-1.6, -1.3), (1.6, -1.3), (1.6, 1.3), (-1.6, 1.3))
        ]
        station = book.component(
            "Elkomponent", shapely.Polygon(corners), laying, type="station", spaendingsniveau=10.0
        )
        stations.append((place, station, street))
    for (start, first, street), (end, last, other) in pairwise(stations):
        ways = [street.way("medium voltage")]
        if street is not other:
            ways += [plan.street(name).way("medium voltage") for name in _links(street, other)]
            ways.append(other.way("medium voltage"))
        route = trail(start, ways, end)
        xy = np.vstack((start, route.xy, end))
        _jointed(book, Path(xy), first, last)
    return [(place, station) for place, station, _ in stations]


def _links(street: Street, other: Street) -> tuple[str, ...]:
    return {
        ("Vestergade", "Møllevej"): ("Skolegade", "Lindevej"),
        ("Havnegade", "Smedegade"): ("Kirkegade", "Brogade"),
    }.get((street.name, other.name), ())


def _jointed(book: Book, route: Path, first: Feature, last: Feature) -> None:
    count = max(1, round(route.length / _JOINTS_APART))
    stops = np.linspace(0.0, route.length, count + 1)
    laying = laid(book.dice, book.dice.randint(1972, 2026))
    ends = [first]
    for stop in stops[1:-1]:
        joint = laid(book.dice, max(laying.year, 1990))
        ends.append(
            book.component(
                "Elkomponent", route.at(stop), joint, depth=0.75, type="muffe", spaendingsniveau=10.0
            )
        )
    ends.append(last)
    for index, (start, end) in enumerate(pairwise(stops)):
        cable = book.line(
            _KIND,
            route.between(start, end).xy,
            laying,
            danger="meget farlig",
            depth=0.75,
            size=72.0 if not laying.before(_OLD) else None,
            type="forsyningskabel",
            spaendingsniveau=10.0,
            antalKabler=1,
            kabeltype="PEX-M-AL 3x240" if not laying.before(_OLD) else "PVIKAPAB 3x95",
            sikkerhedshensyn="Må ikke berøres eller flyttes. Kontakt driftscentralen før gravning nærmere end 1 m.",
        )
        book.join(cable, start=ends[index], end=ends[index + 1])


def _feeders(plan: Plan, book: Book, stations: list[tuple[Points, Feature]], cabinets: _Cabinets) -> None:
    """Feed from each substation the cabinet nearest to it."""
    everywhere = [entry for row in cabinets.values() for entry in row]
    for place, station in stations:
        nearest = min(everywhere, key=lambda entry: float(np.hypot(*(entry[1] - place))))
        street = plan.streets[next(index for index, row in cabinets.items() if nearest in row)]
        way = street.way("low voltage").offset(-0.3)
        xy = np.vstack((place, way.between(way.station(place), way.station(nearest[1])).xy, nearest[1]))
        cable = book.line(
            _KIND,
            xy,
            laid(book.dice, book.dice.randint(1990, 2024)),
            danger="farlig",
            depth=0.7,
            size=52.0,
            type="forsyningskabel",
            spaendingsniveau=0.4,
            antalKabler=2,
            kabeltype="PEX 4x240 Al",
        )
        book.join(cable, start=station, end=nearest[2])


def _services(plan: Plan, book: Book, cabinets: _Cabinets) -> None:
    """Lead a cable from the nearest cabinet along the footway and in to each house."""
    for number, plot in enumerate(plan.plots):
        row = cabinets.get(plot.street.index)
        if not row:
            continue
        entry = plot.entry(2.6)
        way = plot.street.way("low voltage").offset(-0.12 * (1 + number % 3))
        station = way.station(entry)
        _, place, cabinet = min(row, key=lambda other: abs(other[0] - station))
        along = way.between(way.station(place), station)
        laying = laid(book.dice, book.dice.randint(1960, 2026))
        cable = book.line(
            _KIND,
            np.vstack((place, along.xy[1:], entry)),
            laying,
            danger="farlig",
            depth=0.6,
            size=26.0 if laying.after_cut_off or book.chance(0.5) else None,
            type="stikkabel",
            spaendingsniveau=0.4,
        )
        book.join(cable, start=cabinet)
        if number % 25 == 0:
            foot = way.at(station)
            book.dimension(entry, foot)
            book.note(f"Stik, 0,4 kV, {laying.year}", foot + np.array([1.5, 2.0]), cable, foot)


def _shared_trace(plan: Plan, book: Book) -> None:
    """Record the grid's own trace with power and control cables that have no geometry of their own."""
    laying = laid(book.dice, 2025)
    street = plan.street("Toldbodgade")
    way = street.way("medium voltage", beyond=0.0).offset(-0.2)
    trace = book.trace([way.xy], laying, depth=0.7, serves=["el", "telekommunikation"], bredde=350.0)
    power = book.line(
        _KIND,
        None,
        laying,
        danger="meget farlig",
        size=72.0,
        type="forsyningskabel",
        spaendingsniveau=10.0,
        vejledendeDybde=700.0,
    )
    control = book.line(
        "Telekommunikationsledning",
        None,
        laying,
        danger="ikke farlig",
        size=14.0,
        type="fiberkabel",
        vejledendeDybde=700.0,
    )
    book.contain(trace, power, control)
    section = book.attachment(
        "Tværsnit af ledningstrace", "bilag/tvaersnit_toldbodgade.pdf", "PDF", way.at(20.0), date="2025"
    )
    book.attach(trace, section)
