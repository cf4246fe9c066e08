"""Ways to spoil, or only to change, a valid answer: each takes the tree and a source of chance and changes one thing."""

import copy
import random

from lxml import etree

from ler.model import NAMESPACES

GML = f"{{{NAMESPACES['gml']}}}"
XSI = f"{{{NAMESPACES['xsi']}}}"
XLINK = f"{{{NAMESPACES['xlink']}}}"
LER = f"{{{NAMESPACES['ler']}}}"
NUMBERS = ["1,5", "x", "", "INF", "NaN", "1e3", "+5", " 7 ", "0x10", "1_0", "--1", "1.", ".5", "-9999", "1 2"]
CODES = [
    "",
    "?",
    "I drift",
    " i drift",
    "other: x",
    "other: xy",
    "other: a-b",
    "other: ø+",
    "other:",
    "Other: vand",
]
DATES = ["", "2024", "2024-05", "2024-02-30", "2024-13-01", "24-01-01", "2024-05-13T12:00:00", "2024-05-13+14:00",
         "2024-05-13T24:00:00", "2024-05-13T12:60:00Z", "-2024-01-01", " 2024-05-13 ", "i går"]  # fmt: skip
TEXTS = [*NUMBERS, *CODES, *DATES, "x" * 37, "x" * 51, "x" * 501, "true", "TRUE", "a b", "1.001", "0.33"]
ATTRIBUTES = ["uom", "nilReason", "srsName", "srsDimension", "owns", "farve", "type", "codeSpace", "frame", "count",
              "interpolation", "aggregationType", f"{XSI}nil", f"{XSI}schemaLocation", f"{XLINK}href",
              f"{XLINK}show", f"{XLINK}type", f"{GML}id", f"{LER}id", "indeterminatePosition"]  # fmt: skip
VALUES = ["true", "false", "1", "maybe", "unknown", "withheld", "mm", "cm", "", "a b", "3", "2", "0", "-1", "linear",
          "simple", "new", "set", "http://www.opengis.net/def/crs/EPSG/0/7416", "#x", "before", "after", "id.1"]  # fmt: skip
NAMES = ["farve", "id", "type", "driftsstatus", "geometri", "Elledning", "Vandkomponent", "LineString", "Point", "pos",
         "posList", "MultiCurve", "Polygon", "exterior", "interior", "curveMember", "curveMembers", "LinearRing",
         "segments", "LineStringSegment", "Curve", "name", "description", "identifier", "boundedBy"]  # fmt: skip


def _elements(root: etree._Element) -> list[etree._Element]:
    return [element for element in root.iter() if element is not root]


def _leaves(root: etree._Element) -> list[etree._Element]:
    return [element for element in _elements(root) if not len(element)]


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    assert parent is not None
    return parent


def _cut(element: etree._Element) -> None:
    _parent(element).remove(element)


def delete(root: etree._Element, chance: random.Random) -> None:
    _cut(chance.choice(_elements(root)))


def double(root: etree._Element, chance: random.Random) -> None:
    element = chance.choice(_elements(root))
    twin = copy.deepcopy(element)
    for inner in twin.iter():  # another fault than an identifier twice
        if inner.get(f"{GML}id"):
            inner.set(f"{GML}id", f"twin.{inner.get(f'{GML}id')}")
    element.addnext(twin)


def double_with_identifiers(root: etree._Element, chance: random.Random) -> None:
    element = chance.choice(_elements(root))
    element.addnext(copy.deepcopy(element))


def swap(root: etree._Element, chance: random.Random) -> None:
    element = chance.choice([e for e in _elements(root) if e.getnext() is not None])
    following = element.getnext()
    assert following is not None
    following.addnext(element)


def move(root: etree._Element, chance: random.Random) -> None:
    element = chance.choice(_leaves(root))
    target = chance.choice([e for e in _elements(root) if len(e)])
    _cut(element)
    target.insert(chance.randrange(len(target) + 1), element)


def move_among_its_own(root: etree._Element, chance: random.Random) -> None:
    element = chance.choice(_elements(root))
    parent = _parent(element)
    _cut(element)
    parent.insert(chance.randrange(len(parent) + 1), element)


def rename(root: etree._Element, chance: random.Random) -> None:
    element = chance.choice(_elements(root))
    namespace = chance.choice([etree.QName(element).namespace, *NAMESPACES.values()])
    element.tag = f"{{{namespace}}}{chance.choice([etree.QName(element).localname, *NAMES])}"


