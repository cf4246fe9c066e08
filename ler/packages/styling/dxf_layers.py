"""The style source as layers and line types of a DXF drawing, and a drawing of nothing else with a legend.

A layer has the colour, weight and dash of its utility type, so that a layer that CAD switches on looks as in our plans.
Dashes are as long as on paper at 1:500. CAD programs show them on lines of two positions, not on polylines with
heights: letters stand beside the lines.
"""

import io
import re
from functools import cache
from typing import Final

from ezdxf.colors import DXF_DEFAULT_COLORS, int2rgb, rgb2int
from ezdxf.document import Drawing
from ezdxf.entities.layer import Layer

from ler.packages.cad import new_drawing
from ler.packages.colours import rgb
from ler.packages.styles import DangerStyle, Styles, UtilityStyle
from ler.packages.styling.parts import codes

METRES_PER_MM: Final = 0.5
"""Of dashes and letters, at 1:500."""
_FORBIDDEN: Final = re.compile(r'[\x00-\x1f\x7f<>/\\":;?*|=`,]+')
_LONGEST_NAME: Final = 120
_WEIGHTS: Final = (
    0,
    5,
    9,
    13,
    15,
    18,
    20,
    25,
    30,
    35,
    40,
    50,
    53,
    60,
    70,
    80,
    90,
    100,
    106,
    120,
    140,
    158,
    200,
)
"""Hundredths of a millimetre that DXF knows."""


def dxf(styles: Styles) -> str:
    """Return a drawing that has the layers of every utility type and danger, with a legend of every code as text."""
    document = new_drawing()
    add_line_types(document, styles)
    space, down = document.modelspace(), 0.0
    for utility in styles.utilities:
        for danger in (None, *styles.dangers):
            name = layer_name(utility, danger)
            add_utility_layer(document, name, utility, danger, f"{utility.letter}: {utility.name.da}")
            space.add_line((0, down), (7, down), dxfattribs={"layer": name})
            space.add_text(utility.letter, height=1.25, dxfattribs={"layer": name, "insert": (8, down)})
            down -= 2
    add_layer(document, "LER Signaturforklaring", styles.area.outline, 0.18, "Koder")
    for attribute, value, words in codes(styles):
        place = {"layer": "LER Signaturforklaring", "insert": (0, down)}
        space.add_text(f"{attribute} = {value}: {words}", height=1.25, dxfattribs=place)
        down -= 2
    stream = io.StringIO()
    document.write(stream)
    return stream.getvalue()


def layer_name(utility: UtilityStyle, danger: DangerStyle | None, owner: str = "") -> str:
    """Return the name of the layer of lines of one type and danger, and of an owner where it is of one."""
    name = f"LER {utility.name.da}" + (f" - {owner}" if owner else "")
    return fit_name(name, f" - {danger.value.upper()}" if danger else "")


def fit_name(name: str, end: str = "") -> str:
    """Return a name that a layer may have."""
    return _FORBIDDEN.sub("-", name)[:_LONGEST_NAME].strip() + end


def add_line_types(document: Drawing, styles: Styles) -> None:
    """Add a line type for each utility type that is dashed."""
    for utility in styles.utilities:
        if utility.dash_mm:
            add_line_type(document, line_type_of(utility), utility.dash_mm, utility.name.da)


def add_line_type(document: Drawing, name: str, dash_mm: tuple[float, ...], description: str) -> None:
    """Add a line type of dashes on paper: on, off, on, off ..."""
    parts = [(-1 if at % 2 else 1) * part * METRES_PER_MM for at, part in enumerate(dash_mm)]
    pattern = [round(sum(map(abs, parts)), 4), *(round(part, 4) for part in parts)]
    document.linetypes.add(name, pattern, description=description)


def line_type_of(utility: UtilityStyle) -> str:
    """Return the name of the line type of a utility type."""
    return f"LER_{'UKENDT' if utility.letter == '?' else utility.letter}" if utility.dash_mm else "Continuous"


def add_utility_layer(
    document: Drawing, name: str, utility: UtilityStyle, danger: DangerStyle | None, description: str
) -> Layer:
    """Add the layer of lines of one utility type; dangerous ones are drawn wider by the margin of their band."""
    width = utility.width_mm + (danger.margin_mm if danger else 0)
    layer = add_layer(document, name, utility.ink, width, description)
    layer.dxf.linetype = line_type_of(utility)
    return layer


def add_layer(document: Drawing, name: str, colour: str, width_mm: float, description: str) -> Layer:
    """Add a layer with a solid line of a colour, as true colour and as the nearest of the 255 that old programs know."""
    layer = document.layers.add(name, color=_index_of(colour), true_color=true_colour(colour))
    layer.dxf.lineweight = min(_WEIGHTS, key=lambda weight: abs(weight - 100 * width_mm))
    layer.description = description
    return layer


def true_colour(colour: str) -> int:
    """Return a colour as DXF writes it."""
    return rgb2int(tuple(round(255 * channel) for channel in rgb(colour)))  # type: ignore[arg-type] # three of them


@cache
def _index_of(colour: str) -> int:
    wanted = rgb(colour)

    def distance(index: int) -> float:
        channels = int2rgb(DXF_DEFAULT_COLORS[index])
        return sum((255 * one - other) ** 2 for one, other in zip(wanted, channels, strict=True))

    return min(range(1, 256), key=distance)
