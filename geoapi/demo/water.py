"""The waterworks' network: wells, trunk main, mains with valves and hydrants, and a service pipe a house."""

from typing import Final

import numpy as np
import shapely

from geoapi.demo.book import OTHERS, Book
from geoapi.demo.laying import Laying, laid, street_layings
from geoapi.demo.mains import Mains, Taps, lay
from geoapi.demo.paths import Path, trail
from geoapi.demo.streets import MAIN_STREET, Plan, Street
from geoapi.demo.terrain import ground
from ler.model import Feature

_KIND: Final = "Vandledning"
_PART: Final = "Vandkomponent"
_SAFE: Final = "ikke farlig"
_DEPTH: Final = 1.5
_PLASTIC: Final = 1972
_SHORT: Final = 12.0
"""Metres below which a main has no valves of its own."""
_LONG: Final = 40.0
"""Metres from which a main may have a hydrant."""


def water(plan: Plan, book: Book) -> None:
    """Record the whole network of the waterworks."""
    mains = lay(plan.streets, "water")
    layings = street_layings(book.dice, plan.streets, (1931, 2019))
    nodes = _nodes(book, mains)
    pipes: list[tuple[Street, Path, tuple[Feature, Laying]]] = []
    for number, stretch in enumerate(mains.stretches):
        laying = layings[stretch.street.index]
        pipe = _main(book, stretch.path, laying, wide=stretch.street.name == MAIN_STREET)
        book.join(pipe, start=nodes[stretch.start], end=nodes[stretch.end])
        pipes.append((stretch.street, stretch.path, (pipe, laying)))
        _fittings(book, stretch.path, pipe, laying, number)
    _services(plan, book, Taps(pipes))
    _works(plan, book)
    _square(plan, book)
    _texts(book, pipes)


def _nodes(book: Book, mains: Mains) -> dict[int, Feature]:
    result = {}
    for node, degree in sorted(mains.degrees().items()):
        laying, place = laid(book.dice, book.dice.randint(1950, 2024)), mains.nodes[node]
        if degree == 1:
            level = round(float(ground(place)), 2)
            result[node] = book.component(
                _PART,
                place,
                laying,
                depth=_DEPTH,
                type="tapsted",
                tapstedstype="skyllehane/hydrant",
                topkote=level,
                stutskote=round(level - 0.25, 2),
            )
        else:
            result[node] = book.component(_PART, place, laying, depth=_DEPTH, type="kombikomponent")
    return result


def _main(book: Book, path: Path, laying: Laying, *, wide: bool) -> Feature:
    old = laying.before(_PLASTIC)
    size: float | None = (250.0 if wide else 118.0) if old else (225.0 if wide else 110.0)
    lost = old and book.chance(0.3)
    return book.line(
        _KIND,
        path.xy,
        laying,
        danger=None if old and book.chance(0.08) else _SAFE,
        depth=_DEPTH,
        size=None if lost else size,
        shape=None if lost and book.chance(0.4) else "cirkulær",
        udvendigMateriale="støbejern" if old else "PVC" if laying.before(2000) else "PE",
    )


def _fittings(book: Book, path: Path, pipe: Feature, laying: Laying, number: int) -> None:
    for station in (2.4, path.length - 2.4):
        if path.length > _SHORT and book.chance(0.7):
            valve = book.component(
                _PART,
                path.at(station),
                laying,
                depth=_DEPTH,
                type="ventil",
                topkote=round(float(ground(path.at(station))) - 0.05, 2),
            )
            book.connect(valve, pipe)
    if number % 2 == 0 and path.length > _LONG:
        place = path.at(path.length * 0.4)
        hydrant = book.component(
            _PART,
            place,
            laying,
            depth=0.1,
            type="tapsted",
            tapstedstype="brandhane",
            topkote=round(float(ground(place)) + 0.1, 2),
            udnyttelsesgrad=round(book.dice.uniform(0.2, 1.0), 2),
        )
        book.connect(hydrant, pipe)


