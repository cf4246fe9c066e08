"""The telecommunication networks: two fibre companies, an old copper and coax network, an aerial association."""

from typing import Final

import numpy as np

from geoapi.demo.book import Book
from geoapi.demo.laying import Laying, laid, street_layings
from geoapi.demo.mains import Mains, Taps, lay
from geoapi.demo.paths import Points, crossings
from geoapi.demo.streets import MAIN_STREET, Plan, Plot
from ler.model import Feature

_KIND: Final = "Telekommunikationsledning"
_PART: Final = "Telekommunikationskomponent"
_SECOND_AREA: Final = 3.3
"""The second fibre company serves the town east of this column of crossings, and the main street."""


def fibre(plan: Plan, book: Book) -> None:
    """Record the first fibre network: traces in the footways whose cables have no geometry of their own."""
    mains = lay(plan.streets, "fibre")
    layings = street_layings(book.dice, plan.streets, (2011, 2022), renewed=0.25)
    nodes = _node_parts(book, mains, ("brønd", "fordelerboks", "brønd", "skab"), (2011, 2024))
    for number, stretch in enumerate(mains.stretches):
        laying = layings[stretch.street.index]
        parts = [stretch.path.xy]
        if (number + 7) % 12 == 0:
            middle = stretch.path.length / 2
            parts.append(
                np.array(
                    [stretch.path.at(middle), stretch.path.beside(middle, 1.4 - 2 * stretch.street.edge)]
                )
            )
        trace = book.trace(parts, laying, depth=0.5, serves=["telekommunikation"])
        if number % 3:
            trace.attributes["bredde"] = 300.0
        elif not laying.after_cut_off:
            trace.voids["bredde"] = "unknown"
        for size, colour in ((16.0, "orange"), (10.5, "grå"))[: 1 + number % 2]:
            cable = book.line(
                _KIND,
                None,
                laying,
                danger="ikke farlig",
                size=size,
                type="fiberkabel",
                udvendigFarve=[colour],
                vejledendeDybde=500.0,
            )
            book.contain(trace, cable)
            book.join(cable, start=nodes[stretch.start], end=nodes[stretch.end])
    _main_street_ducts(plan, book)
    _services(plan, book, mains, layings, share=0.85, shift=3.6)
    plate = book.attachment(
        "Rørplan Nordby", "bilag/roerplan.pdf", "PDF", identifier=["RP-7"], publisher="Lysnet"
    )
    for feature in [feature for feature in book.features if feature.type == "Ledningstrace"][::9]:
        book.attach(feature, plate)


def second_fibre(plan: Plan, book: Book) -> None:
    """Record the second fibre network: ducts with cables in them, on the other side of the streets."""
    limit = float(plan.place(_SECOND_AREA, 3.0)[0])
    mains = lay(plan.streets, "second fibre").where(
        lambda stretch: (
            stretch.street.name == MAIN_STREET or float(stretch.path.at(stretch.path.length / 2)[0]) > limit
        )
    )
    layings = street_layings(book.dice, plan.streets, (2016, 2023), renewed=0.45)
    nodes = _node_parts(book, mains, ("brønd", "brønd", "rørmuffe"), (2016, 2025))
    for number, stretch in enumerate(mains.stretches):
        laying = layings[stretch.street.index]
        duct = book.line(
            "Foeringsroer",
            stretch.path.xy,
            laying,
            danger="ikke farlig",
            depth=0.45,
            size=50.0,
            forsyningsart=["telekommunikation"],
            udvendigFarve=["grøn", "sort"],
            udvendigMateriale="PEH",
            udnyttelsesgrad=round(book.dice.uniform(0.1, 0.9), 2),
        )
        book.join(duct, start=nodes[stretch.start], end=nodes[stretch.end])
        for _ in range(1 + number % 3):
            cable = book.line(
                _KIND,
                None,
                laying,
                danger="ikke farlig",
                size=book.dice.choice((7.5, 9.6, 12.0)),
                type="fiberkabel",
                vejledendeDybde=450.0,
            )
            book.contain(duct, cable)
    _services(plan, book, mains, layings, share=0.6, shift=4.2)


