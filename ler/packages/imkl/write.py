"""A network as a file of IMKL 2.0: its networks by theme, its objects, and the lines, depths and footprints they have.

IMKL has no heights of vertices, one point for every component and no object without a place; what is lost is in the
account. The same features give the same bytes. Refused is nothing: whether KLIC would take the file is told in
docs/reference/exchange.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TextIO

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from ler.exchange.account import Account, Fate
from ler.exchange.identifiers import full_id, local_id
from ler.exchange.projection import Projection
from ler.exchange.tables import DUMMY_TIME, ImklTable, load_imkl
from ler.model import Feature, Model
from ler.packages.imkl.elements import Elements, ElementWriter
from ler.packages.imkl.markup import (
    geometry_element,
    imkl_id,
    inspire_id,
    link_element,
    text_element,
    void_element,
)
from ler.packages.imkl.plan import Plan, Planned, make_plan

_EXTRA_CODES: Final = {
    "LinearDimension": ("imkl:maatvoeringsType", "MaatvoeringsTypeValue/maatvoeringslijn"),
    "TextAnnotation": ("imkl:annotatieType", "AnnotatieTypeValue/annotatielabel"),
    "Informationsressource": ("imkl:extraInfoType", "ExtraDetailInfoTypeValue/detail"),
}
"""What is no value of LER but a class of its own."""


def write_imkl(
    path: Path, features: Sequence[Feature], model: Model, *, owner: str, projection: Projection
) -> tuple[int, Account]:
    """Write the file; returns how many features have a place in it, and what was lost. `owner` is a CVR number.

    `projection` leads to EPSG:28992.
    """
    account = Account()
    table = load_imkl()
    plan = make_plan(features, model, table, account)
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        writer = _Writer(stream, table, plan, owner, account, projection)
        writer.write()
    return len(plan.features), account


@dataclass(frozen=True, slots=True)
class _Writer:
    _stream: TextIO
    _table: ImklTable
    _plan: Plan
    _owner: str
    _account: Account
    _projection: Projection

    def write(self) -> None:
        """Write the whole document."""
        spaces = "".join(f' xmlns:{name}="{uri}"' for name, uri in self._table.raw["namespaces"].items())
        self._stream.write(
            f'<?xml version="1.0" encoding="UTF-8"?>\n<gml:FeatureCollection{spaces} gml:id="ID_{self._owner}">\n'
        )
        for theme in self._plan.themes:
            self._member(self._network(theme))
        for planned in self._plan.features.values():
            for body in self._feature(planned):
                self._member(body)
        self._stream.write("</gml:FeatureCollection>\n")

    def _member(self, body: str) -> None:
        self._stream.write(f"<gml:featureMember>{body}</gml:featureMember>\n")

    def _network(self, theme: str) -> str:
        addresses = self._table.raw["addresses"]
        kind = self._table.raw["themes"][theme]["network"]
        inspire = addresses["inspire"]
        return (
            f'<imkl:Utiliteitsnet gml:id="{self._net(theme)}">'
            + link_element("us-net-common:utilityNetworkType", f"{inspire}/UtilityNetworkTypeValue/{kind}")
            + link_element("us-net-common:authorityRole", f"{inspire}/RelatedPartyRoleValue/operator")
            + imkl_id(local_id(self._owner, "", f"net{theme}"))
            + _BEGIN
            + link_element("imkl:thema", f"{addresses['imkl']}/Thema/{theme}")
            + "</imkl:Utiliteitsnet>"
        )

    def _feature(self, planned: Planned) -> Iterator[str]:
        """The objects that a feature points to (links, depth, footprint), then its own."""
        gml_id = planned.feature.gml_id
        shape = self._projected(planned)
        elements, depth, nodes = ElementWriter(self._table, self._plan, self._owner, self._account).elements(
            planned
        )
        if planned.imkl.kind == "lines":
            yield from self._links(planned, shape, nodes, elements)
        elif planned.imkl.kind == "extra":
            self._add_extra(planned, shape, elements)
        else:
            yield from self._place(planned, shape, elements)
        if depth:
            at = f"{self._table.raw['addresses']['imkl']}/DiepteAangrijpingspuntValue/bovenkant"
            body = "".join(depth.values()) + link_element("imkl:diepteAangrijpingspunt", at)
            yield self._part("DiepteTovMaaiveld", planned, "depth", body)
            _put(elements, "imkl:dieptelegging", self._id(gml_id, "depth"))
        for extra in self._plan.extras.get(gml_id, ()):
            _put(elements, "imkl:heeftExtraInformatie", self._id(extra))
        local = local_id(self._owner, gml_id)
        _put(elements, "net:inNetwork", self._net(planned.theme))
        _put(elements, "imkl:inNetwork", self._net(planned.theme))
        for element in ("net:inspireId", "us-net-common:inspireId"):
            elements[element] = [inspire_id(element, local)]
        elements["imkl:identificatie"] = [imkl_id(local)]
        yield self._object(planned, elements)

    def _object(self, planned: Planned, elements: Elements) -> str:
        """The object with its elements in the order of the schema; what its class has not goes to the account."""
        body = []
        for element in _order(planned.imkl.kind, tuple(planned.imkl.order)):
            name = element.rstrip("!")
            body += elements.pop(name, [void_element(name)] if element.endswith("!") else [])
        told = planned.feature.attributes
        for row in self._table.fields:
            element = row.nodes if planned.imkl.kind in {"node", "container"} else row.element
            if element in elements and row.ler in told and row.belongs_to(planned.feature_type):
                self._tell(Fate.VALUE_LOST, planned, row.ler, told[row.ler])
        name = f"imkl:{planned.imkl.imkl}"
        return f'<{name} gml:id="{self._id(planned.feature.gml_id)}">{"".join(body)}</{name}>'

    def _links(
        self, planned: Planned, shape: BaseGeometry, nodes: Mapping[str, str], elements: Elements
    ) -> Iterator[str]:
        """A UtilityLink for each piece of a line."""
        gml_id = planned.feature.gml_id
        lines = list(shapely.get_parts(shape))
        for number, line in enumerate(lines, start=1):
            part = f"link{number}"
            link = self._id(gml_id, part)
            ends = {"net:startNode": number == 1, "net:endNode": number == len(lines)}
            at = "".join(
                link_element(name, nodes[name])
                for name in ("net:endNode", "net:startNode")
                if name in nodes and ends[name]
            )
            body = (
                text_element("net:beginLifespanVersion", DUMMY_TIME)
                + inspire_id("net:inspireId", local_id(self._owner, gml_id, part))
                + link_element("net:inNetwork", self._net(planned.theme))
                + f"<net:centrelineGeometry>{geometry_element(line, f'{link}_geo', curve=True)}</net:centrelineGeometry>"
                + text_element("net:fictitious", "false")
                + at
                + "".join(void_element(name) for name in _SAID_BY_THE_LINE)
            )
            yield f'<us-net-common:UtilityLink gml:id="{link}">{body}</us-net-common:UtilityLink>'
            _put(elements, "net:link", link)

    def _place(self, planned: Planned, shape: BaseGeometry, elements: Elements) -> Iterator[str]:
        """The point of a component; an area besides as a footprint of its own."""
        gml_id = planned.feature.gml_id
        node = planned.imkl.kind == "node"
        element = "net:geometry" if node else "us-net-common:geometry"
        point = shape if isinstance(shape, shapely.Point) else shapely.point_on_surface(shape)
        elements[element] = [f"<{element}>{geometry_element(point, self._id(gml_id, 'geo'))}</{element}>"]
        if planned.appurtenance:
            _put(elements, "us-net-common:appurtenanceType", planned.appurtenance)
        if isinstance(shape, shapely.Polygon | shapely.MultiPolygon):
            area = geometry_element(shape, self._id(gml_id, "area"))
            body = f"<imkl:vlakgeometrie2D>{area}</imkl:vlakgeometrie2D>"
            yield self._part("ExtraGeometrie", planned, "footprint", body)
            _put(elements, "imkl:extraGeometrie", self._id(gml_id, "footprint"))
        elif not isinstance(shape, shapely.Point):
            self._tell(Fate.COARSER, planned, "geometri", shape.geom_type)

    def _add_extra(self, planned: Planned, shape: BaseGeometry, elements: Elements) -> None:
        """What annotations, dimensions and attachments are, and where."""
        kind, gml_id = planned.feature.type, planned.feature.gml_id
        if kind in _EXTRA_CODES:
            element, code = _EXTRA_CODES[kind]
            _put(elements, element, f"{self._table.raw['addresses']['imkl']}/{code}")
        if kind == "Informationsressource":
            own = text_element("imkl:bestandIdentificator", self._id(gml_id))
            elements.setdefault("imkl:bestandIdentificator", [own])
        elements["imkl:ligging"] = [
            f"<imkl:ligging>{geometry_element(shape, self._id(gml_id, 'geo'))}</imkl:ligging>"
        ]
        elements["imkl:beginLifespanVersion"] = [_BEGIN]

    def _part(self, imkl: str, planned: Planned, part: str, body: str) -> str:
        """An object that only the feature's own points to."""
        gml_id = planned.feature.gml_id
        identity = imkl_id(local_id(self._owner, gml_id, part))
        network = link_element("imkl:inNetwork", self._net(planned.theme))
        return (
            f'<imkl:{imkl} gml:id="{self._id(gml_id, part)}">{identity}{_BEGIN}{body}{network}</imkl:{imkl}>'
        )

    def _projected(self, planned: Planned) -> BaseGeometry:
        geometry = planned.feature.geometry
        if geometry is None:  # make_plan leaves those out
            raise ValueError(planned.feature.gml_id)
        if np.isfinite(shapely.get_coordinates(geometry, include_z=True)[:, 2]).any():
            self._tell(Fate.VALUE_LOST, planned, "height", "")
        return shapely.transform(shapely.force_2d(geometry), self._projection.apply)

    def _tell(self, fate: Fate, planned: Planned, name: str, value: object) -> None:
        self._account.add(fate, planned.feature.type, name, gml_id=planned.feature.gml_id, value=value)

    def _id(self, gml_id: str, part: str = "") -> str:
        return full_id(self._owner, gml_id, part)

    def _net(self, theme: str) -> str:
        return full_id(self._owner, "", f"net{theme}")


_BEGIN: Final = text_element("imkl:beginLifespanVersion", DUMMY_TIME)
_SAID_BY_THE_LINE: Final = (
    "us-net-common:currentStatus",
    "us-net-common:validFrom",
    "us-net-common:verticalPosition",
)
"""What KLIC reads on the line, not on its links."""


def _put(elements: Elements, name: str, target: str) -> None:
    elements.setdefault(name, []).append(link_element(name, target))


@cache
def _order(kind: str, own: tuple[str, ...]) -> list[str]:
    """The elements of a class in the order of the schema."""
    raw = load_imkl().raw
    inner = [name for element in own for name in (raw["common"][kind] if element == "*" else [element])]
    order = raw["orders"][kind]
    return [name for element in order for name in (inner if element == "^" else [element])]
