"""The style source in five languages: each says every code, none by colour alone, and the same each time."""

import json
import subprocess
import xml.etree.ElementTree as ET  # our own output
from pathlib import Path
from typing import Any

import ezdxf.filemanagement
import pytest
from ezdxf.entities.text import Text

from ler.domain.sensitivity import SensitivityClass
from ler.errors import InputError, NotFoundError
from ler.model import load_model
from ler.packages.styles import Styles, load_styles, read_styles
from ler.packages.styling.export import export_style
from ler.packages.styling.formats import StyleFormat
from ler.packages.styling.maplibre import chosen_utility
from ler.packages.styling.parts import ACCURACY, DANGER, SECURITY, STATUS, UTILITY, Shape, codes
from ler.packages.styling.qml import Layer, qml
from ler.packages.styling.tables import table_style

THEMES = [theme for theme, _ in load_styles().themes]
LISTS = {
    UTILITY: "Forsyningsart",
    STATUS: "Driftsstatus",
    DANGER: "Fareklasse",
    ACCURACY: "Noejagtighedsklasse",
}


def listed() -> set[tuple[str, str]]:
    """Every code of the model's lists and of ours, and what stands for codes that no list names."""
    lists = load_model().code_lists
    found = {(attribute, value) for attribute, name in LISTS.items() for value in lists[name].values}
    found |= {(SECURITY, str(value)) for value in SensitivityClass}
    return found | {(UTILITY, "other"), (UTILITY, "unknown"), (ACCURACY, "unknown")}


def told_by_maplibre(content: bytes, _folder: Path) -> set[tuple[str, str]]:
    style = json.loads(content)
    legend = style["metadata"]["ler:legend"]
    names = " ".join(layer["id"] for layer in style["layers"])
    plain = {one.value for one in load_styles().plain}
    assert all(
        one["value"] in names for one in legend if one["attribute"] != DANGER and one["value"] not in plain
    )
    return {(one["attribute"], one["value"]) for one in legend}


def told_by_sld(content: bytes, _folder: Path) -> set[tuple[str, str]]:
    styles = load_styles()
    names = [found.text for found in ET.fromstring(content).iter("{http://www.opengis.net/se}Name")]  # noqa: S314
    return {
        (attribute, value)
        for attribute, value, _ in codes(styles)
        if any(name == value or value in (name or "").split(", ") for name in names)
    }


def told_by_qml(content: bytes, _folder: Path) -> set[tuple[str, str]]:
    labels = {rule.get("label") for rule in ET.fromstring(content).iter("rule")}  # noqa: S314
    letters = {utility.name.da: f"{utility.letter}  {utility.name.da}" for utility in load_styles().utilities}
    return {
        (attribute, value)
        for attribute, value, name in codes(load_styles())
        if letters.get(name, name) in labels
    }


def told_by_dxf(content: bytes, folder: Path) -> set[tuple[str, str]]:
    path = folder / "style.dxf"
    path.write_bytes(content)
    drawing = ezdxf.filemanagement.readfile(path)
    assert not drawing.audit().errors
    texts = [
        one.dxf.text.split(": ")[0]
        for one in drawing.modelspace()
        if isinstance(one, Text) and " = " in one.dxf.text
    ]
    return {(text.split(" = ")[0], text.split(" = ")[1]) for text in texts}


