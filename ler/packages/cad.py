"""What all our DXF drawings have in common: how one begins, how shapes are taken apart, and what objects carry along.

The extended data (XDATA) of the application `LER` hold a JSON object in ASCII, cut into texts, because CAD programs keep
it with the object where a layer's name has room for little.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import shapely
from ezdxf._options import options
from ezdxf.document import Drawing
from shapely.geometry.base import BaseGeometry

APPLICATION: Final = "LER"
MOST_BYTES: Final = 15_000
"""Of the extended data of one object; the format's limit is 16 kB."""
TEXT_CODE: Final = 1000
_PIECE: Final = 240


def new_drawing() -> Drawing:
    """Return an empty drawing in metres, release R2018."""
    # Set for the whole process and never unset: no drawing of ours tells when, or by which run, it was made.
    options.write_fixed_meta_data_for_testing = True
    document = Drawing.new("AC1032")
    document.units = 6  # metres
    document.appids.add(APPLICATION)
    # Before ezdxf does it, in the order of a set.
    for name in sorted(document.entitydb.dxf_types_in_use()):
        document.classes.add_class(name)
    return document


def lines_of(shape: BaseGeometry) -> Iterator[BaseGeometry]:
    """The points, lines and rings that a geometry is drawn with."""
    for part in shapely.get_parts(shape):
        if isinstance(part, shapely.Polygon):
            yield part.exterior
            yield from part.interiors
        else:
            yield part


def extended_text(values: dict[str, Any]) -> str:
    """Return values as the text that an object carries: JSON without what is None, and without carets.

    A caret with a letter behind it is a control character to CAD programs.
    """
    text = json.dumps({name: value for name, value in values.items() if value is not None})
    return text.replace("^", "\\u005e")


def pieces(text: str) -> Iterator[str]:
    """Cut such a text into what one group of extended data may hold."""
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
