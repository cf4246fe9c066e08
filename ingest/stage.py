"""An owner's file becomes a staged version: checked by every rule, stored beside the network, compared with it.

Nothing that answers requests changes here. `approve_version` publishes what was staged, `discard_version` gives it up. A
file with a single error is refused whole, and the caller's transaction must be rolled back: nothing is left of it.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import batched
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from ingest.compare import Comparison, Decision, Verdict, compare_staged, decide
from ingest.findings import Finding, Findings, Severity
from ingest.forbidden import ForbiddenLines
from ingest.network_checks import check_network
from ingest.placing import Places
from ingest.quality import measure_quality
from ingest.rules.engine import RuleChecker
from ingest.source import Source
from ler.db import functions
from ler.db.rows import Row, copy_features, features_to_rows
from ler.db.tables import network_dataset, network_version
from ler.errors import LerError, NotFoundError, RefusedError
from ler.model import Feature
from ler.services.registry import Organisation
from ler.services.sensitivity import rules_in_force
from ler.settings import Settings

DATASET: Final = "network"
"""Name of the one dataset that an owner publishes."""

_UNRESOLVED: Final = "ManglendeGmlIdHenvisningRule"
_NO_CONTENT: Final = "GmlContentNonEmptyRule"
_ABOUT_THE_WHOLE: Final = frozenset({_UNRESOLVED, _NO_CONTENT})
"""Findings of a reader that hold for a whole network, not for a delta: they are found anew in what it makes."""

_AT_ONCE: Final = 500
"""Features whose rows are made at once."""

type Progress = Callable[[int], None]
"""Told how many features have been read so far."""


class Mode(StrEnum):
    """What a file is of its owner's network."""

    FULL = "full"
    """All of it: what is not in the file ends."""
    DELTA = "delta"
    """What is new or different in it; what ends is named."""


class NetworkRefusedError(RefusedError):
    """The file has faults; `findings` tells all of them."""

    def __init__(self, findings: Findings) -> None:
        super().__init__("network-refused", f"the file has {findings.errors} faults; nothing was stored")
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Staged:
    """A version that was staged, what was noticed on the way, and what publishing it would change."""

    version_id: UUID
    number: int
    feature_count: int
    """Of the whole network that the version is, also when the file was a delta."""
    findings: Findings
    comparison: Comparison
    decision: Decision
    """With the verdict UNCHANGED the version is discarded already."""


@dataclass(frozen=True, slots=True)
class Published:
    """A version that answers requests now."""

    version_id: UUID
    number: int
    feature_count: int


def stage_network(
    connection: Connection,
    owner: Organisation,
    source: Source,
    *,
    source_name: str,
    source_sha256: str,
    settings: Settings,
    mode: Mode = Mode.FULL,
    deletes: Collection[str] = (),
    confirm_empty: bool = False,
    progress: Progress = lambda _: None,
) -> Staged:
    """Check a network by every rule, stage it and compare it; the transaction must act for the owner.

    `deletes` are the gml:ids that end, for a delta only. Raises NetworkRefusedError for a network with faults,
    RefusedError for one that is another owner's or, unless `confirm_empty`, would take everything away, and what the
    source raises; the caller's transaction must then be rolled back, and nothing is left of it.
    """
    # A copy lasts as long as the file is read, however large it is.
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    named = {"source_name": source_name, "source_sha256": source_sha256, "mode": mode.value}
    candidate = _open(connection, owner, named | {"model_version": source.model.version})
    intake = _Intake(connection, candidate, source, owner, frozenset(deletes))
    if copy_features(connection, intake.rows(progress), intake.judge) != intake.taken:
        # Never: what is missing here would count as taken away by the owner.
        raise LerError("Not every feature of the file was staged.")
    count = _complete(connection, candidate, source, deletes)
    intake.judge_left_alone()
    if count == 0 and not confirm_empty:
        raise RefusedError("replacement-empty", _emptying(connection, candidate))
    comparison = compare_staged(connection, candidate.version_id)
    decision = decide(comparison, settings)
    unchanged = decision.verdict is Verdict.UNCHANGED
    if not unchanged:  # what is published already was checked as a network, and measured, when it came
        check_network(connection, candidate.version_id, source.findings, source.model)
        if source.findings.errors:
            raise NetworkRefusedError(source.findings)
        source.findings.sort()
        measure_quality(connection, candidate.version_id)
    _record(connection, candidate.version_id, source.findings, comparison, decision)
    if unchanged:
        functions.discard_version(connection, candidate.version_id)
    return Staged(
        candidate.version_id, candidate.number, count, source.findings, comparison, decision
    )  # fmt: skip


