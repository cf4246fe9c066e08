"""Coordinate systems: where points come out, by formulas of our own; what is told, and what is refused."""

import math

import numpy as np
import pyproj
import pytest

from ingest.crs import (
    KNOWN_EPSG,
    Heights,
    common_system,
    find_system,
    looks_like_degrees,
    transform,
    transformation_from,
)
from ler.errors import RefusedError

GRS80 = (6378137.0, 1 / 298.257222101)
UTM32 = (9.0, 0.9996, 500_000.0, 0.0)
PROJECTIONS = {
    # central meridian, scale, false easting, false northing: as the EPSG register has them
    25832: UTM32,
    25833: (15.0, 0.9996, 500_000.0, 0.0),
    2196: (9.5, 0.99995, 200_000.0, 0.0),
    2197: (12.0, 0.99995, 500_000.0, 0.0),
    2198: (15.0, 1.0, 900_000.0, 0.0),
    4093: (9.0, 0.99998, 200_000.0, -5_000_000.0),
    4094: (10.0, 0.99998, 400_000.0, -5_000_000.0),
    4095: (11.75, 0.99998, 600_000.0, -5_000_000.0),
    4096: (15.0, 1.0, 800_000.0, -5_000_000.0),
}
PLACES = {"Aarhus": (10.2, 56.15), "Rønne": (14.7, 55.1), "Skagen": (10.6, 57.73)}


def transverse_mercator(
    lon: float, lat: float, projection: tuple[float, float, float, float]
) -> tuple[float, float]:
    """Krüger's series to n^4 (Karney 2011), written here from the formulas: good to a micrometre in Denmark."""
    meridian, scale, east, north = projection
    a, f = GRS80
    n = f / (2 - f)
    radius = a / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    alphas = (
        n / 2 - 2 / 3 * n**2 + 5 / 16 * n**3 + 41 / 180 * n**4,
        13 / 48 * n**2 - 3 / 5 * n**3 + 557 / 1440 * n**4,
        61 / 240 * n**3 - 103 / 140 * n**4,
        49561 / 161280 * n**4,
    )
    eccentricity = math.sqrt(f * (2 - f))
    phi, lam = math.radians(lat), math.radians(lon - meridian)
    t = math.sinh(math.atanh(math.sin(phi)) - eccentricity * math.atanh(eccentricity * math.sin(phi)))
    xi, eta = math.atan2(t, math.cos(lam)), math.atanh(math.sin(lam) / math.hypot(1, t))
    series = list(enumerate(alphas, start=1))
    x = eta + sum(a * math.cos(2 * j * xi) * math.sinh(2 * j * eta) for j, a in series)
    y = xi + sum(a * math.sin(2 * j * xi) * math.cosh(2 * j * eta) for j, a in series)
    return east + scale * radius * x, north + scale * radius * y


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("epsg", PROJECTIONS)
def test_projections_of_etrs89_come_out_where_the_formulas_say(epsg: int, place: str) -> None:
    written = transverse_mercator(*PLACES[place], PROJECTIONS[epsg])
    moved = transform(find_system(f"EPSG:{epsg}"), np.array([written]))
    assert moved[0].tolist() == pytest.approx(transverse_mercator(*PLACES[place], UTM32), abs=0.001)


@pytest.mark.parametrize("name", ["EPSG:4258", "EPSG:4326", "urn:ogc:def:crs:OGC:1.3:CRS84"])
def test_degrees_are_longitude_then_latitude(name: str) -> None:
    """The register has latitude first; files have x first, and so has what GDAL gives."""
    moved = transform(find_system(name), np.array([PLACES["Rønne"]]))
    assert moved[0].tolist() == pytest.approx(transverse_mercator(*PLACES["Rønne"], UTM32), abs=0.001)


@pytest.mark.parametrize(
    ("epsg", "written", "wanted"),
    [
        # by gdaltransform of GDAL 3.6 with PROJ 9.1: another release of the library and of its register
        (3857, (1135000, 7580000), (574373.6356, 6218774.5054)),
        (23032, (575082, 6224207), (575000.7389, 6224000.1611)),
        (23033, (480938, 6106207), (863512.3693, 6120817.8303)),
        (25833, (480856, 6106000), (863500.9906, 6120808.5720)),
        (32632, (575000, 6224000), (575000.0, 6223999.9999)),
    ],
)
def test_other_systems_come_out_where_another_release_of_proj_puts_them(
    epsg: int, written: tuple[float, float], wanted: tuple[float, float]
) -> None:
    moved = transform(find_system(f"EPSG:{epsg}"), np.array([written], dtype=float))
    assert moved[0].tolist() == pytest.approx(wanted, abs=0.001)


def test_ed50_goes_by_the_operation_for_danish_land() -> None:
    """There are others, for the sea and for Germany, half a metre off; and a ballpark one, 180 m off."""
    way = transformation_from(find_system("EPSG:23032"))
    assert "ED50 to ETRS89 (4)" in way.operation
    assert (way.accuracy_m, way.accurate) == (1.0, False)


@pytest.mark.parametrize("epsg", PROJECTIONS)
def test_a_projection_loses_nothing(epsg: int) -> None:
    way = transformation_from(find_system(f"EPSG:{epsg}"))
    assert (way.accuracy_m, way.accurate) == (0.0, True)


