"""A made-up network and made-up planned works for batches, the same from the same seed, straight into tables; and what of
them conflicts, by one statement of PostGIS.

The statement knows nothing of `conflicts`: places, bands and kinds of the lines are as they were made up, and distances of
rules are those of `tests.brute_conflicts`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray

from tests.brute_conflicts import limits_of

WEST, SOUTH = 560_000.0, 6_190_000.0
METHODS: Final = ("open-trench", "directional-drilling", "hand", "other")
ACTIVITIES: Final = ("vand", "el", "road", "other")
DATASET: Final = UUID(int=77)


@dataclass(frozen=True)
class Sort:
    """A sort of line: how it is told, and what it truly is."""

    feature_type: str
    utility: str
    kinds: tuple[str, ...]
    half_m: float
    """Of its band: what its accuracy class allows, and half its size."""
    accuracy: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    share: int = 10
    level: str | None = None
    component: bool = False


POWER: Final = ("power.low", "power.medium", "power.high", "power.transmission")
SORTS: Final = {
    "water": Sort("Vandledning", "vand", ("water",), 0.555, "<= 0.50 m", {"udvendigDiameter": 110.0}),
    "vague": Sort("Vandledning", "vand", ("water",), 5.7, None, share=2),
    "gas": Sort("Gasledning", "gas", ("gas.distribution",), 0.75, "<= 0.25 m", {"type": "distributionsledning"}),
    "main": Sort(
        "Gasledning", "gas", ("gas.transmission",), 1.3, "<= 1.00 m",
        {"type": "transmissionsledning", "udvendigDiameter": 600.0}, share=1,
    ),
    "low": Sort("Elledning", "el", ("power.low",), 0.6, "<= 0.50 m", {"spaendingsniveau": 0.4}),
    "power": Sort("Elledning", "el", POWER, 0.35, "<= 0.25 m", share=2),
    "air": Sort("Elledning", "el", ("power.medium",), 2.1, "<= 2.00 m", {"spaendingsniveau": 10.0}, 1, "over terræn"),
    "fibre": Sort("Telekommunikationsledning", "telekommunikation", ("telecom",), 1.1, "<= 1.00 m"),
    "sewer": Sort("Afloebsledning", "afløb", ("drain",), 2.0, "<= 0.50 m"),
    "well": Sort(
        "Afloebskomponent", "afløb", ("drain",), 0.875, "<= 0.25 m", {"bunddiameterbredde": 1250.0}, component=True
    ),
    # Its class is told by a line of low voltage that names it, 300 m away.
    "joint": Sort("Elkomponent", "el", ("power.low",), 1.75, "<= 0.25 m", share=2, component=True),
    # A duct, and a cable without a place in it: that lies where the duct lies.
    "duct": Sort(
        "Foeringsroer", "telekommunikation", ("telecom",), 0.525, "<= 0.50 m",
        {"udvendigDiameter": 50.0, "forsyningsart": ["telekommunikation"]}, share=3,
    ),
    "cable": Sort("Telekommunikationsledning", "telekommunikation", ("telecom",), 0.525, share=0),
    "feeder": Sort("Elledning", "el", ("power.low",), 0.6, "<= 0.50 m", {"spaendingsniveau": 0.4}, share=0),
}  # fmt: skip
_SCHEMA: Final = """
    CREATE SCHEMA truth;
    CREATE TABLE truth.line (
        gml_id text PRIMARY KEY, sort text, half_m double precision, reach_m double precision, component boolean,
        overhead boolean,
        geom geometry(Geometry, 25832)
    );
    CREATE TABLE truth.needed (
        sort text, activity text, method text, arrangement text, near_m double precision[],
        PRIMARY KEY (sort, activity, method, arrangement)
    );