def insert(root: etree._Element, chance: random.Random) -> None:
    target = chance.choice([root, *_elements(root)])
    namespace = chance.choice([NAMESPACES["ler"], NAMESPACES["gml"]])
    target.insert(chance.randrange(len(target) + 1), etree.Element(f"{{{namespace}}}{chance.choice(NAMES)}"))


def change_text(root: etree._Element, chance: random.Random) -> None:
    chance.choice(_leaves(root)).text = chance.choice(TEXTS)


def change_number(root: etree._Element, chance: random.Random) -> None:
    leaves = [
        e
        for e in _leaves(root)
        if e.get("uom") or e.get("srsName") or etree.QName(e).localname in {"pos", "posList"}
    ]
    element = chance.choice(leaves)
    words = (element.text or "1").split()
    words[chance.randrange(len(words))] = chance.choice(NUMBERS)
    element.text = " ".join(words)


def change_date(root: etree._Element, chance: random.Random) -> None:
    names = {"etableringstidspunkt", "registreringFra", "gyldigTil", "forventetAfleveringstidspunkt"}
    chance.choice([e for e in _leaves(root) if etree.QName(e).localname in names]).text = chance.choice(DATES)


def stray_text(root: etree._Element, chance: random.Random) -> None:
    element = chance.choice(_elements(root))
    element.tail = chance.choice([" ", "\n", "x", "1.5"])


def text_in_empty(root: etree._Element, chance: random.Random) -> None:
    element = chance.choice([e for e in _leaves(root) if not e.text])
    element.text = chance.choice([" ", "\n", "x", "<"])


def add_attribute(root: etree._Element, chance: random.Random) -> None:
    chance.choice([root, *_elements(root)]).set(chance.choice(ATTRIBUTES), chance.choice(VALUES))


def change_attribute(root: etree._Element, chance: random.Random) -> None:
    element = chance.choice([e for e in [root, *_elements(root)] if e.attrib])
    element.set(chance.choice(list(element.attrib)), chance.choice(VALUES))


def drop_attribute(root: etree._Element, chance: random.Random) -> None:
    element = chance.choice([e for e in [root, *_elements(root)] if e.attrib])
    del element.attrib[chance.choice(list(element.attrib))]


def make_void(root: etree._Element, chance: random.Random) -> None:
    element = chance.choice([e for e in _leaves(root) if e.get(f"{XSI}nil") is None])
    element.set(f"{XSI}nil", chance.choice(["true", "1", "false", "ja"]))
    element.text = chance.choice([None, None, "x", " "])
    if chance.random() < 0.5:
        element.set("nilReason", chance.choice(["unknown", "withheld", "other:xy"]))


def change_identifier(root: etree._Element, chance: random.Random) -> None:
    element = chance.choice([e for e in root.iter() if e.get(f"{GML}id")])
    others = [str(e.get(f"{GML}id")) for e in root.iter() if e.get(f"{GML}id")]
    element.set(
        f"{GML}id", chance.choice(["1a", "a b", "", "a:b", "_x", "é.1", " pad ", chance.choice(others)])
    )


def spoil_geometry(root: etree._Element, chance: random.Random) -> None:
    inside = [
        e
        for e in _elements(root)
        if etree.QName(e).namespace == NAMESPACES["gml"]
        and etree.QName(_parent(e)).namespace == NAMESPACES["gml"]
    ]
    chance.choice([swap_in, rename_in])(chance.choice(inside), chance)


def swap_in(element: etree._Element, _: random.Random) -> None:
    following = element.getnext()
    if following is not None:
        following.addnext(element)
    else:
        _cut(element)


def rename_in(element: etree._Element, chance: random.Random) -> None:
    element.tag = GML + chance.choice(NAMES)


def swap_members(root: etree._Element, chance: random.Random) -> None:
    one, other = chance.sample(list(root), 2)
    at, there = root.index(one), root.index(other)
    root[at], root[there] = copy.deepcopy(other), copy.deepcopy(one)


MUTATIONS = (
    delete, double, double_with_identifiers, swap, move, move_among_its_own, rename, insert, change_text,
    change_number, change_date, stray_text, text_in_empty, add_attribute, change_attribute, drop_attribute,
    make_void, change_identifier, spoil_geometry, swap_members,
)  # fmt: skip
