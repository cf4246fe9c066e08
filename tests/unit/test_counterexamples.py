"""Every rule of every version has a file that breaks it and only it, and a valid one from which it was made."""

import re
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from ingest.findings import Finding
from ingest.readers.ler_gml import LerGmlReader
from ingest.rules.catalogue import Language, load_rules
from ingest.rules.engine import RESTRICTIONS, RuleChecker, model_class
from ingest.rules.reference import counterexamples_in, reference
from ingest.rules.whole_file import RULES as OF_THE_WHOLE_FILE
from ler.model import VERSIONS, load_model
from tests.answers import COVERAGE
from tests.counterexamples.bases import AREA
from tests.counterexamples.build import HOME, Example, examples, expected
from tests.counterexamples.changes import NOT_OF_THE_SCHEMA
from tests.official import HOME as OFFICIAL
from tests.official import needs_schemas, schema_errors

MADE = {example.path: example for example in examples()}
OFFICIAL_RULES = {"2.0.0": 68, "2.0.1": 75, "2.1.0": 77, "2.2.0": 81}
STRUCTURAL = {name for name, rule in load_rules().items() if rule.reported_as != name}

needs_restrictions = pytest.mark.skipif(
    not (OFFICIAL / "restrictions").is_dir(),
    reason=f"the official restrictions are not at {OFFICIAL / 'restrictions'} (set LER_OFFICIAL)",
)


def findings_of(path: Path) -> list[Finding]:
    reader = LerGmlReader(path, coverage=COVERAGE)
    checker = RuleChecker(reader.model, reader.findings, area=AREA)
    for feature in reader:
        checker.check_feature(feature)
    checker.check_answer(reader.header)
    checker.finish()
    return reader.findings.kept


@cache
def official_rules(version: str) -> frozenset[str]:
    """Class and name of each official restriction; the files are read as text, since YAML is needed nowhere else."""
    names: set[str] = set()
    for path in (OFFICIAL / "restrictions" / version).glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        classes = re.findall(r"^- feature_type: (.+)$", text, re.MULTILINE)
        rules = re.findall(r"^  name: (.+)$", text, re.MULTILINE)
        names.update(f"{owner}.{rule}" for owner, rule in zip(classes, rules, strict=True))
    return frozenset(names)


def restrictions_of(version: str) -> set[str]:
    """Our restrictions under a class; a bare official name is the reader's."""
    rules = load_rules().values()
    return {rule.name for rule in rules if "." in rule.name and rule.applies_to(version)}


@pytest.mark.parametrize("example", MADE.values(), ids=MADE)
def test_a_file_gives_exactly_the_findings_it_was_made_for(example: Example) -> None:
    found = findings_of(HOME / example.path)
    wanted = dict(example.findings)
    if example.rule in STRUCTURAL:  # the reader's findings name the attribute where it knows one
        assert [finding.code for finding in found] == list(wanted)
        assert {finding.attribute for finding in found} <= {"", *wanted.values()}
    else:
        assert sorted((finding.code, finding.attribute) for finding in found) == sorted(example.findings)


@pytest.mark.parametrize("example", MADE.values(), ids=MADE)
def test_a_finding_of_the_rules_says_where_and_can_be_told(example: Example) -> None:
    model = load_model(example.version)
    for finding in findings_of(HOME / example.path):
        rule = load_rules().get(finding.code)
        if rule is None or example.rule in STRUCTURAL:
            continue
        assert finding.line > 0
        assert finding.gml_id
        assert finding.feature_type in model.types
        assert finding.severity is rule.severity
        assert rule.message(finding, "da")
        assert rule.message(finding, "en")


def test_the_files_are_those_that_the_table_makes() -> None:
    lying = {path.relative_to(HOME).as_posix() for path in HOME.rglob("*.gml")}
    assert lying == set(MADE)
    for path, example in MADE.items():
        assert (HOME / path).read_text(encoding="utf-8") == example.text, path
    assert (HOME / "expected.json").read_text(encoding="utf-8") == expected(list(MADE.values()))


@needs_schemas
@pytest.mark.parametrize("version", VERSIONS)
def test_the_official_schema_takes_the_files(version: str) -> None:
    refused = {
        path: errors
        for path, example in MADE.items()
        if example.version == version
        and example.rule not in NOT_OF_THE_SCHEMA
        and (errors := schema_errors(HOME / path, version))
    }
    assert not refused


@needs_restrictions
@pytest.mark.parametrize("version", VERSIONS)
def test_the_restrictions_are_the_official_ones(version: str) -> None:
    official = official_rules(version)
    assert len(official) == OFFICIAL_RULES[version]
    assert restrictions_of(version) == official


@needs_restrictions
def test_every_official_restriction_of_every_version_has_its_file() -> None:
    wanted = {f"{version}/{name}.gml" for version in VERSIONS for name in official_rules(version)}
    assert len(wanted) == 301
    assert wanted <= set(MADE)


def test_every_rule_has_code_and_a_file_and_every_code_a_rule() -> None:
    rules = load_rules()
    checked = {restriction.name for restriction in RESTRICTIONS} | set(OF_THE_WHOLE_FILE)
    ours = {name for name in rules if "." in name} | checked
    assert checked <= set(rules)
    assert ours - checked == STRUCTURAL & ours
    for name in ours:
        for version in VERSIONS:
            assert rules[name].applies_to(version) == (f"{version}/{name}.gml" in MADE), (name, version)


def test_every_class_of_a_rule_is_one_of_the_model() -> None:
    types = load_model().types
    for restriction in RESTRICTIONS:
        assert set(restriction.classes or [model_class(restriction.name)]) <= set(types)


def test_the_reference_in_the_documentation_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "rules.md"
    made = reference(load_rules().values(), counterexamples_in(HOME))
    assert page.read_text(encoding="utf-8") == made
    assert all(f"\n### {name}\n" in made for name in load_rules())


def test_the_basis_of_every_rule_can_be_told_in_danish() -> None:
    for rule in load_rules().values():
        assert rule.basis_in("en") == rule.basis
        words = set(re.findall(r"[A-Za-z]+", rule.basis_in("da").partition("restriktion ")[0]))
        assert not words & {
            "rules",
            "Rules",
            "schema",
            "of",
            "the",
            "data",
            "model",
            "This",
            "codes",
            "restriction",
        }
        assert "(3)" not in rule.basis_in("da")


def test_every_rule_says_what_is_wrong_and_how_to_mend_it_in_both_languages() -> None:
    for rule in load_rules().values():
        finding = Finding(
            rule.name, 1, found="FOUND", wanted="WANTED", attribute="ATTRIBUTE", feature_type="TYPE"
        )
        for language in get_args(Language.__value__):
            for told in (rule.message(finding, language), rule.remedy(finding, language)):
                assert told.strip()
                assert "{" not in told