def told_by_pdf(content: bytes, folder: Path) -> set[tuple[str, str]]:
    path = folder / "legend.pdf"
    path.write_bytes(content)
    words = subprocess.run(
        ["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True
    ).stdout
    lines = [line.strip() for line in words.splitlines()]
    return {
        (attribute, value)
        for attribute, value, name in codes(load_styles())
        if any(line.endswith(name) for line in lines)
    }


READERS = {
    StyleFormat.MAPLIBRE: told_by_maplibre,
    StyleFormat.SLD: told_by_sld,
    StyleFormat.QML: told_by_qml,
    StyleFormat.DXF: told_by_dxf,
    StyleFormat.PDF: told_by_pdf,
}


@pytest.mark.parametrize("format_", StyleFormat)
def test_each_format_tells_every_code_of_the_lists(tmp_path: Path, format_: StyleFormat) -> None:
    assert READERS[format_](export_style(load_styles(), format_), tmp_path) >= listed()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("format_", StyleFormat)
def test_each_theme_is_its_own_and_the_same_each_time(theme: str, format_: StyleFormat) -> None:
    styles = load_styles(theme)
    content = export_style(styles, format_)
    assert content == export_style(styles, format_)
    assert all(content != export_style(load_styles(other), format_) for other in THEMES if other != theme)


@pytest.mark.parametrize("theme", THEMES)
def test_no_theme_tells_by_colour_alone(theme: str) -> None:
    utilities = load_styles(theme).utilities
    assert len({utility.letter for utility in utilities}) == len(utilities)
    assert len({utility.dash_mm for utility in utilities}) == len(utilities)


def test_themes_have_the_colours_of_their_countries() -> None:
    apwa, klic = load_styles("apwa"), load_styles("klic")
    assert apwa.utility("gas").colour == apwa.utility("olie").colour == "#ffd100"
    assert apwa.utility("vand").colour == "#0057b8"
    assert klic.utility("telekommunikation").colour == "#00ff00"
    assert klic.utility("vand").colour == "#0000ff"
    with pytest.raises(NotFoundError, match="klic"):
        load_styles("nowhere")


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        (
            '{ value = "vand", colour = "#0000ff" }',
            '{ value = "vann", colour = "#0000ff" }',
            "no utility type",
        ),
        ('colour = "#0000ff"', 'colour = "#008080"', "share a letter, dash or colour"),
        ('colour = "#0000ff"', 'colour = "#ccccff"', "cannot be seen"),
    ],
)
def test_a_wrong_theme_is_refused(styles_toml: str, wrong: str, right: str, said: str) -> None:
    assert wrong in styles_toml
    with pytest.raises(InputError, match=said):
        read_styles(styles_toml.replace(wrong, right), "klic")


@pytest.fixture
def styles_toml() -> str:
    return (Path(__file__).parents[2] / "ler/packages/styles.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("value", "letter"),
    [("el", "E"), ("other: rørpost", "X"), ("unknown", "?"), ("noget nyt", "?"), ("other", "?")],
)
def test_every_value_meets_one_rule_of_maplibre(value: str, letter: str) -> None:
    styles = load_styles()
    met = [one.letter for one in styles.utilities if holds(chosen_utility(styles, one), {UTILITY: value})]
    assert met == [letter]


def test_what_does_not_lie_in_the_ground_meets_no_rule_of_maplibre() -> None:
    styles = load_styles()
    assert not [one for one in styles.utilities if holds(chosen_utility(styles, one), {})]


def holds(expression: Any, values: dict[str, str]) -> Any:  # noqa: ANN401 - expressions of MapLibre
    """What the few operators of MapLibre that the rules use give."""
    if not isinstance(expression, list):
        return expression
    operator, *arguments = expression
    if operator == "match":
        given, options, yes, no = arguments
        return yes if holds(given, values) in options else no
    return _OPERATORS[operator](values, *(holds(one, values) for one in arguments))


_OPERATORS: dict[str, Any] = {
    "all": lambda _, *found: all(found),
    "!": lambda _, found: not found,
    "==": lambda _, one, two: one == two,
    "get": lambda values, name: values.get(name),
    "has": lambda values, name: name in values,
    "coalesce": lambda _, *found: next(one for one in found if one is not None),
    "slice": lambda _, text, start, end: text[start:end],
}


def test_a_table_of_one_type_needs_no_rule_for_others(styles: Styles) -> None:
    pipes = ET.fromstring(qml(styles, Layer(Shape.LINE, utility="vand")))  # noqa: S314
    labels = [rule.get("label") for rule in pipes.iter("rule")]
    assert "V  Vand" in labels
    assert "E  El" not in labels
    assert [one.get("pass") for one in pipes.iter("layer")].count(
        "1"
    ) == 4  # two dangers, each an edge and a fill


@pytest.fixture
def styles() -> Styles:
    return load_styles()


@pytest.mark.parametrize(
    "table", [*(one.name for one in load_model().concrete()), "Graveomraade", "Paavisningsomraade"]
)
def test_every_table_of_a_geopackage_has_a_style(table: str) -> None:
    for shape in Shape:
        root = ET.fromstring(table_style("ler", table, shape).qml)  # noqa: S314
        assert root.find("renderer-v2") is not None
