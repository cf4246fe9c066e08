"""Opens a package in Debian's QGIS without a screen and says what is wrong: `/usr/bin/python3 check.py FOLDER`.

Every layer of the project must be valid, drawn by our rules and hold what was delivered; the GeoPackage alone must open
in the same style; published styles must load; the picture must show lines, the danger band and the dig area.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsExpression,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsProject,
    QgsRuleBasedRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

PLAIN = {"Graveomraade", "Paavisningsomraade"}
RED = QColor("#cc1122")


def main(folder: Path) -> int:
    """Return how many things are wrong, after saying each."""
    application = QgsApplication([], False)
    application.initQgis()
    faults = [
        *project_faults(folder),
        *geopackage_faults(folder),
        *style_faults(folder),
        *flatgeobuf_faults(folder),
    ]
    for fault in faults:
        sys.stdout.write(f"QGIS: {fault}\n")
    sys.stdout.write(f"QGIS: {len(faults)} faults\n")
    sys.stdout.flush()
    os._exit(min(len(faults), 1))  # its own way out falls over widgets that are not there


def project_faults(folder: Path) -> Iterator[str]:
    """What is wrong with the project, opened beside its GeoPackage."""
    project = QgsProject.instance()
    if not project.read(str(folder / "consolidated.qgz")):
        yield f"the project does not open: {project.error()}"
        return
    if project.crs().authid() != "EPSG:25832":
        yield f"the project has the CRS {project.crs().authid()!r}"
    nodes = project.layerTreeRoot().findLayers()
    groups = list(dict.fromkeys(node.parent().name() for node in nodes))
    if groups[0] != "Farlige ledninger" or groups[-1] != "Graveområde":
        yield f"the groups stand as {groups}"
    found: Counter[str] = Counter()
    for node in nodes:
        layer = node.layer()
        if layer is None or not layer.isValid():
            yield f"{node.name()} is not valid"
            continue
        is_band = node.parent().name() == "Usikkerhed"
        if not is_band:
            found[table_of(layer)] += sum(1 for _ in layer.getFeatures())
        yield from layer_faults(node.name(), layer, letters=not is_band)
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    for table, count in expected.items():
        if found[table] != count:
            yield f"{table} shows {found[table]} features, not {count}"
    yield from picture_faults(project, folder)


def layer_faults(name: str, layer: QgsVectorLayer, *, letters: bool = True) -> Iterator[str]:
    """What is wrong with how a layer is drawn."""
    if table_of(layer) in PLAIN:
        if layer.renderer().symbol().symbolLayerCount() != 2:
            yield f"{name} is not drawn in our style"
        return
    if not isinstance(layer.renderer(), QgsRuleBasedRenderer):
        yield f"{name} is drawn by {layer.renderer().type()}"
        return
    for rule in layer.renderer().rootRule().descendants():
        words = rule.filterExpression()
        if words not in {"", "ELSE"} and QgsExpression(words).hasParserError():
            yield f"{name}: the filter {words} is not understood"
    if not letters:
        return
    if not layer.labelsEnabled() or QgsExpression(layer.labeling().settings().fieldName).hasParserError():
        yield f"{name} has no letters"


def picture_faults(project: QgsProject, folder: Path) -> Iterator[str]:
    """What is missing in the picture of the project."""
    settings = QgsMapSettings()
    settings.setLayers([node.layer() for node in project.layerTreeRoot().findLayers()])
    settings.setDestinationCrs(project.crs())
    settings.setExtent(project.viewSettings().defaultViewExtent())
    settings.setOutputSize(QSize(1200, 1200))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    yield from (f"drawing: {error.message}" for error in job.errors())
    image = job.renderedImage()
    image.save(str(folder / "picture.png"))
    colours = {image.pixelColor(x, y).name() for x in range(0, 1200, 2) for y in range(0, 1200, 2)}
    for what, colour in (("electricity", "#cc1122"), ("water", "#0a5fd0"), ("very dangerous", "#ffb3ad")):
        if colour not in colours:
            yield f"the picture has nothing in the colour of {what}"


def geopackage_faults(folder: Path) -> Iterator[str]:
    """What is wrong with the GeoPackage opened alone."""
    for table in ("Vandledning", "Elkomponent|geometrytype=Point25D", "Foeringsroer", "Graveomraade"):
        layer = QgsVectorLayer(f"{folder}/consolidated.gpkg|layername={table}", table, "ogr")
        if layer.isValid():
            yield from layer_faults(f"{table} alone", layer)
        else:
            yield f"{table} alone is not valid"


def style_faults(folder: Path) -> Iterator[str]:
    """What is wrong with the published styles."""
    for path in sorted([*folder.glob("*.qml"), *folder.glob("*.sld")]):
        layer = QgsVectorLayer("LineString?crs=epsg:25832&field=utility_type:string", "lines", "memory")
        load = layer.loadNamedStyle if path.suffix == ".qml" else layer.loadSldStyle
        message, fine = load(str(path))
        if not fine or not isinstance(layer.renderer(), QgsRuleBasedRenderer):
            yield f"{path.name} does not load: {message}"


def flatgeobuf_faults(folder: Path) -> Iterator[str]:
    """What is wrong with the FlatGeobufs."""
    for path in sorted(folder.glob("*.fgb")):
        layer = QgsVectorLayer(str(path), path.stem, "ogr")
        if not layer.isValid() or not layer.isSpatial():
            yield f"{path.name} is not drawn"


def table_of(layer: QgsVectorLayer) -> str:
    """Return the table behind a layer."""
    return str(layer.source()).partition("layername=")[2].partition("|")[0]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
