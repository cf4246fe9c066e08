"""Rules that need the whole file: what lines lie in, what references point to, whether content and answer agree."""

from array import array
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.hashes import met
from ingest.rules.answers import MANUAL, WITHHELD
from ingest.rules.case import Broken
from ingest.rules.register import Register, identity
from ingest.rules.settings import RuleSettings
from ler.model import Feature, FeatureType, Kind, Model

WITH_LINES: Final = frozenset(
    {"ledningsoplysninger udleveret", "udtaget til påvisning - ledningsoplysninger udleveret"}
)
"""Kinds of answer that must hold lines, traces or components."""

WITHOUT_LINES: Final = frozenset(
    {
        "ingen ledninger i graveområde",
        WITHHELD,
        "udtaget til påvisning - ledningsoplysninger udleveres ikke",
    }
)
"""Kinds of answer that may hold none."""

RULES: Final = (
    "Ledning.geometriBetingelse",
    "reference-wrong-type",
    "GmlContentEmptyRule",
    "GmlContentNonEmptyRule",
)
"""What this module checks."""

_CONTACT: Final = "kontaktprofilTilTekniskeSpoergsmaal"


_PLACE: Final = "geometri"
_CONTAINS: Final = "indeholdtLedning"

_NAMED: Final = 1000
"""Most targets of wrong references whose names are looked up; a report keeps fewer findings of one rule."""


class _Link(NamedTuple):
    """A kind of reference: by which attribute, to which type."""

    attribute: str
    wanted: str


class _Duties(NamedTuple):
    """What has to be remembered of the features of one type."""

    links: tuple[_Link, ...]
    """References that may not point to just anything."""
    needs_place: bool
    is_content: bool


class _Noted:
    """Identities, each with the number of the feature that it was met at: 12 bytes each."""

    def __init__(self) -> None:
        self._identities = array("q")
        self._numbers = array("I")

    def add(self, gml_id: str, number: int) -> None:
        self._identities.append(identity(gml_id))
        self._numbers.append(number)

    @property
    def identities(self) -> NDArray[np.int64]:
        return np.frombuffer(self._identities, dtype=np.int64)

    @property
    def numbers(self) -> NDArray[np.uintc]:
        return np.frombuffer(self._numbers, dtype=np.uintc)


class WholeFile:
    """Remembers of each feature only what the rules of the whole file ask for, as numbers of a few bytes."""

    def __init__(self, model: Model, settings: RuleSettings) -> None:
        self._settings = settings
        self._types = model.types
        self._duties = {t.name: _duties(t) for t in model.types.values()}
        self._register = Register(model.types)
        self._links = {link: _Noted() for duties in self._duties.values() for link in duties.links}
        self._without_place = _Noted()
        self._content = 0
        self._header: Feature | None = None

    def take(self, feature: Feature) -> None:
        """Remember a member of the answer."""
        links, needs_place, is_content = self._duties[feature.type]
        attributes = feature.attributes
        number = self._meet(feature)
        self._content += is_content
        for link in links:
            if link.attribute in attributes:
                given = attributes[link.attribute]
                for target in given if isinstance(given, list) else (given,):
                    if target:
                        self._links[link].add(str(target), number)
        if needs_place and feature.geometry is None and _PLACE not in feature.unread:
            lies_in_line = attributes.get("liggerILedning") is True
            if not (lies_in_line and self._settings.lying_in_a_line_is_contained):
                self._without_place.add(feature.gml_id, number)

    def take_header(self, header: Feature) -> None:
        """Remember the answer itself."""
        self._header = header
        self._meet(header)

    def broken(self) -> Iterator[tuple[str, Feature, Broken]]:
        """After the last feature: the rules that are broken, each with the feature that breaks it."""
        self._register.close()
        for feature in self._register.features(self._outside()):
            yield "Ledning.geometriBetingelse", feature, Broken(_PLACE)
        yield from self._wrong_references()
        if self._header is not None:
            yield from self._content_of(self._header)

    def _meet(self, feature: Feature) -> int:
        number = self._register.add(feature)
        contact = feature.attributes.get(_CONTACT)
        if isinstance(contact, dict):
            self._register.add(Feature("Kontaktprofil", str(contact["gml_id"])))
        return number

    def _outside(self) -> NDArray[np.uintc]:
        """Numbers of the lines without a place that nothing contains."""
        without = self._without_place
        if not len(without.numbers):
            return without.numbers
        containing = [noted.identities for link, noted in self._links.items() if link.attribute == _CONTAINS]
        contained = np.sort(np.concatenate(containing))
        return without.numbers[~met(without.identities, contained)]

    def _wrong_references(self) -> Iterator[tuple[str, Feature, Broken]]:
        """References to features of a type that they may not point to, in the order of the file."""
        links = list(self._links)
        found = [self._wrong(link) for link in links]
        numbers = np.concatenate([numbers for numbers, _ in found])
        if not len(numbers):
            return
        targets = np.concatenate([targets for _, targets in found])
        kinds = np.repeat(np.arange(len(links)), [len(numbers) for numbers, _ in found])
        order = np.argsort(numbers, kind="stable")
        targets = targets[order]
        named = self._register.find(np.unique(targets[:_NAMED]))
        sources = self._register.features(numbers[order])
        for source, kind, target in zip(sources, kinds[order].tolist(), targets.tolist(), strict=True):
            met_there = named.get(target)
            told = f"#{met_there.gml_id}: {met_there.type}" if met_there else ""
            yield "reference-wrong-type", source, Broken(links[kind].attribute, told, links[kind].wanted)

    def _wrong(self, link: _Link) -> tuple[NDArray[np.uintc], NDArray[np.int64]]:
        """Source and target of each reference of this kind whose target is there, but of another type."""
        noted = self._links[link]
        if not len(noted.numbers):
            return noted.numbers, noted.identities
        fitting = [name for name, feature_type in self._types.items() if feature_type.is_a(link.wanted)]
        targets = noted.identities
        wrong = ~met(targets, self._register.identities_of(fitting))
        wrong[wrong] = met(targets[wrong], self._register.identities)
        return noted.numbers[wrong], targets[wrong]

    def _content_of(self, header: Feature) -> Iterator[tuple[str, Feature, Broken]]:
        kind = str(header.attributes.get("type", ""))
        empty = kind in WITHOUT_LINES or (
            kind == MANUAL and not self._settings.manual_handling_may_hold_lines
        )
        if empty and self._content:
            yield "GmlContentEmptyRule", header, Broken("type", f"{kind}: {self._content}", "0")
        if kind in WITH_LINES and not self._content:
            yield "GmlContentNonEmptyRule", header, Broken("type", f"{kind}: 0", ">= 1")


def _duties(feature_type: FeatureType) -> _Duties:
    links = [
        _Link(attribute.name, attribute.target)
        for attribute in feature_type.attributes
        if attribute.kind is Kind.REFERENCE and attribute.target != "AbstractFeature"
    ]
    return _Duties(
        links=tuple(links),
        needs_place=feature_type.is_a("Ledning"),
        is_content=feature_type.is_a("LedningEllerLedningstrace") or feature_type.is_a("Ledningskomponent"),
    )
