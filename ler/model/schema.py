"""The description of the LER GML data model, loaded for one of its published versions.

`types.toml` and `codelists.toml` are the only list of feature types, attributes and codes in the project: reader,
writer, GeoPackage layers, database rows and documentation are driven by what this module returns. It refuses a
description that contradicts itself (unknown parent, code list or target) when it is loaded, not when it is used.
"""

import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final

VERSIONS: Final = ("2.0.0", "2.0.1", "2.1.0", "2.2.0")
"""The published versions that share the namespaces below, oldest first."""

NAMESPACES: Final[Mapping[str, str]] = {
    "ler": "http://data.gov.dk/schemas/LER/2/gml",
    "gml": "http://www.opengis.net/gml/3.2",
    "dim": "http://data.gov.dk/schemas/dimensions/2/gml",
    "ann": "http://data.gov.dk/schemas/annotations/2/gml",
    "dcterms": "http://purl.org/dc/terms/",
    "xlink": "http://www.w3.org/1999/xlink",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}

ANSWER: Final = "Graveforespoergselssvar"
"""The root of every LER GML file: an owner's answer to an excavation request."""

MEMBER_ORDER: Final = (
    "Ledningstrace",
    "Ledning",
    "Ledningskomponent",
    "Informationsressource",
    "LinearDimension",
    "TextAnnotation",
    "LinearAnnotation",
)
"""What an answer holds, in schema order."""

UNKNOWN_HEIGHT: Final = -99.0
"""What the LER encoding writes for a height nobody knows. Inside the platform such a height is NaN."""

_OPEN_CODE: Final = "other: "
_NO_WORD: Final = "PZC"


class Kind(StrEnum):
    """What an attribute holds; the comment in `types.toml` explains each."""

    TEXT = "text"
    CODE = "code"
    INTEGER = "integer"
    SHARE = "share"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    MEASURE = "measure"
    LEVEL = "level"
    URI = "uri"
    FORMAT = "format"
    LITERAL = "literal"
    REFERENCE = "reference"
    INLINE = "inline"
    GEOMETRY = "geometry"


@dataclass(frozen=True, slots=True)
class CodeList:
    """A code list: the Danish values and our English labels. Open lists admit `other: <word>` besides."""

    name: str
    values: Mapping[str, str]
    open: bool

    def __contains__(self, value: str) -> bool:
        """Whether the list admits the value, letter by letter."""
        return value in self.values or (self.open and _is_open_code(value))


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a feature type, as one version of the model has it."""

    name: str
    kind: Kind
    label: str
    namespace: str
    min_count: int
    max_count: int
    """0 means unbounded."""
    void: bool
    position: int
    """Place in the element order of the feature type."""
    code_list: CodeList | None = None
    max_length: int = 0
    """Longest text in characters; 0 means any length."""
    unit: str = ""
    """UCUM unit of a measure; empty means that any unit will do."""
    target: str = ""
    """Feature type that a reference or an inline object must be."""
    geometry: str = ""
    """`curve`, `curves`, `point` or `any`."""
    with_geometry: bool = False
    """Whether a restriction demands the attribute of every feature that has a geometry; the schema does not."""
    meaning_since: str = VERSIONS[0]
    """First version in which the attribute means what it means in the newest."""

    @property
    def many(self) -> bool:
        """Whether the value is a list."""
        return self.max_count != 1

    @property
    def tag(self) -> str:
        """The element's name in Clark notation."""
        return f"{{{NAMESPACES[self.namespace]}}}{self.name}"


@dataclass(frozen=True, slots=True)
class FeatureType:
    """One feature type with all its attributes, inherited ones first."""

    name: str
    label: str
    namespace: str
    abstract: bool
    ancestors: tuple[str, ...]
    """Nearest first; ends with AbstractFeature."""
    member: str | None
    """Property of the answer that holds features of this type."""
    utility_type: str | None
    """LER value (forsyningsart) that the type stands for; None where an attribute says it, or nobody knows."""
    attributes: tuple[Attribute, ...]
    by_tag: Mapping[str, Attribute] = field(repr=False)

    @property
    def tag(self) -> str:
        """The element's name in Clark notation."""
        return f"{{{NAMESPACES[self.namespace]}}}{self.name}"

    @property
    def geometry(self) -> Attribute | None:
        """The one attribute that holds the feature's geometry, if the type has one."""
        return next((a for a in self.attributes if a.kind is Kind.GEOMETRY), None)

    def attribute(self, name: str) -> Attribute:
        """Return the attribute of that name; KeyError when the type has none."""
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute
        raise KeyError(f"{self.name} has no attribute {name}")

    def is_a(self, name: str) -> bool:
        """Whether this type is, or descends from, the named one."""
        return name == self.name or name in self.ancestors


