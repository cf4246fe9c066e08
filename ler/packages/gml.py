"""LER GML out: answers written as the official schema of the model version wants them, byte for byte the same each time.

Heights that nobody knows (NaN) become -99 here, the one place where the platform writes that number. A line of the
model has one curve; where an area's edge cut a line in several pieces, each piece is a member of its own with the same
`id`, its `gml:id` numbered, and references to the line point to all pieces: joined into one curve they would show a
line where none lies.

`write_answer` sorts what it is given and holds it in memory; `stream_answer` takes members that come in order, holds
one at a time and cuts nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, Final
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from ler.model import (
    ANSWER,
    NAMESPACES,
    UNKNOWN_HEIGHT,
    Attribute,
    Feature,
    FeatureType,
    Kind,
    Model,
    Value,
    load_model,
)
from ler.model.values import BEFORE, MEDIA_TYPES, format_value

CRS: Final = "http://www.opengis.net/def/crs/EPSG/0/7416"
LEVEL_CRS: Final = "http://www.opengis.net/def/crs/EPSG/0/5799"
COORDINATE_DECIMALS: Final = 4
"""Coordinates are written to 0.1 mm."""

GEOMETRY_PREFIX: Final = "geometri-"
"""How the `gml:id` of a geometry begins, before its number."""

_PLAIN: Final = re.compile(r"[\w.:#-]*")
"""What stands in markup as it is."""

_DECLARATIONS: Final = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass(frozen=True, slots=True)
class Answer:
    """One owner's answer: who gives it, its own attributes, and its features in any order."""

    owner_cvr: str
    owner_name: str
    header: Feature
    features: Sequence[Feature]


def write_answer(stream: BinaryIO, answer: Answer, model: Model | None = None) -> int:
    """Write one owner's answer as a document; returns the number of members (pieces counted one by one)."""
    writer = GmlWriter(stream, model or load_model())
    writer.text(_DECLARATION)
    members = writer.answer(answer, _DECLARATIONS)
    writer.text("\n")
    return members


def write_parts(stream: BinaryIO, header: Feature, parts: Mapping[str, Sequence[Feature]]) -> int:
    """Write features of several answers as one document; returns the number of members (pieces counted one by one).

    The keys of `parts` are what the identifiers of each begin with, since a document may not hold one twice. A reference
    to what is not among them stays, and leads nowhere.
    """
    model = load_model()
    writer = GmlWriter(stream, model)
    writer.text(_DECLARATION)
    writer.open_answer(header, (None, None), _DECLARATIONS)
    members = [
        (member, prefix, piece)
        for prefix, features in parts.items()
        for member, piece in writer.pieces(features)
    ]
    order = {member: position for position, member in enumerate(model.members)}
    for member, prefix, piece in sorted(members, key=lambda one: order[one[0]]):
        writer.prefix = prefix
        writer.member(member, piece)
    writer.text(f"</ler:{ANSWER}>\n")
    return len(members)


class IdTakenError(ValueError):
    """An object of the answer has an identifier like those that geometries get; write again with another prefix."""


class PiecesError(ValueError):
    """A line is in pieces, which only `write_answer` can spread."""


def stream_answer(
    stream: BinaryIO,
    header: Feature,
    features: Iterable[Feature],
    model: Model,
    *,
    owner: tuple[str | None, str | None] = (None, None),
    geometry_prefix: str = GEOMETRY_PREFIX,
) -> int:
    """Write one answer whose members come in schema order, one at a time; returns the number of members.

    `owner` is CVR number and name, each written when it is there. Raises IdTakenError, PiecesError for a line in pieces,
    which only `write_answer` can spread, and ValueError for members out of order.
    """
    writer = GmlWriter(stream, model)
    writer.geometry_prefix = writer.reserved = geometry_prefix
    writer.text(_DECLARATION)
    writer.open_answer(header, owner, _DECLARATIONS)
    order = {member: position for position, member in enumerate(model.members)}
    reached = count = 0
    for feature in features:
        feature_type = model.types[feature.type]
        if _in_pieces(feature, feature_type):
            raise PiecesError(f"{feature.gml_id} is in pieces")
        position = order[str(feature_type.member)]
        if position < reached:
            raise ValueError(f"{feature.gml_id} comes after members that must follow it")
        reached = position
        writer.member(str(feature_type.member), feature)
        count += 1
    writer.text(f"</ler:{ANSWER}>\n")
    return count


