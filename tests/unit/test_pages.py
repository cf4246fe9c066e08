"""The pages: each is in the index, each link leads somewhere, words and settings that they name are there."""

import re
from pathlib import Path

import pytest

from ler.db.tables import metadata
from ler.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
NO_SETTINGS = {"LER_OFFICIAL", "LER_TOKEN", "LER_URL"}
"""Of tests, of commands, and of the guides' own shell."""


def links(page: Path) -> list[str]:
    return LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_page_is_in_the_index_once() -> None:
    index = ROOT / "docs/README.md"
    shown = [(index.parent / link).resolve() for link in links(index)]
    assert sorted(shown) == [page for page in PAGES if page != index]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for link in links(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_setting_that_a_page_names_is_one(page: Path) -> None:
    known = {f"LER_{name.upper()}" for name in Settings.model_fields} | NO_SETTINGS
    assert set(re.findall(r"\bLER_[A-Z0-9_]*[A-Z0-9]\b(?!\*|_)", page.read_text(encoding="utf-8"))) <= known


@pytest.mark.parametrize("name", ["GLOSSARY.md", "CHANGELOG.md"])
def test_nothing_stands_twice(name: str) -> None:
    entries = re.findall(
        r"^(?:\| ([^|]+) \||- (.*))", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(entries) > 1
    assert len(set(entries)) == len(entries)


def test_the_glossary_is_in_alphabetical_order() -> None:
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "GLOSSARY.md").read_text(encoding="utf-8"), re.MULTILINE)
    words = [row for row in rows if row != "here" and not row.startswith("-")]
    assert words == sorted(words, key=str.casefold)


def test_the_architecture_names_every_table_once() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = page.partition("## The tables")[2].partition("\n\nEvery transaction")[0].partition("|---|---|")[2]
    named = re.findall(r"`([a-z_]+)`", rows)
    assert sorted(named) == sorted(table.name for table in metadata.tables.values())