def _services(plan: Plan, book: Book, taps: Taps[tuple[Feature, Laying]]) -> None:
    for number, plot in enumerate(plan.plots):
        entry = plot.entry(-1.2)
        tap = taps.find(plot.street, entry)
        if tap is None:
            continue
        main, laying = tap.item
        if book.chance(0.45):
            laying = laid(book.dice, book.dice.randint(1955, 2026))
        old = laying.before(_PLASTIC)
        xy = np.array([tap.point, entry])
        pipe = book.line(
            _KIND,
            xy,
            laying,
            danger=_SAFE,
            depth=1.3,
            size=None if old else 110.0 if plot.use == "works" else 32.0,
            udvendigMateriale="stål" if old else "PE",
            owned=OTHERS if number % 9 == 0 else "ejet af udleverende ledningsejer",
        )
        joint = book.component(
            _PART,
            tap.point,
            laying,
            depth=_DEPTH,
            type="tilslutningspunkt",
            anborsted=book.dice.choice(("top", "top", "side", "bund")),
        )
        book.join(pipe, start=joint)
        book.connect(joint, main)
        if book.chance(0.6):
            path = Path(xy)
            cock = book.component(
                _PART, path.at(max(0.5, path.length - 4.0)), laying, depth=1.2, type="ventil"
            )
            book.connect(cock, pipe)


def _works(plan: Plan, book: Book) -> None:
    """The waterworks on the hill, three wells with raw-water pipes, and the trunk main into the town."""
    laying, old = laid(book.dice, 2024), laid(book.dice, 1931)
    place = plan.place(-0.9, 4.6)
    corners = place + np.array([[-16.0, -9.0], [16.0, -9.0], [16.0, 9.0], [-16.0, 9.0]])
    works = book.component(_PART, shapely.Polygon(corners), old, type="vandværk")
    tank = book.component(
        _PART,
        shapely.Point(place + np.array([0.0, 26.0])).buffer(9.0, quad_segs=4),
        laying,
        type="beholderanlæg",
        topkote=round(float(ground(place)) + 3.0, 2),
        bundkote=round(float(ground(place)) - 2.0, 2),
    )
    skole = plan.street("Skolegade").way("water")
    end = skole.at(14.0)
    trunk = book.line(
        _KIND,
        np.vstack((place, plan.place(-0.45, 4.2), end)),
        laying,
        danger=_SAFE,
        depth=1.6,
        size=280.0,
        udvendigMateriale="PE",
        udvendigFarve=["blå"],
    )
    book.join(trunk, start=works)
    book.connect(tank, trunk)
    for column, row in ((-1.3, 5.6), (-1.7, 5.1), (-1.6, 4.4)):
        well = book.component(_PART, plan.place(column, row), old, type="boring")
        raw = book.line(
            _KIND,
            np.array([plan.place(column, row), place + np.array([-16.0, 0.0])]),
            old.levelled(),
            danger=_SAFE,
            depth=1.4,
            size=125.0,
            udvendigMateriale="støbejern",
        )
        book.join(raw, start=well, end=works)


def _square(plan: Plan, book: Book) -> None:
    """The fountain on the square, fed from the main street."""
    place = plan.place(4.27, 2.8)
    main = plan.street(MAIN_STREET).way("water")
    laying = laid(book.dice, 2025)
    foot = main.at(main.station(place))
    fountain = book.component(_PART, place, laying, type="tapsted", tapstedstype="springvand")
    pipe = book.line(
        _KIND, np.array([foot, place]), laying, danger=_SAFE, depth=1.2, size=40.0, udvendigMateriale="PE"
    )
    book.join(pipe, end=fountain)
    kirke = plan.street("Kirkegade").way("water")
    bypass = trail(
        main.at(main.station(plan.place(3.6, 3.0))),
        [main, plan.street("Søndre Algade").way("water"), kirke],
        kirke.at(kirke.station(plan.place(3.4, 2.0))),
    )
    plan_of_works = book.attachment("Ledningsplan, Torvet", "bilag/torvet.dxf", "DXF", place, date="2025-04")
    lining = book.line(
        _KIND,
        bypass.offset(-0.25).xy,
        laid(book.dice, 1965),
        danger=_SAFE,
        depth=1.4,
        size=None,
        voids=("driftsstatus",),
        udvendigMateriale="eternit",
    )
    book.attach(lining, plan_of_works)


def _texts(book: Book, pipes: list[tuple[Street, Path, tuple[Feature, Laying]]]) -> None:
    for street, path, (pipe, laying) in pipes[::9]:
        foot = path.at(path.length * 0.55)
        kerb = path.beside(path.length * 0.55, street.kerb - street.offset("water"))
        book.dimension(foot, kerb)
        book.note(f"Vandledning {laying.time[-10:]}", foot + np.array([2.0, 3.0]), pipe, foot)
