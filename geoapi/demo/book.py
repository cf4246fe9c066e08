"""One owner's records: turns what a network lays into features of the LER model, valid by construction.

It writes identifiers, heights, classes of accuracy and depths the way the restrictions of the model want them, so that
the networks need to know only what they lay, where and when.
"""

from random import Random
from typing import Final
from uuid import NAMESPACE_DNS, UUID, uuid5

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geoapi.demo.laying import Laying
from geoapi.demo.paths import Points
from geoapi.demo.terrain import ground
from ler.model import Feature, Value

OWN: Final = "ejet af udleverende ledningsejer"
OTHERS: Final = "ejet af anden ledningsejer"
NOBODY: Final = "uden ejer"

type Size = float | tuple[float, float] | None
"""Outer diameter, or outer width and height, in millimetres; None where nobody knows."""

_NAMESPACE: Final[UUID] = uuid5(NAMESPACE_DNS, "demo.ler.example")
_CABLES: Final = frozenset({"Elledning", "Telekommunikationsledning"})
_PIPES: Final = frozenset(
    {
        "Afloebsledning",
        "Gasledning",
        "Olieledning",
        "TermiskLedning",
        "Vandledning",
        "Foeringsroer",
        "AndenLedning",
    }
)
_SHALLOW: Final = _CABLES | {"Foeringsroer", "Ledningstrace"}
"""What may give an indicative depth instead of a height."""


