"""What all pages share: their style, what a browser may do on them, their words and how they are filled in."""

import tomllib
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from types import SimpleNamespace
from typing import Any, Final, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

type Language = Literal["da", "en"]

_OTHER: Final[Mapping[Language, Language]] = {"da": "en", "en": "da"}


def html_page(
    template: str,
    language: Language,
    values: Mapping[str, Any],
    *,
    status: int = 200,
    vary: str = "Accept-Language",
) -> HTMLResponse:
    """Return a page in that language; the template is given `style`, `language`, `other` and the values."""
    told = {"style": _style(), "language": language, "other": _OTHER[language], **values}
    html = _environment().get_template(template).render(told)
    headers = {"Content-Security-Policy": policy_of(_style()), "Content-Language": language, "Vary": vary}
    return HTMLResponse(html, status, headers=headers)


@cache
def words_of(name: str) -> dict[Language, Any]:
    """Return a page's texts in both languages, as attributes."""
    read = tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    return {"da": SimpleNamespace(**read["da"]), "en": SimpleNamespace(**read["en"])}


@cache
def _style() -> str:
    return files(__package__).joinpath("page.css").read_text(encoding="utf-8")


@cache
def policy_of(style: str) -> str:
    """Return what a browser may do on a page of a style: use that, and send its form back to where it came from."""
    told = b64encode(sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{told}'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("geoapi", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