def copper(plan: Plan, book: Book) -> None:
    """Record the old telephone and coax cables: few heights, many voids, most of it from before the cut-off."""
    mains = lay(plan.streets, "copper")
    layings = street_layings(book.dice, plan.streets, (1948, 1994), renewed=0.03)
    kinds = ("skab", "splidsemuffer i jord", "splidsemuffer i jord", "fordelerboks", "brønd")
    nodes = _node_parts(book, mains, kinds, (1958, 1996))
    for number, stretch in enumerate(mains.stretches):
        laying = layings[stretch.street.index]
        kind = "coaxkabel" if (number + 1) % 4 == 0 else "kobberkabel"
        cable = book.line(
            _KIND,
            stretch.path.xy,
            laying,
            danger="ikke farlig" if laying.after_cut_off or number % 5 else None,
            depth=0.6,
            size=34.0 if laying.after_cut_off else None,
            type=kind,
            voids=("type",) if number % 7 == 0 and not laying.after_cut_off else (),
        )
        book.join(cable, start=nodes[stretch.start], end=nodes[stretch.end])
        if (number + 7) % 11 == 0 and not laying.after_cut_off:
            cable.attributes["driftsstatus"] = "permanent ude af drift"
    taps = Taps([(stretch.street, stretch.path, stretch.start) for stretch in mains.stretches])
    for plot in plan.plots:
        tap = taps.find(plot.street, plot.entry(-3.4))
        if tap is None or book.chance(0.2):
            continue
        laying = laid(book.dice, book.dice.randint(1955, 1998))
        line = book.line(
            _KIND,
            np.array([tap.point, plot.entry(-3.4)]),
            laying,
            danger="ikke farlig",
            depth=0.45,
            size=None,
            type="kobberkabel",
        )
        if book.chance(0.3):
            joint = book.component(_PART, tap.point, laying, depth=0.5, type="splidsemuffer i jord")
            book.join(line, start=joint)


def aerial_association(plan: Plan, book: Book) -> None:
    """Record an old aerial network behind the houses of the two blocks by the square; it enters no street there."""
    laying = laid(book.dice, 1979)
    for column, row in ((4.0, 3.0), (3.0, 3.0)):
        head = plan.place(column + 0.62, row + 0.38)
        amplifier = book.component(_PART, head, laying, type="skab")
        places = [plan.place(column + a, row + 0.38) for a in (0.3, 0.45, 0.62, 0.8)]
        cable = book.line(
            _KIND, np.array(places), laying, danger="ikke farlig", depth=0.4, size=None, type="coaxkabel"
        )
        book.connect(amplifier, cable)
        for a in (0.3, 0.45, 0.8):
            branch = np.array([plan.place(column + a, row + 0.38), plan.place(column + a + 0.03, row + 0.23)])
            line = book.line(
                _KIND, branch, laying, danger="ikke farlig", depth=0.4, size=None, type="coaxkabel"
            )
            box = book.component(_PART, branch[1], laying, type="fordelerboks")
            book.join(line, end=box)


def _node_parts(
    book: Book, mains: Mains, kinds: tuple[str, ...], years: tuple[int, int]
) -> dict[int, Feature]:
    result = {}
    for number, node in enumerate(sorted(mains.degrees())):
        laying = laid(book.dice, book.dice.randint(*years))
        result[node] = book.component(
            _PART, mains.nodes[node], laying, depth=0.3, type=kinds[number % len(kinds)]
        )
    return result


def _services(
    plan: Plan, book: Book, mains: Mains, layings: dict[int, Laying], *, share: float, shift: float
) -> None:
    taps = Taps([(stretch.street, stretch.path, stretch) for stretch in mains.stretches])
    for plot in plan.plots:
        entry = plot.entry(shift)
        tap = taps.find(plot.street, entry)
        if tap is None or not book.chance(share):
            continue
        laying = (
            layings[plot.street.index] if book.chance(0.7) else laid(book.dice, book.dice.randint(2012, 2026))
        )
        line = book.line(
            _KIND,
            _service_way(tap.point, entry, plot),
            laying,
            danger="ikke farlig",
            depth=0.45,
            size=book.dice.choice((7.0, 10.0)),
            type="fiberkabel",
        )
        if book.chance(0.25):
            book.join(line, end=book.component(_PART, entry, laying, type="accesspoint"))
        if book.chance(0.06):
            coil = book.component(_PART, (2 * tap.point + entry) / 3, laying, depth=0.45, type="kvejl")
            book.connect(coil, line)


def _service_way(start: Points, entry: Points, plot: Plot) -> Points:
    """Straight in, but for the last metres, where the cable follows the wall."""
    back = np.array([-plot.along[1], plot.along[0]]) * plot.side
    corner = entry - 0.6 * back
    return np.array([start, corner, entry])


def _main_street_ducts(plan: Plan, book: Book) -> None:
    main = plan.street(MAIN_STREET)
    for street in plan.streets:
        if street is main:
            continue
        way = street.way("fibre")
        for point in crossings(way, main.path):
            laying = laid(book.dice, book.dice.randint(2012, 2026))
            station = way.station(point)
            half = main.kerb + 1.2
            across = way.between(max(0.0, station - half), min(way.length, station + half)).offset(-0.2)
            duct = book.line(
                "Foeringsroer",
                across.xy,
                laying,
                danger="ikke farlig",
                depth=0.8,
                size=110.0,
                forsyningsart=["telekommunikation"],
            )
            cable = book.line(
                _KIND, None, laying, danger="ikke farlig", size=16.0, type="fiberkabel", vejledendeDybde=800.0
            )
            book.contain(duct, cable)