"""
CONFLICTS: Final = """
    WITH part AS (
        SELECT w.id, w.activity, w.method, 0 AS place, w.geom,
            CASE ST_Dimension(w.geom) WHEN 2 THEN 0 ELSE coalesce(w.width_m, 1) / 2 END AS half_m,
            CASE WHEN w.method = 'directional-drilling' THEN 0.5 ELSE 0 END AS stray_m
        FROM ler.planned_work AS w
        UNION ALL
        SELECT w.id, w.activity, w.method, e.place, e.geom, sqrt(2), 0
        FROM ler.planned_work AS w
        CROSS JOIN LATERAL (VALUES (1, ST_StartPoint(w.geom)), (2, ST_EndPoint(w.geom))) AS e (place, geom)
        WHERE w.method = 'directional-drilling' AND GeometryType(w.geom) = 'LINESTRING'
    ),
    pair AS (
        SELECT p.*, l.gml_id, l.geom AS line, greatest(ST_Distance(p.geom, l.geom) - p.half_m, 0) AS drawn_m,
            min(greatest(greatest(ST_Distance(p.geom, l.geom) - p.half_m, 0) - p.stray_m - l.half_m, 0))
                OVER whole AS least_m,
            row_number() OVER (whole ORDER BY greatest(ST_Distance(p.geom, l.geom) - p.half_m, 0), p.place) AS nth,
            l.sort, l.component, l.overhead
        FROM part AS p
        CROSS JOIN (SELECT DISTINCT reach_m FROM truth.line) AS r
        JOIN truth.line AS l ON l.reach_m = r.reach_m AND l.geom && ST_Expand(p.geom, r.reach_m + 6.5 + p.half_m)
            AND ST_DWithin(p.geom, l.geom, r.reach_m + l.half_m + p.half_m + 0.5)
        WINDOW whole AS (PARTITION BY p.id, l.gml_id)
    ),
    arranged AS (
        SELECT p.*, CASE
            WHEN p.overhead THEN 'overhead'
            WHEN p.drawn_m >= 0.0005 THEN 'parallel'
            WHEN p.component THEN 'above'
            WHEN GeometryType(p.geom) <> 'LINESTRING' THEN 'parallel'
            WHEN (
                SELECT 90 - abs(90 - (b.apart - 180 * floor(b.apart / 180)))
                FROM (
                    SELECT ST_LineLocatePoint(p.line, ST_ClosestPoint(p.line, p.geom)) * ST_Length(p.line) AS along_m,
                        ST_Length(p.line) AS length_m
                ) AS m
                CROSS JOIN LATERAL (
                    SELECT abs(degrees(
                        ST_Azimuth(
                            ST_LineInterpolatePoint(p.line, greatest(m.along_m - 0.5, 0) / m.length_m),
                            ST_LineInterpolatePoint(p.line, least(m.along_m + 0.5, m.length_m) / m.length_m))
                        - ST_Azimuth(ST_StartPoint(p.geom), ST_EndPoint(p.geom))
                    )) AS apart
                ) AS b
            ) >= 30 THEN 'crossing'
            ELSE 'parallel'
        END AS arrangement
        FROM pair AS p
        WHERE p.nth = 1
    )
    SELECT a.id::text, a.gml_id, CASE
            WHEN l.least_m < n.near_m[1] THEN 'no-machine' WHEN l.least_m < n.near_m[2] THEN 'hand-dig'
            WHEN l.least_m < n.near_m[3] THEN 'stand-by' ELSE 'notify'
        END, a.arrangement, round(a.drawn_m::numeric, 3)::double precision, l.least_m
    FROM arranged AS a
    CROSS JOIN LATERAL (SELECT round(a.least_m::numeric, 3)::double precision AS least_m) AS l
    JOIN truth.needed AS n USING (sort, activity, method, arrangement)
    WHERE l.least_m < n.near_m[4]
"""
"""Work, line, zone, arrangement, distance as drawn and at least, m. Works are straight lines or areas without direction."""


@dataclass(frozen=True)
class Made:
    """Lines in arrays of one length."""

    names: list[str]
    sorts: list[str]
    attributes: list[dict[str, Any]]
    geometries: NDArray[np.object_]
    places: NDArray[np.object_]
    """As `geometries`, but of what lies where something else does the place of that."""


def make_lines(seed: int, count: int, side_m: float) -> Made:
    """Return about so many lines in a square."""
    chance = np.random.default_rng(seed)
    names = [name for name in SORTS if SORTS[name].share]
    shares = np.array([SORTS[name].share for name in names], dtype=np.float64)
    chosen = [names[n] for n in chance.choice(len(names), count, p=shares / shares.sum())]
    middles = np.array([WEST, SOUTH]) + chance.uniform(0, side_m, (count, 2))
    turns = chance.choice([0.4, 0.4 + np.pi / 2], count) + chance.normal(0, 0.1, count)
    ways = np.stack([np.cos(turns), np.sin(turns)], axis=1) * (1 + chance.exponential(20.0, count))[:, None]
    lines = shapely.linestrings(
        np.stack([middles - ways, middles + chance.normal(0, 0.3, (count, 2)), middles + ways], axis=1).round(
            3
        )
    )
    is_point = np.array([SORTS[sort].component for sort in chosen])
    drawn = shapely.get_parts(lines)
    geometries = _chosen(is_point, shapely.points(middles.round(3)), drawn)
    made = Made([], [], [], np.array([]), np.array([]))
    shapes: list[tuple[Any, Any]] = []
    for number, sort in enumerate(chosen):
        name, own = f"{sort}-{number}", dict(SORTS[sort].attributes)
        more: list[tuple[str, str, dict[str, Any], Any, Any]] = []
        place = geometries[number]
        if sort == "joint":
            away = shapely.transform(drawn[number], lambda points: points + 300.0)
            more = [
                (
                    f"feeder-{number}",
                    "feeder",
                    {"startkomponent": name, **SORTS["feeder"].attributes},
                    away,
                    away,
                )
            ]
        if sort == "duct":
            own["indeholdtLedning"] = [f"cable-{number}"]
            more = [(f"cable-{number}", "cable", {}, None, place)]
        for line in ((name, sort, own, place, place), *more):
            made.names.append(line[0])
            made.sorts.append(line[1])
            made.attributes.append(line[2])
            shapes.append(line[3:])
    columns = np.array([*shapes, (None, None)], dtype=object)[:-1].T
    return Made(made.names, made.sorts, made.attributes, columns[0], columns[1])


def _chosen(is_first: NDArray[np.bool_], first: Any, second: Any) -> NDArray[np.object_]:  # noqa: ANN401 - arrays of geometries
    return np.array(
        [one if chosen else other for chosen, one, other in zip(is_first, first, second, strict=True)]
    )


def enter_lines(admin: psycopg.Connection[Any], owner: UUID, made: Made) -> None:
    """Enter them as the owner's current network, and what they truly are."""
    version, needed = UUID(int=78), list(_needed())
    reach_m = {sort: max(row[-1][-1] for row in needed if row[0] == sort) for sort in SORTS}
    admin.execute(
        "INSERT INTO ler.network_dataset (id, owner_id, name) VALUES (%s, %s, 'network')", [DATASET, owner]
    )
    admin.execute(
        "INSERT INTO ler.network_version (id, dataset_id, owner_id, number, source_name, source_sha256, model_version,"
        " state, published_at) VALUES (%s, %s, %s, 1, 'x', repeat('0', 64), '2.2.0', 'published', now())",
        [version, DATASET, owner],
    )
    admin.execute("UPDATE ler.network_dataset SET current_version_id = %s WHERE id = %s", [version, DATASET])
    with admin.cursor() as cursor:
        columns = (
            "owner_id, dataset_id, seq, added_in, content_hash, feature_type, gml_id, utility_type, horizontal_accuracy,"
            " level, attributes, geom"
        )
        with cursor.copy(f"COPY ler.network_feature ({columns}) FROM STDIN") as copy:
            for seq, (name, sort, attributes, place) in enumerate(
                _lines(made, made.geometries, heights=True)
            ):
                told = SORTS[sort]
                copy.write_row(
                    (owner, DATASET, seq, 1, owner, told.feature_type, name, told.utility, told.accuracy, told.level,
                     json.dumps(attributes), place)
                )  # fmt: skip
        admin.execute(_SCHEMA)
        with cursor.copy("COPY truth.line FROM STDIN") as copy:
            for name, sort, _, place in _lines(made, made.places, heights=False):
                told = SORTS[sort]
                copy.write_row(
                    (name, sort, told.half_m, reach_m[sort], told.component, told.level is not None, place)
                )
        with cursor.copy("COPY truth.needed FROM STDIN") as copy:
            for row in needed:
                copy.write_row(row)
    admin.execute("CREATE INDEX ON truth.line USING gist (geom)")
    admin.execute("ANALYZE")


