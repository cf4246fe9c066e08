"""Which class and which network each feature of LER becomes in IMKL, and which has no place in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ler.exchange.account import Account, Fate
from ler.exchange.courses import find_courses
from ler.exchange.tables import ImklClass, ImklTable
from ler.model import Feature, FeatureType, Kind, Model

_UNKNOWN_UTILITY: Final = "LedningUkendtForsyningsart"
_ORPHAN: Final = "wees"
_REST: Final = "overig"
_CABLES: Final = frozenset({"Elledning", "Telekommunikationsledning"})


@dataclass(frozen=True, slots=True)
class Planned:
    """What one feature becomes."""

    feature: Feature
    feature_type: FeatureType
    imkl: ImklClass
    appurtenance: str
    """Address of the kind of an Appurtenance; empty where it has none."""
    theme: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What all features become, by `gml_id`, and which objects of extra information each points to."""

    features: Mapping[str, Planned]
    extras: Mapping[str, Sequence[str]]

    @property
    def themes(self) -> list[str]:
        """The networks that are needed."""
        return sorted({planned.theme for planned in self.features.values()})

    def containment(self, target: str) -> str:
        """Return the element by which a duct or a trace points to what it contains; empty for what is not there."""
        planned = self.features.get(target)
        if planned is None or planned.imkl.kind != "lines":
            return ""
        if planned.imkl.imkl == "Kabelbed":
            return "us-net-common:ducts"
        return f"us-net-common:{'cables' if planned.feature.type in _CABLES else 'pipes'}"


def make_plan(features: Sequence[Feature], model: Model, table: ImklTable, account: Account) -> Plan:
    """Return the plan; what has no place in IMKL goes to the account."""
    planned: dict[str, Planned] = {}
    courses = find_courses(features)
    for told in features:
        feature, feature_type = told, model.types[told.type]
        if feature.geometry is None:
            course = courses.get(feature.gml_id)
            fate = Fate.OBJECT_LOST if course is None else Fate.ASSUMED
            account.add(fate, feature.type, "geometri", gml_id=feature.gml_id)
            if course is None:
                continue
            feature = replace(told, geometry=course)
        imkl, appurtenance = _class_of(feature, feature_type, table, account)
        theme = _theme_of(feature, feature_type, table, account)
        planned[feature.gml_id] = Planned(feature, feature_type, imkl, appurtenance, theme)
    extras = _extras(planned, model, account)
    return Plan(_in_networks(planned, extras), extras)


def _class_of(
    feature: Feature, feature_type: FeatureType, table: ImklTable, account: Account
) -> tuple[ImklClass, str]:
    found = table.class_of(feature_type)
    if found is None:  # a test holds that every type has a class
        raise KeyError(feature.type)
    if found.kind != "node":
        return found, ""
    kinds = table.kinds[feature.type]
    code = kinds.find(str(feature.attributes.get("type")))
    if code is None:
        account.add(
            Fate.COARSER, feature.type, "type", gml_id=feature.gml_id, value=feature.attributes.get("type")
        )
        return found, ""
    container = next((row for row in table.classes_named(code) if row.kind == "container"), None)
    return (container, "") if container else (found, kinds.address + code)


def _theme_of(feature: Feature, feature_type: FeatureType, table: ImklTable, account: Account) -> str:
    if feature.type == _UNKNOWN_UTILITY:
        return _ORPHAN
    if feature.type in {"AndenLedning", "AndenKomponent"}:
        return _REST
    utilities = feature.utility_types(feature_type)
    theme, assumed = table.theme_of(feature, utilities[0] if utilities else "")
    if assumed:
        account.add(Fate.ASSUMED, feature.type, "imkl:thema", gml_id=feature.gml_id, value=theme)
    if len(utilities) > 1:
        account.add(
            Fate.COARSER, feature.type, "forsyningsart", gml_id=feature.gml_id, value=", ".join(utilities)
        )
    return theme


def _extras(planned: Mapping[str, Planned], model: Model, account: Account) -> dict[str, list[str]]:
    """The annotations and attachments of each feature; those that point to nothing go to the account."""
    found: dict[str, list[str]] = {}
    for gml_id, one in planned.items():
        for attribute in one.feature_type.attributes:
            if attribute.kind is not Kind.REFERENCE or attribute.name not in {"bilag", "annotatedFeature"}:
                continue
            told = one.feature.attributes.get(attribute.name, [])
            for target in told if isinstance(told, list) else [told]:
                if str(target) not in planned:
                    account.add(
                        Fate.VALUE_LOST, one.feature.type, attribute.name, gml_id=gml_id, value=target
                    )
                elif attribute.name == "bilag":
                    found.setdefault(gml_id, []).append(str(target))
                elif model.types[planned[str(target)].feature.type].member in _WITH_EXTRAS:
                    found.setdefault(str(target), []).append(gml_id)
                else:
                    account.add(
                        Fate.VALUE_LOST, one.feature.type, attribute.name, gml_id=gml_id, value=target
                    )
    return found


_WITH_EXTRAS: Final = frozenset({"ledningMember", "ledningstraceMember", "ledningskomponentMember"})


def _in_networks(planned: Mapping[str, Planned], extras: Mapping[str, Sequence[str]]) -> dict[str, Planned]:
    """Annotations and attachments are in the network of what they belong to, else in the first."""
    owners = {extra: planned[owner].theme for owner, several in extras.items() for extra in several}
    themes = sorted({one.theme for one in planned.values() if one.imkl.kind != "extra"})
    first = themes[0] if themes else _REST
    return {
        gml_id: one
        if one.imkl.kind != "extra"
        else Planned(one.feature, one.feature_type, one.imkl, one.appurtenance, owners.get(gml_id, first))
        for gml_id, one in planned.items()
    }
