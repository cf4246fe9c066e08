"""The maps of an answered request, taken out of its package so that they lie beside it."""

import zipfile
from pathlib import Path
from typing import Final

from geoapi.dig_request import Answered

_MEMBERS: Final = {
    "overview.png": "map-{number}.png",
    "overview.pgw": "map-{number}.pgw",
    "plan.pdf": "plan-{number}.pdf",
}


def lay_out_maps(folder: Path, answered: Answered) -> list[Path]:
    """Write overview and plan into the folder; return them, the overview first. None when nobody was asked."""
    if not answered.packages:
        return []
    laid = {}
    with zipfile.ZipFile(answered.packages[0].path) as package:
        for member, name in _MEMBERS.items():
            laid[member] = folder / name.format(number=answered.request.order_number)
            laid[member].write_bytes(package.read(member))
    return [laid["overview.png"], laid["plan.pdf"]]
