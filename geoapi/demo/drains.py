"""Drainage: the wastewater company's sewers, the municipality's road drains, and a field drainage association."""

from functools import lru_cache
from typing import Final

import numpy as np
import shapely

from geoapi.demo.book import NOBODY, OTHERS, OWN, Book, Size
from geoapi.demo.laying import Laying, laid, street_layings
from geoapi.demo.mains import Taps, lay
from geoapi.demo.paths import Path, moved, trail
from geoapi.demo.sewers import Run, Sewer, design, tap_points
from geoapi.demo.streets import MAIN_STREET, Plan
from geoapi.demo.terrain import ground
from ler.model import Feature

_KIND: Final = "Afloebsledning"
_PART: Final = "Afloebskomponent"
_SAFE: Final = "ikke farlig"
_SIZES: Final = ((3, 200.0), (9, 315.0), (24, 450.0), (10_000, 630.0))
"""Outer diameter in millimetres up to so many mains drained."""
_BRICK: Final = (700.0, 1050.0)
_GULLIES_APART: Final = 46.0


@lru_cache(maxsize=1)
def foul_sewer(plan: Plan) -> Sewer:
    """Design the foul sewers: everything drains to the pumping station at the harbour."""
    return design(lay(plan.streets, "foul"), plan.place(8.0, 1.2), cover=2.2, fall=0.004)


@lru_cache(maxsize=1)
def storm_sewer(plan: Plan) -> Sewer:
    """Design the storm sewers: every street but the old main street, to an outfall in the harbour."""
    streets = [street for street in plan.streets if street.name != MAIN_STREET]
    return design(lay(streets, "storm"), plan.place(8.0, 4.0), cover=1.5, fall=0.003)


def wastewater(plan: Plan, book: Book) -> None:
    """Record the wastewater company's sewers with manholes, basin, pumping station, rising main and services."""
    foul, storm = foul_sewer(plan), storm_sewer(plan)
    layings = street_layings(book.dice, plan.streets, (1952, 2016))
    layings[plan.street(MAIN_STREET).index] = laid(book.dice, 1931)
    manholes = _sewer(book, foul, layings, "spildevand")
    drains = _sewer(book, storm, layings, "regnvand")
    _services(plan, book, foul, "spildevand", -0.3)
    _services(plan, book, storm, "regnvand", 0.4)
    _pumping(plan, book, foul, manholes[foul.outfall])
    _outfall(book, storm, drains[storm.outfall])


def road_drains(plan: Plan, book: Book) -> None:
    """Record the municipality's gullies along the kerbs, each with a pipe to the sewer, and a few lost old lines."""
    taps = Taps(tap_points((*storm_sewer(plan).runs, *_brick_runs(plan))))
    for street in plan.streets:
        for side in (1, -1):
            kerb = street.path.offset(side * (street.kerb - 0.25))
            count = max(1, round((kerb.length - 24.0) / _GULLIES_APART))
            for station in np.linspace(14.0 + 3 * side, kerb.length - 12.0, count):
                place = kerb.at(float(station))
                tap = taps.find(street, place, within=12.0)
                laying = laid(book.dice, book.dice.randint(1955, 2025)).levelled()
                top = float(ground(place))
                gully = book.component(
                    _PART,
                    place,
                    laying,
                    level=top,
                    type="sandfang",
                    topkote=round(top, 2),
                    bundkote=round(top - 1.6, 2),
                    materiale="beton",
                )
                if tap is not None:
                    level = max(tap.item.level(tap.station), top - 3.0)
                    start = max(top - 0.9, level + 0.1)
                    pipe = book.line(
                        _KIND,
                        np.array([place, tap.point]),
                        laying,
                        danger=_SAFE,
                        levels=np.array([start, level]),
                        size=160.0,
                        ledningstransporttype="gravitation",
                        medietype="regnvand",
                        udvendigMateriale="PVC",
                    )
                    book.join(pipe, start=gully)


def lost_lines(plan: Plan, book: Book) -> None:
    """Record lines of an unknown kind that road works of the municipality came upon; nobody owns them."""
    laying = laid(book.dice, 1940)
    old = Laying("before 2023-07-01", laying.year, None, None, "unknown")
    ways = (
        ("Torvegade", (4.0, 2.4), (4.0, 3.3), "Støbejernsrør, ca. 100 mm, fundet 2019"),
        ("Kirkegade", (5.3, 2.0), (6.6, 2.0), "Blykappe, formodentlig gammelt kabel"),
        ("Havnegade", (8.0, 2.2), (8.0, 3.1), "Rør uden kendt formål; ligger under kajen"),
    )
    for name, start, end, text in ways:
        way = plan.street(name).path.offset(-2.95)
        piece = way.between(way.station(plan.place(*start)), way.station(plan.place(*end)))
        line = book.line(
            "LedningUkendtForsyningsart",
            piece.xy,
            old,
            danger=None,
            size=None,
            owned=NOBODY,
            supplerendeInfo=text,
            voids=("driftsstatus",),
        )
        middle = piece.at(piece.length / 2)
        photo = book.attachment("Foto af fund", f"bilag/fund_{line.gml_id}.jpg", "JPEG", middle, type="foto")
        book.attach(line, photo)
        book.note("Ukendt ledning", middle + np.array([-3.0, 2.5]), line, middle)


