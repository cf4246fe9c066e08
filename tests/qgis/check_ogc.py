"""Opens a layer definition of the OGC API in Debian's QGIS without a screen: `/usr/bin/python3 check_ogc.py FOLDER`.

Every layer must be valid, drawn by our rules and hold what was delivered; the map of tiles must show it too.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsAuthMethodConfig,
    QgsCoordinateReferenceSystem,
    QgsExpression,
    QgsLayerDefinition,
    QgsMapLayer,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsProject,
    QgsRectangle,
    QgsRuleBasedRenderer,
    QgsVectorTileLayer,
)
from qgis.PyQt.QtCore import QSize

AREA = QgsRectangle(574990, 6223990, 575110, 6224110)
WATER, DANGER, NOTE = "#0a5fd0", "#ffe3e0", "#5b6166"


def main(folder: Path) -> None:
    """End with 1 where anything is wrong, after saying it."""
    application = QgsApplication([], False)
    application.initQgis()
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    faults = [*login_faults(expected), *layer_faults(folder, expected["layers"])]
    for fault in faults:
        sys.stdout.write(f"QGIS: {fault}\n")
    sys.stdout.write(f"QGIS: {len(faults)} faults\n")
    sys.stdout.flush()
    os._exit(min(len(faults), 1))  # its own way out falls over widgets that are not there


def login_faults(expected: dict[str, Any]) -> Iterator[str]:
    """Keep the token as a user does, as the password of Basic authentication."""
    manager = QgsApplication.authManager()
    manager.setMasterPassword("master", True)
    login = QgsAuthMethodConfig("Basic")
    login.setId(expected["login"])
    login.setName("ler")
    login.setConfig("username", "token")
    login.setConfig("password", expected["token"])
    if not manager.storeAuthenticationConfig(login)[0]:
        yield "the login is not kept"


def layer_faults(folder: Path, expected: dict[str, int]) -> Iterator[str]:
    """What is wrong with the layers."""
    project = QgsProject.instance()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:25832"))
    fine, message = QgsLayerDefinition.loadLayerDefinition(
        str(folder / "ler.qlr"), project, project.layerTreeRoot()
    )
    if not fine:
        yield f"the layer definition does not open: {message}"
        return
    layers = [node.layer() for node in project.layerTreeRoot().findLayers()]
    if not isinstance(layers[-1], QgsVectorTileLayer):
        yield "the map of tiles is not the lowest layer"
    found: dict[str, int] = {}
    for layer in layers:
        if not layer.isValid():
            yield f"{layer.name()} is not valid"
        elif isinstance(layer, QgsVectorTileLayer):
            yield from tile_faults(project, layer)
        else:
            found[layer.source().partition("typename='")[2].partition("'")[0]] = layer.featureCount()
            if len(list(layer.getFeatures())) != layer.featureCount():
                yield f"{layer.name()} does not give all its features"
            yield from style_faults(layer)
    if found != expected:
        yield f"there are {found}, not {expected}"
    colours = colours_of(project, [layer for layer in layers if not isinstance(layer, QgsVectorTileLayer)])
    yield from (f"the features show nothing in {one}" for one in (WATER, DANGER) if one not in colours)


def style_faults(layer: QgsMapLayer) -> Iterator[str]:
    """What is wrong with how features are drawn."""
    if "requests" in layer.source():
        if layer.renderer().symbol().symbolLayerCount() != 2:
            yield "the dig areas are not drawn in our style"
        return
    if not isinstance(layer.renderer(), QgsRuleBasedRenderer) or not layer.labelsEnabled():
        yield f"{layer.name()} is drawn by {layer.renderer().type()}"
        return
    for rule in layer.renderer().rootRule().descendants():
        words = rule.filterExpression()
        if words not in {"", "ELSE"} and QgsExpression(words).hasParserError():
            yield f"{layer.name()}: the filter {words} is not understood"


def tile_faults(project: QgsProject, layer: QgsVectorTileLayer) -> Iterator[str]:
    """What is wrong with the map of tiles."""
    for style in layer.renderer().styles():
        words = style.filterExpression()
        if words and QgsExpression(words).hasParserError():
            yield f"{style.styleName()}: the filter {words} is not understood"
    colours = colours_of(project, [layer])
    yield from (f"the tiles show nothing in {one}" for one in (WATER, DANGER) if one not in colours)
    if NOTE in colours:
        yield "the tiles show points where there are areas"


def colours_of(project: QgsProject, layers: list[QgsMapLayer]) -> set[str]:
    """Draw the place and return what colours are in the picture."""
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(project.crs())
    settings.setTransformContext(project.transformContext())
    settings.setExtent(AREA)
    settings.setOutputSize(QSize(800, 800))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    return {image.pixelColor(x, y).name() for x in range(800) for y in range(0, 800, 2)}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