@dataclass(frozen=True, slots=True)
class Model:
    """One version of the LER GML data model."""

    version: str
    types: Mapping[str, FeatureType]
    code_lists: Mapping[str, CodeList]
    by_tag: Mapping[str, FeatureType] = field(repr=False)

    @property
    def answer(self) -> FeatureType:
        """The type of the root element."""
        return self.types[ANSWER]

    @property
    def members(self) -> Mapping[str, str]:
        """The answer's member properties in schema order, each with the (perhaps abstract) type it holds."""
        return {str(self.types[name].member): name for name in MEMBER_ORDER}

    def concrete(self) -> Iterator[FeatureType]:
        """Every feature type that an answer may hold as a member."""
        return (t for t in self.types.values() if t.member and not t.abstract)


@cache
def load_model(version: str = VERSIONS[-1]) -> Model:
    """Return the model of that version. ValueError for a version that was never published."""
    if version not in VERSIONS:
        raise ValueError(f"{version} is not a published version of the LER model: {', '.join(VERSIONS)}")
    code_lists = {
        name: CodeList(name, entry["values"], entry.get("open", False))
        for name, entry in _description("codelists.toml").items()
    }
    description = _description("types.toml")
    types = {name: _feature_type(name, description, code_lists, version) for name in description}
    for feature_type in types.values():
        for attribute in feature_type.attributes:
            if attribute.target and attribute.target not in types:
                raise ValueError(
                    f"{feature_type.name}.{attribute.name} points to the unknown type {attribute.target}"
                )
    return Model(version, types, code_lists, {t.tag: t for t in types.values()})


def _is_open_code(value: str) -> bool:
    r"""Whether it is `other: \w{2,}` with the words of XML Schema: no punctuation, blanks or control characters."""
    word = value.removeprefix(_OPEN_CODE)
    return (
        len(word) >= 2  # noqa: PLR2004 - from the pattern
        and len(word) + len(_OPEN_CODE) == len(value)
        and all(unicodedata.category(letter)[0] not in _NO_WORD for letter in word)
    )


def _description(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _feature_type(
    name: str, description: Mapping[str, Any], code_lists: Mapping[str, CodeList], version: str
) -> FeatureType:
    entry = description[name]
    lineage = [name]
    while parent := description[lineage[-1]].get("parent"):
        lineage.append(parent)
    rows = [
        (description[owner].get("namespace", "ler"), row)
        for owner in reversed(lineage)
        for row in description[owner]["attributes"]
        if _reached(row.get("since", True), version)
    ]
    attributes = tuple(
        _attribute(row, namespace, position, code_lists, version)
        for position, (namespace, row) in enumerate(rows)
    )
    inherited = (description[owner].get("member") for owner in lineage)
    return FeatureType(
        name=name,
        label=entry["en"],
        namespace=entry.get("namespace", "ler"),
        abstract=entry.get("abstract", False),
        ancestors=tuple(lineage[1:]),
        member=next((member for member in inherited if member), None),
        utility_type=entry.get("utility_type"),
        attributes=attributes,
        by_tag={attribute.tag: attribute for attribute in attributes},
    )


def _attribute(
    row: Mapping[str, Any], namespace: str, position: int, code_lists: Mapping[str, CodeList], version: str
) -> Attribute:
    kind = next(kind for kind in Kind if kind in row)
    detail = row[kind]
    return Attribute(
        name=row["name"],
        kind=kind,
        label=row["en"],
        namespace=row.get("namespace", namespace),
        min_count=row.get("min", 0),
        max_count=row.get("max", 1),
        void=_reached(row.get("void", False), version),
        position=position,
        code_list=code_lists[detail] if kind is Kind.CODE else None,
        max_length=detail if kind is Kind.TEXT else 0,
        unit=detail if kind is Kind.MEASURE else "",
        target=detail if kind in {Kind.REFERENCE, Kind.INLINE} else "",
        geometry=detail if kind is Kind.GEOMETRY else "",
        with_geometry=row.get("with_geometry", False),
        meaning_since=row.get("meaning", VERSIONS[0]),
    )


def _reached(since: bool | str, version: str) -> bool:  # noqa: FBT001 - the TOML value is a boolean or a version
    return since if isinstance(since, bool) else VERSIONS.index(since) <= VERSIONS.index(version)
