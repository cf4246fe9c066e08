"""The offline viewer in a real browser, from file://, with the network off: seen, tapped, measured, searched, read."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cairocffi
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, sync_playwright
from pyproj import Transformer

from ler.packages import viewer
from ler.packages.contents import Contents
from ler.packages.letter_html import write_letter_html
from ler.packages.viewer import write_viewer
from tests.package_samples import SOUTH, WEST
from tests.viewer_scene import EVIL, GAS_NORTHING, NEAR_M, scene

FEATURES = 10
PHONE = {"width": 390, "height": 844}
FLAGS = ["--no-sandbox", "--disable-background-networking"]
TO_DEGREES = Transformer.from_crs("EPSG:25832", "EPSG:4258", always_xy=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("viewer")
    (folder / "snit.pdf").write_bytes(b"pdf")
    assert write_viewer(folder / "viewer.html", scene(folder / "snit.pdf")) == FEATURES
    return folder / "viewer.html"


@pytest.fixture
def page(browser: Browser, page_file: Path) -> Iterator[Page]:
    yield from opened(browser, page_file)


def opened(browser: Browser, path: Path, **options: object) -> Iterator[Page]:
    """Open the page without a network; whatever it asks for or complains of fails the test."""
    settings: dict[str, object] = {"offline": True, "locale": "da-DK", "reduced_motion": "reduce"}
    context = browser.new_context(**settings | options)  # type: ignore[arg-type] # the options of Playwright
    shown = context.new_page()
    faults: list[str] = []
    shown.on("console", lambda message: faults.append(message.text))
    shown.on("pageerror", lambda error: faults.append(str(error)))
    shown.on("dialog", lambda dialog: faults.append(dialog.message))
    shown.on("request", lambda asked: faults.append(asked.url) if asked.url != path.as_uri() else None)
    shown.goto(path.as_uri())
    yield shown
    assert shown.evaluate("window.hacked") is None
    context.close()
    assert faults == []


def look_at(page: Page, easting: float, northing: float, resolution: float = 0.05) -> None:
    """Bring a place into the middle of the map, so that a pixel is so many metres."""
    page.evaluate(
        f"view.setCenter([{easting}, {northing}]); view.setResolution({resolution}); map.renderSync()"
    )


def tap(page: Page, easting: float, northing: float, *, twice: bool = False) -> None:
    box = page.locator("#map").bounding_box()
    assert box is not None
    x, y = page.evaluate(f"map.getPixelFromCoordinate([{easting}, {northing}])")
    (page.mouse.dblclick if twice else page.mouse.click)(box["x"] + x, box["y"] + y)


def said(page: Page) -> str:
    return page.locator("#said").inner_text()


def test_everything_delivered_is_there_and_the_banner_says_who_is_missing(page: Page) -> None:
    assert page.evaluate("ITEMS.length") == FEATURES
    assert page.evaluate("source.getFeatures().length") == FEATURES - 2  # two have no place
    banner = page.locator("#banner")
    assert "GRAV IKKE: 1 af 3 ledningsejere mangler at svare" in banner.inner_text()
    assert "Tavs Å A/S" in banner.inner_text()
    assert banner.locator("button, a").count() == 0
    assert "DO NOT DIG" not in banner.inner_text()


def test_geometries_are_where_they_were_delivered(page: Page) -> None:
    gas = page.evaluate("ITEMS[0].shape.getCoordinates()")
    assert gas == [[WEST + 2, GAS_NORTHING], [WEST + 38, GAS_NORTHING]]
    vault = page.evaluate("ITEMS.find((item) => item.id === 'kasse.1').shape.getArea()")
    assert vault == pytest.approx(12.0)
    assert page.evaluate("ITEMS.find((item) => item.id === 'roer.1').shape.getType()") == "MultiLineString"


def test_a_tap_tells_of_a_line_danger_first_and_hostile_text_stays_text(page: Page) -> None:
    look_at(page, WEST + 20, GAS_NORTHING)
    tap(page, WEST + 20, GAS_NORTHING)
    panel = page.locator("#panel")
    assert "FARLIG" in panel.locator(".danger .big").inner_text()
    assert panel.locator(".danger .told").inner_text() == EVIL
    text = panel.inner_text()
    for told in (
        "I graveområdet",
        "≤ 0,50 m. Søg indtil 0,60 m",
        "vejledende dybde 0,90 m",
        "200 mm",
        "ingen terrænmodel",
    ):
        assert told in text
    assert panel.locator(".danger").evaluate("block => block.previousElementSibling.tagName") == "H2"
    link = panel.locator("a", has_text="snit")
    assert link.get_attribute("href") == "./10000000-ejer/bilag/snit%20%C3%A6.pdf"
    assert page.locator("img").count() == 0


def test_layers_are_switched_with_their_counts_and_nothing_is_hidden_silently(page: Page) -> None:
    page.click("#show-layers")
    types = page.locator("fieldset").first
    gas, water = (types.locator("label", has_text=name) for name in ("Gas", "Vand"))
    assert (gas.locator(".count").inner_text(), water.locator(".count").inner_text()) == ("1", "3")
    gas.locator("input").uncheck()
    assert "Slået fra på kortet: 1" in page.locator("#hidden-lines").inner_text()
    look_at(page, WEST + 20, GAS_NORTHING)
    assert page.evaluate(f"itemsAt([{WEST + 20}, {GAS_NORTHING}], 0.5).length") == 0
    page.locator("#hidden-lines button").click()
    assert page.evaluate(f"itemsAt([{WEST + 20}, {GAS_NORTHING}], 0.5)[0].id") == "gas.1"
    assert page.locator("#hidden-lines").inner_text() == ""


def test_ten_metres_measure_ten_metres_and_a_square_its_area(page: Page) -> None:
    look_at(page, WEST + 20, SOUTH + 20)
    page.click("#measure-line")
    tap(page, WEST + 15, SOUTH + 20)
    tap(page, WEST + 25, SOUTH + 20, twice=True)
    assert said(page) == "Afstand 10,00 m i kortplanet (UTM 32)"
    page.click("#measure-area")
    for east, north in ((15, 18), (20, 18), (20, 22)):
        tap(page, WEST + east, SOUTH + north)
    tap(page, WEST + 15, SOUTH + 22, twice=True)
    found = re.fullmatch(r"Areal (\d+),(\d\d) m² i kortplanet \(UTM 32\)", said(page))
    assert found is not None
    # Corners are set to a whole pixel.
    assert float(f"{found[1]}.{found[2]}") == pytest.approx(20, abs=0.3)


def test_search_and_table_find_sort_and_lead_to_the_map(page: Page) -> None:
    page.fill("#query", "EL-ET")
    page.press("#query", "Enter")
    assert said(page) == "1 fundet"
    page.click("#show-table")
    assert page.locator("tbody tr").count() == FEATURES
    assert page.locator("tbody tr").first.inner_text().startswith("Meget farlig")
    page.locator("th button", has_text="Graveområde").click()
    assert page.locator('th[aria-sort="ascending"]').inner_text().startswith("Graveområde")
    page.locator("th button", has_text="Graveområde").click()
    assert f"{NEAR_M:.1f} m fra".replace(".", ",") in page.locator("tbody tr").first.inner_text()
    page.fill("#table-filter", "gas-et")
    assert page.locator("tbody tr").count() == 1
    page.locator("tbody th button").click()
    assert page.locator("#table").is_hidden()
    assert page.locator("#panel h2").inner_text().strip().startswith("Gasledning G")


def test_the_language_changes_everywhere_and_numbers_with_it(page: Page) -> None:
    look_at(page, WEST + 20, GAS_NORTHING)
    tap(page, WEST + 20, GAS_NORTHING)
    page.click("#language")
    assert page.locator("html").get_attribute("lang") == "en"
    assert "DO NOT DIG: 1 owner missing of 3" in page.locator("#banner").inner_text()
    text = page.locator("#panel").inner_text()
    assert "Gas pipe" in text
    assert "Search up to 0.60 m" in text
    assert "in operation (i drift)" in text


def test_the_position_tells_its_accuracy_and_the_nearest_line(browser: Browser, page_file: Path) -> None:
    longitude, latitude = TO_DEGREES.transform(WEST + 20, GAS_NORTHING - 0.8)
    place = {"latitude": latitude, "longitude": longitude, "accuracy": 4}
    for page in opened(browser, page_file, geolocation=place, permissions=["geolocation"], viewport=PHONE):
        page.click("#locate")
        page.wait_for_function("document.getElementById('said').textContent.includes('±')")
        assert said(page).startswith(
            "Din position ± 5 m · Nærmeste tegnede ledning 0,8 m (søg ± 0,60 m): gas (farlig), Å/S"
        )
        assert page.evaluate("placeSource.getFeatures()[0].getGeometry().getRadius()") == pytest.approx(5)


def test_keys_alone_pick_and_measure(page: Page) -> None:
    look_at(page, WEST + 20, GAS_NORTHING)
    page.focus("#map")
    page.keyboard.press("Enter")
    assert page.locator("#panel h2").inner_text().strip().startswith("Gasledning")
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()
    page.click("#measure-line")
    page.keyboard.press("Enter")
    look_at(page, WEST + 20, GAS_NORTHING + 10)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert said(page).startswith("Afstand 10,00 m")


def test_the_band_is_drawn_to_scale_and_marked_where_it_is_assumed(page: Page) -> None:
    widths = page.evaluate(
        "ITEMS.slice(0, 3).map((item) => [bandStyles(item, 0.05)[0].getStroke().getWidth(), item.band.known])"
    )
    # 0.5 m and half of 0.2 m; 0.5 m and half of the widest cable; the worst case and half of the widest pipe.
    assert [known for _, known in widths] == [True, False, False]
    assert [width for width, _ in widths] == pytest.approx([24.0, 24.0, 228.0])
    look_at(page, WEST + 20, GAS_NORTHING)
    shades = shades_below(page, WEST + 20, GAS_NORTHING)
    steps = np.abs(np.diff(shades[8:18]))
    assert 8 + int(np.argmax(steps)) + 1 == pytest.approx(0.6 / 0.05, abs=1)


def shades_below(page: Page, easting: float, northing: float) -> NDArray[np.float64]:
    """How light the rows of pixels below a place are, the mean over a part that no hatching changes much."""
    box = page.locator("#map").bounding_box()
    assert box is not None
    x, y = page.evaluate(f"map.getPixelFromCoordinate([{easting}, {northing}])")
    place = {"x": box["x"] + x - 140, "y": box["y"] + y, "width": 280, "height": 30}
    picture = cairocffi.ImageSurface.create_from_png(io.BytesIO(page.screenshot(clip=place)))  # type: ignore[arg-type]
    pixels = np.frombuffer(picture.get_data(), np.uint8).reshape(picture.get_height(), picture.get_width(), 4)
    return pixels[:, :, :3].mean(axis=(1, 2))


def test_no_serious_fault_of_access_is_found(browser: Browser, page_file: Path) -> None:
    axe = Axe()
    for page in opened(browser, page_file, viewport=PHONE):
        for step in ("", "#show-layers", "#show-about", "#show-table", "#language"):
            if step:
                page.click(step)
            found = axe.run(page).response["violations"]
            serious = [
                (one["id"], one["nodes"][0]["html"])
                for one in found
                if one["impact"] in {"serious", "critical"}
            ]
            assert serious == [], step


def test_the_letter_fits_a_phone_and_has_no_fault_of_access(
    browser: Browser, page_file: Path, tmp_path: Path
) -> None:
    write_letter_html(tmp_path / "letter.html", scene(page_file.parent / "snit.pdf"))
    for page in opened(browser, tmp_path / "letter.html", viewport={"width": 320, "height": 640}):
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        found = Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_without_a_script_the_banner_still_tells_whether_to_dig(browser: Browser, page_file: Path) -> None:
    for page in opened(browser, page_file, java_script_enabled=False):
        text = page.locator("#banner").text_content() or ""
        assert "GRAV IKKE: 1 af 3" in text
        assert "DO NOT DIG: 1 owner missing" in text
        return


def test_a_package_without_lines_and_one_of_too_many_say_so(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = scene(tmp_path / "none.pdf")
    empty = Contents(replace(whole.request, description=None), [])
    assert write_viewer(tmp_path / "empty.html", empty) == 0
    for page in opened(browser, tmp_path / "empty.html"):
        page.click("#show-layers")
        assert "Der er ingen ledninger i pakken" in page.locator("#panel").inner_text()
    monkeypatch.setattr(viewer, "MOST_FEATURES", FEATURES - 1)
    assert write_viewer(tmp_path / "many.html", whole) == 0
    for page in opened(browser, tmp_path / "many.html"):
        assert (
            "Denne side viser INGEN ledninger: pakken har 10 objekter" in page.locator("#banner").inner_text()
        )
        assert page.evaluate("ITEMS.length") == 0
