"""Checks what was read against the restrictions of the file's version, feature by feature.

The rules of each feature type are worked out once, so that checking is one flat loop. Rules that need the whole file
(containment, references, content) give their findings in `finish`.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import shapely
from shapely import Polygon

from ingest.findings import Finding, Findings
from ingest.placing import place_of
from ingest.rules import answers, cables, components, lines, pipes, server
from ingest.rules.case import Broken, Case, Check, Restriction, Stage
from ingest.rules.catalogue import Rule, load_rules
from ingest.rules.established import Established
from ingest.rules.settings import RuleSettings
from ingest.rules.whole_file import WholeFile
from ler.model import VERSIONS, Feature, FeatureType, Model

__all__ = ["RESTRICTIONS", "RuleChecker", "RuleSettings"]

RESTRICTIONS: Final[Sequence[Restriction]] = (
    *answers.RESTRICTIONS,
    *lines.RESTRICTIONS,
    *cables.RESTRICTIONS,
    *pipes.RESTRICTIONS,
    *components.RESTRICTIONS,
    *server.RESTRICTIONS,
)
"""Every check of a single feature."""

OWN: Final = "ejet af udleverende ledningsejer"
UNDER_CONSTRUCTION: Final = "under etablering"

_CONTACT: Final = "kontaktprofilTilTekniskeSpoergsmaal"
_LETTERS: Final = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa"})

type Step = tuple[str, Check]


class Plan(NamedTuple):
    """What to check of one feature type, by stage."""

    always: tuple[Step, ...]
    new: tuple[Step, ...]
    own: tuple[Step, ...]
    built: tuple[Step, ...]


class RuleChecker:
    """Give it every feature of a file in any order and the header, then call `finish`."""

    def __init__(
        self,
        model: Model,
        findings: Findings,
        settings: RuleSettings | None = None,
        area: Polygon | None = None,
    ) -> None:
        self.settings = settings or RuleSettings()
        self._findings = findings
        self._rules = {name: rule for name, rule in load_rules().items() if rule.applies_to(model.version)}
        self._plans = {t.name: _plan(t, model.version, self._rules) for t in model.types.values()}
        self._established = Established(self.settings.cutoff)
        self._case = Case(self.settings, _with_tolerance(area, self.settings.area_tolerance_m))
        self._file = WholeFile(model, self.settings)
        own = {OWN, None} if self.settings.missing_ownership_is_own else {OWN}
        self._own: frozenset[str | None] = frozenset(own)
        building = {UNDER_CONSTRUCTION}
        self._building = frozenset(building if self.settings.unknown_status_is_built else {*building, None})

    def check_feature(self, feature: Feature) -> None:
        """Check one member of the answer."""
        self._check(feature)
        self._file.take(feature)

    def take_known(self, feature: Feature) -> None:
        """Take note of a feature of the network that is not in the file and was checked before.

        It counts in the rules of the whole network; for one that has a place without its geometry being given here,
        `unread` holds "geometri".
        """
        self._file.take(feature)

    def check_answer(self, header: Feature) -> None:
        """Check the answer's own attributes and its contact."""
        self._check(header)
        self._file.take_header(header)

    def finish(self) -> None:
        """After the last feature and the header: the rules that need the whole file."""
        for name, feature, broken in self._file.broken():
            self._report(name, feature, broken)

    def _check(self, feature: Feature) -> None:
        plan = self._plans[feature.type]
        case = self._case
        case.turn_to(feature)
        self._run(plan.always, case)
        attributes = feature.attributes
        if self._established.after_cutoff(attributes.get("etableringstidspunkt")):
            self._run(plan.new, case)
            if attributes.get("ejerskabsforhold") in self._own:
                self._run(plan.own, case)
                if attributes.get("driftsstatus") not in self._building:
                    self._run(plan.built, case)
        if _CONTACT in attributes:
            self._check_contact(feature)

    def _run(self, steps: tuple[Step, ...], case: Case) -> None:
        for name, check in steps:
            if (broken := check(case)) is not None:
                self._report(name, case.feature, broken)

    def _check_contact(self, holder: Feature) -> None:
        contact = holder.attributes[_CONTACT]
        if isinstance(contact, dict):
            self._check(Feature("Kontaktprofil", str(contact["gml_id"]), contact, line=holder.line))

    def _report(self, name: str, feature: Feature, broken: Broken) -> None:
        rule = self._rules.get(name)
        if rule is None:  # the version has no such rule
            return
        self._findings.add(
            Finding(
                code=name,
                line=feature.line,
                gml_id=feature.gml_id,
                severity=rule.severity,
                feature_type=feature.type,
                attribute=broken.attribute,
                found=broken.found,
                wanted=broken.wanted,
                place=place_of(feature.geometry) if feature.geometry is not None else None,
            )
        )


def model_class(restriction: str) -> str:
    """The model's feature type that an official class name stands for: Rørledning is Roerledning."""
    return restriction.partition(".")[0].translate(_LETTERS)


def _plan(feature_type: FeatureType, version: str, rules: dict[str, Rule]) -> Plan:
    stages: dict[Stage, list[Step]] = {stage: [] for stage in Stage}
    for row in RESTRICTIONS:
        classes = row.classes or (model_class(row.name),)
        reached = VERSIONS.index(row.since) <= VERSIONS.index(version) <= VERSIONS.index(row.until)
        if reached and row.name in rules and any(feature_type.is_a(name) for name in classes):
            stages[row.stage].append((row.name, row.check))
    return Plan(*(tuple(steps) for steps in stages.values()))


def _with_tolerance(area: Polygon | None, tolerance_m: float) -> Polygon | None:
    if area is None:
        return None
    wide = shapely.buffer(area, tolerance_m, join_style="mitre") if tolerance_m else shapely.force_2d(area)
    shapely.prepare(wide)
    return wide