def approve_version(connection: Connection, version_id: UUID, *, confirm_empty: bool = False) -> Published:
    """Publish a staged version: from the end of the transaction on, which must act for the owner, it answers requests.

    Raises NotFoundError for a version that is not there or not the owner's; RefusedError for one that is not staged,
    that is empty (unless `confirm_empty`), that was compared with another version than the current one, or whose
    features a crash took away.
    """
    count = functions.publish_version(connection, version_id, confirm_empty=confirm_empty)
    columns = network_version.c
    number = connection.execute(select(columns.number).where(columns.id == version_id)).scalar_one()
    return Published(version_id, number, count)


def discard_version(connection: Connection, version_id: UUID) -> None:
    """Give a staged version up. Raises NotFoundError, or RefusedError for one that is not staged."""
    functions.discard_version(connection, version_id)


@dataclass(frozen=True, slots=True)
class _Candidate:
    version_id: UUID
    dataset_id: UUID
    number: int
    base_number: int | None
    base_model: str | None
    """Version of the model that the published network follows."""
    mode: Mode


class _Intake:
    """Takes a source in, feature by feature, and judges it when the last one has come."""

    def __init__(
        self,
        connection: Connection,
        candidate: _Candidate,
        source: Source,
        owner: Organisation,
        deletes: frozenset[str],
    ) -> None:
        self._connection = connection
        self._candidate = candidate
        self._source = source
        self._owner = owner
        self._deletes = deletes
        self._rules = RuleChecker(source.model, source.findings)
        self._places = Places(source.findings)
        self._forbidden = ForbiddenLines(rules_in_force(connection), source.findings)
        self._replaced: set[str] = set()
        self.taken = 0
        """How many features the source gave."""

    def rows(self, progress: Progress) -> Iterator[Row]:
        """The rows to stage; none after the first error."""
        types = self._source.model.types
        for features in batched(self._checked(progress), _AT_ONCE):
            if not self._refuses():
                yield from features_to_rows(
                    features,
                    types,
                    owner_id=self._owner.id,
                    version_id=self._candidate.version_id,
                    first_seq=self.taken + 1,
                )
            self.taken += len(features)

    def judge_left_alone(self) -> None:
        """Of a delta, when its network is whole: what it left as it was."""
        if self._candidate.mode is Mode.DELTA:
            self._forbidden.check_left_alone(self._connection, self._candidate.version_id)

    def _refuses(self) -> bool:
        """Whether there is an error already that refuses the file, whatever else is found."""
        later = _ABOUT_THE_WHOLE if self._candidate.mode is Mode.DELTA else frozenset()
        counts = self._source.findings.counts
        return any(severity is Severity.ERROR and code not in later for severity, code in counts)

    def _checked(self, progress: Progress) -> Iterator[Feature]:
        for number, feature in enumerate(self._source, start=1):
            self._rules.check_feature(feature)
            self._forbidden.check(feature)
            self._places.take(feature)
            progress(number)
            if self._candidate.mode is Mode.DELTA:
                self._replaced.add(feature.gml_id)
            yield feature

    def judge(self) -> None:
        """After the last feature: the rules of the whole network; a single error refuses it."""
        source = self._source
        if self._candidate.mode is Mode.DELTA:
            source.findings.drop(_ABOUT_THE_WHOLE)
            self._take_rest()
        self._rules.check_answer(source.header)
        self._rules.finish()
        # A network is no answer to a request: one that is empty is asked about, when it is compared.
        source.findings.drop({_NO_CONTENT})
        self._places.give()
        self._forbidden.hide_places()
        source.findings.sort()
        if source.stated_owner not in {None, self._owner.cvr}:
            raise RefusedError(
                "owner-mismatch", f"the file says it is from CVR {source.stated_owner}, not {self._owner.cvr}"
            )
        if source.findings.errors:
            raise NetworkRefusedError(source.findings)

    def _take_rest(self) -> None:
        """Show the rules what a delta leaves alone, and say which of its deletions cannot be."""
        findings = self._source.findings
        unknown = set(self._deletes)
        query = text(
            "SELECT f.gml_id, f.feature_type, f.attributes, f.geom IS NOT NULL AS placed"
            " FROM ler.network_feature AS f WHERE f.dataset_id = :dataset AND f.removed_in IS NULL"
        )
        asked = {"dataset": self._candidate.dataset_id}
        with self._connection.execute(query, asked, execution_options={"yield_per": 5000}) as rows:
            for row in rows:
                unknown.discard(row.gml_id)
                if row.gml_id not in self._replaced and row.gml_id not in self._deletes:
                    unread = frozenset({"geometri"}) if row.placed else frozenset()
                    self._rules.take_known(
                        Feature(row.feature_type, row.gml_id, row.attributes, unread=unread)
                    )
        model = self._source.model.version
        if model != self._candidate.base_model:
            # What it leaves alone would from now on count as of its model, which may not have all that it says.
            findings.add(Finding("delta-model", 0, "", found=model, wanted=self._candidate.base_model or ""))
        for gml_id in sorted(unknown):
            findings.add(Finding("delete-unknown", 0, gml_id, found=gml_id))
        for gml_id in sorted(self._deletes & self._replaced):
            findings.add(Finding("delete-contradicted", 0, gml_id, found=gml_id))


