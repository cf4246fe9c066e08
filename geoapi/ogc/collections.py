"""The collections of the OGC API as data: `collections.toml`, and those that are made of the LER model.

Loaded once. A description that names a scope, a kind or a code list that there is not is refused when it is loaded.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Final, Literal

from geoapi.ogc.catalogue import catalogue_source
from geoapi.ogc.cql2 import Kind, Queryable
from geoapi.problems import Language
from ler.domain.access import Scope
from ler.model import load_model

type Shape = Literal["point", "line", "polygon", "any", "none"]

GEOMETRY: Final = "geom"
"""How the geometry is called in filters and schemas."""
OBJECT: Final = "object"
"""The kind of a property that is told and not queried."""


@dataclass(frozen=True, slots=True)
class Property:
    """What features of a collection say."""

    name: str
    kind: Kind | None
    """None: an object, which is told and not queried."""
    column: str
    """An SQL expression over the row `f`."""
    titles: Mapping[Language, str]
    unit: str | None = None
    codes: tuple[str, ...] = ()
    """The values it may have, where there is a list that is closed."""


@dataclass(frozen=True, eq=False)
class Collection:
    """One collection; there is one of each name."""

    name: str
    titles: Mapping[Language, str]
    descriptions: Mapping[Language, str]
    source: str
    key: tuple[tuple[str, str], ...]
    """Columns and types by which its features are ordered, which never repeat."""
    id: str
    geometry: Shape
    properties: tuple[Property, ...]
    where: str = ""
    """A condition of its own, besides those of the source."""
    time: tuple[str, ...] = ()
    scope: Scope | None = None
    tag: str | None = None
    total: str | None = None
    extent: str | None = None
    interval: str | None = None
    version: str | None = None
    pinned: bool = False
    record: bool = False
    own: Scope | None = None
    """What a token needs for what is somebody's in a collection that everybody sees; without it, only `f.is_open`."""
    utility_type: str | None = None
    """The forsyningsart that all its features have: by it they are drawn."""

    @cached_property
    def queryables(self) -> dict[str, Queryable]:
        """What filters may name."""
        found = {
            one.name: Queryable(one.name, one.kind, one.column)
            for one in self.properties
            if one.kind is not None
        }
        if self.geometry != "none":
            found[GEOMETRY] = Queryable(GEOMETRY, Kind.GEOMETRY, f"f.{GEOMETRY}")
        return found

    @cached_property
    def by_name(self) -> dict[str, Property]:
        """Its properties by their names."""
        return {one.name: one for one in self.properties}

    @property
    def drawn(self) -> bool:
        """Whether there are tiles and styles of it."""
        return self.geometry != "none" and not self.record

    @cached_property
    def sortables(self) -> dict[str, Property]:
        """What features may be sorted by."""
        return {one.name: one for one in self.properties if one.kind not in {None, Kind.STRINGS}}


@cache
def all_collections() -> Mapping[str, Collection]:
    """Return every collection by its name, in the order in which they are listed."""
    from geoapi.ogc.families import family_collections  # noqa: PLC0415 - it is made of what is here

    content = tomllib.loads(files(__package__).joinpath("collections.toml").read_text(encoding="utf-8"))
    read = {name: _collection(name, entry) for name, entry in content.items()}
    public = [(one.name, one.titles, one.descriptions) for one in read.values() if _is_open_data(one)]
    for one in (each for each in read.values() if each.record):
        read[one.name] = replace(one, source=catalogue_source(one.source, public))
    return read | {one.name: one for one in family_collections(read["package-features"])}


def visible_collections(scopes: frozenset[Scope]) -> tuple[Collection, ...]:
    """Return the collections that a caller with these scopes sees; without any, the public ones."""
    return tuple(one for one in all_collections().values() if one.scope is None or one.scope in scopes)


def _is_open_data(one: Collection) -> bool:
    return one.scope is None and not one.record


def _collection(name: str, entry: dict[str, Any]) -> Collection:
    return Collection(
        name=name,
        titles={"da": entry["da"][0], "en": entry["en"][0]},
        descriptions={"da": entry["da"][1], "en": entry["en"][1]},
        source=entry["source"],
        key=tuple((column, kind) for column, kind in entry["key"]),
        id=entry["id"],
        geometry=entry["geometry"],
        properties=tuple(_property(one) for one in entry["properties"]),
        time=tuple(entry.get("time", ())),
        scope=Scope(entry["scope"]) if "scope" in entry else None,
        tag=entry.get("tag"),
        total=entry.get("total"),
        extent=entry.get("extent"),
        interval=entry.get("interval"),
        version=entry.get("version"),
        pinned=entry.get("pinned", False),
        record=entry.get("record", False),
        own=Scope(entry["own"]) if "own" in entry else None,
    )


def _property(entry: dict[str, Any]) -> Property:
    return Property(
        name=entry["name"],
        kind=None if entry["kind"] == OBJECT else Kind(entry["kind"]),
        column=entry.get("column", f"f.{entry['name']}"),
        titles={"da": entry["da"], "en": entry["en"]},
        unit=entry.get("unit"),
        codes=_codes(entry["codes"]) if "codes" in entry else (),
    )


def _codes(name: str) -> tuple[str, ...]:
    code_list = load_model().code_lists[name]
    return () if code_list.open else tuple(code_list.values)