type _Plan = list[tuple[str, Attribute, dict[Value, str] | None]]
"""The attributes of a feature type by name; with the elements made so far, of those of which few values are met."""

_REPEATED: Final = frozenset({Kind.CODE, Kind.TIME, Kind.BOOLEAN, Kind.MEASURE})
"""Kinds of which few values are met again and again."""
_SINGLE: Final = frozenset({str, bool, float})


class GmlWriter:
    """Writes features as the schema of the model version wants them."""

    def __init__(self, stream: BinaryIO, model: Model) -> None:
        self.stream = stream
        self.model = model
        self.prefix = ""
        self.geometry_prefix = GEOMETRY_PREFIX
        self.reserved: str | None = None
        """Prefix that no identifier but those of geometries may have; None where that has been seen to before."""
        self.geometries = 0
        self._plans: dict[str, _Plan] = {}

    def text(self, text: str) -> None:
        """Write markup."""
        self.stream.write(text.encode())

    def answer(self, answer: Answer, declarations: str) -> int:
        """Write the root element of one answer, its header and its members in schema order."""
        self.open_answer(answer.header, (answer.owner_cvr, answer.owner_name), declarations)
        count = 0
        for member, piece in self.pieces(answer.features):
            self.member(member, piece)
            count += 1
        self.text(f"</ler:{ANSWER}>")
        return count

    def pieces(self, features: Sequence[Feature]) -> Iterator[tuple[str, Feature]]:
        """Give the features in schema order with the name of their member, lines that were cut piece by piece."""
        while any(feature.gml_id.startswith(self.geometry_prefix) for feature in features):
            self.geometry_prefix = f"_{self.geometry_prefix}"
        pieces = _piece_ids(features, self.model)
        for member, feature in self._members(features):
            for piece in _split(feature, pieces):
                yield member, piece

    def open_answer(self, header: Feature, owner: tuple[str | None, str | None], declarations: str) -> None:
        """Write the root's start tag, whose answer it is, and the header."""
        cvr, name = owner
        told = "" if cvr is None else f'<gml:identifier codeSpace="CVR">{escape(cvr)}</gml:identifier>'
        told += "" if name is None else f"<gml:name>{escape(name)}</gml:name>"
        self.text(
            f"<ler:{ANSWER}{declarations} gml:id={self._id(header.gml_id)}"
            f' schemaVersion="{self.model.version}">'
            f"{told}{''.join(self._properties(header, self.model.answer))}\n"
        )

    def member(self, member: str, feature: Feature) -> None:
        """Write one member."""
        body = self.feature(feature)
        self.text(f"<ler:{member}>{body}</ler:{member}>\n")

    def _members(self, features: Sequence[Feature]) -> Iterator[tuple[str, Feature]]:
        grouped: dict[str, list[Feature]] = {member: [] for member in self.model.members}
        for feature in features:
            grouped[str(self.model.types[feature.type].member)].append(feature)
        return ((member, feature) for member, group in grouped.items() for feature in group)

    def feature(self, feature: Feature, more: str = "") -> str:
        """Return a feature's element, `more` before its own content."""
        return self._feature(feature, self.model.types[feature.type], more)

    def _feature(self, feature: Feature, feature_type: FeatureType, more: str = "") -> str:
        name = f"{feature_type.namespace}:{feature.type}"
        body = "".join(self._properties(feature, feature_type))
        return f"<{name} gml:id={self._id(feature.gml_id)}>{more}{body}</{name}>"

    def _properties(self, feature: Feature, feature_type: FeatureType) -> Iterator[str]:
        attributes, voids = feature.attributes, feature.voids
        for name, attribute, kept in self._plan(feature_type):
            if name in attributes:
                value = attributes[name]
                if kept is not None and type(value) in _SINGLE:
                    yield kept.get(value) or kept.setdefault(value, self._property(attribute, value))
                else:
                    for one in value if attribute.many and isinstance(value, list) else [value]:
                        yield self._property(attribute, one)
            elif attribute.kind is Kind.GEOMETRY and feature.geometry is not None:
                yield _element(attribute, "", self._geometry(feature.geometry))
            if name in voids:
                yield _void(attribute, voids[name])

    def _plan(self, feature_type: FeatureType) -> _Plan:
        plan = self._plans.get(feature_type.name)
        if plan is None:
            plan = self._plans[feature_type.name] = [
                (one.name, one, {} if one.kind in _REPEATED else None) for one in feature_type.attributes
            ]
        return plan

    def _property(self, attribute: Attribute, value: Value) -> str:
        if attribute.kind is Kind.REFERENCE:
            return _element(attribute, f" xlink:href={_quoted(f'#{self.prefix}{value}')}", None)
        if isinstance(value, dict):
            return self._structured(attribute, value)
        markup = ""
        if attribute.kind is Kind.MEASURE:
            markup = f" uom={quoteattr(attribute.unit)}"
        elif attribute.kind is Kind.LEVEL:
            markup = f' srsName="{LEVEL_CRS}" srsDimension="1"'
        elif attribute.kind is Kind.FORMAT:
            markup = f" type={quoteattr(MEDIA_TYPES[str(value)])}"
        elif attribute.kind is Kind.TIME and str(value).startswith(BEFORE):
            markup = ' indeterminatePosition="before"'
        return _element(attribute, markup, _escaped(format_value(attribute, value)))

    def _structured(self, attribute: Attribute, value: Mapping[str, Value]) -> str:
        if attribute.kind is Kind.MEASURE:
            number = value["value"]
            return _element(
                attribute, f" uom={quoteattr(str(value['uom']))}", format_value(attribute, number)
            )
        target = self.model.types[attribute.target]
        attributes = {name: one for name, one in value.items() if name != "gml_id"}
        inline = Feature(attribute.target, str(value["gml_id"]), attributes)
        return _element(attribute, "", self._feature(inline, target))

    def _geometry(self, geometry: BaseGeometry) -> str:
        match geometry:
            case shapely.Point():
                return self._open("Point", f"<gml:pos>{_numbers(geometry)}</gml:pos>")
            case shapely.LineString():
                return self._open("LineString", f"<gml:posList>{_numbers(geometry)}</gml:posList>")
            case shapely.Polygon():
                holes = "".join(f"<gml:interior>{_ring(hole)}</gml:interior>" for hole in geometry.interiors)
                return self._open(
                    "Polygon", f"<gml:exterior>{_ring(geometry.exterior)}</gml:exterior>{holes}"
                )
            case shapely.MultiPoint() | shapely.MultiLineString() | shapely.MultiPolygon():
                name, member = _COLLECTIONS[geometry.geom_type]
                parts = (self._geometry(part) for part in geometry.geoms)
                return self._open(name, "".join(f"<gml:{member}>{part}</gml:{member}>" for part in parts))
            case _:
                raise TypeError(f"the LER model has no {geometry.geom_type}")

    def _open(self, name: str, body: str) -> str:
        self.geometries += 1
        identifier = f"{self.prefix}{self.geometry_prefix}{self.geometries}"
        return f'<gml:{name} gml:id="{identifier}" srsName="{CRS}" srsDimension="3">{body}</gml:{name}>'

    def _id(self, gml_id: str) -> str:
        if self.reserved is not None and gml_id.startswith(self.reserved):
            raise IdTakenError(gml_id)
        return _quoted(self.prefix + gml_id)