def field_drains(plan: Plan, book: Book) -> None:
    """Record an association's field drains north-west of the town, far from every street."""
    laying = laid(book.dice, 1958)
    corner = plan.place(-4.6, 7.2)
    collector = Path(
        np.array([moved(corner, 0.0, 0.0), moved(corner, 70.0, -90.0), moved(corner, 190.0, -150.0)])
    )
    levels = ground(collector.xy) - 1.3
    levels = np.minimum.accumulate(levels - np.array([0.0, 0.3, 0.6]))
    main = book.line(
        _KIND,
        collector.xy,
        laying.levelled(),
        danger=_SAFE,
        levels=levels,
        size=(300.0, 300.0),
        shape="tunnelformet",
        harFod=True,
        ledningstransporttype="gravitation",
        medietype="drænvand",
        udvendigMateriale="tegl",
    )
    outlet = book.component(
        _PART, collector.at(collector.length), laying, type="udløbsbygværk", medietype="drænvand"
    )
    book.join(main, end=outlet)
    for number in range(11):
        station = 12.0 + 19.0 * number
        foot = collector.at(station)
        head = collector.beside(station, 55.0 if number % 2 else -60.0)
        drain = book.line(
            _KIND,
            np.array([head, foot]),
            laying,
            danger=None,
            depth=1.1,
            size=65.0,
            medietype="drænvand",
            voids=("ledningstransporttype",),
        )
        if number % 4 == 0:
            well = book.component(
                _PART, head, laying, type="brønd", broendform="cirkulær", medietype="drænvand"
            )
            book.join(drain, start=well)


def _brick_runs(plan: Plan) -> tuple[Run, ...]:
    return tuple(run for run in foul_sewer(plan).runs if run.street.name == MAIN_STREET)


def _sewer(book: Book, sewer: Sewer, layings: dict[int, Laying], medium: str) -> dict[int, Feature]:
    """Record manholes and runs; the manholes by number."""
    manholes: dict[int, Feature] = {}
    for run in sewer.runs:
        laying = layings[run.street.index].levelled()
        for number in (run.upper, run.lower):
            if number not in manholes:
                manholes[number] = _manhole(book, sewer, number, laying, medium)
        pipe = _pipe(book, run, laying, medium)
        book.join(pipe, start=manholes[run.upper], end=manholes[run.lower])
    return manholes


def _pipe(book: Book, run: Run, laying: Laying, medium: str) -> Feature:
    size: Size
    if run.street.name == MAIN_STREET:
        size, shape, medium, material = _BRICK, "ægformet", "fællesvand", "tegl"
    else:
        size, shape = next(width for limit, width in _SIZES if run.rank <= limit), "cirkulær"
        material = "beton" if laying.before(1980) else "PP"
        if laying.before(1975) and book.chance(0.1):
            size = None
    pipe = book.line(
        _KIND,
        run.path.xy,
        laying,
        danger=_SAFE,
        levels=run.levels,
        size=size,
        shape=shape,
        ledningstransporttype="gravitation",
        medietype=medium,
        udvendigMateriale=material,
        udnyttelsesgrad=round(min(1.0, 0.2 + run.rank / 60), 2),
    )
    if laying.before(1985) and book.chance(0.15):
        pipe.attributes["ledningsetableringsmetode"] = "strømpeforing"
    return pipe


def _manhole(book: Book, sewer: Sewer, number: int, laying: Laying, medium: str) -> Feature:
    place = sewer.manholes[number]
    top = round(float(ground(place)), 2)
    square = number % 17 == 0
    manhole = book.component(
        _PART,
        place,
        laying,
        level=top,
        type="brønd",
        broendform="kvadratisk" if square else "cirkulær",
        bunddiameterbredde=1000.0 if laying.before(1990) else 600.0,
        topkote=top,
        medietype=medium,
        bundkote=round(float(sewer.levels[number]) - 0.5, 2),
        materiale="beton" if laying.before(1990) else "PP",
    )
    if square:
        manhole.attributes["bundlaengde"] = 1200.0
    return manhole