def _open(connection: Connection, owner: Organisation, described: dict[str, str]) -> _Candidate:
    """Enter a version, staged and empty, as described."""
    mode = Mode(described["mode"])
    dataset_id = _dataset(connection, owner.id)
    columns = network_version.c
    last = select(func.coalesce(func.max(columns.number), 0)).where(columns.dataset_id == dataset_id)
    current = select(columns.number, columns.model_version).where(
        columns.id == network_dataset.c.current_version_id, network_dataset.c.id == dataset_id
    )
    number = connection.execute(last).scalar_one() + 1
    base = connection.execute(current).first()
    base_number, base_model = base or (None, None)
    if mode is Mode.DELTA and base_number is None:
        raise RefusedError(
            "delta-without-network",
            "there is no published network that a delta could change; upload it whole",
        )
    values = {
        "dataset_id": dataset_id,
        "owner_id": owner.id,
        "number": number,
        "base_number": base_number,
        **described,
    }
    made = connection.execute(network_version.insert().values(values).returning(columns.id)).scalar_one()
    return _Candidate(made, dataset_id, number, base_number, base_model, mode)


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


def _complete(connection: Connection, candidate: _Candidate, source: Source, deletes: Collection[str]) -> int:
    """Make the staged version whole and return how many features it has."""
    header = _header(connection, candidate, source.header)
    columns = network_version.c
    if candidate.mode is Mode.DELTA:
        connection.execute(
            text("SELECT ler.expand_delta(:version, :deletes)"),
            {"version": candidate.version_id, "deletes": list(deletes)},
        )
        _check_references(connection, candidate.version_id, source.findings)
    changed = update(network_version).where(columns.id == candidate.version_id).values(header=header)
    return int(connection.execute(changed.returning(columns.feature_count)).scalar_one())


def _header(connection: Connection, candidate: _Candidate, given: Feature) -> dict[str, Any]:
    """What the version says of itself; records have no place for it, and a file of them leaves it as it was."""
    if candidate.base_number is not None and not (given.attributes or given.line):
        columns = network_version.c
        base = select(columns.header).where(
            columns.dataset_id == candidate.dataset_id, columns.number == candidate.base_number
        )
        return dict(connection.execute(base).scalar_one())
    return {"attributes": given.attributes, "voids": given.voids}


def _check_references(connection: Connection, version_id: UUID, findings: Findings) -> None:
    lost = text("SELECT * FROM ler.staged_lost_references(:version)")
    for row in connection.execute(lost, {"version": version_id}):
        findings.add(
            Finding(
                code=_UNRESOLVED,
                line=row.line,
                gml_id=row.gml_id,
                feature_type=row.feature_type,
                attribute=row.attribute,
                found=row.target,
            )
        )
    if findings.errors:
        raise NetworkRefusedError(findings)


def _emptying(connection: Connection, candidate: _Candidate) -> str:
    columns = network_version.c
    base = select(columns.feature_count).where(
        columns.dataset_id == candidate.dataset_id, columns.number == candidate.base_number
    )
    lost = connection.execute(base).scalar()
    if lost is None:
        return "the file holds no features"
    return f"the new network holds no features; publishing it would take all {lost} away"


def _record(
    connection: Connection,
    version_id: UUID,
    findings: Findings,
    comparison: Comparison,
    decision: Decision,
) -> None:
    counts: dict[str, int] = {}
    for (_, code), count in findings.counts.items():
        counts[code] = counts.get(code, 0) + count
    values = {
        "findings": counts,
        "comparison": comparison.to_json(),
        "decision": decision.verdict.value,
        "decision_reasons": list(decision.reasons),
    }
    changed = connection.execute(
        update(network_version).where(network_version.c.id == version_id).values(values)
    )
    if changed.rowcount != 1:
        raise NotFoundError("There is no such staged version.")
