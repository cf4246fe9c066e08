"""The elements that GML gives every feature before its own: nothing of them is kept, but they must be well made."""

from typing import Final

from ingest.readers.gml_attributes import AttributeFault, check_attributes
from ingest.readers.type_table import GML
from ingest.readers.xml_stream import Element
from ler.model.values import parse_number

CODE_SPACE: Final = "codeSpace"

_UNREAD: Final = frozenset({GML + "metaDataProperty", GML + "location"})
_CORNERS: Final = [GML + "lowerCorner", GML + "upperCorner"]


def check_standard(element: Element) -> str:
    """What is wrong with one of them, in values that need no language; empty when it is well made.

    What metaDataProperty and location hold is not looked at.
    """
    if element.name in _UNREAD:
        return ""
    try:
        check_attributes(element)
        match element.local_name:
            case "identifier" if CODE_SPACE not in element.attributes:
                return CODE_SPACE
            case "descriptionReference" if element.children or element.text:
                return element.children[0].local_name if element.children else repr(element.text)
            case "boundedBy":
                return _check_envelope(element)
            case _:
                return element.children[0].local_name if element.children else ""
    except AttributeFault as fault:
        return fault.found


def _check_envelope(element: Element) -> str:
    if element.stray_text:
        return element.stray_text
    inside = [child.name for child in element.children]
    if inside == [GML + "Null"]:
        return ""
    if inside != [GML + "Envelope"]:
        return ", ".join(child.local_name for child in element.children) or element.local_name
    envelope = element.children[0]
    check_attributes(envelope)
    if envelope.stray_text or [child.name for child in envelope.children] != _CORNERS:
        return envelope.stray_text or ", ".join(child.local_name for child in envelope.children)
    return next(filter(None, map(_check_corner, envelope.children)), "")


def _check_corner(corner: Element) -> str:
    check_attributes(corner)
    for word in corner.text.split():
        try:
            parse_number(word)
        except ValueError:
            return word
    return ""
