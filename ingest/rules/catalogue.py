"""What every rule says: one entry a rule in the TOML files of this folder, in Danish and English.

An entry is a table named by the rule. Restrictions of the LER model are named `Class.officialName`; rules of the
official server by their official name; ours in kebab-case.

    ["Ledning.driftsstatusVoidrestriktion"]
    origin = "restriction"     # schema | restriction | server | platform
    severity = "error"         # error | warning
    since = "2.0.0"            # first version that has it; absent: all
    until = "2.1.0"            # last version that has it; absent: all
    basis = "BEK 1315/2024 § 22(3)"
    da = "{feature_type} ..."  # what is wrong: may use feature_type, attribute, found, wanted
    en = "..."
    mend_da = "..."            # how to mend it: may use the same
    mend_en = "..."
    reported_as = "unit-wrong" # the reader's name of the same fault, where the reader reports it; absent: its own name
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal

from ingest.severity import Severity
from ler.model import VERSIONS

if TYPE_CHECKING:  # a finding prints itself with this catalogue
    from ingest.findings import Finding

type Language = Literal["da", "en"]

_BASES: Final = (
    ("GML application schema of the LER data model", "LER-datamodellens GML-skema"),
    ("LER GML application schema", "LER's GML-skema"),
    ("LER data model, restriction", "LER-datamodellen, restriktion"),
    (
        "LER data model: forsyningsart of a duct or trace is that of the lines that lie in it",
        "LER-datamodellen: forsyningsart for et føringsrør eller et tracé er den, som ledningerne i det har",
    ),
    (
        "LER data model: indeholderLedninger and liggerILedning against indeholdtLedning",
        "LER-datamodellen: indeholderLedninger og liggerILedning over for indeholdtLedning",
    ),
    (
        "LER data model: indeholdtLedning is a line that lies in the line; heights are those of the top edge",
        "LER-datamodellen: indeholdtLedning er en ledning, der ligger i ledningen; koter er overkantens",
    ),
    (
        "LER data model: indeholdtLedning is a line that lies in the trace or line",
        "LER-datamodellen: indeholdtLedning er en ledning, der ligger i tracéet eller ledningen",
    ),
    (
        "LER data model: startkomponent and slutkomponent are the components where the line starts and ends",
        "LER-datamodellen: startkomponent og slutkomponent er komponenterne, hvor ledningen begynder og slutter",
    ),
    (
        "LER data model: tilknyttetLedning is a line that the component is connected to",
        "LER-datamodellen: tilknyttetLedning er en ledning, som komponenten er forbundet med",
    ),
    ("LER data model (", "LER-datamodellen ("),
    (
        "rule ManglendeGmlIdHenvisningRule of the LER server, over the whole network",
        "LER-serverens regel ManglendeGmlIdHenvisningRule, over hele nettet",
    ),
    ("EPSG register", "EPSG-registret"),
    ("Published error codes of LER", "LER's offentliggjorte fejlkoder"),
    ("Restrictions of the LER data model", "LER-datamodellens restriktioner"),
    ("Rules of the LER server", "LER-serverens regler"),
    ("This platform", "Denne platform"),
    ("§ 22(3)", "§ 22, stk. 3"),
)
"""The words that bases are made of, in Danish."""

ORIGINS: Final = ("schema", "restriction", "server", "platform")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as people read it."""

    name: str
    origin: str
    severity: Severity
    since: str
    until: str
    basis: str
    says: Mapping[Language, str]
    mend: Mapping[Language, str]
    reported_as: str
    """The code of the findings that report it: its own name, or the reader's where the fault is one of structure."""

    def applies_to(self, version: str) -> bool:
        """Whether the version of the model has this rule."""
        first, asked, last = (VERSIONS.index(v) for v in (self.since, version, self.until))
        return first <= asked <= last

    def basis_in(self, language: Language) -> str:
        """The paragraph or document that the rule stands on, in a language."""
        told = self.basis
        for english, danish in _BASES if language == "da" else ():
            told = told.replace(english, danish)
        return told

    def message(self, finding: "Finding", language: Language) -> str:
        """What is wrong at the place of the finding, in words."""
        return _with_values(self.says[language], finding)

    def remedy(self, finding: "Finding", language: Language) -> str:
        """How to mend it at the place of the finding, in words."""
        return _with_values(self.mend[language], finding)


def _with_values(text: str, finding: "Finding") -> str:
    return text.format(
        feature_type=finding.feature_type,
        attribute=finding.attribute,
        found=finding.found,
        wanted=finding.wanted,
    )


@cache
def load_rules() -> Mapping[str, Rule]:
    """Every rule by its name. ValueError for an entry that is incomplete or stands twice."""
    rules: dict[str, Rule] = {}
    for file in sorted(files(__package__).iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            for name, entry in tomllib.loads(file.read_text(encoding="utf-8")).items():
                if name in rules:
                    raise ValueError(f"the rule {name} stands twice")
                rules[name] = _rule(name, entry)
    return rules


def _rule(name: str, entry: Mapping[str, str]) -> Rule:
    try:
        rule = Rule(
            name=name,
            origin=entry["origin"],
            severity=Severity(entry["severity"]),
            since=entry.get("since", VERSIONS[0]),
            until=entry.get("until", VERSIONS[-1]),
            basis=entry["basis"],
            says={"da": entry["da"], "en": entry["en"]},
            mend={"da": entry["mend_da"], "en": entry["mend_en"]},
            reported_as=entry.get("reported_as", name),
        )
    except KeyError as missing:
        raise ValueError(f"the rule {name} has no {missing}") from None
    if rule.origin not in ORIGINS:
        raise ValueError(f"the rule {name} has the unknown origin {rule.origin}")
    return rule
