"""Identifiers as IMKL wants them: a namespace, and in it the owner's code, a dot and letters, digits and `_`.

Every other sign of a `gml:id` is written as `_x` and its number, so that it can be read back. KLIC gives owners codes
(`KL1234`); an owner of LER has none, so its CVR number stands there, in a namespace of its own.
"""

import re
from typing import Final

NAMESPACE: Final = "dk.ler"
_OUTSIDE: Final = re.compile(r"[^A-Za-z0-9_]|_(?=x)")
_WRITTEN: Final = re.compile(r"_x([0-9A-F]+)_")
_OURS: Final = re.compile(rf"{re.escape(NAMESPACE)}-(\w*)\.(\w+)", re.ASCII)


def local_id(owner: str, gml_id: str, part: str = "") -> str:
    """Return the identifier within the namespace; `part` names an object that is only a part of the feature."""
    written = _OUTSIDE.sub(lambda sign: f"_x{ord(sign[0]):X}_", gml_id)
    return f"{owner}.{written}" + (f"_x{part}" if part else "")  # no feature is written so


def full_id(owner: str, gml_id: str, part: str = "") -> str:
    """Return the `gml:id` of an object in a file of IMKL."""
    return f"{NAMESPACE}-{local_id(owner, gml_id, part)}"


def read_id(identifier: str) -> tuple[str, str]:
    """Return the owner's CVR number and LER's `gml:id`; "" and the identifier as it is where it is none of ours."""
    ours = _OURS.fullmatch(identifier)
    if ours is None:
        return "", identifier
    return ours[1], _WRITTEN.sub(lambda sign: chr(int(sign[1], 16)), ours[2])
