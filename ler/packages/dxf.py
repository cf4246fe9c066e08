"""The package as a drawing (DXF R2018): metres in EPSG:25832, heights DVR90, a layer an owner and utility type.

Dangerous lines have layers of their own, which say so. Letters stand along the lines, the dig area on its own layer.
What is known of an object is its extended data, application `LER`: JSON cut into texts, as exports write it. A feature
of several parts is several objects with one `gml_id`; an area is its rings; what has no place is not drawn. An unknown
height is -99, since a drawing has no word for it. Names of layers are in Danish.
"""

import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from ezdxf.document import Drawing
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ler.model import UNKNOWN_HEIGHT, Feature
from ler.packages.assessment import Assessed
from ler.packages.cad import APPLICATION, MOST_BYTES, TEXT_CODE, extended_text, lines_of, new_drawing, pieces
from ler.packages.colours import mix
from ler.packages.content import OwnerStatus, RequestInfo
from ler.packages.contents import Contents
from ler.packages.dxf_records import Position, Records, handle_behind
from ler.packages.exports.tables import geometries_of
from ler.packages.geojson import properties_of
from ler.packages.styles import StatusStyle, Styles, UtilityStyle, load_styles
from ler.packages.styling.dxf_layers import (
    METRES_PER_MM,
    add_layer,
    add_line_type,
    add_line_types,
    add_utility_layer,
    fit_name,
    layer_name,
    true_colour,
)
from ler.packages.styling.parts import GREY, NOTE, letter
from ler.packages.vector_values import is_network, told_of

AREA_LAYER: Final = "LER Graveomraade"
TEXT_LAYER: Final = "LER Bogstaver"
NOTE_LAYER: Final = "LER Anmaerkninger"
_STYLE: Final = "LER"
_LETTER_MM: Final = 2.5
_SHORTEST_M: Final = 4.0
"""Of a line with a letter."""


@dataclass(frozen=True, slots=True)
class _Look:
    """How features of one owner, type, danger and state are drawn."""

    line: str
    """The group codes of layer and colour."""
    letter: str
    text: str
    """The same of its letters."""


def write_dxf(path: Path, contents: Contents) -> int:
    """Write every feature that has a place; returns how many."""
    assessed = [one for one in contents.assessed if one.feature.geometry is not None]
    shapes = geometries_of([one.feature for one in assessed], unknown=UNKNOWN_HEIGHT)
    layers = _Layers(contents.request, load_styles(contents.options.theme))
    looks = [layers.look(one) for one in assessed]
    before, behind = _around_objects(layers.document, int(shapely.get_num_coordinates(shapes).sum()))
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(before)
        drawn = _Objects(Records(file, layers.document.modelspace().layout_key))
        for one, shape, look in zip(assessed, shapes, looks, strict=True):
            drawn.draw(one, shape, look)
        file.write(behind)
    return len(assessed)


def _around_objects(document: Drawing, positions: int) -> tuple[str, str]:
    """The file before and behind the place for further objects of the model space."""
    document.entitydb.handles.reset(handle_behind(positions))
    stream = io.StringIO()
    document.write(stream)
    whole = stream.getvalue()
    at = whole.index("  0\nENDSEC\n", whole.index("  2\nENTITIES\n"))
    return whole[:at], whole[at:]


