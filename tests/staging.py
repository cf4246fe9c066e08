"""Networks in `ler.staged_feature`, put there as an upload does, for tests of what reads them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from uuid import UUID

from sqlalchemy import Connection, text

from ingest.findings import Finding, Findings
from ingest.network_checks import NetworkCheckSettings, check_network
from ler.db.engine import transaction
from ler.db.rows import copy_features, feature_to_row
from ler.model import Feature, load_model
from tests.world import World

MODEL = load_model()
NUMBERS = count(1)

_DATASET = text(
    "INSERT INTO ler.network_dataset (owner_id, name) VALUES (:owner, 'network')"
    " ON CONFLICT (owner_id, name) DO NOTHING"
)
_VERSION = text(
    "INSERT INTO ler.network_version (dataset_id, owner_id, number, source_name, source_sha256, model_version)"
    " SELECT d.id, d.owner_id, :number, 'x.gml', repeat('0', 64), '2.2.0'"
    " FROM ler.network_dataset AS d WHERE d.owner_id = :owner RETURNING id"
)


def stage(connection: Connection, owner_id: UUID, features: Sequence[Feature]) -> UUID:
    """Stage the features as a new version of the owner, in the order given; the line is the place in it."""
    connection.execute(_DATASET, {"owner": owner_id})
    version_id: UUID = connection.execute(_VERSION, {"owner": owner_id, "number": next(NUMBERS)}).scalar_one()
    copy_features(
        connection,
        (
            feature_to_row(
                replace(feature, line=seq),
                MODEL.types[feature.type],
                owner_id=owner_id,
                version_id=version_id,
                seq=seq,
            )
            for seq, feature in enumerate(features, start=1)
        ),
    )
    return version_id


@contextmanager
def staged(world: World, owner_id: UUID, features: Sequence[Feature]) -> Iterator[tuple[Connection, UUID]]:
    """A transaction of the owner in which the features are staged; nothing is left of it."""
    with transaction(world.databases.app, owner_id) as connection:
        yield connection, stage(connection, owner_id, features)
        opened = connection.get_transaction()
        assert opened is not None
        opened.rollback()


def found_in(
    world: World,
    owner_id: UUID,
    features: Sequence[Feature],
    settings: NetworkCheckSettings | None = None,
    cap: int = 10_000,
) -> list[Finding]:
    """All findings of a network."""
    findings = Findings(cap)
    with staged(world, owner_id, features) as (connection, version_id):
        check_network(connection, version_id, findings, MODEL, settings)
    assert sum(findings.counts.values()) >= len(findings.kept)
    return findings.kept
