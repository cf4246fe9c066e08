"""Features to rows and back, without a database."""

from uuid import UUID

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from ler.db.rows import COLUMNS, Row, feature_to_row, row_to_feature
from ler.errors import InputError
from ler.model import Attribute, Feature, FeatureType, Kind, Value, load_model

ID = UUID("00000000-0000-4000-8000-00000000000f")
TYPES = load_model().types
NAN = float("nan")
INFINITE = float("inf")

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
numbers = st.floats(-1e15, 1e15, allow_nan=False).map(lambda x: x + 0.0)
places = st.tuples(st.floats(4e5, 9e5), st.floats(6e6, 6.4e6), st.floats(-50, 200) | st.just(NAN))
paths = st.lists(places, min_size=2, max_size=6)
points = places.map(Point)
curves = paths.map(LineString)
surfaces = places.map(
    lambda p: Polygon([p, (p[0] + 1, p[1], p[2]), (p[0] + 1, p[1] + 1, NAN), (p[0], p[1] + 1, 3.25)])
)
GEOMETRIES: dict[str, st.SearchStrategy[BaseGeometry]] = {
    "curve": curves,
    "curves": curves | st.lists(paths, min_size=1, max_size=3).map(MultiLineString),
    "point": points,
    "any": points
    | curves
    | surfaces
    | st.lists(surfaces, min_size=1, max_size=1).map(shapely.MultiPolygon)
    | st.lists(places, min_size=1, max_size=3).map(shapely.MultiPoint)
    | st.tuples(points, curves, surfaces).map(shapely.GeometryCollection),
}


def values(attribute: Attribute) -> st.SearchStrategy[Value]:
    one: st.SearchStrategy[Value]
    match attribute.kind:
        case Kind.INTEGER:
            one = st.integers(-(2**70), 2**70)
        case Kind.SHARE | Kind.MEASURE | Kind.LEVEL:
            one = numbers
        case Kind.BOOLEAN:
            one = st.booleans()
        case Kind.INLINE:
            one = st.dictionaries(texts, texts, max_size=3)
        case _:
            one = texts
    return st.lists(one, max_size=3) if attribute.many else one


@st.composite
def features(draw: st.DrawFn, types: tuple[FeatureType, ...] = tuple(load_model().concrete())) -> Feature:
    feature_type = draw(st.sampled_from(types))
    attributes = {
        attribute.name: draw(values(attribute))
        for attribute in feature_type.attributes
        if attribute.kind is not Kind.GEOMETRY and draw(st.booleans())
    }
    names = st.sampled_from([attribute.name for attribute in feature_type.attributes])
    geometry = feature_type.geometry
    return Feature(
        feature_type.name,
        draw(texts.filter(bool)),
        attributes,
        draw(st.dictionaries(names, st.none() | texts, max_size=3)),
        draw(st.none() | GEOMETRIES[geometry.geometry]) if geometry else None,
    )


def as_given(feature: Feature) -> tuple[object, ...]:
    """Everything that must come back, letter by letter and bit by bit."""
    geometry = feature.geometry
    wkb = None if geometry is None else shapely.to_wkb(geometry, byte_order=1)
    kinds = {name: type(value) for name, value in feature.attributes.items()}
    return feature.type, feature.gml_id, feature.attributes, kinds, feature.voids, wkb


def to_row(feature: Feature) -> Row:
    return feature_to_row(feature, TYPES[feature.type], owner_id=ID, version_id=ID, seq=1)


@settings(deadline=None)
@given(features())
def test_what_goes_in_comes_out(feature: Feature) -> None:
    row = to_row(feature)
    assert row["geom"] is None or shapely.get_srid(shapely.from_wkb(row["geom"])) == 25832
    assert as_given(row_to_feature(row)) == as_given(feature)


def test_columns_are_attributes_of_the_model() -> None:
    names = {a.name for t in TYPES.values() for a in t.attributes}
    assert COLUMNS.keys() <= names
    for name in COLUMNS:
        kinds = {a.kind for t in load_model().concrete() for a in t.attributes if a.name == name}
        assert kinds == {Kind.MEASURE} if name == "vejledendeDybde" else kinds <= {*Kind} - {Kind.MEASURE}
        assert not any(a.many for t in load_model().concrete() for a in t.attributes if a.name == name)


def test_the_primary_utility_type_has_a_column() -> None:
    assert to_row(Feature("Elledning", "a"))["utility_type"] == "el"
    trace = Feature("Ledningstrace", "a", {"forsyningsart": ["vand", "el"]})
    assert to_row(trace)["utility_type"] == "vand"
    assert to_row(Feature("LedningUkendtForsyningsart", "a"))["utility_type"] is None


def line_to(*place: float) -> LineString:
    with np.errstate(invalid="ignore"):
        return LineString([(0, 0, 0), place])


@pytest.mark.parametrize(
    ("attributes", "geometry"),
    [
        ({"type": "a\0b"}, None),
        ({"type": "\ud800"}, None),
        ({"driftsstatus": "\0"}, None),
        ({"driftsstatus": "\ud800"}, None),
        ({"driftsstatus": ["a list"]}, None),
        ({"vejledendeDybde": "600"}, None),
        ({"vejledendeDybde": True}, None),
        ({"vejledendeDybde": NAN}, None),
        ({"spaendingsniveau": INFINITE}, None),
        ({"spaendingsniveau": 1e16}, None),
        ({"kontaktprofilTilTekniskeSpoergsmaal": {"navn": ["\0"]}}, None),
        ({}, LineString([(0, 0), (1, 1)])),
        ({}, shapely.from_wkt("LINESTRING Z EMPTY")),
        ({}, shapely.from_wkt("LINESTRING ZM (0 0 0 0, 1 1 1 1)")),
        ({}, line_to(NAN, 1, 1)),
        ({}, line_to(1, INFINITE, 1)),
        ({}, line_to(1, 1, INFINITE)),
        ({}, shapely.GeometryCollection([Point(0, 0, 0), Point(0, 0)])),
    ],
)
def test_what_would_change_is_refused_by_name(
    attributes: dict[str, Value], geometry: BaseGeometry | None
) -> None:
    with pytest.raises(InputError, match=r"^the cable "):
        to_row(Feature("Elledning", "the cable", attributes, {}, geometry))
