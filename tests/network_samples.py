"""Small networks for tests of the network checks: features by a few numbers, random ones on coarse grids, and for each
rule examples that keep it and that break it, at its tolerance."""

from dataclasses import replace
from typing import Any

import shapely
from hypothesis import strategies as st

from ingest.network_checks import NetworkCheckSettings
from ler.model import Feature
from tests.staging import MODEL

TOLERANCES = NetworkCheckSettings()
NAN = float("nan")
X, Y = 575_000.0, 6_224_000.0


def line(gml_id: str, *places: tuple[float, ...], kind: str = "Vandledning", **attributes: Any) -> Feature:  # noqa: ANN401
    """A line through places, metres from a corner of the town; without heights they are unknown."""
    geometry = shapely.LineString([(X + x, Y + y, *(z or [NAN])) for x, y, *z in places]) if places else None
    return Feature(kind, gml_id, attributes, geometry=geometry)


def part(gml_id: str, x: float, y: float, kind: str = "Vandkomponent", **attributes: Any) -> Feature:  # noqa: ANN401
    return Feature(kind, gml_id, attributes, geometry=shapely.Point(X + x, Y + y, NAN))


def duct(gml_id: str, *places: tuple[float, ...], **attributes: Any) -> Feature:  # noqa: ANN401
    return line(gml_id, *places, kind="Foeringsroer", **attributes)


def trace(gml_id: str, *places: tuple[float, ...], **attributes: Any) -> Feature:  # noqa: ANN401
    made = line(gml_id, *places, kind="Ledningstrace", **attributes)
    ways = [places and shapely.get_coordinates(made.geometry, include_z=True)]
    return replace(made, geometry=shapely.MultiLineString(ways))


STEPS_OF = {0.05: 20, 0.5: 4, 1.0: 6, 2.0: 6}


@st.composite
def networks(draw: st.DrawFn) -> list[Feature]:  # noqa: C901 - one draw a property
    """Small networks on coarse grids, where lines meet, overlap and contain each other far more often than they should."""
    grid = draw(st.sampled_from([0.05, 0.5, 1.0, 2.0]))
    reach = st.integers(0, STEPS_OF[grid])
    place = st.tuples(reach, reach).map(lambda xy: (xy[0] * grid, xy[1] * grid))
    height = st.sampled_from([NAN, 10.0, 10.0, 12.0])
    ids = [f"f{number}" for number in range(draw(st.integers(2, 7)))]
    target = st.sampled_from([*ids, *ids, *ids, "nowhere"])
    features = []
    for gml_id in ids:
        kind = draw(
            st.sampled_from(["Vandledning", "Elledning", "Foeringsroer", "Ledningstrace", "Vandkomponent"])
        )
        attributes: dict[str, Any] = {}
        for name in draw(
            st.sets(
                st.sampled_from(["indeholdtLedning", "tilknyttetLedning", "startkomponent", "slutkomponent"]),
                max_size=2,
            )
        ):
            if name in {a.name for a in MODEL.types[kind].attributes}:
                many = MODEL.types[kind].attribute(name).many
                attributes[name] = (
                    draw(st.lists(target, min_size=1, max_size=3, unique=True)) if many else draw(target)
                )
        if kind in {"Foeringsroer", "Ledningstrace"}:
            attributes["forsyningsart"] = draw(st.sampled_from([["vand"], ["el", "vand"]]))
        if kind == "Foeringsroer" and draw(st.booleans()):
            attributes["udvendigDiameter"] = 200.0
        if draw(st.booleans()) and kind != "Vandkomponent":
            attributes["noejagtighedsklasse"] = draw(st.sampled_from(["<= 0.25 m", "> 2.00 m"]))
        if draw(st.booleans()) and kind not in {"Vandkomponent", "Ledningstrace"}:
            attributes[draw(st.sampled_from(["indeholderLedninger", "liggerILedning"]))] = draw(st.booleans())
        points = [(X + x, Y + y, draw(height)) for x, y in draw(st.lists(place, min_size=2, max_size=5))]
        geometry: Any = shapely.LineString(points)
        if kind == "Vandkomponent":
            geometry = shapely.Point(points[0])
        elif kind == "Ledningstrace":
            geometry = shapely.MultiLineString([points, points[::-1]] if draw(st.booleans()) else [points])
        elif draw(st.integers(0, 9)) == 0:
            geometry = None
        features.append(Feature(kind, gml_id, attributes, geometry=geometry))
    return features


