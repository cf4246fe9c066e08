"""From features in EPSG:25832 to shapes on the sheet: cut to the frame, sorted into one group a style.

Features without a geometry, or outside the frame, are counted, not hidden: a map of dangers says what it leaves out.
Refuses coordinates that are not finite.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from ler.errors import InputError
from ler.packages.map_canvas import Frame, clean
from ler.packages.styles import DangerStyle, StatusStyle, Styles, UtilityStyle

type Geometries = NDArray[np.object_]

_OVERHANG_MM = 4.0  # cut ends, with their bands and caps, stay outside the frame
_TOLERANCE_MM = 0.02
_DOT_MM = 0.05  # shorter than this a line is upright in the ground: drawn as a dot, or it would vanish
_SIMPLE = 3  # GEOS types 0..3: point, line, ring, polygon; above are collections
_SURFACE = 2


@dataclass(frozen=True, slots=True)
class MapFeature:
    """One thing to draw; `geometry` in EPSG:25832 metres, with or without heights, empty where it has no place."""

    geometry: BaseGeometry
    feature_type: str
    utility_type: str
    owner: str
    danger_class: str | None
    operational_status: str | None


class Kind(Enum):
    """How a feature is drawn."""

    LINE = "line"
    DUCT = "duct"
    TRACE = "trace"
    COMPONENT = "component"


@dataclass(frozen=True, slots=True)
class GroupKey:
    """What features drawn with the same strokes have in common; `mark` is empty but for components."""

    utility: UtilityStyle
    kind: Kind
    danger: DangerStyle | None = None
    status: StatusStyle | None = None
    mark: str = ""


@dataclass(slots=True)
class Group:
    """Shapes of one style, sheet millimetres; lines by the text of their letters."""

    lines: dict[str, list[LineString]] = field(default_factory=dict)
    dots: list[Point] = field(default_factory=list)
    footprints: list[Polygon] = field(default_factory=list)
    marks: list[Point] = field(default_factory=list)

    @property
    def all_lines(self) -> list[LineString]:
        """Lines of every owner."""
        return [line for lines in self.lines.values() for line in lines]


@dataclass(frozen=True, slots=True)
class UtilityCount:
    """What the legend says of one utility type: how many features are drawn, and the owners, numbered if several."""

    utility: UtilityStyle
    count: int
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything to draw in the frame, groups in drawing order."""

    groups: dict[GroupKey, Group]
    counts: tuple[UtilityCount, ...]
    without_place: int
    outside: int


def kind_of(feature: MapFeature, styles: Styles) -> Kind:
    """Kind by LER feature type; a type nobody knows is a line if it has length, else a component."""
    if feature.feature_type in styles.duct.feature_types:
        return Kind.DUCT
    if feature.feature_type in styles.trace.feature_types:
        return Kind.TRACE
    is_component = feature.feature_type.casefold().endswith("komponent")
    return Kind.COMPONENT if is_component or feature.geometry.length == 0 else Kind.LINE


def arrange(features: Sequence[MapFeature], frame: Frame, styles: Styles) -> Drawing:
    """Sort the features into groups and cut them to the frame; InputError for coordinates that are not finite."""
    shown = [
        feature for feature in features if feature.geometry is not None and not feature.geometry.is_empty
    ]
    geometries = cut_to_frame([feature.geometry for feature in shown], frame)
    drawn = [(feature, shape) for feature, shape in zip(shown, geometries, strict=True) if not shape.is_empty]
    labels = _owner_labels([feature for feature, _ in drawn], styles)
    gathered: defaultdict[GroupKey, defaultdict[str, list[BaseGeometry]]]
    gathered = defaultdict(lambda: defaultdict(list))
    alike: dict[tuple[object, ...], list[BaseGeometry]] = {}  # a style takes longer to look up than words
    for feature, shape in drawn:
        words = (
            feature.feature_type,
            feature.utility_type,
            feature.owner,
            feature.danger_class,
            feature.operational_status,
            feature.geometry.length == 0,
        )
        if words not in alike:
            key = _key(feature, styles)
            alike[words] = gathered[key][labels[key.utility, clean(feature.owner)]]
        alike[words].append(shape)
    groups = {
        key: _group(key, gathered[key]) for key in sorted(gathered, key=lambda key: _order(key, styles))
    }
    return Drawing(
        groups,
        _counts(drawn, labels, styles),
        without_place=len(features) - len(shown),
        outside=len(shown) - len(drawn),
    )


