"""Jobs of the OGC API: runs of processes, by whom they were called, and what came of them."""

from typing import Final

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    func,
    text,
)

from ler.db.tables.base import created_at_column, id_column, metadata, uuid_column
from ler.domain.jobs import OPEN, JobStatus

_STATUSES: Final = ", ".join(repr(str(status)) for status in JobStatus)
_OPEN: Final = ", ".join(sorted(repr(str(status)) for status in OPEN))
_DIGEST: Final = "'^[0-9a-f]{64}$'"

ogc_job = Table(
    "ogc_job",
    metadata,
    id_column(),
    # For whom it runs.
    uuid_column("organisation_id"),
    # By whose rights, which are asked again when it runs. No foreign key: tokens are forgotten.
    uuid_column("token_id"),
    uuid_column("account_id", nullable=True),
    uuid_column("provider_id", nullable=True),
    # By which number a provider named for whom it acts.
    Column("acting_cvr", Text),
    Column("process", Text, nullable=False),
    Column("language", Text, nullable=False),
    # The inputs: here when they are small, or else in the store. As text, which keeps the order of names.
    Column("inputs", JSON(none_as_null=True)),
    Column("inputs_sha256", Text),
    # Which outputs were asked for, and how they are to be answered.
    Column("wanted", JSON(none_as_null=True), nullable=False),
    Column("status", Text, nullable=False),
    # Per cent.
    Column("progress", Integer, nullable=False, server_default=text("0")),
    Column("message", Text),
    # How often a worker began with it and did not come to an end.
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    # Its outputs by name: here when they are small, or else in the store.
    Column("result", JSON(none_as_null=True)),
    Column("result_sha256", Text),
    # Why it failed, as `geoapi.problems` tells it.
    Column("problem", JSON(none_as_null=True)),
    # By which a repeated call finds the job of the first.
    Column("key", Text),
    Column("request_sha256", Text, nullable=False),
    # Whom its caller wants told of it.
    Column("success_uri", Text),
    Column("in_progress_uri", Text),
    Column("failed_uri", Text),
    # What is still to be told there: `running` or `ended`; when next, and how often it was tried.
    Column("call_due", Text),
    Column("call_at", DateTime(timezone=True)),
    Column("call_attempts", Integer, nullable=False, server_default=text("0")),
    created_at_column(),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(["organisation_id"], ["ler.organisation.id"]),
    CheckConstraint(f"status IN ({_STATUSES})", name="status"),
    CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
    CheckConstraint(f"(finished_at IS NULL) = (status IN ({_OPEN}))", name="finished_at"),
    CheckConstraint("num_nonnulls(inputs, inputs_sha256) <= 1", name="inputs"),
    CheckConstraint("num_nonnulls(result, result_sha256) <= 1", name="result"),
    CheckConstraint(f"inputs_sha256 ~ {_DIGEST}", name="inputs_sha256"),
    CheckConstraint(f"result_sha256 ~ {_DIGEST}", name="result_sha256"),
    CheckConstraint(
        "call_due IN ('running', 'ended') AND call_at IS NOT NULL OR num_nonnulls(call_due, call_at) = 0",
        name="call_due",
    ),
    # A repeated call.
    Index("uq_ogc_job_key", "organisation_id", "process", "key", unique=True),
    # An organisation's jobs, the newest first.
    Index("ix_ogc_job_organisation_id", "organisation_id", text("created_at DESC"), text("id DESC")),
    # What the sweep looks after.
    Index("ix_ogc_job_open", "created_at", postgresql_where=text(f"status IN ({_OPEN})")),
    Index("ix_ogc_job_call_at", "call_at", postgresql_where=text("call_due IS NOT NULL")),
    Index("ix_ogc_job_expires_at", "expires_at"),
)
