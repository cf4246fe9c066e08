"""What the offline viewer is given of a package, as one JSON document.

Everything that is delivered is in it, in the order of the package, whether it has a place or not. Coordinates are
millimetres in EPSG:25832, as differences from one vertex to the next; `viewer_page/data.js` reads them. Attributes of
features of one type stand in columns, so that no name is written for each feature.
"""

import base64
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ler.domain.uncertainty import has_band
from ler.model import Attribute, FeatureType, Kind, load_model
from ler.packages.advice import advise, is_complete, moment_text, status_of
from ler.packages.assessment import Assessed, Depth
from ler.packages.attachments import WORDS as LOST
from ler.packages.attachments import names_in
from ler.packages.content import Delivery, OwnerStatus
from ler.packages.contents import Contents
from ler.packages.cover import Cover, CoverUnknown
from ler.packages.labels import danish_label
from ler.packages.styles import Styles, load_styles

_MM_PER_M: Final = 1000
_POINT, _LINE, _OUTER, _HOLE = range(4)
_POLYGON_TYPE, _LARGEST_SIMPLE_TYPE = 3, 3
_MARKS: Final = 4
"""A piece is told by one number: four times how many vertices it has, and what it is."""


def viewer_data(contents: Contents, most_features: int) -> dict[str, Any]:
    """Return the document; without any feature where there are more than `most_features`, never with some of them."""
    styles = load_styles(contents.options.theme)
    assessed = contents.assessed
    shown = assessed if len(assessed) <= most_features else ()
    west, south, *_ = contents.request.area.bounds
    origin = (float(np.floor(west)), float(np.floor(south)))
    marking = [one.marking_area for owner in contents.owners for one in owner.deliveries]
    return {
        "request": _request(contents),
        "complete": is_complete(contents.owners),
        "notices": [one.document() for one in advise(contents.request, contents.owners)],
        "delivered": len(assessed),
        "owners": [_owner(contents, owner) for owner in contents.owners],
        "area": encode_geometries([contents.request.area], origin),
        "marking": encode_geometries([area for area in marking if area], origin),
        "geometry": encode_geometries([one.feature.geometry for one in shown], origin),
        **_features(shown, contents.owners, styles),
    }


def encode_geometries(
    geometries: Sequence[BaseGeometry | None], origin: tuple[float, float]
) -> dict[str, Any]:
    """Return geometries as base64 of little-endian numbers of 32 bits, heights left out.

    `geometries`: of how many pieces each is made, none for those that are missing or empty; `pieces`: the kind and the
    number of vertices of each; `coordinates`: mm from the vertex before, the first from the `origin`.
    """
    parts, owners = _simple_parts(np.array([*geometries, None], dtype=object)[:-1])
    pieces, part_of_piece, kinds = _pieces(parts)
    coordinates, piece_of_vertex = shapely.get_coordinates(pieces, return_index=True)
    vertices = np.bincount(piece_of_vertex, minlength=len(pieces))
    placed = np.rint((coordinates - origin) * _MM_PER_M).astype(np.int64)
    return {
        "origin": origin,
        "geometries": _base64(np.bincount(owners[part_of_piece], minlength=len(geometries))),
        "pieces": _base64(vertices * _MARKS + kinds),
        "coordinates": _base64(np.diff(placed, axis=0, prepend=[[0, 0]])),
    }


