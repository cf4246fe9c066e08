"""Rules that need the whole file: what lines lie in, what references point to, whether content and answer agree."""

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


type _Source = tuple[str, str, int]
"""Type, gml:id and line of a feature: remembering the whole would keep the file in memory."""

type _Reference = tuple[str, str, _Source]
"""Attribute, wanted type and source of a reference whose target has not been met yet."""


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
        self._waiting: dict[str, list[_Reference]] = {}
        self._wrong: list[tuple[_Source, Broken]] = []
        self._contained: set[str] = set()
        self._without_place: list[_Source] = []
        self._content = 0
        self._header: Feature | None = None

    def take(self, feature: Feature) -> None:
        """Remember a member of the answer."""
        references, needs_place, is_content = self._duties[feature.type]
        attributes = feature.attributes
        self._meet(feature)
        self._content += is_content
        source = None
        for name, wanted in references:
            if name in attributes:
                source = source or (feature.type, feature.gml_id, feature.line)
                given = attributes[name]
                for target in given if isinstance(given, list) else (given,):
                    self._refer(str(target), (name, wanted, source))
        if needs_place and feature.geometry is None and "geometri" not in feature.unread:
            lies_in_line = attributes.get("liggerILedning") is True
            if not (lies_in_line and self._settings.lying_in_a_line_is_contained):
                self._without_place.append((feature.type, feature.gml_id, feature.line))

    def take_header(self, header: Feature) -> None:
        """Remember the answer itself."""
        self._header = header
        self._meet(header)

    def broken(self) -> Iterator[tuple[str, Feature, Broken]]:
        """After the last feature: the rules that are broken, each with the feature that breaks it."""
        for line in self._without_place:
            if line[1] not in self._contained:
                yield "Ledning.geometriBetingelse", _feature(line), Broken("geometri")
        for source, broken in self._wrong:
            yield "reference-wrong-type", _feature(source), broken
        if self._header is not None:
            yield from self._content_of(self._header)

    def _meet(self, feature: Feature) -> None:
        gml_id = feature.gml_id
        self._met[gml_id] = feature.type
        if gml_id in self._waiting:
            for reference in self._waiting.pop(gml_id):
                self._judge(reference, gml_id, feature.type)
        if _CONTACT in feature.attributes:
            contact = feature.attributes[_CONTACT]
            if isinstance(contact, dict):
                self._meet(Feature("Kontaktprofil", str(contact["gml_id"])))

    def _refer(self, target: str, reference: _Reference) -> None:
        if reference[0] == "indeholdtLedning":
            self._contained.add(target)
        if target in self._met:
            self._judge(reference, target, self._met[target])
        elif target in self._waiting:
            self._waiting[target].append(reference)
        else:
            self._waiting[target] = [reference]

    def _judge(self, reference: _Reference, target: str, found: str) -> None:
        attribute, wanted, source = reference
        if not self._types[found].is_a(wanted):
            self._wrong.append((source, Broken(attribute, f"#{target}: {found}", wanted)))

    def _content_of(self, header: Feature) -> Iterator[tuple[str, Feature, Broken]]:
        kind = str(header.attributes.get("type", ""))
        empty = kind in WITHOUT_LINES or (
            kind == MANUAL and not self._settings.manual_handling_may_hold_lines
        )
        if empty and self._content:
            yield "GmlContentEmptyRule", header, Broken("type", f"{kind}: {self._content}", "0")
        if kind in WITH_LINES and not self._content:
            yield "GmlContentNonEmptyRule", header, Broken("type", f"{kind}: 0", ">= 1")


def _feature(source: _Source) -> Feature:
    feature_type, gml_id, line = source
    return Feature(feature_type, gml_id, line=line)


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