def cut_to_frame(geometries: Sequence[BaseGeometry], frame: Frame) -> list[BaseGeometry]:
    """Geometries (metres) cut a little outside the frame, in sheet millimetres; empty where nothing is left."""
    if not geometries:
        return []
    with np.errstate(invalid="ignore"):
        flat: Geometries = shapely.force_2d(np.array(geometries, dtype=object))
    coordinates, index = shapely.get_coordinates(flat, return_index=True)
    if not np.isfinite(coordinates).all():
        first = int(index[~np.isfinite(coordinates).all(axis=1)][0])
        raise InputError(f"Geometry {first + 1} of the map has a coordinate that is not a number.")
    broken = ~shapely.is_valid(flat) & (shapely.get_dimensions(flat) == _SURFACE)
    flat[broken] = shapely.make_valid(flat[broken])
    overhang = _OVERHANG_MM * frame.metres_per_mm
    west, south, east, north = frame.bounds
    cut = shapely.clip_by_rect(flat, west - overhang, south - overhang, east + overhang, north + overhang)
    return list(shapely.transform(cut, frame.to_sheet))


def points(shapes: Sequence[BaseGeometry]) -> list[Point]:
    """Every single point in the shapes."""
    return [shape for shape in _simple(shapes) if isinstance(shape, Point)]


def lines(shapes: Sequence[BaseGeometry]) -> list[LineString]:
    """Every single line in the shapes."""
    return [shape for shape in _simple(shapes) if isinstance(shape, LineString)]


def polygons(shapes: Sequence[BaseGeometry]) -> list[Polygon]:
    """Every single polygon in the shapes."""
    return [shape for shape in _simple(shapes) if isinstance(shape, Polygon)]


def _simple(shapes: Sequence[BaseGeometry]) -> Geometries:
    flat: Geometries = np.array(shapes, dtype=object)
    while (shapely.get_type_id(flat) > _SIMPLE).any():
        flat = shapely.get_parts(flat)
    return flat[~shapely.is_empty(flat)]


def _key(feature: MapFeature, styles: Styles) -> GroupKey:
    kind = kind_of(feature, styles)
    return GroupKey(
        utility=styles.utility(feature.utility_type),
        kind=kind,
        danger=styles.danger(feature.danger_class),
        status=styles.status(feature.operational_status),
        mark=styles.component.mark(feature.feature_type) if kind is Kind.COMPONENT else "",
    )


def _order(key: GroupKey, styles: Styles) -> tuple[int, int, str, str]:
    danger = key.danger.rank if key.danger else 0
    return styles.utilities.index(key.utility), danger, key.status.value if key.status else "", key.mark


def _owner_labels(features: Sequence[MapFeature], styles: Styles) -> dict[tuple[UtilityStyle, str], str]:
    """The letter for each utility type and owner: `E`, or `E1`, `E2` ... where several owners share a type."""
    owners: defaultdict[UtilityStyle, set[str]] = defaultdict(set)
    for utility_type, owner in {(feature.utility_type, feature.owner) for feature in features}:
        owners[styles.utility(utility_type)].add(clean(owner))
    labels = {}
    for utility, names in owners.items():
        for number, name in enumerate(sorted(names, key=lambda name: (name.casefold(), name)), start=1):
            labels[utility, name] = utility.letter if len(names) == 1 else f"{utility.letter}{number}"
    return labels


def _counts(
    drawn: Sequence[tuple[MapFeature, BaseGeometry]],
    labels: dict[tuple[UtilityStyle, str], str],
    styles: Styles,
) -> tuple[UtilityCount, ...]:
    count: Counter[UtilityStyle] = Counter()
    for utility_type, features in Counter(feature.utility_type for feature, _ in drawn).items():
        count[styles.utility(utility_type)] += features
    owners: defaultdict[UtilityStyle, list[str]] = defaultdict(list)
    for (utility, name), label in labels.items():
        owners[utility].append(name if label == utility.letter else f"{label} {name}")
    return tuple(UtilityCount(u, count[u], tuple(owners[u])) for u in styles.utilities if count[u])


def _group(key: GroupKey, shapes_by_label: dict[str, list[BaseGeometry]]) -> Group:
    group = Group()
    for label in sorted(shapes_by_label):
        shapes = shapes_by_label[label]
        pieces = lines(shapes)
        text = key.status.label.format(label) if key.status else label
        group.lines[text] = _joined([piece for piece in pieces if piece.length >= _DOT_MM])
        group.footprints.extend(polygons(shapes))
        if key.kind is Kind.COMPONENT:
            group.marks.extend(shape.representative_point() for shape in shapes)
        else:
            group.dots.extend(Point(piece.coords[0]) for piece in pieces if piece.length < _DOT_MM)
            group.dots.extend(points(shapes))
    return group


def _joined(pieces: Sequence[LineString]) -> list[LineString]:
    """Pieces joined end to end: dashes run through, and pieces too short for a letter get one together."""
    if not pieces:
        return []
    merged = shapely.line_merge(shapely.multilinestrings(np.array(pieces, dtype=object)))
    thinned = shapely.simplify(shapely.get_parts(merged), _TOLERANCE_MM, preserve_topology=False)
    return lines(list(thinned))
