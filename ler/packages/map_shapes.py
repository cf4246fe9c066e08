"""From features in EPSG:25832 to shapes on the sheet: cut to the frame, sorted into one group a style.

Features without a geometry, or outside the frame, are counted, not hidden: a map of dangers says what it leaves out.
Refuses coordinates that are not finite.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from ler.errors import InputError
from ler.packages.map_canvas import Frame, clean
from ler.packages.map_kinds import Kind
from ler.packages.map_paths import Path, line_paths
from ler.packages.styles import DangerStyle, StatusStyle, Styles, UtilityStyle

type Geometries = NDArray[np.object_]

_OVERHANG_MM = 4.0  # cut ends, with their bands and caps, stay outside the frame
_TOLERANCE_MM = 0.02
_DOT_MM = 0.05  # shorter than this a line is upright in the ground: drawn as a dot, or it would vanish
_SIMPLE = 3  # GEOS types 0..3: point, line, ring, polygon; above are collections
_SURFACE = 2


@dataclass(frozen=True, slots=True)
class MapFeature:
    """One thing to draw; `geometry` in EPSG:25832 metres, with or without heights, none or empty where it has no place."""

    geometry: BaseGeometry | None
    feature_type: str
    utility_type: str
    owner: str
    danger_class: str | None
    operational_status: str | None
    band_m: float = 0.0
    """How far on each side of where it is drawn it may lie, m."""
    band_known: bool = True
    note: str = ""
    """A few characters to stand beside it: how deep it lies."""


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
    notes: list[tuple[str, BaseGeometry]] = field(default_factory=list)
    """What stands beside single features, with their shapes."""
    _paths: list[Path] | None = None

    @property
    def all_lines(self) -> list[LineString]:
        """Lines of every owner."""
        return [line for lines in self.lines.values() for line in lines]

    @property
    def paths(self) -> list[Path]:
        """The same for cairo, made once the group has all its lines."""
        if self._paths is None:
            self._paths = line_paths(self.all_lines)
        return self._paths


@dataclass(frozen=True, slots=True)
class Band:
    """Where features of one accuracy must be looked for: this far around their shapes, sheet mm."""

    half_mm: float
    known: bool
    shapes: list[BaseGeometry]


@dataclass(frozen=True, slots=True)
class UtilityCount:
    """What the legend says of one utility type: how many features are drawn, and the owners, numbered if several."""

    utility: UtilityStyle
    count: int
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything to draw in the frame, groups in drawing order, bands from the widest."""

    groups: dict[GroupKey, Group]
    bands: tuple[Band, ...]
    counts: tuple[UtilityCount, ...]
    outside: int


class Scene:
    """Features made ready once for any number of frames."""

    def __init__(self, features: Sequence[MapFeature], styles: Styles) -> None:
        """InputError for coordinates that are not finite."""
        self.styles = styles
        self.features = [one for one in features if one.geometry is not None and not one.geometry.is_empty]
        self.without_place = len(features) - len(self.features)
        self.geometries = _flat([one.geometry for one in self.features if one.geometry is not None])
        self._tree = shapely.STRtree(self.geometries)
        self._widest_m = max((feature.band_m for feature in self.features), default=0.0)
        self.labels = _owner_labels(self.features, styles)
        """The letters of each utility type and owner, the same on every sheet."""
        self._bins: dict[tuple[GroupKey, str], int] = {}
        self._bin_of = self._sorted_into_bins()

    def _sorted_into_bins(self) -> NDArray[np.intp]:
        alike: dict[tuple[object, ...], int] = {}  # a style takes longer to look up than words
        bin_of = np.empty(len(self.features), dtype=np.intp)
        for index, (one, length) in enumerate(
            zip(self.features, shapely.length(self.geometries).tolist(), strict=True)
        ):
            words = (
                *(one.feature_type, one.utility_type, one.owner, one.danger_class, one.operational_status),
                length == 0,
            )
            if words not in alike:
                key = _key(one, self.styles)
                label = self.labels[key.utility, clean(one.owner)]
                alike[words] = self._bins.setdefault((key, label), len(self._bins))
            bin_of[index] = alike[words]
        return bin_of

    def arrange(self, frame: Frame) -> Drawing:
        """Sort what lies in the frame into groups, cut to it."""
        found, shapes = self._cut(frame, _OVERHANG_MM * frame.metres_per_mm)
        gathered: defaultdict[GroupKey, dict[str, list[BaseGeometry]]] = defaultdict(dict)
        bins = list(self._bins)
        bin_of = self._bin_of[found]
        for number in np.unique(bin_of).tolist():
            key, label = bins[number]
            gathered[key][label] = shapes[bin_of == number].tolist()
        groups = {key: _group(key, gathered[key]) for key in sorted(gathered, key=self._order)}
        for index, shape in zip(found.tolist(), shapes, strict=True):
            if note := self.features[index].note:
                groups[bins[self._bin_of[index]][0]].notes.append((note, shape))
        return Drawing(
            groups,
            tuple(self._bands(frame)),
            self._counts([self.features[index] for index in found.tolist()]),
            outside=len(self.features) - len(found),
        )

    def _cut(self, frame: Frame, beyond_m: float) -> tuple[NDArray[np.intp], Geometries]:
        """Which features are found within the frame and so much beyond, and their shapes there, sheet mm."""
        west, south, east, north = frame.bounds
        window = (west - beyond_m, south - beyond_m, east + beyond_m, north + beyond_m)
        found = np.sort(self._tree.query(shapely.box(*window)))
        cut = shapely.clip_by_rect(self.geometries[found], *window)
        there = ~shapely.is_empty(cut)
        return found[there], shapely.transform(cut[there], frame.to_sheet)

    def _bands(self, frame: Frame) -> list[Band]:
        found, cut = self._cut(frame, self._widest_m)
        straight = shapely.simplify(cut, _TOLERANCE_MM, preserve_topology=False)
        shapes = np.where(shapely.get_dimensions(cut) == _SURFACE, cut, straight)
        gathered: defaultdict[tuple[float, bool], list[BaseGeometry]] = defaultdict(list)
        for index, shape in zip(found.tolist(), shapes, strict=True):
            feature = self.features[index]
            if feature.band_m:
                gathered[feature.band_m, feature.band_known].append(shape)
        return [
            Band(half_m / frame.metres_per_mm, known, gathered[half_m, known])
            for half_m, known in sorted(gathered, reverse=True)
        ]

    def _order(self, key: GroupKey) -> tuple[int, int, str, str, str]:
        danger = key.danger.rank if key.danger else 0
        status = key.status.value if key.status else ""
        return self.styles.utilities.index(key.utility), danger, status, key.kind.value, key.mark

    def _counts(self, drawn: Sequence[MapFeature]) -> tuple[UtilityCount, ...]:
        count: Counter[UtilityStyle] = Counter()
        owners: defaultdict[UtilityStyle, dict[str, str]] = defaultdict(dict)
        for (utility_type, owner), features in Counter(
            (one.utility_type, one.owner) for one in drawn
        ).items():
            utility, name = self.styles.utility(utility_type), clean(owner)
            count[utility] += features
            owners[utility][self.labels[utility, name]] = name
        return tuple(
            UtilityCount(
                utility,
                count[utility],
                tuple(
                    name if label == utility.letter else f"{label} {name}"
                    for label, name in sorted(owners[utility].items(), key=lambda one: (len(one[0]), one[0]))
                ),
            )
            for utility in self.styles.utilities
            if count[utility]
        )


