"""The HTML pages of the OGC API: our own templates over the same documents that are answered as JSON.

A page needs no script, and nothing from anywhere else: a browser is told to load and run nothing but the page's own
style. All values are escaped by the templates. Links lead to addresses without a format, where a browser gets pages again.
"""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import SimpleNamespace
from typing import Any, Final

from fastapi import Request
from jinja2 import Environment, PackageLoader
from starlette.datastructures import URL

from geoapi.cookies import LOGIN_PATH
from geoapi.ogc.formats import HTML, PAGES, Format
from geoapi.ogc.links import addressed
from geoapi.ogc.site import root_of
from geoapi.pages.shared import policy_of
from geoapi.platform import platform_of
from geoapi.problems import Language

_FOLDER: Final = "pages_html"
_OTHER: Final[Mapping[Language, Language]] = {"da": "en", "en": "da"}


def html_page(
    request: Request,
    template: str,
    language: Language,
    values: Mapping[str, Any],
    offered: Sequence[Format] = PAGES,
) -> tuple[bytes, dict[str, str]]:
    """Return a page and the headers that go with it; the template is given the values and what all pages have.

    `values` have the `title`.
    """
    given = {name: value for name, value in request.query_params.items() if value}
    own = addressed(request.url.path, given)
    told = {
        "root": root_of(request),
        "style": _style(),
        "words": words(language),
        "language": language,
        "other": _OTHER[language],
        "other_address": addressed(request.url.path, given | {"lang": _OTHER[language]}),
        "here": own,
        "login": _login_address(request, own),
        "known": getattr(request.state, "caller", None) is not None,
        "to": _follower(given.get("lang")),
        "formats": [
            {
                "title": one.title,
                "type": one.media_type,
                "href": addressed(request.url.path, given | {"f": one.name}),
            }
            for one in offered
            if one.media_type != HTML
        ],
        **values,
    }
    content: str = _environment().get_template(f"{template}.html.j2").render(told)
    return content.encode(), page_headers() | {"Content-Language": language}


def page_headers() -> dict[str, str]:
    """Return what every page says to a browser, also when it is not sent again."""
    return {"Content-Security-Policy": policy_of(_style())}


def document_page(
    request: Request, template: str, language: Language, document: Mapping[str, Any], title: str
) -> tuple[bytes, dict[str, str]]:
    """Return a page of what is answered as a JSON document."""
    return html_page(request, template, language, {"document": document, "title": title})


@cache
def words(language: Language) -> SimpleNamespace:
    """Return what pages say, as attributes."""
    read = tomllib.loads(_file("words.toml"))
    if {*read["da"]} != {*read["en"]}:
        raise ValueError("pages do not say the same in both languages")
    return SimpleNamespace(**read[language])


def _follower(lang: str | None) -> Any:  # noqa: ANN401 - a function of the templates
    """What makes an address out of another in which the language that was chosen stays."""
    return lambda address: str(URL(address).include_query_params(lang=lang)) if lang else address


def _login_address(request: Request, back: str) -> str | None:
    """Where a person logs in and comes back from; None where nobody can."""
    if platform_of(request).settings.oidc_issuer is None:
        return None
    return addressed(LOGIN_PATH, {"return": back})


@cache
def _style() -> str:
    return _file("page.css")


def _file(name: str) -> str:
    return files(__package__).joinpath(_FOLDER, name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("geoapi.ogc", _FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