class _Objects:
    """Draws features as objects."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def draw(self, one: Assessed, shape: BaseGeometry, look: _Look) -> None:
        """Draw the parts of a feature with what is known of it, and its letter."""
        feature, data = one.feature, _data(one)
        longest: tuple[float, NDArray[np.float64]] | None = None
        for part in lines_of(shape):
            positions = shapely.get_coordinates(part, include_z=True)
            closed = part.geom_type == "LinearRing"
            self._records.add_shape(positions.tolist(), look.line, data, closed=closed)
            if longest is None or part.length > longest[0]:
                longest = part.length, positions
        text = feature.attributes.get("text") if feature.type == "TextAnnotation" else look.letter
        if longest and isinstance(text, str) and text:
            self._label(text, *longest, look.text)

    def _label(self, text: str, length: float, positions: NDArray[np.float64], look: str) -> None:
        height = _LETTER_MM * METRES_PER_MM
        if len(positions) == 1:
            east, north, up = positions[0].tolist()
            self._records.add_text(text, (east + height, north, up), look, height=height, style=_STYLE)
        elif length >= _SHORTEST_M:
            place, turn = _middle(positions, length, height)
            self._records.add_text(text, place, look, height=height, turn=turn, style=_STYLE)


class _Layers:
    """The drawing with the layers that its features need."""

    def __init__(self, request: RequestInfo, styles: Styles) -> None:
        self._styles = styles
        self._looks: dict[tuple[object, ...], _Look] = {}
        self.document = _begin(request, styles)

    def look(self, one: Assessed) -> _Look:
        """Return how a feature is drawn, after making its layer."""
        feature = one.feature
        state = feature.attributes.get("driftsstatus")
        key = (one.owner.id, is_network(feature.type), one.utility_type, one.danger, str(state))
        if key not in self._looks:
            self._looks[key] = (
                self._make_look(one) if is_network(feature.type) else self._note_look(one.owner)
            )
        return self._looks[key]

    def _make_look(self, one: Assessed) -> _Look:
        utility = self._styles.utility(one.utility_type or None)
        danger = self._styles.danger(one.danger)
        state = one.feature.attributes.get("driftsstatus")
        status = self._styles.status(state if isinstance(state, str) else None)
        name = layer_name(utility, danger, f"{one.owner.cvr} {one.owner.name}")
        if name not in self.document.layers:
            description = f"{utility.letter}: {utility.name.da}, {one.owner.name}"
            add_utility_layer(self.document, name, utility, danger, description)
        colour = f"420\n{true_colour(_ink(utility, status))}\n"
        return _Look(
            f"8\n{name}\n{colour if status else ''}",
            letter(utility, status, danger),
            f"8\n{TEXT_LAYER}\n{colour}",
        )

    def _note_look(self, owner: OwnerStatus) -> _Look:
        name = fit_name(f"{NOTE_LAYER} - {owner.cvr} {owner.name}")
        if name not in self.document.layers:
            add_layer(self.document, name, NOTE, 0.18, f"Mål og noter, {owner.name}")
        return _Look(f"8\n{name}\n", "", f"8\n{name}\n")


def _ink(utility: UtilityStyle, status: StatusStyle | None) -> str:
    return mix(utility.ink, GREY, status.grey_share) if status else utility.ink


def _begin(request: RequestInfo, styles: Styles) -> Drawing:
    """An empty drawing with its layers, the dig area, and a window upon it."""
    document = new_drawing()
    document.header["$PDMODE"], document.header["$PDSIZE"] = (
        34,
        0.6,
    )  # points are circles of 0.6 m with a cross
    document.header["$LTSCALE"] = 1.0
    document.header.custom_vars.append("CRS", "EPSG:25832, DVR90 (EPSG:7416)")
    document.header.custom_vars.append("LER", str(request.order_number))
    document.styles.add(_STYLE, font="DejaVuSans.ttf")
    add_line_types(document, styles)
    area = styles.area
    add_line_type(document, "LER_GRAVEOMRAADE", (6.0, 1.5), area.name.da)
    add_layer(document, AREA_LAYER, area.outline, area.outline_mm, area.name.da)
    document.layers.get(AREA_LAYER).dxf.linetype = "LER_GRAVEOMRAADE"
    add_layer(
        document, TEXT_LAYER, area.outline, 0.18, "Bogstav for hver forsyningsart; ! farlig, !! meget farlig"
    )
    space = document.modelspace()
    for ring in lines_of(request.area):
        rounded = np.round(shapely.get_coordinates(ring)[:-1], 4).tolist()
        space.add_lwpolyline(rounded, close=True, dxfattribs={"layer": AREA_LAYER})
    west, south, east, north = request.area.bounds
    document.header["$EXTMIN"], document.header["$EXTMAX"] = (west, south, 0), (east, north, 0)
    middle = (round((west + east) / 2, 4), round((south + north) / 2, 4))
    document.set_modelspace_vport(height=round(1.2 * max(north - south, east - west), 2), center=middle)
    return document


def _data(one: Assessed) -> str:
    """The group codes of an object's extended data; only who and what it is where all would be too much."""
    values = properties_of(one.feature, told_of(one))
    text = extended_text(values)
    if len(text) > MOST_BYTES:
        short = properties_of(Feature(one.feature.type, one.feature.gml_id), told_of(one))
        text = extended_text({**short, "left_out": sorted(one.feature.attributes)})
    groups = "".join(f"{TEXT_CODE}\n{piece}\n" for piece in pieces(text))
    return f"1001\n{APPLICATION}\n{groups}"


def _middle(positions: NDArray[np.float64], length: float, above: float) -> tuple[Position, float]:
    """The place of a letter over the middle of a line, and how it is turned, degrees; never upside down."""
    steps = np.hypot(*np.diff(positions[:, :2], axis=0).T)
    along = np.cumsum(steps)
    at = min(int(np.searchsorted(along, length / 2)), len(steps) - 1)
    (x, y, z), (to_x, to_y, to_z) = positions[at].tolist(), positions[at + 1].tolist()
    share = (length / 2 - (along[at] - steps[at])) / steps[at] if steps[at] else 0.0
    turn = math.degrees(math.atan2(to_y - y, to_x - x))
    turn = turn - 180 if turn > 90 else turn + 180 if turn <= -90 else turn  # noqa: PLR2004 - quarter turns
    side = math.radians(turn + 90)
    place = (
        x + share * (to_x - x) + above * math.cos(side),
        y + share * (to_y - y) + above * math.sin(side),
        z + share * (to_z - z) if UNKNOWN_HEIGHT not in {z, to_z} else UNKNOWN_HEIGHT,
    )
    return place, round(turn, 2)
