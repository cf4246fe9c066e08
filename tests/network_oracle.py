"""The network checks once more, by brute force: every feature against every other, in shapely, without index or SQL.

Slow and plain on purpose; where the SQL takes a short cut, this does not. Gives triples of code, gml:id and attribute, one a
finding, with the other feature's gml:id where there is one.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

import numpy as np
import shapely
from shapely import LineString, Point
from shapely.geometry.base import BaseGeometry

from ingest.network_checks import NetworkCheckSettings
from ler.model import Feature, Kind, load_model

type Found = tuple[str, str, str, str]
"""Code, gml:id, attribute, the other feature or nothing."""

MODEL = load_model()
CLASSES = {"<= 0.25 m": 0.25, "<= 0.50 m": 0.5, "<= 1.00 m": 1.0, "<= 2.00 m": 2.0}
ENDS = ("startkomponent", "slutkomponent")


class Oracle:
    def __init__(self, features: Sequence[Feature], settings: NetworkCheckSettings) -> None:
        self.settings = settings
        self.features = {feature.gml_id: feature for feature in features}
        self.holders: dict[str, set[str]] = {}
        for feature in features:
            for target in pointers(feature, "indeholdtLedning"):
                other = self.features.get(target, feature)
                if other is not feature and is_a(other, "Ledning"):
                    self.holders.setdefault(target, set()).add(feature.gml_id)

    def findings(self) -> Counter[Found]:
        found: Counter[Found] = Counter()
        for feature in self.features.values():
            for rule in (references, zero_length, crossing, spikes, ends, connected, flags):
                found.update(rule(self, feature))
        for pair_rule in (containment, heights, utilities):
            found.update(
                hit
                for line, holders in self.holders.items()
                for one in holders
                for hit in pair_rule(self, one, line)
            )
        for rule_of_all in (several, duplicates, overlaps, gaps):
            found.update(rule_of_all(self))
        return found

    def free_lines(self) -> list[Feature]:
        return [f for f in self.features.values() if is_a(f, "Ledning") and f.gml_id not in self.holders]

    def accuracy(self, feature: Feature, name: str) -> float:
        given = feature.attributes.get(name)
        if given == "> 2.00 m":
            return self.settings.rough_accuracy_m
        return CLASSES.get(str(given), self.settings.unknown_accuracy_m)


def is_a(feature: Feature, name: str) -> bool:
    return MODEL.types[feature.type].is_a(name)


def pointers(feature: Feature, name: str) -> list[str]:
    given = feature.attributes.get(name, [])
    return [str(one) for one in given] if isinstance(given, list) else [str(given)]


def metres(feature: Feature, *names: str) -> float | None:
    given = next((feature.attributes[name] for name in names if name in feature.attributes), None)
    return float(given) / 1000 if isinstance(given, (int, float)) else None


def flat(feature: Feature) -> BaseGeometry | None:
    return None if feature.geometry is None else shapely.force_2d(feature.geometry)


def parts(feature: Feature) -> list[LineString]:
    """The parts of a line with a length, without repeated vertices."""
    given = [] if feature.geometry is None else list(shapely.get_parts(flat(feature)))
    made = []
    for part in given:
        if isinstance(part, LineString) and part.length > 0:
            xy = [p for p, before in zip(part.coords, [None, *part.coords], strict=False) if p != before]
            made.append(LineString(xy))
    return made


def sort_of(feature: Feature) -> tuple[str, object]:
    return feature.type, feature.attributes.get("type")


def utility_types(feature: Feature) -> set[str]:
    return set(feature.utility_types(MODEL.types[feature.type]))


def network_of(feature: Feature) -> tuple[str, bool] | None:
    types = feature.utility_types(MODEL.types[feature.type])
    return (types[0], feature.type == "Foeringsroer") if types else None


def references(oracle: Oracle, feature: Feature) -> Iterator[Found]:
    contacts = {
        str(contact["gml_id"])
        for other in oracle.features.values()
        if isinstance(contact := other.attributes.get("kontaktprofilTilTekniskeSpoergsmaal"), dict)
    }
    for attribute in MODEL.types[feature.type].attributes:
        if attribute.kind is not Kind.REFERENCE:
            continue
        for target in pointers(feature, attribute.name):
            kind = "Kontaktprofil" if target in contacts else None
            if target in oracle.features:
                kind = oracle.features[target].type
            if kind is None:
                yield "reference-unresolved", feature.gml_id, attribute.name, target
            elif not MODEL.types[kind].is_a(attribute.target):
                yield "reference-wrong-type", feature.gml_id, attribute.name, target


def zero_length(_: Oracle, feature: Feature) -> Iterator[Found]:
    if is_a(feature, "LedningEllerLedningstrace") and feature.geometry is not None:
        for part in shapely.get_parts(feature.geometry):
            known = {z for *_, z in part.coords if not math.isnan(z)}
            if isinstance(part, LineString) and len({p[:2] for p in part.coords}) == 1 and len(known) < 2:
                yield "line-zero-length", feature.gml_id, "geometri", ""
                return


def crossing(_: Oracle, feature: Feature) -> Iterator[Found]:
    if is_a(feature, "LedningEllerLedningstrace") and any(meets_itself(part) for part in parts(feature)):
        yield "line-crosses-itself", feature.gml_id, "geometri", ""


def meets_itself(part: LineString) -> bool:
    """Whether two segments have more in common than the vertex that joins them, or than the two ends of a ring."""
    segments = [LineString(pair) for pair in pairwise(part.coords)]
    for (i, one), (j, other) in combinations(enumerate(segments), 2):
        common = one.intersection(other)
        allowed = []
        if j == i + 1:
            allowed.append(Point(part.coords[j]))
        if i == 0 and j == len(segments) - 1 and part.coords[0] == part.coords[-1]:
            allowed.append(Point(part.coords[0]))
        if not common.is_empty and not common.difference(shapely.MultiPoint(allowed)).is_empty:
            return True
    return False


def spikes(oracle: Oracle, feature: Feature) -> Iterator[Found]:
    if not is_a(feature, "LedningEllerLedningstrace"):
        return
    for part in parts(feature):
        xy = np.array(part.coords)
        for before, tip, after in zip(xy, xy[1:], xy[2:], strict=False):
            back, on = before - tip, after - tip
            short = min(np.hypot(*back), np.hypot(*on))
            angle = math.degrees(math.atan2(abs(back[0] * on[1] - back[1] * on[0]), float(back @ on)))
            if angle <= oracle.settings.spike_angle_deg and short <= oracle.settings.spike_length_m:
                yield "line-spike", feature.gml_id, "geometri", ""


def chamber(feature: Feature) -> float:
    return max(metres(feature, "bunddiameterbredde") or 0, metres(feature, "bundlaengde") or 0) / 2


def ends(oracle: Oracle, feature: Feature) -> Iterator[Found]:
    for attribute, place in zip(ENDS, (0, -1), strict=True):
        for target in pointers(feature, attribute):
            other = oracle.features.get(target)
            if other is None or not is_a(other, "Ledningskomponent"):
                continue
            if feature.geometry is None or other.geometry is None:
                continue
            vertex = Point(shapely.get_coordinates(feature.geometry)[place])
            if vertex.distance(flat(other)) > oracle.settings.component_tolerance_m + chamber(other):
                yield "component-apart-from-line-end", feature.gml_id, attribute, target


def connected(oracle: Oracle, feature: Feature) -> Iterator[Found]:
    for target in pointers(feature, "tilknyttetLedning"):
        other = oracle.features.get(target)
        if other is None or not is_a(other, "Ledning") or feature.geometry is None or other.geometry is None:
            continue
        if flat(feature).distance(flat(other)) > oracle.settings.connected_tolerance_m + chamber(feature):  # type: ignore[union-attr]
            yield "connected-line-apart", feature.gml_id, "tilknyttetLedning", target


def flags(oracle: Oracle, feature: Feature) -> Iterator[Found]:
    if not is_a(feature, "Ledning"):
        return
    holds = any(feature.gml_id in holders for holders in oracle.holders.values())
    if holds and feature.attributes.get("indeholderLedninger") is False:
        yield "container-flag-differs", feature.gml_id, "indeholderLedninger", ""
    lies = any(is_a(oracle.features[one], "Ledning") for one in oracle.holders.get(feature.gml_id, ()))
    if lies and feature.attributes.get("liggerILedning") is False:
        yield "container-flag-differs", feature.gml_id, "liggerILedning", ""


def farthest(of: BaseGeometry, off: BaseGeometry) -> float:
    """The largest distance of its vertices, and of places on it no more than a centimetre apart, from the other."""
    places = shapely.points(shapely.get_coordinates(shapely.segmentize(of, 0.01)))
    return float(shapely.distance(places, off).max())


def containment(oracle: Oracle, holder_id: str, line_id: str) -> Iterator[Found]:
    settings, holder, line = oracle.settings, oracle.features[holder_id], oracle.features[line_id]
    one, other = flat(holder), flat(line)
    if one is None or other is None or not one.length or not other.length:
        return
    if holder.type == "Ledningstrace":
        width = metres(holder, "bredde")
        accuracies = [oracle.accuracy(f, "noejagtighedsklasse") for f in (holder, line)]
        allowed = (settings.trace_half_width_m if width is None else width / 2) + max(accuracies)
    else:
        width = metres(holder, "udvendigDiameter", "udvendigBredde")
        allowed = (settings.duct_half_width_m if width is None else width / 2) + settings.duct_tolerance_m
    if farthest(other, one) > allowed and farthest(one, other) > allowed:
        yield "line-outside-container", line_id, "geometri", holder_id


def heights(oracle: Oracle, holder_id: str, line_id: str) -> Iterator[Found]:
    settings, holder, line = oracle.settings, oracle.features[holder_id], oracle.features[line_id]
    if not is_a(holder, "Ledning"):
        return
    if not isinstance(holder.geometry, LineString) or line.geometry is None:
        return
    if shapely.to_wkb(holder.geometry) == shapely.to_wkb(line.geometry):
        return
    width = metres(holder, "udvendigDiameter", "udvendigBredde")
    allowed = (settings.duct_half_width_m if width is None else width / 2) + settings.duct_tolerance_m
    height = metres(holder, "udvendigDiameter", "udvendigHoejde")
    height = 2 * settings.duct_half_width_m if height is None else height
    tolerance = settings.height_tolerance_m + max(
        oracle.accuracy(f, "noejagtighedsklasseVertikal") for f in (holder, line)
    )
    for x, y, z in shapely.get_coordinates(line.geometry, include_z=True):
        distance, tops = tops_at(holder.geometry, Point(x, y))
        if not math.isnan(z) and distance <= allowed and tops:
            above = min((z - top for top in tops), key=abs)
            if not -height - tolerance <= above <= tolerance:
                yield "line-outside-duct-height", line_id, "geometri", holder_id
                return


def tops_at(path: LineString, place: Point) -> tuple[float, list[float]]:
    """How far the nearest segments are from a place, and their heights beside it where both their ends have one."""
    near: list[tuple[float, float]] = []
    for a, b in pairwise(path.coords):
        span = np.subtract(b, a)[:2]
        if span.any():
            share = min(1.0, max(0.0, float(np.dot([place.x - a[0], place.y - a[1]], span) / (span @ span))))
            distance = math.hypot(a[0] + share * span[0] - place.x, a[1] + share * span[1] - place.y)
            near.append((distance, a[2] + share * (b[2] - a[2])))
    least = min((distance for distance, _ in near), default=math.inf)
    return least, [top for distance, top in near if distance <= least + 1e-6 and not math.isnan(top)]


def utilities(oracle: Oracle, holder_id: str, line_id: str) -> Iterator[Found]:
    holder, line = oracle.features[holder_id], oracle.features[line_id]
    given = utility_types(holder)
    if holder.type in {"Foeringsroer", "Ledningstrace"} and given and not utility_types(line) <= given:
        yield "container-utility-differs", holder_id, "forsyningsart", line_id


def several(oracle: Oracle) -> Iterator[Found]:
    for line_id, holders in oracle.holders.items():
        ducts = {one for one in holders if is_a(oracle.features[one], "Ledning")}
        outer = {o for o in ducts if any(o in oracle.holders.get(i, ()) for i in ducts if i != o)}
        if len(ducts - outer) > 1:
            yield "line-in-several-ducts", line_id, "indeholdtLedning", ""


def shape_of(geometry: BaseGeometry) -> bytes:
    return min(shapely.to_wkb(geometry), shapely.to_wkb(shapely.reverse(geometry)))


def content_of(feature: Feature) -> object:
    told = {k: v for k, v in feature.attributes.items() if k not in {"id", "registreringFra"}}
    return repr(sorted(told.items())), repr(sorted(feature.voids.items()))


def same_places(oracle: Oracle) -> Iterator[list[Feature]]:
    places: dict[object, list[Feature]] = {}
    for feature in oracle.features.values():
        content = is_a(feature, "LedningEllerLedningstrace") or is_a(feature, "Ledningskomponent")
        if content and feature.geometry is not None and feature.gml_id not in oracle.holders:
            places.setdefault((sort_of(feature), shape_of(feature.geometry)), []).append(feature)
    return (sorted(place, key=lambda f: f.gml_id) for place in places.values() if len(place) > 1)


def duplicates(oracle: Oracle) -> Iterator[Found]:
    for place in same_places(oracle):
        for number, feature in enumerate(place[1:], start=1):
            equal = [other for other in place[:number] if content_of(other) == content_of(feature)]
            if equal:
                yield "duplicate-content", feature.gml_id, "", equal[0].gml_id
            else:
                yield "duplicate-geometry", feature.gml_id, "geometri", place[0].gml_id


def overlaps(oracle: Oracle) -> Iterator[Found]:
    settings = oracle.settings
    same = [{f.gml_id for f in place} for place in same_places(oracle)]
    for one, other in combinations(sorted(oracle.free_lines(), key=lambda f: f.gml_id), 2):
        if sort_of(one) != sort_of(other) or any({one.gml_id, other.gml_id} <= place for place in same):
            continue
        named = [{t for name in ENDS for t in pointers(f, name)} for f in (one, other)]
        if len(named[0] & named[1]) == 1:
            continue
        shared = sum(
            common_stretch(LineString(a), LineString(b), settings)
            for p in parts(one)
            for q in parts(other)
            for a in pairwise(p.coords)
            for b in pairwise(q.coords)
        )
        if shared > settings.overlap_m:
            yield "lines-overlap", other.gml_id, "geometri", one.gml_id


def common_stretch(a: LineString, b: LineString, settings: NetworkCheckSettings) -> float:
    """How long `a` runs along `b`: what lies within the tolerance of it, of parallel segments."""
    u, v = (np.diff(np.array(s.coords), axis=0)[0] / s.length for s in (a, b))
    if abs(u[0] * v[1] - u[1] * v[0]) > 1e-3:
        return 0.0
    common = a.intersection(b.buffer(settings.overlap_distance_m + 1e-6, cap_style="flat"))
    return common.length if common.length >= settings.overlap_stretch_m - 1e-6 else 0.0


def gaps(oracle: Oracle) -> Iterator[Found]:
    settings = oracle.settings
    others = [f for f in oracle.features.values() if is_a(f, "LedningEllerLedningstrace") and parts(f)]
    components = [flat(f) for f in oracle.features.values() if is_a(f, "Ledningskomponent") and f.geometry]
    for line in oracle.free_lines():
        network = network_of(line)
        near = [f for f in others if network and network_of(f) == network and f.gml_id != line.gml_id]
        for part in parts(line):
            if part.is_closed:
                continue
            for name, xy in zip(ENDS, (part.coords[0], part.coords[-1]), strict=True):
                place = Point(xy)
                by = {f.gml_id: min(place.distance(p) for p in parts(f)) for f in near}
                least = min(by.values(), default=math.inf)
                if name in line.attributes or not settings.touching_m < least <= settings.gap_m:
                    continue
                if all(place.distance(c) > settings.touching_m for c in components if c is not None):
                    nearest = min(gml_id for gml_id, d in by.items() if d == least)
                    yield "line-end-gap", line.gml_id, "geometri", nearest
