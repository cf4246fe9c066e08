"""How tiles are drawn: each feature by its own utility type and state and no other, in MapLibre and in QGIS alike."""

import json
import xml.etree.ElementTree as ET  # our own output
from typing import Any

import pytest

from ler.model import load_model
from ler.packages.map_kinds import Kind
from ler.packages.styles import load_styles
from ler.packages.styling.maplibre_tiles import tile_style
from ler.packages.styling.parts import DANGER, STATUS, TYPE, Shape, Stroke, kind_of_type, strokes
from ler.packages.styling.qgis_tiles import tile_renderer
from ler.packages.styling.sld import sld
from ler.packages.styling.tile_drawing import LER_UTILITY, TileLayer, drawn_tiles

STYLES = load_styles()
LAYERS = [
    TileLayer("requests", buried=False),
    TileLayer("network"),
    TileLayer("lines-water", utility="vand", kind=Kind.LINE),
]
UTILITIES = [*load_model().code_lists["Forsyningsart"].values, "other: damp", "noget nyt"]


def holds(condition: list[Any], told: dict[str, str]) -> bool:
    """Whether a filter is true, as MapLibre's specification says of filters of old."""
    operator, *rest = condition
    if operator in {"all", "none"}:
        met = [holds(one, told) for one in rest]
        return all(met) if operator == "all" else not any(met)
    value = told.get(rest[0])
    if operator in {">=", "<"}:
        return value is not None and (value >= rest[1] if operator == ">=" else value < rest[1])
    found = value in rest[1:]
    return {"==": found, "in": found, "!in": not found, "has": value is not None}[operator]


@pytest.mark.parametrize("utility", UTILITIES)
def test_a_line_is_drawn_by_its_type_and_state(utility: str) -> None:
    drawn = [*drawn_tiles(STYLES, LAYERS[1:2])]
    for status in (None, "i drift", *(one.value for one in STYLES.statuses)):
        for feature_type in ("Vandledning", "Foeringsroer", "Ledningstrace"):
            told = {LER_UTILITY: utility, TYPE: feature_type} | ({STATUS: status} if status else {})
            met = [
                one.paint
                for one in drawn
                if one.shape is Shape.LINE and all(holds(each, told) for each in one.conditions)
            ]
            kind = kind_of_type(feature_type, STYLES)
            assert met == [*strokes(STYLES, STYLES.utility(utility), kind, STYLES.status(status))]


def test_danger_lies_below_lines() -> None:
    names = [one.name for one in drawn_tiles(STYLES, LAYERS)]
    last = max(number for number, name in enumerate(names) if DANGER in name)
    first = min(number for number, name in enumerate(names) if "-vand-" in name)
    assert last < first
    assert len({*names}) == len(names)


def test_a_layer_of_one_type_needs_no_attribute_for_it() -> None:
    drawn = [one for one in drawn_tiles(STYLES, LAYERS) if one.layer == "lines-water"]
    assert LER_UTILITY not in json.dumps([one.conditions for one in drawn])
    lines = [one for one in drawn if one.shape is Shape.LINE and DANGER not in one.name]
    assert {one.paint.colour for one in lines if isinstance(one.paint, Stroke)} >= {
        STYLES.utility("vand").colour
    }
    assert not [one for one in lines if "duct" in one.name or "trace" in one.name]


def test_both_languages_tell_all() -> None:
    style = tile_style(STYLES, LAYERS, "https://example.dk/{z}/{y}/{x}", (8, 54, 13, 58), 20)
    names = [one.name for one in drawn_tiles(STYLES, LAYERS)]
    assert [one["id"] for one in style["layers"]] == ["background", *names]
    renderer = ET.fromstring(tile_renderer(STYLES, LAYERS))  # noqa: S314
    assert [one.get("name") for one in renderer.iter("style")] == names
    assert all(one.find("symbols/symbol/layer") is not None for one in renderer.iter("style"))
    chosen = {one.get("name"): one.get("expression") for one in renderer.iter("style")}
    assert chosen["network-gas-area"] == "\"_geom_type\" = 'Polygon' AND \"forsyningsart\" = 'gas'"
    assert chosen["lines-water-vand-line-0"] == (
        '"_geom_type" = \'LineString\' AND ("driftsstatus" IS NULL OR'
        " \"driftsstatus\" NOT IN ('under etablering', 'permanent ude af drift'))"
    )


def test_sld_of_one_type_asks_for_no_type() -> None:
    content = sld(STYLES, layer="lines-water", attribute=LER_UTILITY, utility="vand")
    assert LER_UTILITY not in content
    assert "<ogc:PropertyName>utility_type<" not in content
    assert STYLES.utility("vand").colour in content
    assert STYLES.utility("gas").colour not in content
    assert "<ogc:And></ogc:And>" not in content
    assert f"<ogc:PropertyName>{LER_UTILITY}</ogc:PropertyName>" in sld(STYLES, attribute=LER_UTILITY)
