"""What a digger sees of each feature: its band, its place, its depth; and where that is written down."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from geoapi.packing import package_options
from ler.domain.uncertainty import ACCURACY_M, LARGEST_OUTER_M, NO_BAND, Band, band_of
from ler.model import Feature, load_model
from ler.packages.assessment import Assessed
from ler.packages.contents import Contents, PackageOptions
from ler.packages.package import write_consolidated_package
from ler.settings import Settings
from tests.package_samples import SOUTH, WEST, sample
from tests.terrains import write_terrain


def band(feature_type: str, geometry: BaseGeometry | None = None, **attributes: Any) -> Band:  # noqa: ANN401
    feature = Feature(feature_type, "f", attributes, geometry=geometry)
    return band_of(feature, load_model().types[feature_type], 5.0)


def test_every_class_with_a_bound_is_known() -> None:
    assert [*ACCURACY_M, "> 2.00 m"] == list(load_model().code_lists["Noejagtighedsklasse"].values)


def test_types_with_a_largest_size_are_lines_of_the_model() -> None:
    assert all(load_model().types[name].is_a("Ledning") for name in LARGEST_OUTER_M)


@pytest.mark.parametrize(
    ("feature_type", "attributes", "expected"),
    [
        (
            "Vandledning",
            {"noejagtighedsklasse": "<= 0.50 m", "udvendigDiameter": 110.0},
            Band(0.555, True, 0.5, 0.11),
        ),
        (
            "Afloebsledning",
            {"noejagtighedsklasse": "<= 0.25 m", "udvendigBredde": 900.0},
            Band(0.7, True, 0.25, 0.9),
        ),
        ("Ledningstrace", {"noejagtighedsklasse": "<= 2.00 m", "bredde": 400.0}, Band(2.2, True, 2.0, 0.4)),
        (
            "Vandledning",
            {"noejagtighedsklasse": "> 2.00 m", "udvendigDiameter": 200.0},
            Band(5.1, False, None, 0.2),
        ),
        ("Vandledning", {"udvendigDiameter": 200.0}, Band(5.1, False, None, 0.2)),
        ("Gasledning", {"noejagtighedsklasse": "<= 1.00 m"}, Band(1.5, False, 1.0, None)),
        ("Ledningstrace", {"noejagtighedsklasse": "<= 1.00 m"}, Band(2.5, False, 1.0, None)),
        (
            "Elledning",
            {"noejagtighedsklasse": "<= 0.25 m", "udvendigDiameter": 40.0, "indtegningsmetode": "forskudt"},
            Band(5.02, False, None, 0.04),
        ),
        (
            "Afloebskomponent",
            {"noejagtighedsklasse": "<= 0.25 m", "bunddiameterbredde": 800.0, "bundlaengde": 1000.0},
            Band(0.75, True, 0.25, 1.0),
        ),
    ],
)
def test_the_band_is_the_class_and_half_the_size(
    feature_type: str, attributes: dict[str, Any], expected: Band
) -> None:
    assert band(feature_type, **attributes) == expected


def test_what_is_drawn_by_its_outline_has_no_size_besides_and_a_note_has_no_band() -> None:
    outline = shapely.box(0, 0, 2, 2)
    assert band("Elkomponent", outline, noejagtighedsklasse="<= 0.25 m") == Band(0.25, True, 0.25, 0.0)
    assert band("Afloebskomponent", outline, bundlaengde=900.0) == Band(5.0, False, None, 0.0)
    assert band("TextAnnotation") is NO_BAND


def delivered(*features: Feature, options: PackageOptions | None = None) -> Contents:
    """The first owner of the sample, whose area is 100 m square, delivers these; the others nothing."""
    request, owners = sample(1)
    answer = replace(owners[0].deliveries[0], features=features, clipped=frozenset())
    return Contents(request, [replace(owners[0], deliveries=(answer,))], options=options or PackageOptions())


def pipe(name: str, *points: tuple[float, ...], **attributes: Any) -> Feature:  # noqa: ANN401 - of a feature
    line = shapely.LineString([(WEST + x, SOUTH + y, *z) for x, y, *z in points])
    given: dict[str, Any] = {"noejagtighedsklasse": "<= 0.50 m", "udvendigDiameter": 110.0}
    return Feature("Vandledning", name, given | attributes, geometry=line)


def test_what_touches_the_dig_area_lies_in_it_and_the_rest_is_so_far_away() -> None:
    features = (
        pipe("inside", (10, 10, 1), (20, 20, 1)),
        pipe("to the border", (-1, 10, 1), (0, 10, 1)),
        pipe("rounded", (-1, 10, 1), (-0.0004, 10, 1)),
        pipe("beside", (-0.5, 10, 1), (-0.5, 50, 1)),
        pipe("far", (-3, 10, 1), (-3, 50, 1)),
        pipe("far and badly known", (-3, 10, 1), (-3, 50, 1), noejagtighedsklasse="> 2.00 m"),
        Feature("Vandledning", "nowhere"),
        Feature("Informationsressource", "attached"),
    )
    found = delivered(*features).assessed
    assert [one.feature for one in found] == list(features)
    assert [(one.in_dig_area, one.distance_m, one.may_be_in_dig_area) for one in found] == [
        (True, 0.0, True),
        (True, 0.0, True),
        (True, 0.0, True),
        (False, 0.5, True),
        (False, 3.0, False),
        (False, 3.0, True),
        (None, None, True),
        (None, None, False),
    ]


def test_it_is_found_once_and_nothing_of_nothing() -> None:
    contents = delivered()
    assert contents.assessed == []
    assert contents.assessed is contents.assessed
    assert delivered(options=PackageOptions(terrain=Path("gone.tif"))).covers.document() == {
        "name": "gone.tif",
        "sha256": None,
        "accuracy_m": None,
        "cover_known": 0,
        "cover_unknown": {},
    }


def words(feature: Feature) -> tuple[str, str] | None:
    (found,) = delivered(feature).assessed
    return (found.depth.words("da"), found.depth.words("en")) if found.depth else None


def test_depth_is_said_as_it_was_delivered() -> None:
    assert words(pipe("p", (1, 1, 2.345), (2, 2, 3.1), vejledendeDybde=850.0, niveau="under terræn")) == (
        "under terræn; vejledende dybde 0,85 m (ikke målt); overside i kote 2,35 til 3,10 m (DVR90)",
        "below ground; indicative depth 0.85 m (not measured); top at level 2.35 to 3.10 m (DVR90)",
    )
    assert words(pipe("p", (1, 1, 2.5), (2, 2, np.nan))) == (
        "overside i kote 2,50 m (DVR90), kote mangler for en del",
        "top at level 2.50 m (DVR90), in part without levels",
    )
    at = shapely.Point(WEST + 1, SOUTH + 1, 1.5)
    assert words(Feature("Afloebskomponent", "c", {"topkote": 4.0, "bundkote": 1.25}, geometry=at)) == (
        "overside i kote 4,00 m (DVR90); bund i kote 1,25 m (DVR90)",
        "top at level 4.00 m (DVR90); bottom at level 1.25 m (DVR90)",
    )
    assert words(Feature("Elkomponent", "c", {}, geometry=at)) == (
        "tegnet i kote 1,50 m (DVR90)",
        "drawn at level 1.50 m (DVR90)",
    )
    for nothing in (pipe("p", (1, 1, -99.0), (2, 2, np.nan)), Feature("TextAnnotation", "t", geometry=at)):
        assert words(nothing) is None


@pytest.fixture
def options(tmp_path: Path) -> PackageOptions:
    terrain = write_terrain(tmp_path / "dtm.tif", np.full((60, 60), 3.0), west=WEST, north=SOUTH + 60)
    return package_options(Settings(terrain_model=terrain, terrain_accuracy_m=0.05, unknown_accuracy_m=4.0))


FEATURES = (
    pipe("a", (10, 10, 1), (20, 20, 2), noejagtighedsklasseVertikal="<= 0.25 m"),
    pipe("b", (-3, 10, 1), (-3, 50, 1), noejagtighedsklasse="> 2.00 m"),
    Feature("TextAnnotation", "t", {"text": "note"}, geometry=shapely.Point(WEST + 1, SOUTH + 1, 1.5)),
)


def test_the_package_says_it_in_its_geopackage_and_its_manifest(
    tmp_path: Path, options: PackageOptions
) -> None:
    contents = delivered(*FEATURES, options=options)
    made = write_consolidated_package(tmp_path, contents.request, contents.owners, options)
    assert made.manifest["assessment"] == {
        "in_dig_area": 1,
        "near": 1,
        "band_known": 1,
        "band_unknown": 1,
        "unknown_accuracy_m": 4.0,
        "terrain": {
            "name": "dtm.tif",
            "sha256": contents.covers.sha256,
            "accuracy_m": 0.05,
            "cover_known": 1,
            "cover_unknown": {"not-buried": 1, "terrain-missing": 1},
        },
    }
    again = write_consolidated_package(tmp_path / "again", contents.request, contents.owners, options)
    assert again.sha256 == made.sha256
    file = f"/vsizip/{made.path}/consolidated.gpkg"
    pipes = pyogrio.read_dataframe(file, layer="Vandledning")
    assert list(_rows(pipes)) == [
        ("a", True, 0.0, 0.555, True, 1.0, 2.0, 0.3, None),
        ("b", False, 3.0, 4.055, False, None, None, None, "terrain-missing"),
    ]
    assert "cover_min_m" not in pyogrio.read_info(file, layer="TextAnnotation")["fields"]


def _rows(pipes: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - a frame of pandas
    names = ["gml_id", "in_dig_area", "distance_m", "band_half_width_m", "band_known"]
    names += ["cover_min_m", "cover_max_m", "cover_uncertainty_m", "cover_unknown"]
    for row in pipes[names].astype(object).itertuples(index=False):
        yield tuple(None if value is None or value != value else value for value in row)  # noqa: PLR0124 - NaN


def test_a_sample_has_one_value_a_feature_in_the_order_of_the_package() -> None:
    contents = Contents(*sample(40))
    assert [(one.owner, one.delivery, one.feature) for one in contents.assessed] == list(contents.features())
    assert all(isinstance(one, Assessed) and one.has_band for one in contents.assessed)
