"""The letter as one HTML file without a script: for a browser, a telephone, a screen reader and print.

It loads nothing and runs nothing: its policy admits its own style alone.
"""

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from ler.packages.contents import Contents
from ler.packages.figures import figure_svg
from ler.packages.letter import compose_all
from ler.packages.letter_parts import Letter


def write_letter_html(path: Path, contents: Contents) -> int:
    """Write the letter, Danish and English in one document; it holds no features."""
    path.write_text(page_of(contents.once(compose_all)), encoding="utf-8", newline="\n")
    return 0


def page_of(letters: Sequence[Letter]) -> str:
    """Return letters as one page."""
    style = _style()
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return _template().render(letters=letters, style=Markup(style), style_digest=digest)  # noqa: S704 - our own file


@cache
def _style() -> str:
    return files("ler.packages").joinpath("letter.css").read_text(encoding="utf-8").replace("\n", "")


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("ler", "packages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = figure_svg
    return environment.get_template("letter.html.j2")
