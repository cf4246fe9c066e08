"""The offline viewer: one HTML file for whoever stands at the dig site, on a phone or a PC, without any network.

The file holds its map library, its scripts, its looks and the package's data; its own policy forbids it every
connection. The banner that says whether to dig stands in the HTML itself, so that it is read even where no script
runs. It shows every delivered feature or, above `MOST_FEATURES`, none, and says so: it never leaves out some of them.
"""

import base64
import dataclasses
import hashlib
import json
import re
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from ler.packages.advice import ALL_ANSWERED, Advice, advise
from ler.packages.contents import Contents
from ler.packages.styles import load_styles
from ler.packages.viewer_data import viewer_data

MOST_FEATURES: Final = 20_000
"""More take a phone more than a few seconds to open and to draw."""
_SCRIPTS: Final = (
    "vendor/openlayers.min.js",
    "texts.js",
    "data.js",
    "symbols.js",
    "map.js",
    "details.js",
    "panels.js",
    "table.js",
    "main.js",
)
_PLACE: Final = re.compile(r"(.*?)(?:\{\{(\w+)\}\}|\Z)", re.DOTALL)
"""A text of the page and the name of the place `{{name}}` after it."""
_FORBIDS: Final = "GRAV IKKE"
_NOTHING_SHOWN: Final = "nothing-shown"


def write_viewer(path: Path, contents: Contents) -> int:
    """Write the page; returns how many features it holds."""
    data = viewer_data(contents, MOST_FEATURES)
    path.write_bytes(make_page(contents, data))
    return len(data["features"])


def make_page(contents: Contents, data: dict[str, Any]) -> bytes:
    """Return the page that shows the data."""
    given = {
        "order": str(contents.request.order_number),
        "banner": _banner(contents, shown=len(data["features"]) == data["delivered"]),
        "data": _json(data),
    }
    return "".join(text + given.get(place, "") for text, place in _page(contents.options.theme)).encode()


@cache
def _page(theme: str) -> tuple[tuple[str, str], ...]:
    """What is the same in every package, as texts, each with the name of what follows it; the last with none."""
    script = "\n".join(_source(name) for name in _SCRIPTS)
    style = _source("viewer.css")
    same = {
        "script_hash": _hash(script),
        "style_hash": _hash(style),
        "styles": _json(dataclasses.asdict(load_styles(theme))),
        "style": style,
        "script": script,
    }
    texts, pending = [], ""
    for text, place in _PLACE.findall(_source("page.html")):
        pending += text + same.get(place, "")
        if place not in same:
            texts.append((pending, place))
            pending = ""
    return tuple(texts)


def _source(name: str) -> str:
    return files("ler.packages").joinpath("viewer_page", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


def _json(document: dict[str, Any]) -> str:
    """JSON that cannot end the element in which it stands: no `<` is left in it."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=sorted)
    return text.replace("<", "\\u003c")


def _banner(contents: Contents, *, shown: bool) -> str:
    """What is to be known before anybody digs, in both languages, what forbids it first."""
    advice = advise(contents.request, contents.owners)
    if not shown:
        advice = [_nothing_shown(len(contents.assessed)), *advice]
    return "".join(_notice(one) for one in advice)


def _nothing_shown(count: int) -> Advice:
    return Advice(
        _NOTHING_SHOWN,
        f"Denne side viser INGEN ledninger: pakken har {count} objekter, flere end siden kan vise. "
        "Brug consolidated.gpkg, for eksempel i QGIS.",
        f"This page shows NO lines: the package has {count} features, more than the page can show. "
        "Use consolidated.gpkg, for example in QGIS.",
    )


def _notice(advice: Advice) -> str:
    forbids = advice.code == _NOTHING_SHOWN or advice.da.startswith(_FORBIDS)
    look = "stop" if forbids else "ok" if advice.code == ALL_ANSWERED else "care"
    icon = {"stop": "✕", "ok": "✓", "care": "!"}[look]
    texts = "".join(
        f'<div lang="{language}"><p>{escape(words)}</p>{_lines([line[index] for line in advice.lines])}</div>'
        for index, (language, words) in enumerate((("da", advice.da), ("en", advice.en)))
    )
    return f'<section class="notice {look}" data-code="{advice.code}"><b aria-hidden="true">{icon}</b>{texts}</section>'


def _lines(lines: list[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else ""
