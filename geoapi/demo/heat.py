"""The district heating network: a plant at the harbour, supply and return mains in the east of the town, services."""

from typing import Final

import numpy as np
import shapely

from geoapi.demo.book import Book
from geoapi.demo.laying import Laying, laid, street_layings
from geoapi.demo.mains import Mains, Stretch, Taps, lay
from geoapi.demo.paths import Path, Points, moved, trail
from geoapi.demo.streets import MAIN_STREET, Plan, Plot
from ler.model import Feature, Value

_KIND: Final = "TermiskLedning"
_PART: Final = "TermiskKomponent"
_WEST: Final = 2.55
"""The network ends in the west at this column of crossings."""
_DUCTED: Final = 1978
_TWIN: Final = 2012
_SHORT: Final = 20.0
"""Metres below which a main has no fittings of its own."""
_FITTING: Final = {1: "muffe", 2: "bøjning"}
"""Component by the number of mains that meet; an `afgrening` where there are more."""
_SUPPLY: Final[dict[str, Value]] = {"indhold": "varmt vand", "temperatur": 75.0, "tryk": 6.0}
_RETURN: Final[dict[str, Value]] = {"indhold": "varmt vand", "temperatur": 40.0, "tryk": 4.0}


def heat(plan: Plan, book: Book) -> None:
    """Record the whole heating network."""
    limit = float(plan.place(_WEST, 3.0)[0])

    def wanted(stretch: Stretch) -> bool:
        return float(stretch.path.at(stretch.path.length / 2)[0]) > limit

    layings = street_layings(book.dice, plan.streets, (1964, 2018), renewed=0.2)
    layings[plan.street("Kirkegade").index] = laid(book.dice, 1969)
    supply, back = lay(plan.streets, "supply").where(wanted), lay(plan.streets, "return").where(wanted)
    _mains(book, supply, layings, _SUPPLY, fittings=True)
    _mains(book, back, layings, _RETURN, fittings=False)
    _services(plan, book, supply, back)
    _plant(plan, book)


def _mains(
    book: Book, mains: Mains, layings: dict[int, Laying], medium: dict[str, Value], *, fittings: bool
) -> None:
    nodes: dict[int, Feature] = {}
    if fittings:
        for node, degree in sorted(mains.degrees().items()):
            laying = laid(book.dice, book.dice.randint(1970, 2024))
            kind = _FITTING.get(degree, "afgrening")
            nodes[node] = book.component(_PART, mains.nodes[node], laying, depth=0.9, type=kind)
    for number, stretch in enumerate(mains.stretches):
        laying = layings[stretch.street.index]
        pipe = _main(book, stretch, laying, medium)
        if fittings:
            book.join(pipe, start=nodes[stretch.start], end=nodes[stretch.end])
            _fittings(book, stretch.path, pipe, laying, number)


def _main(book: Book, stretch: Stretch, laying: Laying, medium: dict[str, Value]) -> Feature:
    ducted = laying.before(_DUCTED)
    wide = stretch.street.name in {MAIN_STREET, "Havnegade"}
    known = laying.after_cut_off or book.chance(0.8)
    pipe = book.line(
        _KIND,
        stretch.path.xy,
        laying,
        danger="farlig",
        depth=0.8 if ducted else 0.9,
        size=(420.0, 380.0) if ducted else (315.0 if wide else 180.0) if known else None,
        shape="rektangulær" if ducted else "cirkulær",
        konstruktion="kanal" if ducted else "præisoleret",
        type="distributionsledning",
        voids=("type",) if ducted and book.chance(0.2) else (),
    )
    pipe.attributes |= medium
    return pipe


