"""An owner's file becomes the published version of its network, in one transaction: whole, or not at all.

Readers of the network see the former version until the pointer moves; a file with a single error changes nothing.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from ingest.findings import Findings
from ingest.readers.ler_gml import LerGmlReader
from ler.db.functions import publish_version
from ler.db.rows import copy_features, feature_to_row
from ler.db.tables import network_dataset, network_version
from ler.errors import RefusedError
from ler.services.registry import Organisation
from ler.settings import Settings

DATASET: Final = "network"
"""Name of the one dataset that an owner publishes."""

type Progress = Callable[[int], None]
"""Told how many features have been read so far."""


class NetworkRefusedError(RefusedError):
    """The file has faults; `findings` tells all of them."""

    def __init__(self, findings: Findings) -> None:
        super().__init__("network-refused", f"the file has {findings.errors} faults; nothing was stored")
        self.findings = findings


@dataclass(frozen=True, slots=True)
class PublishedNetwork:
    """The version that was published, and what was noticed on the way."""

    version_id: UUID
    number: int
    feature_count: int
    findings: Findings


def publish_network(
    connection: Connection,
    owner: Organisation,
    path: Path,
    settings: Settings,
    progress: Progress = lambda _: None,
) -> PublishedNetwork:
    """Read a LER GML file and publish it as the owner's network; the transaction must act for the owner.

    Raises UnreadableFileError, NetworkRefusedError, or RefusedError for a file that is too large or holds no features;
    the caller's transaction must then be rolled back, and nothing is left of it.
    """
    _check_file(path, settings)
    # A copy lasts as long as the file is read, however large it is.
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    reader = LerGmlReader(path, coverage=settings.coverage)
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
        raise RefusedError(
            "replacement-empty", "the file holds no features; it would take the whole network away"
        )
    header = {"attributes": reader.header.attributes, "voids": reader.header.voids}
    connection.execute(
        update(network_version).where(network_version.c.id == version_id).values(header=header)
    )
    publish_version(connection, version_id)
    return PublishedNetwork(version_id, number, count, reader.findings)


def _check_file(path: Path, settings: Settings) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise RefusedError("file-missing", f"{path}: {error.strerror}") from None
    if not path.is_file():
        raise RefusedError("file-missing", f"{path} is not a file")
    if size > settings.max_upload_mb << 20:
        raise RefusedError("body-too-large", f"{path.name} is larger than {settings.max_upload_mb} MB")


def _dataset(connection: Connection, owner_id: UUID) -> UUID:
    """The owner's dataset, kept to this transaction: of two uploads at once the second is refused at its start."""
    alone = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:owner, 0))")
    if not connection.execute(alone, {"owner": str(owner_id)}).scalar_one():
        raise RefusedError(
            "dataset-busy", "another upload of this owner is under way; try again when it has ended"
        )
    values = {"owner_id": owner_id, "name": DATASET}
    connection.execute(insert(network_dataset).values(values).on_conflict_do_nothing())
    columns = network_dataset.c
    found = select(columns.id).where(columns.owner_id == owner_id, columns.name == DATASET)
    return UUID(str(connection.execute(found).scalar_one()))


def _stage(
    connection: Connection, owner_id: UUID, dataset_id: UUID, path: Path, reader: LerGmlReader
) -> tuple[UUID, int]:
    columns = network_version.c
    last = select(func.coalesce(func.max(columns.number), 0)).where(columns.dataset_id == dataset_id)
    number = connection.execute(last).scalar_one() + 1
    current = select(columns.number).where(
        columns.id == network_dataset.c.current_version_id, network_dataset.c.id == dataset_id
    )
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    values = {
        "dataset_id": dataset_id,
        "owner_id": owner_id,
        "number": number,
        "base_number": connection.execute(current).scalar(),
        "source_name": path.name,
        "source_sha256": digest,
        "model_version": reader.model.version,
    }
    version_id = connection.execute(
        network_version.insert().values(values).returning(columns.id)
    ).scalar_one()
    return version_id, number


def _rows(
    reader: LerGmlReader, owner_id: UUID, version_id: UUID, progress: Progress
) -> Iterator[dict[str, object]]:
    types = reader.model.types
    for seq, feature in enumerate(reader, start=1):
        progress(seq)
        if not reader.findings.errors:
            yield feature_to_row(
                feature, types[feature.type], owner_id=owner_id, version_id=version_id, seq=seq
            )
