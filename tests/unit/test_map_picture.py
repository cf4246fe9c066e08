import math
import resource
from collections.abc import Sequence
from pathlib import Path

import cairocffi
import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine
from shapely import LineString, MultiLineString, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from ler.errors import InputError
from ler.packages.base_map import BaseMap
from ler.packages.colours import rgb
from ler.packages.map_canvas import (
    Box,
    clean,
    fit_frame,
    prepare_context,
    set_font,
    shorten,
    text_width,
    wrap,
)
from ler.packages.map_frame import bar_length, grid_interval
from ler.packages.map_kinds import Kind
from ler.packages.map_labels import Ground, Label, LabelPlacer, LabelRequest
from ler.packages.map_picture import PIXEL_MM, Picture, draw_picture, reduce_colours, world_file
from ler.packages.map_shapes import Drawing, MapFeature, Scene, kind_of
from ler.packages.map_sheet import Alert, SheetText, Subject
from ler.packages.map_texts import Said
from ler.packages.styles import load_styles

AREA = box(574_000, 6_223_000, 574_080, 6_223_060)
TEXT = SheetText(Said("Gravning i Ærøgade", "Excavation"), "Graveforespørgsel 1", (), [Said("Note", "Note")])
RED = load_styles().utility("el").colour
HOSTILE = "\u202eevil\x00\x07\u200b " + "Ledningsejer" * 300 + " \ud800 שלום"
SHEET_BOX = Box(10, 20, 180, 150)


def feature(
    geometry: BaseGeometry,
    utility: str = "el",
    kind: str = "Elledning",
    *,
    owner: str = "Radius",
    danger: str | None = None,
    status: str | None = None,
    band_m: float = 0.0,
    band_known: bool = True,
) -> MapFeature:
    return MapFeature(geometry, kind, utility, owner, danger, status, band_m, band_known)


def line(*coordinates: tuple[float, ...]) -> LineString:
    return LineString(coordinates)


def across(northing: float) -> LineString:
    return line((574_005, northing), (574_075, northing))


def draw(
    folder: Path, features: Sequence[MapFeature], area: Polygon = AREA, text: SheetText = TEXT
) -> Picture:
    styles = load_styles()
    picture = draw_picture(Subject(area, Scene(features, styles), text, BaseMap(None, area), styles))
    (folder / "map.png").write_bytes(picture.png)
    (folder / "map.pgw").write_bytes(world_file(picture.frame))
    return picture


def read(folder: Path) -> tuple[NDArray[np.uint8], Affine]:
    """Red, green, blue of each pixel, and where they lie."""
    with rasterio.open(folder / "map.png") as picture:
        palette = np.array([colour[:3] for _, colour in sorted(picture.colormap(1).items())], dtype=np.uint8)
        return palette[picture.read(1)].transpose(2, 0, 1), picture.transform


def pixel(pixels: NDArray[np.uint8], affine: Affine, easting: float, northing: float) -> tuple[int, ...]:
    column, row = ~affine @ (easting, northing)
    return tuple(int(channel) for channel in pixels[:, math.floor(row), math.floor(column)])


def is_near(found: tuple[int, ...], colour: str, most: int = 12) -> bool:
    return all(abs(a - b * 255) <= most for a, b in zip(found, rgb(colour), strict=True))


def arranged(features: Sequence[MapFeature]) -> Drawing:
    return Scene(features, load_styles()).arrange(fit_frame(AREA, SHEET_BOX))


@pytest.fixture
def context() -> cairocffi.Context:
    context = cairocffi.Context(cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, 10, 10))
    prepare_context(context)
    return context


def test_an_electricity_line_is_red_where_it_lies(tmp_path: Path) -> None:
    draw(tmp_path, [feature(across(6_223_020.0))])
    pixels, affine = read(tmp_path)
    assert is_near(pixel(pixels, affine, 574_010.0, 6_223_020.0), RED)
    assert not is_near(pixel(pixels, affine, 574_010.0, 6_223_021.0), RED, 60)


def test_the_file_lies_in_place_to_half_a_pixel(tmp_path: Path) -> None:
    picture = draw(tmp_path, [feature(across(6_223_020.0))])
    pixels, affine = read(tmp_path)
    assert np.allclose(affine, picture.affine, rtol=0, atol=1e-6)
    column, row = ~affine @ (574_010.0, 6_223_020.0)
    strip = pixels[:, :, int(column)].astype(float)
    redness = np.clip(strip[0] - strip[1], 0, None)
    redness[np.abs(np.arange(len(redness)) + 0.5 - row) > 8] = 0
    middle = float((redness * (np.arange(len(redness)) + 0.5)).sum() / redness.sum())
    assert abs(middle - row) < 0.5