@pytest.mark.parametrize(
    ("name", "heights"),
    [
        ("EPSG:25832", Heights.ASSUMED),
        ("EPSG:7416", Heights.KEPT),
        ("EPSG:25832+5799", Heights.KEPT),
        ("EPSG:25833+5799", Heights.KEPT),
        ("EPSG:4097", Heights.KEPT),
        ("EPSG:7418", Heights.KEPT),
        ("EPSG:25832+10485", Heights.CONVERTED),
        ("EPSG:25832+5733", Heights.LOST),
        ("EPSG:4937", Heights.LOST),
        ("EPSG:4979", Heights.LOST),
    ],
)
def test_heights_are_kept_converted_or_lost_but_never_taken_for_others(name: str, heights: Heights) -> None:
    way = transformation_from(find_system(name))
    assert way.heights is heights
    lon_lat = way.source.in_degrees
    start = np.array(
        [[*(PLACES["Aarhus"] if lon_lat else transverse_mercator(*PLACES["Aarhus"], UTM32)), 12.5]]
    )
    if not lon_lat and way.source.epsg != 25832:
        start[0, :2] = transverse_mercator(*PLACES["Aarhus"], PROJECTIONS[way.source.epsg])
    moved = way.apply(start)[0]
    assert moved[:2].tolist() == pytest.approx(transverse_mercator(*PLACES["Aarhus"], UTM32), abs=0.001)
    if heights is Heights.LOST:
        assert math.isnan(moved[2])
    else:
        assert moved[2] == pytest.approx(12.5, abs=0.03 if heights is Heights.CONVERTED else 0)


def test_an_unknown_height_stays_unknown_through_a_conversion() -> None:
    way = transformation_from(find_system("EPSG:25832+10485"))
    moved = way.apply(np.array([[575000.0, 6224000.0, np.nan], [575000.0, 6224000.0, 3.0]]))
    assert np.isnan(moved[:, 2]).tolist() == [True, False]
    assert moved[:, :2].tolist() == [[575000.0, 6224000.0]] * 2


@pytest.mark.parametrize("epsg", KNOWN_EPSG)
def test_every_known_system_has_a_way_that_needs_no_network(epsg: int) -> None:
    assert not pyproj.network.is_network_enabled()  # type: ignore[attr-defined]
    assert "allpark" not in transformation_from(find_system(f"EPSG:{epsg}")).operation


def test_a_network_that_proj_may_use_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyproj.network.is_network_enabled", lambda: True)
    transformation_from.cache_clear()
    with pytest.raises(RuntimeError, match="network"):
        transformation_from(find_system("EPSG:25833"))


@pytest.mark.parametrize(
    "name",
    [
        "EPSG:999999",
        "urn:x",
        "EPSG:2180",
        "",
        "+proj=utm +zone=32 +nadgrids=/etc/passwd",
        "+init=/etc/passwd:x",
        "/etc/passwd",
        "x" * 50_000,
        "PROJCS[" * 3000,
    ],
)
def test_a_system_that_is_not_known_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(RefusedError, match="EPSG:25832, EPSG:25833") as refused:
        find_system(name)
    assert refused.value.code == "crs-unsupported"
    assert len(str(refused.value)) < 500


def test_system_34_is_refused_with_the_grid_that_is_missing() -> None:
    with pytest.raises(RefusedError, match=r"dk_sdfi_s34j_2022\.tif") as refused:
        transformation_from(find_system("EPSG:10160"))
    assert refused.value.code == "crs-unsupported"


@pytest.mark.parametrize("epsg", KNOWN_EPSG)
@pytest.mark.parametrize("version", ["WKT1_ESRI", "WKT1_GDAL", "WKT2_2019", "PROJJSON"])
def test_a_system_is_known_again_from_its_definition(epsg: int, version: str) -> None:
    crs = pyproj.CRS.from_epsg(epsg)
    text = crs.to_json() if version == "PROJJSON" else crs.to_wkt(version)
    assert find_system(text).epsg == epsg


@pytest.mark.parametrize(
    ("stated", "told", "override", "wanted"),
    [
        ("EPSG:25832", None, False, "EPSG:25832"),
        (None, "EPSG:25833", False, "EPSG:25833"),
        ("EPSG:25832", "EPSG:7416", False, "EPSG:25832+5799"),  # the owner adds what heights mean
        ("EPSG:25832", "EPSG:25832", False, "EPSG:25832"),
        ("EPSG:4326", "EPSG:25832", True, "EPSG:25832"),
        (None, None, False, "crs-missing"),
        ("EPSG:25832", "EPSG:25833", False, "crs-mixed"),
        ("EPSG:7416", "EPSG:25832+5733", False, "crs-mixed"),
        ("EPSG:2180", None, False, "crs-unsupported"),
        ("EPSG:2180", "EPSG:25832", False, "crs-unsupported"),
    ],
)
def test_what_a_file_says_and_what_its_owner_says(
    stated: str | None,
    told: str | None,
    override: bool,  # noqa: FBT001 - a column of the table
    wanted: str,
) -> None:
    if wanted.startswith("crs-"):
        with pytest.raises(RefusedError, match="net") as refused:
            common_system(stated, told, where="the layer 'net'", override=override)
        assert refused.value.code == wanted
    else:
        assert common_system(stated, told, where="the layer 'net'", override=override).name == wanted


def test_metres_do_not_look_like_degrees() -> None:
    assert looks_like_degrees(12.5, 55.7)
    assert not looks_like_degrees(575_000, 6_224_000)
