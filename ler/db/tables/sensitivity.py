"""Owners' rules on lines that are not shown to everybody, and what answers withheld by them."""

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from ler.db.tables.base import SRID, created_at_column, id_column, metadata, uuid_column

_ANSWER_KEY = ["answer_id", "request_id", "requester_id", "owner_id"]
_ANSWER = [
    "ler.owner_answer.id",
    "ler.owner_answer.request_id",
    "ler.owner_answer.requester_id",
    "ler.owner_answer.owner_id",
]

# A rule is never changed: it is ended and another one made, so that it can be told what held at a time.
sensitivity_rule = Table(
    "sensitivity_rule",
    metadata,
    id_column(),
    # NULL: the operator's, for the networks of all owners.
    uuid_column("owner_id", nullable=True),
    Column("class", Text, nullable=False),
    # What it meets: a feature that has all that is named here; NULL: whatever.
    Column("feature_types", ARRAY(Text)),
    Column("utility_types", ARRAY(Text)),
    Column("danger_classes", ARRAY(Text)),
    Column("gml_ids", ARRAY(Text)),
    Column("area", Geometry("MULTIPOLYGON", srid=SRID, spatial_index=False)),
    # Why, for those who see the rule.
    Column("reason", Text, nullable=False, server_default=text("''")),
    created_at_column(),
    Column("ended_at", DateTime(timezone=True)),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    CheckConstraint("class IN ('restricted', 'site-marking', 'never')", name="class"),
    CheckConstraint(
        "num_nonnulls(feature_types, utility_types, danger_classes, gml_ids, area) > 0", name="meets"
    ),
    CheckConstraint(
        "0 NOT IN (cardinality(feature_types), cardinality(utility_types), cardinality(danger_classes),"
        " cardinality(gml_ids))",
        name="names",
    ),
    CheckConstraint("NOT ST_IsEmpty(area) AND ST_IsValid(area)", name="area"),
)
# Serves ler.match_request and uploads: the rules of an owner that are in force.
Index(
    "ix_sensitivity_rule_owner_id",
    sensitivity_rule.c.owner_id,
    postgresql_where=sensitivity_rule.c.ended_at.is_(None),
)

# What is told of an answer that is not all that its owner has there.
answer_withheld = Table(
    "answer_withheld",
    metadata,
    uuid_column("answer_id"),
    uuid_column("request_id"),
    uuid_column("requester_id"),
    uuid_column("owner_id"),
    # The owner must still say whether this requester gets the lines.
    Column("awaits_owner", Boolean, nullable=False),
    # Cells of the grid through which lines run that are pointed out on site.
    Column("marking_area", Geometry("MULTIPOLYGON", srid=SRID, spatial_index=False)),
    # Serves reading a request's answers.
    PrimaryKeyConstraint("request_id", "answer_id"),
    ForeignKeyConstraint(_ANSWER_KEY, _ANSWER),
)
# Serves an owner's list of what waits for it.
Index(
    "ix_answer_withheld_owner_id",
    answer_withheld.c.owner_id,
    postgresql_where=answer_withheld.c.awaits_owner,
)

# What exactly was withheld: for the owner, never for the requester.
withheld_feature = Table(
    "withheld_feature",
    metadata,
    uuid_column("answer_id"),
    uuid_column("request_id"),
    uuid_column("requester_id"),
    uuid_column("owner_id"),
    # In the dataset of the version that was matched.
    Column("seq", BigInteger, nullable=False),
    Column("gml_id", Text, nullable=False),
    Column("class", Text, nullable=False),
    # Whether it would have been delivered; else it lies near, in a cell that the dig touches.
    Column("inside", Boolean, nullable=False, server_default=text("false")),
    # Cells that both it and what was asked for touch.
    Column("cells", Geometry("MULTIPOLYGON", srid=SRID, spatial_index=False)),
    PrimaryKeyConstraint("request_id", "answer_id", "seq"),
    ForeignKeyConstraint(_ANSWER_KEY, _ANSWER),
    CheckConstraint("class IN ('restricted', 'site-marking', 'never')", name="class"),
)