def test_the_scale_is_true_at_the_resolution(tmp_path: Path) -> None:
    picture = draw(tmp_path, [])
    _, affine = read(tmp_path)
    assert picture.frame.denominator == 500
    assert affine.a == pytest.approx(500 * PIXEL_MM / 1000)
    assert affine.e == -affine.a
    west, south, east, north = picture.frame.bounds
    assert west < AREA.bounds[0] < AREA.bounds[2] < east
    assert south < AREA.bounds[1] < AREA.bounds[3] < north


def test_what_lies_outside_the_frame_is_cut_off(tmp_path: Path) -> None:
    picture = draw(tmp_path, [feature(line((570_000, 6_223_020), (580_000, 6_223_020)))])
    pixels, affine = read(tmp_path)
    west, _, east, _ = picture.frame.bounds
    pixel_m = affine.a
    assert is_near(pixel(pixels, affine, east - 1.0, 6_223_020.0), RED)
    assert pixel(pixels, affine, east + 4 * pixel_m, 6_223_020.0) == (255, 255, 255)
    assert pixel(pixels, affine, west - 4 * pixel_m, 6_223_020.0) == (255, 255, 255)


def test_the_same_input_gives_the_same_small_file(tmp_path: Path) -> None:
    features = [feature(across(6_223_020.0), danger="farlig"), feature(across(6_223_030.0), "vand")]
    one, two = (draw(tmp_path, features).png for _ in range(2))
    assert one == two
    assert len(one) < 100_000


def test_the_file_says_its_resolution_so_that_it_prints_at_its_scale(tmp_path: Path) -> None:
    header = draw(tmp_path, []).png[33:54]
    assert header[4:8] == b"pHYs"
    assert int.from_bytes(header[8:12], "big") == round(1000 / PIXEL_MM)


def test_colours_that_mean_something_stay_among_the_thirty_two() -> None:
    pixels = np.arange(200 * 200, dtype=np.uint32).reshape(200, 200) % 0x8000
    pixels[0, 0] = 0xCC1122
    palette, indices = reduce_colours(pixels, ["#cc1122", "#00ff00"])
    assert len(palette) == 32
    assert palette[indices[0, 0]].tolist() == [0xCC, 0x11, 0x22]
    assert [0, 255, 0] not in palette.tolist()  # it does not occur


