"""Where the readers of IMKL tell what they found, as findings with their line and, counted by field, in an account."""

from collections import Counter
from typing import Final

from ingest.findings import Finding, Findings
from ingest.readers.gml_geometry import GeometryFault
from ingest.readers.xml_stream import Element
from ingest.rules.catalogue import load_rules
from ler.exchange.account import Account, Fate
from ler.model import Feature

_LONGEST: Final = 60
_FATES: Final = {
    "imkl-object-unmapped": Fate.OBJECT_LOST,
    "imkl-element-unmapped": Fate.VALUE_LOST,
    "imkl-value-unmapped": Fate.VALUE_LOST,
    "imkl-value-coarser": Fate.COARSER,
}


class Desk:
    """The findings of one file, and the account of what was lost by class and element."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.account = Account()
        self.missing: Counter[tuple[str, str]] = Counter()
        """What LER demands and the file does not say, by type and attribute."""
        self._rules = load_rules()
        self._feature = Feature("", "")
        self._kind = ""

    def turn_to(self, feature: Feature, kind: str) -> None:
        """Tell of this feature from now on, which was an object of that class."""
        self._feature, self._kind = feature, kind

    def tell(
        self, code: str, element: Element, attribute: str = "", found: str = "", wanted: str = ""
    ) -> None:
        """Add a finding at an element."""
        shown = " ".join(found.split())
        finding = Finding(
            code=code,
            line=element.line,
            column=element.column,
            gml_id=self._feature.gml_id,
            severity=self._rules[code].severity,
            feature_type=self._feature.type,
            attribute=attribute or element.local_name,
            found=shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…",
            wanted=wanted,
        )
        self.findings.add(finding)
        if code == "value-missing":
            self.missing[finding.feature_type, finding.attribute] += 1
        if code in _FATES:
            kind, name = (
                (finding.attribute, "") if code == "imkl-object-unmapped" else (self._kind, finding.attribute)
            )
            self.account.add(
                _FATES[code], kind, name, gml_id=finding.gml_id, value=finding.found, line=element.line
            )

    def tell_fault(self, fault: GeometryFault, attribute: str) -> None:
        """Add a finding of a geometry that cannot be read."""
        self.tell(fault.code, fault.element, attribute, fault.found, fault.wanted)