# Off the grid: no distance of two places on it is exactly a tolerance, where the last bit would decide.
OFF_GRID = replace(
    TOLERANCES,
    trace_half_width_m=0.43,
    duct_half_width_m=0.17,
    duct_tolerance_m=0.13,
    component_tolerance_m=0.27,
    connected_tolerance_m=1.93,
    height_tolerance_m=0.13,
    unknown_accuracy_m=1.07,
    overlap_m=0.97,
    spike_length_m=1.93,
    spike_angle_deg=46.0,
    gap_m=0.52,
)


STREET = ((0.0, 0.0), (10.0, 0.0))
STEPS = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0))
FIBRE = {"kind": "Telekommunikationsledning"}
SPIKE = 0.0872  # less than the tangent of five degrees, 0.0875
type Case = tuple[str, list[Feature], list[Feature]]
"""The rule, a network that keeps it, and one that breaks it once."""
CASES: tuple[Case, ...] = (
    (
        "reference-unresolved",
        [line("a", *STREET, bilag=["b"]), Feature("Informationsressource", "b")],
        [line("a", *STREET, bilag=["c"]), Feature("Informationsressource", "b")],
    ),
    (
        "reference-wrong-type",
        [line("a", *STREET, startkomponent="b"), part("b", 0, 0)],
        [line("a", *STREET, startkomponent="b"), line("b", (0, 9), (9, 9))],
    ),
    ("line-zero-length", [line("a", (0, 0, 1.0), (0, 0, 2.0))], [line("a", (0, 0, 1.0), (0, 0, 1.0))]),
    ("line-zero-length", [line("a", (0, 0, NAN), (0.001, 0, 2.0))], [line("a", (0, 0, NAN), (0, 0, 2.0))]),
    (
        "line-outside-container",  # half of 600 mm and the worse of the accuracies: 1.3 m
        [trace("t", *STREET, bredde=600.0, indeholdtLedning=["a"]), line("a", (0, 1.299), (10, 1.299))],
        [trace("t", *STREET, bredde=600.0, indeholdtLedning=["a"]), line("a", (0, 1.301), (10, 1.301))],
    ),
    (
        "line-outside-container",  # no width and better accuracies: 0.5 m and 0.5 m
        [
            trace("t", *STREET, indeholdtLedning=["a"], noejagtighedsklasse="<= 0.25 m"),
            line("a", (0, 0.999), (10, 0.999), noejagtighedsklasse="<= 0.50 m"),
        ],
        [
            trace("t", *STREET, indeholdtLedning=["a"], noejagtighedsklasse="<= 0.25 m"),
            line("a", (0, 1.001), (10, 1.001), noejagtighedsklasse="<= 0.50 m"),
        ],
    ),
    (
        "line-outside-container",  # a duct of 110 mm: 0.155 m; between its vertices the line bows out
        [
            duct("d", *STREET, udvendigDiameter=110.0, indeholdtLedning=["a"]),
            line("a", (1, 0), (5, 0.154), (9, 0)),
        ],
        [
            duct("d", *STREET, udvendigDiameter=110.0, indeholdtLedning=["a"]),
            line("a", (1, 0), (5, 0.156), (9, 0)),
        ],
    ),
    (
        "line-outside-container",  # a line may pass through, but not turn away inside
        [duct("d", (4, 0), (6, 0), indeholdtLedning=["a"]), line("a", (0, 0), (10, 0), (10, 9))],
        [duct("d", (4, 0), (6, 0), indeholdtLedning=["a"]), line("a", (0, 0), (5, 0), (5, 9))],
    ),
    (
        "line-outside-duct-height",  # top of duct at 10, 200 mm, vertical classes 0.25 m, tolerance 0.1 m
        [
            duct(
                "d",
                (0, 0, 10.0),
                (10, 0, 10.0),
                udvendigDiameter=200.0,
                indeholdtLedning=["a"],
                noejagtighedsklasseVertikal="<= 0.25 m",
            ),
            line("a", (0, 0, 10.349), (9, 0, 9.451), (10, 0, NAN), noejagtighedsklasseVertikal="<= 0.25 m"),
        ],
        [
            duct(
                "d",
                (0, 0, 10.0),
                (10, 0, 10.0),
                udvendigDiameter=200.0,
                indeholdtLedning=["a"],
                noejagtighedsklasseVertikal="<= 0.25 m",
            ),
            line("a", (0, 0, 10.3), (9, 0, 9.449), (10, 0, NAN), noejagtighedsklasseVertikal="<= 0.25 m"),
        ],
    ),
    (
        "component-apart-from-line-end",
        [line("a", *STREET, slutkomponent="c"), part("c", 10.249, 0)],
        [line("a", *STREET, slutkomponent="c"), part("c", 10.251, 0)],
    ),
    (
        "component-apart-from-line-end",  # a well of 1,000 mm
        [
            line("a", *STREET, startkomponent="c"),
            part("c", -0.749, 0, "Afloebskomponent", bunddiameterbredde=1000.0),
        ],
        [
            line("a", *STREET, startkomponent="c"),
            part("c", -0.751, 0, "Afloebskomponent", bunddiameterbredde=1000.0),
        ],
    ),
    (
        "component-apart-from-line-end",  # the other way round
        [line("a", *STREET, startkomponent="c", slutkomponent="d"), part("c", 0, 0), part("d", 10, 0)],
        [line("a", *STREET, startkomponent="c", slutkomponent="c"), part("c", 0, 0), part("d", 10, 0)],
    ),
    (
        "connected-line-apart",
        [line("a", *STREET), part("c", 5, 1.999, tilknyttetLedning=["a"])],
        [line("a", *STREET), part("c", 5, 2.001, tilknyttetLedning=["a"])],
    ),
    (
        "container-utility-differs",
        [duct("d", *STREET, forsyningsart=["el", "vand"], indeholdtLedning=["a"]), line("a")],
        [duct("d", *STREET, forsyningsart=["el"], indeholdtLedning=["a"]), line("a")],
    ),
    (
        "container-utility-differs",  # nobody knows what the duct or the line is for
        [
            duct("d", *STREET, indeholdtLedning=["a"]),
            trace("t", (0, 9), (9, 9), forsyningsart=["el"], indeholdtLedning=["b"]),
            line("a"),
            line("b", kind="LedningUkendtForsyningsart"),
        ],
        [
            duct("d", *STREET, forsyningsart=["el"], indeholdtLedning=["a"]),
            trace("t", (0, 9), (9, 9), forsyningsart=["el"], indeholdtLedning=["b"]),
            line("a", forsyningsart="other: ilt", kind="AndenLedning"),
            line("b", kind="LedningUkendtForsyningsart"),
        ],
    ),
    (
        "container-flag-differs",
        [duct("d", *STREET, indeholdtLedning=["a"], indeholderLedninger=True), line("a")],
        [duct("d", *STREET, indeholdtLedning=["a"], indeholderLedninger=False), line("a")],
    ),
    (
        "container-flag-differs",  # lying in a trace is not lying in a line
        [
            trace("t", *STREET, indeholdtLedning=["a"]),
            line("a", liggerILedning=False),
            line("b", *STREET, liggerILedning=True),
        ],
        [duct("t", *STREET, indeholdtLedning=["a"]), line("a", liggerILedning=False)],
    ),
    (
        "line-in-several-ducts",  # a duct in a duct
        [
            duct("d", *STREET, indeholdtLedning=["e", "a"]),
            duct("e", (1, 0), (9, 0), indeholdtLedning=["a"]),
            line("a"),
        ],
        [
            duct("d", *STREET, indeholdtLedning=["a"]),
            duct("e", (1, 9), (9, 9), indeholdtLedning=["a"]),
            line("a"),
        ],
    ),
    (
        "line-crosses-itself",  # a ring is closed, not crossed
        [line("a", (0, 0), (10, 0), (10, 10), (0, 0))],
        [line("a", (0, 0), (10, 0), (10, 10), (5, -1))],
    ),
    (
        "line-spike",
        [line("a", (0, 0), (10, 0), (8.5, 1.5 * 0.0876))],
        [line("a", (0, 0), (10, 0), (8.5, 1.5 * SPIKE))],
    ),
    (
        "line-spike",  # longer ones are drawn on purpose
        [line("a", (0, 0), (10, 0), (7.999, 0.1))],
        [line("a", (0, 0), (10, 0), (8.01, 0.1))],
    ),
    (
        "duplicate-content",
        [line("a", *STREET), line("b", *STREET, tryk=1.0, kind="Gasledning")],
        [line("a", *STREET, id="x"), line("b", *STREET, id="y")],
    ),
    (
        "duplicate-geometry",  # one above the other is not the same place; nor are two cables in one duct
        [
            line("a", (0, 0, 1.0), (9, 0, 1.0)),
            part("v", 0, 5, type="ventil"),
            part("t", 0, 5, type="bøjning"),
        ],
        [line("a", (0, 0, 1.0), (9, 0, 1.0)), line("b", (9, 0, 1.0), (0, 0, 1.0), udvendigDiameter=90.0)],
    ),
    (
        "duplicate-geometry",
        [
            duct("d", *STREET, indeholdtLedning=["a", "b"]),
            line("a", *STREET, id="1"),
            line("b", *STREET, udvendigDiameter=9.0),
        ],
        [line("a", *STREET, id="1"), line("b", *STREET, udvendigDiameter=9.0)],
    ),
    (
        "lines-overlap",
        [line("a", *STREET), line("b", (8, 5), (9, 0), (10, 0), (12, 5))],
        [line("a", *STREET), line("b", (8, 5), (8.99, 0), (10, 0), (12, 5))],
    ),
    (
        "lines-overlap",
        [line("a", *STREET), line("b", (12, 0.011), (2, 0.011)), part("c", 0, 0), part("d", 10, 0)],
        [line("a", *STREET), line("b", (12, 0.009), (2, 0.009))],
    ),
    (
        "lines-overlap",  # out of one cabinet
        [
            line("a", *STREET, startkomponent="c"),
            line("b", (0, 0), (5, 0), (5, 5), startkomponent="c"),
            part("c", 0, 0),
        ],
        [line("a", *STREET), line("b", (0, 0), (5, 0), (5, 5)), part("c", 0, 0)],
    ),
    (
        "line-end-gap",
        [line("a", *STREET), line("b", (5, 0.009), (5, 5)), line("c", (7, 0.101), (7, 5))],
        [line("a", *STREET), line("b", (5, 0.011), (5, 5)), line("c", (7, 0.101), (7, 5))],
    ),
    (
        "line-end-gap",
        [line("a", *STREET), line("c", (7, 0.101), (7, 5))],
        [line("a", *STREET), line("c", (7, 0.099), (7, 5))],
    ),
    (
        "line-end-gap",  # joined by a component, or of another network
        [
            line("a", *STREET),
            line("b", (5, 0.05), (5, 5), startkomponent="c"),
            line("d", (7, 0.05), (7, 5)),
            line("e", (8, 0.05), (8, 5), kind="Gasledning"),
            part("c", 5, 0.05),
            part("f", 7, 0.05),
        ],
        [line("a", *STREET), line("b", (5, 0.05), (5, 5)), part("f", 7, 0.05)],
    ),
)