def _services(plan: Plan, book: Book, sewer: Sewer, medium: str, shift: float) -> None:
    taps = Taps(tap_points(sewer.runs))
    for number, plot in enumerate(plan.plots):
        entry = plot.entry(shift)
        tap = taps.find(plot.street, entry)
        if tap is None or (medium == "regnvand" and number % 3 == 0):
            continue
        xy = np.array([entry, tap.point])
        level = tap.item.level(tap.station)
        rise = 0.02 * float(np.hypot(*(xy[1] - xy[0])))
        laying = laid(book.dice, book.dice.randint(1952, 2026)).levelled()
        old = laying.before(1975) and number % 4 == 0
        pipe = book.line(
            _KIND,
            xy,
            laying,
            danger=_SAFE,
            levels=np.array([level + rise, level + 0.02]),
            size=None if old else 160.0,
            ledningstransporttype="gravitation",
            medietype=medium,
            owned=OTHERS if number % 5 == 0 else OWN,
            udvendigMateriale="beton" if old else "PVC",
            voids=("medietype",) if old and number % 8 == 0 else (),
        )
        if number % 3 == 1:
            book.join(
                pipe,
                start=book.component(
                    _PART,
                    entry,
                    laying,
                    type="brønd",
                    broendform="cirkulær",
                    bunddiameterbredde=315.0,
                    medietype=medium,
                ),
            )


def _pumping(plan: Plan, book: Book, sewer: Sewer, inlet: Feature) -> None:
    """The pumping station by the outfall and the rising main along the shore to the treatment plant in the south."""
    laying, new = laid(book.dice, 1994).levelled(), laid(book.dice, 2025)
    place = sewer.manholes[sewer.outfall] + np.array([16.0, -6.0])
    corners = place + np.array([[-4.0, -3.0], [4.0, -3.0], [4.0, 3.0], [-4.0, 3.0]])
    level = float(sewer.levels[sewer.outfall])
    station = book.component(
        _PART,
        shapely.Polygon(corners),
        laying,
        level=level,
        type="pumpestation",
        topkote=round(level + 4.0, 2),
        bundkote=round(level - 2.0, 2),
        udnyttelsesgrad=0.71,
    )
    inflow = book.line(
        _KIND,
        np.array([sewer.manholes[sewer.outfall], place]),
        laying,
        danger=_SAFE,
        levels=np.array([level, level - 0.1]),
        size=800.0,
        ledningstransporttype="gravitation",
        medietype="spildevand",
    )
    book.join(inflow, start=inlet, end=station)
    plant_at = plan.place(6.9, -1.6)
    shore = trail(place, [plan.street("Havnegade").path.offset(-9.0).extended(30.0)], plan.place(8.15, -0.15))
    xy = np.vstack((place, shore.xy, plan.place(8.1, -0.75), plant_at))
    plant = book.component(
        _PART, shapely.Point(plant_at).buffer(26.0, quad_segs=3), laying, type="renseanlæg", level=3.4
    )
    rising = book.line(
        _KIND,
        xy,
        new,
        danger=_SAFE,
        depth=1.4,
        size=315.0,
        ledningstransporttype="tryk",
        medietype="spildevand",
        udvendigMateriale="PE",
    )
    book.join(rising, start=station, end=plant)
    drawing = book.attachment(
        "Pumpestation Havnegade", "bilag/pumpestation.pdf", "PDF", place, creator=["Nordby Spildevand"]
    )
    book.attach(rising, drawing)
    basin = shapely.Polygon(
        [plan.place(*corner) for corner in ((6.2, 0.6), (6.65, 0.6), (6.6, 0.82), (6.25, 0.8))]
    )
    book.component(_PART, basin, laying, type="bassin", medietype="fællesvand", level=round(level, 2))


def _outfall(book: Book, sewer: Sewer, inlet: Feature) -> None:
    laying = laid(book.dice, 1988).levelled()
    start = sewer.manholes[sewer.outfall]
    end = start + 74.0 * np.array([0.995, 0.1])
    level = float(sewer.levels[sewer.outfall])
    structure = book.component(
        _PART, end, laying, level=level - 0.4, type="udløbsbygværk", medietype="regnvand"
    )
    pipe = book.line(
        _KIND,
        np.array([start, end]),
        laying,
        danger=_SAFE,
        levels=np.array([level, level - 0.3]),
        size=(1200.0, 900.0),
        shape="rektangulær",
        ledningstransporttype="gravitation",
        medietype="regnvand",
        udvendigMateriale="beton",
    )
    book.join(pipe, start=inlet, end=structure)
    wall = book.component(
        _PART, np.array([moved(end, -0.5, -6.0), moved(end, -0.5, 6.0)]), laying, type="spunsvæg"
    )
    book.connect(wall, pipe)
