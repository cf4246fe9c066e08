"""Our verdict on an answer is that of the official schemas, except where we refuse more, for a reason that stands here."""

import random
from pathlib import Path
from typing import Final

import pytest
from lxml import etree

from ingest.findings import Severity
from ler.model import VERSIONS, load_model
from tests.answers import read
from tests.complete import CompleteAnswer
from tests.mutations import MUTATIONS
from tests.official import needs_schemas, official_schema

MUTANTS: Final = 125
"""Mutants of one version in one part; four versions of four parts make 2,000."""

PARTS: Final = 4

STRICTER: Final = {
    "attribute-code": "an empty element is no code, though the schema has a default for it",
    "attribute-value": "numbers are finite; times of establishment and paths are what the server reads, not any URI; levels have one number; whole numbers have at most 18 digits",
    "date-impossible": "dates are in the calendar and times on the clock: a time of establishment may be any text for the schema",
    "EtableringsTidsPunktRule": "a time of establishment is exact or before a date, in our calendar",
    "gml-id-missing": "every object has a gml:id: references and findings need it",
    "id-duplicate": "no identifier stands twice in what is read",
    "idRestriktion": "the answer's id is a UUID",
    "HrefHashtagRule": "references lead to an object of the same file",
    "ManglendeGmlIdHenvisningRule": "and that object is there",
    "unit-wrong": "measures are in the unit of the model",
    "indholdNilReasonRestriktion": "the only reason for a void is unknown",
    "indholdKoteSRIDrestriktion": "levels are in EPSG:5799",
    "indholdGM_ObjectSRIDrestriktion": "geometries say that they are in EPSG:7416",
    "formatRestriktion": "the media type is that of the format",
    "geometriDatatyperestriktion": "geometries are points, straight lines and plane surfaces",
    "Check3DGeometryRule": "every position has three numbers",
    "geometry-malformed": "a property or a member holds its geometry: the schema lets it be empty, for a link",
    "geometry-empty": "a geometry has positions",
    "geometry-degenerate": "a line has two different positions",
    "geometry-invalid": "a ring is closed, and a surface does not cross itself",
    "curve-gap": "the segments of a curve meet",
    "coordinate-not-finite": "coordinates are finite",
    "height-impossible": "heights are above DVR90 or -99",
    "crs-out-of-area": "coordinates are in Denmark",
    "crs-axis-order": "easting stands before northing",
    "xml-external-reference": "geometries stand in the file",
}
"""What we refuse and the schemas do not. The other way round there is nothing but the content of gml:metaDataProperty and
gml:location, and xsi:schemaLocation with other schemas, which we pass over."""

pytestmark = [needs_schemas, pytest.mark.parametrize("version", VERSIONS)]


def errors(path: Path) -> set[str]:
    _, made = read(path)
    return {finding.code for finding in made.findings.kept if finding.severity is Severity.ERROR}


def test_the_complete_answers_are_valid_for_both(tmp_path: Path, version: str) -> None:
    for seed in range(3):
        path = tmp_path / f"{seed}.gml"
        path.write_text(CompleteAnswer(load_model(version), seed).text(), encoding="utf-8")
        schema = official_schema(version)
        assert schema.validate(etree.parse(path)), schema.error_log
        assert errors(path) == set()


@pytest.mark.parametrize("part", range(PARTS))
def test_mutants_get_the_verdict_of_the_official_schema(tmp_path: Path, version: str, part: int) -> None:
    schema = official_schema(version)
    bases = [CompleteAnswer(load_model(version), seed).text().encode() for seed in range(3)]
    path = tmp_path / "mutant.gml"
    disagreed = []
    for number in range(part * MUTANTS, (part + 1) * MUTANTS):
        chance = random.Random(f"{version} {number}")
        root = etree.fromstring(chance.choice(bases))
        mutate = MUTATIONS[number % len(MUTATIONS)]
        mutate(root, chance)
        content = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
        path.write_bytes(content)
        official = schema.validate(etree.fromstring(content))
        found = errors(path)
        if official != (not found) and not (official and found <= STRICTER.keys()):
            disagreed.append((number, mutate.__name__, found, schema.error_log))
    assert disagreed == []
