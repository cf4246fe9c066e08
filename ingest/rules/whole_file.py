"""Rules that need the whole file: what lines lie in, what references point to, whether content and answer agree."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from ingest.rules.answers import MANUAL, WITHHELD
from ingest.rules.case import Broken
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


class _Reference(NamedTuple):
    """A reference whose target has not been met yet."""

    source: Feature
    attribute: str
    wanted: str


class _Duties(NamedTuple):
    """What has to be remembered of the features of one type."""

    references: tuple[tuple[str, str], ...]
    """Attribute and wanted type of each reference that may not point to just anything."""
    needs_place: bool
    is_content: bool


class WholeFile:
    """Remembers of each feature only what the rules of the whole file ask for."""

    def __init__(self, model: Model, settings: RuleSettings) -> None:
        self._settings = settings
        self._types = model.types
        self._duties = {t.name: _duties(t) for t in model.types.values()}
        self._met: dict[str, str] = {}
        self._waiting: defaultdict[str, list[_Reference]] = defaultdict(list)
        self._wrong: list[tuple[Feature, Broken]] = []
        self._contained: set[str] = set()
        self._without_place: list[Feature] = []
        self._content = 0
        self._header: Feature | None = None

    def take(self, feature: Feature) -> None:
        """Remember a member of the answer."""
        duties = self._duties[feature.type]
        attributes = feature.attributes
        self._meet(feature)
        if duties.is_content:
            self._content += 1
        for name, wanted in duties.references:
            if name in attributes:
                self._refer(feature, name, wanted)
        if duties.needs_place and feature.geometry is None and "geometri" not in feature.unread:
            lies_in_line = attributes.get("liggerILedning") is True
            if not (lies_in_line and self._settings.lying_in_a_line_is_contained):
                self._without_place.append(Feature(feature.type, feature.gml_id, line=feature.line))

    def take_header(self, header: Feature) -> None:
        """Remember the answer itself."""
        self._header = header
        self._meet(header)

    def broken(self) -> Iterator[tuple[str, Feature, Broken]]:
        """After the last feature: the rules that are broken, each with the feature that breaks it."""
        for line in self._without_place:
            if line.gml_id not in self._contained:
                yield "Ledning.geometriBetingelse", line, Broken("geometri")
        for source, broken in self._wrong:
            yield "reference-wrong-type", source, broken
        if self._header is not None:
            yield from self._content_of(self._header)

    def _meet(self, feature: Feature) -> None:
        self._met[feature.gml_id] = feature.type
        if self._waiting:
            for reference in self._waiting.pop(feature.gml_id, ()):
                self._judge(reference, feature.gml_id, feature.type)
        if _CONTACT in feature.attributes:
            contact = feature.attributes[_CONTACT]
            if isinstance(contact, dict):
                self._meet(Feature("Kontaktprofil", str(contact["gml_id"])))

    def _refer(self, feature: Feature, name: str, wanted: str) -> None:
        given = feature.attributes[name]
        targets = given if isinstance(given, list) else [given]
        source = Feature(feature.type, feature.gml_id, line=feature.line)
        for target in targets:
            identifier = str(target)
            if name == "indeholdtLedning":
                self._contained.add(identifier)
            reference = _Reference(source, name, wanted)
            found = self._met.get(identifier)
            if found is None:
                self._waiting[identifier].append(reference)
            else:
                self._judge(reference, identifier, found)

    def _judge(self, reference: _Reference, target: str, found: str) -> None:
        if not self._types[found].is_a(reference.wanted):
            broken = Broken(reference.attribute, f"#{target}: {found}", reference.wanted)
            self._wrong.append((reference.source, broken))

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
    references: Mapping[str, str] = {
        attribute.name: attribute.target
        for attribute in feature_type.attributes
        if attribute.kind is Kind.REFERENCE and attribute.target != "AbstractFeature"
    }
    return _Duties(
        references=tuple(references.items()),
        needs_place=feature_type.is_a("Ledning"),
        is_content=feature_type.is_a("LedningEllerLedningstrace") or feature_type.is_a("Ledningskomponent"),
    )