class Book:
    """Collects the features of one owner; the same seed and number give the same identifiers."""

    def __init__(self, cvr: str, seed: int) -> None:
        self.features: list[Feature] = []
        self.dice = Random(f"{seed}:{cvr}")  # noqa: S311 - a made-up town keeps no secrets, but must come out the same
        self._cvr = cvr
        self._seed = seed
        self._counts: dict[str, int] = {}

    def chance(self, share: float) -> bool:
        """Whether something that is so for that share of the network is so here."""
        return self.dice.random() < share

    def identifier(self, name: str) -> str:
        """The UUID that belongs to a name in this owner's records."""
        return str(uuid5(_NAMESPACE, f"{self._seed}/{self._cvr}/{name}"))

    def line(
        self,
        kind: str,
        xy: Points | None,
        laying: Laying,
        *,
        danger: str | None,
        depth: float = 1.0,
        levels: NDArray[np.float64] | None = None,
        size: Size = None,
        shape: str | None = "cirkulær",
        owned: str = OWN,
        voids: tuple[str, ...] = (),
        **attributes: Value,
    ) -> Feature:
        """Record a cable or pipe through points (n, 2), or one without a geometry of its own when there are none.

        `depth` is the cover over its top in metres, `levels` heights of its top (DVR90) where a fall was designed.
        """
        feature = self._new(kind, _gml_prefix(kind))
        values = feature.attributes
        self._common(feature, laying, danger=danger, owned=owned, located=xy is not None)
        if xy is None:
            values["liggerILedning"] = True
        else:
            points = self._heights(_clean(xy, levels), depth, laying, designed=levels is not None)
            feature.geometry = shapely.LineString(points)
            values["niveau"] = "under terræn"
            self._depth(feature, depth, laying, points[:, 2])
        if laying.method:
            values["ledningsetableringsmetode"] = laying.method
        self._size(feature, size, shape if kind in _PIPES else "cirkulær")
        values.update(attributes)
        self._void(feature, voids)
        return feature

    def trace(
        self, parts: list[Points], laying: Laying, *, depth: float, serves: list[str], **attributes: Value
    ) -> Feature:
        """Record a trace of one or more parts, each through points (n, 2)."""
        feature = self._new("Ledningstrace", "trace")
        self._common(feature, laying, danger="ikke farlig", owned=OWN, located=True)
        lines = [self._heights(_clean(part, None), depth, laying, designed=False) for part in parts]
        feature.geometry = shapely.MultiLineString(lines)
        self._depth(feature, depth, laying, np.concatenate(lines)[:, 2])
        feature.attributes["forsyningsart"] = [*serves]
        feature.attributes.update(attributes)
        return feature

    def contain(self, holder: Feature, *lines: Feature) -> None:
        """Say that lines lie in a duct or a trace."""
        held = holder.attributes.setdefault("indeholdtLedning", [])
        if isinstance(held, list):
            held += [line.gml_id for line in lines]
        if holder.type != "Ledningstrace":
            holder.attributes["indeholderLedninger"] = True
            for line in lines:
                line.attributes["liggerILedning"] = True

    def component(
        self,
        kind: str,
        place: Points | shapely.Polygon,
        laying: Laying,
        *,
        depth: float = 0.0,
        level: float | None = None,
        **attributes: Value,
    ) -> Feature:
        """Record a component at a point (2,), along points (n, 2), or over a flat polygon; `level` is its height."""
        feature = self._new(kind, "k")
        outline = place if isinstance(place, np.ndarray) else shapely.get_coordinates(place)[:-1]
        if level is None:
            centre = outline if outline.ndim == 1 else outline.mean(axis=0)
            level = float(ground(centre)) - depth if laying.heights != "unknown" else np.nan
        feature.geometry = _flat(outline, round(level, 3), closed=not isinstance(place, np.ndarray))
        values = feature.attributes
        values["driftsstatus"] = laying.status
        values["ejerskabsforhold"] = OWN
        values["etableringstidspunkt"] = laying.time
        values["id"] = self.identifier(feature.gml_id)
        for name, value in (
            ("noejagtighedsklasse", laying.accuracy),
            ("noejagtighedsklasseVertikal", laying.vertical),
        ):
            if value:
                values[name] = value
            else:
                feature.voids[name] = "unknown"
        values.update(attributes)
        return feature

    def join(self, line: Feature, *, start: Feature | None = None, end: Feature | None = None) -> None:
        """Say that a line begins or ends at components; they say in turn that it is connected to them."""
        for name, component in (("startkomponent", start), ("slutkomponent", end)):
            if component is not None:
                line.attributes[name] = component.gml_id
                self.connect(component, line)

    def connect(self, component: Feature, line: Feature) -> None:
        """Say that a line is connected to a component somewhere along its way."""
        connected = component.attributes.setdefault("tilknyttetLedning", [])
        if isinstance(connected, list) and line.gml_id not in connected:
            connected.append(line.gml_id)

    def attachment(
        self, title: str, path: str, kind: str, place: Points | None = None, **attributes: Value
    ) -> Feature:
        """Record an attachment; its file, at a path relative to the owner's delivery, is no part of the town."""
        feature = self._new("Informationsressource", "bilag")
        if place is not None:
            feature.geometry = _flat(place, float(ground(place)))
        feature.attributes |= {"title": title, "format": kind, "sti": path, **attributes}
        return feature

    def attach(self, feature: Feature, *attachments: Feature) -> None:
        """Say that attachments belong to a line, trace or component."""
        feature.attributes["bilag"] = [attachment.gml_id for attachment in attachments]

    def dimension(self, start: Points, end: Points) -> Feature:
        """Record a dimension line between two points (2,) on the ground; its value is their distance in metres."""
        feature = self._new("LinearDimension", "maal")
        feature.geometry = _on_ground(np.array([start, end]))
        feature.attributes["dimensionalValue"] = {
            "value": round(float(np.hypot(*(end - start))), 2),
            "uom": "m",
        }
        return feature

    def note(self, text: str, at: Points, target: Feature, foot: Points) -> Feature:
        """Record a text at a point (2,), with an arrow to a feature's foot point."""
        arrow = self._new("LinearAnnotation", "pil")
        arrow.geometry = _on_ground(np.array([at, foot]))
        arrow.attributes["type"] = "one directional arrow"
        feature = self._new("TextAnnotation", "tekst")
        feature.geometry = _flat(at, float(ground(at)))
        feature.attributes |= {"text": text, "annotatedFeature": target.gml_id, "connector": arrow.gml_id}
        return feature

    def _new(self, kind: str, prefix: str) -> Feature:
        number = self._counts[prefix] = self._counts.get(prefix, 0) + 1
        feature = Feature(kind, f"{prefix}-{number}")
        self.features.append(feature)
        return feature

    def _common(
        self, feature: Feature, laying: Laying, *, danger: str | None, owned: str, located: bool
    ) -> None:
        values = feature.attributes
        values["driftsstatus"] = laying.status
        values["ejerskabsforhold"] = owned
        values["etableringstidspunkt"] = laying.time
        values["id"] = self.identifier(feature.gml_id)
        year = max(laying.year, 2019)  # before that nobody kept the time of registration
        values["registreringFra"] = (
            f"{year}-07-{self.dice.randint(10, 28)}T08:{self.dice.randint(10, 59)}:00Z"
        )
        if danger is None:
            feature.voids["fareklasse"] = "unknown"
        else:
            values["fareklasse"] = danger
        if not located:
            return
        values["indtegningsmetode"] = (
            "nøjagtigt" if laying.accuracy in {"<= 0.25 m", "<= 0.50 m"} else "skematisk"
        )
        for name, value in (
            ("noejagtighedsklasse", laying.accuracy),
            ("noejagtighedsklasseVertikal", laying.vertical),
        ):
            if value:
                values[name] = value
            else:
                feature.voids[name] = "unknown"

    def _heights(self, points: Points, depth: float, laying: Laying, *, designed: bool) -> Points:
        if not designed:
            points[:, 2] = np.round(ground(points[:, :2]) - depth, 3)
        if laying.heights == "unknown":
            points[:, 2] = np.nan
        elif laying.heights == "mixed":
            points[1::2, 2] = np.nan
        return points

    def _depth(self, feature: Feature, depth: float, laying: Laying, heights: NDArray[np.float64]) -> None:
        if feature.type not in _SHALLOW or not np.isnan(heights).any():
            return
        if laying.after_cut_off or self.chance(0.7):
            feature.attributes["vejledendeDybde"] = round(depth * 1000.0, -1)
        elif self.chance(0.1):
            feature.voids["vejledendeDybde"] = None

    def _size(self, feature: Feature, size: Size, shape: str | None) -> None:
        values = feature.attributes
        if feature.type in _PIPES:
            if shape is None:
                feature.voids["tvaersnitsform"] = "unknown"
                return  # the model ties each measure to a known shape
            values["tvaersnitsform"] = shape
        names = ("udvendigDiameter",) if shape == "cirkulær" else ("udvendigBredde", "udvendigHoejde")
        if size is None:
            feature.voids |= dict.fromkeys(names, "unknown")
            return
        sizes = size if isinstance(size, tuple) else (size,)
        values.update({name: float(value) for name, value in zip(names, sizes, strict=True)})

    def _void(self, feature: Feature, names: tuple[str, ...]) -> None:
        for name in names:
            feature.attributes.pop(name, None)
            feature.voids[name] = "unknown"