def _lines(
    made: Made, geometries: NDArray[np.object_], *, heights: bool
) -> Iterator[tuple[str, str, dict[str, Any], str | None]]:
    placed = shapely.set_srid(shapely.force_3d(geometries) if heights else geometries, 25832)
    ewkb = shapely.to_wkb(placed, hex=True, include_srid=True)
    yield from zip(made.names, made.sorts, made.attributes, ewkb, strict=True)


def _needed() -> Iterator[tuple[str, str, str, str, list[float]]]:
    for name, sort in SORTS.items():
        for activity in ACTIVITIES:
            for method in METHODS:
                for way in ("parallel", "crossing", "above", "overhead"):
                    yield name, activity, method, way, limits_of(activity, method, frozenset(sort.kinds), way)


def enter_works(admin: psycopg.Connection[Any], owner: UUID, seed: int, count: int, side_m: float) -> None:
    """Enter planned works in the same square: straight lines, and a few square areas and points."""
    chance = np.random.default_rng(seed)
    middles = np.array([WEST, SOUTH]) + chance.uniform(0, side_m, (count, 2))
    turns = chance.uniform(0, np.pi, count)
    ways = np.stack([np.cos(turns), np.sin(turns)], axis=1) * (2 + chance.exponential(15.0, count))[:, None]
    lines = shapely.linestrings(np.stack([middles - ways, middles + ways], axis=1).round(3))
    is_area = chance.random(count) < 0.1
    squares = [shapely.box(x - 2, y - 2, x + 2, y + 2) for x, y in middles.round(3).tolist()]
    places = _chosen(is_area, squares, shapely.get_parts(lines))
    ewkb = shapely.to_wkb(shapely.set_srid(places, 25832), hex=True, include_srid=True)
    columns = (
        "id, organisation_id, title, activity, method, duration_days, earliest_start, latest_end, road, surface, status,"
        " willing_to_share, ducts_wanted, ducts_offered, width_m, geom"
    )
    with admin.cursor() as cursor, cursor.copy(f"COPY ler.planned_work ({columns}) FROM STDIN") as copy:
        for number in range(count):
            method = "open-trench" if is_area[number] else METHODS[int(chance.integers(0, len(METHODS)))]
            copy.write_row(
                (UUID(int=1_000_000 + number), owner, "x", ACTIVITIES[int(chance.integers(0, len(ACTIVITIES)))],
                 method, 5, "2030-01-07", "2030-03-01", "none", "other", "planned", False, 0, 0,
                 [None, 0.6, 1.5][int(chance.integers(0, 3))], ewkb[number])
            )  # fmt: skip
