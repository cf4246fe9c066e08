"""The worker's steps for owners' networks: a file is checked, staged, and compared with what is published."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import Connection

from geoapi.pipeline import Checked, Progress
from ingest.compare import Verdict
from ingest.findings import Findings
from ingest.mapping import parse_mapping
from ingest.open_source import open_source
from ingest.report.stored import to_stored
from ingest.source import Source
from ingest.stage import Mode, Staged, approve_version, discard_version, stage_network
from ler.errors import NotFoundError, RefusedError
from ler.model import Feature, Model
from ler.services.registry import Organisation
from ler.services.uploads import Upload
from ler.settings import Settings


@dataclass(frozen=True, slots=True)
class NetworkPipeline:
    """The steps, with the settings they go by."""

    settings: Settings

    def check(
        self, connection: Connection, owner: Organisation, upload: Upload, path: Path, progress: Progress
    ) -> Checked:
        """Check, stage and compare a file; NetworkRefusedError for faults, RefusedError for other refusals."""
        mapping = parse_mapping(upload.mapping) if upload.mapping is not None else None
        with open_source(path, mapping=mapping, crs=upload.crs, settings=self.settings) as opened:
            source = _Counting(opened)
            staged = stage_network(
                connection,
                owner,
                source,
                source_name=upload.file_name,
                source_sha256=upload.sha256 or "",
                settings=self.settings,
                mode=Mode(upload.mode),
                deletes=upload.deletes,
                confirm_empty=upload.confirm_empty,
                progress=progress,
            )
            return _checked(staged, source)

    def publish(self, connection: Connection, upload: Upload) -> None:
        """Make the staged version the current one."""
        if upload.version_id is None:
            raise RefusedError("staging-lost", "nothing is staged; the file is checked again")
        approve_version(connection, upload.version_id, confirm_empty=upload.confirm_empty)

    def discard(self, connection: Connection, upload: Upload) -> None:
        """Take away what was staged; nothing when it is gone already."""
        if upload.version_id is None:
            return
        with suppress(NotFoundError, RefusedError), connection.begin_nested():
            discard_version(connection, upload.version_id)


@dataclass(slots=True)
class _Counting:
    """A source that counts its features by type, for the report."""

    source: Source
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def model(self) -> Model:
        return self.source.model

    @property
    def findings(self) -> Findings:
        return self.source.findings

    @property
    def header(self) -> Feature:
        return self.source.header

    @property
    def stated_owner(self) -> str | None:
        return self.source.stated_owner

    def __iter__(self) -> Iterator[Feature]:
        for feature in self.source:
            self.counts[feature.type] += 1
            yield feature


def _checked(staged: Staged, source: _Counting) -> Checked:
    report = to_stored(
        staged.findings,
        version=source.model.version,
        header=source.header,
        feature_counts=dict(source.counts),
    )
    unchanged = staged.decision.verdict is Verdict.UNCHANGED
    return Checked(
        verdict=staged.decision.verdict,
        version_id=None if unchanged else staged.version_id,
        version_number=None if unchanged else staged.number,
        feature_count=staged.feature_count,
        report=report,
        comparison=staged.comparison.to_json(),
        reasons=staged.decision.reasons,
    )
