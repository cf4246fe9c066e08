"""OGC API Styles: what draws the map leads to tiles that the caller sees, and to no others."""

import xml.etree.ElementTree as ET  # our own output
from typing import Any

import mapbox_vector_tile
import pytest

from tests.conformance.scene import Suite, linked, media_type
from tests.tile_places import place_of

STYLES = "http://www.opengis.net/def/rel/ogc/1.0/styles"
MAPLIBRE = "application/vnd.mapbox.style+json"
MVT = "application/vnd.mapbox-vector-tile"


def stylesheets(suite: Suite, resource: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    listed = suite.json(linked(resource, STYLES)["href"])
    assert listed["default"] in {one["id"] for one in listed["styles"]}
    return {one["id"]: one["links"] for one in listed["styles"]}


def test_every_stylesheet_is_there(suite: Suite) -> None:
    some = [
        one
        for one in suite.listed["collections"]
        if one["id"] in {"network", "requests", "lines-gas", "damages"}
    ]
    for resource in (suite.landing, *some):
        for links in stylesheets(suite, resource).values():
            for link in links:
                answer = suite.get(link["href"], "*/*")
                assert answer.status_code == 200, link
                assert answer.headers["Content-Type"].startswith(link["type"])
                if media_type(answer) != MAPLIBRE:
                    ET.fromstring(answer.content)  # noqa: S314
    assert len(stylesheets(suite, some[0])["ler"]) == 3


@pytest.mark.parametrize("path", ["/ogc/styles/ler", "/ogc/collections/network/styles/ler"])
def test_the_style_leads_to_tiles(suite: Suite, path: str) -> None:
    style = suite.json(path, MAPLIBRE)
    (template,) = style["sources"]["ler"]["tiles"]
    z, y, x = place_of("WebMercatorQuad", 14, 575100.0, 6224200.0).numbers
    address = template.replace("{z}", str(z)).replace("{y}", str(y)).replace("{x}", str(x))
    assert address.startswith(str(suite.http.base_url))
    layers = {*mapbox_vector_tile.decode(suite.get(address, MVT).content)}
    named = {one["source-layer"] for one in style["layers"] if one["type"] != "background"}
    assert "network" in layers <= named
    assert "lines-water" not in named


def test_who_has_no_token_learns_nothing(stranger: Suite) -> None:
    style = stranger.json("/ogc/styles/ler", MAPLIBRE)
    assert "network" not in str(style["layers"])
    assert stranger.get("/ogc/collections/network/styles").status_code == 401
    assert stranger.get("/ogc/styles/none").status_code == 404


def test_qgis_gets_all_layers_in_one_file(suite: Suite, stranger: Suite) -> None:
    answer = suite.get("/ogc/package.qlr", "*/*", authcfg="abc1234", lang="en")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ler.qlr"'
    found = ET.fromstring(answer.content)  # noqa: S314
    sources = [str(one.text) for one in found.iter("datasource")]
    assert [one for one in sources if "authcfg=abc1234" not in one] == []
    names = [one.partition("typename='")[2].partition("'")[0] for one in sources]
    assert names[-1] == ""  # the map of tiles lies below all
    held = {one["id"] for one in suite.spatial if suite.items(one, limit=1)["features"]}
    assert {*names[:-1]} == held - {"package-features"}
    assert "authcfg" not in suite.get("/ogc/package.qlr", "*/*").text
    assert suite.get("/ogc/package.qlr", "*/*", authcfg="' or").status_code == 400
    assert suite.get("/ogc/package.qlr", "*/*", theme="none").status_code == 404
    shown = ET.fromstring(stranger.get("/ogc/package.qlr", "*/*").content)  # noqa: S314
    public = {one["id"] for one in stranger.listed["collections"]}
    for one in shown.iter("datasource"):
        assert str(one.text).partition("typename='")[2].partition("'")[0] in public | {""}