def _gml_prefix(kind: str) -> str:
    return "fr" if kind == "Foeringsroer" else "l"


def _round(xy: Points) -> Points:
    rounded: Points = np.round(xy, 3)
    return rounded


def _clean(xy: Points, levels: NDArray[np.float64] | None) -> Points:
    """Points (n, 3) to the millimetre without repetitions; heights are zero where no levels are given."""
    z = 0.0 if levels is None else levels
    points = np.empty((len(xy), 3))
    points[:, :2], points[:, 2] = xy, z
    points = points.round(3)
    moves = (points[1:, :2] != points[:-1, :2]).any(axis=1)
    return points if moves.all() else np.vstack((points[:1], points[1:][moves]))


def _flat(xy: Points, height: float, *, closed: bool = False) -> BaseGeometry:
    """A point, a line or, when closed, the polygon of an open ring, all of it at one height."""
    if xy.ndim == 1:
        x, y = xy.tolist()
        return shapely.Point(round(x, 3), round(y, 3), round(height, 3))
    points = np.column_stack((_round(xy), np.full(len(xy), height)))
    return shapely.Polygon(points) if closed else shapely.LineString(points)


def _on_ground(xy: Points) -> shapely.LineString:
    return shapely.LineString(np.column_stack((_round(xy), np.round(ground(xy), 3))))
