"""The made-up owners of the demonstration town: who they are, what they lay, and where they want to be asked.

Their numbers do not exist: no company in the Danish register has one that begins with 99.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from geoapi.demo import cables, drains, gas, heat, industry, power, telecom, water
from geoapi.demo.book import Book
from geoapi.demo.streets import Plan
from ler.model import ANSWER, Feature

_VALID_UNTIL: Final = "2026-12-31"
_EL: Final = "el"
_TELE: Final = "telekommunikation"

type Network = Callable[[Plan, Book], None]


@dataclass(frozen=True, slots=True)
class DemoOwner:
    """An owner with all it owns."""

    cvr: str
    name: str
    email: str
    phone: str
    utility_types: tuple[str, ...]
    """LER values (forsyningsart)."""
    interest_area: shapely.Polygon | shapely.MultiPolygon
    """Where the owner wants to be asked, EPSG:25832: at least 5 m around everything it owns."""
    header: Feature
    """The answer that its features are delivered in."""
    features: list[Feature]


@dataclass(frozen=True, slots=True)
class _Entry:
    cvr: str
    name: str
    domain: str
    utility_types: tuple[str, ...]
    networks: tuple[Network, ...]
    margin: float = 12.0
    """Metres around the lines that the owner wants to be asked about."""


def _municipality(plan: Plan, book: Book) -> None:
    cables.street_lights(plan, book)
    drains.road_drains(plan, book)
    drains.lost_lines(plan, book)


_REGISTER: Final = (
    _Entry("99000101", "Nordby Elnet A/S", "nordby-elnet", (_EL, _TELE), (power.distribution,)),
    _Entry(
        "99000102",
        "Østsund Transmission A/S",
        "oestsund-transmission",
        (_EL, _TELE),
        (cables.transmission,),
        20.0,
    ),
    _Entry("99000103", "Nordby Kommune", "nordby-kommune", (_EL, "afløb"), (_municipality,), 10.0),
    _Entry("99000201", "Lysnet Fiber A/S", "lysnet-fiber", (_TELE,), (telecom.fibre,), 10.0),
    _Entry("99000202", "Kystfiber P/S", "kystfiber", (_TELE,), (telecom.second_fibre,), 10.0),
    _Entry("99000203", "Jysk Kobberkabel A/S", "jysk-kobberkabel", (_TELE,), (telecom.copper,), 15.0),
    _Entry(
        "99000204",
        "Antenneforeningen Torvet",
        "antenneforeningen-torvet",
        (_TELE,),
        (telecom.aerial_association,),
        40.0,
    ),
    _Entry("99000301", "Sundgas Distribution A/S", "sundgas", ("gas",), (gas.distribution,)),
    _Entry("99000302", "Midtsund Gastransmission A/S", "midtsund-gas", ("gas",), (gas.transmission,), 30.0),
    _Entry("99000401", "Nordby Vandværk a.m.b.a.", "nordby-vandvaerk", ("vand",), (water.water,)),
    _Entry("99000402", "Nordby Spildevand A/S", "nordby-spildevand", ("afløb",), (drains.wastewater,)),
    _Entry("99000403", "Strandengens Drænlag", "strandengens-draenlag", ("afløb",), (drains.field_drains,)),
    _Entry(
        "99000501",
        "Nordby Fjernvarme a.m.b.a.",
        "nordby-fjernvarme",
        ("fjernvarme/fjernkøling",),
        (heat.heat,),
    ),
    _Entry("99000601", "Nordby Oliehavn ApS", "nordby-oliehavn", ("olie",), (industry.oil,)),
    _Entry(
        "99000602",
        "Havnens Trykluft ApS",
        "havnens-trykluft",
        ("other: trykluft",),
        (industry.compressed_air,),
    ),
    _Entry(
        "99000603",
        "Skovlunden Affaldssug I/S",
        "skovlunden-affaldssug",
        ("other: affaldssug",),
        (industry.waste_suction,),
    ),
)


def found_owners(plan: Plan, seed: int) -> tuple[DemoOwner, ...]:
    """Let every owner lay its networks in the town; each owner has dice of its own."""
    return tuple(_found(entry, plan, seed) for entry in _REGISTER)


def _found(entry: _Entry, plan: Plan, seed: int) -> DemoOwner:
    book = Book(entry.cvr, seed)
    for network in entry.networks:
        network(plan, book)
    email = f"ledninger@{entry.domain}.example"
    phone = f"+45{entry.cvr}"
    contact = {
        "gml_id": "kontakt-1",
        "navn": f"Ledningsregistrering, {entry.name}",
        "telefonnummer": phone,
        "mailadresse": email,
    }
    header = Feature(
        ANSWER,
        "svar-1",
        {
            "id": book.identifier("svar-1"),
            "type": "ledningsoplysninger udleveret",
            "gyldigTil": _VALID_UNTIL,
            "kontaktprofilTilTekniskeSpoergsmaal": {**contact},
        },
    )
    area = _interest_area(book.features, entry.margin)
    return DemoOwner(entry.cvr, entry.name, email, phone, entry.utility_types, area, header, book.features)


def _interest_area(features: list[Feature], margin: float) -> shapely.Polygon | shapely.MultiPolygon:
    """All that was laid, drawn wide and coarse, as owners register it."""
    own = np.array([f.geometry for f in features if f.geometry is not None and _counts(f)], dtype=object)
    area = shapely.union_all(shapely.buffer(shapely.force_2d(own), margin, quad_segs=1))
    area = shapely.set_precision(area.simplify(1.5), 0.01)
    if not isinstance(area, shapely.Polygon | shapely.MultiPolygon):
        raise TypeError(f"an interest area became a {area.geom_type}")
    return area


def _counts(feature: Feature) -> bool:
    """Whether a feature widens the area; a point joined to a line stands beside it, well within the margin."""
    joined = isinstance(feature.geometry, shapely.Point) and "tilknyttetLedning" in feature.attributes
    return feature.type not in _NOT_OWNED and not joined


_NOT_OWNED: Final = frozenset(
    {"Informationsressource", "LinearDimension", "TextAnnotation", "LinearAnnotation"}
)
