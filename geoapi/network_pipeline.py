"""The worker's steps for owners' networks: LER GML is checked, staged, and compared with what is published."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import Connection

from geoapi.pipeline import Checked, Progress, Verdict
from ingest.load import NetworkRefusedError, _dataset, _rows, _stage
from ingest.readers.ler_gml import LerGmlReader
from ingest.report.stored import to_stored
from ler.db.functions import discard_version, publish_version
from ler.db.rows import copy_features
from ler.errors import NotFoundError, RefusedError
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
        reader = LerGmlReader(path, coverage=self.settings.coverage)
        dataset_id = _dataset(connection, owner.id)
        version_id, number = _stage(connection, owner.id, dataset_id, path, reader)
        count = copy_features(connection, _rows(reader, owner.id, version_id, progress))
        if reader.stated_owner not in {None, owner.cvr}:
            raise RefusedError(
                "owner-mismatch", f"the file says it is from CVR {reader.stated_owner}, not {owner.cvr}"
            )
        if reader.findings.errors:
            raise NetworkRefusedError(reader.findings)
        if count == 0:
            raise RefusedError("replacement-empty", "the file holds no features")
        report = to_stored(
            reader.findings, version=reader.model.version, header=reader.header, feature_counts={}
        )
        return Checked(Verdict.APPROVE, version_id, number, count, report, {"features": count})

    def publish(self, connection: Connection, upload: Upload) -> None:
        """Make the staged version the current one."""
        if upload.version_id is None:
            raise RefusedError("staging-lost", "nothing is staged; the file is checked again")
        publish_version(connection, upload.version_id, confirm_empty=upload.confirm_empty)

    def discard(self, connection: Connection, upload: Upload) -> None:
        """Take away what was staged; nothing when it is gone already."""
        if upload.version_id is None:
            return
        with suppress(NotFoundError, RefusedError), connection.begin_nested():
            discard_version(connection, upload.version_id)
