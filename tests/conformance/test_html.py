"""/conf/html of Common 1 and Features 1, in a browser: pages that say the same as the documents, safe, and fit to be read.

A page runs nothing and loads nothing; whatever a browser complains of fails the test.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html import unescape
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conformance.scene import Suite
from tests.service import Service

HTML = "text/html"
BROWSERS = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
NETWORK = "/ogc/collections/network"
PAGES = (
    *("/ogc/", "/ogc/conformance", "/ogc/openapi", "/ogc/collections", NETWORK, f"{NETWORK}/items"),
    *(f"{NETWORK}/items/pipe.3", f"{NETWORK}/queryables", f"{NETWORK}/schema", f"{NETWORK}/sortables"),
    *(f"{NETWORK}/tiles", f"{NETWORK}/tiles/WebMercatorQuad", f"{NETWORK}/styles", "/ogc/tiles"),
    *("/ogc/tileMatrixSets", "/ogc/tileMatrixSets/WebMercatorQuad", "/ogc/styles", "/ogc/processes"),
    *("/ogc/processes/echo", "/ogc/jobs", "/ogc/collections/datasets/items"),
    *("/ogc/collections/quality/items", "/ogc/collections/requests/items"),
)
LOOKED_AT = (
    "/ogc/",
    "/ogc/collections",
    f"{NETWORK}/items?niveau=",
    f"{NETWORK}/items/pipe.3",
    "/ogc/processes/echo",
)
EVIL = "\"'><script>alert(1)</script>"
FLAGS = ["--no-sandbox", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)


def rows(text: str) -> list[str]:
    """The ids of the table of a page."""
    return [unescape(one) for one in re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', text)]


class TestPages:
    @pytest.mark.parametrize("lang", ["da", "en"])
    def test_each_page_is_html_and_safe(self, suite: Suite, lang: str) -> None:
        for path in PAGES:
            answer = suite.get(path, BROWSERS, lang=lang)
            assert answer.status_code == 200, (path, answer.text)
            assert answer.headers["Content-Type"] == "text/html; charset=utf-8", path
            assert answer.headers["Content-Language"] == lang
            assert f'<html lang="{lang}">' in answer.text
            check_safe(answer)

    def test_every_collection_has_a_page_of_its_features(self, suite: Suite) -> None:
        for one in suite.listed["collections"]:
            answer = suite.get(f"/ogc/collections/{one['id']}/items", BROWSERS, limit=20)
            assert answer.status_code == 200, (one["id"], answer.text)
            plain = suite.get(f"/ogc/collections/{one['id']}/items", "application/geo+json", limit=20)
            assert rows(answer.text) == [each["id"] for each in plain.json()["features"]]

    def test_a_page_that_is_kept_keeps_its_style(self, suite: Suite) -> None:
        for path in PAGES:
            answer = suite.get(path, BROWSERS)
            if "ETag" in answer.headers:
                asked = {"Accept": BROWSERS, "If-None-Match": answer.headers["ETag"]}
                again = suite.http.get(path, headers=asked)
                assert again.status_code == 304, path
                policy = "Content-Security-Policy"
                assert again.headers[policy] == answer.headers[policy], path

    def test_a_program_that_takes_everything_gets_json(self, suite: Suite) -> None:
        for accept in ("*/*", "application/json", "application/geo+json, application/json"):
            assert "json" in suite.get(f"{NETWORK}/items", accept).headers["Content-Type"]

    def test_problems_are_pages_for_browsers(self, stranger: Suite, suite: Suite) -> None:
        answer = stranger.get(f"{NETWORK}/items", BROWSERS)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="ler", charset="UTF-8"'
        check_safe(answer)
        assert "/login" not in answer.text, "nobody can log in where there is no issuer"
        assert stranger.get("/login", BROWSERS).headers["Content-Type"].startswith(HTML)
        assert suite.get("/ogc/nowhere", BROWSERS).headers["Content-Type"].startswith(HTML)
        assert (
            suite.get(f"{NETWORK}/items", "*/*", limit=0).headers["Content-Type"]
            == "application/problem+json"
        )

    def test_hostile_text_stays_text(self, suite: Suite) -> None:
        for path, given in (
            ("/ogc/collections/datasets/items", {"q": EVIL}),
            (f"{NETWORK}/items", {"objekttype": EVIL}),
            (f"{NETWORK}/items", {EVIL: "1"}),
            (f"{NETWORK}/items", {"bbox": EVIL}),
            ("/ogc/collections", {"lang": EVIL}),
        ):
            answer = suite.get(path, BROWSERS, **{"f": "html", **given})
            check_safe(answer)


class TestItems:
    def test_the_form_selects_by_get_and_leaves_out_what_is_empty(self, suite: Suite) -> None:
        given = {"bbox": "", "datetime": "", "objekttype": "Vandledning", "driftsstatus": "", "limit": "1000"}
        found = rows(suite.get(f"{NETWORK}/items", BROWSERS, **given).text)
        plain = suite.get(
            f"{NETWORK}/items", "application/geo+json", objekttype="Vandledning", limit=1000
        ).json()
        assert found == [one["id"] for one in plain["features"]]
        assert found

    def test_pages_follow_each_other(self, suite: Suite) -> None:
        answer = suite.get(f"{NETWORK}/items", BROWSERS, limit=60)
        found = rows(answer.text)
        while following := re.search(r'<a href="([^"]+)" rel="next"', answer.text):
            answer = suite.get(unescape(following[1]), BROWSERS)
            found += rows(answer.text)
        assert len(found) == len({*found}) == suite.get(f"{NETWORK}/items").json()["numberMatched"]

    def test_the_map_has_what_has_a_place(self, suite: Suite) -> None:
        answer = suite.get(f"{NETWORK}/items", BROWSERS, objekttype="Vandledning", limit=5)
        drawing = re.search(r"<figure>.*?</svg>", answer.text, re.DOTALL)
        assert drawing is not None
        assert drawing[0].count('stroke="#0a5fd0"') == 5  # the blue of water, ler/packages/styles.toml
        assert "<figure>" not in suite.get("/ogc/collections/quality/items", BROWSERS).text


class TestBrowser:
    def test_fit_to_be_read_and_nothing_to_complain_of(
        self, browser: Browser, platform: Service, suite: Suite
    ) -> None:
        token = suite.http.headers["Authorization"].removeprefix("Bearer ")
        for page in opened(browser, http_credentials={"username": "x", "password": token}):
            for path in LOOKED_AT:
                answer = page.goto(platform.url + path)
                assert answer is not None
                assert answer.status == 200, path
                found = Axe().run(page).response["violations"]
                assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], path

    def test_without_script_a_form_and_a_link_lead_on(
        self, browser: Browser, platform: Service, suite: Suite
    ) -> None:
        token = suite.http.headers["Authorization"].removeprefix("Bearer ")
        credentials = {"username": "x", "password": token}
        for page in opened(browser, java_script_enabled=False, http_credentials=credentials):
            page.goto(f"{platform.url}{NETWORK}/items")
            page.locator("summary").click()
            page.get_by_label("Objekttype").fill("Vandledning")
            page.get_by_role("button", name="Vis", exact=True).click()
            assert page.locator("tbody tr").count() == 100
            page.get_by_role("link", name="Næste side").first.click()
            assert page.locator("tbody tr").count() > 0
            page.get_by_role("link", name="English").click()
            assert page.locator("h1").inner_text() == "Own network"


def opened(browser: Browser, **options: Any) -> Iterator[Page]:  # noqa: ANN401 - options of Playwright
    context = browser.new_context(locale="da-DK", **options)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert [one for one in faults if "401" not in one] == []


def check_safe(answer: Any) -> None:  # noqa: ANN401 - an answer
    """It allows a browser nothing but its own style, and has nothing that would ask for more."""
    text = answer.text
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = dict(one.strip().split(" ", 1) for one in answer.headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert not re.search(r"<script|<img|<iframe|<link|<object|\son\w+=|\sstyle=|javascript:", text)