def test_an_empty_list_says_so(tmp_path: Path) -> None:
    draw(tmp_path, [])
    shown = read(tmp_path)[0]
    middle = tuple(side // 2 for side in shown.shape[1:])
    assert (shown[:, middle[0] - 60 : middle[0] + 60, 400:700].min() < 60).any()


def test_features_without_a_place_are_counted_not_hidden(tmp_path: Path) -> None:
    far = feature(line((600_000, 6_300_000), (600_010, 6_300_000)))
    features = [feature(LineString()), far, feature(across(6_223_020.0))]
    assert Scene(features, load_styles()).without_place == 1
    assert draw(tmp_path, features).drawing.outside == 1


def test_heights_that_are_unknown_do_not_matter(tmp_path: Path) -> None:
    draw(tmp_path, [feature(line((574_005, 6_223_020, math.nan), (574_075, 6_223_020, 3.0)))])
    assert is_near(pixel(*read(tmp_path), 574_010.0, 6_223_020.0), RED)


def test_an_upright_line_is_a_dot_not_nothing(tmp_path: Path) -> None:
    upright = line((574_040, 6_223_020, 1.0), (574_040, 6_223_020, 4.0))
    draw(tmp_path, [feature(upright)])
    assert is_near(pixel(*read(tmp_path), 574_040.0, 6_223_020.0), RED)


def test_a_dangerous_line_stands_on_a_band(tmp_path: Path) -> None:
    beside = (574_010.0, 6_223_020.0 + 0.4)
    draw(tmp_path, [feature(across(6_223_020.0), "vand", "Vandledning")])
    plain = pixel(*read(tmp_path), *beside)
    draw(tmp_path, [feature(across(6_223_020.0), "vand", "Vandledning", danger="meget farlig")])
    assert is_near(pixel(*read(tmp_path), *beside), "#ffb3ad")
    assert not is_near(plain, "#ffb3ad")


def test_coordinates_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    with np.errstate(invalid="ignore"):
        broken = LineString(np.array([[574_005.0, math.inf], [574_075.0, 6_223_000.0]]))
    with pytest.raises(InputError, match="Geometry 2"):
        draw(tmp_path, [feature(across(6_223_020.0)), feature(broken)])


@pytest.mark.parametrize("area", [Polygon(), box(0, 0, 200_000_000, 1)])
def test_areas_that_no_sheet_can_show_are_refused(tmp_path: Path, area: Polygon) -> None:
    with pytest.raises(InputError):
        draw(tmp_path, [], area)


def test_hostile_words_do_not_break_the_sheet(tmp_path: Path) -> None:
    hostile = feature(across(6_223_020.0), HOSTILE, HOSTILE, owner=HOSTILE, danger=HOSTILE, status=HOSTILE)
    said = Said(HOSTILE, HOSTILE)
    text = SheetText(said, HOSTILE, [Alert(said, HOSTILE, HOSTILE)] * 20, [said] * 20, [(said, HOSTILE)] * 4)
    picture = draw(tmp_path, [hostile], text=text)
    pixels, _ = read(tmp_path)
    assert picture.drawing.outside == 0
    assert (pixels[:, :, -20:] == 255).all()
    assert (pixels[:, -20:, :] == 255).all()


def test_many_features_stay_within_reasonable_memory(tmp_path: Path) -> None:
    types = ("el", "gas", "vand", "afløb", "telekommunikation", "other: x", "unknown")
    features = [
        feature(
            line((574_000 + i % 71, 6_223_000 + i % 53), (574_006 + i % 71, 6_223_003 + i % 47)),
            types[i % len(types)],
            "Ledning",
            owner=f"Owner {i % 30}",
        )
        for i in range(5000)
    ]
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    picture = draw(tmp_path, features)
    assert picture.drawing.outside == 0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 150_000


def test_a_line_is_looked_for_within_its_band_to_scale(tmp_path: Path) -> None:
    band = load_styles().band
    draw(tmp_path, [feature(across(6_223_020.0), band_m=2.0)])
    pixels, affine = read(tmp_path)
    inside = [pixel(pixels, affine, 574_030.0, 6_223_020.0 + off) for off in (-1.8, 1.2, 1.8)]
    assert all(is_near(found, band.fill) for found in inside)
    outside = [pixel(pixels, affine, 574_030.0, 6_223_020.0 + off) for off in (-2.3, 2.3)]
    assert not any(is_near(found, band.fill, 6) for found in outside)


def test_a_band_that_is_the_worst_case_is_hatched_and_hides_nothing(tmp_path: Path) -> None:
    wide = feature(across(6_223_020.0), band_m=4.0, band_known=False)
    draw(tmp_path, [wide, feature(across(6_223_022.0), "vand", "Vandledning")])
    pixels, affine = read(tmp_path)
    column, row = (int(side) for side in ~affine @ (574_030.0, 6_223_018.5))
    patch = pixels[:, row - 12 : row + 12, column - 12 : column + 12].reshape(3, -1).astype(int)
    yellowness = patch[0] - patch[2]
    assert yellowness.max() > 60
    assert yellowness.min() < 20
    assert is_near(pixel(pixels, affine, 574_010.0, 6_223_022.0), load_styles().utility("vand").colour)


def test_a_dangerous_line_has_a_triangle_where_there_is_no_place_for_one(context: cairocffi.Context) -> None:
    danger = load_styles().danger("meget farlig")
    lines = [line((10, 10 + i * 0.4), (14, 10 + i * 0.4)) for i in range(60)]
    requests = [LabelRequest(one, "E", RED, danger if i in {20, 50} else None) for i, one in enumerate(lines)]
    labels = LabelPlacer(context, Ground(Box(0, 0, 200, 200)), requests).place()
    triangles = [label for label in labels if not label.text]
    assert [(label.x, round(label.y, 1)) for label in triangles] == [(12, 18.0), (12, 30.0)]


def test_danish_letters_have_a_width_of_their_own(context: cairocffi.Context) -> None:
    set_font(context, 3.0)
    missing = text_width(context, "\U0010fffd")
    for letter in "æøåÆØÅé":
        assert text_width(context, letter) > 0
        assert text_width(context, letter) != pytest.approx(missing)


def test_cleaning_keeps_words_and_drops_what_cannot_be_seen() -> None:
    assert clean("A\u030aby\n  \u202eSø\u200bvej\x00\t4\ud800") == "Åby Søvej 4"
    assert len(clean("x" * 10_000)) <= 600


def test_text_is_shortened_to_its_place(context: cairocffi.Context) -> None:
    set_font(context, 3.0)
    assert shorten(context, "Vand", 40) == "Vand"
    short = shorten(context, "Fjernvarmeforsyningen", 20)
    assert short.endswith("…")
    assert text_width(context, short) <= 20
    lines = wrap(context, "Ærø Vand og Spildevand " * 9, 40, 3)
    assert len(lines) == 3
    assert lines[-1].endswith("…")
    assert all(text_width(context, text) <= 40 for text in lines)


@pytest.mark.parametrize(
    ("width_m", "denominator"), [(5, 50), (10, 100), (60, 500), (100, 1000), (150, 1000), (400, 2500)]
)
def test_the_area_is_fitted_at_a_round_scale(width_m: float, denominator: int) -> None:
    frame = fit_frame(box(574_000, 6_223_000, 574_000 + width_m, 6_223_001), SHEET_BOX)
    assert frame.denominator == denominator


def test_metres_and_millimetres_agree() -> None:
    frame = fit_frame(AREA, SHEET_BOX)
    sheet = frame.to_sheet(np.array([[574_010.0, 6_223_020.0]]))[0]
    assert sheet == pytest.approx((frame.x_mm(574_010.0), frame.y_mm(6_223_020.0)))
    assert frame.affine(0.1) @ (sheet * 10) == pytest.approx((574_010.0, 6_223_020.0))


@pytest.mark.parametrize("width_m", [4, 30, 180, 900, 20_000])
def test_grid_and_scale_bar_are_round_and_fit(width_m: float) -> None:
    frame = fit_frame(box(0, 0, width_m, 1), SHEET_BOX)
    assert 28 <= grid_interval(frame) / frame.metres_per_mm <= 80
    length, pieces = bar_length(frame, 50)
    assert str(length).rstrip("0") in {"1", "2", "5"}
    assert 15 <= length / frame.metres_per_mm <= 50
    assert length % pieces == 0 or length in {1, 2}


def test_owners_of_one_type_are_numbered_only_where_there_are_several() -> None:
    drawing = arranged(
        [
            feature(across(6_223_020.0), owner="Ørsted"),
            feature(across(6_223_021.0), owner="Cerius"),
            feature(across(6_223_030.0), "vand", owner="Vand"),
        ]
    )
    assert [(count.utility.letter, count.count, count.owners) for count in drawing.counts] == [
        ("E", 2, ("E1 Cerius", "E2 Ørsted")),
        ("V", 1, ("Vand",)),
    ]


def test_pieces_of_one_line_are_joined() -> None:
    pieces = [line((574_000 + i, 6_223_020), (574_001 + i, 6_223_020)) for i in range(50)]
    drawing = arranged([feature(piece) for piece in pieces])
    (group,) = drawing.groups.values()
    assert [joined.length for joined in group.all_lines] == pytest.approx([100.0])


@pytest.mark.parametrize(
    ("feature_type", "geometry", "kind"),
    [
        ("Elledning", across(0), Kind.LINE),
        ("Foeringsroer", across(0), Kind.DUCT),
        ("Ledningstrace", MultiLineString([across(0)]), Kind.TRACE),
        ("Vandkomponent", Point(1, 1), Kind.COMPONENT),
        ("Elkomponent", across(0), Kind.COMPONENT),
        ("Noget nyt", Point(1, 1), Kind.COMPONENT),
        ("Noget nyt", across(0), Kind.LINE),
    ],
)
def test_kinds_follow_the_feature_type(feature_type: str, geometry: BaseGeometry, kind: Kind) -> None:
    assert kind_of(feature(geometry, kind=feature_type), load_styles()) is kind


def placed(context: cairocffi.Context, *lines: LineString) -> list[Label]:
    ground = Ground(Box(0, 0, 200, 200))
    return LabelPlacer(context, ground, [LabelRequest(line, "E", RED) for line in lines]).place()


def test_letters_repeat_and_never_stand_on_their_heads(context: cairocffi.Context) -> None:
    for angle in range(0, 360, 15):
        turn = math.radians(angle)
        along = line((100, 100), (100 + 90 * math.cos(turn), 100 + 90 * math.sin(turn)))
        labels = placed(context, along)
        assert len(labels) == 3
        assert all(-math.pi / 2 - 0.03 <= label.angle < math.pi / 2 - 0.01 for label in labels)


def test_a_place_is_free_if_it_touches_no_circle_in_any_cell() -> None:
    ground = Ground(Box(0, 0, 40, 40))
    taken = [(7.9, 7.9, 2.0), (16.1, 24.0, 3.5), (31.9, 8.0, 0.5)]
    for circle in taken:
        ground.take(*circle)
    for x, y in ((i / 2, j / 2) for i in range(5, 76) for j in range(5, 76)):
        clear = all(math.hypot(x - other[0], y - other[1]) > 2 + other[2] for other in taken)
        assert ground.is_free(x, y, 2.0) is clear
    assert not ground.is_free(1.0, 20.0, 2.0)


def test_short_lines_get_no_letter(context: cairocffi.Context) -> None:
    assert placed(context, line((100, 100), (104, 100))) == []


def test_letters_of_close_parallels_do_not_touch(context: cairocffi.Context) -> None:
    labels = placed(context, *(line((10, 100 + i * 0.8), (190, 100 + i * 0.8)) for i in range(8)))
    assert len(labels) >= 20
    for i, one in enumerate(labels):
        for two in labels[i + 1 :]:
            assert math.hypot(one.x - two.x, one.y - two.y) > one.half_width + two.half_width
