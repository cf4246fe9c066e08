"""The report of conflicts: what is drawn has the conflicts' own figures, what is unknown is drawn open, nothing is hidden."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import shapely
from axe_playwright_python.sync_playwright import Axe
from lxml import html
from playwright.sync_api import sync_playwright

from conflicts.detect import detect
from conflicts.dig import Dig
from conflicts.existing import Delivered
from conflicts.sections import Section, sections, told_of
from conflicts.stored import conflict_row
from conflicts.vertical import Ground
from geoapi.conflicts_report import MOST_SECTIONS, Reported, conflicts_report, write_conflicts_pdf
from geoapi.pages.shared import words_of
from geoapi.section_drawing import section_figure
from ler.packages.figures import Clip, Ellipse, Figure, Mark, figure_svg
from ler.packages.figures import Words as Lettering
from ler.packages.terrain import open_terrain
from tests.terrains import write_terrain
from tests.unit.test_conflicts import CLEARANCES, OWNER, X, Y, pipe

TRENCH = Dig(shapely.box(X, Y, X + 40, Y + 1), "new-line", "open-trench", 1.0)
EVIL = "<script>alert(1)</script>"


def lines() -> list[Delivered]:
    level = {"noejagtighedsklasseVertikal": "<= 0.25 m"}
    return [
        pipe((5, -5), (5, 6), id="water-1", z=8.4, **level),
        pipe((7, -5), (8.5, 6), id="power-2", of="Elledning", spaendingsniveau=10.0),
        pipe((15, -5), (15, 6), id="gas-3", of="Gasledning", tryk=4.0, noejagtighedsklasse="> 2.00 m"),
        pipe((-2, 2.2), (40, 2.0), id="tele-4", of="Telekommunikationsledning"),
        pipe((10, 0.5), id=f"chamber-5{EVIL}", of="Afloebskomponent"),
        pipe((33, -5), (33, 6), id="gas-6", of="Gasledning", tryk=4.0),
    ]


def reported(found_in: list[Delivered], ground: Ground | None = None, dig: Dig = TRENCH) -> Reported:
    found = detect(dig, found_in, CLEARANCES, 5.0, ground)
    rows = [
        {**conflict_row(one, CLEARANCES), "geom": one.geometry, "owner_id": OWNER, "owner_name": "Town & Co"}
        for one in found
    ]
    return Reported("Street 4", dig, told_of(rows, found_in, CLEARANCES, 5.0), CLEARANCES)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    path = tmp_path_factory.mktemp("ground") / "ground.tif"
    write_terrain(path, [[10.0] * 80] * 60, west=X - 20, north=Y + 30)
    return reported(lines(), Ground(open_terrain(path, is_dvr90=True), 0.1))


def of(told: Reported) -> list[Section]:
    return sections(told.dig, told.told, told.clearances)


def all_marks(marks: list[Mark]) -> Iterator[Mark]:
    for mark in marks:
        yield mark
        if isinstance(mark, Clip):
            yield from all_marks([*mark.marks])


def lettering(figure: Figure) -> list[str]:
    return [mark.text for mark in all_marks(figure.marks) if isinstance(mark, Lettering)]


def test_crossings_near_each_other_share_a_section_and_each_line_lies_where_it_is_drawn(
    street: Reported,
) -> None:
    first, second = of(street)
    named = {one.row["gml_id"].split("<")[0]: one for one in street.told}
    along = {mark.told.row["gml_id"].split("<")[0]: mark for mark in first.along.marks}
    # From the western end of the trench; half the band is the accuracy and half the size, a slanting line takes more.
    assert {name: pytest.approx(mark.at_m, abs=1e-6) for name, mark in along.items()} == {
        "water-1": 5.0,
        "power-2": 7 + 1.5 * 5.5 / 11,
        "chamber-5": 10.0,
        "gas-3": 15.0,
    }
    assert along["water-1"].half_m == pytest.approx(0.3)
    assert along["gas-3"].half_m == pytest.approx(5.05)
    assert along["power-2"].half_m > 0.3 + 1.5 / 22
    (beside,) = first.across.marks
    assert beside.told is named["tele-4"]
    # Across from left to right, seen from the west: the line lies north of the trench, 2.1 m from its southern edge.
    assert beside.at_m == pytest.approx(-(2.2 - 0.2 * 12 / 42 - 0.5), abs=1e-6)
    (dug,) = first.across.dug
    assert (dug.start_m, dug.end_m, dug.stray_m) == pytest.approx((-0.5, 0.5, 0.0))
    assert [mark.told.row["gml_id"] for mark in second.along.marks] == ["gas-6"]


def test_a_known_level_is_drawn_with_the_conflicts_own_figures(street: Reported) -> None:
    (section, _) = of(street)
    figure = section_figure(section, "A", 1.0, words_of("conflicts")["da"])
    water = next(mark for mark in section.along.marks if mark.told.row["gml_id"] == "water-1")
    least, most = water.told.row["below_min_m"], water.told.row["below_max_m"]
    assert (least, most) == (0.25, 0.95)
    ellipses = [mark for mark in all_marks(figure.marks) if isinstance(mark, Ellipse)]
    ring, band, _ = ellipses[-3:]
    # The scale from the drawing itself: the depths beside it.
    depths = {
        float(text.split()[0].replace(",", ".")): y
        for mark in figure.marks
        if isinstance(mark, Lettering) and (text := mark.text).endswith(" m") and mark.x > 160
        for y in [mark.y - 0.8]
    }
    down = (depths[1.0] - depths[0.0]) / 1.0
    assert band.y == pytest.approx(depths[0.0] + (1.0 + (least + most) / 2) * down)
    assert band.half_height == pytest.approx((most - least) / 2 * down)
    assert ring.half_height == pytest.approx(band.half_height + water.told.row["limit_m"] * down)
    assert ring.half_width / band.half_width == pytest.approx((0.3 + water.told.row["limit_m"]) / 0.3)
    drawn = lettering(figure)
    assert drawn.count("?") == 4, "all but the one whose level is known"
    assert "? dybde ukendt" in drawn
    assert "1,00" in drawn[0]


def test_a_dig_of_unknown_depth_has_no_bottom_and_no_level(street: Reported) -> None:
    (section, _) = of(street)
    figure = section_figure(section, "A", None, words_of("conflicts")["en"])
    assert not [mark for mark in all_marks(figure.marks) if isinstance(mark, Ellipse)]
    assert lettering(figure).count("?") == 5
    assert "depth of the dig unknown" in str(figure_svg(figure))


def test_the_page_and_the_print_tell_all_of_it_and_others_words_do_no_harm(
    street: Reported, tmp_path: Path
) -> None:
    page = conflicts_report(street, "da")
    assert page == conflicts_report(replace(street), "da")
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["'](?!#)""", page)
    read: Any = html.document_fromstring(page)
    (table,) = read.xpath("//table[caption[starts-with(., 'Konflikter')]]")
    assert len(table.xpath("tbody/tr")) == len(street.told)
    files = [tmp_path / "one.pdf", tmp_path / "two.pdf"]
    for file in files:
        write_conflicts_pdf(file, street, "da")
    assert files[0].read_bytes() == files[1].read_bytes()
    command = ["pdftotext", "-raw", str(files[0]), "-"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    flat, narrow = " ".join(table.text_content().split()), "".join(printed.split())
    for one in street.told:
        for words in (one.row["gml_id"], one.row["reason_da"], one.row["rule"]):
            assert words in flat
            assert "".join(words.split()) in narrow
    assert "Snit B" in printed
    said = "[ikke efterprøvet]" in flat
    assert said == any(one.row["unverified"] for one in street.told)


def test_what_finds_no_room_is_counted() -> None:
    dig = replace(TRENCH, area=shapely.box(X, Y, X + 20 * (MOST_SECTIONS + 5), Y + 1))
    many = [pipe((10 + 20 * n, -5), (10 + 20 * n, 5), id=f"p{n}") for n in range(MOST_SECTIONS + 3)]
    told = reported(many, dig=dig)
    assert len(of(told)) == MOST_SECTIONS + 3
    page = conflicts_report(told, "en")
    assert page.count("<title>Section ") == MOST_SECTIONS
    assert f"Only the {MOST_SECTIONS} places with the nearest zones are drawn; 3 are not." in page
    assert "Nothing that was looked at" in conflicts_report(replace(told, told=[]), "en")


def test_the_page_has_no_fault_of_access_and_fits_a_telephone(street: Reported) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 320, "height": 640})
        page.set_content(conflicts_report(street, "da"))
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        found = Axe().run(page).response["violations"]
        browser.close()
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_a_bore_is_drawn_with_what_it_may_stray_and_its_pits() -> None:
    bore = Dig(shapely.LineString([(X, Y), (X + 20, Y)]), "new-line", "directional-drilling", 1.5, 0.3)
    (section,) = of(reported([pipe((0.5, -5), (0.5, 6))], dig=bore))
    pit = 2 / 2**0.5
    found = [(one.start_m, one.end_m, one.stray_m) for one in section.along.dug]
    assert found == [pytest.approx(one) for one in [(0, 20, 0.5), (-pit, pit, 0), (20 - pit, 20 + pit, 0)]]
    across = [(one.start_m, one.end_m, one.stray_m) for one in section.across.dug]
    half = (pit**2 - 0.5**2) ** 0.5
    assert across == [pytest.approx((-0.15, 0.15, 0.5)), pytest.approx((-half, half, 0))]
    words = words_of("conflicts")["en"]
    assert "bored to 1.50 m, ± 0.50 m" in section_figure(section, "A", 1.5, words).description
    assert "depth of the bore unknown" in section_figure(section, "A", None, words).description


def test_an_area_is_drawn_on_both_sides_of_its_hole_and_a_line_once() -> None:
    around = shapely.box(X, Y, X + 40, Y + 5) - shapely.box(X + 4, Y + 1, X + 36, Y + 4)
    (section,) = of(reported([pipe((10, -5), (10, 8))], dig=replace(TRENCH, area=around)))
    assert [(one.start_m, one.end_m) for one in section.across.dug] == [
        pytest.approx(one) for one in [(-2.5, -1.5), (1.5, 2.5)]
    ]
    (mark,) = section.along.marks
    assert mark.at_m == pytest.approx(10)