def _fittings(book: Book, path: Path, pipe: Feature, laying: Laying, number: int) -> None:
    if path.length < _SHORT:
        return
    if laying.before(_DUCTED):
        for kind, share in (("kompensator", 0.5), ("fastspænding", 0.25)):
            book.connect(
                book.component(_PART, path.at(share * path.length), laying, depth=0.9, type=kind), pipe
            )
    elif number % 2:
        book.connect(book.component(_PART, path.at(path.length * 0.5), laying, depth=0.9, type="muffe"), pipe)
    if number % 3 == 0:
        kind = ("ventil", "brønd", "alarmudtag")[number % 9 // 3]
        part = book.component(_PART, path.at(3.0), laying, depth=0.6, type=kind, udnyttelsesgrad=0.5)
        book.connect(part, pipe)


def _services(plan: Plan, book: Book, supply: Mains, back: Mains) -> None:
    """Lead two pipes to each house, or since 2012 one pipe with both in it."""
    taps = [
        Taps([(stretch.street, stretch.path, stretch) for stretch in mains.stretches])
        for mains in (supply, back)
    ]
    for plot in plan.plots:
        laying = laid(book.dice, book.dice.randint(1968, 2026))
        twin = not laying.before(_TWIN)
        media = (_SUPPLY,) if twin else (_SUPPLY, _RETURN)
        for number, medium in enumerate(media):
            entry = plot.entry(1.1 + 0.28 * number)
            tap = taps[number].find(plot.street, entry)
            if tap is None:
                break
            size = None if laying.before(_DUCTED) else 140.0 if twin else 90.0
            pipe = book.line(
                _KIND,
                _bent(tap.point, entry, plot, number),
                laying,
                danger="farlig",
                depth=0.75,
                size=size,
                type="stikledning",
                konstruktion="præisoleret",
            )
            pipe.attributes |= medium


def _bent(start: Points, entry: Points, plot: Plot, number: int) -> Points:
    """Large buildings are entered round a corner, so that the pipes may stretch."""
    if plot.use in {"villa", "terrace"}:
        return np.array([start, entry])
    middle = (start + entry) / 2
    side = (2.0 + 0.28 * number) * plot.along
    return np.array([start, middle, middle + side, entry + side])


def _plant(plan: Plan, book: Book) -> None:
    """The plant, its accumulator, and the transmission pipes along the harbour to the distribution network."""
    laying, old = laid(book.dice, 2024), laid(book.dice, 1986)
    place = plan.place(7.45, -0.42)
    corners = place + np.array([[-20.0, -14.0], [20.0, -14.0], [20.0, 14.0], [-20.0, 14.0]])
    works = book.component(_PART, shapely.Polygon(corners), old, type="bygværk", materiale="beton")
    harbour = plan.street("Havnegade")
    for number, layer in enumerate(("supply", "return")):
        shift = -1.1 - 0.5 * number
        way = harbour.path.offset(-harbour.edge + shift + 1.9).extended(20.0)
        end = plan.place(8.0, 1.9)
        route = trail(place, [way], end)
        foot = harbour.way(layer)
        xy = np.vstack(
            (moved(place, 0.0, 0.5 * number), route.xy, foot.at(foot.station(route.at(route.length))))
        )
        pipe = book.line(
            _KIND,
            xy,
            laying,
            danger="farlig",
            depth=1.1,
            size=450.0,
            konstruktion="præisoleret",
            type="transmissionsledning",
            indhold="varmt vand",
            temperatur=95.0 - 45.0 * number,
            tryk=9.0,
            udvendigMateriale="PE",
            udvendigFarve=["sort"],
            sikkerhedshensyn="Varmt vand under tryk. Ring før gravning.",
        )
        book.join(pipe, start=works)
        if number == 0:
            plate = book.component(
                _PART, route.between(20.0, 44.0).xy, laying, depth=0.7, type="beskyttelsesplade"
            )
            book.connect(plate, pipe)
            profile = book.attachment("Snit i havnegaden", "bilag/snit_havnegade.pdf", "PDF", route.at(30.0))
            book.attach(pipe, profile)
    production = book.line(
        _KIND,
        np.array([moved(place, -20.0, 6.0), moved(place, -46.0, 9.0)]),
        old,
        danger="farlig",
        depth=1.2,
        size=None,
        shape=None,
        type="produktionsledning",
        indhold="damp",
        temperatur=160.0,
        tryk=11.0,
    )
    book.join(production, start=works)