_COLLECTIONS: Final = {
    "MultiPoint": ("MultiPoint", "pointMember"),
    "MultiLineString": ("MultiCurve", "curveMember"),
    "MultiPolygon": ("MultiSurface", "surfaceMember"),
}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _quoted(text: str) -> str:
    return f'"{text}"' if _PLAIN.fullmatch(text) else quoteattr(text)


def _element(attribute: Attribute, markup: str, body: str | None) -> str:
    name = f"{attribute.namespace}:{attribute.name}"
    return f"<{name}{markup}/>" if body is None else f"<{name}{markup}>{body}</{name}>"


def _void(attribute: Attribute, reason: str | None) -> str:
    unit = f" uom={quoteattr(attribute.unit)}" if attribute.kind is Kind.MEASURE else ""
    stated = f" nilReason={quoteattr(reason)}" if reason else ""
    return _element(attribute, f'{unit} xsi:nil="true"{stated}', None)


def _ring(ring: shapely.LinearRing) -> str:
    return f"<gml:LinearRing><gml:posList>{_numbers(ring)}</gml:posList></gml:LinearRing>"


def _numbers(geometry: BaseGeometry) -> str:
    coordinates = shapely.get_coordinates(geometry, include_z=True).round(COORDINATE_DECIMALS)
    heights = coordinates[:, 2]
    heights[np.isnan(heights)] = UNKNOWN_HEIGHT
    # As `format_number` writes them, all at once; adding nothing makes a zero of a minus zero.
    told = " ".join(map(repr, (coordinates + 0.0).ravel().tolist()))
    return f"{told} ".replace(".0 ", " ")[:-1]