def _simple_parts(geometries: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Points, lines and polygons of all geometries, with the number of the geometry that each belongs to."""
    parts, owners = shapely.get_parts(geometries, return_index=True)
    while (shapely.get_type_id(parts) > _LARGEST_SIMPLE_TYPE).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        owners = owners[inner]
    there = ~shapely.is_empty(parts)
    return parts[there], owners[there]


def _pieces(
    parts: NDArray[np.object_],
) -> tuple[NDArray[np.object_], NDArray[np.int64], NDArray[np.int64]]:
    """Polygons taken apart into rings, each outer one before its holes; with the part, and the kind, of each piece."""
    is_polygon = shapely.get_type_id(parts) == _POLYGON_TYPE
    polygons, others = np.flatnonzero(is_polygon), np.flatnonzero(~is_polygon)
    rings, polygon_of_ring = shapely.get_rings(parts[polygons], return_index=True)
    ring_kinds = np.where(np.diff(polygon_of_ring, prepend=-1) > 0, _OUTER, _HOLE)
    other_kinds = np.where(shapely.get_type_id(parts[others]) == 0, _POINT, _LINE)
    part_of_piece = np.concatenate([others, polygons[polygon_of_ring]])
    order = np.argsort(part_of_piece, kind="stable")
    pieces = np.concatenate([parts[others], rings])[order]
    return pieces, part_of_piece[order], np.concatenate([other_kinds, ring_kinds])[order]


def _base64(numbers: NDArray[np.int64]) -> str:
    return base64.b64encode(numbers.astype("<i4").tobytes()).decode("ascii")


def _request(contents: Contents) -> dict[str, Any]:
    request = contents.request
    return {
        "order_number": request.order_number,
        "order_reference": request.order_reference,
        "revision": request.revision,
        "changed_at": moment_text(request.changed_at or request.created_at),
        "period": [request.period_from.isoformat(), request.period_to.isoformat()],
        "kind": str(request.kind),
        "purpose": request.purpose,
        "description": request.description,
        "area_m2": round(request.area.area, 1),
        "buffer_m": request.clip_buffer_m,
    }


def _owner(contents: Contents, owner: OwnerStatus) -> dict[str, Any]:
    return {
        "name": owner.name,
        "cvr": owner.cvr,
        "phone": owner.phone,
        "email": owner.email,
        "contacts": [[one.name, one.phone, one.email] for one in owner.contacts],
        "answered": owner.answered,
        "status": [status_of(owner, area) for area in owner.areas],
        "answers": [
            _answer(one, files) for one, files in zip(owner.deliveries, _files(contents, owner), strict=True)
        ],
    }


def _answer(delivery: Delivery, files: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": delivery.answer_type,
        "valid_until": delivery.valid_until.isoformat() if delivery.valid_until else None,
        "further_information": delivery.further_information,
        "files": files,
    }


def _files(contents: Contents, owner: OwnerStatus) -> Iterator[dict[str, str | dict[str, str]]]:
    """For each answer, where in the package an attachment lies, by the path that its owner gave; in words if it is lost."""
    names = names_in(contents, owner)
    for delivery in owner.deliveries:
        laid = zip(range(len(delivery.attachments)), names, strict=False)
        yield {one.path: name if one.file else LOST for _, (name, one) in laid}


def _features(shown: Sequence[Assessed], owners: Sequence[OwnerStatus], styles: Styles) -> dict[str, Any]:
    columns: defaultdict[str, set[str]] = defaultdict(set)
    for one in shown:
        columns[one.feature.type].update(one.feature.attributes, one.feature.voids)
    types = {name: _type(load_model().types[name], used, styles) for name, used in sorted(columns.items())}
    names = {name: [column[0] for column in entry["columns"]] for name, entry in types.items()}
    answers = {
        delivery.answer_id: (number, place)
        for number, owner in enumerate(owners)
        for place, delivery in enumerate(owner.deliveries)
    }
    type_numbers = {name: number for number, name in enumerate(types)}
    utilities = _Utilities(styles)
    rows = [
        [
            *answers[one.delivery.answer_id],
            type_numbers[one.feature.type],
            utilities.number(one.utility_type) if one.has_band else None,
            one.feature.gml_id,
            1 if one.feature.gml_id in one.delivery.clipped else 0,
            one.distance_m,
            [one.band.half_width_m, one.band.known, one.band.accuracy_m, one.band.outer_m],
            one.depth and _depth(one.depth),
            _cover(one.cover),
            _voids(one) or 0,
            list(map(one.feature.attributes.get, names[one.feature.type])),
        ]
        for one in shown
    ]
    return {
        "types": list(types.values()),
        "codes": _codes(columns),
        "labels": _owner_labels(rows, owners, styles),
        "unknown_covers": {
            str(cover.unknown): {"da": cover.words("da"), "en": cover.words("en")}
            for cover in (Cover(unknown=reason) for reason in CoverUnknown)
        },
        "features": rows,
    }


class _Utilities:
    """Which style a utility type has, by its number in the style source, looked up once for each value."""

    def __init__(self, styles: Styles) -> None:
        self.styles = styles
        self.known: dict[str, int] = {}

    def number(self, value: str) -> int:
        if value not in self.known:
            self.known[value] = self.styles.utilities.index(self.styles.utility(value))
        return self.known[value]


def _depth(depth: Depth) -> list[float | bool | None]:
    return [
        *(depth.indicative_m, depth.top_min_m, depth.top_max_m),
        *(depth.in_part, depth.drawn_m, depth.bottom_m),
    ]


def _cover(cover: Cover) -> list[float | None] | str:
    return [cover.min_m, cover.max_m, cover.uncertainty_m] if cover.unknown is None else str(cover.unknown)


def _voids(one: Assessed) -> dict[str, str | None]:
    """Attributes given as unknown, with the reason, if one was given; levels given as -99 among them."""
    attributes, voids = one.feature.attributes, one.feature.voids
    if None not in attributes.values():
        return voids
    return voids | {name: None for name, value in attributes.items() if value is None}


def _type(feature_type: FeatureType, used: Iterable[str], styles: Styles) -> dict[str, Any]:
    wanted = set(used)
    return {
        "name": feature_type.name,
        "da": danish_label(feature_type.name),
        "en": _capital(feature_type.label),
        "kind": _drawn_as(feature_type, styles),
        "mark": styles.component.mark(feature_type.name),
        "has_band": has_band(feature_type),
        "columns": [_column(one) for one in feature_type.attributes if one.name in wanted],
    }


def _column(attribute: Attribute) -> list[str]:
    codes = attribute.code_list.name if attribute.code_list else ""
    kind = "reference" if attribute.kind is Kind.REFERENCE else attribute.target or str(attribute.kind)
    unit = {"Cel": "°C"}.get(attribute.unit, attribute.unit)
    unit = "m" if attribute.kind is Kind.LEVEL else unit
    return [attribute.name, danish_label(attribute.name), _capital(attribute.label), unit, codes, kind]


def _drawn_as(feature_type: FeatureType, styles: Styles) -> str:
    if feature_type.name in styles.duct.feature_types:
        return "duct"
    if feature_type.name in styles.trace.feature_types:
        return "trace"
    if feature_type.is_a("Ledningskomponent"):
        return "component"
    return "line" if has_band(feature_type) else "note"


def _codes(columns: Mapping[str, set[str]]) -> dict[str, dict[str, str]]:
    """Our English words for the codes of every list that is used."""
    types = load_model().types
    lists = [a.code_list for name, used in columns.items() for a in types[name].attributes if a.name in used]
    return {one.name: dict(one.values) for one in sorted(filter(None, lists), key=lambda one: one.name)}


def _owner_labels(
    rows: Sequence[Sequence[Any]], owners: Sequence[OwnerStatus], styles: Styles
) -> dict[str, str]:
    """The letter of each utility type and owner, as on the printed plan: `E`, or `E1`, `E2` where owners share it."""
    labels: dict[str, str] = {}
    pairs = sorted(
        {(row[3], row[0]) for row in rows if row[3] is not None},
        key=lambda pair: (pair[0], owners[pair[1]].name.casefold(), owners[pair[1]].name, pair[1]),
    )
    for number, utility in enumerate(styles.utilities):
        sharing = [owner for found, owner in pairs if found == number]
        for place, owner in enumerate(sharing, start=1):
            labels[f"{number}/{owner}"] = utility.letter + (str(place) if len(sharing) > 1 else "")
    return labels


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