def kind_of(feature: MapFeature, styles: Styles) -> Kind:
    """Kind by LER feature type; a type nobody knows is a line if it has length, else a component."""
    if feature.feature_type in styles.duct.feature_types:
        return Kind.DUCT
    if feature.feature_type in styles.trace.feature_types:
        return Kind.TRACE
    is_component = feature.feature_type.casefold().endswith("komponent")
    has_length = feature.geometry is not None and feature.geometry.length > 0
    return Kind.COMPONENT if is_component or not has_length else Kind.LINE


def cut_to_frame(geometries: Sequence[BaseGeometry], frame: Frame) -> list[BaseGeometry]:
    """Geometries (metres) cut a little outside the frame, in sheet millimetres; empty where nothing is left."""
    overhang = _OVERHANG_MM * frame.metres_per_mm
    west, south, east, north = frame.bounds
    window = (west - overhang, south - overhang, east + overhang, north + overhang)
    return list(shapely.transform(shapely.clip_by_rect(_flat(geometries), *window), frame.to_sheet))


def _flat(geometries: Sequence[BaseGeometry]) -> Geometries:
    """Without heights, surfaces made valid; InputError for coordinates that are not finite."""
    if not len(geometries):
        return np.empty(0, dtype=object)
    with np.errstate(invalid="ignore"):
        flat: Geometries = shapely.force_2d(np.array(geometries, dtype=object))
    coordinates, index = shapely.get_coordinates(flat, return_index=True)
    if not np.isfinite(coordinates).all():
        first = int(index[~np.isfinite(coordinates).all(axis=1)][0])
        raise InputError(f"Geometry {first + 1} of the map has a coordinate that is not a number.")
    broken = ~shapely.is_valid(flat) & (shapely.get_dimensions(flat) == _SURFACE)
    flat[broken] = shapely.make_valid(flat[broken])
    return flat


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


def _group(key: GroupKey, shapes_by_label: dict[str, list[BaseGeometry]]) -> Group:
    group = Group()
    for label in sorted(shapes_by_label):
        simple = _simple(shapes_by_label[label])
        dimensions = shapely.get_dimensions(simple)
        pieces = simple[dimensions == 1]
        short = shapely.length(pieces) < _DOT_MM
        text = key.status.label.format(label) if key.status else label
        group.lines[text] = _joined(pieces[~short])
        group.footprints.extend(simple[dimensions == _SURFACE].tolist())
        if key.kind is Kind.COMPONENT:
            group.marks.extend(shapely.point_on_surface(shapes_by_label[label]).tolist())
        else:
            group.dots.extend(shapely.get_point(pieces[short], 0).tolist())
            group.dots.extend(simple[dimensions == 0].tolist())
    return group


def _joined(pieces: Geometries) -> list[LineString]:
    """Pieces joined end to end: dashes run through, and pieces too short for a letter get one together."""
    if not len(pieces):
        return []
    merged = shapely.line_merge(shapely.multilinestrings(pieces))
    thinned = shapely.simplify(shapely.get_parts(merged), _TOLERANCE_MM, preserve_topology=False)
    return lines(list(thinned))
