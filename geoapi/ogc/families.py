"""Collections that are made of the LER model: what was delivered, a layer for each kind of line and component.

A layer's features all have the attributes of their type, also those without a value, so that a client that guesses its
columns from the first page guesses right. Names of attributes are LER's own.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from geoapi.ogc.collections import Collection, Property
from geoapi.ogc.cql2 import Kind
from ler.db.rows import COLUMNS
from ler.model import Attribute, FeatureType, load_model
from ler.model import Kind as AttributeKind

_NAMES: Final = {
    "Ledningstrace": "traces",
    "Elledning": "lines-electricity",
    "Telekommunikationsledning": "lines-telecom",
    "AndenLedning": "lines-other",
    "LedningUkendtForsyningsart": "lines-unknown",
    "Afloebsledning": "lines-sewer",
    "Gasledning": "lines-gas",
    "Olieledning": "lines-oil",
    "TermiskLedning": "lines-heating",
    "Vandledning": "lines-water",
    "Foeringsroer": "ducts",
    "Afloebskomponent": "components-sewer",
    "Elkomponent": "components-electricity",
    "Gaskomponent": "components-gas",
    "Oliekomponent": "components-oil",
    "Telekommunikationskomponent": "components-telecom",
    "TermiskKomponent": "components-heating",
    "Vandkomponent": "components-water",
    "AndenKomponent": "components-other",
}
_DANISH: Final = {
    "Ledningstrace": "Ledningstraceer",
    "Elledning": "Elledninger",
    "Telekommunikationsledning": "Telekommunikationsledninger",
    "AndenLedning": "Andre ledninger",
    "LedningUkendtForsyningsart": "Ledninger af ukendt art",
    "Afloebsledning": "Afløbsledninger",
    "Gasledning": "Gasledninger",
    "Olieledning": "Olieledninger",
    "TermiskLedning": "Fjernvarme- og fjernkølingsledninger",
    "Vandledning": "Vandledninger",
    "Foeringsroer": "Føringsrør",
    "Afloebskomponent": "Afløbskomponenter",
    "Elkomponent": "Elkomponenter",
    "Gaskomponent": "Gaskomponenter",
    "Oliekomponent": "Oliekomponenter",
    "Telekommunikationskomponent": "Telekommunikationskomponenter",
    "TermiskKomponent": "Fjernvarme- og fjernkølingskomponenter",
    "Vandkomponent": "Vandkomponenter",
    "AndenKomponent": "Andre komponenter",
}
_SHARED: Final = ("order_number", "owner_cvr", "owner_name", "gml_id", "clipped")
_KINDS: Final = {
    AttributeKind.INTEGER: Kind.INTEGER,
    AttributeKind.SHARE: Kind.NUMBER,
    AttributeKind.MEASURE: Kind.NUMBER,
    AttributeKind.LEVEL: Kind.NUMBER,
    AttributeKind.BOOLEAN: Kind.BOOLEAN,
}
"""Other attributes are texts: a time may be `before 2023-07-01`."""
_CASTS: Final = {
    Kind.INTEGER: (
        "CASE WHEN {0} BETWEEN '-9e18' AND '9e18'"
        " THEN CASE WHEN {0}::numeric = trunc({0}::numeric) THEN {0}::bigint END END"
    ),
    Kind.NUMBER: "CASE WHEN {0} BETWEEN '-1e300' AND '1e300' THEN {0}::float8 END",
    Kind.BOOLEAN: "CASE WHEN {0} IN ('true', 'false') THEN {0}::boolean END",
}
"""By kind, of a JSON value; NULL where it is none: one wrong value must not fail a page. JSON of other types than
numbers sorts before or after all numbers."""
_NOT_TOLD: Final = {AttributeKind.GEOMETRY, AttributeKind.INLINE}


def family_collections(delivered: Collection) -> Iterator[Collection]:
    """Yield a collection for each kind of line and component, of which `delivered` is all."""
    shared = [one for one in delivered.properties if one.name in _SHARED]
    types = load_model().types
    for feature_type, name in _NAMES.items():
        kind = types[feature_type]
        danish, english = _DANISH[feature_type], _several(kind.label)
        yield replace(
            delivered,
            name=name,
            titles={"da": danish, "en": english},
            descriptions={
                "da": f"{danish}, der er udleveret til egne gyldige graveforespørgsler ({feature_type}).",
                "en": f"{english} delivered for the own valid requests ({feature_type}).",
            },
            where=f"f.feature_type = '{feature_type}'",
            geometry="any" if kind.is_a("Ledningskomponent") else "line",
            properties=(*shared, *(_property(one) for one in _told(kind))),
            utility_type=kind.utility_type,
        )


def feature_type_of(collection: Collection) -> str | None:
    """Return the LER type of which all features of a collection are; None for a collection of several, or of none."""
    return _TYPES.get(collection.name)


_TYPES: Final = {name: feature_type for feature_type, name in _NAMES.items()}


def _several(label: str) -> str:
    """What several of a kind are called: power cables, lines of another utility."""
    what, of, whose = label.capitalize().partition(" of ")
    return f"{what}s{of}{whose}"


def _told(kind: FeatureType) -> Iterator[Attribute]:
    return (one for one in kind.attributes if one.kind not in _NOT_TOLD)


def _property(attribute: Attribute) -> Property:
    kind = Kind.STRINGS if attribute.many else _KINDS.get(attribute.kind, Kind.STRING)
    code_list = attribute.code_list
    return Property(
        name=attribute.name,
        kind=kind,
        column=_column(attribute, kind),
        titles={"da": attribute.name, "en": attribute.label},
        unit=attribute.unit or ("m" if attribute.kind is AttributeKind.LEVEL else None),
        codes=tuple(code_list.values) if code_list and not code_list.open else (),
    )


def _column(attribute: Attribute, kind: Kind) -> str:
    if attribute.name in COLUMNS:
        return f"f.{COLUMNS[attribute.name]}"
    if kind is Kind.STRINGS:
        listed = f"coalesce(f.attributes->'{attribute.name}', 'null')"
        return (
            f"(SELECT array_agg(one) FROM jsonb_array_elements_text(CASE jsonb_typeof({listed})"
            f" WHEN 'array' THEN {listed} WHEN 'null' THEN '[]' ELSE jsonb_build_array({listed}) END) AS one)"
        )
    cast = _CASTS.get(kind)
    return (
        f"({cast.format(f"(f.attributes->'{attribute.name}')")})"
        if cast
        else f"(f.attributes->>'{attribute.name}')"
    )
