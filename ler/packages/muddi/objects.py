"""Features of LER as objects of MUDDI: their class, their identifier, and the properties that Core has for them.

MUDDI demands a place of every object: lines that lie in others get the course of those, attachments have no class.
Identifiers are made of the owner and the `gml:id`, so that the same object has the same one every time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import shapely

from ler.exchange.account import Account, Fate
from ler.exchange.courses import find_courses
from ler.exchange.tables import load_muddi
from ler.model import Feature, FeatureType, Model

NETWORK: Final = "network"
_ADDRESS: Final = "urn:ler:{owner}:{gml_id}"


@dataclass(frozen=True, slots=True)
class MuddiObject:
    """One object; a network has no feature of LER, and its place is the rectangle around what is in it."""

    kind: str
    feature: Feature
    properties: dict[str, Any]
    """system_id, record_id and object_id, then those of the class; None where nothing is known."""


def muddi_objects(
    features: Sequence[Feature], model: Model, *, owner: str, account: Account
) -> list[MuddiObject]:
    """Return the networks, then the objects in the order of the features; what has no class or place goes to the account."""
    courses = find_courses(features)
    placed = []
    for told in features:
        if _class_of(told, model.types[told.type]) is None:
            account.add(Fate.OBJECT_LOST, told.type, "", gml_id=told.gml_id)
        elif told.geometry is not None:
            placed.append(told)
        elif told.gml_id in courses:
            account.add(Fate.ASSUMED, told.type, "geometri", gml_id=told.gml_id)
            placed.append(replace(told, geometry=courses[told.gml_id]))
        else:
            account.add(Fate.OBJECT_LOST, told.type, "geometri", gml_id=told.gml_id)
    known = {feature.gml_id for feature in placed}
    objects = [_object(feature, model.types[feature.type], owner, known) for feature in placed]
    return [*_networks(placed, model, owner), *objects]


def system_id(owner: str, gml_id: str) -> str:
    """Return the identifier of an object."""
    return str(uuid5(NAMESPACE_URL, _ADDRESS.format(owner=owner, gml_id=gml_id)))


def _class_of(feature: Feature, feature_type: FeatureType) -> str | None:
    table = load_muddi()
    own = str(feature.attributes.get("type", ""))
    if feature_type.is_a("Ledningskomponent"):
        for kind, words in table["kinds"].items():
            if own in words:
                return str(kind)
    names = (feature_type.name, *feature_type.ancestors)
    return next((str(table["classes"][name]) for name in names if name in table["classes"]), None)


def _object(feature: Feature, feature_type: FeatureType, owner: str, known: set[str]) -> MuddiObject:
    kind = _class_of(feature, feature_type) or ""
    told = feature.attributes
    utilities = feature.utility_types(feature_type)
    own = str(told.get("type") or feature.type)
    diameter = told.get("udvendigDiameter")
    voltage = told.get("spaendingsniveau")
    values = {
        "asset_owner_id": owner,
        "utility_type": "; ".join(utilities) or None,
        "network_id": system_id(owner, _network_name(utilities)),
        "network_node_from_id": _reference(told.get("startkomponent"), owner, known),
        "network_node_to_id": _reference(told.get("slutkomponent"), owner, known),
        "conveyance_type": own,
        "node_type": own,
        "container_type": own,
        "protection_type": own,
        "voltage": None if voltage is None else f"{voltage:g} kV",
        "material": told.get("udvendigMateriale") or told.get("materiale"),
        "diameter": diameter,
        "diameter_units": None if diameter is None else "mm",
        "target_object": _reference(told.get("annotatedFeature"), owner, known),
        "valid_time": told.get("registreringFra"),
    }
    identity = {
        "system_id": system_id(owner, feature.gml_id),
        "record_id": feature.gml_id,
        "object_id": told.get("id"),
    }
    return MuddiObject(
        kind, feature, identity | {name: values[name] for name in load_muddi()["properties"][kind]}
    )


def _reference(target: object, owner: str, known: set[str]) -> str | None:
    return system_id(owner, str(target)) if target in known else None


def _network_name(utilities: Sequence[str]) -> str:
    return f"{NETWORK} {utilities[0] if utilities else ''}".strip()


def _networks(features: Sequence[Feature], model: Model, owner: str) -> list[MuddiObject]:
    """One for each utility."""
    members: dict[str, list[Feature]] = {}
    for feature in features:
        feature_type = model.types[feature.type]
        if not feature_type.is_a("LinearDimension") and feature_type.namespace != "ann":
            members.setdefault(_network_name(feature.utility_types(feature_type)), []).append(feature)
    found = []
    for name in sorted(members):
        west, south, east, north = shapely.total_bounds(
            [feature.geometry for feature in members[name]]
        ).tolist()
        place = shapely.force_3d(shapely.box(west, south, east, north))
        place = shapely.transform(place, lambda xyz: xyz + (0, 0, float("nan")), include_z=True)  # noqa: RUF005 - numpy
        properties = {
            "system_id": system_id(owner, name),
            "record_id": name,
            "object_id": None,
            "asset_owner_id": owner,
            "commodity_type": name.removeprefix(NETWORK).strip() or None,
            "network_type": NETWORK,
        }
        found.append(MuddiObject(NETWORK, Feature("", name, geometry=place), properties))
    return found
