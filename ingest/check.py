"""A file is checked against every rule, and nothing is stored: structure by the reader, meaning by the rules.

The file is streamed once; memory does not grow with it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shapely.geometry import Polygon

from ingest.findings import Findings
from ingest.placing import Places
from ingest.readers.gml_geometry import Coverage
from ingest.readers.ler_gml import LerGmlReader
from ingest.rules.engine import RuleChecker, RuleSettings
from ingest.source import Source
from ler.model import Feature

DEFAULT_SETTINGS: Final = RuleSettings()

type Progress = Callable[[int], None]
"""Told how many features have been checked so far."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a file holds and what is wrong with it."""

    path: Path
    version: str
    """Version of the model it was checked by."""
    header: Feature
    feature_counts: dict[str, int]
    """How many features of each type could be read."""
    findings: Findings


def check_file(
    path: Path,
    *,
    coverage: Coverage,
    version: str | None = None,
    area: Polygon | None = None,
    settings: RuleSettings = DEFAULT_SETTINGS,
    progress: Progress = lambda _: None,
) -> CheckResult:
    """Check an owner's LER GML file by the rules of `version`, or of the version that the file states.

    `area` is the dig area that the file answers, where one is known. Raises UnreadableFileError for a file that
    cannot be read at all; everything else is in the findings.
    """
    reader = LerGmlReader(path, coverage=coverage, version=version)
    return check_source(reader, path, area=area, settings=settings, progress=progress)


def check_source(
    source: Source,
    path: Path,
    *,
    area: Polygon | None = None,
    settings: RuleSettings = DEFAULT_SETTINGS,
    progress: Progress = lambda _: None,
) -> CheckResult:
    """Check an owner's file in any format, opened already, by the rules of the source's version of the model.

    Raises what the source raises while it is read.
    """
    return check_features(source, path, lambda _: None, area=area, settings=settings, progress=progress)


def check_features(
    source: Source,
    path: Path,
    take: Callable[[Feature], None],
    *,
    area: Polygon | None = None,
    settings: RuleSettings = DEFAULT_SETTINGS,
    progress: Progress = lambda _: None,
) -> CheckResult:
    """Check as `check_source` does, and hand over each feature as it comes, faulty ones too."""
    rules = RuleChecker(source.model, source.findings, settings, area=area)
    places = Places(source.findings)
    counts: Counter[str] = Counter()
    for number, feature in enumerate(source, start=1):
        counts[feature.type] += 1
        rules.check_feature(feature)
        places.take(feature)
        take(feature)
        progress(number)
    if source.header.attributes or source.header.line:  # only GML has a place for an answer's own attributes
        rules.check_answer(source.header)
    rules.finish()
    places.give()
    source.findings.sort()
    return CheckResult(path, source.model.version, source.header, dict(counts), source.findings)
