"""DXF of a whole network: a layer a feature type, and all that is known of each object in its extended data.

What an object carries is described in `ler.packages.cad`. An object without a geometry of its own is a point on the
layer `uden-geometri`, beside what contains it; the mapping knows that the point is no place. An unknown height is -99,
since a drawing has no NaN.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely
from ezdxf.entities.dxfgfx import DXFGraphic
from ezdxf.layouts.base import BaseLayout
from ezdxf.layouts.layout import Modelspace
from shapely.geometry.base import BaseGeometry

from ler.errors import InputError
from ler.model import UNKNOWN_HEIGHT, Feature, Model
from ler.packages.cad import (
    APPLICATION,
    MOST_BYTES,
    TEXT_CODE,
    extended_text,
    lines_of,
    new_drawing,
    pieces,
)
from ler.packages.exports.tables import (
    CRS,
    ID_COLUMN,
    ONLY_LAYER,
    TYPE_COLUMN,
    Written,
    WrittenLayer,
    attribute_columns,
    geometries_of,
    rules_of,
    unknown_heights,
    used_attributes,
)

GEOMETRY_COLUMN: Final = "geometri"
_AREA: Final = "flade"
_NOWHERE: Final = "ingen"
_NOWHERE_LAYER: Final = "uden-geometri"


def write_dxf(path: Path, features: Sequence[Feature], model: Model) -> Written:
    """Write the drawing, metres, release R2018. InputError for an object with more text than a drawing can hold."""
    attributes = used_attributes(features, model)
    columns: dict[str, Any] = dict(attribute_columns(features, attributes, model))
    marks = _marks(features)
    document = new_drawing()
    space = document.modelspace()
    shapes = geometries_of(features, unknown=UNKNOWN_HEIGHT)
    for at, (feature, shape) in enumerate(zip(features, shapes, strict=True)):
        values = {name: _plain(column[at]) for name, column in columns.items()}
        values = {TYPE_COLUMN: feature.type, ID_COLUMN: feature.gml_id, **values}
        if shape is None:
            values[GEOMETRY_COLUMN] = _NOWHERE
            entity: DXFGraphic = space.add_point(marks[at], dxfattribs={"layer": _NOWHERE_LAYER})
        else:
            if "Polygon" in shape.geom_type:
                values[GEOMETRY_COLUMN] = _AREA
            entity = _draw(space, shape, feature.type, number=at)
        entity.set_xdata(APPLICATION, list(_texts(values, feature.gml_id)))
    document.saveas(path)
    keys = {
        "extended": APPLICATION,
        "areas": {"column": GEOMETRY_COLUMN, "is": [_AREA]},
        "unplaced": {"column": GEOMETRY_COLUMN, "is": [_NOWHERE]},
    }
    layer = WrittenLayer(ONLY_LAYER, "", rules_of(attributes), keys=keys)
    return Written([layer], len(features), {"crs": CRS, **unknown_heights()})


def _marks(features: Sequence[Feature]) -> list[tuple[float, float]]:
    """Where each feature without a geometry gets its point: at the beginning of what contains it, if anything does."""
    places: dict[str, tuple[float, float]] = {}
    first = (0.0, 0.0)
    for feature in features:
        if feature.geometry is not None:
            x, y = shapely.get_coordinates(feature.geometry)[0].tolist()
            first = first if any(first) else (x, y)
            contained = feature.attributes.get("indeholdtLedning")
            for target in contained if isinstance(contained, list) else ():
                places.setdefault(str(target), (x, y))
    return [places.get(feature.gml_id, first) for feature in features]


def _draw(space: Modelspace, shape: BaseGeometry, layer: str, *, number: int) -> DXFGraphic:
    """One object of the drawing for one feature: a point, a polyline, or a block of several."""
    attributes = {"layer": layer}
    parts = list(lines_of(shape))
    if len(parts) == 1:
        return _draw_part(space, parts[0], attributes)
    block = space.doc.blocks.new(f"LER_{number}")
    for part in parts:
        _draw_part(block, part, attributes)
    return space.add_blockref(block.name, (0, 0, 0), dxfattribs=attributes)


def _draw_part(space: BaseLayout, part: BaseGeometry, attributes: dict[str, str]) -> DXFGraphic:
    points = shapely.get_coordinates(part, include_z=True).tolist()
    if len(points) == 1:
        return space.add_point(points[0], dxfattribs=attributes)
    return space.add_polyline3d(points, dxfattribs=attributes)


def _plain(cell: Any) -> str | float | bool | None:  # noqa: ANN401 - whatever a column holds
    if cell is None or cell is pd.NA or cell != cell:  # noqa: PLR0124 - NaN
        return None
    found: str | float | bool = cell.item() if isinstance(cell, np.generic) else cell
    return found


def _texts(values: dict[str, Any], gml_id: str) -> Iterator[tuple[int, str]]:
    text = extended_text(values)
    if len(text) > MOST_BYTES:
        raise InputError(f"{gml_id} has more text than an object of a drawing can hold.")
    return ((TEXT_CODE, piece) for piece in pieces(text))