def _in_pieces(feature: Feature, feature_type: FeatureType) -> bool:
    geometry = feature_type.geometry
    return (
        geometry is not None
        and geometry.geometry == "curve"
        and isinstance(feature.geometry, shapely.MultiLineString)
    )


def _piece_ids(features: Iterable[Feature], model: Model) -> dict[str, list[str]]:
    """The `gml:id`s of the pieces of every line that was cut in several, the line's own first."""
    features = list(features)
    taken = {feature.gml_id for feature in features}
    pieces: dict[str, list[str]] = {}
    for feature in features:
        if not isinstance(feature.geometry, shapely.MultiLineString) or not _in_pieces(
            feature, model.types[feature.type]
        ):
            continue
        identifiers = [feature.gml_id]
        number = 2
        while len(identifiers) < len(feature.geometry.geoms):
            candidate = f"{feature.gml_id}_{number}"
            if candidate not in taken:
                identifiers.append(candidate)
            number += 1
        taken.update(identifiers)
        pieces[feature.gml_id] = identifiers
    return pieces


def _split(feature: Feature, pieces: Mapping[str, Sequence[str]]) -> Iterator[Feature]:
    """The feature as it is written: its pieces when it was cut in several, references to cut lines spread out."""
    if pieces and not _LINES_REFERRED_TO.isdisjoint(feature.attributes):
        feature = replace(feature, attributes=_spread(feature.attributes, pieces))
    identifiers = pieces.get(feature.gml_id)
    if identifiers is None or not isinstance(feature.geometry, shapely.MultiLineString):
        yield feature
        return
    for identifier, line in zip(identifiers, feature.geometry.geoms, strict=True):
        attributes = (
            feature.attributes if identifier == feature.gml_id else _renamed(feature.attributes, identifier)
        )
        yield replace(feature, gml_id=identifier, geometry=line, attributes=attributes)


def _renamed(attributes: Mapping[str, Value], identifier: str) -> dict[str, Value]:
    """Inline objects under names of the piece's own: a document may not hold a `gml:id` twice."""
    return {
        name: {**value, "gml_id": f"{identifier}.{value['gml_id']}"}
        if isinstance(value, dict) and "gml_id" in value
        else value
        for name, value in attributes.items()
    }


_LINES_REFERRED_TO: Final = frozenset({"indeholdtLedning", "tilknyttetLedning"})


def _spread(attributes: Mapping[str, Value], pieces: Mapping[str, Sequence[str]]) -> dict[str, Value]:
    spread = dict(attributes)
    for name in _LINES_REFERRED_TO:
        targets = attributes.get(name)
        if isinstance(targets, list):
            spread[name] = [piece for target in targets for piece in pieces.get(str(target), [str(target)])]
    return spread
