"""Valid answers, a few features each, from which every counterexample is derived by one change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Final

import shapely
from lxml import etree
from shapely.geometry.base import BaseGeometry

from ler.model import ANSWER, VERSIONS, Feature, Model, Value
from ler.packages.gml import Answer, write_answer

AREA: Final = shapely.box(575000, 6224000, 575100, 6224100)
"""The dig area of every file."""

UNKNOWN: Final = float("nan")
WITHHELD: Final = "ledningsoplysninger udleveres ikke"
MANUAL: Final = "udtaget til manuel behandling"

type Attributes = dict[str, Value]

LINE: Final[Attributes] = {
    "driftsstatus": "i drift",
    "ejerskabsforhold": "ejet af udleverende ledningsejer",
    "etableringstidspunkt": "2024-05-13",
    "fareklasse": "ikke farlig",
    "noejagtighedsklasse": "<= 0.25 m",
    "noejagtighedsklasseVertikal": "<= 0.50 m",
}
ROUND: Final[Attributes] = {"tvaersnitsform": "cirkulær", "udvendigDiameter": 110.0}
BOX: Final[Attributes] = {
    "tvaersnitsform": "rektangulær",
    "udvendigBredde": 1200.0,
    "udvendigHoejde": 800.0,
}
DEPTH: Final[Attributes] = {"vejledendeDybde": 600.0}
OTHER: Final[Attributes] = {"forsyningsart": "other: ilt"}


def course(height: float = 12.5) -> shapely.LineString:
    """A line of three vertices."""
    return shapely.LineString(
        [(575010, 6224010, height), (575030, 6224020, height), (575050, 6224020, height)]
    )


def feature(kind: str, attributes: Attributes, geometry: BaseGeometry | None) -> Feature:
    return Feature(kind, f"{kind.lower()}-1", dict(attributes), geometry=geometry)


def line(kind: str, *parts: Attributes, height: float = 12.5) -> Feature:
    return feature(
        kind, {key: value for part in (LINE, *parts) for key, value in part.items()}, course(height)
    )


def component(kind: str, attributes: Attributes, geometry: BaseGeometry | None = None) -> Feature:
    return feature(kind, attributes, geometry or shapely.Point(575050, 6224020, 12.5))


def valve() -> Feature:
    return component("Vandkomponent", {"type": "ventil", "stutskote": 12.1})


def attachment() -> Feature:
    attributes: Attributes = {"title": "Plan", "format": "PDF", "sti": "bilag/plan.pdf"}
    return feature("Informationsressource", attributes, course())


def trace(*contained: str, height: float = 12.5) -> Feature:
    attributes: Attributes = {**LINE, "forsyningsart": ["el"], "bredde": 400.0, **DEPTH}
    if contained:
        attributes["indeholdtLedning"] = list(contained)
    return feature("Ledningstrace", attributes, shapely.MultiLineString([course(height)]))


def other_box(version: str) -> Feature:
    """Until 2.0.1 a line of another utility has a diameter whatever its cross-section."""
    diameter: Attributes = {"udvendigDiameter": 900.0} if version < "2.1.0" else {}
    return line("AndenLedning", OTHER, BOX, diameter)


def contained_cable(version: str) -> tuple[Feature, ...]:
    del version
    cable = line("Elledning", {"type": "forsyningskabel", "udvendigDiameter": 30.0})
    for name in ("noejagtighedsklasse", "noejagtighedsklasseVertikal"):
        del cable.attributes[name]
    return trace(cable.gml_id), replace(cable, geometry=None)


def of_unknown_shape(established: str) -> Feature:
    pipe = line("Vandledning", {"etableringstidspunkt": established, "udvendigDiameter": 110.0})
    return replace(pipe, voids={"tvaersnitsform": "unknown"})


def pipe_to_valve(version: str) -> tuple[Feature, ...]:
    del version
    return line("Vandledning", ROUND, {"slutkomponent": "vandkomponent-1"}), valve()


@dataclass(frozen=True)
class Base:
    """A valid answer: its features, its own attributes, and the first version in which it is valid."""

    features: Callable[[str], tuple[Feature, ...]]
    header: Mapping[str, Value] | None = None
    since: str = VERSIONS[0]


def fixed(*features: Feature) -> Callable[[str], tuple[Feature, ...]]:
    return lambda _: features


def contact(**attributes: Value) -> Mapping[str, Value]:
    return {
        "kontaktprofilTilTekniskeSpoergsmaal": {"gml_id": "kontaktprofil-1", "navn": "Drift", **attributes}
    }


BASES: Final[Mapping[str, Base]] = {
    "pipe": Base(fixed(line("Vandledning", ROUND))),
    "pipe-to-valve": Base(pipe_to_valve),
    "pipe-before": Base(fixed(line("Vandledning", ROUND, {"etableringstidspunkt": "before 2023-07-01"}))),
    "pipe-of-unknown-shape": Base(fixed(of_unknown_shape("2024-05-13"))),
    "old-pipe-of-unknown-shape": Base(fixed(of_unknown_shape("1978"))),
    "drain": Base(fixed(line("Afloebsledning", BOX))),
    "gas-pipe": Base(fixed(line("Gasledning", ROUND, {"type": "stikledning", "tryk": 4.0}))),
    "oil-pipe": Base(fixed(line("Olieledning", ROUND, {"tryk": 4.0}))),
    "heat-pipe": Base(
        fixed(line("TermiskLedning", ROUND, {"type": "stikledning", "temperatur": 80.0, "tryk": 6.0}))
    ),
    "duct": Base(fixed(line("Foeringsroer", ROUND, {"forsyningsart": ["vand"]}))),
    "duct-of-cables": Base(
        fixed(line("Foeringsroer", ROUND, DEPTH, {"forsyningsart": ["el"]}, height=UNKNOWN)), since="2.0.1"
    ),
    "other-line": Base(fixed(line("AndenLedning", OTHER, ROUND))),
    "other-line-box": Base(lambda version: (other_box(version),)),
    "power-cable": Base(
        fixed(
            line(
                "Elledning",
                DEPTH,
                {"type": "forsyningskabel", "udvendigDiameter": 30.0, "spaendingsniveau": 0.4},
                height=UNKNOWN,
            )
        )
    ),
    "telecom-cable": Base(
        fixed(
            line(
                "Telekommunikationsledning",
                DEPTH,
                {"type": "fiberkabel", "udvendigDiameter": 20.0},
                height=UNKNOWN,
            )
        )
    ),
    "trace": Base(fixed(trace(height=UNKNOWN))),
    "trace-with-cable": Base(contained_cable),
    "square-manhole": Base(
        fixed(
            component(
                "Afloebskomponent",
                {
                    **DEPTH,
                    "type": "brønd",
                    "broendform": "kvadratisk",
                    "bunddiameterbredde": 1000.0,
                    "bundlaengde": 1000.0,
                    "topkote": 13.0,
                },
            )
        )
    ),
    "round-manhole": Base(fixed(component("Afloebskomponent", {"type": "brønd", "broendform": "cirkulær"}))),
    "duct-block": Base(
        fixed(component("Elkomponent", {"type": "rørblok", "relativNiveau": "top", "spaendingsniveau": 10.0}))
    ),
    "tapping": Base(fixed(component("Vandkomponent", {"type": "tilslutningspunkt", "anborsted": "top"}))),
    "outlet": Base(fixed(component("Vandkomponent", {"type": "tapsted", "tapstedstype": "brandhane"}))),
    "valve": Base(fixed(valve())),
    "sheet-piles": Base(fixed(component("Vandkomponent", {"type": "spunsvæg"}, course()))),
    "other-component": Base(fixed(component("AndenKomponent", {**OTHER, "type": "tank"}))),
    "attachment": Base(fixed(valve(), attachment())),
    "annotation": Base(fixed(valve(), feature("LinearAnnotation", {"type": "line"}, course()))),
    "dimension": Base(
        fixed(
            valve(),
            feature("LinearDimension", {"dimensionalValue": {"value": 45.5, "uom": "m"}}, course()),
        )
    ),
    "withheld": Base(fixed(), {"type": WITHHELD, "typeSupplerendeInfo": "Ring, før der graves."}),
    "manual": Base(
        fixed(line("Vandledning", ROUND)),
        {"type": MANUAL, "forventetAfleveringstidspunkt": "2026-01-09T12:00:00Z"},
    ),
    "contact-by-telephone": Base(fixed(valve()), contact(telefonnummer="12345678")),
    "contact-by-mail": Base(fixed(valve()), contact(mailadresse="drift@example.org")),
}


def write_base(base: Base, model: Model) -> str:
    """The base as text, an element a line, with the attributes that the version has."""
    header = Feature(
        ANSWER,
        "svar-1",
        {
            "id": "3f7b3a52-6d1b-4a5e-9a3c-0f6e4c1d2b90",
            "type": "ledningsoplysninger udleveret",
            **(base.header or {}),
        },
    )
    members = [of_version(member, model) for member in base.features(model.version)]
    stream = BytesIO()
    write_answer(stream, Answer("12345678", "Eksempel Forsyning", header, members), model)
    root = etree.fromstring(stream.getvalue())
    etree.indent(root)
    text: str = etree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def of_version(member: Feature, model: Model) -> Feature:
    known = {attribute.name for attribute in model.types[member.type].attributes}
    return replace(member, attributes={k: v for k, v in member.attributes.items() if k in known})
